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
    let map: Map<String, Json> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let node = json::parse(text).map_err(|error| error.message)?;
    Ok(written(map, &node))
}

fn parse_yaml(text: &str) -> Result<Map<String, Json>, String> {
    let map = serde_saphyr::from_str(text).map_err(|error| match error.without_snippet() {
        serde_saphyr::Error::MultipleDocuments { .. } => "it holds several YAML documents".into(),
        error => error.to_string(),
    })?;
    let node = Node::parse(&Source::new("values", text)).map_err(|error| error.message)?;
    Ok(written(map, &node))
}

/// Numbers and truth values as they stand in the file: an account that begins with a zero, `1.10`, and a
/// commit such as `1234e56` are text.
fn written(mut map: Map<String, Json>, node: &Node) -> Map<String, Json> {
    for (key, node) in node.entries() {
        if let Some(value) = key.text().and_then(|key| map.get_mut(key)) {
            *value = as_written(value.take(), node);
        }
    }
    map
}

fn as_written(value: Json, node: &Node) -> Json {
    match (value, &node.kind) {
        (Json::Object(map), _) => Json::Object(written(map, node)),
        (Json::Array(items), Kind::List(nodes)) if items.len() == nodes.len() => {
            items.into_iter().zip(nodes).map(|(item, node)| as_written(item, node)).collect()
        }
        (value, Kind::Scalar { text, .. }) if value.is_number() || value.is_boolean() => {
            let usual = value.to_string();
            if usual == *text { value } else { Json::String(text.clone()) }
        }
        (value, _) => value,
    }
}

/// `NAME=value`, as `docker run --env-file` and shells write them: `export` in front, quotes around the
/// value, over several lines too, and comments are understood.
fn parse_env(text: &str) -> Result<Map<String, Json>, String> {
    let mut map = Map::new();
    let mut lines = text.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let pair = line.split_once('=').filter(|(name, _)| !name.trim().is_empty());
        let Some((name, value)) = pair else {
            return Err(format!("line {} is not `NAME=value`", index + 1));
        };
        let value = value.trim();
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
        let several = parse_env("A=\"-Da=1\n-Db=2\" # c\nB='x\n\n  y'\nC=3\n").unwrap();
        assert_eq!(several["A"], "-Da=1\n-Db=2");
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
            "E": "yes", "F": 80, "G": true, "H": ["1.50", { "i": "0x1F" }], "J": -3, "K": "01"
        });
        assert_eq!(Json::Object(map), wanted);
        let json =
            parse_json(r#"{"a": 1e3, "b": {"c": [1.0, 2, -0]}, "d": "\/", "e": null}"#).unwrap();
        let wanted =
            serde_json::json!({ "a": "1e3", "b": { "c": [1.0, 2, "-0"] }, "d": "/", "e": null });
        assert_eq!(Json::Object(json), wanted);
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
