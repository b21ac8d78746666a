use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use super::*;

/// Names with these values, and no others.
struct Fixed(BTreeMap<String, Json>);

impl Fixed {
    fn new(values: Json) -> Self {
        Self(serde_json::from_value(values).unwrap())
    }
}

impl Names for Fixed {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        let name = reference.split('.').next().unwrap_or(reference);
        match self.0.get(name) {
            Some(value) if name == "secret" => Ok(Value::secret("secret", value.clone())),
            Some(value) => Ok(Value::plain(value.clone())),
            None => Err(NameError::Unset(name.into())),
        }
    }

    fn known(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

/// The text as Terraform would print it, or what is wrong.
fn fill(template: &str, names: &Fixed) -> Result<String, String> {
    let template = TerraformTemplate::parse(template).map_err(|errors| {
        errors.iter().map(|error| error.message.clone()).collect::<Vec<_>>().join("; ")
    })?;
    let filled = template.fill(names).map_err(|errors| {
        errors.iter().map(|error| error.error.to_string()).collect::<Vec<_>>().join("; ")
    })?;
    Ok(filled.parts.iter().map(|part| &*part.text).collect())
}

/// What HCL's own engine said of each template was recorded; see fixtures/terraform.
#[test]
fn templates_come_to_what_hcl_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/terraform");
    let (mut judged, mut wrong) = (0, Vec::new());
    for file in ["hand-written.jsonl", "generated.jsonl"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let mut lines = text.lines().map(|line| serde_json::from_str::<Json>(line).unwrap());
        let names = Fixed::new(lines.next().unwrap()["variables"].clone());
        for case in lines {
            let template = case["template"].as_str().unwrap();
            let ours = fill(template, &names);
            if ours.as_deref().ok() != case["text"].as_str() {
                wrong.push(format!("{template:?}\n  HCL: {case}\n  we:  {ours:?}"));
            }
            judged += 1;
        }
    }
    assert!(judged > 300, "{judged} cases");
    assert!(wrong.is_empty(), "{} of {judged} differ:\n{}", wrong.len(), wrong.join("\n"));
}
