use std::path::Path;

use super::Buildspec;

/// What an upload of a checkout with these files takes: the name of each artifact and its paths.
fn upload(files: &[&str], artifacts: &str, outputs: &[&str]) -> Result<String, String> {
    let checkout = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = checkout.path().join(file);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("its folder");
        std::fs::write(path, file).expect("the file");
    }
    upload_from(checkout.path(), artifacts, outputs)
}

fn upload_from(checkout: &Path, artifacts: &str, outputs: &[&str]) -> Result<String, String> {
    let text = format!("version: 0.2\nphases: {{}}\nartifacts:\n{artifacts}");
    let buildspec = Buildspec::parse(&text).map_err(|error| error.to_string())?;
    let artifacts = buildspec.upload(checkout, outputs).map_err(|error| error.to_string())?;
    let shown = artifacts.iter().map(|it| format!("{}: {}", it.name(), it.paths().join(" ")));
    Ok(shown.collect::<Vec<_>>().join("; "))
}

const FILES: [&str; 5] =
    ["taskdef.json", "appspec.yaml", "out/a.json", "out/deep/b.json", "out/deep/.hidden"];

#[test]
fn files_are_a_list_or_one_text() {
    let told = upload(&FILES, "  files:\n    - taskdef.json\n    - appspec.yaml\n", &["Build"]);
    assert_eq!(told.as_deref(), Ok("Build: appspec.yaml taskdef.json"));
    let told = upload(&FILES, "  files: ./taskdef.json\n  name: web-$(date)\n", &["Build"]);
    assert_eq!(told.as_deref(), Ok("Build: taskdef.json"));
}

#[test]
fn a_star_is_part_of_a_name_and_two_are_any_folders() {
    let told = |pattern: &str| upload(&FILES, &format!("  files: ['{pattern}']\n"), &["B"]);
    assert_eq!(told("out/*").as_deref(), Ok("B: out/a.json"));
    assert_eq!(told("**/*.json").as_deref(), Ok("B: out/a.json out/deep/b.json taskdef.json"));
    assert_eq!(told("out/**").as_deref(), Ok("B: out/a.json out/deep/.hidden out/deep/b.json"));
    assert_eq!(told("**/?.json").as_deref(), Ok("B: out/a.json out/deep/b.json"));
    let all = "B: appspec.yaml out/a.json out/deep/.hidden out/deep/b.json taskdef.json";
    assert_eq!(told("**/*").as_deref(), Ok(all));
}

#[test]
fn base_directory_and_discard_paths_take_folders_away() {
    let told = upload(&FILES, "  base-directory: out\n  files: '**/*.json'\n", &["B"]);
    assert_eq!(told.as_deref(), Ok("B: a.json deep/b.json"));
    let discarded = "  files: out/**/*.json\n  discard-paths: yes\n";
    assert_eq!(upload(&FILES, discarded, &["B"]).as_deref(), Ok("B: a.json b.json"));
    let kept = "  files: out/**/*.json\n  discard-paths: no\n  exclude-paths: '**/b.json'\n";
    assert_eq!(upload(&FILES, kept, &["B"]).as_deref(), Ok("B: out/a.json"));
    let told =
        upload(&["a/x.json", "b/x.json"], "  files: '**/*'\n  discard-paths: true\n", &["B"]);
    assert_eq!(told, Err("buildspec: two files of `B` are `x.json`".to_owned()));
}

#[test]
fn several_outputs_are_secondary_artifacts_by_name() {
    let secondary = "  files: taskdef.json
  secondary-artifacts:
    Definitions: { files: [taskdef.json, appspec.yaml] }
    Image: { base-directory: out, files: a.json }
";
    let told = upload(&FILES, secondary, &["Definitions", "Image"]);
    assert_eq!(told.as_deref(), Ok("Definitions: appspec.yaml taskdef.json; Image: a.json"));
    assert_eq!(upload(&FILES, secondary, &["Build"]).as_deref(), Ok("Build: taskdef.json"));
    let told = upload(&FILES, secondary, &["Definitions", "Images"]);
    assert_eq!(told, Err("buildspec: no secondary artifact is named `Images`".to_owned()));
}

#[test]
fn what_is_not_there_is_passed_over_until_nothing_is_left() {
    let told = upload(&FILES, "  files: [missing.json, taskdef.json]\n", &["B"]);
    assert_eq!(told.as_deref(), Ok("B: taskdef.json"));
    let told = upload(&FILES, "  files: [missing.json, out]\n", &["B"]);
    let text = "no matching artifact paths found: missing.json, out";
    assert_eq!(told, Err(text.to_owned()));
    let told = upload(&FILES, "  base-directory: dist\n  files: '**/*'\n", &["B"]);
    assert_eq!(told, Err("no matching artifact paths found: the base directory `dist`".to_owned()));
}

#[test]
fn what_is_not_done_here_is_told() {
    for artifacts in [
        "  files: $OUT/taskdef.json\n",
        "  files: /tmp/taskdef.json\n",
        "  base-directory: build*\n  files: '**/*'\n",
        "  files: '**/*'\n  enable-symlinks: yes\n",
        "  base-directory: out\n",
        "  files: '[a'\n",
        "  files: { a: b }\n",
    ] {
        let told = upload(&FILES, artifacts, &["B"]).expect_err(artifacts);
        assert!(told.starts_with("buildspec: "), "{told}");
    }
}
