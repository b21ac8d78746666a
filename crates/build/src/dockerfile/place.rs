//! Where a step stands in the Dockerfile.

/// The line on which the step begins that BuildKit names like this (`[2/3] RUN make`), from 1; nothing
/// if there is not exactly one.
pub(crate) fn line_of_step(text: &str, name: &str) -> Option<usize> {
    let (_, step) = name.split_once("] ")?;
    let step = collapsed(step);
    let mut lines = instructions(text).filter(|(_, instruction)| *instruction == step);
    let (line, _) = lines.next()?;
    lines.next().is_none().then_some(line)
}

/// Each instruction on one line, as BuildKit writes it, with the number of its first line.
fn instructions(text: &str) -> impl Iterator<Item = (usize, String)> {
    let escape = if text.to_lowercase().contains("# escape=`") { '`' } else { '\\' };
    let mut lines = text.lines().enumerate();
    std::iter::from_fn(move || {
        let (index, first) = lines.by_ref().find(|(_, line)| !is_comment(line))?;
        let mut whole = first.trim_end().to_owned();
        while whole.ends_with(escape) {
            whole.pop();
            let Some((_, next)) = lines.by_ref().find(|(_, line)| !is_comment(line)) else { break };
            whole.push(' ');
            whole.push_str(next.trim_end());
        }
        Some((index + 1, collapsed(&whole)))
    })
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// Words with one space between them.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_by_its_text() {
        let text = "FROM a\n# a comment\nRUN one && \\\n    # another\n    two\nCOPY x  y\nRUN twice\nRUN twice\n";
        assert_eq!(line_of_step(text, "[2/5] RUN one &&     two"), Some(3));
        assert_eq!(line_of_step(text, "[app 3/5] COPY x y"), Some(6));
        assert_eq!(line_of_step(text, "[4/5] RUN twice"), None);
        assert_eq!(line_of_step(text, "[internal] load metadata"), None);
    }
}
