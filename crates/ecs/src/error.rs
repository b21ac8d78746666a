//! Why it is not known what ECS runs.

use shipspec_parameters::refusal::Refusal;
use shipspec_spec::hint::Hint;

/// Why it is not known what ECS runs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EcsError {
    /// There is no revision of this family that could be used.
    #[error("no task definition of the family `{family}` is active in ECS{}", there(.near.as_deref()))]
    NoFamily {
        /// The family, or the revision that was asked for.
        family: String,
        /// The nearest that is there, if that could be looked up.
        near: Option<String>,
    },
    /// The cluster has no such service.
    #[error("the cluster `{cluster}` has no service `{service}`{}", there(.near.as_deref()))]
    NoService {
        /// The cluster.
        cluster: String,
        /// The service.
        service: String,
        /// The nearest that is there, if that could be looked up.
        near: Option<String>,
    },
    /// There is no such cluster.
    #[error("ECS has no cluster `{cluster}`{}", there(.near.as_deref()))]
    NoCluster {
        /// The cluster.
        cluster: String,
        /// The nearest that is there, if that could be looked up.
        near: Option<String>,
    },
    /// The service has no task definition of its own: its task sets have theirs.
    #[error("the service `{0}` has no task definition yet")]
    NoRevision(String),
    /// A revision has no container of this name.
    #[error("{revision} has no container `{container}`{}", there(.near.as_deref()))]
    NoContainer {
        /// The container.
        container: String,
        /// `family:revision`.
        revision: String,
        /// The nearest that is there.
        near: Option<String>,
    },
    /// A task definition names a role that is not there.
    #[error("there is no role `{0}`")]
    NoRole(String),
    /// A task definition names a role that tasks cannot have.
    #[error("the role `{0}` does not trust `ecs-tasks.amazonaws.com`")]
    Untrusting(String),
    /// A container writes to a log group that is not there.
    #[error("there is no log group `{0}`")]
    NoLogGroup(String),
    /// AWS did not answer.
    #[error("failed to ask {service}: {refusal}")]
    Refused {
        /// Who was asked.
        service: &'static str,
        /// What came instead of an answer.
        refusal: Refusal,
    },
}

fn there(near: Option<&str>) -> String {
    near.map(|near| format!(" (there is `{near}`)")).unwrap_or_default()
}

impl Hint for EcsError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoFamily { near: Some(_), .. }
            | Self::NoService { near: Some(_), .. }
            | Self::NoCluster { near: Some(_), .. } => Some("write the name that is there".into()),
            Self::NoFamily { .. } | Self::NoService { .. } | Self::NoCluster { .. } => {
                Some("check the name, the account and the region (`AWS_REGION`)".into())
            }
            Self::NoContainer { .. } => {
                Some("name the containers of the revision that the service runs".into())
            }
            Self::NoRevision(_) => Some("deploy it once, or name a family".into()),
            Self::NoRole(_) => Some("check its name, or make it".into()),
            Self::Untrusting(_) => {
                Some("let its trust policy allow `sts:AssumeRole` to that service".into())
            }
            Self::NoLogGroup(_) => Some(
                "make it, or set the option `awslogs-create-group` to `true` and allow `logs:CreateLogGroup` to the execution role".into(),
            ),
            Self::Refused { refusal, .. } => refusal.hint(),
        }
    }
}
