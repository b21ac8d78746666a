//! Where a run happens: its folder, its environment, its AWS configuration.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use shipspec_registry::retry::RetryObserver;
use shipspec_spec::config::Config;
use shipspec_spec::source::Source;
use tokio::sync::OnceCell;

use crate::console::Console;
use crate::signal::Stop;

/// The file that is read where none is named.
const DEFAULT_FILE: &str = "shipspec.yml";

/// How long one request to AWS may take before it is made again.
const AWS_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(20);

/// How often a request to AWS is made until it is answered. The SDK waits longer each time, up to
/// [`AWS_LONGEST_WAIT`], and a random part of it.
const AWS_ATTEMPTS: u32 = 6;

/// The longest that is waited between two attempts.
const AWS_LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long AWS may take to accept a connection.
const AWS_CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// What every command knows of its surroundings.
pub(crate) struct Context<'a> {
    /// Where paths of shipspec.yml begin.
    pub(crate) folder: PathBuf,
    /// Where paths of flags begin.
    pub(crate) current: PathBuf,
    /// The process environment; variables that are not UTF-8 are left out.
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) console: &'a Console,
    /// Whether the run was told to end.
    pub(crate) stop: &'a Stop,
    /// Who hears of requests to registries that are made again: the console, too.
    pub(crate) observer: Arc<dyn RetryObserver>,
    file: Option<PathBuf>,
    aws: OnceCell<SdkConfig>,
}

impl<'a> Context<'a> {
    /// `file` is the configuration that the user named.
    pub(crate) fn new(
        file: Option<PathBuf>,
        console: &'a Arc<Console>,
        stop: &'a Stop,
    ) -> anyhow::Result<Self> {
        let current = std::env::current_dir().context("failed to find the current folder")?;
        let named = file.as_deref().and_then(Path::parent).map(|parent| current.join(parent));
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Ok(Self {
            folder: named.unwrap_or_else(|| current.clone()),
            current,
            environment,
            console,
            stop,
            observer: Arc::clone(console) as Arc<dyn RetryObserver>,
            file,
            aws: OnceCell::new(),
        })
    }

    /// The user named the configuration.
    pub(crate) fn has_named_file(&self) -> bool {
        self.file.is_some()
    }

    /// A variable of the environment that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The account that CodeBuild runs in, which only the build's ARN tells.
    pub(crate) fn build_account(&self) -> Option<String> {
        let arn = self.variable("CODEBUILD_BUILD_ARN")?;
        arn.split(':').nth(4).map(str::to_owned)
    }

    /// The configuration file; without one, nothing is configured.
    pub(crate) fn read_config(&self) -> anyhow::Result<Config> {
        let path = match &self.file {
            Some(file) => self.current.join(file),
            None => self.folder.join(DEFAULT_FILE),
        };
        let text = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && self.file.is_none() => {
                return Ok(Config::default());
            }
            Err(error) => {
                let message = format!("`{}` cannot be read: {error}", path.display());
                return Err(crate::failure::input(message, None));
            }
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let Ok(text) = String::from_utf8(text) else {
            return Err(crate::failure::input(format!("`{name}` is not UTF-8"), None));
        };
        if text.trim().is_empty() {
            let hint = "it begins with `version: 1`";
            return Err(crate::failure::input(format!("`{name}` is empty"), Some(hint)));
        }
        Ok(Config::parse(&Source::new(name, text))?)
    }

    /// Credentials and region, as every tool of AWS finds them. Loaded when first asked for: a
    /// command that asks AWS nothing does not wait for it.
    pub(crate) async fn aws(&self) -> &SdkConfig {
        self.aws.get_or_init(load_aws).await
    }
}

async fn load_aws() -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(AWS_CONNECT_TIMEOUT)
        .operation_attempt_timeout(AWS_ATTEMPT_TIMEOUT)
        .build();
    let retry =
        RetryConfig::standard().with_max_attempts(AWS_ATTEMPTS).with_max_backoff(AWS_LONGEST_WAIT);
    // The region of the machine is not asked: that takes seconds where there is none to answer.
    let region = RegionProviderChain::first_try(
        aws_config::environment::EnvironmentVariableRegionProvider::new(),
    )
    .or_else(aws_config::profile::ProfileFileRegionProvider::new());
    aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .timeout_config(timeouts)
        .retry_config(retry)
        .load()
        .await
}
