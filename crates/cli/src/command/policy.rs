//! `shipspec policy`: the least that the build role must be allowed.

use std::collections::BTreeSet;

use clap::Args as ClapArgs;
use indexmap::IndexMap;
use serde_json::{Value, json};
use shipspec_build::plan::plan_promotion;
use shipspec_spec::ecr_host::EcrHost;
use shipspec_spec::image::Registry;
use shipspec_spec::parameter::ParameterSource;
use shipspec_spec::scope::DigestState;

use super::stand_ins::StandIns;
use super::{
    base_policy, ecs_policy, promote, promotion_policy, publication_policy, repository_policy,
};
use crate::arguments::{ProjectFlags, RenderFlags};
use crate::context::Context;
use crate::project::Project;
use crate::promotion;

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
    /// What `promote` needs for this target, in place of what a build needs
    #[arg(long, value_name = "TARGET")]
    promote: Option<String>,
    /// Also what `doctor` and `diff` need to look at what ECS runs and at what task definitions name
    #[arg(long, conflicts_with = "promote")]
    doctor: bool,
    /// What the target's own role needs, in place of whoever assumes it
    #[arg(long, requires = "promote")]
    of_role: bool,
}

pub(crate) fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let mut project = Project::read(context, &args.project, &args.render)?;
    if let Some(target) = &args.promote {
        return promotion(args, context, &mut project, target);
    }
    let written = project.config.clone();
    let stand_ins = StandIns::give(&mut project);
    let plans = project.plan_images(context, &DigestState::Later)?;
    project.config = written;
    let hosts: Vec<_> = plans.iter().filter_map(|plan| plan.repository.registry.ecr()).collect();
    let place = Place::new(args, context, hosts.first());
    let artifacts = project.read_artifacts(context)?;
    let pulled = project.unasked(&plans, None);
    let asked = project.unasked(&plans, Some(&artifacts));
    let mut statements = repository_policy::of_run(&plans);
    let bases = base_policy::of_run(context, &plans, &project.foreign);
    let foreign = repository_policy::of_foreign(&asked, &pulled);
    let is_asked = asked.iter().any(repository_policy::is_asked_without_role);
    if (is_asked || bases.is_some()) && !statements.contains(&repository_policy::login()) {
        statements.insert(0, repository_policy::login());
    }
    statements.extend(bases);
    statements.extend(foreign);
    statements.extend(Parameters::new(&project, context, &place).statements());
    if project.config.artifacts.iter().any(|artifact| !artifact.publish.is_empty()) {
        statements.extend(publication_policy::of_run(&artifacts, &place));
    }
    let start = |service: &str| place.arn(service, None);
    statements.extend(ecs_policy::of_run(&project, context, start)?);
    if args.doctor {
        statements.extend(repository_policy::of_doctor(&plans));
        statements.extend(ecs_policy::of_doctor(start, place.partition, place.account.as_deref()));
    }
    print(context, &statements, Some(&stand_ins))
}

fn promotion(
    args: &Args,
    context: &Context<'_>,
    project: &mut Project,
    target: &str,
) -> anyhow::Result<()> {
    let target = promote::find_target(project, target)?;
    promotion::limit_parameters(project, &target, &IndexMap::new());
    let (config, scope) = (&project.config, &project.scope);
    let plan = plan_promotion(config, scope, &target, &IndexMap::new(), &BTreeSet::new())?;
    if args.of_role {
        return print(context, &promotion_policy::of_role(&plan), None);
    }
    let mut sources = plan.images.iter().map(|image| &image.source.repository.registry);
    let host = sources.find_map(Registry::ecr);
    let place = Place::new(args, context, host.as_ref());
    let mut statements = promotion_policy::of_caller(&plan);
    statements.extend(Parameters::new(project, context, &place).statements());
    print(context, &statements, None)
}

fn print(
    context: &Context<'_>,
    statements: &[Value],
    stand_ins: Option<&StandIns>,
) -> anyhow::Result<()> {
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    let mut text = serde_json::to_string_pretty(&policy)?;
    if let Some(stand_ins) = stand_ins {
        let (shown, names) = stand_ins.shown(&text);
        text = shown;
        for name in names {
            context
                .console
                .note(format_args!("note: `*` stands for `{name}`, which nobody was asked for"));
        }
    }
    Ok(context.console.data(&format!("{text}\n"))?)
}

/// Where parameters are that are named without an ARN.
pub(super) struct Place {
    partition: &'static str,
    account: Option<String>,
    region: Option<String>,
}

impl Place {
    /// As flags say, else the build, else the host of a repository.
    fn new(args: &Args, context: &Context<'_>, host: Option<&EcrHost>) -> Self {
        let region = args.region.clone();
        Self {
            partition: host.map_or("aws", |host| host.partition),
            account: args
                .account
                .clone()
                .or_else(|| context.build_account())
                .or_else(|| host.map(|host| host.account.clone())),
            region: region
                .or_else(|| context.variable("AWS_REGION").map(str::to_owned))
                .or_else(|| host.map(|host| host.region.clone())),
        }
    }

    /// The partition of ARNs.
    pub(super) fn partition(&self) -> &'static str {
        self.partition
    }

    /// The beginning of an ARN of a service, with what is not known as `*`.
    pub(super) fn arn(&self, service: &str, region: Option<&str>) -> String {
        let region = region.or(self.region.as_deref()).unwrap_or("*");
        let account = self.account.as_deref().unwrap_or("*");
        format!("arn:{}:{service}:{region}:{account}", self.partition)
    }
}

/// What has to be read of parameters, by the ARNs that a policy names them by. Those that a role of
/// their own reads need only that role.
#[derive(Default)]
struct Parameters {
    names: BTreeSet<String>,
    paths: BTreeSet<String>,
    secrets: BTreeSet<String>,
    described: BTreeSet<String>,
    roles: BTreeSet<String>,
}

impl Parameters {
    fn new(project: &Project, context: &Context<'_>, place: &Place) -> Self {
        let only_named = project.only_named(context);
        let mut found = Self::default();
        for (name, request) in &project.requests {
            if let Some(role) = &request.place.role {
                found.roles.insert(role.arn.clone());
                continue;
            }
            let region = request.place.region.as_deref();
            let is_read = !only_named.contains(name);
            match &request.source {
                ParameterSource::Ssm(parameter) if is_read => {
                    found.names.insert(match parameter.as_str() {
                        // A version or a label is no part of what is allowed.
                        arn if arn.starts_with("arn:") => {
                            arn.split(':').take(6).collect::<Vec<_>>().join(":")
                        }
                        _ => {
                            let name = parameter.plain().trim_start_matches('/');
                            format!("{}:parameter/{name}", place.arn("ssm", region))
                        }
                    });
                }
                ParameterSource::SsmPath(path) if is_read => {
                    let path = path.as_str().trim_matches('/');
                    found.paths.insert(format!("{}:parameter/{path}", place.arn("ssm", region)));
                }
                ParameterSource::SecretsManager(secret) => {
                    let arn = if secret.id.starts_with("arn:") {
                        secret.id.clone()
                    } else {
                        // The last six characters of its ARN are random.
                        let start = place.arn("secretsmanager", region);
                        format!("{start}:secret:{}-??????", secret.id)
                    };
                    let set = if is_read { &mut found.secrets } else { &mut found.described };
                    set.insert(arn);
                }
                ParameterSource::Ssm(_) | ParameterSource::SsmPath(_) => {}
            }
        }
        found
    }

    fn statements(&self) -> Vec<Value> {
        let mut statements = Vec::new();
        for (sid, action, resources) in [
            ("Parameters", "ssm:GetParameters", &self.names),
            ("ParameterPaths", "ssm:GetParametersByPath", &self.paths),
            ("Secrets", "secretsmanager:GetSecretValue", &self.secrets),
            ("SecretArns", "secretsmanager:DescribeSecret", &self.described),
            ("ParameterRoles", "sts:AssumeRole", &self.roles),
        ] {
            if !resources.is_empty() {
                statements.push(json!({
                    "Sid": sid, "Effect": "Allow", "Action": action, "Resource": resources,
                }));
            }
        }
        let below = self.paths.iter().map(|path| format!("{path}/*"));
        let encrypted: BTreeSet<_> = self.names.iter().cloned().chain(below).collect();
        for (sid, key, resources) in [
            ("ParameterKeys", "kms:EncryptionContext:PARAMETER_ARN", &encrypted),
            ("SecretKeys", "kms:EncryptionContext:SecretARN", &self.secrets),
        ] {
            if resources.is_empty() {
                continue;
            }
            // Only the keys of these very values, whichever keys those are.
            let has_pattern = resources.iter().any(|resource| resource.contains(['*', '?']));
            let operator = if has_pattern { "StringLike" } else { "StringEquals" };
            statements.push(json!({
                "Sid": sid, "Effect": "Allow",
                "Action": "kms:Decrypt", "Resource": "*",
                "Condition": { operator: { key: resources } },
            }));
        }
        statements
    }
}
