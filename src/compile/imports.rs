//! From a policy to every file it is made of: imports followed breadth first, each file read once. In: texts that were
//! read before. Out: parsed units with what each of their imports is. What cannot be found, goes in a ring, or is not
//! what the lock names is reported at the import.

use super::library;
use super::texts::{self, Kind, Lock, Pin, Purpose, Text, Texts};
use super::{Checked, Compat, Report};
use crate::diag::codes::{
    BAD_LOCK, DUPLICATE_NAME, IMPORT_CYCLE, IMPORT_UNREADABLE, LOCK_MISMATCH, NOT_IN_MODULE, TOO_LARGE,
    UNKNOWN_NAME, UNLOCKED,
};
use crate::diag::{Diagnostic, suggest};
use crate::domain::Profile;
use crate::hir::{self, Role, Unit};
use crate::limits;
use crate::source::{FileId, Source, Span, Spanned};
use crate::syntax::ast::{Compat as Written, Data, Import, Item, Module, ModuleName, Under};
use crate::syntax::parse::{self, Unread};
use std::collections::{BTreeMap, BTreeSet};

/// The files of a policy: the policy first, then the prelude, then modules in the order they were found.
pub(super) struct Gathered {
    pub units: Vec<Unit>,
    /// The data files they name.
    pub data: Vec<Source>,
    pub unread: Vec<Unread>,
    /// The earlier policies that the policy promises something about.
    pub promised: Vec<Promised>,
}

/// A promise with the text of the policy that it is about.
pub(super) struct Promised {
    pub written: Written,
    /// The path of that policy from the folder of this one, and what diagnostics call it.
    pub key: String,
    pub name: String,
    pub text: String,
}

impl Promised {
    /// What is promised about that policy.
    pub fn about(&self, earlier: &Checked) -> Compat {
        let Written { name, promise, .. } = &self.written;
        Compat {
            name: name.text.clone(),
            name_span: name.span,
            promise: *promise,
            earlier: earlier.clone(),
        }
    }

    /// The error where that policy has errors.
    pub fn refused(&self, found: &Report) -> Diagnostic {
        let first = found.diagnostics.iter().find(|d| d.is_error());
        let first = first.map_or_else(String::new, |d| format!("{}: {}", d.code, d.message));
        let message = format!("`{}` does not compile by itself", self.name);
        Diagnostic::error(IMPORT_UNREADABLE, self.written.with.path.span, message)
            .why(format!("its first error is {first}"))
            .help("name a policy as it was released, with the files it imports beside it")
    }
}

/// Where a policy lies.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    /// What diagnostics and traces call it.
    pub name: &'t str,
    /// Its path from the folder that no import leaves.
    pub key: &'t str,
    /// That folder, as diagnostics name it.
    pub folder: &'t str,
    /// Which policy it is.
    pub which: Which,
}

/// Which policy is compiled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// The one that is asked about.
    Own,
    /// An earlier one, whose own promises were kept when it was released, or not.
    Earlier,
}

impl<'t> Place<'t> {
    /// That of a policy which lies in this folder itself.
    pub fn of(name: &'t str) -> Place<'t> {
        let (folder, key) = name.rsplit_once('/').unwrap_or(("", name));
        Place {
            name,
            key,
            folder,
            which: Which::Own,
        }
    }
}

/// Where a unit comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Origin<'t> {
    Library(&'static str),
    File(&'t str),
}

/// Parses a policy and what it imports.
pub(super) fn gather(
    place: Place<'_>,
    text: &str,
    texts: &Texts,
    purpose: Purpose,
    out: &mut Vec<Diagnostic>,
) -> Gathered {
    let mut gatherer = Gatherer {
        texts,
        purpose,
        profile: Profile::default(),
        folder: place.folder,
        units: Vec::new(),
        keys: Vec::new(),
        data: Vec::new(),
        unread: Vec::new(),
        known: BTreeMap::new(),
        bytes: 0,
        out,
    };
    gatherer.add(Role::Policy, place.key, place.name, text);
    for module in library::LIBRARY.iter().filter(|module| module.prelude) {
        let id = gatherer.add(Role::Prelude, module.source, module.source, module.text);
        gatherer.known.insert(Origin::Library(module.name), id);
    }
    gatherer.uppers();
    gatherer.lock();
    gatherer.follow();
    gatherer.rings();
    gatherer.all_data();
    let promised = match place.which {
        Which::Own => gatherer.promised(),
        Which::Earlier => Vec::new(),
    };
    Gathered {
        promised,
        units: gatherer.units,
        data: gatherer.data,
        unread: gatherer.unread,
    }
}

struct Gatherer<'t, 'o> {
    texts: &'t Texts,
    purpose: Purpose,
    profile: Profile,
    /// The folder of the policy, as diagnostics name it.
    folder: &'t str,
    units: Vec<Unit>,
    /// The path of each unit from the policy's folder.
    keys: Vec<String>,
    data: Vec<Source>,
    unread: Vec<Unread>,
    known: BTreeMap<Origin<'t>, FileId>,
    bytes: usize,
    out: &'o mut Vec<Diagnostic>,
}

impl<'t> Gatherer<'t, '_> {
    fn add(&mut self, role: Role, key: &str, name: &str, text: &str) -> FileId {
        let id = FileId(u32::try_from(self.units.len()).unwrap_or(u32::MAX));
        let source = Source::new(id, name, text);
        let parsed = parse::parse(&source);
        self.out.extend(parsed.diagnostics);
        self.unread.push(parsed.unread);
        if !matches!(role, Role::Policy | Role::Upper | Role::Prelude) {
            self.out.extend(
                parsed
                    .module
                    .items
                    .iter()
                    .filter_map(|item| misplaced(item, &source)),
            );
        }
        self.keys.push(key.to_owned());
        self.units.push(Unit {
            source,
            module: parsed.module,
            role,
            upper: None,
            imports: Vec::new(),
            data: Vec::new(),
        });
        id
    }

    /// Adds the policies above, from the policy upwards, and takes the strictest of their profiles. Only then it is known
    /// how pins are held against them.
    fn uppers(&mut self) {
        let mut pins = Vec::new();
        let mut at = 0;
        while let Some(under) = self.units.get(at).and_then(|unit| under(&unit.module)).cloned() {
            let Some((key, text)) = self.upper(at, &under) else {
                break;
            };
            pins.push((under, key, &text.pin));
            let name = self.shown(key);
            let id = self.add(Role::Upper, key, &name, &text.text);
            self.known.insert(Origin::File(key), id);
            if let Some(unit) = self.units.get_mut(at) {
                unit.upper = Some(id);
            }
            at = id.0 as usize;
        }
        let policies = self.units.iter().filter(|unit| unit.role != Role::Prelude);
        let profiles = policies.filter_map(|unit| hir::profile(&unit.module));
        self.profile = profiles.max().unwrap_or_default();
        for (under, key, pin) in pins {
            let named = Named {
                span: under.path.span,
                digest: under.digest.as_ref(),
                is_library: false,
            };
            self.pinned(named, key, Some(pin));
        }
    }

    /// The text of the policy above one.
    fn upper(&mut self, from: usize, under: &Under) -> Option<(&'t str, &'t Text)> {
        let span = under.path.span;
        let lower = self.keys.get(from).cloned().unwrap_or_default();
        let key = match texts::join(&lower, &under.path.node, Kind::Module) {
            Ok(key) => key,
            Err(why) => {
                let message = format!("`{}` {why}", under.path.node);
                let report = Diagnostic::error(IMPORT_UNREADABLE, span, message);
                self.out
                    .push(report.help("write the path from this file, such as `\"org/org.gaitpol\"`"));
                return None;
            }
        };
        if self.keys.contains(&key) {
            let message = format!("`{key}` stands under itself");
            let report = Diagnostic::error(IMPORT_CYCLE, span, message);
            self.out.push(report.help("name the policy of a greater scope"));
            return None;
        }
        self.text(span, &key)
    }

    /// Follows the imports of every unit, also of those found on the way.
    fn follow(&mut self) {
        let mut at = 0;
        while let Some(unit) = self.units.get(at) {
            let imports: Vec<Import> = imports(&unit.module).cloned().collect();
            let targets = imports.iter().map(|import| self.target(at, import)).collect();
            if let Some(unit) = self.units.get_mut(at) {
                unit.imports = targets;
            }
            at += 1;
        }
    }

    /// The file an import means; `None` where it means none, which is reported.
    fn target(&mut self, from: usize, import: &Import) -> Option<FileId> {
        match &import.module {
            ModuleName::Library(name) => {
                let Some(module) = library::find(&name.text) else {
                    self.out.push(unknown(import, &name.text));
                    return None;
                };
                let origin = Origin::Library(module.name);
                let id = match self.known.get(&origin) {
                    Some(id) => *id,
                    None => {
                        let id = self.add(Role::Library, module.source, module.source, module.text);
                        self.known.insert(origin, id);
                        let named = Named::of(import);
                        self.pinned(named, module.name, self.texts.library.get(module.name));
                        id
                    }
                };
                Some(id)
            }
            ModuleName::File(path) => {
                let importer = self.keys.get(from).cloned().unwrap_or_default();
                if self
                    .units
                    .get(from)
                    .is_some_and(|unit| unit.role == Role::Library)
                {
                    return None;
                }
                let key = match texts::join(&importer, &path.node, Kind::Module) {
                    Ok(key) => key,
                    Err(why) => {
                        let message = format!("`{}` {why}", path.node);
                        let report = Diagnostic::error(IMPORT_UNREADABLE, path.span, message);
                        self.out.push(
                            report.help("write the path from this file, such as `\"lib/shared.gaitpol\"`"),
                        );
                        return None;
                    }
                };
                self.module(import, path.span, key)
            }
        }
    }

    fn module(&mut self, import: &Import, span: Span, key: String) -> Option<FileId> {
        if self.keys.first() == Some(&key) {
            return Some(FileId(0));
        }
        if let Some(id) = self
            .texts
            .files
            .get_key_value(&key)
            .and_then(|(key, _)| self.known.get(&Origin::File(key)))
        {
            return Some(*id);
        }
        let (key, text) = self.text(span, &key)?;
        self.pinned(Named::of(import), key, Some(&text.pin));
        let name = self.shown(key);
        let id = self.add(Role::Module, key, &name, &text.text);
        self.known.insert(Origin::File(key), id);
        Some(id)
    }

    /// The text of a file that is named at `span`; one that cannot be had is reported there.
    fn text(&mut self, span: Span, key: &str) -> Option<(&'t str, &'t Text)> {
        let texts = self.texts;
        let Some((key, text)) = texts.files.get_key_value(key) else {
            let message = format!("`{key}` is not there");
            let report = Diagnostic::error(IMPORT_UNREADABLE, span, message);
            self.out
                .push(report.help("a path is written from the file that names it"));
            return None;
        };
        let text = match text {
            Ok(text) => text,
            Err(why) => {
                let message = format!("`{key}` cannot be read: {why}");
                self.out.push(Diagnostic::error(IMPORT_UNREADABLE, span, message));
                return None;
            }
        };
        self.bytes = self.bytes.saturating_add(text.text.len());
        if self.units.len() + self.data.len() > limits::MODULES || self.bytes > limits::MODULES_BYTES {
            let message = format!(
                "the policy names over {} files or {} bytes",
                limits::MODULES,
                limits::MODULES_BYTES
            );
            self.out
                .push(Diagnostic::error(TOO_LARGE, span, message).help("join files, or split the policy"));
            return None;
        }
        Some((key, text))
    }

    /// The earlier policies that the policy itself promises something about.
    fn promised(&mut self) -> Vec<Promised> {
        let Some(policy) = self.units.first() else {
            return Vec::new();
        };
        let items = &policy.module.items;
        let mut names: BTreeSet<String> = items.iter().filter_map(asserted).map(str::to_owned).collect();
        let written: Vec<Written> = items.iter().filter_map(compat).cloned().collect();
        let mut found = Vec::new();
        for written in written {
            if !names.insert(written.name.text.clone()) {
                let message = format!("`{}` is promised or claimed twice", written.name.text);
                let report = Diagnostic::error(DUPLICATE_NAME, written.name.span, message);
                self.out.push(report.help("rename one of them"));
                continue;
            }
            found.extend(self.earlier(written));
        }
        found
    }

    fn earlier(&mut self, written: Written) -> Option<Promised> {
        let path = &written.with.path;
        let policy = self.keys.first().cloned().unwrap_or_default();
        let key = match texts::join(&policy, &path.node, Kind::Module) {
            Ok(key) => key,
            Err(why) => {
                let message = format!("`{}` {why}", path.node);
                let report = Diagnostic::error(IMPORT_UNREADABLE, path.span, message);
                self.out
                    .push(report.help("write the path from this file, such as `\"releases/1.gaitpol\"`"));
                return None;
            }
        };
        let (key, text) = self.text(path.span, &key)?;
        let named = Named {
            span: path.span,
            digest: written.with.digest.as_ref(),
            is_library: false,
        };
        self.pinned(named, key, Some(&text.pin));
        Some(Promised {
            key: key.to_owned(),
            name: self.shown(key),
            text: text.text.clone(),
            written,
        })
    }

    /// Finds the data files that the sets of the policy and its modules name, each once.
    fn all_data(&mut self) {
        let mut known: BTreeMap<String, Option<usize>> = BTreeMap::new();
        for at in 0..self.units.len() {
            let Some(unit) = self.units.get(at).filter(|unit| unit.role != Role::Library) else {
                continue;
            };
            let named: Vec<Data> = sets_from_files(&unit.module).cloned().collect();
            let importer = self.keys.get(at).cloned().unwrap_or_default();
            let found = named
                .iter()
                .map(|data| self.data_file(&importer, data, &mut known))
                .collect();
            if let Some(unit) = self.units.get_mut(at) {
                unit.data = found;
            }
        }
    }

    fn data_file(
        &mut self,
        importer: &str,
        data: &Data,
        known: &mut BTreeMap<String, Option<usize>>,
    ) -> Option<usize> {
        let key = match texts::join(importer, &data.path.node, Kind::Data) {
            Ok(key) => key,
            Err(why) => {
                let message = format!("`{}` {why}", data.path.node);
                let report = Diagnostic::error(IMPORT_UNREADABLE, data.path.span, message);
                self.out
                    .push(report.help("write the path from this file, such as `\"data/payees.csv\"`"));
                return None;
            }
        };
        if let Some(found) = known.get(&key) {
            return *found;
        }
        let found = self.text(data.path.span, &key).map(|(key, text)| {
            let named = Named {
                span: data.path.span,
                digest: data.digest.as_ref(),
                is_library: false,
            };
            self.pinned(named, key, Some(&text.pin));
            let id = self.units.len() + self.data.len();
            let id = FileId(u32::try_from(id).unwrap_or(u32::MAX));
            self.data
                .push(Source::new(id, self.shown(key), text.text.as_str()));
            self.data.len() - 1
        });
        known.insert(key, found);
        found
    }

    /// What diagnostics call a file: its path from the policy's folder, behind the folder as the policy's own name has it.
    fn shown(&self, key: &str) -> String {
        if self.folder.is_empty() {
            key.to_owned()
        } else {
            format!("{}/{key}", self.folder)
        }
    }

    fn lock(&mut self) {
        let start = Span::new(FileId(0), 0, 0);
        if let Lock::Unreadable(why) = &self.texts.lock {
            let message = format!("`gait.lock` cannot be read: {why}");
            let report = Diagnostic::error(BAD_LOCK, start, message);
            self.out
                .push(report.help("`gait policy lock FILE` writes it anew"));
        }
        for module in library::LIBRARY.iter().filter(|module| module.prelude) {
            if let Some(pin) = self.texts.library.get(module.name) {
                self.out.extend(mismatch(pin, module.name, start));
            }
        }
    }

    /// Holds a file against the digest where it is named and the one in the lock.
    fn pinned(&mut self, named: Named<'_>, what: &str, pin: Option<&Pin>) {
        if let (Some(written), Some(pin)) = (named.digest, pin) {
            if written.node != pin.digest {
                let message = format!("`{what}` does not have this digest");
                let report = Diagnostic::error(LOCK_MISMATCH, written.span, message)
                    .why(format!("its digest is {}", pin.digest))
                    .help("read what changed, then write the new digest");
                self.out.push(report);
            }
            return;
        }
        if let Some(pin) = pin.filter(|pin| pin.locked.is_some()) {
            self.out.extend(mismatch(pin, what, named.span));
            return;
        }
        let report = unlocked(what, named.span, named.is_library, self.profile, self.purpose);
        self.out.extend(report);
    }

    /// Reports every import that leads back to the file it stands in.
    fn rings(&mut self) {
        let spans = |unit: &Unit| -> Vec<(FileId, Span)> {
            let found = imports(&unit.module).zip(&unit.imports);
            let found = found.filter_map(|(import, target)| Some(((*target)?, import.module.span())));
            let above = unit.upper.zip(under(&unit.module).map(|under| under.path.span));
            found.chain(above).collect()
        };
        let by_id: BTreeMap<FileId, Vec<(FileId, Span)>> = self
            .units
            .iter()
            .map(|unit| (unit.source.id, spans(unit)))
            .collect();
        let needs = |id: FileId| by_id.get(&id).cloned().unwrap_or_default();
        let (_, rings) = hir::in_order(by_id.keys().copied(), needs);
        let mut closed: BTreeSet<Span> = BTreeSet::new();
        for ring in rings {
            let name = |id: &FileId| {
                let key = self.keys.get(id.0 as usize).map_or("", String::as_str);
                format!("`{key}`")
            };
            let names: Vec<String> = ring.path.iter().map(name).collect();
            let message = match names.as_slice() {
                [only] => format!("{only} imports itself"),
                [first, rest @ ..] => format!("{first} imports itself through {}", rest.join(", ")),
                [] => continue,
            };
            closed.insert(ring.back);
            let report = Diagnostic::error(IMPORT_CYCLE, ring.back, message);
            self.out
                .push(report.help("move what both need into a module of its own"));
        }
        for unit in &mut self.units {
            let spans: Vec<Span> = imports(&unit.module).map(|import| import.module.span()).collect();
            for (span, target) in spans.iter().zip(&mut unit.imports) {
                if closed.contains(span) {
                    *target = None;
                }
            }
        }
    }
}

/// Where a file is named, and the digest that stands there.
#[derive(Clone, Copy)]
struct Named<'n> {
    span: Span,
    digest: Option<&'n Spanned<String>>,
    is_library: bool,
}

impl<'n> Named<'n> {
    fn of(import: &'n Import) -> Named<'n> {
        Named {
            span: import.module.span(),
            digest: import.digest.as_ref(),
            is_library: matches!(import.module, ModuleName::Library(_)),
        }
    }
}

/// The files that sets of a module take their elements from, in order.
fn sets_from_files(module: &Module) -> impl Iterator<Item = &Data> {
    module.items.iter().filter_map(|item| match item {
        Item::Set(set) => set.data.as_deref(),
        _ => None,
    })
}

fn compat(item: &Item) -> Option<&Written> {
    match item {
        Item::Compat(compat) => Some(compat),
        _ => None,
    }
}

fn asserted(item: &Item) -> Option<&str> {
    match item {
        Item::Assert(assert) => Some(&assert.name.text),
        _ => None,
    }
}

/// The policy a policy stands under.
fn under(module: &Module) -> Option<&Under> {
    module.items.iter().find_map(|item| match item {
        Item::Scope(scope) => scope.under.as_ref(),
        _ => None,
    })
}

/// The imports of a module, in order.
fn imports(module: &Module) -> impl Iterator<Item = &Import> {
    module.items.iter().filter_map(|item| match item {
        Item::Import(import) => Some(import),
        _ => None,
    })
}

/// The report for an item that only a policy has.
fn misplaced(item: &Item, source: &Source) -> Option<Diagnostic> {
    let (what, span) = match item {
        Item::Policy(policy) => ("policy", policy.span),
        Item::Default(default) => ("default", default.span),
        Item::Profile(name) => ("profile", name.span),
        Item::Scope(scope) => ("scope", scope.span),
        Item::Delegate(delegate) => ("delegate", delegate.span),
        Item::Lints(lints) => ("lints", lints.span),
        Item::Assert(assert) => ("assert", assert.span),
        Item::Compat(compat) => ("compat", compat.span),
        _ => return None,
    };
    let message = format!("`{}` is a module, and `{what}` is for policies", source.name);
    let report = Diagnostic::error(NOT_IN_MODULE, span, message);
    Some(
        report
            .why("what it says holds for the whole policy")
            .help("remove it here"),
    )
}

fn unknown(import: &Import, name: &str) -> Diagnostic {
    let span = import.module.span();
    let message = format!("the library has no module `{name}`");
    let report = Diagnostic::error(UNKNOWN_NAME, span, message);
    let names = library::LIBRARY.iter().map(|module| module.name);
    match suggest::nearest(name, names.clone()) {
        Some(near) => report.help(format!("did you mean `{near}`?")).edit(span, near),
        None => {
            let names: Vec<&str> = names.collect();
            report.help(format!(
                "it has `{}`; a module of your own is named by its path: `import \"lib/shared.gaitpol\"`",
                names.join("`, `")
            ))
        }
    }
}

/// The report for a file that is not the one in the lock.
fn mismatch(pin: &Pin, what: &str, span: Span) -> Option<Diagnostic> {
    let locked = pin.locked.as_ref().filter(|locked| **locked != pin.digest)?;
    let message = format!("`{what}` is not what `gait.lock` names");
    let report = Diagnostic::error(LOCK_MISMATCH, span, message);
    Some(
        report
            .why(format!("its digest is {}, the lock has {locked}", pin.digest))
            .help("read what changed, then run `gait policy lock FILE`"),
    )
}

/// The report for a file that nothing pins, as far as the profile minds.
fn unlocked(
    what: &str,
    span: Span,
    is_library: bool,
    profile: Profile,
    purpose: Purpose,
) -> Option<Diagnostic> {
    let message = format!("no lock names `{what}`");
    let report = match (profile, purpose) {
        (Profile::Strict, _) => Diagnostic::error(UNLOCKED, span, message),
        _ if is_library => return None,
        (Profile::Dev, _) => return None,
        (Profile::Standard, Purpose::Sign) => Diagnostic::error(UNLOCKED, span, message),
        (Profile::Standard, Purpose::Author) => Diagnostic::warning(UNLOCKED, span, message),
    };
    Some(
        report
            .why("a change of it would go unseen")
            .help("`gait policy lock FILE` writes `gait.lock` beside the policy"),
    )
}
