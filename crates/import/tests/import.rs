//! Buildspecs with a shell in them, and what is made of them.

use insta::assert_snapshot;
use shipspec_import::{Import, ImportError, Kind, import};
use shipspec_spec::source::Source;

const PUSH: &str = "docker push $REPO:$TAG";

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

/// A buildspec with these commands in `build`.
fn buildspec(commands: &[&str]) -> String {
    let lines: Vec<_> = commands.iter().map(|command| item(command)).collect();
    format!("version: 0.2\nphases:\n  build:\n    commands:\n{}", lines.concat())
}

fn item(command: &str) -> String {
    let lines: Vec<_> = command.lines().map(|line| format!("          {line}\n")).collect();
    format!("      - |\n{}", lines.concat())
}

fn read_with(text: &str, files: &[(&str, &str)]) -> Result<Import, ImportError> {
    let read = |path: &str| {
        files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
    };
    import(&Source::new("buildspec.yml", text), &read)
}

fn read(commands: &[&str]) -> Import {
    read_with(&buildspec(commands), &[]).expect("an import")
}

/// The commands of the new buildspec that are not the installation.
fn commands(import: &Import) -> Vec<String> {
    let lines = import.buildspec.lines().map(str::trim);
    let lines = lines.filter_map(|line| line.strip_prefix("- ").map(str::to_owned));
    lines.filter(|line| !line.contains("/usr/local/bin/shipspec")).collect()
}

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
    line 27: kept `aws s3 cp notes.txt "s3://bucket/$TAG"`: it is not replaced
    line 28: replaced `printf '{"ImageURI":"%s"}' $REGISTRY/web:$TAG > imageDetail.json`: the artifact `imageDetail.json`
    line 30: kept `rm -rf ~/.docker`: it is not replaced
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
