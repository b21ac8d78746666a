//! A family, a cluster and a service of one test.

use serde_json::{Value, json};
use shipspec_testbed::{PRIMARY_ACCOUNT, PRIMARY_REGION, Testbed};

use super::Project;

/// A shipspec.yml that renders a task definition.
pub const SHIPSPEC: &str = "version: 1\nartifacts:\n  taskdef.json: taskdef_template.json\n";

/// What ECS has; family, cluster and service have one name.
pub struct Deployed {
    pub testbed: Testbed,
    pub name: String,
}

impl Deployed {
    pub fn new() -> Self {
        let testbed = Testbed::current();
        let name = testbed.unique("shop");
        Self { testbed, name }
    }

    pub fn ecs(&self, operation: &str, input: &Value) -> Value {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        self.testbed.call("ecs", PRIMARY_REGION, &target, input)
    }

    /// Registers a revision of the family.
    pub fn register(&self, containers: &Value) {
        let input = json!({
            "family": self.name, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": containers,
            "executionRoleArn": format!("arn:aws:iam::{PRIMARY_ACCOUNT}:role/{}", self.name),
        });
        self.ecs("RegisterTaskDefinition", &input);
    }

    /// Lets the service run the newest revision.
    pub fn serve(&self) {
        self.ecs("CreateCluster", &json!({ "clusterName": self.name }));
        let input = json!({
            "cluster": self.name, "serviceName": self.name, "taskDefinition": self.name,
            "desiredCount": 0,
        });
        self.ecs("CreateService", &input);
    }

    /// A project that renders the family with these containers.
    pub fn project(&self, containers: &Value) -> Project {
        let template = json!({
            "family": self.name, "networkMode": "awsvpc", "cpu": "512", "memory": "1GB",
            "requiresCompatibilities": ["FARGATE"], "containerDefinitions": containers,
        });
        Project::in_testbed(&self.testbed)
            .shown_as(&self.name, "[shop]")
            .file("taskdef_template.json", &template.to_string())
            .file("shipspec.yml", SHIPSPEC)
    }

    /// The service in shipspec.yml.
    pub fn service(&self) -> String {
        let name = &self.name;
        format!("service: {{ name: {name}, cluster: {name} }}\n")
    }
}
