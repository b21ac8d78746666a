/// Why CodeBuild, an action or the service behind it refuses.
///
/// A text in quotation marks in the [documents] or in reports is kept word for word; the others
/// only say what is wrong.
///
/// [documents]: https://docs.aws.amazon.com/codepipeline/latest/userguide/troubleshooting.html
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The buildspec cannot be read, or asks for what is not done here.
    #[error("buildspec: {0}")]
    Buildspec(String),
    /// None of an artifact's patterns has found a file.
    #[error("no matching artifact paths found: {0}")]
    NothingFound(String),
    /// A configuration value, or how the artifacts and the configuration agree.
    #[error("Invalid action configuration: {0}")]
    Configuration(String),
    /// The artifact does not have the task definition, or is too large to be read.
    #[error(
        "Exception while trying to read the task definition artifact file from: {artifact} ({why})"
    )]
    TaskDefinitionArtifact {
        /// The artifact's name.
        artifact: String,
        /// Which of the reasons that share this text.
        why: String,
    },
    /// The artifact does not have the AppSpec, or is too large to be read.
    #[error("Exception while trying to read the appspec artifact file from: {artifact} ({why})")]
    AppSpecArtifact {
        /// The artifact's name.
        artifact: String,
        /// Which of the reasons that share this text.
        why: String,
    },
    /// The artifact does not have a readable `imageDetail.json` at its root.
    #[error(
        "Invalid action configuration: Exception while trying to read the image artifact file from \
         the artifact: {artifact} ({why})"
    )]
    ImageArtifact {
        /// The artifact's name.
        artifact: String,
        /// Which of the reasons that share this text.
        why: String,
    },
    /// The image definitions are no list of names and images.
    #[error("The image definition file {file} contains invalid JSON format ({why})")]
    ImageDefinitions {
        /// Its path in the artifact.
        file: String,
        /// What is wrong.
        why: String,
    },
    /// ECS does not take the task definition.
    #[error("task definition: {0}")]
    TaskDefinition(String),
    /// CodeDeploy does not take the AppSpec: everything that is wrong with it.
    #[error("appspec: {}", .0.join("; "))]
    AppSpec(Vec<String>),
    /// The stack's parameters cannot be resolved.
    #[error("parameters: {0}")]
    Parameters(String),
    /// The service's answer to a request.
    #[error("{0}")]
    Service(String),
    /// A task could not pull its image.
    #[error("CannotPullContainerError: {0}")]
    Image(String),
}
