//! What `$(…)` comes to, where that can be said without running it.

use shipspec_shell::{Body, Command, Direction, Part, Script, Target, Word};

use crate::sed::Substitution;
use crate::text::{Meaning, Piece, Text};
use crate::walk::Walk;

/// Only a shell knows.
struct NotClear;

impl Walk<'_> {
    /// What a command prints, without the newlines at its end.
    pub(crate) fn output(&mut self, script: &Script) -> Option<Text> {
        let [statement] = script.statements.as_slice() else { return None };
        if !script.is_whole || statement.is_negated {
            return None;
        }
        let mut commands = statement.pipeline.iter().map(|body| match body {
            Body::Simple(command) => Some(command),
            Body::Compound { .. } => None,
        });
        let mut text = self.printed(commands.next()??)?;
        for command in commands {
            text = self.piped(&text, command?)?;
        }
        Some(text)
    }

    /// What the first program of a pipe prints.
    fn printed(&mut self, command: &Command) -> Option<Text> {
        let (assignments, words) = command.split();
        if !assignments.is_empty() {
            return None;
        }
        let literals: Vec<_> =
            words.iter().map(|word| word.literal().unwrap_or_default()).collect();
        let literals: Vec<_> = literals.iter().map(String::as_str).collect();
        match literals.as_slice() {
            ["git", "rev-parse", options @ ..] => of_git(options),
            ["git", "log", options @ ..] => of_git_log(options),
            ["echo" | "printf", ..] if command.redirects.is_empty() => {
                let skip = match literals.get(1) {
                    Some(&"-n" | &"%s") => 2,
                    _ => 1,
                };
                let mut text = Text::default();
                for (index, word) in words.iter().skip(skip).enumerate() {
                    text.push(Piece::Literal(if index > 0 { " ".into() } else { String::new() }));
                    text.append(self.evaluate(word)?);
                }
                Some(text)
            }
            // `cut -c 1-7 <<< $NAME`.
            ["cut" | "head" | "awk" | "tr" | "sed", ..] => {
                let [redirect] = command.redirects.as_slice() else { return None };
                let Target::Text(word) = &redirect.target else { return None };
                let text = self.evaluate(word)?;
                let command = Command { words: words.to_vec(), redirects: Vec::new() };
                self.piped(&text, &command)
            }
            _ => None,
        }
    }

    /// What a program makes of a text that it reads.
    fn piped(&mut self, text: &Text, command: &Command) -> Option<Text> {
        if command.redirects.iter().any(|redirect| redirect.direction == Direction::In) {
            return None;
        }
        let words: Option<Vec<_>> = command.words.iter().map(Word::literal).collect();
        let words = words?;
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let filters = match words.as_slice() {
            ["cut", options @ ..] => of_cut(options, self.name_of(text).as_deref())?,
            ["head", options @ ..] => {
                let count = option(options, "-c", "--bytes")?;
                format!(" | short({})", count.parse::<usize>().ok()?)
            }
            ["awk" | "gawk", options @ ..] => of_awk(options, self.name_of(text).as_deref())?,
            ["tr", options @ ..] => of_tr(options)?,
            ["sed", script] | ["sed", "-e", script] => {
                let [Substitution { pattern, replacement, is_global }] =
                    &*Substitution::all_of(script)?
                else {
                    return None;
                };
                let is_plain = *is_global && !pattern.contains('\'') && !replacement.contains('\'');
                is_plain.then(|| format!(" | replace('{pattern}', '{replacement}')"))?
            }
            ["cat" | "xargs"] => return Some(text.clone()),
            _ => return None,
        };
        self.filtered(text, &filters)
    }

    fn name_of(&self, text: &Text) -> Option<String> {
        match self.variables.expand(text).only()? {
            Piece::Environment(name) => Some(name.clone()),
            _ => None,
        }
    }

    /// The parameter that an assignment fetches.
    pub(crate) fn fetched(&mut self, word: &Word) -> Option<Meaning> {
        let output = word.parts.iter().skip(1).collect::<Vec<_>>();
        let (Some(Part::Text { text, .. }), [Part::Output(script), rest @ ..]) =
            (word.parts.first(), without_empty(&output))
        else {
            return None;
        };
        let is_whole = rest.is_empty() && script.is_whole && text.ends_with('=');
        let [statement] = script.statements.as_slice() else { return None };
        let (Body::Simple(command), filters) = statement.pipeline.split_first()? else {
            return None;
        };
        let filters: Option<Vec<_>> = filters.iter().map(jq_path).collect();
        let filters = filters?;
        let text = |word: &Word| word.literal().unwrap_or_default();
        let (first, second) = (command.words.get(1).map(text), command.words.get(2).map(text));
        if !is_whole || command.words.first().map(text).as_deref() != Some("aws") {
            return None;
        }
        match (first.as_deref(), second.as_deref()) {
            (Some("ssm"), Some("get-parameter" | "get-parameters")) => {
                self.of_ssm(command, &filters)
            }
            (Some("secretsmanager"), Some("get-secret-value")) => self.of_secret(command, &filters),
            _ => None,
        }
    }

    fn of_ssm(&mut self, command: &Command, filters: &[String]) -> Option<Meaning> {
        let query = flag(command, "--query").and_then(Word::literal);
        let is_value = |path: &str| {
            let path = path.trim_matches(['.', '\'', '"', ' ']).replace(' ', "");
            matches!(
                &*path,
                "Parameter.Value"
                    | "Parameters[0].Value"
                    | "Parameters[].Value"
                    | "Parameters[*].Value"
            )
        };
        let is_read = match (&query, filters) {
            (Some(query), []) => {
                is_value(query) && flag(command, "--output").is_some_and(|it| it.bare() == "text")
            }
            (Some(query), [unquoted]) => is_value(query) && unquoted.is_empty(),
            (None, [path]) => is_value(path),
            _ => false,
        };
        if !is_read {
            return None;
        }
        let name = flag(command, "--name").or_else(|| flag(command, "--names"))?.clone();
        let mut from = Text::literal("ssm:");
        from.append(self.evaluate(&name)?);
        let is_secret = command.words.iter().any(|word| word.text == "--with-decryption");
        Some(Meaning::Parameter { from, region: self.region(command).ok()?, is_secret })
    }

    fn of_secret(&mut self, command: &Command, filters: &[String]) -> Option<Meaning> {
        let query = flag(command, "--query").and_then(Word::literal)?;
        if query.trim_matches(['.', '"', '\'']) != "SecretString" {
            return None;
        }
        let mut from = Text::literal("secretsmanager:");
        from.append(self.evaluate(&flag(command, "--secret-id")?.clone())?);
        match filters {
            [] => {}
            [path] if !path.is_empty() => {
                let key = path.trim_start_matches('.').trim_matches(['"', '[', ']']);
                if key.contains(['.', '[', '|', ' ']) {
                    return None;
                }
                from.push(Piece::Literal(format!(":{key}")));
            }
            _ => return None,
        }
        Some(Meaning::Parameter { from, region: self.region(command).ok()?, is_secret: true })
    }

    /// The region that a command of AWS names; none if it is that of the build.
    fn region(&mut self, command: &Command) -> Result<Option<Text>, NotClear> {
        let Some(word) = flag(command, "--region").cloned() else { return Ok(None) };
        let region = self.evaluate(&word).ok_or(NotClear)?;
        let own = ["AWS_DEFAULT_REGION", "AWS_REGION"];
        let is_own =
            matches!(region.only(), Some(Piece::Environment(name)) if own.contains(&&**name));
        Ok((!is_own).then_some(region))
    }
}

fn without_empty<'a>(parts: &'a [&'a Part]) -> &'a [&'a Part] {
    match parts.split_first() {
        Some((Part::Text { text, .. }, rest)) if text.is_empty() => without_empty(rest),
        _ => parts,
    }
}

/// What `jq -r PATH` asks for; nothing at all for `tr -d '"'`.
fn jq_path(body: &Body) -> Option<String> {
    let Body::Simple(command) = body else { return None };
    let words: Option<Vec<_>> = command.words.iter().map(Word::literal).collect();
    let words = words?;
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["jq", "-r" | "--raw-output", path] | ["jq", path, "-r" | "--raw-output"] => {
            Some((*path).to_owned())
        }
        ["tr", "-d", "\""] | ["jq", "-r"] => Some(String::new()),
        _ => None,
    }
}

/// The word behind a flag, or behind its `=`.
pub(crate) fn flag<'a>(command: &'a Command, name: &str) -> Option<&'a Word> {
    let at = command.words.iter().position(|word| word.text == name)?;
    command.words.get(at + 1)
}

fn commit(filters: String) -> Text {
    Text::of(Piece::Expression { name: "COMMIT".into(), filters })
}

fn of_git(options: &[&str]) -> Option<Text> {
    let short = options.iter().find_map(|option| option.strip_prefix("--short"));
    let is_head = options
        .iter()
        .all(|it| matches!(*it, "HEAD" | "--verify" | "-q") || it.starts_with("--short"));
    if !is_head || !options.contains(&"HEAD") {
        return None;
    }
    Some(commit(match short {
        None => String::new(),
        Some(count) => {
            format!(" | short({})", count.strip_prefix('=').unwrap_or("7").parse::<usize>().ok()?)
        }
    }))
}

fn of_git_log(options: &[&str]) -> Option<Text> {
    let is_one = options.iter().any(|it| matches!(*it, "-1" | "-n1"));
    let format = options.iter().find_map(|it| {
        it.strip_prefix("--format=")
            .or_else(|| it.strip_prefix("--pretty=format:"))
            .or_else(|| it.strip_prefix("--pretty="))
    })?;
    match format {
        "%h" if is_one && options.len() == 2 => Some(commit(" | short(7)".into())),
        "%H" if is_one && options.len() == 2 => Some(commit(String::new())),
        _ => None,
    }
}

/// The value of an option, in any of its forms.
fn option<'a>(options: &[&'a str], short: &str, long: &str) -> Option<&'a str> {
    let at = options.iter().position(|it| it.starts_with(short) || it.starts_with(long))?;
    let word = options[at];
    let value = word
        .strip_prefix(long)
        .and_then(|it| it.strip_prefix('='))
        .or_else(|| word.strip_prefix(short));
    match value {
        Some("") | None => options.get(at + 1).copied(),
        value => value,
    }
}

fn of_cut(options: &[&str], name: Option<&str>) -> Option<String> {
    if let Some(range) =
        option(options, "-c", "--characters").or_else(|| option(options, "-b", "--bytes"))
    {
        let (start, end) = range.split_once('-')?;
        let start = if start.is_empty() { 1 } else { start.parse::<usize>().ok()? };
        let end = end.parse::<usize>().ok()?;
        return match start {
            0 => None,
            1 => Some(format!(" | short({end})")),
            start => Some(format!("[{}:{end}]", start - 1)),
        };
    }
    let sign = option(options, "-d", "--delimiter")?;
    field(sign, option(options, "-f", "--fields")?, name)
}

fn of_awk(options: &[&str], name: Option<&str>) -> Option<String> {
    let sign = option(options, "-F", "--field-separator")?;
    let program = options.last()?.replace(' ', "");
    let number =
        program.strip_prefix("{print$")?.strip_suffix('}')?.trim_end_matches(';').to_owned();
    field(sign, &number, name)
}

/// One field of a text. Only the first and the last have a filter; an id of a build has two.
fn field(sign: &str, number: &str, name: Option<&str>) -> Option<String> {
    if sign.len() != 1 || sign == "'" {
        return None;
    }
    let is_last =
        number == "NF" || number == "2" && name == Some("CODEBUILD_BUILD_ID") && sign == ":";
    match number {
        "1" => Some(format!(" | split('{sign}') | first")),
        _ if is_last => Some(format!(" | split('{sign}') | last")),
        _ => None,
    }
}

fn of_tr(options: &[&str]) -> Option<String> {
    match options {
        ["[:upper:]" | "A-Z" | "[A-Z]", "[:lower:]" | "a-z" | "[a-z]"] => Some(" | lower".into()),
        ["[:lower:]" | "a-z" | "[a-z]", "[:upper:]" | "A-Z" | "[A-Z]"] => Some(" | upper".into()),
        ["-d", sign] if is_sign(sign) => Some(format!(" | replace('{sign}', '')")),
        [old, new] if is_sign(old) && is_sign(new) => Some(format!(" | replace('{old}', '{new}')")),
        _ => None,
    }
}

fn is_sign(text: &str) -> bool {
    text.chars().count() == 1 && !text.contains(['\'', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_texts_become_filters() {
        assert_eq!(of_cut(&["-c", "1-7"], None).as_deref(), Some(" | short(7)"));
        assert_eq!(of_cut(&["-c-8"], None).as_deref(), Some(" | short(8)"));
        assert_eq!(of_cut(&["-c", "3-9"], None).as_deref(), Some("[2:9]"));
        assert_eq!(of_cut(&["-d", "/", "-f1"], None).as_deref(), Some(" | split('/') | first"));
        let id = Some("CODEBUILD_BUILD_ID");
        assert_eq!(of_cut(&["-d:", "-f2"], id).as_deref(), Some(" | split(':') | last"));
        assert_eq!(of_awk(&["-F:", "{print $2}"], id).as_deref(), Some(" | split(':') | last"));
        assert_eq!(
            of_awk(&["-F", "/", "{ print $NF }"], None).as_deref(),
            Some(" | split('/') | last")
        );
        assert_eq!(of_cut(&["-d/", "-f3"], None), None);
        assert_eq!(of_tr(&["/", "-"]).as_deref(), Some(" | replace('/', '-')"));
    }
}
