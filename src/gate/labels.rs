//! The labels of a call's arguments: from what the adapter says of each, else from what was read in the session, else
//! the default. In: a policy's labels, the arguments, what is said, the session. Out: bits, and why they are set.

use super::approval::{self, Asking};
use crate::artifact::digest;
use crate::domain::{ArgumentOrigin, ArgumentSource, LabelFact, LabelOf, LabelOrigin, Request, State};
use crate::hir::Labels;
use crate::ir::{Program, ToolProgram};
use crate::json::Json;

/// What labels are computed from.
#[derive(Clone, Copy)]
pub(super) struct Sources<'a> {
    pub program: &'a Program,
    /// The arguments as received.
    pub args: &'a Json,
    /// What the adapter says; `None` when it says nothing at all.
    pub origins: Option<&'a [ArgumentOrigin]>,
    /// The session so far.
    pub state: Option<&'a State>,
    /// The labels of what earlier steps of the same script read.
    pub earlier: u64,
    /// The arguments that leave the boundary.
    pub carries: &'a [Vec<String>],
    /// Labels that people have taken off the call, as bits.
    pub lifted: u64,
}

impl Sources<'_> {
    /// The labels of something, and why it has them.
    pub fn of(&self, of: &LabelOf) -> (u64, LabelOrigin) {
        match of {
            LabelOf::Session => (self.state.map_or(0, |s| s.labels), LabelOrigin::Session),
            LabelOf::Argument(path) => self.seen(path),
            LabelOf::Carried => {
                let each = self.carries.iter().map(|path| self.seen(path));
                each.reduce(|(a, why), (b, _)| (a | b, why))
                    .unwrap_or((0, LabelOrigin::Argument))
            }
        }
    }

    /// The labels of an argument that count for this call. What comes of it has the others too.
    fn seen(&self, path: &[String]) -> (u64, LabelOrigin) {
        match self.argument(path) {
            (found, _) if found & self.lifted != 0 => (found & !self.lifted, LabelOrigin::Approval),
            found => found,
        }
    }

    /// The labels of all arguments together.
    pub fn all(&self) -> u64 {
        self.argument(&[]).0
    }

    fn argument(&self, path: &[String]) -> (u64, LabelOrigin) {
        let Some(origins) = self.origins else {
            // What is not there comes from nowhere.
            let mut there = false;
            collect(self.args, path, &mut Vec::new(), &mut |_, _| there = true);
            if !there {
                return (0, LabelOrigin::Argument);
            }
            return match self.state {
                Some(state) => (state.labels | self.earlier, LabelOrigin::Session),
                None => (
                    self.default(ArgumentSource::Missing) | self.earlier,
                    LabelOrigin::Default,
                ),
            };
        };
        let mut found = Found::default();
        collect(self.args, path, &mut Vec::new(), &mut |at, value| {
            self.leaf(at, value, origins, &mut found);
        });
        let why = if found.missing && !found.said {
            LabelOrigin::Default
        } else {
            LabelOrigin::Argument
        };
        (found.labels, why)
    }

    /// A value without parts: every entry about it or about what it lies in counts.
    fn leaf(&self, at: &[String], value: &Json, origins: &[ArgumentOrigin], found: &mut Found) {
        let about = |o: &&ArgumentOrigin| at.starts_with(&o.path);
        let mut any = false;
        for origin in origins.iter().filter(about) {
            // An entry about another value than this one says nothing.
            let is_other = origin.path.len() == at.len()
                && origin
                    .digest
                    .as_ref()
                    .is_some_and(|d| !digest::of_json(value).to_string().ends_with(d.as_str()));
            if !is_other {
                any = true;
                found.labels |= self.source(origin);
            }
        }
        if any {
            found.said = true;
        } else {
            found.missing = true;
            found.labels |= self.default(ArgumentSource::Missing);
        }
    }

    fn source(&self, origin: &ArgumentOrigin) -> u64 {
        let given = source(self.program, origin.source, origin.tool.as_deref());
        match (origin.source, &origin.tool, self.state) {
            // It comes from some tool that was read, whichever.
            (ArgumentSource::ToolOutput, None, Some(state)) => given | state.labels | self.earlier,
            (ArgumentSource::ToolOutput, None, None) => given | self.earlier,
            _ => given,
        }
    }

    fn default(&self, kind: ArgumentSource) -> u64 {
        default(&self.program.labels, kind)
    }
}

/// The labels of what comes from a source; a tool's result has those that the tool declares, too.
fn source(program: &Program, kind: ArgumentSource, tool: Option<&str>) -> u64 {
    let labels = &program.labels;
    let returned = tool.filter(|_| kind == ArgumentSource::ToolOutput);
    let returned = returned
        .and_then(|tool| program.tool(tool))
        .map_or(0, |tool| tool.returns);
    let named = labels.sources.iter();
    let named = named.filter(|s| s.kind == kind && s.from.iter().any(|t| Some(t.as_str()) == tool));
    let given = named
        .map(|s| s.labels)
        .reduce(|a, b| a | b)
        .unwrap_or_else(|| default(labels, kind));
    let removed = labels.declassify.iter();
    let removed = removed.filter(|(t, _)| kind == ArgumentSource::ToolOutput && Some(t.as_str()) == tool);
    removed.fold(given, |given, (_, labels)| given & !labels) | returned
}

fn default(labels: &Labels, kind: ArgumentSource) -> u64 {
    let default = labels
        .sources
        .iter()
        .find(|s| s.kind == kind && s.from.is_empty());
    // A kind without a rule cannot be; it would count as untrusted.
    default.map_or(1, |s| s.labels)
}

/// The labels of a tool's result.
pub(super) fn of_result(program: &Program, tool: &ToolProgram) -> u64 {
    source(program, ArgumentSource::ToolOutput, Some(&tool.name))
}

#[derive(Default)]
struct Found {
    labels: u64,
    said: bool,
    missing: bool,
}

/// Shows every value without parts below a path.
fn collect(value: &Json, path: &[String], at: &mut Vec<String>, see: &mut impl FnMut(&[String], &Json)) {
    let (first, rest) = match path.split_first() {
        Some((first, rest)) => (Some(first), rest),
        None => (None, path),
    };
    match value {
        Json::Object(members) if !members.is_empty() => {
            for (name, member) in members.iter().filter(|(n, _)| first.is_none_or(|f| f == n)) {
                at.push(name.clone());
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
        Json::Array(_) | Json::Object(_) => {}
        leaf => see(at, leaf),
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
        earlier: request.earlier,
        carries: &[],
        lifted: 0,
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
    let mut names: Vec<String> = labels
        .names
        .iter()
        .enumerate()
        .filter(|(bit, _)| has(*bit) && !in_level(*bit))
        .map(|(_, name)| name.clone())
        .collect();
    names.sort();
    names
}

/// What a decision says of labels that rules asked about.
pub(super) fn fact(of: &LabelOf, (mask, origin): (u64, LabelOrigin), labels: &Labels) -> LabelFact {
    LabelFact {
        of: of.to_string(),
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
