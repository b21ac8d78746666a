//! Logins at registries that are none of ECR's.

use shipspec_shell::{Body, Command, Statement, Word};

use crate::text::{Meaning, Piece, Text};
use crate::walk::{Walk, What};

/// A user of a registry.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) host: String,
    pub(crate) user: Text,
    /// The parameter that has the password.
    pub(crate) password: String,
}

/// A pipe that ends in `docker login`.
pub(crate) fn is_login(statement: &Statement) -> bool {
    let words = |command: &Command| {
        command.words.iter().take(2).map(|word| word.text.clone()).collect::<Vec<_>>()
    };
    match statement.pipeline.last() {
        Some(Body::Simple(command)) => words(command) == ["docker", "login"],
        _ => false,
    }
}

impl Walk<'_> {
    /// A login whose password is a parameter goes to `registries:`.
    pub(crate) fn sign_in(&mut self, statement: &Statement) -> What {
        match self.login(statement) {
            Some(login) => {
                self.logins.push(login);
                What::SignsInAt(self.logins.len() - 1)
            }
            None => What::Kept(
                "shipspec uses what `docker login` leaves for registries other than ECR".into(),
            ),
        }
    }

    fn login(&mut self, statement: &Statement) -> Option<Login> {
        let commands = statement.pipeline.iter().map(|body| match body {
            Body::Simple(command) => Some(command),
            Body::Compound { .. } => None,
        });
        let commands = commands.collect::<Option<Vec<_>>>()?;
        let (said, login) = match commands.as_slice() {
            [login] => (None, login),
            [said, login] => (Some(said), login),
            _ => return None,
        };
        let (mut user, mut password, mut host) = (None, None, None);
        let mut words = login.words[2..].iter();
        while let Some(word) = words.next() {
            match &*word.text {
                "-u" | "--username" => user = Some(words.next()?.clone()),
                "-p" | "--password" => password = Some(words.next()?.clone()),
                "--password-stdin" => password = Some(printed(said?)?),
                text if text.starts_with('-') => return None,
                _ => host = Some(word.clone()),
            }
        }
        let host = match host {
            None => "docker.io".to_owned(),
            Some(word) => self.evaluate(&word)?.known()?,
        };
        let host = host.trim_start_matches("https://").split('/').next()?.to_owned();
        let host = if host == "index.docker.io" { "docker.io".into() } else { host };
        let user = self.evaluate(&user?)?;
        let password = self.parameter_of(&password?)?;
        Some(Login { host, user, password })
    }

    /// The parameter that a word is, and nothing else.
    fn parameter_of(&mut self, word: &Word) -> Option<String> {
        let text = self.evaluate(word)?;
        let Piece::Variable(number) = text.only()? else { return None };
        let variable = &self.variables.0[*number];
        matches!(variable.meaning, Meaning::Parameter { .. }).then(|| variable.name.clone())
    }
}

/// The only word that `echo` or `printf` prints.
fn printed(command: &Command) -> Option<Word> {
    let texts: Vec<_> = command.words.iter().map(Word::bare).collect();
    let is_said = command.redirects.is_empty();
    match texts.as_slice() {
        ["echo" | "printf", _] | ["echo", "-n", _] | ["printf", "%s", _] if is_said => {
            command.words.last().cloned()
        }
        _ => None,
    }
}
