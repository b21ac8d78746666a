//! The testbed's ECS, as the actions and the tasks use it.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::Refusal;
use crate::control::{self, Command as Order};
use crate::testbed::ask_service;
use crate::{PRIMARY_REGION, Testbed};

/// Judges the input of an operation as every SDK does before it sends it.
const VALIDATE: &str = include_str!("validate.py");

/// What ECS tells of a revision and does not take for another one.
const TOLD_ONLY: [&str; 10] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "registeredBy",
    "deregisteredAt",
    "deleteRequestedAt",
    "tags",
];

/// The Amazon ECS of one account, in the primary region.
#[derive(Debug, Clone, Copy)]
pub struct Ecs<'a> {
    testbed: &'a Testbed,
    account: &'a str,
}

impl<'a> Ecs<'a> {
    /// The ECS of this account.
    #[must_use]
    pub fn new(testbed: &'a Testbed, account: &'a str) -> Self {
        Self { testbed, account }
    }

    /// Registers a task definition; gives the revision as ECS answers it.
    ///
    /// # Errors
    ///
    /// [`Refusal::TaskDefinition`] for what an SDK would not send: a key that the operation does not
    /// have, another type, a missing key, a null; or for an image that is no reference.
    pub fn register(&self, definition: &Value) -> Result<Value, Refusal> {
        self.validate(definition)?;
        for image in images(definition) {
            if image.is_empty()
                || image.contains(['<', '>', '$', ' '])
                || image.ends_with([':', '@'])
            {
                return Err(Refusal::TaskDefinition(format!("`{image}` is no image")));
            }
        }
        let mut answer = self.call("RegisterTaskDefinition", definition)?;
        Ok(answer["taskDefinition"].take())
    }

    /// Makes a cluster with a service of this revision, both of this name.
    ///
    /// # Errors
    ///
    /// If ECS refuses.
    pub fn create_service(&self, name: &str, revision: &Value) -> Result<(), Refusal> {
        self.call("CreateCluster", &json!({ "clusterName": name }))?;
        let service = json!({
            "cluster": name,
            "serviceName": name,
            "taskDefinition": revision["taskDefinitionArn"],
            "desiredCount": 1,
        });
        self.call("CreateService", &service).map(drop)
    }

    /// The revision that a service uses.
    ///
    /// # Errors
    ///
    /// [`Refusal::Service`] if there is no such service.
    pub fn revision_of(&self, cluster: &str, service: &str) -> Result<Value, Refusal> {
        let input = json!({ "cluster": cluster, "services": [service] });
        let answer = self.call("DescribeServices", &input)?;
        let Some(arn) = answer["services"][0]["taskDefinition"].as_str() else {
            return Err(Refusal::Service(format!("the cluster has no service `{service}`")));
        };
        let mut answer = self.call("DescribeTaskDefinition", &json!({ "taskDefinition": arn }))?;
        Ok(answer["taskDefinition"].take())
    }

    pub(super) fn update_service(
        &self,
        cluster: &str,
        service: &str,
        revision: &Value,
    ) -> Result<(), Refusal> {
        let arn = &revision["taskDefinitionArn"];
        let input = json!({ "cluster": cluster, "service": service, "taskDefinition": arn });
        self.call("UpdateService", &input).map(drop)
    }

    /// Fetches the manifest of every image of a task definition, as its tasks would; gives their
    /// digests.
    ///
    /// # Errors
    ///
    /// [`Refusal::Image`] if an image is in none of the testbed's repositories.
    pub fn pull(&self, definition: &Value) -> Result<Vec<String>, Refusal> {
        images(definition).map(|image| self.pull_image(image)).collect()
    }

    /// Fetches the manifest of one image; gives its digest.
    ///
    /// # Errors
    ///
    /// [`Refusal::Image`] if it is in none of the testbed's repositories.
    pub fn pull_image(&self, image: &str) -> Result<String, Refusal> {
        let missing = || Refusal::Image(format!("{image}: not found"));
        let (repository, reference) = in_registry(image).ok_or_else(missing)?;
        let order =
            Order::Manifest { repository: repository.clone(), reference: reference.clone() };
        control::order(&order).map_err(|_not_there| missing())?;
        if reference.starts_with("sha256:") {
            return Ok(reference);
        }
        let tags = control::order(&Order::Tags { repository }).map_err(|_gone| missing())?;
        tags[&reference].as_str().map(str::to_owned).ok_or_else(missing)
    }

    fn call(&self, operation: &str, input: &Value) -> Result<Value, Refusal> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        let answer = ask_service(self.account, "ecs", PRIMARY_REGION, &target, input);
        answer.map_err(|text| Refusal::Service(format!("{operation}: {text}")))
    }

    fn validate(&self, definition: &Value) -> Result<(), Refusal> {
        let mut python = Command::new(self.testbed.python())
            .args(["-c", VALIDATE, "ecs", "RegisterTaskDefinition"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the testbed's Python");
        let mut stdin = python.stdin.take().expect("a pipe");
        stdin.write_all(definition.to_string().as_bytes()).expect("it reads");
        drop(stdin);
        let output = python.wait_with_output().expect("it ends");
        assert!(output.status.success(), "the validation itself failed");
        let report = String::from_utf8_lossy(&output.stdout);
        if report.is_empty() { Ok(()) } else { Err(Refusal::TaskDefinition(report.into_owned())) }
    }
}

/// A revision without what ECS adds to it: what was registered, and what registers it again.
#[must_use]
pub fn definition_of(revision: &Value) -> Value {
    let mut definition = revision.clone();
    for key in TOLD_ONLY {
        definition.as_object_mut().and_then(|definition| definition.remove(key));
    }
    definition
}

/// The images of a task definition's containers.
fn images(definition: &Value) -> impl Iterator<Item = &str> {
    let containers = definition["containerDefinitions"].as_array().into_iter().flatten();
    containers.map(|container| container["image"].as_str().unwrap_or_default())
}

/// A reference's place in the testbed, `<account>/<region>/<name>`, and its tag or digest.
fn in_registry(image: &str) -> Option<(String, String)> {
    let (host, path) = image.split_once('/')?;
    let (account, host) = host.split_once(".dkr.ecr.")?;
    let region = host.strip_suffix(".amazonaws.com")?;
    let (name, reference) = match path.split_once('@') {
        // Of `name:tag@digest` the tag says nothing.
        Some((name, digest)) => (name.split(':').next().unwrap_or(name), digest),
        None => path.rsplit_once(':').unwrap_or((path, "latest")),
    };
    Some((format!("{account}/{region}/{name}"), reference.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::in_registry;

    #[test]
    fn a_reference_has_its_place_by_tag_by_digest_and_by_both() {
        let found = |rest: &str| {
            in_registry(&format!("111111111111.dkr.ecr.us-east-1.amazonaws.com/{rest}"))
        };
        let place = |name: &str, reference: &str| {
            Some((format!("111111111111/us-east-1/{name}"), reference.to_owned()))
        };
        assert_eq!(found("shop/web:1a2b"), place("shop/web", "1a2b"));
        assert_eq!(found("web"), place("web", "latest"));
        assert_eq!(found("web@sha256:ab"), place("web", "sha256:ab"));
        assert_eq!(found("web:1a2b@sha256:ab"), place("web", "sha256:ab"));
        assert_eq!(in_registry("nginx:1"), None);
        assert_eq!(in_registry("quay.io/shop/web:1"), None);
    }
}
