use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::control::{self, Command, Scope};
use crate::role::default_role;
use crate::{
    Fault, Layout, PRIMARY_ACCOUNT, PRIMARY_REGION, RepositoryBuilder, Request, Role, RoleBuilder,
    TestRepository, WatchedEngine, ports,
};

/// The running testbed, as a test inside of it sees it.
#[derive(Debug)]
pub struct Testbed {
    layout: Layout,
    /// `HOME` for programs under test: empty, and gone with this value.
    home: tempfile::TempDir,
}

impl Testbed {
    /// The testbed that this process runs in.
    ///
    /// # Panics
    ///
    /// Where there is none: tests that need it are run with `scripts/testbed run`.
    #[must_use]
    pub fn current() -> Self {
        let Some(home) = std::env::var_os("SHIPSPEC_TESTBED") else {
            panic!(
                "this test needs the testbed; run me with `scripts/testbed run cargo nextest run …`"
            );
        };
        let home_folder = tempfile::tempdir().expect("a folder for HOME");
        Self { layout: Layout::new(PathBuf::from(home)), home: home_folder }
    }

    /// The value of `DOCKER_HOST`: the engine's socket.
    #[must_use]
    pub fn docker_host(&self) -> String {
        format!("unix://{}", Layout::ENGINE_SOCKET)
    }

    /// Whether the engine keeps images in containerd's store, as `scripts/testbed up --engine 26` has it.
    #[must_use]
    pub fn has_containerd_store(&self) -> bool {
        let engine = std::fs::read_to_string(self.layout.state().join("engine"));
        engine.is_ok_and(|engine| engine.trim() == "26")
    }

    /// The least environment that a program under test needs, with an identity that may do
    /// everything.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment_of(&default_role(PRIMARY_ACCOUNT))
    }

    /// The same for another identity.
    #[must_use]
    pub fn environment_of(&self, role: &Role) -> Vec<(String, String)> {
        let system = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let mut environment = role.environment();
        environment.extend([
            ("DOCKER_HOST".to_owned(), self.docker_host()),
            ("SSL_CERT_FILE".to_owned(), self.layout.trust().display().to_string()),
            ("AWS_CA_BUNDLE".to_owned(), self.layout.trust().display().to_string()),
            ("PATH".to_owned(), format!("{}:{system}", self.layout.commands().display())),
            ("HOME".to_owned(), self.home.path().display().to_string()),
        ]);
        environment
    }

    /// The identity that may do everything in [`PRIMARY_ACCOUNT`], or in the other one.
    #[must_use]
    pub fn default_role(&self, account: &str) -> Role {
        default_role(account)
    }

    /// Makes a repository of its own for one test, named after the hint, with mutable tags.
    #[must_use]
    pub fn repository(&self, hint: &str) -> TestRepository {
        self.repository_builder(hint).create()
    }

    /// The same in another account or region, or with other rules for its tags.
    #[must_use]
    pub fn repository_builder(&self, hint: &str) -> RepositoryBuilder {
        RepositoryBuilder::new(self.unique(hint))
    }

    /// Registers an identity that may do what the list names and nothing else; `*` stands for any
    /// text.
    #[must_use]
    pub fn role(&self, allow: &[&str]) -> Role {
        self.role_builder().allow(allow).create()
    }

    /// Registers an identity that may do everything but what the list names.
    #[must_use]
    pub fn role_without(&self, deny: &[&str]) -> Role {
        self.role_builder().allow(&["*"]).deny(deny).create()
    }

    /// Registers an identity, in another account if need be.
    #[must_use]
    pub fn role_builder(&self) -> RoleBuilder {
        RoleBuilder::new(self.unique("role"))
    }

    /// A statically linked `busybox`: what images here are built from, `FROM scratch`.
    #[must_use]
    pub fn busybox(&self) -> PathBuf {
        self.layout.busybox()
    }

    /// The folder of the testbed.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.layout.home()
    }

    /// A Docker engine's socket that tells which requests went through it.
    #[must_use]
    pub fn watched_engine(&self) -> WatchedEngine {
        WatchedEngine::start(false)
    }

    /// The same, as an engine without BuildKit.
    #[must_use]
    pub fn engine_without_buildkit(&self) -> WatchedEngine {
        WatchedEngine::start(true)
    }

    /// A name that no other test has, made of lower-case letters, digits and `-`.
    #[must_use]
    pub fn unique(&self, hint: &str) -> String {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = COUNTER.fetch_add(1, Ordering::Relaxed);
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        format!("{hint}-{:x}-{:x}-{count}", std::process::id(), time.as_millis() & 0xff_ffff)
    }

    /// Puts a parameter into SSM, in the primary account and region.
    ///
    /// The kind is `String`, `StringList` or `SecureString`. An older value is replaced.
    ///
    /// # Panics
    ///
    /// If the store refuses.
    pub fn put_parameter(&self, name: &str, kind: &str, value: &str) {
        self.put_parameter_in(PRIMARY_REGION, name, kind, value);
    }

    /// Puts a parameter into SSM in this region.
    ///
    /// # Panics
    ///
    /// If the store refuses.
    pub fn put_parameter_in(&self, region: &str, name: &str, kind: &str, value: &str) {
        let input =
            serde_json::json!({ "Name": name, "Type": kind, "Value": value, "Overwrite": true });
        self.call("ssm", region, "AmazonSSM.PutParameter", &input);
    }

    /// Puts a secret into Secrets Manager, in the primary account and region; gives its ARN.
    ///
    /// # Panics
    ///
    /// If the store refuses, which it does for a name that is there already.
    #[must_use]
    pub fn put_secret(&self, name: &str, value: &str) -> String {
        let input = serde_json::json!({ "Name": name, "SecretString": value });
        let answer =
            self.call("secretsmanager", PRIMARY_REGION, "secretsmanager.CreateSecret", &input);
        answer["ARN"].as_str().expect("an ARN").to_owned()
    }

    /// Calls an operation of a service that speaks JSON, past the front: no right is asked for,
    /// no fault met, and the log does not show it.
    ///
    /// `target` is the operation as the protocol names it, `AmazonSSM.PutParameter` for one.
    ///
    /// # Panics
    ///
    /// If the service refuses.
    #[expect(clippy::must_use_candidate, reason = "most calls are made for what they change")]
    pub fn call(
        &self,
        service: &str,
        region: &str,
        target: &str,
        input: &serde_json::Value,
    ) -> serde_json::Value {
        self.call_in(PRIMARY_ACCOUNT, service, region, target, input)
    }

    /// As [`Testbed::call`], in this account.
    ///
    /// # Panics
    ///
    /// If the service refuses.
    #[expect(clippy::must_use_candidate, reason = "most calls are made for what they change")]
    pub fn call_in(
        &self,
        account: &str,
        service: &str,
        region: &str,
        target: &str,
        input: &serde_json::Value,
    ) -> serde_json::Value {
        let answer = ask_service(account, service, region, target, input);
        answer.unwrap_or_else(|refused| panic!("{target}: {refused}"))
    }

    /// The Python that has the libraries of AWS.
    pub(crate) fn python(&self) -> PathBuf {
        self.layout.moto().join("bin/python")
    }

    /// Adds a fault that meets every request of every test: for a testbed of one's own only.
    pub fn fault_everywhere(&self, fault: Fault) {
        give(&Command::AddFault { scope: Scope::Everything, fault });
    }

    /// Delays every answer of the front, for measurements; 0 ends it. Tests that run at the same
    /// time are slowed as well.
    pub fn set_latency(&self, milliseconds: u64) {
        give(&Command::SetLatency { milliseconds });
    }

    /// Every request that the front has answered, of all tests.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        read(&Command::Requests { scope: Scope::Everything })
    }
}

/// As [`Testbed::call_in`], with the service's refusal in its own words.
///
/// # Panics
///
/// If the service does not answer.
pub(crate) fn ask_service(
    account: &str,
    service: &str,
    region: &str,
    target: &str,
    input: &serde_json::Value,
) -> Result<serde_json::Value, String> {
    let access_key = default_role(account).access_key().to_owned();
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={access_key}/20260101/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=none"
    );
    let host = format!("{service}.{region}.amazonaws.com");
    let headers = [
        ("Host", host.as_str()),
        ("Authorization", authorization.as_str()),
        ("X-Amz-Target", target),
        ("Content-Type", "application/x-amz-json-1.1"),
        ("X-Moto-Account-Id", account),
    ];
    let body = input.to_string();
    let (status, answer) = control::send(ports::MOTO, "POST", "/", &headers, body.as_bytes())
        .expect("an answer of the service");
    if status != 200 {
        let error = serde_json::from_slice::<serde_json::Value>(&answer).unwrap_or_default();
        let text = error["message"].as_str().or_else(|| error["__type"].as_str());
        let whole = || String::from_utf8_lossy(&answer).into_owned();
        return Err(text.map_or_else(whole, str::to_owned));
    }
    // Some operations answer nothing.
    if answer.is_empty() {
        return Ok(serde_json::Value::Null);
    }
    Ok(serde_json::from_slice(&answer).expect("JSON"))
}

/// Gives an order that has no answer worth reading.
pub(crate) fn give(command: &Command) {
    let _: serde_json::Value = read(command);
}

/// Gives an order and reads the answer.
pub(crate) fn read<T: serde::de::DeserializeOwned>(command: &Command) -> T {
    let answer = control::order(command).unwrap_or_else(|error| panic!("{command:?}: {error}"));
    serde_json::from_value(answer).expect("the answer that this order has")
}
