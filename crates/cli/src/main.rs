//! The command line of shipspec.
fn main() {}
