//! What a role must be allowed to look at what ECS runs, and at what task definitions name.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shipspec_ecs::running::Which;
use shipspec_render::plan::bases;

use crate::context::Context;
use crate::project::Project;
use crate::running::Target;

/// What a run asks ECS: what the services run that shipspec.yml names, and what artifacts begin from. Those that a role of their own looks
/// at need only that role.
pub(super) fn of_run(
    project: &Project,
    context: &Context<'_>,
    start: impl Fn(&str) -> String,
) -> anyhow::Result<Vec<Value>> {
    let mut targets: BTreeSet<_> =
        bases(&project.config, &project.scope)?.keys().map(Target::of_base).collect();
    if project.config.services().next().is_some() {
        let artifacts = project.read_artifacts(context)?;
        targets.extend(artifacts.services().flatten().map(Target::of_service));
    }
    let (mut services, mut roles, mut is_asked) = (BTreeSet::new(), BTreeSet::new(), false);
    for Target { which, place } in targets {
        if let Some(role) = place.role {
            roles.insert(role.arn);
            continue;
        }
        is_asked = true;
        if let Which::Service(service) = which {
            let start = start("ecs");
            let start = place.region.map_or(start.clone(), |region| in_region(&start, &region));
            services.insert(format!("{start}:service/{}/{}", service.cluster, service.name));
        }
    }
    let mut statements = Vec::new();
    if !services.is_empty() {
        statements.push(statement("Services", &["ecs:DescribeServices"], &json!(services)));
    }
    if is_asked {
        // ECS judges this action for all task definitions or none.
        let action = ["ecs:DescribeTaskDefinition"];
        statements.push(statement("TaskDefinitions", &action, &json!("*")));
    }
    if !roles.is_empty() {
        statements.push(statement("ServiceRoles", &["sts:AssumeRole"], &json!(roles)));
    }
    Ok(statements)
}

/// What `doctor` and `diff` ask besides, of whatever a task definition may name.
pub(super) fn of_doctor(
    start: impl Fn(&str) -> String,
    partition: &str,
    account: Option<&str>,
) -> Vec<Value> {
    let account = account.unwrap_or("*");
    let everywhere =
        ["ecs:DescribeTaskDefinition", "logs:DescribeLogGroups", "ssm:DescribeParameters"];
    vec![
        statement("DoctorReads", &everywhere, &json!("*")),
        statement(
            "DoctorRoles",
            &["iam:GetRole"],
            &json!(format!("arn:{partition}:iam::{account}:role/*")),
        ),
        statement(
            "DoctorSecrets",
            &["secretsmanager:DescribeSecret"],
            &json!(format!("{}:secret:*", start("secretsmanager"))),
        ),
    ]
}

fn statement(sid: &str, actions: &[&str], resources: &Value) -> Value {
    let action = match actions {
        [one] => json!(one),
        several => json!(several),
    };
    json!({ "Sid": sid, "Effect": "Allow", "Action": action, "Resource": resources })
}

/// The beginning of an ARN in another region.
fn in_region(start: &str, region: &str) -> String {
    let mut parts: Vec<_> = start.split(':').collect();
    if let Some(part) = parts.get_mut(3) {
        *part = region;
    }
    parts.join(":")
}
