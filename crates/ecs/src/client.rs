//! ECS. Nothing else knows its SDK, but for the body of an answer.

use aws_config::SdkConfig;
use aws_sdk_ecs::Client;
use aws_sdk_ecs::error::ProvideErrorMetadata as _;
use aws_sdk_ecs::operation::describe_services::DescribeServicesError;
use aws_sdk_ecs::types::{Service, TaskDefinitionField};
use serde_json::Value as Json;
use shipspec_parameters::refusal::Refusal;
use shipspec_spec::nearest::nearest;

use crate::body::Body;
use crate::error::EcsError;

const SERVICE: &str = "ECS";

/// What ECS says of a family that is not there, or has no active revision.
const NO_FAMILY: &str = "Unable to describe task definition";

/// Pages of names that are read to find the nearest one: it is advice, and not worth more.
const PAGES_FOR_ADVICE: usize = 5;

/// Asks ECS in one region, with one role.
pub(crate) struct Ecs(Client);

impl Ecs {
    pub(crate) fn new(config: &SdkConfig) -> Self {
        Self(Client::new(config))
    }

    /// What `DescribeTaskDefinition` answers, with its tags beside: `name` is a family, whose newest
    /// active revision is meant, or one revision of it ([API]).
    ///
    /// [API]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeTaskDefinition.html
    pub(crate) async fn describe(&self, name: &str) -> Result<Json, EcsError> {
        let body = Body::default();
        let request = self.0.describe_task_definition().task_definition(name);
        let request = request.include(TaskDefinitionField::Tags).customize();
        match request.interceptor(body.clone()).send().await {
            Ok(_) => Ok(body.json()),
            // There is no error of its own for a family that is not there.
            Err(error) if error.message().is_some_and(|text| text.contains(NO_FAMILY)) => {
                let near = self.nearest_family(name).await;
                Err(EcsError::NoFamily { family: name.into(), near })
            }
            Err(error) => {
                let refusal = Refusal::of("ecs:DescribeTaskDefinition", &error);
                Err(EcsError::Refused { service: SERVICE, refusal })
            }
        }
    }

    /// The revision that a service runs. Where CodeDeploy moves its traffic, that is the primary task
    /// set's ([API]).
    ///
    /// [API]: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServices.html
    pub(crate) async fn revision_of(&self, cluster: &str, name: &str) -> Result<String, EcsError> {
        let reply = self.0.describe_services().cluster(cluster).services(name).send().await;
        let reply = match reply {
            Ok(reply) => reply,
            Err(error) => match error.as_service_error() {
                Some(DescribeServicesError::ClusterNotFoundException(_)) => {
                    let near = self.nearest_cluster(cluster).await;
                    return Err(EcsError::NoCluster { cluster: cluster.into(), near });
                }
                _ => {
                    let refusal = Refusal::of("ecs:DescribeServices", &error);
                    return Err(EcsError::Refused { service: SERVICE, refusal });
                }
            },
        };
        // One that was deleted is answered for a while.
        let service = reply.services().iter().find(|one| one.status() != Some("INACTIVE"));
        let Some(service) = service else {
            let near = self.nearest_service(cluster, name).await;
            return Err(EcsError::NoService {
                cluster: cluster.into(),
                service: name.into(),
                near,
            });
        };
        revision(service).ok_or_else(|| EcsError::NoRevision(name.into()))
    }

    async fn nearest_family(&self, missing: &str) -> Option<String> {
        let (mut names, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_FOR_ADVICE {
            let request = self.0.list_task_definition_families().set_next_token(token);
            let request = request.status(aws_sdk_ecs::types::TaskDefinitionFamilyStatus::Active);
            let reply = request.send().await.ok()?;
            names.extend(reply.families().to_vec());
            token = reply.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        nearest(missing, names.iter().map(String::as_str)).map(str::to_owned)
    }

    async fn nearest_service(&self, cluster: &str, missing: &str) -> Option<String> {
        let (mut arns, mut token) = (Vec::new(), None);
        for _ in 0..PAGES_FOR_ADVICE {
            let request = self.0.list_services().cluster(cluster).max_results(100);
            let reply = request.set_next_token(token).send().await.ok()?;
            arns.extend(reply.service_arns().to_vec());
            token = reply.next_token().map(str::to_owned);
            if token.is_none() {
                break;
            }
        }
        nearest(missing, arns.iter().map(|arn| last(arn))).map(str::to_owned)
    }

    async fn nearest_cluster(&self, missing: &str) -> Option<String> {
        let reply = self.0.list_clusters().send().await.ok()?;
        nearest(missing, reply.cluster_arns().iter().map(|arn| last(arn))).map(str::to_owned)
    }
}

/// The name at the end of an ARN.
fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn revision(service: &Service) -> Option<String> {
    let primary = service.task_sets().iter().find(|set| set.status() == Some("PRIMARY"));
    let revision = primary.and_then(|set| set.task_definition()).or(service.task_definition());
    revision.filter(|revision| !revision.is_empty()).map(str::to_owned)
}
