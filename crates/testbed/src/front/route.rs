//! Which service a host is, and what a registry's path asks for. Pure.

use hyper::Method;

/// The host of ECR Public.
pub(crate) const PUBLIC_HOST: &str = "public.ecr.aws";
/// What stands in place of an account for it.
pub(crate) const PUBLIC_ACCOUNT: &str = "public";
/// Where its tokens come from.
const PUBLIC_REGION: &str = "us-east-1";

/// Who answers under a host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A registry of ECR.
    Registry {
        /// The account that owns it.
        account: String,
        /// The region that it is in.
        region: String,
    },
    /// ECR's API.
    EcrApi {
        /// The region.
        region: String,
    },
    /// Where registries send those who fetch a layer.
    Layers,
    /// Everything else.
    Other,
}

impl Host {
    /// Reads a `Host` header without its port.
    pub(crate) fn parse(host: &str) -> Self {
        if host == PUBLIC_HOST {
            let region = PUBLIC_REGION.to_owned();
            return Self::Registry { account: PUBLIC_ACCOUNT.to_owned(), region };
        }
        let Some(name) = host.strip_suffix(".amazonaws.com") else { return Self::Other };
        if let Some((account, region)) = name.split_once(".dkr.ecr.") {
            return Self::Registry { account: account.to_owned(), region: region.to_owned() };
        }
        if let Some(region) =
            name.strip_prefix("api.ecr.").or_else(|| name.strip_prefix("api.ecr-public."))
        {
            return Self::EcrApi { region: region.to_owned() };
        }
        if name.starts_with("prod-") && name.contains("-starport-layer-bucket.s3.") {
            Self::Layers
        } else {
            Self::Other
        }
    }
}

/// What a registry is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Operation {
    /// `/v2/`.
    Ping,
    /// Is this blob there?
    BlobHead(String),
    /// Where is this blob?
    BlobGet(String),
    /// Begin an upload.
    UploadStart,
    /// More of an upload.
    UploadPart,
    /// The end of an upload.
    UploadFinish,
    /// How far is an upload?
    UploadStatus,
    /// Forget an upload.
    UploadCancel,
    /// Is this manifest there?
    ManifestHead(String),
    /// A manifest.
    ManifestGet(String),
    /// Take a manifest.
    ManifestPut(String),
    /// All tags.
    TagsList,
    /// Manifests whose subject is this one.
    Referrers(String),
}

impl Operation {
    /// What a method and path of the registry protocol ask for, and of which repository.
    pub(crate) fn parse(method: &Method, path: &str) -> Option<(Self, String)> {
        if path == "/v2/" || path == "/v2" {
            return Some((Self::Ping, String::new()));
        }
        let path = path.strip_prefix("/v2/")?;
        if let Some(name) = path.strip_suffix("/tags/list") {
            return (method == Method::GET).then(|| (Self::TagsList, name.to_owned()));
        }
        let (name, upload) = match path.rsplit_once("/blobs/uploads") {
            Some((name, upload)) => (name, Some(upload.trim_start_matches('/'))),
            None => (path, None),
        };
        if let Some(upload) = upload {
            let operation = match (method, upload.is_empty()) {
                (&Method::POST, true) => Self::UploadStart,
                (&Method::PATCH, false) => Self::UploadPart,
                (&Method::PUT, false) => Self::UploadFinish,
                (&Method::GET, false) => Self::UploadStatus,
                (&Method::DELETE, false) => Self::UploadCancel,
                _ => return None,
            };
            return Some((operation, name.to_owned()));
        }
        let (rest, reference) = path.rsplit_once('/')?;
        let (name, kind) = rest.rsplit_once('/')?;
        let reference = reference.to_owned();
        let operation = match (kind, method) {
            ("blobs", &Method::HEAD) => Self::BlobHead(reference),
            ("blobs", &Method::GET) => Self::BlobGet(reference),
            ("manifests", &Method::HEAD) => Self::ManifestHead(reference),
            ("manifests", &Method::GET) => Self::ManifestGet(reference),
            ("manifests", &Method::PUT) => Self::ManifestPut(reference),
            ("referrers", &Method::GET) => Self::Referrers(reference),
            _ => return None,
        };
        Some((operation, name.to_owned()))
    }

    /// The kind by which faults and tests name it.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::BlobHead(_) => "blob-head",
            Self::BlobGet(_) => "blob-get",
            Self::UploadStart => "upload-start",
            Self::UploadPart => "upload-part",
            Self::UploadFinish => "upload-finish",
            Self::UploadStatus => "upload-status",
            Self::UploadCancel => "upload-cancel",
            Self::ManifestHead(_) => "manifest-head",
            Self::ManifestGet(_) => "manifest-get",
            Self::ManifestPut(_) => "manifest-put",
            Self::TagsList => "tags-list",
            Self::Referrers(_) => "referrers",
        }
    }

    /// The IAM action that ECR wants for it; [its guide] lists them for a push.
    ///
    /// [its guide]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
    pub(crate) fn action(&self) -> &'static str {
        match self {
            Self::Ping => "",
            Self::BlobHead(_) => "ecr:BatchCheckLayerAvailability",
            Self::BlobGet(_) => "ecr:GetDownloadUrlForLayer",
            Self::UploadStart => "ecr:InitiateLayerUpload",
            Self::UploadPart | Self::UploadStatus | Self::UploadCancel => "ecr:UploadLayerPart",
            Self::UploadFinish => "ecr:CompleteLayerUpload",
            Self::ManifestHead(_) | Self::ManifestGet(_) => "ecr:BatchGetImage",
            Self::ManifestPut(_) => "ecr:PutImage",
            Self::TagsList | Self::Referrers(_) => "ecr:ListImages",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_apart() {
        let registry =
            Host::Registry { account: "111111111111".into(), region: "us-east-1".into() };
        assert_eq!(Host::parse("111111111111.dkr.ecr.us-east-1.amazonaws.com"), registry);
        assert_eq!(
            Host::parse("api.ecr.us-east-1.amazonaws.com"),
            Host::EcrApi { region: "us-east-1".into() }
        );
        assert_eq!(
            Host::parse("prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"),
            Host::Layers
        );
        assert_eq!(Host::parse("ssm.us-east-1.amazonaws.com"), Host::Other);
        assert_eq!(Host::parse("localhost"), Host::Other);
    }

    #[test]
    fn paths_name_operation_and_repository() {
        let parse = |method, path| {
            Operation::parse(&method, path)
                .map(|(operation, name)| format!("{} {name}", operation.kind()))
        };
        for (method, path, expected) in [
            (Method::GET, "/v2/", "ping "),
            (Method::HEAD, "/v2/a/b/blobs/sha256:1", "blob-head a/b"),
            (Method::GET, "/v2/a/blobs/sha256:1", "blob-get a"),
            (Method::POST, "/v2/a/blobs/uploads/", "upload-start a"),
            (Method::PATCH, "/v2/a/blobs/uploads/1-2", "upload-part a"),
            (Method::PUT, "/v2/a/blobs/uploads/1-2", "upload-finish a"),
            (Method::PUT, "/v2/blobs/manifests/v1", "manifest-put blobs"),
            (Method::GET, "/v2/a/b/tags/list", "tags-list a/b"),
            (Method::GET, "/v2/a/referrers/sha256:1", "referrers a"),
        ] {
            assert_eq!(parse(method, path).as_deref(), Some(expected), "{path}");
        }
        assert_eq!(parse(Method::DELETE, "/v2/a/manifests/v1"), None);
        assert_eq!(parse(Method::GET, "/"), None);
    }
}
