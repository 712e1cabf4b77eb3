//! `Sql`: a text of SQL, taken apart: every statement with what kind it is, which tables it names and which of them it
//! changes. In: text. Out: the text as received, and the record of its parts. Databases read SQL differently, and which
//! one reads this text is not known: what they do not all read the same way is a doubt and makes the text opaque.

mod found;
mod implied;
mod lexical;
mod walk;

#[cfg(test)]
mod tests;

use sqlparser::dialect::{
    Dialect, GenericDialect, MsSqlDialect, MySqlDialect, PostgreSqlDialect, SQLiteDialect,
};
use sqlparser::parser::{Parser, ParserError};

use super::{Doc, Refused};
use crate::limits;
use crate::ty::Field;
use crate::value::ParsedText;
use found::{Doubt, Found, Kind};

/// What the manual says about `Sql`.
pub const DOC: Doc = Doc {
    name: "Sql",
    summary: "A text of SQL, judged by its statements",
    json: "string",
    canonical: "as received",
    rules: &[
        "the text is handed on as it is; its parts are what PostgreSQL, MySQL, SQLite, SQL Server and standard SQL agree on",
        "what they read differently is a doubt, and so is what cannot be read; `.opaque` says there is one. Among it are \
         `#`, `--` without a space after it, `/*! … */`, nested comments, `$$`, a quote after an odd number of `\\`, and \
         letters that are not ASCII outside quotes",
        "`.statements` has every statement, also those within others: of a `WITH`, of `EXPLAIN`, of `PREPARE`",
        "where a statement may run that is not known, one element is of the kind `unknown` and names the table `\"\"`, so \
         that a list of allowed kinds or tables never covers it",
        "`.tables` are the tables, views and functions in place of tables that a statement names; a name after `WITH` is \
         none where it stands for its query. `.writes` are those that it changes",
        "a name without quotes is in small letters; one of several parts is there twice, whole and by its last part, and \
         one in quotes with capital letters twice, as written and in small letters, so that neither a list of allowed \
         names nor one of forbidden names is passed by spelling",
        "`.functions` are the functions it calls by name, and what may be one: `f` of `(t).f`, an operator of `OPERATOR(…)`, a type \
         of a cast that is no built-in one; what a function or procedure does by itself is not known, nor whether `t.f` is a column",
        "`FOR UPDATE` and the like are an element of the kind `other`, `@a := 1` is one of the kind `set`",
        "`.filtered` is whether an UPDATE or DELETE, or a SELECT on the outside, has a WHERE that names a column",
        "kinds are alter, call, create, delete, drop, grant, insert, merge, other, select, set, show, transaction, truncate, \
         unknown and update; doubts are dialect, dynamic and syntax",
        "at most 4,096 statements, and 9,999 elements in all `.tables` together, or all `.writes` and so on; more is a doubt",
        "NUL is refused; at most 131,072 bytes",
    ],
    parts: &[
        ("opaque", "Bool"),
        ("doubts", "List[enum]"),
        (
            "statements",
            "List[{ kind: enum, tables: List[String], writes: List[String], functions: List[String], filtered: Bool }]",
        ),
        ("kinds", "List[enum]"),
        ("tables", "List[String]"),
        ("writes", "List[String]"),
        ("functions", "List[String]"),
    ],
    operators: &["==", "!=", "in", "len()"],
    example_type: "Sql",
    examples: &[
        (
            "SELECT name FROM users WHERE id = 7",
            Ok("SELECT name FROM users WHERE id = 7"),
        ),
        ("select 1; -- done", Ok("select 1; -- done")),
        ("not sql at all", Ok("not sql at all")),
        ("", Ok("")),
        ("SELECT 1\u{0}", Err("the SQL has a NUL character")),
    ],
};

/// Reads a text of SQL. Errors: the reason, one sentence.
pub fn parse(text: &str) -> Result<ParsedText, Refused> {
    check(text)?;
    Ok(ParsedText {
        text: text.into(),
        parts: read(text).into_parts(),
    })
}

/// Refuses what no database could be given.
pub fn check(text: &str) -> Result<(), Refused> {
    if text.len() > limits::SQL_BYTES {
        return Err(Refused::new(format!(
            "the SQL is over {} bytes",
            limits::SQL_BYTES
        )));
    }
    if text.contains('\0') {
        return Err(Refused::new("the SQL has a NUL character"));
    }
    Ok(())
}

/// The parts a policy sees, in the order of the record in the value.
pub fn fields() -> Vec<Field> {
    found::fields()
}

fn read(text: &str) -> Found {
    let mut found = Found::default();
    let scanned = match lexical::scan(text) {
        Ok(scanned) => scanned,
        Err(doubt) => {
            found.hide(doubt);
            if doubt == Doubt::Syntax {
                // Too deep to be read at all.
                return found;
            }
            lexical::Scanned::default()
        }
    };
    let dialects: [&dyn Dialect; 5] = [
        &GenericDialect {},
        &PostgreSqlDialect {},
        &MySqlDialect {},
        &SQLiteDialect {},
        &MsSqlDialect {},
    ];
    let mut readings: Vec<Found> = Vec::new();
    for dialect in dialects {
        if let Ok(reading) = read_as(text, dialect)
            && !readings.contains(&reading)
        {
            readings.push(reading);
        }
    }
    match readings.len() {
        0 => found.hide(Doubt::Syntax),
        1 => {}
        _ => found.hide(Doubt::Dialect),
    }
    for reading in readings {
        found.join(reading);
    }
    let plain = |s: &found::Statement| {
        matches!(
            s.kind,
            Kind::Delete | Kind::Insert | Kind::Merge | Kind::Select | Kind::Show | Kind::Update
        )
    };
    if scanned.may_start_another && found.statements.iter().any(plain) {
        found.hide(Doubt::Dialect);
    }
    found
}

fn read_as(text: &str, dialect: &dyn Dialect) -> Result<Found, ParserError> {
    let statements = Parser::new(dialect)
        .with_recursion_limit(limits::SQL_DEPTH)
        .try_with_sql(text)?
        .parse_statements()?;
    Ok(walk::walk(&statements))
}
