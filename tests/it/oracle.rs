//! The index and the reference interpreter agree: on random typed policies and random typed calls they give the same
//! verdict, the same matched rules and the same codes, before and after a trip through the canonical bytes.

use gait::builtins::bind;
use gait::domain::{Approval, ApprovalSpec, Request, Verdict};
use gait::eval::{Workspace, decide, explain, obligation, reference};
use gait::gate::approval::{Asking, satisfied};
use gait::gate::request::{self, Counting};
use gait::json::{self, Json};
use gait::value::Value;
use gait::{compile, ir};
use proptest::prelude::*;

const REPOS: [&str; 4] = [
    "git@github.com:acme/api.git",
    "https://github.com/acme/web",
    "https://git.acme.com/acme/api",
    "gitlab:evil/api",
];
const CIDRS: [&str; 4] = ["10.1.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "fd00::/8"];
const QUERIES: [&str; 8] = [
    "SELECT * FROM users",
    "SELECT lower(a) FROM public.users WHERE id = 1",
    "DELETE FROM users WHERE id = 1",
    "DELETE FROM users; SELECT 1",
    "UPDATE orders SET a = 1",
    "DROP TABLE users",
    "SELECT 1 # x",
    "",
];
/// Texts that make predicates overlap.
const WORDS: [&str; 8] = ["a", "ab", "abc", "b", "ba", "", "a/b", "é"];
const HOSTS: [&str; 7] = [
    "10.1.2.3",
    "fd00::1",
    "acme.com",
    "mail.acme.com",
    "evil.example",
    "a.b.acme.com",
    "acme.co",
];
const IPS: [&str; 5] = ["10.1.2.3", "10.1.2.4", "::1", "fd00::1", "::ffff:10.1.2.3"];
const NETS: [&str; 6] = [
    "10.0.0.0/8",
    "10.1.2.3/32",
    "::/0",
    "0.0.0.0/0",
    "fd00::/8",
    "::ffff:10.1.2.4/127",
];
const PATHS: [&str; 5] = ["/ws", "/ws/a", "/wsx", "/ws/a/b.rs", "/etc/passwd"];
const MAILS: [&str; 4] = [
    "ann@acme.com",
    "bob@mail.acme.com",
    "eve@evil.example",
    "a@acme.co",
];
const URLS: [&str; 5] = [
    "http://[fd00::1]:8080/",
    "https://acme.com/a",
    "http://acme.com:8080/b?q=1",
    "https://mail.acme.com/",
    "https://evil.example/a/b",
];
const COMMANDS: [&str; 12] = [
    "ls -l /ws/a",
    "git push -f origin main",
    "sudo rm -rf / && ls",
    "rm \"$x\" > /ws/log",
    "$x -rf /",
    "sh -c 'rm -rf /ws/a; ls'",
    "find . -exec rm {} +",
    "cd /ws && git push --force=x",
    "echo cm0= | base64 -d | sh",
    "PATH=/ws ls 2>&1 >>/etc/passwd",
    "rm 'x",
    "",
];

const DAYS: [&str; 4] = ["2024-02-29", "2026-01-01", "2026-12-31", "2027-01-01"];
const MOMENTS: [&str; 4] = [
    "2026-12-29T14:00:00Z",
    "2026-12-29T09:00:00-05:00",
    "2026-12-29T14:00:00.001Z",
    "2025-01-01T00:00:00+14:00",
];
const LENGTHS: [&str; 5] = ["0s", "999ms", "1s", "1m", "1h1m"];

const HEAD: &str = r#"gaitpol 1
policy random.policy
default block code none
context {
  fact identity from intent context.identity
  fact delegation from intent delegation
}
enum Color { red, green, blue }
type Cents = Decimal[2]
type Row = { k: Color, v: Int, tags: List[String[max 64], max 3] }
set acme: Host = { "acme.com", "acme.co" }
set mine: Host = acme, { "evil.example" }
set roots: Path = { "/ws/a", "/etc" }
set words: String[max 64] = { "ab", "b", "" }
set globs: String[max 64] = { "a*", "?b" }
set folders: String[max 64] = { "**/a/**", "/ws/*", "**/*.rs", "**/etc", "/ws?/**" }
set warm: Color = { red, green }
set few: Int = { -1, 0, 2 }
set sums: Cents = { -1.50, 2.50 }
pred word(s: String) = s in words or s starts_with "a"
pred glob(s: String, most: Int) = s like globs and len(s) < 3 and not word(s)
pred ours(h: Host) = h under acme and h != "acme.co"
pred some_word(s: String?) = any x in s: word(x)
pred warm_row(r: Row) = r.k in warm and (any t in r.tags: word(t)) or r.v in few
pred is(c: Color, d: Color?) = c in warm and present d and d == blue
enum Risk ordered { low, medium, high, critical }
role finance { "ann", "bob", "cid" }
role security { "bob", "eve" }
role owners { "bob" }
obligation ticket {
  queue: String[max 8]
  risk: Risk merge max
  within: Duration merge min
  tags: Set[Color, max 3] merge union
}
tool t.one {
  flag: Bool
  n: Int
  d: Decimal[2]
  m: Money[USD, 2]
  s: String[max 64]
  c: Color
  h: Host
  ip: Ip
  p: Path
  u: Url
  e: Email
  cmd: Command
  sql: Sql
  repo: Repo
  net: Cidr
  sum: Digest
  k: Risk
  ok: Risk?
  du: Duration
  ds: Duration[s]
  at: Instant
  day: Date
  oat: Instant?
  os: String[max 64]?
  on: Int?
  rec: { x: Int, y: String[max 64], z: Color? }?
  xs: List[String[max 64], max 4]
  es: List[Email, max 4]
  rs: List[{ k: Color, v: Int, tags: List[String[max 64], max 3] }, max 3]
  ol: List[Int, max 3]?
  mp: Map[Color, Int, max 3]
  ms: Map[String[max 64], { v: Int, tags: Set[String[max 64], max 3] }, max 3]?
  st: Set[String[max 64], max 4]
  effect net.egress to each es.domain
  effect net.read to u.host
}
tool t.two { s: String[max 64], n: Int }
"#;

/// A text in quotes, as JSON and the language write it.
fn json_text(text: &str) -> String {
    format!(
        "\"{}\"",
        text.replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
    )
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&WORDS[..])
}

fn text_atom(place: &'static str) -> BoxedStrategy<String> {
    prop_oneof![
        word().prop_map(move |w| format!("{place} == {w:?}")),
        word().prop_map(move |w| format!("{place} != {w:?}")),
        (word(), word()).prop_map(move |(a, b)| format!("{place} in {{ {a:?}, {b:?} }}")),
        (word(), word()).prop_map(move |(a, b)| format!("{place} not in {{ {a:?}, {b:?} }}")),
        word().prop_map(move |w| format!("{place} starts_with {w:?}")),
        word().prop_map(move |w| format!("{place} ends_with {w:?}")),
        word().prop_map(move |w| format!("{place} contains {w:?}")),
        prop::sample::select(&["a*", "*b", "?", "*a*b*", "*"][..])
            .prop_map(move |g| format!("{place} like {g:?}")),
        prop::sample::select(&["a+b*", "[ab]*", "(ab|ba)?", ".", "(?i)A.*"][..])
            .prop_map(move |g| format!("{place} matches {g:?}")),
        (0..4u32, prop::sample::select(&["<", ">=", "=="][..]))
            .prop_map(move |(n, op)| format!("len({place}) {op} {n}")),
        prop::sample::select(
            &[
                "in words",
                "not in words",
                "like globs",
                "contains words",
                "ends_with { \"a\", \"b\" }"
            ][..]
        )
        .prop_map(move |t| format!("{place} {t}")),
        prop::sample::select(&["word({})", "glob({}, 3)"][..]).prop_map(move |t| t.replace("{}", place)),
    ]
    .boxed()
}

fn number_atom(place: &'static str, scale: &'static str) -> BoxedStrategy<String> {
    (
        prop::sample::select(&["<", "<=", ">", ">=", "==", "!="][..]),
        -3..4i32,
    )
        .prop_map(move |(op, n)| format!("{place} {op} {n}{scale}"))
        .boxed()
}

fn color_atom(place: &'static str) -> BoxedStrategy<String> {
    prop::sample::select(
        &[
            "== red",
            "!= red",
            "in { red, blue }",
            "not in { green }",
            "== Color.blue",
            "in warm",
            "not in warm",
        ][..],
    )
    .prop_map(move |t| format!("{place} {t}"))
    .boxed()
}

fn domain_atom() -> BoxedStrategy<String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    prop_oneof![
        pick(&HOSTS).prop_map(|h| format!("args.h == {h:?}")),
        pick(&HOSTS).prop_map(|h| format!("args.h under {h:?}")),
        pick(&HOSTS).prop_map(|h| format!("args.u.host under {h:?}")),
        pick(&HOSTS).prop_map(|h| format!("args.e.domain under {h:?}")),
        pick(&["*.acme.com", "**.acme.com", "acme.*"]).prop_map(|g| format!("args.h like {g:?}")),
        pick(&PATHS).prop_map(|p| format!("args.p under {p:?}")),
        pick(&[
            "args.p under roots",
            "args.h under acme",
            "args.h not in mine",
            "ours(args.u.host)",
            "ours(args.e.domain)"
        ])
        .prop_map(str::to_owned),
        pick(&["/ws/*", "/ws/**", "/**/*.rs"]).prop_map(|g| format!("args.p like {g:?}")),
        pick(&MAILS).prop_map(|e| format!("args.e == {e:?}")),
        pick(&URLS).prop_map(|u| format!("args.u == {u:?}")),
        Just("args.u.scheme == \"https\"".to_owned()),
        Just("args.u.port == 443".to_owned()),
        Just("args.u.path starts_with \"/a\"".to_owned()),
        Just("args.e.local == \"ann\"".to_owned()),
    ]
    .boxed()
}

fn command_atom(c: &'static str) -> BoxedStrategy<String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    prop_oneof![
        pick(&["rm", "git", "ls", "", ">", "sudo"]).prop_map(move |p| format!("{c}.program == {p:?}")),
        pick(&["rm", "/bin/rm", "*"]).prop_map(move |p| format!("{c}.path like {p:?}")),
        Just(format!("{c}.opaque")),
        (0..3u32).prop_map(move |n| format!("len({c}.via) > {n}")),
        pick(&["-f", "-rf", "--force", ""]).prop_map(move |f| format!("(any f in {c}.flags: f == {f:?})")),
        pick(&["/", "main"]).prop_map(move |a| format!("(any a in {c}.args: a starts_with {a:?})")),
        pick(&PATHS).prop_map(move |p| format!("(all o in {c}.operands: any p in o.path: p under {p:?})")),
        pick(&PATHS)
            .prop_map(move |p| format!("(any o in {c}.operands: present o.path and o.path under {p:?})")),
    ]
    .boxed()
}

fn risk_atom() -> BoxedStrategy<String> {
    let op = prop::sample::select(&["<", "<=", ">", ">=", "==", "!="][..]);
    let risk = || prop::sample::select(&["low", "medium", "high", "critical"][..]);
    (op, risk(), risk(), any::<bool>())
        .prop_map(|(op, a, b, optional)| match optional {
            true => format!("(args.ok else {b}) {op} {a}"),
            false => format!("args.k {op} Risk.{a}"),
        })
        .boxed()
}

fn time_atom() -> BoxedStrategy<String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    let op = || prop::sample::select(&["<", "<=", ">", ">=", "==", "!="][..]);
    prop_oneof![
        (op(), pick(&LENGTHS)).prop_map(|(op, d)| format!("args.du {op} {d}")),
        (pick(&["<", "<=", ">", ">="]), pick(&LENGTHS)).prop_map(|(op, d)| format!("args.ds {op} {d}")),
        (op(), pick(&["0s", "1s", "1m"])).prop_map(|(op, d)| format!("args.ds {op} {d}")),
        (op(), pick(&MOMENTS)).prop_map(|(op, t)| format!("args.at {op} {t:?}")),
        (op(), pick(&DAYS)).prop_map(|(op, d)| format!("args.day {op} {d:?}")),
        (pick(&DAYS), pick(&DAYS)).prop_map(|(a, b)| format!("args.day in {{ {a:?}, {b:?} }}")),
        (op(), pick(&MOMENTS), pick(&MOMENTS))
            .prop_map(|(op, e, t)| format!("(args.oat else {e:?}) {op} {t:?}")),
    ]
    .boxed()
}

fn simple_atom() -> BoxedStrategy<String> {
    prop_oneof![
        Just("args.flag".to_owned()),
        number_atom("args.n", ""),
        number_atom("args.d", ".50"),
        number_atom("args.m", ".25"),
        text_atom("args.s"),
        color_atom("args.c"),
        domain_atom(),
        time_atom(),
        risk_atom(),
        Just("present args.os".to_owned()),
        Just("some_word(args.os)".to_owned()),
        Just("args.d in sums".to_owned()),
        Just("args.n not in few".to_owned()),
        Just("(present args.rec and is(args.c, args.rec.z))".to_owned()),
        text_atom("args.os").prop_map(|a| format!("(present args.os and {a})")),
        number_atom("(args.on else 1)", ""),
        word().prop_map(|w| format!("(args.os else {w:?}) starts_with \"a\"")),
        number_atom("args.rec.x", "").prop_map(|a| format!("(present args.rec and {a})")),
        color_atom("args.rec.z").prop_map(|a| format!("(present args.rec and present args.rec.z and {a})")),
        number_atom("len(args.xs)", ""),
        Just("args.cmd.opaque".to_owned()),
        prop::sample::select(&COMMANDS[..]).prop_map(|c| format!("args.cmd == {}", json_text(c))),
        (1..4u32).prop_map(|n| format!("len(args.cmd.commands) >= {n}")),
        Just("args.sql.opaque".to_owned()),
        prop::sample::select(
            &[
                "args.repo == \"github:Acme/API\"",
                "args.repo.host under \"acme.com\"",
                "args.repo.owner in { \"acme\", \"evil\" }",
                "args.repo.name starts_with \"a\"",
                "args.net.length < 9",
                "args.net != \"10.0.0.0/8\"",
                "(args.net.first under \"10.0.0.0/8\" and args.net.last under \"10.0.0.0/8\")",
                "args.sum.algorithm == sha512",
                "args.sum.hex starts_with \"a\"",
            ][..]
        )
        .prop_map(str::to_owned),
        prop::sample::select(&QUERIES[..]).prop_map(|q| format!("args.sql != {}", json_text(q))),
        value_atom(),
        lookup_atom(),
        ip_atom(),
    ]
    .boxed()
}

/// Addresses, and hosts that are one.
fn ip_atom() -> BoxedStrategy<String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    let place = || pick(&["args.ip", "args.h.ip", "args.u.host.ip", "args.e.domain.ip"]);
    (place(), pick(&IPS), pick(&NETS), pick(&NETS), 0..5u32)
        .prop_map(|(place, ip, a, b, kind)| {
            let (there, value) = match (place, kind) {
                ("args.ip", _) => (String::new(), place.to_owned()),
                (_, 0) => (String::new(), format!("({place} else {ip:?})")),
                _ => (format!("present {place} and "), place.to_owned()),
            };
            match kind {
                0 => format!("{value} under {a:?}"),
                1 => format!("({there}{value} under {{ {a:?}, {b:?} }})"),
                2 => format!("({there}{value} != {ip:?})"),
                3 => format!("({there}{value} == args.ip)"),
                _ => format!("({there}{value} in {{ {ip:?}, \"10.1.2.4\" }})"),
            }
        })
        .boxed()
}

/// Entries of maps under keys of the call.
fn lookup_atom() -> BoxedStrategy<String> {
    let key = || {
        prop_oneof![
            Just("args.s".to_owned()),
            Just("args.os else \"ab\"".to_owned()),
            word().prop_map(|w| format!("{w:?}")),
        ]
    };
    let color = || prop::sample::select(&["args.c", "green"][..]);
    let compare = || {
        let op = prop::sample::select(&["<", "<=", ">", ">=", "==", "!="][..]);
        (op, -2..3i32)
    };
    prop_oneof![
        (color(), compare()).prop_map(|(k, (op, n))| format!("(args.mp[{k}] else 1) {op} {n}")),
        color().prop_map(|k| format!("present args.mp[{k}]")),
        (key(), compare())
            .prop_map(|(k, (op, n))| format!("(present args.ms[{k}] and args.ms[{k}].v {op} {n})")),
        (key(), word())
            .prop_map(|(k, w)| format!("(present args.ms[{k}] and any t in args.ms[{k}].tags: t == {w:?})")),
        key().prop_map(|k| format!("(present args.ms[{k}] and args.ms[{k}].v == args.n)")),
        (key(), color()).prop_map(|(k, c)| format!(
            "(any x in args.xs: x == \"a\" and (args.mp[{c}] else 0) > 0 or present args.ms[{k}])"
        )),
    ]
    .boxed()
}

/// Comparisons between two values.
fn value_atom() -> BoxedStrategy<String> {
    let order = || prop::sample::select(&["<", "<=", ">", ">=", "==", "!="][..]);
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    let number = || {
        pick(&[
            "args.n",
            "(args.on else 2)",
            "len(args.xs)",
            "count(x in args.rs: x.v > args.n)",
            "count(x in args.xs: x == args.s)",
            "sum(x in args.rs: x.v)",
            "sum(x in args.ol: x + args.n)",
            "args.n + len(args.s)",
            "args.n - (args.on else 0)",
        ])
    };
    prop_oneof![
        (number(), order(), number())
            .prop_filter("two values", |(a, _, b)| a != b)
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (pick(&[
            "args.s in args.xs",
            "args.s not in args.xs",
            "\"ab\" in args.xs",
            "args.e in args.es"
        ]))
        .prop_map(str::to_owned),
        (pick(&["==", "!="])).prop_map(|op| format!("args.h {op} args.u.host")),
        Just("args.e.domain under args.h".to_owned()),
        (pick(&["any", "all"]), order()).prop_map(|(q, op)| format!(
            "({q} x in args.rs: x.v {op} args.n or any y in x.tags: y == args.s)"
        )),
    ]
    .boxed()
}

/// A condition, with the variables in reach already used by `inner`.
fn combine(inner: BoxedStrategy<String>) -> BoxedStrategy<String> {
    inner
        .prop_recursive(3, 8, 3, |inner| {
            prop_oneof![
                inner.clone().prop_map(|a| format!("not ({a})")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
                (inner.clone(), inner).prop_map(|(a, b)| format!("({a}) or ({b})")),
            ]
        })
        .boxed()
}

fn quantified() -> BoxedStrategy<String> {
    let quantifier = || prop::sample::select(&["any", "all"][..]);
    let on_words = combine(prop_oneof![text_atom("x"), simple_atom()].boxed());
    let on_mails = combine(
        prop::sample::select(
            &[
                "x.domain under \"acme.com\"",
                "x.local == \"ann\"",
                "x == \"ann@acme.com\"",
            ][..],
        )
        .prop_map(str::to_owned)
        .boxed(),
    );
    let tags = (quantifier(), text_atom("y")).prop_map(|(q, a)| format!("({q} y in x.tags: {a})"));
    let tags_and_outer = (
        quantifier(),
        text_atom("y"),
        number_atom("x.v", ""),
        simple_atom(),
    )
        .prop_map(|(q, a, b, c)| format!("({q} y in x.tags: ({a} and {b}) or ({c} and {a}))"));
    let on_records = combine(
        prop_oneof![
            color_atom("x.k"),
            number_atom("x.v", ""),
            tags,
            tags_and_outer,
            Just("warm_row(x)".to_owned()),
            simple_atom()
        ]
        .boxed(),
    );
    prop_oneof![
        (quantifier(), on_words).prop_map(|(q, b)| format!("({q} x in args.xs: {b})")),
        (quantifier(), on_mails).prop_map(|(q, b)| format!("({q} x in args.es: {b})")),
        (quantifier(), on_records).prop_map(|(q, b)| format!("({q} x in args.rs: {b})")),
        (quantifier(), text_atom("x")).prop_map(|(q, b)| format!("({q} x in args.os: {b})")),
        (quantifier(), number_atom("x", "")).prop_map(|(q, b)| format!("({q} x in args.ol: {b})")),
        (quantifier(), color_atom("x.key"), number_atom("x.value", ""))
            .prop_map(|(q, a, b)| format!("({q} x in args.mp: {a} and {b})")),
        (
            quantifier(),
            text_atom("x.key"),
            number_atom("x.value.v", ""),
            text_atom("y")
        )
            .prop_map(|(q, a, b, c)| format!(
                "({q} x in args.ms: {a} or {b} and any y in x.value.tags: {c})"
            )),
        (quantifier(), text_atom("x")).prop_map(|(q, b)| format!("({q} x in args.st: {b})")),
        (quantifier(), number_atom("x.x", "")).prop_map(|(q, b)| format!("({q} x in args.rec: {b})")),
        quantifier().prop_map(|q| format!("({q} x in targets.host: x under \"acme.com\")")),
        (quantifier(), combine(command_atom("x")))
            .prop_map(|(q, b)| format!("({q} x in args.cmd.commands: {b})")),
        (
            quantifier(),
            prop::sample::select(&["pipe", "and_then", "sequence"][..])
        )
            .prop_map(|(q, o)| format!("({q} x in args.cmd.operators: x == {o})")),
        (
            quantifier(),
            prop::sample::select(
                &[
                    "x.kind in { select, drop }",
                    "x.kind == delete and not x.filtered",
                    "any y in x.tables: y == \"users\"",
                    "all y in x.writes: y starts_with \"o\"",
                    "len(x.functions) == 1",
                ][..]
            )
        )
            .prop_map(|(q, b)| format!("({q} x in args.sql.statements: {b})")),
        quantifier().prop_map(|q| format!("({q} x in args.sql.kinds: x != unknown)")),
        quantifier()
            .prop_map(|q| format!("({q} x in args.sql.tables: x in {{ \"users\", \"public.users\" }})")),
        (
            quantifier(),
            prop::sample::select(
                &[
                    "x.kind == append",
                    "x.target == \"/ws/log\"",
                    "not present x.path"
                ][..]
            )
        )
            .prop_map(|(q, b)| format!("({q} x in args.cmd.redirects: {b})")),
        (
            quantifier(),
            prop::sample::select(&["program", "syntax", "wrapper"][..])
        )
            .prop_map(|(q, d)| format!("({q} x in args.cmd.doubts: x != {d})")),
    ]
    .boxed()
}

pub fn condition() -> BoxedStrategy<String> {
    combine(prop_oneof![2 => simple_atom(), 1 => quantified()].boxed())
}

/// What a rule may ask of people, without the word before it.
fn approval() -> impl Strategy<Value = String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    let count = pick(&["", "count 1", "count 2", "count 2 distinct", "count 1 distinct"]);
    let excluding = pick(&["", "excluding requester", "excluding chain, requester"]);
    let rest = pick(&[
        "",
        "expires 1m",
        "expires 2m",
        "single_use",
        "bind args",
        "expires 1m bind policy",
    ]);
    let from = pick(&["from finance", "from security", "from owners", ""]);
    (from, count, excluding, rest).prop_map(|(from, count, excluding, rest)| {
        // One owner gives one approval.
        let count = if from == "from owners" { "" } else { count };
        let parts = format!("{from} {count} {excluding} {rest}");
        match parts.trim() {
            "" => String::new(),
            parts => format!("{{ {parts} }}"),
        }
    })
}

/// What a rule may oblige, with the word before it.
fn duties() -> impl Strategy<Value = String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s);
    let log = pick(&["log(level: debug)", "log(level: warn)", "log(error)"]);
    let notify = pick(&[
        r#"notify("ops")"#,
        r#"notify(channel: { "sec", "ops" })"#,
        r#"notify("a")"#,
    ]);
    let queue = prop_oneof![9 => Just("a"), 1 => Just("b")];
    let risk = pick(&["low", "medium", "critical"]);
    let within = pick(&["1h", "15m", "7d"]);
    let tags = pick(&["red", "{ green, blue }", "{ blue, red }"]);
    let ticket = (queue, risk, within, tags).prop_map(|(queue, risk, within, tags)| {
        format!(r#"ticket(queue: "{queue}", risk: {risk}, within: {within}, tags: {tags})"#)
    });
    let one = |s: BoxedStrategy<String>| prop::option::weighted(0.4, s);
    let own = |s: &str| s.to_owned();
    let places = pick(&[
        "redact(args.s)",
        "mask(args.s, keep_last: 4)",
        "mask(args.s, keep_last: 2), redact(args.rs)",
        "redact(args.rs.tags), mask(args.rec.y, keep_last: 0)",
        "redact(args.rec)",
        "redact(args)",
        "mask(args.es, keep_last: 3), redact(args.n)",
    ]);
    let all = (
        one(places.prop_map(own).boxed()),
        one(log.prop_map(own).boxed()),
        one(notify.prop_map(own).boxed()),
        one(ticket.boxed()),
    );
    all.prop_map(|(places, log, notify, ticket)| {
        let all = places.into_iter().chain(log).chain(notify).chain(ticket);
        let all: Vec<String> = all.collect();
        if all.is_empty() {
            String::new()
        } else {
            format!("oblige {}", all.join(", "))
        }
    })
}

fn given_approval() -> impl Strategy<Value = Approval> {
    let by = prop::sample::select(&["ann", "bob", "cid", "eve", "zoe"][..]);
    let at = prop::sample::select(&[0, 30_000, 90_000, 130_000][..]);
    let until = prop::option::of(prop::sample::select(&[90_000, 200_000][..]));
    (by, at, until, any::<(bool, bool, bool)>()).prop_map(
        |(by, given_at, expires_at, (single_use, binds_args, binds_policy))| Approval {
            by: by.to_owned(),
            given_at,
            expires_at,
            single_use,
            binds_args,
            binds_policy,
        },
    )
}

fn rule() -> impl Strategy<Value = String> {
    let verdict = prop::sample::select(&["allow", "dry_run", "require_approval", "block"][..]);
    let clause = prop_oneof![
        condition().prop_map(|c| format!("when {c}")),
        condition().prop_map(|c| format!("unless {c}"))
    ];
    // `@` is where a rule may say which earlier rule it refines.
    (
        prop::collection::vec(clause, 0..3),
        verdict,
        approval(),
        0..3u32,
        duties(),
    )
        .prop_map(|(clauses, verdict, approval, code, duties)| {
            let approval = if verdict == "require_approval" {
                approval
            } else {
                String::new()
            };
            format!(
                "on t.one {} @ {verdict} {approval} code c{code} {duties}",
                clauses.join(" ")
            )
        })
}

pub fn policy() -> impl Strategy<Value = String> {
    let refined = prop::option::weighted(0.3, any::<prop::sample::Index>());
    prop::collection::vec((rule(), refined), 1..8).prop_map(|rules| {
        let mut text = HEAD.to_owned();
        for (number, (rule, refined)) in rules.iter().enumerate() {
            let refines = match refined {
                Some(index) if number > 0 => format!("refines r{}", index.index(number)),
                _ => String::new(),
            };
            text.push_str(&format!(
                "rule r{number} {}\n",
                rule.replace(" @ ", &format!(" {refines} "))
            ));
        }
        text.push_str("rule all on * when args.n == 2 dry_run\n");
        text
    })
}

/// A JSON object of these members.
fn members<'k>(each: impl Iterator<Item = (&'k str, String)>) -> String {
    let members: Vec<String> = each.map(|(key, value)| format!("{key:?}:{value}")).collect();
    format!("{{{}}}", members.join(","))
}

pub fn args() -> impl Strategy<Value = String> {
    let pick = |s: &'static [&'static str]| prop::sample::select(s).prop_map(|t| format!("{t:?}"));
    let color = || pick(&["red", "green", "blue"]);
    let text = || word().prop_map(|w| format!("{w:?}"));
    let list = |s: BoxedStrategy<String>, n: usize| {
        prop::collection::vec(s, 0..n).prop_map(|v| format!("[{}]", v.join(",")))
    };
    let record = (color(), -3..4i32, list(text().boxed(), 3))
        .prop_map(|(k, v, t)| format!(r#"{{"k":{k},"v":{v},"tags":{t}}}"#));
    let plain = (any::<bool>(), -3..4i32, -3..4i32, -3..4i32, text(), color());
    let command = prop_oneof![
        prop::sample::select(&COMMANDS[..]).prop_map(str::to_owned),
        (
            prop::sample::select(&COMMANDS[..]),
            prop::sample::select(&COMMANDS[..])
        )
            .prop_map(|(a, b)| format!("{a} | {b}")),
        "[a-z '\"$(){};&|<>`\n-]{0,20}",
    ];
    let sum = (0..3u32, prop::sample::select(&["a", "B"][..])).prop_map(|(kind, digit)| match kind {
        0 => format!("sha256:{}", digit.repeat(64)),
        1 => format!("SHA384:{}", digit.repeat(96)),
        _ => format!("sha512:{}", digit.repeat(128)),
    });
    let query = prop_oneof![
        prop::sample::select(&QUERIES[..]).prop_map(str::to_owned),
        "[A-Z a-z'\"();,*=-]{0,20}",
    ];
    let domains = (
        pick(&HOSTS),
        pick(&PATHS),
        pick(&URLS),
        pick(&MAILS),
        (command, query, pick(&REPOS), pick(&CIDRS), sum).prop_map(|(c, q, repo, net, sum)| {
            let (c, q) = (json_text(&c), json_text(&q));
            format!("{c},\"sql\":{q},\"repo\":{repo},\"net\":{net},\"sum\":\"{sum}\"")
        }),
    );
    let times = (
        pick(&LENGTHS),
        prop::sample::select(&[0u32, 1, 60, 61][..]),
        pick(&MOMENTS),
        pick(&DAYS),
        prop::option::of(pick(&MOMENTS)),
        pick(&IPS),
    );
    let risk = || pick(&["low", "medium", "high", "critical"]);
    let risks = (risk(), prop::option::of(risk()));
    let words = |n: usize| {
        prop::sample::subsequence(&WORDS[..], 0..n).prop_map(|words| {
            let words: Vec<String> = words.iter().map(|w| format!("{w:?}")).collect();
            format!("[{}]", words.join(","))
        })
    };
    let colors = (
        prop::sample::subsequence(&["red", "green", "blue"][..], 0..4),
        -3..4i32,
    )
        .prop_map(|(keys, n)| members(keys.iter().map(|k| (*k, n.to_string()))));
    let records =
        (prop::sample::subsequence(&WORDS[..], 0..4), -3..4i32, words(4)).prop_map(|(keys, n, tags)| {
            members(keys.iter().map(|k| (*k, format!(r#"{{"v":{n},"tags":{tags}}}"#))))
        });
    let sets = (colors, prop::option::of(records), words(5));
    let optionals = (
        prop::option::of(text()),
        prop::option::of(-3..4i32),
        prop::option::of((-3..4i32, text(), prop::option::of(color()))),
        prop::option::of(list((-3..4i32).prop_map(|n| n.to_string()).boxed(), 3)),
    );
    let lists = (
        list(text().boxed(), 4),
        list(pick(&MAILS).boxed(), 4),
        list(record.boxed(), 3),
    );
    let parts = (plain, domains, optionals, lists, (times, risks, sets));
    parts.prop_map(|((f, n, d, m, s, c), (h, p, u, e, cmd), (os, on, rec, ol), (xs, es, rs), ((du, ds, at, day, oat, ip), (k, ok), (mp, ms, st)))| {
        let mut out = format!(
            r#""flag":{f},"n":{n},"d":{d}.5,"m":{m}.25,"s":{s},"c":{c},"h":{h},"p":{p},"u":{u},"e":{e},"cmd":{cmd},"xs":{xs},"es":{es},"rs":{rs}"#
        );
        out.push_str(&format!(r#","du":{du},"ds":{ds},"at":{at},"day":{day}"#));
        out.push_str(&format!(r#","k":{k},"ip":{ip}"#));
        if let Some(ok) = ok {
            out.push_str(&format!(r#","ok":{ok}"#));
        }
        out.push_str(&format!(r#","mp":{mp},"st":{st}"#));
        if let Some(ms) = ms {
            out.push_str(&format!(r#","ms":{ms}"#));
        }
        if let Some(oat) = oat {
            out.push_str(&format!(r#","oat":{oat}"#));
        }
        if let Some(os) = os {
            out.push_str(&format!(r#","os":{os}"#));
        }
        if let Some(on) = on {
            out.push_str(&format!(r#","on":{on}"#));
        }
        if let Some((x, y, z)) = rec {
            let z = z.map_or(String::new(), |z| format!(r#","z":{z}"#));
            out.push_str(&format!(r#","rec":{{"x":{x},"y":{y}{z}}}"#));
        }
        if let Some(ol) = ol {
            out.push_str(&format!(r#","ol":{ol}"#));
        }
        format!("{{{out}}}")
    })
}

/// Random conditions may exclude one another, or need more rows than a rule may have; rules may oblige what cannot be
/// joined.
const EXPECTED: [gait::diag::Code; 3] = [
    gait::diag::codes::CONSTANT_CONDITION,
    gait::diag::codes::TOO_LARGE,
    gait::diag::codes::OBLIGATION_CONFLICT,
];

/// The approvals a decision asks for are enough exactly when those of every rule are, each asked by itself.
fn approvals_agree(
    decided: &[ApprovalSpec],
    asked: &[ApprovalSpec],
    given: &[Approval],
    shown: &dyn Fn() -> String,
) {
    assert_eq!(decided.is_empty(), asked.is_empty(), "{}", shown());
    let asking = Asking {
        requester: vec!["cid".into()],
        chain: Some(vec!["eve".into()]),
    };
    let now = Some(100_000);
    let met = |specs: &[ApprovalSpec]| satisfied(specs, given, &asking, now).is_some();
    let each = !asked.is_empty() && asked.iter().all(|spec| met(std::slice::from_ref(spec)));
    assert_eq!(
        met(decided),
        each,
        "{given:?}\n{decided:#?}\n{asked:#?}\n{}",
        shown()
    );
}

/// Compares the two on every call; how many were compared.
fn agree(text: &str, calls: &[String], given: &[Approval]) -> usize {
    let report = compile::check("random.gaitpol", text);
    let unexpected: Vec<_> = report
        .diagnostics
        .iter()
        .filter(|d| d.is_error() && !EXPECTED.contains(&d.code))
        .collect();
    assert!(unexpected.is_empty(), "{text}\n{unexpected:#?}");
    let Some(checked) = report.checked else { return 0 };
    let program = compile::lower(&checked);
    let bytes = ir::encode(&program);
    let again = ir::decode(&bytes).expect("canonical bytes decode");
    assert_eq!(again, program, "the program survives its canonical bytes");
    let index = checked
        .package()
        .tools
        .iter()
        .position(|t| t.name == "t.one")
        .expect("declared");
    let tool = again.tool("t.one").expect("declared");
    let mut workspace = Workspace::new(&again);
    for call in calls {
        let json: Json = json::parse(call.as_bytes()).expect("well-formed call");
        let args = Value::Record(bind::bind_record(&json, &tool.args).expect("well-typed call"));
        let bound = request::bind(&again, tool, &Request::call("t.one", &json), Counting::Known)
            .expect("well-typed call");
        let outcome = decide(&again, tool, &bound.record, &mut workspace);
        let decision = explain(&again, tool, &bound.record, &outcome);
        let expected = reference::interpret(checked.package(), index, &args);
        let matched: Vec<String> = decision.matched.iter().map(|m| m.name.to_string()).collect();
        let shown = || format!("{text}\n{call}\n{}", ir::print(&again));
        assert_eq!(
            (decision.verdict, &matched),
            (expected.verdict, &expected.matched),
            "{}",
            shown()
        );
        assert_eq!(decision.reason_codes, expected.codes, "{}", shown());
        let waits = decision.verdict == Verdict::RequireApproval;
        assert_eq!(decision.approvals.is_empty(), !waits, "{}", shown());
        approvals_agree(&decision.approvals, &expected.asked, given, &shown);
        // Two rules that can fire together and disagree are found when the policy is compiled.
        assert!(!expected.conflict, "{}", shown());
        let obliged = obligation::join(&again.obligations, expected.obliged.iter());
        assert_eq!(decision.obligations, obliged.obligations, "{}", shown());
        assert_eq!(obliged.obligations.len(), expected.obliged.len(), "{}", shown());
    }
    calls.len()
}

/// One random policy and so many random calls; how many were compared. For `benches/differential.rs`.
#[allow(dead_code, reason = "only benches/differential.rs asks for it")]
pub fn batch(runner: &mut proptest::test_runner::TestRunner, most: usize) -> usize {
    use proptest::strategy::ValueTree as _;
    let calls = prop::collection::vec(args(), most..=most);
    let given = prop::collection::vec(given_approval(), 0..5);
    let drawn = (policy(), calls, given)
        .new_tree(runner)
        .expect("nothing is filtered for long");
    let (text, calls, given) = drawn.current();
    agree(&text, &calls, &given)
}

/// Alternatives that are asked apart, within alternatives that would be.
#[test]
fn alternatives_within_alternatives_agree() {
    let conj = "args.flag and (present args.rec and is(args.c, args.rec.z) \
        or (any x in args.xs: x == \"a\" and (args.mp[args.c] else 0) > 0 or present args.ms[args.s]) \
        or present args.rec and args.rec.x > 0) \
        and (len(args.cmd.commands) >= 1 or present args.rec and args.rec.x < 0)";
    let text = format!(
        "{HEAD}rule r0 on t.one when {conj} block\nrule r1 on t.one when args.flag unless {conj} allow\n"
    );
    for x in [-1, 0, 1] {
        let call = format!(
            r#"{{"flag":true,"n":0,"d":0.5,"m":0.25,"s":"a","c":"red","h":"10.1.2.3","p":"/ws","u":"http://acme.com/","e":"ann@acme.com","cmd":"ls","sql":"SELECT 1","repo":"git@github.com:acme/api.git","net":"10.1.0.0/16","sum":"sha256:{}","xs":[],"es":[],"rs":[],"du":"0s","ds":0,"at":"2026-12-29T14:00:00Z","day":"2024-02-29","k":"low","ip":"10.1.2.3","mp":{{}},"st":[],"rec":{{"x":{x},"y":"a"}}}}"#,
            "a".repeat(64)
        );
        agree(&text, &[call], &[]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn alternatives_asked_apart_agree(
        clauses in prop::collection::vec(prop::collection::vec(simple_atom(), 2..5), 4..9),
        rest in condition(),
        calls in prop::collection::vec(args(), 1..12),
    ) {
        let all: Vec<String> = clauses.iter().map(|c| format!("({})", c.join(" or "))).collect();
        let text = format!(
            "{HEAD}rule r0 on t.one when {} block\nrule r1 on t.one when {rest} unless {} allow\n",
            all.join(" and "),
            all.join(" and "),
        );
        agree(&text, &calls, &[]);
    }

    /// A predicate over the whole record of arguments means its condition, written where it is asked.
    #[test]
    fn a_predicate_means_its_condition(
        cond in condition().prop_filter("targets are not passed", |c| !c.contains("targets.") && !c.contains("context.")),
        calls in prop::collection::vec(args(), 1..12),
    ) {
        let start = HEAD.find("  flag:").unwrap();
        let end = HEAD.find("  effect net.egress").unwrap();
        let fields = HEAD[start..end].trim().replace('\n', ",");
        let direct = format!("{HEAD}rule r0 on t.one when {cond} block\n");
        let passed = cond.replace("args.", "a.");
        let named = format!("{HEAD}pred p(a: {{ {fields} }}) = {passed}\nrule r0 on t.one when p(args) block\n");
        let (direct, named) = (compile::check("a", &direct), compile::check("a", &named));
        prop_assert_eq!(direct.errors(), named.errors(), "{:#?}", named.diagnostics);
        let (Some(direct), Some(named)) = (direct.checked, named.checked) else { return Ok(()) };
        prop_assert_eq!(&compile::lower(&direct).tools, &compile::lower(&named).tools);
        for call in &calls {
            let tool = &direct.package().tools[0];
            let args = Value::Record(bind::bind_record(&json::parse(call.as_bytes()).unwrap(), &tool.args).unwrap());
            let (one, other) = (direct.package(), named.package());
            let verdict = |package| reference::interpret(package, 0, &args).verdict;
            prop_assert_eq!(verdict(one), verdict(other), "{}", call);
        }
    }

    #[test]
    fn index_and_interpreter_agree(
        text in policy(),
        calls in prop::collection::vec(args(), 1..12),
        given in prop::collection::vec(given_approval(), 0..5),
    ) {
        agree(&text, &calls, &given);
    }
}
