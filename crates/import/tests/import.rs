//! Buildspecs with a shell in them, and the configuration that is made of them.

mod common;

use common::{PUSH, buildspec, commands, read, read_with};
use insta::assert_snapshot;
use shipspec_import::Kind;

/// What is said of the only image, and of the run's tag.
fn tags(commands: &[&str]) -> Vec<String> {
    let import = read(commands);
    let lines = import.config.lines().map(str::trim);
    lines.filter(|line| line.starts_with("tag")).map(str::to_owned).collect()
}

#[test]
fn every_way_to_cut_a_commit_is_known() {
    for (assignment, wanted) in [
        ("TAG=$(echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c 1-7)", ""),
        ("TAG=`echo $CODEBUILD_RESOLVED_SOURCE_VERSION | cut -c1-8`", "tag: ${COMMIT | short(8)}"),
        ("TAG=${CODEBUILD_RESOLVED_SOURCE_VERSION::7}", ""),
        ("TAG=\"${CODEBUILD_RESOLVED_SOURCE_VERSION:0:10}\"", "tag: ${COMMIT | short(10)}"),
        ("TAG=$(echo \"$CODEBUILD_RESOLVED_SOURCE_VERSION\" | head -c 7)", ""),
        ("TAG=$(head -c 7 <<< $CODEBUILD_RESOLVED_SOURCE_VERSION)", ""),
        ("TAG=$(git rev-parse --short HEAD)", ""),
        ("TAG=$(git rev-parse HEAD | cut -c 1-12)", "tag: ${COMMIT | short(12)}"),
        ("TAG=$CODEBUILD_RESOLVED_SOURCE_VERSION", "tag: ${COMMIT}"),
        ("HASH=${CODEBUILD_RESOLVED_SOURCE_VERSION::7}; TAG=${HASH:=latest}", ""),
        ("TAG=$CODEBUILD_BUILD_NUMBER", "tag: ${CODEBUILD_BUILD_NUMBER}"),
        (
            "TAG=build-$(echo $CODEBUILD_BUILD_ID | awk -F: '{print $2}')",
            "tag: build-${CODEBUILD_BUILD_ID | split(':') | last}",
        ),
        ("TAG=${CODEBUILD_BUILD_ID#*:}", "tag: ${CODEBUILD_BUILD_ID | split(':') | last}"),
        ("TAG=$(echo $BRANCH | tr '/' '-')", "tag: ${BRANCH | replace('/', '-')}"),
        ("TAG=${RELEASE:-dev}", "tag: ${RELEASE:-dev}"),
    ] {
        let found = tags(&[assignment, "docker build -t $REPO:$TAG .", PUSH]);
        assert_eq!(found.join(" "), wanted, "{assignment}");
    }
}

#[test]
fn what_only_a_shell_knows_is_exported() {
    let import = read(&[
        "EPOCH=$(date +%s)",
        "HASH=${CODEBUILD_RESOLVED_SOURCE_VERSION::7}",
        "TAG=${HASH:=$EPOCH}",
        "docker build -t $REPO:$TAG .",
        PUSH,
    ]);
    assert!(import.config.contains("tag: [\"${COMMIT | short(7)}\", \"${EPOCH}\"]"));
    assert_eq!(commands(&import), ["EPOCH=$(date +%s)", "export EPOCH", "shipspec run"]);
}

#[test]
fn a_tag_of_the_environment_keeps_its_name() {
    let import = read(&["docker build -t $REPO:$IMAGE_TAG .", "docker push $REPO:$IMAGE_TAG"]);
    assert!(import.config.contains("tag: ${IMAGE_TAG}\n"), "{}", import.config);
    assert!(!import.config.contains("tags:"), "{}", import.config);
}

#[test]
fn every_option_of_a_build_has_its_word() {
    let import = read(&[
        "cd services/web",
        "docker build --rm -f ../docker/Dockerfile.web --target runtime --platform linux/arm64 --no-cache --pull \\\n  --build-arg VERSION=$TAG --build-arg=NODE_ENV=production --label team=web --network host \\\n  --add-host db:10.0.0.1 --cache-from $REPO:cache --secret id=token,env=NPM_TOKEN --ssh default -t web ../..",
        "docker tag web:latest $REPO:latest",
        "docker tag web $REPO:v-$TAG",
        "docker push $REPO:latest && docker push $REPO:v-$TAG",
    ]);
    assert_snapshot!(import.config, @r#"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    images:
      app:
        repository: ${REPO}
        dockerfile: services/docker/Dockerfile.web
        target: runtime
        platform: linux/arm64
        network: host
        tags: ["v-${TAG}", latest]
        build_args:
          VERSION: ${TAG}
          NODE_ENV: production
        secrets:
          token: NPM_TOKEN
        labels:
          team: web
        extra_hosts:
          db: "10.0.0.1"
        no_cache: true
        pull: true
        cache_from: ["${REPO}:cache"]
        ssh: [default]
    "#);
    assert!(import.is_one_line, "{:?}", import.remarks);
}

#[test]
fn a_further_source_has_a_path_of_its_own() {
    let import = read(&[
        "cd deploy",
        "docker build -f $CODEBUILD_SRC_DIR_App/docker/Dockerfile -t $REPO:1.0 $CODEBUILD_SRC_DIR_App",
        "docker push $REPO:1.0",
    ]);
    let wanted = "    context: ${CODEBUILD_SRC_DIR_App}\n    dockerfile: docker/Dockerfile\n";
    assert!(import.config.contains(wanted), "{}", import.config);
}

#[test]
fn secrets_among_build_arguments_keep_working_and_are_told() {
    let import = read(&[
        "DB_PASSWORD=$(aws ssm get-parameter --name /db/pass --with-decryption --query Parameter.Value --output text)",
        "URL=$(aws ssm get-parameters --names /url --region us-east-1 | jq -r '.Parameters[0].Value')",
        "KEY=$(aws secretsmanager get-secret-value --secret-id app --query SecretString --output text | jq -r .key)",
        "docker build --build-arg DB_PASSWORD --build-arg URL=$URL --build-arg K=$KEY -t $REPO:1.0 .",
        "docker push $REPO:1.0",
    ]);
    assert_snapshot!(import.config, @r#"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    parameters:
      DB_PASSWORD: ssm:/db/pass
      URL:
        from: ssm:/url
        region: us-east-1
      KEY: secretsmanager:app:key
    images:
      app:
        repository: ${REPO}
        tags: ["1.0"]
        build_args:
          URL: ${URL}
        # Everybody who can pull the image can read these. Mount them with `secrets:` instead.
        insecure_build_args:
          DB_PASSWORD: ${DB_PASSWORD}
          K: ${KEY}
    "#);
    let looks = import.remarks.iter().filter(|remark| remark.kind == Kind::Look);
    assert!(looks.into_iter().any(|look| look.message.contains("`DB_PASSWORD`")));
}

#[test]
fn a_login_with_a_parameter_needs_no_shell() {
    let text = "version: 0.2
env:
  parameter-store: { HUB_USER: /hub/user, HUB_TOKEN: /hub/token }
phases:
  build:
    commands:
      - echo $HUB_TOKEN | docker login --username $HUB_USER --password-stdin
      - docker build -t $REPO:latest .
      - docker push $REPO:latest
";
    let import = read_with(text, &[]).expect("an import");
    assert_snapshot!(import.config, @"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    parameters:
      HUB_USER: ssm:/hub/user
      HUB_TOKEN: ssm:/hub/token
    registries:
      docker.io:
        username: ${HUB_USER}
        password: HUB_TOKEN
    images:
      app:
        repository: ${REPO}
        tags: [latest]
    ");
    assert_eq!(commands(&import), ["shipspec run"]);
}

#[test]
fn what_might_not_reach_shipspec_is_told() {
    let import = read(&[
        ". ./.env",
        "PASS=$(aws ssm get-parameter --name /p --with-decryption | jq -r .Parameter.Value)",
        "docker build -t $REPO:1.0 . && docker push $REPO:1.0",
        "sed \"s/PASS/$PASS/g\" taskdef.tpl > taskdef.json",
    ]);
    let looks = import.remarks.iter().filter(|remark| remark.kind == Kind::Look);
    let looks: Vec<_> = looks.map(ToString::to_string).collect();
    assert_snapshot!(looks.join("\n"), @"
    look: `PASS` may be a secret; a file that it would stand in is refused unless `allow_secrets` names it there
    look: `taskdef.tpl` is not here, so nobody looked which names it asks for
    line 6: look: what it sets reaches shipspec only if it is exported
    ");
}

#[test]
fn files_for_deploy_actions_become_artifacts() {
    let template = r#"{"image": "<IMAGE>", "command": "$HOME", "port": "__PORT__"}"#;
    let text = buildspec(&[
        "TAG=${CODEBUILD_RESOLVED_SOURCE_VERSION::7}",
        "docker build -t $REPO:$TAG . && docker push $REPO:$TAG",
        "export FAMILY=shop URI=$REPO:$TAG",
        "envsubst < appspec.tpl > appspec.yaml",
        "printf '[{\"name\":\"web\",\"imageUri\":\"%s\"}]' $REPO:$TAG > imagedefinitions.json",
        "echo \"{\\\"ImageURI\\\": \\\"$URI\\\"}\" > imageDetail.json",
        "cp taskdef.tpl taskdef.json; sed -i \"s|<IMAGE>|$URI|g; s/\\\"__PORT__\\\"/80/\" taskdef.json",
        "sed -i 's/STAGE/dev/' taskdef-dev.json",
        "cat > out/values.json <<EOF\n{\"tag\": \"$TAG\", \"ports\": [80], \"imageUri\": \"$URI\"}\nEOF",
        "cat <<EOF > out/notes.txt\nbuilt for \\$1: $URI\nEOF",
    ]);
    let text = format!("{text}artifacts:\n  files: [out/*, appspec.yaml]\n");
    let files = [
        ("appspec.tpl", "name: $FAMILY-$STAGE"),
        ("taskdef.tpl", template),
        ("taskdef-dev.json", "{\"family\": \"STAGE\"}"),
    ];
    let import = read_with(&text, &files).expect("an import");
    assert_snapshot!(import.config, @r#"
    # Made from buildspec.yml by `shipspec import`.
    version: 1
    variables:
      FAMILY: shop
    images:
      app:
        repository: ${REPO}
    artifacts:
      appspec.yaml: appspec.tpl
      imagedefinitions.json:
        image_definitions:
          web: app
      imageDetail.json:
        image_detail: app
      taskdef.json:
        template: taskdef.tpl
        only: []
        placeholders:
          "<IMAGE>": ${images.app.uri}
          "\"__PORT__\"": "80"
      taskdef-dev.json:
        template: taskdef-dev.template.json
        placeholders:
          "STAGE": dev
      out/values.json:
        json:
          tag: ${IMAGE_TAG}
          ports:
            - 80
          imageUri: ${images.app.uri}
      out/notes.txt: out/notes.template.txt
    "#);
    assert_snapshot!(format!("{:#?}", import.templates), @r#"
    [
        (
            "taskdef-dev.template.json",
            "{\"family\": \"STAGE\"}",
        ),
        (
            "out/notes.template.txt",
            "built for $$1: ${images.app.uri}\n",
        ),
    ]
    "#);
    assert!(import.is_one_line, "{:?}", import.remarks);
}
