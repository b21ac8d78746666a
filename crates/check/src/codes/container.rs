//! Codes about containers of a task definition.

use super::pages;

pages! {
    CONTAINER_COUNT: Error "container-count", "a task definition has no container, or more than ten",
        "ECS takes one to ten.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": []
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)];
    CONTAINER_TWICE: Error "container-twice", "two containers have one name",
        "Everything that names a container, such as the AppSpec and `dependsOn`, could not tell them apart.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {"name": "web", "image": "nginx:1.27", "memory": 128},
    {"name": "web", "image": "busybox:1.37", "memory": 64}
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {"name": "web", "image": "nginx:1.27", "memory": 128},
    {"name": "log", "image": "busybox:1.37", "memory": 64}
  ]
}
"#)];
    CONTAINER_ESSENTIAL: Error "container-essential", "no container of the task is essential",
        "The task lives as long as its essential containers; ECS wants at least one. `essential` is true where it is left out.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {"name": "web", "image": "nginx:1.27", "memory": 128, "essential": false}
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {"name": "web", "image": "nginx:1.27", "memory": 128, "essential": true}
  ]
}
"#)];
    CONTAINER_IMAGE: Error "container-image", "the reference of an image has a wrong form",
        "Letters, digits and `-_:./#`, at most 255 of them; behind an `@` a digest of 64 hexadecimal digits.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27 ", "memory": 128}]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)];
    CONTAINER_MEMORY: Error "container-memory", "the memory of a container is not said, or contradicts itself",
        "Outside of Fargate a container, or its task, says how much it gets. What is reserved is not more than the limit.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27"}]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)];
    CONTAINER_SUM: Error "container-sum", "the containers want more than the task has",
        "What all containers reserve, and what one of them may use at most, fits into `cpu` and `memory` of the task.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "256",
  "memory": "512",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 1024}]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "requiresCompatibilities": ["FARGATE"],
  "networkMode": "awsvpc",
  "cpu": "256",
  "memory": "512",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 512}]
}
"#)];
    CONTAINER_REFERENCE: Error "container-reference", "a container is named that there is not",
        "`dependsOn`, `links`, `volumesFrom` and `proxyConfiguration` name containers of the same task definition.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "dependsOn": [{"containerName": "lgo", "condition": "START"}]
    },
    {"name": "log", "image": "busybox:1.37", "memory": 64}
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "dependsOn": [{"containerName": "log", "condition": "START"}]
    },
    {"name": "log", "image": "busybox:1.37", "memory": 64}
  ]
}
"#)];
    DEPENDS_CYCLE: Error "depends-cycle", "containers wait for each other",
        "None of them would ever start.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "dependsOn": [{"containerName": "log", "condition": "START"}]
    },
    {
      "name": "log",
      "image": "busybox:1.37",
      "memory": 64,
      "dependsOn": [{"containerName": "web", "condition": "START"}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "dependsOn": [{"containerName": "log", "condition": "START"}]
    },
    {"name": "log", "image": "busybox:1.37", "memory": 64}
  ]
}
"#)];
    DEPENDS_CONDITION: Error "depends-condition", "a container waits for what cannot come",
        "`HEALTHY` needs a `healthCheck` in the task definition: that of the image does not count. `COMPLETE` and `SUCCESS` mean that the other one ends, and with an essential container the task ends.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "dependsOn": [{"containerName": "log", "condition": "HEALTHY"}]
    },
    {"name": "log", "image": "busybox:1.37", "memory": 64}
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "dependsOn": [{"containerName": "log", "condition": "HEALTHY"}]
    },
    {
      "name": "log",
      "image": "busybox:1.37",
      "memory": 64,
      "healthCheck": {"command": ["CMD", "true"]}
    }
  ]
}
"#)];
    VOLUME_UNKNOWN: Error "volume-unknown", "a container mounts a volume that there is not",
        "`sourceVolume` is the `name` of one of the task's `volumes`.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "volumes": [{"name": "data"}],
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]
    }
  ]
}
"#)];
    VOLUME_TWICE: Error "volume-twice", "two volumes have one name",
        "A mount could not tell them apart.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "volumes": [{"name": "data"}, {"name": "data"}],
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "volumes": [{"name": "data"}],
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)];
    NETWORK_PORTS: Error "network-ports", "ports are mapped as the network mode does not allow",
        "With `awsvpc` and `host`, the port of the host is that of the container; with `none` there are none.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "networkMode": "awsvpc",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80, "hostPort": 8080}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "networkMode": "awsvpc",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#)];
    NETWORK_MODE: Error "network-mode", "a container says something that the network mode does not take",
        "With `awsvpc` there are no `links`, `hostname` and `extraHosts`: containers of a task reach each other at `localhost`. `links` are for `bridge` alone.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "networkMode": "awsvpc",
  "containerDefinitions": [
    {"name": "web", "image": "nginx:1.27", "memory": 128, "hostname": "web"}
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "networkMode": "awsvpc",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)];
    PORT_TWICE: Warning "port-twice", "two containers listen on one port",
        "With `awsvpc` and `host` the containers of a task share one network: the second of them fails to listen.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "networkMode": "awsvpc",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    },
    {
      "name": "api",
      "image": "httpd:2.4",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "networkMode": "awsvpc",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    },
    {
      "name": "api",
      "image": "httpd:2.4",
      "memory": 128,
      "portMappings": [{"containerPort": 8080}]
    }
  ]
}
"#)];
    SECRET_REFERENCE: Error "secret-reference", "`valueFrom` names no place of a secret",
        "A name of an SSM parameter, the ARN of one (`…:parameter/name`, its `/` not doubled), or the ARN of a secret. A key, stage or version behind that needs all three colons: `…:secret:db-AbCdEf:password::`.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "executionRoleArn": "arn:aws:iam::123456789012:role/ecs",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "secrets": [{"name": "DB", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:password"}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "executionRoleArn": "arn:aws:iam::123456789012:role/ecs",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "secrets": [{"name": "DB", "valueFrom": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:password::"}]
    }
  ]
}
"#)];
    SECRET_TWICE: Error "secret-twice", "a variable is a secret and something else besides",
        "ECS refuses a name that is both under `secrets` and `environment`, or twice under `secrets`.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "executionRoleArn": "arn:aws:iam::123456789012:role/ecs",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "environment": [{"name": "DB", "value": "x"}],
      "secrets": [{"name": "DB", "valueFrom": "/db"}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "executionRoleArn": "arn:aws:iam::123456789012:role/ecs",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "secrets": [{"name": "DB", "valueFrom": "/db"}]
    }
  ]
}
"#)];
    ENVIRONMENT_TWICE: Warning "environment-twice", "a variable has two values",
        "The last one counts, and the other one misleads.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "environment": [{"name": "STAGE", "value": "dev"}, {"name": "STAGE", "value": "prod"}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "environment": [{"name": "STAGE", "value": "prod"}]
    }
  ]
}
"#)];
    ENVIRONMENT_SECRET: Warning "environment-secret", "a secret stands in the task definition in plain text",
        "Everybody who may call `ecs:DescribeTaskDefinition`, or read the repository, can read it, in every revision that there ever was.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "environment": [{"name": "DB_PASSWORD", "value": "correct horse"}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "executionRoleArn": "arn:aws:iam::123456789012:role/ecs",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "secrets": [{"name": "DB_PASSWORD", "valueFrom": "/web/db_password"}]
    }
  ]
}
"#)];
    ENVIRONMENT_FILE: Error "environment-file", "`environmentFiles` names no file of variables",
        "It is the ARN of an object in S3 whose name ends in `.env`.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "environmentFiles": [{"type": "s3", "value": "s3://bucket/web.env"}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::bucket/web.env"}]
    }
  ]
}
"#)];
    LOG_OPTIONS: Error "log-options", "options of `awslogs` are missing or misspelt",
        "It needs a group and a region, on Fargate a prefix for the streams too, and refuses options that it does not know.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web"}}
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1"}}
    }
  ]
}
"#)];
    FIRELENS_MISSING: Error "firelens-missing", "a container logs through FireLens, and no container is its router",
        "`awsfirelens` hands the output to a container of the task that has `firelensConfiguration`.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "logConfiguration": {"logDriver": "awsfirelens"}
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "logConfiguration": {"logDriver": "awsfirelens"}
    },
    {
      "name": "log",
      "image": "fluent/fluent-bit:3.1",
      "memory": 64,
      "firelensConfiguration": {"type": "fluentbit"}
    }
  ]
}
"#)];
    HEALTH_CHECK: Error "health-check", "the command of a health check begins with neither `CMD` nor `CMD-SHELL`",
        "The first text says how the second is run. The console's `CMD-SHELL, curl …` is two texts here.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "healthCheck": {"command": ["CMD-SHELL, curl -f http://localhost/"]}
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "healthCheck": {"command": ["CMD-SHELL", "curl -f http://localhost/"]}
    }
  ]
}
"#)];
    COMMAND_WORDS: Warning "command-words", "a command is one text with spaces in it",
        "A list has a text for each word; one text is the name of a program. It is right only where the image's entry point is a shell that reads it.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {"name": "web", "image": "nginx:1.27", "memory": 128, "command": ["npm start"]}
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {"name": "web", "image": "nginx:1.27", "memory": 128, "command": ["npm", "start"]}
  ]
}
"#)];
    ULIMIT_ORDER: Error "ulimit-order", "the soft limit is above the hard limit",
        "Docker refuses to start such a container.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "ulimits": [{"name": "nofile", "softLimit": 4096, "hardLimit": 1024}]
    }
  ]
}
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "ulimits": [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]
    }
  ]
}
"#)];
}
