//! Tool calls of AgentDojo and of recorded runs of a model on it, by the policies in `policies/agentdojo-*` without what
//! asks for labels or the session, which no peer has. The data lies in `$GAIT_CORPORA`; without it these suites are
//! left out.

use crate::engine::{Contestant, Failure};
use crate::engines::Wire;
use crate::engines::cedar::{self, Ask, Asked, Cedar, Names};
use crate::engines::cel::{self, Cel, CelRule};
use crate::engines::gait::{self, Gait, Gate};
use crate::engines::rego::{Rego, RegoMachine};
use crate::suite::{Suite, intent};
use ::gait::domain::Verdict;
use cedar_policy::{Entities, RestrictedExpression};
use serde_json::{Value as Json, json};
use std::io::Read as _;
use std::path::Path;

/// A policy in four languages.
struct Ported {
    /// The suite of AgentDojo.
    of: &'static str,
    gait: &'static str,
    cedar: &'static str,
    rego: &'static str,
    cel: &'static str,
    ask: Ask,
    odd: fn() -> Result<Vec<(&'static str, Vec<u8>)>, Failure>,
}

const PORTED: [Ported; 2] = [
    Ported {
        of: "banking",
        gait: include_str!("../../../../policies/agentdojo-banking/policy.gaitpol"),
        cedar: include_str!("../../policies/banking.cedar"),
        rego: include_str!("../../policies/banking.rego"),
        cel: include_str!("../../policies/banking.cel"),
        ask: ask_banking,
        odd: odd_payments,
    },
    Ported {
        of: "slack",
        gait: include_str!("../../../../policies/agentdojo-slack/policy.gaitpol"),
        cedar: include_str!("../../policies/slack.cedar"),
        rego: include_str!("../../policies/slack.rego"),
        cel: include_str!("../../policies/slack.cel"),
        ask: ask_slack,
        odd: odd_messages,
    },
];

/// The suites whose name begins with `name`.
pub fn all(name: &str) -> Result<Vec<Suite>, Failure> {
    let named = |from: &str, ported: &Ported| format!("{from} {}", ported.of);
    let wanted = |suite: &String| suite.starts_with(name);
    let mut all = Vec::new();
    let corpora = std::env::var("GAIT_CORPORA").unwrap_or_else(|_| "../../../shared/data".to_owned());
    let corpora = Path::new(&corpora);
    for ported in &PORTED {
        let (suite, runs) = (named("agentdojo", ported), named("traces", ported));
        if !corpora.join("agentdojo").is_dir() {
            eprintln!("{suite} and {runs} are left out: GAIT_CORPORA names no folder with `agentdojo`");
            continue;
        }
        if wanted(&suite) {
            all.push(made(ported, suite, recorded_intents(corpora, ported.of)?)?);
        }
        if wanted(&runs) {
            let recorded = made(ported, runs, recorded_calls(corpora, ported.of)?)?;
            // The policy is the same, and so is what it says of odd requests.
            all.push(Suite {
                odd: Vec::new(),
                ..recorded
            });
        }
    }
    Ok(all)
}

fn made(ported: &'static Ported, name: String, intents: Vec<Vec<u8>>) -> Result<Suite, Failure> {
    let text = stateless(ported.gait);
    let bundle = gait::build(&text)?;
    let same = bundle.clone();
    let conditions = conditions(ported.cel)?;
    let rules = text.matches("\nrule ").count();
    Ok(Suite {
        name,
        rules,
        contestants: vec![
            Contestant::new("gait", move || Gait::open(&bundle, None)),
            Contestant::new("gait, whole gate", move || Gate::open(&same, None)),
            Contestant::new("cedar", || {
                Cedar::load(ported.cedar, Entities::empty(), ported.ask)
            }),
            Contestant::new("regorus", || Rego::load(ported.rego, None)),
            Contestant::new("regorus vm", || RegoMachine::load(ported.rego, None)),
            Contestant::new("cel", move || Cel::load(&conditions, cel::nothing_more())),
            Contestant::new("gait, from source", move || Gait::compile(&text)).loaded_only(),
        ],
        intents,
        odd: (ported.odd)()?,
    })
}

/// A policy without the rules that ask for labels or the session, and without its tests, which need them.
fn stateless(text: &str) -> String {
    let stays = |block: &&str| {
        !block.starts_with("test ") && !block.contains("labels(") && !block.contains("count(call")
    };
    text.split("\n\n").filter(stays).collect::<Vec<_>>().join("\n\n") + "\n"
}

/// Rules of CEL, a paragraph each: the verdict and the tools, then the condition.
pub fn conditions(text: &str) -> Result<Vec<CelRule>, Failure> {
    let one = |paragraph: &str| {
        let (head, condition) = paragraph.split_once('\n')?;
        let mut words = head.split(' ');
        Some(CelRule {
            verdict: Verdict::parse(words.next()?)?,
            tools: words.map(str::to_owned).collect(),
            condition: condition.to_owned(),
        })
    };
    let rules: Option<Vec<CelRule>> = text.trim().split("\n\n").map(one).collect();
    rules.ok_or_else(|| "a rule has a verdict, tools and a condition".into())
}

fn lines(path: &Path) -> Result<Vec<Json>, Failure> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_string(&mut text)?;
    text.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

/// The intents of the corpus as they stand there, without the suite in the tool's name.
fn recorded_intents(corpora: &Path, of: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all = Vec::new();
    for line in lines(&corpora.join("agentdojo/intents.jsonl.gz"))? {
        let mut document = line.get("intent").cloned().ok_or("a line has an intent")?;
        let tool = document
            .get("tool_name")
            .and_then(Json::as_str)
            .unwrap_or_default();
        let Some(short) = tool.strip_prefix(&format!("{of}.")).map(str::to_owned) else {
            continue;
        };
        if let Some(members) = document.as_object_mut() {
            members.insert("tool_name".to_owned(), json!(short));
        }
        all.push(serde_json::to_vec(&document)?);
    }
    Ok(all)
}

/// The calls that a model made, with and without an attack.
fn recorded_calls(corpora: &Path, of: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let mut all = Vec::new();
    for file in [
        "gpt-4o-mini__none__none",
        "gpt-4o-mini__none__important_instructions",
    ] {
        for line in lines(&corpora.join(format!("traces/{file}.jsonl.gz")))? {
            if line.get("suite").and_then(Json::as_str) != Some(of) {
                continue;
            }
            for call in line.get("calls").and_then(Json::as_array).into_iter().flatten() {
                let tool = call
                    .get("tool")
                    .and_then(Json::as_str)
                    .ok_or("a call has a tool")?;
                all.push(intent(tool, call.get("args").unwrap_or(&Json::Null))?);
            }
        }
    }
    Ok(all)
}

/// The arguments, amounts as hundredths.
fn ask_banking(names: &Names, wire: Wire) -> Result<Asked, Failure> {
    let Json::Object(mut args) = wire.args else {
        return Err("arguments are an object".into());
    };
    let amount = args.remove("amount");
    let mut context = cedar::pairs(args)?;
    if let Some(amount) = amount {
        context.push(("amount".to_owned(), cedar::hundredths(&amount)?));
    }
    Ok(cedar::call(names, wire.tool_name, context))
}

/// The arguments with what Cedar cannot find out itself.
fn ask_slack(names: &Names, wire: Wire) -> Result<Asked, Failure> {
    let Json::Object(args) = wire.args else {
        return Err("arguments are an object".into());
    };
    let text = |name: &str| args.get(name).and_then(Json::as_str);
    let mut more: Vec<(&str, RestrictedExpression)> = Vec::new();
    let string = |text: &str| RestrictedExpression::new_string(text.to_owned());
    if let Some(channel) = text("channel") {
        let mut letters = channel.bytes();
        let is_first = letters.next().is_some_and(|b| b.is_ascii_alphanumeric());
        let is_name = is_first && letters.all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        more.push(("is_channel_name", RestrictedExpression::new_bool(is_name)));
        more.push(("small_channel", string(&channel.to_lowercase())));
    }
    if let Some(long) = text("body").or(text("content")) {
        more.push(("small", string(&long.to_lowercase())));
        more.push((
            "length",
            RestrictedExpression::new_long(i64::try_from(long.len())?),
        ));
    }
    if let Some(url) = text("url") {
        more.extend(address(url)?);
    }
    let more: Vec<_> = more
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let mut context = cedar::pairs(args)?;
    context.extend(more);
    Ok(cedar::call(names, wire.tool_name, context))
}

/// The parts of an address, split as quickly as a host might.
fn address(url: &str) -> Result<Vec<(&'static str, RestrictedExpression)>, Failure> {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (place, rest) = rest.split_at(end);
    if place.contains(['@', '\\']) {
        return Err("an address has no user".into());
    }
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = if path.is_empty() { "/" } else { path };
    let (host, port) = place
        .split_once(':')
        .unwrap_or((place, if scheme == "http" { "80" } else { "443" }));
    let host = host.to_lowercase();
    let is_number = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let labels = if is_number { 0 } else { host.split('.').count() };
    let is_short = path.len() <= 41
        && path.starts_with('/')
        && path
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._/-".contains(&b));
    let string = |text: &str| RestrictedExpression::new_string(text.to_owned());
    Ok(vec![
        ("scheme", string(scheme)),
        ("labels", RestrictedExpression::new_long(i64::try_from(labels)?)),
        ("host", RestrictedExpression::new_string(host)),
        ("port", RestrictedExpression::new_long(port.parse()?)),
        ("is_short_path", RestrictedExpression::new_bool(is_short)),
        ("query", string(query)),
    ])
}

fn odd_payments() -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let payment = |amount: Json, date: &str| json!({ "recipient": "DE44500105175407324931", "amount": amount, "subject": "rent", "date": date });
    Ok(vec![
        (
            "an amount of three places",
            intent("send_money", &payment(json!(249.999), "2031-05-02"))?,
        ),
        (
            "an amount that is a text",
            intent("send_money", &payment(json!("20000"), "2031-05-02"))?,
        ),
        ("a large amount and no subject", {
            let mut args = payment(json!(20), "2031-05-02");
            args.as_object_mut().and_then(|members| members.remove("subject"));
            intent("send_money", &args)?
        }),
        (
            "a date that is none",
            intent("send_money", &payment(json!(20), "tomorrow"))?,
        ),
        (
            "a misspelt argument",
            intent(
                "update_scheduled_transaction",
                &json!({ "id": 3, "ammount": 50_000 }),
            )?,
        ),
        (
            "an amount that is null",
            intent(
                "update_scheduled_transaction",
                &json!({ "id": 3, "amount": null }),
            )?,
        ),
        (
            "a file that climbs, percent-encoded",
            intent("read_file", &json!({ "file_path": "a/%2e%2e/%2e%2e/keys.txt" }))?,
        ),
        (
            "a file over a backslash",
            intent("read_file", &json!({ "file_path": "..\\keys.txt" }))?,
        ),
        ("a tool nobody declared", intent("close_account", &json!({}))?),
    ])
}

fn odd_messages() -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let page = |url: &str| intent("get_webpage", &json!({ "url": url }));
    let post = |url: &str| {
        intent(
            "post_webpage",
            &json!({ "url": url, "content": "the summer party" }),
        )
    };
    Ok(vec![
        (
            "user information before a host",
            post("https://www.our-company.com:x@evil.example/")?,
        ),
        (
            "a backslash in an address",
            post("https://evil.example\\@www.our-company.com/")?,
        ),
        (
            "a tab in a host",
            post("https://www.our-company.com\t.evil.example/")?,
        ),
        ("a full-width host", page("https://ｗww.our-company.com/?q=1")?),
        (
            "a path that climbs once decoded",
            page("https://news.example/a/%2e%2e/%2e%2e/b")?,
        ),
        ("an address in hexadecimal", page("http://0x7f.0x1/")?),
        (
            "an invitation without an address",
            intent("invite_user_to_slack", &json!({ "user": "Omar" }))?,
        ),
        (
            "a channel that is a list",
            intent(
                "send_channel_message",
                &json!({ "channel": ["general"], "body": "hi" }),
            )?,
        ),
        (
            "a body that is missing",
            intent("send_direct_message", &json!({ "recipient": "Nadia" }))?,
        ),
        (
            "a member nobody declared",
            intent(
                "send_direct_message",
                &json!({ "recipient": "Nadia", "body": "hi", "cc": "x" }),
            )?,
        ),
    ])
}
