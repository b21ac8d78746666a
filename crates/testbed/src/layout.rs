use std::path::{Path, PathBuf};

/// The account that owns a repository unless a test says otherwise.
pub const PRIMARY_ACCOUNT: &str = "111111111111";
/// A second account, for promotion and refusals across accounts.
pub const OTHER_ACCOUNT: &str = "222222222222";
/// The region of a repository unless a test says otherwise.
pub const PRIMARY_REGION: &str = "ap-northeast-1";
/// A second region.
pub const OTHER_REGION: &str = "us-east-1";

/// Every account that has a registry.
pub const ACCOUNTS: [&str; 2] = [PRIMARY_ACCOUNT, OTHER_ACCOUNT];
/// Every region that has registries and services.
pub const REGIONS: [&str; 2] = [PRIMARY_REGION, OTHER_REGION];

/// Ports inside the testbed's own network namespace, so they can be fixed.
pub mod ports {
    /// Answers every question for an AWS name with this machine; UDP.
    pub const NAMES: u16 = 53;
    /// TLS: ECR's API and registries, and the way to every other service.
    pub const FRONT: u16 = 443;
    /// Plain HTTP: where tests give orders.
    pub const CONTROL: u16 = 8099;
    /// Plain HTTP: the registry that stores the layers.
    pub const STORAGE: u16 = 5001;
    /// Plain HTTP: moto's server.
    pub const MOTO: u16 = 5002;
}

/// Where the testbed keeps its files.
#[derive(Debug, Clone)]
pub struct Layout {
    home: PathBuf,
}

impl Layout {
    /// The folder inside the namespace that holds the sockets: short, for a socket's path has at
    /// most 108 bytes.
    pub const SOCKETS: &str = "/run/shipspec-testbed";
    /// The Docker engine's socket inside the namespace.
    pub const ENGINE_SOCKET: &str = "/run/shipspec-testbed/docker.sock";

    /// The files of the testbed whose folder is `home`.
    pub fn new(home: impl Into<PathBuf>) -> Self {
        Self { home: home.into() }
    }

    /// The whole folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Programs of the distribution, unpacked: `usr/bin`, `usr/sbin` and so on.
    #[must_use]
    pub fn packages(&self) -> PathBuf {
        self.home.join("tools/packages")
    }

    /// The commands for the `PATH`: each starts an unpacked program with its libraries.
    #[must_use]
    pub fn commands(&self) -> PathBuf {
        self.home.join("tools/bin")
    }

    /// The programs of the engine of the distribution's next release.
    #[must_use]
    pub fn next_commands(&self) -> PathBuf {
        self.home.join("tools/next/bin")
    }

    /// The Python environment that has moto's server.
    #[must_use]
    pub fn moto(&self) -> PathBuf {
        self.home.join("tools/moto")
    }

    /// A statically linked `busybox`, the only base that images here are built on.
    #[must_use]
    pub fn busybox(&self) -> PathBuf {
        self.packages().join("bin/busybox")
    }

    /// What one life of the testbed writes; gone after `down`.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.home.join("state")
    }

    /// The log of one service.
    #[must_use]
    pub fn log(&self, service: &str) -> PathBuf {
        self.state().join("log").join(format!("{service}.log"))
    }

    /// The machine's trusted certificates and the testbed's own.
    #[must_use]
    pub fn trust(&self) -> PathBuf {
        self.state().join("trust.crt")
    }
}
