//! The name that was probably meant.

/// The candidate that is most like `wanted`, if one is like enough to be worth telling.
///
/// Case and the difference between `-`, `_` and `.` do not count: `rds_pass` and `rds-pass` are alike.
#[must_use]
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(wanted);
    candidates
        .into_iter()
        .filter(|candidate| *candidate != wanted)
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &fold(candidate)), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= wanted.len().max(candidate.len()))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(name: &str) -> String {
    name.to_lowercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("dockerfil", ["context", "dockerfile"]), Some("dockerfile"));
        assert_eq!(nearest("rds_pass", ["rds-pass", "rds-user"]), Some("rds-pass"));
        assert_eq!(nearest("platform", ["tags", "target"]), None);
    }
}
