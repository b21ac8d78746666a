//! What all AWS services have in common.

/// Advice where there are no AWS credentials.
pub const CREDENTIALS_HINT: &str =
    "in CodeBuild, give the project a service role; elsewhere, set AWS_PROFILE or sign in";

/// The code of an error says that the caller's credentials are missing, wrong or expired
/// ([common errors]).
///
/// [common errors]: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
#[must_use]
pub fn is_credentials_code(code: &str) -> bool {
    const CODES: [&str; 8] = [
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "UnrecognizedClientException",
    ];
    CODES.contains(&code)
}

/// An error with all that caused it on one line, each told once: the SDK's own words for a request
/// that did not arrive are `dispatch failure`.
#[must_use]
pub fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let words = cause.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        source = cause.source();
    }
    text
}

/// Advice for a request that did not arrive, by what its error says.
#[must_use]
pub fn connection_hint(message: &str) -> &'static str {
    if message.contains("certificate") {
        "trust the authority that signed it: put it into the system's certificates, or name a file with it in SSL_CERT_FILE"
    } else {
        "check the region (`AWS_REGION`), the network and the proxy (`HTTPS_PROXY`)"
    }
}

/// The partition that a region belongs to, by its first letters.
#[must_use]
pub fn partition(region: &str) -> &'static str {
    const PREFIXES: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-isob-", "aws-iso-b"),
        ("us-isof-", "aws-iso-f"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-iso-", "aws-iso"),
    ];
    PREFIXES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("aws", |(_, name)| name)
}
