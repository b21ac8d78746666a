//! A template configuration file for a stack ([layout]). It is compact and without a final newline.
//!
//! [layout]: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/continuous-delivery-codepipeline-cfn-artifacts.html

use serde_json::{Map, Value as Json};
use shipspec_spec::config::CloudFormationConfig;

use super::Parts;

/// The file.
pub(super) fn configuration(config: &CloudFormationConfig, parts: &mut Parts<'_>) -> Json {
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
            (name.clone(), Json::from(items.join(",")))
        })
        .collect();
    let tags: Map<_, _> =
        config.tags.iter().map(|(name, text)| (name.clone(), parts.text(text).into())).collect();
    for (key, map) in [("Parameters", parameters), ("Tags", tags)] {
        if !map.is_empty() {
            file.insert(key.into(), map.into());
        }
    }
    if let Some(policy) = &config.stack_policy {
        file.insert("StackPolicy".into(), parts.tree(policy));
    }
    file.into()
}
