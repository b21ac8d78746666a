//! Codes about any file.

use super::pages;

pages! {
    NOT_READABLE: Error "not-readable", "a file is no JSON or no YAML",
        "Nobody downstream can read the file. A comma too many, and a tab in YAML, are the usual \
         reasons.",
        examples ["taskdef.json"] ["taskdef.json"];
    DUPLICATE_KEY: Warning "duplicate-key", "a key stands twice in a map",
        "JSON leaves open which of them counts: most readers take the last, some the first, some \
         refuse the file.",
        examples ["imageDetail.json"] ["imageDetail.json"];
    UNKNOWN_CODE: Warning "unknown-code", "`# shipspec: allow` names a code that there is not",
        "The finding that was meant stays, or will be back.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    SHIPSPEC_YML: Error "shipspec-yml", "shipspec.yml or a template cannot be used as it is",
        "`shipspec run` would stop at it. The message says what is wrong: a key that there is \
         not, a template that is missing, an expression that cannot be read.",
        examples ["shipspec.yml"] ["shipspec.yml"];
    NAME_UNSET: Warning "name-unset", "a name in a template has no value, and another is very like it",
        "In a build its value may come from the environment, which nobody knows here; but a name \
         that shipspec.yml or this environment knows is so like it that a slip of the fingers is \
         more probable.",
        examples ["shipspec.yml", "template.json"] ["shipspec.yml", "template.json"];
    DOCKERFILE_MISSING: Warning "dockerfile-missing", "the context or the Dockerfile of an image is not there",
        "`shipspec run` would stop at it. `dockerfile` is read from the image's `context` on, and \
         `context` from the folder of shipspec.yml on. Where an earlier command of the build makes \
         them, they are not there yet.",
        examples ["shipspec.yml", "web/Dockerfile"] ["shipspec.yml", "web/Dockerfile"];
    DOCKERFILE_MISMATCH: Error "dockerfile-mismatch", "a Dockerfile and shipspec.yml do not agree",
        "`target` names a stage that there is not, which ends the build; or a step mounts a secret \
         that no entry of `secrets` gives, and engines run such a step with an empty file.",
        examples ["shipspec.yml", "Dockerfile"] ["shipspec.yml", "Dockerfile"];
    LEFT_OVER: Error "left-over", "an artifact still has a placeholder in it",
        "`${…}`, `{{…}}` and `{%…%}` mean nothing to ECS and CodeDeploy: where a name, a role or \
         an image is wanted, they refuse it. Commands, variables and log options are not looked \
         at, because a shell in the container may fill them. `<TASK_DEFINITION>` and \
         `<IMAGE1_NAME>` are CodePipeline's, and are known.",
        examples ["taskdef.json"] ["taskdef.json"];
    LEFT_OVER_NONE: Warning "left-over-none", "a text was made from a value that was not there",
        "The AWS CLI prints `None` for a value that it does not find, and ends with 0: the text \
         goes on as if it were one.",
        examples ["imageDetail.json"] ["imageDetail.json"];
    IMAGE_OPEN_END: Error "image-open-end", "the reference of an image ends with `:` or `@`",
        "The variable behind it was empty. No registry takes such a reference.",
        examples ["imageDetail.json"] ["imageDetail.json"];
    IMAGE_LATEST: Warning "image-latest", "an image is named by `latest`, or by no tag",
        "It is another image with each push. Nobody can tell what runs, a rollback rolls nothing \
         back, and two tasks of one service may run different programs.",
        examples ["imageDetail.json"] ["imageDetail.json"];
}
