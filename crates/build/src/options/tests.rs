use super::*;

fn sorted(options: &BuildOptions) -> Vec<String> {
    let attributes = options.attributes();
    let mut lines: Vec<_> =
        attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.sort();
    lines
}

fn many() -> BuildOptions {
    BuildOptions {
        network: Network::Host,
        extra_hosts: [("a".into(), [10, 0, 0, 1].into()), ("b".into(), [10, 0, 0, 2].into())]
            .into(),
        no_cache: NoCache::Stages(vec!["one".into(), "two".into()]),
        pull: true,
        cache_from: vec!["r.example/a:1".into(), "r.example/a:2".into()],
        cache_to: Some(CacheTo::Inline),
        contexts: [
            ("context".into(), NamedContext::Folder("/folder".into())),
            ("base".into(), NamedContext::Image("alpine:3".into())),
        ]
        .into(),
        ssh: [("default".into(), "/agent".into())].into(),
    }
}

#[test]
fn the_frontend_is_told_every_option() {
    assert_eq!(
        sorted(&many()),
        [
            "add-hosts: a=10.0.0.1,b=10.0.0.2",
            "build-arg:BUILDKIT_INLINE_CACHE: 1",
            "cache-from: r.example/a:1,r.example/a:2",
            "context:base: docker-image://alpine:3",
            "context:context: local:named-context",
            "force-network-mode: host",
            "frontend.caps: moby.buildkit.frontend.contexts+forward",
            "image-resolve-mode: pull",
            "no-cache: one,two",
        ]
    );
    assert_eq!(many().entitlements(), ["network.host"]);
    assert_eq!(many().folders()["named-context"], Path::new("/folder"));
    let none = BuildOptions::default();
    assert!(sorted(&none).is_empty() && none.entitlements().is_empty() && none.cache().is_none());
    let always = BuildOptions { no_cache: NoCache::Always, ..none };
    assert_eq!(sorted(&always), ["no-cache: "]);
}

#[test]
fn a_cache_in_a_registry_has_a_form_that_ecr_takes() {
    let reference = "r.example/a:cache".to_owned();
    let cache_to = Some(CacheTo::Registry { reference, all_stages: true });
    let options = BuildOptions { cache_to, ..BuildOptions::default() };
    let export = options.cache().unwrap().exports.remove(0);
    assert_eq!(export.r#type, "registry");
    let attribute = |name: &str| export.attrs[name].as_str();
    assert_eq!((attribute("ref"), attribute("mode")), ("r.example/a:cache", "max"));
    assert_eq!((attribute("image-manifest"), attribute("oci-mediatypes")), ("true", "true"));

    let able =
        |has_buildkit, has_containerd_store| Abilities { has_buildkit, has_containerd_store };
    assert!(options.check(able(true, true)).is_ok());
    let error = options.check(able(true, false)).unwrap_err().to_string();
    assert!(error.contains("`cache_to: inline` works with this one"), "{error}");
}

#[test]
fn what_the_classic_builder_would_leave_out_is_refused() {
    let able = Abilities { has_buildkit: false, has_containerd_store: false };
    assert_eq!(
        many().check(able).unwrap_err().to_string(),
        "this engine has no BuildKit, which is needed for `no_cache`, `extra_hosts`, `cache_to`, `contexts`, `ssh`"
    );
    let few = BuildOptions { network: Network::None, pull: true, ..BuildOptions::default() };
    assert!(few.check(able).is_ok() && !few.asks_much());
}

#[test]
fn folders_and_sockets_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "").unwrap();
    let contexts = [("a".into(), NamedContext::Folder(path.clone()))].into();
    let options = BuildOptions { contexts, ..BuildOptions::default() };
    let error = options.check_files().unwrap_err().to_string();
    assert!(error.ends_with("key` is not a folder"), "{error}");
    let ssh = [("default".into(), path)].into();
    let options = BuildOptions { ssh, ..BuildOptions::default() };
    let error = options.check_files().unwrap_err().to_string();
    assert!(error.ends_with("key` is no socket of an ssh agent (`ssh`, `default`)"), "{error}");
}
