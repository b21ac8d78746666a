use crate::control::{Command, RoleSpecification, Scope};
use crate::testbed::{give, read};
use crate::{Fault, PRIMARY_ACCOUNT, PRIMARY_REGION, Request};

/// An identity that the front knows by its access key.
#[derive(Debug, Clone)]
pub struct Role {
    specification: RoleSpecification,
}

impl Role {
    /// Its access key.
    #[must_use]
    pub fn access_key(&self) -> &str {
        &self.specification.access_key
    }

    /// Its ARN, as refusals name it.
    #[must_use]
    pub fn arn(&self) -> String {
        self.specification.arn()
    }

    /// The variables that let a program act as this role, in the primary region.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ACCESS_KEY_ID", self.access_key()),
            ("AWS_SECRET_ACCESS_KEY", "testbed"),
            ("AWS_REGION", PRIMARY_REGION),
            ("AWS_DEFAULT_REGION", PRIMARY_REGION),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// Adds a fault to what this role asks, of any service.
    pub fn fault(&self, fault: Fault) {
        give(&Command::AddFault { scope: self.scope(), fault });
    }

    /// Removes the faults.
    pub fn clear_faults(&self) {
        give(&Command::ClearFaults { scope: self.scope() });
    }

    /// What this role has asked, of any service.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        read(&Command::Requests { scope: self.scope() })
    }

    /// Makes every registry token that it has got so far too old.
    pub fn expire_tokens(&self) {
        give(&Command::ExpireTokens { access_key: self.access_key().to_owned() });
    }

    fn scope(&self) -> Scope {
        Scope::AccessKey(self.access_key().to_owned())
    }
}

/// A role that is not there yet.
#[derive(Debug)]
pub struct RoleBuilder {
    specification: RoleSpecification,
}

impl RoleBuilder {
    pub(crate) fn new(name: String) -> Self {
        let access_key = format!("AKIA{}", name.to_uppercase().replace('-', ""));
        let account = PRIMARY_ACCOUNT.to_owned();
        let specification =
            RoleSpecification { access_key, account, name, allow: Vec::new(), deny: Vec::new() };
        Self { specification }
    }

    /// It belongs to this account.
    #[must_use]
    pub fn account(mut self, account: &str) -> Self {
        account.clone_into(&mut self.specification.account);
        self
    }

    /// It may do this; `*` stands for any text.
    #[must_use]
    pub fn allow(mut self, actions: &[&str]) -> Self {
        self.specification.allow.extend(actions.iter().map(|&action| action.to_owned()));
        self
    }

    /// It must not do this, whatever is allowed.
    #[must_use]
    pub fn deny(mut self, actions: &[&str]) -> Self {
        self.specification.deny.extend(actions.iter().map(|&action| action.to_owned()));
        self
    }

    /// Registers it.
    #[must_use]
    pub fn create(self) -> Role {
        give(&Command::AddRole(self.specification.clone()));
        Role { specification: self.specification }
    }
}

/// The identity that the testbed has from its start in each account, and that may do everything.
pub(crate) fn default_role(account: &str) -> Role {
    Role { specification: RoleSpecification::of_everything(account) }
}

impl RoleSpecification {
    /// An identity that may do everything.
    #[must_use]
    pub fn of_everything(account: &str) -> Self {
        Self {
            access_key: format!("AKIATESTBED{}", account.get(..9).unwrap_or(account)),
            account: account.to_owned(),
            name: "testbed".to_owned(),
            allow: vec!["*".to_owned()],
            deny: Vec::new(),
        }
    }

    /// The ARN of a session of this role.
    #[must_use]
    pub fn arn(&self) -> String {
        format!("arn:aws:sts::{}:assumed-role/{}/session", self.account, self.name)
    }

    /// Whether the role may do this.
    #[must_use]
    pub fn permits(&self, action: &str) -> bool {
        let names = |patterns: &[String]| {
            patterns.iter().any(|pattern| crate::mutability::matches(pattern, action))
        };
        names(&self.allow) && !names(&self.deny)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_denied_action_is_denied_whatever_is_allowed() {
        let mut role = RoleSpecification::of_everything(PRIMARY_ACCOUNT);
        assert!(role.permits("ecr:PutImage"));
        role.deny.push("ecr:Put*".to_owned());
        assert!(!role.permits("ecr:PutImage"));
        assert!(role.permits("ssm:GetParameters"));
        role.allow = vec!["ecr:BatchGetImage".to_owned()];
        assert!(!role.permits("ssm:GetParameters"));
    }
}
