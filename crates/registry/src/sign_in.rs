//! Who speaks to a registry: told with each request, and told anew when the registry does not accept it
//! any longer.

use reqwest::header::WWW_AUTHENTICATE;
use reqwest::{RequestBuilder, Response, ResponseBuilderExt as _, StatusCode};
use serde::Deserialize;
use shipspec_spec::secret::Secret;

use crate::challenge::Challenge;
use crate::client::{Client, Right, header};
use crate::credentials::Credentials;
use crate::error::{ErrorBody, RegistryError};

/// What goes with each request.
#[derive(Debug, Clone)]
pub(crate) enum Authorization {
    Nothing,
    Basic(Credentials),
    Bearer(Secret),
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
}

impl Client {
    /// Sends a request. If the registry asks who is speaking, or does not accept what it was told
    /// any longer, it is told and asked once more.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, RegistryError> {
        let again = request.try_clone();
        let known = self.first_authorization().await?;
        let answer = self.send_with(request, &known).await?;
        let (answer, is_refused) = self.refuses(answer).await?;
        if !is_refused {
            return Ok(answer);
        }
        let Some(next) = self.next_authorization(&answer, known).await? else { return Ok(answer) };
        *self.authorization.lock().await = next.clone();
        match again {
            Some(request) => self.send_with(request, &next).await,
            // What is streamed cannot be sent again from here.
            None => Err(RegistryError::TokenEnd(self.repository.clone())),
        }
    }

    /// What goes with a request at first. ECR takes nothing but user and password, so the round trip
    /// that asks what it takes is saved; others are asked once. Credentials that are about to end are
    /// fetched anew by who keeps them.
    async fn first_authorization(&self) -> Result<Authorization, RegistryError> {
        let is_ecr = self.repository.registry.ecr().is_some();
        let known = self.authorization.lock().await.clone();
        match known {
            Authorization::Bearer(_) => Ok(known),
            Authorization::Nothing if !is_ecr => Ok(known),
            Authorization::Nothing | Authorization::Basic(_) => {
                let credentials = self.credentials(None).await?;
                Ok(credentials.map_or(Authorization::Nothing, Authorization::Basic))
            }
        }
    }

    /// What goes with the request when the registry did not accept `known`; nothing if there is
    /// nothing else.
    async fn next_authorization(
        &self,
        answer: &Response,
        known: Authorization,
    ) -> Result<Option<Authorization>, RegistryError> {
        if let Authorization::Basic(refused) = known {
            let renewed = self.credentials(Some(&refused)).await?;
            return Ok(renewed.filter(|next| *next != refused).map(Authorization::Basic));
        }
        let challenge = header(answer, WWW_AUTHENTICATE.as_str());
        match challenge.as_deref().and_then(Challenge::parse) {
            Some(Challenge::Basic) => Ok(self.credentials(None).await?.map(Authorization::Basic)),
            Some(Challenge::Bearer { realm, parameters }) => {
                let query: Vec<_> = parameters.into_iter().collect();
                Ok(Some(Authorization::Bearer(self.fetch_token(&realm, &query).await?)))
            }
            None => Ok(None),
        }
    }

    /// The credentials of the registry; others than those that it `refused`.
    async fn credentials(
        &self,
        refused: Option<&Credentials>,
    ) -> Result<Option<Credentials>, RegistryError> {
        let registry = &self.repository.registry;
        let found = match refused {
            None => self.access.credentials(registry).await,
            Some(refused) => self.access.renew(registry, refused).await,
        };
        found.map_err(|source| RegistryError::Access(Box::new(source)))
    }

    /// Whether the answer says that who speaks is not accepted. ECR tells the end of a token as a
    /// denial, whose words have to be read; the answer is given back whole.
    async fn refuses(&self, answer: Response) -> Result<(Response, bool), RegistryError> {
        if answer.status() != StatusCode::FORBIDDEN {
            let is_refused = answer.status() == StatusCode::UNAUTHORIZED;
            return Ok((answer, is_refused));
        }
        // Whoever judges it later may want to know which host it came from.
        let mut head = http::Response::builder().status(answer.status()).url(answer.url().clone());
        if let Some(headers) = head.headers_mut() {
            headers.clone_from(answer.headers());
        }
        let body = answer.bytes().await.map_err(|source| self.transport(source))?;
        let (_, message) = ErrorBody::read(&body);
        // An answer to a HEAD has no body that could say why.
        let is_silent = body.is_empty() && self.repository.registry.ecr().is_some();
        let is_end = is_silent || is_token_end(&message);
        let whole = head.body(body).map_err(|_| self.answer(StatusCode::FORBIDDEN, message))?;
        Ok((whole.into(), is_end))
    }

    async fn send_with(
        &self,
        request: RequestBuilder,
        authorization: &Authorization,
    ) -> Result<Response, RegistryError> {
        let request = match authorization {
            Authorization::Nothing => request,
            Authorization::Basic(Credentials { username, password }) => {
                request.basic_auth(username, Some(password.expose()))
            }
            Authorization::Bearer(token) => request.bearer_auth(token.expose()),
        };
        request.send().await.map_err(|source| self.transport(source))
    }

    /// Asks a token server ([protocol]).
    ///
    /// [protocol]: https://distribution.github.io/distribution/spec/auth/token/
    async fn fetch_token(
        &self,
        realm: &str,
        query: &[(String, String)],
    ) -> Result<Secret, RegistryError> {
        let actions = if self.right == Right::Read { "pull" } else { "pull,push" };
        let scope = format!("repository:{}:{actions}", self.repository.name);
        let request = self.http.get(realm).query(query).query(&[("scope", scope)]);
        let authorization = match self.credentials(None).await? {
            Some(credentials) => Authorization::Basic(credentials),
            None => Authorization::Nothing,
        };
        let answer = self.send_with(request, &authorization).await?;
        let answer = self.check(answer, None).await?;
        let answer: TokenAnswer = answer.json().await.map_err(|source| self.transport(source))?;
        let token = answer.token.or(answer.access_token).unwrap_or_default();
        Ok(Secret::new(token))
    }
}

/// How ECR says that a token is too old.
pub(crate) fn is_token_end(message: &str) -> bool {
    message.contains("token has expired")
}
