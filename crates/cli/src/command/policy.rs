//! `shipspec policy`: the least that the build role must be allowed.

use std::collections::BTreeSet;

use clap::Args as ClapArgs;
use serde_json::{Value, json};
use shipspec_spec::parameter::ParameterName;
use shipspec_spec::scope::DigestState;

use crate::arguments::{ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::project::Project;

/// What a push and a preflight ask of a repository ([actions]).
///
/// [actions]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-push-iam.html
const REPOSITORY_ACTIONS: [&str; 7] = [
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:DescribeRepositories",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:UploadLayerPart",
];

/// Print the least IAM policy that the build role needs for this shipspec.yml
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    render: RenderFlags,
    /// The account of the parameters [default: that of the build, else of the first repository]
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// The region of the parameters [default: that of the build, else of the first repository]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
}

pub(crate) fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::read(context, &args.project, &args.render)?;
    let plans = project.plan_images(context, &DigestState::Later)?;
    let hosts: Vec<_> = plans.iter().filter_map(|plan| plan.repository.registry.ecr()).collect();
    let repositories: BTreeSet<String> = plans
        .iter()
        .filter_map(|plan| {
            let host = plan.repository.registry.ecr()?;
            let (partition, region, account) = (host.partition, host.region, host.account);
            let name = &plan.repository.name;
            Some(format!("arn:{partition}:ecr:{region}:{account}:repository/{name}"))
        })
        .collect();
    let first = hosts.first();
    let place = Place {
        partition: first.map_or("aws", |host| host.partition),
        account: args
            .account
            .clone()
            .or_else(|| build_account(context))
            .or_else(|| first.map(|host| host.account.clone())),
        region: args
            .region
            .clone()
            .or_else(|| context.variable("AWS_REGION").map(str::to_owned))
            .or_else(|| first.map(|host| host.region.clone())),
    };
    let parameters: BTreeSet<_> =
        project.parameters.values().map(|name| place.parameter_arn(name)).collect();
    let policy = policy(&repositories, &parameters);
    let text = serde_json::to_string_pretty(&policy)?;
    Ok(context.console.data(&format!("{text}\n"))?)
}

/// The account that CodeBuild runs in, which only the build's ARN tells.
fn build_account(context: &Context<'_>) -> Option<String> {
    let arn = context.variable("CODEBUILD_BUILD_ARN")?;
    arn.split(':').nth(4).map(str::to_owned)
}

/// Where parameters are that are named without an ARN.
struct Place {
    partition: &'static str,
    account: Option<String>,
    region: Option<String>,
}

impl Place {
    /// `parameter/` and the name, whose leading slash is not doubled; what is not known is `*`.
    fn parameter_arn(&self, name: &ParameterName) -> String {
        let name = name.as_str();
        if name.starts_with("arn:") {
            return name.to_owned();
        }
        let plain = name.split(':').next().unwrap_or(name).trim_start_matches('/');
        let known = |part: &Option<String>| part.clone().unwrap_or_else(|| "*".into());
        let (region, account) = (known(&self.region), known(&self.account));
        format!("arn:{}:ssm:{region}:{account}:parameter/{plain}", self.partition)
    }
}

fn policy(repositories: &BTreeSet<String>, parameters: &BTreeSet<String>) -> Value {
    let mut statements = Vec::new();
    if !repositories.is_empty() {
        // A login belongs to no repository, so it cannot be limited to one.
        statements.push(json!({
            "Sid": "EcrLogin", "Effect": "Allow",
            "Action": "ecr:GetAuthorizationToken", "Resource": "*",
        }));
        statements.push(json!({
            "Sid": "EcrPush", "Effect": "Allow",
            "Action": REPOSITORY_ACTIONS, "Resource": repositories,
        }));
    }
    if !parameters.is_empty() {
        statements.push(json!({
            "Sid": "Parameters", "Effect": "Allow",
            "Action": "ssm:GetParameters", "Resource": parameters,
        }));
        // Only the keys of these very parameters, whichever keys those are.
        statements.push(json!({
            "Sid": "ParameterKeys", "Effect": "Allow",
            "Action": "kms:Decrypt", "Resource": "*",
            "Condition": { "StringEquals": { "kms:EncryptionContext:PARAMETER_ARN": parameters } },
        }));
    }
    json!({ "Version": "2012-10-17", "Statement": statements })
}
