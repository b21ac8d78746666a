//! A certificate authority for one life of the testbed.

use std::fs;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use shipspec_testbed::{Layout, REGIONS};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::Fatal;

/// Where distributions keep the certificates that they trust.
pub(crate) const BUNDLES: [&str; 3] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
];

/// Makes the authority and the front's certificate; writes the bundle of certificates to trust.
pub(crate) fn create(layout: &Layout) -> Result<Arc<ServerConfig>, Fatal> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "shipspec testbed");
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate()?;
    let authority_certificate = authority.self_signed(&authority_key)?;
    let issuer = Issuer::new(authority, authority_key);

    let mut front = CertificateParams::new(names())?;
    front.distinguished_name.push(DnType::CommonName, "shipspec testbed front");
    front.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    front.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    front.use_authority_key_identifier_extension = true;
    let front_key = KeyPair::generate()?;
    let front_certificate = front.signed_by(&front_key, &issuer)?;

    let mut trust =
        BUNDLES.iter().find_map(|bundle| fs::read_to_string(bundle).ok()).unwrap_or_default();
    trust.push('\n');
    trust.push_str(&authority_certificate.pem());
    fs::write(layout.trust(), trust)?;

    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(front_key.serialize_der()));
    let chain = vec![front_certificate.der().clone(), authority_certificate.der().clone()];
    let mut config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// A star stands for one label only, so each level that has hosts is named.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "localhost",
        "*.amazonaws.com",
        "*.s3.amazonaws.com",
        "public.ecr.aws",
        "api.ecr-public.us-east-1.amazonaws.com",
    ]
    .map(str::to_owned)
    .into();
    for region in REGIONS {
        for pattern in [
            "*.REGION.amazonaws.com",
            "*.dkr.ecr.REGION.amazonaws.com",
            "api.ecr.REGION.amazonaws.com",
        ] {
            names.push(pattern.replace("REGION", region));
        }
        names.push(format!("*.s3.{region}.amazonaws.com"));
    }
    names
}
