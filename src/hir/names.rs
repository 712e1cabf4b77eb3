//! Names for reuse: enums, types, sets, predicates, approvals and groups, and what each name means in the file it stands in. A
//! name's span says which file that is, so nothing is renamed and messages show what the author wrote.

use super::modules::{Modules, Route};
use super::order::{Ring, in_order};
use super::{Shape, Unit, preds, sets, types};
use crate::diag::Diagnostic;
use crate::diag::codes::{DECLARATION_CYCLE, DUPLICATE_NAME, RESERVED_NAME, TOO_LARGE};
use crate::limits;
use crate::source::{FileId, Source, Span};
use crate::syntax::ast::{self, Item, Name, TypeExpr, TypeKind, TypeParam};
use crate::syntax::token::Keyword;
use crate::ty::Ty;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// A declaration: its file and its name there.
pub(super) type Key<'a> = (FileId, &'a str);

/// What a name was declared as.
#[derive(Clone, Copy)]
pub(super) enum Declared<'a> {
    Enum(&'a ast::Enum),
    Type(&'a ast::Alias),
    Set(&'a ast::Set),
    Pred(&'a ast::Pred),
    Approval(&'a ast::ApprovalSpec),
}

impl<'a> Declared<'a> {
    fn of(item: &'a Item) -> Option<Declared<'a>> {
        match item {
            Item::Enum(declared) => Some(Declared::Enum(declared)),
            Item::Type(declared) => Some(Declared::Type(declared)),
            Item::Set(declared) => Some(Declared::Set(declared)),
            Item::Pred(declared) => Some(Declared::Pred(declared)),
            Item::Approval(declared) => Some(Declared::Approval(declared)),
            _ => None,
        }
    }

    pub fn name(self) -> &'a Name {
        match self {
            Declared::Enum(declared) => &declared.name,
            Declared::Type(declared) => &declared.name,
            Declared::Set(declared) => &declared.name,
            Declared::Pred(declared) => &declared.name,
            Declared::Approval(declared) => &declared.name,
        }
    }

    /// The kind, with its article.
    pub fn what(self) -> &'static str {
        match self {
            Declared::Enum(_) => "an enum",
            Declared::Type(_) => "a type",
            Declared::Set(_) => "a set",
            Declared::Pred(_) => "a predicate",
            Declared::Approval(_) => "an approval",
        }
    }
}

/// Every name for reuse, with its meaning.
pub(super) struct Names<'a> {
    declared: BTreeMap<Key<'a>, Declared<'a>>,
    groups: BTreeMap<Key<'a>, &'a ast::Group>,
    modules: Modules<'a>,
    /// The data file of each set that has one, by where the set is named.
    data: BTreeMap<Span, &'a Source>,
    types: BTreeMap<Key<'a>, Ty>,
    sets: BTreeMap<Key<'a>, sets::Set>,
    preds: BTreeMap<Key<'a>, preds::Pred<'a>>,
    /// Latches, which conditions name like sets; what they mean is known later.
    latches: BTreeSet<&'a str>,
    /// What operators make of sets and constants: rules on many tools ask the same.
    shapes: RefCell<BTreeMap<(Span, &'static str, String), Shape>>,
}

impl<'a> Names<'a> {
    /// Collects and resolves them; each after those it names.
    pub fn new(units: &'a [Unit], data: &'a [Source], out: &mut Vec<Diagnostic>) -> Names<'a> {
        let mut names = Names {
            declared: BTreeMap::new(),
            groups: BTreeMap::new(),
            modules: Modules::new(units, out),
            data: units.iter().flat_map(|unit| data_files(unit, data)).collect(),
            types: BTreeMap::new(),
            sets: BTreeMap::new(),
            preds: BTreeMap::new(),
            latches: units
                .iter()
                .flat_map(|unit| latches(&unit.module.items))
                .collect(),
            shapes: RefCell::new(BTreeMap::new()),
        };
        // The prelude first: it has its names already when a policy declares them again.
        for item in units
            .iter()
            .skip(1)
            .chain(units.first())
            .flat_map(|u| &u.module.items)
        {
            if let Some(declared) = Declared::of(item) {
                names.declare(declared, out);
            } else if let Item::Group(group) = item {
                names.declare_group(group, out);
            }
        }
        names.modules.check_picked(
            |file, name| {
                let declared = names.declared.get(&(file, name)).map(|d| d.name().span);
                declared.or_else(|| names.groups.get(&(file, name)).map(|g| g.name.span))
            },
            out,
        );
        names.enums(out);
        names.aliases(out);
        names.all_sets(out);
        names.all_preds(out);
        names
    }

    fn declare(&mut self, declared: Declared<'a>, out: &mut Vec<Diagnostic>) {
        let name = declared.name();
        let reserved = match declared {
            Declared::Enum(_) | Declared::Type(_) => types::is_built_in(&name.text),
            Declared::Set(_) | Declared::Pred(_) => preds::is_reserved(&name.text),
            // A keyword after `require_approval` begins what comes next.
            Declared::Approval(_) => Keyword::parse(&name.text).is_some(),
        };
        if reserved {
            let message = format!("`{}` is a name of the language", name.text);
            out.push(Diagnostic::error(RESERVED_NAME, name.span, message).help("choose another name"));
            return;
        }
        let mut files = std::iter::once(name.span.file).chain(self.modules.prelude());
        let first = files.find_map(|file| self.declared.get(&(file, name.text.as_str())));
        let Some(first) = first.copied() else {
            self.declared.insert((name.span.file, &name.text), declared);
            return;
        };
        let message = if std::mem::discriminant(&first) == std::mem::discriminant(&declared) {
            let what = declared.what().split(' ').next_back().unwrap_or_default();
            format!("{what} `{}` is declared twice", name.text)
        } else {
            format!("`{}` is {} and {}", name.text, first.what(), declared.what())
        };
        out.push(twice(message, name, first.name()));
    }

    fn declare_group(&mut self, group: &'a ast::Group, out: &mut Vec<Diagnostic>) {
        let name = &group.name;
        let mut files = std::iter::once(name.span.file).chain(self.modules.prelude());
        let first = files.find_map(|file| self.groups.get(&(file, name.text.as_str())));
        if let Some(first) = first.copied() {
            out.push(twice(
                format!("group `{}` is declared twice", name.text),
                name,
                &first.name,
            ));
        } else if self.groups.len() == limits::GROUPS {
            let message = format!("a policy declares at most {} groups", limits::GROUPS);
            out.push(Diagnostic::error(TOO_LARGE, name.span, message));
        } else {
            self.groups.insert((name.span.file, &name.text), group);
        }
    }

    /// What a name means where it stands.
    pub fn find(&self, name: &Name) -> Option<(Key<'a>, Declared<'a>)> {
        let declared: &BTreeMap<Key<'_>, Declared<'a>> = &self.declared;
        self.modules.reach(name, |file, text| {
            let found = declared.get(&(file, text)).copied()?;
            Some(((file, found.name().text.as_str()), found))
        })
    }

    /// The group of a name where it stands.
    pub fn group(&self, name: &Name) -> Option<&'a ast::Group> {
        let groups: &BTreeMap<Key<'_>, &'a ast::Group> = &self.groups;
        self.modules
            .reach(name, |file, text| groups.get(&(file, text)).copied())
    }

    /// Every group, by file and name.
    pub fn groups(&self) -> impl Iterator<Item = &'a ast::Group> {
        self.groups.values().copied()
    }

    /// Whether what a name could mean is wrong already, so that nothing more is said about it.
    pub fn is_doubtful(&self, name: &Name) -> bool {
        self.modules.is_doubtful(name)
    }

    /// Whether a latch has this name.
    pub fn is_latch(&self, name: &str) -> bool {
        self.latches.contains(name)
    }

    /// Whether every file sees the names of this one.
    pub fn is_prelude(&self, file: FileId) -> bool {
        self.modules.prelude().any(|known| known == file)
    }

    /// Whether a file calls a module so.
    pub fn is_module(&self, name: &Name) -> bool {
        self.modules.by_alias(name.span.file, &name.text).is_some()
    }

    /// The report for a name that another module keeps to itself.
    pub fn private(&self, name: &Name) -> Option<Diagnostic> {
        self.modules.private(name, |file, text| {
            let declared = self.declared.get(&(file, text)).map(|d| d.name().span);
            declared.or_else(|| self.groups.get(&(file, text)).map(|g| g.name.span))
        })
    }

    /// Reports the imports that nothing used.
    pub fn unused(&self, out: &mut Vec<Diagnostic>) {
        self.modules.unused(out);
    }

    /// The names of a kind that may be used in a file.
    pub fn visible(&self, file: FileId, wanted: impl Fn(Declared<'a>) -> bool) -> Vec<String> {
        let all = self.declared.iter().filter(|(_, declared)| wanted(**declared));
        self.seen(file, all.map(|(key, _)| *key))
    }

    /// The groups that may be named in a file.
    pub fn visible_groups(&self, file: FileId) -> Vec<String> {
        self.seen(file, self.groups.keys().copied())
    }

    fn seen(&self, from: FileId, keys: impl Iterator<Item = Key<'a>>) -> Vec<String> {
        keys.filter_map(|(file, name)| match self.modules.route(from, file, name)? {
            Route::Bare => Some(name.to_owned()),
            Route::Through(alias) => Some(format!("{alias}.{name}")),
        })
        .collect()
    }

    /// The type of a name; `None` when it names no type.
    pub fn ty(&self, name: &Name) -> Option<Ty> {
        if self.is_doubtful(name) {
            return Some(Ty::Poison);
        }
        let (key, declared) = self.find(name)?;
        match declared {
            // One without a meaning is wrong where it is declared.
            Declared::Enum(_) | Declared::Type(_) => {
                Some(self.types.get(&key).cloned().unwrap_or(Ty::Poison))
            }
            _ => None,
        }
    }

    /// The shape an operator makes of the set or constant at a place, for values of a type; made once.
    pub fn shape<E>(
        &self,
        (place, op, ty): (Span, ast::Op, &Ty),
        make: impl FnOnce() -> Result<Shape, E>,
    ) -> Result<Shape, E> {
        let key = (place, op.as_str(), ty.to_string());
        if let Some(known) = self.shapes.borrow().get(&key) {
            return Ok(known.clone());
        }
        let shape = make()?;
        self.shapes.borrow_mut().insert(key, shape.clone());
        Ok(shape)
    }

    /// The data file of a set, where it could be read.
    pub fn data(&self, set: &ast::Set) -> Option<&'a Source> {
        self.data.get(&set.name.span).copied()
    }

    /// The set of a name; `None` when it names no set, a broken one where it is wrong.
    pub fn set(&self, name: &Name) -> Option<&sets::Set> {
        if self.is_doubtful(name) {
            return Some(&sets::BROKEN);
        }
        let (key, declared) = self.find(name)?;
        match declared {
            Declared::Set(_) => Some(self.sets.get(&key).unwrap_or(&sets::BROKEN)),
            _ => None,
        }
    }

    /// The predicate of a name; `None` when it names no predicate, and `Some(None)` where it is wrong.
    pub fn pred(&self, name: &Name) -> Option<Option<&preds::Pred<'a>>> {
        if self.is_doubtful(name) {
            return Some(None);
        }
        let (key, declared) = self.find(name)?;
        matches!(declared, Declared::Pred(_)).then(|| self.preds.get(&key))
    }

    /// The approval of a name; `None` when it names none.
    pub fn approval(&self, name: &Name) -> Option<&'a ast::ApprovalSpec> {
        match self.find(name)?.1 {
            Declared::Approval(declared) => Some(declared),
            _ => None,
        }
    }

    fn enums(&mut self, out: &mut Vec<Diagnostic>) {
        for (key, declared) in &self.declared {
            if let Declared::Enum(declared) = declared {
                let ty = Ty::Enum {
                    name: declared.name.text.clone(),
                    members: types::members(&declared.members, out),
                    ordered: declared.ordered,
                };
                self.types.insert(*key, ty);
            }
        }
    }

    fn aliases(&mut self, out: &mut Vec<Diagnostic>) {
        for key in self.ordered("type", named_types, out) {
            if let Some(Declared::Type(alias)) = self.declared.get(&key).copied() {
                let ty = types::resolve(&alias.ty, self, out);
                let ty = types::bounded(ty, alias.ty.span, out);
                self.types.insert(key, ty);
            }
        }
    }

    fn all_sets(&mut self, out: &mut Vec<Diagnostic>) {
        for key in self.ordered("set", named_sets, out) {
            if let Some(Declared::Set(declared)) = self.declared.get(&key).copied() {
                let set = sets::resolve(declared, self, out);
                self.sets.insert(key, set);
            }
        }
    }

    fn all_preds(&mut self, out: &mut Vec<Diagnostic>) {
        for key in self.ordered("predicate", preds::called, out) {
            if let Some(Declared::Pred(declared)) = self.declared.get(&key).copied()
                && let Some(pred) = preds::resolve(declared, self, out)
            {
                self.preds.insert(key, pred);
            }
        }
    }

    /// The declarations in which `needs` finds names, each after those it names. Rings are reported.
    fn ordered(
        &self,
        what: &str,
        needs: impl Fn(Declared<'a>) -> Vec<Name>,
        out: &mut Vec<Diagnostic>,
    ) -> Vec<Key<'a>> {
        let needs = |key: Key<'a>| -> Vec<(Key<'a>, Span)> {
            let declared = self.declared.get(&key).copied();
            let same = |other: Declared<'a>| {
                declared.is_some_and(|d| std::mem::discriminant(&d) == std::mem::discriminant(&other))
            };
            let named = declared.map(&needs).unwrap_or_default().into_iter();
            named
                .filter_map(|name| {
                    let (key, found) = self.find(&name)?;
                    same(found).then_some((key, name.span))
                })
                .collect()
        };
        let (order, rings) = in_order(self.declared.keys().copied(), needs);
        out.extend(rings.iter().filter_map(|ring| self.cycle(what, ring)));
        order
    }

    fn cycle(&self, what: &str, ring: &Ring<Key<'a>>) -> Option<Diagnostic> {
        let names: Vec<&str> = ring.path.iter().map(|(_, name)| *name).collect();
        let (first, rest) = names.split_first()?;
        let message = match rest {
            [] => format!("{what} `{first}` leads back to itself"),
            _ => format!(
                "{what} `{first}` leads back to itself through `{}`",
                rest.join("`, `")
            ),
        };
        let report = Diagnostic::error(DECLARATION_CYCLE, ring.back, message)
            .label("reached again here")
            .help("write out what one of them stands for");
        let declared = self.declared.get(ring.path.first()?)?;
        Some(match rest {
            [] => report,
            _ => report.also(declared.name().span, "it is declared here"),
        })
    }
}

fn latches(items: &[Item]) -> impl Iterator<Item = &str> {
    items.iter().filter_map(|item| match item {
        Item::Latch(latch) => Some(latch.name.text.as_str()),
        _ => None,
    })
}

/// The data file of each set of a unit that has one.
fn data_files<'a>(unit: &'a Unit, data: &'a [Source]) -> Vec<(Span, &'a Source)> {
    let sets = unit.module.items.iter().filter_map(|item| match item {
        Item::Set(set) if set.data.is_some() => Some(set.name.span),
        _ => None,
    });
    let found = sets.zip(&unit.data);
    found
        .filter_map(|(span, index)| Some((span, data.get((*index)?)?)))
        .collect()
}

fn twice(message: String, name: &Name, first: &Name) -> Diagnostic {
    let help = if first.span.file == name.span.file {
        "rename or remove one of them"
    } else {
        "every policy has it already; remove it here"
    };
    let report = Diagnostic::error(DUPLICATE_NAME, name.span, message);
    report.also(first.span, "first declared here").help(help)
}

/// The names in the type an alias stands for.
fn named_types(declared: Declared<'_>) -> Vec<Name> {
    let mut names = Vec::new();
    if let Declared::Type(alias) = declared {
        type_names(&alias.ty, &mut names);
    }
    names
}

fn type_names(ty: &TypeExpr, names: &mut Vec<Name>) {
    match &ty.kind {
        TypeKind::Named(name, params) => {
            names.push(name.clone());
            for param in params {
                if let TypeParam::Type(ty) = param {
                    type_names(ty, names);
                }
            }
        }
        TypeKind::Record(fields) => fields.iter().for_each(|f| type_names(&f.ty, names)),
        TypeKind::Optional(inner) => type_names(inner, names),
        TypeKind::Enum(_) => {}
    }
}

/// The sets a set joins.
fn named_sets(declared: Declared<'_>) -> Vec<Name> {
    match declared {
        Declared::Set(set) => set.terms.iter().filter_map(ast::Expr::dotted).collect(),
        _ => Vec::new(),
    }
}
