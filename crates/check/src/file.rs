//! A file, what it is, and what it is for.

use std::ops::Range;
use std::sync::Arc;

use shipspec_spec::source::{Source, Span};

use crate::allow::Allowed;
use crate::codes::Code;
use crate::finding::Finding;
use crate::read::{Format, ReadError, Slot, read};
use crate::value::{Data, UNKNOWN, Value};

/// A file to look at.
#[derive(Debug, Clone)]
pub struct File {
    /// Its path: of an artifact, where it will be.
    pub path: String,
    /// What it is.
    pub kind: Kind,
    /// What it is for.
    pub role: Role,
    /// What it holds.
    pub(crate) root: Result<Value, ReadError>,
    /// The text that the user wrote.
    source: Arc<Source>,
    /// Where findings are told, if the text is not the user's own.
    place: Option<Span>,
    pub(crate) allowed: Allowed,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The input of `RegisterTaskDefinition`.
    TaskDefinition,
    /// A list of containers, as Terraform takes it for a task definition.
    ContainerDefinitions,
    /// An AppSpec for ECS.
    AppSpec,
    /// `imagedefinitions.json`.
    ImageDefinitions,
    /// `imageDetail.json`.
    ImageDetail,
    /// A buildspec of CodeBuild.
    Buildspec,
    /// Anything else.
    Other,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// shipspec writes it; what is in it is what AWS gets.
    Artifact,
    /// It is in the source; another tool may fill or change it before AWS gets it.
    Source,
}

impl File {
    /// An artifact: a template's text, and what its slots come to.
    #[must_use]
    pub fn artifact(path: &str, source: &Arc<Source>, format: Format, slots: &[Slot]) -> Self {
        let root = read(&source.text, format, slots);
        Self::new(path, source, format, Role::Artifact, root)
    }

    /// A file of the source. Whatever looks like a placeholder of any tool is not known.
    #[must_use]
    pub fn source(path: &str, source: &Arc<Source>, format: Format) -> Self {
        let slots = crate::left_over::loose_slots(&source.text, format);
        let root = read(&source.text, format, &slots).map(|mut root| {
            loosen(&mut root, is_named_template(path));
            root
        });
        let by_name = kind_of_name(path);
        let root = match by_name {
            // A buildspec is full of `$`, and all of them are the shell's.
            Some(Kind::Buildspec) => read(&source.text, format, &[]),
            _ => root,
        };
        Self::new(path, source, format, Role::Source, root)
    }

    fn new(
        path: &str,
        source: &Arc<Source>,
        format: Format,
        role: Role,
        root: Result<Value, ReadError>,
    ) -> Self {
        let kind = kind(path, root.as_ref().ok());
        let comments = if format == Format::Yaml { source.text.as_str() } else { "" };
        let allowed = Allowed::in_comments(comments);
        let source = if source.text.contains(UNKNOWN) {
            // The sign that takes as many bytes, so that places stay.
            Source::new(&*source.name, source.text.replace(UNKNOWN, "…"))
        } else {
            Arc::clone(source)
        };
        Self { path: path.into(), kind, role, root, source, place: None, allowed }
    }

    /// Tells findings at this place: the text itself is nobody's.
    #[must_use]
    pub fn told_at(mut self, place: Span) -> Self {
        self.place = Some(place);
        self
    }

    /// With codes that shipspec.yml allows in it.
    #[must_use]
    pub fn allowing(mut self, codes: &[String]) -> Self {
        self.allowed.whole.extend(codes.iter().cloned());
        self
    }

    pub(crate) fn value(&self) -> Option<&Value> {
        self.root.as_ref().ok()
    }

    /// The bytes that the user wrote; an artifact has about as many.
    pub(crate) fn size(&self) -> usize {
        self.source.text.len()
    }

    pub(crate) fn text(&self) -> &str {
        &self.source.text
    }

    /// The folder that it is in.
    pub(crate) fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The name of the text that the user wrote.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.source.name
    }

    pub(crate) fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    pub(crate) fn finding(
        &self,
        code: Code,
        range: &Range<usize>,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Finding {
        let fix = fix.into();
        let fix = (!fix.is_empty()).then_some(fix);
        let span = self.place.clone();
        let span = span.unwrap_or_else(|| Span::new(&self.source, range.clone()));
        Finding { code, message: message.into().replace(UNKNOWN, "…"), span, fix }
    }
}

/// A text that is a placeholder and nothing else may be replaced together with its quotes. In a file
/// that calls itself a template, a bare `TASK_DEFINITION` is one too.
fn loosen(value: &mut Value, is_template: bool) {
    let is_open = |text: &str| !text.is_empty() && text.trim_matches(UNKNOWN).is_empty();
    match &mut value.data {
        Data::Text(text) if is_open(text) || is_template && is_capital_word(text) => {
            value.data = Data::Unknown;
        }
        Data::List(items) => items.iter_mut().for_each(|item| loosen(item, is_template)),
        Data::Map(entries) => {
            for entry in entries {
                loosen(&mut entry.value, is_template);
            }
        }
        _ => {}
    }
}

fn is_named_template(path: &str) -> bool {
    let lower = path.to_lowercase();
    ["template", "tmpl", "tpl"].iter().any(|word| lower.contains(word))
}

/// `ECR_IMAGE`: capital letters with a `_` between them.
pub(crate) fn is_capital_word(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.contains('_') && text.bytes().all(is_part)
}

fn kind(path: &str, root: Option<&Value>) -> Kind {
    let by_name = kind_of_name(path);
    let Some(root) = root else { return by_name.unwrap_or(Kind::Other) };
    let has = |key: &str| root.entry(key).is_some();
    let wrapped =
        root.get("taskDefinition").is_some_and(|it| it.get("containerDefinitions").is_some());
    match by_name {
        // Of other platforms, and CloudFormation's: not ours to judge.
        Some(Kind::AppSpec) if !is_for_ecs(root) => Kind::Other,
        Some(Kind::ContainerDefinitions | Kind::TaskDefinition) | None
            if is_list_of_containers(root) =>
        {
            Kind::ContainerDefinitions
        }
        Some(Kind::ContainerDefinitions) => Kind::Other,
        Some(Kind::TaskDefinition) if matches!(root.data, Data::List(_)) || has("Resources") => {
            Kind::Other
        }
        Some(kind) => kind,
        None if has("containerDefinitions") || wrapped => Kind::TaskDefinition,
        None if has("phases") && has("version") => Kind::Buildspec,
        None if has("ImageURI") => Kind::ImageDetail,
        None if root.get("Resources").is_some_and(is_ecs_resources) => Kind::AppSpec,
        None if root.items().first().is_some_and(|item| item.get("imageUri").is_some()) => {
            Kind::ImageDefinitions
        }
        None => Kind::Other,
    }
}

/// What a file of this name is, as names go.
#[must_use]
pub fn kind_of_name(path: &str) -> Option<Kind> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_lowercase();
    let plain: String = lower.chars().filter(|sign| !matches!(sign, '-' | '_')).collect();
    match () {
        () if plain.starts_with("taskdef") || plain.starts_with("ecstaskdef") => {
            Some(Kind::TaskDefinition)
        }
        () if plain.starts_with("containerdefinition") || plain.starts_with("containerdefs") => {
            Some(Kind::ContainerDefinitions)
        }
        () if plain.starts_with("appspec") => Some(Kind::AppSpec),
        () if plain == "imagedefinitions.json" => Some(Kind::ImageDefinitions),
        () if name == "imageDetail.json" => Some(Kind::ImageDetail),
        () if plain.starts_with("buildspec") => Some(Kind::Buildspec),
        () => None,
    }
}

fn is_list_of_containers(root: &Value) -> bool {
    let is_container = |item: &Value| ["name", "image"].iter().all(|key| item.entry(key).is_some());
    !root.items().is_empty() && root.items().iter().all(is_container)
}

fn is_for_ecs(root: &Value) -> bool {
    let is_other = ["files", "os", "permissions"].iter().any(|key| root.entry(key).is_some());
    let resources = root.entry("Resources").or(root.entry("resources"));
    !is_other && resources.is_none_or(|entry| !has_type(&entry.value, "AWS::Lambda"))
}

fn is_ecs_resources(resources: &Value) -> bool {
    has_type(resources, "AWS::ECS::Service") && matches!(resources.data, Data::List(_))
}

fn has_type(resources: &Value, wanted: &str) -> bool {
    resources
        .items()
        .iter()
        .flat_map(Value::entries)
        .filter_map(|entry| entry.value.text_of("Type"))
        .any(|text| text.starts_with(wanted))
}
