//! The orders of tests.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use hyper::Method;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use shipspec_testbed::Mutability;
use shipspec_testbed::control::Command;
use tokio::net::TcpListener;

use super::Front;
use super::answer::{Answer, with_body};
use super::body::{full, incoming, whole};
use super::call::RepositoryKey;
use super::dispatch::text_of;
use super::ecr::put::put;
use super::identity::now;
use super::repositories::{Repository, digest_of};
use crate::inside::{Fatal, health};

/// Takes orders until the program ends.
pub(crate) async fn serve(listener: TcpListener, front: Arc<Front>) {
    loop {
        let Ok((stream, _address)) = listener.accept().await else { continue };
        let front = Arc::clone(&front);
        tokio::spawn(async move {
            let service = service_fn(|request| answer(Arc::clone(&front), request));
            let _ended = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(front: Arc<Front>, request: hyper::Request<Incoming>) -> Result<Answer, Fatal> {
    let order = whole(incoming(request.into_body())).await?;
    let result = match serde_json::from_slice(&order) {
        Ok(command) => obey(&front, command).await,
        Err(error) => Err(Fatal::from(error)),
    };
    Ok(match result {
        Ok(value) => with_body(200, "application/json", value.to_string()),
        Err(error) => with_body(400, "text/plain", error.to_string()),
    })
}

async fn obey(front: &Front, command: Command) -> Result<Value, Fatal> {
    let missing = || Fatal::from("no such repository");
    match command {
        Command::Status => {
            let mut services = serde_json::Map::new();
            for check in health::CHECKS {
                services.insert(check.to_owned(), health::is_well(check).await.into());
            }
            return Ok(services.into());
        }
        Command::CreateRepository { repository, mutability, filters } => {
            create(front, &repository, mutability, filters)?;
        }
        Command::DeleteRepository { repository } => {
            front.repositories.remove(&repository.parse()?);
        }
        Command::SetMutability { repository, mutability, filters } => {
            front
                .repositories
                .with(&repository.parse()?, |repository| {
                    repository.mutability = mutability;
                    repository.filters = filters;
                })
                .ok_or_else(missing)?;
        }
        Command::Settings { repository } => {
            let settings = front.repositories.with(&repository.parse()?, |repository| {
                let mut settings = repository.settings.clone();
                settings["lifecyclePolicyText"] = json!(repository.lifecycle);
                settings
            });
            return settings.ok_or_else(missing);
        }
        Command::Tags { repository } => {
            let tags =
                front.repositories.with(&repository.parse()?, |repository| json!(repository.tags));
            return tags.ok_or_else(missing);
        }
        Command::Manifest { repository, reference } => {
            let manifest = front.repositories.with(&repository.parse()?, |repository| {
                let image = repository.images.get(repository.resolve(&reference)?)?;
                Some(STANDARD.encode(&image.manifest))
            });
            return Ok(manifest.ok_or_else(missing)?.ok_or("no such image")?.into());
        }
        Command::Blob { repository, digest } => {
            let path = format!("/v2/{repository}/blobs/{digest}");
            let answer =
                front.storage.ask(&Method::GET, &path, hyper::HeaderMap::new(), full("")).await?;
            if answer.status() != 200 {
                return Err("no such blob".into());
            }
            return Ok(STANDARD.encode(whole(answer.into_body()).await?).into());
        }
        Command::PutBlob { repository, bytes } => {
            return put_blob(front, &repository, STANDARD.decode(bytes)?.into()).await;
        }
        Command::PutManifest { repository, bytes, media_type, tag } => {
            let bytes = Bytes::from(STANDARD.decode(bytes)?);
            let digest = digest_of(&bytes);
            let key = repository.parse()?;
            let put = put(front, &key, bytes, Some(media_type), tag.as_deref()).await?;
            put.map_err(|error| Fatal::from(error.message(&key)))?;
            return Ok(digest.into());
        }
        Command::AddRole(role) => front.identities.add(role),
        Command::ExpireTokens { access_key } => front.identities.expire_tokens(&access_key),
        Command::AddFault { scope, fault } => front.faults.add(scope, fault),
        Command::ClearFaults { scope } => front.faults.clear(&scope),
        Command::SetLatency { milliseconds } => {
            front.latency.store(milliseconds, Ordering::Relaxed);
        }
        Command::Requests { scope } => {
            return Ok(serde_json::to_value(front.journal.read(&scope))?);
        }
    }
    Ok(Value::Null)
}

async fn put_blob(front: &Front, repository: &str, bytes: Bytes) -> Result<Value, Fatal> {
    let digest = digest_of(&bytes);
    let path = format!("/v2/{repository}/blobs/uploads/");
    let begun = front.storage.ask(&Method::POST, &path, hyper::HeaderMap::new(), full("")).await?;
    let address = text_of(begun.headers().get(hyper::header::LOCATION));
    let path = address.find("/v2/").map_or(&*address, |start| &address[start..]);
    let path = format!("{path}&digest={digest}");
    let put = front.storage.ask(&Method::PUT, &path, hyper::HeaderMap::new(), full(bytes)).await?;
    if put.status() == 201 { Ok(digest.into()) } else { Err("the blob was not taken".into()) }
}

fn create(
    front: &Front,
    repository: &str,
    mutability: Mutability,
    filters: Vec<String>,
) -> Result<(), Fatal> {
    let key: RepositoryKey = repository.parse()?;
    let repository = Repository { created_at: now(), mutability, filters, ..Repository::default() };
    if front.repositories.create(&key, repository) {
        Ok(())
    } else {
        Err("the repository exists".into())
    }
}
