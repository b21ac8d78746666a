//! What makes two keys differ, in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::listing::{LeafKind, Listing, Node};
use super::parts::{ContextParts, Folder, KeyParts, SecretArg, TestParts};

/// One thing that is not as it was. As text it is a sentence without a full stop, such as ``build
/// argument `NODE_ENV` was `a`, is `b` ``.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The thing, such as ``file `app/main.py` ``.
    pub what: String,
    /// What happened to it.
    #[serde(flatten)]
    pub how: How,
}

/// What happened to a thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum How {
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
    /// It is another one; what it was is not known, or too long to tell.
    Changed,
    /// It is another one.
    Was {
        /// What it was.
        before: String,
        /// What it is.
        now: String,
    },
    /// It is a secret, and another version of it.
    Version,
}

impl fmt::Display for Change {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = &self.what;
        match &self.how {
            How::Added => write!(formatter, "{what} is new"),
            How::Removed => write!(formatter, "{what} is gone"),
            How::Changed => write!(formatter, "{what} changed"),
            How::Was { before, now } => write!(formatter, "{what} was `{before}`, is `{now}`"),
            How::Version => write!(formatter, "{what} has another version"),
        }
    }
}

/// Everything in which `now` differs from `before`: what stands in the Dockerfile and in shipspec.yml
/// first, then files. Nothing if both have one key. Both are as [`KeyParts::for_record`] gives them.
#[must_use]
pub fn compare(before: &KeyParts, now: &KeyParts) -> Vec<Change> {
    let mut found = Changes::default();
    found.value("the format of keys", &before.format, &now.format);
    found.value("the platform", &before.platform, &now.platform);
    found.optional("the target", before.target.as_ref(), now.target.as_ref());
    found.unshown("the Dockerfile", &before.dockerfile, &now.dockerfile);
    found.optional("`# syntax`", before.syntax.as_ref(), now.syntax.as_ref());
    found.values("base image", &before.bases, &now.bases);
    found.values("build argument", &before.build_args, &now.build_args);
    found.secret_args(&before.secret_args, &now.secret_args);
    found.values("label", &before.labels, &now.labels);
    found.secrets("secret", &before.secrets, &now.secrets);
    found.names("ssh agent", &before.ssh, &now.ssh);
    found.value("the network", &before.network, &now.network);
    found.values("address of host", &before.extra_hosts, &now.extra_hosts);
    found.test(before.test.as_ref(), now.test.as_ref());
    found.folder("", &before.context, &now.context);
    found.contexts(&before.contexts, &now.contexts);
    found.0
}

#[derive(Debug, Default)]
struct Changes(Vec<Change>);

impl Changes {
    fn push(&mut self, what: impl Into<String>, how: How) {
        self.0.push(Change { what: what.into(), how });
    }

    fn value<V: PartialEq + ToString>(&mut self, what: &str, before: &V, now: &V) {
        if before != now {
            self.push(what, How::Was { before: before.to_string(), now: now.to_string() });
        }
    }

    fn unshown<V: PartialEq>(&mut self, what: &str, before: &V, now: &V) {
        if before != now {
            self.push(what, How::Changed);
        }
    }

    fn optional(&mut self, what: &str, before: Option<&String>, now: Option<&String>) {
        match (before, now) {
            (Some(before), Some(now)) => self.value(what, before, now),
            (None, Some(_)) => self.push(what, How::Added),
            (Some(_), None) => self.push(what, How::Removed),
            (None, None) => {}
        }
    }

    /// Pairs by name: new ones, gone ones, and those for which `both` says what happened.
    fn pairs<V>(
        &mut self,
        kind: &str,
        before: &BTreeMap<String, V>,
        now: &BTreeMap<String, V>,
        mut both: impl FnMut(&mut Self, &str, &V, &V),
    ) {
        let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
        for name in names {
            let what = format!("{kind} `{name}`");
            match (before.get(name), now.get(name)) {
                (Some(before), Some(now)) => both(self, &what, before, now),
                (None, _) => self.push(what, How::Added),
                (_, None) => self.push(what, How::Removed),
            }
        }
    }

    fn values(
        &mut self,
        kind: &str,
        before: &BTreeMap<String, String>,
        now: &BTreeMap<String, String>,
    ) {
        self.pairs(kind, before, now, Self::value);
    }

    fn names(&mut self, kind: &str, before: &BTreeSet<String>, now: &BTreeSet<String>) {
        for name in before.symmetric_difference(now) {
            let how = if now.contains(name) { How::Added } else { How::Removed };
            self.push(format!("{kind} `{name}`"), how);
        }
    }

    fn secrets(
        &mut self,
        kind: &str,
        before: &BTreeMap<String, Option<String>>,
        now: &BTreeMap<String, Option<String>>,
    ) {
        self.pairs(kind, before, now, |found, what, before, now| {
            if before != now {
                found.push(what, How::Version);
            }
        });
    }

    fn secret_args(
        &mut self,
        before: &BTreeMap<String, SecretArg>,
        now: &BTreeMap<String, SecretArg>,
    ) {
        self.pairs("build argument", before, now, |found, what, before, now| {
            found.unshown(what, &before.text, &now.text);
            found.secrets(&format!("{what}, secret"), &before.secrets, &now.secrets);
        });
    }

    fn test(&mut self, before: Option<&TestParts>, now: Option<&TestParts>) {
        let (before, now) = match (before, now) {
            (Some(before), Some(now)) => (before, now),
            (None, None) => return,
            (None, _) => return self.push("the test", How::Added),
            (_, None) => return self.push("the test", How::Removed),
        };
        self.optional("the test's target", before.target.as_ref(), now.target.as_ref());
        self.unshown("the test's command, or a variable of it,", &before.command, &now.command);
        self.values("the test's variable", &before.env, &now.env);
        self.secrets("the test's secret", &before.secrets, &now.secrets);
        let timeout = |test: &TestParts| format!("{} s", test.timeout);
        self.value("the test's timeout", &timeout(before), &timeout(now));
    }

    fn contexts(
        &mut self,
        before: &BTreeMap<String, ContextParts>,
        now: &BTreeMap<String, ContextParts>,
    ) {
        let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
        for name in names {
            let what = format!("context `{name}`");
            match (before.get(name), now.get(name)) {
                (Some(ContextParts::Folder(before)), Some(ContextParts::Folder(now))) => {
                    self.folder(&format!(" of {what}"), before, now);
                }
                (Some(ContextParts::Image(before)), Some(ContextParts::Image(now))) => {
                    self.value(&what, before, now);
                }
                (Some(_), Some(_)) => self.push(what, How::Changed),
                (None, _) => self.push(what, How::Added),
                (_, None) => self.push(what, How::Removed),
            }
        }
    }

    /// `suffix` says of which context.
    fn folder(&mut self, suffix: &str, before: &Folder, now: &Folder) {
        if before.hash == now.hash {
            return;
        }
        let count = self.0.len();
        self.node(suffix, "", &before.files, &now.files);
        if self.0.len() == count {
            let what =
                if suffix.is_empty() { "the build context" } else { &suffix[" of ".len()..] };
            self.push(what, How::Changed);
        }
    }

    fn node(&mut self, suffix: &str, path: &str, before: &Node, now: &Node) {
        if let (Node::Folder(before), Node::Folder(now)) = (before, now) {
            self.mode(suffix, path, before.mode(), now.mode());
            return self.children(suffix, path, before, now);
        }
        let (before, now) = (before.leaf(), now.leaf());
        if before.kind != now.kind {
            let [before, now] = [before.kind, now.kind].map(|kind| kind.word().to_owned());
            return self.push(format!("`{path}`{suffix}"), How::Was { before, now });
        }
        self.mode(suffix, path, before.mode, now.mode);
        if before.hash != now.hash && !path.is_empty() {
            let inside = if now.kind == LeafKind::Folder { "something in " } else { "" };
            let what = format!("{inside}{} `{path}`{suffix}", now.kind.word());
            self.push(what, How::Changed);
        }
    }

    fn mode(&mut self, suffix: &str, path: &str, before: u16, now: u16) {
        let [before, now] = [before, now].map(|mode| format!("{mode:o}"));
        self.value(&format!("the mode of `{path}`{suffix}"), &before, &now);
    }

    fn children(&mut self, suffix: &str, path: &str, before: &Listing, now: &Listing) {
        let (before, now): (BTreeMap<_, _>, BTreeMap<_, _>) =
            (before.children().collect(), now.children().collect());
        let names: BTreeSet<_> = before.keys().chain(now.keys()).copied().collect();
        for name in names {
            let separator = if path.is_empty() { "" } else { "/" };
            let path = format!("{path}{separator}{name}");
            let what = |node: &Node| format!("{} `{path}`{suffix}", node.leaf().kind.word());
            match (before.get(name), now.get(name)) {
                (Some(before), Some(now)) => self.node(suffix, &path, before, now),
                (None, Some(now)) => self.push(what(now), How::Added),
                (Some(before), None) => self.push(what(before), How::Removed),
                (None, None) => {}
            }
        }
    }
}

impl LeafKind {
    fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Link => "link",
            Self::Folder => "folder",
        }
    }
}

#[cfg(test)]
mod tests;
