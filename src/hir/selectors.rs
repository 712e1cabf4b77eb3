//! Which tools a rule or group is about: names, groups and effects resolved to tool indices.

use super::Tool;
use crate::diag::codes::{GROUP_CYCLE, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::syntax::ast::{Group, Name, Selector};
use std::collections::{BTreeMap, BTreeSet};

/// The declarations selectors refer to.
pub(super) struct Catalogue<'a> {
    pub tools: &'a [Tool],
    pub by_name: BTreeMap<&'a str, usize>,
    pub groups: BTreeMap<&'a str, &'a Group>,
    pub effects: &'a BTreeSet<String>,
}

impl Catalogue<'_> {
    /// The tools a list of selectors stands for; unknown names are reported and stand for none.
    pub fn resolve(&self, selectors: &[Selector], out: &mut Vec<Diagnostic>) -> BTreeSet<usize> {
        self.within(selectors, &mut Vec::new(), out)
    }

    fn within(
        &self,
        selectors: &[Selector],
        open: &mut Vec<String>,
        out: &mut Vec<Diagnostic>,
    ) -> BTreeSet<usize> {
        let mut tools = BTreeSet::new();
        for selector in selectors {
            match selector {
                Selector::All(_) => tools.extend(0..self.tools.len()),
                Selector::Named(name) => tools.extend(self.named(name, open, out)),
                Selector::WithEffect(effects, _) => {
                    let wanted = self.effects(effects, out);
                    tools.extend(self.matching(|t| t.effects.iter().any(|e| wanted.contains(e.as_str()))));
                }
                Selector::OnlyEffects(effects, _) => {
                    let wanted = self.effects(effects, out);
                    tools.extend(self.matching(|t| {
                        !t.effects.is_empty() && t.effects.iter().all(|e| wanted.contains(e.as_str()))
                    }));
                }
            }
        }
        tools
    }

    fn matching(&self, keep: impl Fn(&Tool) -> bool) -> Vec<usize> {
        self.tools
            .iter()
            .enumerate()
            .filter(|(_, t)| keep(t))
            .map(|(i, _)| i)
            .collect()
    }

    fn named(&self, name: &Name, open: &mut Vec<String>, out: &mut Vec<Diagnostic>) -> BTreeSet<usize> {
        if let Some(tool) = self.by_name.get(name.text.as_str()) {
            return BTreeSet::from([*tool]);
        }
        let Some(group) = self.groups.get(name.text.as_str()) else {
            out.push(self.unknown(name));
            return BTreeSet::new();
        };
        if open.contains(&name.text) {
            let message = format!("group `{}` contains itself", name.text);
            let report = Diagnostic::error(GROUP_CYCLE, name.span, message).label("reached again here");
            out.push(report.help("name the tools instead"));
            return BTreeSet::new();
        }
        open.push(name.text.clone());
        // What is wrong inside a group is reported where the group is declared, once.
        let tools = self.within(&group.selectors, open, &mut Vec::new());
        open.pop();
        tools
    }

    /// Checks every group for unknown names and cycles.
    pub fn check_groups(&self, out: &mut Vec<Diagnostic>) {
        for group in self.groups.values() {
            self.within(&group.selectors, &mut vec![group.name.text.clone()], out);
        }
        for (name, group) in &self.groups {
            let reaches = |from: &Group| self.reaches(from, name, &mut BTreeSet::new());
            let indirect = group.selectors.iter().find_map(|s| match s {
                Selector::Named(n) if n.text != *name => {
                    self.groups.get(n.text.as_str()).filter(|g| reaches(g)).map(|_| n)
                }
                _ => None,
            });
            if let Some(via) = indirect {
                let message = format!("group `{name}` contains itself through `{}`", via.text);
                out.push(Diagnostic::error(GROUP_CYCLE, via.span, message).help("name the tools instead"));
            }
        }
    }

    fn reaches<'s>(&'s self, from: &'s Group, name: &str, seen: &mut BTreeSet<&'s str>) -> bool {
        from.selectors.iter().any(|s| match s {
            Selector::Named(n) if n.text == name => true,
            Selector::Named(n) if seen.insert(n.text.as_str()) => self
                .groups
                .get(n.text.as_str())
                .is_some_and(|g| self.reaches(g, name, seen)),
            _ => false,
        })
    }

    fn unknown(&self, name: &Name) -> Diagnostic {
        let message = format!("no tool or group is called `{}`", name.text);
        let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
        let names = self.by_name.keys().chain(self.groups.keys()).copied();
        match suggest::nearest(&name.text, names) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, crate::syntax::quote::dotted_name(near)),
            None => report.help("declare it with `tool` or `group`; a misspelt tool would never be matched"),
        }
    }

    /// The effects named; unknown ones are reported.
    fn effects<'n>(&self, names: &'n [Name], out: &mut Vec<Diagnostic>) -> BTreeSet<&'n str> {
        let mut known = BTreeSet::new();
        for name in names {
            match unknown_effect(name, self.effects) {
                Some(report) => out.push(report),
                None => {
                    known.insert(name.text.as_str());
                }
            }
        }
        known
    }
}

/// The report for an effect nobody declared.
pub(super) fn unknown_effect(name: &Name, effects: &BTreeSet<String>) -> Option<Diagnostic> {
    if effects.contains(&name.text) {
        return None;
    }
    let report = Diagnostic::error(
        UNKNOWN_NAME,
        name.span,
        format!("no effect is called `{}`", name.text),
    );
    Some(
        match suggest::nearest(&name.text, effects.iter().map(String::as_str)) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(name.span, near),
            None => report.help("declare it with `effects { … }`, or use one of `stdlib/effects.gaitpol`"),
        },
    )
}
