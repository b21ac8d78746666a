use super::*;
use crate::expression::NameError;

struct Fixed(tempfile::TempDir);

impl Names for Fixed {
    fn resolve(&self, reference: &str) -> Result<Value, NameError> {
        match reference.split('.').next().unwrap() {
            "A" => Ok(Value::plain("a")),
            "Q" => Ok(Value::plain("say \"q\"")),
            "COMMIT" => Ok(Value::tool_made("1234567890".repeat(4))),
            "S" => Ok(Value::secret("S", "hunter2")),
            "list" => Ok(Value::plain(vec!["x", "y"])),
            "BROKEN" => Err(NameError::Cycle(vec!["BROKEN".into()])),
            "arn(NONE)" => Err(NameError::Never {
                name: reference.into(),
                reason: "no parameter has the name `NONE`".into(),
            }),
            name => Err(NameError::Unset(name.into())),
        }
    }

    fn known(&self) -> Vec<String> {
        ["A", "Q", "S", "COMMIT", "list"].map(str::to_owned).to_vec()
    }

    fn folder(&self) -> Option<&Path> {
        Some(self.0.path())
    }
}

fn fill(text: &str) -> Result<(String, Value), Vec<JinjaError>> {
    let names = Fixed(tempfile::tempdir().unwrap());
    std::fs::write(names.0.path().join("part.j2"), "<{{ A }}>").unwrap();
    std::fs::write(names.0.path().join("base.j2"), "[{% block b %}{% endblock %}]").unwrap();
    let template = JinjaTemplate::parse("t.j2", text).map_err(|error| vec![error])?;
    let filled = template.fill(&names)?;
    Ok((filled.text, filled.used))
}

/// What is wrong, each with the text that it is about.
fn wrong(text: &str) -> Vec<(String, String)> {
    let errors = fill(text).unwrap_err().into_iter();
    errors
        .map(|it| (it.to_string(), it.range.map_or("", |range| &text[range]).to_owned()))
        .collect()
}

fn parts(text: &str) -> Vec<String> {
    let names = Fixed(tempfile::tempdir().unwrap());
    let filled = JinjaTemplate::parse("t.j2", text).unwrap().fill(&names).unwrap();
    let show = |part: &JinjaPart| match part {
        JinjaPart::Text(text) => text.clone(),
        JinjaPart::Value { text, is_text, is_mixed } => {
            let kind = if *is_text { "text " } else { "" };
            format!("<{kind}{}{text}>", if *is_mixed { "mixed " } else { "" })
        }
    };
    filled.parts.unwrap().iter().map(show).collect()
}

#[test]
fn values_are_told_from_the_text_around_them() {
    assert_eq!(parts("x{{ A }}y"), ["x", "<a>", "y"]);
    assert_eq!(parts("{{ COMMIT | short(8) }}"), ["<text 12345678>"]);
    assert_eq!(
        parts("{{ true }} {{ 1 }} {{ list }}"),
        ["<true>", " ", "<1>", " ", "<[\"x\",\"y\"]>"]
    );
    assert_eq!(
        parts("{% macro m(x) %}[{{ x }}]{% endmacro %}{{ m(Q) }}"),
        ["[", "<say \"q\">", "]"]
    );
    assert_eq!(parts("{% filter upper %}{{ A }}b{% endfilter %}"), ["<A>", "B"]);
    assert_eq!(parts("{{ A | e }}{{ Q ~ A }}"), ["<a>", "<say \"q\"a>"]);
}

#[test]
fn text_that_was_captured_means_what_it_says() {
    let set = "{% set x %}{{ A }}b{% endset %}";
    assert_eq!(fill(&format!("{set}{{{{ x | length }}}}{{{{ x == 'ab' }}}}")).unwrap().0, "2true");
    assert_eq!(
        fill(&format!("{set}{{{{ x ~ A }}}}{{{{ x | sha256 | short }}}}")).unwrap().0,
        "abafb8e20f"
    );
    // A sign of structure that was captured and put together again may not stand everywhere.
    let mixed = "{% set x %}{{ Q }}{% endset %}{{ x ~ A }}";
    assert_eq!(parts(mixed), ["<mixed say \"q\"a>"]);
}

#[test]
fn nothing_is_printed_for_a_value_that_is_none() {
    assert!(wrong("{{ none }}")[0].0.contains("none"));
    assert_eq!(fill("{{ A if false }}.").unwrap().0, ".");
}

#[test]
fn what_would_take_all_memory_is_refused() {
    assert!(wrong("{{ A | indent(4000000000) }}")[0].0.contains("indent"));
    let long = format!("ok\n{{{{ A{} }}}}", "~A".repeat(50_000));
    let error = &fill(&long).unwrap_err()[0];
    assert_eq!(error.range, Some(3..5));
    assert!(error.to_string().contains("longer than"), "{error}");
    assert!(wrong(&format!("{{{{ raw }}}}{long}"))[0].0.contains("longer than"));
    let open = format!("{{% if A == it's %}}{}{{% endif %}}", "x".repeat(9000));
    assert!(wrong(&open)[0].0.contains("syntax error"));
}

#[test]
fn an_error_in_a_part_names_the_part_and_its_line() {
    let names = Fixed(tempfile::tempdir().unwrap());
    let write = |name: &str, text: &str| std::fs::write(names.0.path().join(name), text).unwrap();
    let told = |text: &str| {
        let errors = JinjaTemplate::parse("t.j2", text).unwrap().fill(&names).unwrap_err();
        let at = |error: &JinjaError| error.range.clone().map_or("", |range| &text[range]);
        let told = |error: &JinjaError| format!("{error} [{}]", at(error));
        errors.iter().map(told).collect::<Vec<_>>()
    };
    write("p.j2", "a\n{{ A | nosuch }}");
    let message = "p.j2:2: unknown filter: filter nosuch is unknown [";
    assert_eq!(told("b\n\n{% include 'p.j2' %}"), [format!("{message}include 'p.j2']")]);
    assert_eq!(told("{% extends 'p.j2' %}"), [format!("{message}]")]);
    write("q.j2", "{% include 'p.j2' %}");
    assert_eq!(told("{% include 'q.j2' %}"), [format!("{message}include 'q.j2']")]);
    write("n.j2", "{% set x = A %}\n{{ x }}{{ NONE | upper }}");
    assert_eq!(
        told("{{ A }}{% include 'n.j2' %}{{ OTHER }}"),
        ["`NONE` has no value (in `n.j2:2`) [include 'n.j2']", "`OTHER` has no value [OTHER]"]
    );
}

#[test]
fn filters_that_there_are_not_are_told_before_any_value_is_known() {
    let told = |text| JinjaTemplate::parse("t.j2", text).unwrap_err();
    let error = told("{{ A }}\n{% if B | uper == 'x' %}{% endif %}");
    assert_eq!(
        (error.range.clone(), &*error.to_string()),
        (Some(18..22), "there is no filter `uper`; did you mean `upper`?")
    );
    let said = |text| told(text).to_string();
    assert!(said("{% filter uper %}x{% endfilter %}").contains("no filter `uper`"));
    assert!(said("{{ A }}\nfoo | grep bar }} {{ A | ").contains("syntax error"));
    assert!(said("{% if A is nosuch %}{% endif %}").contains("no test `nosuch`"));
    for text in [
        "{# {{ A | nosuch }} #}{{ A }}",
        "{% raw %}{{ A | nosuch }}{% endraw %}{{ A }}",
        "{{ '| nosuch' }} A | nosuch {% set b = A is defined %}",
        r#"{{ "{{ .Name | upercase }}" }}{{ '\'{{ x is odd_thing }}' }}"#,
        "{%-\n\traw +%} endraw {{ A | nosuch }} {%endraw -%}",
        "{#} {{ A | nosuch }} #}{{ A }}",
    ] {
        assert!(JinjaTemplate::parse("t.j2", text).is_ok(), "{text}");
    }
}

#[test]
fn the_whole_language_is_there() {
    let text = "{% for x in list %}{{ x | upper }}{% if not loop.last %},{% endif %}{% endfor %}\n{% include 'part.j2' %} ${A}\n";
    assert_eq!(fill(text).unwrap().0, "X,Y\n<a> ${A}\n");
    assert_eq!(fill("{% extends 'base.j2' %}{% block b %}{{ A }}{% endblock %}").unwrap().0, "[a]");
}

#[test]
fn secrets_that_are_used_are_known() {
    assert!(fill("{{ A }}").unwrap().1.secrets().is_empty());
    assert_eq!(fill("{{ S | b64encode }}").unwrap().1.secrets().len(), 1);
}

#[test]
fn a_template_may_ask_for_a_name_without_a_value_but_not_for_a_wrong_one() {
    let text = "{{ NONE | default('x') }}{% if A is defined %}y{% endif %}{{ A.b | d('z') }}";
    assert_eq!(fill(text).unwrap().0, "xyz");
    assert_eq!(wrong("{{ A.b }}")[0].0, "`A.b` has no value");
    let no_parameter = wrong("{{ arn('NONE') }}");
    assert_eq!(no_parameter[0].0, "`arn(NONE)` has no value: no parameter has the name `NONE`");
    assert!(wrong("{{ BROKEN | default('x') }}")[0].0.contains("needs itself"));
    assert_eq!(fill("{% macro m(x) %}<{{ x }}>{% endmacro %}{{ m(A) }}").unwrap().0, "<a>");
}

#[test]
fn names_without_a_value_and_files_outside_are_errors() {
    let pairs = |text| {
        wrong(text).into_iter().map(|(told, at)| format!("{told} [{at}]")).collect::<Vec<_>>()
    };
    assert_eq!(
        pairs("{{ A }}\n{{ NONE }} {% if MAYBE is defined %}{{ MAYBE }}{% endif %}{{ OTHER.x }}"),
        ["`NONE` has no value [NONE]", "`OTHER` has no value [OTHER]"]
    );
    assert_eq!(
        pairs("{% if MAYBE is defined %}x{% endif %}{{ list.nope }}"),
        ["`list.nope` has no value [list.nope]"]
    );
    assert_eq!(pairs("é{{ list.no.pe }}"), ["`list.no.pe` has no value [list.no.pe]"]);
    assert_eq!(pairs("{{ (MAYBE | d('')) ~ NONE }}"), ["`NONE` has no value [NONE]"]);
    assert_eq!(pairs("{{ A | replace('a', NONE) }}"), ["`NONE` has no value [NONE]"]);
    assert_eq!(
        pairs("{% include '/etc/passwd' %}"),
        ["template not found: `/etc/passwd` [include '/etc/passwd']"]
    );
    for code in ["include S", "include S | upper", "extends S[:4]", "include [S, 'b']"] {
        let told = format!("{:?}", wrong(&format!("{{% {code} %}}"))).to_lowercase();
        assert!(told.contains("template not found") && !told.contains("hunt"), "{told}");
    }
    assert!(wrong("{% if %}")[0].0.starts_with("syntax error"));
    let endless =
        "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}";
    assert!(wrong(endless)[0].0.contains("fuel"));
}
