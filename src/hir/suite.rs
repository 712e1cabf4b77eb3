//! Tests of a policy file: calls with arguments as JSON would have them, and outcomes that can exist.

use super::duty;
use super::obligation::Kinds;
use super::origins;
use super::{Case, ContextField, Duty, Rule, SessionStep, Test, Tool};
use crate::builtins::bind::{self, BindError, BindErrorKind};
use crate::builtins::{duration, instant};
use crate::diag::codes::{BAD_TEST, DUPLICATE_NAME, UNKNOWN_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::domain::{ScriptStep, intent, reserved};
use crate::json::{Json, Number, Text};
use crate::limits;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{self, Literal, LiteralKind};
use crate::ty::Ty;
use std::collections::BTreeSet;

/// What the cases may refer to.
pub(super) struct Names<'a> {
    pub tools: &'a [Tool],
    pub rules: &'a [Rule],
    pub default_code: &'a str,
    pub context: &'a [ContextField],
    pub obligations: &'a Kinds,
}

/// Resolves every test.
pub(super) fn lower(tests: &[&ast::Test], names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Vec<Test> {
    let mut seen = BTreeSet::new();
    let mut lowered = Vec::new();
    for test in tests {
        if !seen.insert(test.name.node.as_str()) {
            let message = format!("a test called `{}` exists already", test.name.node);
            out.push(Diagnostic::error(DUPLICATE_NAME, test.name.span, message).help("give it another name"));
        }
        let given = given(&test.given, names, out);
        let session = session(&test.session, names, out);
        let cases = test
            .cases
            .iter()
            .filter_map(|c| case(c, (&given, &session), names, out))
            .collect();
        lowered.push(Test {
            name: test.name.node.clone(),
            cases,
            span: test.name.span,
        });
    }
    lowered
}

/// What a test says of the context: every field declared, every value one of its type.
pub(super) fn given(fields: &[(ast::Name, Literal)], names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Json {
    let Some(given) = record(fields, out) else {
        return Json::Object(Vec::new());
    };
    for (name, literal) in fields {
        let declared = names.context.iter().find(|f| f.field.name == name.text);
        let Some(declared) = declared else {
            let message = format!("the context has no `{}`", name.text);
            let report = Diagnostic::error(BAD_TEST, name.span, message);
            let known = names.context.iter().map(|f| f.field.name.as_str());
            out.push(match suggest::nearest(&name.text, known) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(name.span, crate::syntax::quote::member_name(near)),
                None => report.help("declare it with `context { fact … }`"),
            });
            continue;
        };
        if let Some(value) = given.get(&name.text)
            && !poisoned(&declared.field.ty)
            && let Err(error) = bind::bind(value, &declared.field.ty)
        {
            let message = format!("this is no `{}`: {}", name.text, error.message);
            out.push(
                Diagnostic::error(BAD_TEST, literal.span, message)
                    .also(declared.span, "the field is declared here")
                    .help(format!("give {}", declared.field.ty.phrase())),
            );
        }
    }
    given
}

fn case(
    case: &ast::Case,
    (given, session): (&Json, &[SessionStep]),
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<Case> {
    for code in &case.codes {
        let codes = names
            .rules
            .iter()
            .map(|r| r.code.as_str())
            .chain([names.default_code]);
        check_name(code, "code", codes.chain(reserved::ALL), out);
    }
    for rule in &case.by {
        check_name(rule, "rule", names.rules.iter().map(|r| r.name.as_str()), out);
    }
    let calls = case.judged.calls().iter();
    let calls: Vec<Option<ScriptStep>> = calls.map(|call| called(call, &case.codes, names, out)).collect();
    let calls: Vec<ScriptStep> = calls.into_iter().collect::<Option<_>>()?;
    let (call, steps) = match &case.judged {
        ast::Judged::Call(_) => (calls.into_iter().next()?, Vec::new()),
        ast::Judged::Script(_, span) => {
            check_steps(calls.len(), *span, out);
            (script(), calls)
        }
    };
    let tool = names
        .tools
        .iter()
        .find(|t| steps.is_empty() && t.name == call.tool);
    Some(Case {
        tool: call.tool,
        args: call.args,
        steps,
        given: given.clone(),
        session: session.to_vec(),
        origins: call.origins,
        approved: approved(&case.approved, out),
        at: case.at.as_ref().and_then(|time| moment(time, out)),
        verdict: Some(case.verdict.node),
        codes: case.codes.iter().map(|c| c.text.clone()).collect(),
        duties: duties(&case.duties, tool, names, out),
        by: case.by.iter().map(|r| r.text.clone()).collect(),
        not_by: Vec::new(),
        span: case.span,
    })
}

/// One call of a case that expects these codes.
fn called(
    call: &ast::CaseCall,
    codes: &[ast::Name],
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Option<ScriptStep> {
    let tool = names.tools.iter().find(|t| t.name == call.tool.text);
    if tool.is_none() && !codes.iter().any(|c| c.text == reserved::UNKNOWN_TOOL) {
        let message = format!("no tool is called `{}`", call.tool.text);
        let report = Diagnostic::error(UNKNOWN_NAME, call.tool.span, message);
        out.push(
            match suggest::nearest(&call.tool.text, names.tools.iter().map(|t| t.name.as_str())) {
                Some(near) => report
                    .help(format!("did you mean `{near}`?"))
                    .edit(call.tool.span, crate::syntax::quote::dotted_name(near)),
                None => report.help("a call to an undeclared tool gives `block code gait.unknown_tool`"),
            },
        );
    }
    let args = record(&call.args, out)?;
    if let Some(tool) = tool
        && !codes.iter().any(|c| c.text.starts_with(reserved::PREFIX))
    {
        check_call((&call.tool, &call.args), &args, tool, out);
    }
    let origins = origins::of_case(call.sources.as_deref(), &args, (tool, names.tools), out);
    Some(ScriptStep {
        tool: call.tool.text.clone(),
        said: Json::object([("tool_name", Json::str(&call.tool.text)), ("args", args.clone())]),
        args,
        origins,
    })
}

/// What the intent of a script names as its call.
fn script() -> ScriptStep {
    let nothing = || Json::Object(Vec::new());
    ScriptStep {
        tool: intent::SCRIPT.to_owned(),
        args: nothing(),
        origins: None,
        said: nothing(),
    }
}

/// Reports a script that no intent can hold.
fn check_steps(steps: usize, span: Span, out: &mut Vec<Diagnostic>) {
    if steps == 0 || steps > limits::SCRIPT_STEPS {
        let message = format!(
            "a script has 1 to {} calls, and this one has {steps}",
            limits::SCRIPT_STEPS
        );
        let report = Diagnostic::error(BAD_TEST, span, message);
        out.push(report.help("write a `call` for each step, as few as show the point"));
    }
}

/// What a case expects to be obliged.
fn duties(
    written: &[ast::Duty],
    tool: Option<&Tool>,
    names: &Names<'_>,
    out: &mut Vec<Diagnostic>,
) -> Vec<Duty> {
    let about: Vec<(usize, &Tool)> = tool.map(|tool| (0, tool)).into_iter().collect();
    let mut found = Vec::new();
    let duties = duty::duties(written, names.obligations, &about, &mut found, out);
    out.extend(found.into_iter().map(|(_, report)| report));
    duties.into_iter().map(|duty| duty.node).collect()
}

/// The moment a test says it is.
pub(super) fn moment(written: &Spanned<String>, out: &mut Vec<Diagnostic>) -> Option<i128> {
    let refused = match instant::parse(&written.node) {
        Ok(moment) => return Some(moment),
        Err(refused) => refused,
    };
    // A test's cases share its time, and with it the mistake.
    if !out.iter().any(|known| known.primary.span == written.span) {
        let message = format!("this is no moment: {refused}");
        let report = Diagnostic::error(BAD_TEST, written.span, message);
        out.push(report.help("write it with its offset, such as \"2026-12-29T09:00:00-05:00\""));
    }
    None
}

/// Who a case says approved the call.
fn approved(people: &[Spanned<String>], out: &mut Vec<Diagnostic>) -> Vec<String> {
    let mut approved: Vec<String> = Vec::new();
    for person in people {
        if approved.contains(&person.node) {
            let message = format!("`{}` approves twice", person.node);
            out.push(Diagnostic::error(DUPLICATE_NAME, person.span, message).help("remove one of them"));
        }
        approved.push(person.node.clone());
    }
    approved
}

/// What ran before a test's cases.
pub(super) fn session(steps: &[ast::Step], names: &Names<'_>, out: &mut Vec<Diagnostic>) -> Vec<SessionStep> {
    let mut session = Vec::new();
    for step in steps {
        let call = match step {
            ast::Step::Call(call) => call,
            ast::Step::Turn(_) => {
                session.push(SessionStep::Turn);
                continue;
            }
            ast::Step::At(time, _) => {
                session.extend(moment(time, out).map(SessionStep::At));
                continue;
            }
        };
        let Some(tool) = names.tools.iter().find(|t| t.name == call.tool.text) else {
            check_name(
                &call.tool,
                "tool",
                names.tools.iter().map(|t| t.name.as_str()),
                out,
            );
            continue;
        };
        let Some(args) = record(&call.args, out) else {
            continue;
        };
        if !tool.args.iter().any(|f| poisoned(&f.ty)) {
            check_call((&call.tool, &call.args), &args, tool, out);
        }
        session.push(SessionStep::Call {
            tool: tool.name.clone(),
            args,
            ok: !call.failed,
        });
    }
    session
}

/// Whether the arguments are a call of the tool.
fn fits(args: &Json, tool: &Tool) -> Result<(), BindError> {
    if tool.open {
        bind::bind_open_record(args, &tool.args).map(drop)
    } else {
        bind::bind_record(args, &tool.args).map(drop)
    }
}

/// A call as written: the tool's name, and the arguments.
type Written<'w> = (&'w ast::Name, &'w [(ast::Name, Literal)]);

/// Reports arguments that the tool's declaration does not accept.
pub(super) fn check_call(written: Written<'_>, args: &Json, tool: &Tool, out: &mut Vec<Diagnostic>) {
    if !tool.args.iter().any(|f| poisoned(&f.ty))
        && let Err(error) = fits(args, tool)
    {
        out.push(no_call(written, tool, &error));
    }
}

/// The report for arguments that the tool's declaration does not accept, in a case that does not expect it.
fn no_call((name, args): Written<'_>, tool: &Tool, error: &BindError) -> Diagnostic {
    // The pointer's first step names the argument, where it is written.
    let step = error.path.split('/').nth(1).unwrap_or_default();
    let written = args
        .iter()
        .find(|(name, _)| step == name.text.replace('~', "~0").replace('/', "~1"));
    let span = match (written, error.kind) {
        (Some((name, _)), BindErrorKind::UnknownField) => name.span,
        (Some((_, value)), _) => value.span,
        (None, _) => name.span,
    };
    let code = match error.kind {
        BindErrorKind::Unparsable => reserved::ARG_UNPARSABLE,
        _ => reserved::INPUT_INVALID,
    };
    let message = format!("this is no call of `{}`: {}", tool.name, error.message);
    let mut report = Diagnostic::error(BAD_TEST, span, message)
        .why("the gate blocks it before any rule speaks, so the case says nothing about the rules");
    let names = tool.args.iter().map(|f| f.name.as_str());
    if error.kind == BindErrorKind::UnknownField
        && let Some((name, _)) = written
        && let Some(near) = suggest::nearest(&name.text, names)
    {
        report = report.edit(name.span, crate::syntax::quote::member_name(near));
        return report.help(format!("did you mean `{near}`?"));
    }
    report.help(format!(
        "mend the arguments, or expect `block code {code}` if that is the point"
    ))
}

fn poisoned(ty: &Ty) -> bool {
    match ty {
        Ty::Poison => true,
        Ty::Optional(inner) => poisoned(inner),
        Ty::List { element, .. } | Ty::Set { element, .. } => poisoned(element),
        Ty::Map { key, value, .. } => poisoned(key) || poisoned(value),
        Ty::Record(fields) => fields.iter().any(|f| poisoned(&f.ty)),
        _ => false,
    }
}

/// Reports a name that is none of those known.
pub(super) fn check_name<'n>(
    name: &ast::Name,
    what: &str,
    known: impl Iterator<Item = &'n str> + Clone,
    out: &mut Vec<Diagnostic>,
) {
    if known.clone().any(|k| k == name.text) {
        return;
    }
    let message = format!("no {what} is called `{}`, so this test could not pass", name.text);
    let report = Diagnostic::error(BAD_TEST, name.span, message);
    out.push(match suggest::nearest(&name.text, known) {
        Some(near) => report
            .help(format!("did you mean `{near}`?"))
            .edit(name.span, near),
        None => report,
    });
}

pub(super) fn record(fields: &[(ast::Name, Literal)], out: &mut Vec<Diagnostic>) -> Option<Json> {
    let mut members: Vec<(Text, Json)> = Vec::new();
    for (name, literal) in fields {
        if members.iter().any(|(n, _)| *n == name.text) {
            let message = format!("`{}` is given twice", name.text);
            out.push(Diagnostic::error(DUPLICATE_NAME, name.span, message));
            return None;
        }
        members.push((name.text.as_str().into(), value(literal, out)?));
    }
    Some(Json::Object(members))
}

fn value(literal: &Literal, out: &mut Vec<Diagnostic>) -> Option<Json> {
    Some(match &literal.kind {
        LiteralKind::Null => Json::Null,
        LiteralKind::Bool(b) => Json::Bool(*b),
        LiteralKind::String(text) => Json::str(text.clone()),
        LiteralKind::Number(text) => match number(text) {
            Some(number) => Json::Number(number),
            None if duration::compact(text).is_ok() => Json::str(text.clone()),
            None => {
                let message = format!("{text} cannot be sent exactly as JSON (RFC 8785)");
                out.push(Diagnostic::error(BAD_TEST, literal.span, message).help("put the number in quotes"));
                return None;
            }
        },
        LiteralKind::List(items) => {
            Json::Array(items.iter().map(|i| value(i, out)).collect::<Option<Vec<_>>>()?)
        }
        LiteralKind::Record(fields) => record(fields, out)?,
    })
}

fn number(text: &str) -> Option<Number> {
    match crate::builtins::literal::number(text, &crate::ty::Ty::Int) {
        Ok(n) => i64::try_from(n).ok().map(Number::from_i64),
        Err(_) => Number::read(text),
    }
}
