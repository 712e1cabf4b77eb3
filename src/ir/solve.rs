//! Whether conditions of one tool can hold together, told by the classes the index is made of. In: conditions. Out: yes,
//! no, or nothing where the answer would be too large. No is certain; yes may be wrong where two quantifiers constrain
//! one list. Classes are cut once for all questions that are asked again.

use super::apart::apart;
use super::index::Builder;
use super::rows;
use crate::classes::Matchers;
use crate::hir::{Cond, Tool};
use std::collections::BTreeMap;

/// Answers about one tool.
pub struct Solver<'a> {
    tool: &'a Tool,
    builder: Builder,
    /// Whether the arguments are a list of themselves in `builder`.
    reflected: bool,
}

impl<'a> Solver<'a> {
    /// Answers about a tool.
    pub fn new(tool: &'a Tool) -> Solver<'a> {
        Solver {
            tool,
            builder: Builder::new(),
            reflected: false,
        }
    }

    /// Notes the questions of a condition, so that classes are cut for them with the first that is asked about.
    pub fn learn(&mut self, cond: &Cond) {
        let cond = self.placed(cond);
        self.add(&cond);
    }

    /// Whether some call satisfies a condition. `matchers` keeps patterns for the next tool.
    pub fn ask(&mut self, cond: &Cond, matchers: &mut Matchers) -> Option<bool> {
        let cond = self.placed(cond);
        if !self.builder.knows(&cond, &mut start()) {
            self.add(&cond);
        }
        if !self.reflected {
            self.builder.cut_again(matchers)?;
            self.builder.reflect();
            self.reflected = true;
        }
        let answer = rows::rows(&cond, &mut self.builder)
            .ok()
            .map(|rows| !rows.is_empty());
        self.builder.forget();
        answer
    }

    fn placed(&self, cond: &Cond) -> Cond {
        let first = u32::try_from(self.tool.args.len() + 1).unwrap_or(u32::MAX);
        apart(cond, first, &mut self.tool.slots.clone())
    }

    fn add(&mut self, cond: &Cond) {
        if std::mem::take(&mut self.reflected) {
            self.builder.unreflect();
        }
        self.builder.gather(cond, &mut start());
    }
}

fn start() -> BTreeMap<u32, usize> {
    BTreeMap::from([(0, 0)])
}
