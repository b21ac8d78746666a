//! An engine on another host, reached as Docker's command line reaches it: `ssh` runs
//! `docker system dial-stdio` there, and what goes in and out of that is the connection.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Seconds that `ssh` may take to reach the host.
const CONNECT_SECONDS: &str = "ConnectTimeout=30";

/// Bytes of what `ssh` says that are kept.
const MOST_WORDS: usize = 4096;

/// How long the last words of `ssh` are waited for.
const WORDS_LIMIT: Duration = Duration::from_millis(500);

/// A host that `ssh` reaches.
#[derive(Debug)]
pub(crate) struct Host {
    name: String,
    user: Option<String>,
    port: Option<String>,
    /// The engine's socket there, where it is not the usual one.
    socket: Option<String>,
    environment: BTreeMap<String, String>,
}

impl Host {
    /// Reads what stands behind `ssh://`: `user@host:port/path/of/the.sock`.
    pub(super) fn parse(text: &str, environment: &BTreeMap<String, String>) -> Option<Self> {
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user.to_owned()), place),
            None => (None, authority),
        };
        let has_port =
            |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
        let (name, port) = match place.rsplit_once(':') {
            Some((name, port)) if has_port(port) => (name, Some(port.to_owned())),
            _ => (place, None),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        // No password is passed on: `ssh` asks for one, or has a key.
        let is_user = |user: &String| !user.is_empty() && !user.contains(':');
        if name.is_empty() || !user.iter().all(is_user) {
            return None;
        }
        let socket = (!path.is_empty()).then(|| format!("/{path}"));
        Some(Self { name, user, port, socket, environment: environment.clone() })
    }

    fn arguments(&self) -> Vec<String> {
        let mut arguments = vec!["-o".to_owned(), CONNECT_SECONDS.to_owned(), "-T".to_owned()];
        for (flag, value) in [("-l", &self.user), ("-p", &self.port)] {
            arguments.extend(value.iter().flat_map(|value| [flag.to_owned(), value.clone()]));
        }
        // A host is never taken for a flag.
        arguments.extend(["--".to_owned(), self.name.clone(), "docker".to_owned()]);
        if let Some(socket) = &self.socket {
            arguments.extend(["--host".to_owned(), format!("unix://{socket}")]);
        }
        arguments.extend(["system".to_owned(), "dial-stdio".to_owned()]);
        arguments
    }

    /// Starts `ssh`. Whether it reaches anybody shows when it is read from.
    pub(super) fn open(&self) -> io::Result<Connection> {
        let mut child = Command::new("ssh")
            .args(self.arguments())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("`ssh` does not start: {error}"))
            })?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(input), Some(output), Some(words)) = pipes else {
            return Err(io::Error::other("`ssh` has no pipes"));
        };
        Ok(Connection { input, output, end: End::Open(Words::keep(words)), _child: child })
    }
}

/// What `ssh` says for people.
#[derive(Debug, Default)]
struct Words(Mutex<Vec<u8>>);

impl Words {
    /// Takes all that `ssh` says, so that it never waits, and keeps the beginning.
    fn keep(mut from: ChildStderr) -> (Arc<Self>, tokio::task::JoinHandle<()>) {
        let words = Arc::new(Self::default());
        let kept = Arc::clone(&words);
        let task = tokio::spawn(async move {
            let mut buffer = [0; 1024];
            while let Ok(count @ 1..) = from.read(&mut buffer).await {
                let mut kept = kept.0.lock().unwrap_or_else(PoisonError::into_inner);
                let space = MOST_WORDS.saturating_sub(kept.len()).min(count);
                kept.extend_from_slice(&buffer[..space]);
            }
        });
        (words, task)
    }

    fn text(&self) -> String {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
    }
}

type Waiting = Pin<Box<dyn Future<Output = String> + Send>>;

/// Why a connection ended matters only before anything came through it.
enum End {
    Open((Arc<Words>, tokio::task::JoinHandle<()>)),
    Ending(Waiting),
    Used,
}

/// A running `ssh`, which ends with this value.
pub(super) struct Connection {
    input: ChildStdin,
    output: ChildStdout,
    end: End,
    _child: Child,
}

impl Connection {
    /// The connection has ended with nothing read: says what `ssh` said.
    fn poll_failure(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let End::Open(_) = self.end
            && let End::Open((words, task)) = std::mem::replace(&mut self.end, End::Used)
        {
            self.end = End::Ending(Box::pin(async move {
                // A connection that others share keeps the pipe open.
                let _ = tokio::time::timeout(WORDS_LIMIT, task).await;
                words.text()
            }));
        }
        let End::Ending(waiting) = &mut self.end else { return Poll::Ready(Ok(())) };
        let said = ready!(waiting.as_mut().poll(context));
        self.end = End::Used;
        let said = if said.is_empty() { "it said nothing".to_owned() } else { said };
        Poll::Ready(Err(io::Error::other(format!("`ssh` ended: {said}"))))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let End::Ending(_) = self.end {
            return self.poll_failure(context);
        }
        ready!(Pin::new(&mut self.output).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.end = End::Used;
            return Poll::Ready(Ok(()));
        }
        self.poll_failure(context)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.input).poll_write(context, data)) {
            // `ssh` is gone; reading tells why.
            Err(error)
                if error.kind() == io::ErrorKind::BrokenPipe && !matches!(self.end, End::Used) =>
            {
                Poll::Ready(Ok(data.len()))
            }
            result => Poll::Ready(result),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(text: &str) -> String {
        Host::parse(text, &BTreeMap::new()).unwrap().arguments()[3..].join(" ")
    }

    #[test]
    fn a_host_is_asked_as_dockers_command_line_asks() {
        assert_eq!(arguments("builder"), "-- builder docker system dial-stdio");
        assert_eq!(
            arguments("me@builder:2222/run/other.sock"),
            "-l me -p 2222 -- builder docker --host unix:///run/other.sock system dial-stdio"
        );
        assert_eq!(arguments("[::1]:22"), "-p 22 -- ::1 docker system dial-stdio");
        assert!(Host::parse("me:password@builder", &BTreeMap::new()).is_none());
        assert!(Host::parse("me@", &BTreeMap::new()).is_none());
    }
}
