use shipspec_spec::source::Source;

use super::*;

fn edits(changes: Vec<(Option<&str>, Change)>) -> Edits {
    let source = Source::new("shipspec.yml", "web");
    let edit = |(container, change): (Option<&str>, Change)| ContainerEdit {
        container: container.map(str::to_owned),
        place: Span::new(&source, 0..3),
        change,
    };
    Edits { containers: changes.into_iter().map(edit).collect(), ..Edits::default() }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn web() -> Json {
    json!({
        "family": "shop", "newKey": { "kept": 1.0 },
        "containerDefinitions": [
            { "name": "web", "image": "old", "environment": [
                { "name": "A", "value": "1" }, { "name": "B", "value": "2" },
            ] },
            { "name": "log", "image": "log:1" },
        ],
    })
}

#[test]
fn entries_are_changed_in_their_places_and_others_are_kept() {
    let changes = vec![
        (None, Change::Environment(pairs(&[("ALL", "x")]))),
        (Some("web"), Change::Image("new".into())),
        (Some("web"), Change::Environment(pairs(&[("A", "one"), ("C", "3")]))),
    ];
    let edited = edit(web(), &edits(changes)).unwrap();
    let expected = json!({
        "family": "shop", "newKey": { "kept": 1.0 },
        "containerDefinitions": [
            { "name": "web", "image": "new", "environment": [
                { "name": "A", "value": "one" }, { "name": "B", "value": "2" },
                { "name": "ALL", "value": "x" }, { "name": "C", "value": "3" },
            ] },
            { "name": "log", "image": "log:1", "environment": [{ "name": "ALL", "value": "x" }] },
        ],
    });
    assert_eq!(edited.task_definition.to_string(), expected.to_string());
    assert!(edited.notes.is_empty());
}

#[test]
fn a_container_without_a_name_hides_no_mistake_in_another() {
    let mut task = web();
    task["containerDefinitions"][1] = json!({ "Name": "log", "image": "log:1" });
    let changes = vec![(Some("wbe"), Change::Image("new".into()))];
    let error = edit(task, &edits(changes)).unwrap_err().to_string();
    assert!(error.contains("no container `wbe`"), "{error}");
}

#[test]
fn no_entries_leave_no_empty_list() {
    let changes = vec![(Some("log"), Change::Environment(Vec::new()))];
    let edited = edit(web(), &edits(changes)).unwrap();
    assert_eq!(edited.task_definition, web());
}

#[test]
fn a_name_that_becomes_a_secret_leaves_the_environment() {
    let changes = vec![(Some("web"), Change::Secrets(pairs(&[("A", "arn:a")])))];
    let edited = edit(web(), &edits(changes)).unwrap();
    let web = &edited.task_definition["containerDefinitions"][0];
    assert_eq!(web["environment"], json!([{ "name": "B", "value": "2" }]));
    assert_eq!(web["secrets"], json!([{ "name": "A", "valueFrom": "arn:a" }]));
    assert_eq!(
        edited.notes,
        ["`A` of the container `web` was under `environment`, and is under `secrets` now"]
    );
}

#[test]
fn command_log_and_sizes_are_replaced() {
    let log = Log {
        driver: "awslogs".into(),
        options: pairs(&[("awslogs-group", "/ecs/web")]),
        secret_options: pairs(&[("token", "arn:t")]),
    };
    let changes = vec![
        (Some("log"), Change::Command(vec!["run".into(), "-v".into()])),
        (Some("log"), Change::Log(log)),
        (Some("log"), Change::Cpu(128.into())),
        (Some("log"), Change::Memory(256.into())),
        (Some("log"), Change::DockerLabels(pairs(&[("team", "shop")]))),
    ];
    let mut all = edits(changes);
    all.cpu = Some("512".into());
    all.memory = Some("1 GB".into());
    let edited = edit(web(), &all).unwrap().task_definition;
    assert_eq!(
        edited["containerDefinitions"][1],
        json!({
            "name": "log", "image": "log:1", "command": ["run", "-v"],
            "logConfiguration": {
                "logDriver": "awslogs", "options": { "awslogs-group": "/ecs/web" },
                "secretOptions": [{ "name": "token", "valueFrom": "arn:t" }],
            },
            "cpu": 128, "memory": 256, "dockerLabels": { "team": "shop" },
        })
    );
    assert_eq!((&edited["cpu"], &edited["memory"]), (&json!("512"), &json!("1 GB")));
}

#[test]
fn containers_that_are_not_there_are_told_all_at_once() {
    let image = || Change::Image("x".into());
    let changes = vec![(Some("wbe"), image()), (Some("sidecar"), image()), (Some("log"), image())];
    let errors = edit(web(), &edits(changes)).unwrap_err();
    let told: Vec<_> = errors
        .as_slice()
        .iter()
        .map(|error| (error.to_string(), error.hint.clone().unwrap_or_default()))
        .collect();
    let expected = [
        ("shipspec.yml:1:1: the task definition has no container `wbe`", "did you mean `web`?"),
        ("shipspec.yml:1:1: the task definition has no container `sidecar`", "it has: web, log"),
    ];
    assert_eq!(told, expected.map(|(error, hint)| (error.to_owned(), hint.to_owned())));
}

#[test]
fn a_container_that_may_be_there_is_no_mistake() {
    let open = json!({ "containerDefinitions": [{ "name": UNKNOWN.to_string() }] });
    let changes = vec![(Some("web"), Change::Image("x".into()))];
    assert!(edit(open, &edits(changes)).is_ok());
}

#[test]
fn what_is_no_task_definition_is_told() {
    let told = |json: Json| edit(json, &Edits::default()).unwrap_err().to_string();
    assert!(told(json!({ "taskDefinition": web() })).contains("inside of `taskDefinition`"));
    assert!(told(json!({ "family": "x" })).contains("no list `containerDefinitions`"));
    assert!(told(json!([1])).contains("no list `containerDefinitions`"));
    assert!(told(json!(1)).contains("no list `containerDefinitions`"));
}

#[test]
fn a_part_that_is_something_else_is_told_and_not_lost() {
    let told = |environment: Json| {
        let json =
            json!({ "containerDefinitions": [{ "name": "web", "environment": environment }] });
        let changes = vec![(None, Change::Environment(pairs(&[("A", "1")])))];
        edit(json, &edits(changes)).map(|edited| edited.task_definition.to_string())
    };
    let error = told(json!({ "A": "0" })).unwrap_err().to_string();
    assert!(error.contains("`environment` of the container is no list"), "{error}");
    assert!(told(Json::Null).unwrap().contains(r#"[{"name":"A","value":"1"}]"#));
    assert!(told(UNKNOWN.to_string().into()).is_ok());
}
