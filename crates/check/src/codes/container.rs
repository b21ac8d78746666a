//! Codes about containers of a task definition.

use super::pages;

pages! {
    CONTAINER_COUNT: Error "container-count", "a task definition has no container, or more than ten",
        "ECS takes one to ten.",
        examples ["taskdef.json"] ["taskdef.json"];
    CONTAINER_TWICE: Error "container-twice", "two containers have one name",
        "Everything that names a container, such as the AppSpec and `dependsOn`, could not tell \
         them apart.",
        examples ["taskdef.json"] ["taskdef.json"];
    CONTAINER_ESSENTIAL: Error "container-essential", "no container of the task is essential",
        "The task lives as long as its essential containers; ECS wants at least one. `essential` \
         is true where it is left out.",
        examples ["taskdef.json"] ["taskdef.json"];
    CONTAINER_IMAGE: Error "container-image", "the reference of an image has a wrong form",
        "Letters, digits and `-_:./#`, at most 255 of them; behind an `@` a digest of 64 \
         hexadecimal digits.",
        examples ["taskdef.json"] ["taskdef.json"];
    CONTAINER_MEMORY: Error "container-memory", "the memory of a container is not said, or contradicts itself",
        "Outside of Fargate a container, or its task, says how much it gets. What is reserved is \
         not more than the limit.",
        examples ["taskdef.json"] ["taskdef.json"];
    CONTAINER_SUM: Error "container-sum", "the containers want more than the task has",
        "What all containers reserve, and what one of them may use at most, fits into `cpu` and \
         `memory` of the task.",
        examples ["taskdef.json"] ["taskdef.json"];
    CONTAINER_REFERENCE: Error "container-reference", "a container is named that there is not",
        "`dependsOn`, `links`, `volumesFrom` and `proxyConfiguration` name containers of the same \
         task definition.",
        examples ["taskdef.json"] ["taskdef.json"];
    DEPENDS_CYCLE: Error "depends-cycle", "containers wait for each other",
        "None of them would ever start.",
        examples ["taskdef.json"] ["taskdef.json"];
    DEPENDS_CONDITION: Error "depends-condition", "a container waits for what cannot come",
        "`HEALTHY` needs a `healthCheck` in the task definition: that of the image does not \
         count. `COMPLETE` and `SUCCESS` mean that the other one ends, and with an essential \
         container the task ends.",
        examples ["taskdef.json"] ["taskdef.json"];
    VOLUME_UNKNOWN: Error "volume-unknown", "a container mounts a volume that there is not",
        "`sourceVolume` is the `name` of one of the task's `volumes`.",
        examples ["taskdef.json"] ["taskdef.json"];
    VOLUME_TWICE: Error "volume-twice", "two volumes have one name",
        "A mount could not tell them apart.",
        examples ["taskdef.json"] ["taskdef.json"];
    NETWORK_PORTS: Error "network-ports", "ports are mapped as the network mode does not allow",
        "With `awsvpc` and `host`, the port of the host is that of the container; with `none` \
         there are none.",
        examples ["taskdef.json"] ["taskdef.json"];
    NETWORK_MODE: Error "network-mode", "a container says something that the network mode does not take",
        "With `awsvpc` there are no `links`, `hostname` and `extraHosts`: containers of a task \
         reach each other at `localhost`. `links` are for `bridge` alone.",
        examples ["taskdef.json"] ["taskdef.json"];
    PORT_TWICE: Warning "port-twice", "two containers listen on one port",
        "With `awsvpc` and `host` the containers of a task share one network: the second of them \
         fails to listen.",
        examples ["taskdef.json"] ["taskdef.json"];
    SECRET_REFERENCE: Error "secret-reference", "`valueFrom` names no place of a secret",
        "A name of an SSM parameter, the ARN of one (`…:parameter/name`, its `/` not doubled), or \
         the ARN of a secret. A key, stage or version behind that needs all three colons: \
         `…:secret:db-AbCdEf:password::`.",
        examples ["taskdef.json"] ["taskdef.json"];
    SECRET_TWICE: Error "secret-twice", "a variable is a secret and something else besides",
        "ECS refuses a name that is both under `secrets` and `environment`, or twice under \
         `secrets`.",
        examples ["taskdef.json"] ["taskdef.json"];
    ENVIRONMENT_TWICE: Warning "environment-twice", "a variable has two values",
        "The last one counts, and the other one misleads.",
        examples ["taskdef.json"] ["taskdef.json"];
    ENVIRONMENT_SECRET: Warning "environment-secret", "a secret stands in the task definition in plain text",
        "Everybody who may call `ecs:DescribeTaskDefinition`, or read the repository, can read \
         it, in every revision that there ever was.",
        examples ["taskdef.json"] ["taskdef.json"];
    ENVIRONMENT_FILE: Error "environment-file", "`environmentFiles` names no file of variables",
        "It is the ARN of an object in S3 whose name ends in `.env`.",
        examples ["taskdef.json"] ["taskdef.json"];
    LOG_OPTIONS: Error "log-options", "options of `awslogs` are missing or misspelt",
        "It needs a group and a region, on Fargate a prefix for the streams too, and refuses \
         options that it does not know.",
        examples ["taskdef.json"] ["taskdef.json"];
    FIRELENS_MISSING: Error "firelens-missing", "a container logs through FireLens, and no container is its router",
        "`awsfirelens` hands the output to a container of the task that has \
         `firelensConfiguration`.",
        examples ["taskdef.json"] ["taskdef.json"];
    HEALTH_CHECK: Error "health-check", "the command of a health check begins with neither `CMD` nor `CMD-SHELL`",
        "The first text says how the second is run. The console's `CMD-SHELL, curl …` is two \
         texts here.",
        examples ["taskdef.json"] ["taskdef.json"];
    COMMAND_WORDS: Warning "command-words", "a command is one text with spaces in it",
        "A list has a text for each word; one text is the name of a program. It is right only \
         where the image's entry point is a shell that reads it.",
        examples ["taskdef.json"] ["taskdef.json"];
    ULIMIT_ORDER: Error "ulimit-order", "the soft limit is above the hard limit",
        "Docker refuses to start such a container.",
        examples ["taskdef.json"] ["taskdef.json"];
}
