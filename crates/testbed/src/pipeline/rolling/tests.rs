use serde_json::{Value, json};

use super::Images;
use crate::pipeline::Artifact;

fn read(file: &str, text: &str, more: &Value) -> Result<Images, String> {
    let mut configuration = json!({ "ClusterName": "shop", "ServiceName": "shop" });
    for (key, value) in more.as_object().expect("an object") {
        configuration[key] = value.clone();
    }
    let artifact = Artifact::pack("Build", &[(file.to_owned(), text.into())].into());
    Images::read(&[artifact], &configuration).map_err(|error| error.to_string())
}

const GOOD: &str = r#"[{"name":"web","imageUri":"r/web:1"},{"name":"logs","imageUri":"r/logs:1"}]"#;

#[test]
fn the_file_is_found_by_its_name() {
    let pairs = [("web", "r/web:1"), ("logs", "r/logs:1")];
    let images = Images(pairs.map(|(name, image)| (name.to_owned(), image.to_owned())).into());
    assert_eq!(read("imagedefinitions.json", GOOD, &json!({})), Ok(images));
    assert!(read("images.json", GOOD, &json!({ "FileName": "images.json" })).is_ok());
    let told = read("images.json", GOOD, &json!({})).expect_err("another name");
    assert!(told.contains("the artifact does not have it"), "{told}");
}

#[test]
fn only_a_list_of_names_and_images_is_read() {
    for (text, why) in [
        (r#"{"name":"web","imageUri":"r/web:1"}"#, "no list"),
        ("[]", "an empty list"),
        (r#"[{"name":"web","imageURI":"r/web:1"}]"#, "has no `name` with an `imageUri`"),
        (r#"[{"name":"web","imageUri":""}]"#, "has no `name` with an `imageUri`"),
        (r#"[{"name":"web","imageUri":"r/web:1","tag":"1"}]"#, "has other keys than"),
        (r#"[{"name":"web","imageUri":"a"},{"name":"web","imageUri":"b"}]"#, "is there twice"),
        (r#"[{"name":"web","imageUri":"say "hi""}]"#, "expected `,` or `}`"),
        ("\u{feff}[]", "expected value"),
        (&format!("[{}]", " ".repeat(100 * 1024)), "102402 bytes; 102400 are taken"),
    ] {
        let told = read("imagedefinitions.json", text, &json!({})).expect_err(why);
        let start = "The image definition file imagedefinitions.json contains invalid JSON format";
        assert!(told.starts_with(start), "{told}");
        assert!(told.contains(why), "{told}");
    }
}

#[test]
fn a_container_that_the_service_does_not_have_is_refused() {
    let images = read("imagedefinitions.json", GOOD, &json!({})).expect("images");
    let revision = |names: &[&str]| {
        let containers = names.iter().map(|name| json!({ "name": name, "image": "old" }));
        json!({
            "family": "shop",
            "revision": 3,
            "registeredAt": 1,
            "cpu": "256",
            "containerDefinitions": containers.collect::<Vec<_>>(),
        })
    };
    let put = images.put_into(&revision(&["web", "logs", "proxy"])).expect("all are there");
    let expected = json!([
        { "name": "web", "image": "r/web:1" },
        { "name": "logs", "image": "r/logs:1" },
        { "name": "proxy", "image": "old" },
    ]);
    assert_eq!(put, json!({ "family": "shop", "cpu": "256", "containerDefinitions": expected }));
    let told = images.put_into(&revision(&["web"])).expect_err("no `logs`").to_string();
    assert_eq!(told, "task definition: the service's revision has no container `logs`");
}
