//! What stands between the builds or the pushes of images, and must stay there.

use shipspec_shell::simple_commands;

use crate::place::is_weighty;
use crate::walk::{Step, Walk, What};

/// What is said of an image whose place nothing else could keep.
pub(crate) const LOOK: &str = "shipspec builds and pushes all images at one place each; this image stays with the \
     shell, because a command that stays belongs between it and another build or push";

impl Walk<'_> {
    /// Images that were built or pushed before a command that stays, where shipspec builds or pushes
    /// another one only behind it.
    pub(crate) fn divided_images(&self) -> Vec<usize> {
        let is_live = |build: usize| self.live_pushes().any(|push| push.build == build);
        let builds: Vec<_> = self
            .steps
            .iter()
            .enumerate()
            .filter_map(|(index, step)| match step.what {
                What::Builds(build) if is_live(build) => Some((index, build)),
                _ => None,
            })
            .collect();
        let pushes: Vec<_> = self.live_pushes().map(|push| (push.step, push.build)).collect();
        [builds, pushes].iter().flat_map(|places| self.divided(places)).collect()
    }

    /// Of images at these steps, those that stand before the last command that divides them.
    fn divided(&self, places: &[(usize, usize)]) -> Vec<usize> {
        let steps = || places.iter().map(|(step, _)| *step);
        let (Some(first), Some(last)) = (steps().min(), steps().max()) else { return Vec::new() };
        let divides = |index: &usize| self.divides(&self.steps[*index]);
        let Some(between) = (first + 1..last).rev().find(divides) else { return Vec::new() };
        places.iter().filter(|(step, _)| *step < between).map(|(_, build)| *build).collect()
    }

    /// It stays, and what it does may depend on what was built before, or matter to what is built next.
    pub(crate) fn divides(&self, step: &Step) -> bool {
        let uses_engine = || {
            let programs = simple_commands(self.text_of(step));
            programs.iter().any(|simple| simple.is(&["docker", "run"]))
        };
        is_weighty(self, step) || step.is_kept() && (!step.names.is_empty() || uses_engine())
    }
}
