//! Names of variables that hold a secret.

/// The name says that the value is a secret itself, and not a file or a setting of one.
#[must_use]
pub fn is_of_secret(name: &str) -> bool {
    const ENDINGS: [&str; 13] = [
        "password",
        "passwd",
        "passphrase",
        "_pwd",
        "_pass",
        "secret",
        "token",
        "apikey",
        "api_key",
        "private_key",
        "secret_key",
        "secret_access_key",
        "credentials",
    ];
    let name = name.to_lowercase().replace('-', "_");
    let is_public = name.contains("public") || name.contains("csrf");
    !is_public && ENDINGS.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_the_end_of_their_names() {
        for name in
            ["DB_PASSWORD", "rds-pass", "GITHUB_TOKEN", "dbPassword", "AWS_SECRET_ACCESS_KEY"]
        {
            assert!(is_of_secret(name), "{name}");
        }
        for name in ["AUTHOR", "TOKEN_EXPIRY", "DB_PASSWORD_FILE", "COMPASS", "PUBLIC_TOKEN", "PWD"]
        {
            assert!(!is_of_secret(name), "{name}");
        }
    }
}
