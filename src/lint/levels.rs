//! What each lint's findings count as: what the command line says, else what the policy's `lints` says, else the
//! lint's own level, which `profile strict` raises for the group `strict`. A level for a lint counts before one for its group, wherever it stands. In: flags and a tree.
//! Out: a level per lint, or the names nobody knows.

use super::{ALL, Group, Lint, by_name};
use crate::diag::codes::{DUPLICATE_NAME, UNKNOWN_LINT};
use crate::diag::{Diagnostic, Level, suggest};
use crate::domain::Profile;
use crate::source::Span;
use crate::syntax::ast::{Item, Module, Name};
use std::collections::BTreeMap;

/// The name with which flags speak of everything that would be a warning.
pub const WARNINGS: &str = "warnings";

/// Levels by the name of a lint or group.
type Named = BTreeMap<&'static str, Level>;

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    levels: Named,
    /// Every warning is an error.
    pub deny_warnings: bool,
}

/// A name that is neither a lint nor a group.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no lint or group of lints is called `{name}`")]
pub struct Unknown {
    /// As given.
    pub name: String,
    /// The nearest that there is.
    pub near: Option<&'static str>,
}

impl Flags {
    /// Adds one. Of two for the same name the stricter counts.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn set(&mut self, name: &str, level: Level) -> Result<(), Unknown> {
        if name == WARNINGS && level == Level::Deny {
            self.deny_warnings = true;
            return Ok(());
        }
        let known = known(name).ok_or_else(|| Unknown {
            name: name.to_owned(),
            near: suggest::nearest(name, names()).and_then(known),
        })?;
        let set = self.levels.entry(known).or_insert(level);
        *set = (*set).max(level);
        Ok(())
    }
}

/// The names of lints and groups.
pub fn names() -> impl Iterator<Item = &'static str> {
    let lints = ALL.iter().map(|lint| lint.name);
    lints.chain(Group::ALL.map(Group::as_str))
}

fn known(name: &str) -> Option<&'static str> {
    names().find(|known| *known == name)
}

/// The level of every lint.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    header: Named,
    flags: Named,
    profile: Profile,
}

impl Levels {
    /// What the flags, the policy and the lints themselves say.
    pub fn new(policy: Option<&Module>, profile: Profile, flags: &Flags) -> Levels {
        let header = policy.map(|policy| header(policy, &mut Vec::new()));
        Levels {
            header: header.unwrap_or_default(),
            flags: flags.levels.clone(),
            profile,
        }
    }

    /// The level of a lint.
    pub fn of(&self, lint: &Lint) -> Level {
        let stated = |named: &Named| {
            let by_lint = named.get(lint.name);
            by_lint.or_else(|| named.get(lint.group.as_str())).copied()
        };
        stated(&self.flags)
            .or_else(|| stated(&self.header))
            .unwrap_or(match (self.profile, lint.group) {
                (Profile::Strict, Group::Strict) => Level::Warn,
                _ => lint.level,
            })
    }
}

/// Reports what is wrong with the `lints` of a policy.
pub fn check(module: &Module, out: &mut Vec<Diagnostic>) {
    header(module, out);
}

fn header(module: &Module, out: &mut Vec<Diagnostic>) -> Named {
    let mut named = Named::new();
    let mut first: BTreeMap<&str, Span> = BTreeMap::new();
    for item in &module.items {
        let Item::Lints(lints) = item else { continue };
        for (level, name) in &lints.entries {
            let Some(known) = known(&name.text) else {
                out.push(unknown(name));
                continue;
            };
            if let Some(first) = first.get(known) {
                let message = format!("`{known}` is given a level twice");
                let report = Diagnostic::error(DUPLICATE_NAME, name.span, message);
                out.push(report.also(*first, "first given here").help("keep one of them"));
                continue;
            }
            first.insert(known, name.span);
            named.insert(known, level.node);
        }
    }
    named
}

/// The report for a lint nobody knows.
pub(super) fn unknown(name: &Name) -> Diagnostic {
    let message = format!("no lint or group of lints is called `{}`", name.text);
    let report = Diagnostic::error(UNKNOWN_LINT, name.span, message);
    match suggest::nearest(&name.text, names()) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near),
        None => report.help("`gait policy lint --list` names them all"),
    }
}

/// A lint named in a comment, where groups do not count: a reason is about one finding.
pub(super) fn lint_named(name: &Name) -> Result<&'static Lint, Diagnostic> {
    by_name(&name.text).ok_or_else(|| {
        if Group::ALL.iter().any(|group| group.as_str() == name.text) {
            let message = format!("`{}` is a group of lints", name.text);
            return Diagnostic::error(UNKNOWN_LINT, name.span, message)
                .help("a comment names the lint whose finding it silences");
        }
        unknown(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_count_before_the_header_and_lints_before_groups() {
        let lint = by_name("negated_comparison").unwrap();
        let named = |pairs: &[(&'static str, Level)]| pairs.iter().copied().collect::<Named>();
        for (header, flags, expected) in [
            (&[][..], &[][..], lint.level),
            (&[("style", Level::Deny)], &[], Level::Deny),
            (
                &[("style", Level::Deny), ("negated_comparison", Level::Allow)],
                &[],
                Level::Allow,
            ),
            (
                &[("negated_comparison", Level::Allow)],
                &[("style", Level::Deny)],
                Level::Deny,
            ),
            (&[("security", Level::Deny)], &[], lint.level),
        ] {
            let levels = Levels {
                header: named(header),
                flags: named(flags),
                profile: Profile::Standard,
            };
            assert_eq!(levels.of(lint), expected, "{header:?} {flags:?}");
        }
    }

    #[test]
    fn flags_know_every_name_and_offer_the_nearest() {
        let mut flags = Flags::default();
        for name in names() {
            flags.set(name, Level::Warn).unwrap();
        }
        flags.set("style", Level::Allow).unwrap();
        assert_eq!(flags.levels.get("style"), Some(&Level::Warn), "the stricter");
        flags.set("warnings", Level::Deny).unwrap();
        assert!(flags.deny_warnings);
        let unknown = flags.set("negated_comparisons", Level::Deny).unwrap_err();
        assert_eq!(unknown.near, Some("negated_comparison"));
        assert!(flags.set("warnings", Level::Allow).is_err());
    }
}
