//! What `gait policy cost` promises: a mirror of the evaluator that counts its steps never counts more than the bound of the
//! tool, and counts nearly as many for a call at its largest; states and counters take no more bytes than is said.

use crate::folder::{Folder, shown};
use crate::oracle::{args, policy};
use gait::compile::{self, Checked};
use gait::domain::counter::{Counter, Counters};
use gait::domain::state::MonitorState;
use gait::domain::{Charge, Request, State};
use gait::eval::{Workspace, decide, monitor};
use gait::gate::Gate;
use gait::gate::request::{self, Counting};
use gait::hir::answer::{self, elements, view};
use gait::hir::{Beside, Cond, Labelled, Monitor, Place, Question, Shape, Slot, Term};
use gait::ir::cost::{self, Around, Ceiling};
use gait::ir::{self, Block, List, Possible, Program, Scope, ToolProgram};
use gait::json::{self, Json};
use gait::value::Value;
use proptest::prelude::*;
use std::cell::Cell;
use std::path::Path;

/// Counts what the evaluator does, in its words.
struct Meter<'p> {
    program: &'p Program,
    tool: &'p ToolProgram,
    steps: Cell<u64>,
}

impl Meter<'_> {
    fn step(&self, n: usize) {
        self.steps.set(self.steps.get() + n as u64);
    }

    /// `eval::run`; the rows that are left.
    fn run(&self, scope: &Scope, value: &Value) -> Vec<u64> {
        let mut blocks = vec![Block::default(); scope.blocks()];
        self.step(2 * blocks.len());
        let mut rows = Possible::all(&mut blocks, scope.rows);
        for var in &scope.vars {
            self.step(var.masks.blocks());
            if var.masks.matters(&rows) {
                self.step(3 + var.masks.blocks());
                let class = var.classifier.class(&view(value, &var.steps));
                var.masks.rule_out(class.unwrap_or(var.count - 1), &mut rows);
            }
        }
        for list in &scope.lists {
            self.list(list, value, &mut rows);
        }
        rows.settle().as_flattened().to_vec()
    }

    fn list(&self, list: &List, value: &Value, rows: &mut Possible<'_>) {
        list.predicates.iter().for_each(|p| self.step(p.masks.blocks()));
        if !list.predicates.iter().any(|p| p.masks.matters(rows)) {
            return;
        }
        let mut found = vec![0; 4 * list.scope.blocks()];
        self.step(list.scope.blocks());
        for element in elements(value, &list.steps) {
            self.step(1 + list.scope.blocks());
            let mine = self.run(&list.scope, element);
            found.iter_mut().zip(mine).for_each(|(all, one)| *all |= one);
        }
        for predicate in &list.predicates {
            self.step((predicate.end - predicate.start) as usize + predicate.masks.blocks() + 2);
            let set = |row: u32| found[row as usize / 64] >> (row % 64) & 1 == 1;
            let holds = (predicate.start..predicate.end).any(set);
            predicate.masks.rule_out(u32::from(holds), rows);
        }
    }

    fn slot(&self, slot: &Slot, record: &Value, state: Option<&State>) {
        match slot {
            Slot::Holds(cond) => {
                self.holds(cond, &[record]);
            }
            Slot::Each(of) => self.labelled(of, record),
            Slot::Lookup { map, key, .. } => {
                self.term(key, &[record]);
                self.step(elements(record, &map.steps).len());
            }
            Slot::Used { limit, by, .. } => {
                self.step(1 + by.len());
                for on in self.tool.limits.iter().filter(|on| on.limit == *limit) {
                    self.holds(&on.when, &[record]);
                    on.cost.iter().for_each(|cost| self.term(cost, &[record]));
                }
            }
            Slot::Tally(number) => {
                let times = state.map(|state| &state.monitors[*number as usize]);
                self.step(match times {
                    Some(MonitorState::Times(times)) => 1 + times.len(),
                    _ => 1,
                });
            }
            Slot::Label { .. } | Slot::History(_) | Slot::Window(_) | Slot::Now => self.step(1),
        }
    }

    fn labelled(&self, of: &Labelled, holder: &Value) {
        for element in elements(holder, &of.list) {
            self.step(1);
            for beside in &of.beside {
                match beside {
                    Beside::Label { .. } => self.step(1),
                    Beside::List(inner) => self.labelled(inner, element),
                }
            }
        }
    }

    /// `answer::holds`.
    fn holds(&self, cond: &Cond, chain: &[&Value]) -> bool {
        match cond {
            Cond::Const(known) => *known,
            Cond::Not(inner) => !self.holds(inner, chain),
            Cond::And(parts) => parts.iter().all(|part| self.holds(part, chain)),
            Cond::Or(parts) => parts.iter().any(|part| self.holds(part, chain)),
            Cond::Atom(atom) => {
                self.step(match &atom.test {
                    Question::Within(ranges) => ranges.len().max(1),
                    Question::OneOf(texts) => texts.len().max(1),
                    Question::Shape(Shape::AnyOf(shapes)) => shapes.len().max(1),
                    _ => 1,
                });
                answer::holds(cond, chain)
            }
            Cond::Relation(relation) => {
                self.step(1);
                self.term(&relation.left, chain);
                self.term(&relation.right, chain);
                relation.holds(chain)
            }
            Cond::Any {
                list, level, body, ..
            } => inner(list, *level, chain)
                .iter()
                .any(|chain| self.element(|| self.holds(body, chain))),
        }
    }

    fn element<T>(&self, work: impl FnOnce() -> T) -> T {
        self.step(1);
        work()
    }

    fn term(&self, term: &Term, chain: &[&Value]) {
        match term {
            Term::Const(_) => {}
            Term::Place(_) | Term::Else(..) => self.step(1),
            Term::Add(a, b) | Term::Sub(a, b) => {
                self.term(a, chain);
                self.term(b, chain);
            }
            Term::Sum { list, level, term } => {
                for chain in inner(list, *level, chain) {
                    self.element(|| self.term(term, &chain));
                }
            }
            Term::Count { list, level, body } => {
                for chain in inner(list, *level, chain) {
                    self.element(|| self.holds(body, &chain));
                }
            }
        }
    }

    /// The session after the call, as `gate::state` works it out.
    fn session(&self, state: &State, record: &Value) {
        let is = |number: u32| {
            self.step(1);
            let asked = self.tool.events.iter().find(|(event, _)| *event == number);
            asked.is_some_and(|(_, cond)| self.holds(cond, &[record]))
        };
        for _ in ["succeeds", "fails"] {
            for (of, before) in self.program.monitors.iter().zip(&state.monitors) {
                if let MonitorState::Times(times) = before {
                    self.step(times.len());
                }
                monitor::step(of, before, Some(0), &is);
            }
        }
    }
}

/// The chain of each element of a list.
fn inner<'v>(list: &Place, level: u32, chain: &[&'v Value]) -> Vec<Vec<&'v Value>> {
    let items = elements(chain[list.level as usize], &list.steps);
    let one = |item| {
        let mut inner: Vec<&Value> = chain.iter().take(level as usize).copied().collect();
        inner.resize(level as usize + 1, item);
        inner
    };
    items.iter().map(one).collect()
}

/// The steps of one decision, counted. The mirror and the evaluator leave the same rows.
fn counted(program: &Program, tool: &str, json: &Json, state: Option<&State>) -> u64 {
    let tool = program.tool(tool).unwrap();
    let request = Request {
        state,
        now: Some(0),
        ..Request::call(&tool.name, json)
    };
    let bound = request::bind(program, tool, &request, Counting::Ignored).unwrap();
    let meter = Meter {
        program,
        tool,
        steps: Cell::new(0),
    };
    for slot in &tool.slots {
        meter.slot(slot, &bound.record, state);
    }
    let rows = meter.run(&tool.scope, &bound.record);
    // Once per verdict, and once for the rows of limits.
    meter.step(5 * tool.scope.blocks());
    if let Some(state) = state {
        meter.session(state, &bound.record);
    }
    let mut workspace = Workspace::new(program);
    let outcome = decide(program, tool, &bound.record, &mut workspace);
    assert_eq!(rows, outcome.rows);
    meter.steps.get()
}

fn checked(text: &str) -> Checked {
    let report = compile::check("policy.gaitpol", text);
    report
        .checked
        .unwrap_or_else(|| panic!("{text}\n{:#?}", report.diagnostics))
}

fn program(text: &str) -> Program {
    compile::lower(&checked(text))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_call_takes_more_steps(text in policy(), calls in prop::collection::vec(args(), 1..8)) {
        let Some(checked) = compile::check("p.gaitpol", &text).checked else { return Ok(()) };
        let program = compile::lower(&checked);
        let tool = program.tool("t.one").unwrap();
        for call in &calls {
            let steps = counted(&program, "t.one", &json::parse(call.as_bytes()).unwrap(), None);
            prop_assert!(steps <= tool.steps, "{steps} of {}: {call}\n{text}", tool.steps);
        }
    }
}

const HEAD: &str = "gaitpol 1\npolicy a\ndefault block\n";

/// A list of JSON, so many times the same.
fn many(element: &str, n: usize) -> String {
    format!("[{}]", vec![element; n].join(","))
}

/// Calls at their largest, of which no rule is decided early, come near the bound.
#[test]
fn calls_at_their_largest_come_near() {
    let xs = |x: &str, n| format!("{{\"xs\":{}}}", many(x, n));
    for (tool, rules, call, least) in [
        (
            "n: Int",
            "rule r on t when args.n > 3 allow",
            "{\"n\":4}".to_owned(),
            100,
        ),
        (
            "n: Int, b: Bool",
            "rule r on t when args.n > 3 and args.b allow\nrule s on t when args.n > 5 block",
            "{\"n\":4,\"b\":true}".to_owned(),
            100,
        ),
        (
            "xs: List[Int, max 300]",
            "rule r on t when any x in args.xs: x > 3 allow",
            xs("3", 300),
            95,
        ),
        (
            "xs: List[{ a: List[Int, max 9], b: String[max 4] }, max 40]",
            "rule r on t when any x in args.xs: x.b == \"b\" and (any a in x.a: a > 3) allow",
            xs("{\"a\":[1,2,3,1,2,3,1,2,3],\"b\":\"b\"}", 40),
            95,
        ),
        (
            "xs: List[Int, max 50], ys: List[Int, max 20]",
            "rule r on t when any x in args.xs: x in args.ys allow",
            format!("{{\"xs\":{},\"ys\":{}}}", many("3", 50), many("4", 20)),
            95,
        ),
        (
            "xs: List[Int, max 50], n: Int",
            "rule r on t when sum(x in args.xs: x + args.n) > args.n allow",
            format!("{{\"xs\":{},\"n\":1}}", many("3", 50)),
            95,
        ),
        (
            "m: Map[String[max 9], Int, max 4], k: String[max 9]",
            "rule r on t when (args.m[args.k] else 0) > 2 allow",
            "{\"m\":{\"a\":1,\"b\":2,\"c\":3,\"d\":4},\"k\":\"d\"}".to_owned(),
            95,
        ),
        (
            "cmd: Command",
            "rule r on t when any c in args.cmd.commands: any a in c.args: a == \"x\" allow",
            format!("{{\"cmd\":\"ls {}\"}}", vec!["y"; 8000].join(" ")),
            // Sixteen thousand words would have to be listed, and ten thousand commands.
            25,
        ),
    ] {
        let program = program(&format!("{HEAD}tool t {{ {tool} }}\n{rules}\n"));
        let bound = program.tools[0].steps;
        let steps = counted(&program, "t", &json::parse(call.as_bytes()).unwrap(), None);
        assert!(steps <= bound, "{rules}: {steps} of {bound}");
        assert!(steps * 100 >= bound * least, "{rules}: {steps} of {bound}");
    }
}

/// Lists of one name in a command line share their bound; where two of them are gone through together, they do not.
#[test]
fn what_commands_hold_is_bounded_together() {
    const RULES: [&str; 5] = [
        "any c in args.cmd.commands: any f in c.flags: f == \"-x\"",
        "any c in args.cmd.commands: (any f in c.flags: f == \"-x\") or (any a in c.args: a == \"x\")",
        "any c in args.cmd.commands: any f in c.flags: f in args.xs",
        "any c in args.cmd.commands: any f in c.flags: any a in c.args: a == f",
        "any f in args.xs: any c in args.cmd.commands: any a in c.args: a == f",
    ];
    let all = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    let commands = [
        format!("ls -{all};").repeat(1900),
        format!("ls -{all};").repeat(200),
        "ls -a b;".repeat(2700),
        format!("sudo nice env rm {}", vec!["-r"; 7000].join(" ")),
        format!("rm {}", (0..400).map(|n| format!("-x{n}=1 ")).collect::<String>()),
        String::new(),
    ];
    for rule in RULES {
        let text = format!(
            "gaitpol 1\npolicy a\nprofile dev\ndefault block\ntool t {{ cmd: Command, xs: List[String[max 9], max 3] }}\n\
             rule r on t when {rule} allow\n"
        );
        let program = program(&text);
        let bound = program.tools[0].steps;
        for command in &commands {
            let short = rule == RULES[3] && command.len() > 20_000;
            let json = format!("{{\"cmd\":\"{command}\",\"xs\":[\"a\",\"b\",\"c\"]}}");
            if !short {
                let steps = counted(&program, "t", &json::parse(json.as_bytes()).unwrap(), None);
                assert!(steps <= bound, "{rule}: {steps} of {bound}");
            }
        }
    }
}

const SESSION: &str = r#"gaitpol 1
policy a.session
default block
label secret
label personal
source tool_output from vault.read => secret
tool vault.read { key: String[max 9], returns secret }
tool send { to: Email, xs: List[Int, max 6] }
latch wrote on call send resets on turn
rule a on send when wrote block
rule b on send when once(result has secret) block
rule c on send when after(call vault.read when args.key starts_with "k") without(turn) block
rule d on send when count(call send when args.to.domain under "a.example") >= 12 block
rule e on send when count(call send when any x in args.xs: x > 4 within 1h) >= 9 block
rule f on send when history matches [call vault.read, *, call send, * up_to 2] block
limit l on send max 100 of sum(x in args.xs: x) per 1h by tool exceed block
"#;

/// The largest state of a program: every bit set, every number at its longest.
fn largest(program: &Program, gate: &Gate) -> State {
    let monitor = |monitor: &Monitor| match monitor {
        Monitor::Flag { .. } => MonitorState::Flag(false),
        Monitor::Pattern(steps) => MonitorState::Positions(u64::MAX >> (63 - steps.len())),
        Monitor::Count { cap, .. } => MonitorState::Count(*cap),
        Monitor::Recent { cap, .. } => MonitorState::Times(vec![i64::MIN; *cap as usize]),
    };
    State {
        definition: gate.fresh_state().definition,
        events: u64::MAX,
        labels: u64::MAX >> (64 - program.labels.names.len()),
        monitors: program.monitors.iter().map(monitor).collect(),
    }
}

#[test]
fn a_session_takes_no_more_than_is_said() {
    let program = program(SESSION);
    let gate = Gate::new(program.clone());
    let most = cost::state_bytes(&program.labels, &program.monitors);
    assert!(program.monitors.len() >= 6, "{:?}", program.monitors);
    assert_eq!(gate.write_state(&largest(&program, &gate)).len() as u64, most);
    let mut state = gate.fresh_state();
    let mut near = 0;
    for n in 0..40 {
        let (tool, args) = match n % 4 {
            0 => ("vault.read", "{\"key\":\"k\"}"),
            _ => ("send", "{\"to\":\"a@b.a.example\",\"xs\":[1,2,3,4,5,6]}"),
        };
        let json = json::parse(args.as_bytes()).unwrap();
        let bound = program.tool(tool).unwrap().steps;
        let steps = counted(&program, tool, &json, Some(&state));
        assert!(steps <= bound, "{tool}: {steps} of {bound}");
        near = near.max(steps * 100 / bound);
        let request = Request {
            state: Some(&state),
            now: Some(i128::from(n) * 1000),
            session: Some("s"),
            ..Request::call(tool, &json)
        };
        let judged = gate.decide_counted(&request, &Counters::default(), &mut gate.workspace());
        state = judged.after.unwrap();
        assert!(gate.write_state(&state).len() as u64 <= most);
    }
    assert!(near >= 75, "{near} per cent");
}

#[test]
fn a_counter_takes_no_more_than_is_said() {
    use gait::hir::Per;
    for span in [Some(119), Some(60_000), Some(86_400_000), Some(1), None] {
        let per = span.map_or(Per::Session, Per::Time);
        let most = cost::counter_bytes(per);
        let charge = Charge {
            limit: "l".to_owned(),
            counter: format!("sha256:{}", "0".repeat(64)),
            amount: i128::MAX,
            span,
        };
        let mut counter = Counter::default();
        let mut now = i64::MAX / 2;
        for n in 0..2_500u32 {
            counter.reserve(&format!("{n:064}"), &charge, now);
            if n >= 1_200 {
                counter.settle(&format!("{n:064}"), gait::domain::counter::Settlement::Keep(None));
            }
            if n > 1_100 {
                now += i64::try_from(span.unwrap_or(60) / 70).unwrap();
            }
            let entries = counter.entries().iter().map(|entry| {
                serde_json::json!({ "at": entry.at.to_string(), "amount": entry.amount.to_string() })
                    .to_string()
                    .len()
                    + entry
                        .call
                        .as_ref()
                        .map_or(0, |call| call.len() + r#","call":"""#.len())
                    + 1
            });
            let document = serde_json::json!({
                "schema": "gait.counter/1", "counter": charge.counter, "entries": []
            });
            let bytes = document.to_string().len() + entries.sum::<usize>();
            assert!(bytes as u64 <= most + 1, "{span:?}: {bytes} of {most}");
        }
    }
}

/// A program whose bound is not that of what it holds is none.
#[test]
fn a_wrong_bound_is_refused() {
    let program = program(SESSION);
    assert_eq!(ir::decode(&ir::encode(&program)).as_ref(), Ok(&program));
    for change in [1, -1] {
        let mut wrong = program.clone();
        wrong.tools[0].steps = wrong.tools[0].steps.checked_add_signed(change).unwrap();
        let refused = ir::decode(&ir::encode(&wrong));
        assert_eq!(refused, Err(ir::DecodeError::Malformed("steps")));
    }
}

/// The steps of a profile are exact, and none of `dev`.
#[test]
fn a_profile_allows_so_much() {
    let text = |profile: &str, max: u64| {
        format!(
            "gaitpol 1\npolicy a\nprofile {profile}\ndefault block\ntool t {{ xs: List[Int, max {max}], ys: List[Int, max \
             10000] }}\nrule r on t when any x in args.xs: x in args.ys allow\n"
        )
    };
    for profile in ["strict", "standard"] {
        let ceiling = Ceiling::of(gait::domain::Profile::parse(profile).unwrap()).unwrap();
        let fits = |max| compile::check("p.gaitpol", &text(profile, max)).errors() == 0;
        let most = (1..=10_000).rev().find(|max| ceiling.steps >= max * 40_001 + 100);
        let most = most.unwrap();
        assert!(fits(most), "{profile} {most}");
        assert!(most == 10_000 || !fits(most + 1), "{profile} {most}");
    }
    let dev = program(&text("dev", 10_000));
    assert!(dev.tools[0].steps > Ceiling::of(gait::domain::Profile::Strict).unwrap().steps);
}

/// Sums that pass the largest number end there, and are told the same when they are read back.
#[test]
fn the_largest_bound_is_a_number_of_json() {
    let lists: String = (0..8).map(|n| format!("l{n}: List[Int, max 10000], ")).collect();
    let any: String = (0..8).map(|n| format!("any x{n} in args.l{n}: ")).collect();
    let sums: Vec<String> = (0..7).map(|n| format!("x{n} + x{}", n + 1)).collect();
    let text = format!(
        "gaitpol 1\npolicy a\nprofile dev\ndefault block\ntool t {{ {lists}n: Int }}\nrule r on t when {any}{} > args.n allow\n",
        sums.join(" + ")
    );
    let program = program(&text);
    assert_eq!(program.tools[0].steps, gait::limits::STEPS);
    assert!(ir::decode(&ir::encode(&program)).is_ok());
}

/// The blocks of the page: the policy, and what is printed of it.
fn page() -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/cost.md");
    let text = std::fs::read_to_string(path).unwrap();
    let block = |start: &str| {
        let (_, text) = text.split_once(start).unwrap();
        text.split_once("```").unwrap().0.to_owned()
    };
    (block("```gaitpol\n"), block("```text\n"))
}

#[test]
fn the_page_shows_what_is_printed() {
    let at = Folder::new();
    let (policy, output) = page();
    at.write("policy.gaitpol", policy.as_bytes());
    assert_eq!(shown(&at.run(&["policy", "cost", "policy.gaitpol"])), output);
}

#[test]
fn the_page_names_the_ceilings() {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/cost.md"))
        .unwrap();
    let error =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/errors/GP0502.md")).unwrap();
    let grouped = |n: u64| {
        let digits = n.to_string();
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    };
    for profile in gait::domain::Profile::ALL {
        let Some(ceiling) = Ceiling::of(profile) else {
            continue;
        };
        for n in [ceiling.steps, ceiling.state_bytes] {
            assert!(page.contains(&grouped(n)) && error.contains(&grouped(n)), "{n}");
        }
    }
}

#[test]
fn the_document_says_it_all() {
    let at = Folder::new();
    at.write("policy.gaitpol", page().0.as_bytes());
    let found = at.json(&["policy", "cost", "policy.gaitpol"], 0, "policy_cost");
    let file = &found["files"][0];
    let program = program(&page().0);
    let around = Around::of(&program);
    for (shown, tool) in file["tools"].as_array().unwrap().iter().zip(&program.tools) {
        assert_eq!(shown["steps"], tool.steps);
        let parts = shown["parts"].as_array().unwrap();
        let sum: u64 = parts.iter().map(|part| part["steps"].as_u64().unwrap()).sum();
        assert_eq!(sum, tool.steps);
        assert_eq!(cost::of_tool(around, tool).steps(), tool.steps);
    }
    assert_eq!(file["program_bytes"], ir::encode(&program).len());
    assert_eq!(file["limits"][0]["limit"], "daily");
    at.write(
        "dev.gaitpol",
        b"gaitpol 1\npolicy a\nprofile dev\ndefault block\ntool t { n: Int }\n",
    );
    let dev = at.json(&["policy", "cost", "dev.gaitpol"], 0, "policy_cost");
    assert!(dev["files"][0]["allowed"].is_null());
    at.write("bad.gaitpol", b"gaitpol 1\npolicy x\n");
    at.fails(&["policy", "cost", "bad.gaitpol"], 6, "policy.invalid");
}
