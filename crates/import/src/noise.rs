//! Commands that shipspec makes superfluous: logins, guards, engines that are started, words.

use shipspec_shell::{Body, Command, Part, Statement, simple_commands};

use crate::walk::What;

/// Why an `echo` is left out.
pub(crate) const ONLY_SAYS: &str = "it only says what comes next";

/// A statement that nothing needs any more, or that stays for a reason of its own.
pub(crate) fn look(statement: &Statement) -> Option<What> {
    if is_guard(statement) {
        return Some(What::Guards);
    }
    if is_old_login(statement) {
        return Some(What::SignsIn);
    }
    if let Some(what) = login(statement) {
        return Some(what);
    }
    if is_wait(std::slice::from_ref(statement)) {
        return Some(What::Daemon);
    }
    if starts_daemon(statement) {
        return Some(What::Daemon);
    }
    let command = statement.command()?;
    let words: Vec<_> = command.words.iter().map(|word| &*word.text).collect();
    match words.as_slice() {
        ["echo", ..] if command.redirects.is_empty() && only_says(command) => {
            Some(What::Dropped(ONLY_SAYS))
        }
        ["aws", "--version"] => Some(What::Dropped("shipspec needs no AWS CLI")),
        ["docker", "--version" | "version" | "-v"] => {
            Some(What::Dropped("`shipspec doctor` looks at the engine"))
        }
        ["set", options] if options.starts_with(['-', '+']) => {
            Some(What::Kept("it says how the shell works".into()))
        }
        _ => None,
    }
}

/// `echo` of words, dates and variables.
fn only_says(command: &Command) -> bool {
    let harmless = ["date", "pwd", "hostname", "uname", "whoami"];
    command.words.iter().flat_map(|word| &word.parts).all(|part| match part {
        Part::Text { .. } | Part::Variable { .. } => true,
        Part::Output(script) => script.statements.iter().all(|statement| {
            statement.command().is_some_and(|command| {
                command.words.first().is_some_and(|word| harmless.contains(&&*word.text))
            })
        }),
        Part::Other => false,
    })
}

fn words_of(body: &Body) -> Vec<&str> {
    match body {
        Body::Simple(command) => {
            let (_, words) = command.split();
            let skip = usize::from(words.first().is_some_and(|word| word.text == "sudo"));
            words[skip..].iter().map(shipspec_shell::Word::bare).collect()
        }
        Body::Compound { .. } => Vec::new(),
    }
}

/// A login at ECR: a pipe that ends in `docker login`, or `docker login` with a password.
fn login(statement: &Statement) -> Option<What> {
    let is_login =
        |body: &Body| matches!(words_of(body).as_slice(), ["docker" | "podman", "login", ..]);
    let last = statement.pipeline.last().filter(|body| is_login(body))?;
    let from_ecr = |text: &str| text.contains("get-login-password") || text.contains("get-login ");
    let Body::Simple(command) = last else { return None };
    let is_ecr = statement.pipeline.iter().any(|body| {
        matches!(words_of(body).as_slice(), ["aws", "ecr" | "ecr-public", "get-login-password", ..])
    }) || command
        .words
        .iter()
        .any(|word| from_ecr(&word.text) || word.text.contains(".dkr.ecr."));
    is_ecr.then_some(What::SignsIn)
}

/// `$(aws ecr get-login …)`, with or without `eval` or a shell.
fn is_old_login(statement: &Statement) -> bool {
    let gets = |body: &Body| matches!(words_of(body).as_slice(), ["aws", "ecr", "get-login", ..]);
    let of_output = |part: &Part| match part {
        Part::Output(script) => script.statements.iter().flat_map(|it| &it.pipeline).any(gets),
        _ => false,
    };
    match statement.pipeline.as_slice() {
        [Body::Simple(command)] => {
            let (assignments, words) = command.split();
            let words = match words {
                [eval, rest @ ..] if eval.text == "eval" => rest,
                words => words,
            };
            assignments.is_empty() && matches!(words, [word] if word.parts.iter().any(of_output))
        }
        [first, last] => {
            gets(first)
                && matches!(
                    words_of(last).as_slice(),
                    ["sh" | "bash" | "/bin/bash" | "/bin/sh", ..]
                )
        }
        _ => false,
    }
}

/// It ends the build if it has failed before, and does nothing else.
fn is_guard(statement: &Statement) -> bool {
    let text = |found: &[shipspec_shell::Simple]| {
        found
            .iter()
            .flat_map(|simple| &simple.words)
            .map(|word| word.text.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut inner = Vec::new();
    collect(std::slice::from_ref(statement), &mut inner);
    let whole = text(&inner);
    let allowed = ["[", "[[", "test", "exit", "echo", "bash", "sh", "true", "false"];
    let is_quiet = inner
        .iter()
        .all(|simple| simple.words.first().is_some_and(|word| allowed.contains(&&*word.text)));
    whole.contains("CODEBUILD_BUILD_SUCCEEDING")
        && whole.contains("exit")
        && is_quiet
        && !whole.contains("docker")
}

fn collect(statements: &[Statement], found: &mut Vec<shipspec_shell::Simple>) {
    for body in statements.iter().flat_map(|statement| &statement.pipeline) {
        match body {
            Body::Simple(command) => found.push(shipspec_shell::Simple {
                words: command.words.clone(),
                is_redirected: false,
            }),
            Body::Compound { inner, .. } => collect(inner, found),
        }
    }
}

/// It starts dockerd.
pub(crate) fn starts_daemon(statement: &Statement) -> bool {
    let [body] = statement.pipeline.as_slice() else { return false };
    let words = words_of(body);
    let program = words.iter().find(|word| **word != "nohup").copied().unwrap_or_default();
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(name, "dockerd" | "dockerd-entrypoint.sh")
        || matches!(name, "service" | "systemctl")
            && words.contains(&"docker")
            && words.contains(&"start")
}

/// `docker info || dockerd &`: it starts dockerd where no engine answers.
pub(crate) fn starts_missing_daemon(chain: &[Statement]) -> bool {
    let asks = |statement: &Statement| {
        let words = statement.pipeline.first().map(words_of).unwrap_or_default();
        matches!(words.as_slice(), ["docker", "info" | "ps" | "version", ..])
    };
    chain.split_last().is_some_and(|(last, before)| starts_daemon(last) && before.iter().all(asks))
}

/// It waits until the engine answers.
pub(crate) fn is_wait(statements: &[Statement]) -> bool {
    let mut inner = Vec::new();
    collect(statements, &mut inner);
    let mut has_loop = statements
        .iter()
        .flat_map(|it| &it.pipeline)
        .any(|body| matches!(body, Body::Compound { .. }));
    let mut asks = false;
    for simple in inner.clone() {
        let program = simple.words.iter().map(shipspec_shell::Word::bare).collect::<Vec<_>>();
        match program.as_slice() {
            ["timeout", .., "sh" | "bash", "-c", script] => {
                has_loop |= script.starts_with("until ") || script.starts_with("while ");
                let nested = simple_commands(script);
                asks |=
                    nested.iter().any(|it| it.is(&["docker", "info"]) || it.is(&["docker", "ps"]));
                if !nested.iter().all(is_part_of_waiting) {
                    return false;
                }
            }
            _ if is_part_of_waiting(&simple) => {
                asks |= simple.is(&["docker", "info"])
                    || simple.is(&["docker", "ps"])
                    || simple.is(&["docker", "version"]);
            }
            _ => return false,
        }
    }
    has_loop && asks
}

fn is_part_of_waiting(simple: &shipspec_shell::Simple) -> bool {
    let words: Vec<_> = simple.words.iter().map(shipspec_shell::Word::bare).collect();
    match words.as_slice() {
        ["docker", "info" | "ps" | "version", ..]
        | ["sleep" | "echo" | "exit" | "printf" | "true" | "break" | "[" | "[[" | "test", ..]
        | [_, "in", ..] => true,
        _ => simple.program().is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(text: &str) -> Option<What> {
        look(&shipspec_shell::parse(text).statements[0])
    }

    #[test]
    fn logins_are_known_in_every_form() {
        for text in [
            "$(aws ecr get-login --no-include-email --region $R)",
            "eval $(aws ecr get-login --no-include-email)",
            "aws ecr get-login --no-include-email | bash",
            "aws ecr get-login-password | docker login --username AWS --password-stdin $H",
            "aws ecr-public get-login-password --region us-east-1 | docker login -u AWS --password-stdin public.ecr.aws",
            "docker login -u AWS -p $(aws ecr get-login-password) $H",
        ] {
            assert_eq!(what(text), Some(What::SignsIn), "{text}");
        }
        assert_eq!(what("echo $TOKEN | docker login -u $USER --password-stdin"), None);
    }

    #[test]
    fn guards_and_engines_are_known() {
        for text in [
            "if [ \"$CODEBUILD_BUILD_SUCCEEDING\" = 0 ]; then echo failed; exit 1; fi",
            "bash -c \"if [ /\"$CODEBUILD_BUILD_SUCCEEDING/\" == /\"0/\" ]; then exit 1; fi\"",
        ] {
            assert_eq!(what(text), Some(What::Guards), "{text}");
        }
        for text in [
            "timeout 15 sh -c \"until docker info; do echo .; sleep 1; done\"",
            "until docker info > /dev/null 2>&1; do sleep 1; done",
            "nohup /usr/local/bin/dockerd --host=unix:///var/run/docker.sock &",
        ] {
            assert_eq!(what(text), Some(What::Daemon), "{text}");
        }
        for text in [
            "for f in a b; do docker info; rm $f; done",
            "if [ $X ]; then exit 1; fi",
            "echo $(make)",
        ] {
            assert_eq!(what(text), None, "{text}");
        }
    }
}
