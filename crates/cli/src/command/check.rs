//! `shipspec check`: reads everything, asks nobody.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use shipspec_check::codes::{self, Code, Severity};
use shipspec_check::output::{self, Report};

use crate::arguments::{ProjectFlags, RenderFlags};
use crate::checks::{Look, show, summary};
use crate::context::Context;
use crate::failure;

/// Look for what AWS would refuse, and for files that do not agree; ask nobody
#[derive(Debug, ClapArgs)]
pub(crate) struct Args {
    #[command(flatten)]
    project: ProjectFlags,
    #[command(flatten)]
    render: RenderFlags,
    /// Look at these files, and all of these folders, and at no others
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The form of the findings: words on stderr, or a document on stdout
    #[arg(long, value_name = "FORM", default_value = "text")]
    output: Form,
    /// The least severity that ends with exit code 6
    #[arg(long, value_name = "SEVERITY", default_value = "error")]
    fail_on: FailOn,
    /// Print every code with its severity and what it is about
    #[arg(long)]
    list: bool,
    /// Print what a code is about, with an example
    #[arg(long, value_name = "CODE")]
    explain: Option<String>,
}

/// The form of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Form {
    /// Words for people
    Text,
    /// One JSON document
    Json,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// `JUnit` XML, for reports of CodeBuild
    Junit,
}

/// A severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
}

impl From<FailOn> for Severity {
    fn from(fail_on: FailOn) -> Self {
        match fail_on {
            FailOn::Error => Self::Error,
            FailOn::Warning => Self::Warning,
            FailOn::Note => Self::Note,
        }
    }
}

pub(crate) async fn run(args: &Args, context: &Context<'_>) -> anyhow::Result<()> {
    if args.list {
        return list(context);
    }
    if let Some(name) = &args.explain {
        return explain(context, name);
    }
    let look = if args.paths.is_empty() {
        Look::at_project(context, &args.project, &args.render).await?
    } else {
        Look::at_files(context, &args.paths)?
    };
    let least = Severity::from(args.fail_on);
    let report =
        Report { files: &look.files, findings: &look.findings, not_checked: &look.not_checked };
    let document = match args.output {
        Form::Text => None,
        Form::Json => Some(output::json(report)),
        Form::Sarif => Some(output::sarif(report, env!("CARGO_PKG_VERSION"))),
        Form::Junit => Some(output::junit(report, least)),
    };
    match document {
        Some(document) => context.console.data(&context.console.masked(document))?,
        None => show(context.console, &look),
    }
    if look.findings.iter().any(|finding| finding.severity() >= least) {
        return Err(failure::findings(summary(&look)));
    }
    context.console.note(summary(&look));
    Ok(())
}

fn list(context: &Context<'_>) -> anyhow::Result<()> {
    let line = |code: Code| {
        let page = code.page();
        format!("{:<28} {:<8} {}\n", page.code, page.severity.word(), page.title)
    };
    Ok(context.console.data(&codes::all().map(line).collect::<String>())?)
}

fn explain(context: &Context<'_>, name: &str) -> anyhow::Result<()> {
    match Code::find(name) {
        Some(code) => Ok(context.console.data(&code.page().markdown())?),
        None => {
            let unknown = shipspec_check::UnknownCode::check(name);
            let hint = unknown.as_ref().map(shipspec_check::UnknownCode::fix);
            Err(failure::input(format!("no finding has the code `{name}`"), hint.as_deref()))
        }
    }
}
