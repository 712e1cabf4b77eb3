//! The approvals that are handed over with a call, weighed: which are for it at all, and what became of each. In: a gate,
//! the call as it would be decided without any. Out: approvals for the gate, and words for people. Which are enough is
//! the gate's to say.

use super::{Secrets, call_digests, kept};
use crate::approvals::{About, Answer, Handed};
use crate::artifact::{Digest, KeyId, Subject, digest};
use crate::delegation::Chain;
use crate::domain::approval::Standing;
use crate::domain::{Approval, Decision, Intent, Request, Verdict};
use crate::eval::Workspace;
use crate::gate::Gate;

/// What became of an approval that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandedOver {
    /// Its name.
    pub digest: Digest,
    /// The key that signed it.
    pub key: KeyId,
    /// Whose key that is.
    pub by: String,
    /// Whether it counted, or why not.
    pub standing: Standing,
}

/// The approvals of a call.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// Those that the gate is given.
    pub approvals: Vec<Approval>,
    /// Those that nobody weighs, since a trace says that they counted.
    pub believed: Vec<Digest>,
    /// All that were handed over.
    pub handed: Vec<HandedOver>,
    /// Those of the delegation's own people, which never count, whose else the trust file says they are.
    pub barred: Vec<Digest>,
    /// Why the call is denied, and the denials; none where nobody denies it.
    pub denied: Option<(String, Vec<Digest>)>,
}

impl Weighed {
    /// Weighs approvals by the call as it is decided without any.
    pub(super) fn of(
        gate: &Gate,
        workspace: &mut Workspace,
        (bundle, chain, secrets): (Digest, Option<&Chain>, Secrets),
        (intent, request): (&Intent, &Request<'_>),
        handed: &[Handed],
    ) -> Weighed {
        let mut weighed = Weighed::default();
        if handed.is_empty() {
            return weighed;
        }
        let alone = gate.decide(request, workspace);
        let call_digests: Option<Vec<Digest>> = call_digests(intent, None, &alone).into_iter().collect();
        let covered = intent.covered();
        let kept = kept::of(gate, &covered, &alone.decision, secrets);
        // What is hidden beside the arguments is in no digest: another caller would be the same one.
        let call_digests = call_digests.filter(|_| kept.hides_arguments_alone());
        let subject = call_digests.map(|call_digests| Subject {
            bundle_digest: bundle,
            intent_digest: digest::of_json(&kept.document),
            call_digests,
        });
        let flaw = |one: &Handed| {
            // What is not used up needs no store.
            let own = one
                .flaw
                .filter(|flaw| one.is_used_up() || *flaw != Standing::NoStore);
            own.or_else(|| flaw(one, intent, subject.as_ref(), request.now))
        };
        let waits = alone.decision.verdict == Verdict::RequireApproval;
        let denials: Vec<&Handed> = handed
            .iter()
            .filter(|one| waits && one.answer.denies().is_some() && flaw(one).is_none())
            .collect();
        weighed.denied = denials.first().map(|first| {
            let why = first.answer.denies().unwrap_or_default();
            let detail = format!("{} has denied the call: {why}", first.by);
            (detail, denials.iter().map(|one| one.digest).collect())
        });
        for one in handed {
            let standing = match (flaw(one), &one.answer) {
                (Some(flaw), _) => flaw,
                // Whoever a call is made for does not approve it, by whatever name the trust file knows the key.
                (None, Answer::Approves(_)) if chain.is_some_and(|chain| chain.has(&one.by, &one.keys)) => {
                    weighed.barred.push(one.digest);
                    Standing::Chain
                }
                (None, Answer::Denies { .. }) if waits => Standing::Denies,
                (None, Answer::Denies { .. }) => Standing::NotAsked,
                (None, Answer::Approves(_)) if weighed.denied.is_some() => Standing::Denied,
                (None, Answer::Approves(approval)) => {
                    weighed.approvals.push(approval.clone());
                    gate.standing(request, &alone.decision.approvals, approval)
                }
            };
            weighed.handed.push(HandedOver {
                digest: one.digest,
                key: one.key,
                by: one.by.clone(),
                standing,
            });
        }
        weighed
    }

    /// Marks and names the approvals that let the call run: every one, for this call and in its time, of the people the
    /// decision names. One of them may have given more than was needed; those are used up, too.
    pub(super) fn count(&mut self, decision: &Decision) -> Vec<Digest> {
        let mut counted = Vec::new();
        if !decision.approved_by.is_empty() {
            counted.clone_from(&self.believed);
        }
        for one in &mut self.handed {
            let is_given = is_open(one.standing) && !self.barred.contains(&one.digest);
            if is_given && decision.approved_by.contains(&one.by) {
                one.standing = Standing::Counted;
                counted.push(one.digest);
            }
        }
        counted.sort();
        counted
    }
}

/// Whether the gate was given it.
fn is_open(standing: Standing) -> bool {
    use Standing::{Chain, Counted, NotAsked, NotEnough, NotFrom, Requester};
    matches!(
        standing,
        Counted | NotEnough | NotAsked | NotFrom | Requester | Chain
    )
}

/// Why an approval is not for this call, or not good at this time.
fn flaw(one: &Handed, intent: &Intent, subject: Option<&Subject>, now: Option<i128>) -> Option<Standing> {
    let Some(subject) = subject else {
        return Some(Standing::OtherCall);
    };
    if one.about.bundle() != subject.bundle_digest {
        return Some(Standing::OtherBundle);
    }
    let is_of = match &one.about {
        About::Call(_) => one.about.is_of(subject),
        About::Script { steps, .. } => {
            let mut each = steps.iter().zip(&intent.steps);
            steps.len() == intent.steps.len() && each.all(|(shape, step)| shape.fits(&step.tool, &step.args))
        }
    };
    if !is_of {
        return Some(Standing::OtherCall);
    }
    match now {
        Some(now) if now < one.answer.given_at() => Some(Standing::Early),
        Some(now) if one.answer.expires_at().is_some_and(|end| now >= end) => Some(Standing::Late),
        Some(_) => None,
        None => Some(Standing::Late),
    }
}
