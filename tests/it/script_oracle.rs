//! Scripts against a naive reading: every way in which earlier steps may come out is written down as a whole history, and
//! after each of them the next step is judged alone, by the reference interpreter. Labels and what happened are computed
//! here from the history, with nothing of the gate's.

use gait::compile;
use gait::domain::{ArgumentOrigin, ArgumentSource, LabelOf, Request, ScriptStep, State, Verdict};
use gait::eval::reference;
use gait::gate::{Gate, Judged};
use gait::hir::{Monitor, Package, PatternStep, Slot};
use gait::json::Json;
use gait::value::Value;
use proptest::prelude::*;
use std::collections::BTreeSet;

const HEAD: &str = "gaitpol 1\npolicy p\ndefault block code none\nlabel secret, pii\n\
    declassify scrub removes untrusted\n\
    tool read { n: Int, returns secret }\ntool web { n: Int }\ntool scrub { n: Int, returns pii }\n\
    tool send { n: Int, m: Int, carries m }\n\
    latch hot on call read result ok resets on call web when args.n > 1\n";

const TOOLS: [&str; 4] = ["read", "web", "scrub", "send"];

/// The labels of what each tool returns: its own, and `untrusted` where nothing removes it.
const RESULTS: [&[&str]; 4] = [&["secret", "untrusted"], &["untrusted"], &["pii"], &["untrusted"]];

/// A call, and where its arguments come from.
#[derive(Clone, Debug)]
struct Call {
    tool: usize,
    n: i64,
    /// Of `n`; `None` where the adapter says nothing of it, and of the whole call where it says nothing at all.
    from: Option<Option<(ArgumentSource, Option<usize>)>>,
}

impl Call {
    fn step(&self) -> ScriptStep {
        let mut args = vec![("n", Json::int(self.n))];
        if TOOLS[self.tool] == "send" {
            args.push(("m", Json::int(self.n)));
        }
        let origin = |(source, tool): (ArgumentSource, Option<usize>)| ArgumentOrigin {
            path: vec!["n".into()],
            source,
            tool: tool.map(|tool| TOOLS[tool].into()),
            digest: None,
        };
        ScriptStep {
            tool: TOOLS[self.tool].into(),
            args: Json::object(args),
            origins: self.from.map(|from| from.map(origin).into_iter().collect()),
            said: Json::Object(Vec::new()),
        }
    }
}

/// A call that ran.
#[derive(Clone)]
struct Ran {
    tool: usize,
    record: Value,
    /// Of its arguments and of its result.
    labels: u64,
    ok: bool,
}

/// What is known before a call.
struct Past<'p> {
    package: &'p Package,
    ran: Vec<Ran>,
    /// Whether anybody keeps the session.
    kept: bool,
}

impl Past<'_> {
    fn mask(&self, names: &[&str]) -> u64 {
        let bit = |name: &&str| self.package.labels.names.iter().position(|n| n == name).unwrap();
        names.iter().fold(0, |mask, name| mask | 1 << bit(name))
    }

    /// The labels of everything read.
    fn read(&self) -> u64 {
        self.ran.iter().fold(0, |all, ran| all | ran.labels)
    }

    /// The labels of an argument.
    fn argument(&self, call: &Call, name: &str) -> u64 {
        match call.from {
            None if self.kept => self.read(),
            None => self.mask(&["untrusted"]) | self.read(),
            Some(Some((source, tool))) if name == "n" => match (source, tool) {
                (ArgumentSource::User | ArgumentSource::System, _) => 0,
                (ArgumentSource::ToolOutput, Some(tool)) => self.mask(RESULTS[tool]),
                (ArgumentSource::ToolOutput, None) => self.mask(&["untrusted"]) | self.read(),
                (ArgumentSource::External, _) => self.mask(&["untrusted"]),
                (ArgumentSource::Missing, _) => self.mask(&["untrusted"]) | self.read(),
            },
            // Nothing is said of this one.
            Some(_) => self.mask(&["untrusted"]) | self.read(),
        }
    }

    fn arguments(&self, call: &Call) -> u64 {
        let m = if TOOLS[call.tool] == "send" {
            self.argument(call, "m")
        } else {
            0
        };
        self.argument(call, "n") | m
    }

    /// What the rules look at.
    fn record(&self, call: &Call) -> Value {
        let n = Value::Num(call.n.into());
        let mut fields = vec![n.clone()];
        if TOOLS[call.tool] == "send" {
            fields.push(n);
        }
        fields.push(Value::Absent);
        for slot in &self.package.tools[tool(self.package, call.tool)].slots {
            let value = match slot {
                Slot::Holds(cond) => {
                    Value::Bool(reference::holds(cond, &mut vec![&Value::Record(fields.clone())]))
                }
                Slot::Label { of, mask } => {
                    let labels = match of {
                        LabelOf::Session => self.read(),
                        LabelOf::Argument(path) => self.argument(call, &path[0]),
                        LabelOf::Carried if TOOLS[call.tool] == "send" => self.argument(call, "m"),
                        LabelOf::Carried => 0,
                    };
                    Value::Bool(labels & mask != 0)
                }
                Slot::History(number) => {
                    Value::Bool(self.holds(&self.package.history.monitors[*number as usize]))
                }
                Slot::Tally(number) => {
                    Value::Num(self.count(&self.package.history.monitors[*number as usize]))
                }
                _ => unreachable!("no rule asks for it"),
            };
            fields.push(value);
        }
        Value::Record(fields)
    }

    fn with(&self, call: &Call, ok: bool) -> Past<'_> {
        let labels = self.arguments(call) | self.mask(RESULTS[call.tool]);
        let record = self.record(call);
        let mut ran = self.ran.clone();
        ran.push(Ran {
            tool: tool(self.package, call.tool),
            record,
            labels,
            ok,
        });
        Past { ran, ..*self }
    }

    /// Whether a call that ran is an event of this number.
    fn is(&self, ran: &Ran, number: u32) -> bool {
        let event = &self.package.history.events[number as usize];
        let call = event.calls.iter().find(|(tool, _)| *tool == ran.tool);
        call.is_some_and(|(_, cond)| reference::holds(cond, &mut vec![&ran.record]))
            && (event.labels == 0 || event.labels & ran.labels != 0)
            && event.ok.is_none_or(|ok| ok == ran.ok)
    }

    fn count(&self, monitor: &Monitor) -> i128 {
        let Monitor::Count { event, cap } = monitor else {
            unreachable!("no time is asked for")
        };
        let n = self.ran.iter().filter(|ran| self.is(ran, *event)).count();
        n.min(*cap as usize) as i128
    }

    fn holds(&self, monitor: &Monitor) -> bool {
        let last = |event: u32| self.ran.iter().rposition(|ran| self.is(ran, event));
        match monitor {
            Monitor::Flag {
                set,
                clear,
                clear_wins,
            } => match (last(*set), clear.and_then(last)) {
                (Some(set), Some(clear)) if set == clear => !clear_wins,
                (set, clear) => set > clear,
            },
            Monitor::Pattern(steps) => (0..=self.ran.len()).any(|at| self.matches(steps, &self.ran[at..])),
            Monitor::Count { .. } | Monitor::Recent { .. } => unreachable!("counts are compared"),
        }
    }

    fn matches(&self, steps: &[PatternStep], ran: &[Ran]) -> bool {
        let Some((first, rest)) = steps.split_first() else {
            return ran.is_empty();
        };
        match first {
            PatternStep::Event(event) => ran
                .first()
                .is_some_and(|one| self.is(one, *event) && self.matches(rest, &ran[1..])),
            PatternStep::Any => (0..=ran.len()).any(|at| self.matches(rest, &ran[at..])),
            PatternStep::Maybe => (0..=ran.len().min(1)).any(|at| self.matches(rest, &ran[at..])),
        }
    }
}

/// The number a tool has in the package.
fn tool(package: &Package, index: usize) -> usize {
    package.tools.iter().position(|t| t.name == TOOLS[index]).unwrap()
}

/// A verdict with its codes, and the rules that matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Said {
    verdict: Option<Verdict>,
    codes: BTreeSet<String>,
    matched: BTreeSet<String>,
}

impl Said {
    fn join(&mut self, other: Said) {
        if other.verdict > self.verdict {
            self.codes.clear();
        }
        if other.verdict >= self.verdict {
            self.codes.extend(other.codes);
        }
        self.verdict = self.verdict.max(other.verdict);
        self.matched.extend(other.matched);
    }

    fn of(judged: &gait::domain::Decision) -> Said {
        Said {
            verdict: Some(judged.verdict),
            codes: judged.reason_codes.iter().cloned().collect(),
            matched: judged.matched.iter().map(|rule| rule.name.to_string()).collect(),
        }
    }
}

/// A call after a history, read naively.
fn alone(past: &Past<'_>, call: &Call) -> Said {
    let said = reference::interpret(past.package, tool(past.package, call.tool), &past.record(call));
    Said {
        verdict: Some(said.verdict),
        codes: said.codes.into_iter().collect(),
        matched: said.matched.into_iter().collect(),
    }
}

/// Each step of a script after every history that those before it may make, and the history in which all succeed.
fn steps<'p>(past: Past<'p>, calls: &[Call]) -> (Vec<Said>, Past<'p>) {
    let package = past.package;
    let kept = past.kept;
    let mut worlds = vec![past.ran];
    let mut steps = Vec::new();
    for call in calls {
        let mut said = Said::default();
        let mut next = Vec::new();
        for ran in worlds {
            let past = Past { package, ran, kept };
            said.join(alone(&past, call));
            next.extend([true, false].map(|ok| past.with(call, ok).ran));
        }
        steps.push(said);
        worlds = next;
    }
    let ran = worlds.into_iter().next().unwrap();
    (steps, Past { package, ran, kept })
}

fn judge(gate: &Gate, state: Option<&State>, steps: &[ScriptStep], single: Option<&ScriptStep>) -> Judged {
    let nothing = Json::Object(Vec::new());
    let request = match single {
        Some(step) => Request {
            origins: step.origins.as_deref(),
            ..Request::call(&step.tool, &step.args)
        },
        None => Request {
            steps,
            ..Request::call("script", &nothing)
        },
    };
    gate.decide(&Request { state, ..request }, &mut gate.workspace())
}

fn call() -> impl Strategy<Value = Call> {
    let source = prop_oneof![
        Just((ArgumentSource::User, None)),
        Just((ArgumentSource::External, None)),
        Just((ArgumentSource::ToolOutput, None)),
        (0..4usize).prop_map(|tool| (ArgumentSource::ToolOutput, Some(tool))),
    ];
    let from = prop_oneof![2 => Just(None), 1 => prop::option::of(source).prop_map(Some)];
    (0..4usize, 0..4i64, from).prop_map(|(tool, n, from)| Call { tool, n, from })
}

/// A condition; about the session only where one is kept.
fn atom(kept: bool) -> BoxedStrategy<String> {
    let tool = || prop::sample::select(&TOOLS[..]);
    let label = || prop::sample::select(&["secret", "pii", "untrusted"][..]);
    let plain = prop_oneof![
        (0..3).prop_map(|n| format!("args.n > {n}")),
        label().prop_map(|l| format!("labels(args.n) has {l}")),
        label().prop_map(|l| format!("labels(carried) has {l}")),
    ];
    if !kept {
        return plain.boxed();
    }
    let result = prop::sample::select(
        &[
            "",
            " result ok",
            " result failed",
            " when args.n > 1",
            " result has pii",
        ][..],
    );
    let event = || (tool(), result.clone()).prop_map(|(tool, result)| format!("call {tool}{result}"));
    let history = prop_oneof![
        label().prop_map(|l| format!("labels(session) has {l}")),
        event().prop_map(|a| format!("once({a})")),
        event().prop_map(|a| format!("not yet({a})")),
        (event(), event()).prop_map(|(a, b)| format!("once({a}) since({b})")),
        (event(), event()).prop_map(|(a, b)| format!("after({a}) without({b})")),
        (event(), 1..3).prop_map(|(a, n)| format!("count({a}) >= {n}")),
        (event(), event()).prop_map(|(a, b)| format!("history matches [{a}, * up_to 1, {b}]")),
        event().prop_map(|a| format!("history matches [{a}, *]")),
        Just("hot".to_owned()),
    ];
    prop_oneof![1 => plain, 2 => history].boxed()
}

fn policy(kept: bool) -> impl Strategy<Value = String> {
    let on = prop::sample::select(&["*", "read", "web", "send", "scrub, send"][..]);
    let verdict = prop::sample::select(&["allow", "allow", "dry_run", "require_approval", "block"][..]);
    let join = prop::sample::select(&["and", "or"][..]);
    let rule = (
        on,
        prop::collection::vec(atom(kept), 1..3),
        join,
        any::<bool>(),
        verdict,
    );
    prop::collection::vec(rule, 1..6).prop_map(|rules| {
        let rules = rules
            .iter()
            .enumerate()
            .map(|(at, (on, atoms, join, unless, verdict))| {
                let word = if *unless { "unless" } else { "when" };
                let cond = atoms.join(&format!(" {join} "));
                // Of the other tools nothing leaves the boundary.
                let cond = match *on {
                    "send" => cond,
                    _ => cond.replace("labels(carried)", "labels(args.n)"),
                };
                format!("rule r{at} on {on} {word} {cond} {verdict} code c{}\n", at % 3)
            });
        format!("{HEAD}{}", rules.collect::<String>())
    })
}

/// Random conditions may exclude one another.
const EXPECTED: [gait::diag::Code; 1] = [gait::diag::codes::CONSTANT_CONDITION];

/// Compares every step, and what comes before and after; how many calls were compared.
fn agree(text: &str, kept: bool, before: &[(Call, bool)], calls: &[Call], then: &Call) -> usize {
    let report = compile::check("p.gaitpol", text);
    let is_unexpected = |d: &&gait::diag::Diagnostic| d.is_error() && !EXPECTED.contains(&d.code);
    let unexpected: Vec<_> = report.diagnostics.iter().filter(is_unexpected).collect();
    assert!(unexpected.is_empty(), "{text}\n{unexpected:#?}");
    let Some(checked) = report.checked else { return 0 };
    let gate = Gate::new(compile::lower(&checked));
    let mut past = Past {
        package: checked.package(),
        ran: Vec::new(),
        kept,
    };
    let mut state = kept.then(|| gate.fresh_state());
    for (call, ok) in before.iter().filter(|_| kept) {
        let judged = judge(&gate, state.as_ref(), &[], Some(&call.step()));
        assert_eq!(Said::of(&judged.decision), alone(&past, call), "{text}\n{call:?}");
        state = if *ok { judged.after } else { judged.after_failure };
        let ran = past.with(call, *ok).ran;
        past.ran = ran;
    }
    let written: Vec<ScriptStep> = calls.iter().map(Call::step).collect();
    let judged = judge(&gate, state.as_ref(), &written, None);
    let (each, past) = steps(past, calls);
    let shown = || format!("{text}\n{before:?}\n{calls:#?}");
    let found: Vec<Said> = judged
        .decision
        .steps
        .iter()
        .map(|step| Said::of(&step.decision))
        .collect();
    assert_eq!(found, each, "{}", shown());
    let mut whole = Said::default();
    each.into_iter().for_each(|step| whole.join(step));
    assert_eq!(Said::of(&judged.decision), whole, "{}", shown());
    // The session goes on from where every step succeeded.
    assert_eq!(judged.after.is_some(), kept);
    if kept {
        let next = judge(&gate, judged.after.as_ref(), &[], Some(&then.step()));
        assert_eq!(
            Said::of(&next.decision),
            alone(&past, then),
            "{}\n{then:?}",
            shown()
        );
    }
    let single = if kept { before.len() + 1 } else { 0 };
    single + calls.len()
}

/// Whether a session is kept, and a policy; the calls before a script, the script, and a call after it.
type Session = ((bool, String), Vec<(Call, bool)>, Vec<Call>, Call);

fn session() -> impl Strategy<Value = Session> {
    (
        any::<bool>().prop_flat_map(|kept| (Just(kept), policy(kept))),
        prop::collection::vec((call(), any::<bool>()), 0..3),
        prop::collection::vec(call(), 1..6),
        call(),
    )
}

/// One of them; how many calls were compared. For `benches/differential.rs`.
#[allow(dead_code, reason = "only benches/differential.rs asks for it")]
pub fn batch(runner: &mut proptest::test_runner::TestRunner) -> usize {
    use proptest::strategy::ValueTree as _;
    let drawn = session().new_tree(runner).expect("nothing is filtered");
    let ((kept, text), before, calls, then) = drawn.current();
    agree(&text, kept, &before, &calls, &then)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn scripts_are_what_their_steps_are_after_every_history(
        ((kept, text), before, calls, then) in session(),
    ) {
        agree(&text, kept, &before, &calls, &then);
    }
}
