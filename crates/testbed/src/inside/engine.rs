//! The Docker engine: containerd, then dockerd, both unpacked beside, with folders of their own.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use shipspec_testbed::Layout;

use super::Fatal;
use super::service::{Service, search_path};

/// Where dockerd finds containerd.
pub(crate) const CONTAINERD_SOCKET: &str = "/run/shipspec-testbed/containerd.sock";

/// Which engine runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Engine {
    /// The distribution's own, which keeps images itself.
    #[value(name = "20.10")]
    Classic,
    /// That of the distribution's next release, with containerd's image store.
    #[value(name = "26")]
    Containerd,
}

impl Engine {
    /// As `scripts/testbed` names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Classic => "20.10",
            Self::Containerd => "26",
        }
    }

    /// Starts containerd. dockerd would start one itself, but that one makes folders in `/opt`.
    pub(crate) fn start_containerd(self, layout: &Layout) -> Result<Service, Fatal> {
        let configuration = format!(
            r#"version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart", "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{CONTAINERD_SOCKET}"
"#,
            root = layout.state().join("containerd").display(),
        );
        let file = layout.state().join("etc/containerd.toml");
        fs::write(&file, configuration)?;
        let arguments = [OsString::from("--config"), file.into_os_string()];
        let program = self.program(layout, "containerd");
        Service::start(layout, "containerd", &program, &arguments, &[self.path(layout)])
    }

    /// Starts dockerd on the testbed's socket and the one that programs look for by default.
    ///
    /// `cgroup` is the parent of every container's, so that what is left after a crash can be told
    /// from the groups of another engine.
    pub(crate) fn start_dockerd(self, layout: &Layout, cgroup: &str) -> Result<Service, Fatal> {
        let mut configuration = serde_json::json!({
            "data-root": layout.state().join("docker"),
            "exec-root": "/run/docker",
            "pidfile": "/run/docker.pid",
            "containerd": CONTAINERD_SOCKET,
            "cgroup-parent": format!("/{cgroup}"),
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "hosts": [format!("unix://{}", Layout::ENGINE_SOCKET), "unix:///run/docker.sock"],
            // Its own registry is unreachable here, and so is a resolver; containers ask nobody.
            "dns": ["127.0.0.1"],
        });
        match self {
            Self::Classic => {
                // Else it writes to /etc/docker, which is the machine's.
                let key = layout.state().join("etc/docker-key.json");
                configuration["deprecated-key-path"] = key.display().to_string().into();
            }
            Self::Containerd => {
                configuration["features"] = serde_json::json!({ "containerd-snapshotter": true });
            }
        }
        let file = layout.state().join("etc/daemon.json");
        fs::write(&file, configuration.to_string())?;
        let arguments = [OsString::from("--config-file"), file.into_os_string()];
        let trust = ("SSL_CERT_FILE", layout.trust().into_os_string());
        let program = self.program(layout, "dockerd");
        Service::start(layout, "dockerd", &program, &arguments, &[trust, self.path(layout)])
    }

    fn program(self, layout: &Layout, name: &str) -> PathBuf {
        match self {
            Self::Classic => layout.commands().join(name),
            Self::Containerd => layout.next_commands().join(name),
        }
    }

    /// Its own programs first: each engine starts shims and proxies of its version.
    fn path(self, layout: &Layout) -> (&'static str, OsString) {
        let mut path = OsString::new();
        if self == Self::Containerd {
            path.push(layout.next_commands());
            path.push(":");
        }
        path.push(search_path(layout));
        ("PATH", path)
    }
}
