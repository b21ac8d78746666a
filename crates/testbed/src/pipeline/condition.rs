//! Whether a stage is entered: its `beforeEntry` conditions with the rule `VariableCheck`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Refusal;

/// The variables of the actions before, by the namespace of each action.
pub type Namespaces = BTreeMap<String, BTreeMap<String, String>>;

/// What becomes of a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Its actions run.
    Entered,
    /// It is passed over, and the execution goes on: a condition with the result `SKIP` does not hold.
    Skipped,
    /// The execution fails here: a condition with the result `FAIL` does not hold.
    Failed,
}

/// Judges the conditions for the entry of a stage, which is given as in a pipeline's JSON.
///
/// # Errors
///
/// [`Refusal::Configuration`] for another rule or operator, and for a variable that no action has.
pub fn entry(stage: &Value, namespaces: &Namespaces) -> Result<Entry, Refusal> {
    let conditions = stage["beforeEntry"]["conditions"].as_array();
    for condition in conditions.into_iter().flatten() {
        let rules = condition["rules"].as_array().into_iter().flatten();
        let mut all_hold = true;
        for rule in rules {
            all_hold &= holds(rule, namespaces)?;
        }
        match condition["result"].as_str() {
            _ if all_hold => {}
            Some("SKIP") => return Ok(Entry::Skipped),
            Some("FAIL") => return Ok(Entry::Failed),
            result => return Err(wrong(format!("the result {result:?} is not done here"))),
        }
    }
    Ok(Entry::Entered)
}

fn holds(rule: &Value, namespaces: &Namespaces) -> Result<bool, Refusal> {
    let provider = &rule["ruleTypeId"]["provider"];
    if provider != "VariableCheck" {
        return Err(wrong(format!("the rule {provider} is not done here")));
    }
    let text = |key: &str| {
        let value = rule["configuration"][key].as_str();
        value.ok_or_else(|| wrong(format!("a rule has no `{key}`")))
    };
    let (variable, value) = (lookup(text("Variable")?, namespaces)?, text("Value")?);
    match text("Operator")? {
        "EQ" => Ok(variable == value),
        "NE" => Ok(variable != value),
        "CONTAINS" => Ok(variable.contains(value)),
        // `MATCHES` has the regular expressions of Java.
        operator => Err(wrong(format!("the operator `{operator}` is not done here"))),
    }
}

/// The value of `#{namespace.NAME}`.
fn lookup<'n>(reference: &str, namespaces: &'n Namespaces) -> Result<&'n str, Refusal> {
    let inner = reference.strip_prefix("#{").and_then(|rest| rest.strip_suffix('}'));
    let found = inner.and_then(|inner| inner.split_once('.')).and_then(|(namespace, name)| {
        namespaces.get(namespace).and_then(|variables| variables.get(name))
    });
    found.map(String::as_str).ok_or_else(|| wrong(format!("no action has `{reference}`")))
}

fn wrong(why: String) -> Refusal {
    Refusal::Configuration(why)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Entry, Namespaces, entry};

    fn stage(result: &str, operator: &str, value: &str) -> Value {
        json!({ "name": "Deploy", "beforeEntry": { "conditions": [{
            "result": result,
            "rules": [{
                "name": "SomethingChanged",
                "ruleTypeId": { "provider": "VariableCheck" },
                "configuration": {
                    "Variable": "#{Build.SHIPSPEC_CHANGED}",
                    "Value": value,
                    "Operator": operator,
                },
            }],
        }] } })
    }

    fn variables(changed: &str) -> Namespaces {
        let variables = [("SHIPSPEC_CHANGED".to_owned(), changed.to_owned())].into();
        [("Build".to_owned(), variables)].into()
    }

    #[test]
    fn a_stage_is_entered_where_its_condition_holds() {
        let skip = stage("SKIP", "EQ", "true");
        assert_eq!(entry(&skip, &variables("true")), Ok(Entry::Entered));
        assert_eq!(entry(&skip, &variables("false")), Ok(Entry::Skipped));
        let fail = stage("FAIL", "NE", "true");
        assert_eq!(entry(&fail, &variables("true")), Ok(Entry::Failed));
        assert_eq!(entry(&json!({ "name": "Deploy" }), &Namespaces::new()), Ok(Entry::Entered));
    }

    #[test]
    fn a_variable_that_no_action_has_is_no_answer() {
        let told =
            entry(&stage("SKIP", "EQ", "true"), &Namespaces::new()).map_err(|it| it.to_string());
        let text = "Invalid action configuration: no action has `#{Build.SHIPSPEC_CHANGED}`";
        assert_eq!(told, Err(text.to_owned()));
        assert!(entry(&stage("SKIP", "MATCHES", "t.*"), &variables("true")).is_err());
        assert!(entry(&stage("ROLLBACK", "EQ", "true"), &variables("no")).is_err());
    }
}
