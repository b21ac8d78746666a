//! What has to stay because something else stays, until nothing changes any more.

use std::collections::BTreeSet;

use shipspec_shell::{Next, Simple, Word, simple_commands};

use crate::files::{Content, Fills};
use crate::noise::ONLY_SAYS;
use crate::order;
use crate::outside;
use crate::text::Meaning;
use crate::walk::{Step, Walk, What};

const DIVIDED: &str = "a command that stays stands between it and another image";

const OVERWRITTEN: &str = "a name that it uses has another value later on";

const NAMED_LATE: &str = "a name that it uses is given only behind a command that stays";

impl Step {
    pub(crate) fn is_kept(&self) -> bool {
        matches!(self.what, What::Kept(_))
    }
}

impl Walk<'_> {
    /// Keeps what commands that stay need.
    pub(crate) fn settle(&mut self) {
        loop {
            let mut keep = Vec::new();
            self.keep_images(&mut keep);
            self.keep_divided(&mut keep);
            self.keep_files(&mut keep);
            self.keep_surroundings(&mut keep);
            keep.retain(|(index, _): &(usize, String)| !self.steps[*index].is_kept());
            if keep.is_empty() {
                return;
            }
            for (index, why) in keep {
                if why == DIVIDED && matches!(self.steps[index].what, What::Builds(_)) {
                    self.looks.push((index, order::LOOK.to_owned()));
                }
                self.steps[index].what = What::Kept(why);
            }
        }
    }

    /// Pushes that shipspec makes.
    pub(crate) fn live_pushes(&self) -> impl Iterator<Item = &crate::images::Push> {
        self.pushes.iter().filter(|push| {
            !self.steps[push.step].is_kept()
                && self.steps_of(push.build).all(|(_, step)| !step.is_kept())
        })
    }

    /// The steps that build and name an image.
    fn steps_of(&self, build: usize) -> impl Iterator<Item = (usize, &Step)> {
        self.steps.iter().enumerate().filter(move |(index, step)| match &step.what {
            What::Builds(number) | What::Tags(number) => *number == build,
            What::Kept(_) => self.pushes.iter().any(|it| it.step == *index && it.build == build),
            _ => false,
        })
    }

    fn keep_images(&self, keep: &mut Vec<(usize, String)>) {
        for build in 0..self.builds.len() {
            let is_pushed = self.live_pushes().any(|push| push.build == build);
            let unpushed = self
                .steps
                .iter()
                .filter(|step| step.is_kept())
                .flat_map(|step| &step.names)
                .find(|name| self.local.get(*name) == Some(&build) && !self.is_pushed_as(name));
            let is_kept_tag = self
                .pushes
                .iter()
                .any(|push| push.build == build && self.steps[push.step].is_kept());
            let why = match (is_pushed, unpushed) {
                (_, Some(_)) => "a command that stays uses the image by a name that is not pushed",
                (false, _) => "the image is not pushed by a command that is understood",
                _ if is_kept_tag => "not all pushes of the image are understood",
                _ => continue,
            };
            self.keep_image(build, why, keep);
        }
    }

    /// An image with a value that is gone when shipspec reads it, or whose place among the commands that stay nothing else could keep.
    fn keep_divided(&self, keep: &mut Vec<(usize, String)>) {
        for build in self.divided_images() {
            self.keep_image(build, DIVIDED, keep);
        }
        for build in (0..self.builds.len()).filter(|build| self.uses_overwritten(*build)) {
            self.keep_image(build, OVERWRITTEN, keep);
        }
        for build in (0..self.builds.len()).filter(|build| self.is_named_late(*build)) {
            self.keep_image(build, NAMED_LATE, keep);
        }
    }

    /// Keeps all commands of an image.
    fn keep_image(&self, build: usize, why: &str, keep: &mut Vec<(usize, String)>) {
        for (index, step) in self.steps.iter().enumerate() {
            let is_of_it = match &step.what {
                What::Builds(number) | What::Tags(number) | What::Removes(number) => {
                    *number == build
                }
                What::Pushes(numbers) => numbers.contains(&build),
                _ => false,
            };
            if is_of_it {
                keep.push((index, why.to_owned()));
            }
        }
    }

    fn is_pushed_as(&self, name: &str) -> bool {
        self.live_pushes().any(|push| self.local_name(&push.repository, &push.tag) == *name)
    }

    fn keep_files(&self, keep: &mut Vec<(usize, String)>) {
        for number in 0..self.files.len() {
            let steps: Vec<_> = self
                .steps
                .iter()
                .enumerate()
                .filter(|(_, step)| step.what == What::Writes(number))
                .map(|(index, _)| index)
                .collect();
            let Some(last) = steps.last() else { continue };
            let name = self.files[number].path.rsplit('/').next().unwrap_or_default();
            let end = self.last_of_images();
            let is_needed_early = self.steps.iter().enumerate().any(|(index, step)| {
                step.is_kept() && index > *last && index < end && self.text_of(step).contains(name)
            });
            let is_empty_edit = match &self.files[number].content {
                // A file that was copied for `sed`, which has not come.
                Content::Template(template) => {
                    template.fills == Fills::Nothing
                        && template.placeholders.is_empty()
                        && matches!(template.source, crate::files::Source::Path(_))
                }
                Content::Json(_) => false,
            };
            let is_overwritten = self.file_uses_overwritten(number);
            if is_needed_early || is_empty_edit || is_overwritten {
                let why = if is_needed_early {
                    "a command that stays needs the file before the image is pushed"
                } else if is_overwritten {
                    OVERWRITTEN
                } else {
                    "nothing that is known here is filled in by it"
                };
                keep.extend(steps.iter().map(|index| (*index, why.to_owned())));
            }
        }
    }

    fn last_of_images(&self) -> usize {
        let is_of_images = |step: &Step| matches!(step.what, What::Builds(_) | What::Pushes(_));
        self.steps.iter().rposition(is_of_images).unwrap_or(0)
    }

    fn keep_surroundings(&self, keep: &mut Vec<(usize, String)>) {
        let is_elsewhere = self.steps.iter().any(|step| {
            step.is_kept() && step.folder.as_deref() != Some("") && !self.is_quiet(step)
        });
        for (index, step) in self.steps.iter().enumerate() {
            let later = || self.steps[index + 1..].iter().filter(|step| step.is_kept());
            let why = match &step.what {
                What::Assigns => self.needs_value(index, step),
                What::Goes => is_elsewhere.then_some("commands that stay run there"),
                What::Makes(paths) => {
                    let is_parent = |path: &String| {
                        self.files.iter().any(|file| file.path.starts_with(&format!("{path}/")))
                    };
                    let is_used = later().any(|other| {
                        paths.iter().any(|path| self.text_of(other).contains(&**path))
                    });
                    (!paths.iter().all(is_parent) || is_used)
                        .then_some("commands that stay may need the folder")
                }
                What::SignsIn | What::SignsInAt(_) => {
                    let is_used = later().any(|other| self.may_use_registry(other));
                    is_used.then_some("commands that stay may need it")
                }
                What::Dropped(ONLY_SAYS) => {
                    self.says_how_it_went(index).then_some("a command that stays leads to it")
                }
                What::Guards => later()
                    .any(|other| !self.is_quiet(other))
                    .then_some("it guards commands that stay"),
                _ => None,
            };
            keep.extend(why.map(|why| (index, why.to_owned())));
        }
    }

    /// It stands behind the `&&` of a command that stays, or ends a command of which something stays.
    fn says_how_it_went(&self, index: usize) -> bool {
        let is_own = |step: &&Step| step.command == self.steps[index].command;
        let is_last = !self.steps[index + 1..].iter().any(|step| is_own(&step));
        let before = self.steps[..index].iter().rev().take_while(is_own);
        let mut before = before.filter(|step| step.is_kept());
        let previous = index.checked_sub(1).map(|index| &self.steps[index]).filter(is_own);
        let depends = previous.is_some_and(|step| step.is_kept() && step.next == Next::And);
        depends || is_last && before.any(|step| step.next != Next::And)
    }

    /// Why a value that is understood has to be in the shell too.
    fn needs_value(&self, index: usize, step: &Step) -> Option<&'static str> {
        let later = || self.steps[index + 1..].iter().filter(|step| step.is_kept());
        let is_exported = |name: &&String| self.exported.contains(*name);
        let is_read = later().any(|other| other.reads.iter().any(|name| step.gives.contains(name)));
        let is_seen = step.gives.iter().any(|name| is_exported(&name) && name != "DOCKER_BUILDKIT")
            && later().any(|other| self.sees_environment(other));
        let is_of_tools = step.gives.iter().any(|name| {
            outside::is_of_tools(name) && is_exported(&name) || outside::is_exported_anyway(name)
        });
        // `export NAME` of a value that only the shell knows.
        let hands_on = step.gives.iter().any(|name| {
            let gives = |other: &Step| other.is_kept() && other.gives.contains(name);
            step.reads.contains(name) && self.steps[..index].iter().any(gives)
        });
        if is_read || is_seen {
            Some("a command that stays needs it")
        } else if is_of_tools {
            Some("programs read it in the environment")
        } else if step.gives.iter().any(|name| self.outside.contains(name)) {
            Some("CodeBuild reads it behind the commands")
        } else {
            hands_on.then_some("it exports what a command that stays gives")
        }
    }

    /// It only shows something, or signs in.
    pub(crate) fn is_quiet(&self, step: &Step) -> bool {
        const QUIET: [&str; 12] = [
            "ls", "cat", "pwd", "date", "uname", "env", "printenv", "set", "cd", "whoami", "echo",
            "printf",
        ];
        const LOOKS: [&[&str]; 5] =
            [&["images"], &["ps"], &["info"], &["image", "ls"], &["volume", "ls"]];
        let text = self.text_of(step);
        let programs = simple_commands(text);
        let is_quiet = |simple: &Simple| {
            let words = simple.program();
            let looks = LOOKS.iter().any(|look| simple.is(&[&["docker"], *look].concat()));
            looks || words.first().is_none_or(|word| QUIET.contains(&word.bare()))
        };
        programs.iter().any(|simple| simple.is(&["docker", "login"]))
            || programs.iter().all(is_quiet) && !text.contains('>')
    }

    /// A program that might read any variable of the environment.
    pub(crate) fn sees_environment(&self, step: &Step) -> bool {
        const BLIND: [&str; 22] = [
            "ls", "cat", "pwd", "cd", "mkdir", "echo", "printf", "chmod", "mv", "cp", "rm", "curl",
            "wget", "apt-get", "apt", "yum", "pip", "pip3", "jq", "set", "export", "[",
        ];
        const BLIND_DOCKER: [&str; 13] = [
            "images", "image", "ps", "info", "inspect", "login", "logout", "pull", "push", "tag",
            "rm", "rmi", "version",
        ];
        let text = self.text_of(step);
        let simple = simple_commands(text);
        simple.iter().any(|simple| {
            let is_blind_docker = || {
                let command = simple.program().get(1).map(Word::bare);
                command.is_some_and(|command| BLIND_DOCKER.contains(&command))
            };
            let program = simple.program().first().map(Word::bare);
            program.is_some_and(|program| {
                let is_blind = BLIND.contains(&program);
                !is_blind && (program != "docker" || !is_blind_docker())
            })
        })
    }

    /// It speaks with a registry, or runs something that may.
    fn may_use_registry(&self, step: &Step) -> bool {
        const SILENT: [&str; 46] = [
            "[", "[[", "test", "true", "false", "exit", "set", "export", "declare", "readonly",
            "cd", "ls", "cat", "pwd", "mkdir", "echo", "printf", "chmod", "mv", "cp", "rm",
            "touch", "find", "curl", "wget", "tar", "zip", "unzip", "jq", "sed", "awk", "grep",
            "cut", "tr", "head", "tail", "sort", "date", "sleep", "envsubst", "git", "apt-get",
            "apt", "yum", "aws", "kubectl",
        ];
        let is_silent = |simple: &Simple| {
            let program = simple.program().first().map(Word::bare);
            program.is_none_or(|program| SILENT.contains(&program))
        };
        !self.is_quiet(step) && !simple_commands(self.text_of(step)).iter().all(is_silent)
    }

    /// Names that shipspec reads and only a shell sets, with the last step that does.
    pub(crate) fn shell_names(&self, names: &BTreeSet<String>) -> Vec<(String, usize)> {
        let step = |name: &String| {
            self.variables.0.iter().rev().find_map(|variable| {
                match (&variable.meaning, variable.step) {
                    (Meaning::Shell, Some(step)) if variable.name == *name => {
                        Some((name.clone(), step))
                    }
                    _ => None,
                }
            })
        };
        names.iter().filter_map(step).collect()
    }
}
