//! Codes about any file.

use super::pages;

pages! {
    NOT_READABLE: Error "not-readable", "a file is no JSON or no YAML",
        "Nobody downstream can read the file. A comma too many and a tab in YAML are the usual reasons.",
        bad &[("taskdef.json", "{\"family\": \"web\", \"containerDefinitions\": [],}\n")],
        good &[("taskdef.json", "{\"family\": \"web\", \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"nginx:1.27\", \"memory\": 128}]}\n")];
    DUPLICATE_KEY: Warning "duplicate-key", "a key stands twice in a map",
        "JSON leaves open which of them counts: most readers take the last, some the first, some refuse the file.",
        bad &[("imageDetail.json", "{\"ImageURI\": \"nginx:1.27\", \"ImageURI\": \"nginx:1.28\"}\n")],
        good &[("imageDetail.json", "{\"ImageURI\": \"nginx:1.28\"}\n")];
    UNKNOWN_CODE: Warning "unknown-code", "`# shipspec: allow` names a code that there is not",
        "The finding that was meant stays, or will be back.",
        bad &[("appspec.yaml", "# shipspec: allow appspec-quotedport\nversion: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: <TASK_DEFINITION>\n        LoadBalancerInfo: { ContainerName: web, ContainerPort: 80 }\n")],
        good &[("appspec.yaml", "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        TaskDefinition: <TASK_DEFINITION>\n        LoadBalancerInfo: { ContainerName: web, ContainerPort: 80 } # shipspec: allow appspec-quoted-port\n")];
    SHIPSPEC_YML: Error "shipspec-yml", "shipspec.yml or a template cannot be used as it is",
        "`shipspec run` would stop at it. The message says what is wrong: a key that there is not, a template that is missing, an expression that cannot be read.",
        bad &[("shipspec.yml", "version: 1\nartefacts: {}\n")],
        good &[("shipspec.yml", "version: 1\nartifacts: {}\n")];
    NAME_UNSET: Warning "name-unset", "a name in a template has no value, and another is very like it",
        "In a build its value may come from the environment, which nobody knows here; but a name that shipspec.yml or this environment knows is so like it that a slip of the fingers is more probable.",
        bad &[("shipspec.yml", "version: 1\nvariables: { TASK_FAMILY: web }\nartifacts: { build.json: template.json }\n"), ("template.json", "{\"family\": \"${TASK_FAMLIY}\"}\n")],
        good &[("shipspec.yml", "version: 1\nvariables: { TASK_FAMILY: web }\nartifacts: { build.json: template.json }\n"), ("template.json", "{\"family\": \"${TASK_FAMILY}\"}\n")];
    LEFT_OVER: Error "left-over", "an artifact still has a placeholder in it",
        "`${…}`, `{{…}}` and `{%…%}` mean nothing to ECS and CodeDeploy: where a name, a role or an image is wanted, they refuse it. Commands, variables and log options are not looked at, because a shell in the container may fill them. `<TASK_DEFINITION>` and `<IMAGE1_NAME>` are CodePipeline's, and are known.",
        bad &[("taskdef.json", "{\"family\": \"web\", \"executionRoleArn\": \"{{ ROLE }}\", \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"nginx:1.27\", \"memory\": 128}]}\n")],
        good &[("taskdef.json", "{\"family\": \"web\", \"executionRoleArn\": \"arn:aws:iam::123456789012:role/ecs\", \"containerDefinitions\": [{\"name\": \"web\", \"image\": \"nginx:1.27\", \"memory\": 128}]}\n")];
    LEFT_OVER_NONE: Warning "left-over-none", "a text was made from a value that was not there",
        "The AWS CLI prints `None` for a value that it does not find, and ends with 0: the text goes on as if it were one.",
        bad &[("imageDetail.json", "{\"ImageURI\": \"registry.example.com/web:None\"}\n")],
        good &[("imageDetail.json", "{\"ImageURI\": \"registry.example.com/web:1a2b3c4\"}\n")];
    IMAGE_OPEN_END: Error "image-open-end", "the reference of an image ends with `:` or `@`",
        "The variable behind it was empty. No registry takes such a reference.",
        bad &[("imageDetail.json", "{\"ImageURI\": \"registry.example.com/web:\"}\n")],
        good &[("imageDetail.json", "{\"ImageURI\": \"registry.example.com/web:1a2b3c4\"}\n")];
    IMAGE_LATEST: Warning "image-latest", "an image is named by `latest`, or by no tag",
        "It is another image with each push. Nobody can tell what runs, a rollback rolls nothing back, and two tasks of one service may run different programs.",
        bad &[("imageDetail.json", "{\"ImageURI\": \"registry.example.com/web:latest\"}\n")],
        good &[("imageDetail.json", "{\"ImageURI\": \"registry.example.com/web:1a2b3c4\"}\n")];
}
