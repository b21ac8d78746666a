//! An AppSpec for ECS in shipspec.yml ([resources], [hooks]).
//!
//! [resources]: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-resources.html
//! [hooks]: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html

use schemars::JsonSchema;

use super::ArtifactReader;
use super::number::{RawScalar, WholeNumber};
use crate::config::raw::OneOrMany;
use crate::config::shapes::{Entries, Misshapen};
use crate::config::text::{RawText, Text};
use crate::config::tree::RawTree;
use crate::diagnostic::Diagnostic;

/// What CodePipeline replaces by the ARN of the revision that it registers.
const PLACEHOLDER: &str = "<TASK_DEFINITION>";

/// An AppSpec for ECS: the container that gets the traffic, and what runs around the change.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "AppSpec")]
pub(in crate::config) struct RawAppSpec {
    /// The container that the load balancer sends to, by its name in the task definition.
    container: RawText,
    /// The port of that container.
    port: RawScalar,
    /// The task definition. Without it, `<TASK_DEFINITION>`, which `CodePipeline` replaces.
    #[schemars(default)]
    task_definition: Option<RawText>,
    /// The version of Fargate's platform, such as `1.4.0`. Without it, that of the service.
    #[schemars(default)]
    platform_version: Option<RawScalar>,
    /// Lambda functions that `CodeDeploy` runs, by their names or ARNs.
    #[schemars(default)]
    hooks: RawHooks,
    /// Where the tasks run. Without it, as the service says.
    #[schemars(default)]
    capacity_providers: Vec<RawCapacityProvider>,
    /// The network of the tasks: all three of its keys. Without it, that of the service.
    #[schemars(default)]
    network: Option<RawNetwork>,
}

/// Lambda functions, by the moment at which they run.
#[derive(Debug, Clone, Default, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "Hooks", rename_all = "PascalCase")]
pub(in crate::config) struct RawHooks {
    /// Before the new tasks are started.
    #[schemars(default)]
    before_install: Option<RawText>,
    /// When the new tasks run, before any traffic.
    #[schemars(default)]
    after_install: Option<RawText>,
    /// When the test listener sends to the new tasks.
    #[schemars(default)]
    after_allow_test_traffic: Option<RawText>,
    /// Before the traffic is moved.
    #[schemars(default)]
    before_allow_traffic: Option<RawText>,
    /// When the traffic has been moved.
    #[schemars(default)]
    after_allow_traffic: Option<RawText>,
}

/// A capacity provider, and its share of the tasks.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "CapacityProvider")]
pub(in crate::config) struct RawCapacityProvider {
    /// Its name, such as `FARGATE_SPOT`.
    provider: RawText,
    /// How many tasks it has at least. Only one provider may say it.
    #[schemars(default)]
    base: Option<RawScalar>,
    /// Its share of the tasks beyond that, compared with the others.
    #[schemars(default)]
    weight: Option<RawScalar>,
}

/// The network of tasks in a VPC.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields, rename = "TaskNetwork")]
pub(in crate::config) struct RawNetwork {
    /// The subnets. One text may come to a list.
    subnets: OneOrMany,
    /// The security groups. One text may come to a list.
    security_groups: OneOrMany,
    /// Whether the tasks get public addresses: `true` or `false`.
    assign_public_ip: RawScalar,
}

/// An AppSpec for ECS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppSpecConfig {
    /// The container that gets the traffic.
    pub container: Text,
    /// Its port.
    pub port: WholeNumber,
    /// The task definition.
    pub task_definition: Text,
    /// The version of Fargate's platform.
    pub platform_version: Option<Text>,
    /// Functions, by the names that CodeDeploy has for their moments, in that order.
    pub hooks: Vec<(&'static str, Text)>,
    /// Where the tasks run.
    pub capacity_providers: Vec<CapacityProviderConfig>,
    /// Their network.
    pub network: Option<TaskNetworkConfig>,
}

/// A capacity provider, and its share of the tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapacityProviderConfig {
    /// Its name.
    pub provider: Text,
    /// How many tasks it has at least.
    pub base: Option<WholeNumber>,
    /// Its share of the others.
    pub weight: Option<WholeNumber>,
}

/// The network of tasks in a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskNetworkConfig {
    /// The subnets; a text may come to a list.
    pub subnets: Vec<Text>,
    /// The security groups; a text may come to a list.
    pub security_groups: Vec<Text>,
    /// Whether the tasks get public addresses.
    pub assign_public_ip: Text,
}

impl AppSpecConfig {
    /// Every text of it, to find the names that it asks for.
    pub fn texts(&self) -> impl Iterator<Item = &Text> {
        let providers = self.capacity_providers.iter().flat_map(|one| {
            let numbers = [&one.base, &one.weight].into_iter().flatten().map(WholeNumber::text);
            [&one.provider].into_iter().chain(numbers)
        });
        let network = self.network.iter().flat_map(|network| {
            let lists = network.subnets.iter().chain(&network.security_groups);
            lists.chain([&network.assign_public_ip])
        });
        [&self.container, self.port.text(), &self.task_definition]
            .into_iter()
            .chain(&self.platform_version)
            .chain(self.hooks.iter().map(|(_, function)| function))
            .chain(providers)
            .chain(network)
    }
}

impl ArtifactReader<'_> {
    pub(super) fn app_spec(&mut self, raw: &RawAppSpec) -> Option<AppSpecConfig> {
        let port = self.number(&raw.port, "port", 1..=65_535);
        let task_definition = match &raw.task_definition {
            Some(text) => self.text(text),
            None => Some(Text::literal("the default", PLACEHOLDER)),
        };
        let platform_version = raw.platform_version.as_ref().map(|text| self.text(&text.0));
        let hooks = self.hooks(&raw.hooks);
        let capacity_providers = self.capacity_providers(&raw.capacity_providers);
        let network = raw.network.as_ref().map(|network| self.network(network));
        Some(AppSpecConfig {
            container: self.text(&raw.container)?,
            port: port?,
            task_definition: task_definition?,
            platform_version: platform_version.flatten(),
            hooks,
            capacity_providers,
            network: network.flatten(),
        })
    }

    fn hooks(&mut self, raw: &RawHooks) -> Vec<(&'static str, Text)> {
        let hooks = [
            ("BeforeInstall", &raw.before_install),
            ("AfterInstall", &raw.after_install),
            ("AfterAllowTestTraffic", &raw.after_allow_test_traffic),
            ("BeforeAllowTraffic", &raw.before_allow_traffic),
            ("AfterAllowTraffic", &raw.after_allow_traffic),
        ];
        let said = hooks.into_iter().filter_map(|(name, text)| Some((name, text.as_ref()?)));
        said.filter_map(|(name, text)| Some((name, self.text(text)?))).collect()
    }

    fn capacity_providers(&mut self, raw: &[RawCapacityProvider]) -> Vec<CapacityProviderConfig> {
        let mut read = Vec::new();
        for (index, one) in raw.iter().enumerate() {
            let base = one.base.as_ref().and_then(|base| self.number(base, "base", 0..=u32::MAX));
            let weight = one.weight.as_ref();
            let weight = weight.and_then(|weight| self.number(weight, "weight", 0..=u32::MAX));
            let before = raw[..index].iter().any(|other| other.base.is_some());
            if let (Some(second), true) = (&one.base, before) {
                let message = "only one capacity provider may have a `base`";
                self.found.push(Diagnostic::at(second.0.span(self.source), message));
            }
            if let Some(provider) = self.text(&one.provider) {
                read.push(CapacityProviderConfig { provider, base, weight });
            }
        }
        read
    }

    fn network(&mut self, raw: &RawNetwork) -> Option<TaskNetworkConfig> {
        let mut list = |name: &str, raw: &OneOrMany| -> Vec<Text> {
            if raw.texts().is_empty() {
                let message = format!("`{name}` is empty; the network needs all three of its keys");
                let hint = "or leave `network` out: then that of the service counts";
                let place = self.place(&["appspec", "network", name]);
                self.found.push(Diagnostic::at(place, message).with_hint(hint));
            }
            raw.texts().iter().filter_map(|text| self.text(text)).collect()
        };
        Some(TaskNetworkConfig {
            subnets: list("subnets", &raw.subnets),
            security_groups: list("security_groups", &raw.security_groups),
            assign_public_ip: self.text(&raw.assign_public_ip.0)?,
        })
    }
}

impl TryFrom<RawTree> for RawAppSpec {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        let mut entries = Entries::of(tree)?;
        Ok(Self {
            container: entries.needed("container")?,
            port: entries.needed("port")?,
            task_definition: entries.optional("task_definition")?,
            platform_version: entries.optional("platform_version")?,
            hooks: entries.optional("hooks")?.unwrap_or_default(),
            capacity_providers: entries.list("capacity_providers")?,
            network: entries.optional("network")?,
        })
    }
}

impl TryFrom<RawTree> for RawHooks {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        let mut entries = Entries::of(tree)?;
        Ok(Self {
            before_install: entries.optional("BeforeInstall")?,
            after_install: entries.optional("AfterInstall")?,
            after_allow_test_traffic: entries.optional("AfterAllowTestTraffic")?,
            before_allow_traffic: entries.optional("BeforeAllowTraffic")?,
            after_allow_traffic: entries.optional("AfterAllowTraffic")?,
        })
    }
}

impl TryFrom<RawTree> for RawCapacityProvider {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        let mut entries = Entries::of(tree)?;
        Ok(Self {
            provider: entries.needed("provider")?,
            base: entries.optional("base")?,
            weight: entries.optional("weight")?,
        })
    }
}

impl TryFrom<RawTree> for RawNetwork {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        let mut entries = Entries::of(tree)?;
        Ok(Self {
            subnets: entries.needed("subnets")?,
            security_groups: entries.needed("security_groups")?,
            assign_public_ip: entries.needed("assign_public_ip")?,
        })
    }
}
