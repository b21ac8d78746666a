//! Docker's contexts: engines that `docker context create` has given names.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::find::{AddressError, Endpoint, variable};

/// The name that means no context.
const DEFAULT: &str = "default";

/// A context that is meant.
pub(super) struct DockerContext {
    name: String,
    /// The folder of Docker's configuration.
    folder: PathBuf,
}

/// What we read of `config.json`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Configuration {
    current_context: String,
}

/// What we read of a context's `meta.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Meta {
    endpoints: BTreeMap<String, MetaEndpoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MetaEndpoint {
    #[serde(rename = "Host")]
    host: String,
    #[serde(rename = "SkipTLSVerify")]
    skips_verification: bool,
}

/// The folder of Docker's configuration: `DOCKER_CONFIG`, or `~/.docker`.
pub(super) fn configuration(environment: &BTreeMap<String, String>) -> Option<PathBuf> {
    match variable(environment, "DOCKER_CONFIG") {
        Some(folder) => Some(folder.into()),
        None => Some(Path::new(variable(environment, "HOME")?).join(".docker")),
    }
}

/// The context that `DOCKER_CONTEXT` names, or else the one that `docker context use` has chosen.
pub(super) fn current(
    environment: &BTreeMap<String, String>,
) -> Result<Option<DockerContext>, AddressError> {
    let folder = configuration(environment);
    let name = match (variable(environment, "DOCKER_CONTEXT"), &folder) {
        (Some(name), _) => name.to_owned(),
        (None, Some(folder)) => chosen(&folder.join("config.json"))?,
        (None, None) => return Ok(None),
    };
    if name.is_empty() || name == DEFAULT {
        return Ok(None);
    }
    Ok(Some(DockerContext { name, folder: folder.unwrap_or_default() }))
}

/// The context that a `config.json` names; nothing where there is no file.
fn chosen(path: &Path) -> Result<String, AddressError> {
    let error = |reason: String| AddressError::Configuration { path: path.into(), reason };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(String::new()),
        Err(cause) => return Err(error(cause.to_string())),
    };
    let read: Configuration =
        serde_json::from_slice(&bytes).map_err(|cause| error(cause.to_string()))?;
    Ok(read.current_context)
}

impl DockerContext {
    /// The engine that the context names, with the context's own files for TLS.
    pub(super) fn endpoint(
        &self,
        environment: &BTreeMap<String, String>,
    ) -> Result<Endpoint, AddressError> {
        let error = |reason: String| AddressError::Context { name: self.name.clone(), reason };
        // Docker keeps it under the digest of its name.
        let digest = hexadecimal(&Sha256::digest(&self.name));
        let meta = self.folder.join("contexts/meta").join(&digest).join("meta.json");
        let text = std::fs::read(&meta).map_err(|cause| match cause.kind() {
            io::ErrorKind::NotFound => {
                error(format!("there is none in `{}`", self.folder.display()))
            }
            _ => error(format!("`{}`: {cause}", meta.display())),
        })?;
        let meta: Meta = serde_json::from_slice(&text)
            .map_err(|cause| error(format!("`{}`: {cause}", meta.display())))?;
        let Some(docker) = meta.endpoints.get("docker") else {
            return Err(error("it names no Docker engine".into()));
        };
        if docker.host.is_empty() {
            return Endpoint::find(&BTreeMap::new());
        }
        if docker.skips_verification {
            return Err(AddressError::Unchecked(format!("the Docker context `{}`", self.name)));
        }
        let certificates = self.folder.join("contexts/tls").join(&digest).join("docker");
        let is_tls = certificates.is_dir() || docker.host.starts_with("https://");
        Endpoint::at(&docker.host, is_tls.then_some(&*certificates), environment)
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::Address;
    use super::*;

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn file(self, path: &str, text: &str) -> Self {
            let path = self.0.path().join(".docker").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
            self
        }

        /// Writes what `docker context create` writes.
        fn context(self, name: &str, endpoint: &str) -> Self {
            let digest = hexadecimal(&Sha256::digest(name));
            let meta = format!(
                r#"{{"Name":"{name}","Metadata":{{}},"Endpoints":{{"docker":{endpoint}}}}}"#
            );
            self.file(&format!("contexts/meta/{digest}/meta.json"), &meta)
        }

        fn find(&self, pairs: &[(&str, &str)]) -> Result<Endpoint, String> {
            let home = self.0.path().display().to_string();
            let pairs = pairs.iter().copied().chain([("HOME", &*home)]);
            let environment =
                pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            Endpoint::find(&environment).map_err(|error| error.to_string().replace(&home, "[home]"))
        }
    }

    #[test]
    fn the_chosen_context_is_used_unless_the_environment_names_another() {
        let home = Home::new()
            .file("config.json", r#"{"auths":{},"currentContext":"far"}"#)
            .context("far", r#"{"Host":"tcp://far:1","SkipTLSVerify":false}"#)
            .context("near", r#"{"Host":"unix:///near.sock"}"#);
        let host = |pairs: &[(&str, &str)]| home.find(pairs).unwrap().host;
        assert_eq!(host(&[]), "tcp://far:1");
        assert_eq!(host(&[("DOCKER_CONTEXT", "near")]), "unix:///near.sock");
        assert_eq!(host(&[("DOCKER_CONTEXT", "default")]), "unix:///var/run/docker.sock");
        let both = [("DOCKER_HOST", "tcp://it:2"), ("DOCKER_CONTEXT", "near")];
        assert_eq!(host(&both), "tcp://it:2");
    }

    #[test]
    fn a_context_has_its_own_files_for_tls() {
        let digest = hexadecimal(&Sha256::digest("far"));
        let home = Home::new()
            .file("config.json", r#"{"currentContext":"far"}"#)
            .context("far", r#"{"Host":"tcp://far"}"#)
            .file(&format!("contexts/tls/{digest}/docker/key.pem"), "");
        let error = home.find(&[]).unwrap_err();
        assert!(
            error.starts_with("there is no TLS with `tcp://far`: there is no `[home]"),
            "{error}"
        );
        assert!(error.ends_with("/docker/cert.pem`"), "{error}");
    }

    #[test]
    fn what_is_wrong_with_a_context_is_told() {
        let home = Home::new()
            .context("open", r#"{"Host":"tcp://far:1","SkipTLSVerify":true}"#)
            .context("odd", r#"{"Host":7}"#);
        let error = |name: &str| home.find(&[("DOCKER_CONTEXT", name)]).unwrap_err();
        assert_eq!(
            error("none"),
            "the Docker context `none` cannot be used: there is none in `[home]/.docker`"
        );
        assert!(error("open").contains("without checking who answers"), "{}", error("open"));
        assert!(error("odd").contains("meta.json`: invalid type"), "{}", error("odd"));
        let home = home.file("config.json", "{");
        let error = home.find(&[]).unwrap_err();
        assert!(error.starts_with("`[home]/.docker/config.json` cannot be read: EOF"), "{error}");
        assert!(matches!(
            home.find(&[("DOCKER_CONTEXT", "default")]).unwrap().address,
            Address::Unix(_)
        ));
    }
}
