use std::ffi::OsStr;
use std::fs::Permissions;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;

use super::*;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(folder.path(), path, text);
    }
    folder
}

fn hash(root: &Path) -> Hash {
    Snapshot::of_folder(root).unwrap().hash()
}

fn paths(snapshot: &Snapshot) -> Vec<&str> {
    snapshot.entries().iter().map(|entry| &*entry.path).collect()
}

#[test]
fn it_holds_what_a_build_is_sent() {
    let folder = folder(&[
        ("Dockerfile", "FROM scratch"),
        (".dockerignore", "*.log\nnode_modules\nout\n!out/keep\nDockerfile\n"),
        ("a/b", "1"),
        ("a.b", "2"),
        ("a.log", "3"),
        ("node_modules/x", "4"),
        ("out/keep", "5"),
        ("out/other", "6"),
    ]);
    let snapshot = Snapshot::of_folder(folder.path()).unwrap();
    assert_eq!(paths(&snapshot), [".dockerignore", "a", "a/b", "a.b", "out", "out/keep"]);
    assert!(snapshot.contains("out/keep") && snapshot.contains("a.b"));
    assert!(!snapshot.contains("a.log") && !snapshot.contains(".git"));
}

#[test]
fn the_ignore_file_of_the_dockerfile_counts_for_its_context() {
    let folder = folder(&[
        ("docker/web", ""),
        ("docker/web.dockerignore", "b\ndocker"),
        (".dockerignore", "a"),
        ("a", ""),
        ("b", ""),
    ]);
    let context = Context::open(folder.path(), Path::new("docker/web")).unwrap();
    let snapshot = Snapshot::of_context(&context).unwrap();
    assert_eq!(paths(&snapshot), [".dockerignore", "a"]);
}

#[test]
fn links_are_not_followed_and_what_has_no_place_in_an_image_is_left_out() {
    let folder = folder(&[("a", "1")]);
    let root = folder.path();
    symlink("loop", root.join("loop")).unwrap();
    symlink(".", root.join("self")).unwrap();
    symlink("../../etc/passwd", root.join("outside")).unwrap();
    symlink("/nowhere", root.join("nowhere")).unwrap();
    let before = hash(root);
    let _socket = UnixListener::bind(root.join("socket")).unwrap();
    let pipe = rustix::fs::CWD;
    rustix::fs::mknodat(pipe, root.join("pipe"), rustix::fs::FileType::Fifo, 0o644.into(), 0)
        .unwrap();
    let snapshot = Snapshot::of_folder(root).unwrap();
    assert_eq!(paths(&snapshot), ["a", "loop", "nowhere", "outside", "self"]);
    assert_eq!(snapshot.hash(), before);
    std::fs::remove_file(root.join("outside")).unwrap();
    symlink("../../etc/group", root.join("outside")).unwrap();
    assert_ne!(hash(root), before);
}

#[test]
fn names_that_cannot_be_sent_and_folders_that_are_none_are_told() {
    let folder = folder(&[("a", "1")]);
    let root = folder.path();
    std::fs::write(root.join(OsStr::from_bytes(b"b\xff")), "").unwrap();
    let error = Snapshot::of_folder(root).unwrap_err();
    assert!(matches!(error, SnapshotError::Context(ContextError::Name(_))), "{error}");
    write(root, ".dockerignore", "b*");
    assert_eq!(Snapshot::of_folder(root).unwrap().len(), 2);
    let error = Snapshot::of_folder(&root.join("a")).unwrap_err();
    assert!(matches!(error, SnapshotError::Context(ContextError::NoFolder(_))), "{error}");
    write(root, ".dockerignore", "a[");
    let error = Snapshot::of_folder(root).unwrap_err();
    assert!(matches!(error, SnapshotError::Context(ContextError::Pattern { .. })), "{error}");
}

/// Root may read everything, so the file is one that gives an error to whoever reads it.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_named() {
    let path = Path::new("/proc/self/mem");
    let metadata = path.symlink_metadata().unwrap();
    let error = content(path, mark(&metadata), &mut [0; 64], &|_| {}).unwrap_err();
    assert!(matches!(&error, SnapshotError::Context(ContextError::Read { .. })), "{error}");
    assert_eq!(error.to_string(), "failed to read `/proc/self/mem`");
}

/// Does something to a folder when the first file of it is open.
fn read_while(root: &Path, change: impl Fn(&Path) + Sync) -> Result<Snapshot, SnapshotError> {
    let is_done = AtomicBool::new(false);
    Snapshot::read(root.to_owned(), Ignore::default(), &|_| {
        if !is_done.swap(true, Ordering::SeqCst) {
            change(root);
        }
    })
}

#[test]
fn what_changes_while_it_is_read_is_told() {
    let changed = |path: &str, change: &(dyn Fn(&Path) + Sync)| {
        let folder = folder(&[("b/a", "1"), ("b/c", "1"), ("z", "1")]);
        let error = read_while(folder.path(), change).unwrap_err();
        match error {
            SnapshotError::Changed(other) => assert_eq!(other, folder.path().join(path)),
            SnapshotError::Context(error) => panic!("{error}"),
        }
    };
    changed("b/a", &|root| write(root, "b/a", "22"));
    changed("z", &|root| write(root, "z", "22"));
    changed("b/b", &|root| write(root, "b/b", "new"));
    changed("b/c", &|root| std::fs::remove_file(root.join("b/c")).unwrap());
    changed("z", &|root| std::fs::remove_file(root.join("z")).unwrap());
    changed("zz", &|root| write(root, "zz", "last"));
    changed("b/a", &|root| {
        std::fs::set_permissions(root.join("b/a"), Permissions::from_mode(0o755)).unwrap();
    });
    changed("z", &|root| {
        std::fs::remove_file(root.join("z")).unwrap();
        symlink("b/a", root.join("z")).unwrap();
    });
}

#[test]
fn what_is_left_out_may_change_and_a_later_look_finds_the_rest() {
    let folder = folder(&[(".dockerignore", "log"), ("a", "1"), ("log", "1")]);
    let snapshot = Snapshot::of_folder(folder.path()).unwrap();
    write(folder.path(), "log", "22");
    snapshot.check_unchanged().unwrap();
    write(folder.path(), "a", "22");
    let error = snapshot.check_unchanged().unwrap_err();
    assert!(error.to_string().ends_with("/a` changed while the build context was read"));
    assert!(error.hint().is_some());
}

#[test]
fn a_source_from_a_zip_has_the_same_hash() {
    let laptop = folder(&[("run.sh", "#!/bin/sh"), ("src/main.py", "x"), ("src/copy.py", "x")]);
    let zip = folder(&[("src/copy.py", "x"), ("src/main.py", "x"), ("run.sh", "#!/bin/sh")]);
    let modes = |root: &Path, file: u32, program: u32| {
        let set = |path: &str, mode| {
            std::fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
        };
        set("run.sh", program);
        set("src", program);
        set("src/main.py", file);
        set("src/copy.py", file);
    };
    modes(laptop.path(), 0o664, 0o775);
    modes(zip.path(), 0o644, 0o755);
    // A second name of one file.
    std::fs::remove_file(laptop.path().join("src/copy.py")).unwrap();
    std::fs::hard_link(laptop.path().join("src/main.py"), laptop.path().join("src/copy.py"))
        .unwrap();
    assert_eq!(hash(laptop.path()), hash(zip.path()));
    modes(zip.path(), 0o600, 0o755);
    assert_ne!(hash(laptop.path()), hash(zip.path()));
}

#[test]
#[ignore = "makes 200,000 files"]
fn two_hundred_thousand_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..200_000_u32 {
        let place = folder.path().join(format!("{:03}", number % 500));
        if number < 500 {
            std::fs::create_dir(&place).unwrap();
        }
        std::fs::write(place.join(number.to_string()), number.to_le_bytes()).unwrap();
    }
    assert_eq!(Snapshot::of_folder(folder.path()).unwrap().len(), 200_500);
}

/// A small tree: files by path, each with its content and whether it is a program.
type Tree = std::collections::BTreeMap<String, (String, bool)>;

fn trees() -> impl Strategy<Value = Tree> {
    let name = prop::sample::select(vec!["a", "b", "a.b", "a-b", "ä b", "B"]);
    let folders = vec(prop::sample::select(vec!["x", "y", "x.y"]), 0..3);
    let path = (folders, name).prop_map(|(folders, name)| {
        folders.iter().map(|folder| format!("{folder}/")).chain([name.to_owned()]).collect()
    });
    btree_map(path, ("[a-c]{0,3}", any::<bool>()), 1..8)
}

/// Writes a tree in the order of `turn`, with the modes of an umask.
fn make(tree: &Tree, turn: usize, umask: u32) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let mut paths: Vec<_> = tree.keys().collect();
    let turn = turn % paths.len();
    paths.rotate_left(turn);
    for path in paths {
        let (text, is_program) = &tree[path];
        write(root, path, text);
        let mode = if *is_program { 0o777 } else { 0o666 } & !umask;
        std::fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
        let folders = Path::new(path).ancestors().skip(1);
        for folder in folders.filter(|folder| *folder != Path::new("")) {
            let mode = Permissions::from_mode(0o777 & !umask);
            std::fs::set_permissions(root.join(folder), mode).unwrap();
        }
    }
    folder
}

/// What an image can tell from a tree.
fn changed(tree: &Tree, path: &str, change: u8) -> Tree {
    let mut tree = tree.clone();
    let (text, is_program) = tree.remove(path).unwrap();
    match change {
        0 => drop(tree.insert(path.into(), (format!("{text}!"), is_program))),
        1 => drop(tree.insert(path.into(), (text, !is_program))),
        2 => drop(tree.insert(format!("{path}2"), (text, is_program))),
        3 => drop(tree.insert(format!("new/{path}"), (text, is_program))),
        _ => {}
    }
    tree
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn any_change_that_an_image_can_tell_is_another_hash(
        tree in trees(), pick in any::<prop::sample::Index>(), change in 0_u8..5,
    ) {
        let path = pick.get(&tree.keys().cloned().collect::<Vec<_>>()).clone();
        let other = changed(&tree, &path, change);
        prop_assume!(!other.is_empty() && other != tree);
        let (one, other) = (make(&tree, 0, 0o022), make(&other, 0, 0o022));
        prop_assert_ne!(hash(one.path()), hash(other.path()));
    }

    #[test]
    fn what_an_image_cannot_tell_is_the_same_hash(
        tree in trees(), turn in 0_usize..8, days in 1_u64..9, is_root in any::<bool>(),
    ) {
        let (one, other) = (make(&tree, 0, 0o022), make(&tree, turn, 0o002));
        for path in tree.keys() {
            let path = other.path().join(path);
            let time = SystemTime::now() - Duration::from_hours(24 * days);
            File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
            // Only root may give files away.
            if is_root {
                let _ = std::os::unix::fs::chown(&path, Some(1234), Some(1234));
            }
        }
        let ignore = "/.dockerignore\nleft-out\n";
        write(one.path(), ".dockerignore", ignore);
        write(other.path(), ".dockerignore", &format!("# a comment\n{ignore}"));
        write(other.path(), "left-out/file", "x");
        prop_assert_eq!(hash(one.path()), hash(other.path()));
    }

    #[test]
    fn a_link_is_what_it_names(target in "[a-c/.]{1,4}", other in "[a-c/.]{1,4}") {
        let link = |target: &str| {
            let folder = tempfile::tempdir().unwrap();
            symlink(target, folder.path().join("link")).unwrap();
            hash(folder.path())
        };
        prop_assert_eq!(link(&target) == link(&other), target == other);
    }
}
