//! Keys that may hold one shape or another, read by way of [`RawTree`]: serde's own way of doing
//! this (`untagged`) would lose the places. The schema has refused other shapes before.

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error};

use super::artifact::{RawAppSpec, RawScalar};
use super::base::RawBase;
use super::options::{RawCacheTo, RawNoCache};
use super::place::RawPlace;
use super::raw::{
    OneOrMany, RawArtifact, RawArtifactMap, RawCheck, RawDefinitions, RawDialect, RawParameter,
    RawParameterMap, RawParameterType, RawReference,
};
use super::repository::RawCreateRepository;
use super::reuse::RawReuse;
use super::service::RawService;
use super::text::RawText;
use super::tree::RawTree;

/// A shape that no alternative has.
pub(super) type Misshapen = &'static str;

/// The keys of a map, taken one by one.
pub(super) struct Entries(IndexMap<String, RawTree>);

impl Entries {
    pub(super) fn of(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::Map(entries) => Ok(Self(entries)),
            _ => Err("a map is wanted here"),
        }
    }

    pub(super) fn optional<T>(&mut self, key: &str) -> Result<Option<T>, Misshapen>
    where
        T: TryFrom<RawTree, Error = Misshapen>,
    {
        self.tree(key).map(T::try_from).transpose()
    }

    pub(super) fn needed<T>(&mut self, key: &str) -> Result<T, Misshapen>
    where
        T: TryFrom<RawTree, Error = Misshapen>,
    {
        self.optional(key)?.ok_or("a key is missing here")
    }

    pub(super) fn list<T>(&mut self, key: &str) -> Result<Vec<T>, Misshapen>
    where
        T: TryFrom<RawTree, Error = Misshapen>,
    {
        match self.tree(key) {
            Some(RawTree::List(items)) => items.into_iter().map(T::try_from).collect(),
            Some(_) => Err("a list is wanted here"),
            None => Ok(Vec::new()),
        }
    }

    pub(super) fn map<T>(&mut self, key: &str) -> Result<Option<IndexMap<String, T>>, Misshapen>
    where
        T: TryFrom<RawTree, Error = Misshapen>,
    {
        self.map_of(key, T::try_from)
    }

    /// A map of what `read` makes of its values.
    fn map_of<T>(
        &mut self,
        key: &str,
        read: impl Fn(RawTree) -> Result<T, Misshapen>,
    ) -> Result<Option<IndexMap<String, T>>, Misshapen> {
        let Some(entries) = self.trees(key)? else { return Ok(None) };
        let entries = entries.into_iter().map(|(name, tree)| Ok((name, read(tree)?)));
        entries.collect::<Result<_, Misshapen>>().map(Some)
    }

    pub(super) fn tree(&mut self, key: &str) -> Option<RawTree> {
        self.0.shift_remove(key)
    }

    pub(super) fn trees(
        &mut self,
        key: &str,
    ) -> Result<Option<IndexMap<String, RawTree>>, Misshapen> {
        Ok(self.tree(key).map(Self::of).transpose()?.map(|entries| entries.0))
    }
}

impl TryFrom<RawTree> for RawScalar {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        Ok(Self(tree.try_into()?))
    }
}

impl TryFrom<RawTree> for RawReference {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match RawText::try_from(tree)?.as_str() {
            "tag" => Ok(Self::Tag),
            "digest" => Ok(Self::Digest),
            _ => Err("`reference` must be tag or digest"),
        }
    }
}

macro_rules! deserialize_by_way_of_a_tree {
    ($($shape:ty),*) => {$(
        impl<'de> Deserialize<'de> for $shape {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                RawTree::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
            }
        }
    )*};
}

deserialize_by_way_of_a_tree!(
    OneOrMany,
    RawArtifact,
    RawCacheTo,
    RawCreateRepository,
    RawDefinitions,
    RawNoCache,
    RawParameter,
    RawReuse,
    RawService
);

impl TryFrom<RawTree> for RawText {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::Text(text) => Ok(text),
            RawTree::Literal(literal, text) if !literal.is_null() => Ok(text),
            _ => Err("text is wanted here"),
        }
    }
}

impl TryFrom<&str> for RawDialect {
    type Error = Misshapen;

    fn try_from(word: &str) -> Result<Self, Misshapen> {
        match word {
            "shell" => Ok(Self::Shell),
            "jinja" => Ok(Self::Jinja),
            "terraform" => Ok(Self::Terraform),
            _ => Err("`dialect` must be shell, jinja or terraform"),
        }
    }
}

fn list(tree: RawTree) -> Result<Vec<RawText>, Misshapen> {
    match tree {
        RawTree::List(items) => texts(items),
        _ => Err("a list is wanted here"),
    }
}

fn map(tree: RawTree) -> Result<IndexMap<String, RawText>, Misshapen> {
    match tree {
        RawTree::Map(entries) => {
            entries.into_iter().map(|(name, text)| Ok((name, text.try_into()?))).collect()
        }
        _ => Err("a map is wanted here"),
    }
}

fn scalars(tree: RawTree) -> Result<IndexMap<String, RawScalar>, Misshapen> {
    Ok(map(tree)?.into_iter().map(|(name, text)| (name, RawScalar(text))).collect())
}

fn scalar_list(tree: RawTree) -> Result<Vec<RawScalar>, Misshapen> {
    Ok(list(tree)?.into_iter().map(RawScalar).collect())
}

fn texts(items: Vec<RawTree>) -> Result<Vec<RawText>, Misshapen> {
    items.into_iter().map(RawText::try_from).collect()
}

impl TryFrom<RawTree> for OneOrMany {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::List(items) => Ok(Self::Many(texts(items)?)),
            one => Ok(Self::One(one.try_into()?)),
        }
    }
}

impl TryFrom<RawTree> for RawCheck {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::Map(mut entries) => {
                let allow = entries.shift_remove("allow").map(list).transpose()?;
                Ok(Self { allow: allow.unwrap_or_default() })
            }
            _ => Err("a map with `allow` is wanted here"),
        }
    }
}

impl TryFrom<RawTree> for RawDefinitions {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::List(items) => Ok(Self::Same(texts(items)?)),
            RawTree::Map(entries) => Ok(Self::Named(map(RawTree::Map(entries))?)),
            _ => Err("a list of images or a map from container to image is wanted here"),
        }
    }
}

impl TryFrom<&str> for RawParameterType {
    type Error = Misshapen;

    fn try_from(word: &str) -> Result<Self, Misshapen> {
        match word {
            "string" => Ok(Self::String),
            "json" => Ok(Self::Json),
            "list" => Ok(Self::List),
            _ => Err("`type` must be string, json or list"),
        }
    }
}

impl TryFrom<RawTree> for RawParameter {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::Map(entries) => Ok(Self::Map(Box::new(entries.try_into()?))),
            from => Ok(Self::From(from.try_into()?)),
        }
    }
}

impl TryFrom<IndexMap<String, RawTree>> for RawParameterMap {
    type Error = Misshapen;

    fn try_from(mut entries: IndexMap<String, RawTree>) -> Result<Self, Misshapen> {
        let place = RawPlace::take(&mut entries)?;
        let mut text = |key: &str| RawText::take(&mut entries, key);
        Ok(Self {
            from: text("from")?.ok_or("a parameter needs the key `from`")?,
            default: text("default")?,
            place,
            r#type: text("type")?.map(|word| word.as_str().try_into()).transpose()?,
            secret: match entries.shift_remove("secret") {
                Some(RawTree::Literal(serde_json::Value::Bool(secret), _)) => secret,
                Some(_) => return Err("`secret` must be true or false"),
                None => false,
            },
        })
    }
}

impl TryFrom<RawTree> for RawArtifact {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::Map(entries) => Ok(Self::Map(Box::new(entries.try_into()?))),
            path => Ok(Self::Path(path.try_into()?)),
        }
    }
}

impl TryFrom<IndexMap<String, RawTree>> for RawArtifactMap {
    type Error = Misshapen;

    fn try_from(entries: IndexMap<String, RawTree>) -> Result<Self, Misshapen> {
        let mut entries = Entries(entries);
        let kinds = Self {
            template: entries.optional("template")?,
            base: entries.optional::<RawBase>("base")?.map(Box::new),
            service: entries.optional("service")?,
            image_detail: entries.optional("image_detail")?,
            image_definitions: entries.optional("image_definitions")?,
            reference: entries.optional("reference")?,
            json: entries.tree("json"),
            yaml: entries.tree("yaml"),
            text: entries.optional("text")?,
            tfvars: entries.trees("tfvars")?,
            dotenv: entries.map("dotenv")?,
            quotes: entries.optional("quotes")?,
            cloudformation: entries.optional("cloudformation")?,
            appspec: entries.optional::<RawAppSpec>("appspec")?.map(Box::new),
            publish: entries.optional("publish")?,
            images: entries.optional("images")?,
            environment: entries.map_of("environment", scalars)?,
            secrets: entries.map_of("secrets", map)?,
            docker_labels: entries.map_of("docker_labels", scalars)?,
            command: entries.map_of("command", scalar_list)?,
            log: entries.map("log")?,
            cpu: entries.optional("cpu")?,
            memory: entries.optional("memory")?,
            ..Self::default()
        };
        let mut take = |key: &str| entries.0.shift_remove(key);
        Ok(Self {
            zip: take("zip").map(list).transpose()?,
            allow_secrets: take("allow_secrets").map(list).transpose()?.unwrap_or_default(),
            check: take("check").map(RawCheck::try_from).transpose()?.unwrap_or_default(),
            variables: take("variables").map(map).transpose()?.unwrap_or_default(),
            matrix: match take("matrix") {
                Some(RawTree::Map(axes)) => {
                    let axes = axes.into_iter().map(|(name, values)| Ok((name, list(values)?)));
                    axes.collect::<Result<_, Misshapen>>()?
                }
                Some(_) => return Err("`matrix` wants a map of lists"),
                None => IndexMap::new(),
            },
            when: take("when").map(RawText::try_from).transpose()?,
            only: take("only").map(list).transpose()?,
            placeholders: take("placeholders").map(map).transpose()?.unwrap_or_default(),
            dialect: match take("dialect").map(RawText::try_from).transpose()? {
                Some(text) => Some(text.as_str().try_into()?),
                None => None,
            },
            ..kinds
        })
    }
}
