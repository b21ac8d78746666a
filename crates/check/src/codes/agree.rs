//! Codes about files that name images, and about files that have to agree.

use super::pages;

pages! {
    IMAGE_DEFINITIONS: Error "image-definitions", "`imagedefinitions.json` has a wrong form",
        "A list, even for one container, of maps with `name` and `imageUri`; each container once.",
        bad &[("imagedefinitions.json", r#"{"name": "web", "imageUri": "registry.example.com/web:1a2b3c4"}
"#)],
        good &[("imagedefinitions.json", r#"[{"name": "web", "imageUri": "registry.example.com/web:1a2b3c4"}]
"#)];
    IMAGE_DEFINITIONS_SIZE: Error "image-definitions-size", "`imagedefinitions.json` is larger than 100 KB",
        "CodePipeline does not read it then.",
        bad &[],
        good &[("imagedefinitions.json", r#"[{"name": "web", "imageUri": "registry.example.com/web:1a2b3c4"}]
"#)];
    IMAGE_DETAIL: Error "image-detail", "`imageDetail.json` has no `ImageURI`",
        "The key is spelt exactly like this.",
        bad &[("imageDetail.json", r#"{"imageUri": "registry.example.com/web:1a2b3c4"}
"#)],
        good &[("imageDetail.json", r#"{"ImageURI": "registry.example.com/web:1a2b3c4"}
"#)];
    AGREE_CONTAINER: Error "agree-container", "the AppSpec names a container that the task definition has not",
        "CodeDeploy answers that the container does not exist, after the build and the push.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: wbe
          ContainerPort: 80
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)];
    AGREE_PORT: Error "agree-port", "the AppSpec names a port that the container has not",
        "The target group sends to a port that `portMappings` of this container lists.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 8080
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)];
    AGREE_IMAGE_DETAIL: Warning "agree-image-detail", "placeholders of images and `imageDetail.json` do not match in number",
        "The blue/green action fills each `<IMAGE1_NAME>` from the `imageDetail.json` of one input artifact, and one such file holds one image. An ECR source action brings its own, which is not seen here.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "<IMAGE1_NAME>",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "<IMAGE1_NAME>",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#), ("imageDetail.json", r#"{"ImageURI": "registry.example.com/web:1a2b3c4"}
"#)];
    AGREE_DEFINITIONS: Warning "agree-definitions", "`imagedefinitions.json` names a container that the task definition has not",
        "The rolling action changes containers of the revision that the service uses. If the task definition here is that one, this container is not in it.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("imagedefinitions.json", r#"[{"name": "app", "imageUri": "registry.example.com/web:1a2b3c4"}]
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("imagedefinitions.json", r#"[{"name": "web", "imageUri": "registry.example.com/web:1a2b3c4"}]
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)];
    AGREE_PATH: Note "agree-path", "a file for the blue/green action has another name than its default",
        "The action looks for `appspec.yaml` (not `.yml`) and `taskdef.json`, unless `AppSpecTemplatePath` and `TaskDefinitionTemplatePath` say otherwise. It reports a file that it does not find as one that it cannot read.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)];
    AGREE_ROLLING: Warning "agree-rolling", "a task definition is written that the rolling action does not read",
        "The action that reads `imagedefinitions.json` takes the revision that the service uses and changes its images. A new variable in `taskdef.json` never arrives.",
        bad &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("imagedefinitions.json", r#"[{"name": "web", "imageUri": "registry.example.com/web:1a2b3c4"}]
"#)],
        good &[("imagedefinitions.json", r#"[{"name": "web", "imageUri": "registry.example.com/web:1a2b3c4"}]
"#)];
    ARTIFACT_SIZE: Warning "artifact-size", "the artifacts are larger than the blue/green action takes",
        "An input artifact has 3 MB at most, packed. The action reports a larger one as a task definition that it cannot read.",
        bad &[],
        good &[("taskdef.json", r#"{
  "family": "web",
  "containerDefinitions": [
    {
      "name": "web",
      "image": "nginx:1.27",
      "memory": 128,
      "portMappings": [{"containerPort": 80}]
    }
  ]
}
"#), ("appspec.yaml", r#"version: 0.0
Resources:
  - TargetService:
      Type: AWS::ECS::Service
      Properties:
        TaskDefinition: <TASK_DEFINITION>
        LoadBalancerInfo:
          ContainerName: web
          ContainerPort: 80
"#)];
    OVERRIDES_SIZE: Warning "overrides-size", "a file for `Fn::GetParam` has more than CloudFormation's action takes",
        "`ParameterOverrides` come to 1 KB at most, with their values.",
        bad &[],
        good &[("build.json", r#"{"tag": "1a2b3c4"}
"#)];
}
