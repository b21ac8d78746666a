//! What stays of a buildspec, and which buildspecs are none.

mod common;

use common::{PUSH, buildspec, commands, read, read_with};
use insta::assert_snapshot;
use shipspec_import::ImportError;

/// Of everything something.
const MIXED: &str = "version: 0.2
env:
  variables:
    STAGE: dev
    REGISTRY: 111122223333.dkr.ecr.eu-west-1.amazonaws.com
  parameter-store:
    TOKEN: /npm/token
    FAMILY: /ecs/family
phases:
  install:
    runtime-versions: { nodejs: 20 }
    commands:
      - docker info > /dev/null 2>&1 || nohup dockerd > /dev/null 2>&1 &
      - until docker info; do sleep 1; done
  pre_build:
    commands:
      - $(aws ecr get-login --no-include-email)
      - echo $HUB_TOKEN | docker login -u me --password-stdin
      - TAG=${CODEBUILD_RESOLVED_SOURCE_VERSION::7} # seven
      - if [ -z \"$STAGE\" ]; then STAGE=prod; fi
  build:
    on-failure: ABORT
    commands: [ 'echo building', \"docker build -t $REGISTRY/web:$TAG .\" ]
  post_build:
    commands:
      - if [ \"$CODEBUILD_BUILD_SUCCEEDING\" = 0 ]; then exit 1; fi
      - docker push $REGISTRY/web:$TAG; aws s3 cp notes.txt \"s3://bucket/$TAG\"
      - 'printf ''{\"ImageURI\":\"%s\"}'' $REGISTRY/web:$TAG > imageDetail.json'
    finally:
      - rm -rf ~/.docker
# handed on
artifacts:
  files: [imageDetail.json]
cache: { paths: ['/root/.npm/**/*'] }
";

#[test]
fn what_stands_between_decides_how_many_lines_there_are() {
    let build = "docker build -t $REPO:$TAG -t app .";
    let between = |command: &str| commands(&read(&[build, command, PUSH]));
    assert_eq!(between("docker images"), ["shipspec run", "docker images"]);
    assert_eq!(
        between("docker run --rm $REPO:$TAG npm test"),
        ["shipspec build", "docker run --rm $REPO:$TAG npm test", "shipspec push"]
    );
    assert_eq!(between("npm test"), ["shipspec build", "npm test", "shipspec push"]);
    let deploys = read(&["npm ci", build, PUSH, "kubectl set image deploy/web web=$REPO:$TAG"]);
    let wanted = ["npm ci", "shipspec run", "kubectl set image deploy/web web=$REPO:$TAG"];
    assert_eq!(commands(&deploys), wanted);
    let feeds = read(&[
        build,
        PUSH,
        "ARN=$(aws ecs list-task-definitions | jq -r .[0])",
        "sed \"s|<ARN>|$ARN|g\" appspec.tpl > appspec.yaml",
    ]);
    let wanted =
        ["ARN=$(aws ecs list-task-definitions | jq -r .[0])", "export ARN", "shipspec run"];
    assert_eq!(commands(&feeds), wanted);
    let writes = read(&[
        build,
        PUSH,
        "aws ecs describe-task-definition --task-definition web > taskdef.json",
        "envsubst < taskdef.tpl > taskdef.json",
    ]);
    assert_eq!(commands(&writes).first().map(String::as_str), Some("shipspec build"));
    assert_eq!(commands(&writes).last().map(String::as_str), Some("shipspec render"));
}

#[test]
fn an_image_that_is_used_by_a_name_of_its_own_stays_with_the_shell() {
    let error = read_with(
        &buildspec(&[
            "docker build -t app .",
            "trivy image app:latest",
            "docker tag app:latest $REPO:1",
            "docker push $REPO:1",
        ]),
        &[],
    );
    let Err(ImportError::NoImage { remarks, .. }) = error else { panic!("no image") };
    let why = "a command that stays uses the image by a name that is not pushed";
    assert_eq!(remarks.iter().filter(|remark| remark.message == why).count(), 3);
}

#[test]
fn what_is_not_understood_stays_and_so_does_what_it_needs() {
    let import = read_with(MIXED, &[]).expect("an import");
    assert_snapshot!(import.config, @"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    images:
      web:
        repository: ${REGISTRY}/web
    artifacts:
      imageDetail.json:
        image_detail: web
    ");
    assert_snapshot!(import.buildspec, @r#"
    version: 0.2
    env:
      variables:
        STAGE: dev
        REGISTRY: 111122223333.dkr.ecr.eu-west-1.amazonaws.com
      parameter-store:
        TOKEN: /npm/token
        FAMILY: /ecs/family
    phases:
      install:
        runtime-versions:
          nodejs: 20
        commands:
          # The bucket that holds the binary; not needed where the build image has it.
          - aws s3 cp "s3://$TOOLS_BUCKET/shipspec" /usr/local/bin/shipspec
          - chmod +x /usr/local/bin/shipspec
          - shipspec daemon ensure
      pre_build:
        commands:
          - echo $HUB_TOKEN | docker login -u me --password-stdin
          - TAG=${CODEBUILD_RESOLVED_SOURCE_VERSION::7}
          - if [ -z "$STAGE" ]; then STAGE=prod; fi
      build:
        on-failure: ABORT
        commands:
          - shipspec build
      post_build:
        commands:
          - if [ "$CODEBUILD_BUILD_SUCCEEDING" = 0 ]; then exit 1; fi
          - shipspec push
          - aws s3 cp notes.txt "s3://bucket/$TAG"
          - shipspec render
        finally:
          - rm -rf ~/.docker

    # handed on
    artifacts:
      files: [imageDetail.json]
    cache: { paths: ['/root/.npm/**/*'] }
    "#);
    let remarks: Vec<_> = import.remarks.iter().map(ToString::to_string).collect();
    assert_snapshot!(remarks.join("\n"), @r#"
    line 13: replaced `docker info > /dev/null 2>&1 || nohup dockerd > /dev/null 2>&1`: `shipspec daemon ensure` starts the engine, and waits for it
    line 14: replaced `until docker info; do sleep 1; done`: `shipspec daemon ensure` starts the engine, and waits for it
    line 17: dropped `$(aws ecr get-login --no-include-email)`: shipspec signs in at ECR by itself
    line 17: look: `aws ecr get-login` is gone since version 2 of the AWS CLI (buildspec-get-login)
    line 18: kept `echo $HUB_TOKEN | docker login -u me --password-stdin`: shipspec uses what `docker login` leaves for registries other than ECR
    line 19: kept `TAG=${CODEBUILD_RESOLVED_SOURCE_VERSION::7}`: a command that stays needs it
    line 20: kept `if [ -z "$STAGE" ]; then STAGE=prod; fi`: `if`, loops and groups are not read
    line 23: replaced `docker build -t $REGISTRY/web:$TAG .`: `images:`
    line 23: dropped `echo building`: it only says what comes next
    line 26: kept `if [ "$CODEBUILD_BUILD_SUCCEEDING" = 0 ]; then exit 1; fi`: it guards commands that stay
    line 27: replaced `docker push $REGISTRY/web:$TAG`: `images:`
    line 27: kept `aws s3 cp notes.txt "s3://bucket/$TAG"`: shipspec has nothing in its place
    line 28: replaced `printf '{"ImageURI":"%s"}' $REGISTRY/web:$TAG > imageDetail.json`: the artifact `imageDetail.json`
    line 30: kept `rm -rf ~/.docker`: shipspec has nothing in its place
    "#);
}

#[test]
fn entries_of_env_move_where_nothing_else_reads_them() {
    let text = "version: 0.2
env:
  variables: { REPO: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/web, OTHER: x }
  parameter-store: { VERSION: /app/version, API_TOKEN: /app/token }
  secrets-manager: { NPM: npm:token }
  exported-variables: [OTHER]
phases:
  build:
    commands:
      - docker build --build-arg VERSION --build-arg API_TOKEN --build-arg NPM -t $REPO:latest .
      - docker push $REPO:latest
";
    let import = read_with(text, &[]).expect("an import");
    assert_snapshot!(import.config, @"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    parameters:
      VERSION: ssm:/app/version
      API_TOKEN: ssm:/app/token
      NPM: secretsmanager:npm:token
    variables:
      REPO: ${REPO:-111122223333.dkr.ecr.eu-west-1.amazonaws.com/web}
    images:
      web:
        repository: ${REPO}
        tags: [latest]
        build_args:
          VERSION: ${VERSION}
        # Everybody who can pull the image can read these. Mount them with `secrets:` instead.
        insecure_build_args:
          API_TOKEN: ${API_TOKEN}
          NPM: ${NPM}
    ");
    assert_snapshot!(import.buildspec, @r#"
    version: 0.2
    env:
      variables:
        OTHER: x
      exported-variables:
        - OTHER

    phases:
      install:
        commands:
          # The bucket that holds the binary; not needed where the build image has it.
          - aws s3 cp "s3://$TOOLS_BUCKET/shipspec" /usr/local/bin/shipspec
          - chmod +x /usr/local/bin/shipspec
      build:
        commands:
          - shipspec run
    "#);
}

#[test]
fn a_buildspec_that_is_none_is_refused_with_its_place() {
    let error = |text: &str| read_with(text, &[]).expect_err("no import").to_string();
    assert_eq!(
        error("a: [1\nb: 2\n").lines().next().map(|line| line.starts_with("buildspec.yml:2:")),
        Some(true)
    );
    assert!(error("name: x\n").contains("it has no `phases`"));
    let colon = "version: 0.2\nphases:\n  build:\n    commands:\n      - echo a: b\n";
    assert!(
        error(colon).starts_with("buildspec.yml:5:9: this command is no text"),
        "{}",
        error(colon)
    );
    assert!(error(&buildspec(&["make"])).contains("builds no image"));
}

#[test]
fn json_windows_lines_and_marks_of_order_are_read() {
    let json = r#"{"version": 0.2, "phases": {"build": {"commands": ["docker build -t $REPO:1 .", "docker push $REPO:1"]}}, "artifacts": {"files": ["a", {"b": 1}], "name": "x"}}"#;
    let text = buildspec(&["docker build -t $REPO:1 .", "docker push $REPO:1"]);
    for text in [json.to_owned(), text.replace('\n', "\r\n"), format!("\u{feff}{text}")] {
        let import = read_with(&text, &[]).expect("an import");
        assert_eq!(commands(&import).first().map(String::as_str), Some("shipspec run"), "{text}");
    }
}

#[test]
fn no_beginning_of_a_buildspec_is_a_crash() {
    let text = buildspec(&[
        "A=\"${B:-$(echo `c` | cut -c 1-7)}\" && cat <<É > f\n$A\nÉ",
        "for x in 1 2; do docker build -t $x .; done || { echo é; exit 1; }",
        "docker build -t $REPO:${A:=latest} ${C:+--pull} .; docker push $REPO:$A",
        "case $A in a) b;; esac; f() { g; }; [[ $A == b* ]] && c=(1 2) d=$((1 + 2))",
    ]);
    for (at, _) in text.char_indices() {
        let _ = read_with(&text[..at], &[]);
    }
}
