//! Codes about the buildspec.

use super::pages;

pages! {
    BUILDSPEC_FORM: Error "buildspec-form", "CodeBuild cannot read the buildspec",
        "It needs `version` and `phases`, and a command is text: `echo a: b` without quotes is a \
         map to YAML, and ends the build before it begins.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_KEY: Warning "buildspec-key", "a key of the buildspec is misspelt",
        "CodeBuild drops some keys that it does not know without a word: with `artifact:` nothing \
         is handed on.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_EXPORTED: Warning "buildspec-exported", "a variable is exported that CodeBuild does not export",
        "Neither names that begin with `AWS_`, nor what comes from `parameter-store:` and \
         `secrets-manager:`.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_PUSH: Warning "buildspec-push", "`post_build` pushes, whether `build` has failed or not",
        "CodeBuild runs `post_build` after a `build` that failed. Then an image is pushed that is \
         broken, or that was left from before, and `latest` moves to it.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_GET_LOGIN: Warning "buildspec-get-login", "`aws ecr get-login` is used",
        "Version 2 of the AWS CLI has it no longer, and build images have had version 2 for \
         years. `shipspec` needs no login at all.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_LATEST: Warning "buildspec-latest", "a tag falls back to `latest`",
        "Where the commit is not known, the build goes on, overwrites `latest`, and deploys it \
         under a name that says nothing.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_VARIABLE: Warning "buildspec-variable", "a variable is used that nobody sets, and a namesake is set that nobody uses",
        "A shell makes an empty text of it, and goes on. If the project's environment sets it, \
         allow the finding.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_SECRET_SHOWN: Warning "buildspec-secret-shown", "a secret is printed into the log",
        "CodeBuild hides the exact values that it fetched for `parameter-store:` and \
         `secrets-manager:`, and nothing else: no part of one, no base64, no value that a command \
         fetched.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_SECRET_ARGUMENT: Warning "buildspec-secret-argument", "a secret stands on a command line",
        "Every process of the machine can read it there, and a shell that prints its commands \
         prints it. A build argument stays in the history of the image.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_SECRET_PLAIN: Warning "buildspec-secret-plain", "a secret stands in the buildspec in plain text",
        "It is in the repository, and in the settings that everybody sees who may look at builds.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_ARTIFACT_UNKNOWN: Warning "buildspec-artifact-unknown", "an artifact of the buildspec is a file that nobody writes",
        "It is not in the source, shipspec does not write it, and no command names it. CodeBuild \
         then fails at the end, or hands on an artifact without it.",
        examples ["buildspec.yml"] ["buildspec.yml"];
    BUILDSPEC_ARTIFACT_LEFT_OUT: Warning "buildspec-artifact-left-out", "shipspec writes a file that no artifact of the buildspec takes along",
        "The deploy action does not find it.",
        examples ["shipspec.yml", "buildspec.yml", "taskdef.json"] ["shipspec.yml", "buildspec.yml", "taskdef.json"];
    BUILDSPEC_DISCARD_PATHS: Warning "buildspec-discard-paths", "`discard-paths` makes one file of several",
        "Without their folders, `web/imageDetail.json` and `log/imageDetail.json` have one name, \
         and one of them is lost.",
        examples ["shipspec.yml", "buildspec.yml"] ["shipspec.yml", "buildspec.yml"];
}
