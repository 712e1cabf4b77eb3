//! The gate as the gateway asks it: an intent in, a verdict out once its trace is on disk, and words for whoever asked. A call that
//! waits for people is asked with their approvals when it is made again.

use super::call::Caller;
use crate::approvals::{self, Handed};
use crate::artifact::tool_lock::Tools;
use crate::artifact::{Digest, SigningKey, TrustedKeys, digest};
use crate::boundary::{Boundary, Call, Clock, Desk, KillSwitchFile, Moment, TraceFiles, WriteError, Written};
use crate::domain::{Intent, Verdict};
use crate::host::{Host, Os};
use crate::json::Json;
use crate::limits;
use crate::store::Store;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What calls are judged with.
pub struct Setup {
    /// The bundle that decides.
    pub boundary: Boundary,
    /// The key that signs traces.
    pub key: SigningKey,
    /// What gates share.
    pub store: Box<dyn Store>,
    /// Where traces go: a folder.
    pub traces: PathBuf,
    /// The session of all calls, and its journal.
    pub session: Option<(String, PathBuf)>,
    /// The kill switch, and who may have signed it.
    pub kill_switch: Option<(PathBuf, TrustedKeys)>,
    /// The trust file that says whose keys may approve, and the folder of approvals.
    pub approvals: Option<(PathBuf, PathBuf)>,
    /// What the host knows of the calls.
    pub facts: Option<Json>,
    /// What the runtime fulfils of what decisions oblige to.
    pub fulfils: Vec<String>,
    /// Who asks.
    pub caller: Caller,
    /// Whether tools are listed that no call could be allowed of.
    pub shows_all: bool,
    /// What the tools must be; none where they are not pinned.
    pub pins: Option<Tools>,
}

/// The gate of one connection.
pub struct Gatekeeper {
    setup: Setup,
    /// Calls that wait for people, by the digest of the intent.
    waiting: BTreeSet<Digest>,
}

impl Gatekeeper {
    /// With nothing waiting.
    pub fn new(setup: Setup) -> Gatekeeper {
        Gatekeeper {
            setup,
            waiting: BTreeSet::new(),
        }
    }

    /// What it judges with.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Judges a call and keeps its trace. An error means that there is no verdict, and the call must not run.
    pub fn judge(&mut self, intent: &Intent, traceparent: Option<String>) -> Result<Written, WriteError> {
        let name = || digest::of_json(&intent.covered());
        let handed = match !self.waiting.is_empty() && self.waiting.contains(&name()) {
            true => self.handed(),
            false => Vec::new(),
        };
        let setup = &mut self.setup;
        let session = setup.session.as_ref();
        let moment = Moment {
            session_id: session.map(|(id, _)| id.clone()),
            run_id: session.map(|(id, _)| id.clone()),
            traceparent,
            facts: setup.facts.clone(),
            fulfils: setup.fulfils.clone(),
            handed,
            // Whoever approves sees what the trace keeps.
            keeps_intent: true,
            ..Moment::default()
        };
        let traces = TraceFiles::new(&Os, &setup.traces.join(""));
        let kill_switch = setup.kill_switch.as_ref();
        let desk = Desk {
            host: &Os,
            store: setup.store.as_ref(),
            key: &setup.key,
            traces: &traces,
            kill_switch: kill_switch.map(|(path, operators)| KillSwitchFile { path, operators }),
        };
        let call = Call {
            intent,
            moment: &moment,
            clock: Clock::Machine,
            journal: session.map(|(_, journal)| journal.as_path()),
        };
        let written = setup.boundary.judge_written(desk, call)?;
        match written.recorded.record.decision.verdict {
            Verdict::RequireApproval if self.waiting.len() < limits::MCP_WAITING => {
                self.waiting.insert(name());
            }
            _ if self.waiting.is_empty() => {}
            _ => {
                self.waiting.remove(&name());
            }
        }
        Ok(written)
    }

    /// The approvals in the folder that a known key has signed. Which of them are for the call is found out when it is judged.
    fn handed(&self) -> Vec<Handed> {
        let Some((trust, folder)) = &self.setup.approvals else {
            return Vec::new();
        };
        let (Ok(known), Ok(names)) = (approvals::read(&Os, trust), Os.list_dir(folder)) else {
            return Vec::new();
        };
        let now = Os.now();
        let one = |name: &String| {
            let bytes = Os.read(&folder.join(name), limits::ENVELOPE_BYTES as u64).ok()?;
            approvals::verify(&bytes, &known, now, now).ok()
        };
        let mut all: Vec<Handed> = names
            .iter()
            .filter(|name| name.ends_with(".json"))
            .filter_map(one)
            .collect();
        let bundle = self.setup.boundary.bundle();
        all.retain(|one| one.flaw.is_none() && one.subject.bundle_digest == bundle);
        // The last ones that were given, where there are too many.
        all.sort_by_key(|one| std::cmp::Reverse(one.approval.given_at));
        all.truncate(limits::HANDED_APPROVALS);
        approvals::distinct(all)
    }
}

/// What whoever asked is told of a call that must not run: why, what would help, and where the trace is.
pub fn refusal(written: &Written) -> String {
    let record = &written.recorded.record;
    let decision = &record.decision;
    let codes = decision.reason_codes.join(", ");
    let mut lines = vec![match decision.verdict {
        Verdict::RequireApproval => format!("Not run: the call waits for an approval ({codes})."),
        Verdict::DryRun => format!("Not run: the call may only be rehearsed ({codes})."),
        Verdict::Allow | Verdict::Block => format!("Not run: the policy blocks the call ({codes})."),
    }];
    lines.extend(decision.detail.clone());
    lines.extend(decision.matched.iter().filter_map(|rule| rule.hint.clone()));
    let file = written.place.file.display();
    if decision.verdict == Verdict::RequireApproval {
        lines.push(format!(
            "A person approves it with `gait approve {file} --key KEY`; then make the same call again."
        ));
    }
    lines.push(format!("Trace {}.", record.trace_id));
    lines.join("\n")
}
