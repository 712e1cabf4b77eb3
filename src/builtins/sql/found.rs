//! What is found in a text of SQL, and the record a policy sees of it. In: statements and doubts as they are read. Out:
//! the value of `parts`, whose fields are those of `fields`.

use crate::builtins::parts::{field, fitting, list, members};
use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::Value;
use std::collections::BTreeSet;

/// Why something is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Doubt {
    /// Databases read it differently.
    Dialect,
    /// It runs a text that is not written here as a statement.
    Dynamic,
    /// No reader knows it, or it nests too deep.
    Syntax,
}

/// The names of doubts, in the order of `Doubt`.
const DOUBTS: [&str; 3] = ["dialect", "dynamic", "syntax"];

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Alter,
    Call,
    Create,
    Delete,
    Drop,
    Grant,
    Insert,
    Merge,
    Other,
    Select,
    Set,
    Show,
    Transaction,
    Truncate,
    Unknown,
    Update,
}

/// The names of kinds, in the order of `Kind`.
const KINDS: [&str; 16] = [
    "alter",
    "call",
    "create",
    "delete",
    "drop",
    "grant",
    "insert",
    "merge",
    "other",
    "select",
    "set",
    "show",
    "transaction",
    "truncate",
    "unknown",
    "update",
];

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) kind: Kind,
    /// Names of what it speaks of, in every spelling a list may have.
    pub(super) tables: BTreeSet<String>,
    /// Those that it changes.
    pub(super) writes: BTreeSet<String>,
    pub(super) functions: BTreeSet<String>,
    /// It has a WHERE that names a column.
    pub(super) filtered: bool,
}

impl Statement {
    pub(super) fn new(kind: Kind) -> Statement {
        Statement {
            kind,
            tables: BTreeSet::new(),
            writes: BTreeSet::new(),
            functions: BTreeSet::new(),
            filtered: false,
        }
    }
}

/// Everything found in one text.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) statements: Vec<Statement>,
    doubts: BTreeSet<Doubt>,
}

impl Found {
    /// Notes a doubt behind which a statement may be that is not listed.
    pub(super) fn hide(&mut self, doubt: Doubt) {
        self.doubts.insert(doubt);
    }

    /// Adds what another reading found.
    pub(super) fn join(&mut self, other: Found) {
        self.doubts.extend(other.doubts);
        for statement in other.statements {
            if self.statements.len() >= limits::SQL_STATEMENTS {
                self.doubts.insert(Doubt::Syntax);
                return;
            }
            self.statements.push(statement);
        }
    }

    /// The record of everything found.
    pub(super) fn into_parts(mut self) -> Value {
        let mut statements: Vec<Value> = self.statements.iter().map(statement).collect();
        let fit = fitting(&statements, limits::SQL_ELEMENTS);
        if fit < statements.len() {
            statements.truncate(fit);
            self.statements.truncate(fit);
            self.hide(Doubt::Syntax);
        }
        if !self.doubts.is_empty() {
            let mut unknown = Statement::new(Kind::Unknown);
            for names in [&mut unknown.tables, &mut unknown.writes, &mut unknown.functions] {
                names.insert(String::new());
            }
            statements.push(statement(&unknown));
            self.statements.push(unknown);
        }
        let all = |of: fn(&Statement) -> &BTreeSet<String>| {
            let names: BTreeSet<&String> = self.statements.iter().flat_map(of).collect();
            texts(names)
        };
        let kinds: BTreeSet<Kind> = self.statements.iter().map(|s| s.kind).collect();
        Value::Record(vec![
            Value::Bool(!self.doubts.is_empty()),
            Value::list(self.doubts.iter().map(|d| Value::Enum(*d as u32)).collect()),
            Value::list(statements),
            Value::list(kinds.into_iter().map(|k| Value::Enum(k as u32)).collect()),
            all(|s| &s.tables),
            all(|s| &s.writes),
            all(|s| &s.functions),
        ])
    }
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Value {
    let text = |text: &String| Value::Str(text.as_str().into());
    Value::list(texts.into_iter().map(text).collect())
}

fn statement(statement: &Statement) -> Value {
    Value::Record(vec![
        Value::Enum(statement.kind as u32),
        texts(&statement.tables),
        texts(&statement.writes),
        texts(&statement.functions),
        Value::Bool(statement.filtered),
    ])
}

/// The parts of a `Sql`, in the order of the record of `into_parts`.
pub(super) fn fields() -> Vec<Field> {
    let names = || {
        list(Ty::String {
            max: limits::SQL_BYTES as u64,
        })
    };
    let statement = Ty::Record(vec![
        field("kind", members(&KINDS)),
        field("tables", names()),
        field("writes", names()),
        field("functions", names()),
        field("filtered", Ty::Bool),
    ]);
    vec![
        field("opaque", Ty::Bool),
        field("doubts", list(members(&DOUBTS))),
        field("statements", list(statement)),
        field("kinds", list(members(&KINDS))),
        field("tables", names()),
        field("writes", names()),
        field("functions", names()),
    ]
}
