//! What a Terraform template is made of.

use std::collections::BTreeMap;
use std::ops::Range;

use super::functions::Function;
use super::number::Number;

/// A part of a template.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Stands as it is; escapes are read and trimmed space is gone.
    Text(String, Range<usize>),
    /// `${…}`.
    Slot(Expr, Range<usize>),
    /// `%{ if }`.
    If(Box<If>),
    /// `%{ for }`.
    For(Box<For>),
}

#[derive(Debug, Clone)]
pub(super) struct If {
    pub(super) condition: Expr,
    pub(super) then: Vec<Part>,
    pub(super) otherwise: Vec<Part>,
}

#[derive(Debug, Clone)]
pub(super) struct For {
    pub(super) key: Option<String>,
    pub(super) item: String,
    pub(super) list: Expr,
    pub(super) body: Vec<Part>,
}

/// An expression and its bytes.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
    /// How many expressions stand inside one another here.
    pub(super) height: usize,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number(Number),
    /// A string; one that is a single `${…}` keeps the type of its value.
    Text(Vec<Part>),
    /// A name; with the attributes behind it, it is what is asked of the outside: `images.app.uri`.
    Name {
        name: String,
        reference: String,
    },
    Attribute(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    /// `list[*].name`: what comes behind, of each item.
    Splat(Box<Expr>, Vec<Step>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary(Operator, Box<Expr>, Box<Expr>),
    Conditional(Box<[Expr; 3]>),
    Call(Function, Vec<Expr>, IsSpread),
    List(Vec<Expr>),
    Map(Vec<(Expr, Expr)>),
    /// `[for x in list : …]`, `{for k, v in map : k => …}`.
    Each(Box<Each>),
}

/// The last argument of a call is a list of arguments: `max(list...)`.
pub(super) type IsSpread = bool;

/// A step behind `[*]`.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Attribute(String, Range<usize>),
    Index(Expr),
}

#[derive(Debug, Clone)]
pub(super) struct Each {
    pub(super) key: Option<String>,
    pub(super) item: String,
    pub(super) list: Expr,
    /// What makes the key; without it a list is made.
    pub(super) new_key: Option<Expr>,
    pub(super) new_item: Expr,
    pub(super) filter: Option<Expr>,
}

/// An operator between two expressions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Operator {
    /// All operators; a longer one stands before one that begins with the same sign.
    pub(super) const ALL: [(&'static str, Self, u8); 13] = [
        ("||", Self::Or, 1),
        ("&&", Self::And, 2),
        ("==", Self::Equal, 3),
        ("!=", Self::NotEqual, 3),
        ("<=", Self::LessOrEqual, 4),
        (">=", Self::GreaterOrEqual, 4),
        ("<", Self::Less, 4),
        (">", Self::Greater, 4),
        ("+", Self::Add, 5),
        ("-", Self::Subtract, 5),
        ("*", Self::Multiply, 6),
        ("/", Self::Divide, 6),
        ("%", Self::Remainder, 6),
    ];
}

/// What a template asks for, and where: `images.app.uri` by its places.
pub(super) type References = BTreeMap<String, Vec<Range<usize>>>;
