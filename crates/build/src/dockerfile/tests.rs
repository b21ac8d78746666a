use super::*;

fn needs_of(text: &str, target: Option<&str>, given: &[(&str, &str)]) -> Needs {
    let given = given.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let platform = "linux/arm64/v8".parse().unwrap();
    Dockerfile::parse(text).unwrap().needs(target, &given, &platform).unwrap()
}

fn bases(text: &str, target: Option<&str>, given: &[(&str, &str)]) -> Vec<String> {
    needs_of(text, target, given).base_images.into_iter().collect()
}

#[test]
fn only_the_stages_of_the_target_count() {
    let text = "\
FROM golang:1 AS Build
RUN --mount=type=bind,from=tools:2,target=/t make
FROM node:1 AS web
FROM build AS test
FROM scratch
COPY --from=build /a /a
COPY --from=1 /b /b
COPY --from=alpine:3 /c /c
";
    assert_eq!(bases(text, None, &[]), ["alpine:3", "golang:1", "node:1", "tools:2"]);
    assert_eq!(bases(text, Some("TEST"), &[]), ["golang:1", "tools:2"]);
    assert_eq!(bases(text, Some("1"), &[]), ["node:1"]);
    let dockerfile = Dockerfile::parse(text).unwrap();
    let error = dockerfile.needs(Some("prod"), &IndexMap::new(), &Platform::host()).unwrap_err();
    let expected = "the Dockerfile has no stage `prod`, only `Build`, `web`, `test`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn arguments_are_put_into_base_images() {
    let text = "\
ARG TAG=1 NAME=\"alpine\"
ARG FULL=${REGISTRY:-docker.io}/$NAME:${TAG}
FROM $FULL AS a
ARG TAG=9
FROM base-$TARGETARCH$TARGETVARIANT:$TAG
COPY --from=a / /
";
    assert_eq!(bases(text, None, &[]), ["base-arm64v8:1", "docker.io/alpine:1"]);
    let given = [("TAG", "2"), ("NAME", "debian"), ("REGISTRY", "not declared")];
    assert_eq!(bases(text, None, &given), ["base-arm64v8:2", "docker.io/debian:2"]);
}

#[test]
fn a_name_that_cannot_be_known_is_told() {
    let needs = needs_of("ARG A\nFROM ${A#x}\nCOPY --from=$A / /\n", None, &[]);
    assert_eq!(needs.base_images.len(), 0);
    assert_eq!(needs.unknown_bases.into_iter().collect::<Vec<_>>(), ["$A", "${A#x}"]);
}

#[test]
fn a_context_stands_for_the_stage_or_image_of_its_name() {
    let text = "FROM golang:1 AS build\nFROM docker.io/library/alpine:latest\nCOPY --from=build / /\nCOPY --from=tools / /\n";
    let contexts = BTreeSet::from(["build", "alpine", "other"]);
    let dockerfile = Dockerfile::parse(text).unwrap();
    let needs = dockerfile.needs_with(None, &IndexMap::new(), &Platform::host(), &contexts);
    let needs = needs.unwrap();
    assert_eq!(needs.base_images.into_iter().collect::<Vec<_>>(), ["tools"]);
    assert_eq!(needs.contexts.into_iter().collect::<Vec<_>>(), ["alpine", "build"]);
}

#[test]
fn steps_that_may_use_the_network_are_found() {
    let text = "\
FROM a AS unused
RUN x
FROM a
RUN --network=none x
ADD file https://example.com/a /
ADD --checksum=sha256:0 https://example.com/b /
COPY x y
RUN x
";
    let online = needs_of(text, None, &[]).online;
    let expected = [(5, false), (8, true)].map(|(line, is_run)| OnlineStep { line, is_run });
    assert_eq!(online, expected);
}

#[test]
fn a_stage_refers_to_earlier_ones_only() {
    let text = "FROM node AS a\nCOPY --from=node / /\nFROM alpine AS node\nFROM a\n";
    assert_eq!(bases(text, None, &[]), ["node"]);
}

#[test]
fn secrets_and_agents_are_found_with_their_lines() {
    let text = "\
# syntax=docker/dockerfile:1.10
FROM alpine
ARG ID=npm
run --mount=type=cache,target=/c \\
    # a comment
    --mount=type=secret,id=${ID},required \\
    npm ci
RUN --mount=type=secret,target=/run/aws/credentials/,required=false \\
    --mount=type=secret,id=other,source=token,env=TOKEN --mount=type=ssh \\
    --mount=\"type=ssh\",id=github,required=true make
RUN <<EOF
# RUN --mount=type=secret,id=none
EOF
RUN echo --mount=type=secret,id=none
";
    let needs = needs_of(text, None, &[]);
    let secret = |id: &str, line, required, target: Option<&str>, variable: Option<&str>| {
        let (target, variable) = (target.map(str::to_owned), variable.map(str::to_owned));
        SecretMount { id: id.into(), line, required, target, variable }
    };
    assert_eq!(
        needs.secrets,
        [
            secret("npm", 4, Some(true), None, None),
            secret("credentials", 8, Some(false), Some("/run/aws/credentials/"), None),
            secret("token", 8, None, None, Some("TOKEN")),
        ]
    );
    let agents: Vec<_> = needs.ssh.iter().map(|mount| (&*mount.id, mount.is_required)).collect();
    assert_eq!(agents, [("default", false), ("github", true)]);
    assert_eq!(Dockerfile::parse(text).unwrap().syntax(), Some("docker/dockerfile:1.10"));
}

#[test]
fn the_escape_directive_and_windows_lines_are_understood() {
    let text = "# escape=`\r\nARG A=x\r\nFROM `\r\n  $A\r\nRUN --mount=type=secret,id=b x\r\n";
    let needs = needs_of(text, None, &[]);
    assert_eq!(needs.base_images.into_iter().collect::<Vec<_>>(), ["x"]);
    assert_eq!(needs.secrets[0].line, 5);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let error = Dockerfile::parse("FROM scratch\nRUNN x\n").unwrap_err();
    assert_eq!(error.to_string(), "line 2: unknown instruction 'RUNN'");
    assert!(Dockerfile::parse("# nothing\n").is_err());
}

#[test]
fn registries_are_read_from_references() {
    let text = "FROM alpine:3 AS a\nFROM r.example:5000/a/b@sha256:00\nCOPY --from=a / /\n";
    let registries = needs_of(text, None, &[]).registries();
    let hosts: Vec<_> = registries.iter().map(Registry::as_str).collect();
    assert_eq!(hosts, ["docker.io", "r.example:5000"]);
}
