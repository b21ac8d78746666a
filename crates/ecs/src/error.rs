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

impl EcsError {
    /// There is nothing of this name, which a first deployment is about to change.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }
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
            Self::NoRevision(_) => Some("deploy it once, or name a family".into()),
            Self::Refused { refusal, .. } => refusal.hint(),
        }
    }
}
