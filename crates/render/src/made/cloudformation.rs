//! A template configuration file for a stack ([layout], [quotas]). It is compact and without a final
//! newline.
//!
//! [layout]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html
//! [quotas]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html

use serde_json::{Map, Value as Json};
use shipspec_spec::config::CloudFormationConfig;

use super::Parts;

/// Bytes of the value of a parameter.
const MOST_BYTES: usize = 4096;

/// Parameters of a stack.
const MOST_PARAMETERS: usize = 200;

/// Tags of a stack.
const MOST_TAGS: usize = 50;

/// The file, and what of it is more than a stack takes.
pub(super) fn configuration(
    config: &CloudFormationConfig,
    parts: &mut Parts<'_>,
) -> (Json, Vec<String>) {
    let mut notes = Vec::new();
    let mut file = Map::new();
    let parameters: Map<_, _> = config
        .parameters
        .iter()
        .map(|(name, texts)| {
            let items = parts.texts(texts);
            if let (true, Some(text)) = (items.len() > 1, texts.first())
                && items.iter().any(|item| item.contains(','))
            {
                let message = format!(
                    "an item of the parameter `{name}` has a comma, which would make two of it"
                );
                parts.fail(text, message);
            }
            let value = items.join(",");
            if value.len() > MOST_BYTES {
                let length = value.len();
                notes.push(format!(
                    "the parameter `{name}` has {length} bytes; CloudFormation takes {MOST_BYTES}"
                ));
            }
            (name.clone(), Json::from(value))
        })
        .collect();
    let tags: Map<_, _> =
        config.tags.iter().map(|(name, text)| (name.clone(), parts.text(text).into())).collect();
    for (what, map, most) in
        [("parameters", &parameters, MOST_PARAMETERS), ("tags", &tags, MOST_TAGS)]
    {
        if map.len() > most {
            notes.push(format!("there are {} {what}; CloudFormation takes {most}", map.len()));
        }
    }
    for (key, map) in [("Parameters", parameters), ("Tags", tags)] {
        if !map.is_empty() {
            file.insert(key.into(), map.into());
        }
    }
    if let Some(policy) = &config.stack_policy {
        file.insert("StackPolicy".into(), parts.tree(policy));
    }
    (file.into(), notes)
}
