//! A changed call as it would have to be said: arguments, what the caller says beside them, what the host knows. In: a changed
//! record. Out: JSON that the gate binds to it.

use super::super::Subject;
use crate::builtins::bind;
use crate::domain::Request;
use crate::json::Json;
use crate::value::Value;

/// A changed call as the gate was told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The arguments.
    pub args: Json,
    /// The intent, for what the caller says beside them.
    pub intent: Json,
    /// What the host knows.
    pub facts: Json,
}

/// What would have to be said for the gate to bind this record.
pub(super) fn said(subject: &Subject<'_>, request: &Request<'_>, record: &Value) -> Option<Said> {
    let tool = subject.package.tools.get(subject.tool)?;
    let Value::Record(values) = record else {
        return None;
    };
    let mut args = bind::record_to_json(values, &tool.args);
    if let Json::Object(members) = &mut args {
        // What an open tool takes beyond its declared arguments stays.
        let rest = request.args.as_object().unwrap_or_default().iter();
        members.extend(
            rest.filter(|(name, _)| tool.args.iter().all(|f| f.name != *name))
                .cloned(),
        );
    }
    let mut said = Said {
        args,
        intent: request.intent.clone(),
        facts: request.all_facts().into_owned(),
    };
    let Some(Value::Record(context)) = values.get(tool.args.len()) else {
        return Some(said);
    };
    for (field, value) in subject.package.context.iter().zip(context) {
        let json = (*value != Value::Absent).then(|| bind::to_json(value, &field.field.ty));
        match &field.from {
            None if json.is_some() || said.facts.get(&field.field.name).is_some() => {
                set(&mut said.facts, std::slice::from_ref(&field.field.name), json);
            }
            Some(path)
                if json.is_some()
                    || path
                        .iter()
                        .try_fold(&said.intent, |at, step| at.get(step))
                        .is_some() =>
            {
                set(&mut said.intent, path, json);
            }
            _ => {}
        }
    }
    Some(said)
}

/// Sets or removes a member some steps down, making objects on the way.
fn set(at: &mut Json, path: &[String], value: Option<Json>) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if at.as_object().is_none() {
        *at = Json::Object(Vec::new());
    }
    let Json::Object(members) = at else { return };
    let found = members.iter().position(|(name, _)| name == first);
    match (found, rest, value) {
        (Some(at), [], None) => {
            members.remove(at);
        }
        (None, _, None) => {}
        (Some(at), [], Some(value)) => {
            if let Some((_, member)) = members.get_mut(at) {
                *member = value;
            }
        }
        (None, [], Some(value)) => members.push((first.into(), value)),
        (Some(at), rest, value) => {
            if let Some((_, member)) = members.get_mut(at) {
                set(member, rest, value);
            }
        }
        (None, rest, value) => {
            let mut inner = Json::Object(Vec::new());
            set(&mut inner, rest, value);
            members.push((first.into(), inner));
        }
    }
}
