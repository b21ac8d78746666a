//! What is said of a pipeline.

use std::collections::BTreeMap;

/// One thing that is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Answer {
    Repository,
    Container,
    Port,
    Sidecar,
    SidecarRepository,
}

/// Everything that is said.
#[derive(Debug, Default)]
pub(crate) struct Answers(BTreeMap<Answer, String>);

impl Answer {
    /// The flag that says it.
    pub(crate) fn flag(self) -> &'static str {
        match self {
            Self::Repository => "--repository",
            Self::Container => "--container",
            Self::Port => "--port",
            Self::Sidecar => "--sidecar",
            Self::SidecarRepository => "--sidecar-repository",
        }
    }

    /// The question.
    pub(crate) fn question(self) -> &'static str {
        match self {
            Self::Repository => "repository that the image is pushed to",
            Self::Container => "container in the task definition",
            Self::Port => "port that the container listens on",
            Self::Sidecar => "second container, and the folder of its Dockerfile",
            Self::SidecarRepository => "repository of its image",
        }
    }

    /// What is taken where nothing is answered.
    pub(crate) fn default(self) -> Option<&'static str> {
        match self {
            Self::Repository => Some("${REPOSITORY_URL}"),
            Self::Container => Some("app"),
            Self::Port => Some("80"),
            Self::Sidecar => None,
            Self::SidecarRepository => Some("${SIDECAR_REPOSITORY_URL}"),
        }
    }

    /// Where it stands in the templates.
    fn mark(self) -> &'static str {
        match self {
            Self::Repository => "__REPOSITORY__",
            Self::Container => "__CONTAINER__",
            Self::Port => "__PORT__",
            Self::Sidecar => "__SIDECAR__",
            Self::SidecarRepository => "__SIDECAR_REPOSITORY__",
        }
    }

    /// Why a text cannot be the answer.
    pub(crate) fn check(self, text: &str) -> Result<(), String> {
        let is_name = |text: &str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            !text.is_empty() && text.len() <= 255 && text.bytes().all(is_part)
        };
        match self {
            Self::Repository | Self::SidecarRepository => {
                let is_part =
                    |letter: char| letter.is_ascii_alphanumeric() || "._-/:${}".contains(letter);
                let is_one =
                    text.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '$');
                if is_one && text.chars().all(is_part) && !text.ends_with(':') {
                    return Ok(());
                }
                Err(format!(
                    "`{text}` is no repository; write `registry/name`, or `${{NAME}}` for a variable of the build"
                ))
            }
            Self::Container | Self::Sidecar if is_name(text) => Ok(()),
            Self::Container | Self::Sidecar => {
                Err(format!("`{text}` is no name of a container: letters, digits, `-` and `_`"))
            }
            Self::Port => match text.parse::<u16>() {
                Ok(1..) => Ok(()),
                _ => Err(format!("`{text}` is no port: 1 to 65535")),
            },
        }
    }
}

impl Answers {
    pub(crate) fn set(&mut self, answer: Answer, text: &str) {
        self.0.insert(answer, text.to_owned());
    }

    pub(crate) fn get(&self, answer: Answer) -> Option<&str> {
        self.0.get(&answer).map(String::as_str)
    }

    /// A template with the answers in it.
    pub(super) fn fill(&self, template: &str) -> String {
        let fill =
            |text: String, (answer, value): (&Answer, &String)| text.replace(answer.mark(), value);
        self.0.iter().fold(template.to_owned(), fill)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_cannot_break_the_file_that_it_stands_in() {
        assert!(Answer::Container.check("web-1_a").is_ok() && Answer::Port.check("8080").is_ok());
        for text in [
            "${REPOSITORY_URL}",
            "111122223333.dkr.ecr.eu-west-1.amazonaws.com/a/b",
            "localhost:5000/a",
        ] {
            assert_eq!(Answer::Repository.check(text), Ok(()));
        }
        for (answer, text) in [
            (Answer::Container, "a\"b"),
            (Answer::Container, ""),
            (Answer::Sidecar, "../x"),
            (Answer::Port, "0"),
            (Answer::Port, "70000"),
            (Answer::Repository, "a b"),
            (Answer::Repository, "a: b"),
            (Answer::Repository, "[a]"),
        ] {
            assert!(answer.check(text).is_err(), "{text}");
        }
    }
}
