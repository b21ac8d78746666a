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

fn values() -> Fixed {
    Fixed::new(serde_json::json!({
        "name": "web", "memory": 512, "hosts": ["a", "b"], "secret": "hunter2",
        "app": {"db": {"host": "h"}}, "quote": "say \"hi\"", "nothing": null,
        "big": vec![1; 2000],
    }))
}

#[test]
fn what_differs_from_hcl_is_an_error_and_no_other_text() {
    for template in
        ["${1 / 0}", "${5 % 0}", "${<<E\nhi\nE\n}", "${base64decode(\"/w==\")}", "$name"]
    {
        assert!(fill(template, &values()).is_err(), "{template}");
    }
    assert_eq!(fill("${-0}", &values()).as_deref(), Ok("0"));
    let endless = fill("${10 / 3}", &values()).unwrap();
    assert_eq!(endless, format!("3.{}", "3".repeat(99)));
}

#[test]
fn a_set_is_no_list() {
    for (template, expected) in [
        ("%{ for k, v in toset([\"b\", \"a\", \"b\"]) }${k}=${v} %{ endfor }", "a=a b=b "),
        ("${jsonencode({for k, v in toset(hosts) : k => v})}", r#"{"a":"a","b":"b"}"#),
        ("${length(toset([1, 1]))} ${join(\",\", toset(hosts))}", "1 a,b"),
        ("${jsonencode(toset([2, 1]))} ${toset([1]) == toset([1, 1])}", "[1,2] true"),
        ("${toset([1]) == [1]} ${tolist(toset(hosts))[0]}", "false a"),
        ("${join(\"\", true ? toset(hosts) : toset([]))}", "ab"),
    ] {
        assert_eq!(fill(template, &values()).as_deref(), Ok(expected), "{template}");
    }
    let error = fill("${toset(hosts)[0]}", &values()).unwrap_err();
    assert_eq!(error, "the items of a set have no index; `tolist` makes a list of it");
}

#[test]
fn an_empty_text_is_split_into_itself() {
    for (arguments, expected) in
        [(r#"",", """#, r#"[""]"#), (r#"",", "a,""#, r#"["a",""]"#), (r#""", """#, "[]")]
    {
        let template = format!("${{jsonencode(split({arguments}))}}");
        assert_eq!(fill(&template, &values()).as_deref(), Ok(expected), "{template}");
    }
}

#[test]
fn every_place_that_cannot_be_read_is_told() {
    let errors =
        TerraformTemplate::parse("${} ${a b} %{ iff x } ${uper(a)} %{ if a }").unwrap_err();
    let told: Vec<_> = errors.iter().map(|error| (error.range.start, &*error.message)).collect();
    assert_eq!(
        told,
        [
            (0, "`${}` names nothing"),
            (8, "`}` is wanted to close `${`, and here is `b`"),
            (14, "there is no directive `iff`"),
            (24, "there is no function `uper` here"),
            (33, "`%{ if }` has no `%{ endif }`"),
        ]
    );
    let hint = |template: &str| TerraformTemplate::parse(template).unwrap_err()[0].hint.clone();
    assert_eq!(hint("${uper(a)}").as_deref(), Some("did you mean `upper`?"));
    assert!(hint("${A:-b}").unwrap().contains("`A: ${A:-b}` under `variables:`"));
    assert!(hint("${A:?set it}").unwrap().contains("`dialect: shell`"));
    assert!(hint("${A%%/*}").unwrap().contains("`dialect: shell`"));
    assert!(hint("${'a'}").unwrap().contains("double quotes"));
    assert!(hint("${A | upper}").unwrap().contains("`upper(name)`"));
}

#[test]
fn every_name_without_a_value_is_told_at_every_place() {
    let text = "${nmae} %{ if false }${nmae}${other.part}%{ endif } ${A-b}";
    let errors = TerraformTemplate::parse(text).unwrap().fill(&values()).unwrap_err();
    let told: Vec<_> =
        errors.iter().map(|it| (&text[it.range.clone()], it.error.to_string())).collect();
    let told: Vec<_> = told.iter().map(|(place, message)| (*place, &**message)).collect();
    assert_eq!(
        told,
        [
            ("nmae", "`nmae` has no value"),
            ("nmae", "`nmae` has no value"),
            ("other.part", "`other` has no value"),
            ("A-b", "`A-b` has no value"),
        ]
    );
    assert!(errors[3].hint.as_ref().unwrap().contains("`A: ${A-b}` under `variables:`"));
}

#[test]
fn what_is_wrong_is_told_without_a_value() {
    for (template, message) in [
        ("${app.db.hots}", "`app.db` has no `hots`; did you mean `app.db.host`?"),
        ("${hosts}", "the value is a list; print it with `jsonencode` or `join`"),
        ("${nothing}", "the value is null, and there is no text for that"),
        ("${secret + 1}", "a number is wanted, and this text is none"),
        ("${hosts[secret]}", "a number is wanted, and this text is none"),
        ("${app[secret]}", "the map has no such key"),
        ("${jsondecode(secret)}", "`jsondecode`: the text is no JSON"),
        ("${format(\"%d\", secret)}", "`format`: a number is wanted, and this text is none"),
        ("${true ? name : hosts}", "the two results are text and a list"),
        ("$name", "`$name` stays as it is in a Terraform template, and `name` has a value"),
    ] {
        assert_eq!(fill(template, &values()), Err(message.to_owned()), "{template}");
    }
    // What the container's own shell knows, and what nobody knows, is text.
    assert_eq!(fill("$HOME $PORT $1 $$name", &values()).as_deref(), Ok("$HOME $PORT $1 $$name"));
}

#[test]
fn what_is_made_from_a_secret_is_one() {
    let secrets = |text: &str| {
        let filled = TerraformTemplate::parse(text).unwrap().fill(&values()).unwrap();
        filled.used.secrets().len()
    };
    for secret in
        ["${secret}", "${jsonencode({a = secret})}", "%{ for x in [secret] }${x}%{ endfor }"]
    {
        assert_eq!(secrets(secret), 1, "{secret}");
    }
    for public in ["${name}", "${true ? name : secret}", "%{ if false }${secret}%{ endif }"] {
        assert_eq!(secrets(public), 0, "{public}");
    }
}

#[test]
fn what_would_take_all_time_or_memory_is_refused() {
    let nested = |count: usize| format!("${{{}1{}}}", "(".repeat(count), ")".repeat(count));
    let loops = "%{ for x in big }".repeat(9) + "x" + &"%{ endfor }".repeat(9);
    let doubled = "%{ for x in [[name, name]] }".to_owned()
        + &"%{ for x in [[x, x]] }".repeat(60)
        + "${jsonencode(x)}"
        + &"%{ endfor }".repeat(61);
    for template in [
        nested(5000),
        format!("${{{}1}}", "!".repeat(5000)),
        format!("${{1{}}}", " + 1".repeat(5000)),
        format!("${{name{}}}", ".a".repeat(5000)),
        format!("${{{}1}}", "true ? 1 : ".repeat(5000)),
        format!("{}1{}", "${\"".repeat(5000), "\"}".repeat(5000)),
        "%{ if true }".repeat(5000) + &"%{ endif }".repeat(5000),
        loops,
        doubled,
        "${1e9999999}".to_owned(),
        "${format(\"%99999999d\", 1)}".to_owned(),
        "${indent(99999999, \"a\\nb\")}".to_owned(),
        "${join(\"\", range(99999999))}".to_owned(),
        "${replace(jsonencode(big), \"1\", jsonencode([big,big,big,big,big,big,big,big,big,big]))}"
            .to_owned(),
        format!("${{{}2}}", "9e399 * ".repeat(190)),
    ] {
        assert!(fill(&template, &values()).is_err(), "{}", &template[..40]);
    }
    assert_eq!(fill(&nested(50), &values()).as_deref(), Ok("1"));
}

proptest::proptest! {
    #[test]
    fn any_text_is_a_template_or_an_error_with_a_place(
        text in "([a-z$%{}~\"\\\\.\\[\\]():?,=!<>+*/&|0-9 \n\t-]|\\$\\{|%\\{ (if|for x in|else|endif|endfor) |\\}|name|hosts|upper\\(|for )*"
    ) {
        match TerraformTemplate::parse(&text) {
            Ok(template) => drop(template.fill(&values())),
            Err(errors) => for error in errors {
                proptest::prop_assert!(text.get(error.range.clone()).is_some(), "{:?}", error);
            }
        }
    }
}
