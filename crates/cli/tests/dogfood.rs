//! This repository ships itself: the released binary builds and pushes the image that holds it.
//!
//! These tests are about the binary of `scripts/release-binary`, not about the one that cargo
//! builds for tests.

mod common;

use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Outcome, Project, SHORT};
use shipspec_testbed::{TestRepository, Testbed};

/// Where `scripts/release-binary` leaves the binary, from the top of the repository.
const BINARY: &str = "target/dist/shipspec";

const VERSION: &str = concat!("shipspec ", env!("CARGO_PKG_VERSION"), "\n");

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn binary() -> PathBuf {
    let binary = top().join(BINARY);
    assert!(binary.is_file(), "there is no {BINARY}; scripts/release-binary makes it");
    binary
}

/// What the build has when it comes to `shipspec run`, in a folder that may be written to.
fn project(testbed: &Testbed, repository: &TestRepository) -> Project {
    let project = Project::in_testbed(testbed).repository(repository);
    for name in ["Dockerfile", ".dockerignore", "shipspec.yml", "Cargo.toml"] {
        std::fs::copy(top().join(name), project.path(name)).expect(name);
    }
    std::fs::create_dir_all(project.path("target/dist")).expect("a folder");
    std::fs::copy(binary(), project.path(BINARY)).expect(BINARY);
    project
}

/// Runs a program with the environment of a project.
fn run(project: &Project, program: &str, arguments: &[&str]) -> Outcome {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(project.folder()).env_clear();
    for (name, value) in project.command(&[]).get_envs() {
        command.env(name, value.expect("a value"));
    }
    project.outcome(&command.output().expect("it starts"))
}

/// Libraries have other features in it than in the tests' build, where crates share theirs.
#[test]
#[ignore = "needs scripts/release-binary"]
fn the_released_binary_fills_every_kind_of_template() {
    let project = Project::new().variable("CODEBUILD_RESOLVED_SOURCE_VERSION", &"1".repeat(40));
    let project = project
        .file("t.yaml", "a: $COMMIT_HASH # $COMMIT_HASH\nb: $X\n")
        .file("t.json", "{\"a\": \"${COMMIT_HASH | short(3)}\", \"b\": \"$X\"}")
        .file("t.txt.j2", "{% for x in [1, 2] %}{{ X | sha256 | short }}{% endfor %}")
        .variable("X", "k: \"v\"");
    let renders = ["t.yaml=a.yaml", "t.json=a.json", "t.txt.j2=a.txt"];
    let mut arguments = vec!["render"];
    arguments.extend(renders.iter().flat_map(|render| ["--render", render]));
    run(&project, binary().to_str().expect("UTF-8"), &arguments).success();
    assert_eq!(project.read("a.yaml"), "a: \"1111111\" # 1111111\nb: \"k: \\\"v\\\"\"\n");
    assert_eq!(project.read("a.json"), "{\"a\": \"111\", \"b\": \"k: \\\"v\\\"\"}");
    assert_eq!(project.read("a.txt").len(), 14);
}

#[test]
#[ignore = "needs the testbed and scripts/release-binary"]
fn the_released_binary_builds_the_image_that_holds_it() {
    let testbed = Testbed::current();
    let repository = testbed.repository("dogfood");
    let project = project(&testbed, &repository);
    let released = project.path(BINARY).display().to_string();
    run(&project, &released, &["run", "--no-push"]).success();

    let image = format!("{}:{SHORT}", repository.uri());
    assert_eq!(
        project.read("build.json"),
        format!("{{\"tag\":\"{SHORT}\",\"image\":\"{image}\"}}")
    );
    assert!(repository.requests().is_empty());
    let told = run(&project, "docker", &["run", "--rm", &image, "--version"]).success();
    assert_eq!(told.stdout, VERSION);
}

#[test]
#[ignore = "needs the testbed and scripts/release-binary"]
fn the_released_binary_finds_aws_by_name_and_trusts_its_certificate() {
    let testbed = Testbed::current();
    let repository = testbed.repository("dogfood");
    let project = project(&testbed, &repository);
    let released = project.path(BINARY).display().to_string();
    run(&project, &released, &["run"]).success();

    let tags = repository.tags();
    assert_eq!(tags[SHORT], tags["latest"]);
    let config = repository.image_config(SHORT);
    assert_eq!(config["config"]["Entrypoint"][0], "/shipspec");
    assert_eq!(config["rootfs"]["diff_ids"].as_array().map(Vec::len), Some(1), "{config}");
}

#[test]
#[ignore = "needs scripts/release-binary"]
fn the_released_binary_needs_no_library_of_the_system() {
    let elf = std::fs::read(binary()).expect("the binary");
    let headers = program_headers(&elf);
    let of_kind = |wanted| headers.iter().filter(move |header| header.kind == wanted);
    assert!(of_kind(PT_LOAD).count() > 0, "this reads no ELF file");
    assert_eq!(of_kind(PT_INTERP).count(), 0, "it asks for a dynamic linker");
    for header in of_kind(PT_DYNAMIC) {
        let entries = elf[header.offset..header.offset + header.size].chunks_exact(16);
        let needed = entries.filter(|entry| number(entry, 0) == DT_NEEDED).count();
        assert_eq!(needed, 0, "it asks for {needed} libraries");
    }
}

/// A module for names that leaves a file behind when it is loaded.
const CANARY: &str = r#"
#include <fcntl.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) { close(open("loaded", O_CREAT | O_WRONLY, 0600)); }
"#;

#[test]
#[ignore = "needs the testbed and scripts/release-binary"]
fn the_released_binary_loads_no_module_for_names() {
    let testbed = Testbed::current();
    let project = Project::in_testbed(&testbed)
        .file("Dockerfile", "FROM scratch\n")
        .file("canary.c", CANARY)
        .file("nsswitch.conf", "passwd: files\nhosts: files canary\n");
    let modules = project.folder().display().to_string();
    let project = project.variable("LD_LIBRARY_PATH", &modules);
    run(&project, "cc", &["-shared", "-fPIC", "-o", "libnss_canary.so.2", "canary.c"]).success();
    let looks_up = |binary: &Path| {
        let script = "mount --bind nsswitch.conf /etc/nsswitch.conf && exec \"$0\" \"$@\"";
        let binary = binary.canonicalize().expect("a path").display().to_string();
        let push = ["run", "--repository", "nowhere.invalid/web", "--tag", "latest"];
        let arguments = [&["--mount", "sh", "-c", script, &binary], &push[..]].concat();
        let told = run(&project, "unshare", &arguments).failure(4);
        assert!(told.stderr.contains("nowhere.invalid"), "{told}");
        project.has("loaded")
    };
    assert!(!looks_up(&binary()), "it loaded what nsswitch.conf names");
    // A dynamic binary does, or this would show nothing.
    assert!(looks_up(Path::new(env!("CARGO_BIN_EXE_shipspec"))), "the module is never loaded");
}

const PT_LOAD: usize = 1;
const PT_DYNAMIC: usize = 2;
const PT_INTERP: usize = 3;
const DT_NEEDED: usize = 1;

/// A segment of an ELF file.
struct ProgramHeader {
    kind: usize,
    offset: usize,
    size: usize,
}

/// The segments of a little-endian ELF file of 64 bits.
fn program_headers(elf: &[u8]) -> Vec<ProgramHeader> {
    assert_eq!(elf[..6], *b"\x7fELF\x02\x01");
    let (start, length) = (number(elf, 32), usize::from(elf[54]));
    let count = usize::from(u16::from_le_bytes([elf[56], elf[57]]));
    let headers = elf[start..].chunks_exact(length).take(count);
    headers
        .map(|header| ProgramHeader {
            kind: number(header, 0) & 0xffff_ffff,
            offset: number(header, 8),
            size: number(header, 32),
        })
        .collect()
}

fn number(bytes: &[u8], at: usize) -> usize {
    let eight = bytes[at..at + 8].try_into().expect("eight bytes");
    usize::try_from(u64::from_le_bytes(eight)).expect("an offset")
}
