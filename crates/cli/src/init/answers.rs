//! What is said of a pipeline.

use std::collections::BTreeMap;

use super::repository;

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

    /// The answer of which this may not be the same.
    fn other(self) -> Option<Self> {
        match self {
            Self::Repository => Some(Self::SidecarRepository),
            Self::Container => Some(Self::Sidecar),
            Self::Sidecar => Some(Self::Container),
            Self::SidecarRepository => Some(Self::Repository),
            Self::Port => None,
        }
    }

    /// The answer as the files have it, or why the text cannot be one.
    fn read(self, text: &str) -> Result<String, String> {
        let is_name = |text: &str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            !text.is_empty() && text.len() <= 255 && text.bytes().all(is_part)
        };
        match self {
            Self::Repository | Self::SidecarRepository => {
                repository::check(text).map(|()| text.to_owned())
            }
            Self::Container | Self::Sidecar if is_name(text) => Ok(text.to_owned()),
            Self::Container | Self::Sidecar => {
                Err(format!("`{text}` is no name of a container: letters, digits, `-` and `_`"))
            }
            // JSON has no number that begins with a zero.
            Self::Port => match text.parse::<u16>() {
                Ok(port @ 1..) => Ok(port.to_string()),
                _ => Err(format!("`{text}` is no port: 1 to 65535")),
            },
        }
    }
}

impl Answers {
    /// Takes an answer, or says why the text cannot be it.
    pub(crate) fn set(&mut self, answer: Answer, text: &str) -> Result<(), String> {
        let text = answer.read(text)?;
        if let Some(other) = answer.other()
            && self.get(other) == Some(&*text)
        {
            return Err(format!("`{text}` is the {} already", other.question()));
        }
        self.0.insert(answer, text);
        Ok(())
    }

    /// The flags of answers that nobody asks for.
    pub(crate) fn flags_beside(&self, asked: &[Answer]) -> impl Iterator<Item = &'static str> {
        self.0.keys().filter(|answer| !asked.contains(answer)).map(|answer| answer.flag())
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
        for (answer, text, written) in [
            (Answer::Container, "web-1_a", "web-1_a"),
            (Answer::Port, "8080", "8080"),
            (Answer::Port, "08080", "8080"),
            (Answer::Repository, "${REPOSITORY_URL}", "${REPOSITORY_URL}"),
        ] {
            assert_eq!(answer.read(text).as_deref(), Ok(written));
        }
        for (answer, text) in [
            (Answer::Container, "a\"b"),
            (Answer::Container, ""),
            (Answer::Sidecar, "../x"),
            (Answer::Port, "0"),
            (Answer::Port, "70000"),
            (Answer::Repository, "a: b"),
        ] {
            assert!(answer.read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn two_containers_and_two_repositories_are_two() {
        let mut answers = Answers::default();
        assert_eq!(answers.set(Answer::Container, "web"), Ok(()));
        let told = "`web` is the container in the task definition already";
        assert_eq!(answers.set(Answer::Sidecar, "web").unwrap_err(), told);
        assert_eq!(answers.set(Answer::SidecarRepository, "a/b"), Ok(()));
        assert!(answers.set(Answer::Repository, "a/b").is_err());
        assert_eq!(
            answers.flags_beside(&[Answer::Container]).collect::<Vec<_>>(),
            ["--sidecar-repository"]
        );
    }
}
