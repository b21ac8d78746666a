use insta::assert_snapshot;
use proptest::prelude::*;
use serde_json::json;
use shipspec_spec::document::json::parse;

use super::*;

fn rewritten(text: &str, change: impl FnOnce(&mut Json)) -> String {
    let mut wanted = serde_json::from_str(text).unwrap();
    change(&mut wanted);
    rewrite(text, &parse(text).unwrap(), &wanted)
}

#[test]
fn what_stays_is_kept_byte_for_byte() {
    let text = "\n{ \"n\" : 1.0,\t\"e\": 1e3, \"s\": \"\\u0041\", \"big\": 123456789012345678901234567890,\r\n  \"x\": 1 }\n";
    let kept = rewritten(text, |json| json["x"] = json!("y"));
    assert_eq!(kept, text.replace("\"x\": 1", "\"x\": \"y\""));
    assert_eq!(rewritten(text, |_| {}), text);
}

#[test]
fn what_is_new_is_written_as_its_neighbours_are() {
    let text = r#"{
    "family": "shop",
    "containerDefinitions": [
        {
            "name": "web",
            "command": ["run"],
            "environment": [
                { "name": "A", "value": "1" },
                { "name": "B", "value": "2" }
            ]
        }
    ]
}
"#;
    let edited = rewritten(text, |json| {
        json["cpu"] = json!("256");
        let web = &mut json["containerDefinitions"][0];
        web["command"] = json!(["run", "-v"]);
        web["environment"] =
            json!([{ "name": "B", "value": "two" }, { "name": "C", "value": "3" }]);
        web["secrets"] = json!([{ "name": "A", "valueFrom": "arn" }]);
        web["logConfiguration"] = json!({ "logDriver": "awslogs", "options": { "g": "x" } });
    });
    assert_snapshot!(edited, @r#"
    {
        "family": "shop",
        "containerDefinitions": [
            {
                "name": "web",
                "command": ["run", "-v"],
                "environment": [
                    { "name": "B", "value": "two" },
                    { "name": "C", "value": "3" }
                ],
                "secrets": [
                    { "name": "A", "valueFrom": "arn" }
                ],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": { "g": "x" }
                }
            }
        ],
        "cpu": "256"
    }
    "#);
}

#[test]
fn a_text_on_one_line_stays_on_one_line() {
    let edited =
        rewritten(r#"{"containerDefinitions": [{"name": "web", "environment": []}]}"#, |json| {
            json["cpu"] = json!("256");
            json["containerDefinitions"][0]["environment"] = json!([{ "name": "A", "value": "1" }]);
        });
    assert_snapshot!(edited, @r#"{"containerDefinitions": [{"name": "web", "environment": [{ "name": "A", "value": "1" }]}], "cpu": "256"}"#);
}

#[test]
fn long_maps_are_written_long_where_all_are() {
    let text = "{\n\t\"environment\": [\n\t\t{\n\t\t\t\"name\": \"A\",\n\t\t\t\"value\": \"1\"\n\t\t}\n\t]\n}";
    let edited = rewritten(text, |json| {
        json["environment"].as_array_mut().unwrap().push(json!({ "name": "B", "value": "2" }));
    });
    assert_eq!(
        edited,
        "{\n\t\"environment\": [\n\t\t{\n\t\t\t\"name\": \"A\",\n\t\t\t\"value\": \"1\"\n\t\t},\n\t\t{\n\t\t\t\"name\": \"B\",\n\t\t\t\"value\": \"2\"\n\t\t}\n\t]\n}"
    );
}

#[test]
fn everything_can_go() {
    assert_eq!(
        rewritten("{ \"a\": [ { \"name\": \"x\" } ] }", |json| json["a"] = json!([])),
        "{ \"a\": [] }"
    );
    assert_eq!(
        rewritten("{\"a\": 1, \"b\": 2}", |json| drop(json.as_object_mut().unwrap().remove("a"))),
        "{\"b\": 2}"
    );
    assert_eq!(
        rewritten("{\"a\": 1, \"b\": 2}", |json| drop(json.as_object_mut().unwrap().remove("b"))),
        "{\"a\": 1}"
    );
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        (0..3).prop_map(Json::from),
        "[ab\"\\\\\u{e9}\n]{0,3}".prop_map(Json::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        let entries = prop::collection::vec(("name|[a-c\"]", inner.clone()), 0..4);
        let map = entries.prop_map(|entries| Json::Object(entries.into_iter().collect()));
        let named = ("[ab]", inner.clone())
            .prop_map(|(name, value)| json!({ "name": name, "value": value }));
        prop_oneof![
            prop::collection::vec(inner, 0..4).prop_map(Json::from),
            prop::collection::vec(named, 0..4).prop_map(Json::from),
            map,
        ]
    })
}

proptest! {
    #[test]
    fn the_text_says_what_is_wanted(before in any_json(), wanted in any_json(), is_pretty: bool) {
        let text = if is_pretty {
            serde_json::to_string_pretty(&before).unwrap()
        } else {
            before.to_string()
        };
        let written = rewrite(&text, &parse(&text).unwrap(), &wanted);
        let read: Json = serde_json::from_str(&written)
            .map_err(|error| TestCaseError::fail(format!("{error}: {written}")))?;
        prop_assert_eq!(read, wanted, "{}", written);
    }
}
