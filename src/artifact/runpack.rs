//! Runpacks: the traces of one run with their intents, in a signed, byte-stable archive. In: signed traces and
//! canonical intents, in any order. Out: bytes; back, a `Runpack` only after every part verified. The journal
//! is derived from the traces, so it is checked by deriving it again.

mod chain;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::archive::Entry;
use super::digest::Digest;
use super::envelope::{PayloadType, Signed, TrustedKeys, Verified};
use super::fields::{Fields, is_id, number};
use super::key::SigningKey;
use super::manifest::{self, Files, Manifest, Meta, check_digest};
use super::trace::TraceRecord;
use super::{BuildError, VerifyError, jcs, time};
use crate::json::{self, Json};

/// The schema of one line of the journal.
pub const JOURNAL_SCHEMA: &str = "gait.journal.entry/1";
const JOURNAL_NAME: &str = "journal.jsonl";

/// What goes into a runpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunpackContents {
    /// The run; every trace must name it.
    pub run_id: String,
    /// The run's signed traces, in any order.
    pub traces: Vec<Signed<TraceRecord>>,
    /// Trace id and intent (canonical JSON bytes), for the traces whose intents are kept.
    pub intents: Vec<(String, Vec<u8>)>,
    /// When it is packed; milliseconds are kept.
    pub created_at: Timestamp,
}

/// One trace of a runpack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunpackTrace {
    /// The trace, verified by itself.
    pub trace: Verified<TraceRecord>,
    /// The intent it decided, where it is kept.
    pub intent: Option<Json>,
}

/// A runpack that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runpack {
    /// The run.
    pub run_id: String,
    /// When it was packed.
    pub created_at: Timestamp,
    /// The bundles that decided, sorted.
    pub bundles: Vec<Digest>,
    /// The trace before the first one, when the run continues a chain.
    pub continues: Option<Digest>,
    /// The traces in the order of their chain.
    pub traces: Vec<RunpackTrace>,
}

/// The `meta` member of a runpack's manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunpackMeta {
    run_id: String,
    created_at: Timestamp,
    bundles: Vec<Digest>,
    continues: Option<Digest>,
    traces: u64,
    intents: u64,
}

/// Packs and signs a run. Every trace is verified first, at `created_at`; equal contents give equal bytes whatever
/// their order.
pub fn pack(
    contents: RunpackContents,
    trusted: &TrustedKeys,
    key: &SigningKey,
) -> Result<Vec<u8>, BuildError> {
    if !is_id(&contents.run_id) {
        return Err(BuildError::Invalid(format!(
            "`{}` is not a run id",
            contents.run_id.escape_debug()
        )));
    }
    let mut intents = BTreeMap::new();
    for (trace_id, intent) in contents.intents {
        if intents.insert(trace_id.clone(), intent).is_some() {
            return Err(BuildError::Duplicate(trace_id));
        }
    }
    let mut traces = Vec::new();
    for signed in contents.traces {
        let trace = signed.verify(trusted, contents.created_at)?;
        let intent = intents.remove(&trace.value().trace_id);
        let item = check_item(&contents.run_id, trace, intent.as_deref())?;
        traces.push((item, signed.into_bytes(), intent));
    }
    if let Some(trace_id) = intents.keys().next() {
        return Err(BuildError::Invalid(format!(
            "there is no trace for intent `{}`",
            trace_id.escape_debug()
        )));
    }
    let traces = chain::order(traces, |(item, _, _)| &item.trace)?;
    let items: Vec<&RunpackTrace> = traces.iter().map(|(item, _, _)| item).collect();
    let meta = meta(&contents.run_id, contents.created_at, &items);
    let mut entries = vec![Entry {
        name: JOURNAL_NAME.to_owned(),
        bytes: chain::journal(&items),
    }];
    for (index, (item, trace, intent)) in traces.into_iter().enumerate() {
        let trace_id = &item.trace.value().trace_id;
        entries.push(Entry {
            name: part("traces", index, trace_id),
            bytes: trace,
        });
        entries.extend(intent.map(|bytes| Entry {
            name: part("intents", index, trace_id),
            bytes,
        }));
    }
    manifest::pack(meta, entries, key)
}

/// Opens a runpack; the only way to a `Verified<Runpack>`. After the container itself:
///
/// 1. every trace by its own signature, of this run, no id twice
/// 2. every intent: canonical, of a trace, with the digest its trace states
/// 3. the chain: every `previous` is there, none twice; one may lie outside when it is that of the only start
/// 4. names, journal and meta data are those the traces make; nothing else is there
pub fn open(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Verified<Runpack>, VerifyError> {
    let (manifest, files) = manifest::unpack::<RunpackMeta>(bytes, trusted, now)?;
    manifest.try_map(|manifest| assemble(manifest, files, trusted, now))
}

fn assemble(
    manifest: Manifest<RunpackMeta>,
    mut files: Files,
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<Runpack, VerifyError> {
    let wrong = |reason: String| VerifyError::Contents {
        what: "runpack",
        reason,
    };
    let found = files
        .remove(JOURNAL_NAME)
        .ok_or_else(|| wrong(format!("`{JOURNAL_NAME}` is missing")))?;
    let names: Vec<String> = files
        .keys()
        .filter(|name| name.starts_with("traces/"))
        .cloned()
        .collect();
    let mut traces = Vec::new();
    for (index, name) in names.into_iter().enumerate() {
        // 1
        let bytes = files.remove(&name).unwrap_or_default();
        let trace = Signed::<TraceRecord>::from_bytes(bytes).verify(trusted, now)?;
        let trace_id = trace.value().trace_id.clone();
        if name != part("traces", index, &trace_id) {
            return Err(wrong(format!("`{name}` is not the place of trace `{trace_id}`")));
        }
        // 2
        let intent = files.remove(&part("intents", index, &trace_id));
        let item = check_item(&manifest.meta.run_id, trace, intent.as_deref())?;
        traces.push(item);
    }
    if let Some(name) = files.keys().next() {
        return Err(wrong(format!("`{name}` is no part of a runpack")));
    }
    // 3
    let given: Vec<Digest> = traces.iter().map(|item| item.trace.digest()).collect();
    let traces = chain::order(traces, |item| &item.trace)?;
    if traces.iter().map(|item| item.trace.digest()).ne(given) {
        return Err(wrong("the traces are not in the order of their chain".to_owned()));
    }
    // 4
    let items: Vec<&RunpackTrace> = traces.iter().collect();
    chain::check_journal(&found, &chain::journal(&items))?;
    let expected = meta(&manifest.meta.run_id, manifest.meta.created_at, &items);
    if manifest.meta != expected {
        return Err(wrong(
            "counts, bundles or chain start are not those of the traces".to_owned(),
        ));
    }
    let RunpackMeta {
        run_id,
        created_at,
        bundles,
        continues,
        ..
    } = expected;
    Ok(Runpack {
        run_id,
        created_at,
        bundles,
        continues,
        traces,
    })
}

/// Checks one trace against its run and its intent.
fn check_item(
    run_id: &str,
    trace: Verified<TraceRecord>,
    intent: Option<&[u8]>,
) -> Result<RunpackTrace, VerifyError> {
    let record = trace.value();
    if record.run_id.as_deref() != Some(run_id) {
        let trace_id = record.trace_id.clone();
        return Err(VerifyError::RunMismatch {
            trace_id,
            run_id: run_id.to_owned(),
        });
    }
    let intent = intent.map(|bytes| check_intent(record, bytes)).transpose()?;
    Ok(RunpackTrace { trace, intent })
}

fn check_intent(record: &TraceRecord, bytes: &[u8]) -> Result<Json, VerifyError> {
    let intent = json::parse(bytes).map_err(|error| VerifyError::NotJson {
        what: "intent",
        error,
    })?;
    if !jcs::is_canonical(&intent, bytes) {
        return Err(VerifyError::PayloadNotCanonical);
    }
    check_digest(
        &format!("intent of {}", record.trace_id),
        record.intent_digest,
        bytes,
    )?;
    Ok(intent)
}

fn part(folder: &str, index: usize, trace_id: &str) -> String {
    format!("{folder}/{:04}_{trace_id}.json", index + 1)
}

fn meta(run_id: &str, created_at: Timestamp, traces: &[&RunpackTrace]) -> RunpackMeta {
    let bundles: BTreeSet<Digest> = traces
        .iter()
        .map(|item| item.trace.value().bundle_digest)
        .collect();
    RunpackMeta {
        run_id: run_id.to_owned(),
        created_at,
        bundles: bundles.into_iter().collect(),
        continues: traces.first().and_then(|item| item.trace.value().previous),
        traces: traces.len() as u64,
        intents: traces.iter().filter(|item| item.intent.is_some()).count() as u64,
    }
}

impl Meta for RunpackMeta {
    const TYPE: PayloadType = PayloadType::RunpackManifest;
    const KIND: &'static str = "runpack";

    fn to_json(&self) -> Json {
        Json::object([
            ("run_id", Json::str(&self.run_id)),
            ("created_at", Json::str(time::print(self.created_at))),
            (
                "bundles",
                Json::Array(self.bundles.iter().map(Digest::to_json).collect()),
            ),
            (
                "continues",
                self.continues.map_or(Json::Null, |digest| digest.to_json()),
            ),
            ("traces", number(self.traces)),
            ("intents", number(self.intents)),
        ])
    }

    fn from_json(json: &Json) -> Result<Self, VerifyError> {
        let known = [
            "run_id",
            "created_at",
            "bundles",
            "continues",
            "traces",
            "intents",
        ];
        let fields = Fields::open("runpack manifest", json, &known)?;
        let bundles = fields.list("bundles", |json| {
            let digest = json.as_str().and_then(Digest::parse);
            digest.ok_or_else(|| fields.refuse("`bundles` holds something that is not a digest"))
        })?;
        Ok(RunpackMeta {
            run_id: fields.id("run_id")?,
            created_at: fields.instant("created_at")?,
            bundles,
            continues: fields.digest_or_null("continues")?,
            traces: fields.count("traces")?,
            intents: fields.count("intents")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::archive;
    use crate::artifact::digest::sha256;
    use crate::artifact::{PolicyRef, trace};
    use crate::domain::{Decision, Verdict};

    fn record(now: Timestamp) -> TraceRecord {
        TraceRecord {
            trace_id: "t".into(),
            created_at: now,
            producer_version: "0".into(),
            bundle_digest: sha256(b"b"),
            policy: PolicyRef {
                name: "p".into(),
                version: String::new(),
                profile: crate::domain::Profile::Standard,
            },
            intent_digest: sha256(b"{}"),
            args_digest: sha256(b"{}"),
            call_digest: None,
            tool: "x".into(),
            script: None,
            decision: Decision {
                labels: Vec::new(),
                verdict: Verdict::Block,
                reason_codes: vec!["c".into()],
                matched: vec![],
                targets: vec![],
                approvals: Vec::new(),
                approved_by: Vec::new(),
                limits: Vec::new(),
                obligations: Vec::new(),
                detail: None,
                steps: Vec::new(),
            },
            enforcement: crate::domain::Enforcement::Enforce,
            runs: false,
            correlation_id: None,
            traceparent: None,
            session_id: None,
            run_id: Some("r".into()),
            request_id: None,
            identity: None,
            intent: None,
            secrets: None,
            facts: None,
            fulfils: Vec::new(),
            approved_with: Vec::new(),
            delegated_with: Vec::new(),
            attested_with: Vec::new(),
            denied_with: Vec::new(),
            kill_switch: None,
            permit_until: None,
            state: None,
            previous: None,
        }
    }

    /// Even who holds a trusted key cannot sign a pack whose parts contradict each other.
    #[test]
    fn a_signed_pack_that_contradicts_its_traces_is_refused() {
        let key = SigningKey::from_seed(&[3; 32]);
        let trusted = TrustedKeys::new([key.verifying_key()]);
        let now = time::parse("2026-11-23T12:00:00.000Z").unwrap();
        let traces = vec![trace::sign(&record(now), &key).unwrap()];
        let intents = vec![("t".to_owned(), b"{}".to_vec())];
        let contents = RunpackContents {
            run_id: "r".into(),
            traces,
            intents,
            created_at: now,
        };
        let good = pack(contents, &trusted, &key).unwrap();
        let opened = open(&good, &trusted, now).unwrap().into_value();
        let forge = |change: fn(&mut RunpackMeta, &mut Vec<Entry>)| {
            let mut entries = archive::read(&good).unwrap();
            entries.retain(|entry| entry.name != manifest::MANIFEST_NAME);
            let mut meta = meta("r", now, &opened.traces.iter().collect::<Vec<_>>());
            change(&mut meta, &mut entries);
            let bytes = manifest::pack(meta, entries, &key).unwrap();
            open(&bytes, &trusted, now)
                .map(drop)
                .map_err(|error| error.code())
        };
        assert_eq!(forge(|_, _| ()), Ok(()));
        assert_eq!(forge(|meta, _| meta.traces = 2), Err("verify.contents"));
        assert_eq!(forge(|meta, _| meta.bundles.clear()), Err("verify.contents"));
        assert_eq!(
            forge(|meta, _| meta.run_id = "s".into()),
            Err("verify.run_mismatch")
        );
        assert_eq!(
            forge(|_, entries| entries[1].bytes.push(b'\n')),
            Err("verify.chain")
        );
        assert_eq!(
            forge(|_, entries| entries[0].bytes = b"[]".to_vec()),
            Err("verify.digest_mismatch")
        );
        assert_eq!(
            forge(|_, entries| entries[0].bytes = b"{ }".to_vec()),
            Err("verify.payload_not_canonical")
        );
        assert_eq!(
            forge(|_, entries| entries[2].name = "traces/0002_t.json".into()),
            Err("verify.contents")
        );
        assert_eq!(
            forge(|_, entries| drop(entries.remove(1))),
            Err("verify.contents")
        );
        let extra = forge(|_, entries| {
            entries.push(Entry {
                name: "zz".into(),
                bytes: vec![],
            })
        });
        assert_eq!(extra, Err("verify.contents"));
    }
}
