//! ssh agents for `RUN --mount=type=ssh`: what goes through the socket in the step goes through ours.

use std::path::PathBuf;
use std::sync::Arc;

use bollard_buildkit_proto::moby::sshforward::v1::ssh_server::Ssh;
use bollard_buildkit_proto::moby::sshforward::v1::{
    BytesMessage, CheckAgentRequest, CheckAgentResponse,
};
use indexmap::IndexMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::notes::Notes;

/// The head of a call that holds the id, and the id without it.
const ID: &str = "buildkit.ssh.id";
const DEFAULT_ID: &str = "default";

/// Bytes in one message.
const CHUNK: usize = 32 * 1024;

/// Messages that may wait for the engine to take them.
const MESSAGES_IN_FLIGHT: usize = 8;

/// The service: an agent's socket by its id.
pub(super) struct AgentService {
    pub(super) agents: IndexMap<String, PathBuf>,
    pub(super) notes: Arc<Notes>,
}

type Messages = ReceiverStream<Result<BytesMessage, Status>>;

impl AgentService {
    fn socket(&self, id: &str) -> Result<&PathBuf, Status> {
        let id = if id.is_empty() { DEFAULT_ID } else { id };
        self.agents.get(id).ok_or_else(|| {
            // A step that does not require it runs without.
            self.notes.unknown_agent(id);
            Status::not_found(format!("there is no ssh agent `{id}`"))
        })
    }
}

#[tonic::async_trait]
impl Ssh for AgentService {
    type ForwardAgentStream = Messages;

    async fn check_agent(
        &self,
        request: Request<CheckAgentRequest>,
    ) -> Result<Response<CheckAgentResponse>, Status> {
        self.socket(&request.get_ref().id)?;
        Ok(Response::new(CheckAgentResponse {}))
    }

    async fn forward_agent(
        &self,
        request: Request<Streaming<BytesMessage>>,
    ) -> Result<Response<Messages>, Status> {
        let id = request.metadata().get(ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
        let socket = self.socket(id)?;
        let agent = UnixStream::connect(socket).await.map_err(|error| {
            Status::unavailable(format!("`{}` does not answer: {error}", socket.display()))
        })?;
        let (from_agent, to_agent) = agent.into_split();
        let (messages, receiver) = mpsc::channel(MESSAGES_IN_FLIGHT);
        tokio::spawn(ask(request.into_inner(), to_agent));
        tokio::spawn(answer(from_agent, messages));
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

/// Until the engine or the agent has had enough.
async fn ask(mut messages: Streaming<BytesMessage>, mut agent: OwnedWriteHalf) {
    while let Ok(Some(message)) = messages.message().await {
        if agent.write_all(&message.data).await.is_err() {
            return;
        }
    }
}

async fn answer(mut agent: OwnedReadHalf, messages: mpsc::Sender<Result<BytesMessage, Status>>) {
    let mut buffer = vec![0; CHUNK];
    loop {
        let message = match agent.read(&mut buffer).await {
            Ok(0) => return,
            Ok(count) => Ok(BytesMessage { data: buffer[..count].to_vec() }),
            Err(error) => Err(Status::unavailable(error.to_string())),
        };
        let is_last = message.is_err();
        if messages.send(message).await.is_err() || is_last {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_agents_that_were_given_are_there() {
        let agents = [("default".into(), "/agent".into())].into();
        let service = AgentService { agents, notes: Arc::default() };
        let check =
            |id: &str| service.check_agent(Request::new(CheckAgentRequest { id: id.into() }));
        assert!(check("").await.is_ok() && check("default").await.is_ok());
        let error = check("other").await.unwrap_err();
        assert_eq!(
            (error.code(), error.message()),
            (tonic::Code::NotFound, "there is no ssh agent `other`")
        );
        assert_eq!(service.notes.unknown_agents().into_iter().collect::<Vec<_>>(), ["other"]);
    }
}
