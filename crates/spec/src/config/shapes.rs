//! Keys that may hold one shape or another, read by way of [`RawTree`]: serde's own way of doing
//! this (`untagged`) would lose the places. The schema has refused other shapes before.

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error};

use super::options::{RawCacheTo, RawNoCache};
use super::raw::{
    OneOrMany, RawArtifact, RawArtifactMap, RawCheck, RawDefinitions, RawDialect, RawParameter,
    RawParameterMap, RawParameterType,
};
use super::repository::RawCreateRepository;
use super::reuse::RawReuse;
use super::text::RawText;
use super::tree::RawTree;

/// A shape that no alternative has.
type Misshapen = &'static str;

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
    RawReuse
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
        let mut text = |key: &str| entries.shift_remove(key).map(RawText::try_from).transpose();
        Ok(Self {
            from: text("from")?.ok_or("a parameter needs the key `from`")?,
            default: text("default")?,
            region: text("region")?,
            role: text("role")?,
            external_id: text("external_id")?,
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

    fn try_from(mut entries: IndexMap<String, RawTree>) -> Result<Self, Misshapen> {
        let mut take = |key: &str| entries.shift_remove(key);
        Ok(Self {
            template: take("template").map(RawText::try_from).transpose()?,
            image_detail: take("image_detail").map(RawText::try_from).transpose()?,
            image_definitions: take("image_definitions")
                .map(RawDefinitions::try_from)
                .transpose()?,
            json: take("json"),
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
        })
    }
}
