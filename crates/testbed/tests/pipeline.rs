//! Deployments through the stand-in for CodePipeline, to the testbed's ECS.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use shipspec_testbed::pipeline::{Artifact, Ecs, Refusal, blue_green, rolling};
use shipspec_testbed::{PRIMARY_ACCOUNT, TestRepository, Testbed};

fn pack(files: &[(&str, String)]) -> [Artifact; 1] {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), text.clone().into_bytes()));
    [Artifact::pack("Build", &files.collect::<BTreeMap<_, _>>())]
}

fn definition(family: &str, image: &str) -> Value {
    json!({
        "family": family,
        "cpu": "256",
        "containerDefinitions": [
            { "name": "web", "image": image, "memory": 64, "portMappings": [{ "containerPort": 80 }] },
            { "name": "logs", "image": "logs:1", "memory": 64 },
        ],
    })
}

fn appspec(port: u16) -> String {
    format!(
        "version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: \"<TASK_DEFINITION>\"
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: {port}
"
    )
}

fn configuration() -> Value {
    json!({
        "ApplicationName": "shop",
        "DeploymentGroupName": "shop",
        "TaskDefinitionTemplateArtifact": "Build",
        "AppSpecTemplateArtifact": "Build",
    })
}

/// Puts an image of nothing under this tag; gives its digest.
fn put_image(repository: &TestRepository, tag: &str) -> String {
    let config =
        br#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#;
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "digest": repository.put_blob(config),
            "size": config.len(),
        },
        "layers": [],
    });
    repository.put_manifest(manifest.to_string().as_bytes(), media_type, Some(tag))
}

#[test]
#[ignore = "needs the testbed"]
fn blue_green_registers_a_revision_and_names_it_in_the_appspec() {
    let testbed = Testbed::current();
    let ecs = Ecs::new(&testbed, PRIMARY_ACCOUNT);
    let (family, repository) = (testbed.unique("blue-green"), testbed.repository("blue-green"));
    let digest = put_image(&repository, "1a2b3c4");
    let image = format!("{}:1a2b3c4", repository.uri());
    let taskdef = definition(&family, &image).to_string();
    let artifacts = pack(&[("taskdef.json", taskdef.clone()), ("appspec.yaml", appspec(80))]);
    let first = blue_green(&ecs, &artifacts, &configuration()).expect("deployed");
    let arn = format!("arn:aws:ecs:ap-northeast-1:{PRIMARY_ACCOUNT}:task-definition/{family}:1");
    assert_eq!(first.revision["taskDefinitionArn"], *arn);
    let properties = &first.appspec["Resources"][0]["TargetService"]["Properties"];
    assert_eq!(properties["TaskDefinition"], *arn);
    let again = blue_green(&ecs, &artifacts, &configuration()).expect("deployed");
    assert_eq!(again.revision["revision"], 2);
    assert_eq!(ecs.pull_image(&image), Ok(digest.clone()));
    assert_eq!(ecs.pull_image(&format!("{}@{digest}", repository.uri())), Ok(digest));

    let artifacts = pack(&[("taskdef.json", taskdef), ("appspec.yaml", appspec(8080))]);
    let told = blue_green(&ecs, &artifacts, &configuration()).expect_err("no such port");
    let fault = "the container `web` has no port 8080".to_owned();
    assert_eq!(told, Refusal::AppSpec(vec![fault]));
}

#[test]
#[ignore = "needs the testbed"]
fn an_input_that_no_sdk_sends_is_not_registered() {
    let testbed = Testbed::current();
    let ecs = Ecs::new(&testbed, PRIMARY_ACCOUNT);
    let family = testbed.unique("invalid");
    let good = definition(&family, "web:1");
    let change = |pointer: &str, value: Value| {
        let mut definition = good.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer");
        definition.pointer_mut(parent).expect("it is there")[key] = value;
        ecs.register(&definition).expect_err(pointer).to_string()
    };
    for (pointer, value, why) in [
        ("/revision", json!(3), "Unknown parameter in input: \"revision\""),
        ("/cpu", json!(256), "Invalid type for parameter cpu"),
        ("/taskRoleArn", Value::Null, "Invalid type for parameter taskRoleArn, value: None"),
        (
            "/containerDefinitions/0/portMappings",
            json!([{ "containerPort": "80" }]),
            "containerDefinitions[0].portMappings[0].containerPort, value: 80, type: <class 'str'>",
        ),
        ("/containerDefinitions/0/image", json!("<IMAGE1_NAME>"), "`<IMAGE1_NAME>` is no image"),
        ("/containerDefinitions/0/image", json!("web:"), "`web:` is no image"),
    ] {
        let told = change(pointer, value);
        assert!(told.starts_with("task definition: ") && told.contains(why), "{told}");
    }
    let told = change("/containerDefinitions/0/memory", json!("64"));
    assert!(told.contains("Invalid type for parameter containerDefinitions[0].memory"), "{told}");
    // ECS itself refuses as well.
    let told = change("/containerDefinitions", json!([{ "name": "web", "image": "web:1" }]));
    assert!(
        told.starts_with("RegisterTaskDefinition: Invalid setting for container 'web'"),
        "{told}"
    );
    assert_eq!(ecs.register(&good).expect("right")["revision"], 1);
}

#[test]
#[ignore = "needs the testbed"]
fn rolling_changes_the_images_of_the_revision_that_the_service_uses() {
    let testbed = Testbed::current();
    let ecs = Ecs::new(&testbed, PRIMARY_ACCOUNT);
    let service = testbed.unique("rolling");
    let used = ecs.register(&definition(&service, "web:1")).expect("registered");
    ecs.create_service(&service, &used).expect("made");
    // Newer, but not the service's: it counts for nothing.
    ecs.register(&definition(&service, "web:other")).expect("registered");

    let configuration = json!({ "ClusterName": service, "ServiceName": service });
    let images = |name: &str| {
        let images = json!([{ "name": name, "imageUri": "web:2" }]).to_string();
        pack(&[("imagedefinitions.json", images)])
    };
    let revision = rolling(&ecs, &images("web"), &configuration).expect("deployed");
    assert_eq!(revision["revision"], 3);
    let containers = &revision["containerDefinitions"];
    assert_eq!([&containers[0]["image"], &containers[1]["image"]], ["web:2", "logs:1"]);
    assert_eq!(ecs.revision_of(&service, &service).expect("it runs"), revision);

    let told = rolling(&ecs, &images("app"), &configuration).expect_err("no such container");
    let why = "the service's revision has no container `app`".to_owned();
    assert_eq!(told, Refusal::TaskDefinition(why));
    assert_eq!(ecs.revision_of(&service, &service).expect("it runs"), revision);
    let nowhere = json!({ "ClusterName": service, "ServiceName": "other" });
    let told = rolling(&ecs, &images("web"), &nowhere).expect_err("no such service");
    assert_eq!(told, Refusal::Service("the cluster has no service `other`".to_owned()));
}

#[test]
#[ignore = "needs the testbed"]
fn an_image_that_is_not_there_cannot_be_pulled() {
    let testbed = Testbed::current();
    let ecs = Ecs::new(&testbed, PRIMARY_ACCOUNT);
    let repository = testbed.repository("pull");
    put_image(&repository, "there");
    let there = format!("{}:there", repository.uri());
    assert_eq!(ecs.pull(&json!({ "containerDefinitions": [{ "image": there }] })).iter().len(), 1);
    for image in [
        format!("{}:missing", repository.uri()),
        format!("{}-other:there", repository.uri()),
        format!("{}@sha256:{}", repository.uri(), "0".repeat(64)),
        "web:1".to_owned(),
    ] {
        let definition =
            json!({ "containerDefinitions": [{ "image": there }, { "image": image }] });
        let told = ecs.pull(&definition).expect_err("it is not there");
        assert_eq!(told.to_string(), format!("CannotPullContainerError: {image}: not found"));
    }
}
