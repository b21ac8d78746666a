//! Keys that may hold one shape or another, read by way of [`RawTree`]: serde's own way of doing
//! this (`untagged`) would lose the places. The schema has refused other shapes before.

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, Error};

use super::raw::{OneOrMany, RawArtifact, RawArtifactMap, RawDefinitions};
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

deserialize_by_way_of_a_tree!(OneOrMany, RawArtifact, RawDefinitions);

impl TryFrom<RawTree> for RawText {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::Text(text) => Ok(text),
            _ => Err("text is wanted here; put it in quotes"),
        }
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

impl TryFrom<RawTree> for RawDefinitions {
    type Error = Misshapen;

    fn try_from(tree: RawTree) -> Result<Self, Misshapen> {
        match tree {
            RawTree::List(items) => Ok(Self::Same(texts(items)?)),
            RawTree::Map(entries) => {
                let named = entries.into_iter().map(|(name, image)| Ok((name, image.try_into()?)));
                Ok(Self::Named(named.collect::<Result<_, Misshapen>>()?))
            }
            _ => Err("a list of images or a map from container to image is wanted here"),
        }
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
            allow_secrets: match take("allow_secrets") {
                Some(RawTree::List(names)) => texts(names)?,
                Some(_) => return Err("`allow_secrets` wants a list of names"),
                None => Vec::new(),
            },
        })
    }
}
