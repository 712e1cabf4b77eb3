//! What was handed over to vouch for facts of a call: whether the policy takes its word, and the facts that come of it. In: statements,
//! an intent, facts. Out: facts, or why the call is blocked. No fact that is to be attested comes from anywhere else.

use super::delegated::said;
use super::{Moment, request};
use crate::artifact::{StatementRef, time};
use crate::attestation::{Statement, StatementError, Statements, is_good};
use crate::builtins::{bind, duration, person::person};
use crate::diag::suggest;
use crate::domain::{ArgumentOrigin, Intent, Request};
use crate::gate::Gate;
use crate::gate::approval::Asking;
use crate::ir::ContextField;
use crate::json::{Json, Text};
use crate::limits;
use jiff::{SignedDuration, Timestamp};

/// What was handed over to vouch for facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attested {
    /// Statements.
    Statements(Statements),
    /// Statements that are none, or whose word is not taken, and why.
    Refused(String),
    /// What a trace says of them, which nobody weighs again.
    Believed {
        /// The statements.
        named: Vec<StatementRef>,
        /// Why the call is blocked by them.
        refused: Option<String>,
    },
}

impl From<Result<Statements, StatementError>> for Attested {
    /// Statements that are none block a call, and its trace says why.
    fn from(found: Result<Statements, StatementError>) -> Self {
        match found {
            Ok(statements) => Attested::Statements(statements),
            Err(error) => Attested::Refused(error.to_string()),
        }
    }
}

impl Attested {
    /// The statements that count.
    pub(super) fn refs(&self) -> Vec<StatementRef> {
        match self {
            Attested::Statements(statements) => statements.refs(),
            Attested::Refused(_) => Vec::new(),
            Attested::Believed { named, .. } => named.clone(),
        }
    }

    /// Why the call is blocked; none where it is not.
    pub(super) fn refusal(&self) -> Option<String> {
        match self {
            Attested::Statements(_) => None,
            Attested::Refused(why) => Some(why.clone()),
            Attested::Believed { refused, .. } => refused.clone(),
        }
    }

    /// When the first of them is over or too old, where it is known: no permit outlives it.
    pub(super) fn ends_at(&self, gate: &Gate) -> Option<Timestamp> {
        let Attested::Statements(statements) = self else {
            return None;
        };
        let all = statements.all().iter();
        all.flat_map(|one| [Some(one.said.expires_at), too_old_at(gate, one)])
            .flatten()
            .min()
    }
}

/// The declaration of a fact that somebody is to vouch for.
fn declared<'g>(gate: &'g Gate, kind: &str) -> Option<&'g ContextField> {
    let mut fields = gate.program().context.iter();
    fields.find(|field| field.attested.is_some() && field.field.name == kind)
}

/// Whether somebody is to vouch for a fact of this name.
pub(super) fn is_attested(gate: &Gate, name: &str) -> bool {
    declared(gate, name).is_some()
}

/// From when on a statement is older than the policy takes it.
fn too_old_at(gate: &Gate, one: &Statement) -> Option<Timestamp> {
    let within = declared(gate, &one.said.kind)?.attested.as_ref()?.within;
    let within = SignedDuration::from_millis(i64::try_from(within).ok()?);
    one.said.issued_at.checked_add(within).ok()
}

/// Whether a moment has, or should have, facts that somebody vouches for.
pub(super) fn concerns(gate: &Gate, moment: &Moment) -> bool {
    let members = moment
        .facts
        .as_ref()
        .and_then(Json::as_object)
        .unwrap_or_default();
    moment.attested.is_some() || members.iter().any(|(name, _)| is_attested(gate, name))
}

/// Adds to a moment the facts that statements vouch for, and takes away those that nobody does.
pub(super) fn tell(gate: &Gate, intent: &Intent, moment: &mut Moment) {
    let is_said = |name: &str| moment.attested.as_ref().is_some_and(|one| one.vouches_for(name));
    let members = moment
        .facts
        .as_ref()
        .and_then(Json::as_object)
        .unwrap_or_default();
    let mut others = members.iter().filter(|(name, _)| is_attested(gate, name));
    if let Some((name, _)) = others.find(|(name, _)| !is_said(name)) {
        moment.attested = Some(Attested::Refused(of_host(gate, name)));
    }
    if let Some(Attested::Statements(statements)) = moment.attested.clone() {
        let bodies = statements.all().iter();
        let bodies = bodies.map(|one| (Text::from(one.said.kind.as_str()), one.said.body.clone()));
        let facts = members.iter().cloned().chain(bodies).collect();
        let with = Moment {
            facts: Some(Json::Object(facts)),
            ..moment.clone()
        };
        match holds(gate, intent, (&with, &statements)) {
            Ok(()) => *moment = with,
            Err(why) => moment.attested = Some(Attested::Refused(why)),
        }
    }
    if let (Some(Attested::Refused(_)), Some(Json::Object(members))) = (&moment.attested, &mut moment.facts) {
        members.retain(|(name, _)| !is_attested(gate, name));
    }
}

impl Attested {
    /// Whether it may be among the facts already: as a trace has them.
    fn vouches_for(&self, kind: &str) -> bool {
        match self {
            Attested::Believed { named, .. } => named.iter().any(|one| one.kind == kind),
            Attested::Statements(_) | Attested::Refused(_) => false,
        }
    }
}

/// The refusal of a fact that the host says in the place of somebody else.
fn of_host(gate: &Gate, name: &str) -> String {
    let attested = declared(gate, name).and_then(|field| field.attested.as_ref());
    let by = attested.map_or("", |attested| &attested.by.name);
    format!(
        "`{}` is attested by `{by}` and cannot be among the facts: hand over a statement of theirs as an attestation",
        shown(name)
    )
}

/// Errors unless the policy takes the word of every statement for this call.
fn holds(gate: &Gate, intent: &Intent, (moment, statements): (&Moment, &Statements)) -> Result<(), String> {
    let times = [time::cut(moment.now), statements.clock()];
    for one in statements.all() {
        is_taken(gate, one, times)?;
    }
    let origins = ArgumentOrigin::of_intent(&intent.document);
    let request = request(intent, moment, origins.as_deref());
    let asking = Asking::of(gate.program(), &request).requester;
    for one in statements.all() {
        is_about(gate, one, (intent, &request), &asking)?;
    }
    Ok(())
}

/// Errors unless the policy declares it, of its type, by whom it is, and not as old as it is.
fn is_taken(gate: &Gate, one: &Statement, times: [Timestamp; 2]) -> Result<(), String> {
    let kind = &one.said.kind;
    let field = declared(gate, kind).ok_or_else(|| undeclared(gate, kind))?;
    let kind = shown(kind);
    if let Some(attested) = &field.attested {
        let role = &attested.by;
        if !role.members.contains(&one.by) {
            let by = shown(&one.by);
            return Err(format!(
                "`{kind}` is attested by {by}, who is not in role `{}`",
                role.name
            ));
        }
        is_good(&one.said, times).map_err(|error| error.to_string())?;
        let is_old = |at: &Timestamp| too_old_at(gate, one).is_none_or(|end| *at >= end);
        if times.iter().any(is_old) {
            let within = duration::to_text(attested.within.into());
            let issued = time::print(one.said.issued_at);
            return Err(format!(
                "`{kind}` was attested at {issued}, and the policy takes it within {within}"
            ));
        }
    }
    match bind::bind(&one.said.body, &field.field.ty) {
        Ok(_) if one.said.body == Json::Null => Err(format!("`{kind}` is attested and says nothing")),
        Ok(_) => Ok(()),
        Err(error) => Err(format!("what is attested as `{kind}` is none: {error}")),
    }
}

/// The refusal of a kind that the policy has not.
fn undeclared(gate: &Gate, kind: &str) -> String {
    let known = gate
        .program()
        .context
        .iter()
        .filter(|field| field.attested.is_some());
    let known: Vec<&str> = known.map(|field| field.field.name.as_str()).collect();
    let near = suggest::nearest(kind, known.iter().copied());
    let near = near.map_or(String::new(), |near| format!(", but `{near}`"));
    format!("the policy has no `{}` attested{near}", shown(kind))
}

/// Errors unless a statement is about who asks, and about where and in what: all that it names.
fn is_about(
    gate: &Gate,
    one: &Statement,
    (intent, request): (&Intent, &Request<'_>),
    asking: &[String],
) -> Result<(), String> {
    let (kind, about) = (shown(&one.said.kind), &one.said.about);
    let is_other = |who: &&String| person(who) != person(&about.identity);
    let others = asking.iter().find(is_other).map(String::as_str);
    let stranger = Some(&*intent.identity).filter(|who| *who != about.identity);
    if let Some(who) = stranger.or(others) {
        let (who, whom) = (shown(who), shown(&about.identity));
        return Err(format!("`{kind}` is attested of {whom}, and {who} asks"));
    }
    let places = [
        ("session", &about.session, "session_id", request.session),
        ("run", &about.run, "run_id", request.run),
        ("workspace", &about.workspace, "workspace", None),
        ("environment", &about.environment, "environment", None),
    ];
    for (what, wanted, member, host) in places {
        let Some(wanted) = wanted else { continue };
        let (known, claimed) = said(gate, request, member);
        let mut all = known.iter().copied().chain(claimed).chain(host);
        if all.any(|found| found != wanted) {
            let wanted = shown(wanted);
            return Err(format!(
                "`{kind}` is attested for {what} {wanted}, and the call is for another one"
            ));
        }
        // What the caller says of it may refuse a call, and covers none.
        if known.is_empty() && host.is_none() {
            let wanted = shown(wanted);
            return Err(format!(
                "`{kind}` is attested for {what} {wanted}, and nobody who is trusted says which it is"
            ));
        }
    }
    Ok(())
}

/// A name from outside, as messages have it.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(limits::SHOWN_NAME_CHARS).collect();
    short.escape_debug().to_string()
}
