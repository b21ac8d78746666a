//! Every program that a text runs, wherever it stands.

use std::ops::Range;

use crate::syntax::{Body, Command, Direction, Part, Redirect, Statement, Target, Word};

/// A program and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simple {
    /// Assignments in front, the program, its words: as they are written, quotes and all.
    pub words: Vec<Word>,
    /// What it prints goes into a file or another program.
    pub is_redirected: bool,
}

impl Simple {
    /// The words from the program on, without what comes before it: assignments, `sudo`.
    #[must_use]
    pub fn program(&self) -> &[Word] {
        const BEFORE: [&str; 5] = ["sudo", "time", "exec", "command", "nohup"];
        let is_before = |word: &&Word| word.assignment().is_some() || BEFORE.contains(&&*word.text);
        let skip = self.words.iter().take_while(is_before).count();
        &self.words[skip..]
    }

    /// The program is this, with these words first.
    #[must_use]
    pub fn is(&self, words: &[&str]) -> bool {
        let program = self.program();
        program.len() >= words.len()
            && program.iter().zip(words).all(|(word, wanted)| word.bare() == *wanted)
    }

    /// From its first byte to its last.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        let program = self.program();
        let first = program.first().map_or(0, |word| word.range.start);
        first..program.last().map_or(first, |word| word.range.end)
    }
}

/// Every program of a text, those inside `$(…)`, backticks, `if` and the like included.
#[must_use]
pub fn simple_commands(text: &str) -> Vec<Simple> {
    let mut found = Vec::new();
    all(&crate::parse(text).statements, false, &mut found);
    found
}

fn all(statements: &[Statement], is_redirected: bool, found: &mut Vec<Simple>) {
    for statement in statements {
        let last = statement.pipeline.len().saturating_sub(1);
        for (index, body) in statement.pipeline.iter().enumerate() {
            let is_redirected = is_redirected || index < last;
            match body {
                Body::Simple(command) => one(command, is_redirected, found),
                Body::Compound { inner, redirects } => {
                    all(inner, is_redirected || writes(redirects), found);
                }
            }
        }
    }
}

fn one(command: &Command, is_redirected: bool, found: &mut Vec<Simple>) {
    let targets = command.redirects.iter().filter_map(|redirect| match &redirect.target {
        Target::Word(word) | Target::Text(word) => Some(word),
        Target::Document { .. } => None,
    });
    for part in command.words.iter().chain(targets).flat_map(|word| &word.parts) {
        if let Part::Output(script) = part {
            // What it prints becomes a part of the word.
            all(&script.statements, true, found);
        }
    }
    if !command.words.is_empty() {
        let is_redirected = is_redirected || writes(&command.redirects);
        found.push(Simple { words: command.words.clone(), is_redirected });
    }
}

fn writes(redirects: &[Redirect]) -> bool {
    redirects.iter().any(|redirect| redirect.direction != Direction::In)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let join = |simple: Simple| {
            let words: Vec<_> = simple.words.iter().map(|word| word.text.as_str()).collect();
            format!("{}{}", words.join(" "), if simple.is_redirected { " >" } else { "" })
        };
        simple_commands(text).into_iter().map(join).collect()
    }

    #[test]
    fn programs_are_found_with_their_words() {
        assert_eq!(words("a 1 && b '2 ; 3' || c"), ["a 1", "b '2 ; 3'", "c"]);
        assert_eq!(
            words("X=$(aws ecr get-login | sh) go 2> /dev/null # no"),
            ["aws ecr get-login >", "sh >", "X=$(aws ecr get-login | sh) go >"]
        );
        assert_eq!(
            words("echo \"$(date)\" `id` > f"),
            ["date >", "id >", "echo \"$(date)\" `id` >"]
        );
        assert_eq!(
            words("printf '%s' \"${A:-b c}\" | tee f\nd"),
            ["printf '%s' \"${A:-b c}\" >", "tee f", "d"]
        );
    }

    #[test]
    fn programs_inside_of_others_are_found() {
        assert_eq!(
            words(
                "if [ -z $A ]; then b; elif c; then d; else e; fi && for x in 1 2; do f $x; done"
            ),
            ["[ -z $A ]", "b", "c", "d", "e", "x in 1 2", "f $x"]
        );
        assert_eq!(
            words("case $A in x|y) b ;; *) c;; esac; while read l; do d; done < f; (g; { h; })"),
            ["b", "c", "read l", "d", "g", "h"]
        );
        assert_eq!(words("[[ -z $A || $B == x* ]] && { c; } > f"), ["[[ -z $A $B == x* ]]", "c >"]);
        assert_eq!(words("f() { a; }; f"), ["a", "f"]);
    }

    #[test]
    fn broken_text_is_no_crash() {
        for text in [
            "$(",
            "\"",
            "'",
            "`",
            "${",
            "a \\",
            "<",
            ">&",
            "é$(é",
            "$(\\",
            "if",
            "case",
            "case é in",
            "((",
            ")",
            "}",
            "fi",
            "for",
            "<<E",
            "a <<E\né",
            "a=(",
            "$((",
            "`\\é",
            "[[ é",
            "`é`",
        ] {
            let _ = crate::parse(text);
        }
        assert!(!crate::parse("a \"b").is_whole && !crate::parse("if a; then b").is_whole);
        assert!(!crate::parse("a )").is_whole && crate::parse("a $(b) `c` ${d}").is_whole);
        let _ = crate::parse(&"$(".repeat(10_000));
        let _ = crate::parse(&"`".repeat(10_001));
        let _ = crate::parse(&"(".repeat(10_000));
    }

    #[test]
    fn documents_belong_to_their_statement() {
        let text = "cat > f <<EOF\n$A\nEOF\nb <<-'X'\n\tc\n\tX\nd";
        let script = crate::parse(text);
        assert_eq!(script.documents, ["$A\n", "c\n"]);
        let texts: Vec<_> = script.statements.iter().map(|it| &text[it.range.clone()]).collect();
        assert_eq!(texts, ["cat > f <<EOF\n$A\nEOF\n", "b <<-'X'\n\tc\n\tX\n", "d"]);
        assert!(script.is_whole);
    }
}
