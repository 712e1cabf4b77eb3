//! CEL has expressions and no rules: each rule's condition is an expression, and what a host would write is here, a list
//! of rules per tool, the strictest first, asked until one holds. A condition that fails blocks.

use super::Wire;
use crate::engine::{Answer, Engine, Failure};
use cel::{Context, Env, Program, Value};
use gait::domain::Verdict;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A rule: the tools it is about, its verdict and its condition.
#[derive(Clone, Debug)]
pub struct CelRule {
    /// The tools.
    pub tools: Vec<String>,
    /// What it asks for.
    pub verdict: Verdict,
    /// When.
    pub condition: String,
}

/// Compiled rules.
pub struct Cel {
    env: Arc<Env>,
    rules: BTreeMap<String, Vec<(Verdict, Arc<Program>)>>,
    extend: Extend,
    kept: Vec<(String, Context<'static, 'static>)>,
}

/// Adds variables beside `args`: what the host knows.
pub type Extend = Arc<dyn Fn(&Wire, &mut Context<'static, 'static>) -> Result<(), Failure>>;

/// Nothing beside the arguments.
pub fn nothing_more() -> Extend {
    Arc::new(|_, _| Ok(()))
}

impl Cel {
    /// From the conditions of rules.
    pub fn load(rules: &[CelRule], extend: Extend) -> Result<Cel, Failure> {
        let env = Arc::new(Env::stdlib());
        let mut compiled: BTreeMap<String, Vec<(Verdict, Arc<Program>)>> = BTreeMap::new();
        for rule in rules {
            let program = env.compile(&rule.condition);
            let program = program.map_err(|errors| format!("{}: {errors}", rule.condition))?;
            let program = Arc::new(program);
            for tool in &rule.tools {
                let of_tool = compiled.entry(tool.clone()).or_default();
                of_tool.push((rule.verdict, Arc::clone(&program)));
            }
        }
        for rules in compiled.values_mut() {
            rules.sort_by_key(|(verdict, _)| std::cmp::Reverse(*verdict));
        }
        Ok(Cel {
            env,
            rules: compiled,
            extend,
            kept: Vec::new(),
        })
    }

    fn read(&self, bytes: &[u8]) -> Result<(String, Context<'static, 'static>), Failure> {
        let wire: Wire = serde_json::from_slice(bytes)?;
        let mut context = Context::with_env(Arc::clone(&self.env));
        let args = cel::to_value(&wire.args).map_err(|error| error.to_string())?;
        context.add_variable_from_value("args", args);
        (self.extend)(&wire, &mut context)?;
        Ok((wire.tool_name, context))
    }

    fn decide(&self, tool: &str, context: &Context<'_, '_>) -> Answer {
        let rules = self.rules.get(tool).map(Vec::as_slice).unwrap_or_default();
        for (verdict, program) in rules {
            match program.execute(context) {
                Ok(Value::Bool(true)) => return Answer::Says(*verdict),
                Ok(Value::Bool(false)) => {}
                Ok(_) | Err(_) => return Answer::Refuses,
            }
        }
        Answer::Says(Verdict::Block)
    }
}

impl Engine for Cel {
    fn keep(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.kept.push(self.read(bytes)?);
        Ok(())
    }

    fn warm(&mut self, number: usize) -> Answer {
        let kept = self.kept.get(number);
        kept.map_or(Answer::Refuses, |(tool, context)| self.decide(tool, context))
    }

    fn cold(&mut self, bytes: &[u8]) -> Answer {
        let read = self.read(bytes);
        read.map_or(Answer::Refuses, |(tool, context)| self.decide(&tool, &context))
    }
}
