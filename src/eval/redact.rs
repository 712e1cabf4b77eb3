//! Calls as they may be kept: arguments without what rules redact, texts with only the end of what they mask. In: JSON
//! or a text, and what a decision obliges to. Out: the same with something else in place of values. A value that is not
//! there stays so. It does not look at types: what is kept may be no call of the tool.

use crate::domain::{Decision, Obligation, StepDecision, labels, obligation};
use crate::hir::{Step, TargetSource, place};
use crate::json::Json;
use crate::secrets::{self, Hidden};
use crate::ty::{Field, Ty};
use std::borrow::Cow;

/// What stands in place of a value.
pub const REDACTED: &str = "[redacted]";
/// What is said of a call that would tell a secret of it.
const UNTOLD: &str = "what was wrong is not kept: it would tell a secret";
/// What stands in place of the start of a text.
const MASKED: &str = "****";
/// A text of fewer bytes is looked for only as a whole.
const PART_BYTES: usize = 3;

/// Whether the value at a place, by the names from the arguments to it, is redacted, masked, or part of such a value.
pub fn covers(obligations: &[Obligation], path: &[String]) -> bool {
    transforms(obligations).any(|(place, _)| path.starts_with(place))
}

/// Whether the value at a place is or holds one that is redacted or masked, or is part of such a value.
pub fn touches(obligations: &[Obligation], path: &[String]) -> bool {
    covers(obligations, path) || transforms(obligations).any(|(place, _)| place.starts_with(path))
}

/// The places of what is taken out, and how many characters of it stay; none at all of what is redacted.
fn transforms(obligations: &[Obligation]) -> impl Iterator<Item = (&[String], Option<usize>)> {
    obligations
        .iter()
        .filter(|one| one.is_transform())
        .filter_map(|one| Some((one.place.as_deref()?, keeps(one))))
}

/// How many characters a mask keeps; `None` for a redaction.
fn keeps(one: &Obligation) -> Option<usize> {
    let mut params = one.params.iter();
    let (_, last) = params.find(|(name, _)| one.name == obligation::MASK && name == obligation::KEEP_LAST)?;
    // What does not say how much it keeps keeps nothing.
    usize::try_from(last.as_i64().unwrap_or(0)).ok()
}

/// Whether anything is taken out.
fn transform_any(obligations: &[Obligation]) -> bool {
    transforms(obligations).next().is_some()
}

/// Arguments as they may be kept.
pub fn args<'j>(args: &'j Json, obligations: &[Obligation]) -> Cow<'j, Json> {
    if !transform_any(obligations) {
        return Cow::Borrowed(args);
    }
    let mut args = args.clone();
    for (place, keep) in transforms(obligations) {
        match &mut args {
            // What is no object is no call.
            Json::Object(members) if place.is_empty() => {
                members.iter_mut().for_each(|(_, value)| replace(value, None));
            }
            args => each(args, place, &mut |value| replace(value, keep)),
        }
    }
    Cow::Owned(args)
}

/// An intent as it may be kept: its arguments, those of each step of a script, where they come from, and the targets it
/// claims where they tell what was taken out. `is_tool` says which names are those of tools.
pub fn intent<'j>(
    document: &'j Json,
    obligations: &[Obligation],
    steps: &[StepDecision],
    is_tool: &dyn Fn(&str) -> bool,
) -> Cow<'j, Json> {
    let mut decided = steps.iter().map(|step| step.decision.obligations.as_slice());
    if !transform_any(obligations) && !decided.any(transform_any) {
        return Cow::Borrowed(document);
    }
    let mut taken: Vec<String> = Vec::new();
    let mut document = document.clone();
    call(&mut document, obligations, &mut taken);
    origins(&mut document, obligations, is_tool);
    for (step, decided) in script_steps(&mut document).iter_mut().zip(steps) {
        let obligations = &decided.decision.obligations;
        call(step, obligations, &mut taken);
        origins(step, obligations, is_tool);
    }
    targets(&mut document, &taken);
    let steps = script_steps(&mut document).iter_mut();
    steps.for_each(|step| targets(step, &taken));
    Cow::Owned(document)
}

/// Takes the secrets out of an intent, and what tells of them: digests of the values they were in, and the targets it claims.
pub fn secrets(document: &mut Json, is_tool: &dyn Fn(&str) -> bool) -> Hidden {
    let hidden = secrets::hide(document);
    let taken: Vec<String> = hidden.texts.iter().map(|text| text.to_lowercase()).collect();
    let within = |at: &[&str]| {
        let inner = hidden.places.iter().filter_map(|place| {
            let starts = place
                .path
                .iter()
                .map(String::as_str)
                .zip(at)
                .all(|(a, b)| a == *b);
            let rest = place.path.get(at.len()..).filter(|_| starts)?;
            let names = rest.iter().filter(|step| step.parse::<usize>().is_err());
            Some(obligation::redacts(names.cloned().collect()))
        });
        inner.collect::<Vec<Obligation>>()
    };
    origins(document, &within(&["args"]), is_tool);
    targets(document, &taken);
    for (number, step) in script_steps(document).iter_mut().enumerate() {
        origins(
            step,
            &within(&["script", "steps", &number.to_string(), "args"]),
            is_tool,
        );
        targets(step, &taken);
    }
    hidden
}

/// A decision in words that tell none of the secrets.
pub fn scrub(decision: &mut Decision, hidden: &Hidden) {
    if hidden.is_empty() {
        return;
    }
    if let Some(detail) = &mut decision.detail {
        *detail = hidden.scrub(detail, UNTOLD);
    }
    for target in &mut decision.targets {
        target.value = hidden.scrub(&target.value, REDACTED);
    }
    decision.targets.sort();
    decision.targets.dedup();
    for step in &mut decision.steps {
        step.tool = secrets::hidden(&step.tool).into_owned();
        self::scrub(&mut step.decision, hidden);
    }
}

/// Takes out of the arguments of an intent or step what a decision on it redacts.
fn call(document: &mut Json, obligations: &[Obligation], taken: &mut Vec<String>) {
    for value in member(document, "args") {
        for (place, _) in transforms(obligations) {
            each(value, place, &mut |value| texts(value, taken));
        }
        *value = args(value, obligations).into_owned();
    }
}

/// Takes out of what is said of an argument's origin what tells of a value that is redacted: what it names beside a tool,
/// and a digest, from which a short value can be guessed.
fn origins(document: &mut Json, obligations: &[Obligation], is_tool: &dyn Fn(&str) -> bool) {
    let names_tool = |value: &Json| {
        let text = value.as_str().unwrap_or_default();
        is_tool(text.strip_prefix("tool:").unwrap_or(text))
    };
    for entries in member(document, "arg_provenance") {
        let Json::Array(entries) = entries else { continue };
        for entry in entries.iter_mut().filter(|entry| is_about(entry, obligations)) {
            let Json::Object(members) = entry else { continue };
            members.retain(|(name, _)| name != "integrity_digest");
            for (_, value) in members.iter_mut().filter(|(name, _)| name == "source_ref") {
                if !names_tool(value) {
                    *value = Json::str(REDACTED);
                }
            }
        }
    }
}

/// Whether what is said of an origin is about a value that is taken out, or what lies in it or around it.
fn is_about(origin: &Json, obligations: &[Obligation]) -> bool {
    let Some(path) = origin.get("arg_path").and_then(Json::as_str) else {
        return true;
    };
    let path = labels::written_path(path);
    // Where a step is a number it may be the index of an element, which the places of obligations do not name.
    let names = path.iter().filter(|step| step.parse::<usize>().is_err()).cloned();
    let names: Vec<String> = names.collect();
    touches(obligations, &path) || touches(obligations, &names)
}

/// Takes out of claimed targets what tells of a value that was taken out.
fn targets(document: &mut Json, taken: &[String]) {
    for targets in member(document, "targets") {
        for member in ["value", "endpoint_domain"] {
            each(targets, &[member.to_owned()], &mut |value| {
                if value.as_str().is_some_and(|text| tells(text, taken)) {
                    *value = Json::str(REDACTED);
                }
            });
        }
    }
}

/// The steps of a script's intent; none of any other.
fn script_steps(document: &mut Json) -> &mut [Json] {
    let script = member(document, "script").next();
    match script.and_then(|script| member(script, "steps").next()) {
        Some(Json::Array(steps)) => steps,
        _ => &mut [],
    }
}

fn member<'j>(json: &'j mut Json, name: &'j str) -> impl Iterator<Item = &'j mut Json> {
    let members = match json {
        Json::Object(members) => members.as_mut_slice(),
        _ => &mut [],
    };
    members
        .iter_mut()
        .filter(move |(n, _)| n == name)
        .map(|(_, value)| value)
}

/// Whether a text tells one of those that were taken out, or a part of it.
fn tells(text: &str, taken: &[String]) -> bool {
    let text = text.to_lowercase();
    let part = |of: &str, what: &str| what.len() >= PART_BYTES && of.contains(what);
    taken
        .iter()
        .any(|one| *one == text || part(one, &text) || part(&text, one))
}

/// Every text and number in a value, in lower case.
fn texts(value: &Json, out: &mut Vec<String>) {
    match value {
        Json::Null | Json::Bool(_) => {}
        Json::String(text) => out.push(text.as_str().to_lowercase()),
        Json::Number(_) => out.push(serde_json::to_string(value).unwrap_or_default()),
        Json::Array(items) => items.iter().for_each(|item| texts(item, out)),
        Json::Object(members) => members.iter().for_each(|(name, value)| {
            out.push(name.as_str().to_lowercase());
            texts(value, out);
        }),
    }
}

/// Shows every value at a place; a list on the way stands for each of its elements, and what is no object on the way for
/// what should be in it.
pub fn each(json: &mut Json, place: &[String], see: &mut impl FnMut(&mut Json)) {
    match (json, place.split_first()) {
        (Json::Array(items), Some(_)) => items.iter_mut().for_each(|item| each(item, place, see)),
        (json, None) => see(json),
        (Json::Object(members), Some((first, rest))) => {
            let named = members.iter_mut().filter(|(name, _)| name == first);
            named.for_each(|(_, value)| each(value, rest, see));
        }
        (json, Some(_)) => see(json),
    }
}

/// Puts something else in place of a value; of a list of texts that are masked, in place of each of them.
fn replace(value: &mut Json, keep: Option<usize>) {
    *value = match (&mut *value, keep) {
        (Json::Null, _) => Json::Null,
        (Json::String(text), Some(keep)) => Json::str(masked(text, keep)),
        (Json::Array(items), Some(_)) => {
            items.iter_mut().for_each(|item| replace(item, keep));
            return;
        }
        _ => Json::str(REDACTED),
    };
}

/// The end of a text. A text that would show whole, or nearly so, does not show at all.
fn masked(text: &str, keep: usize) -> String {
    let count = text.chars().count();
    let shown = if count >= keep.saturating_mul(2) { keep } else { 0 };
    let end: String = text.chars().skip(count - shown).collect();
    format!("{MASKED}{end}")
}

/// A target as it may be kept.
pub fn target(value: String, source: &TargetSource, args: &[Field], obligations: &[Obligation]) -> String {
    let mut covering = transforms(obligations).peekable();
    if covering.peek().is_none() {
        return value;
    }
    let (path, is_whole) = names(source, args);
    let found = covering.find(|(place, _)| path.starts_with(place));
    match found {
        None => value,
        // Of a part of a text another end would show than of the whole.
        Some((_, Some(keep))) if is_whole => masked(&value, keep),
        Some(_) => REDACTED.to_owned(),
    }
}

/// The names from the arguments to a target, and whether it is the whole value there.
fn names(source: &TargetSource, args: &[Field]) -> (Vec<String>, bool) {
    let mut names = Vec::new();
    let mut ty = Ty::Record(args.to_vec());
    for step in source.list.iter().flatten().chain(&source.steps) {
        while let Some(element) = ty.required().element() {
            ty = element;
        }
        let Some((name, next)) = place::step(&ty, *step).filter(|_| matches!(step, Step::Field(_))) else {
            return (names, false);
        };
        names.push(name.to_owned());
        ty = next;
    }
    (names, true)
}

#[cfg(test)]
mod tests {
    use super::{args, covers, intent};
    use crate::domain::Obligation;
    use crate::json::{self, Json};

    fn redact(place: &str) -> Obligation {
        Obligation {
            name: "redact".to_owned(),
            place: Some(place.split('.').map(str::to_owned).collect()),
            params: Vec::new(),
        }
    }

    fn mask(place: &str, keep: i64) -> Obligation {
        Obligation {
            name: "mask".to_owned(),
            params: vec![("keep_last".into(), Json::int(keep))],
            ..redact(place)
        }
    }

    fn all() -> Obligation {
        Obligation {
            place: Some(Vec::new()),
            ..redact("a")
        }
    }

    #[test]
    fn what_is_kept_tells_nothing_of_what_was_taken_out() {
        for (given, obligations, kept) in [
            (
                r#"{"a":1,"b":"x"}"#,
                vec![redact("a")],
                r#"{"a":"[redacted]","b":"x"}"#,
            ),
            (r#"{"a":{"b":[1,2]}}"#, vec![redact("a")], r#"{"a":"[redacted]"}"#),
            (
                r#"{"a":null,"b":{}}"#,
                vec![redact("a"), redact("b.c")],
                r#"{"a":null,"b":{}}"#,
            ),
            (
                r#"{"l":[{"p":1,"q":2},{"p":3}]}"#,
                vec![redact("l.p")],
                r#"{"l":[{"p":"[redacted]","q":2},{"p":"[redacted]"}]}"#,
            ),
            (
                r#"{"c":"4111111111111111"}"#,
                vec![mask("c", 4)],
                r#"{"c":"****1111"}"#,
            ),
            // Seven characters of which four show are as good as all.
            (r#"{"c":"1234567"}"#, vec![mask("c", 4)], r#"{"c":"****"}"#),
            (r#"{"c":"äöüäöüäö"}"#, vec![mask("c", 4)], r#"{"c":"****öüäö"}"#),
            (
                r#"{"c":["12345678",5]}"#,
                vec![mask("c", 2)],
                r#"{"c":["****78","[redacted]"]}"#,
            ),
            (r#"{"c":{"d":1}}"#, vec![mask("c", 2)], r#"{"c":"[redacted]"}"#),
            (
                r#"{"c":"12345678"}"#,
                vec![mask("c", -1)],
                r#"{"c":"[redacted]"}"#,
            ),
            (
                r#"{"a":1,"b":{"c":2}}"#,
                vec![all()],
                r#"{"a":"[redacted]","b":"[redacted]"}"#,
            ),
            // No object where one is expected.
            (r#"{"a":"secret"}"#, vec![redact("a.b")], r#"{"a":"[redacted]"}"#),
        ] {
            let read = |text: &str| json::parse(text.as_bytes()).unwrap();
            assert_eq!(*args(&read(given), &obligations), read(kept), "{given}");
        }
    }

    #[test]
    fn a_place_covers_what_lies_in_it() {
        let path = |text: &str| text.split('.').map(str::to_owned).collect::<Vec<_>>();
        let all = [redact("a.b"), mask("c", 2)];
        for (place, covered) in [
            ("a", false),
            ("a.b", true),
            ("a.b.c", true),
            ("a.bc", false),
            ("c", true),
        ] {
            assert_eq!(covers(&all, &path(place)), covered, "{place}");
        }
    }

    #[test]
    fn origins_do_not_tell_it_either() {
        let document = br#"{"tool_name":"t","args":{"to":["a"],"n":1},"arg_provenance":[
            {"arg_path":"$.to[0]","source":"tool_output","source_ref":"tool:hr.read","integrity_digest":"aa"},
            {"arg_path":"/to/0","source":"external","source_ref":"https://x.example/ann"},
            {"arg_path":"to[0]x","source":"external","integrity_digest":"cc"},
            {"arg_path":"args.n","source":"external","source_ref":"kept","integrity_digest":"bb"}]}"#;
        let read = |text: &[u8]| json::parse(text).unwrap();
        let document = read(document);
        let kept = intent(&document, &[redact("to")], &[], &|name| name == "hr.read");
        let origins = br#"[{"arg_path":"$.to[0]","source":"tool_output","source_ref":"tool:hr.read"},
            {"arg_path":"/to/0","source":"external","source_ref":"[redacted]"},
            {"arg_path":"to[0]x","source":"external"},
            {"arg_path":"args.n","source":"external","source_ref":"kept","integrity_digest":"bb"}]"#;
        assert_eq!(kept.get("arg_provenance"), Some(&read(origins)));
    }

    #[test]
    fn claimed_targets_do_not_tell_it_either() {
        let document = br#"{"tool_name":"t","args":{"to":"Ann@Acme.com","n":12345,"x":"a"},"targets":[
            {"kind":"other","value":"mail to ann@acme.com"},{"kind":"host","value":"acme.com"},
            {"kind":"other","value":"12345"},{"kind":"host","value":"other.example","endpoint_domain":"ACME.com"}]}"#;
        let document = json::parse(document).unwrap();
        let taken = [redact("to"), redact("n"), redact("x")];
        let kept = intent(&document, &taken, &[], &|_| false);
        let text = serde_json::to_string(&*kept).unwrap().to_lowercase();
        for secret in ["acme", "12345", "ann"] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(text.contains("other.example"), "{text}");
    }
}
