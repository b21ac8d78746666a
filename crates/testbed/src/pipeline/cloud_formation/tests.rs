use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cloud_formation;
use crate::pipeline::Artifact;

const TEMPLATE: &str = "Parameters:
  ImageTag: { Type: String }
  Count: { Type: Number, Default: 2 }
Resources:
  Definition:
    Type: AWS::ECS::TaskDefinition
    Properties:
      Family: !Sub '${AWS::StackName}'
";

fn resolve(build: &str, more: &Value) -> Result<String, String> {
    let mut configuration = json!({
        "ActionMode": "CHANGE_SET_REPLACE",
        "StackName": "shop",
        "TemplatePath": "Source::template.yml",
    });
    for (key, value) in more.as_object().expect("an object") {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        configuration[key] = text.into();
    }
    let pack = |name: &str, files: &[(&str, &str)]| {
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).into()));
        Artifact::pack(name, &files.collect::<BTreeMap<_, _>>())
    };
    let settings = r#"{"Parameters":{"ImageTag":"configured","Count":"3"},"Tags":{}}"#;
    let artifacts = [
        pack("Source", &[("template.yml", TEMPLATE), ("settings.json", settings)]),
        pack("Build", &[("build.json", build)]),
    ];
    let update = cloud_formation(&artifacts, &configuration);
    update.map(|update| format!("{:?}", update.parameters)).map_err(|error| error.to_string())
}

fn overrides(value: &Value) -> Value {
    json!({ "ParameterOverrides": value })
}

fn tag() -> Value {
    overrides(&json!({ "ImageTag": { "Fn::GetParam": ["Build", "build.json", "tag"] } }))
}

#[test]
fn a_parameter_comes_from_the_overrides_the_configuration_or_its_default() {
    let told = resolve(r#"{"tag":"1a2b3c4"}"#, &tag());
    assert_eq!(told.as_deref(), Ok(r#"{"Count": "2", "ImageTag": "1a2b3c4"}"#));
    let mut both = json!({ "TemplateConfiguration": "Source::settings.json" });
    assert_eq!(resolve("{}", &both).as_deref(), Ok(r#"{"Count": "3", "ImageTag": "configured"}"#));
    both["ParameterOverrides"] = json!({ "ImageTag": "plain" });
    assert_eq!(resolve("{}", &both).as_deref(), Ok(r#"{"Count": "3", "ImageTag": "plain"}"#));
}

#[test]
fn what_cannot_be_resolved_is_refused() {
    for (build, more, why) in [
        ("{}", tag(), "`Build::build.json` has no key `tag`"),
        (r#"{"tag":7}"#, tag(), "`Build::build.json::tag` is 7, which is no text"),
        (r#"["tag"]"#, tag(), "`Build::build.json` is no JSON object"),
        ("{}", json!({}), "Parameters: [ImageTag] must have values"),
        ("{}", overrides(&json!({ "Tag": "1" })), "no parameter `Tag`, only: Count, ImageTag"),
        ("{}", overrides(&json!({ "ImageTag": 1 })), "`ImageTag` is 1, which is no text"),
        ("{}", overrides(&json!([])), "`ParameterOverrides` is no JSON object"),
        ("{}", json!({ "TemplatePath": "template.yml" }), "is no `<artifact>::<file>`"),
        ("{}", json!({ "TemplatePath": "Source::a.yml" }), "`Source` has no text `a.yml`"),
    ] {
        let told = resolve(build, &more).expect_err(why);
        assert!(told.contains(why), "{told}");
    }
    for get in [json!(["Build", "build.json"]), json!(["Other", "build.json", "tag"]), json!("tag")]
    {
        let more = overrides(&json!({ "ImageTag": { "Fn::GetParam": get } }));
        assert!(resolve(r#"{"tag":"1"}"#, &more).is_err(), "{more}");
    }
}

#[test]
fn a_thousand_characters_and_a_kilobyte_are_the_most() {
    let of = |text: &str| overrides(&json!({ "ImageTag": text }));
    let empty = json!({ "ImageTag": "" }).to_string().len();
    assert!(resolve("{}", &of(&"x".repeat(1000 - empty))).is_ok());
    let told = resolve("{}", &of(&"x".repeat(1001 - empty))).expect_err("too long");
    assert!(told.contains("has 1001 characters"), "{told}");
    // Fewer characters, but more bytes.
    let told = resolve("{}", &of(&"é".repeat(520))).expect_err("too large");
    assert!(told.contains("bytes; 1024 are taken"), "{told}");
}
