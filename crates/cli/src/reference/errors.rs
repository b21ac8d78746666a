//! The pages of exit codes and of errors: each error is made and shown as a run would show it.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Error;
use shipspec_build::context::ContextError;
use shipspec_build::daemon::DaemonError;
use shipspec_build::docker::{AddressError, BuildError, EngineError, PushError};
use shipspec_build::publish::{PublishError, UploadError};
use shipspec_build::vertices::FailedStep;
use shipspec_destination::error::PublicationError;
use shipspec_ecs::error::EcsError;
use shipspec_parameters::error::{FetchError, Missing};
use shipspec_parameters::refusal::Refusal;
use shipspec_registry::access::AccessError;
use shipspec_registry::ecr::EcrError;
use shipspec_registry::error::{ImmutableTag, RegistryError};
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::parameter::ParameterSource;

use crate::failure;

/// What each exit code means.
pub(super) fn exit_codes() -> String {
    let mut text = String::from(
        "# Exit codes\n\nOf several errors, the one with the smallest code decides.\n\n| code | meaning |\n| --- | --- |\n",
    );
    for (code, meaning) in failure::EXIT_CODES {
        let _ = writeln!(text, "| {code} | {meaning} |");
    }
    text
}

/// Every error that concerns something outside of the project's own files.
pub(super) fn page() -> String {
    let mut text = String::from(
        "# Errors\n\nWhat is wrong in shipspec.yml or in a template is shown with its line, and exits with 2. \
         These are the others, with example names.\n",
    );
    for (title, errors) in [
        ("The Docker engine", engine()),
        ("The start of a Docker engine", daemon()),
        ("The build", build()),
        ("The registry", registry()),
        ("AWS", aws()),
        ("Publishing", publishing()),
        ("What ECS runs", ecs()),
    ] {
        let _ = write!(
            text,
            "\n## {title}\n\n| error | exit code | what to do |\n| --- | --- | --- |\n"
        );
        for error in errors {
            let (code, hint) = failure::explain(&error);
            let message = format!("{error:#}").replace('|', "\\|");
            let _ = writeln!(text, "| {message} | {code} | {} |", hint.unwrap_or_default());
        }
    }
    text
}

fn repository() -> Repository {
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/web".parse().expect("a repository")
}

fn digest() -> Digest {
    Digest::from_sha256([0xab; 32])
}

fn engine() -> Vec<Error> {
    let host = "unix:///var/run/docker.sock".to_owned();
    let address = |error: AddressError| EngineError::from(error).into();
    vec![
        EngineError::Absent { host: host.clone(), reason: "connection refused".into() }.into(),
        EngineError::Absent {
            host: "ssh://builder".into(),
            reason: "`ssh` ended: Permission denied (publickey)".into(),
        }
        .into(),
        EngineError::Permission(host).into(),
        address(AddressError::Form("fd://".into())),
        address(AddressError::Unchecked("`DOCKER_TLS` without `DOCKER_TLS_VERIFY`".into())),
        address(AddressError::Tls {
            host: "tcp://builder:2376".into(),
            reason: "there is no `/certs/key.pem`".into(),
        }),
        address(AddressError::Context {
            name: "builder".into(),
            reason: "there is none in `/root/.docker`".into(),
        }),
        EngineError::Unfit("the engine builds for `windows`, not for linux".into()).into(),
    ]
}

fn daemon() -> Vec<Error> {
    let log = || PathBuf::from("/var/log/dockerd.log");
    let lines = Vec::new;
    let reason = "it ended (exit status: 1)".into();
    vec![
        DaemonError::NotInstalled.into(),
        DaemonError::Unprivileged { log: log(), lines: lines() }.into(),
        DaemonError::Failed { reason, log: log(), lines: lines() }.into(),
        DaemonError::Silent { process: 12, host: "unix:///var/run/docker.sock".into() }.into(),
        DaemonError::Elsewhere("tcp://builder:2376".into()).into(),
    ]
}

fn build() -> Vec<Error> {
    let step = || FailedStep {
        name: "[2/3] RUN make".into(),
        lines: Vec::new(),
        place: Some("Dockerfile:7".into()),
    };
    let context = |error: ContextError| BuildError::from(error).into();
    vec![
        context(ContextError::NoFolder(PathBuf::from("web"))),
        context(ContextError::NoDockerfile(PathBuf::from("web/Dockerfile"))),
        context(ContextError::Outside(PathBuf::from("../Dockerfile"))),
        context(ContextError::Name(PathBuf::from("web/caf\u{fffd}"))),
        BuildError::Dockerfile("dockerfile parse error line 2: unknown instruction: RUNN".into())
            .into(),
        BuildError::Step { step: step(), exit_code: 2 }.into(),
        BuildError::OtherStep { step: step(), message: "no space left on device".into() }.into(),
        BuildError::BaseMoved {
            image: "docker.io/library/alpine:3@sha256:…".into(),
            wanted: digest(),
        }
        .into(),
        BuildError::BaseImage { image: "alpine:0".into(), message: "not found".into() }.into(),
        BuildError::Engine("unexpected end of the stream".into()).into(),
        BuildError::Lost("transport error: connection reset".into()).into(),
    ]
}

fn registry() -> Vec<Error> {
    let tag = || "1234567".parse().expect("a tag");
    let message = || {
        "User: arn:aws:iam::123456789012:role/build is not authorized to perform: ecr:PutImage on resource: …".to_owned()
    };
    vec![
        RegistryError::NoRepository(repository()).into(),
        RegistryError::Denied { repository: repository(), message: message() }.into(),
        RegistryError::Unauthorized { repository: repository(), message: "token expired".into() }
            .into(),
        RegistryError::Immutable(Box::new(ImmutableTag {
            repository: repository(),
            tag: tag(),
            wanted: digest(),
            wanted_pushed: None,
            there: Some(digest()),
            there_pushed: None,
        }))
        .into(),
        RegistryError::Pinned {
            repository: repository(),
            tag: "latest".parse().expect("a tag"),
            there: digest(),
        }
        .into(),
        RegistryError::Answer {
            repository: repository(),
            status: 429,
            message: "Rate exceeded".into(),
            retry_after: None,
        }
        .into(),
        RegistryError::Answer {
            repository: repository(),
            status: 503,
            message: "Service Unavailable".into(),
            retry_after: None,
        }
        .into(),
        RegistryError::WrongDigest {
            repository: repository(),
            reference: "1234567".into(),
            wanted: digest(),
            found: "sha256:…".into(),
        }
        .into(),
        RegistryError::NoManifest { repository: repository(), reference: "1234567".into() }.into(),
        RegistryError::NoLayer { repository: repository(), digest: digest() }.into(),
        RegistryError::Manifest {
            repository: repository(),
            reference: digest().to_string(),
            problem: "has the type `text/html`, which cannot be copied".into(),
        }
        .into(),
        RegistryError::Storage {
            repository: repository(),
            host: "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com".into(),
            status: 403,
            message: "AccessDenied".into(),
            retry_after: None,
        }
        .into(),
        RegistryError::Interrupted {
            repository: repository(),
            digest: digest(),
            problem: "ended too early",
        }
        .into(),
        PublishError::Push {
            image: "web".into(),
            source: UploadError::Push(PushError::Refused {
                reference: repository().tagged(&tag()),
                message: "connection reset by peer".into(),
                gave_up: true,
            }),
        }
        .into(),
    ]
}

fn ecs() -> Vec<Error> {
    let near = Some("shop-web".to_owned());
    let (cluster, service) = ("shop".to_owned(), "web".to_owned());
    let refused = |refusal| EcsError::Refused { service: "ECS", refusal }.into();
    vec![
        EcsError::NoFamily { family: "shop-wbe".into(), near }.into(),
        EcsError::NoService { cluster: cluster.clone(), service: service.clone(), near: None }
            .into(),
        EcsError::NoCluster { cluster, near: None }.into(),
        EcsError::NoRevision(service).into(),
        EcsError::NoContainer {
            container: "wbe".into(),
            revision: "shop-web:7".into(),
            near: Some("web".into()),
        }
        .into(),
        EcsError::NoRole("web-task".into()).into(),
        EcsError::Untrusting("web-task".into()).into(),
        EcsError::NoLogGroup("/ecs/web".into()).into(),
        refused(Refusal::Denied {
            action: "ecs:DescribeServices".into(),
            resource: None,
            message: "no policy allows it".into(),
        }),
        refused(Refusal::Credentials("no credentials".into())),
        refused(Refusal::Role("not authorized to perform: sts:AssumeRole".into())),
        refused(Refusal::Throttled("Rate exceeded".into())),
        refused(Refusal::Request { message: "dns error".into(), is_connection: true }),
    ]
}

fn aws() -> Vec<Error> {
    let registry = || repository().registry;
    let ecr = |source| AccessError::Ecr { registry: registry(), source }.into();
    let source: ParameterSource = "ssm:rds_pass".parse().expect("a parameter");
    let near = Some("ssm:rds-pass".to_owned());
    let service = "SSM Parameter Store";
    let request = |message: &str, is_connection| {
        FetchError::Request { service, message: message.into(), is_connection }.into()
    };
    vec![
        ecr(EcrError::Credentials {
            action: "ecr:GetAuthorizationToken",
            message: "no credentials".into(),
        }),
        ecr(EcrError::Role {
            action: "ecr:GetAuthorizationToken",
            message: "User: arn:aws:sts::123456789012:assumed-role/build/session is not authorized to perform: sts:AssumeRole on resource: …".into(),
        }),
        ecr(EcrError::Denied {
            action: "ecr:GetAuthorizationToken",
            message: "no policy allows it".into(),
        }),
        ecr(EcrError::Request {
            action: "ecr:GetAuthorizationToken",
            region: "eu-west-1".into(),
            message: "dns error".into(),
            is_connection: true,
        }),
        FetchError::Missing {
            missing: vec![
                Missing { source, near },
                Missing {
                    source: "secretsmanager:hub:token".parse().expect("a secret"),
                    near: None,
                },
            ],
            region: Some("eu-west-1".into()),
        }
        .into(),
        FetchError::NotInFile(vec![Missing {
            source: "ssm:/rds_pass".parse().expect("a parameter"),
            near: None,
        }])
        .into(),
        FetchError::Denied {
            action: "ssm:GetParameters".into(),
            resource: Some("arn:aws:ssm:eu-west-1:123456789012:parameter/rds_pass".into()),
            message: "no identity-based policy allows it".into(),
        }
        .into(),
        FetchError::Credentials("the security token is expired".into()).into(),
        FetchError::Role("AssumeRole was refused".into()).into(),
        FetchError::Content {
            source_text: "secretsmanager:hub:tokn".into(),
            problem: "has no key `tokn`; there is `token`".into(),
        }
        .into(),
        request("Rate exceeded", false),
        request("dns error", true),
    ]
}

fn publishing() -> Vec<Error> {
    let (service, message) = ("S3", String::from("dns error"));
    let other_type = |is: &str, wanted: &str| PublicationError::OtherType {
        name: "/shop/images".into(),
        is: is.into(),
        wanted: wanted.into(),
    };
    let errors = [
        PublicationError::Denied {
            action: "ssm:PutParameter",
            message: "no identity-based policy allows it".into(),
        },
        PublicationError::Credentials("the security token is expired".into()),
        PublicationError::Role("AssumeRole was refused".into()),
        PublicationError::NoBucket("shop-artifacts".into()),
        other_type("SecureString", "String"),
        other_type("String", "SecureString"),
        PublicationError::Refused {
            service,
            message: "reduce your request rate (SlowDown)".into(),
        },
        PublicationError::NoAnswer { service, message, was_writing: true },
    ];
    errors.map(Error::from).into()
}
