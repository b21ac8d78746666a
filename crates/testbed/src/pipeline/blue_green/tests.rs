use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::appspec;
use super::{LARGEST_ARTIFACT, Templates};
use crate::pipeline::Artifact;

const DEFINITION: &str =
    r#"{"family":"web","containerDefinitions":[{"name":"web","image":"<IMAGE1_NAME>"}]}"#;

fn pack(name: &str, files: &[(&str, &str)]) -> Artifact {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
    Artifact::pack(name, &files.collect::<BTreeMap<_, _>>())
}

fn configuration(more: &Value) -> Value {
    let mut configuration = json!({
        "ApplicationName": "shop",
        "DeploymentGroupName": "shop",
        "TaskDefinitionTemplateArtifact": "Build",
        "AppSpecTemplateArtifact": "Build",
    });
    for (key, value) in more.as_object().expect("an object") {
        configuration[key] = value.clone();
    }
    configuration
}

fn read(artifacts: &[Artifact], more: &Value) -> Result<String, String> {
    let templates = Templates::read(artifacts, &configuration(more));
    templates.map(|it| it.task_definition.to_string()).map_err(|error| error.to_string())
}

#[test]
fn an_image_takes_the_place_of_its_placeholder() {
    let build = pack("Build", &[("taskdef.json", DEFINITION), ("appspec.yaml", "version: 0.0")]);
    let image = pack("Image", &[("imageDetail.json", r#"{"ImageURI":"r/web:1","Version":"1.0"}"#)]);
    let pair = json!({ "Image1ArtifactName": "Image", "Image1ContainerName": "IMAGE1_NAME" });
    let told = read(&[build.clone(), image.clone()], &pair);
    assert_eq!(told, Ok(DEFINITION.replace("<IMAGE1_NAME>", "r/web:1")));

    // The name is the placeholder's, and its spelling counts.
    let pair = json!({ "Image1ArtifactName": "Image", "Image1ContainerName": "image1_name" });
    let told = read(&[build, image], &pair);
    let text = "Invalid action configuration: the task definition has no `<image1_name>`";
    assert_eq!(told, Err(text.to_owned()));
}

#[test]
fn what_is_missing_is_told_in_the_words_of_the_action() {
    let only = |files: &[(&str, &str)]| pack("Build", files);
    let none = json!({});
    let told = read(&[only(&[("appspec.yaml", "")])], &none).expect_err("no task definition");
    let text =
        "Exception while trying to read the task definition artifact file from: Build (it has no";
    assert!(told.starts_with(text), "{told}");
    // `appspec.yml` is another name than the one that is looked for.
    let build = only(&[("taskdef.json", DEFINITION), ("appspec.yml", "version: 0.0")]);
    let told = read(std::slice::from_ref(&build), &none).expect_err("no appspec");
    assert!(
        told.contains("appspec artifact file from: Build (it has no `appspec.yaml`)"),
        "{told}"
    );
    let named = json!({ "AppSpecTemplatePath": "appspec.yml" });
    assert_eq!(read(std::slice::from_ref(&build), &named).as_deref(), Ok(DEFINITION));

    let pair = json!({
        "AppSpecTemplatePath": "appspec.yml",
        "Image1ArtifactName": "Image",
        "Image1ContainerName": "IMAGE1_NAME",
    });
    for files in [
        &[("out/imageDetail.json", r#"{"ImageURI":"r/web:1"}"#)][..],
        &[("imageDetail.json", r#"{"imageUri":"r/web:1"}"#)],
        &[("imageDetail.json", r#"{"ImageURI":""}"#)],
        &[("imageDetail.json", "[")],
    ] {
        let told = read(&[build.clone(), pack("Image", files)], &pair).expect_err("no image");
        let text = "Invalid action configuration: Exception while trying to read the image artifact \
                    file from the artifact: Image";
        assert!(told.starts_with(text), "{told}");
    }
}

#[test]
fn three_megabytes_are_the_most() {
    let mut random = Vec::new();
    let mut state = 1_u64;
    while random.len() < LARGEST_ARTIFACT {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        random.extend_from_slice(&state.to_be_bytes()[..4]);
    }
    let files = [("taskdef.json", DEFINITION.into()), ("appspec.yaml", vec![]), ("big", random)];
    let files = files.map(|(path, bytes)| (path.to_owned(), bytes)).into();
    let told = read(&[Artifact::pack("Build", &files)], &json!({})).expect_err("too large");
    assert!(told.starts_with("Exception while trying to read the task definition"), "{told}");
    assert!(told.contains("; 3145728 are taken"), "{told}");
}

#[test]
fn a_configuration_that_nobody_could_save_is_refused() {
    let build = pack("Build", &[("taskdef.json", DEFINITION), ("appspec.yaml", "")]);
    for (more, why) in [
        (json!({ "AppspecTemplatePath": "a" }), "unknown key `AppspecTemplatePath`"),
        (json!({ "Image1ArtifactName": "Image" }), "no `Image1ContainerName`"),
        (json!({ "Image2ContainerName": "X" }), "no `Image2ArtifactName`"),
        (json!({ "AppSpecTemplateArtifact": "Other" }), "`Other` is no input artifact"),
        (json!({ "ApplicationName": "x".repeat(1001) }), "`ApplicationName` has 1001 characters"),
        (json!({ "Image1ArtifactName": 1 }), "`Image1ArtifactName` is no text"),
    ] {
        let told = read(std::slice::from_ref(&build), &more).expect_err(why);
        assert!(told.starts_with("Invalid action configuration: "), "{told}");
        assert!(told.contains(why), "{told}");
    }
    let told = read(&vec![build; 6], &json!({})).expect_err("too many");
    assert!(told.contains("6 input artifacts; 1 to 5 are taken"), "{told}");
}

const APPSPEC: &str = r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: arn:1
        LoadBalancerInfo: { ContainerName: web, ContainerPort: 80 }
        PlatformVersion: "1.4.0"
Hooks:
  - BeforeAllowTraffic: check
"#;

#[test]
fn an_appspec_agrees_with_its_revision() {
    let ports = json!([{ "containerPort": 80 }]);
    let revision = json!({
        "taskDefinitionArn": "arn:1",
        "containerDefinitions": [{ "name": "web", "portMappings": ports }, { "name": "logs" }],
    });
    let checked = appspec::check(APPSPEC, &revision).expect("right");
    assert_eq!(checked["Hooks"][0]["BeforeAllowTraffic"], "check");
    for (from, to, why) in [
        ("ContainerPort: 80", "ContainerPort: \"80\"", "`ContainerPort` is no integer"),
        ("ContainerPort: 80", "ContainerPort: 81", "the container `web` has no port 81"),
        ("ContainerName: web", "ContainerName: app", "the revision has no container `app`"),
        ("ContainerName: web", "ContainerName: logs", "the container `logs` has no port 80"),
        ("ContainerName: web", "ContainerName: 12", "`ContainerName` is no text"),
        ("arn:1", "arn:2", "`TaskDefinition` is not the registered revision"),
        ("version: 0.0", "version: \"0.0\"", "`version` is not the number 0.0"),
        ("\"1.4.0\"", "1.4", "`PlatformVersion` is no text"),
        ("BeforeAllowTraffic", "AllowTraffic", "is no hook with its function"),
        ("Resources:\n  -", "Resources:\n   ", "`Resources` is no list of one resource"),
        ("Type:", "type:", "`TargetService` has an unknown key `type`"),
        ("Hooks:\n", "hooks:\n", "the file has an unknown key `hooks`"),
        ("AWS::ECS::Service", "AWS::Lambda::Function", "`Type` is not `AWS::ECS::Service`"),
    ] {
        let told = appspec::check(&APPSPEC.replace(from, to), &revision).expect_err(to);
        assert!(told.to_string().contains(why), "{told}");
    }
    assert!(appspec::check("a: [", &revision).is_err());
}
