//! Where a case says its arguments come from: `from { to: user, body: "tool_output:web.fetch" }`. A list has a source for
//! each element and a record one for each field that something is said of: `from { to: [user, external] }`. In: what is
//! written, the case's arguments, and the tools there are. Out: what an adapter would say.

use super::Tool;
use super::suite::check_name;
use crate::diag::codes::{BAD_TEST, DUPLICATE_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::domain::{ArgumentOrigin, ArgumentSource};
use crate::json::Json;
use crate::source::Span;
use crate::syntax::ast::{Literal, LiteralKind, Name};
use crate::syntax::quote;
use crate::ty::Ty;

/// The origins of a case; `tool` is the one that is called.
pub(super) fn of_case(
    sources: Option<&[(Name, Literal)]>,
    args: &Json,
    (tool, tools): (Option<&Tool>, &[Tool]),
    out: &mut Vec<Diagnostic>,
) -> Option<Vec<ArgumentOrigin>> {
    let mut walk = Walk {
        at: Vec::new(),
        written: String::new(),
        origins: Vec::new(),
        tools,
        out,
    };
    let ty = tool.map(|tool| Ty::Record(tool.args.clone()));
    walk.fields(sources?, Some(args), ty.as_ref());
    Some(walk.origins)
}

struct Walk<'o> {
    at: Vec<String>,
    /// The same as a person writes it.
    written: String,
    origins: Vec<ArgumentOrigin>,
    tools: &'o [Tool],
    out: &'o mut Vec<Diagnostic>,
}

impl Walk<'_> {
    /// Sources of the fields of a record; `value` is the record where the call has it.
    fn fields(&mut self, sources: &[(Name, Literal)], value: Option<&Json>, ty: Option<&Ty>) {
        let mut seen: Vec<&str> = Vec::new();
        for (name, source) in sources {
            if seen.contains(&name.text.as_str()) {
                let message = format!("`{}` is given twice", name.text);
                self.out
                    .push(Diagnostic::error(DUPLICATE_NAME, name.span, message));
                continue;
            }
            seen.push(&name.text);
            let mut inner = None;
            if let Some(Ty::Record(fields)) = ty.map(Ty::required) {
                let what = if self.at.is_empty() { "argument" } else { "field" };
                check_name(name, what, fields.iter().map(|f| f.name.as_str()), self.out);
                inner = fields.iter().find(|f| f.name == name.text).map(|f| &f.ty);
            }
            let member = value.and_then(|value| value.get(&name.text));
            let step = quote::member_name(&name.text);
            let step = if self.at.is_empty() {
                step
            } else {
                format!(".{step}")
            };
            self.inside(name.text.clone(), &step, |walk| {
                walk.source(source, member, inner)
            });
        }
    }

    fn inside(&mut self, step: String, written: &str, look: impl FnOnce(&mut Self)) {
        let length = self.written.len();
        self.at.push(step);
        self.written.push_str(written);
        look(self);
        self.at.pop();
        self.written.truncate(length);
    }

    /// The source of a value, or those of its parts.
    fn source(&mut self, source: &Literal, value: Option<&Json>, ty: Option<&Ty>) {
        match &source.kind {
            LiteralKind::String(written) => self.one(written, source.span),
            LiteralKind::List(items) => self.elements(items, source.span, value, ty),
            LiteralKind::Record(fields) => match value {
                Some(Json::Object(_)) => self.fields(fields, value, ty),
                found => self.misplaced(source.span, "sources by field say", found, "a record"),
            },
            _ => {
                let report = Diagnostic::error(BAD_TEST, source.span, "this is no source");
                self.out.push(report.help("write `user` or `tool_output`"));
            }
        }
    }

    fn elements(&mut self, sources: &[Literal], span: Span, value: Option<&Json>, ty: Option<&Ty>) {
        let Some(Json::Array(items)) = value else {
            return self.misplaced(span, "a source for each element says", value, "a list");
        };
        if items.len() != sources.len() {
            let count = |n: usize, of: &str| format!("{n} {of}{}", if n == 1 { "" } else { "s" });
            let message = format!(
                "`{}` has {} in this call, and {} given",
                self.written,
                count(items.len(), "element"),
                match sources.len() {
                    1 => "1 source is".to_owned(),
                    n => format!("{n} sources are"),
                }
            );
            let report = Diagnostic::error(BAD_TEST, span, message);
            self.out.push(report.help(
                "give one for each, `missing` where nobody says, or one for the whole list without brackets",
            ));
            return;
        }
        let element = ty.and_then(|ty| ty.required().element());
        for (number, (source, item)) in sources.iter().zip(items).enumerate() {
            let step = number.to_string();
            self.inside(step, &format!("[{number}]"), |walk| {
                walk.source(source, Some(item), element.as_ref());
            });
        }
    }

    fn misplaced(&mut self, span: Span, what: &str, found: Option<&Json>, wanted: &str) {
        let is = match found {
            Some(value) => format!("is {} in this call", value.kind()),
            None => "is not in this call".to_owned(),
        };
        let message = format!("{what} nothing of `{}`, which {is}", self.written);
        let report = Diagnostic::error(BAD_TEST, span, message);
        self.out
            .push(report.help(format!("write one source, or call with {wanted} there")));
    }

    fn one(&mut self, written: &str, span: Span) {
        let (kind, tool) = match written.split_once(':') {
            Some((kind, from)) => (kind, Some(from)),
            None => (written, None),
        };
        let Some(source) = ArgumentSource::ALL.into_iter().find(|s| s.as_str() == kind) else {
            return self.out.push(unknown_kind(kind, tool, span));
        };
        if let Some(tool) = tool
            && let Some(report) = self.no_origin(source, tool, span)
        {
            return self.out.push(report);
        }
        // A value whose source is missing is one of which nothing is said.
        if source != ArgumentSource::Missing {
            self.origins.push(ArgumentOrigin {
                path: self.at.clone(),
                source,
                tool: tool.map(str::to_owned),
                digest: None,
            });
        }
    }

    /// The report where a source names a tool that it cannot be of.
    fn no_origin(&self, source: ArgumentSource, tool: &str, span: Span) -> Option<Diagnostic> {
        let output = ArgumentSource::ToolOutput.as_str();
        if source != ArgumentSource::ToolOutput {
            let kind = source.as_str();
            let message = format!("`{kind}` is of no tool, so `{tool}` says nothing here");
            let report = Diagnostic::error(BAD_TEST, span, message);
            return Some(
                report
                    .help(format!(
                        "write `{kind}`, or `\"{output}:NAME\"` for what a tool returned"
                    ))
                    .edit(span, kind),
            );
        }
        if self.tools.iter().any(|known| known.name == tool) {
            return None;
        }
        let message = format!("no tool is called `{tool}`, so nothing comes from it");
        let report = Diagnostic::error(BAD_TEST, span, message)
            .why("the gate would take it for the result of any tool, and the labels of another origin would be tested");
        let known = self.tools.iter().map(|known| known.name.as_str());
        Some(match suggest::nearest(tool, known) {
            Some(near) => report
                .help(format!("did you mean `{near}`?"))
                .edit(span, quote::string(&format!("{output}:{near}"))),
            None => report.help(format!(
                "name a tool that the policy declares, or write `{output}` for the result of any"
            )),
        })
    }
}

/// The report for a word that is no kind of source.
fn unknown_kind(kind: &str, tool: Option<&str>, span: Span) -> Diagnostic {
    let message = format!("no kind of source is called `{kind}`");
    let report = Diagnostic::error(BAD_TEST, span, message);
    let Some(near) = suggest::nearest(kind, ArgumentSource::ALL.map(ArgumentSource::as_str)) else {
        return report.help("the kinds are user, tool_output, external and system");
    };
    let mended = match tool {
        Some(tool) => quote::string(&format!("{near}:{tool}")),
        None => near.to_owned(),
    };
    report.help(format!("did you mean `{near}`?")).edit(span, mended)
}
