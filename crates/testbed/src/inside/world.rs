//! Mounts of this namespace alone: hosts, names, trust, `/run`. Nothing of it is seen outside.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_bind_recursive, mount_change};
use shipspec_testbed::{ACCOUNTS, Layout, REGIONS};

use super::{Fatal, authority};

/// Services that the front passes on, with a host in each region.
pub(crate) const SERVICES: [&str; 13] = [
    "cloudformation",
    "codebuild",
    "codedeploy",
    "codepipeline",
    "ecs",
    "events",
    "iam",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "ssm",
    "sts",
];

/// Makes the namespace what the services and commands in it expect.
pub(crate) fn prepare(layout: &Layout) -> Result<(), Fatal> {
    mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    let names = real_path("/etc/resolv.conf");
    mount("testbed", "/run", "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(c"mode=755"))?;
    if fs::canonicalize("/var/run").is_ok_and(|path| path != Path::new("/run")) {
        mount_bind_recursive("/run", "/var/run")?;
    }
    for folder in [Layout::SOCKETS, "/run/lock"] {
        fs::create_dir_all(folder)?;
    }
    loopback_up(layout)?;

    let etc = layout.state().join("etc");
    fs::create_dir_all(&etc)?;
    fs::write(etc.join("hosts"), hosts())?;
    fs::write(etc.join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")?;
    mount_bind_recursive(etc.join("hosts"), "/etc/hosts")?;
    if let Some(names) = names {
        place(&etc.join("resolv.conf"), &names)?;
    }
    for bundle in authority::BUNDLES.iter().filter_map(real_path) {
        mount_bind_recursive(layout.trust(), &bundle)?;
    }
    Ok(())
}

/// The file that a path leads to, if there is one.
fn real_path(path: impl AsRef<Path>) -> Option<PathBuf> {
    fs::canonicalize(path).ok()
}

/// Puts a file over another, or where another was before `/run` became empty.
fn place(file: &Path, over: &Path) -> Result<(), Fatal> {
    if over.exists() {
        mount_bind_recursive(file, over)?;
    } else {
        fs::create_dir_all(over.parent().unwrap_or(over))?;
        fs::copy(file, over)?;
    }
    Ok(())
}

fn loopback_up(layout: &Layout) -> Result<(), Fatal> {
    let done = Command::new(layout.busybox()).args(["ip", "link", "set", "lo", "up"]).status()?;
    if done.success() { Ok(()) } else { Err("the loopback interface does not come up".into()) }
}

/// Every host that is known by name. Others, a bucket's for one, are found by the name server.
fn hosts() -> String {
    let mut lines = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n");
    if let Ok(name) = fs::read_to_string("/proc/sys/kernel/hostname") {
        let _infallible = writeln!(lines, "127.0.0.1 {}", name.trim());
    }
    let mut hosts = vec![
        "sts.amazonaws.com".to_owned(),
        "s3.amazonaws.com".to_owned(),
        "iam.amazonaws.com".to_owned(),
        "public.ecr.aws".to_owned(),
        "api.ecr-public.us-east-1.amazonaws.com".to_owned(),
    ];
    for region in REGIONS {
        hosts.extend(ACCOUNTS.map(|account| format!("{account}.dkr.ecr.{region}.amazonaws.com")));
        hosts.push(format!("api.ecr.{region}.amazonaws.com"));
        hosts.push(format!("sts.{region}.amazonaws.com"));
        hosts.push(format!("prod-{region}-starport-layer-bucket.s3.{region}.amazonaws.com"));
        hosts.extend(SERVICES.map(|service| format!("{service}.{region}.amazonaws.com")));
    }
    for host in hosts {
        let _infallible = writeln!(lines, "127.0.0.1 {host}");
    }
    lines
}

#[cfg(test)]
mod tests {
    #[test]
    fn hosts_has_registries_apis_and_services() {
        let hosts = super::hosts();
        for host in [
            "222222222222.dkr.ecr.us-east-1.amazonaws.com",
            "api.ecr.ap-northeast-1.amazonaws.com",
            "ssm.us-east-1.amazonaws.com",
            "sts.amazonaws.com",
        ] {
            assert!(hosts.contains(&format!("127.0.0.1 {host}\n")), "{host}");
        }
    }
}
