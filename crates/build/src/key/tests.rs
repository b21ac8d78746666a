use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use shipspec_spec::config::Config;
use shipspec_spec::image::Digest;
use shipspec_spec::scope::{DigestState, Scope};
use shipspec_spec::source::Source;
use shipspec_spec::tag::Commit;
use shipspec_spec::value::Value;

use super::*;
use crate::dockerfile::Dockerfile;
use crate::plan::{ImagePlan, plan};

const DOCKERFILE: &str = "\
ARG BASE=alpine:3
FROM golang:1 AS build
RUN --mount=type=secret,id=token make
FROM build AS test
FROM $BASE
COPY --from=build /a /a
";

/// What an image is made from, to be changed and built once more.
#[derive(Clone)]
pub(super) struct Project {
    pub(super) yaml: String,
    pub(super) dockerfile: String,
    pub(super) digests: BTreeMap<String, Digest>,
    pub(super) versions: BTreeMap<String, String>,
    pub(super) files: Vec<(&'static str, String)>,
    pub(super) limit: usize,
}

pub(super) fn digest(digit: &str) -> Digest {
    format!("sha256:{}", digit.repeat(64)).parse().unwrap()
}

impl Project {
    pub(super) fn new(yaml: &str) -> Self {
        let digests = [("golang:1", "1"), ("alpine:3", "2"), ("alpine:4", "3"), ("tools:1", "4")];
        let digests = digests.map(|(base, digit)| (base.to_owned(), digest(digit)));
        let versions = [("TOKEN", "arn:token 1"), ("PASSWORD", "arn:password 1")];
        Self {
            yaml: yaml.into(),
            dockerfile: DOCKERFILE.into(),
            digests: digests.into(),
            versions: versions.map(|(name, text)| (name.to_owned(), text.to_owned())).into(),
            files: vec![("app/main.py", "1".into()), ("README.md", "2".into())],
            limit: usize::MAX,
        }
    }

    pub(super) fn plan(&self) -> ImagePlan {
        let head = "version: 1\nparameters: { TOKEN: ssm:/token, PASSWORD: ssm:/password }\nimages:\n  app:\n    repository: r.example/app\n";
        let config = Config::parse(&Source::new("shipspec.yml", format!("{head}{}", self.yaml)));
        let config = config.unwrap();
        let commit = Ok(Commit::parse(&"0123456789".repeat(4)).unwrap());
        let environment = [("SSH_AUTH_SOCK".to_owned(), "/agent".to_owned())].into();
        let mut scope = Scope::new(&config, environment, commit);
        let secret = |name: &str, text: &str| (name.to_owned(), Value::secret(name, text));
        scope.set_parameters([secret("TOKEN", "tok"), secret("PASSWORD", "hunter2")].into());
        let plans = plan(&config, &mut scope, Path::new("/project"), &DigestState::Later);
        plans.unwrap().images.remove(0)
    }

    pub(super) fn parts(&self) -> Result<KeyParts, KeyError> {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in &self.files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let plan = self.plan();
        let bases = bases_of(&Dockerfile::parse(&self.dockerfile).unwrap(), &plan).unwrap();
        let snapshot = || Snapshot::of_folder(folder.path()).unwrap();
        let contexts = bases.folders().map(|(name, _)| (name.to_owned(), snapshot())).collect();
        KeyParts::new(&KeyInputs {
            plan: &plan,
            dockerfile: self.dockerfile.as_bytes(),
            bases: &bases,
            digests: &self.digests,
            context: &snapshot(),
            contexts: &contexts,
            versions: &self.versions,
            limit: self.limit,
        })
    }

    fn key(&self) -> ContentKey {
        self.parts().unwrap().key()
    }
}

#[test]
fn a_key_is_read_and_written_the_same() {
    let text = "0123456789abcdef".repeat(4);
    assert_eq!(text.parse::<ContentKey>().unwrap().to_string(), text);
    for wrong in ["", "abc", &text.to_uppercase(), &format!("{text}0"), &text.replace('a', "g")] {
        assert_eq!(wrong.parse::<ContentKey>(), Err(ContentKeyError(wrong.to_owned())));
    }
}

#[test]
fn whatever_changes_an_image_changes_its_key() {
    let yamls = [
        "",
        "    target: build\n",
        "    platform: linux/s390x\n",
        "    build_args: { A: b }\n",
        "    build_args: { A: b, BASE: \"alpine:4\" }\n",
        "    build_args: { Ab: \"\" }\n",
        "    build_args: { BUILDKIT_SYNTAX: \"tools:1\" }\n",
        "    insecure_build_args: { A: \"${PASSWORD}\" }\n",
        "    insecure_build_args: { A: \"${PASSWORD}!\" }\n",
        "    labels: { A: b }\n",
        "    secrets: { token: TOKEN }\n",
        "    secrets: { token: PASSWORD }\n",
        "    ssh: [default]\n",
        "    network: none\n",
        "    extra_hosts: { a: 10.0.0.1 }\n",
        "    contexts: { build: \"docker-image://tools:1\" }\n",
        "    contexts: { build: . }\n",
        "    test: {}\n",
        "    test: { target: test }\n",
        "    test: { command: [a, b] }\n",
        "    test: { command: [a b] }\n",
        "    test: { env: { A: b } }\n",
        "    test: { secrets: { A: TOKEN } }\n",
        "    test: { timeout: 1m }\n",
    ];
    let projects = yamls.map(Project::new);
    let plain = &projects[0];
    let with = |change: &dyn Fn(&mut Project)| {
        let mut project = Project::new("    secrets: { token: TOKEN }\n");
        change(&mut project);
        project
    };
    let others = [
        with(&|project| project.dockerfile.push_str("# a comment\n")),
        with(&|project| project.dockerfile.insert_str(0, "# syntax=tools:1\n")),
        with(&|project| drop(project.digests.insert("golang:1".into(), digest("9")))),
        with(&|project| drop(project.versions.insert("TOKEN".into(), "arn:token 2".into()))),
        with(&|project| drop(project.versions.remove("TOKEN"))),
        with(&|project| project.files[0].1.push('!')),
    ];
    let keys: BTreeSet<_> =
        projects.iter().chain(&others).map(|project| project.key().to_string()).collect();
    assert_eq!(keys.len(), projects.len() + others.len());
    assert!(keys.contains(&plain.key().to_string()));
}

#[test]
fn what_only_says_how_an_image_is_built_changes_nothing() {
    let plain = Project::new("").key();
    for yaml in [
        "    no_cache: true\n",
        "    pull: true\n",
        "    cache_from: [a]\n",
        "    cache_to: inline\n",
        "    tags: [other]\n",
        "    build_args: { HTTPS_PROXY: \"http://proxy\", no_proxy: x, BUILDKIT_INLINE_CACHE: 1 }\n",
        "    contexts: { unused: \"docker-image://unknown\" }\n",
    ] {
        assert_eq!(Project::new(yaml).key(), plain, "{yaml}");
    }
    let mut project = Project::new("");
    project.digests.insert("of another image".into(), digest("9"));
    assert_eq!(project.key(), plain);
    // An argument that is declared counts.
    let mut project = Project::new("    build_args: { HTTPS_PROXY: \"http://proxy\" }\n");
    project.dockerfile.push_str("ARG HTTPS_PROXY\n");
    let key = project.key();
    project.yaml = project.yaml.replace("proxy\"", "other\"");
    assert_ne!(project.key(), key);
}

#[test]
fn no_secret_is_in_what_a_key_is_made_from() {
    let yaml = "    insecure_build_args: { URL: \"http://u:${PASSWORD}@h\", T: \"${TOKEN | upper}\" }\n    secrets: { token: TOKEN }\n    test: { secrets: { P: PASSWORD } }\n";
    let mut project = Project::new(yaml);
    let parts = project.parts().unwrap();
    let text = serde_json::to_string(&parts).unwrap();
    assert!(!text.contains("hunter2") && !text.to_lowercase().contains("\"tok\""), "{text}");
    for known in ["hunter2", "http://u:hunter2@h", "TOK", "tok"] {
        assert!(!text.contains(&*blake3::hash(known.as_bytes()).to_hex()), "{known}");
    }
    assert_eq!(parts.unversioned(), BTreeSet::new());
    project.versions.clear();
    let parts = project.parts().unwrap();
    assert_eq!(parts.unversioned(), BTreeSet::from(["P", "T", "URL", "token"]));
}

#[test]
fn without_a_digest_or_a_name_there_is_no_key() {
    let mut project = Project::new("");
    project.digests.remove("alpine:3");
    assert_eq!(project.parts(), Err(KeyError::Unresolved("alpine:3".into())));
    project.dockerfile = "FROM ${A#x}\n".into();
    assert_eq!(project.parts(), Err(KeyError::UnknownBase("${A#x}".into())));
    let project = Project::new("    insecure_build_args: { A: \"${PASSWORD[6] | int}\" }\n");
    assert_eq!(project.parts(), Err(KeyError::SecretArgument("A".into())));
}

#[test]
fn bases_are_those_of_the_image_and_of_its_test() {
    let yaml = "    test: { target: tested }\n    contexts: { tools: \"docker-image://tools:1\", src: lib, none: x }\n";
    let digest = digest("5");
    let text = format!(
        "# syntax=docker/dockerfile:1\nFROM a@{digest} AS app\nRUN x\nFROM b AS tested\nCOPY --from=tools / /\nCOPY --from=src / /\nRUN --network=none x\nADD http://x /\nFROM app\n"
    );
    let plan = Project::new(yaml).plan();
    let bases = bases_of(&Dockerfile::parse(&text).unwrap(), &plan).unwrap();
    assert_eq!(bases.to_resolve, ["b", "docker/dockerfile:1", "tools:1"].map(str::to_owned).into());
    assert_eq!(bases.pinned, [(format!("a@{digest}"), digest)].into());
    assert_eq!(bases.contexts.keys().collect::<Vec<_>>(), ["src", "tools"]);
    assert_eq!(bases.folders().collect::<Vec<_>>(), [("src", Path::new("/project/lib"))]);
    assert_eq!(bases.online.iter().map(|step| step.line).collect::<Vec<_>>(), [3, 8]);
    let plan = Project::new(&format!("{yaml}    network: none\n")).plan();
    let bases = bases_of(&Dockerfile::parse(&text).unwrap(), &plan).unwrap();
    assert_eq!(bases.online.iter().map(|step| step.line).collect::<Vec<_>>(), [8]);
}

/// Each block of JSON in the reference, with the hash behind it.
fn vectors() -> Vec<(String, String)> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/content-key.md");
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```json\n").skip(1).map(|block| {
        let (json, rest) = block.split_once("```").unwrap();
        let hash = rest.split('`').find(|word| word.parse::<ContentKey>().is_ok()).unwrap();
        (json.to_owned(), hash.to_owned())
    });
    blocks.collect()
}

/// Makes the folder that a vector describes.
fn folder_hash(entries: &[serde_json::Value]) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    for entry in entries {
        let text = |key: &str| entry[key].as_str();
        let path = folder.path().join(text("path").unwrap());
        let usual = match (text("content"), text("target")) {
            (Some(content), _) => std::fs::write(&path, content).map(|()| Some("644")),
            (_, Some(target)) => std::os::unix::fs::symlink(target, &path).map(|()| None),
            _ => std::fs::create_dir(&path).map(|()| Some("755")),
        };
        if let Some(mode) = text("mode").or(usual.unwrap()) {
            let mode = std::fs::Permissions::from_mode(u32::from_str_radix(mode, 8).unwrap());
            std::fs::set_permissions(&path, mode).unwrap();
        }
    }
    Snapshot::of_folder(folder.path()).unwrap().hash().to_hex().to_string()
}

#[test]
fn the_reference_has_vectors_that_hold() {
    let vectors = vectors();
    assert!(vectors.len() >= 4, "{vectors:?}");
    for (json, expected) in vectors {
        let found = match serde_json::from_str(&json).unwrap() {
            serde_json::Value::Array(entries) => folder_hash(&entries),
            parts => {
                let parsed: KeyParts = serde_json::from_value(parts.clone()).unwrap();
                assert_eq!(serde_json::to_value(&parsed).unwrap(), parts);
                parsed.key().to_string()
            }
        };
        assert_eq!(found, expected, "{json}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn names_and_values_never_run_together(
        one in proptest::collection::btree_map("[ab]{1,2}", "[ab]{0,2}", 0..3),
        other in proptest::collection::btree_map("[ab]{1,2}", "[ab]{0,2}", 0..3),
        as_labels in any::<bool>(),
    ) {
        let parts = Project::new("").parts().unwrap();
        let one = KeyParts { build_args: one, ..parts.clone() };
        let other = if as_labels {
            KeyParts { labels: other, ..parts }
        } else {
            KeyParts { build_args: other, ..parts }
        };
        let is_same = one == other;
        prop_assert_eq!(one.key() == other.key(), is_same);
        prop_assert_eq!(compare(&one, &other).is_empty(), is_same);
    }
}
