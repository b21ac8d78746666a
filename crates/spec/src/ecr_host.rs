//! What the host of an ECR registry tells.

use crate::aws::partition;

/// A private registry of ECR, as its host names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrHost {
    /// Twelve digits.
    pub account: String,
    /// Such as `ap-northeast-1`.
    pub region: String,
    /// The partition of the region: `aws`, `aws-cn`, `aws-us-gov` and the others.
    pub partition: &'static str,
    /// The host is that of a FIPS endpoint.
    pub fips: bool,
}

/// What stands behind the region, and whether its hosts read `<account>.dkr-ecr.` (dual stack)
/// instead of `<account>.dkr.ecr.`.
const SUFFIXES: [(&str, bool); 9] = [
    ("amazonaws.com", false),
    ("amazonaws.com.cn", false),
    ("amazonaws.eu", false),
    ("c2s.ic.gov", false),
    ("sc2s.sgov.gov", false),
    ("cloud.adc-e.uk", false),
    ("csp.hci.ic.gov", false),
    ("on.aws", true),
    ("on.amazonwebservices.com.cn", true),
];

impl EcrHost {
    /// Reads a host; `None` if it is not one of ECR's ([endpoints]).
    ///
    /// [endpoints]: https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-requests.html
    #[must_use]
    pub fn parse(host: &str) -> Option<Self> {
        let (account, rest) = host.split_once('.')?;
        if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (dual_stack, rest) = match rest.strip_prefix("dkr.ecr") {
            Some(rest) => (false, rest),
            None => (true, rest.strip_prefix("dkr-ecr")?),
        };
        let (fips, rest) = match rest.strip_prefix("-fips") {
            Some(rest) => (true, rest),
            None => (false, rest),
        };
        let (region, suffix) = rest.strip_prefix('.')?.split_once('.')?;
        if region.is_empty() || !SUFFIXES.contains(&(suffix, dual_stack)) {
            return None;
        }
        let partition = partition(region);
        Some(Self { account: account.into(), region: region.into(), partition, fips })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_host_is_read() {
        for (host, region, partition, fips) in [
            ("123456789012.dkr.ecr.ap-northeast-1.amazonaws.com", "ap-northeast-1", "aws", false),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
                "us-gov-west-1",
                "aws-us-gov",
                true,
            ),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1", "aws-cn", false),
            ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1", "aws", false),
            ("123456789012.dkr-ecr-fips.us-east-1.on.aws", "us-east-1", "aws", true),
        ] {
            let found = EcrHost::parse(host).unwrap();
            assert_eq!(
                (&*found.region, found.partition, found.fips),
                (region, partition, fips),
                "{host}"
            );
        }
    }

    #[test]
    fn other_hosts_are_not_taken_for_ecr() {
        for host in [
            "docker.io",
            "12345678901.dkr.ecr.us-east-1.amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.example.com",
            "123456789012.dkr.ecr.us-east-1.on.aws",
            "123456789012.dkr.ecr..amazonaws.com",
            "123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example",
        ] {
            assert_eq!(EcrHost::parse(host), None, "{host}");
        }
    }
}
