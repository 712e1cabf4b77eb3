//! Lints: policies that compile and still say something their author would not want said. One file each, with its
//! metadata and its check; this file is the list. In: a package without errors and its trees. Out: diagnostics whose
//! severity is the level of the lint. A lint says nothing about what it cannot know: better silent than wrong.

pub mod context;
pub mod levels;
pub mod manual;
pub mod meaning;
pub mod silence;

mod amounts;
mod idle;
mod looks;
mod partial_redaction;
mod pattern;
mod targets;
mod uses;
mod walk;

mod allow_any;
mod any_port;
mod block_all;
mod broad_allow;
mod case_sensitive;
mod code_of_name;
mod code_reused;
mod code_style;
mod confusable_names;
mod constant_comparison;
mod currencies_differ;
mod dead_rule;
mod default_approval;
mod deny_list;
mod double_negation;
mod duplicate_rule;
mod effect_without_target;
mod exact_amount;
mod glob_literal;
mod hidden_escape;
mod missing_description;
mod missing_hint;
mod missing_version;
mod mixed_script;
mod negated_comparison;
mod negative_amount;
mod never_asked;
mod or_of_equals;
mod overruled_rule;
mod plain_http;
mod redundant_anchor;
mod redundant_condition;
mod regex_as_operator;
mod regex_dot;
mod regex_literal;
mod rules_as_set;
mod secret_in_text;
mod shadowed_name;
mod single_member_set;
mod stringly_argument;
mod subsumed_rule;
mod swallowed_condition;
mod text_as_email;
mod text_as_host;
mod text_as_path;
mod text_as_url;
mod todo_text;
mod tool_without_effect;
mod types_differ;
mod unasked_detection;
mod unbounded_amount;
mod unbounded_text;
mod uncovered_tool;
mod under_public_suffix;
mod under_root;
mod unknown_path;
mod untargeted_egress;
mod untested_rule;
mod unused_approval;
mod unused_context;
mod unused_effect;
mod unused_enum;
mod unused_group;
mod unused_obligation;
mod unused_pred;
mod unused_set;
mod unused_type;
mod unused_window;
mod vacuous_all;
mod vacuous_rule;

pub use context::Context;
pub use levels::{Flags, Levels};

use crate::analysis::{self, idle::Idle};
use crate::diag::{Code, Diagnostic, Level, Severity, codes};
use crate::hir::Package;

/// Every lint, by code. A new one is its file and its line here.
pub const ALL: &[&Lint] = &[
    &silence::LINT,
    &vacuous_all::LINT,
    &allow_any::LINT,
    &broad_allow::LINT,
    &text_as_host::LINT,
    &negated_comparison::LINT,
    &text_as_url::LINT,
    &text_as_path::LINT,
    &text_as_email::LINT,
    &regex_dot::LINT,
    &regex_literal::LINT,
    &regex_as_operator::LINT,
    &redundant_anchor::LINT,
    &glob_literal::LINT,
    &double_negation::LINT,
    &or_of_equals::LINT,
    &single_member_set::LINT,
    &rules_as_set::LINT,
    &constant_comparison::LINT,
    &redundant_condition::LINT,
    &duplicate_rule::LINT,
    &overruled_rule::LINT,
    &unused_enum::LINT,
    &unused_type::LINT,
    &unused_set::LINT,
    &unused_pred::LINT,
    &unused_group::LINT,
    &unused_effect::LINT,
    &unused_context::LINT,
    &uncovered_tool::LINT,
    &code_reused::LINT,
    &secret_in_text::LINT,
    &confusable_names::LINT,
    &mixed_script::LINT,
    &hidden_escape::LINT,
    &shadowed_name::LINT,
    &todo_text::LINT,
    &stringly_argument::LINT,
    &tool_without_effect::LINT,
    &effect_without_target::LINT,
    &unbounded_amount::LINT,
    &negative_amount::LINT,
    &untargeted_egress::LINT,
    &deny_list::LINT,
    &under_root::LINT,
    &under_public_suffix::LINT,
    &plain_http::LINT,
    &case_sensitive::LINT,
    &block_all::LINT,
    &exact_amount::LINT,
    &currencies_differ::LINT,
    &types_differ::LINT,
    &default_approval::LINT,
    &code_of_name::LINT,
    &missing_description::LINT,
    &missing_hint::LINT,
    &untested_rule::LINT,
    &unbounded_text::LINT,
    &any_port::LINT,
    &never_asked::LINT,
    &missing_version::LINT,
    &code_style::LINT,
    &unused_window::LINT,
    &unused_obligation::LINT,
    &partial_redaction::LINT,
    &unused_approval::LINT,
    &unknown_path::LINT,
    &swallowed_condition::LINT,
    &dead_rule::LINT,
    &vacuous_rule::LINT,
    &subsumed_rule::LINT,
    &unasked_detection::LINT,
];

/// One lint.
#[derive(Debug)]
pub struct Lint {
    /// Its name, which completes "allow …".
    pub name: &'static str,
    /// Its code; the page of the code is the lint's.
    pub code: Code,
    /// What kind of mistake it is about.
    pub group: Group,
    /// What its findings count as where nobody says otherwise.
    pub level: Level,
    /// The version of Gait that has had it first.
    pub since: &'static str,
    /// Looks for the mistake.
    pub check: fn(&Context<'_>, &mut Vec<Diagnostic>),
}

/// The kinds of mistake. A level can be set for all lints of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Calls get through, or people decide, that should not.
    Security,
    /// It does something else than it reads.
    Correctness,
    /// It does nothing.
    Unused,
    /// It could be said more plainly.
    Style,
    /// Asked for by teams that want more than is needed.
    Strict,
}

impl Group {
    /// All of them, gravest first.
    pub const ALL: [Group; 5] = [
        Group::Security,
        Group::Correctness,
        Group::Unused,
        Group::Style,
        Group::Strict,
    ];

    /// The word in policies and flags.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::Security => "security",
            Group::Correctness => "correctness",
            Group::Unused => "unused",
            Group::Style => "style",
            Group::Strict => "strict",
        }
    }

    /// What its lints are about.
    pub fn meaning(self) -> &'static str {
        match self {
            Group::Security => "calls get through, or reach people, that should not",
            Group::Correctness => "the policy does something else than it reads",
            Group::Unused => "a part of the policy does nothing",
            Group::Style => "the same can be said more plainly",
            Group::Strict => {
                "a team asks for more than is needed; allowed unless a level or `profile strict` says otherwise"
            }
        }
    }
}

impl Lint {
    /// What it finds, one sentence: the meaning of its code.
    pub fn summary(&self) -> &'static str {
        codes::ALL
            .iter()
            .find(|(code, _)| *code == self.code)
            .map_or("", |(_, meaning)| meaning)
    }

    /// Its page: why it matters, a policy that has the mistake, the policy without it.
    pub fn page(&self) -> &'static str {
        codes::PAGES
            .iter()
            .find(|(code, _)| *code == self.code)
            .map_or("", |(_, page)| page)
    }

    /// Why it matters: the page's first part.
    pub fn why(&self) -> &'static str {
        let text = self.page().split_once('\n').map_or("", |(_, text)| text);
        text.split("\n```").next().unwrap_or_default().trim()
    }

    /// A policy that has the mistake.
    pub fn bad(&self) -> &'static str {
        self.block(0)
    }

    /// The policy without it.
    pub fn good(&self) -> &'static str {
        self.block(1)
    }

    fn block(&self, number: usize) -> &'static str {
        let block = self.page().split("```gaitpol\n").nth(number + 1);
        block.and_then(|b| b.split("```").next()).unwrap_or_default()
    }

    /// A finding at the lint's own code.
    fn finding(&self, span: crate::source::Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::warning(self.code, span, message)
    }
}

/// The lint of a code.
pub fn by_code(code: Code) -> Option<&'static Lint> {
    ALL.iter().copied().find(|lint| lint.code == code)
}

/// The lint of a name.
pub fn by_name(name: &str) -> Option<&'static Lint> {
    ALL.iter().copied().find(|lint| lint.name == name)
}

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Linted {
    /// The findings, and mistakes in comments that silence some.
    pub diagnostics: Vec<Diagnostic>,
    /// Findings that comments silence.
    pub silenced: usize,
}

/// Rules that change nothing, where a lint that is not allowed asks for them. It is the package that is decided by.
pub fn idle(package: &Package, levels: &Levels) -> Vec<(usize, Idle)> {
    let asking = [&dead_rule::LINT, &vacuous_rule::LINT, &subsumed_rule::LINT];
    match asking.iter().any(|lint| levels.of(lint) != Level::Allow) {
        true => analysis::idle::idle(package),
        false => Vec::new(),
    }
}

/// Runs every lint that is not allowed.
pub fn run(context: &Context<'_>, levels: &Levels) -> Linted {
    let mut found = Vec::new();
    for lint in ALL.iter().filter(|lint| levels.of(lint) != Level::Allow) {
        (lint.check)(context, &mut found);
    }
    let mut linted = silence::apply(context, levels, found);
    for diagnostic in &mut linted.diagnostics {
        if let Some(lint) = by_code(diagnostic.code) {
            diagnostic.severity = match levels.of(lint) {
                Level::Deny => Severity::Error,
                Level::Allow | Level::Warn => Severity::Warning,
            };
        }
    }
    linted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn lints_are_distinct_in_order_and_complete_the_word_allow() {
        let names: BTreeSet<&str> = ALL.iter().map(|l| l.name).collect();
        assert_eq!(names.len(), ALL.len(), "a name twice");
        assert!(ALL.is_sorted_by_key(|l| l.code), "not in the order of codes");
        for lint in ALL {
            assert!(
                lint.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
                "{}",
                lint.name
            );
            assert!(
                Group::ALL.iter().all(|g| g.as_str() != lint.name) && lint.name != "warnings",
                "{} is a group",
                lint.name
            );
            assert!(!lint.summary().is_empty(), "{} has no code", lint.name);
            let strict = lint.group == Group::Strict;
            assert_eq!(lint.level == Level::Allow, strict, "{}", lint.name);
        }
    }
}
