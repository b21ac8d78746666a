use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::Layout;

/// One request to the Docker engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineRequest {
    /// The HTTP method.
    pub method: String,
    /// Path and query.
    pub path: String,
}

/// A socket before the Docker engine's that remembers what went through, so that a test can say
/// "no engine was contacted" or "one push".
#[derive(Debug)]
pub struct WatchedEngine {
    folder: tempfile::TempDir,
    log: Arc<Log>,
}

/// What is known of all connections.
#[derive(Debug, Default)]
struct Log {
    requests: Mutex<Vec<EngineRequest>>,
    sent_bytes: AtomicU64,
    /// Requests for BuildKit are answered as engines do that have none.
    hides_buildkit: bool,
}

impl Log {
    fn refuses(&self, request: &EngineRequest) -> bool {
        self.hides_buildkit && ["/grpc", "/session"].contains(&&*request.path)
    }
}

impl WatchedEngine {
    pub(crate) fn start(hides_buildkit: bool) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("engine")
            .tempdir_in("/tmp")
            .expect("a folder for the socket");
        let listener = UnixListener::bind(folder.path().join("docker.sock")).expect("a socket");
        let log = Arc::new(Log { hides_buildkit, ..Log::default() });
        let shared = Arc::clone(&log);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let log = Arc::clone(&shared);
                thread::spawn(move || carry(&client, &log));
            }
        });
        Self { folder, log }
    }

    /// The value of `DOCKER_HOST` that leads here.
    #[must_use]
    pub fn docker_host(&self) -> String {
        format!("unix://{}", self.folder.path().join("docker.sock").display())
    }

    /// The requests so far.
    ///
    /// # Panics
    ///
    /// Never: the lock is held for moments only.
    #[must_use]
    pub fn requests(&self) -> Vec<EngineRequest> {
        self.log.requests.lock().expect("the log").clone()
    }

    /// The bytes that clients have sent so far.
    #[must_use]
    pub fn sent_bytes(&self) -> u64 {
        self.log.sent_bytes.load(Ordering::Relaxed)
    }
}

/// Carries one connection to the engine and back, until either side ends it.
fn carry(client: &UnixStream, log: &Log) {
    let Ok(engine) = UnixStream::connect(Layout::ENGINE_SOCKET) else { return };
    let (Ok(mut from_engine), Ok(mut to_client)) = (engine.try_clone(), client.try_clone()) else {
        return;
    };
    let back = thread::spawn(move || {
        let _ended = std::io::copy(&mut from_engine, &mut to_client);
        let _closed = to_client.shutdown(Shutdown::Write);
    });
    let (mut from_client, mut to_engine) = (client, &engine);
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count) = from_client.read(&mut buffer) {
        log.sent_bytes.fetch_add(count as u64, Ordering::Relaxed);
        if let Some(request) = request_line(&buffer[..count]) {
            let is_refused = log.refuses(&request);
            log.requests.lock().expect("the log").push(request);
            if is_refused {
                let answer =
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
                let _told = (&*client).write_all(answer);
                break;
            }
        }
        if count == 0 || to_engine.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _closed = engine.shutdown(Shutdown::Write);
    let _joined = back.join();
}

/// The request line, where these bytes begin with one: clients send a head in one piece, after the
/// answer to the request before.
fn request_line(bytes: &[u8]) -> Option<EngineRequest> {
    let end = bytes.iter().position(|&byte| byte == b'\r')?;
    let line = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?, words.next()?);
    let is_request = words.next()?.starts_with("HTTP/1.") && path.starts_with('/');
    is_request.then(|| EngineRequest { method: method.to_owned(), path: path.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_line_is_one() {
        let request =
            request_line(b"POST /v1.41/build?t=a HTTP/1.1\r\nHost: x\r\n").expect("a request");
        assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/v1.41/build?t=a"));
        assert_eq!(request_line(b"\x1f\x8b data / HTTP/1.1\n"), None);
        assert_eq!(request_line(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), None);
    }
}
