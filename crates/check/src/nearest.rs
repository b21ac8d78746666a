//! The word that was probably meant, where a wrong guess would be a false alarm.

/// The candidate that differs by a slip of the fingers: by case, a sign between words, a plural, or
/// one or two letters of a longer word.
#[must_use]
pub fn slip<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = fold(wanted);
    let distance = |candidate: &str| strsim::damerau_levenshtein(&folded, &fold(candidate));
    let most = match folded.len() {
        0..=3 => 0,
        4..=7 => 1,
        _ => 2,
    };
    candidates
        .into_iter()
        .filter(|candidate| *candidate != wanted)
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

fn fold(word: &str) -> String {
    word.chars()
        .filter(|sign| !matches!(sign, '-' | '_' | '.'))
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_found_and_another_word_is_not() {
        assert_eq!(
            slip("ContainerDefinitions", ["containerDefinitions"]),
            Some("containerDefinitions")
        );
        assert_eq!(slip("portMaping", ["portMappings", "mountPoints"]), Some("portMappings"));
        assert_eq!(slip("tag", ["tags", "cpu"]), None);
        assert_eq!(slip("gpu", ["cpu"]), None);
    }
}
