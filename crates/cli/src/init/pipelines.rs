//! Kinds of pipelines.

use super::{Answer, Answers};

/// A kind of pipeline, by the action that deploys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Pipeline {
    /// ECS replaces the tasks of a service (imagedefinitions.json)
    Rolling,
    /// `CodeDeploy` moves the traffic to new tasks (taskdef.json, appspec.yaml)
    BlueGreen,
    /// The same with a second image in the task (an imageDetail.json for each)
    BlueGreenSidecar,
    /// A stack gets the image as a parameter (a template configuration)
    Cloudformation,
    /// Terraform gets the image as a variable (image.auto.tfvars.json)
    Terraform,
}

/// A template of a folder of `templates/`.
macro_rules! files {
    ($folder:literal, $($name:literal),*) => {
        &[$(($name, include_str!(concat!("../../../../templates/", $folder, "/", $name)))),*]
    };
}

impl Pipeline {
    /// What has to be said of it.
    pub(crate) fn questions(self) -> &'static [Answer] {
        match self {
            Self::Rolling => &[Answer::Repository, Answer::Container],
            Self::BlueGreen => &[Answer::Repository, Answer::Container, Answer::Port],
            Self::BlueGreenSidecar => &[
                Answer::Repository,
                Answer::Container,
                Answer::Port,
                Answer::Sidecar,
                Answer::SidecarRepository,
            ],
            Self::Cloudformation | Self::Terraform => &[Answer::Repository],
        }
    }

    /// Its files: names and texts, with the answers in them.
    pub(crate) fn files(self, answers: &Answers) -> Vec<(&'static str, String)> {
        let files: &[(&str, &str)] = match self {
            Self::Rolling => files!("rolling", "shipspec.yml", "buildspec.yml"),
            Self::BlueGreen => {
                files!("blue-green", "shipspec.yml", "buildspec.yml", "taskdef_template.json")
            }
            Self::BlueGreenSidecar => {
                files!(
                    "blue-green-sidecar",
                    "shipspec.yml",
                    "buildspec.yml",
                    "taskdef_template.json"
                )
            }
            Self::Cloudformation => files!("cloudformation", "shipspec.yml", "buildspec.yml"),
            Self::Terraform => files!("terraform", "shipspec.yml", "buildspec.yml"),
        };
        files.iter().map(|(name, text)| (*name, answers.fill(text))).collect()
    }

    /// What a run does not put into the image: an image of which it were a part would be another one
    /// with each run.
    pub(crate) fn ignored(self) -> Vec<&'static str> {
        let made: &[&str] = match self {
            Self::Rolling => &["imagedefinitions.json"],
            Self::BlueGreen => &["taskdef_template.json", "taskdef.json", "appspec.yaml"],
            Self::BlueGreenSidecar => &[
                "taskdef_template.json",
                "taskdef.json",
                "appspec.yaml",
                "app-image",
                "sidecar-image",
            ],
            Self::Cloudformation => &["template.yml", "configuration.json"],
            Self::Terraform => &["image.auto.tfvars.json"],
        };
        [&[".git", "shipspec.yml", "buildspec.yml"], made].concat()
    }

    /// Files that the pipeline needs and that are the user's own.
    pub(crate) fn needed(self, answers: &Answers) -> Vec<String> {
        let mut needed = vec!["Dockerfile".to_owned()];
        match self {
            Self::BlueGreenSidecar => {
                needed
                    .extend(answers.get(Answer::Sidecar).map(|name| format!("{name}/Dockerfile")));
            }
            Self::Cloudformation => needed.push("template.yml".to_owned()),
            Self::Rolling | Self::BlueGreen | Self::Terraform => {}
        }
        needed
    }
}
