//! What is about a call that is made up: where its arguments come from, what ran before it in the session, and when it
//! is. In: a call and what is asked of these. Out: calls to try; nothing here is believed.

use super::{MONDAY, Maker, call_where};
use crate::classes::{ClassSet, Classifier, sample};
use crate::domain::{ArgumentOrigin, ArgumentSource, LabelOf};
use crate::hir::context::request_ty;
use crate::hir::{
    Atom, Case, Cond, LimitOn, Monitor, Open, PatternStep, Per, Question, SessionStep, Slot, Term, Tool,
    place,
};
use crate::ir::space::Variable;
use crate::json::Json;
use crate::source::Span;
use std::collections::{BTreeMap, BTreeSet};

impl Maker<'_> {
    /// A case with what its rules ask of labels, of the session and of the time.
    pub(super) fn surroundings(
        &self,
        case: Case,
        found: &[(&Slot, &Variable, &ClassSet)],
        spent: &BTreeMap<usize, i128>,
    ) -> Vec<Case> {
        let asks = |is: &dyn Fn(&Slot) -> bool| found.iter().any(|(slot, ..)| is(slot));
        let mut cases = vec![case];
        if asks(&|slot| matches!(slot, Slot::Label { .. })) {
            let all = cases.iter().flat_map(|case| self.labelled(case, found));
            cases = all.collect();
        }
        if asks(&|slot| matches!(slot, Slot::History(_) | Slot::Tally(_))) {
            let all = cases.iter().flat_map(|case| self.sessions(case, found));
            cases = all.collect();
        }
        if !self.is_dated(&cases) {
            return cases;
        }
        let times = match asks(&|slot| matches!(slot, Slot::Window(_))) {
            true => self.times(),
            false => vec![MONDAY],
        };
        let all = cases
            .iter()
            .flat_map(|case| times.iter().map(move |at| (case, *at)));
        all.filter_map(|(case, at)| self.dated(case, at, spent)).collect()
    }

    /// Whether the time matters to a call, or to what ran before it.
    fn is_dated(&self, cases: &[Case]) -> bool {
        let recent = |number: &u32| {
            let monitor = self.package.history.monitors.get(*number as usize);
            matches!(monitor, Some(Monitor::Recent { .. }))
        };
        let dated = |slot: &Slot| match slot {
            Slot::Window(_) | Slot::Now | Slot::Used { .. } => true,
            Slot::Tally(number) => recent(number),
            _ => false,
        };
        let before = cases.iter().any(|case| !case.session.is_empty());
        let mut others = self.package.tools.iter().flat_map(|tool| &tool.slots);
        self.slots.iter().any(dated) || (before && others.any(dated))
    }

    /// A case at a moment, in a session in which so much of limits has been used; the rest of the session is at that moment.
    fn dated(&self, case: &Case, at: i128, spent: &BTreeMap<usize, i128>) -> Option<Case> {
        let mut session = Vec::new();
        for (slot, much) in spent {
            session.push(SessionStep::At(at - self.ago(*slot, spent)));
            session.extend(self.spending(*slot, *much)?);
        }
        if !case.session.is_empty() {
            session.push(SessionStep::At(at));
            session.extend(case.session.iter().cloned());
        }
        Some(Case {
            session,
            at: Some(at),
            ..case.clone()
        })
    }

    /// Where the arguments come from, so that they have the labels asked and no others.
    fn labelled(&self, case: &Case, found: &[(&Slot, &Variable, &ClassSet)]) -> Vec<Case> {
        let labels = &self.package.labels;
        let mut session_wants = 0u64;
        let mut given: Vec<(Vec<String>, u64, u64)> = self
            .tool
            .args
            .iter()
            .filter(|field| case.args.get(&field.name).is_some())
            .map(|field| (vec![field.name.clone()], 0, 0))
            .collect();
        for (slot, _, classes) in found {
            let Slot::Label { of, mask } = slot else { continue };
            let wanted = classes.contains(1) && !classes.contains(0);
            let refused = classes.contains(0) && !classes.contains(1);
            let paths: Vec<Vec<String>> = match of {
                LabelOf::Argument(path) => vec![path.iter().take(1).cloned().collect()],
                LabelOf::Carried => self
                    .tool
                    .carries
                    .iter()
                    .map(|path| path.iter().take(1).cloned().collect())
                    .collect(),
                LabelOf::Session => {
                    session_wants |= if wanted { *mask } else { 0 };
                    continue;
                }
            };
            let mut first = true;
            for (path, want, refuse) in &mut given {
                if paths.contains(path) {
                    *refuse |= if refused { *mask } else { 0 };
                    if wanted && std::mem::take(&mut first) {
                        *want |= *mask;
                    }
                }
            }
        }
        let mut origins = Vec::new();
        let mut args = case.args.clone();
        for (path, want, refuse) in given {
            let with = |want: u64| {
                let mut all = self.origins().into_iter();
                all.find(|(_, _, bits)| {
                    bits & refuse == 0
                        && (want == 0 || bits & want != 0)
                        && (want != 0 || *bits == 0 || refuse != 0)
                })
            };
            let mut chosen = with(want);
            if chosen.is_none() && want & labels.detected != 0 {
                chosen = with(0);
                plant(&mut args, &path);
            }
            let Some((source, tool, _)) = chosen else { continue };
            origins.push(ArgumentOrigin {
                path,
                source,
                tool,
                digest: None,
            });
        }
        let mut case = Case {
            origins: Some(origins),
            args,
            ..case.clone()
        };
        if session_wants != 0 {
            let gives = |tool: &&Tool| labels.of_result(&tool.name, tool.returns) & session_wants != 0;
            let reads = self.package.tools.iter().find(gives);
            if let Some(call) = reads.and_then(|tool| self.plain_call(tool)) {
                case.session.push(call);
            }
        }
        vec![case]
    }

    /// Where an argument may come from, with the labels that gives it; plainest first.
    fn origins(&self) -> Vec<(ArgumentSource, Option<String>, u64)> {
        let labels = &self.package.labels;
        let plain = [
            ArgumentSource::User,
            ArgumentSource::System,
            ArgumentSource::External,
        ];
        let plain = plain.into_iter().map(|kind| (kind, None, labels.of_kind(kind)));
        let of_tools = self.package.tools.iter().map(|tool| {
            let bits = labels.of_result(&tool.name, tool.returns);
            (ArgumentSource::ToolOutput, Some(tool.name.clone()), bits)
        });
        plain.chain(of_tools).collect()
    }

    /// Sessions in which what is asked of the history may hold.
    fn sessions(&self, case: &Case, found: &[(&Slot, &Variable, &ClassSet)]) -> Vec<Case> {
        const MOST: i128 = 100;
        let mut times: BTreeMap<u32, i128> = BTreeMap::new();
        let (mut patterns, mut forgotten) = (Vec::new(), Vec::new());
        for (slot, variable, classes) in found {
            let (Slot::History(number) | Slot::Tally(number)) = slot else {
                continue;
            };
            let wanted = classes.contains(1) && !classes.contains(0);
            match self.package.history.monitors.get(*number as usize) {
                Some(Monitor::Flag { set, .. }) if wanted => {
                    let known = times.entry(*set).or_insert(0);
                    *known = 1.max(*known);
                }
                Some(Monitor::Flag {
                    clear: Some(clear), ..
                }) if !classes.contains(1) => forgotten.push(*clear),
                Some(Monitor::Pattern(steps)) if wanted => {
                    patterns.extend(steps.iter().filter_map(|step| match step {
                        PatternStep::Event(event) => Some(*event),
                        PatternStep::Any | PatternStep::Maybe => None,
                    }))
                }
                Some(Monitor::Count { event, .. } | Monitor::Recent { event, .. }) => {
                    let Classifier::Cuts(cuts) = &variable.classifier else {
                        continue;
                    };
                    let least = classes
                        .iter()
                        .filter_map(|class| sample::interval(&variable.ty, cuts, class));
                    let least = least
                        .filter(|(_, most)| *most >= 0)
                        .map(|(least, _)| least.max(0))
                        .min();
                    let known = times.entry(*event).or_insert(0);
                    *known = least.unwrap_or(0).max(*known).min(MOST);
                }
                _ => {}
            }
        }
        let counted = times
            .iter()
            .flat_map(|(event, times)| (0..*times).map(move |_| *event));
        let happened: Vec<u32> = counted.chain(patterns).collect();
        let all: Vec<u32> = happened.iter().chain(&forgotten).copied().collect();
        let with = |events: &[u32]| Case {
            session: [
                case.session.clone(),
                events.iter().filter_map(|event| self.event(*event)).collect(),
            ]
            .concat(),
            ..case.clone()
        };
        vec![with(&[]), with(&happened), with(&all)]
    }

    /// How long ago a limit was used, by its slot, so that it counts there and nowhere else: as long as the longest span of
    /// those that are not used and shorter.
    fn ago(&self, slot: usize, spent: &BTreeMap<usize, i128>) -> i128 {
        let span = |slot: &Slot| match slot {
            Slot::Used { limit, .. } => match self.package.limits.get(*limit as usize)?.spec.per {
                Per::Time(millis) => Some(millis),
                Per::Session | Per::Run => None,
            },
            _ => None,
        };
        let own = self.slots.get(slot).and_then(span).unwrap_or(0);
        let others = self
            .slots
            .iter()
            .enumerate()
            .filter(|(at, _)| !spent.contains_key(at));
        let others = others
            .filter_map(|(_, slot)| span(slot))
            .filter(|other| *other < own);
        i128::from(others.max().unwrap_or(0))
    }

    /// Calls that use that much of a limit, by its slot.
    fn spending(&self, slot: usize, much: i128) -> Option<Vec<SessionStep>> {
        const MOST: usize = 100;
        let Some(Slot::Used { limit, .. }) = self.slots.get(slot) else {
            return None;
        };
        let limit = self.package.limits.get(*limit as usize)?;
        let is_own = |on: &&LimitOn| {
            let tool = self.package.tools.get(on.tool);
            tool.is_some_and(|tool| tool.name == self.tool.name)
        };
        let on = limit.on.iter().find(is_own).or(limit.on.first())?;
        let tool = self.package.tools.get(on.tool)?;
        let call = |cond: &Cond| {
            let case = call_where(self.package, tool, cond)?;
            Some(SessionStep::Call {
                tool: case.tool,
                args: case.args,
                ok: true,
            })
        };
        match &on.cost {
            None => {
                let times = usize::try_from(much).ok().filter(|times| *times <= MOST)?;
                Some(vec![call(&on.when)?; times])
            }
            Some(Term::Place(place)) => {
                let amount = Cond::Atom(Atom {
                    ty: place::ty_at(&request_ty(tool, &self.package.context), &place.steps)?,
                    place: place.clone(),
                    test: Question::Within(vec![(much, much)]),
                    when_absent: false,
                    span: Span::default(),
                });
                Some(vec![call(&Cond::And(vec![on.when.clone(), amount]))?])
            }
            Some(_) => None,
        }
    }

    /// A step that is an event.
    fn event(&self, event: u32) -> Option<SessionStep> {
        let event = self.package.history.events.get(event as usize)?;
        if event.turn {
            return Some(SessionStep::Turn);
        }
        let labelled = |tool: &Tool| event.labels == 0 || tool.returns & event.labels != 0;
        let calls = event.calls.iter().filter_map(|(number, cond)| {
            let tool = self.package.tools.get(*number)?;
            Some((tool, cond))
        });
        let mut calls: Vec<(&Tool, &Cond)> = calls.collect();
        // Tools that are said to return the label come first; others may, as their source does.
        calls.sort_by_key(|(tool, _)| !labelled(tool));
        calls.into_iter().find_map(|(tool, cond)| {
            let case = call_where(self.package, tool, cond)?;
            Some(SessionStep::Call {
                tool: case.tool,
                args: case.args,
                ok: event.ok.unwrap_or(true),
            })
        })
    }

    fn plain_call(&self, tool: &Tool) -> Option<SessionStep> {
        let case = call_where(self.package, tool, &Cond::Const(true))?;
        Some(SessionStep::Call {
            tool: case.tool,
            args: case.args,
            ok: true,
        })
    }

    /// Moments worth a try: of every hour of a week and about the ends of dated spans, the first of those at which the same
    /// windows are open.
    fn times(&self) -> Vec<i128> {
        const HOUR: i128 = 3_600_000;
        let hours = (0..7 * 24).map(|hour| MONDAY + hour * HOUR);
        let spans = self.package.windows.iter().flat_map(|window| &window.spans);
        let ends = spans.flat_map(|span| match span {
            Open::Between { start, end } => vec![start - 1, *start, end - 1, *end],
            Open::Weekly { .. } => Vec::new(),
        });
        let mut seen: BTreeSet<Vec<Option<bool>>> = BTreeSet::new();
        let open = |at: &i128| {
            self.package
                .windows
                .iter()
                .map(|window| window.is_open(*at))
                .collect()
        };
        hours.chain(ends).filter(|at| seen.insert(open(at))).collect()
    }
}

/// A text that is found to hold a secret.
const SECRET: &str = "password=Hunter2!";

/// Puts a secret into the first text of an argument.
fn plant(args: &mut Json, path: &[String]) {
    let members = match args {
        Json::Object(members) => members.iter_mut(),
        _ => return,
    };
    let mut value = members.filter(|(name, _)| path.first() == Some(&(**name).to_owned()));
    let mut at = value.next().map(|(_, value)| value);
    while let Some(value) = at {
        at = match value {
            Json::String(text) => {
                *text = SECRET.into();
                None
            }
            Json::Array(items) => items.first_mut(),
            Json::Object(members) => members.first_mut().map(|(_, value)| value),
            _ => None,
        };
    }
}
