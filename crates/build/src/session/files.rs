//! Files for the engine: it is told what there is, and asks for the content that it lacks.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use bollard_buildkit_proto::fsutil::types::packet::PacketType;
use bollard_buildkit_proto::fsutil::types::{Packet, Stat};
use bollard_buildkit_proto::moby::filesync::packet::file_sync_server::FileSync;
use shipspec_spec::aws::causes;
use tokio::sync::{Mutex as AsyncMutex, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::filter::{Filter, Wish};
use super::notes::Notes;
use super::walk::{has_content, walk};
use crate::context::ContextError;

/// Bytes of a file in one packet.
const CHUNK: usize = 128 * 1024;

/// Packets that may wait for the engine to take them: 4 MiB at most.
const PACKETS_IN_FLIGHT: usize = 32;

/// Files that are read side by side.
const READERS: usize = 4;

/// The folders that the engine may ask for. It names them by the role that they have in a build.
#[derive(Debug, Clone)]
pub(crate) struct Folders {
    /// The build context.
    pub(crate) context: PathBuf,
    /// The folder that the Dockerfile is in, with its own `.dockerignore` file beside it.
    pub(crate) dockerfile: PathBuf,
    /// More of them, by the names that the engine was told.
    pub(crate) named: HashMap<String, PathBuf>,
}

/// The service.
pub(super) struct FileService {
    pub(super) folders: Folders,
    pub(super) notes: Arc<Notes>,
}

type Packets = ReceiverStream<Result<Packet, Status>>;

#[tonic::async_trait]
impl FileSync for FileService {
    type DiffCopyStream = Packets;
    type TarStreamStream = Packets;

    async fn diff_copy(
        &self,
        request: Request<Streaming<Packet>>,
    ) -> Result<Response<Packets>, Status> {
        let wish = Wish::read(request.metadata());
        let root = match &*wish.source {
            "context" => &self.folders.context,
            "dockerfile" => &self.folders.dockerfile,
            other => self
                .folders
                .named
                .get(other)
                .ok_or_else(|| Status::not_found(format!("there is no source `{other}`")))?,
        };
        let (packets, receiver) = mpsc::channel(PACKETS_IN_FLIGHT);
        let notes = Arc::clone(&self.notes);
        let files = Mutex::default();
        let transfer = Arc::new(Transfer { root: root.clone(), packets, files, notes });
        let teller = Arc::clone(&transfer);
        tokio::task::spawn_blocking(move || teller.tell_all(&wish));
        tokio::spawn(transfer.answer(request.into_inner()));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn tar_stream(&self, _: Request<Streaming<Packet>>) -> Result<Response<Packets>, Status> {
        Err(Status::unimplemented("files are not sent as an archive"))
    }
}

/// One source on its way to the engine.
struct Transfer {
    root: PathBuf,
    packets: mpsc::Sender<Result<Packet, Status>>,
    /// Files that the engine may ask for, by their place in the list that it was told.
    files: Mutex<HashMap<u32, String>>,
    notes: Arc<Notes>,
}

impl Transfer {
    /// Tells the engine what there is.
    fn tell_all(&self, wish: &Wish) {
        let told = wish.filter(&self.root).and_then(|filter| self.tell_filtered(&filter));
        match told {
            // A stat of nothing ends the list.
            Ok(()) => drop(self.send(PacketType::PacketStat, 0, Vec::new())),
            Err(error) => self.fail(error),
        }
    }

    fn tell_filtered(&self, filter: &Filter) -> Result<(), ContextError> {
        let mut next = 0;
        walk(&self.root, filter, &mut |stat, _| {
            let id = next;
            next += 1;
            self.tell(id, stat)
        })
    }

    fn tell(&self, id: u32, stat: Stat) -> bool {
        if has_content(&stat) {
            // Before it is told, for the engine may ask at once.
            let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            files.insert(id, stat.path.clone());
        }
        let stat = Some(stat);
        let packet = Packet { r#type: PacketType::PacketStat.into(), stat, ..Packet::default() };
        self.packets.blocking_send(Ok(packet)).is_ok()
    }

    /// Takes what the engine says, until it has all that it wants. Questions wait in a queue without
    /// an end: an engine whose questions were not taken would stop taking answers.
    async fn answer(self: Arc<Self>, mut said: Streaming<Packet>) {
        let (wanted, queue) = mpsc::unbounded_channel();
        let queue = Arc::new(AsyncMutex::new(queue));
        for _ in 0..READERS {
            tokio::spawn(Arc::clone(&self).read_wanted(Arc::clone(&queue)));
        }
        while let Ok(Some(packet)) = said.message().await {
            match packet.r#type() {
                PacketType::PacketReq => drop(wanted.send(packet.id)),
                PacketType::PacketFin => {
                    let end = packet_of(PacketType::PacketFin, 0, Vec::new());
                    // An engine that is gone has all that it wanted.
                    let _ = self.packets.send(Ok(end)).await;
                    break;
                }
                // It fails by itself, and says why.
                PacketType::PacketErr => break,
                PacketType::PacketStat | PacketType::PacketData => {}
            }
        }
    }

    async fn read_wanted(self: Arc<Self>, queue: Arc<AsyncMutex<mpsc::UnboundedReceiver<u32>>>) {
        loop {
            let Some(id) = queue.lock().await.recv().await else { return };
            let reader = Arc::clone(&self);
            // A reader that panicked has sent nothing, and the engine gives up.
            let _ = tokio::task::spawn_blocking(move || reader.send_content(id)).await;
        }
    }

    fn send_content(&self, id: u32) {
        let file = self.files.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        let Some(file) = file else { return };
        let path = self.root.join(file);
        if let Err(source) = self.send_file(id, &path) {
            self.fail(ContextError::Read { path, source });
        }
    }

    /// Sends a file in pieces, and an empty one at its end.
    fn send_file(&self, id: u32, path: &std::path::Path) -> io::Result<()> {
        let mut file = File::open(path)?;
        loop {
            let mut data = Vec::new();
            (&mut file).take(CHUNK as u64).read_to_end(&mut data)?;
            let is_end = data.is_empty();
            let is_heard = self.send(PacketType::PacketData, id, data);
            if is_end || !is_heard {
                return Ok(());
            }
        }
    }

    fn send(&self, kind: PacketType, id: u32, data: Vec<u8>) -> bool {
        self.packets.blocking_send(Ok(packet_of(kind, id, data))).is_ok()
    }

    fn fail(&self, error: ContextError) {
        self.send(PacketType::PacketErr, 0, causes(&error).into_bytes());
        self.notes.failed(error);
    }
}

fn packet_of(kind: PacketType, id: u32, data: Vec<u8>) -> Packet {
    Packet { r#type: kind.into(), id, data, stat: None }
}

#[cfg(test)]
mod tests {
    use PacketType::{PacketData, PacketStat};

    use super::*;

    fn transfer(root: &std::path::Path) -> (Transfer, mpsc::Receiver<Result<Packet, Status>>) {
        let (packets, receiver) = mpsc::channel(100);
        let (files, notes) = (Mutex::default(), Arc::default());
        (Transfer { root: root.into(), packets, files, notes }, receiver)
    }

    fn packets(mut receiver: mpsc::Receiver<Result<Packet, Status>>) -> Vec<Packet> {
        std::iter::from_fn(|| receiver.blocking_recv()).map(Result::unwrap).collect()
    }

    #[test]
    fn a_file_is_sent_in_pieces_and_an_empty_one_ends_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), vec![7; CHUNK + 1]).unwrap();
        let (transfer, receiver) = transfer(folder.path());
        transfer.tell_all(&Wish::default());
        transfer.send_content(0);
        // Asked for twice, or never told.
        transfer.send_content(0);
        transfer.send_content(5);
        drop(transfer);
        let packets = packets(receiver);
        let kinds: Vec<_> =
            packets.iter().map(|packet| (packet.r#type(), packet.data.len())).collect();
        let sizes = [CHUNK, 1, 0].map(|size| (PacketData, size));
        assert_eq!(kinds[..2], [(PacketStat, 0), (PacketStat, 0)]);
        assert_eq!(kinds[2..], sizes);
        assert_eq!(packets[0].stat.as_ref().unwrap().path, "a");
        assert_eq!(packets[1].stat, None);
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "").unwrap();
        let (transfer, receiver) = transfer(folder.path());
        transfer.tell_all(&Wish::default());
        std::fs::remove_file(folder.path().join("a")).unwrap();
        transfer.send_content(0);
        let failure = transfer.notes.take_failure().unwrap();
        drop(transfer);
        let last = packets(receiver).pop().unwrap();
        assert_eq!(last.r#type(), PacketType::PacketErr);
        assert!(String::from_utf8(last.data).unwrap().contains("/a`"));
        assert!(failure.to_string().ends_with("/a`"), "{failure}");
    }
}
