//! Files of values: `.env`, JSON, YAML.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value as Json};
use shipspec_spec::value::Value;

use crate::failure;

/// The names of a file and their values; the ending of the path tells its form.
pub(crate) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, Value>> {
    let wrong = |why: String| failure::input(format!("`{}`: {why}", path.display()), None);
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let map: Map<String, Json> = match ending {
        "json" => serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?,
        "yaml" | "yml" => serde_saphyr::from_str(&text)
            .map_err(|error| wrong(error.without_snippet().to_string()))?,
        _ => parse_env(&text).map_err(wrong)?,
    };
    Ok(map.into_iter().map(|(name, value)| (name, Value::plain(value))).collect())
}

/// Lines of `NAME=value`, as `docker run --env-file` and shells write them: `export` in front, quotes
/// around the value and comments are understood.
fn parse_env(text: &str) -> Result<Map<String, Json>, String> {
    let mut map = Map::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let pair = line.split_once('=').filter(|(name, _)| !name.trim().is_empty());
        let Some((name, value)) = pair else {
            return Err(format!("line {} is not `NAME=value`", index + 1));
        };
        map.insert(name.trim().to_owned(), unquoted(value.trim()).into());
    }
    Ok(map)
}

/// The value without its quotes; what stands behind them, or behind ` #`, is a comment.
fn unquoted(value: &str) -> String {
    let mut characters = value.chars();
    match characters.next() {
        Some('\'') => characters.take_while(|character| *character != '\'').collect(),
        Some('"') => {
            let mut text = String::new();
            while let Some(character) = characters.next() {
                match character {
                    '"' => break,
                    '\\' => text.extend(characters.next().map(|escaped| match escaped {
                        'n' => '\n',
                        other => other,
                    })),
                    other => text.push(other),
                }
            }
            text
        }
        _ => value.split(" #").next().unwrap_or(value).trim_end().to_owned(),
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
    }
}
