//! Functions that an expression calls without a call being written: an operator that is named, a type that is no built-in
//! one, a field of a row. In: an expression. Out: the names. In PostgreSQL each of these may be a function that somebody has
//! defined. `a.b` may be one, too, but is a column in every other text, and is not among them.

use sqlparser::ast::{AccessExpr, ArrayElemTypeDef, BinaryOperator, DataType, Expr, Ident, ObjectName};

/// Types of PostgreSQL that the reader of SQL knows no word of its own for. They are found before any that somebody has
/// defined under the same name.
const BUILT_IN: [&str; 27] = [
    "box",
    "bpchar",
    "cidr",
    "circle",
    "cstring",
    "inet",
    "jsonpath",
    "line",
    "lseg",
    "macaddr",
    "macaddr8",
    "money",
    "name",
    "oid",
    "path",
    "pg_lsn",
    "point",
    "polygon",
    "record",
    "regproc",
    "regtype",
    "timetz",
    "tsquery",
    "tsvector",
    "txid_snapshot",
    "void",
    "xml",
];

/// What an expression may call, as the parts of each name.
pub(super) fn called(expr: &Expr) -> Vec<Vec<Ident>> {
    match expr {
        Expr::Cast { data_type, .. }
        | Expr::Convert {
            data_type: Some(data_type),
            ..
        } => of_type(data_type).into_iter().collect(),
        Expr::TypedString(text) => of_type(&text.data_type).into_iter().collect(),
        Expr::BinaryOp {
            op: BinaryOperator::PGCustomBinaryOperator(parts),
            ..
        } => vec![parts.iter().map(Ident::new).collect()],
        Expr::CompoundFieldAccess { access_chain, .. } => {
            let fields = access_chain.iter().filter_map(|access| match access {
                AccessExpr::Dot(Expr::Identifier(field)) => Some(vec![field.clone()]),
                _ => None,
            });
            fields.collect()
        }
        _ => Vec::new(),
    }
}

/// Whether an expression sets a variable.
pub(super) fn sets(expr: &Expr) -> bool {
    matches!(
        expr,
        Expr::BinaryOp {
            op: BinaryOperator::Assignment,
            ..
        }
    )
}

/// The name of a type that somebody may have defined: reading a text as one of it calls a function of it.
fn of_type(ty: &DataType) -> Option<Vec<Ident>> {
    match ty {
        DataType::Custom(name, _) => of_name(name),
        DataType::Array(
            ArrayElemTypeDef::AngleBracket(inner)
            | ArrayElemTypeDef::SquareBracket(inner, _)
            | ArrayElemTypeDef::Parenthesis(inner),
        ) => of_type(inner),
        _ => None,
    }
}

fn of_name(name: &ObjectName) -> Option<Vec<Ident>> {
    let idents: Vec<Ident> = name
        .0
        .iter()
        .filter_map(|part| part.as_ident().cloned())
        .collect();
    let last = match idents.as_slice() {
        [schema, last] if schema.value.eq_ignore_ascii_case("pg_catalog") => last,
        [last] => last,
        _ => return Some(idents),
    };
    let known = BUILT_IN
        .iter()
        .any(|known| last.value.eq_ignore_ascii_case(known));
    (!known).then_some(idents)
}
