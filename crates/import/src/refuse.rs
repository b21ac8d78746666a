//! Buildspecs that cannot be read to their end. Nothing of them is left out silently.

use std::sync::Arc;

use shipspec_check::value::{Data, Entry, Value};
use shipspec_spec::diagnostic::{Diagnostic, Diagnostics};
use shipspec_spec::source::{Source, Span};

/// Refuses what would be lost, or would mean something else.
pub(crate) fn unreadable(root: &Value, source: &Arc<Source>) -> Result<(), Diagnostics> {
    let mut refused = Refused { source, found: Diagnostics::default() };
    let is_old = |version: &&Value| match &version.data {
        Data::Number(text) | Data::Text(text) => text == "0.1",
        _ => false,
    };
    if let Some(version) = root.get("version").filter(is_old) {
        refused.tell(
            version,
            "version 0.1 runs each command in a shell of its own",
            "make it `version: 0.2` and see that the build still works; then import it",
        );
    }
    let phases = root.get("phases");
    for section in [phases, root.get("env")].into_iter().flatten() {
        refused.aliases(section);
    }
    for phase in phases.into_iter().flat_map(Value::entries) {
        for key in ["commands", "finally"] {
            let Some(list) = phase.value.get(key) else { continue };
            refused.no_text(list);
        }
    }
    refused.found.or(())
}

struct Refused<'a> {
    source: &'a Arc<Source>,
    found: Diagnostics,
}

impl Refused<'_> {
    fn tell(&mut self, value: &Value, message: &str, hint: &str) {
        let span = Span::new(self.source, value.range.clone());
        self.found.push(Diagnostic::at(span, message).with_hint(hint));
    }

    /// An alias stands for what is written elsewhere, which is not looked up here.
    fn aliases(&mut self, value: &Value) {
        match &value.data {
            Data::Unknown => self.tell(
                value,
                "this is an alias of YAML, and what it stands for is not read here",
                "write in its place what the anchor names",
            ),
            Data::List(items) => items.iter().for_each(|item| self.aliases(item)),
            Data::Map(entries) => {
                for Entry { value, .. } in entries {
                    self.aliases(value);
                }
            }
            _ => {}
        }
    }

    /// CodeBuild refuses a command that is no text, and nobody knows what it was to be.
    fn no_text(&mut self, list: &Value) {
        let items = match &list.data {
            Data::List(items) => items.as_slice(),
            _ => std::slice::from_ref(list),
        };
        for item in items {
            if matches!(item.data, Data::Map(_) | Data::List(_)) {
                self.tell(
                    item,
                    "this command is no text; a `: ` makes a map of it",
                    "put the whole command in single quotes",
                );
            }
        }
    }
}
