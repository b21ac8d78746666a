//! Advice that travels with an error.

/// Advice for the person who reads an error: what to do, where the message only says what is wrong.
pub trait Hint {
    /// One sentence without a full stop, or nothing where the message says it all.
    fn hint(&self) -> Option<String>;
}
