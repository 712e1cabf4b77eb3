//! What texts of SQL do: plain ones, and the tricks by which one database reads a statement where another reads none.

use super::{DOC, fields, parse};
use crate::builtins::testing;
use crate::limits;
use crate::ty::{Field, Ty};
use crate::value::Value;
use proptest::prelude::*;

#[test]
fn examples() {
    testing::run(&DOC, |text| parse(text).map(|sql| sql.text.into()));
}

#[test]
fn the_manual_names_every_part() {
    let names: Vec<String> = fields().into_iter().map(|f| f.name).collect();
    let manual: Vec<&str> = DOC.parts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, manual);
    let kinds = DOC
        .rules
        .iter()
        .find(|rule| rule.starts_with("kinds are"))
        .unwrap();
    for kind in names_of(&fields()[3].ty)
        .into_iter()
        .chain(names_of(&fields()[1].ty))
    {
        assert!(kinds.contains(&kind), "{kind}");
    }
}

fn names_of(list: &Ty) -> Vec<String> {
    match list {
        Ty::List { element, .. } => match &**element {
            Ty::Enum { members, .. } => members.clone(),
            other => panic!("{other}"),
        },
        other => panic!("{other}"),
    }
}

fn list(value: &Value) -> &[Value] {
    match value {
        Value::List(items) => items,
        other => panic!("{other:?}"),
    }
}

fn texts(value: &Value) -> String {
    let texts: Vec<&str> = list(value).iter().map(|v| v.text().unwrap()).collect();
    texts.join(",")
}

fn member(names: &[String], value: &Value) -> String {
    match value {
        Value::Enum(m) => names[*m as usize].clone(),
        other => panic!("{other:?}"),
    }
}

/// What a policy sees, as text: `kind tables` of each statement, `!` before what it writes, `(…)` around functions, `?`
/// where a WHERE is, then doubts after `~`.
fn read(text: &str) -> String {
    let value = Value::Parsed(Box::new(parse(text).unwrap()));
    let all: Vec<Field> = fields();
    let parts = value.fields().unwrap();
    let kinds = names_of(&all[3].ty);
    let mut shown: Vec<String> = Vec::new();
    for statement in list(&parts[2]) {
        let statement = statement.fields().unwrap();
        let mut one = member(&kinds, &statement[0]);
        if one == "unknown" {
            continue;
        }
        if statement[4] == Value::Bool(true) {
            one.push('?');
        }
        for (mark, end, part) in [("", "", 1), ("!", "", 2), ("(", ")", 3)] {
            let names = texts(&statement[part]);
            if !names.is_empty() {
                one.push_str(&format!(" {mark}{names}{end}"));
            }
        }
        shown.push(one);
    }
    let mut out = shown.join("; ");
    let doubts: Vec<String> = list(&parts[1])
        .iter()
        .map(|d| member(&names_of(&all[1].ty), d))
        .collect();
    assert_eq!(parts[0], Value::Bool(!doubts.is_empty()), "{text}");
    assert_eq!(
        list(&parts[2])
            .iter()
            .any(|s| member(&kinds, &s.fields().unwrap()[0]) == "unknown"),
        !doubts.is_empty(),
        "{text}"
    );
    if !doubts.is_empty() {
        out.push_str(&format!(" ~ {}", doubts.join(" ")));
    }
    out
}

fn all(cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter(|(text, expected)| read(text) != *expected)
        .map(|(text, expected)| format!("{text:?}\n  expected {expected}\n  found    {}", read(text)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_may_be_a_function_is_named() {
    all(&[
        ("SELECT (orders).evil FROM orders", "select orders (evil)"),
        ("SELECT (o.a).b.c FROM orders o", "select orders (b,c)"),
        (
            "SELECT a OPERATOR(public.evil) b FROM orders",
            "select orders (evil,public.evil)",
        ),
        ("SELECT 'x'::evil FROM orders", "select orders (evil)"),
        (
            "SELECT CAST('x' AS s.evil) FROM orders",
            "select orders (evil,s.evil)",
        ),
        ("SELECT 'x'::evil[] FROM orders", "select orders (evil)"),
        (
            "SELECT a::text, b::inet, c::pg_catalog.money[] FROM orders",
            "select orders",
        ),
        ("SELECT o.id FROM orders o WHERE o.id = 7", "select? orders"),
        ("SELECT @a := 1 FROM orders", "select orders; set"),
        ("SELECT * FROM orders FOR UPDATE", "select orders; other"),
        ("SELECT * FROM orders FOR SHARE", "select orders; other"),
    ]);
}

#[test]
fn statements() {
    all(&[
        ("", ""),
        (";;", ""),
        ("SELECT 1", "select"),
        ("select * from Users", "select users"),
        (
            "SELECT * FROM a, b JOIN c ON a.x = c.x WHERE a.y = 3",
            "select? a,b,c",
        ),
        ("SELECT (SELECT max(x) FROM b) FROM a", "select a,b (max)"),
        ("SELECT * FROM a UNION SELECT * FROM b", "select a,b"),
        ("INSERT INTO t (a) VALUES (1)", "insert t !t"),
        ("INSERT INTO t SELECT * FROM u", "insert t,u !t"),
        ("UPDATE t SET a = 1", "update t !t"),
        ("UPDATE t SET a = 1 WHERE id = 3", "update? t !t"),
        ("UPDATE t SET a = 1 WHERE 1 = 1", "update t !t"),
        ("DELETE FROM t", "delete t !t"),
        ("DELETE FROM t WHERE id IN (SELECT id FROM u)", "delete? t,u !t"),
        ("DELETE FROM t WHERE true", "delete t !t"),
        ("TRUNCATE TABLE t", "truncate t !t"),
        ("DROP TABLE IF EXISTS a, b", "drop a,b !a,b"),
        ("CREATE TABLE t (id INT PRIMARY KEY)", "create t !t"),
        ("CREATE TABLE t AS SELECT * FROM u", "create t,u !t,u"),
        ("ALTER TABLE t ADD COLUMN x INT", "alter t !t"),
        ("GRANT SELECT ON t TO bob", "grant"),
        ("BEGIN; COMMIT; ROLLBACK", "transaction; transaction; transaction"),
        ("CALL f(1)", "call (f)"),
        ("SET x = 1", "set"),
        ("SELECT 1; DELETE FROM t", "select; delete t !t"),
        ("EXPLAIN DELETE FROM t", "show; delete t !t"),
        (
            "SELECT lower(name), pg_catalog.pg_sleep(1) FROM t",
            "select t (lower,pg_catalog.pg_sleep,pg_sleep)",
        ),
        ("SELECT * FROM t FOR UPDATE", "select t; other"),
        ("SELECT 'it''s; DROP TABLE t' FROM t", "select t"),
        ("SELECT 1 -- DROP TABLE t\n", "select"),
        ("SELECT /* DELETE */ 1", "select"),
        ("SELECT 1.5e3, .5, 0x1F, $1, ? FROM t", "select t"),
    ]);
}

#[test]
fn names() {
    all(&[
        ("SELECT * FROM Public.Users", "select public.users,users"),
        ("SELECT * FROM \"Users\"", "select Users,users"),
        (
            "SELECT * FROM public.\"Users\"",
            "select Users,public.Users,public.users,users",
        ),
        ("SELECT * FROM `users`", "select users"),
        ("SELECT * FROM \"a.b\"", "select a.b ~ dialect"),
        ("WITH x AS (SELECT * FROM t) SELECT * FROM x", "select t"),
        ("WITH t AS (SELECT * FROM t) SELECT * FROM t", "select t"),
        (
            "WITH a AS (SELECT * FROM b), b AS (SELECT 1) SELECT * FROM b",
            "select b",
        ),
        (
            "WITH a AS (SELECT 1), b AS (SELECT * FROM a) SELECT * FROM b",
            "select",
        ),
        (
            "WITH RECURSIVE r AS (SELECT 1 UNION SELECT * FROM r) SELECT * FROM r",
            "select",
        ),
        (
            "SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y JOIN x ON true",
            "select x",
        ),
        ("WITH x AS (SELECT 1) SELECT * FROM s.x", "select s.x,x"),
        ("UPDATE t SET a = 1 FROM u WHERE t.id = u.id", "update? t,u !t"),
        ("UPDATE x SET a = 1 FROM users x", "update users,x !users"),
        ("DELETE FROM t USING u WHERE t.id = u.id", "delete? t,u !t"),
        (
            "DELETE x FROM users x JOIN y ON x.id = y.id",
            "delete users,y !users",
        ),
        ("UPDATE a JOIN b ON a.id = b.id SET a.x = 1", "update a,b !a,b"),
        ("SELECT 1 UNION TABLE users", "select users"),
    ]);
}

#[test]
fn statements_within_others() {
    all(&[
        (
            "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
            "select; delete t !t",
        ),
        ("WITH x AS (SELECT 1) DELETE FROM x", "select; delete x !x"),
        ("PREPARE p AS DELETE FROM t", "other; delete t !t"),
    ]);
}

/// Each of these is one thing to one database and another to the next; none may pass as what it seems.
#[test]
fn what_databases_read_differently() {
    for text in [
        "SELECT 1 /*! ; DROP TABLE t */",
        "SELECT 1 /*M! ; DROP TABLE t */",
        "SELECT /* /* */ 1; DROP TABLE t; /* */ */ 2",
        "SELECT 1 --1; DROP TABLE t",
        "SELECT 1 # ; DROP TABLE t",
        "SELECT '\\'; DROP TABLE t; -- '",
        "SELECT \"\\\"; DROP TABLE t; -- \"",
        "SELECT $$ ' $$; DROP TABLE t; -- '",
        "SELECT $a$ ' $a$; DROP TABLE t; -- '",
        "SELECT q'[ ' ]'; DROP TABLE t; -- '",
        "SELECT r'\\'; DROP TABLE t; -- '",
        "SELECT '''a''' , ''' ; DROP TABLE t'",
        "SELECT U&\"\\0061\" FROM t",
        "SELECT * FROM `a; DROP TABLE t; --`",
        "SELECT * FROM [a; DROP TABLE t; --]",
        "SELECT * FROM [a]]; DROP TABLE t; --]",
        "SELECT * FROM a SHUTDOWN",
        "SELECT 1 EXEC",
        "SELECT * FROM a DROP TABLE b",
        "SELECT 1\nGO\nDROP TABLE t",
        "DELETE\u{a0}FROM t",
        "SELECT * FROM \u{ff54}",
        "SELECT 1; \\! rm -rf /",
        "SELECT :'x'",
        "SELECT {fn now()}",
        "SELECT * INTO new FROM t",
        "SELECT * FROM t INTO OUTFILE '/tmp/x'",
        "DO $$ BEGIN DELETE FROM t; END $$",
        "EXEC sp_executesql 'DROP TABLE t'",
        "EXECUTE IMMEDIATE 'DROP TABLE t'",
        ".shell rm -rf /",
        "SELECT 'open",
        "SELECT 1 /* open",
        "SELECT * FROM t WHERE",
        "SELECT 1e1FROM t",
        "nonsense",
        "SELECT 1\u{b}; DROP TABLE t",
        "SELECT 1 -- a\rDROP TABLE t",
    ] {
        let found = read(text);
        assert!(found.contains('~'), "{text:?}: {found}");
    }
}

/// What is too deep is a doubt, and neither it nor what is just not too deep takes much of a stack.
#[test]
fn depth_is_bounded() {
    let texts: Vec<String> = [10, 31, 200, 1_000, 5_000, 20_000]
        .into_iter()
        .flat_map(|n| {
            [
                format!("SELECT 1{}", " + 1".repeat(n)),
                format!("SELECT 1{}", " AND NOT 1".repeat(n)),
                format!("SELECT {}1", "NOT ".repeat(n)),
                format!("SELECT {}1", "- ".repeat(n)),
                format!("SELECT {}1{}", "(".repeat(n), ")".repeat(n)),
                format!("SELECT 1{}", "::int".repeat(n)),
                format!("SELECT a{}", "[1]".repeat(n)),
                format!("SELECT a{}", ".a".repeat(n)),
                format!("SELECT 1{}", " IS NULL".repeat(n)),
                format!("SELECT 1, 2{}", " UNION SELECT 1, 2".repeat(n)),
                format!("SELECT 1 FROM a{}", " JOIN a".repeat(n)),
                format!("SELECT 1 FROM {}a{}", "(".repeat(n), " JOIN b)".repeat(n)),
                format!("SELECT {}1{}", "CASE WHEN 1 THEN ".repeat(n), " END".repeat(n)),
                format!("SELECT {}1{}", "(SELECT ".repeat(n), ")".repeat(n)),
                format!("{}SELECT 1", "EXPLAIN ".repeat(n)),
                format!("{}SELECT 1;{}", "BEGIN ".repeat(n), " END;".repeat(n)),
                format!("SELECT CAST(1 AS {}INT{})", "ARRAY<".repeat(n), ">".repeat(n)),
                format!("SELECT 1{}", " COLLATE a".repeat(n)),
                format!("SELECT 1{}", " AT TIME ZONE 'x'".repeat(n)),
                format!("SELECT {}1", "INTERVAL ".repeat(n)),
                format!("SELECT 1 WHERE x{}", " IN (1, 2)".repeat(n)),
                format!("SELECT 1{}", ", f(1, 2)".repeat(n)),
                format!("{}SELECT 1", "SELECT 1;".repeat(n)),
                "SELECT 1 + (".repeat(n),
            ]
        })
        .collect();
    // Half of what a test has, a quarter of what a program has.
    let small = std::thread::Builder::new().stack_size(1 << 20);
    let done = small.spawn(move || {
        for text in texts {
            if text.len() <= limits::SQL_BYTES {
                read(&text);
            }
        }
    });
    done.unwrap().join().unwrap();
    assert!(!read(&format!("SELECT 1{}", " + 1".repeat(200))).contains('~'));
    assert!(!read(&format!("SELECT 1{}", ", f(1, 2)".repeat(3_000))).contains('~'));
    assert!(read(&format!("SELECT 1{}", " + 1".repeat(5_000))).contains('~'));
    assert!(parse(&" ".repeat(limits::SQL_BYTES + 1)).is_err());
}

const PIECES: [&str; 35] = [
    "SELECT", "DELETE", "FROM", "t", "u", "WHERE", "x = 1", ";", ",", "(", ")", "'", "\"", "`", "--", "-- ",
    "/*", "*/", "#", "$$", "\\", "\n", " ", "1", "UNION", "WITH", "AS", "[", "]", "UPDATE", "SET", "!", "E'",
    "é", "*",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24).prop_map(|p| p.join(" "))
}

proptest! {
    #[test]
    fn any_text_is_read_the_same_way_twice(text in prop_oneof!["\\PC{0,40}", pieces()]) {
        if let Ok(sql) = parse(&text) {
            prop_assert_eq!(&*sql.text, text.as_str());
            prop_assert_eq!(parse(&text), Ok(sql));
        }
    }

    /// Whatever hides in quotes or comments, a text that is surely one SELECT has no second statement to any reader.
    #[test]
    fn what_is_surely_one_statement_has_no_second(text in pieces()) {
        use sqlparser::dialect::{AnsiDialect, BigQueryDialect, ClickHouseDialect, Dialect, DuckDbDialect, HiveDialect, OracleDialect, SnowflakeDialect};
        let found = read(&text);
        if found.contains('~') || found.contains(';') {
            return Ok(());
        }
        let others: [&dyn Dialect; 7] = [
            &AnsiDialect {}, &BigQueryDialect {}, &ClickHouseDialect {}, &DuckDbDialect {}, &HiveDialect {}, &OracleDialect {}, &SnowflakeDialect {},
        ];
        for dialect in others {
            if let Ok(statements) = sqlparser::parser::Parser::parse_sql(dialect, &text) {
                prop_assert!(statements.len() <= 1, "{dialect:?} reads {statements:?} in {text:?}: {found}");
            }
        }
    }
}

/// No list is longer than lists are, and what does not fit is a doubt that no list of allowed tables covers.
#[test]
fn lists_are_bounded() {
    for (count, fits) in [(9_999, true), (10_000, false), (20_000, false)] {
        let tables: Vec<String> = (0..count).map(|n| format!("t{n}")).collect();
        let parsed = parse(&format!("SELECT 1 FROM {}", tables.join(",")))
            .unwrap()
            .parts;
        let parts = parsed.fields().unwrap();
        for part in parts {
            if let Value::List(items) = part {
                assert!(items.len() as u64 <= limits::LIST_ITEMS);
            }
        }
        let named = texts(&parts[4]);
        assert_eq!(named.split(',').any(str::is_empty), !fits, "{count}");
        assert_eq!(parts[0], Value::Bool(!fits));
    }
}
