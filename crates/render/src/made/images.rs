//! The two files that tell a deploy action which images to run ([reference]). Both are compact and
//! without a final newline, as the shell's `printf` made them.
//!
//! [reference]: https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html

use serde_json::json;

/// `imageDetail.json` for the blue/green action: one image.
pub(super) fn image_detail(reference: &str) -> String {
    json!({ "ImageURI": reference }).to_string()
}

/// `imagedefinitions.json` for the rolling action: each container with its image.
pub(super) fn image_definitions(pairs: impl IntoIterator<Item = (String, String)>) -> String {
    let entry =
        |(name, reference): (String, String)| json!({ "name": name, "imageUri": reference });
    serde_json::Value::Array(pairs.into_iter().map(entry).collect()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_have_the_documented_form() {
        assert_eq!(image_detail("r.example/web:1"), r#"{"ImageURI":"r.example/web:1"}"#);
        assert_eq!(
            image_definitions([
                ("web".to_owned(), "r.example/web:1".to_owned()),
                ("log".into(), "r.example/log:1".into())
            ]),
            r#"[{"name":"web","imageUri":"r.example/web:1"},{"name":"log","imageUri":"r.example/log:1"}]"#
        );
    }
}
