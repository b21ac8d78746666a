//! The Docker engine: containerd, then dockerd, both unpacked beside, with folders of their own.

use std::ffi::OsString;
use std::fs;

use shipspec_testbed::Layout;

use super::Fatal;
use super::service::Service;

/// Where dockerd finds containerd.
pub(crate) const CONTAINERD_SOCKET: &str = "/run/shipspec-testbed/containerd.sock";

/// Starts containerd. dockerd would start one itself, but that one makes folders in `/opt`.
pub(crate) fn start_containerd(layout: &Layout) -> Result<Service, Fatal> {
    let configuration = format!(
        r#"version = 2
root = "{root}"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = "{CONTAINERD_SOCKET}"
"#,
        root = layout.state().join("containerd").display(),
    );
    let file = layout.state().join("etc/containerd.toml");
    fs::write(&file, configuration)?;
    let arguments = [OsString::from("--config"), file.into_os_string()];
    Service::start(layout, "containerd", &layout.commands().join("containerd"), &arguments, &[])
}

/// Starts dockerd on the testbed's socket and the one that programs look for by default.
///
/// `cgroup` is the parent of every container's, so that what is left after a crash can be told
/// from the groups of another engine.
pub(crate) fn start_dockerd(layout: &Layout, cgroup: &str) -> Result<Service, Fatal> {
    let configuration = serde_json::json!({
        "data-root": layout.state().join("docker"),
        "exec-root": "/run/docker",
        "pidfile": "/run/docker.pid",
        "containerd": CONTAINERD_SOCKET,
        "cgroup-parent": format!("/{cgroup}"),
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
        // Else it writes to /etc/docker, which is the machine's.
        "deprecated-key-path": layout.state().join("etc/docker-key.json"),
        "hosts": [format!("unix://{}", Layout::ENGINE_SOCKET), "unix:///run/docker.sock"],
        // Its own registry is unreachable here, and so is a resolver; containers ask nobody.
        "dns": ["127.0.0.1"],
    });
    let file = layout.state().join("etc/daemon.json");
    fs::write(&file, configuration.to_string())?;
    let arguments = [OsString::from("--config-file"), file.into_os_string()];
    let environment = [("SSL_CERT_FILE", layout.trust().into_os_string())];
    Service::start(layout, "dockerd", &layout.commands().join("dockerd"), &arguments, &environment)
}
