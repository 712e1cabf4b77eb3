//! Decision time and allocations at 10, 100, 1,000 and 10,000 rules, in three modes: typed intent to verdict, JSON
//! bytes to verdict, JSON bytes to signed trace; and the time to load a verified bundle. Beside them the floor in the
//! same run: one SHA-256 of the intent and one Ed25519 signature. Prints medians and 99th percentiles in nanoseconds.
//!
//! `cargo bench --bench decision` runs it; `-- --json` prints one JSON document.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement reads the clock, prints, and stops at the first surprise"
)]

use gait::artifact::{SigningKey, TrustedKeys, digest};
use gait::boundary::{Boundary, Moment};
use gait::builtins::bind;
use gait::domain::Intent;
use gait::eval::{Workspace, decide};
use gait::value::Value;
use gait::{bundling, compile, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::hint::black_box;
use std::time::Instant;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const SIZES: [usize; 4] = [10, 100, 1_000, 10_000];

const HEAD: &str = r#"gaitpol 1
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
"#;

/// A policy of `n` rules over 14 arguments, each rule with three or four conditions that differ from rule to rule.
fn policy(n: usize) -> String {
    let mut text = HEAD.to_owned();
    let verdicts = ["allow", "require_approval", "block", "dry_run"];
    for i in 0..n {
        let verdict = verdicts[i % 4];
        let amount = (i * 37) % 5_000;
        let env = ["dev", "staging", "prod"][i % 3];
        let team = ["sales", "finance", "support", "legal"][(i / 3) % 4];
        let extra = match i % 7 {
            0 => format!("args.account == \"acct-{}\"", i % 500),
            1 => format!("args.to.domain under \"dept{}.acme.com\"", i % 40),
            2 => format!("args.callback.host == \"hook{}.acme.com\"", i % 60),
            3 => format!("args.ledger under \"/ledgers/{}\"", i % 30),
            4 => format!("args.region starts_with \"eu-{}\"", i % 20),
            5 => format!("args.retries > {}", i % 9),
            _ => format!("any a in args.approvers: a.domain == \"dept{}.acme.com\"", i % 10),
        };
        text.push_str(&format!(
            "rule r{i} on pay.transfer when args.amount > {amount}.50 and args.env == {env} and args.team == {team} and {extra} {verdict}\n"
        ));
    }
    text
}

const ARGS: &str = r#"{"to":"ann@dept3.acme.com","amount":2500.75,"fee":1.5,"env":"prod","team":"finance","urgent":true,"account":"acct-77","reference":"invoice 4711","callback":"https://hook5.acme.com/done?id=7","ledger":"/ledgers/12/2026.csv","region":"eu-7-west","retries":3,"approvers":["bob@dept1.acme.com","eve@dept2.acme.com"],"note":"monthly"}"#;

fn intent() -> String {
    format!(
        r#"{{"schema_id":"gait.gate.intent_request","schema_version":"1.0.0","created_at":"2026-11-23T00:00:00Z","producer_version":"bench","tool_name":"pay.transfer","args":{ARGS},"targets":[],"context":{{"identity":"agent","workspace":"/ws","risk_class":"high"}}}}"#
    )
}

/// Median and 99th percentile in nanoseconds, and allocations of one call.
struct Figure {
    median: u128,
    p99: u128,
    allocations: usize,
}

fn measure(mut f: impl FnMut(), batch: u32) -> Figure {
    (0..batch).for_each(|_| f());
    let region = Region::new(ALLOCATOR);
    f();
    let allocations = region.change().allocations;
    let mut samples: Vec<u128> = (0..300)
        .map(|_| {
            let start = Instant::now();
            (0..batch).for_each(|_| f());
            start.elapsed().as_nanos() * 10 / u128::from(batch)
        })
        .collect();
    samples.sort_unstable();
    let at = |percent: usize| {
        samples
            .get(samples.len() * percent / 100)
            .copied()
            .unwrap_or_default()
    };
    Figure {
        median: at(50),
        p99: at(99),
        allocations,
    }
}

fn show(name: &str, figure: &Figure) {
    let tenth = |n: u128| format!("{}.{}", n / 10, n % 10);
    println!(
        "{name:<44} {:>12} ns {:>12} ns {:>8}",
        tenth(figure.median),
        tenth(figure.p99),
        figure.allocations
    );
}

fn main() {
    println!("{:<44} {:>15} {:>15} {:>8}", "", "median", "p99", "allocs");
    let key = SigningKey::from_seed(&[7; 32]);
    let trusted = TrustedKeys::new([key.verifying_key()]);
    let now = "2026-11-23T00:00:00Z".parse().expect("a time");
    let bytes = intent().into_bytes();
    show(
        "floor: sha256 of the intent",
        &measure(
            || {
                black_box(digest::sha256(&bytes));
            },
            1_000,
        ),
    );
    show(
        "floor: ed25519 signature of the intent",
        &measure(
            || {
                black_box(key.sign(&bytes));
            },
            50,
        ),
    );
    for n in SIZES {
        let text = policy(n);
        let report = compile::check("bench.gaitpol", &text);
        let checked = report.checked.expect("the bench policy has no errors");
        let program = compile::lower(&checked);
        let tool = program.tool("pay.transfer").expect("declared");
        let args = json::parse(ARGS.as_bytes()).expect("well-formed");
        let value = Value::Record(bind::bind_record(&args, &tool.args).expect("well-typed"));
        let mut workspace = Workspace::new(&program);
        let built = bundling::build(&checked, 0, &key).expect("builds");
        let size = built.bundle.value().contents.ir.len();
        let signed = built.bytes;
        let mut boundary = Boundary::open(&signed, &trusted, now).expect("opens");
        let moment = Moment {
            now,
            ..Moment::default()
        };
        println!("{n} rules, program of {size} bytes");
        let typed = measure(
            || {
                black_box(decide(&program, tool, black_box(&value), &mut workspace).verdict);
            },
            200,
        );
        show("  typed intent to verdict", &typed);
        let cold = measure(
            || {
                let intent = Intent::read(black_box(&bytes)).expect("an intent");
                let values = bind::bind_record(&intent.args, &tool.args).expect("well-typed");
                black_box(decide(&program, tool, &Value::Record(values), &mut workspace).verdict);
            },
            20,
        );
        show("  JSON bytes to verdict", &cold);
        let traced = measure(
            || {
                let intent = Intent::read(black_box(&bytes)).expect("an intent");
                drop(black_box(
                    boundary.judge(&intent, &moment, &key).expect("a trace"),
                ));
            },
            5,
        );
        show("  JSON bytes to signed trace", &traced);
        let load = measure(
            || drop(black_box(Boundary::open(&signed, &trusted, now).expect("opens"))),
            1,
        );
        show("  verified bundle to ready gate", &load);
        let start = Instant::now();
        drop(black_box(compile::check("bench.gaitpol", &text)));
        println!(
            "  check of the source                          {:>12} us",
            start.elapsed().as_micros()
        );
    }
}
