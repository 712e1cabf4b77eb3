//! Which tools a rule or group is about: names, groups and effects resolved to tool indices.

use super::Tool;
use super::names::{Key, Names};
use crate::diag::codes::{GROUP_CYCLE, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::syntax::ast::{Group, Name, Selector};
use std::collections::{BTreeMap, BTreeSet};

/// The declarations selectors refer to.
pub(super) struct Catalogue<'a> {
    pub tools: &'a [Tool],
    by_name: BTreeMap<&'a str, usize>,
    names: &'a Names<'a>,
    effects: &'a BTreeSet<String>,
    /// The tools of each group, once it is resolved.
    members: BTreeMap<Key<'a>, BTreeSet<usize>>,
    /// Groups in whose declaration, or in that of a group they name, something is wrong.
    doubtful: BTreeSet<Key<'a>>,
}

impl<'a> Catalogue<'a> {
    /// Resolves every group, each once and after the groups it names. Reports unknown names and cycles where the group
    /// is declared. No step goes deeper for a longer chain of groups.
    pub fn new(
        tools: &'a [Tool],
        by_name: BTreeMap<&'a str, usize>,
        names: &'a Names<'a>,
        effects: &'a BTreeSet<String>,
        out: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut catalogue = Self {
            tools,
            by_name,
            names,
            effects,
            members: BTreeMap::new(),
            doubtful: BTreeSet::new(),
        };
        for group in catalogue.order(out) {
            let before = out.len();
            let tools = catalogue.resolve(&group.selectors, out);
            if out.len() > before || catalogue.is_doubtful(&group.selectors) {
                catalogue.doubtful.insert(key(group));
            }
            catalogue.members.insert(key(group), tools);
        }
        catalogue
    }

    /// The groups, each after those it names; a name that leads back to an open group is reported as a cycle.
    fn order(&self, out: &mut Vec<Diagnostic>) -> Vec<&'a Group> {
        let mut order = Vec::new();
        let mut seen: BTreeSet<Key<'a>> = BTreeSet::new();
        for root in self.names.groups() {
            if !seen.insert(key(root)) {
                continue;
            }
            // Groups under way, each with how many of its selectors are done.
            let mut open: Vec<(&'a Group, usize)> = vec![(root, 0)];
            while let Some((group, done)) = open.last_mut() {
                let (group, selector) = (*group, group.selectors.get(*done));
                *done += 1;
                match selector {
                    None => {
                        order.push(group);
                        open.pop();
                    }
                    Some(Selector::Named(name)) => {
                        let Some(next) = self.group(name) else {
                            continue;
                        };
                        if open.iter().any(|(g, _)| key(g) == key(next)) {
                            out.push(cycle(group, next, name));
                        } else if seen.insert(key(next)) {
                            open.push((next, 0));
                        }
                    }
                    Some(_) => {}
                }
            }
        }
        order
    }

    /// Whether selectors name a group that is reported already, so that an empty selection is no news.
    pub fn is_doubtful(&self, selectors: &[Selector]) -> bool {
        selectors.iter().any(|s| match s {
            Selector::Named(name) => match self.group(name) {
                Some(group) => self.doubtful.contains(&key(group)) || !self.members.contains_key(&key(group)),
                None => !self.by_name.contains_key(name.text.as_str()) && self.names.is_doubtful(name),
            },
            _ => false,
        })
    }

    /// The group of a name that no tool has.
    fn group(&self, name: &Name) -> Option<&'a Group> {
        if self.by_name.contains_key(name.text.as_str()) {
            return None;
        }
        self.names.group(name)
    }

    /// The tools a list of selectors stands for; unknown names are reported and stand for none.
    pub fn resolve(&self, selectors: &[Selector], out: &mut Vec<Diagnostic>) -> BTreeSet<usize> {
        let mut tools = BTreeSet::new();
        for selector in selectors {
            match selector {
                Selector::All(_) => tools.extend(0..self.tools.len()),
                Selector::Named(name) => match (self.by_name.get(name.text.as_str()), self.group(name)) {
                    (Some(tool), _) => {
                        tools.insert(*tool);
                    }
                    // A group that is not resolved yet is in a cycle, which is reported.
                    (None, Some(group)) => tools.extend(self.members.get(&key(group)).into_iter().flatten()),
                    (None, None) if self.names.is_doubtful(name) => {}
                    (None, None) => out.push(self.unknown(name)),
                },
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

    fn unknown(&self, name: &Name) -> Diagnostic {
        let message = format!("no tool or group is called `{}`", name.text);
        let report = Diagnostic::error(UNKNOWN_NAME, name.span, message);
        if let Some(report) = self.names.private(name) {
            return report;
        }
        let groups = self.names.visible_groups(name.span.file);
        let names = self
            .by_name
            .keys()
            .copied()
            .chain(groups.iter().map(String::as_str));
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

fn key(group: &Group) -> Key<'_> {
    (group.name.span.file, &group.name.text)
}

/// The report for a group that leads back to itself: `name`, in `group`, names `again`.
fn cycle(group: &Group, again: &Group, name: &Name) -> Diagnostic {
    let itself = group.name.text == again.name.text;
    let message = if itself {
        format!("group `{}` contains itself", name.text)
    } else {
        format!(
            "group `{}` contains itself through `{}`",
            name.text, group.name.text
        )
    };
    let report = Diagnostic::error(GROUP_CYCLE, name.span, message)
        .label("reached again here")
        .help("name the tools instead");
    if itself {
        report
    } else {
        report.also(again.name.span, "the group is declared here")
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
