//! What a role needs to publish artifacts.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shipspec_render::plan::ArtifactPlans;
use shipspec_spec::destination::{Destination, Publication};

use super::policy::Place;

/// The statements for the places of a run. Those that a role of their own writes need only that role.
pub(super) fn of_run(artifacts: &ArtifactPlans, place: &Place) -> Vec<Value> {
    let mut parameters = BTreeSet::new();
    let (mut objects, mut buckets, mut roles) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for Publication { destination, place: at, .. } in
        artifacts.published().flat_map(|(_, places)| places)
    {
        if let Some(role) = &at.role {
            roles.insert(role.arn.clone());
            continue;
        }
        match destination {
            Destination::Parameter(name) => {
                let name = name.plain().trim_start_matches('/');
                let start = place.arn("ssm", at.region.as_deref());
                parameters.insert(format!("{start}:parameter/{name}"));
            }
            Destination::Object { bucket, key } => {
                let bucket = format!("arn:{}:s3:::{bucket}", place.partition());
                objects.insert(format!("{bucket}/{key}"));
                buckets.insert(bucket);
            }
        }
    }
    let mut statements = Vec::new();
    for (sid, actions, resources) in [
        ("PublishedParameters", ["ssm:GetParameter", "ssm:PutParameter"], parameters),
        ("PublishedObjects", ["s3:GetObject", "s3:PutObject"], objects),
        // Without them, a bucket or an object that is not there looks like one that is not allowed.
        ("PublishedBuckets", ["s3:GetBucketVersioning", "s3:ListBucket"], buckets),
    ] {
        if !resources.is_empty() {
            statements.push(json!({
                "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources,
            }));
        }
    }
    if !roles.is_empty() {
        statements.push(json!({
            "Sid": "PublishingRoles", "Effect": "Allow",
            "Action": "sts:AssumeRole", "Resource": roles,
        }));
    }
    statements
}
