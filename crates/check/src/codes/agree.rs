//! Codes about files that name images, and about files that have to agree.

use super::pages;

pages! {
    IMAGE_DEFINITIONS: Error "image-definitions", "`imagedefinitions.json` has a wrong form",
        "A list, even for one container, of maps with `name` and `imageUri`; each container once.",
        examples ["imagedefinitions.json"] ["imagedefinitions.json"];
    IMAGE_DEFINITIONS_SIZE: Error "image-definitions-size", "`imagedefinitions.json` is larger than 100 KB",
        "CodePipeline does not read it then.",
        examples [] [];
    IMAGE_DETAIL: Error "image-detail", "`imageDetail.json` has no `ImageURI`",
        "The key is spelt exactly like this.",
        examples ["imageDetail.json"] ["imageDetail.json"];
    AGREE_CONTAINER: Error "agree-container", "the AppSpec names a container that the task definition has not",
        "CodeDeploy answers that the container does not exist, after the build and the push.",
        examples ["taskdef.json", "appspec.yaml"] ["taskdef.json", "appspec.yaml"];
    AGREE_PORT: Error "agree-port", "the AppSpec names a port that the container has not",
        "The target group sends to a port that `portMappings` of this container lists.",
        examples ["taskdef.json", "appspec.yaml"] ["taskdef.json", "appspec.yaml"];
    AGREE_IMAGE_DETAIL: Warning "agree-image-detail", "placeholders of images and `imageDetail.json` do not match in number",
        "The blue/green action fills each `<IMAGE1_NAME>` from the `imageDetail.json` of one \
         input artifact, and one such file holds one image. An ECR source action brings its own, \
         which is not seen here.",
        examples ["taskdef.json", "appspec.yaml"] ["taskdef.json", "appspec.yaml", "imageDetail.json"];
    AGREE_DEFINITIONS: Warning "agree-definitions", "`imagedefinitions.json` names a container that the task definition has not",
        "The rolling action changes containers of the revision that the service uses. If the task \
         definition here is that one, this container is not in it.",
        examples ["taskdef.json", "imagedefinitions.json", "appspec.yaml"] ["taskdef.json", "imagedefinitions.json", "appspec.yaml"];
    AGREE_PATH: Note "agree-path", "a file for the blue/green action has another name than its default",
        "The action looks for `appspec.yaml` (not `.yml`) and `taskdef.json`, unless \
         `AppSpecTemplatePath` and `TaskDefinitionTemplatePath` say otherwise. It reports a file \
         that it does not find as one that it cannot read.",
        examples ["taskdef.json", "appspec.yml"] ["taskdef.json", "appspec.yaml"];
    AGREE_ROLLING: Warning "agree-rolling", "a task definition is written that the rolling action does not read",
        "The action that reads `imagedefinitions.json` takes the revision that the service uses \
         and changes its images. A new variable in `taskdef.json` never arrives.",
        examples ["taskdef.json", "imagedefinitions.json"] ["imagedefinitions.json"];
    AGREE_LOGS: Warning "agree-logs", "a container logs in one definition of it and not in another",
        "Terraform made the first task definition from a list of containers, and the pipeline makes \
         the next ones from a template of its own. What the template forgot ends with the first \
         deployment. Containers are compared by name, with those of such a list and of \
         task definitions of the same family.",
        examples ["taskdef.json", "container_definitions.json"] ["taskdef.json", "container_definitions.json"];
    ARTIFACT_SIZE: Warning "artifact-size", "the artifacts are larger than the blue/green action takes",
        "An input artifact has 3 MB at most, packed. The action reports a larger one as a task \
         definition that it cannot read.",
        examples [] [];
    STACK_SIZE: Error "stack-size", "a template configuration file has more than CloudFormation takes",
        "A parameter has 4,096 bytes at most; a stack has 200 parameters and 50 tags.",
        examples [] [];
    OVERRIDES_SIZE: Warning "overrides-size", "a file for `Fn::GetParam` has more than CloudFormation's action takes",
        "`ParameterOverrides` come to 1 KB at most, with their values.",
        examples [] [];
}
