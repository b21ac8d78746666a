//! Lifecycle policies of ECR: which rule an image falls under ([properties]).
//!
//! [properties]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html

use std::fmt;

use serde::Deserialize;

use crate::ecr::matches;

/// The policy of a repository, its rules in the order in which they are judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifecyclePolicy {
    rules: Vec<Rule>,
}

/// A rule: an image that its selection means is judged by it and by no later one.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// The lowest is judged first.
    #[serde(rename = "rulePriority")]
    pub priority: u32,
    selection: Selection,
    action: Action,
}

/// What becomes of an image that a rule counts too many.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Action {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Selection {
    tag_status: String,
    /// Without one, images that can be pulled.
    storage_class: Option<String>,
    #[serde(default)]
    tag_prefix_list: Vec<String>,
    #[serde(default)]
    tag_pattern_list: Vec<String>,
    count_type: String,
    count_number: u64,
}

#[derive(Deserialize)]
struct Document {
    rules: Vec<Rule>,
}

impl LifecyclePolicy {
    /// Reads a policy's text; nothing if it has a form that is not known.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let Document { mut rules } = serde_json::from_str(text).ok()?;
        rules.sort_by_key(|rule| rule.priority);
        Some(Self { rules })
    }

    /// The rule that an image with these tags falls under.
    #[must_use]
    pub fn rule_of(&self, tags: &[&str]) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.selection.means(tags))
    }
}

impl Selection {
    /// Of several prefixes or patterns, an image needs a tag for each. What is archived already is no
    /// image that anybody uses.
    fn means(&self, tags: &[&str]) -> bool {
        if self.storage_class.as_deref() == Some("archive") {
            return false;
        }
        let begins = |prefix: &String| tags.iter().any(|tag| tag.starts_with(&**prefix));
        let fits = |pattern: &String| tags.iter().any(|tag| matches(pattern, tag));
        match &*self.tag_status {
            "any" => true,
            "untagged" => tags.is_empty(),
            _ => {
                let has_lists =
                    !self.tag_prefix_list.is_empty() || !self.tag_pattern_list.is_empty();
                has_lists
                    && self.tag_prefix_list.iter().all(begins)
                    && self.tag_pattern_list.iter().all(fits)
            }
        }
    }
}

impl Rule {
    /// It never removes the one image that has this tag: it counts images, and no other has the tag.
    #[must_use]
    pub fn spares(&self, tag: &str) -> bool {
        let Selection { tag_pattern_list, count_type, count_number, .. } = &self.selection;
        count_type == "imageCountMoreThan"
            && *count_number >= 1
            && tag_pattern_list.iter().any(|pattern| pattern == tag)
    }

    /// What it does to an image, in a word. One that is archived cannot be pulled either, until somebody
    /// restores it.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match &*self.action.kind {
            "expire" => "expires",
            "transition" => "archives",
            _ => "removes",
        }
    }

    /// It is about tags that begin like this, and about no others.
    #[must_use]
    pub fn is_about(&self, prefix: &str) -> bool {
        let Selection { tag_prefix_list, tag_pattern_list, .. } = &self.selection;
        tag_prefix_list.iter().chain(tag_pattern_list).any(|word| word.starts_with(prefix))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Selection { count_type, count_number, tag_status, .. } = &self.selection;
        let lists = self.selection.tag_prefix_list.iter().chain(&self.selection.tag_pattern_list);
        let lists: Vec<_> = lists.map(String::as_str).collect();
        let which = if lists.is_empty() { tag_status.clone() } else { lists.join(", ") };
        let when = match &**count_type {
            "imageCountMoreThan" => format!("more than {count_number}"),
            "sinceImagePushed" => format!("{count_number} days after the push"),
            "sinceImagePulled" => format!("{count_number} days after the last pull"),
            other => format!("{other} {count_number}"),
        };
        write!(formatter, "rule {} ({which}: {when})", self.priority)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy() -> LifecyclePolicy {
        let rule = |priority: u32, status: &str, list: &str, count: &str| {
            format!(
                "{{\"rulePriority\": {priority}, \"selection\": {{\"tagStatus\": \"{status}\", {list} {count}}}, \"action\": {{\"type\": \"expire\"}}}}"
            )
        };
        let images = |number: u32| {
            format!("\"countType\": \"imageCountMoreThan\", \"countNumber\": {number}")
        };
        let rules = [
            rule(
                9,
                "any",
                "",
                "\"countType\": \"sinceImagePushed\", \"countUnit\": \"days\", \"countNumber\": 30",
            ),
            rule(1, "tagged", "\"tagPatternList\": [\"latest\"],", &images(1)),
            rule(2, "tagged", "\"tagPrefixList\": [\"shipspec-release-\"],", &images(100)),
            rule(3, "tagged", "\"tagPrefixList\": [\"a\", \"b\"],", &images(5)),
            rule(4, "untagged", "", &images(1)),
        ];
        LifecyclePolicy::parse(&format!("{{\"rules\": [{}]}}", rules.join(", "))).unwrap()
    }

    #[test]
    fn an_image_falls_under_the_first_rule_that_means_it() {
        let policy = policy();
        let rule = |tags: &[&str]| policy.rule_of(tags).map(|rule| rule.priority);
        assert_eq!(rule(&["shipspec-0a", "0123456", "latest"]), Some(1));
        assert_eq!(rule(&["shipspec-0a", "latest-1"]), Some(9));
        assert_eq!(rule(&["shipspec-release-main-1"]), Some(2));
        assert_eq!(rule(&["a1"]), Some(9));
        assert_eq!(rule(&["a1", "b1"]), Some(3));
        assert_eq!(rule(&[]), Some(4));
        let latest = policy.rule_of(&["latest"]).unwrap();
        assert!(latest.spares("latest") && !latest.spares("dev"));
        let any = policy.rule_of(&["x"]).unwrap();
        assert!(!any.spares("x") && !any.is_about("shipspec-"));
        assert_eq!(any.to_string(), "rule 9 (any: 30 days after the push)");
        assert_eq!(any.verb(), "expires");
        assert_eq!(LifecyclePolicy::parse("{\"rules\": 1}"), None);
    }

    #[test]
    fn a_rule_that_archives_does_not_expire() {
        let policy = LifecyclePolicy::parse(
            r#"{"rules": [{
                "rulePriority": 1,
                "selection": {
                    "tagStatus": "any", "countType": "sinceImagePulled",
                    "countUnit": "days", "countNumber": 90
                },
                "action": { "type": "transition", "targetStorageClass": "archive" }
            }]}"#,
        );
        assert_eq!(policy.unwrap().rule_of(&["latest"]).unwrap().verb(), "archives");
    }
}
