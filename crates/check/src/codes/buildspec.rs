//! Codes about the buildspec.

use super::pages;

pages! {
    BUILDSPEC_FORM: Error "buildspec-form", "CodeBuild cannot read the buildspec",
        "It needs `version` and `phases`, and a command is text: `echo a: b` without quotes is a map to YAML, and ends the build before it begins.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - echo Version: $TAG
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - 'echo Version: $TAG'
"#)];
    BUILDSPEC_KEY: Warning "buildspec-key", "a key of the buildspec is misspelt",
        "CodeBuild drops some keys that it does not know without a word: with `artifact:` nothing is handed on.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - shipspec run
artifact:
  files: [build.json]
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - shipspec run
"#)];
    BUILDSPEC_EXPORTED: Warning "buildspec-exported", "a variable is exported that CodeBuild does not export",
        "Neither names that begin with `AWS_`, nor what comes from `parameter-store:` and `secrets-manager:`.",
        bad &[("buildspec.yml", r#"version: 0.2
env:
  exported-variables: [AWS_TAG]
phases:
  build:
    commands:
      - shipspec run
"#)],
        good &[("buildspec.yml", r#"version: 0.2
env:
  exported-variables: [TAG]
phases:
  build:
    commands:
      - shipspec run
"#)];
    BUILDSPEC_PUSH: Warning "buildspec-push", "`post_build` pushes, whether `build` has failed or not",
        "CodeBuild runs `post_build` after a `build` that failed. Then an image is pushed that is broken, or that was left from before, and `latest` moves to it.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - docker build -t web .
  post_build:
    commands:
      - docker push web
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - docker build -t web .
      - docker push web
"#)];
    BUILDSPEC_GET_LOGIN: Warning "buildspec-get-login", "`aws ecr get-login` is used",
        "Version 2 of the AWS CLI has it no longer, and build images have had version 2 for years. `shipspec` needs no login at all.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  pre_build:
    commands:
      - $(aws ecr get-login --no-include-email)
  build:
    commands:
      - docker build -t web .
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  pre_build:
    commands:
      - aws ecr get-login-password | docker login --username AWS --password-stdin $REGISTRY
  build:
    commands:
      - docker build -t web .
"#)];
    BUILDSPEC_LATEST: Warning "buildspec-latest", "a tag falls back to `latest`",
        "Where the commit is not known, the build goes on, overwrites `latest`, and deploys it under a name that says nothing.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  pre_build:
    commands:
      - IMAGE_TAG=${COMMIT_HASH:=latest}
  build:
    commands:
      - docker build -t web .
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  pre_build:
    commands:
      - IMAGE_TAG=${COMMIT_HASH:?is not set}
  build:
    commands:
      - docker build -t web .
"#)];
    BUILDSPEC_VARIABLE: Warning "buildspec-variable", "a variable is used that nobody sets, and a namesake is set that nobody uses",
        "A shell makes an empty text of it, and goes on. If the project's environment sets it, allow the finding.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  pre_build:
    commands:
      - REPOSITORY_URI=registry.example.com/web
  build:
    commands:
      - docker build -t $REPOSITRY_URI .
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  pre_build:
    commands:
      - REPOSITORY_URI=registry.example.com/web
  build:
    commands:
      - docker build -t $REPOSITORY_URI .
"#)];
    BUILDSPEC_SECRET_SHOWN: Warning "buildspec-secret-shown", "a secret is printed into the log",
        "CodeBuild hides the exact values that it fetched for `parameter-store:` and `secrets-manager:`, and nothing else: no part of one, no base64, no value that a command fetched.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - echo $DB_PASSWORD
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - echo building
"#)];
    BUILDSPEC_SECRET_ARGUMENT: Warning "buildspec-secret-argument", "a secret stands on a command line",
        "Every process of the machine can read it there, and a shell that prints its commands prints it. A build argument stays in the history of the image.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - docker build --build-arg NPM_TOKEN=$NPM_TOKEN -t web .
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - docker build --secret id=npm,env=NPM_TOKEN -t web .
"#)];
    BUILDSPEC_SECRET_PLAIN: Warning "buildspec-secret-plain", "a secret stands in the buildspec in plain text",
        "It is in the repository, and in the settings that everybody sees who may look at builds.",
        bad &[("buildspec.yml", r#"version: 0.2
env:
  variables:
    DB_PASSWORD: correct horse
phases:
  build:
    commands:
      - docker build -t web .
"#)],
        good &[("buildspec.yml", r#"version: 0.2
env:
  parameter-store:
    DB_PASSWORD: /web/db_password
phases:
  build:
    commands:
      - docker build -t web .
"#)];
    BUILDSPEC_ARTIFACT_UNKNOWN: Warning "buildspec-artifact-unknown", "an artifact of the buildspec is a file that nobody writes",
        "It is not in the source, shipspec does not write it, and no command names it. CodeBuild then fails at the end, or hands on an artifact without it.",
        bad &[("buildspec.yml", r#"version: 0.2
phases:
  post_build:
    commands:
      - echo '{}' > imageDetail.json
artifacts:
  files: [imageDetails.json, imagedefinitions.json]
"#)],
        good &[("buildspec.yml", r#"version: 0.2
phases:
  post_build:
    commands:
      - echo '{}' > imageDetail.json
artifacts:
  files: [imageDetail.json]
"#)];
    BUILDSPEC_ARTIFACT_LEFT_OUT: Warning "buildspec-artifact-left-out", "shipspec writes a file that no artifact of the buildspec takes along",
        "The deploy action does not find it.",
        bad &[("shipspec.yml", r#"version: 1
artifacts:
  build.json: { json: { tag: "1a2b3c4" } }
"#), ("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - shipspec run
artifacts:
  files: [taskdef.json]
"#), ("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)],
        good &[("shipspec.yml", r#"version: 1
artifacts:
  build.json: { json: { tag: "1a2b3c4" } }
"#), ("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - shipspec run
artifacts:
  files: [taskdef.json, build.json]
"#), ("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [{"name": "web", "image": "nginx:1.27", "memory": 128}]
}
"#)];
    BUILDSPEC_DISCARD_PATHS: Warning "buildspec-discard-paths", "`discard-paths` makes one file of several",
        "Without their folders, `web/imageDetail.json` and `log/imageDetail.json` have one name, and one of them is lost.",
        bad &[("shipspec.yml", r#"version: 1
artifacts:
  web/imageDetail.json: { json: { ImageURI: "registry.example.com/web:1a2b3c4" } }
  log/imageDetail.json: { json: { ImageURI: "registry.example.com/log:1a2b3c4" } }
"#), ("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - shipspec run
artifacts:
  files: ['**/imageDetail.json']
  discard-paths: yes
"#)],
        good &[("shipspec.yml", r#"version: 1
artifacts:
  web/imageDetail.json: { json: { ImageURI: "registry.example.com/web:1a2b3c4" } }
  log/imageDetail.json: { json: { ImageURI: "registry.example.com/log:1a2b3c4" } }
"#), ("buildspec.yml", r#"version: 0.2
phases:
  build:
    commands:
      - shipspec run
artifacts:
  files: ['**/imageDetail.json']
"#)];
}
