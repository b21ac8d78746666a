//! What an expression can call.

use std::sync::LazyLock;

use minijinja::{AutoEscape, Environment, UndefinedBehavior};

use crate::tag;

/// The engine of every expression: strict, without auto-escaping, and without access to files.
pub(super) static ENGINE: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    // Escaping is the business of the place where a value lands.
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    engine.set_fuel(Some(FUEL));
    engine.add_filter("short", |text: &str, count: Option<usize>| {
        tag::short(text, count.unwrap_or(7))
    });
    engine
});

/// Steps that one expression may take; a loop over everything it can reach ends far below.
const FUEL: u64 = 1_000_000;
