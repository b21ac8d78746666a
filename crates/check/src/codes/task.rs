//! Codes about a whole task definition.

use super::pages;

pages! {
    TASKDEF_WRAPPER: Error "taskdef-wrapper", "the task definition is wrapped in `taskDefinition`",
        "`aws ecs describe-task-definition` prints it so. `RegisterTaskDefinition` takes only \
         what the wrapper holds.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_OUTPUT_KEY: Warning "taskdef-output-key", "the task definition has keys that ECS answers and does not take",
        "`taskDefinitionArn`, `revision`, `status` and others come from \
         `describe-task-definition`. The AWS CLI and the SDKs refuse them in \
         `RegisterTaskDefinition`; what CodePipeline's action does with them is not documented.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_MISSPELT_KEY: Error "taskdef-misspelt-key", "a key of the task definition is misspelt",
        "The key is in no model of the API, and one that is differs from it by a slip of the \
         fingers, or by case, as CloudFormation writes it. The AWS CLI and the SDKs refuse it; \
         whoever does not, drops it without a word.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_UNKNOWN_KEY: Warning "taskdef-unknown-key", "a key of the task definition is in no model of the API that is known here",
        "It may be newer than this version of shipspec, so that it is kept. Clients whose model \
         lacks it refuse it.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_TYPE: Error "taskdef-type", "a value of the task definition has the wrong type",
        "A port is a number and a command a list, whatever a template made of them. `cpu` and \
         `memory` of the whole task are text, those of a container are numbers. The AWS CLI and \
         the SDKs check this before they send anything.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_NULL: Warning "taskdef-null", "a value of the task definition is null",
        "What a null does depends on who reads the file: the AWS CLI refuses it, others take it \
         for a key that was left out.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_VALUE: Error "taskdef-value", "a word of the task definition is misspelt",
        "The API takes only some words here, and this one is like one of them.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_UNFAMILIAR_VALUE: Warning "taskdef-unfamiliar-value", "a word of the task definition is in no model of the API that is known here",
        "It may be newer than this version of shipspec, or be read in any case.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_REQUIRED: Error "taskdef-required", "the task definition lacks a key that ECS needs",
        "The model of the API marks some keys as required; the service needs `name` and `image` \
         of a container besides.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_RANGE: Error "taskdef-range", "a number of the task definition is out of its range",
        "The ranges are those of the API's reference.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_NAME: Error "taskdef-name", "a name in the task definition has signs that a name cannot have",
        "Families, containers and volumes have letters, digits, `-` and `_`; ports have \
         lower-case letters.",
        examples ["taskdef.json"] ["taskdef.json"];
    TASKDEF_SIZE: Error "taskdef-size", "the task definition is larger than 64 KiB",
        "ECS takes 65,536 bytes. Variables are mostly what fills them: they can come from SSM, or \
         from a file in S3 that `environmentFiles` names.",
        examples [] [];
    TASKDEF_TAGS: Error "taskdef-tags", "the tags of the task definition are not as AWS takes them",
        "At most 50, each key once, none that begins with `aws:`.",
        examples ["taskdef.json"] ["taskdef.json"];
    ARN_FORM: Error "arn-form", "an ARN of a role has a wrong form",
        "An account has 12 digits, and a role's ARN no region: \
         `arn:aws:iam::123456789012:role/name`.",
        examples ["taskdef.json"] ["taskdef.json"];
    EXECUTION_ROLE: Error "execution-role", "there is no `executionRoleArn`, and something needs it",
        "Before a container starts, ECS pulls its image, reads its secrets and opens its log with \
         this role. Without it, the task is refused or never starts. On EC2 the machine's own \
         role pulls and logs, but does not read secrets.",
        examples ["taskdef.json"] ["taskdef.json"];
    FARGATE_NETWORK: Error "fargate-network", "a task for Fargate has not the network mode `awsvpc`",
        "Fargate has no other. Where the key is left out, `bridge` counts.",
        examples ["taskdef.json"] ["taskdef.json"];
    FARGATE_SIZE: Error "fargate-size", "a task for Fargate has no size that there is",
        "Fargate needs `cpu` and `memory` of the whole task, and each `cpu` goes with certain \
         sizes of memory. \"No Fargate configuration exists for given values\" is the answer \
         otherwise.",
        examples ["taskdef.json"] ["taskdef.json"];
    FARGATE_SIZE_UNKNOWN: Warning "fargate-size-unknown", "a task for Fargate has a `cpu` that is not known here",
        "AWS has added sizes twice; this one may be newer than this version of shipspec.",
        examples ["taskdef.json"] ["taskdef.json"];
    FARGATE_FORBIDDEN: Error "fargate-forbidden", "a task for Fargate says something that Fargate does not take",
        "There is no machine of yours: no privileged containers, devices, GPUs, paths or network \
         of the host, and no log driver that writes to its disk.",
        examples ["taskdef.json"] ["taskdef.json"];
    APP_MESH: Warning "app-mesh", "the task definition uses App Mesh",
        "App Mesh ended on 2026-09-30. `proxyConfiguration` was for its Envoy container; without \
         the service, that has nobody to ask. Service Connect gives names, retries and metrics \
         between services without a container of your own.",
        examples ["taskdef.json"] ["taskdef.json"];
}
