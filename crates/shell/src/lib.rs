//! The language of a shell, as far as the commands of a buildspec need it: which programs run, with
//! which words, in which order, and which variables, outputs and redirections the words are made of.
//!
//! Reading never fails. What is not understood is a [`Part::Other`], and a text that ends too early or
//! closes what was never opened is not [whole](Script::is_whole).

mod parse;
mod simple;
mod syntax;
mod word;

pub use simple::{Simple, simple_commands};
pub use syntax::{
    Body, Command, Direction, Next, Part, Redirect, Script, Statement, Target, Word, is_name,
};

/// Reads a text.
#[must_use]
pub fn parse(text: &str) -> Script {
    parse::Parser::new(text, 0).script()
}
