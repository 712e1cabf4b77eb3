//! Which names of other files a file may use: what it imports, under which name, and what of it was used. In: units and
//! their imports. Out: answers to "where could this name be declared". It does not know what is declared.

use super::{Role, Unit};
use crate::diag::Diagnostic;
use crate::diag::codes::{DUPLICATE_NAME, PRIVATE_NAME, RESERVED_NAME, UNKNOWN_NAME, UNUSED_IMPORT};
use crate::source::{FileId, Span};
use crate::syntax::ast::{self, Item, ModuleName, Name};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// One import.
struct Import<'a> {
    /// The module; `None` where the import is wrong, which is reported.
    target: Option<FileId>,
    written: &'a ast::Import,
    /// What its names are reached through; none where single names are picked.
    alias: Option<String>,
}

/// How a file writes a name of another one.
pub(super) enum Route<'a> {
    /// As it is.
    Bare,
    /// Behind the name of its module.
    Through(&'a str),
}

/// The imports of every file.
pub(super) struct Modules<'a> {
    prelude: Vec<FileId>,
    imports: BTreeMap<FileId, Vec<Import<'a>>>,
    /// Files that add to the policy whether or not anything of them is named.
    contributing: BTreeSet<FileId>,
    /// The imports and picked names that were used, by the place of what they name.
    used: RefCell<BTreeSet<Span>>,
}

impl<'a> Modules<'a> {
    /// Reads the imports of all units.
    pub fn new(units: &'a [Unit], out: &mut Vec<Diagnostic>) -> Modules<'a> {
        let prelude = units.iter().filter(|unit| unit.role == Role::Prelude);
        let mut modules = Modules {
            prelude: prelude.map(|unit| unit.source.id).collect(),
            imports: BTreeMap::new(),
            contributing: contributing(units),
            used: RefCell::new(BTreeSet::new()),
        };
        for unit in units {
            let written = unit.module.items.iter().filter_map(|item| match item {
                Item::Import(import) => Some(import),
                _ => None,
            });
            let mut imports: Vec<Import<'a>> = Vec::new();
            for (written, target) in written.zip(&unit.imports) {
                let before = out.len();
                let alias = alias(written, out);
                let import = Import {
                    // Under no name, nothing more is said about it.
                    target: target.filter(|_| out.len() == before),
                    written,
                    alias,
                };
                if let Some(alias) = &import.alias
                    && let Some(first) = imports.iter().find(|i| i.alias.as_ref() == Some(alias))
                {
                    let message = format!("two modules are called `{alias}` here");
                    let report = Diagnostic::error(DUPLICATE_NAME, written.span, message);
                    out.push(
                        report
                            .also(first.written.span, "the first is imported here")
                            .help("give one of them another name: `import … as name`"),
                    );
                    continue;
                }
                imports.push(import);
            }
            modules.imports.insert(unit.source.id, imports);
        }
        modules
    }

    /// The files whose names every file sees.
    pub fn prelude(&self) -> impl Iterator<Item = FileId> + '_ {
        self.prelude.iter().copied()
    }

    fn of(&self, file: FileId) -> &[Import<'a>] {
        self.imports.get(&file).map_or(&[], Vec::as_slice)
    }

    /// The module a file calls so.
    fn import(&self, file: FileId, alias: &str) -> Option<&Import<'a>> {
        self.of(file)
            .iter()
            .find(|import| import.alias.as_deref() == Some(alias))
    }

    /// The module a file calls so, where the import is right.
    pub fn by_alias(&self, file: FileId, alias: &str) -> Option<Option<FileId>> {
        self.import(file, alias).map(|import| import.target)
    }

    /// Asks `get` for each place where a name could be declared, nearest first, and marks the import that led there.
    pub fn reach<T>(&self, name: &Name, get: impl Fn(FileId, &str) -> Option<T>) -> Option<T> {
        let (file, text) = (name.span.file, name.text.as_str());
        if let Some(found) = get(file, text) {
            return Some(found);
        }
        for import in self.of(file) {
            if let (Some(target), Some(picked)) = (import.target, picked(import.written, text))
                && let Some(found) = get(target, text)
            {
                self.used.borrow_mut().insert(picked.span);
                return Some(found);
            }
        }
        if let Some(found) = self.prelude().find_map(|file| get(file, text)) {
            return Some(found);
        }
        let (alias, rest) = text.split_once('.')?;
        let import = self.import(file, alias)?;
        // The module is used even where it has no such name: that is another mistake.
        self.used.borrow_mut().insert(import.written.span);
        if is_private(rest) {
            return None;
        }
        get(import.target?, rest)
    }

    /// Whether what a name could mean is wrong already.
    pub fn is_doubtful(&self, name: &Name) -> bool {
        let (file, text) = (name.span.file, name.text.as_str());
        let through = text
            .split_once('.')
            .and_then(|(alias, _)| self.import(file, alias));
        let named = self
            .of(file)
            .iter()
            .find(|import| picked(import.written, text).is_some());
        through
            .into_iter()
            .chain(named)
            .any(|import| import.target.is_none())
    }

    /// How a file writes a name that another one declares; `None` where it cannot.
    pub fn route(&self, from: FileId, file: FileId, name: &str) -> Option<Route<'_>> {
        if from == file || self.prelude.contains(&file) {
            return Some(Route::Bare);
        }
        let mut imports = self.of(from).iter().filter(|import| import.target == Some(file));
        imports.find_map(|import| match &import.alias {
            Some(alias) => (!is_private(name)).then_some(Route::Through(alias)),
            None => picked(import.written, name).map(|_| Route::Bare),
        })
    }

    /// The report for a name that another module keeps to itself; `declared` finds where.
    pub fn private(
        &self,
        name: &Name,
        declared: impl Fn(FileId, &str) -> Option<Span>,
    ) -> Option<Diagnostic> {
        let (alias, rest) = name.text.split_once('.')?;
        let target = self.import(name.span.file, alias)?.target?;
        let at = declared(target, rest).filter(|_| is_private(rest))?;
        Some(hidden(name.span, rest, at))
    }

    /// Holds the names picked by imports against what the modules declare.
    pub fn check_picked(&self, declared: impl Fn(FileId, &str) -> Option<Span>, out: &mut Vec<Diagnostic>) {
        for (file, imports) in &self.imports {
            let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
            for import in imports {
                let Some(target) = import.target else { continue };
                for name in import.written.only.iter().flatten() {
                    let (text, span) = (name.text.as_str(), name.span);
                    let before = out.len();
                    let Some(at) = declared(target, text) else {
                        let message = format!(
                            "{} declares no `{text}` that could be imported",
                            shown(import.written)
                        );
                        let report = Diagnostic::error(UNKNOWN_NAME, span, message);
                        out.push(report.help(
                            "types, enums, sets, predicates, groups and approvals are; tools, effects and rules are there without it",
                        ));
                        self.used.borrow_mut().insert(span);
                        continue;
                    };
                    if is_private(text) {
                        out.push(hidden(span, text, at));
                    } else if let Some(first) = declared(*file, text).or_else(|| seen.get(text).copied()) {
                        let message = format!("`{text}` is declared twice");
                        let report = Diagnostic::error(DUPLICATE_NAME, span, message);
                        out.push(
                            report
                                .also(first, "first declared here")
                                .help("leave it out, and name it with its module"),
                        );
                    }
                    if out.len() > before {
                        self.used.borrow_mut().insert(span);
                    }
                    seen.insert(text, span);
                }
            }
        }
    }

    /// Reports the imports that nothing used.
    pub fn unused(&self, out: &mut Vec<Diagnostic>) {
        let used = self.used.borrow();
        for import in self.imports.values().flatten() {
            let Some(target) = import.target else { continue };
            if let Some(names) = &import.written.only {
                let left = names.iter().filter(|name| !used.contains(&name.span));
                out.extend(left.map(|name| {
                    let message = format!("nothing uses the imported `{}`", name.text);
                    Diagnostic::warning(UNUSED_IMPORT, name.span, message).help("leave it out")
                }));
            } else if !used.contains(&import.written.span) && !self.contributing.contains(&target) {
                let message = format!("nothing of {} is used", shown(import.written));
                let report = Diagnostic::warning(UNUSED_IMPORT, import.written.span, message);
                out.push(report.help("leave the import out"));
            }
        }
    }
}

/// A name its module keeps to itself.
fn is_private(name: &str) -> bool {
    name.starts_with('_')
}

fn hidden(span: Span, name: &str, declared: Span) -> Diagnostic {
    let message = format!("`{name}` is for its own module only");
    let report = Diagnostic::error(PRIVATE_NAME, span, message);
    report
        .also(declared, "it is declared here")
        .why("a name that starts with `_` may change without notice")
        .help("take the `_` off where it is declared, or use what the module offers")
}

/// The name among those an import picks.
fn picked<'a>(import: &'a ast::Import, text: &str) -> Option<&'a Name> {
    import.only.iter().flatten().find(|name| name.text == text)
}

fn shown(import: &ast::Import) -> String {
    match &import.module {
        ModuleName::Library(name) => format!("`{}`", name.text),
        ModuleName::File(path) => format!("`{}`", path.node),
    }
}

/// What a file calls the module of an import.
fn alias(import: &ast::Import, out: &mut Vec<Diagnostic>) -> Option<String> {
    if let (Some(alias), Some(_)) = (&import.alias, &import.only) {
        let report = Diagnostic::error(
            DUPLICATE_NAME,
            alias.span,
            "an import names its module or picks names, not both",
        );
        out.push(report.help("write two imports"));
    }
    let (alias, span) = match (&import.only, &import.alias, &import.module) {
        (Some(_), ..) => return None,
        (None, Some(alias), _) => (alias.text.clone(), alias.span),
        (None, None, ModuleName::Library(name)) => {
            let last = name.text.rsplit('.').next().unwrap_or(&name.text);
            (last.to_owned(), name.span)
        }
        (None, None, ModuleName::File(path)) => {
            let file = path.node.rsplit('/').next().unwrap_or(&path.node);
            (file.split('.').next().unwrap_or(file).to_owned(), path.span)
        }
    };
    let mut letters = alias.chars();
    let is_word = letters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && letters.all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_word || super::preds::is_reserved(&alias) {
        let message = format!("`{alias}` cannot be the name of a module");
        let report = Diagnostic::error(RESERVED_NAME, span, message);
        out.push(report.help("give it another one: `import … as name`"));
        return None;
    }
    Some(alias)
}

/// Files that declare what needs no name to count: tools, effects, rules and the like; and those that import one.
fn contributing(units: &[Unit]) -> BTreeSet<FileId> {
    let by_itself = |unit: &&Unit| {
        unit.module.items.iter().any(|item| {
            !matches!(
                item,
                Item::Enum(_)
                    | Item::Type(_)
                    | Item::Set(_)
                    | Item::Pred(_)
                    | Item::Group(_)
                    | Item::Approval(_)
                    | Item::Import(_)
            )
        })
    };
    let mut found: BTreeSet<FileId> = units
        .iter()
        .filter(by_itself)
        .map(|unit| unit.source.id)
        .collect();
    loop {
        let before = found.len();
        for unit in units {
            if unit.imports.iter().flatten().any(|target| found.contains(target)) {
                found.insert(unit.source.id);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}
