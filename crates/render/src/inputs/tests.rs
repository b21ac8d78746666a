use std::collections::BTreeMap;

use shipspec_spec::source::Source;

use super::*;
use crate::draft::Drafts;
use crate::plan::ArtifactPlans;

const CONFIG: &str = "version: 1
variables: { note: \"${file('note.txt') | trim}\" }
images:
  app: { repository: registry.example/app, context: app }
artifacts:
  out.json: a.json
  x/../a.json: { json: {} }
  own.json: ./own.json
  shipspec.yml: { yaml: {} }
  .git/config: { text: a }
  app/Dockerfile: { text: a }
  app/Dockerfile.dockerignore: { text: a }
  ./app/./.dockerignore: { text: a }
  note.txt: { text: a }
  link.txt: { text: a }
  all.zip: { zip: [out.json, packed.txt] }
  b.json: { json: {} }
  x/../b.json: { json: {} }
  app/fine.json: { json: {} }
";

#[test]
fn no_artifact_takes_the_place_of_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    std::fs::create_dir(at("app")).unwrap();
    for path in ["shipspec.yml", "a.json", "own.json", "note.txt", "packed.txt", "app/Dockerfile"] {
        std::fs::write(at(path), "{}").unwrap();
    }
    std::os::unix::fs::symlink("packed.txt", at("link.txt")).unwrap();
    let config = Config::parse(&Source::new("shipspec.yml", CONFIG)).unwrap();
    let scope = Scope::new(&config, BTreeMap::new(), Err(String::from("no commit")))
        .with_given(BTreeMap::new(), folder.path().to_path_buf());
    let errors = ArtifactPlans::read(&config, &scope, folder.path()).unwrap_err();
    insta::assert_snapshot!(errors, @"
    shipspec.yml:7:3: the artifact `x/../a.json` would overwrite the template of `out.json`
    shipspec.yml:8:3: the artifact `own.json` would overwrite its own template
    shipspec.yml:9:3: the artifact `shipspec.yml` would overwrite the configuration that it is read from
    shipspec.yml:10:3: the artifact `.git/config` would be written among the files of Git itself
    shipspec.yml:11:3: the artifact `app/Dockerfile` would overwrite the Dockerfile of the image `app`
    shipspec.yml:12:3: the artifact `app/Dockerfile.dockerignore` would overwrite the .dockerignore of the image `app`
    shipspec.yml:13:3: the artifact `app/./.dockerignore` would overwrite the .dockerignore of the image `app`
    shipspec.yml:14:3: the artifact `note.txt` would overwrite a file that is read by `file('note.txt')`
    shipspec.yml:15:3: the artifact `link.txt` would overwrite a file that `all.zip` holds
    shipspec.yml:18:3: the artifacts `b.json` and `x/../b.json` are one file
    ");
    // Whoever only looks finds the same.
    assert_eq!(Drafts::read(&config, &scope, folder.path()).mistakes, errors);
}

#[test]
fn no_artifact_takes_the_place_of_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("there")).unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let read = |paths: &[&str]| {
        let entries: Vec<_> =
            paths.iter().map(|path| format!("  {path}: {{ json: {{}} }}")).collect();
        let text = format!("version: 1\nartifacts:\n{}\n", entries.join("\n"));
        let config = Config::parse(&Source::new("shipspec.yml", text)).unwrap();
        let scope = Scope::new(&config, BTreeMap::new(), Err(String::from("no commit")));
        let found = ArtifactPlans::read(&config, &scope, folder.path()).map(|_| ());
        // Whoever only looks finds the same.
        let looked = Drafts::read(&config, &scope, folder.path()).mistakes;
        assert_eq!(found.clone().err().unwrap_or_default(), looked);
        found
    };
    assert_eq!(read(&["there/new/a", "there/new/b", "a", "ab"]), Ok(()));
    insta::assert_snapshot!(read(&["a", "there", "new/../there", "a/b/c"]).unwrap_err(), @"
    shipspec.yml:4:3: the artifact `there` cannot be written: there is a folder in its place
    shipspec.yml:5:3: the artifact `new/../there` cannot be written: there is a folder in its place
    shipspec.yml:6:3: the artifact `a/b/c` cannot be written: the artifact `a` is a file, and no folder
    ");
    insta::assert_snapshot!(read(&[".", "..", "new/..", "new/.", "./"]).unwrap_err(), @"
    shipspec.yml:3:3: `.` is no path of a file
    shipspec.yml:4:3: `..` is no path of a file
    shipspec.yml:5:3: `new/..` is no path of a file
    shipspec.yml:6:3: `new/.` is no path of a file
    shipspec.yml:7:3: `` is no path of a file
    ");
    let inside = read(&["file/new"]).unwrap_err().to_string();
    assert!(inside.contains("`file/new` cannot be written: `"), "{inside}");
}

#[test]
fn what_decides_on_artifacts_is_read_too() {
    let folder = tempfile::tempdir().unwrap();
    for path in ["in", "flag", "name", "of-matrix", "of-placeholder"] {
        std::fs::write(folder.path().join(path), path).unwrap();
    }
    let config = "version: 1\nartifacts:\n  flag: { template: in, when: \"${file('flag') | trim}\" }\n  \"${file('name')}\": in\n  \"${N}\": { template: in, matrix: { N: [\"${file('of-matrix')}\"] } }\n  of-placeholder: { template: in, placeholders: { in: \"${file('of-placeholder')}\" } }\n";
    let config = Config::parse(&Source::new("shipspec.yml", config)).unwrap();
    let scope = Scope::new(&config, BTreeMap::new(), Err(String::from("no commit")))
        .with_given(BTreeMap::new(), folder.path().to_path_buf());
    let errors = ArtifactPlans::read(&config, &scope, folder.path()).unwrap_err();
    insta::assert_snapshot!(errors, @"
    shipspec.yml:3:3: the artifact `flag` would overwrite a file that is read by `file('flag')`
    shipspec.yml:4:3: the artifact `name` would overwrite a file that is read by `file('name')`
    shipspec.yml:5:3: the artifact `of-matrix` would overwrite a file that is read by `file('of-matrix')`
    shipspec.yml:6:3: the artifact `of-placeholder` would overwrite a file that is read by `file('of-placeholder')`
    ");
}

#[test]
fn files_are_found_in_expressions_alone() {
    let found = |text: &str| {
        let text = Text::parse("test", text).unwrap();
        text.code().into_iter().flat_map(files_in).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("${file('a.txt')}-${ x ~ file (\n \"b/c\" ) | trim }"), ["a.txt", "b/c"]);
    assert_eq!(found("${ {'k': '}'}.k ~ file('v')} file('w')"), ["v"]);
    assert_eq!(found("${A:-it's ${file('d')}} file('a')"), ["d"]);
    assert_eq!(found("file('a.txt') $${file('b')} ${NAME} ${A:-file('c')}"), Vec::<&str>::new());
}

#[test]
fn parts_of_templates_are_not_overwritten() {
    let config = "version: 1\nartifacts:\n  out.txt: t.j2\n  p.j2: q.txt\n  note.txt: q.txt\n  made: q.txt\n  to-made: q.txt\n  hook: q.txt\n";
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    std::fs::write(
        at("t.j2"),
        "{%- include \"p.j2\" %}{{ file('note.txt') }}{# {% include 'made' %} #} file('made')",
    )
    .unwrap();
    for path in ["p.j2", "q.txt", "note.txt"] {
        std::fs::write(at(path), "x").unwrap();
    }
    std::os::unix::fs::symlink("made", at("to-made")).unwrap();
    std::os::unix::fs::symlink(".git/hooks/pre-push", at("hook")).unwrap();
    let config = Config::parse(&Source::new("shipspec.yml", config)).unwrap();
    let scope = Scope::new(&config, BTreeMap::new(), Err(String::from("no commit")))
        .with_given(BTreeMap::new(), folder.path().to_path_buf());
    let errors = ArtifactPlans::read(&config, &scope, folder.path()).unwrap_err();
    insta::assert_snapshot!(errors, @"
    shipspec.yml:4:3: the artifact `p.j2` would overwrite `p.j2`, which a template includes
    shipspec.yml:5:3: the artifact `note.txt` would overwrite a file that is read by `file('note.txt')`
    shipspec.yml:7:3: the artifacts `made` and `to-made` are one file
    shipspec.yml:8:3: the artifact `hook` would be written among the files of Git itself
    ");
}
