//! Numbers as Terraform has them: decimal and exact.

use bigdecimal::{BigDecimal, ToPrimitive as _, Zero as _};

/// Digits that a number may have, and zeros that an exponent may add.
const LONGEST: usize = 400;

/// A decimal number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Number(BigDecimal);

impl Number {
    /// Reads a number; nothing if the text is none, or one that nobody writes.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (digits, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((digits, exponent)) => (digits, Some(exponent)),
            None => (unsigned, None),
        };
        let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && digits.bytes().any(|byte| byte.is_ascii_digit())
            && digits.bytes().filter(|byte| *byte == b'.').count() <= 1;
        let is_exponent = exponent.is_none_or(|exponent| {
            let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
        });
        if !is_digits || !is_exponent || text.len() > LONGEST {
            return None;
        }
        let exponent: i64 = exponent.map_or(Some(0), |exponent| exponent.parse().ok())?;
        if exponent.unsigned_abs() > LONGEST as u64 {
            return None;
        }
        text.parse().ok().map(Self)
    }

    pub(super) fn of_count(count: usize) -> Self {
        Self(BigDecimal::from(count as u64))
    }

    /// The number, if it has no fraction and is none below zero.
    pub(super) fn as_index(&self) -> Option<usize> {
        if self.0.is_integer() { self.0.to_usize() } else { None }
    }

    /// The number, if it has no fraction.
    pub(super) fn as_integer(&self) -> Option<i64> {
        if self.0.is_integer() { self.0.to_i64() } else { None }
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.is_zero()
    }

    pub(super) fn is_negative(&self) -> bool {
        self.0 < BigDecimal::zero()
    }

    /// The greatest whole number that is not above it.
    pub(super) fn floor(&self) -> Self {
        let whole = self.0.with_scale_round(0, bigdecimal::RoundingMode::Floor);
        Self(whole)
    }

    /// The number written as `format` wants it.
    pub(super) fn with_places(&self, places: u32) -> String {
        let mode = bigdecimal::RoundingMode::HalfEven;
        self.0.with_scale_round(i64::from(places), mode).to_plain_string()
    }

    /// The result, if it is no longer than a number may be.
    fn bounded(value: BigDecimal) -> Result<Self, String> {
        let (digits, scale) = value.as_bigint_and_exponent();
        let is_long = digits.bits() > 4 * LONGEST as u64 || scale.unsigned_abs() > LONGEST as u64;
        if is_long { Err("the number is too long".into()) } else { Ok(Self(value)) }
    }

    pub(super) fn plus(&self, other: &Self) -> Result<Self, String> {
        Self::bounded(&self.0 + &other.0)
    }

    pub(super) fn minus(&self, other: &Self) -> Result<Self, String> {
        Self::bounded(&self.0 - &other.0)
    }

    pub(super) fn times(&self, other: &Self) -> Result<Self, String> {
        Self::bounded(&self.0 * &other.0)
    }

    /// The quotient; one without an end has a hundred digits.
    pub(super) fn divided_by(&self, other: &Self) -> Result<Self, String> {
        if other.is_zero() {
            return Err("a number is divided by zero".into());
        }
        Self::bounded((&self.0 / &other.0).normalized())
    }

    pub(super) fn remainder(&self, other: &Self) -> Result<Self, String> {
        if other.is_zero() {
            return Err("a number is divided by zero".into());
        }
        Self::bounded(&self.0 % &other.0)
    }

    pub(super) fn negated(&self) -> Self {
        Self(-&self.0)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0.normalized().to_plain_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_written_plainly() {
        for (text, expected) in
            [("1.50", "1.5"), ("1e3", "1000"), (".5", "0.5"), ("-0", "0"), ("+7", "7"), ("5.", "5")]
        {
            assert_eq!(Number::parse(text).unwrap().to_string(), expected, "{text}");
        }
        for text in ["", "-", ".", "1_0", "0x1", "1e", "1e9999999999", "Inf", "1 "] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
        let sum = Number::parse("0.1").unwrap().plus(&Number::parse("0.2").unwrap());
        assert_eq!(sum.unwrap().to_string(), "0.3");
    }
}
