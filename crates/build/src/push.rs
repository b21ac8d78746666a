//! The engine's push: tried again as a whole where that can help, and what its refusals mean.

use shipspec_registry::access::{Access, AccessError};
use shipspec_registry::credentials::Credentials;
use shipspec_registry::error::RegistryError;
use shipspec_registry::retry::Schedule;
use shipspec_spec::hint::Hint;
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::tag::Tag;

use crate::docker::{Engine, EngineError, LocalImage, PushError};
use crate::plan::ImagePlan;
use crate::progress::{Event, Reporter};

/// Words of engines and of registries behind them that speak of something which may be over soon.
/// An engine passes on words, not codes, and each version has others.
const TRANSIENT: [&str; 12] = [
    "toomanyrequests",
    "too many requests",
    "rate exceeded",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "gateway timeout",
    "connection reset",
    "broken pipe",
    "eof",
    "timeout",
    "timed out",
];

/// Statuses of HTTP that may be over soon, and those that will not be.
const TRANSIENT_STATUS: [&str; 5] = ["429", "500", "502", "503", "504"];
const DENIED_STATUS: [&str; 2] = ["401", "403"];

/// Why an image did not reach its registry.
#[derive(Debug, thiserror::Error)]
pub enum UploadError {
    /// The engine's push failed.
    #[error(transparent)]
    Push(PushError),
    /// The engine's push failed, and what it says is the registry's refusal.
    #[error(transparent)]
    Registry(RegistryError),
    /// There were no credentials.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The engine could not name the image for the push.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Hint for UploadError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Registry(source) => source.hint(),
            Self::Access(source) => source.hint(),
            Self::Engine(source) | Self::Push(PushError::Engine(source)) => source.hint(),
            Self::Push(_) => {
                Some("nothing was tagged; run it again when the registry answers".into())
            }
        }
    }
}

impl UploadError {
    /// The tag names another image already, and may not be moved. ECR answers with the code
    /// `TAG_INVALID`, which engines pass on as these words.
    pub(crate) fn is_immutable_tag(&self) -> bool {
        match self {
            Self::Push(failure) => {
                let refusal = refusal(failure);
                // containerd tells the status alone, and ECR refuses well-formed manifests for nothing else.
                let is_bare = refusal.contains("unexpected status from PUT request")
                    && refusal.contains("/manifests/")
                    && refusal.contains("400 Bad Request");
                refusal.contains("tag invalid") || refusal.contains("tag is immutable") || is_bare
            }
            Self::Registry(_) | Self::Access(_) | Self::Engine(_) => false,
        }
    }
}

/// Has the engine push an image under `tag`. What the digest is, the registry has still to confirm.
///
/// # Errors
///
/// [`UploadError`].
pub(crate) async fn push(
    engine: &Engine,
    plan: &ImagePlan,
    image: &LocalImage,
    tag: &Tag,
    access: &Access,
    reporter: &dyn Reporter,
) -> Result<Digest, UploadError> {
    let reference = plan.repository.tagged(tag);
    reporter.report(Event::PushStarted { image: &plan.name, reference: &reference });
    engine.tag(image.id.as_str(), &plan.repository, tag).await?;
    let pushed = push_named(engine, plan, tag, access, reporter).await;
    // The name was for the push alone; that it is left behind harms nobody.
    let _ = engine.untag(&reference).await;
    pushed
}

async fn push_named(
    engine: &Engine,
    plan: &ImagePlan,
    tag: &Tag,
    access: &Access,
    reporter: &dyn Reporter,
) -> Result<Digest, UploadError> {
    let (image, repository) = (&*plan.name, &plan.repository);
    let mut schedule = Schedule::of_long_work();
    let mut credentials = access.credentials(&repository.registry).await?;
    let mut was_renewed = false;
    loop {
        let pushed = engine.push(image, repository, tag, credentials.as_ref(), reporter).await;
        let failure = match pushed {
            Ok(digest) => return Ok(digest),
            Err(failure) => failure,
        };
        // Where the engine keeps the registry's words to itself, a token that is too old looks like a
        // missing permission: new credentials tell which it is.
        let may_be_token = denied_action(refusal(&failure)).is_some() && !was_renewed;
        let is_token_end = refusal(&failure).contains("token has expired");
        let renewed = match &credentials {
            Some(refused) if is_token_end || may_be_token => {
                was_renewed = true;
                renew(access, repository, refused).await?
            }
            _ => None,
        };
        let may_help = renewed.is_some() || is_transient(&failure);
        let Some(wait) = may_help.then(|| schedule.next(None)).flatten() else {
            return Err(meaning(repository, failure));
        };
        let (attempt, attempts) = (schedule.attempt(), schedule.attempts());
        let reason = refusal(&failure);
        reporter.report(Event::PushAgain { image, reason, wait, attempt, attempts });
        tokio::time::sleep(wait).await;
        credentials = match renewed {
            Some(renewed) => Some(renewed),
            // Fetched anew only if its time has come.
            None => access.credentials(&repository.registry).await?,
        };
    }
}

/// Credentials in place of those that are too old; nothing if there are no others.
async fn renew(
    access: &Access,
    repository: &Repository,
    refused: &Credentials,
) -> Result<Option<Credentials>, AccessError> {
    let renewed = access.renew(&repository.registry, refused).await?;
    Ok(renewed.filter(|renewed| renewed != refused))
}

/// The words in which the engine tells what the registry said; none if it is not about that.
fn refusal(failure: &PushError) -> &str {
    match failure {
        PushError::Refused { message, .. } => message,
        PushError::NoDigest(_) | PushError::Engine(_) => "",
    }
}

/// Another push may succeed. Where the engine has tried for a minute by itself, it would not.
fn is_transient(failure: &PushError) -> bool {
    if matches!(failure, PushError::Refused { gave_up: true, .. }) {
        return false;
    }
    let message = words_of(refusal(failure));
    let has_status = |status: &[&str]| message.split(' ').any(|word| status.contains(&word));
    let is_denied = ["denied", "unauthorized", "name unknown"];
    let is_denied =
        is_denied.iter().any(|word| message.contains(word)) || has_status(&DENIED_STATUS);
    let is_transient = TRANSIENT.iter().any(|word| message.contains(word));
    !is_denied && (is_transient || has_status(&TRANSIENT_STATUS))
}

/// The words alone. Hosts and digests are left out: the number of an account may look like a status.
fn words_of(message: &str) -> String {
    let is_name = |word: &&str| word.contains(['/', '.']) || word.contains("sha256:");
    let words = message.split([' ', '"']).filter(|word| !is_name(word));
    let bare = words.map(|word| word.trim_matches([':', ',', ';', '(', ')']).to_ascii_lowercase());
    bare.collect::<Vec<_>>().join(" ")
}

/// The engine passes the registry's refusal on as words; those that are known mean the same as if
/// the registry had said them to us.
fn meaning(repository: &Repository, failure: PushError) -> UploadError {
    let repository = || repository.clone();
    let refusal = refusal(&failure);
    UploadError::Registry(if refusal.contains("token has expired") {
        RegistryError::Unauthorized { repository: repository(), message: refusal.into() }
    } else if let Some(message) = refusal.strip_prefix("denied: ") {
        RegistryError::Denied { repository: repository(), message: message.into() }
    } else if let Some(message) = refusal.strip_prefix("unauthorized: ") {
        RegistryError::Unauthorized { repository: repository(), message: message.into() }
    } else if let Some(action) = denied_action(refusal) {
        let message = format!("it answered 403; that is for who may perform: {action}");
        RegistryError::Denied { repository: repository(), message }
    } else if refusal.starts_with("name unknown: ") {
        RegistryError::NoRepository(repository())
    } else {
        return UploadError::Push(failure);
    })
}

/// What a role may not do, where an engine tells a status of HTTP and not the registry's words: the answer
/// to a HEAD has none, and containerd keeps all others to itself.
fn denied_action(refusal: &str) -> Option<&'static str> {
    if refusal.contains("HTTP 403 response body") {
        // Layers are the only thing so asked for.
        return Some("ecr:BatchCheckLayerAvailability");
    }
    let (_, request) = refusal.split_once("unexpected status from ")?;
    if !request.contains("403 Forbidden") {
        return None;
    }
    let is_manifest = request.contains("/manifests/");
    match request.split(' ').next()? {
        "HEAD" | "GET" if is_manifest => Some("ecr:BatchGetImage"),
        "HEAD" => Some("ecr:BatchCheckLayerAvailability"),
        "POST" => Some("ecr:InitiateLayerUpload"),
        "PATCH" => Some("ecr:UploadLayerPart"),
        "PUT" if is_manifest => Some("ecr:PutImage"),
        "PUT" => Some("ecr:CompleteLayerUpload"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> PushError {
        PushError::Refused {
            reference: "r.example/web:1".into(),
            message: message.into(),
            gave_up: false,
        }
    }

    #[test]
    fn what_may_be_over_soon_is_told_from_what_stays() {
        for message in [
            "toomanyrequests: Rate exceeded",
            "received unexpected HTTP status: 503 Service Unavailable",
            "unexpected status from PUT request to https://r.example/: 502 Bad Gateway",
            "read tcp 10.0.0.1:1->10.0.0.2:443: read: connection reset by peer",
            "unexpected EOF",
            "net/http: TLS handshake timeout",
            "Head \"https://140312345678.dkr.ecr.eu-west-1.amazonaws.com/v2/web/blobs/sha256:401\": EOF",
        ] {
            assert!(is_transient(&refused(message)), "{message}");
        }
        for message in [
            "denied: requested access to the resource is denied",
            "name unknown: The repository with name 'web503' does not exist",
            "tag invalid: The image tag '1' already exists",
            "manifest invalid: unknown layer",
            "blob sha256:5031 is unknown to 150312345678.dkr.ecr.eu-west-1.amazonaws.com",
            "Head \"https://r.example/v2/web/blobs/sha256:1\": 403 Forbidden",
        ] {
            assert!(!is_transient(&refused(message)), "{message}");
        }
    }

    #[test]
    fn the_registrys_words_mean_the_same_through_the_engine() {
        let repository: Repository = "r.example/web".parse().unwrap();
        let meaning = |message: &str| meaning(&repository, refused(message));
        assert!(matches!(
            meaning("name unknown: The repository with name 'web' does not exist"),
            UploadError::Registry(RegistryError::NoRepository(_))
        ));
        assert!(matches!(
            meaning("denied: User is not authorized to perform: ecr:PutImage"),
            UploadError::Registry(RegistryError::Denied { .. })
        ));
        assert!(matches!(
            meaning("denied: Your authorization token has expired."),
            UploadError::Registry(RegistryError::Unauthorized { .. })
        ));
        assert!(matches!(meaning("unexpected EOF"), UploadError::Push(_)));
    }

    #[test]
    fn a_status_alone_names_the_action_that_is_denied() {
        let refusal = |request: &str, status: &str| {
            format!("failed commit on ref \"x\": unexpected status from {request}: {status}")
        };
        for (request, action) in [
            ("HEAD request to https://r/v2/web/blobs/sha256:1", "ecr:BatchCheckLayerAvailability"),
            ("HEAD request to https://r/v2/web/manifests/1", "ecr:BatchGetImage"),
            ("POST request to https://r/v2/web/blobs/uploads/", "ecr:InitiateLayerUpload"),
            ("PUT request to https://r/v2/web/blobs/uploads/1", "ecr:CompleteLayerUpload"),
            ("PUT request to https://r/v2/web/manifests/1", "ecr:PutImage"),
        ] {
            assert_eq!(denied_action(&refusal(request, "403 Forbidden")), Some(action));
            assert_eq!(denied_action(&refusal(request, "400 Bad Request")), None);
        }
        let is_immutable = |request: &str, status: &str| {
            UploadError::Push(refused(&refusal(request, status))).is_immutable_tag()
        };
        let manifest = "PUT request to https://r/v2/web/manifests/1";
        assert!(is_immutable(manifest, "400 Bad Request"));
        assert!(!is_immutable(manifest, "403 Forbidden"));
        assert!(!is_immutable(
            "PUT request to https://r/v2/web/blobs/uploads/1",
            "400 Bad Request"
        ));
    }
}
