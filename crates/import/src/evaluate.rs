//! What words of a shell come to.

use shipspec_shell::{Part, Word};

use crate::text::{Meaning, Piece, Text};
use crate::walk::Walk;

impl Walk<'_> {
    /// What a word comes to; nothing if only a shell could tell.
    pub(crate) fn evaluate(&mut self, word: &Word) -> Option<Text> {
        let mut text = Text::default();
        for (index, part) in word.parts.iter().enumerate() {
            match part {
                Part::Text { text: known, is_quoted } => {
                    if index == 0 && !is_quoted && known.starts_with('~') {
                        return None;
                    }
                    text.push(Piece::Literal(known.clone()));
                }
                Part::Variable { name, form } => text.append(self.variable(name, form)?),
                Part::Output(script) => text.append(self.output(script)?),
                Part::Other => return None,
            }
        }
        Some(text)
    }

    /// What the value of an assignment comes to.
    pub(crate) fn evaluate_value(&mut self, word: &Word) -> Option<(String, Text)> {
        let (name, value) = word.assignment()?;
        if word.text.split('=').next().is_some_and(|name| name.ends_with('+')) {
            return None;
        }
        let name = name.to_owned();
        let mut parts = word.parts.clone();
        // The name and the `=` are known text.
        let Some(Part::Text { text, .. }) = parts.first_mut() else { return None };
        *text = text.split_once('=')?.1.to_owned();
        let value = Word { text: value.to_owned(), range: word.range.clone(), parts };
        Some((name, self.evaluate(&value)?))
    }

    /// What a name stands for.
    pub(crate) fn lookup(&mut self, name: &str) -> Text {
        match self.current.get(name) {
            Some(number) => Text::of(Piece::Variable(*number)),
            None if name == "CODEBUILD_RESOLVED_SOURCE_VERSION" => {
                Text::of(Piece::Expression { name: "COMMIT".into(), filters: String::new() })
            }
            None => {
                self.foreign.insert(name.to_owned());
                Text::of(Piece::Environment(name.to_owned()))
            }
        }
    }

    /// `${NAME…}`.
    fn variable(&mut self, name: &str, form: &str) -> Option<Text> {
        let base = self.lookup(name);
        if form.is_empty() {
            return Some(base);
        }
        for (sign, kept) in [(":=", ":-"), (":-", ":-"), ("=", "-"), ("-", "-")] {
            if let Some(other) = form.strip_prefix(sign) {
                let other = self.inner(other)?;
                let text = self.or_else(base, kept, other);
                if sign.contains('=') {
                    let step = Some(self.steps.len());
                    let number = self.variables.add(name, Meaning::Text(text.clone()), step);
                    self.current.insert(name.to_owned(), number);
                }
                return Some(text);
            }
        }
        for sign in [":+", "+"] {
            if let Some(other) = form.strip_prefix(sign) {
                let text = self.inner(other)?;
                return match self.variables.expand(&base).only() {
                    Some(Piece::Environment(name)) => {
                        let name = name.clone();
                        Some(Text::of(Piece::Default { name, sign, text }))
                    }
                    _ => None,
                };
            }
        }
        if form.starts_with(":?") || form.starts_with('?') {
            return Some(base);
        }
        let filters = filters(form)?;
        self.filtered(&base, &filters)
    }

    /// The text behind `:-`, which may hold variables in its turn.
    fn inner(&mut self, text: &str) -> Option<Text> {
        if text.is_empty() {
            return Some(Text::default());
        }
        let script = shipspec_shell::parse(&format!("x \"{}\"", text.trim_matches('"')));
        let word = script.statements.first()?.command()?.words.get(1)?.clone();
        self.evaluate(&word)
    }

    /// A text, or another one where it has no value.
    fn or_else(&mut self, base: Text, sign: &'static str, other: Text) -> Text {
        let expanded = self.variables.expand(&base);
        match expanded.only() {
            Some(Piece::Environment(name)) => {
                let name = name.clone();
                Text::of(Piece::Default { name, sign, text: other })
            }
            Some(Piece::Expression { name, .. }) if name == "COMMIT" => {
                if other.known().is_some() {
                    // A tag such as `latest` would hide that there is no commit.
                    return base;
                }
                Text::of(Piece::Either(base, other))
            }
            None if expanded.0.is_empty() => other,
            _ => base,
        }
    }

    /// A text with filters behind it.
    pub(crate) fn filtered(&self, text: &Text, filters: &str) -> Option<Text> {
        let expanded = self.variables.expand(text);
        let (name, before) = match expanded.only()? {
            Piece::Environment(name) => (name.clone(), ""),
            Piece::Expression { name, filters } => (name.clone(), &**filters),
            _ => return None,
        };
        // An index belongs to what stands directly before it.
        if filters.starts_with('[') && !before.is_empty() {
            return None;
        }
        Some(Text::of(Piece::Expression { name, filters: format!("{before}{filters}") }))
    }
}

/// What says the same as a form of bash.
fn filters(form: &str) -> Option<String> {
    if let Some(cut) = form.strip_prefix(':') {
        let (start, length) = cut.split_once(':').map_or((cut, None), |(a, b)| (a, Some(b)));
        let start = if start.trim().is_empty() { 0 } else { start.trim().parse::<usize>().ok()? };
        let length = length.map(|it| it.trim().parse::<usize>().ok());
        return match (start, length) {
            (0, Some(Some(length))) => Some(format!(" | short({length})")),
            (start, Some(Some(length))) => Some(format!("[{start}:{}]", start + length)),
            (start, None) => Some(format!("[{start}:]")),
            _ => None,
        };
    }
    let quoted = |text: &str| {
        (!text.contains(['\'', '*', '?', '[', '$', '\\', '`'])).then(|| format!("'{text}'"))
    };
    if let Some(pattern) = form.strip_prefix("%%").and_then(|it| it.strip_suffix('*')) {
        return Some(format!(" | split({}) | first", quoted(pattern)?));
    }
    if let Some(pattern) = form.strip_prefix("##").and_then(|it| it.strip_prefix('*')) {
        return Some(format!(" | split({}) | last", quoted(pattern)?));
    }
    // Right where the sign stands once, as in the id of a build.
    if let Some(pattern) = form.strip_prefix("#*").filter(|pattern| *pattern == ":") {
        return Some(format!(" | split({}) | last", quoted(pattern)?));
    }
    if let Some(pattern) = form.strip_prefix("//") {
        let (old, new) = pattern.split_once('/').unwrap_or((pattern, ""));
        return Some(format!(" | replace({}, {})", quoted(old)?, quoted(new)?));
    }
    match form {
        "^^" => Some(" | upper".into()),
        ",," => Some(" | lower".into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::filters;

    #[test]
    fn forms_of_bash_become_filters() {
        for (form, wanted) in [
            ("::7", " | short(7)"),
            (":0:8", " | short(8)"),
            (":2:3", "[2:5]"),
            (":2", "[2:]"),
            ("%%/*", " | split('/') | first"),
            ("##*/", " | split('/') | last"),
            ("#*:", " | split(':') | last"),
            ("//\\//-", ""),
            ("//./-", " | replace('.', '-')"),
            ("^^", " | upper"),
            ("%/*", ""),
        ] {
            assert_eq!(filters(form).unwrap_or_default(), wanted, "{form}");
        }
    }
}
