//! Policies of 10 to 10,000 rules over one tool of 14 arguments, the tool of `benches/decision.rs`. Each rule has an amount,
//! an environment, a team and one condition of seven kinds, with constants that differ from rule to rule.

use crate::engine::{Contestant, Failure};
use crate::engines::Wire;
use crate::engines::cedar::{self, Asked, Cedar, Names};
use crate::engines::cel::{self, Cel, CelRule};
use crate::engines::gait::{self, Gait, Gate};
use crate::engines::rego::{Rego, RegoMachine};
use crate::suite::{Suite, intent};
use ::gait::domain::Verdict;
use cedar_policy::{Entities, RestrictedExpression};
use serde_json::{Value as Json, json};

const TOOL: &str = "pay.transfer";
const ENVS: [&str; 3] = ["dev", "staging", "prod"];
const TEAMS: [&str; 4] = ["sales", "finance", "support", "legal"];
const VERDICTS: [Verdict; 4] = [
    Verdict::Allow,
    Verdict::RequireApproval,
    Verdict::Block,
    Verdict::DryRun,
];

/// How many requests there are.
const REQUESTS: usize = 64;

/// A rule, before it is written in a language.
struct Rule {
    number: usize,
    verdict: Verdict,
    amount: usize,
    env: &'static str,
    team: &'static str,
    kind: Kind,
}

/// The condition that is another from rule to rule.
enum Kind {
    Account(usize),
    Domain(usize),
    Host(usize),
    Folder(usize),
    Region(usize),
    Retries(usize),
    Approver(usize),
}

fn pick<T: Copy>(from: &[T], number: usize) -> Option<T> {
    from.get(number % from.len()).copied()
}

fn rules(count: usize) -> Vec<Rule> {
    let one = |i: usize| {
        Some(Rule {
            number: i,
            verdict: pick(&VERDICTS, i)?,
            amount: (i * 37) % 5_000,
            // No period in common with the verdicts, so that rules of each meet.
            env: pick(&ENVS, i * 5 / 3)?,
            team: pick(&TEAMS, i * 7 / 5)?,
            kind: match i % 7 {
                0 => Kind::Account(i % 500),
                1 => Kind::Domain(i % 40),
                2 => Kind::Host(i % 60),
                3 => Kind::Folder(i % 30),
                4 => Kind::Region(i % 20),
                5 => Kind::Retries(i % 9),
                _ => Kind::Approver(i % 10),
            },
        })
    };
    (0..count).filter_map(one).collect()
}

const GAIT_HEAD: &str = "gaitpol 1
policy bench.policy
default block code none
enum Env { dev, staging, prod }
enum Team { sales, finance, support, legal }
tool pay.transfer {
  to: Email
  amount: Money[USD, 2]
  fee: Money[USD, 2]
  env: Env
  team: Team
  urgent: Bool
  account: String[max 64]
  reference: String[max 140]
  callback: Url
  ledger: Path
  region: String[max 32]
  retries: Int
  approvers: List[Email, max 8]
  note: String[max 256]?
}
";

fn in_gait(rules: &[Rule]) -> String {
    let one = |rule: &Rule| {
        let Rule {
            number,
            verdict,
            amount,
            env,
            team,
            kind,
        } = rule;
        let extra = match kind {
            Kind::Account(n) => format!("args.account == \"acct-{n}\""),
            Kind::Domain(n) => format!("args.to.domain under \"dept{n}.acme.com\""),
            Kind::Host(n) => format!("args.callback.host == \"hook{n}.acme.com\""),
            Kind::Folder(n) => format!("args.ledger under \"/ledgers/{n}\""),
            Kind::Region(n) => format!("args.region starts_with \"eu-{n}\""),
            Kind::Retries(n) => format!("args.retries > {n}"),
            Kind::Approver(n) => format!("any a in args.approvers: a.domain == \"dept{n}.acme.com\""),
        };
        format!(
            "rule r{number} on {TOOL} when args.amount > {amount}.50 and args.env == {env} and args.team == {team} and {extra} {}\n",
            verdict.as_str()
        )
    };
    let rules: String = rules.iter().map(one).collect();
    format!("{GAIT_HEAD}{rules}")
}

/// Domains and hosts are patterns over whole addresses; amounts are hundredths; what the host has to prepare are the
/// domains of the approvers, since a set is only asked for members.
fn in_cedar(rules: &[Rule]) -> String {
    let one = |rule: &Rule| {
        let Rule {
            verdict,
            amount,
            env,
            team,
            kind,
            ..
        } = rule;
        let extra = match kind {
            Kind::Account(n) => format!("context.account == \"acct-{n}\""),
            Kind::Domain(n) => {
                format!("(context.to like \"*@dept{n}.acme.com\" || context.to like \"*.dept{n}.acme.com\")")
            }
            Kind::Host(n) => format!("context.callback like \"https://hook{n}.acme.com/*\""),
            Kind::Folder(n) => {
                format!("(context.ledger == \"/ledgers/{n}\" || context.ledger like \"/ledgers/{n}/*\")")
            }
            Kind::Region(n) => format!("context.region like \"eu-{n}*\""),
            Kind::Retries(n) => format!("context.retries > {n}"),
            Kind::Approver(n) => format!("context.approver_domains.contains(\"dept{n}.acme.com\")"),
        };
        format!(
            "@verdict(\"{}\")\npermit(principal, action == Action::\"{TOOL}\", resource)\nwhen {{ context.amount > {amount}50 && context.env == \"{env}\" && context.team == \"{team}\" && {extra} }};\n",
            verdict.as_str()
        )
    };
    rules.iter().map(one).collect()
}

/// One complete rule per verdict: a document that says nothing of the rules that matched, the fastest form.
fn in_rego(rules: &[Rule]) -> String {
    let one = |rule: &Rule| {
        let Rule {
            verdict,
            amount,
            env,
            team,
            kind,
            ..
        } = rule;
        let extra = match kind {
            Kind::Account(n) => format!("input.args.account == \"acct-{n}\""),
            Kind::Domain(n) => format!("under(input.args.to, \"dept{n}.acme.com\")"),
            Kind::Host(n) => format!("startswith(input.args.callback, \"https://hook{n}.acme.com/\")"),
            Kind::Folder(n) => format!("below(input.args.ledger, \"/ledgers/{n}\")"),
            Kind::Region(n) => format!("startswith(input.args.region, \"eu-{n}\")"),
            Kind::Retries(n) => format!("input.args.retries > {n}"),
            Kind::Approver(n) => {
                format!("some a in input.args.approvers\n  endswith(a, \"@dept{n}.acme.com\")")
            }
        };
        format!(
            "{} if {{\n  input.tool_name == \"{TOOL}\"\n  input.args.amount > {amount}.50\n  input.args.env == \"{env}\"\n  input.args.team == \"{team}\"\n  {extra}\n}}\n",
            verdict.as_str()
        )
    };
    let rules: String = rules.iter().map(one).collect();
    format!("{REGO_HEAD}{rules}")
}

const REGO_HEAD: &str = "package gait
import rego.v1
default verdict := \"block\"
verdict := \"block\" if block
else := \"require_approval\" if require_approval
else := \"dry_run\" if dry_run
else := \"allow\" if allow
under(address, domain) if endswith(address, concat(\"\", [\"@\", domain]))
under(address, domain) if endswith(address, concat(\"\", [\".\", domain]))
below(path, folder) if path == folder
below(path, folder) if startswith(path, concat(\"\", [folder, \"/\"]))
";

fn in_cel(rules: &[Rule]) -> Vec<CelRule> {
    let one = |rule: &Rule| {
        let Rule {
            verdict,
            amount,
            env,
            team,
            kind,
            ..
        } = rule;
        let extra = match kind {
            Kind::Account(n) => format!("args.account == \"acct-{n}\""),
            Kind::Domain(n) => {
                format!(
                    "(args.to.endsWith(\"@dept{n}.acme.com\") || args.to.endsWith(\".dept{n}.acme.com\"))"
                )
            }
            Kind::Host(n) => format!("args.callback.startsWith(\"https://hook{n}.acme.com/\")"),
            Kind::Folder(n) => {
                format!("(args.ledger == \"/ledgers/{n}\" || args.ledger.startsWith(\"/ledgers/{n}/\"))")
            }
            Kind::Region(n) => format!("args.region.startsWith(\"eu-{n}\")"),
            Kind::Retries(n) => format!("args.retries > {n}"),
            Kind::Approver(n) => format!("args.approvers.exists(a, a.endsWith(\"@dept{n}.acme.com\"))"),
        };
        CelRule {
            tools: vec![TOOL.to_owned()],
            verdict: *verdict,
            condition: format!(
                "args.amount > {amount}.50 && args.env == \"{env}\" && args.team == \"{team}\" && {extra}"
            ),
        }
    };
    rules.iter().map(one).collect()
}

/// The arguments as a Cedar context.
fn ask(names: &Names, wire: Wire) -> Result<Asked, Failure> {
    let Json::Object(mut args) = wire.args else {
        return Err("arguments are an object".into());
    };
    let mut more = Vec::new();
    for name in ["amount", "fee"] {
        if let Some(amount) = args.remove(name) {
            more.push((name.to_owned(), cedar::hundredths(&amount)?));
        }
    }
    if let Some(Json::Array(approvers)) = args.get("approvers") {
        let domains = approvers.iter().filter_map(|a| a.as_str()?.rsplit_once('@'));
        let domains = domains.map(|(_, domain)| RestrictedExpression::new_string(domain.to_owned()));
        more.push((
            "approver_domains".to_owned(),
            RestrictedExpression::new_set(domains),
        ));
    }
    more.extend(cedar::pairs(args)?);
    Ok(cedar::call(names, wire.tool_name, more))
}

/// A request that no rule matches.
fn plain() -> Json {
    json!({
        "to": "ann@acme.example", "amount": 0.25, "fee": 1.5, "env": "dev", "team": "sales", "urgent": true,
        "account": "acct-none", "reference": "invoice 4711", "callback": "https://acme.example/done?id=7",
        "ledger": "/books/2026.csv", "region": "us-1-east", "retries": 0, "approvers": ["eve@acme.example"],
        "note": "monthly",
    })
}

fn put(args: &mut Json, name: &str, value: Json) {
    if let Some(place) = args.get_mut(name) {
        *place = value;
    }
}

/// Changes a request so that a rule matches it.
fn satisfy(args: &mut Json, rule: &Rule) {
    let amount = args.get("amount").and_then(Json::as_f64).unwrap_or_default();
    put(args, "amount", json!(amount.max(rule.amount as f64 + 0.75)));
    put(args, "env", json!(rule.env));
    put(args, "team", json!(rule.team));
    let (name, value) = match rule.kind {
        Kind::Account(n) => ("account", json!(format!("acct-{n}"))),
        Kind::Domain(n) => ("to", json!(format!("ann@eu.dept{n}.acme.com"))),
        Kind::Host(n) => ("callback", json!(format!("https://hook{n}.acme.com/done?id=7"))),
        Kind::Folder(n) => ("ledger", json!(format!("/ledgers/{n}/2026.csv"))),
        Kind::Region(n) => ("region", json!(format!("eu-{n}-west"))),
        Kind::Retries(n) => ("retries", json!(n + 1)),
        Kind::Approver(n) => (
            "approvers",
            json!(["eve@acme.example", format!("bob@dept{n}.acme.com")]),
        ),
    };
    put(args, name, value);
}

/// Requests from a sequence that repeats in every run: one in four is plain, the others match one to three rules or more.
fn requests(rules: &[Rule]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut state = 1_u64;
    let mut draw = |most: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % most
    };
    let mut all = Vec::new();
    for _ in 0..REQUESTS {
        let mut args = plain();
        put(&mut args, "reference", json!(format!("invoice {}", draw(10_000))));
        for _ in 0..draw(4) {
            if let Some(rule) = rules.get(draw(rules.len())) {
                satisfy(&mut args, rule);
            }
        }
        all.push(intent(TOOL, &args)?);
    }
    Ok(all)
}

/// What goes wrong with an argument that a rule of a kind looks at.
type Spoil = (&'static str, fn(&Kind) -> Option<(&'static str, Option<Json>)>);

const SPOILS: [Spoil; 9] = [
    ("the argument of a `block` is missing", |kind| {
        matches!(kind, Kind::Retries(_)).then_some(("retries", None))
    }),
    ("its number is a text", |kind| match kind {
        Kind::Retries(n) => Some(("retries", Some(json!((n + 1).to_string())))),
        _ => None,
    }),
    ("its number is null", |kind| {
        matches!(kind, Kind::Retries(_)).then_some(("retries", Some(Json::Null)))
    }),
    ("its host is in capitals", |kind| match kind {
        Kind::Host(n) => Some(("callback", Some(json!(format!("https://HOOK{n}.acme.com/done"))))),
        _ => None,
    }),
    ("its host has a port", |kind| match kind {
        Kind::Host(n) => Some((
            "callback",
            Some(json!(format!("https://hook{n}.acme.com:443/done"))),
        )),
        _ => None,
    }),
    ("its host comes after user information", |kind| match kind {
        Kind::Host(n) => Some((
            "callback",
            Some(json!(format!("https://x@hook{n}.acme.com/done"))),
        )),
        _ => None,
    }),
    ("its path has two slashes", |kind| match kind {
        Kind::Folder(n) => Some(("ledger", Some(json!(format!("/ledgers//{n}/2026.csv"))))),
        _ => None,
    }),
    ("its path climbs", |kind| match kind {
        Kind::Folder(n) => Some(("ledger", Some(json!(format!("/books/../ledgers/{n}/2026.csv"))))),
        _ => None,
    }),
    ("its domain ends in a dot", |kind| match kind {
        Kind::Domain(n) => Some(("to", Some(json!(format!("ann@dept{n}.acme.com."))))),
        _ => None,
    }),
];

/// Requests that an `allow` matches and, but for what is wrong with them, a `block`.
fn odd(rules: &[Rule]) -> Result<Vec<(&'static str, Vec<u8>)>, Failure> {
    let of = |verdict| rules.iter().filter(move |rule| rule.verdict == verdict);
    let mut all = Vec::new();
    for (what, spoil) in SPOILS {
        let spoiled = of(Verdict::Block).find_map(|block| {
            let (name, value) = spoil(&block.kind)?;
            let other = |allow: &&Rule| {
                let is_there = (allow.env, allow.team) == (block.env, block.team);
                // What meets one bound on retries meets a lower one of another rule, too.
                let is_alone = !matches!(allow.kind, Kind::Retries(_));
                let is_other = std::mem::discriminant(&allow.kind) != std::mem::discriminant(&block.kind);
                is_there && is_alone && is_other
            };
            let mut args = plain();
            satisfy(&mut args, of(Verdict::Allow).find(other)?);
            satisfy(&mut args, block);
            match (value, args.as_object_mut()) {
                (Some(value), _) => put(&mut args, name, value),
                (None, members) => drop(members?.remove(name)),
            }
            Some(args)
        });
        all.push((
            what,
            intent(TOOL, &spoiled.ok_or("too few rules for odd requests")?)?,
        ));
    }
    Ok(all)
}

/// The size at which odd requests are shown.
const ODD_AT: usize = 100;

/// The name of the suite at one size.
pub fn name(count: usize) -> String {
    format!("synthetic {count}")
}

/// The suite at one size.
pub fn suite(count: usize) -> Result<Suite, Failure> {
    let rules = rules(count);
    let (text, policies, module) = (in_gait(&rules), in_cedar(&rules), in_rego(&rules));
    let bundle = gait::build(&text)?;
    let same = bundle.clone();
    let conditions = in_cel(&rules);
    let machine = module.clone();
    Ok(Suite {
        name: name(count),
        rules: count,
        contestants: vec![
            Contestant::new("gait", move || Gait::open(&bundle, None)),
            Contestant::new("gait, whole gate", move || Gate::open(&same, None)),
            Contestant::new("cedar", move || Cedar::load(&policies, Entities::empty(), ask)),
            Contestant::new("regorus", move || Rego::load(&module, None)),
            Contestant::new("regorus vm", move || RegoMachine::load(&machine, None)),
            Contestant::new("cel", move || Cel::load(&conditions, cel::nothing_more())),
            Contestant::new("gait, from source", move || Gait::compile(&text)).loaded_only(),
        ],
        intents: requests(&rules)?,
        odd: if count == ODD_AT { odd(&rules)? } else { Vec::new() },
    })
}
