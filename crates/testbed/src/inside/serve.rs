//! Starts the services, waits until all of them answer, and stops them in order.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use shipspec_testbed::{Layout, PRIMARY_REGION, ports};
use tokio::signal::unix::{SignalKind, signal};

use super::engine::Engine;
use super::service::Service;
use super::{Fatal, authority, engine, health, name_server, world};
use crate::front;

/// How long all of them have to come up, on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// Runs until it is told to stop.
pub(crate) fn run(layout: &Layout, cgroup: &str, engine: Engine) -> Result<ExitCode, Fatal> {
    for folder in ["log", "etc", "home", "docker-config", "registry"] {
        fs::create_dir_all(layout.state().join(folder))?;
    }
    let tls = authority::create(layout)?;
    world::prepare(layout)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        name_server::serve().await?;
        front::serve(tls).await?;
        let mut services = start(layout, cgroup, engine).await?;
        let mut end = wait_until_well(layout, &mut services).await;
        if end.is_ok() {
            fs::write(layout.state().join("ready"), "")?;
            end = wait_for_the_end(layout, &mut services).await;
        }
        // The engine first: it stops the containers.
        while let Some(service) = services.pop() {
            service.stop().await;
        }
        end
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Starts every service; the engine is last.
async fn start(layout: &Layout, cgroup: &str, engine: Engine) -> Result<Vec<Service>, Fatal> {
    let mut services =
        vec![start_moto(layout)?, start_registry(layout)?, engine.start_containerd(layout)?];
    let begin = Instant::now();
    while !Path::new(engine::CONTAINERD_SOCKET).exists() {
        if begin.elapsed() > PATIENCE {
            return Err(format!(
                "containerd made no socket; see {}",
                layout.log("containerd").display()
            )
            .into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    services.push(engine.start_dockerd(layout, cgroup)?);
    Ok(services)
}

fn start_moto(layout: &Layout) -> Result<Service, Fatal> {
    let port = ports::MOTO.to_string();
    let arguments = ["-m", "moto.server", "-H", "127.0.0.1", "-p", &port].map(OsString::from);
    let environment = [("AWS_DEFAULT_REGION", OsString::from(PRIMARY_REGION))];
    Service::start(layout, "moto", &layout.moto().join("bin/python"), &arguments, &environment)
}

fn start_registry(layout: &Layout) -> Result<Service, Fatal> {
    let configuration = serde_json::json!({
        "version": "0.1",
        "log": { "level": "warn", "accesslog": { "disabled": true } },
        "storage": {
            "filesystem": { "rootdirectory": layout.state().join("registry") },
            "delete": { "enabled": true },
            "cache": { "blobdescriptor": "inmemory" },
            "maintenance": { "uploadpurging": { "enabled": false } },
        },
        "http": { "addr": format!("127.0.0.1:{}", ports::STORAGE), "relativeurls": true },
    });
    // JSON is YAML.
    let file = layout.state().join("etc/registry.yml");
    fs::write(&file, configuration.to_string())?;
    let arguments = [OsString::from("serve"), file.into_os_string()];
    Service::start(layout, "registry", &layout.commands().join("docker-registry"), &arguments, &[])
}

/// Waits until all of them answer, or one of them has ended.
async fn wait_until_well(layout: &Layout, services: &mut [Service]) -> Result<(), Fatal> {
    let begin = Instant::now();
    for check in health::CHECKS {
        while !health::is_well(check).await {
            if let Some(ended) = ended(services) {
                return Err(format!("{ended} ended; see {}", layout.log(ended).display()).into());
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!(
                    "{check} does not answer; see {}",
                    layout.log(check).display()
                )
                .into());
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
    Ok(())
}

/// Waits for the order to stop, for the testbed's files to be gone, as after `cargo clean`, or for
/// a service to end: half a testbed is of no use, and the next `up` makes a whole one.
async fn wait_for_the_end(layout: &Layout, services: &mut [Service]) -> Result<(), Fatal> {
    let mut terminated = signal(SignalKind::terminate())?;
    let ready = layout.state().join("ready");
    while ready.exists() {
        if tokio::time::timeout(Duration::from_secs(1), terminated.recv()).await.is_ok() {
            break;
        }
        if let Some(ended) = ended(services) {
            return Err(format!("{ended} ended; see {}", layout.log(ended).display()).into());
        }
    }
    Ok(())
}

/// The first service that has ended.
fn ended(services: &mut [Service]) -> Option<&'static str> {
    services.iter_mut().find_map(|service| service.has_ended().then(|| service.name()))
}
