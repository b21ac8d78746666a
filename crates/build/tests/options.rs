//! How an image is built: network, cache, contexts, agents.

#![allow(clippy::unwrap_used, reason = "a test stops where its own tools fail")]

mod common;

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::Project;
use shipspec_build::options::NamedContext;
use shipspec_spec::config::{CacheTo, Network, NoCache};
use shipspec_testbed::Testbed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixListener;

/// How many networks a step has, its own loopback included.
const COUNT: &str = "RUN echo \"networks: $(tail -n +3 /proc/net/dev | wc -l)\"";

#[tokio::test]
#[ignore = "needs the testbed"]
async fn steps_have_the_network_and_the_hosts_that_were_asked_for() {
    let testbed = Testbed::current();
    let hosts = "RUN grep 10.1.2. /etc/hosts";
    let host = "RUN grep -q docker0 /proc/net/dev && echo with docker0";
    for engine in [testbed.watched_engine(), testbed.engine_without_buildkit()] {
        let mut project = Project::new(&testbed, COUNT).on(engine.docker_host());
        project.plan.options.network = Network::None;
        project.build().await.unwrap();
        assert!(project.told.has("networks: 1"), "{:?}", project.told.lines());

        let mut project = Project::new(&testbed, host).on(engine.docker_host());
        project.plan.options.network = Network::Host;
        project.build().await.unwrap();
        assert!(project.told.has("with docker0"), "{:?}", project.told.lines());

        let mut project = Project::new(&testbed, hosts).on(engine.docker_host());
        project.plan.options.extra_hosts = [("db".into(), [10, 1, 2, 3].into())].into();
        project.build().await.unwrap();
        assert!(project.told.has("10.1.2.3\tdb"), "{:?}", project.told.lines());
    }
    let mut project = Project::new(&testbed, hosts);
    let (first, second) = ([10, 1, 2, 4].into(), "fd00::1".parse().unwrap());
    project.plan.options.extra_hosts = [("a".into(), first), ("b".into(), second)].into();
    project.build().await.unwrap();
    assert!(project.told.has("10.1.2.4\ta"), "{:?}", project.told.lines());
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn what_is_not_to_be_cached_is_built_anew() {
    let testbed = Testbed::current();
    let name = testbed.unique("anew");
    let lines = "FROM scratch AS other\nCOPY --from=0 /bin /bin\nRUN echo NAME\nRUN echo other\nFROM other AS last\nRUN echo last";
    let mut project = Project::new(&testbed, &lines.replace("NAME", &name));
    let is_cached = |project: &Project, step: &str| {
        let steps = project.told.take_steps();
        let step = steps.iter().find(|told| told.ends_with(step)).unwrap().clone();
        step.starts_with("cached: ")
    };
    project.build().await.unwrap();
    assert!(!is_cached(&project, "RUN echo last"));
    project.build().await.unwrap();
    assert!(is_cached(&project, "RUN echo last"));
    project.plan.options.no_cache = NoCache::Stages(vec!["last".into()]);
    project.build().await.unwrap();
    let steps = project.told.take_steps();
    assert!(steps.iter().any(|step| step.starts_with("done: ") && step.ends_with("echo last")));
    assert!(steps.iter().any(|step| step.starts_with("cached: ") && step.ends_with("echo other")));
    project.plan.options.no_cache = NoCache::Always;
    project.build().await.unwrap();
    assert!(!is_cached(&project, "RUN echo other"));
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn the_cache_goes_into_the_image_and_others_are_asked_for() {
    let testbed = Testbed::current();
    let has_cache = |project: &Project| {
        let saved = Command::new("docker").args(["save", &project.tag]).output().unwrap().stdout;
        saved.windows(22).any(|window| window == b"moby.buildkit.cache.v0")
    };
    let mut project = Project::new(&testbed, "RUN : cached");
    project.build().await.unwrap();
    assert!(!has_cache(&project));
    project.plan.options.cache_to = Some(CacheTo::Inline);
    // Nothing is there, which is no reason not to build.
    let (first, second) = (Registry::start(), Registry::start());
    project.plan.options.cache_from = vec![first.reference(), second.reference()];
    project.plan.options.pull = true;
    project.build().await.unwrap();
    assert!(has_cache(&project));
    assert!(first.was_asked() && second.was_asked());
}

/// A registry that hangs up, and knows whether it was asked.
struct Registry {
    port: u16,
    asked: Arc<AtomicBool>,
}

impl Registry {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::<AtomicBool>::default();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for _client in listener.incoming() {
                heard.store(true, Ordering::Relaxed);
            }
        });
        Self { port, asked }
    }

    fn reference(&self) -> String {
        format!("127.0.0.1:{}/none:cache", self.port)
    }

    fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn what_this_engine_cannot_do_is_refused_and_nothing_is_built() {
    let testbed = Testbed::current();
    let mut project = Project::new(&testbed, "RUN echo built");
    let is_old = !testbed.has_containerd_store();
    if is_old {
        let reference = "r.example/a:cache".to_owned();
        project.plan.options.cache_to = Some(CacheTo::Registry { reference, all_stages: false });
        let error = project.error().await;
        assert!(error.starts_with("this engine cannot put its cache into a registry"), "{error}");
        project.plan.options.cache_to = None;
    }

    project.plan.options.contexts =
        [("shared".into(), NamedContext::Folder(project.plan.context.clone()))].into();
    if is_old {
        let error = project.error().await;
        assert!(error.starts_with("the engine's BuildKit is too old for `contexts`"), "{error}");
    }

    let engine = testbed.engine_without_buildkit();
    let project = project.on(engine.docker_host());
    let error = project.error().await;
    assert_eq!(error, "this engine has no BuildKit, which is needed for `contexts`");
    assert!(!project.told.has("built"));
}

#[tokio::test]
#[ignore = "needs the testbed"]
async fn a_step_speaks_with_the_agent() {
    let testbed = Testbed::current();
    // A step that the engine has run before asks nobody.
    let unique = testbed.unique("agent");
    let lines = format!(
        "COPY root /
RUN --mount=type=ssh,required : {unique}; ssh-add -l || [ $? = 1 ]
RUN --mount=type=ssh,id=other : {unique}; [ ! -S \"$SSH_AUTH_SOCK\" ]",
    );
    let mut project =
        Project::new(&testbed, &lines).file("root/etc/passwd", "root:x:0:0::/:/bin/sh\n");
    copy_with_libraries("/usr/bin/ssh-add", &project.path("root"));
    let socket = project.path("agent.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            // Which keys are there? None. Some clients ask another question before.
            let mut head = [0; 5];
            while client.read_exact(&mut head).await.is_ok() {
                let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
                let mut rest = vec![0; usize::try_from(size).unwrap() - 1];
                client.read_exact(&mut rest).await.unwrap();
                let answer: &[u8] =
                    if head[4] == 11 { &[0, 0, 0, 5, 12, 0, 0, 0, 0] } else { &[0, 0, 0, 1, 5] };
                client.write_all(answer).await.unwrap();
            }
        }
    });
    let error = project.error().await;
    assert!(error.contains("default"), "{error}");
    project.plan.options.ssh = [("default".into(), socket)].into();
    let built = project.build().await.unwrap();
    assert!(project.told.has("The agent has no identities."), "{:?}", project.told.lines());
    assert_eq!(built.unknown_agents.into_iter().collect::<Vec<_>>(), ["other"]);
}

/// Copies a program and the libraries that it names to their places below a root.
fn copy_with_libraries(program: &str, root: &Path) {
    let output = Command::new("ldd").arg(program).output().unwrap().stdout;
    let text = String::from_utf8(output).unwrap();
    let libraries = text.split_whitespace().filter(|word| word.starts_with('/'));
    for file in libraries.chain([program]) {
        let place = root.join(file.trim_start_matches('/'));
        std::fs::create_dir_all(place.parent().unwrap()).unwrap();
        std::fs::copy(file, place).unwrap();
    }
}
