//! Rego by regorus, as an interpreter and as its virtual machine. The rule `data.gait.verdict` names a verdict.

use crate::engine::{Answer, Engine, Failure};
use gait::domain::Verdict;
use regorus::languages::rego::compiler::Compiler;
use regorus::rvm::vm::RegoVM;
use regorus::{Engine as Interpreter, PolicyLengthConfig, Value};
use std::num::{NonZeroU32, NonZeroUsize};

/// The rule that is asked.
const ENTRY: &str = "data.gait.verdict";

/// No bound of the virtual machine ends a decision.
const INSTRUCTIONS: usize = 1 << 40;

fn parse(bytes: &[u8]) -> Result<Value, Failure> {
    Ok(Value::from_json_str(std::str::from_utf8(bytes)?)?)
}

fn named(value: &Value) -> Result<Verdict, Failure> {
    Ok(Verdict::parse(value.as_string()?).ok_or("no such verdict")?)
}

/// Bounds that no module here meets; the engine's own stop at 1 MiB and 20,000 lines.
const LENGTH: PolicyLengthConfig = PolicyLengthConfig {
    max_col: NonZeroU32::MAX,
    max_file_bytes: NonZeroUsize::MAX,
    max_lines: NonZeroUsize::MAX,
};

fn prepared(text: &str, data: Option<&str>) -> Result<Interpreter, Failure> {
    let mut engine = Interpreter::new();
    engine.set_policy_length_config(LENGTH);
    engine.add_policy("peers.rego".to_owned(), text.to_owned())?;
    if let Some(data) = data {
        engine.add_data(Value::from_json_str(data)?)?;
    }
    Ok(engine)
}

/// The interpreter.
pub struct Rego {
    engine: Interpreter,
    kept: Vec<Value>,
}

impl Rego {
    /// From the text of a module and the data it looks at.
    pub fn load(text: &str, data: Option<&str>) -> Result<Rego, Failure> {
        let mut engine = prepared(text, data)?;
        // Without a request, so that what the first evaluation prepares is ready.
        engine.set_input(Value::new_object());
        drop(engine.eval_rule(ENTRY.to_owned()));
        let kept = Vec::new();
        Ok(Rego { engine, kept })
    }

    fn decide(&mut self, input: Value) -> Answer {
        self.engine.set_input(input);
        let value = self.engine.eval_rule(ENTRY.to_owned());
        Answer::of(value.map_err(Failure::from).and_then(|value| named(&value)))
    }
}

impl Engine for Rego {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.kept.push(parse(bytes)?);
        Ok(())
    }

    fn warm(&mut self, number: usize) -> Answer {
        let input = self.kept.get(number).cloned();
        input.map_or(Answer::Refuses, |input| self.decide(input))
    }

    fn cold(&mut self, bytes: &[u8]) -> Answer {
        parse(bytes).map_or(Answer::Refuses, |input| self.decide(input))
    }
}

/// The virtual machine.
pub struct RegoMachine {
    machine: RegoVM,
    kept: Vec<Value>,
}

impl RegoMachine {
    /// From the text of a module and the data it looks at.
    pub fn load(text: &str, data: Option<&str>) -> Result<RegoMachine, Failure> {
        let compiled = prepared(text, data)?.compile_with_entrypoint(&ENTRY.into())?;
        let program = Compiler::compile_from_policy(&compiled, &[ENTRY])?;
        let mut machine = RegoVM::new_with_policy(compiled);
        machine.set_max_instructions(INSTRUCTIONS);
        machine.load_program(program);
        if let Some(data) = data {
            machine.set_data(Value::from_json_str(data)?)?;
        }
        let kept = Vec::new();
        Ok(RegoMachine { machine, kept })
    }

    fn decide(&mut self, input: Value) -> Answer {
        self.machine.set_input(input);
        let value = self.machine.execute_entry_point_by_index(0);
        Answer::of(value.map_err(Failure::from).and_then(|value| named(&value)))
    }
}

impl Engine for RegoMachine {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.kept.push(parse(bytes)?);
        Ok(())
    }

    fn warm(&mut self, number: usize) -> Answer {
        let input = self.kept.get(number).cloned();
        input.map_or(Answer::Refuses, |input| self.decide(input))
    }

    fn cold(&mut self, bytes: &[u8]) -> Answer {
        parse(bytes).map_or(Answer::Refuses, |input| self.decide(input))
    }
}
