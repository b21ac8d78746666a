//! Who asks: access keys, roles, and the tokens of ECR's registries.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use shipspec_testbed::control::RoleSpecification;
use shipspec_testbed::{ACCOUNTS, PRIMARY_ACCOUNT};

/// How long a token is good: twelve hours, as ECR's are.
const LIFE: Duration = Duration::from_hours(12);

/// Roles and tokens.
pub(crate) struct Identities {
    roles: Mutex<HashMap<String, RoleSpecification>>,
    tokens: Mutex<HashMap<String, Token>>,
}

struct Token {
    access_key: String,
    region: String,
    expires_at: f64,
}

/// Who a request's credentials say it comes from.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// There are no credentials.
    Nobody,
    /// There are, but nobody here has given them out.
    Unknown,
    /// A token of this role that is too old.
    Expired(RoleSpecification),
    /// A token of this role for another region.
    Elsewhere(RoleSpecification),
    /// This role.
    Known(RoleSpecification),
}

impl Caller {
    /// The access key behind the credentials, good or not.
    pub(crate) fn access_key(&self) -> Option<String> {
        match self {
            Self::Nobody | Self::Unknown => None,
            Self::Expired(role) | Self::Elsewhere(role) | Self::Known(role) => {
                Some(role.access_key.clone())
            }
        }
    }
}

/// What a signature says about itself: who signed, for which service in which region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    /// The access key.
    pub(crate) access_key: String,
    /// The region.
    pub(crate) region: String,
    /// The service, as signatures name it: `ecr`, `ssm`…
    pub(crate) service: String,
}

impl Credential {
    /// Reads the credential of a signature, version 4, from a header or a signed address.
    pub(crate) fn parse(headers: &HeaderMap, query: &str) -> Option<Self> {
        let header =
            headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let from_header = header
            .split_once("Credential=")
            .map(|(_, rest)| rest.split(',').next().unwrap_or(rest));
        let from_query = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Credential="));
        let text = from_header.or(from_query)?.replace("%2F", "/");
        let mut parts = text.trim().split('/');
        let (access_key, _date) = (parts.next()?.to_owned(), parts.next()?);
        Some(Self {
            access_key,
            region: parts.next()?.to_owned(),
            service: parts.next()?.to_owned(),
        })
    }
}

impl Default for Identities {
    fn default() -> Self {
        let everything = ACCOUNTS.map(RoleSpecification::of_everything);
        let roles = everything.into_iter().map(|role| (role.access_key.clone(), role)).collect();
        Self { roles: Mutex::new(roles), tokens: Mutex::default() }
    }
}

impl Identities {
    /// Registers a role, in place of an earlier one of that access key.
    pub(crate) fn add(&self, role: RoleSpecification) {
        self.roles.lock().expect("the roles").insert(role.access_key.clone(), role);
    }

    /// Who signed a request. The signature itself is not verified: nothing here is worth forging.
    pub(crate) fn signer(&self, credential: Option<&Credential>) -> Caller {
        let Some(Credential { access_key, .. }) = credential else { return Caller::Nobody };
        if let Some(role) = self.roles.lock().expect("the roles").get(access_key) {
            return Caller::Known(role.clone());
        }
        // Keys of sessions that moto's STS gave out.
        if access_key.starts_with("ASIA") {
            let mut role = RoleSpecification::of_everything(PRIMARY_ACCOUNT);
            role.access_key.clone_from(access_key);
            return Caller::Known(role);
        }
        Caller::Unknown
    }

    /// Whose token a registry request in this region carries.
    pub(crate) fn token_holder(&self, headers: &HeaderMap, region: &str) -> Caller {
        if !headers.contains_key(AUTHORIZATION) {
            return Caller::Nobody;
        }
        let Some(password) = password(headers) else { return Caller::Unknown };
        let tokens = self.tokens.lock().expect("the tokens");
        let Some(token) = tokens.get(&password) else { return Caller::Unknown };
        let Some(role) = self.roles.lock().expect("the roles").get(&token.access_key).cloned()
        else {
            return Caller::Unknown;
        };
        if token.region != region {
            Caller::Elsewhere(role)
        } else if token.expires_at < now() {
            Caller::Expired(role)
        } else {
            Caller::Known(role)
        }
    }

    /// A new token, in the form that `GetAuthorizationToken` gives, and when it ends.
    pub(crate) fn mint(&self, role: &RoleSpecification, region: &str) -> (String, f64) {
        let expires_at = (now() + LIFE.as_secs_f64()).floor();
        // As long as a real one, and of the same letters.
        let mut noise = [0; 1100];
        aws_lc_rs::rand::fill(&mut noise).expect("random bytes");
        let payload = serde_json::json!({
            "payload": STANDARD.encode(noise), "version": "2", "type": "DATA_KEY", "expiration": expires_at,
        });
        let password = STANDARD.encode(payload.to_string());
        let token =
            Token { access_key: role.access_key.clone(), region: region.to_owned(), expires_at };
        self.roles
            .lock()
            .expect("the roles")
            .entry(role.access_key.clone())
            .or_insert_with(|| role.clone());
        self.tokens.lock().expect("the tokens").insert(password.clone(), token);
        (STANDARD.encode(format!("AWS:{password}")), expires_at)
    }

    /// Makes all tokens of an access key too old.
    pub(crate) fn expire_tokens(&self, access_key: &str) {
        for token in self.tokens.lock().expect("the tokens").values_mut() {
            if token.access_key == access_key {
                token.expires_at = 0.0;
            }
        }
    }
}

/// The password of `Basic` credentials whose user is `AWS`, or a `Bearer` token.
pub(crate) fn password(headers: &HeaderMap) -> Option<String> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(credentials.trim().to_owned());
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    text.strip_prefix("AWS:").map(str::to_owned)
}

/// Seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn headers(authorization: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(authorization).expect("a header"));
        headers
    }

    #[test]
    fn a_signature_names_key_region_and_service() {
        let expected = Credential {
            access_key: "AKIA1".into(),
            region: "us-east-1".into(),
            service: "ecr".into(),
        };
        let header = "AWS4-HMAC-SHA256 Credential=AKIA1/20260101/us-east-1/ecr/aws4_request, SignedHeaders=host";
        assert_eq!(Credential::parse(&headers(header), ""), Some(expected.clone()));
        let query = "a=b&X-Amz-Credential=AKIA1%2F20260101%2Fus-east-1%2Fecr%2Faws4_request";
        assert_eq!(Credential::parse(&HeaderMap::new(), query), Some(expected));
        assert_eq!(Credential::parse(&headers("Basic QTpC"), ""), None);
    }

    #[test]
    fn a_token_is_good_in_its_region_until_it_expires() {
        let identities = Identities::default();
        let role = RoleSpecification::of_everything(PRIMARY_ACCOUNT);
        let (token, _expires_at) = identities.mint(&role, "us-east-1");
        let headers = headers(&format!("Basic {token}"));
        assert!(matches!(identities.token_holder(&headers, "us-east-1"), Caller::Known(_)));
        assert!(matches!(identities.token_holder(&headers, "eu-west-1"), Caller::Elsewhere(_)));
        identities.expire_tokens(&role.access_key);
        assert!(matches!(identities.token_holder(&headers, "us-east-1"), Caller::Expired(_)));
        assert!(matches!(identities.token_holder(&HeaderMap::new(), "us-east-1"), Caller::Nobody));
    }
}
