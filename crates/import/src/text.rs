//! Texts as a shell would make them, with what is known only later still in them.

/// A part of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Known text.
    Literal(String),
    /// What the variable of this number stands for, see [`Variables`].
    Variable(usize),
    /// A name of the environment.
    Environment(String),
    /// A name with filters behind it: `COMMIT | short(7)`.
    Expression {
        /// The name.
        name: String,
        /// `" | short(7)"`, or `"[2:5]"`.
        filters: String,
    },
    /// `${NAME:-text}` or `${NAME:+text}`, where the name is one of the environment.
    Default {
        /// The name.
        name: String,
        /// `:-`, `-`, `:+` or `+`.
        sign: &'static str,
        /// What stands for it.
        text: Text,
    },
    /// The commit, or something else where there is none.
    Either(Text, Text),
}

/// A text in pieces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Text(pub(crate) Vec<Piece>);

/// A variable, from one place in the buildspec on.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) meaning: Meaning,
    /// The step that gives it; none if it is one of `env:`.
    pub(crate) step: Option<usize>,
}

/// What a variable stands for.
#[derive(Debug, Clone)]
pub(crate) enum Meaning {
    /// A text that is understood.
    Text(Text),
    /// A parameter: where it is kept, and its region, if that is another one.
    Parameter {
        /// `ssm:/app/db`.
        from: Text,
        region: Option<Text>,
        /// It may be a secret.
        is_secret: bool,
    },
    /// An entry of `env: variables:`.
    Buildspec(String),
    /// Something that only the shell knows.
    Shell,
}

/// Every variable that there was.
#[derive(Debug, Default)]
pub(crate) struct Variables(pub(crate) Vec<Variable>);

impl Text {
    pub(crate) fn literal(text: impl Into<String>) -> Self {
        Self(vec![Piece::Literal(text.into())])
    }

    pub(crate) fn of(piece: Piece) -> Self {
        Self(vec![piece])
    }

    pub(crate) fn push(&mut self, piece: Piece) {
        match (self.0.last_mut(), piece) {
            (_, Piece::Literal(text)) if text.is_empty() => {}
            (Some(Piece::Literal(before)), Piece::Literal(text)) => before.push_str(&text),
            (_, piece) => self.0.push(piece),
        }
    }

    pub(crate) fn append(&mut self, other: Self) {
        for piece in other.0 {
            self.push(piece);
        }
    }

    /// The text, if all of it is known.
    pub(crate) fn known(&self) -> Option<String> {
        let text = |piece: &Piece| match piece {
            Piece::Literal(text) => Some(text.clone()),
            _ => None,
        };
        self.0.iter().map(text).collect()
    }

    /// The only piece.
    pub(crate) fn only(&self) -> Option<&Piece> {
        match self.0.as_slice() {
            [piece] => Some(piece),
            _ => None,
        }
    }

    /// Divides it at the last `sign` of its known text, if one stands behind the last `/`.
    pub(crate) fn split_last(&self, sign: char) -> Option<(Self, Self)> {
        for (index, piece) in self.0.iter().enumerate().rev() {
            let Piece::Literal(text) = piece else { continue };
            let Some(at) = text.rfind([sign, '/']) else { continue };
            if !text[at..].starts_with(sign) {
                return None;
            }
            let mut before = Self(self.0[..index].to_vec());
            before.push(Piece::Literal(text[..at].to_owned()));
            let mut behind = Self::default();
            behind.push(Piece::Literal(text[at + 1..].to_owned()));
            behind.append(Self(self.0[index + 1..].to_vec()));
            return Some((before, behind));
        }
        None
    }
}

impl Variables {
    pub(crate) fn add(&mut self, name: &str, meaning: Meaning, step: Option<usize>) -> usize {
        self.0.push(Variable { name: name.to_owned(), meaning, step });
        self.0.len() - 1
    }

    /// How many have this name.
    pub(crate) fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|variable| variable.name == name).count()
    }

    /// The text with what variables stand for in their place, as far as a text says it.
    pub(crate) fn expand(&self, text: &Text) -> Text {
        let mut expanded = Text::default();
        for piece in &text.0 {
            match piece {
                Piece::Variable(number) => expanded.append(self.expand_one(*number)),
                Piece::Default { name, sign, text } => {
                    let (name, text) = (name.clone(), self.expand(text));
                    expanded.push(Piece::Default { name, sign, text });
                }
                Piece::Either(commit, other) => {
                    expanded.push(Piece::Either(self.expand(commit), self.expand(other)));
                }
                piece => expanded.push(piece.clone()),
            }
        }
        expanded
    }

    pub(crate) fn expand_one(&self, number: usize) -> Text {
        match &self.0[number] {
            Variable { meaning: Meaning::Text(text), .. } => self.expand(text),
            Variable { name, .. } => Text::of(Piece::Environment(name.clone())),
        }
    }

    /// As [`Self::expand`], with the values of `env: variables:` in their place, too.
    pub(crate) fn unfold(&self, text: &Text) -> Text {
        let mut unfolded = Text::default();
        for piece in &self.expand(text).0 {
            let value = self.0.iter().find_map(|variable| match (piece, &variable.meaning) {
                (Piece::Environment(name), Meaning::Buildspec(value)) if variable.name == *name => {
                    Some(value)
                }
                _ => None,
            });
            unfolded.push(value.map_or_else(|| piece.clone(), |it| Piece::Literal(it.clone())));
        }
        unfolded
    }

    /// A text that is the same for texts that come to the same.
    pub(crate) fn canon(&self, text: &Text) -> String {
        format!("{:?}", self.expand(text).0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_what_stands_behind_the_last_colon() {
        let mut text = Text::of(Piece::Environment("HOST".into()));
        text.push(Piece::Literal(":5000/web:v".into()));
        text.push(Piece::Environment("N".into()));
        let (repository, tag) = text.split_last(':').unwrap();
        assert_eq!(repository.0.last(), Some(&Piece::Literal(":5000/web".into())));
        assert_eq!(tag.0, [Piece::Literal("v".into()), Piece::Environment("N".into())]);
        assert_eq!(repository.split_last(':'), None);
    }
}
