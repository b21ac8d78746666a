//! Credentials for base images: the engine asks for those of a host when it needs them.

use bollard_buildkit_proto::moby::filesync::v1::auth_server::Auth;
use bollard_buildkit_proto::moby::filesync::v1::{
    CredentialsRequest, CredentialsResponse, FetchTokenRequest, FetchTokenResponse,
    GetTokenAuthorityRequest, GetTokenAuthorityResponse, VerifyTokenAuthorityRequest,
    VerifyTokenAuthorityResponse,
};
use shipspec_registry::credentials::Credentials;
use shipspec_spec::image::{Registry, Repository};
use tokio::sync::{mpsc, oneshot};
use tonic::{Request, Response, Status};

/// The engine asks for the credentials of a registry. It is answered where the build was started:
/// clients of AWS belong to that runtime.
pub(crate) struct Question {
    pub(crate) registry: Registry,
    pub(crate) answer: oneshot::Sender<Option<Credentials>>,
}

/// The service: passes questions on.
pub(super) struct CredentialService {
    pub(super) questions: mpsc::Sender<Question>,
}

impl CredentialService {
    async fn ask(&self, registry: Registry) -> Option<Credentials> {
        let (answer, answered) = oneshot::channel();
        self.questions.send(Question { registry, answer }).await.ok()?;
        answered.await.ok()?
    }
}

#[tonic::async_trait]
impl Auth for CredentialService {
    async fn credentials(
        &self,
        request: Request<CredentialsRequest>,
    ) -> Result<Response<CredentialsResponse>, Status> {
        let known = match registry(&request.get_ref().host) {
            Some(registry) => self.ask(registry).await,
            None => None,
        };
        // Without credentials the engine asks the registry as anybody would.
        Ok(Response::new(known.map_or_else(CredentialsResponse::default, |known| {
            let secret = known.password.expose().to_owned();
            CredentialsResponse { username: known.username, secret }
        })))
    }

    async fn fetch_token(
        &self,
        _: Request<FetchTokenRequest>,
    ) -> Result<Response<FetchTokenResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn get_token_authority(
        &self,
        _: Request<GetTokenAuthorityRequest>,
    ) -> Result<Response<GetTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }

    async fn verify_token_authority(
        &self,
        _: Request<VerifyTokenAuthorityRequest>,
    ) -> Result<Response<VerifyTokenAuthorityResponse>, Status> {
        Err(Status::unimplemented("the engine fetches tokens itself"))
    }
}

/// The registry at a host. Docker Hub has several names.
fn registry(host: &str) -> Option<Registry> {
    const DOCKER_HUB: [&str; 3] =
        ["registry-1.docker.io", "index.docker.io", "https://index.docker.io/v1/"];
    let host = if DOCKER_HUB.contains(&host) { Registry::DOCKER_HUB } else { host };
    let repository: Repository = format!("{host}/any").parse().ok()?;
    // A word without a dot would be read as a name on Docker Hub.
    (repository.registry.as_str() == host).then_some(repository.registry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_docker_hub_are_one_registry() {
        let name = |host: &str| registry(host).map(|registry| registry.to_string());
        assert_eq!(name("registry-1.docker.io").as_deref(), Some("docker.io"));
        assert_eq!(name("https://index.docker.io/v1/").as_deref(), Some("docker.io"));
        assert_eq!(name("localhost:5000").as_deref(), Some("localhost:5000"));
        assert_eq!(name("mirror"), None);
    }

    #[tokio::test]
    async fn what_nobody_knows_is_answered_with_nothing() {
        let (questions, mut asked) = mpsc::channel::<Question>(1);
        let service = CredentialService { questions };
        tokio::spawn(async move {
            let question = asked.recv().await.unwrap();
            assert_eq!(question.registry.as_str(), "docker.io");
            question.answer.send(None).unwrap();
        });
        let host = "registry-1.docker.io".into();
        let answer = service.credentials(Request::new(CredentialsRequest { host })).await;
        assert_eq!(answer.unwrap().into_inner(), CredentialsResponse::default());
    }
}
