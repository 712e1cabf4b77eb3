//! The labels of a call's arguments: from what the adapter says of each, else from what was read in the session, else
//! the default. In: a policy's labels, the arguments, what is said, the session. Out: bits, and why they are set.

use super::approval::{self, Asking};
use super::said::{self, Said};
use crate::domain::{ArgumentOrigin, ArgumentSource, LabelFact, LabelOf, LabelOrigin, Request, State};
use crate::hir::Labels;
use crate::ir::{Program, ToolProgram};
use crate::json::Json;
use crate::secrets::{self, Place};
use std::cell::OnceCell;

/// Shows places of arguments to who asks.
type Walk<'w> = &'w dyn Fn(&mut dyn FnMut(&[String], Seen));

/// What labels are computed from.
pub(super) struct Sources<'a> {
    pub program: &'a Program,
    /// The tool that is called; none where nobody declares it.
    pub tool: Option<&'a ToolProgram>,
    /// The arguments as received.
    pub args: &'a Json,
    /// What the adapter says; `None` when it says nothing at all.
    pub origins: Option<&'a [ArgumentOrigin]>,
    /// The session so far.
    pub state: Option<&'a State>,
    /// Whether the call is of a session.
    pub in_session: bool,
    /// The labels of what earlier steps of the same script read.
    pub earlier: u64,
    /// The arguments that leave the boundary.
    pub carries: &'a [Vec<String>],
    /// Labels that people have taken off the call, as bits.
    pub lifted: u64,
    /// The entries held against the arguments, once somebody asks.
    pub said: OnceCell<Said>,
    /// The places of secrets in the arguments, once somebody asks.
    pub secrets: OnceCell<Vec<Place>>,
}

impl Sources<'_> {
    /// The labels of something, and why it has them.
    pub fn of(&self, of: &LabelOf) -> (u64, LabelOrigin) {
        match of {
            LabelOf::Session => (self.read(), LabelOrigin::Session),
            LabelOf::Argument(path) => self.seen(path),
            LabelOf::Carried => {
                let each = self.carries.iter().map(|path| self.seen(path));
                each.reduce(|(a, why), (b, other)| (a | b, carried(why, other)))
                    .unwrap_or((0, LabelOrigin::Argument))
            }
        }
    }

    /// The labels of all that was read before. In a session whose state is not known that may have been anything.
    fn read(&self) -> u64 {
        match self.state {
            Some(state) => state.labels | self.earlier,
            None if self.in_session => any_source(self.program),
            None => self.earlier,
        }
    }

    /// The labels of a value of which nobody says where it comes from.
    fn missing(&self) -> u64 {
        self.program.labels.of_kind(ArgumentSource::Missing) | self.read()
    }

    /// The labels of an argument that count for this call. What comes of it has the others too.
    fn seen(&self, path: &[String]) -> (u64, LabelOrigin) {
        self.counting(self.argument(path))
    }

    fn counting(&self, found: (u64, LabelOrigin)) -> (u64, LabelOrigin) {
        match found {
            (found, _) if found & self.lifted != 0 => (found & !self.lifted, LabelOrigin::Approval),
            found => found,
        }
    }

    /// The labels of all arguments together.
    pub fn all(&self) -> u64 {
        self.argument(&[]).0
    }

    /// The labels of an argument by the names to it, whatever index lies between.
    fn argument(&self, path: &[String]) -> (u64, LabelOrigin) {
        self.seen_by(&|see| collect(self.args, path, &mut Vec::new(), see))
    }

    /// The labels of the value at a place, by names and indices, that count for this call.
    pub fn at(&self, place: &[String]) -> (u64, LabelOrigin) {
        self.counting(self.seen_by(&|see| {
            if let Some(value) = said::value(self.args, place) {
                collect(value, &[], &mut place.to_vec(), see);
            }
        }))
    }

    /// The labels of all that a walk shows: those of where it comes from, and those of what is found in it.
    fn seen_by(&self, walk: Walk<'_>) -> (u64, LabelOrigin) {
        let (labels, why) = self.joined(walk);
        let detected = self.program.labels.detected;
        if labels & detected == detected {
            return (labels, why);
        }
        let secrets = self.secrets.get_or_init(|| secrets::places(self.args));
        let mut found = false;
        // A name that holds a secret is that of all in its value.
        walk(&mut |at, _| found |= secrets.iter().any(|place| at.starts_with(&place.path)));
        match found {
            true => (labels | detected, LabelOrigin::Detected),
            false => (labels, why),
        }
    }

    /// The labels of all that a walk shows, by where it comes from.
    fn joined(&self, walk: impl FnOnce(&mut dyn FnMut(&[String], Seen))) -> (u64, LabelOrigin) {
        let Some(origins) = self.origins else {
            // What is not there comes from nowhere.
            let mut there = false;
            walk(&mut |_, seen| there |= seen == Seen::Value);
            if !there {
                return (0, LabelOrigin::Argument);
            }
            return match self.state {
                Some(_) => (self.read(), LabelOrigin::Session),
                None => (self.missing(), LabelOrigin::Default),
            };
        };
        let said = self.said.get_or_init(|| {
            let declared = self.tool.map_or(&[][..], |tool| &tool.args);
            let missing = self.missing();
            Said::new(
                origins,
                (self.args, declared),
                |origin| self.source(origin),
                missing,
            )
        });
        let mut found = Found::default();
        walk(&mut |at, seen| {
            let entry = said.of(at);
            match (seen, entry) {
                // Nothing is in it that could come from anywhere, unless somebody says so.
                (Seen::Empty, entry) if entry.is_none_or(|entry| !entry.wrong) => {}
                (_, Some(entry)) => {
                    found.labels |= entry.labels;
                    found.said |= entry.known;
                    found.missing |= !entry.known;
                }
                (_, None) => {
                    found.labels |= self.missing();
                    found.missing = true;
                }
            }
        });
        let why = if found.missing && !found.said {
            LabelOrigin::Default
        } else {
            LabelOrigin::Argument
        };
        (found.labels, why)
    }

    fn source(&self, origin: &ArgumentOrigin) -> u64 {
        // A name that is no tool's tells as little as none.
        let tool = origin.tool.as_deref().and_then(|tool| self.program.tool(tool));
        let given = source(self.program, origin.source, tool);
        match (origin.source, tool) {
            // It comes from some tool that was read, whichever.
            (ArgumentSource::ToolOutput, None) => given | self.read(),
            (ArgumentSource::Missing, _) => given | self.read(),
            _ => given,
        }
    }
}

/// Why what leaves has its labels, by why two parts of it have theirs: a secret in any part is told.
fn carried(first: LabelOrigin, other: LabelOrigin) -> LabelOrigin {
    match other {
        LabelOrigin::Detected => other,
        _ => first,
    }
}

/// The labels of what comes from a source.
fn source(program: &Program, kind: ArgumentSource, tool: Option<&ToolProgram>) -> u64 {
    match (kind, tool) {
        (ArgumentSource::ToolOutput, Some(tool)) => of_result(program, tool),
        (kind, _) => program.labels.of_kind(kind),
    }
}

/// Every label that something may have by where it comes from.
fn any_source(program: &Program) -> u64 {
    let given = program.labels.sources.iter().map(|source| source.labels);
    let returned = program.tools.iter().map(|tool| tool.returns);
    let missing = program.labels.of_kind(ArgumentSource::Missing);
    // What was read may have held secrets.
    let least = missing | program.labels.detected;
    given.chain(returned).fold(least, |all, labels| all | labels)
}

/// The labels of a tool's result.
pub(super) fn of_result(program: &Program, tool: &ToolProgram) -> u64 {
    program.labels.of_result(&tool.name, tool.returns)
}

#[derive(Default)]
struct Found {
    labels: u64,
    said: bool,
    missing: bool,
}

/// What a walk comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// A value without parts.
    Value,
    /// A list or object with nothing in it.
    Empty,
}

/// Shows every value without parts below a path, and every empty list or object.
fn collect(value: &Json, path: &[String], at: &mut Vec<String>, see: &mut dyn FnMut(&[String], Seen)) {
    let (first, rest) = match path.split_first() {
        Some((first, rest)) => (Some(first), rest),
        None => (None, path),
    };
    match value {
        Json::Object(members) if !members.is_empty() => {
            for (name, member) in members.iter().filter(|(n, _)| first.is_none_or(|f| f == n)) {
                at.push(name.to_string());
                collect(member, rest, at, see);
                at.pop();
            }
        }
        // Paths name no indices: every element is meant.
        Json::Array(items) if !items.is_empty() => {
            for (index, item) in items.iter().enumerate() {
                at.push(index.to_string());
                collect(item, path, at, see);
                at.pop();
            }
        }
        Json::Array(_) | Json::Object(_) => see(at, Seen::Empty),
        _ => see(at, Seen::Value),
    }
}

/// The names of the labels of an argument.
pub(super) fn of_argument(program: &Program, request: &Request<'_>, path: &[String]) -> Vec<String> {
    names(of_request(program, request).argument(path).0, &program.labels)
}

/// The labels of all arguments of a call, as bits.
pub(super) fn of_arguments(program: &Program, request: &Request<'_>) -> u64 {
    of_request(program, request).all()
}

fn of_request<'r>(program: &'r Program, request: &Request<'r>) -> Sources<'r> {
    Sources {
        program,
        args: request.args,
        origins: request.origins,
        state: request.state,
        in_session: request.session.is_some(),
        earlier: request.earlier,
        tool: program.tool(request.tool),
        carries: &[],
        lifted: 0,
        said: OnceCell::new(),
        secrets: OnceCell::new(),
    }
}

/// The names of labels, levels by their highest member; sorted.
pub(super) fn names(mask: u64, labels: &Labels) -> Vec<String> {
    let has = |bit: usize| mask >> bit & 1 == 1;
    let in_level = |bit: usize| {
        labels.levels.iter().any(|l| {
            let first = l.first as usize;
            // A higher member of the same level says it all.
            (first..first + l.members.len().saturating_sub(1)).contains(&bit)
                && (bit + 1..first + l.members.len().saturating_sub(1)).any(has)
        })
    };
    let shown = (0..labels.names.len()).filter(|bit| has(*bit) && !in_level(*bit));
    let shown = shown.fold(0, |mask, bit| mask | 1 << bit);
    let mut names: Vec<String> = labels.names_of(shown).map(str::to_owned).collect();
    names.sort();
    names
}

/// What a decision says of labels that rules asked about.
pub(super) fn fact(of: String, (mask, origin): (u64, LabelOrigin), labels: &Labels) -> LabelFact {
    LabelFact {
        of,
        labels: names(mask, labels),
        origin,
    }
}

/// The labels that approvals take off a call, as bits, and whose approvals they were.
pub(super) fn lifted(program: &Program, request: &Request<'_>) -> (u64, Vec<String>) {
    let (mut mask, mut by) = (0, Vec::new());
    let labels = &program.labels;
    if labels.lifted.is_empty() || request.approvals.is_empty() {
        return (mask, by);
    }
    let asking = Asking::of(program, request);
    for (spec, labels) in &labels.lifted {
        let spec = std::slice::from_ref(spec);
        if let Some(people) = approval::satisfied(spec, request.approvals, &asking, request.now) {
            mask |= labels;
            by.extend(people);
        }
    }
    by.sort();
    by.dedup();
    (mask, by)
}
