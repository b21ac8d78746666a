//! What a command did or would do: as JSON for programs, as a table for people.

mod differences;

use std::fmt::Write as _;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use shipspec_build::plan::ImagePlan;
use shipspec_build::progress::TagChange;
use shipspec_spec::destination::Publication;
use shipspec_spec::image::{Digest, Repository};
use shipspec_spec::published::Published;
use shipspec_spec::scope::content_stand_in;
use shipspec_spec::tag::Tag;

use crate::console::{Bytes, Seconds};
use crate::project::Project;

/// What is shown for the content of an image that has no key yet.
pub(crate) const UNKNOWN_CONTENT: &str = "(known with its key)";

pub(crate) use differences::{ComparisonReport, DifferenceReport};

/// The one JSON document on stdout with `--output json`, for all commands but `explain`, which prints a list.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(title = "Report")]
pub(crate) struct Report {
    /// The version of this document's form: 1. New keys may come; those that are here stay.
    pub(crate) version: u32,
    /// The command: `run`, `plan`, `build`, `push`, `promote` or `diff`.
    pub(crate) command: &'static str,
    /// The whole commit, with `-dirty` behind it if the work tree holds changes.
    pub(crate) commit: Option<String>,
    /// The run's tag, `IMAGE_TAG`.
    pub(crate) tag: Option<String>,
    /// Something is not as in the last release of this pipeline; absent for other commands than `run`, and
    /// where no release is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<bool>,
    /// What changed, for people.
    #[serde(skip)]
    pub(crate) since: Option<String>,
    /// The images that are built or copied, in the order of shipspec.yml.
    pub(crate) images: Vec<ImageReport>,
    /// The images that others build (`reference`), in the order of shipspec.yml; absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) references: Vec<ReferenceReport>,
    /// The artifacts, in the order of shipspec.yml.
    pub(crate) artifacts: Vec<ArtifactReport>,
    /// What `diff` compared; absent for the other commands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) comparisons: Vec<ComparisonReport>,
    /// What could not be looked at before the run, and why.
    pub(crate) not_checked: Vec<String>,
    /// Why the command failed; absent if it succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<ErrorReport>,
}

/// An image.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ImageReport {
    /// Its name in shipspec.yml.
    pub(crate) name: String,
    /// `registry/repository`.
    pub(crate) repository: String,
    /// What it is built for, such as `linux/amd64`; absent for `promote`, which copies all platforms
    /// that there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform: Option<String>,
    /// Its tags, in the order in which they are put.
    pub(crate) tags: Vec<TagReport>,
    /// The reference by its first tag.
    pub(crate) uri: String,
    /// The digest that the registry confirmed; absent before a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// The reference by digest; absent before a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pinned: Option<String>,
    /// The media type of its manifest, as the registry told it; absent before a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media_type: Option<String>,
    /// Bytes in the registry, compressed; absent before a push.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<u64>,
    /// The secrets that everybody can read who can pull it, because `insecure_build_args` says so;
    /// absent if there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(default)]
    pub(crate) exposed: Vec<String>,
    /// The content key, which the image has as the tag `shipspec-` and the key; absent if it cannot be found
    /// again by what it is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// It is another one than in the last release of this pipeline; absent as above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) changed: Option<bool>,
    /// It was not built: the registry holds it, made from the same.
    pub(crate) reused: bool,
    /// Why it is built, for `plan`; absent if it is not, and for the other commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Seconds that the build took; absent if nothing was built.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) build_seconds: Option<f64>,
    /// What `promote` did to bring it there; absent for the other commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) copied: Option<CopyReport>,
}

/// An image that others build.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ReferenceReport {
    /// Its name in shipspec.yml.
    pub(crate) name: String,
    /// The reference, as it is written there.
    pub(crate) uri: String,
    /// Its digest; absent if nobody needs it, and so nobody asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// The reference by digest; absent as that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pinned: Option<String>,
}

/// How an image got into another repository.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct CopyReport {
    /// The reference by digest that it was copied from.
    pub(crate) source: String,
    /// Layers and configurations that were sent.
    pub(crate) sent: AmountReport,
    /// Those that the registry took from another of its repositories.
    pub(crate) mounted: AmountReport,
    /// Those that were there already, or that no registry holds.
    pub(crate) skipped: AmountReport,
}

/// So many of something.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AmountReport {
    /// How many.
    pub(crate) count: u64,
    /// Bytes.
    pub(crate) bytes: u64,
}

/// A tag of an image.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct TagReport {
    /// The tag.
    pub(crate) tag: String,
    /// It names another image with each release, as `latest` does.
    pub(crate) moving: bool,
    /// What putting it came to: `new`, `unchanged`, `moved`, `kept` where a newer run had put it, or `put back`
    /// to what it named before because the run failed; absent if it was not put.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<&'static str>,
    /// False if it is kept; absent for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) moved: Option<bool>,
    /// Why it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
}

/// An artifact.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ArtifactReport {
    /// Its path.
    pub(crate) path: String,
    /// What it holds, for `plan`; absent if it holds a secret or a value that is not known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    /// Why there is no text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Where it is published to; absent if it is not, and where nothing came to be published.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) published: Vec<PublicationReport>,
}

/// A place that an artifact is published to.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct PublicationReport {
    /// The place: `ssm:/name` or `s3://bucket/key`.
    pub(crate) to: String,
    /// What publishing came to: `new`, `changed`, `unchanged` where it was there already, `written` where
    /// it is not known what was there before, or `unsure` where no answer came; absent if nothing was
    /// written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) change: Option<&'static str>,
    /// The version that was written: a number for a parameter, an id for an object; absent if there is
    /// none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

impl PublicationReport {
    /// A place that nothing was written to yet.
    pub(crate) fn new(place: &Publication) -> Self {
        Self { to: place.destination.to_string(), change: None, version: None }
    }
}

/// Why a command failed.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct ErrorReport {
    /// The exit code.
    pub(crate) exit_code: u8,
    /// Everything that is wrong, as far as one look can find it.
    pub(crate) findings: Vec<FindingReport>,
}

/// One thing that is wrong.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FindingReport {
    /// What is wrong.
    pub(crate) message: String,
    /// Where: `file:line:column`; absent if it has no place in a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) place: Option<String>,
    /// What to do; absent if the message says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl Report {
    /// A report with nothing in it yet.
    pub(crate) fn new(command: &'static str) -> Self {
        Self {
            version: 1,
            command,
            commit: None,
            tag: None,
            changed: None,
            since: None,
            images: Vec::new(),
            references: Vec::new(),
            artifacts: Vec::new(),
            comparisons: Vec::new(),
            not_checked: Vec::new(),
            error: None,
        }
    }

    /// What is told of an image.
    pub(crate) fn image(&mut self, plan: &ImagePlan) -> &mut ImageReport {
        let index = self.images.iter().position(|image| image.name == plan.name);
        let index = index.unwrap_or_else(|| {
            self.images.push(ImageReport::new(plan));
            self.images.len() - 1
        });
        &mut self.images[index]
    }

    /// Notes the images that others build, as far as they are known by now.
    pub(crate) fn set_references(&mut self, project: &Project) {
        let told = project.foreign.iter().map(|plan| {
            let digest = project.foreign_digest(plan);
            ReferenceReport {
                name: plan.name.clone(),
                uri: plan.reference.clone(),
                pinned: digest.as_ref().map(|digest| plan.repository.pinned(digest)),
                digest: digest.as_ref().map(ToString::to_string),
            }
        });
        self.references = told.collect();
    }

    /// Notes what putting a tag came to. Of an image that several repositories hold, the one counts that
    /// it is named by.
    pub(crate) fn set_change(
        &mut self,
        image: &str,
        repository: &Repository,
        tag: &Tag,
        change: TagChange,
    ) {
        let repository = repository.to_string();
        let is_it = |told: &&mut ImageReport| told.name == image && told.repository == repository;
        let images = self.images.iter_mut().filter(is_it);
        for told in images.flat_map(|told| &mut told.tags).filter(|told| told.tag == tag.as_str()) {
            told.change = Some(word(change));
        }
    }

    /// Notes why a moving tag stays where it is.
    pub(crate) fn set_kept(&mut self, image: &str, tag: &Tag, reason: &str) {
        let images = self.images.iter_mut().filter(|told| told.name == image);
        for told in images.flat_map(|told| &mut told.tags).filter(|told| told.tag == tag.as_str()) {
            (told.moved, told.reason) = (Some(false), Some(reason.to_owned()));
        }
    }

    /// The tags that stay where a newer run has put them, and their images.
    pub(crate) fn kept_tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.images.iter().flat_map(|image| {
            let kept = image.tags.iter().filter(|tag| tag.moved == Some(false));
            kept.map(|tag| (&*image.name, &*tag.tag))
        })
    }

    /// Notes whether an image is another one than in the last release.
    pub(crate) fn set_changed(&mut self, image: &str, changed: bool) {
        for told in self.images.iter_mut().filter(|told| told.name == image) {
            told.changed = Some(changed);
        }
    }

    /// The document, with a newline behind it.
    pub(crate) fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }

    /// The images of the run in columns.
    pub(crate) fn table(&self) -> String {
        let mut rows = vec![["image", "tag", "digest", "size", "build"].map(str::to_owned)];
        for image in &self.images {
            let tags: Vec<_> = image.tags.iter().map(|tag| &*tag.tag).collect();
            let digest = image.digest.as_deref().map_or("-", |digest| &digest[..19]);
            let size = image.size.map_or_else(|| "-".into(), |size| Bytes(size).to_string());
            let seconds = image.build_seconds.map(Duration::from_secs_f64);
            let time = match seconds {
                Some(time) => Seconds(time).to_string(),
                None => if image.reused { "reused" } else { "-" }.to_owned(),
            };
            rows.push([image.name.clone(), tags.join(", "), digest.into(), size, time]);
        }
        for image in &self.references {
            let digest = image.digest.as_deref().map_or("-", |digest| &digest[..19]);
            let (name, uri) = (image.name.clone(), image.uri.clone());
            rows.push([name, uri, digest.into(), "-".into(), "not built".into()]);
        }
        let mut table = columns(&rows);
        for image in self.images.iter().filter(|image| !image.exposed.is_empty()) {
            let (name, secrets) = (&image.name, image.exposed.join("`, `"));
            let _ = writeln!(
                table,
                "{name}: `{secrets}` can be read by everybody who can pull it (`insecure_build_args`)"
            );
        }
        if let Some(since) = &self.since {
            let _ = writeln!(table, "{since}");
        }
        table
    }
}

/// Rows whose cells stand below each other.
pub(crate) fn columns<const COUNT: usize>(rows: &[[String; COUNT]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<_> = (0..COUNT).map(|column| width(column).unwrap_or(0)).collect();
    let mut table = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(table, "{}", line.trim_end());
    }
    table
}

impl ImageReport {
    /// An image as it is planned.
    pub(crate) fn new(plan: &ImagePlan) -> Self {
        // What stands for a content that is not known yet says nothing to anybody.
        let stand_in = content_stand_in(&plan.name);
        let shown = |text: String| text.replace(&stand_in, UNKNOWN_CONTENT);
        let tag = |planned: &shipspec_build::plan::PlannedTag| TagReport {
            tag: shown(planned.tag.to_string()),
            moving: planned.moving,
            change: None,
            moved: None,
            reason: None,
        };
        Self {
            name: plan.name.clone(),
            repository: plan.repository.to_string(),
            platform: Some(plan.platform.to_string()),
            tags: plan.tags.iter().map(tag).collect(),
            uri: shown(plan.repository.tagged(plan.main_tag())),
            digest: None,
            pinned: None,
            media_type: None,
            size: None,
            exposed: plan.exposed.iter().cloned().collect(),
            key: None,
            changed: None,
            reused: false,
            reason: None,
            build_seconds: None,
            copied: None,
        }
    }

    /// Notes what the registry has taken.
    pub(crate) fn set_published(&mut self, published: &Published) {
        self.set_digest(&published.digest);
        self.media_type = Some(published.media_type.clone());
        self.size = Some(published.size);
    }

    pub(crate) fn set_digest(&mut self, digest: &Digest) {
        self.digest = Some(digest.to_string());
        self.pinned = Some(format!("{}@{digest}", self.repository));
    }
}

/// The word for what putting a tag came to.
pub(crate) fn word(change: TagChange) -> &'static str {
    match change {
        TagChange::New => "new",
        TagChange::Unchanged => "unchanged",
        TagChange::Moved => "moved",
        TagChange::Kept => "kept",
        TagChange::PutBack => "put back",
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;

    #[test]
    fn the_table_has_a_row_for_each_image() {
        let mut report = Report::new("run");
        report.images.push(ImageReport {
            name: "web".into(),
            repository: "r.example/web".into(),
            platform: Some("linux/amd64".into()),
            tags: vec![TagReport {
                tag: "0123456".into(),
                moving: false,
                change: Some("new"),
                moved: None,
                reason: None,
            }],
            uri: "r.example/web:0123456".into(),
            digest: Some(format!("sha256:{}", "a".repeat(64))),
            pinned: None,
            media_type: None,
            size: Some(12_345_678),
            exposed: vec!["DB_PASSWORD".into()],
            key: None,
            changed: None,
            reused: false,
            reason: None,
            build_seconds: Some(3.25),
            copied: None,
        });
        assert_snapshot!(report.table(), @"
        image  tag      digest               size     build
        web    0123456  sha256:aaaaaaaaaaaa  12.3 MB  3.2s
        web: `DB_PASSWORD` can be read by everybody who can pull it (`insecure_build_args`)
        ");
    }
}
