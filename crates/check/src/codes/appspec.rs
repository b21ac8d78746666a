//! Codes about the AppSpec.

use super::pages;

pages! {
    APPSPEC_VERSION: Error "appspec-version", "the version of the AppSpec is missing or not 0.0",
        "It is the only one that CodeDeploy takes.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    APPSPEC_RESOURCES: Error "appspec-resources", "the resources of the AppSpec are not one `TargetService`",
        "An ECS deployment has exactly one resource of this name.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    APPSPEC_KEY: Error "appspec-key", "a key of the AppSpec is misspelt",
        "CodeDeploy's keys have capital letters, and only these names.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    APPSPEC_REQUIRED: Error "appspec-required", "the AppSpec lacks something that CodeDeploy needs",
        "`Type`, `TaskDefinition`, and the `ContainerName` and `ContainerPort` of \
         `LoadBalancerInfo`.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    APPSPEC_VALUE: Error "appspec-value", "a value of the AppSpec is none that CodeDeploy takes",
        "`Type` is `AWS::ECS::Service`, `TaskDefinition` is an ARN or `<TASK_DEFINITION>` with \
         its angle brackets, a port is a number.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    APPSPEC_QUOTED_PORT: Warning "appspec-quoted-port", "the port in the AppSpec is in quotes",
        "CodeDeploy documents a number. A text of digits was seen to work.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    APPSPEC_HOOK: Error "appspec-hook", "a hook of the AppSpec is none, or names nothing",
        "ECS has five: `BeforeInstall`, `AfterInstall`, `AfterAllowTestTraffic`, \
         `BeforeAllowTraffic`, `AfterAllowTraffic`. Each has the name or ARN of a Lambda \
         function.",
        examples ["appspec.yaml"] ["appspec.yaml"];
    APPSPEC_NETWORK: Warning "appspec-network", "the network of the AppSpec is said in part",
        "`Subnets`, `SecurityGroups` and `AssignPublicIp` go together; where all are left out, \
         the service keeps its own.",
        examples ["appspec.yaml"] ["appspec.yaml"];
}
