//! Where a case says its arguments come from: `from { to: user, body: "tool_output:web.fetch" }`. A list has a source for
//! each element and a record one for each field that something is said of: `from { to: [user, external] }`. In: what is
//! written, and the case's arguments. Out: what an adapter would say.

use super::Tool;
use super::suite::check_name;
use crate::diag::codes::{BAD_TEST, DUPLICATE_NAME};
use crate::diag::{Diagnostic, suggest};
use crate::domain::{ArgumentOrigin, ArgumentSource};
use crate::json::Json;
use crate::source::Span;
use crate::syntax::ast::{Literal, LiteralKind, Name};
use crate::ty::Ty;

/// The origins of a case.
pub(super) fn of_case(
    sources: Option<&[(Name, Literal)]>,
    args: &Json,
    tool: Option<&Tool>,
    out: &mut Vec<Diagnostic>,
) -> Option<Vec<ArgumentOrigin>> {
    let mut walk = Walk {
        at: Vec::new(),
        written: String::new(),
        origins: Vec::new(),
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
            let step = crate::syntax::quote::member_name(&name.text);
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
            Some((kind, from)) => (kind, Some(from.to_owned())),
            None => (written, None),
        };
        let Some(source) = ArgumentSource::ALL.into_iter().find(|s| s.as_str() == kind) else {
            let message = format!("no kind of source is called `{kind}`");
            let report = Diagnostic::error(BAD_TEST, span, message);
            let near = suggest::nearest(kind, ArgumentSource::ALL.map(ArgumentSource::as_str));
            self.out.push(match near {
                Some(near) => report.help(format!("did you mean `{near}`?")).edit(span, near),
                None => report.help("the kinds are user, tool_output, external and system"),
            });
            return;
        };
        // A value whose source is missing is one of which nothing is said.
        if source != ArgumentSource::Missing {
            self.origins.push(ArgumentOrigin {
                path: self.at.clone(),
                source,
                tool,
                digest: None,
            });
        }
    }
}
