//! `RUN --mount=…`.

/// A secret that a step mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMount {
    /// The id that it is asked for by.
    pub id: String,
    /// The line of the step, from 1.
    pub line: usize,
    /// Whether the step fails without it, where it says so; else it runs without.
    pub required: Option<bool>,
    /// The path of the file that holds it, where the step names one.
    pub target: Option<String>,
    /// The variable that holds it, where the step names one.
    pub variable: Option<String>,
}

/// An ssh agent that a step mounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshMount {
    /// The id that it is asked for by.
    pub id: String,
    /// The line of the step, from 1.
    pub line: usize,
    /// The step fails without it; else it runs without.
    pub is_required: bool,
}

/// A mount, by what it takes from elsewhere.
#[derive(Debug)]
pub(super) enum Mount {
    Secret(SecretMount),
    Ssh(SshMount),
    /// Files of a stage or an image.
    From(String),
    /// Nothing: a cache, a file system in memory, the build context.
    Other,
}

impl Mount {
    /// Reads `type=secret,id=token,…`; `expand` puts variables in. What is not understood is the
    /// engine's to judge.
    pub(super) fn read(text: &str, line: usize, expand: impl Fn(&str) -> Option<String>) -> Self {
        let fields = fields(text);
        let find = |names: &[&str]| {
            let named = |field: &&(String, Option<String>)| names.contains(&&*field.0);
            let (_, value) = fields.iter().rev().find(named)?;
            let value = value.as_deref().unwrap_or("true");
            Some(expand(value).unwrap_or_else(|| value.to_owned()))
        };
        let required =
            find(&["required"]).map(|value| matches!(&*value.to_lowercase(), "true" | "1"));
        match find(&["type"]).as_deref() {
            Some("secret") => {
                let target = find(&["target", "dst", "destination"]);
                let path = target.as_deref().map(|target| target.trim_end_matches('/'));
                let base = path.and_then(|path| path.rsplit('/').next());
                // The order of BuildKit's `dispatchSecret`.
                let named = find(&["source", "src"]).filter(|id| !id.is_empty());
                let named = named.or_else(|| find(&["id"]).filter(|id| !id.is_empty()));
                let id = named.or_else(|| base.map(str::to_owned)).unwrap_or_default();
                let variable = find(&["env"]);
                Self::Secret(SecretMount { id, line, required, target, variable })
            }
            Some("ssh") => {
                let id = find(&["id"]).unwrap_or_else(|| "default".into());
                Self::Ssh(SshMount { id, line, is_required: required == Some(true) })
            }
            _ => find(&["from"]).map_or(Self::Other, Self::From),
        }
    }
}

/// The fields between commas, each with its value if it has one. Quotes stand around a whole field,
/// and a pair of them inside is one.
fn fields(text: &str) -> Vec<(String, Option<String>)> {
    let mut fields = vec![String::new()];
    let mut is_quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if is_quoted && characters.next_if_eq(&'"').is_some() => push(&mut fields, '"'),
            '"' => is_quoted = !is_quoted,
            ',' if !is_quoted => fields.push(String::new()),
            other => push(&mut fields, other),
        }
    }
    let pair = |field: String| match field.split_once('=') {
        Some((key, value)) => (key.trim().to_lowercase(), Some(value.to_owned())),
        None => (field.trim().to_lowercase(), None),
    };
    fields.into_iter().map(pair).collect()
}

fn push(fields: &mut [String], character: char) {
    if let Some(field) = fields.last_mut() {
        field.push(character);
    }
}
