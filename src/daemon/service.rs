//! What every request is answered with: the bundle that decides, keys, store, log of traces. In: read requests. Out: documents.
//! It blocks, so it runs on threads of its own; one decision sees one bundle. It must not know sockets or HTTP.

use super::otlp::Seen;
use super::request::{self, Asked};
use super::telemetry::{Collector, Telemetry};
use crate::approvals::desk::{AnswerError, ApprovalDesk};
use crate::approvals::inbox::Place;
use crate::approvals::{self, Handed};
use crate::artifact::{
    Approvers, Bundle, Digest, PolicyRef, SigningKey, TraceRecord, TrustedKeys, Verified, bundle, digest,
};
use crate::attestation::Statements;
use crate::boundary::{
    Attested, Boundary, Call, Clock, Delegated, Desk, KillSwitchFile, Moment, OpenError, Secrets, Traces,
    Written, answer,
};
use crate::bundling::{Succession, SuccessionError, succession};
use crate::delegation::Chain;
use crate::host::{self, Host, HostError, Os};
use crate::http::{Metrics, Refusal};
use crate::json::Json;
use crate::kill_switch::{self, Consulted};
use crate::limits;
use crate::store::{self, Store};
use crate::trace_log::TraceLog;
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::time::Instant;

/// Files and keys that stay the same while the daemon runs.
pub struct Places {
    /// The bundle's file, which is read again when it is reloaded.
    pub bundle: PathBuf,
    /// Whose bundles and traces are trusted.
    pub trusted: TrustedKeys,
    /// The key that signs traces.
    pub key: SigningKey,
    /// What gates share.
    pub store: Box<dyn Store>,
    /// The folder of journals.
    pub sessions: PathBuf,
    /// The kill switch, and who may have signed it.
    pub kill_switch: Option<(PathBuf, TrustedKeys)>,
    /// Who may approve, what waits for them, and their answers.
    pub approvals: Option<ApprovalDesk>,
    /// The trust file that says whose keys may delegate.
    pub delegators: Option<PathBuf>,
    /// The trust file that says whose keys may attest.
    pub attestors: Option<PathBuf>,
    /// How long a call that is allowed may wait to run, in milliseconds.
    pub permit_for: i64,
    /// What becomes of secrets in what is kept.
    pub secrets: Secrets,
    /// Whether a bundle may loosen the one before it.
    pub succession: MayLoosen,
    /// Who is told of decisions.
    pub collector: Option<Collector>,
}

/// Whether a bundle that is loaded may loosen the one that decided before it.
#[derive(Debug)]
pub enum MayLoosen {
    /// It may.
    Yes,
    /// Only where one of these keys has signed it beside a trusted one.
    Cosigned(TrustedKeys),
}

/// A bundle that decides.
struct Deciding {
    bundle: Verified<Bundle>,
    boundary: Boundary,
}

/// The service.
pub struct Service {
    places: Places,
    deciding: RwLock<Arc<Deciding>>,
    /// Held while a bundle is loaded: they are loaded one after the other.
    loading: Mutex<()>,
    log: TraceLog,
    /// Tells the events of this process from those of every other.
    nonce: String,
    calls: AtomicU64,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    telemetry: Option<Telemetry>,
}

/// Why a bundle does not decide from now on.
#[derive(Debug, thiserror::Error)]
pub enum ReloadError {
    /// Its file cannot be read.
    #[error(transparent)]
    Host(#[from] HostError),
    /// It is none that could.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl ReloadError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ReloadError::Host(error) => error.code(),
            ReloadError::Open(error) => error.code(),
        }
    }
}

/// What a reload did.
pub struct Reloaded {
    /// The bundle that decided before.
    pub before: Digest,
    /// The bundle that decides now.
    pub after: Digest,
}

impl Service {
    /// A service that decides by a bundle that was opened.
    pub fn new(
        places: Places,
        bundle: Verified<Bundle>,
        boundary: Boundary,
        log: TraceLog,
    ) -> Result<Service, HostError> {
        let metrics: Arc<Metrics> = Arc::default();
        let collector = places.collector.clone();
        let telemetry = collector.map(|collector| Telemetry::start(collector, Arc::clone(&metrics)));
        Ok(Service {
            deciding: RwLock::new(Arc::new(Deciding { bundle, boundary })),
            loading: Mutex::new(()),
            log,
            nonce: host::nonce(&Os)?,
            calls: AtomicU64::new(0),
            metrics,
            telemetry: telemetry.transpose()?,
            places,
        })
    }

    fn deciding(&self) -> Arc<Deciding> {
        Arc::clone(&self.deciding.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The store.
    pub(super) fn store(&self) -> &dyn Store {
        self.places.store.as_ref()
    }

    /// The key that signs.
    pub(super) fn key(&self) -> &SigningKey {
        &self.places.key
    }

    /// Whose traces are trusted.
    pub(super) fn trusted(&self) -> &TrustedKeys {
        &self.places.trusted
    }

    /// What the kill switch says now; none where there is none.
    pub(super) fn stops(&self, record: &TraceRecord, now: Timestamp) -> Option<Consulted> {
        let (path, operators) = self.places.kill_switch.as_ref()?;
        let machine: (&dyn Host, &dyn Store) = (&Os, self.store());
        Some(kill_switch::consult(
            machine,
            path,
            operators,
            now,
            record.policy.profile,
        ))
    }

    /// What judges now.
    pub(super) fn boundary(&self) -> Boundary {
        self.deciding().boundary.clone()
    }

    /// The bundle that decides, and its policy.
    pub fn bundle(&self) -> (Digest, PolicyRef) {
        let deciding = self.deciding();
        (deciding.boundary.bundle(), deciding.boundary.policy().clone())
    }

    /// Judges the call of a request, which stands in a distributed trace where it says so. What is answered is said only when its
    /// trace is on disk.
    pub fn decide(&self, body: &[u8], traceparent: Option<String>) -> Result<Json, Refusal> {
        let begun = Instant::now();
        let asked = request::read(body)?;
        let now = Os.now();
        self.places
            .trusted
            .accepts(self.places.key.id(), now)
            .map_err(|error| {
                Refusal::new(503, error.code(), error.to_string())
                    .hint("nobody would accept what this key signs; start the daemon with another one")
            })?;
        // A reload changes what later calls see, and nothing of this one.
        let boundary = self.boundary();
        let mut handed = self.handed(&asked.approvals, now)?;
        let desk = self.places.approvals.as_ref();
        let desk = desk.map(|desk| (desk, digest::of_json(&asked.intent.covered())));
        if let Some((desk, call)) = desk {
            handed.extend(desk.answers(&Os, call, boundary.bundle(), !handed.is_empty()));
            handed = approvals::distinct(handed);
        }
        let journal = asked
            .session
            .as_ref()
            .map(|id| self.places.sessions.join(format!("{id}.jsonl")));
        let delegation = self.delegation(&asked.delegation, now)?;
        let attested = self.attested(&asked.attestations, now)?;
        let written = self.judge(
            boundary,
            asked,
            (handed, delegation, attested),
            traceparent,
            journal.as_deref(),
        )?;
        if let Some((desk, call)) = desk {
            let recorded = &written.recorded;
            let place = Place {
                file: written.place.file.clone(),
                line: written.place.line,
            };
            desk.note(call, &recorded.record, &recorded.intent, place);
        }
        let place = [
            ("trace_file", Json::str(written.place.file.to_string_lossy())),
            (
                "trace_line",
                written
                    .place
                    .line
                    .and_then(|line| i64::try_from(line).ok())
                    .map_or(Json::Null, Json::int),
            ),
        ];
        let document = Json::object(answer(&written.recorded, place));
        let (record, took) = (&written.recorded.record, begun.elapsed());
        self.metrics.decided(record, took);
        if let Some(telemetry) = &self.telemetry {
            telemetry.tell(Seen::of(record, now, took));
        }
        Ok(document)
    }

    fn judge(
        &self,
        mut boundary: Boundary,
        asked: Asked,
        (handed, delegation, attested): (Vec<Handed>, Option<Delegated>, Option<Attested>),
        traceparent: Option<String>,
        journal: Option<&Path>,
    ) -> Result<Written, Refusal> {
        let places = &self.places;
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        let moment = Moment {
            run_id: asked.run.or_else(|| asked.session.clone()),
            session_id: asked.session,
            correlation_id: asked.correlation_id,
            traceparent,
            facts: asked.facts,
            fulfils: asked.fulfils,
            handed,
            delegation,
            attested,
            permit_for: Some(places.permit_for),
            keeps_intent: asked.keep_intent,
            secrets: places.secrets,
            event: Some(format!("{}/{number}", self.nonce)),
            ..Moment::default()
        };
        let kill_switch = places.kill_switch.as_ref();
        let desk = Desk {
            host: &Os,
            store: places.store.as_ref(),
            key: &places.key,
            traces: &self.log,
            kill_switch: kill_switch.map(|(path, operators)| KillSwitchFile { path, operators }),
        };
        let call = Call {
            intent: &asked.intent,
            moment: &moment,
            clock: Clock::Machine,
            journal,
        };
        Ok(boundary.judge_written(desk, call)?)
    }

    /// The approvals of a request. Who may give them is read each time: a key that is revoked counts no more.
    fn handed(&self, envelopes: &[Vec<u8>], now: Timestamp) -> Result<Vec<Handed>, Refusal> {
        if envelopes.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.approvals()?.known(&Os).map_err(AnswerError::from)?;
        let mut all = Vec::new();
        for envelope in envelopes {
            all.push(approvals::verify(envelope, &known, now, now)?);
        }
        Ok(approvals::distinct(all))
    }

    /// The chain of the links of a request. Who may delegate is read each time: a key that is revoked delegates no more.
    fn delegation(&self, links: &[Vec<u8>], now: Timestamp) -> Result<Option<Delegated>, Refusal> {
        if links.is_empty() {
            return Ok(None);
        }
        let file = self.places.delegators.as_deref().ok_or_else(|| {
            let message =
                "links of a delegation are handed over, and the daemon knows nobody who may delegate";
            Refusal::new(400, "request.no_delegators", message).hint("start it with --delegators FILE")
        })?;
        Ok(Some(Chain::of(links, &known(file)?, now, now).into()))
    }

    /// The statements of a request. Who may attest is read each time, too.
    fn attested(&self, statements: &[Vec<u8>], now: Timestamp) -> Result<Option<Attested>, Refusal> {
        if statements.is_empty() {
            return Ok(None);
        }
        let file = self.places.attestors.as_deref().ok_or_else(|| {
            let message = "attestations are handed over, and the daemon knows nobody who may attest";
            Refusal::new(400, "request.no_attestors", message).hint("start it with --attestors FILE")
        })?;
        Ok(Some(Statements::of(statements, &known(file)?, now, now).into()))
    }

    /// Who may approve, and what waits for them.
    pub(super) fn approvals(&self) -> Result<&ApprovalDesk, Refusal> {
        self.places.approvals.as_ref().ok_or_else(|| {
            let message = "the daemon knows nobody who may approve";
            Refusal::new(400, "request.no_approvers", message).hint("start it with --approvers FILE")
        })
    }

    /// Takes what a person has signed for a call that waits.
    pub fn answered(&self, body: &[u8]) -> Result<Json, Refusal> {
        let told = self.approvals()?.take(&Os, body)?;
        self.metrics.answered(&told);
        Ok(told)
    }

    /// How many calls wait for people; none where nobody may answer them.
    pub fn waiting(&self) -> Option<usize> {
        Some(self.places.approvals.as_ref()?.count(&Os))
    }

    /// Says from now on what goes wrong beside the calls.
    pub fn tell_troubles(&self, tell: impl Fn(&HostError) + Send + 'static) {
        self.log.tell_troubles(tell);
    }

    /// Whether calls can be decided now.
    pub fn ready(&self) -> Result<(), Refusal> {
        let now = Os.now();
        let key = self.places.trusted.accepts(self.places.key.id(), now);
        key.map_err(|error| Refusal::new(503, error.code(), error.to_string()))?;
        self.log.ready()?;
        store::read(self.places.store.as_ref(), [])?;
        Ok(())
    }

    /// A trace that was written not long ago.
    pub fn trace(&self, trace_id: &str) -> Result<Vec<u8>, Refusal> {
        self.log.find(trace_id)?.ok_or_else(|| {
            let message = "no trace of this id was written lately";
            Refusal::new(404, "trace.not_found", message)
                .hint("every answer names the file and the line of its trace")
        })
    }

    /// Reads the bundle again; where it may follow the one that decides, it decides from now on.
    pub fn reload(&self) -> Result<Reloaded, ReloadError> {
        let _one = self.loading.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.deciding();
        let loaded = self.load(&before.bundle);
        self.metrics.reloaded(loaded.is_ok());
        let after = Arc::new(loaded?);
        let reloaded = Reloaded {
            before: before.boundary.bundle(),
            after: after.boundary.bundle(),
        };
        *self.deciding.write().unwrap_or_else(PoisonError::into_inner) = after;
        Ok(reloaded)
    }

    fn load(&self, before: &Verified<Bundle>) -> Result<Deciding, ReloadError> {
        let places = &self.places;
        let bytes = Os.read(&places.bundle, limits::ARCHIVE_BYTES as u64)?;
        let now = Os.now();
        let opened = match &places.succession {
            MayLoosen::Yes => bundle::open(&bytes, &places.trusted, now),
            MayLoosen::Cosigned(cosigners) => succession::open(&bytes, &places.trusted, cosigners, now),
        };
        let bundle = opened.map_err(OpenError::from)?;
        let refused = |error: SuccessionError| OpenError::from(error);
        match &places.succession {
            MayLoosen::Yes => succession::in_line(before.value(), bundle.value()).map_err(refused)?,
            MayLoosen::Cosigned(cosigners) => {
                let succession = Succession {
                    predecessor: before.clone(),
                    cosigners: cosigners.clone(),
                };
                succession::follows(&bundle, &places.trusted, &succession).map_err(refused)?;
            }
        }
        let boundary = Boundary::of(bundle.clone(), &places.trusted)?;
        Ok(Deciding { bundle, boundary })
    }

    /// Writes what waits to be written, and tells of it.
    pub fn close(&self) {
        self.log.close();
        if let Some(telemetry) = &self.telemetry {
            telemetry.close();
        }
    }
}

/// The keys of a trust file, as it is now.
fn known(file: &Path) -> Result<Approvers, Refusal> {
    approvals::read(&Os, file).map_err(|error| Refusal::new(503, "trust.unreadable", error.to_string()))
}
