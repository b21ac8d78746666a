use super::*;
use crate::key::tests::{Project, digest};

fn changes(before: &Project, now: &Project) -> Vec<String> {
    let (before, now) = (before.parts().unwrap(), now.parts().unwrap());
    compare(&before.for_record(), &now.for_record()).iter().map(Change::to_string).collect()
}

#[test]
fn what_stands_in_the_configuration_is_told_by_name() {
    let before = Project::new(
        "    build_args: { NODE_ENV: a, GONE: x }\n    insecure_build_args: { URL: \"${PASSWORD}\" }\n    secrets: { token: TOKEN }\n    labels: { team: a }\n    test: { command: [a], env: { A: a } }\n    contexts: { golang: lib, tools: \"docker-image://tools:1\" }\n",
    );
    let mut now = Project::new(
        "    target: build\n    build_args: { NODE_ENV: b, NEW: x }\n    insecure_build_args: { URL: \"${PASSWORD}!\" }\n    secrets: { token: TOKEN }\n    network: host\n    ssh: [default]\n    test: { command: [a, b], timeout: 1m }\n",
    );
    now.dockerfile.push_str("# new\n");
    now.digests.insert("golang:1".into(), digest("9"));
    now.versions.insert("TOKEN".into(), "arn:token 2".into());
    now.versions.remove("PASSWORD");
    let [old, new] = ["1", "9"].map(|digit| digest(digit).to_string());
    let base = format!("base image `golang:1` was `{old}`, is `{new}`");
    let expected = [
        "the target is new",
        "the Dockerfile changed",
        "base image `alpine:3` is gone",
        &base,
        "build argument `GONE` is gone",
        "build argument `NEW` is new",
        "build argument `NODE_ENV` was `a`, is `b`",
        "build argument `URL` changed",
        "build argument `URL`, secret `PASSWORD` has another version",
        "label `team` is gone",
        "secret `token` has another version",
        "ssh agent `default` is new",
        "the network was `default`, is `host`",
        "the test's command, or a variable of it, changed",
        "the test's variable `A` is gone",
        "the test's timeout was `3600 s`, is `60 s`",
    ];
    assert_eq!(changes(&before, &now), expected);
    assert_eq!(changes(&now, &now), Vec::<String>::new());
}

#[test]
fn files_are_told_by_path_and_folders_where_there_was_no_room() {
    let files = |files: &[(&'static str, &str)], limit| {
        let files = files.iter().map(|(path, text)| (*path, (*text).to_owned())).collect();
        Project { files, limit, ..Project::new("") }
    };
    let before = [("a/b/c", "1"), ("a/b/d", "1"), ("gone", "1"), ("kind/x", "1"), ("same", "1")];
    let now = [("a/b/c", "2"), ("a/b/d", "1"), ("kind", "1"), ("new/x", "1"), ("same", "1")];
    let whole = files(&before, usize::MAX);
    let expected = [
        "file `a/b/c` changed",
        "file `gone` is gone",
        "`kind` was `folder`, is `file`",
        "folder `new` is new",
    ];
    assert_eq!(changes(&whole, &files(&now, usize::MAX)), expected);
    let folded = files(&before, 100);
    assert_eq!(changes(&folded, &whole), Vec::<String>::new());
    let found = changes(&folded, &files(&now, usize::MAX));
    assert_eq!(found[0], "something in folder `a` changed");
    assert_eq!(found[1..], expected[1..]);
    assert_eq!(changes(&files(&before, 20), &files(&now, 20)), ["the build context changed"]);
}

#[test]
fn modes_links_and_contexts_are_told() {
    let before = Project::new("    contexts: { build: lib }\n").parts().unwrap();
    let mut now = before.clone();
    let ContextParts::Folder(folder) = now.contexts.get_mut("build").unwrap() else { panic!() };
    let Node::Folder(listing) = &mut folder.files else { panic!() };
    let Some(Node::Leaf(leaf)) = listing.0.get_mut("README.md") else { panic!() };
    leaf.mode = 0o755;
    folder.hash = "0".into();
    let texts = |now: &KeyParts| -> Vec<_> {
        compare(&before, now).iter().map(Change::to_string).collect()
    };
    assert_eq!(texts(&now), ["the mode of `README.md` of context `build` was `644`, is `755`"]);
    now.contexts.insert("build".into(), ContextParts::Image("a".into()));
    assert_eq!(texts(&now), ["context `build` changed"]);
    let json = serde_json::to_string(&compare(&before, &now)).unwrap();
    assert_eq!(json, r#"[{"what":"context `build`","how":"changed"}]"#);
}
