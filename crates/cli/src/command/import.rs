//! `shipspec import`: a shipspec.yml made from an existing buildspec.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use shipspec_import::{Import, ImportError, Kind, Remark, import};
use shipspec_spec::source::Source;

use crate::context::Context;
use crate::failure;
use crate::newcomers::Newcomers;

/// Where the new buildspec goes, beside shipspec.yml.
const BUILDSPEC: &str = "buildspec.shipspec.yml";

/// Make a shipspec.yml and a short buildspec from an existing buildspec; what is not understood stays
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    /// The buildspec to read; its commands run in the current folder
    #[arg(value_name = "BUILDSPEC", default_value = "buildspec.yml")]
    buildspec: PathBuf,
    /// Print what would be written, and write nothing
    #[arg(long, conflicts_with_all = ["output_dir", "in_place", "force"])]
    stdout: bool,
    /// The folder to write to [default: the current one]
    #[arg(long, value_name = "FOLDER")]
    output_dir: Option<PathBuf>,
    /// Write the new buildspec in place of the old one, and not as buildspec.shipspec.yml
    #[arg(long, conflicts_with = "output_dir")]
    in_place: bool,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

pub(crate) fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    let name = args.buildspec.display().to_string();
    let text = std::fs::read_to_string(context.current.join(&args.buildspec)).map_err(|error| {
        let hint = "name the buildspec: `shipspec import path/to/buildspec.yml`";
        failure::input(format!("`{name}` cannot be read: {error}"), Some(hint))
    })?;
    let folder = &context.current;
    let read = |path: &str| read_inside(folder, path);
    let import = import(&Source::new(&*name, text), &read).map_err(|error| told(error, context))?;
    tell(context, &import.remarks);
    let folder = match &args.output_dir {
        Some(output) => folder.join(output),
        None => folder.clone(),
    };
    let mut files = Newcomers::default();
    files.add("shipspec.yml", &import.config);
    if args.in_place {
        files.replace(&name, &import.buildspec);
    } else {
        files.add(BUILDSPEC, &import.buildspec);
    }
    for (path, text) in &import.templates {
        files.add(path, text);
    }
    if args.stdout {
        context.console.data(&files.shown())?;
    } else {
        files.write(context.console, &folder, args.force)?;
        if args.output_dir.is_some() {
            context.console.note(
                "note: paths in shipspec.yml begin at its own folder: move the files to where the commands run",
            );
        }
    }
    context.console.note(summary(&import));
    Ok(())
}

/// The text of a file below a folder, and of no other.
fn read_inside(folder: &Path, path: &str) -> Option<String> {
    let folder = folder.canonicalize().ok()?;
    let path = folder.join(path).canonicalize().ok()?;
    path.starts_with(&folder).then(|| std::fs::read_to_string(path).ok())?
}

fn told(error: ImportError, context: &Context<'_>) -> anyhow::Error {
    match error {
        ImportError::Unreadable(diagnostics) => diagnostics.into(),
        ImportError::NoImage { name, remarks } => {
            tell(context, &remarks);
            let hint = "shipspec.yml is for images that are built and pushed; `shipspec init` writes one from a few answers";
            failure::input(
                format!("`{name}` builds no image that shipspec could build"),
                Some(hint),
            )
        }
    }
}

fn tell(context: &Context<'_>, remarks: &[Remark]) {
    for remark in remarks {
        context.console.note(remark);
    }
}

fn summary(import: &Import) -> String {
    let count = |kind: Kind| import.remarks.iter().filter(|remark| remark.kind == kind).count();
    let (replaced, dropped, kept) =
        (count(Kind::Replaced), count(Kind::Dropped), count(Kind::Kept));
    let looks = count(Kind::Look);
    format!(
        "commands: {replaced} replaced, {dropped} dropped, {kept} kept; {looks} to look at; `shipspec plan --offline` shows what it comes to"
    )
}
