//! Traces are written without a tree and signed without being read back: random records, well formed and not, have one
//! text either way, and whatever passes the checks before a signature can be read back.

use gait::artifact::digest::{of_json, sha256};
use gait::artifact::envelope::Payload as _;
use gait::artifact::{
    Digest, PolicyRef, TraceRecord, TraceScript, TraceSecret, TraceSecrets, TraceState, jcs,
};
use gait::domain::approval::Role;
use gait::domain::{
    ApprovalSpec, Decision, Enforcement, LabelFact, LabelOrigin, LimitFact, MatchedRule, Obligation,
    PolicyScope, Profile, RuleScope, StepDecision, Target, Verdict,
};
use gait::json::{self, Json};
use gait::source::Position;
use proptest::prelude::*;
use std::sync::Arc;

/// Draws what a record is made of; `odd` is how many of a hundred parts are not as they should be.
struct Draw {
    state: u64,
    odd: u64,
}

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % n
    }

    fn half(&mut self) -> bool {
        self.below(2) == 0
    }

    fn is_odd(&mut self) -> bool {
        self.below(100) < self.odd
    }

    /// A name, of one that sorts after `at` names before it.
    fn name(&mut self, at: u64) -> String {
        match (self.is_odd(), self.below(6)) {
            (true, 0..3) => String::new(),
            (true, _) => "a".to_owned(),
            (false, n) => ["alpha", "b\"\\", "c\u{1}\n", "d\u{e9}\u{1f600}", "e e", "script"][n as usize]
                .replacen("", &format!("{at}"), 1),
        }
    }

    fn names(&mut self, most: u64) -> Vec<String> {
        let n = self.below(most + 1);
        (0..n).map(|at| self.name(at)).collect()
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.half().then(|| draw(self))
    }

    fn many<T>(&mut self, most: u64, draw: impl Fn(&mut Self, u64) -> T) -> Vec<T> {
        let n = self.below(most + 1);
        (0..n).map(|at| draw(self, at)).collect()
    }

    fn digest(&mut self) -> Digest {
        sha256(&self.below(5).to_le_bytes())
    }

    fn verdict(&mut self) -> Verdict {
        Verdict::ALL[self.below(4) as usize]
    }

    fn json(&mut self) -> Json {
        match self.below(6) {
            0 => Json::Null,
            1 => Json::int(self.below(1_000) as i64),
            2 => Json::object([("b", Json::Bool(true)), ("a", Json::str("x"))]),
            3 => json::parse(&[b"[".repeat(50), b"]".repeat(50)].concat()).unwrap(),
            4 => json::parse(&[b"[".repeat(57), b"]".repeat(57)].concat()).unwrap(),
            _ => Json::str(self.name(1)),
        }
    }

    fn rule(&mut self) -> MatchedRule {
        let line = self.below(100) as u32 + 1;
        MatchedRule {
            name: self.name(0).into(),
            verdict: self.verdict(),
            code: self.name(0).into(),
            scope: self.maybe(|draw| RuleScope {
                scope: PolicyScope::ALL[draw.below(3) as usize],
                policy: draw.name(0),
            }),
            file: self.name(0).into(),
            start: Position { line, column: 1 },
            end: Position {
                line: u32::MAX,
                column: 10,
            },
            hint: self.maybe(|draw| draw.name(0)),
        }
    }

    fn approval(&mut self, at: u64) -> ApprovalSpec {
        ApprovalSpec {
            from: (!self.is_odd()).then(|| {
                Arc::new(Role {
                    name: format!("{at}{}", self.name(at)),
                    members: self.names(2),
                })
            }),
            count: u32::from(!self.is_odd()),
            distinct: self.half(),
            expires: self.maybe(|draw| draw.below(1_000)),
            ..ApprovalSpec::default()
        }
    }

    fn limit(&mut self, at: u64) -> LimitFact {
        let number = |draw: &mut Self| if draw.is_odd() { Json::Null } else { Json::int(7) };
        LimitFact {
            limit: self.name(at),
            counter: match self.is_odd() {
                true => self.name(at),
                false => sha256(&at.to_le_bytes()).to_string(),
            },
            used: number(self),
            cost: number(self),
            max: number(self),
        }
    }

    fn decision(&mut self, approved: bool) -> Decision {
        let verdict = self.verdict();
        let asks = verdict == Verdict::RequireApproval || self.is_odd();
        let approved = approved && (verdict <= Verdict::DryRun || self.is_odd());
        Decision {
            verdict,
            reason_codes: self.names(3),
            matched: self.many(3, |draw, _| draw.rule()),
            targets: self.many(3, |draw, at| Target {
                effect: draw.name(at),
                kind: draw.name(at),
                value: draw.name(at),
            }),
            labels: self.many(2, |draw, at| LabelFact {
                of: draw.name(at),
                labels: draw.names(2),
                origin: LabelOrigin::ALL[draw.below(4) as usize],
            }),
            approvals: if asks {
                self.many(2, Draw::approval)
            } else {
                Vec::new()
            },
            approved_by: if approved { self.names(2) } else { Vec::new() },
            obligations: self.many(2, |draw, at| Obligation {
                name: draw.name(at),
                place: draw.maybe(|draw| draw.names(2)),
                params: draw.many(2, |draw, at| (draw.name(at).into(), draw.json())),
            }),
            limits: self.many(2, Draw::limit),
            detail: self.maybe(|draw| draw.name(0)),
            steps: Vec::new(),
        }
    }

    /// The steps of a script, and their digests.
    fn script(&mut self, decision: &mut Decision, of: Digest) -> TraceScript {
        let is_odd = self.is_odd();
        decision.steps = self.many(3, |draw, _| StepDecision {
            tool: draw.name(0),
            decision: draw.decision(is_odd),
        });
        let strictest = decision.steps.iter().map(|step| step.decision.verdict).max();
        if let (Some(strictest), false) = (strictest, self.is_odd()) {
            decision.verdict = strictest;
            decision.approvals.clear();
            decision.approved_by.clear();
        }
        TraceScript {
            digest: of,
            call_digests: decision.steps.iter().map(|_| self.maybe(Draw::digest)).collect(),
        }
    }

    fn record(&mut self) -> TraceRecord {
        let mut decision = self.decision(true);
        let steps = self.json();
        let script = self.maybe(|draw| draw.script(&mut decision, of_json(&steps)));
        let tool = match script.is_some() && !self.is_odd() {
            true => "script".to_owned(),
            false => self.name(0),
        };
        let args = self.json();
        let mut intent = vec![("args", args.clone()), ("tool_name", Json::str(&tool))];
        intent.extend(script.is_some().then_some(("script", steps)));
        let intent = self.maybe(|_| Json::object(intent));
        let ids = ["trc_1", "0", "_x", "A", ""];
        let id = |draw: &mut Self| {
            let most = if draw.is_odd() { 5 } else { 2 };
            ids[draw.below(most) as usize].to_owned()
        };
        let times = [
            "2026-11-23T15:26:58.123987Z",
            "2026-11-23T15:16:58.123987Z",
            "0000-01-01T00:00:00Z",
            "-000001-01-01T00:00:00Z",
        ];
        let most = if self.is_odd() { 3 } else { 1 };
        let enforcement = match self.is_odd() {
            true => Enforcement::Enforce,
            false => Enforcement::ALL[self.below(3) as usize],
        };
        TraceRecord {
            enforcement,
            runs: match enforcement.binds() || self.is_odd() {
                true => decision.verdict == Verdict::Allow,
                false => self.is_odd(),
            },
            trace_id: id(self),
            created_at: times[self.below(most) as usize + 1].parse().unwrap(),
            producer_version: self.name(0),
            bundle_digest: self.digest(),
            policy: PolicyRef {
                name: self.name(0),
                version: self.name(0),
                profile: Profile::Standard,
            },
            intent_digest: match (&intent, self.is_odd()) {
                (Some(intent), false) => of_json(intent),
                _ => self.digest(),
            },
            args_digest: match self.is_odd() {
                false => of_json(&args),
                true => self.digest(),
            },
            call_digest: self.maybe(Draw::digest),
            tool,
            script,
            correlation_id: self.maybe(|draw| draw.name(0)),
            traceparent: self.maybe(|draw| match draw.is_odd() {
                true => "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned(),
                false => draw.name(0),
            }),
            session_id: self.maybe(|draw| draw.name(0)),
            run_id: self.maybe(id),
            request_id: self.maybe(|draw| draw.name(0)),
            identity: self.maybe(|draw| draw.name(0)),
            intent,
            secrets: self.maybe(|draw| TraceSecrets {
                table: draw.below(3) as u32,
                found: (0..draw.below(3))
                    .map(|_| TraceSecret {
                        at: draw.name(0),
                        kind: draw.name(0),
                    })
                    .collect(),
                kept: draw.is_odd(),
            }),
            facts: self.maybe(|draw| match draw.is_odd() {
                true => draw.json(),
                false => Json::object([("known", draw.json())]),
            }),
            fulfils: self.names(2),
            approved_with: match decision.approved_by.is_empty() && !self.is_odd() {
                true => Vec::new(),
                false => (0..self.below(3))
                    .map(|n| sha256(&n.to_le_bytes()))
                    .rev()
                    .collect(),
            },
            delegated_with: Vec::new(),
            attested_with: Vec::new(),
            denied_with: Vec::new(),
            kill_switch: self.maybe(Draw::digest),
            permit_until: match decision.verdict == Verdict::Allow || self.is_odd() {
                true => self.maybe(|draw| {
                    let most = if draw.is_odd() { 3 } else { 1 };
                    times[draw.below(most) as usize].parse().unwrap()
                }),
                false => None,
            },
            state: self.maybe(|draw| TraceState {
                before: draw.digest(),
                after: draw.json(),
            }),
            previous: self.maybe(Draw::digest),
            decision,
        }
    }
}

/// Reads the text of a record as a verifier does.
fn read_back(text: &[u8]) -> Result<TraceRecord, String> {
    let json = json::parse(text).map_err(|error| error.to_string())?;
    TraceRecord::from_json(&json).map_err(|error| error.to_string())
}

/// Reads the document of a record, in whose text nothing is sorted that is not.
fn read_tree(record: &TraceRecord) -> Result<TraceRecord, String> {
    json::parse(&record.to_text()).map_err(|error| error.to_string())?;
    TraceRecord::from_json(&record.to_json()).map_err(|error| error.to_string())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_record_is_signed_where_it_can_be_read_back(state: u64, odd in prop_oneof![Just(0u64), Just(1), Just(4)]) {
        let record = Draw { state, odd }.record();
        let text = record.to_text();
        let sorted = jcs::to_vec(&record.to_json());
        prop_assert_eq!(String::from_utf8_lossy(&text), String::from_utf8_lossy(&sorted));
        let checked = record.check(&text).map_err(|error| error.to_string());
        let read = read_tree(&record);
        prop_assert_eq!(checked.is_ok(), read.is_ok(), "{:?} {:?}", checked, read);
        if checked.is_ok() {
            prop_assert_eq!(read_back(&text).map(|read| read.to_text()), Ok(text));
        }
    }
}

/// Otherwise the property above would hold of nothing.
#[test]
fn many_random_records_are_signed_and_many_are_not() {
    let signed = |odd| {
        let records = (0..400).map(|state| {
            Draw {
                state: state << 20,
                odd,
            }
            .record()
        });
        records
            .filter(|record| record.check(&record.to_text()).is_ok())
            .count()
    };
    assert!(signed(0) > 100, "{}", signed(0));
    assert!((20..380).contains(&signed(1)), "{}", signed(1));
}
