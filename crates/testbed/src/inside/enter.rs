//! A command of the machine, run inside.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus};

use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, Signal, kill_process, set_parent_process_death_signal};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use shipspec_testbed::control::RoleSpecification;
use shipspec_testbed::{Layout, PRIMARY_ACCOUNT, PRIMARY_REGION};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Cause;

use super::Fatal;

/// Variables that would lead a command out of the testbed again, or to credentials of its user.
const UNWANTED: [&str; 16] = [
    "ALL_PROXY",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_ENDPOINT_URL",
    "AWS_PROFILE",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "AWS_USE_FIPS_ENDPOINT",
    "DOCKER_CERT_PATH",
    "DOCKER_CONTEXT",
    "DOCKER_TLS_VERIFY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "SSL_CERT_DIR",
    "all_proxy",
    "http_proxy",
    "https_proxy",
];

/// Runs a command in the namespaces of a process and ends as it ends.
pub(crate) fn run(layout: &Layout, process: i32, command: &[OsString]) -> Result<ExitCode, Fatal> {
    let folder = std::env::current_dir()?;
    let program = layout.home().join("bin/testbed");
    for (name, kind) in [
        ("net", LinkNameSpaceType::Network),
        ("pid", LinkNameSpaceType::ProcessID),
        ("mnt", LinkNameSpaceType::Mount),
    ] {
        let path = format!("/proc/{process}/ns/{name}");
        let namespace = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|error| format!("{path}: {error}"))?;
        move_into_link_name_space(namespace.as_fd(), Some(kind))
            .map_err(|error| format!("{path}: {error}"))?;
    }
    std::env::set_current_dir(&folder)?;

    let mut signals = SignalsInfo::<WithOrigin>::new([
        SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2,
    ])?;
    let mut inside = Command::new(program);
    inside.arg("--home").arg(layout.home()).args(["exec", "--"]).args(command);
    set_environment(&mut inside, layout);
    let mut child = inside.spawn()?;
    let target =
        Pid::from_raw(i32::try_from(child.id())?).ok_or("the command has no process number")?;
    // No thread may start here: its children and this process's would be in different namespaces.
    for origin in &mut signals {
        match (origin.signal, origin.cause) {
            (SIGCHLD, _) => {
                if let Some(status) = child.try_wait()? {
                    return end_as(status);
                }
            }
            // From a terminal the command has got it as well.
            (_, Cause::Kernel) => {}
            (signal, _) => {
                if let Some(signal) = Signal::from_named_raw(signal) {
                    let _sent = kill_process(target, signal);
                }
            }
        }
    }
    end_as(child.wait()?)
}

/// Ends this process as another ended: with its code, or by its signal.
fn end_as(status: ExitStatus) -> Result<ExitCode, Fatal> {
    if let Some(signal) = status.signal() {
        signal_hook::low_level::emulate_default_handler(signal)?;
    }
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}

/// Becomes the command, which is killed if the process that `run` runs in is.
pub(crate) fn become_command(command: &[OsString]) -> Result<ExitCode, Fatal> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let (program, arguments) = command.split_first().ok_or("no command")?;
    let error = Command::new(program).args(arguments).exec();
    crate::complain(&*Fatal::from(format!("{}: {error}", program.display())));
    // As a shell says it.
    Ok(ExitCode::from(if error.kind() == std::io::ErrorKind::NotFound { 127 } else { 126 }))
}

fn set_environment(command: &mut Command, layout: &Layout) {
    let role = RoleSpecification::of_everything(PRIMARY_ACCOUNT);
    let mut path = layout.commands().into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into()));
    for name in UNWANTED {
        command.env_remove(name);
    }
    for name in ["SSL_CERT_FILE", "AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"] {
        command.env(name, layout.trust());
    }
    command
        .env("SHIPSPEC_TESTBED", layout.home())
        .env("PATH", path)
        .env("DOCKER_HOST", format!("unix://{}", Layout::ENGINE_SOCKET))
        .env("DOCKER_CONFIG", layout.state().join("docker-config"))
        .env("AWS_REGION", PRIMARY_REGION)
        .env("AWS_DEFAULT_REGION", PRIMARY_REGION)
        .env("AWS_ACCESS_KEY_ID", role.access_key)
        .env("AWS_SECRET_ACCESS_KEY", "testbed")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
}
