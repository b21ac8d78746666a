//! Holds a task definition against the model.

use super::{MODEL, Shape, ShapeKind};
use crate::codes::name as code;
use crate::finding::Sink;
use crate::nearest::slip;
use crate::value::{Data, Entry, Value};

/// Tells every key and value that the model does not have.
pub(crate) fn validate(root: &Value, sink: &mut Sink<'_>) {
    if let Some(shape) = MODEL.shape(&MODEL.root) {
        Validator { sink }.check(root, shape, "the task definition", true);
    }
}

struct Validator<'a, 'b> {
    sink: &'a mut Sink<'b>,
}

impl Validator<'_, '_> {
    fn check(&mut self, value: &Value, shape: &Shape, name: &str, is_root: bool) {
        match (&value.data, shape.kind) {
            (Data::Unknown | Data::Null, _)
            | (Data::Number(_), ShapeKind::Integer)
            | (Data::Bool(_), ShapeKind::Boolean) => self.check_whole(value, shape, name),
            (Data::Map(entries), ShapeKind::Structure) => {
                self.check_structure(value, entries, shape, name, is_root);
            }
            (Data::Map(entries), ShapeKind::Map) => self.check_entries(entries, shape),
            (Data::List(items), ShapeKind::List) => self.check_items(items, shape, name),
            (Data::Text(_), ShapeKind::String) => self.check_word(value, shape, name),
            _ => self.wrong_type(value, shape.kind, name),
        }
    }

    /// A whole number where one is wanted.
    fn check_whole(&mut self, value: &Value, shape: &Shape, name: &str) {
        if matches!(&value.data, Data::Number(_)) && value.integer().is_none() {
            self.wrong_type(value, shape.kind, name);
        }
    }

    fn check_items(&mut self, items: &[Value], shape: &Shape, name: &str) {
        let Some(shape) = shape.member.as_deref().and_then(|name| MODEL.shape(name)) else {
            return;
        };
        for item in items {
            if item.data == Data::Null {
                let message = format!("`{name}` has a null in its list");
                self.sink.tell(code::TASKDEF_NULL, &item.range, message, "take it away");
            }
            self.check(item, shape, name, false);
        }
    }

    fn check_entries(&mut self, entries: &[Entry], shape: &Shape) {
        let Some(shape) = shape.value.as_deref().and_then(|name| MODEL.shape(name)) else { return };
        for entry in entries {
            self.check_null(entry);
            self.check(&entry.value, shape, &entry.key, false);
        }
    }

    fn check_null(&mut self, entry: &Entry) {
        if entry.value.data == Data::Null {
            let message = format!("`{}` is null", entry.key);
            let fix = "leave the key out: what a null does depends on who reads the file";
            self.sink.tell(code::TASKDEF_NULL, &entry.value.range, message, fix);
        }
    }

    fn check_structure(
        &mut self,
        value: &Value,
        entries: &[Entry],
        shape: &Shape,
        name: &str,
        is_root: bool,
    ) {
        for entry in entries {
            match shape.members.get(&entry.key).and_then(|name| MODEL.shape(name)) {
                Some(shape) => {
                    self.check_null(entry);
                    self.check(&entry.value, shape, &entry.key, false);
                }
                None => self.unknown_key(entry, shape, name, is_root),
            }
        }
        for required in &shape.required {
            // A key that is there with another spelling is told as that.
            let is_there = entries
                .iter()
                .any(|entry| entry.key == *required || slip(&entry.key, [&**required]).is_some());
            if !is_there {
                let range = value.range.start..value.range.start + 1;
                let message = format!("{} needs `{required}`", quoted(name));
                self.sink.tell(
                    code::TASKDEF_REQUIRED,
                    &range,
                    message,
                    format!("add `{required}`"),
                );
            }
        }
    }

    fn unknown_key(&mut self, entry: &Entry, shape: &Shape, name: &str, is_root: bool) {
        let key = &entry.key;
        if is_root && MODEL.output_only.contains(key) {
            let message = format!("`{key}` is what ECS answers, not what it takes");
            let fix = "take it away; `aws ecs describe-task-definition` printed it";
            return self.sink.tell(code::TASKDEF_OUTPUT_KEY, &entry.key_range, message, fix);
        }
        if let Some(near) = slip(key, shape.members.keys().map(String::as_str)) {
            let message = format!("{} has no key `{key}`", quoted(name));
            let fix = format!("write `{near}`");
            return self.sink.tell(code::TASKDEF_MISSPELT_KEY, &entry.key_range, message, fix);
        }
        let message =
            format!("the API of ECS, as it is known here, has no `{key}` in {}", quoted(name));
        let fix = "take it away, unless it is newer than this version of shipspec";
        self.sink.tell(code::TASKDEF_UNKNOWN_KEY, &entry.key_range, message, fix);
    }

    fn check_word(&mut self, value: &Value, shape: &Shape, name: &str) {
        let Some(text) = value.text() else { return };
        if shape.words.is_empty() || shape.words.iter().any(|word| word == text) {
            return;
        }
        let words = || shape.words.iter().map(String::as_str);
        // Some words are read in any case, and an empty text counts as none with some clients.
        let differs_by_case = words().any(|word| word.eq_ignore_ascii_case(text));
        let message = format!("`{name}` is `{text}`, which the API of ECS does not know");
        match slip(text, words()) {
            Some(near) if !differs_by_case => {
                self.sink.tell(
                    code::TASKDEF_VALUE,
                    &value.range,
                    message,
                    format!("write `{near}`"),
                );
            }
            near => {
                let fix = match near {
                    Some(near) => format!("write `{near}`"),
                    None if text.is_empty() => "leave the key out".into(),
                    None => format!("it knows {}", words().collect::<Vec<_>>().join(", ")),
                };
                self.sink.tell(code::TASKDEF_UNFAMILIAR_VALUE, &value.range, message, fix);
            }
        }
    }

    fn wrong_type(&mut self, value: &Value, wanted: ShapeKind, name: &str) {
        let (found, text) = match &value.data {
            Data::Bool(value) => ("true or false", value.to_string()),
            Data::Number(number) => ("a number", number.clone()),
            Data::Text(text) => ("text", text.clone()),
            Data::List(_) => ("a list", String::new()),
            Data::Map(_) => ("a map", String::new()),
            Data::Unknown | Data::Null => return,
        };
        let (article, fix) = match wanted {
            ShapeKind::Structure | ShapeKind::Map => ("a map", "write `{…}`".to_owned()),
            ShapeKind::List => ("a list", "write it in `[…]`".into()),
            ShapeKind::String if text.is_empty() => ("text", "write text".into()),
            ShapeKind::String => ("text", format!("put it in quotes: `\"{text}\"`")),
            ShapeKind::Integer if text.parse::<i64>().is_ok() => {
                ("a whole number", format!("write it without quotes: `{text}`"))
            }
            ShapeKind::Integer => ("a whole number", "write a number without quotes".into()),
            ShapeKind::Boolean if matches!(&*text, "true" | "false") => {
                ("true or false", format!("write it without quotes: `{text}`"))
            }
            ShapeKind::Boolean => ("true or false", "write `true` or `false`".into()),
        };
        let message = format!("`{name}` must be {article}, and is {found}");
        self.sink.tell(code::TASKDEF_TYPE, &value.range, message, fix);
    }
}

fn quoted(name: &str) -> String {
    if name.contains(' ') { name.into() } else { format!("`{name}`") }
}
