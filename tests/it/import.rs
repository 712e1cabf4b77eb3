//! The importer against the tool catalogues of the corpora, against small schemas, and against random ones.

use std::collections::BTreeSet;
use std::io::Read as _;

use gait::import::{Descriptions, Imported, Options, tools_from_bytes};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::corpora;

fn import(catalogue: &Value) -> Imported {
    tools_from_bytes(catalogue.to_string().as_bytes(), &Options::default()).unwrap()
}

/// The declared arguments of one tool with one schema, or why it was refused.
fn lines(schema: Value) -> Result<Vec<String>, String> {
    let done = import(&json!({"name": "t", "inputSchema": schema}));
    if let Some(refusal) = done.refused.first() {
        return Err(refusal.message.clone());
    }
    let body = done
        .source
        .split_once("tool t {\n")
        .unwrap()
        .1
        .strip_suffix("}\n")
        .unwrap();
    Ok(body.lines().map(|l| l.trim().to_owned()).collect())
}

/// The type a required argument `a` of this schema gets.
fn ty(property: Value) -> String {
    let schema = json!({"type": "object", "properties": {"a": property}, "required": ["a"]});
    match lines(schema) {
        Ok(lines) => lines[0].strip_prefix("a: ").unwrap().to_owned(),
        Err(reason) => format!("refused: {reason}"),
    }
}

fn names_in(source: &str) -> BTreeSet<String> {
    let name = |l: &str| {
        let name = l.strip_prefix("tool ")?;
        let name = name.strip_suffix(" {").or_else(|| name.strip_suffix(" {}"))?;
        Some(name.trim_matches('"').to_owned())
    };
    source.lines().filter_map(name).collect()
}

/// What comes out passes `gait policy check`.
fn assert_compiles(done: &Imported) {
    let source = gait::source::Source::new(gait::source::FileId(0), "imported.gaitpol", done.source.clone());
    assert!(
        gait::syntax::format(&source).as_ref() == Ok(&done.source),
        "the import is not laid out"
    );
    let report = gait::compile::check("imported.gaitpol", &done.source);
    let wrong: Vec<String> = report
        .diagnostics
        .iter()
        .map(|d| {
            format!(
                "{} {} at `{}`",
                d.code,
                d.message,
                report.sources[0].slice(d.primary.span)
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), done.source);
}

fn check_corpus(file: &str, least: usize, most_refused: usize) {
    let Some(dir) = corpora::dir() else { return };
    let mut bytes = std::fs::read(dir.join(file)).unwrap();
    if file.ends_with(".gz") {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        bytes = plain;
    }
    let done = tools_from_bytes(&bytes, &Options::default()).unwrap();
    let names = names_in(&done.source);
    println!(
        "{file}: {} tools, {} notes, {} refused",
        done.tools,
        done.notes.len(),
        done.refused.len()
    );
    for note in &done.refused {
        println!("  {} {}: {}", note.tool, note.pointer, note.message);
        assert!(!note.message.is_empty() && !note.tool.is_empty() && note.pointer.starts_with('/'));
    }
    assert_eq!(names.len(), done.tools);
    assert_compiles(&done);
    assert!(done.tools >= least, "{file}: {}", done.tools);
    assert!(
        done.refused.len() <= most_refused,
        "{file}: {}",
        done.refused.len()
    );
    assert_eq!(tools_from_bytes(&bytes, &Options::default()).unwrap(), done);
}

#[test]
fn catalogues_of_the_corpora_import() {
    check_corpus("agentdojo/banking/tools_list.json", 11, 0);
    check_corpus("agentdojo/slack/tools_list.json", 11, 0);
    check_corpus("tau/retail/tools.json", 16, 0);
    check_corpus("injecagent/tools.json", 300, 30);
    check_corpus("bfcl/functions_part.jsonl.gz", 500, 150);
}

#[test]
fn schemas_become_types() {
    for (schema, expected) in [
        (json!({"type": "boolean"}), "Bool"),
        (json!({"type": "integer", "minimum": 1}), "Int"),
        (json!({"type": "float"}), "Decimal[9]"),
        (json!({"type": "string"}), "String"),
        (json!({"type": "string", "maxLength": 35}), "String[max 140]"),
        (json!({"type": "string", "maxLength": 9_000_000}), "String"),
        (json!({"type": "string", "format": "uri"}), "Url"),
        (json!({"type": "string", "format": "email"}), "Email"),
        (json!({"type": "string", "format": "ipv4"}), "Ip"),
        (json!({"type": "string", "format": "date"}), "Date"),
        (json!({"type": "string", "format": "date-time"}), "Instant"),
        (json!({"type": "string", "format": "time"}), "String"),
        (
            json!({"enum": ["a", "b c", "a", "effect"]}),
            "enum { a, \"b c\", effect }",
        ),
        (json!({"const": "x"}), "enum { x }"),
        (json!({"enum": ["a", null]}), "enum { a }?"),
        (json!({"enum": [1, 2]}), "Int"),
        (json!({"type": ["string", "null"]}), "String?"),
        (
            json!({"anyOf": [{"type": "number"}, {"type": "null"}], "default": null}),
            "Decimal[9]?",
        ),
        (json!({"type": "integer", "default": 3}), "Int?"),
        (
            json!({"oneOf": [{"const": "a"}, {"const": "b"}]}),
            "enum { a, b }",
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
            "refused: a choice between different types",
        ),
        (
            json!({"type": ["string", "integer"]}),
            "refused: several types: string, integer",
        ),
        (
            json!({"type": "array", "items": {"type": "integer"}, "maxItems": 3}),
            "List[Int, max 3]",
        ),
        (json!({"type": "array"}), "List[String, max 10000]"),
        (
            json!({"type": "tuple", "items": [{"type": "number"}, {"type": "number"}]}),
            "List[Decimal[9], max 10000]",
        ),
        (
            json!({"type": "dict", "properties": {"x.y": {"type": "integer"}, "z": {}}, "required": ["x.y"]}),
            "{ \"x.y\": Int }",
        ),
        (
            json!({"type": "object"}),
            "refused: an object whose members are not named",
        ),
        (json!({"type": "any"}), "refused: no type for `any`"),
        (json!({}), "refused: no type; the language has no `any`"),
        (json!(true), "refused: a boolean where a schema should be"),
        (
            json!({"$ref": "https://x.example/s"}),
            "refused: `$ref` leads nowhere in this schema",
        ),
        (json!({"allOf": [{"type": "integer"}]}), "Int"),
        (json!({"type": "string", "nullable": true}), "String?"),
    ] {
        assert_eq!(ty(schema.clone()), expected, "{schema}");
    }
}

#[test]
fn references_are_followed_and_cycles_refused() {
    let schema = |of: Value| {
        json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/N"}}, "required": ["a"],
            "$defs": {"N": of, "S": {"type": "string"}}})
    };
    assert_eq!(
        lines(schema(json!({"$ref": "#/$defs/S"}))),
        Ok(vec!["a: String".to_owned()])
    );
    assert_eq!(
        lines(schema(json!({"$ref": "#/$defs/N"}))),
        Err("the schema contains itself".to_owned())
    );
    let tree = |required: Value| {
        json!({"type": "object", "required": required, "properties": {
            "v": {"type": "integer"}, "next": {"$ref": "#/$defs/N"}}})
    };
    assert_eq!(
        lines(schema(tree(json!(["v", "next"])))),
        Err("the schema contains itself".to_owned())
    );
    assert_eq!(
        lines(schema(tree(json!(["v"])))),
        Ok(vec!["a: { v: Int }".to_owned()])
    );
    // Each definition doubles the one before: small text, endless schema.
    let mut defs = json!({"D0": {"type": "integer"}});
    for i in 1..15 {
        let below = format!("#/$defs/D{}", i - 1);
        defs[format!("D{i}")] = json!({"type": "object", "properties": {
            "a": {"$ref": below}, "b": {"$ref": below}}, "required": ["a", "b"]});
    }
    let bomb = json!({"type": "object", "properties": {"a": {"$ref": "#/$defs/D14"}}, "$defs": defs});
    assert_eq!(lines(bomb), Err("over 10000 subschemas in one tool".to_owned()));
}

#[test]
fn every_envelope_gives_the_same_source() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]});
    let mcp = json!({"name": "x.y", "description": "d", "inputSchema": schema});
    let plain = json!({"name": "x.y", "parameters": schema});
    let expected =
        "gaitpol 1\npolicy imported.tools\n\ndefault block code no_rule_matched\n\ntool x.y {\n  a: Int\n}\n";
    for catalogue in [
        json!({"tools": [mcp]}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": [mcp], "nextCursor": "n"}}),
        json!([mcp]),
        mcp.clone(),
        json!([{"type": "function", "function": plain}]),
        json!({"tools": [{"type": "function", "function": plain}]}),
        json!([{"id": 1, "function": [plain]}]),
        json!({"name": "x.y", "input_schema": schema}),
    ] {
        let done = import(&catalogue);
        assert_eq!((done.source.as_str(), done.tools), (expected, 1), "{catalogue}");
        assert_eq!(done.refused, [], "{catalogue}");
    }
    let jsonl = format!("{plain}\n\n{mcp}\r\n");
    let done = tools_from_bytes(jsonl.as_bytes(), &Options::default()).unwrap();
    assert_eq!(
        (done.source.as_str(), done.notes[0].pointer.as_str()),
        (expected, "/1")
    );
    assert_eq!(
        tools_from_bytes(b"{\"name\":\"a\"}\n{oops", &Options::default())
            .unwrap_err()
            .at,
        14
    );
}

#[test]
fn repeats_merge_or_are_refused() {
    let tool = |property: &str| json!({"name": "t", "parameters": {"type": "object", "properties": {"a": {"type": property}}, "required": ["a"]}});
    let done = import(&json!([tool("string"), tool("string"), tool("integer")]));
    assert_eq!((done.tools, done.notes.len(), done.refused.len()), (1, 1, 1));
    assert_eq!(done.refused[0].pointer, "/2");
    let done = import(&json!([tool("any"), tool("integer")]));
    assert_eq!((done.tools, done.refused.len()), (0, 2));
}

#[test]
fn descriptions_and_hints_come_only_when_asked_for() {
    let tool = json!({"name": "get-it", "description": "say \"hi\"\n\u{202e}", "annotations": {"readOnlyHint": true},
        "inputSchema": {"type": "object", "properties": {}}});
    let options = Options {
        prefix: Some("srv".to_owned()),
        descriptions: Descriptions::Keep,
        policy_name: "my-policy".to_owned(),
    };
    let done = tools_from_bytes(tool.to_string().as_bytes(), &options).unwrap();
    assert!(done.source.contains("policy \"my-policy\"\n"));
    assert!(
        done.source
            .ends_with("tool \"srv.get-it\" \"say \\\"hi\\\"\\n\\u{202E}\" {}\n"),
        "{}",
        done.source
    );
    assert_eq!(done.notes.len(), 1);
    assert!(!import(&tool).source.contains("hi"));
}

/// Numbers no intent could carry are no reason to lose a catalogue; what they bound is at its limit, or noted.
#[test]
fn numbers_past_rfc_8785_do_not_end_an_import() {
    let tool = |property: &str| {
        format!(
            r#"[{{"name":"t","parameters":{{"type":"object","properties":{{"a":{property}}},"required":["a"]}}}},{{"name":"u","parameters":{{"type":"object"}}}}]"#
        )
    };
    for (property, line) in [
        (r#"{"type":"integer","maximum":18446744073709551615}"#, "a: Int"),
        (r#"{"type":"number","minimum":-1e400}"#, "a: Decimal[9]"),
        (
            r#"{"type":"string","maxLength":18446744073709551615}"#,
            "a: String",
        ),
        (
            r#"{"type":"array","maxItems":1e99999999999999999999}"#,
            "a: List[String, max 10000]",
        ),
        (r#"{"enum":[1,18446744073709551615]}"#, "a: Int"),
        (r#"{"type":"integer","default":18446744073709551615}"#, "a: Int?"),
    ] {
        let done = tools_from_bytes(tool(property).as_bytes(), &Options::default()).unwrap();
        assert_eq!((done.tools, done.refused.len()), (2, 0), "{property}");
        assert!(
            done.source.contains(&format!("  {line}\n")),
            "{property}: {}",
            done.source
        );
        assert_compiles(&done);
    }
}

/// Words of the language are sound names of tools, arguments and enum members.
#[test]
fn keywords_import_as_names() {
    for word in gait::syntax::token::Keyword::ALL
        .iter()
        .map(|k| k.text())
        .chain(["args", "targets", "len", "Int", "_"])
    {
        let schema = json!({"type": "object", "required": [word], "properties": {
            word: {"type": "object", "properties": {word: {"enum": [word, "x"]}}}}});
        let done = import(
            &json!([{"name": word, "parameters": schema}, {"name": format!("x.{word}"), "parameters": schema}]),
        );
        assert_eq!((done.tools, done.refused.len()), (2, 0), "{word}");
        assert_compiles(&done);
    }
}

#[test]
fn what_cannot_be_said_is_noted() {
    let done = import(
        &json!({"name": "t", "inputSchema": {"type": "object", "additionalProperties": true,
        "minProperties": 1, "properties": {
            "a": {"type": "integer", "maximum": 3}, "b": {"type": "string", "pattern": "x", "title": "B"},
            "c": {"type": "object"}, "d": {"type": "string", "maxLength": 0},
            "e": {"type": "array", "items": {"type": "string"}, "maxItems": -1},
            "f": {"type": "string", "maxLength": 9}}}}),
    );
    let at: Vec<&str> = done
        .notes
        .iter()
        .map(|n| n.pointer.trim_start_matches("/inputSchema"))
        .collect();
    assert_eq!(
        at,
        [
            "/minProperties",
            "/additionalProperties",
            "/properties/a/maximum",
            "/properties/b/pattern",
            "/properties/c",
            "/properties/d/maxLength",
            "/properties/e/maxItems"
        ]
    );
}

/// Random schemas: mostly sensible keywords, sometimes with the wrong kind of value.
fn schema() -> impl Strategy<Value = Value> {
    let name = || prop::sample::select(vec!["a", "b-c", "d.e", "effect", "", "\u{202e}", "\"", "é"]);
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "string", "integer", "number", "boolean", "null", "array", "object", "dict", "tuple", "any",
            "float", "X",
        ])
        .prop_map(|t| json!({"type": t})),
        prop::collection::vec(name(), 0..4).prop_map(|names| json!({"enum": names})),
        prop::sample::select(vec!["#", "#/properties/a", "#/$defs/x", "x", "#/a~", ""])
            .prop_map(|r| json!({"$ref": r})),
        (
            any::<i32>(),
            prop::sample::select(vec!["uri", "email", "hostname", "date"])
        )
            .prop_map(|(n, f)| json!({"type": "string", "maxLength": n, "format": f})),
        prop::sample::select(vec![
            json!({}),
            json!(true),
            json!(null),
            json!(3),
            json!([]),
            json!({"type": 3})
        ]),
    ];
    leaf.prop_recursive(4, 40, 4, move |inner| {
        let properties = prop::collection::btree_map(name(), inner.clone(), 0..4);
        prop_oneof![
            (properties, prop::collection::vec(name(), 0..3), inner.clone()).prop_map(|(p, r, d)| {
                json!({"type": "object", "properties": p, "required": r, "$defs": {"x": d}})
            }),
            (inner.clone(), any::<i16>())
                .prop_map(|(i, n)| json!({"type": "array", "items": i, "maxItems": n})),
            (
                prop::sample::select(vec!["anyOf", "oneOf", "allOf", "items", "prefixItems"]),
                prop::collection::vec(inner, 0..3)
            )
                .prop_map(|(k, v)| json!({k: v})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every tool is declared or refused, whatever its schema, and twice the same.
    #[test]
    fn no_tool_is_lost(schemas in prop::collection::vec(schema(), 1..5)) {
        let named = |(i, s): (usize, Value)| json!({"name": format!("t{i}"), "inputSchema": s});
        let catalogue = Value::Array(schemas.into_iter().enumerate().map(named).collect());
        let done = import(&catalogue);
        let mut met = names_in(&done.source);
        prop_assert_eq!(met.len(), done.tools);
        assert_compiles(&done);
        prop_assert!(done.refused.iter().all(|n| !n.message.is_empty() && met.insert(n.tool.clone())));
        prop_assert_eq!(met.len(), catalogue.as_array().unwrap().len());
        prop_assert!(done.notes.iter().all(|n| catalogue.pointer(&n.pointer).is_some()), "{:?}", done.notes);
        let hidden = |c: char| c == '\u{202e}' || (c.is_control() && c != '\n');
        prop_assert!(!done.source.contains(hidden));
        prop_assert_eq!(import(&catalogue), done);
    }

    /// Bytes of any kind import or fail with an error.
    #[test]
    fn any_json_imports(text in "[\\[\\]{}\":,a-z0-9 \n]{0,40}") {
        let _ = tools_from_bytes(text.as_bytes(), &Options::default());
    }
}
