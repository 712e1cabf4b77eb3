//! The compiler's driver: from a source to diagnostics, and from a source without errors to a program. The only file
//! that knows the order of the passes. Each result is a type of its own, so no pass can be skipped.

mod imports;
pub mod library;
mod mend;
mod page;
pub mod texts;

use crate::analysis;
use crate::diag::{Diagnostic, Severity};
use crate::hir::{self, Package};
use crate::ir::{self, Program, ToolProgram};
use crate::limits;
use crate::lint::{self, Flags, Levels, Linted};
use crate::source::{Source, Span};
use crate::syntax::ast::{Module, Promise};
use crate::syntax::parse::Unread;
use imports::{Place, Promised, Which};

pub use library::LIBRARY;
pub use mend::{Mended, edits, mend};
pub use page::page;
pub use texts::{Lock, Pin, Purpose, Text, Texts};

/// What a policy promises about an earlier one.
#[derive(Clone, Debug)]
pub struct Compat {
    /// Its name.
    pub name: String,
    /// Where that is written.
    pub name_span: Span,
    /// What is promised.
    pub promise: Promise,
    /// The earlier policy; what that one promises in turn is not looked at.
    pub earlier: Checked,
}

/// A package without errors, with the index its program is made of. Only `check` makes one.
#[derive(Clone, Debug)]
pub struct Checked {
    package: Package,
    index: Vec<ToolProgram>,
    /// The tree of each source.
    modules: Vec<Module>,
    compats: Vec<Compat>,
}

/// What a file is to a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// The policy itself.
    Policy,
    /// A module of its own.
    Module,
    /// A data file.
    Data,
    /// A module of the library.
    Library,
}

impl Checked {
    /// Every file the policy is made of, the policy first: name, kind and text. Those of earlier policies come last, as
    /// data: nothing of them is decided by, and the library is in the compiler.
    pub fn files(&self) -> impl Iterator<Item = (&str, FileKind, &str)> {
        let mut files: Vec<_> = self.own_files().collect();
        for compat in &self.compats {
            for (name, kind, text) in compat.earlier.own_files() {
                if kind != FileKind::Library && !files.iter().any(|(known, ..)| *known == name) {
                    files.push((name, FileKind::Data, text));
                }
            }
        }
        files.into_iter()
    }

    fn own_files(&self) -> impl Iterator<Item = (&str, FileKind, &str)> {
        let kind = |(index, source): (usize, &Source)| match index {
            0 => FileKind::Policy,
            _ if library::of_source(&source.name).is_some() => FileKind::Library,
            _ => FileKind::Module,
        };
        let sources = self.package.sources.iter().enumerate();
        let sources = sources.map(move |(index, source)| (source, kind((index, source))));
        let data = self.package.data.iter().map(|source| (source, FileKind::Data));
        sources
            .chain(data)
            .map(|(source, kind)| (source.name.as_str(), kind, source.text.as_str()))
    }

    /// What it promises about earlier policies.
    pub fn compats(&self) -> &[Compat] {
        &self.compats
    }

    /// The package.
    pub fn package(&self) -> &Package {
        &self.package
    }
}

/// What a run over one policy found.
#[derive(Clone, Debug)]
pub struct Report {
    /// The package, where there were no errors.
    pub checked: Option<Checked>,
    /// Errors and warnings, by place; at most `limits::DIAGNOSTICS`.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts diagnostics point into.
    pub sources: Vec<Source>,
}

impl Report {
    /// Adds what was found once there were no errors. There is no program any more where one of these is an error.
    pub fn refuse(&mut self, found: Vec<Diagnostic>) {
        if found.iter().any(Diagnostic::is_error) {
            self.checked = None;
        }
        self.diagnostics.extend(found);
        arrange(&mut self.diagnostics);
    }

    /// How many diagnostics are errors.
    pub fn errors(&self) -> usize {
        self.diagnostics.iter().filter(|d| d.is_error()).count()
    }
}

/// Checks a policy that has no files beside it: every mistake in one run. `name` is what diagnostics and traces call it.
pub fn check(name: &str, text: &str) -> Report {
    check_with(name, text, &Texts::default(), Purpose::Author)
}

/// Checks a policy with the modules and data files it names.
pub fn check_with(name: &str, text: &str, texts: &Texts, purpose: Purpose) -> Report {
    let place = Place::of(name);
    let (mut report, promised) = alone(place, text, texts, purpose);
    for promised in promised {
        let there = Place {
            name: &promised.name,
            key: &promised.key,
            which: Which::Earlier,
            ..place
        };
        let (earlier, _) = alone(there, &promised.text, texts, purpose);
        match (&mut report.checked, &earlier.checked) {
            (Some(checked), Some(earlier)) => checked.compats.push(promised.about(earlier)),
            (_, None) => report.refuse(vec![promised.refused(&earlier)]),
            (None, Some(_)) => {}
        }
    }
    report
}

/// Checks a policy and gives the earlier ones that it promises something about.
fn alone(place: Place<'_>, text: &str, texts: &Texts, purpose: Purpose) -> (Report, Vec<Promised>) {
    let mut diagnostics = Vec::new();
    let gathered = imports::gather(place, text, texts, purpose, &mut diagnostics);
    let promised = gathered.promised;
    let sources: Vec<Source> = gathered
        .units
        .iter()
        .map(|u| &u.source)
        .chain(&gathered.data)
        .cloned()
        .collect();
    let mut meant = Vec::new();
    let package = hir::lower(&gathered.units, &gathered.data, &mut meant);
    let modules: Vec<Module> = gathered.units.into_iter().map(|unit| unit.module).collect();
    if let Some(policy) = modules.first() {
        lint::levels::check(policy, &mut meant);
    }
    // An item that does not parse declares nothing: what seems missing may only be unread.
    meant.retain(|d| !gathered.unread.iter().any(|u| may_be_echo(d, u, &sources)));
    diagnostics.extend(meant);
    let checked = if diagnostics.iter().any(Diagnostic::is_error) {
        None
    } else {
        if package.policies.len() > 1 {
            analysis::delegated::check(&package.with_claims(), &mut diagnostics);
        }
        let index = ir::index::build(&package, &mut diagnostics);
        let clean = !diagnostics.iter().any(Diagnostic::is_error);
        clean.then_some(Checked {
            package,
            index,
            modules,
            compats: Vec::new(),
        })
    };
    arrange(&mut diagnostics);
    let report = Report {
        checked,
        diagnostics,
        sources,
    };
    (report, promised)
}

fn arrange(diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.sort_by_key(|d| (d.primary.span, d.code, d.severity == Severity::Warning));
    diagnostics.truncate(limits::DIAGNOSTICS);
}

/// Adds what the lints find, in the policy and in its own modules, to the report of a policy without errors; gives how
/// many findings comments silence.
pub fn lint(report: &mut Report, flags: &Flags) -> usize {
    let mut silenced = 0;
    if let Some(checked) = &report.checked {
        let unlabelled = crate::hir::unlabelled::package(&checked.package);
        let package = unlabelled.as_ref().unwrap_or(&checked.package);
        let levels = Levels::new(checked.modules.first(), package.profile, flags);
        let idle = lint::idle(&checked.package, &levels);
        let sources = package.sources.iter().zip(&package.source_policies);
        for (((source, policy), module), (_, kind, _)) in sources.zip(&checked.modules).zip(checked.files()) {
            // What a policy above says is for its own authors to mend.
            if kind == FileKind::Library || *policy > 0 {
                continue;
            }
            let context = lint::Context::new(package, (source, module), kind == FileKind::Policy, &idle);
            let found: Linted = lint::run(&context, &levels);
            silenced += found.silenced;
            report.diagnostics.extend(found.diagnostics);
        }
    }
    if flags.deny_warnings {
        let all = report.diagnostics.iter_mut();
        all.for_each(|d| d.severity = Severity::Error);
    }
    arrange(&mut report.diagnostics);
    silenced
}

/// Whether a diagnostic may be an echo of an item that could not be read.
fn may_be_echo(diagnostic: &Diagnostic, unread: &Unread, sources: &[Source]) -> bool {
    use crate::diag::codes::{BAD_TEST, EMPTY_SELECTOR, HEADER, UNKNOWN_NAME, UNUSED_IMPORT};
    let declarations = ["tool", "group", "effects", "enum"];
    match diagnostic.code {
        BAD_TEST => unread.has("rule") || unread.has("default") || declarations.iter().any(|k| unread.has(k)),
        EMPTY_SELECTOR => declarations.iter().any(|k| unread.has(k)),
        HEADER => unread.has("policy") || unread.has("default"),
        UNUSED_IMPORT => unread.anything || !unread.kinds.is_empty(),
        UNKNOWN_NAME => {
            let span = diagnostic.primary.span;
            let source = sources.iter().find(|s| s.id == span.file);
            source.is_none_or(|s| unread.may_declare(s.slice(span)))
        }
        _ => false,
    }
}

/// The program of a checked package.
pub fn lower(checked: &Checked) -> Program {
    ir::lower(&checked.package, checked.index.clone())
}
