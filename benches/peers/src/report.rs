//! Tables in Markdown, as they stand in `docs/performance.md`.

use crate::agree::Agreement;
use crate::engine::Answer;
use crate::measure::{Figure, Loading, Mode, Times};
use crate::suite::Suite;
use gait::domain::Verdict;

/// What was measured of one suite.
pub struct Measured {
    /// The suite.
    pub name: String,
    /// How many rules its policy has.
    pub rules: usize,
    /// How many requests were decided in the measurement.
    pub requests: usize,
    /// The engines that decide, in the order of the figures.
    pub engines: Vec<&'static str>,
    /// Figures of a mode.
    pub figures: Vec<(Mode, Vec<Figure>)>,
    /// Everybody who loads, with what it costs.
    pub loading: Vec<(&'static str, Loading)>,
}

impl Measured {
    /// The figure of an engine.
    pub fn figure(&self, mode: Mode, engine: &str) -> Option<Figure> {
        let position = self.engines.iter().position(|name| *name == engine)?;
        let (_, figures) = self.figures.iter().find(|(of, _)| *of == mode)?;
        figures.get(position).copied()
    }

    /// The loading of an engine.
    pub fn loaded(&self, engine: &str) -> Option<Loading> {
        let found = self.loading.iter().find(|(name, _)| *name == engine);
        found.map(|(_, loading)| *loading)
    }

    /// How often longer an engine takes than Gait, in tenths.
    pub fn ratio(&self, mode: Mode, engine: &str) -> Option<u64> {
        let ours = self.figure(mode, "gait")?.times.p50;
        Some(self.figure(mode, engine)?.times.p50 * 10 / ours.max(1))
    }
}

/// A time in the unit that suits it, from tenths of a nanosecond.
pub fn time(tenths: u64) -> String {
    let (whole, unit) = match tenths {
        0..10_000 => return format!("{} ns", tenths / 10),
        10_000..10_000_000 => (tenths / 100, "us"),
        _ => (tenths / 100_000, "ms"),
    };
    if whole < 1_000 {
        format!("{}.{:02} {unit}", whole / 100, whole % 100)
    } else {
        format!("{}.{} {unit}", whole / 100, whole / 10 % 10)
    }
}

fn tenth(value: u64) -> String {
    if value < 1_000 && value % 10 != 0 {
        format!("{}.{}", value / 10, value % 10)
    } else {
        (value / 10).to_string()
    }
}

fn bytes(held: u64) -> String {
    match held {
        0..10_240 => format!("{}.{} KiB", held / 1_024, held % 1_024 * 10 / 1_024),
        10_240..10_485_760 => format!("{} KiB", held / 1_024),
        _ => format!("{} MiB", held / 1_048_576),
    }
}

/// The table of one suite.
pub fn table(measured: &Measured) -> String {
    let mut out = format!(
        "**{}** ({} rules, {} requests)\n\n| Engine | warm p50 | p99 | allocs | times | request-cold p50 | p99 | allocs | times | load p50 | p99 | allocs | held |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
        measured.name, measured.rules, measured.requests
    );
    for (name, loading) in &measured.loading {
        out.push_str(&format!("| {name} |"));
        for mode in [Mode::Warm, Mode::Cold] {
            let ratio = measured.ratio(mode, name).map(tenth).unwrap_or_default();
            out.push_str(&match measured.figure(mode, name) {
                None => " | | | |".to_owned(),
                Some(figure) => {
                    let Times { p50, p99 } = figure.times;
                    format!(
                        " {} | {} | {} | {ratio} |",
                        time(p50),
                        time(p99),
                        tenth(figure.allocations)
                    )
                }
            });
        }
        let Times { p50, p99 } = loading.times;
        let (allocations, held) = (loading.allocations, bytes(loading.held));
        out.push_str(&format!(
            " {} | {} | {allocations} | {held} |\n",
            time(p50),
            time(p99)
        ));
    }
    out
}

/// How many requests get each verdict.
pub fn spread(verdicts: &[Verdict]) -> String {
    let one = |verdict: Verdict| {
        let count = verdicts.iter().filter(|v| **v == verdict).count();
        format!("{} {count}", verdict.as_str())
    };
    Verdict::ALL.map(one).join(", ")
}

/// The first requests on which an engine decides otherwise, for whoever ports a policy.
pub fn differences(suite: &Suite, verdicts: &[Verdict], agreement: &Agreement) -> Vec<String> {
    let looser = agreement.looser.iter().map(|position| ("looser", position));
    let stricter = agreement.stricter.iter().map(|position| ("stricter", position));
    let one = |(how, position): (&str, &usize)| {
        let intent = suite
            .intents
            .get(*position)
            .map(|bytes| String::from_utf8_lossy(bytes));
        let ours = verdicts.get(*position).map_or("", |verdict| verdict.as_str());
        let args = intent
            .as_deref()
            .and_then(|text| text.split_once("\"args\":"))
            .map_or("", |(_, args)| args);
        let args: String = args.chars().take(SHOWN).collect();
        format!("  {} is {how} than {ours} on {args}", agreement.name)
    };
    looser.take(FEW).chain(stricter.take(FEW)).map(one).collect()
}

/// How many differences are shown of each kind, and how much of a request.
const FEW: usize = 4;
const SHOWN: usize = 160;

/// How engines compare on the requests of suites, a line each.
pub fn agreements(all: &[(String, usize, Vec<Agreement>)]) -> String {
    let mut out =
        "| Suite | Requests | Engine | same | looser | stricter |\n|---|---|---|---|---|---|\n".to_owned();
    for (suite, requests, agreements) in all {
        for agreement in agreements.iter().skip(1) {
            let Agreement {
                name,
                same,
                looser,
                stricter,
            } = agreement;
            let (looser, stricter) = (looser.len(), stricter.len());
            out.push_str(&format!(
                "| {suite} | {requests} | {name} | {same} | {looser} | {stricter} |\n"
            ));
        }
    }
    out
}

/// What every engine says of requests with something wrong; what is looser than Gait is in bold.
pub fn odd(engines: &[&str], all: &[(&str, Vec<Answer>)]) -> String {
    let mut out = format!("| What is wrong | {} |\n|---|", engines.join(" | "));
    out.push_str(&"---|".repeat(engines.len()));
    out.push('\n');
    for (what, answers) in all {
        let ours = answers.first().map_or(Verdict::Block, |answer| answer.verdict());
        out.push_str(&format!("| {what} |"));
        for answer in answers {
            let shown = match answer {
                Answer::Refuses => "refused",
                Answer::Says(verdict) => verdict.as_str(),
            };
            let mark = if answer.verdict() < ours { "**" } else { "" };
            out.push_str(&format!(" {mark}{shown}{mark} |"));
        }
        out.push('\n');
    }
    out
}

/// The aims, a line each: what was reached at worst, and where.
pub fn aims(all: &[Measured]) -> String {
    let mut out = String::new();
    for (mode, shown, aim) in [(Mode::Warm, "warm", 20), (Mode::Cold, "request-cold", 5)] {
        for engine in ["cedar", "regorus", "regorus vm", "cel"] {
            let ratios = all.iter().filter_map(|m| Some((m.ratio(mode, engine)?, &m.name)));
            let Some((least, suite)) = ratios.min() else {
                continue;
            };
            let met = if least >= aim * 10 { "met" } else { "not met" };
            out.push_str(&format!(
                "- {shown}, {engine} takes at least {} times as long as Gait (in {suite}); aim {aim}: {met}\n",
                tenth(least)
            ));
        }
    }
    let sized = |rules| {
        all.iter()
            .find(|m| m.name.starts_with("synthetic") && m.rules == rules)
    };
    if let (Some(small), Some(large)) = (sized(10), sized(10_000)) {
        for (mode, shown) in [(Mode::Warm, "warm"), (Mode::Cold, "request-cold")] {
            let p50 = |of: &Measured| of.figure(mode, "gait").map_or(0, |figure| figure.times.p50);
            let times = p50(large) * 10 / p50(small).max(1);
            out.push_str(&format!(
                "- {shown}, 10,000 rules cost {} times what 10 cost; aim 3\n",
                tenth(times)
            ));
        }
        if let Some(loading) = large.loaded("gait") {
            out.push_str(&format!(
                "- 10,000 rules load in {}; aim 50 ms\n",
                time(loading.times.p50)
            ));
        }
    }
    out
}
