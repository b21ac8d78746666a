//! What a build hands on beside its files: exported variables.

use std::collections::BTreeMap;
use std::process::Command;

use super::{Buildspec, Refusal};

impl Buildspec {
    /// The variables that the CodeBuild action has when a build has ended with this environment.
    ///
    /// # Errors
    ///
    /// [`Refusal::Buildspec`] for a name that CodeBuild does not export, or that is not set: a
    /// condition on it could only fail.
    pub fn exported(
        &self,
        environment: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Refusal> {
        let value = |name: &String| {
            let is_fetched = self.env.parameter_store.contains_key(name)
                || self.env.secrets_manager.contains_key(name);
            if is_fetched || name.starts_with("AWS_") {
                return Err(Refusal::Buildspec(format!("`{name}` is not exported")));
            }
            let value = environment.get(name).cloned();
            let value = value.ok_or_else(|| Refusal::Buildspec(format!("`{name}` is not set")))?;
            Ok((name.clone(), value))
        };
        self.env.exported_variables.iter().map(value).collect()
    }
}

/// The environment of a shell in which a script has run, as a buildspec's next command would have
/// it. The command starts that shell: its program, folder and environment are the build's.
///
/// # Errors
///
/// [`Refusal::Service`] with what the shell said, if the script fails.
///
/// # Panics
///
/// If there is no such shell.
pub fn environment_after(
    mut shell: Command,
    script: &str,
) -> Result<BTreeMap<String, String>, Refusal> {
    let script = format!("{{ {script}\n}} >&2\nenv -0");
    let output = shell.args(["-c", &script]).output().expect("a shell");
    if !output.status.success() {
        return Err(Refusal::Service(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let pairs = text.split('\0').filter_map(|pair| pair.split_once('='));
    Ok(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Buildspec, environment_after};

    fn exported(env: &str, script: &str) -> Result<String, String> {
        let buildspec = Buildspec::parse(&format!("version: 0.2\nenv:\n{env}")).expect("YAML");
        let environment = environment_after(Command::new("bash"), &format!("set -e\n{script}"));
        let variables = buildspec.exported(&environment.map_err(|error| error.to_string())?);
        variables.map(|found| format!("{found:?}")).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_is_exported_as_the_shell_left_it() {
        let env = "  exported-variables: [A, B]\n";
        let told = exported(env, "eval \"export A='one two'\nexport B=''\"");
        assert_eq!(told.as_deref(), Ok(r#"{"A": "one two", "B": ""}"#));
        // Not exported to other programs, and so to nobody.
        let told = exported(env, "A=one; export B=two");
        assert_eq!(told, Err("buildspec: `A` is not set".to_owned()));
        assert!(exported(env, "false; export A=1 B=2").is_err());
    }

    #[test]
    fn a_fetched_variable_and_one_of_aws_are_not_exported() {
        let env = "  parameter-store: { A: /a }\n  exported-variables: [A]\n";
        let told = exported(env, "export A=1");
        assert_eq!(told, Err("buildspec: `A` is not exported".to_owned()));
        let told = exported("  exported-variables: [AWS_TAG]\n", "export AWS_TAG=1");
        assert_eq!(told, Err("buildspec: `AWS_TAG` is not exported".to_owned()));
    }
}
