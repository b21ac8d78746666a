//! Where in AWS something is, and as whom it is asked for.

/// A region and an account.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The region; without it, that of the run.
    pub region: Option<String>,
    /// The role to ask with; without it, that of the run.
    pub role: Option<Role>,
}

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The external id that it asks for.
    pub external_id: Option<String>,
}
