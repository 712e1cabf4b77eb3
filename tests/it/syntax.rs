//! Parser diagnostics as a table, and properties of the parser, formatter and highlighter on arbitrary text.

use gait::limits;
use gait::source::{FileId, Source};
use gait::syntax::token::{Keyword, Kind};
use gait::syntax::{ast, format, highlight, lexer, parse};
use proptest::prelude::*;

fn source(text: &str) -> Source {
    Source::new(FileId(0), "t.gaitpol", text)
}

fn reference() -> &'static str {
    let manual = include_str!("../../docs/reference/language.md");
    manual
        .split("```gaitpol\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap()
}

/// What a parse means: its debug form without the places.
fn meaning(text: &str) -> String {
    let parsed = parse(&source(text));
    assert_eq!(parsed.diagnostics, vec![], "{text}");
    let debug = format!("{:?}", parsed.module);
    let mut parts = debug.split("Span { file: FileId(0), start: ");
    let mut out = parts.next().unwrap().to_owned();
    parts.for_each(|part| out.push_str(part.split_once('}').unwrap().1));
    out
}

fn comments(text: &str) -> Vec<String> {
    let source = source(text);
    let tokens = lexer::lex(&source);
    let comments = tokens.iter().filter(|t| t.kind == Kind::Comment);
    comments
        .map(|t| source.slice(t.span).trim_end().to_owned())
        .collect()
}

/// Item text after `gaitpol 1`, then for each diagnostic: code, text of its place, message, replacement or `-`.
type Mistakes = (
    &'static str,
    &'static [(&'static str, &'static str, &'static str, &'static str)],
);

const MISTAKES: &[Mistakes] = &[
    (
        "rule a on x when args.a reqire_approval",
        &[(
            "GP0004",
            "reqire_approval",
            "expected an operator, a verdict, `when`, `unless`, `refines`, `and`, `or` or `else`, found `reqire_approval`",
            "require_approval",
        )],
    ),
    (
        "rulee a on x allow\nrule b on x allow",
        &[(
            "GP0004",
            "rulee",
            "expected an item such as `tool`, `rule` or `test`, found `rulee`",
            "rule",
        )],
    ),
    (
        "rule b on é",
        &[("GP0001", "é", "`é` is not part of the language", "-")],
    ),
    (
        "rule b on x",
        &[(
            "GP0004",
            "x",
            "this `rule` is not finished: expected a verdict, `when`, `unless`, `refines` or `,`",
            "-",
        )],
    ),
    (
        "rule a x allow",
        &[("GP0004", "x", "expected a description or `on`, found `x`", "-")],
    ),
    (
        "rule a on x when args.b = 1 allow",
        &[(
            "GP0004",
            "=",
            "expected an operator, a verdict, `when`, `unless`, `refines`, `and`, `or` or `else`, found `=`",
            "==",
        )],
    ),
    (
        "rule a on x when args.b && c allow",
        &[("GP0001", "&&", "`&&` is not part of the language", "and")],
    ),
    (
        "rule a on x when args.b == any allow",
        &[("GP0004", "any", "expected a value, found `any`", "\"any\"")],
    ),
    (
        "rule a on x when args.b == null allow",
        &[("GP0004", "null", "expected a value, found `null`", "-")],
    ),
    (
        "rule a on x when not ) allow",
        &[("GP0004", ")", "expected a condition, found `)`", "-")],
    ),
    (
        "rule a on x when b in {1 2} allow",
        &[("GP0004", "2", "expected `else`, `,` or `}`, found `2`", ",")],
    ),
    (
        "rule a on x when b in {1, 2 allow",
        &[("GP0004", "{", "`{` is never closed", "-")],
    ),
    (
        "rule a on x when (b allow\nrule c on x allow",
        &[("GP0004", "(", "`(` is never closed", "-")],
    ),
    (
        "rule a on x when b == \"é allow\n  code c",
        &[(
            "GP0002",
            "\"é allow",
            "this string is not closed on its line",
            "-",
        )],
    ),
    (
        "rule a on x when b like \"é\\d\" allow",
        &[("GP0002", "\\d", "`\\d` is not an escape", "-")],
    ),
    (
        "rule a on x when b == 1e5 allow",
        &[(
            "GP0003",
            "1e5",
            "`1e5` is not a number: it has letters that are no unit",
            "-",
        )],
    ),
    (
        "tool get-weather {}",
        &[("GP0004", "-", "expected a description or `{`, found `-`", "-")],
    ),
    (
        "tool t { a: }",
        &[("GP0004", "}", "expected a type, found `}`", "-")],
    ),
    (
        "tool t { effct a.b }",
        &[("GP0004", "a", "expected `:`, found `a`", "effect")],
    ),
    (
        "tool t { a: String[] }",
        &[(
            "GP0004",
            "]",
            "expected a type, a whole number or `max`, found `]`",
            "-",
        )],
    ),
    (
        "tool t {\n  a: String\nrule a on x allow",
        &[("GP0004", "{", "`{` is never closed", "-")],
    ),
    (
        "enum E { a b }",
        &[("GP0004", "b", "expected `,` or `}`, found `b`", ",")],
    ),
    (
        "test x { }",
        &[("GP0004", "x", "expected a string, found `x`", "-")],
    ),
    (
        "test \"t\" { call x {} = allow }",
        &[(
            "GP0004",
            "=",
            "expected `from`, `approved` or `=>`, found `=`",
            "-",
        )],
    ),
    (
        "default deny",
        &[("GP0004", "deny", "expected a verdict, found `deny`", "-")],
    ),
    (
        "rule a on x, when b allow",
        &[(
            "GP0004",
            "b",
            "expected a verdict, `when`, `unless`, `refines` or `,`, found `b`",
            "-",
        )],
    ),
    (
        "// a\u{202E}b\nrule a on x when b == \"\u{200B}\u{200B}\" allow",
        &[
            (
                "GP0008",
                "\u{202E}",
                "the text holds the hidden character U+202E",
                "",
            ),
            (
                "GP0008",
                "\u{200B}\u{200B}",
                "the text holds 2 hidden characters, the first is U+200B",
                "",
            ),
        ],
    ),
    (
        "rule a \u{200B} on x allow",
        &[(
            "GP0008",
            "\u{200B}",
            "the text holds the hidden character U+200B",
            "",
        )],
    ),
    (
        "gaitpol 1",
        &[("GP0006", "1", "the edition is not the first line", "-")],
    ),
    (
        "tool { }\nrule a allow\nenum E { é }\nrule ok on x allow\ndefault",
        &[
            ("GP0004", "{", "expected a name, found `{`", "-"),
            (
                "GP0004",
                "allow",
                "expected a description or `on`, found `allow`",
                "-",
            ),
            ("GP0001", "é", "`é` is not part of the language", "-"),
            (
                "GP0004",
                "default",
                "this `default` is not finished: expected a verdict",
                "-",
            ),
        ],
    ),
];

fn check(text: &str, want: &[(&str, &str, &str, &str)]) {
    let source = source(text);
    let got: Vec<(String, String, String, String)> = parse(&source)
        .diagnostics
        .into_iter()
        .map(|d| {
            let edit = d.edit.map_or("-".to_owned(), |e| e.replacement);
            (
                d.code.to_string(),
                source.slice(d.primary.span).to_owned(),
                d.message,
                edit,
            )
        })
        .collect();
    let want: Vec<_> = want
        .iter()
        .map(|(c, s, m, e)| (c.to_string(), s.to_string(), m.to_string(), e.to_string()))
        .collect();
    assert_eq!(got, want, "{text}");
}

#[test]
fn each_mistake_has_its_message_place_and_edit() {
    for (text, want) in MISTAKES {
        check(&format!("gaitpol 1\n{text}"), want);
    }
    let missing = (
        "GP0006",
        "",
        "the first line does not name the edition",
        "gaitpol 1\n\n",
    );
    check("", &[missing]);
    check("// é\nrule a on x allow", &[missing]);
    check(
        "gaitpol 2\nrule",
        &[("GP0006", "2", "this compiler does not know edition `2`", "-")],
    );
    check(
        "gaitpol one\nrule a on x allow",
        &[("GP0006", "one", "expected a whole number, found `one`", "-")],
    );
}

#[test]
fn a_mistake_leaves_the_other_items_whole() {
    let text = "gaitpol 1\nrule a on x allow\nrule b on\nenum E { a\nrule c on x allow\nrulle d on x\nrule e on x block";
    let parsed = parse(&source(text));
    assert_eq!(parsed.diagnostics.len(), 3);
    let names = parsed.module.items.iter().map(|item| match item {
        ast::Item::Rule(rule) => rule.name.text.as_str(),
        _ => "",
    });
    assert_eq!(names.collect::<Vec<_>>(), ["a", "c", "e"]);
}

#[test]
fn keywords_are_names_wherever_only_a_name_can_stand() {
    let mut refused = Vec::new();
    for word in Keyword::ALL.iter().map(|k| k.text()) {
        for form in [
            "tool W { W: String W2: { W: Bool } effect W to W.W effect W.W }",
            "tool W.W \"d\" {}",
            "enum W { W, a }",
            "group W = W, W.W, tools with effect W or W, tools with effect only { W }",
            "rule W on W when args.W == 1 and any W in args.W: args.W.W allow code W",
            "default block code W",
            "test \"t\" { call W { W: 1, a: { W: 2 } } => block code W, W by W, W }",
            "examples W { match W { W: W } not_match W.W { } match W { } }",
        ] {
            let text = format!("gaitpol 1\n{}", form.replace("W2", "second").replace('W', word));
            if !parse(&source(&text)).diagnostics.is_empty() {
                refused.push(format!("{word}: {form}"));
            }
        }
    }
    assert_eq!(refused, Vec::<String>::new());
}

#[test]
fn deep_texts_are_refused_and_never_crash() {
    let n = 200_000;
    let expr = |e: String| format!("gaitpol 1\nrule a on x when {e} allow");
    let pairs =
        |open: &str, inner: &str, close: &str| format!("{}{inner}{}", open.repeat(n), close.repeat(n));
    let texts = [
        expr(pairs("(", "a", ")")),
        expr(pairs("{", "a", "}")),
        expr(pairs("len(", "a", ")")),
        expr("(".repeat(n)),
        expr(format!("{}a", "not ".repeat(n))),
        expr(format!("{}a", "any x in y: ".repeat(n))),
        expr(format!("a{}", " and a".repeat(n))),
        expr(format!("a{}", " or a".repeat(n))),
        expr(format!("a{}", ".b".repeat(n))),
        format!("gaitpol 1\ntool t {{ a: {} }}", pairs("List[", "Int", "]")),
        format!("gaitpol 1\ntool t {{ a: {} }}", pairs("{ a: ", "Int", "}")),
        format!("gaitpol 1\ntool t {{ a: Int{} }}", "?".repeat(n)),
        format!(
            "gaitpol 1\ntest \"t\" {{ call t {{ a: {} }} => allow }}",
            pairs("[", "", "]")
        ),
        format!(
            "gaitpol 1\ntest \"t\" {{ call t {{ a: {} }} => allow }}",
            pairs("{ a: ", "1", "}")
        ),
    ];
    for text in texts {
        assert!(text.len() <= limits::SOURCE_BYTES);
        let codes: Vec<_> = parse(&source(&text))
            .diagnostics
            .iter()
            .map(|d| d.code.0)
            .collect();
        assert_eq!(codes, ["GP0005"], "{}", &text[..60]);
    }
    let chain = expr(format!("a{}", " and a".repeat(limits::SYNTAX_HEIGHT)));
    assert_eq!(parse(&source(&chain)).diagnostics, vec![]);
    let nest = expr(format!(
        "{}a{}",
        "(".repeat(limits::SYNTAX_DEPTH),
        ")".repeat(limits::SYNTAX_DEPTH)
    ));
    assert_eq!(parse(&source(&nest)).diagnostics, vec![]);
    for (open, close) in [("(", ")"), ("not ", ""), ("{", "}")] {
        let depth = limits::SYNTAX_DEPTH + 1;
        let past = expr(format!("{}a{}", open.repeat(depth), close.repeat(depth)));
        assert_eq!(parse(&source(&past)).diagnostics[0].code.0, "GP0005", "{open}");
    }
    let large = "/".repeat(limits::SOURCE_BYTES + 1);
    assert_eq!(parse(&source(&large)).diagnostics[0].code.0, "GP0009");
    assert!(highlight(&source(&large)).is_empty());
}

/// Every expression below this one, itself first.
fn all_exprs<'e>(expr: &'e ast::Expr, out: &mut Vec<&'e ast::Expr>) {
    use ast::ExprKind as E;
    out.push(expr);
    match &expr.kind {
        E::Or(a, b)
        | E::And(a, b)
        | E::Compare(a, _, b)
        | E::Arith(a, _, b)
        | E::Else(a, b)
        | E::Lookup(a, b) => {
            all_exprs(a, out);
            all_exprs(b, out);
        }
        E::Not(a) | E::Present(a) | E::Field(a, _) => all_exprs(a, out),
        E::Quantified { list, body, .. } | E::Aggregate { list, body, .. } => {
            all_exprs(list, out);
            all_exprs(body, out);
        }
        E::Call(_, parts) | E::Set(parts) => parts.iter().for_each(|part| all_exprs(part, out)),
        E::History(history) => history
            .conditions()
            .into_iter()
            .for_each(|part| all_exprs(part, out)),
        E::Name(_) | E::String(_) | E::Number(_) | E::Bool(_) => {}
    }
}

#[test]
fn the_text_of_an_expression_means_the_expression() {
    let condition = |text: &str| {
        meaning(&format!("gaitpol 1\nrule r on x when {text}\nallow"))
            .split_once("conditions")
            .unwrap()
            .1
            .to_owned()
    };
    let text = "gaitpol 1\nrule r \"é\" on x // é\n when ( a == \"é\" /*/ or b.\"ü\" in { 1_0 , \"ß\" , } ) and not \
                present c and (args.d else -1.50) >= 64KiB or all é_ in f(g , true).h : not i not in { j }\nallow"
        .replace("/*/", "// ö\n")
        .replace("é_", "e_");
    for text in [text.as_str(), reference()] {
        let source = source(text);
        let parsed = parse(&source);
        assert_eq!(parsed.diagnostics, vec![]);
        let mut exprs = Vec::new();
        for item in &parsed.module.items {
            if let ast::Item::Rule(rule) = item {
                assert!(source.slice(rule.span).starts_with("rule "));
                assert_eq!(source.slice(rule.span), source.slice(rule.span).trim());
                rule.conditions
                    .iter()
                    .for_each(|c| all_exprs(&c.expr, &mut exprs));
            }
        }
        assert!(exprs.len() > 10);
        for expr in exprs {
            let own = source.slice(expr.span);
            assert_eq!(own, own.trim());
            let kind = format!("{:?}", expr.kind);
            let mut want = String::new();
            for (i, part) in kind.split("Span { file: FileId(0), start: ").enumerate() {
                want.push_str(if i == 0 {
                    part
                } else {
                    part.split_once('}').unwrap().1
                });
            }
            assert!(
                condition(own).contains(&want),
                "{own}\n{want}\n{}",
                condition(own)
            );
        }
    }
}

fn assert_format(text: &str) -> Result<(), TestCaseError> {
    let Ok(once) = format(&source(text)) else {
        let all = parse(&source(text)).diagnostics;
        return Err(TestCaseError::fail(format!("refused:\n{text}\n{all:#?}")));
    };
    prop_assert_eq!(meaning(&once), meaning(text), "meaning of\n{}\n{}", text, once);
    prop_assert_eq!(comments(&once), comments(text), "comments of\n{}", text);
    prop_assert_eq!(
        format(&source(&once)),
        Ok(once.clone()),
        "not stable:\n{}\n{}",
        text,
        once
    );
    prop_assert!(once.ends_with('\n') && !once.ends_with("\n\n") && !once.contains("\n\n\n"));
    prop_assert!(once.lines().all(|line| line == line.trim_end()));
    Ok(())
}

#[test]
fn reference_example_is_in_canonical_layout() {
    assert_eq!(format(&source(reference())).as_deref(), Ok(reference()));
    assert_format(&reference().replace('\n', "\r\n")).unwrap();
}

#[test]
fn a_text_with_a_mistake_is_not_formatted() {
    assert_eq!(
        format(&source("gaitpol 1\nrule a on x")).map_err(|d| d.len()),
        Err(1)
    );
}

const ITEMS: &[&str] = &[
    "default require_approval",
    "effects { a.b , irreversible , \"odd name\" , }",
    "enum Env { dev , \"very-long-member-of-this-enumeration\" , staging , another_member , prod , block }",
    "group g . h = * , a . b , tools with effect a . b or c , tools with effect only { a , b }",
    "tool t . u \"Does é\" { to : List [ Email , max 50 ] , env : enum { a , b , } ? note : String [ max 64KiB ] ? \
     effect a . b to each to . domain , m : { campaign : Money [ USD , 2 ] ? , urgent : { x : Bool , } } effect c }",
    "tool empty { }",
    "rule r \"d\" on a . b , c when any x in args . to : not x . domain under \"acme.com\" and ( x == y or f ( x , 1 ) ) \
     unless not a not in { 1_000.00 , -2 , 64KiB , \"é\" , r\"\\d\" , } or present args . \"odd-name\" \
     when ( args . x else true ) == b and not not ( c ) block code a . b hint \"ask\"",
    "rule s on * allow",
    "test \"t\" { call a . b { to : [ \"ann@acme.com\" , [ ] , { a : null , b : dev , } ] , n : -1.5 , } => block \
     code a . b , c by r , s call empty { } => allow }",
    "test \"none\" { }",
    "examples r { given { env : prod , } match a . b { to : [ \"ann@acme.com\" , ] , n : -1.5 , } , not_match a . b { n : 1 } \
     match \"odd tool\" { } }",
    "examples s { }",
    "examples t { session { turn , call a . b { x : 1 } } match a { } from { x : user , } not_match a { } from { } , }",
    "context { fact env : enum { a , b , } , claim \"odd name\" : { a : Int ? , } ? from intent context . x fact order : T }",
    "context { }",
    "test \"given\" { given { env : prod , } given { order : { total : 5.00 , items : [ 1 , 2 ] , } , } call a { } => allow }",
    "tool open { a : Int ... effect c , ... }",
    "rule sums on x when args . a + 1.00 - args . b . c <= sum ( i in args . items : i . price ) and \
     count ( i in args . items : i . n > 1 and not any j in i . js : j == i . k ) >= 2 allow",
    "type Amount = Decimal [ 2 ]",
    "type Line = { id : String [ max 9 ] , price : Amount ? , }",
    "set hosts : Host = { \"acme.com\" , \"another-very-long-host-name.acme.com\" , \"acme.org\" , \"x.example\" , }",
    "pred inside ( h : Host , n : Int ? ) = h under \"acme.com\" or h in hosts and ( n else 0 ) > 3",
    "pred always ( x : Bool ) = x",
    "profile strict",
    "import std . net",
    "import \"lib/mail.gaitpol\" as mail",
    "import \"a-rather-long-folder/and-a-long-name.gaitpol\" { partners , known , } digest \"sha256:0000000000000000000\"",
    "lints { allow shadowed_name , deny broad_allow , }",
    "label secret , \"odd name\" , pii",
    "level confidentiality { public < internal < \"very secret\" }",
    "source tool_output from get_balance , vault . read => { }",
    "source external => { untrusted , pii , }",
    "source user => untrusted",
    "declassify redact , mask . all removes { pii , secret }",
    "latch saw on result has { a , b , } resets on turn",
    "latch asked on call vault . read when args . key starts_with \"prod/\" or args . n > 1 result ok result has x",
    "tool t { a : Int carries { a . b , c , } , returns { pii , } effect x carries a returns secret }",
    "rule h on t when once ( call a . b when args . x == 1 result failed ) since ( turn ) and after ( result has x ) without \
     ( turn ) or count ( call * ) >= 3 and history matches [ call a , * , call b result has { x , y } , * up_to 3 , turn , ] \
     or not yet ( call tools with effect x or y ) and labels ( args . to , carried ) has any { a , b } and level ( session , c ) \
     >= internal and latch_name block",
    "test \"s\" { session { call a { x : 1 , } , turn call b { } result failed , } call a { } from { x : tool_output , } => allow \
     call b { } from { } => block code x }",
    "test \"one\" { session { turn } call a { } => allow }",
];

const GAPS: &[&str] = &[
    " ",
    " ",
    " ",
    " ",
    "\n  ",
    "\r\n\t",
    " // c1\n ",
    "\n // c2 \n ",
    "\n\n  ",
    "\n\n // é\n\n\n ",
];

/// A file of random items with random blanks and comments between all tokens.
fn layouts() -> impl Strategy<Value = String> {
    let item = (
        0..ITEMS.len(),
        prop::collection::vec(0..GAPS.len(), 130),
        any::<bool>(),
    );
    (prop::collection::vec(item, 0..5), any::<bool>()).prop_map(|(items, policy)| {
        let mut text = "gaitpol 1".to_owned();
        let first = policy.then(|| ("policy a . b @ \"1\"", vec![0, 5, 1, 8, 1, 6, 1], true));
        let rest = items.into_iter().map(|(i, gaps, plain)| (ITEMS[i], gaps, plain));
        for (item, gaps, plain) in first.into_iter().chain(rest) {
            text.push('\n');
            let source = source(item);
            let tokens: Vec<_> = lexer::lex(&source)
                .into_iter()
                .filter(|t| !t.kind.is_trivia())
                .collect();
            for (at, token) in tokens.iter().enumerate() {
                text.push_str(source.slice(token.span));
                let gap = gaps[at % gaps.len()];
                text.push_str(GAPS[if plain && at % 7 != 0 { 0 } else { gap }]);
            }
        }
        text
    })
}

/// Words, marks and pieces of both, in no order.
fn soup() -> impl Strategy<Value = String> {
    let marks =
        "{ } [ ] ( ) , : . ? @ * = => == != < 1 -2 1.5 64KiB 1x \"s\" r\"s\" \"open \\ é \u{202e} // a \n";
    let words: Vec<String> = Keyword::ALL
        .iter()
        .map(|k| k.text())
        .chain(marks.split(' '))
        .map(str::to_owned)
        .collect();
    let word = prop_oneof![
        prop::sample::select(words),
        prop::sample::select(ITEMS).prop_map(str::to_owned)
    ];
    let gap = prop::sample::select(vec!["", " ", "\n"]);
    prop::collection::vec((word, gap), 0..40).prop_map(|parts| {
        parts
            .into_iter()
            .fold("gaitpol 1\n".to_owned(), |text, (word, gap)| text + &word + gap)
    })
}

fn assert_sane(text: &str) -> Result<(), TestCaseError> {
    let source = source(text);
    let parsed = parse(&source);
    for d in &parsed.diagnostics {
        let labels = d.secondary.iter().chain([&d.primary]).map(|label| label.span);
        for span in labels.chain(d.edit.iter().map(|e| e.span)) {
            prop_assert!(text.get(span.range()).is_some(), "{:?}", d);
        }
        prop_assert!(!d.message.is_empty() && !d.message.ends_with('.') && !d.message.contains("expected ,"));
    }
    for (span, _) in highlight(&source) {
        prop_assert!(text.get(span.range()).is_some_and(|t| !t.is_empty()));
    }
    match format(&source) {
        Ok(_) => assert_format(text),
        Err(diagnostics) => {
            prop_assert_eq!(diagnostics, parsed.diagnostics);
            Ok(())
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_answered(text in "(\\PC|[\"\\\\\r\n\t/{}]){0,80}") {
        assert_sane(&text)?;
    }

    #[test]
    fn any_token_soup_is_answered(text in soup()) {
        assert_sane(&text)?;
    }

    #[test]
    fn any_cut_of_the_example_is_answered(at in 0..1500usize, n in 0..30usize) {
        let text: String = reference().chars().enumerate().filter(|(i, _)| *i < at || *i >= at + n).map(|(_, c)| c).collect();
        assert_sane(&text)?;
    }

    #[test]
    fn any_layout_is_made_canonical(text in layouts()) {
        assert_format(&text)?;
    }
}

/// The one layout as it looks: each file of `fixtures/format/` is laid out, and is what the same tokens on one line are
/// laid out as.
#[test]
fn the_one_layout() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/format");
    for entry in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        assert_eq!(format(&source(&text)).as_deref(), Ok(text.as_str()));
        let source_ = source(&text);
        let tokens = lexer::lex(&source_).into_iter().filter(|t| !t.kind.is_trivia());
        let squeezed: Vec<&str> = tokens.map(|t| source_.slice(t.span)).collect();
        if comments(&text).is_empty() {
            // Items are told apart by lines where a name could be one more word of the item before.
            let joined = squeezed.join(" ");
            assert_eq!(format(&source(&joined)).as_deref(), Ok(text.as_str()), "{joined}");
        }
    }
}

#[test]
fn comments_at_the_ends_of_lines_stand_below_each_other() {
    for (text, wanted) in [
        (
            "effects { a.b, // one\n c, // two\n long.name, d // three\n }",
            "effects {\n  a.b, // one\n  c,   // two\n  long.name,\n  d, // three\n}",
        ),
        (
            "tool t { // tool\n a: Int // é\n beta: List[Int, max 3] // β\n\n c: Int // last\n }",
            "tool t { // tool\n  a: Int                 // é\n  beta: List[Int, max 3] // β\n\n  c: Int // last\n}",
        ),
        (
            "rule r on t // where\n when args.a == 1 // why\n and args.b // too\n allow // what",
            "rule r\n  on t             // where\n  when args.a == 1 // why\n    and args.b // too\n  allow // what",
        ),
    ] {
        let text = format!("gaitpol 1\n{text}\n");
        assert_eq!(format(&source(&text)), Ok(format!("gaitpol 1\n\n{wanted}\n")));
        assert_format(&text).unwrap();
    }
}
