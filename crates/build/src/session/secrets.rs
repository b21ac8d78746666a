//! Secrets for `RUN --mount=type=secret`, from memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use bollard_buildkit_proto::moby::buildkit::secrets::v1::secrets_server::Secrets;
use bollard_buildkit_proto::moby::buildkit::secrets::v1::{GetSecretRequest, GetSecretResponse};
use shipspec_spec::secret::Secret;
use tonic::{Request, Response, Status};

use super::notes::Notes;

/// The service: a secret by its id.
pub(super) struct SecretService {
    pub(super) secrets: BTreeMap<String, Secret>,
    pub(super) notes: Arc<Notes>,
}

#[tonic::async_trait]
impl Secrets for SecretService {
    async fn get_secret(
        &self,
        request: Request<GetSecretRequest>,
    ) -> Result<Response<GetSecretResponse>, Status> {
        let id = &request.get_ref().id;
        match self.secrets.get(id) {
            Some(secret) => {
                let data = secret.expose().as_bytes().to_vec();
                Ok(Response::new(GetSecretResponse { data }))
            }
            None => {
                // Old engines run the step with an empty file and say nothing.
                self.notes.unknown_secret(id);
                Err(Status::not_found(format!("there is no secret `{id}`")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn unknown_ids_are_refused_and_remembered() {
        let notes = Arc::new(Notes::default());
        let secrets = BTreeMap::from([("token".into(), Secret::new("hunter2"))]);
        let service = SecretService { secrets, notes: Arc::clone(&notes) };
        let ask = |id: &str| {
            service
                .get_secret(Request::new(GetSecretRequest { id: id.into(), ..Default::default() }))
        };
        assert_eq!(ask("token").await.unwrap().into_inner().data, b"hunter2");
        assert_eq!(ask("other").await.unwrap_err().code(), tonic::Code::NotFound);
        assert_eq!(notes.unknown_secrets().into_iter().collect::<Vec<_>>(), ["other"]);
    }
}
