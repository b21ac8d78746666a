//! JSON values as YAML, for whoever reads it: a text that any version of YAML takes for something
//! else is quoted.

use serde_json::Value as Json;

/// The text, in block style, with a newline at its end.
///
/// # Errors
///
/// What the library says.
pub(super) fn write(content: &Json) -> Result<String, serde_saphyr::ser::Error> {
    let options = serde_saphyr::ser_options! {
        // Texts are not folded at a width: that makes lines that nobody wrote.
        folded_wrap_chars: usize::MAX,
        compact_list_indent: false,
    };
    let mut text = serde_saphyr::to_string_with_options(content, options)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_that_looks_like_something_else_is_quoted() {
        let content = json!({
            "version": 0.0, "tag": "0123456", "on": "on", "no": "NO", "port": "80", "time": "12:30:45",
            "day": "2026-11-21", "empty": "", "null": "null", "list": ["- a", "# b", "c: d", "${x}"],
            "placeholder": "<TASK_DEFINITION>", "lines": "a\n  b\n", "none": null, "maps": [{ "a": 1, "b": {} }, []],
            "long": "word ".repeat(40),
        });
        insta::assert_snapshot!(write(&content).unwrap(), @r##"
        version: 0.0
        tag: "0123456"
        "on": "on"
        "no": "NO"
        port: "80"
        time: "12:30:45"
        day: "2026-11-21"
        empty: ""
        "null": "null"
        list:
          - "- a"
          - "# b"
          - "c: d"
          - ${x}
        placeholder: <TASK_DEFINITION>
        lines: |
          a
            b
        none: null
        maps:
          - a: 1
            b: {}
          - []
        long: "word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word "
        "##);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let text = prop_oneof![
            "\\PC{0,10}",
            "[-?:,\\[\\]{}#&*!|>'\"%@` \n\t\\\\~=<.0-9a-f]{0,10}",
            "(?i)(yes|no|on|off|true|false|null|nan|inf|[0-9]{1,3}(:[0-9]{2}){0,2}|0x[0-9]{1,2}|[0-9]e[0-9]|0o?[0-7]{1,3})",
        ];
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            text.clone().prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::vec((text.clone(), inner), 0..4)
                    .prop_map(|entries| Json::Object(entries.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(content in any_json()) {
            let text = write(&content).map_err(|error| TestCaseError::fail(error.to_string()))?;
            let read: Json = serde_saphyr::from_str(&text)
                .map_err(|error| TestCaseError::fail(format!("{error}: {text}")))?;
            prop_assert_eq!(&read, &content, "{}", text);
        }
    }
}
