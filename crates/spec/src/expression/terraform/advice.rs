//! What to write instead of forms that people bring along from a shell.

use std::sync::LazyLock;

use regex::Regex;

/// Names that the process environment always has, and that are meant for the container's own shell.
const OF_EVERY_SHELL: [&str; 12] = [
    "HOME", "HOSTNAME", "LANG", "LOGNAME", "OLDPWD", "PATH", "PWD", "SHELL", "SHLVL", "TERM",
    "TMPDIR", "USER",
];

/// A `$NAME` of this name is not meant for shipspec.
pub(super) fn is_of_every_shell(name: &str) -> bool {
    OF_EVERY_SHELL.contains(&name)
}

/// What to write instead of `${NAME:-text}` and its kin.
pub(super) fn of_shell_form(written: &str) -> Option<String> {
    static FORM: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(r"^\$\{([A-Za-z_][A-Za-z0-9_]*)(:[-+?=]|[?=/^,]|:[0-9]|##?|%%?)([^}]*)\}?$")
            .expect("the pattern is right")
    });
    let found = FORM.captures(written)?;
    let name = &found[1];
    let instead = match &found[2] {
        ":-" | ":=" => return Some(of_default(name, &found[3])),
        "/" => format!("`${{replace({name}, \"old\", \"new\")}}`, "),
        _ => String::new(),
    };
    Some(format!(
        "this is a shell's form, and the file is read as a Terraform template; write {instead}`$${{…}}` \
         to keep the text, or say `dialect: shell` for this artifact"
    ))
}

/// Where a default belongs: a Terraform template wants a value for every name.
pub(super) fn of_default(name: &str, default: &str) -> String {
    format!(
        "this is a shell's form, and the file is read as a Terraform template; write `${{{name}}}` here and \
         `{name}: ${{{name}:-{default}}}` under `variables:` in shipspec.yml, or say `dialect: shell` for \
         this artifact"
    )
}

/// What is wrong with a bare `$NAME` of a name that has a value.
pub(super) fn of_bare_name(name: &str) -> (String, String) {
    let message =
        format!("`${name}` stays as it is in a Terraform template, and `{name}` has a value");
    let hint = format!(
        "write `${{{name}}}`, or say `dialect: shell` for this artifact; to keep the text, write \
         `${{\"$\"}}{name}`"
    );
    (message, hint)
}
