//! An import changes neither the order of commands nor what they see, and loses none.

use shipspec_import::{Import, ImportError, Kind, import};
use shipspec_spec::source::Source;

/// A buildspec with these lines in `build: commands:`, and sections behind it.
fn buildspec(commands: &[&str], rest: &str) -> String {
    let item = |command: &&str| {
        let lines: Vec<_> = command.lines().map(|line| format!("          {line}\n")).collect();
        format!("      - |\n{}", lines.concat())
    };
    let items: Vec<_> = commands.iter().map(item).collect();
    format!("version: 0.2\n{rest}phases:\n  build:\n    commands:\n{}", items.concat())
}

fn read(text: &str, files: &[(&str, &str)]) -> Result<Import, ImportError> {
    let read = |path: &str| {
        files.iter().find(|(name, _)| *name == path).map(|(_, text)| (*text).to_owned())
    };
    import(&Source::new("buildspec.yml", text), &read)
}

fn of(commands: &[&str]) -> Import {
    read(&buildspec(commands, ""), &[]).expect("an import")
}

/// The lines of the new buildspec's `build:`, without those that only YAML needs.
fn lines(import: &Import) -> Vec<&str> {
    let (_, build) = import.buildspec.split_once("  build:\n    commands:\n").expect("a phase");
    let lines = build.lines().take_while(|line| line.starts_with("      "));
    lines.map(|line| line.trim().trim_start_matches("- ")).filter(|line| *line != "|-").collect()
}

const WEB: [&str; 2] = ["docker build -t $REPO/web:1 web", "docker push $REPO/web:1"];
const API: [&str; 2] = ["docker build -t $REPO/api:1 api", "docker push $REPO/api:1"];

#[test]
fn a_command_between_two_images_stays_between_them() {
    for between in ["docker run --rm $REPO/web:1 test", "aws ecs update-service --service web"] {
        let import = of(&[WEB[0], WEB[1], between, API[0], API[1]]);
        assert_eq!(lines(&import), [WEB[0], WEB[1], between, "shipspec run"], "{between}");
        assert!(!import.config.contains("web:"), "{}", import.config);
        let mut looks = import.remarks.iter().filter(|remark| remark.kind == Kind::Look);
        assert!(looks.any(|look| look.message.contains("stays with the shell")));
    }
    let together = of(&[WEB[0], API[0], WEB[1], "docker images", API[1]]);
    assert_eq!(lines(&together), ["shipspec run", "docker images"]);
}

#[test]
fn a_command_between_two_pushes_stays_between_them() {
    let deploy = "aws ecs update-service --service web";
    let import = of(&[WEB[0], API[0], WEB[1], deploy, API[1]]);
    let found = lines(&import);
    let place = |wanted: &str| found.iter().position(|line| *line == wanted).expect(wanted);
    assert!(place(WEB[1]) < place(deploy), "{found:?}");
    assert!(place(deploy) < place("shipspec push"), "{found:?}");
}

#[test]
fn what_yaml_puts_elsewhere_is_refused_with_its_place() {
    let error = |text: &str| read(text, &[]).expect_err("no import").to_string();
    let list = "version: 0.2\nx: &all [make]\nphases:\n  build:\n    commands: *all\n";
    assert!(error(list).starts_with("buildspec.yml:5:15: this is an alias"), "{}", error(list));
    let item = "version: 0.2\nx: &one make\nphases:\n  build:\n    commands:\n      - *one\n";
    assert!(error(item).starts_with("buildspec.yml:6:9: this is an alias"), "{}", error(item));
    let phase = "version: 0.2\nx: &x { commands: [make] }\nphases:\n  build: *x\n";
    assert!(error(phase).starts_with("buildspec.yml:4:10: this is an alias"), "{}", error(phase));
}

#[test]
fn a_shell_for_each_command_is_refused() {
    let text = buildspec(&WEB, "").replace("0.2", "0.1");
    let error = read(&text, &[]).expect_err("no import").to_string();
    assert!(error.starts_with("buildspec.yml:1:10: version 0.1 runs"), "{error}");
}

#[test]
fn what_programs_read_in_the_environment_stays_exported() {
    for (given, command) in [
        ("export AWS_PROFILE=prod", ""),
        ("export DOCKER_HOST=tcp://engine:2375", ""),
        ("export https_proxy=http://proxy:3128", ""),
        ("AWS_DEFAULT_REGION=eu-west-1", ""),
        ("export KUBECONFIG=/tmp/config", "kubectl apply -f deploy.yaml"),
        ("export STAGE=prod", "docker run --rm -e STAGE tests"),
        ("export STAGE=prod", "docker compose up -d"),
        ("export STAGE=prod", "aws ecs wait services-stable"),
    ] {
        let import = of(&[given, WEB[0], WEB[1], command]);
        assert!(lines(&import).contains(&given), "{given}: {}", import.buildspec);
    }
    let import = of(&["export DOCKER_BUILDKIT=1", WEB[0], WEB[1]]);
    assert_eq!(lines(&import), ["shipspec run"]);
}

#[test]
fn entries_of_env_that_programs_read_stay_there() {
    for name in ["AWS_REGION", "DOCKER_REGISTRY", "NO_PROXY"] {
        let env = format!("env:\n  variables: {{ {name}: x, HOST: example.com }}\n");
        let build = format!("docker build --build-arg {name} --build-arg HOST -t $REPO:1 .");
        let import = read(&buildspec(&[&build, "docker push $REPO:1"], &env), &[]);
        let import = import.expect("an import");
        assert!(import.buildspec.contains(&format!("    {name}: x\n")), "{}", import.buildspec);
        assert!(!import.buildspec.contains("HOST: example.com"), "{}", import.buildspec);
    }
}

#[test]
fn names_that_codebuild_reads_keep_their_values() {
    for rest in [
        "env:\n  exported-variables: [TAG]\n",
        "artifacts:\n  name: app-$TAG\n  files: [x.json]\n",
        "cache:\n  paths: ['/cache/$TAG/**/*']\n",
        "reports:\n  unit-$TAG:\n    files: [a.xml]\n",
    ] {
        let tag = "TAG=${CODEBUILD_RESOLVED_SOURCE_VERSION::7}";
        let commands = [tag, "docker build -t $REPO:$TAG .", "docker push $REPO:$TAG"];
        let import = read(&buildspec(&commands, rest), &[]).expect("an import");
        assert_eq!(lines(&import), [tag, "shipspec run"], "{rest}");
        let env = format!("env:\n  variables: {{ TAG: a }}\n{}", rest.trim_start_matches("env:\n"));
        let import = read(&buildspec(&commands[1..], &env), &[]).expect("an import");
        assert!(import.buildspec.contains(" TAG: a"), "{}", import.buildspec);
    }
}

#[test]
fn an_assignment_and_its_export_stay_together() {
    let import = of(&["STAGE=prod", "export STAGE", WEB[0], WEB[1], "./deploy"]);
    assert_eq!(lines(&import), ["STAGE=prod", "export STAGE", "shipspec run", "./deploy"]);
    let import = of(&["STAGE=prod", "export STAGE", WEB[0], WEB[1]]);
    assert_eq!(lines(&import), ["shipspec run"]);
    let stamp = "docker build --build-arg STAMP=$STAMP -t $REPO/web:1 web";
    let import = of(&["STAMP=$(date +%s)", "export STAMP", stamp, WEB[1]]);
    assert_eq!(lines(&import), ["STAMP=$(date +%s)", "export STAMP", "shipspec run"]);
}

#[test]
fn an_environment_of_one_command_stays_with_it() {
    let commands = [
        WEB[0],
        WEB[1],
        "STAGE=prod envsubst < appspec.tpl > appspec.yaml",
        "cat taskdef.tpl | STAGE=prod envsubst > taskdef.json",
    ];
    let files = [("appspec.tpl", "a: $STAGE\n"), ("taskdef.tpl", "{\"a\": \"$STAGE\"}")];
    let import = read(&buildspec(&commands, ""), &files).expect("an import");
    assert_eq!(lines(&import), ["shipspec run", commands[2], commands[3]]);
    assert!(!import.config.contains("artifacts:"), "{}", import.config);
}

#[test]
fn a_login_stays_where_a_program_may_need_it() {
    let login = "aws ecr get-login-password | docker login -u AWS --password-stdin $REPO";
    for (command, stays) in [
        ("./gradlew jib", true),
        ("trivy image $REPO/base:1", true),
        ("npm test", true),
        ("aws ecs update-service --service web", false),
        ("curl https://example.com/hook", false),
    ] {
        let import = of(&[login, WEB[0], WEB[1], command]);
        assert_eq!(lines(&import).contains(&login), stays, "{command}: {}", import.buildspec);
    }
}

#[test]
fn a_name_with_two_values_gives_no_image_the_wrong_one() {
    let import = of(&[
        "TAG=$(./version web)",
        "docker build -t $REPO/web:$TAG web",
        "docker push $REPO/web:$TAG",
        "TAG=$(./version api)",
        "docker build -t $REPO/api:$TAG api",
        "docker push $REPO/api:$TAG",
    ]);
    assert!(!import.config.contains("web"), "{}", import.config);
    let wanted = [
        "TAG=$(./version web)",
        "docker build -t $REPO/web:$TAG web",
        "docker push $REPO/web:$TAG",
        "TAG=$(./version api)",
        "export TAG",
        "shipspec run",
    ];
    assert_eq!(lines(&import), wanted);
    let fetch = |name: &str| {
        format!("KEY=$(aws ssm get-parameter --name {name} --query Parameter.Value --output text)")
    };
    let build = "docker build --build-arg KEY=$KEY -t $REPO/web:1 web";
    let error = read(&buildspec(&[&fetch("/a"), build, WEB[1], &fetch("/b"), "./x $KEY"], ""), &[]);
    assert!(matches!(error, Err(ImportError::NoImage { .. })), "{error:?}");
    let late = of(&[
        "docker build -t web .",
        "TAG=$(./version)",
        "docker tag web $REPO:$TAG",
        "docker push $REPO:$TAG",
    ]);
    assert_eq!(lines(&late), ["TAG=$(./version)", "export TAG", "shipspec run"]);
}

#[test]
fn a_file_keeps_the_value_that_a_name_had() {
    let write = "printf '{\"ImageURI\":\"%s\",\"a\":\"%s\"}' $REPO/web:1 $ARN > imageDetail.json";
    let import = of(&[WEB[0], WEB[1], "ARN=$(./arn a)", write, "ARN=$(./arn b)", "./use $ARN"]);
    assert!(lines(&import).contains(&write), "{}", import.buildspec);
}

#[test]
fn sed_without_g_is_a_placeholder_only_where_that_is_the_same() {
    let sed = "sed 's/TAG/1.0/' taskdef.tpl > taskdef.json";
    let import = |text: &str| {
        let files = [("taskdef.tpl", text)];
        read(&buildspec(&[WEB[0], WEB[1], sed], ""), &files).expect("an import")
    };
    assert_eq!(lines(&import("{\"a\": \"TAG\",\n\"b\": \"TAG\"}")), ["shipspec run"]);
    let twice = import("{\"a\": \"TAG\", \"b\": \"TAG\"}");
    assert_eq!(lines(&twice), ["shipspec run", sed]);
    assert!(twice.remarks.iter().any(|remark| remark.message.contains("once in a line")));
    assert_eq!(lines(&of(&[WEB[0], WEB[1], sed])), ["shipspec run", sed]);
}

#[test]
fn files_of_one_template_have_it_even_if_it_is_changed_in_place() {
    let (other, own) =
        ("envsubst < taskdef.json > appspec.yaml", "sed -i 's/TAG/1.0/g' taskdef.json");
    let files = [("taskdef.json", "{\"a\": \"TAG\"}")];
    let commands = [WEB[0], WEB[1], other, own];
    let import = read(&buildspec(&commands, ""), &files).expect("an import");
    assert_eq!(lines(&import), ["shipspec run"]);
    assert!(import.config.contains("appspec.yaml: taskdef.template.json"), "{}", import.config);
    // The other way round, the second file is made of the first one.
    let import = read(&buildspec(&[WEB[0], WEB[1], own, other], ""), &files).expect("an import");
    assert_eq!(lines(&import), ["shipspec run", other]);
}

#[test]
fn a_command_of_several_lines_stays_one_where_failures_did_not_count() {
    let block = |lines: &[&str]| {
        let import = of(&[&lines.join("\n")]);
        let text = self::lines(&import).join("\n");
        let items = import.buildspec.matches("\n      - ").count() - 2;
        assert!(import.buildspec.contains("shipspec"), "{}", import.buildspec);
        (items, text)
    };
    let stays = block(&["./lint", WEB[0], WEB[1], "./notify"]);
    assert_eq!(stays, (1, "./lint\nshipspec run || exit 1\n./notify".into()));
    let strict = block(&["set -e", "./lint", WEB[0], WEB[1], "./notify"]);
    assert_eq!(strict, (1, "set -e\n./lint\nshipspec run\n./notify".into()));
    let chain = block(&["./lint && docker build -t $REPO/web:1 . && docker push $REPO/web:1"]);
    assert_eq!(chain, (2, "./lint\nshipspec run".into()));
    let mixed = block(&["./lint && docker build -t $REPO/web:1 .", WEB[1], "ls"]);
    assert_eq!(mixed, (1, "./lint && { shipspec run || exit 1; }\nls".into()));
    let push = "docker push $REPO/web:$E";
    let fed = block(&["E=$(./e)", "./lint && docker build -t $REPO/web:$E .", push, "ls"]);
    let wanted = "E=$(./e)\n./lint && export E && { shipspec run || exit 1; }\nls";
    assert_eq!(fed, (1, wanted.into()));
    let end = block(&[WEB[0], WEB[1], "./notify"]);
    assert_eq!(end, (2, "shipspec run\n./notify".into()));
    let end = block(&[WEB[0], WEB[1], "./notify", "STAGE=prod"]);
    assert_eq!(end, (1, "shipspec run || exit 1\n./notify\ntrue".into()));
}

#[test]
fn an_echo_that_depends_on_a_command_stays() {
    let import = of(&["make lint && echo fine", "make test; echo done", WEB[0], WEB[1]]);
    assert_eq!(lines(&import), ["make lint && echo fine", "make test; echo done", "shipspec run"]);
    let import = of(&["echo building", WEB[0], &format!("{} && echo pushed", WEB[1])]);
    assert_eq!(lines(&import), ["shipspec run"]);
}

#[test]
fn what_runs_in_the_background_stays_there() {
    let import = of(&[&format!("./proxy &\n{}", WEB[0]), WEB[1]]);
    assert_eq!(lines(&import), ["./proxy &", "shipspec run"]);
}

#[test]
fn names_that_are_given_behind_a_build_are_there_when_shipspec_asks_for_them() {
    let (build, tag, push) = (
        "docker build -t web .",
        "docker tag web $REPO:x-$VERSION",
        "docker push $REPO:x-$VERSION",
    );
    let given = "VERSION=$(./version)";
    let fed = [given, "export VERSION", "shipspec run"];
    assert_eq!(lines(&of(&[build, given, tag, push])), fed);
    let deploy = "aws ecs update-service --service web";
    let write = "printf '{\"ImageURI\":\"%s\"}' $REPO:x-$VERSION > imageDetail.json";
    let import = of(&[build, given, tag, push, deploy, write]);
    assert_eq!(lines(&import), [given, "export VERSION", "shipspec run", deploy]);
    let import = of(&[build, given, tag, "./scan", push]);
    let wanted = [given, "export VERSION", "shipspec build", "./scan", "shipspec push"];
    assert_eq!(lines(&import), wanted);
    // What stands between them may use what was built.
    for between in ["./scan", "docker run --rm $REPO:x-1 test"] {
        let text = buildspec(&[build, between, given, tag, push], "");
        let error = read(&text, &[]).expect_err("no import");
        let ImportError::NoImage { remarks, .. } = error else { panic!("{error}") };
        let mut remarks = remarks.iter();
        assert!(remarks.any(|it| it.message.contains("only behind a command")), "{between}");
    }
}

#[test]
fn a_repository_of_ecr_is_no_image_in_the_engine() {
    for command in [
        "aws ecr describe-image-scan-findings --repository-name web",
        "kubectl rollout status web",
        "URL=$(aws ecr describe-repositories --repository-names web)",
    ] {
        let push = ["docker tag web $REPO:1", "docker push $REPO:1"];
        let import = of(&["docker build -t web .", push[0], push[1], command]);
        assert_eq!(lines(&import), ["shipspec run", command]);
    }
    let text = buildspec(&["docker build -t web .", "docker push $REPO:1", "./use web"], "");
    assert!(read(&text, &[]).is_err());
}

#[test]
fn a_cache_that_shipspec_would_not_write_is_not_lost() {
    let import = |cache: &str| {
        let build = format!("docker build {cache} -t $REPO/api:1 api");
        of(&[WEB[0], WEB[1], &build, API[1]])
    };
    let known = import("--cache-to type=registry,ref=$REPO:cache,mode=max,image-manifest=true");
    assert_eq!(lines(&known), ["shipspec run"]);
    assert!(known.config.contains("registry: ${REPO}:cache"), "{}", known.config);
    for cache in [
        "--cache-to type=local,dest=/tmp/cache",
        "--cache-to type=registry,ref=$REPO:cache,compression=zstd",
        "--cache-to type=inline --cache-to type=registry,ref=$REPO:cache",
    ] {
        let kept = import(cache);
        assert!(lines(&kept).iter().any(|line| line.contains(cache)), "{}", kept.buildspec);
    }
}

#[test]
fn what_a_build_gives_beside_the_image_is_not_lost() {
    for (option, stays) in [
        ("--sbom=true", true),
        ("--provenance mode=max", true),
        ("--provenance=false --sbom=false", false),
        ("-q > /dev/null", false),
        ("--quiet 2>&1", false),
        ("-q > id.txt", true),
        ("--progress plain >> build.log 2>&1", true),
        ("--progress plain &> build.log", true),
    ] {
        let build = format!("docker build -t $REPO/api:1 api {option}");
        let import = of(&[WEB[0], WEB[1], &build, API[1]]);
        assert_eq!(lines(&import).contains(&&*build), stays, "{build}: {}", import.buildspec);
    }
}
