//! Gait, in two forms. `Gait` is what the others do, too: a request becomes a typed record, and the record a verdict with the
//! rules that matched; what compares one value with another is computed within the time measured. `Gate` is what a
//! host calls: it also gives reasons, targets and the arguments in canonical form, for whoever runs the call.

use crate::engine::{Answer, Engine, Failure};
use gait::artifact::{SigningKey, TrustedKeys, bundle};
use gait::builtins::bind;
use gait::domain::{HeldFact, Intent, Request, Verdict};
use gait::eval::{Workspace, decide};
use gait::gate::request::{self, Counting};
use gait::hir::Slot;
use gait::ir::{Program, ToolProgram};
use gait::json::Json;
use gait::value::Value;
use gait::{bundling, compile};
use std::collections::BTreeMap;

/// What the host knows of users and resources, by their names. The arguments of a request name one of each.
pub struct Facts {
    /// What the policy calls the fact about a resource.
    pub resource: &'static str,
    /// Users.
    pub users: BTreeMap<String, Json>,
    /// Resources.
    pub resources: BTreeMap<String, Json>,
}

/// The same, bound to the types that a policy declares.
#[derive(Default)]
struct Held {
    users: BTreeMap<String, HeldFact>,
    resources: BTreeMap<String, HeldFact>,
}

impl Held {
    fn of(program: &Program, facts: Facts) -> Result<Held, Failure> {
        let bound =
            |name: &str, all: BTreeMap<String, Json>| -> Result<BTreeMap<String, HeldFact>, Failure> {
                let one = |(key, said)| {
                    let held = request::hold(program, name, said).map_err(|blocked| blocked.detail)?;
                    Ok((key, held))
                };
                all.into_iter().map(one).collect()
            };
        Ok(Held {
            users: bound("user", facts.users)?,
            resources: bound(facts.resource, facts.resources)?,
        })
    }

    /// What is known of those that a request names.
    fn about(&self, intent: &Intent) -> Vec<&HeldFact> {
        let named = |name: &str| intent.args().get(name).and_then(Json::as_str);
        let user = named("user").and_then(|name| self.users.get(name));
        let resource = named("resource").and_then(|name| self.resources.get(name));
        [user, resource].into_iter().flatten().collect()
    }
}

/// A program that decides.
pub struct Gait {
    program: Program,
    workspace: Workspace,
    held: Held,
    kept: Vec<Kept>,
}

/// A typed request: the tool's number, and the record without what is computed.
struct Kept {
    tool: usize,
    record: Vec<Value>,
}

/// The seed of the key that bundles are signed with here.
const SEED: [u8; 32] = [7; 32];

/// Compiles a policy and signs its bundle.
pub fn build(text: &str) -> Result<Vec<u8>, Failure> {
    Ok(bundling::build(&check(text)?, 0, &SigningKey::from_seed(&SEED))?.bytes)
}

fn check(text: &str) -> Result<compile::Checked, Failure> {
    let report = compile::check("peers.gaitpol", text);
    let found = || format!("the policy has errors: {:?}", report.diagnostics);
    report.checked.ok_or_else(|| found().into())
}

impl Gait {
    /// From the bytes of a signed bundle: archive, digests, signature, program.
    pub fn open(bytes: &[u8], facts: Option<Facts>) -> Result<Gait, Failure> {
        let trusted = TrustedKeys::new([SigningKey::from_seed(&SEED).verifying_key()]);
        let now = "2026-11-23T00:00:00Z".parse()?;
        let opened = bundle::open(bytes, &trusted, now)?;
        Gait::of(bundling::load(opened.value())?, facts)
    }

    /// From the source of a policy, with every check of the compiler.
    pub fn compile(text: &str) -> Result<Gait, Failure> {
        Gait::of(compile::lower(&check(text)?), None)
    }

    fn of(program: Program, facts: Option<Facts>) -> Result<Gait, Failure> {
        let held = facts.map(|facts| Held::of(&program, facts));
        Ok(Gait {
            workspace: Workspace::new(&program),
            held: held.transpose()?.unwrap_or_default(),
            program,
            kept: Vec::new(),
        })
    }

    fn read(&mut self, bytes: &[u8]) -> Result<Verdict, Failure> {
        let intent = Intent::read(bytes)?;
        let (tool, record) = typed(&self.program, &self.held, &intent)?;
        Ok(decide(&self.program, tool, &Value::Record(record), &mut self.workspace).verdict)
    }
}

/// The declaration of an intent's tool, and its record.
fn typed<'p>(
    program: &'p Program,
    held: &Held,
    intent: &Intent,
) -> Result<(&'p ToolProgram, Vec<Value>), Failure> {
    let tool = program.tool(&intent.tool).ok_or("no such tool")?;
    if tool.uses.is_empty() && tool.slots.is_empty() && !tool.open {
        // No rule looks beside the arguments, and nobody asks for them in canonical form.
        return Ok((tool, bind::bind_record(intent.args(), &tool.args)?));
    }
    let held = held.about(intent);
    let request = Request::intent(intent).with_held(&held);
    let bound = request::bind(program, tool, &request, Counting::Known).map_err(|blocked| blocked.detail)?;
    match bound.record {
        Value::Record(record) => Ok((tool, record)),
        _ => Err("a request is a record".into()),
    }
}

impl Engine for Gait {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let intent = Intent::read(bytes)?;
        let (tool, mut record) = typed(&self.program, &self.held, &intent)?;
        let number = self.program.tools.iter().position(|one| std::ptr::eq(one, tool));
        let number = number.ok_or("no such tool")?;
        record.truncate(record.len() - tool.slots.len());
        self.kept.push(Kept { tool: number, record });
        Ok(())
    }

    fn warm(&mut self, number: usize) -> Answer {
        let Gait {
            program,
            workspace,
            kept,
            ..
        } = self;
        let Some((kept, tool)) = kept.get_mut(number).and_then(|kept| {
            let tool = program.tools.get(kept.tool)?;
            Some((kept, tool))
        }) else {
            return Answer::Refuses;
        };
        let typed = kept.record.len();
        let mut record = Value::Record(std::mem::take(&mut kept.record));
        compute(program, tool, &mut record);
        let verdict = decide(program, tool, &record, workspace).verdict;
        if let Value::Record(mut fields) = record {
            fields.truncate(typed);
            kept.record = fields;
        }
        Answer::Says(verdict)
    }

    fn cold(&mut self, bytes: &[u8]) -> Answer {
        Answer::of(self.read(bytes))
    }
}

/// The gate as a host has it.
pub struct Gate {
    gate: gait::gate::Gate,
    workspace: Workspace,
    held: Held,
    kept: Vec<(Intent, Vec<HeldFact>)>,
}

impl Gate {
    /// From the bytes of a signed bundle.
    pub fn open(bytes: &[u8], facts: Option<Facts>) -> Result<Gate, Failure> {
        let Gait {
            program,
            workspace,
            held,
            ..
        } = Gait::open(bytes, facts)?;
        Ok(Gate {
            gate: gait::gate::Gate::new(program),
            workspace,
            held,
            kept: Vec::new(),
        })
    }

    fn decide(
        gate: &gait::gate::Gate,
        workspace: &mut Workspace,
        intent: &Intent,
        held: &[&HeldFact],
    ) -> Answer {
        let request = Request::intent(intent).with_held(held);
        Answer::Says(gate.decide(&request, workspace).decision.verdict)
    }
}

impl Engine for Gate {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let intent = Intent::read(bytes)?;
        let held = self.held.about(&intent).into_iter().cloned().collect();
        self.kept.push((intent, held));
        Ok(())
    }

    fn warm(&mut self, number: usize) -> Answer {
        let kept = self.kept.get(number);
        kept.map_or(Answer::Refuses, |(intent, held)| {
            let held: Vec<&HeldFact> = held.iter().collect();
            Gate::decide(&self.gate, &mut self.workspace, intent, &held)
        })
    }

    fn cold(&mut self, bytes: &[u8]) -> Answer {
        let Ok(intent) = Intent::read(bytes) else {
            return Answer::Refuses;
        };
        let held = self.held.about(&intent);
        Gate::decide(&self.gate, &mut self.workspace, &intent, &held)
    }
}

/// Adds what the gate computes of a record for this tool's rules.
fn compute(program: &Program, tool: &ToolProgram, record: &mut Value) {
    for slot in &tool.slots {
        let value = match slot {
            Slot::Holds(cond) => Value::Bool(request::holds(program, tool, cond, record)),
            Slot::Lookup { map, key, .. } => gait::hir::entry(map, key, record),
            _ => Value::Absent,
        };
        if let Value::Record(fields) = record {
            fields.push(value);
        }
    }
}
