//! Decision time and allocations at 10, 100, 1,000 and 10,000 rules, in three modes: typed intent to verdict, JSON
//! bytes to verdict, JSON bytes to signed trace with its parts; and the time to load a verified bundle. Beside them the
//! floor in the same run: one SHA-256 of the intent and one Ed25519 signature. Prints medians and 99th percentiles in
//! nanoseconds.
//!
//! `cargo bench --bench decision` runs it, `-- --rules 10` at one size. `-- --rules 10 --only "to signed" --times 1000`
//! does one thing so often and measures nothing: for a profiler.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement reads the clock, prints, and stops at the first surprise"
)]

use gait::artifact::envelope::Payload as _;
use gait::artifact::{SigningKey, TraceRecord, TrustedKeys, digest, jcs, trace};
use gait::boundary::{Boundary, Moment, call_digest};
use gait::builtins::bind;
use gait::domain::{Intent, Request};
use gait::eval::{Workspace, decide, explain};
use gait::gate::Gate;
use gait::gate::request::{self, Counting};
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

/// Median and 99th percentile in tenths of nanoseconds, and allocations of one call.
struct Figure {
    median: u128,
    p99: u128,
    allocations: usize,
}

/// One thing measured: its name, how often it runs in a batch, and what it does.
struct Work<'w> {
    name: &'static str,
    batch: u32,
    run: Box<dyn FnMut() + 'w>,
}

fn work<'w>(name: &'static str, batch: u32, run: impl FnMut() + 'w) -> Work<'w> {
    let run = Box::new(run);
    Work { name, batch, run }
}

/// Batches of each by turns, so that what else the machine does falls on all of them alike.
fn measure(all: &mut [Work<'_>], rounds: usize) -> Vec<Figure> {
    let allocations = all.iter_mut().map(|work| {
        (0..work.batch).for_each(|_| (work.run)());
        let region = Region::new(ALLOCATOR);
        (work.run)();
        region.change().allocations
    });
    let allocations: Vec<usize> = allocations.collect();
    let mut samples: Vec<Vec<u128>> = all.iter().map(|_| Vec::with_capacity(rounds)).collect();
    for _ in 0..rounds {
        for (work, samples) in all.iter_mut().zip(&mut samples) {
            let start = Instant::now();
            (0..work.batch).for_each(|_| (work.run)());
            samples.push(start.elapsed().as_nanos() * 10 / u128::from(work.batch));
        }
    }
    let figure = |(mut samples, allocations): (Vec<u128>, usize)| {
        samples.sort_unstable();
        let at = |percent: usize| samples[samples.len() * percent / 100];
        Figure {
            median: at(50),
            p99: at(99),
            allocations,
        }
    };
    samples.into_iter().zip(allocations).map(figure).collect()
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

/// What the command line asks for.
struct Asked {
    sizes: Vec<usize>,
    /// One thing only, so often, without a clock: for a profiler.
    only: Option<String>,
    times: u32,
}

fn asked() -> Asked {
    let args: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1).cloned()
    };
    let sizes = value("--rules").map(|n| vec![n.parse().expect("a number of rules")]);
    Asked {
        sizes: sizes.unwrap_or_else(|| SIZES.to_vec()),
        only: value("--only"),
        times: value("--times").map_or(1_000, |n| n.parse().expect("a number")),
    }
}

fn main() {
    let asked = asked();
    println!("{:<44} {:>15} {:>15} {:>8}", "", "median", "p99", "allocs");
    for n in &asked.sizes {
        size(*n, &asked);
    }
}

fn size(n: usize, asked: &Asked) {
    let key = SigningKey::from_seed(&[7; 32]);
    let trusted = TrustedKeys::new([key.verifying_key()]);
    let now = "2026-11-23T00:00:00Z".parse().expect("a time");
    let bytes = intent().into_bytes();
    let text = policy(n);
    let report = compile::check("bench.gaitpol", &text);
    let checked = report.checked.expect("the bench policy has no errors");
    let program = compile::lower(&checked);
    let tool = program.tool("pay.transfer").expect("declared");
    let args = json::parse(ARGS.as_bytes()).expect("well-formed");
    let value = Value::Record(bind::bind_record(&args, &tool.args).expect("well-typed"));
    let built = bundling::build(&checked, 0, &key).expect("builds");
    let size = built.bundle.value().contents.ir.len();
    let signed = built.bytes;
    let mut boundary = Boundary::open(&signed, &trusted, now).expect("opens");
    let moment = Moment {
        now,
        ..Moment::default()
    };
    let read = Intent::read(&bytes).expect("an intent");
    let request = Request::intent(&read);
    let gate = Gate::new(program.clone());
    let bound = request::bind(&program, tool, &request, Counting::Known).expect("binds");
    let recorded = boundary.judge(&read, &moment, &key).expect("a trace");
    let canonical = bound.canonical_args.clone();
    let document = recorded.record.to_json();
    let payload = jcs::to_vec(&document);
    let spaces = || Workspace::new(&program);
    let (mut one, mut two, mut three, mut four) = (spaces(), spaces(), spaces(), spaces());
    let outcome = decide(&program, tool, &bound.record, &mut four);
    let mut all = vec![
        work("floor: sha256 of the intent", 100, || {
            black_box(digest::sha256(black_box(&bytes)));
        }),
        work("floor: ed25519 signature of the intent", 5, || {
            black_box(key.sign(black_box(&bytes)));
        }),
        work("typed intent to verdict", 100, || {
            black_box(decide(&program, tool, black_box(&value), &mut one).verdict);
        }),
        work("JSON bytes to verdict", 20, || {
            let intent = Intent::read(black_box(&bytes)).expect("an intent");
            let values = bind::bind_record(intent.args(), &tool.args).expect("well-typed");
            black_box(decide(&program, tool, &Value::Record(values), &mut two).verdict);
        }),
        work("JSON bytes to signed trace", 5, || {
            let intent = Intent::read(black_box(&bytes)).expect("an intent");
            drop(black_box(
                boundary.judge(&intent, &moment, &key).expect("a trace"),
            ));
        }),
        work("  of it: read the JSON", 20, || {
            drop(black_box(json::parse(black_box(&bytes))));
        }),
        work("  of it: read and check the intent", 20, || {
            drop(black_box(Intent::read(black_box(&bytes))));
        }),
        work("  of it: bind arguments and context", 20, || {
            drop(black_box(request::bind(
                &program,
                tool,
                black_box(&request),
                Counting::Known,
            )));
        }),
        work("  of it: explain", 20, || {
            drop(black_box(explain(&program, tool, &bound.record, &outcome)));
        }),
        work("  of it: bind, decide, explain (the gate)", 20, || {
            drop(black_box(gate.decide(black_box(&request), &mut three)));
        }),
        work("  of it: canonical text and digest of intent", 20, || {
            black_box(digest::sha256(&jcs::to_vec(&black_box(&read).covered())));
        }),
        work("  of it: digest of the call", 20, || {
            black_box(call_digest("pay.transfer", black_box(&canonical)));
        }),
        work("  of it: record to document", 20, || {
            drop(black_box(black_box(&recorded.record).to_json()));
        }),
        work("  of it: canonical text of the document", 20, || {
            drop(black_box(jcs::to_vec(black_box(&document))));
        }),
        work("  of it: document to record", 20, || {
            drop(black_box(TraceRecord::from_json(black_box(&document))));
        }),
        work("  of it: ed25519 signature of the record", 5, || {
            black_box(key.sign(black_box(&payload)));
        }),
        work("  of it: sign, with all that belongs to it", 5, || {
            drop(black_box(trace::sign(black_box(&recorded.record), &key)));
        }),
        work("beside it: verify the trace", 5, || {
            drop(black_box(recorded.trace.verify(&trusted, now)));
        }),
        work("verified bundle to ready gate", 1, || {
            drop(black_box(Boundary::open(&signed, &trusted, now).expect("opens")));
        }),
        work("check of the source", 1, || {
            drop(black_box(compile::check("bench.gaitpol", &text)));
        }),
    ];
    if let Some(only) = &asked.only {
        let named = all.iter_mut().filter(|work| work.name.contains(only.as_str()));
        named.for_each(|work| (0..asked.times).for_each(|_| (work.run)()));
        return;
    }
    println!(
        "{n} rules, program of {size} bytes, record of {} bytes",
        payload.len()
    );
    let rounds = if n > 1_000 { 30 } else { 200 };
    let figures = measure(&mut all, rounds);
    for (work, figure) in all.iter().zip(&figures) {
        show(work.name, figure);
    }
    let [sha, sign, _, _, traced, ..] = figures.as_slice() else {
        return;
    };
    let times = traced.median * 100 / (sha.median + sign.median);
    println!("signed trace: {}.{:02} times the floor", times / 100, times % 100);
}
