//! `Gate::decide`: the one place where a verdict on an intent is made. The tool must be declared, its arguments must
//! be values of their declared types, and only then do rules speak. Whatever goes wrong is a block with a reserved
//! code; nothing is skipped and nothing fails open.

use super::request::{self, Blocked};
use crate::domain::{Decision, Request, Verdict, reserved};
use crate::eval::{self, Workspace};
use crate::ir::{Program, ToolProgram};
use crate::json::Json;
use crate::value::Value;

/// A program ready to judge calls.
#[derive(Debug)]
pub struct Gate {
    program: Program,
}

/// A decision with the canonical form of what was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// The decision.
    pub decision: Decision,
    /// The arguments in canonical form: what was judged and what an executor should run. Absent where they are no
    /// values of the declared types.
    pub canonical_args: Option<Json>,
    /// What the rules looked at; absent where no rule was asked.
    pub record: Option<Value>,
}

impl Gate {
    /// A gate over a program.
    pub fn new(program: Program) -> Gate {
        Gate { program }
    }

    /// The program it decides by.
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The facts among these that the policy declares.
    pub fn declared_facts(&self, facts: &Json) -> Json {
        let known = |name: &str| {
            let mut declared = self.program.context.iter().filter(|f| f.from.is_none());
            declared.any(|f| f.field.name == name)
        };
        let members = facts.as_object().unwrap_or_default().iter();
        Json::Object(members.filter(|(name, _)| known(name)).cloned().collect())
    }

    /// Working space for this gate, to be kept by the caller between decisions.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(&self.program)
    }

    /// Judges a request.
    pub fn decide(&self, request: &Request<'_>, workspace: &mut Workspace) -> Judged {
        let Some(declared) = self.program.tool(request.tool) else {
            return self.undeclared(request.tool);
        };
        match request::bind(&self.program, declared, request) {
            Ok(bound) => Judged {
                decision: self.judge(declared, &bound.record, workspace),
                canonical_args: Some(bound.canonical_args),
                record: Some(bound.record),
            },
            Err(Blocked { code, detail }) => blocked(code, detail),
        }
    }

    fn judge(&self, tool: &ToolProgram, record: &Value, workspace: &mut Workspace) -> Decision {
        let outcome = eval::decide(&self.program, tool, record, workspace);
        eval::explain(&self.program, tool, record, &outcome)
    }

    fn undeclared(&self, tool: &str) -> Judged {
        let shown: String = tool.chars().take(crate::limits::SHOWN_NAME_CHARS).collect();
        blocked(
            reserved::UNKNOWN_TOOL,
            format!("the policy declares no tool called `{}`", shown.escape_debug()),
        )
    }
}

fn blocked(code: &str, detail: String) -> Judged {
    let decision = Decision {
        verdict: Verdict::Block,
        reason_codes: vec![code.to_owned()],
        matched: Vec::new(),
        targets: Vec::new(),
        detail: Some(detail),
    };
    Judged {
        decision,
        canonical_args: None,
        record: None,
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;
    use crate::domain::Request;
    use crate::{compile, json};

    #[test]
    fn what_is_handed_on_is_canonical_where_it_is_declared() {
        let text = "gaitpol 1\npolicy a\ndefault block\ntool t {\n  p: Path\n  ...\n}\nrule r on t allow\n";
        let checked = compile::check("a.gaitpol", text).checked.unwrap();
        let gate = Gate::new(compile::lower(&checked));
        let args = json::parse(br#"{"x":{"b":[1,null]},"p":"/w//a"}"#).unwrap();
        let judged = gate.decide(&Request::call("t", &args), &mut gate.workspace());
        let expected = json::parse(br#"{"p":"/w/a","x":{"b":[1,null]}}"#).unwrap();
        assert_eq!(judged.canonical_args, Some(expected));
    }
}
