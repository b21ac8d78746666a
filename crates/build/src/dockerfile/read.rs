//! From the parser's instructions to what counts here.

use parse_dockerfile::{AddInstruction, Flag, Instruction, Source};

use super::{Dockerfile, DockerfileError, Item, OnlineStep, Stage};

pub(super) fn read(text: &str) -> Result<Dockerfile, DockerfileError> {
    // The parser counts places from behind it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let parsed = parse_dockerfile::parse(text).map_err(|error| DockerfileError {
        line: error.line(),
        column: error.column(),
        message: message(&error),
    })?;
    let directives = &parsed.parser_directives;
    let mut dockerfile = Dockerfile {
        syntax: directives.syntax.as_ref().map(|syntax| syntax.value.value.to_owned()),
        escape: directives.escape.as_ref().map_or('\\', |escape| escape.value.value),
        arguments: parsed
            .global_args()
            .map(|argument| argument.arguments.value.to_string())
            .collect(),
        stages: Vec::new(),
    };
    for stage in parsed.stages() {
        let items = stage.instructions.iter().flat_map(|instruction| items(text, instruction));
        dockerfile.stages.push(Stage {
            name: stage.from.as_.as_ref().map(|(_, name)| name.value.to_string()),
            base: stage.from.image.value.to_string(),
            items: items.collect(),
        });
    }
    Ok(dockerfile)
}

fn items(text: &str, instruction: &Instruction<'_>) -> Vec<Item> {
    match instruction {
        Instruction::Arg(argument) => vec![Item::Argument(argument.arguments.value.to_string())],
        Instruction::Copy(copy) => values(&copy.options, "from").map(Item::From).collect(),
        Instruction::Run(run) => {
            let line = line_of(text, run.run.span.start);
            let mounts = values(&run.options, "mount");
            let is_offline = values(&run.options, "network").last().as_deref() == Some("none");
            let step = Item::Online(OnlineStep { line, is_run: true });
            let mounts = mounts.map(|text| Item::Mount { text, line });
            mounts.chain((!is_offline).then_some(step)).collect()
        }
        Instruction::Add(add) if is_online(add) => {
            let line = line_of(text, add.add.span.start);
            vec![Item::Online(OnlineStep { line, is_run: false })]
        }
        _ => Vec::new(),
    }
}

/// It takes something from an address, and does not say what it must be. A variable may be an address.
fn is_online(add: &AddInstruction<'_>) -> bool {
    let is_address = |source: &Source<'_>| match source {
        Source::Path(path) => {
            let path = &*path.value;
            path.contains("://") || path.starts_with("git@") || path.starts_with('$')
        }
        _ => false,
    };
    values(&add.options, "checksum").next().is_none() && add.src.iter().any(is_address)
}

pub(super) fn values(flags: &[Flag<'_>], name: &'static str) -> impl Iterator<Item = String> {
    let named = flags.iter().filter(move |flag| flag.name.value.eq_ignore_ascii_case(name));
    named.filter_map(|flag| flag.value.as_ref().map(|value| value.value.to_string()))
}

fn line_of(text: &str, position: usize) -> usize {
    text.bytes().take(position).filter(|byte| *byte == b'\n').count() + 1
}

/// The parser's words without the place, which stands beside them.
fn message(error: &parse_dockerfile::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((message, _)) => message.to_owned(),
        None => text,
    }
}
