//! Environment variables, `NAME=value` on each line.
//!
//! Docker and ECS take everything behind the first `=` as the value, quotes and spaces included
//! ([environment files]); a shell takes quotes away, and runs what stands in `$(…)`. No file says the
//! same to both unless its values need no quotes, so that is what is written where nobody says for
//! whom the file is.
//!
//! [environment files]: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/use-environment-file.html

use shipspec_spec::config::{DotenvConfig, Quotes, Text};
use shipspec_spec::value::UNKNOWN;

use super::Parts;

/// The lines, each with its newline.
pub(super) fn write(config: &DotenvConfig, parts: &mut Parts<'_>) -> String {
    let lines = config.variables.iter().map(|(name, text)| {
        let value = parts.text(text);
        let value = line(&value, config.quotes).unwrap_or_else(|error| {
            tell(error, name, text, parts);
            String::new()
        });
        format!("{name}={value}\n")
    });
    lines.collect()
}

/// Why a value cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unfit {
    /// It has a newline or another sign that ends a line or a text.
    Newline,
    /// Who reads the file decides what it says.
    Ambiguous,
}

fn line(value: &str, quotes: Option<Quotes>) -> Result<String, Unfit> {
    if value.contains(['\n', '\r', '\0']) {
        return Err(Unfit::Newline);
    }
    match quotes {
        _ if is_plain(value) => Ok(value.to_owned()),
        Some(Quotes::None) => Ok(value.to_owned()),
        // Inside of single quotes, a shell reads every sign as it is but for the quote itself.
        Some(Quotes::Shell) => Ok(format!("'{}'", value.replace('\'', r"'\''"))),
        None => Err(Unfit::Ambiguous),
    }
}

/// Every reader takes it as it is: no sign of it means anything to a shell.
fn is_plain(value: &str) -> bool {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "_-./:@%+,=".contains(sign);
    // Some shells read `=name` as the path of a command.
    !value.starts_with('=') && value.chars().all(|sign| is_plain(sign) || sign == UNKNOWN)
}

fn tell(error: Unfit, name: &str, text: &Text, parts: &mut Parts<'_>) {
    match error {
        Unfit::Newline => {
            let message = format!(
                "the value of `{name}` has more than one line, which no line of the file can hold"
            );
            parts.advise(
                text,
                message,
                "encode it, such as with base64, or let the container read it by its ARN",
            );
        }
        Unfit::Ambiguous => {
            let message = format!(
                "Docker and ECS would read the value of `{name}` otherwise than a shell does"
            );
            parts.advise(text, message, "say who reads the file: `quotes: none` for Docker and ECS, `quotes: shell` for a shell");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// What a shell has in `V0`, `V1`, … after it has read the lines.
    fn as_a_shell_reads(lines: &str) -> Vec<String> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(lines.as_bytes()).unwrap();
        let output = Command::new("sh")
            .args(["-c", "set -a; . \"$0\"; env -0"])
            .arg(file.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let mut values: Vec<_> = text
            .split('\0')
            .filter_map(|entry| entry.strip_prefix('V')?.split_once('='))
            .map(|(index, value)| (index.parse::<usize>().unwrap(), value.to_owned()))
            .collect();
        values.sort();
        values.into_iter().map(|(_, value)| value).collect()
    }

    fn lines(values: &[String], quotes: Option<Quotes>) -> Result<String, Unfit> {
        let line =
            |(index, value): (usize, &String)| Ok(format!("V{index}={}\n", line(value, quotes)?));
        values.iter().enumerate().map(line).collect()
    }

    #[test]
    fn what_docker_and_a_shell_read_alike_is_written_as_it_is() {
        let values = ["", "a", "https://x.example/a?", "arn:aws:ecs:r:1:x/y", "a=b==", "1,2;", "'"];
        let fits = values.map(|value| line(value, None));
        let as_it_is = |value: &str| Ok(value.to_owned());
        assert_eq!(fits[0], as_it_is(""));
        assert_eq!(fits[1], as_it_is("a"));
        assert_eq!(fits[2], Err(Unfit::Ambiguous));
        assert_eq!(fits[3], as_it_is("arn:aws:ecs:r:1:x/y"));
        assert_eq!(fits[4], as_it_is("a=b=="));
        assert_eq!(fits[5..], [Err(Unfit::Ambiguous), Err(Unfit::Ambiguous)]);
        assert_eq!(line("=a", None), Err(Unfit::Ambiguous));
        assert_eq!(line("a b", Some(Quotes::None)), as_it_is("a b"));
        assert_eq!(line("a b", Some(Quotes::Shell)), as_it_is("'a b'"));
        for quotes in [None, Some(Quotes::None), Some(Quotes::Shell)] {
            assert_eq!(line("a\nb", quotes), Err(Unfit::Newline));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_shell_reads_every_value_that_was_quoted_for_it(
            values in prop::collection::vec("[^\r\n\0\u{e000}]{0,12}|[ '\"$`\\\\;&|#~!*(){}<>=\t]{0,12}", 1..24)
        ) {
            let lines = lines(&values, Some(Quotes::Shell)).unwrap();
            prop_assert_eq!(as_a_shell_reads(&lines), values);
        }

        #[test]
        fn a_shell_and_docker_read_alike_what_needs_no_quotes(
            values in prop::collection::vec("[ -~]{0,6}", 1..200)
        ) {
            let plain: Vec<_> = values.into_iter().filter(|value| line(value, None).is_ok()).collect();
            let text = lines(&plain, None).unwrap();
            let as_docker = text.lines().map(|line| line.split_once('=').unwrap().1.to_owned());
            prop_assert_eq!(as_docker.collect::<Vec<_>>(), plain.clone());
            prop_assert_eq!(as_a_shell_reads(&text), plain);
        }
    }
}
