//! What an author waits for: the check of a policy of 1,000 rules over 100 tools, and of the same policy where a
//! change broke one rule. Prints medians and the slowest of 30 in milliseconds.
//!
//! `cargo bench --bench check` runs it; `-- --print` prints the policy, for timing `gait policy check` as a process.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a measurement reads the clock, prints, and stops at the first surprise"
)]

use gait::compile;
use std::fmt::Write;
use std::hint::black_box;
use std::time::Instant;

const TOOLS: usize = 100;
const RULES: usize = 1_000;

const HEAD: &str = r#"gaitpol 1
policy bench.check
default block code none
enum Env { dev, staging, prod }
label secret
set partners: Email = { "ann@acme.com", "bob@partner.org", "eve@vendor.net" }
"#;

/// A policy of 1,000 rules, ten on each of 100 tools of ten arguments, with the conditions that people write.
fn policy() -> String {
    let mut text = HEAD.to_owned();
    let line = |text: &mut String, line: &str| text.write_str(line).expect("memory");
    for tool in 0..TOOLS {
        let body = "to: Email\n  amount: Money[USD, 2]\n  env: Env\n  url: Url\n  path: Path\n  cc: List[Email, max 20]\n  \
                    body: String[max 10_000]\n  count: Int\n  urgent: Bool\n  cmd: Command?\n  carries body";
        line(&mut text, &format!("tool t{tool}.act {{\n  {body}\n}}\n"));
    }
    let verdicts = ["allow", "require_approval", "block", "dry_run"];
    for rule in 0..RULES {
        let (tool, verdict) = (rule % TOOLS, verdicts[(rule / TOOLS) % 4]);
        let extra = match rule / TOOLS {
            0 => format!("args.to.domain == \"dept{}.acme.com\"", rule % 40),
            1 => format!("args.url.host under \"h{}.example.com\"", rule % 60),
            2 => format!(
                "args.path under \"/srv/app{}\" and not args.path like \"/srv/*/secret/**\"",
                rule % 30
            ),
            3 => "any c in args.cc: c not in partners and c.domain != \"acme.com\"".to_owned(),
            4 => format!("args.body contains \"project {}\"", rule % 70),
            5 => "labels(carried) has secret".to_owned(),
            6 => format!("args.count > {} and args.count < {}", rule % 9, rule % 9 + 100),
            7 => "args.urgent and args.to in partners".to_owned(),
            8 => format!("once(call t{}.act)", (tool + 1) % TOOLS),
            _ => "not present args.cmd or args.cmd.opaque".to_owned(),
        };
        let bound = rule * 37 % 5_000;
        let condition = format!(
            "args.amount > {bound}.50 and args.env == {} and ({extra})",
            ["dev", "staging", "prod"][rule % 3]
        );
        line(
            &mut text,
            &format!("rule r{rule} on t{tool}.act when {condition} {verdict}\n"),
        );
    }
    text
}

fn measure(name: &str, text: &str, errors: usize) {
    let mut samples: Vec<u128> = (0..30)
        .map(|_| {
            let start = Instant::now();
            let report = black_box(compile::check("policy.gaitpol", black_box(text)));
            assert_eq!(report.errors(), errors, "{:#?}", report.diagnostics.first());
            start.elapsed().as_micros()
        })
        .collect();
    samples.sort_unstable();
    let ms = |n: u128| format!("{}.{}", n / 1_000, n % 1_000 / 100);
    println!("{name:<28} {:>8} ms {:>8} ms", ms(samples[15]), ms(samples[29]));
}

fn main() {
    let text = policy();
    if std::env::args().any(|a| a == "--print") {
        print!("{text}");
        return;
    }
    println!(
        "{:<28} {:>11} {:>11}",
        format!("{} KB", text.len() / 1_000),
        "median",
        "slowest"
    );
    measure("no mistake", &text, 0);
    measure(
        "a condition of a wrong type",
        &text.replacen("args.count > 0", "args.count > \"0\"", 1),
        1,
    );
}
