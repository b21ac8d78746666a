//! Files of values: `.env`, JSON, YAML.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value as Json};
use shipspec_spec::document::{Kind, Node, json};
use shipspec_spec::source::Source;
use shipspec_spec::value::Value;

use crate::failure;

/// The names of a file and their values; the ending of the path tells its form. A null is no value.
pub(crate) fn read(folder: &Path, path: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let wrong = |why: String| failure::input(format!("`{}`: {why}", path.display()), None);
    let text =
        std::fs::read_to_string(folder.join(path)).map_err(|error| wrong(error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let map = match ending {
        "json" => parse_json(text),
        "yaml" | "yml" => parse_yaml(text),
        _ => parse_env(text),
    };
    let pairs = map.map_err(wrong)?.into_iter().filter(|(_, value)| !value.is_null());
    Ok(pairs.map(|(name, value)| (name, Value::plain(value))).collect())
}

fn parse_json(text: &str) -> Result<Map<String, Json>, String> {
    // If a map were read at once, an error would tell what stands there instead: it may be a secret.
    let value: Json = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let Json::Object(map) = value else { return Err("it holds no names with values".into()) };
    let node = json::parse(text).map_err(|error| error.message)?;
    Ok(text_at_top(map_as_written(map, &node, &is_whole)?, &node))
}

fn parse_yaml(text: &str) -> Result<Map<String, Json>, String> {
    let map: Map<String, Json> =
        serde_saphyr::from_str(text).map_err(|error| match error.without_snippet() {
            serde_saphyr::Error::MultipleDocuments { .. } => "it holds several documents".into(),
            error => error.to_string(),
        })?;
    let node = Node::parse(&Source::new("values", text)).map_err(|error| error.message)?;
    Ok(text_at_top(map_as_written(map, &node, &|text| !is_decimal(text))?, &node))
}

/// A number with a point is text where it is a value of its own: `1.10` is not `1.1` in a version. What is
/// inside of others may be wanted as a number.
fn text_at_top(mut map: Map<String, Json>, node: &Node) -> Map<String, Json> {
    for (key, node) in node.entries() {
        let (Some(key), Some(text)) = (key.text(), node.text()) else { continue };
        if let Some(value) = map.get_mut(key).filter(|value| value.is_f64()) {
            *value = text.into();
        }
    }
    map
}

/// Numbers as they stand in the file, where `is_text` says that another way to write them is another value: an
/// account that begins with a zero, and a commit such as `1234e56`, are text. So are `yes` and `no`.
fn as_written(value: Json, node: &Node, is_text: &dyn Fn(&str) -> bool) -> Result<Json, String> {
    Ok(match (value, &node.kind) {
        (Json::Object(map), Kind::Map(_)) => Json::Object(map_as_written(map, node, is_text)?),
        (Json::Array(items), Kind::List(nodes)) if items.len() == nodes.len() => {
            let items = items.into_iter().zip(nodes);
            items.map(|(item, node)| as_written(item, node, is_text)).collect::<Result<_, _>>()?
        }
        (Json::Number(number), Kind::Scalar { text, .. }) => {
            let is_same = number.to_string() == *text || !is_text(text);
            if is_same { Json::Number(number) } else { Json::String(text.clone()) }
        }
        (Json::Bool(truth), Kind::Scalar { text, .. }) => {
            let is_same = matches!(&*text.to_lowercase(), "true" | "false");
            if is_same { Json::Bool(truth) } else { Json::String(text.clone()) }
        }
        (value, Kind::Alias) => {
            refuse_unwritten(&value)?;
            value
        }
        (value, _) => value,
    })
}

fn map_as_written(
    map: Map<String, Json>,
    node: &Node,
    is_text: &dyn Fn(&str) -> bool,
) -> Result<Map<String, Json>, String> {
    let mut nodes = BTreeMap::new();
    for (key, node) in node.entries() {
        let key = key.text().unwrap_or_default();
        if nodes.insert(key, node).is_some() {
            return Err(format!("the key `{key}` stands twice"));
        }
    }
    let pairs = map.into_iter().map(|(key, value)| {
        let value = match nodes.get(&*key) {
            Some(node) => as_written(value, node, is_text),
            // A merge key brought it.
            None => refuse_unwritten(&value).map(|()| value),
        };
        value.map_err(|error| format!("{key}: {error}")).map(|value| (key, value))
    });
    pairs.collect()
}

/// What an anchor stands for elsewhere must have no number that may be written in another way. The number is
/// not told: it may be the answer to a secret parameter.
fn refuse_unwritten(value: &Json) -> Result<(), String> {
    match value {
        Json::Number(number) if number.is_f64() => Err(
            "a number behind an alias may be another than it is written: put it into quotes at its anchor".into(),
        ),
        Json::Array(items) => items.iter().try_for_each(refuse_unwritten),
        Json::Object(map) => map.values().try_for_each(refuse_unwritten),
        _ => Ok(()),
    }
}

/// Digits, and perhaps a sign.
fn is_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// `1.50`, and not `01.5`.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.split_once('.').is_some_and(|(whole, rest)| {
        let is_padded = whole.len() > 1 && whole.starts_with('0');
        is_whole(whole) && is_whole(rest) && !is_padded
    })
}

/// `NAME=value`, as `docker run --env-file` and shells write them: `export` in front, quotes around the
/// value, over several lines too, and comments are understood.
fn parse_env(text: &str) -> Result<Map<String, Json>, String> {
    let mut map = Map::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let pair = line.split_once('=').filter(|(name, _)| !name.trim().is_empty());
        let Some((name, value)) = pair else {
            return Err(format!("line {} is not `NAME=value`", index + 1));
        };
        let value = value.trim_start();
        let value = match value.chars().next().filter(|first| matches!(first, '\'' | '"')) {
            None => value.split(" #").next().unwrap_or(value).trim_end().to_owned(),
            Some(quote) => {
                let mut all = value.to_owned();
                let (value, behind) = loop {
                    if let Some(read) = unquoted(&all, quote) {
                        break read;
                    }
                    let Some((_, next)) = lines.next() else {
                        return Err(format!("the quote in line {} is never closed", index + 1));
                    };
                    all.push('\n');
                    all.push_str(next);
                };
                if !(behind.trim().is_empty() || behind.trim_start().starts_with('#')) {
                    return Err(format!(
                        "text stands behind the closing quote of line {}",
                        index + 1
                    ));
                }
                value
            }
        };
        map.insert(name.trim().to_owned(), value.into());
    }
    Ok(map)
}

/// The value without its quotes, and what stands behind them; nothing if they are not closed.
fn unquoted(value: &str, quote: char) -> Option<(String, &str)> {
    let (mut text, mut characters) = (String::new(), value[quote.len_utf8()..].chars());
    loop {
        match characters.next()? {
            end if end == quote => return Some((text, characters.as_str())),
            '\\' if quote == '"' => text.push(match characters.next()? {
                'n' => '\n',
                other => other,
            }),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_are_read_as_shells_read_them() {
        let text = "# c\nexport A=1\nB=\"x \\\"y\\\"\"\n C = 'z # z' \nD=v # note\nE=\nF=\"x\" # c\nG=\"C:\\\\new\"\n";
        let map = parse_env(text).unwrap();
        let pairs: Vec<_> =
            map.iter().map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect();
        assert_eq!(pairs, ["A=1", "B=x \"y\"", "C=z # z", "D=v", "E=", "F=x", "G=C:\\new"]);
        assert_eq!(parse_env("A=1\nnonsense\n").unwrap_err(), "line 2 is not `NAME=value`");
        let several = parse_env("A=\"-Da=1  \n-Db=2\" # c\nB='x\n\n  y'\nC=3\n").unwrap();
        assert_eq!(several["A"], "-Da=1  \n-Db=2");
        assert_eq!((&several["B"], &several["C"]), (&"x\n\n  y".into(), &"3".into()));
        assert_eq!(
            parse_env("A=1\nB=\"x\nC=2\n").unwrap_err(),
            "the quote in line 2 is never closed"
        );
        let glued = "text stands behind the closing quote of line 1";
        assert_eq!(parse_env("A=\"x\"y\n").unwrap_err(), glued);
        assert_eq!(parse_env("A='a'\"b\"\n").unwrap_err(), glued);
    }

    #[test]
    fn numbers_stay_as_they_are_written() {
        let yaml = "A: 012345678901\nB: 1.10\nC: 1234e56\nD: 12345678901234567890123\nE: yes\nF: 80\nG: true\nH: [1.50, { i: 0x1F }]\nJ: -3\nK: \"01\"\n";
        let map = parse_yaml(yaml).unwrap();
        let wanted = serde_json::json!({
            "A": "012345678901", "B": "1.10", "C": "1234e56", "D": "12345678901234567890123",
            "E": "yes", "F": 80, "G": true, "H": [1.5, { "i": "0x1F" }], "J": -3, "K": "01"
        });
        assert_eq!(Json::Object(map), wanted);
        let yaml = parse_yaml("a: { b: 1234e56, c: 007, d: 2.50, e: True }\nF: False\n").unwrap();
        let wanted = serde_json::json!({
            "a": { "b": "1234e56", "c": "007", "d": 2.5, "e": true }, "F": false
        });
        assert_eq!(Json::Object(yaml), wanted);
        let json =
            r#"{"a": 1.50, "b": {"c": [1.0, 2, 12345678901234567890123]}, "d": "\/", "e": null}"#;
        let wanted = serde_json::json!({
            "a": "1.50", "b": { "c": [1.0, 2, "12345678901234567890123"] }, "d": "/", "e": null
        });
        assert_eq!(Json::Object(parse_json(json).unwrap()), wanted);
        for text in [r#""S3cret""#, "31337", r#"["S3cret"]"#] {
            assert_eq!(parse_json(text).unwrap_err(), "it holds no names with values");
        }
        assert_eq!(parse_json(r#"{"a": 1, "a": 2}"#).unwrap_err(), "the key `a` stands twice");
    }

    #[test]
    fn a_number_behind_an_alias_is_told_if_it_may_be_another() {
        let yaml = parse_yaml("x: &x { a: 80, b: c }\ny: *x\nz: { <<: *x, d: 1.10 }\n").unwrap();
        assert_eq!(yaml["y"], serde_json::json!({ "a": 80, "b": "c" }));
        for text in ["x: &x 0123\ny: *x\n", "x: &x { a: 1.10 }\ny: { <<: *x }\n"] {
            let told = parse_yaml(text).unwrap_err();
            assert!(told.starts_with("y: ") && told.contains("behind an alias"), "{text}: {told}");
            assert!(!told.contains(|sign: char| sign.is_ascii_digit()), "{told}");
        }
    }

    #[test]
    fn a_null_is_no_value_and_a_mark_at_the_start_is_no_sign() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in
            [("v.env", "A=1\n"), ("v.json", "{\"A\": 1, \"N\": null}"), ("v.yaml", "A: 1\nN:\n")]
        {
            std::fs::write(folder.path().join(name), format!("\u{feff}{text}")).unwrap();
            let values = read(folder.path(), Path::new(name)).unwrap();
            let values: Vec<_> =
                values.iter().map(|(name, value)| (&**name, value.text())).collect();
            assert_eq!(values, [("A", Some("1".to_owned()))], "{name}");
        }
        let wrong = read(folder.path(), Path::new("none.env")).unwrap_err().to_string();
        assert!(wrong.starts_with("`none.env`: "), "{wrong}");
    }
}
