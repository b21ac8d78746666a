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
