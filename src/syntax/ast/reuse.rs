//! Items that name things for reuse: sets, types and predicates, and the imports of files that declare them. Like every
//! node they say what was written, not what it means.

use super::{Arg, Expr, Name, TypeExpr};
use crate::source::{Span, Spanned};

/// `import std.net`, `import "lib/shared.gaitpol" as shared`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The module.
    pub module: ModuleName,
    /// `as shared`
    pub alias: Option<Name>,
    /// `{ private, metadata }`: the names that are used bare.
    pub only: Option<Vec<Name>>,
    /// `digest "sha256:…"`
    pub digest: Option<Spanned<String>>,
    /// The whole item.
    pub span: Span,
}

/// How a module is named where it is imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleName {
    /// `std.net`
    Library(Name),
    /// `"lib/shared.gaitpol"`, from the folder of the importing file.
    File(Spanned<String>),
}

impl ModuleName {
    /// Where it is written.
    pub fn span(&self) -> Span {
        match self {
            ModuleName::Library(name) => name.span,
            ModuleName::File(path) => path.span,
        }
    }
}

/// `set acme: Host = { "acme.com" }, partners`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Its name.
    pub name: Name,
    /// The type of its elements.
    pub ty: TypeExpr,
    /// What it joins: braces with constants, and other sets by name.
    pub terms: Vec<Expr>,
    /// The file its elements lie in.
    pub data: Option<Box<Data>>,
    /// The whole item.
    pub span: Span,
}

/// `from "payees.csv" column "iban"`, `from "payees.json" at "/payees"`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// The file, from the folder of the file that names it.
    pub path: Spanned<String>,
    /// `at "/payees"`: where the list is in a JSON document.
    pub at: Option<Spanned<String>>,
    /// `column "iban"`: a column of a CSV file, or a member of the objects in a list.
    pub column: Option<Spanned<String>>,
    /// `digest "sha256:…"`
    pub digest: Option<Spanned<String>>,
}

/// `type Amount = Decimal[2]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// Its name.
    pub name: Name,
    /// The type it stands for.
    pub ty: TypeExpr,
    /// The whole item.
    pub span: Span,
}

/// `pred internal(h: Host) = h under "acme.com" or h in acme`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pred {
    /// Its name.
    pub name: Name,
    /// What is passed to it.
    pub params: Vec<Arg>,
    /// What it asks.
    pub body: Expr,
    /// The whole item.
    pub span: Span,
}
