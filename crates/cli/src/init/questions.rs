//! Asks for what no flag has said.
//!
//! Lines, and no menus that are drawn: nothing has to be put back when somebody ends it with Ctrl-C, and
//! every terminal can do it.

use std::io::{self, BufRead, IsTerminal as _, Write as _};

use clap::ValueEnum as _;

use super::{Answer, Answers, Pipeline};

/// Somebody who can be asked.
#[derive(Debug)]
pub(crate) struct Terminal(());

impl Terminal {
    /// Nobody, where questions would not be seen or answers not come from a person.
    pub(crate) fn find() -> Option<Self> {
        (io::stdin().is_terminal() && io::stderr().is_terminal()).then_some(Self(()))
    }
}

/// Asks for the kind of pipeline.
fn ask_pipeline() -> io::Result<Pipeline> {
    let kinds = Pipeline::value_variants();
    {
        let mut stderr = io::stderr().lock();
        for (number, kind) in kinds.iter().enumerate() {
            let Some(value) = kind.to_possible_value() else { continue };
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            writeln!(stderr, "{}  {:<19} {help}", number + 1, value.get_name())?;
        }
    }
    let find = |text: &str| {
        let number =
            text.parse::<usize>().ok().and_then(|number| kinds.get(number.checked_sub(1)?));
        number.copied().or_else(|| Pipeline::from_str(text, false).ok())
    };
    let wrong = |text: &str| format!("`{text}` is none of them");
    let text = ask("pipeline", None, |text| find(text).map(drop).ok_or_else(|| wrong(text)))?;
    find(&text).ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
/// Asks until the answer fits.
fn ask(
    question: &str,
    default: Option<&str>,
    mut take: impl FnMut(&str) -> Result<(), String>,
) -> io::Result<String> {
    loop {
        let hint = default.map(|default| format!(" [{default}]")).unwrap_or_default();
        let mut stderr = io::stderr().lock();
        write!(stderr, "{question}{hint}: ")?;
        stderr.flush()?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line)? == 0 {
            writeln!(stderr)?;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let text = Some(line.trim()).filter(|text| !text.is_empty()).or(default);
        match take(text.unwrap_or_default()) {
            Ok(()) => return Ok(text.unwrap_or_default().to_owned()),
            Err(why) => writeln!(stderr, "  {why}")?,
        }
    }
}

/// Asks for everything that is missing.
pub(crate) fn complete(
    _: &Terminal,
    pipeline: Option<Pipeline>,
    mut answers: Answers,
) -> io::Result<(Pipeline, Answers)> {
    let pipeline = match pipeline {
        Some(pipeline) => pipeline,
        None => ask_pipeline()?,
    };
    let missing: Vec<Answer> =
        pipeline.questions().iter().copied().filter(|it| answers.get(*it).is_none()).collect();
    for answer in missing {
        ask(answer.question(), answer.default(), |text| answers.set(answer, text))?;
    }
    Ok((pipeline, answers))
}
