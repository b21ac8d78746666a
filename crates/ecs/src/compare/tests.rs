use serde_json::json;

use super::*;

/// The difference, a line for each entry.
fn told(before: &Json, after: &Json) -> Vec<String> {
    let difference = compare(before, after);
    let lines = |word: &str, entries: &[Entry]| {
        let line =
            |entry: &Entry| format!("{word} {}: {} → {}", entry.path, entry.before, entry.after);
        entries.iter().map(line).collect::<Vec<_>>()
    };
    [
        lines("lost", &difference.lost),
        lines("changed", &difference.changed),
        lines("added", &difference.added),
    ]
    .concat()
}

fn container(members: &Json) -> Json {
    let mut container = json!({"name": "web", "image": "web:1"});
    let object = container.as_object_mut().expect("an object");
    object.extend(members.as_object().expect("an object").clone());
    json!({"family": "web", "networkMode": "awsvpc", "containerDefinitions": [container]})
}

#[test]
fn what_ecs_fills_in_is_no_difference() {
    let written = json!({
        "family": "web", "networkMode": "awsvpc", "cpu": "1 vCPU", "memory": "2GB",
        "requiresCompatibilities": ["FARGATE", "EC2"],
        "containerDefinitions": [
            {
                "name": "web", "image": "web:1",
                "portMappings": [{"containerPort": 80}, {"containerPort": 53, "protocol": "udp"}],
                "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                "secrets": [{"name": "S", "valueFrom": "/s"}, {"name": "T", "valueFrom": "/t"}],
                "healthCheck": {"command": ["CMD", "true"]},
            },
            {"name": "log", "image": "log:1", "essential": false},
        ],
        "volumes": [{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}],
    });
    let answered = json!({
        "containerDefinitions": [
            {
                "name": "log", "image": "log:1", "cpu": 0, "essential": false, "portMappings": [],
                "environment": [], "mountPoints": [], "volumesFrom": [], "systemControls": [],
            },
            {
                "name": "web", "image": "web:1", "cpu": 0, "essential": true, "command": null,
                "portMappings": [
                    {"containerPort": 53, "hostPort": 53, "protocol": "udp"},
                    {"containerPort": 80, "hostPort": 80, "protocol": "tcp"},
                ],
                "environment": [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}],
                "secrets": [{"name": "T", "valueFrom": "/t"}, {"name": "S", "valueFrom": "/s"}],
                "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
                "mountPoints": [], "volumesFrom": [], "systemControls": [],
            },
        ],
        "family": "web", "networkMode": "awsvpc", "cpu": "1024", "memory": "2048",
        "volumes": [{"name": "data", "host": {}, "efsVolumeConfiguration": {"fileSystemId": "fs-1", "rootDirectory": "/"}}],
        "placementConstraints": [], "requiresCompatibilities": ["EC2", "FARGATE"],
    });
    assert_eq!(told(&answered, &written), Vec::<String>::new());
    assert_eq!(told(&written, &answered), Vec::<String>::new());
}

#[test]
fn what_is_lost_stands_before_what_is_changed_and_added() {
    let before = container(&json!({
        "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}},
        "environment": [{"name": "STAGE", "value": "prod"}, {"name": "PORT", "value": "80"}],
        "command": ["serve", "--fast"],
    }));
    let after = container(&json!({
        "image": "web:2",
        "environment": [{"name": "PORT", "value": "8080"}],
        "command": ["--fast", "serve"],
        "secrets": [{"name": "KEY", "valueFrom": "/web/key"}],
    }));
    assert_eq!(
        told(&before, &after),
        [
            r#"lost containerDefinitions[web].logConfiguration: {"logDriver":"awslogs","options":{"awslogs-group":"/ecs/web"}} → null"#,
            r#"lost containerDefinitions[web].environment[STAGE]: "prod" → null"#,
            r#"changed containerDefinitions[web].image: "web:1" → "web:2""#,
            r#"changed containerDefinitions[web].environment[PORT]: "80" → "8080""#,
            r#"changed containerDefinitions[web].command: ["serve","--fast"] → ["--fast","serve"]"#,
            r#"added containerDefinitions[web].secrets: null → {"KEY":"/web/key"}"#,
        ]
    );
}

#[test]
fn an_unknown_key_is_compared_too() {
    let before = container(&json!({"newer": {"deep": [1, 2]}}));
    let after = container(&json!({"newer": {"deep": [1, 3]}}));
    assert_eq!(
        told(&before, &after),
        ["changed containerDefinitions[web].newer.deep: [1,2] → [1,3]"]
    );
}

#[test]
fn what_sounds_secret_is_compared_and_never_shown() {
    let with = |value: &str| {
        container(&json!({
            "environment": [
                {"name": "DB_PASSWORD", "value": value},
                {"name": "DATABASE", "value": format!("postgres://app:{value}@db/shop")},
            ],
            "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": value}},
        }))
    };
    let lines = told(&with("hunter2"), &with("hunter3"));
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines.iter().all(|line| line.matches("****").count() == 2), "{lines:?}");
    assert!(lines.iter().all(|line| !line.contains("hunter")), "{lines:?}");
    let lost = told(&with("hunter2"), &container(&json!({})));
    assert!(lost.iter().all(|line| !line.contains("hunter")), "{lost:?}");
}

#[test]
fn a_number_is_no_empty_text() {
    let with = |value: Json| container(&json!({"environment": [{"name": "PORT", "value": value}]}));
    assert_eq!(told(&with(json!("80")), &with(json!(80))), [""; 0]);
    assert_eq!(
        told(&with(json!("80")), &with(json!(81))),
        ["changed containerDefinitions[web].environment[PORT]: \"80\" → \"81\""]
    );
    let sized = |cpu: Json| json!({"family": "web", "cpu": cpu, "containerDefinitions": []});
    assert_eq!(told(&sized(json!("256")), &sized(json!(256))), [""; 0]);
    assert_eq!(told(&sized(json!("256")), &sized(json!(512))), ["changed cpu: \"256\" → \"512\""]);
}

#[test]
fn a_whole_task_definition_shows_no_more_than_a_comparison() {
    let with = |value: &str| {
        container(&json!({
            "command": ["serve", format!("--token={value}"), "--port", "80"],
            "entryPoint": ["run", "--password", value],
            "environment": [
                {"name": "DB_PASSWORD", "value": value},
                {"name": "DATABASE", "value": format!("postgres://app:{value}@db/shop")},
                {"name": "STAGE", "value": "prod"},
            ],
            "secrets": [{"name": "DB_TOKEN", "valueFrom": "/web/token"}],
            "dockerLabels": {"api.token": value, "team": "shop"},
            "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": value, "tag": "web"}},
            "healthCheck": {"command": ["CMD-SHELL", format!("curl -u admin:{value} http://h")]},
            "portMappings": [{"containerPort": 80, "hostPort": 80}],
        }))
    };
    let expected = json!({"family": "web", "networkMode": "awsvpc", "containerDefinitions": [{
        "name": "web", "image": "web:1",
        "command": ["serve", "--token=****", "--port", "80"],
        "entryPoint": ["run", "--password", "****"],
        "environment": [
            {"name": "DB_PASSWORD", "value": "****"},
            {"name": "DATABASE", "value": "postgres://****@db/shop"},
            {"name": "STAGE", "value": "prod"},
        ],
        "secrets": [{"name": "DB_TOKEN", "valueFrom": "/web/token"}],
        "dockerLabels": {"api.token": "****", "team": "shop"},
        "logConfiguration": {"logDriver": "splunk", "options": {"splunk-token": "****", "tag": "web"}},
        "healthCheck": {"command": ["CMD-SHELL", "curl -u admin:**** http://h"]},
        "portMappings": [{"containerPort": 80, "hostPort": 80}],
    }]});
    assert_eq!(masked(&with("hunter2")), expected);
    let first = "containerDefinitions[web].command";
    assert_eq!(first_hidden(&with("hunter2")).as_deref(), Some(first));
    let twice = ["postgres://app:hunter2@db", "none"].map(|it| json!({"name": "DB", "value": it}));
    assert!(first_hidden(&container(&json!({"environment": twice}))).is_some());
    assert_eq!(first_hidden(&container(&json!({"command": ["serve", "--port", "80"]}))), None);
}
