//! A stand-in for CodePipeline: what becomes of a build's files.
//!
//! It takes the files that CodeBuild would upload, as zips, and does with them what the deploy
//! actions do, with their limits and the texts of their refusals. What an action registers goes to
//! the testbed's ECS, so a test can say that the pipeline ends well and not only that a file looks
//! right.
//!
//! | of the pipeline | here |
//! | --- | --- |
//! | CodeBuild's `artifacts:` | [`Buildspec::upload`] gives one [`Artifact`] for each output of the action |
//! | CodeBuild's `exported-variables:` | [`Buildspec::exported`], after [`environment_after`] |
//! | a stage's condition for its entry | [`entry`] |
//! | `ECS`, the rolling update | [`rolling()`] |
//! | `CodeDeployToECS`, blue/green | [`blue_green()`] |
//! | `CloudFormation` | [`cloud_formation()`] |
//!
//! Nothing is deployed further than that: no task starts, no traffic moves, no stack is made.
//!
//! ```no_run
//! use shipspec_testbed::{PRIMARY_ACCOUNT, Testbed};
//! use shipspec_testbed::pipeline::{Buildspec, Ecs, blue_green};
//!
//! # fn main() -> Result<(), shipspec_testbed::pipeline::Refusal> {
//! # let checkout = std::path::Path::new(".");
//! let testbed = Testbed::current();
//! let buildspec = Buildspec::read(&checkout.join("buildspec.yml"))?;
//! let artifacts = buildspec.upload(checkout, &["BuildArtifact"])?;
//!
//! let ecs = Ecs::new(&testbed, PRIMARY_ACCOUNT);
//! let deployment = blue_green(&ecs, &artifacts, &serde_json::json!({
//!     "ApplicationName": "shop",
//!     "DeploymentGroupName": "shop",
//!     "TaskDefinitionTemplateArtifact": "BuildArtifact",
//!     "AppSpecTemplateArtifact": "BuildArtifact",
//! }))?;
//! assert_eq!(deployment.revision["revision"], 1);
//! ecs.pull(&deployment.revision)?;
//! # Ok(())
//! # }
//! ```

mod action;
mod appspec;
mod artifact;
mod blue_green;
mod buildspec;
mod cloud_formation;
mod condition;
mod ecs;
mod exported;
mod refusal;
mod rolling;
mod upload;

pub use artifact::Artifact;
pub use blue_green::{BlueGreen, Templates, blue_green};
pub use buildspec::Buildspec;
pub use cloud_formation::{StackUpdate, cloud_formation};
pub use condition::{Entry, Namespaces, entry};
pub use ecs::{Ecs, definition_of};
pub use exported::environment_after;
pub use refusal::Refusal;
pub use rolling::{Images, rolling};
