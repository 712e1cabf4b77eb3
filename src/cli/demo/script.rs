//! The steps of the demo, on the same library functions as the commands. Each does one thing, checks that it came
//! out as it should, and says so in a line.

use crate::artifact::{SigningKey, TrustedKeys, runpack, trace};
use crate::boundary::{Boundary, Call, Clock, Desk, Moment, Recorded, TraceFiles, Written};
use crate::bundling;
use crate::cli::error::{Category, CliError};
use crate::cli::failure;
use crate::cli::ui::count;
use crate::domain::{Intent, Verdict};
use crate::host::{Host, HostError, Mode};
use crate::json::Json;
use crate::regress::{FIXTURE_NAME, Fixture, RUNPACK_NAME};
use crate::store;
use crate::{compile, limits, session};
use jiff::Timestamp;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// The bundle's file.
pub const BUNDLE: &str = "starter.gaitbundle";
/// The throw-away private key.
pub const PRIVATE_KEY: &str = "keys/gait.private.json";
/// Its public half.
pub const PUBLIC_KEY: &str = "keys/gait.public.json";
/// The pack of the three calls.
pub const RUNPACK: &str = "runpack_demo.zip";
/// The pack with one byte changed.
pub const TAMPERED: &str = "runpack_tampered.zip";
/// The folder of the regression fixture.
pub const FIXTURE: &str = "fixture";

/// The policy's file.
pub const POLICY_NAME: &str = "policy.gaitpol";
const POLICY: &str = include_str!("../../../policies/starter/policy.gaitpol");
const RUN: &str = "demo";

/// The sample calls: name, what must be decided, the intent.
const CALLS: [(&str, Verdict, &str); 3] = [
    (
        "allow",
        Verdict::Allow,
        include_str!("../../../policies/starter/intents/allow.json"),
    ),
    (
        "block",
        Verdict::Block,
        include_str!("../../../policies/starter/intents/block.json"),
    ),
    (
        "approval",
        Verdict::RequireApproval,
        include_str!("../../../policies/starter/intents/approval.json"),
    ),
];

/// One step that did what it should.
pub struct Step {
    /// A word.
    pub name: &'static str,
    /// A sentence.
    pub text: String,
}

/// A demo that ran to its end.
pub struct Done {
    /// The folder.
    pub folder: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// The files written, relative to the folder, in order.
    pub files: Vec<String>,
}

type Show<'s> = dyn FnMut(&Step) -> Result<(), CliError> + 's;

struct Stage<'a> {
    host: &'a dyn Host,
    folder: PathBuf,
    now: Timestamp,
    show: &'a mut Show<'a>,
    done: Done,
}

/// Plays every step. `show` is told of each as soon as it is done.
pub fn play<'a>(host: &'a dyn Host, wanted: &Path, show: &'a mut Show<'a>) -> Result<Done, CliError> {
    let folder = claim(host, wanted)?;
    let mut stage = Stage {
        host,
        now: host.now(),
        show,
        done: Done {
            folder: folder.to_string_lossy().into_owned(),
            steps: Vec::new(),
            files: vec![POLICY_NAME.to_owned()],
        },
        folder,
    };
    let key = stage.keys()?;
    let trusted = TrustedKeys::new([key.verifying_key()]);
    let mut boundary = stage.compile(&key, &trusted)?;
    let mut traces = Vec::new();
    for call in CALLS {
        traces.push(stage.decide(call, &mut boundary, &key)?);
    }
    stage.verify(&traces, &trusted)?;
    let pack = stage.pack(&trusted, &key)?;
    stage.replay(&pack, &boundary)?;
    stage.tamper(&pack.bytes, &trusted)?;
    Ok(stage.done)
}

/// Takes the folder, or the first numbered one beside it that is free, by writing the policy there.
fn claim(host: &dyn Host, wanted: &Path) -> Result<PathBuf, CliError> {
    for number in 1..=limits::DEMO_FOLDERS {
        let mut folder = wanted.components().as_path().as_os_str().to_owned();
        if number > 1 {
            folder.push(format!("-{number}"));
        }
        let folder = PathBuf::from(folder);
        let free = match host.list_dir(&folder) {
            Ok(names) => names.is_empty(),
            Err(HostError::NotFound { .. }) => true,
            Err(_) => false,
        };
        if !free {
            continue;
        }
        match host.write_new(&folder.join(POLICY_NAME), POLICY.as_bytes(), Mode::Public) {
            // Another demo was faster.
            Err(HostError::Exists { .. }) => {}
            Err(other) => return Err(other.into()),
            Ok(()) => return Ok(folder),
        }
    }
    let message = format!("{} and the folders numbered after it are taken", wanted.display());
    Err(CliError::new(Category::Unsafe, "demo.taken", message).hint("name another folder with --out"))
}

impl Stage<'_> {
    fn write(&mut self, name: &str, bytes: &[u8], mode: Mode) -> Result<(), CliError> {
        self.host.write_new(&self.folder.join(name), bytes, mode)?;
        self.done.files.push(name.to_owned());
        Ok(())
    }

    fn step(&mut self, name: &'static str, text: String) -> Result<(), CliError> {
        let step = Step { name, text };
        (self.show)(&step)?;
        self.done.steps.push(step);
        Ok(())
    }

    fn keys(&mut self) -> Result<SigningKey, CliError> {
        let mut seed = Zeroizing::new([0; 32]);
        self.host.entropy(&mut seed)?;
        let key = SigningKey::from_seed(&seed);
        self.write(PRIVATE_KEY, &key.to_file(), Mode::Private)?;
        self.write(PUBLIC_KEY, &key.verifying_key().to_file(), Mode::Public)?;
        self.step("keys", "made a throw-away Ed25519 key pair".to_owned())?;
        Ok(key)
    }

    fn compile(&mut self, key: &SigningKey, trusted: &TrustedKeys) -> Result<Boundary, CliError> {
        let report = compile::check(POLICY_NAME, POLICY);
        let Some(checked) = report.checked else {
            return Err(failed("compile", "the starter policy has errors"));
        };
        let built =
            bundling::build(&checked, 0, key).map_err(|error| failed("compile", &error.to_string()))?;
        self.write(BUNDLE, &built.bytes, Mode::Public)?;
        let boundary = Boundary::open(&built.bytes, trusted, self.now)
            .map_err(|error| failure::open(&self.folder.join(BUNDLE), &error))?;
        let passed = built.bundle.value().contents.tests.passed as usize;
        let tests = count(passed, "test case");
        let text = format!(
            "{} in a signed bundle, {tests} passed",
            count(built.program.rules.len(), "rule")
        );
        self.step("compile", text)?;
        Ok(boundary)
    }

    fn decide(
        &mut self,
        (name, expected, text): (&'static str, Verdict, &str),
        boundary: &mut Boundary,
        key: &SigningKey,
    ) -> Result<(PathBuf, Recorded), CliError> {
        let file = format!("intents/{name}.json");
        self.write(&file, text.as_bytes(), Mode::Public)?;
        let intent = Intent::read(text.as_bytes())
            .map_err(|error| failure::intent(&self.folder.join(&file), &error))?;
        let moment = Moment {
            session_id: Some(RUN.to_owned()),
            run_id: Some(RUN.to_owned()),
            ..Moment::default()
        };
        let traces = TraceFiles::new(self.host, &self.folder.join("traces/"));
        let desk = Desk {
            host: self.host,
            store: &*store::embedded(&self.folder.join("store")),
            key,
            traces: &traces,
            kill_switch: None,
        };
        let call = Call {
            intent: &intent,
            moment: &moment,
            clock: Clock::Named(self.now),
            journal: Some(&self.journal()),
        };
        let Written { recorded, place, .. } =
            boundary.judge_written(desk, call).map_err(failure::unwritten)?;
        let decision = &recorded.record.decision;
        let codes = decision.reason_codes.join(", ");
        if decision.verdict != expected {
            let got = format!("expected {expected}, got {} ({codes})", decision.verdict);
            return Err(failed(name, &got));
        }
        let trace = format!("traces/trace_{}.json", recorded.record.trace_id);
        self.done.files.push(trace);
        let text = format!(
            "{}: {} ({codes}), signed trace written",
            intent.tool, decision.verdict
        );
        self.step("decide", text)?;
        Ok((place.file, recorded))
    }

    fn journal(&self) -> PathBuf {
        self.folder.join(format!("sessions/{RUN}.jsonl"))
    }

    /// Reads the traces back from disk: what counts is what was written.
    fn verify(&mut self, traces: &[(PathBuf, Recorded)], trusted: &TrustedKeys) -> Result<(), CliError> {
        let mut previous = None;
        for (path, recorded) in traces {
            let bytes = self.host.read(path, limits::ENVELOPE_BYTES as u64)?;
            let verified = trace::verify(&bytes, trusted, self.now)
                .map_err(|error| failure::verification(path, &error))?;
            if verified.digest() != recorded.digest || verified.value().previous != previous {
                return Err(failed("verify", "a trace on disk is not the one that was signed"));
            }
            previous = Some(verified.digest());
        }
        let traces = count(traces.len(), "trace");
        self.step(
            "verify",
            format!("{traces} read back and verified, each naming the one before"),
        )
    }

    fn pack(&mut self, trusted: &TrustedKeys, key: &SigningKey) -> Result<session::Recording, CliError> {
        let journal = self.journal();
        self.done.files.push(format!("sessions/{RUN}.jsonl"));
        self.done.files.push(format!("store/{}", store::FILE));
        let entries = session::read(self.host, &journal)
            .map_err(failure::session)?
            .entries;
        let recording = session::record(entries, (RUN, RUN), trusted, self.now, key)
            .map_err(|error| failure::record(&journal, &error))?;
        self.write(RUNPACK, &recording.bytes, Mode::Public)?;
        let traces = count(recording.pack.value().traces.len(), "trace");
        self.step("pack", format!("{traces} with their intents in a signed runpack"))?;
        Ok(recording)
    }

    fn replay(&mut self, recording: &session::Recording, boundary: &Boundary) -> Result<(), CliError> {
        let path = self.folder.join(RUNPACK);
        let fixture = Fixture::of(&recording.pack).map_err(|error| failure::regress(&path, &error))?;
        self.write(
            &format!("{FIXTURE}/{RUNPACK_NAME}"),
            &recording.bytes,
            Mode::Public,
        )?;
        self.write(
            &format!("{FIXTURE}/{FIXTURE_NAME}"),
            &fixture.to_file(),
            Mode::Public,
        )?;
        let results = fixture.run(boundary.gate());
        if results.iter().any(|result| result.drift.is_some()) {
            return Err(failed(
                "replay",
                "a call is decided differently from a moment ago",
            ));
        }
        let calls = count(results.len(), "recorded call");
        self.step("replay", format!("{calls} judged again, all decided as recorded"))
    }

    fn tamper(&mut self, bytes: &[u8], trusted: &TrustedKeys) -> Result<(), CliError> {
        let mut changed = bytes.to_vec();
        let middle = changed.len() / 2;
        if let Some(byte) = changed.get_mut(middle) {
            *byte ^= 1;
        }
        self.write(TAMPERED, &changed, Mode::Public)?;
        match runpack::open(&changed, trusted, self.now) {
            Ok(_) => Err(failed("tamper", "a runpack with a changed byte verifies")),
            Err(error) => {
                let text = format!("byte {middle} of a copy changed: refused with {}", error.code());
                self.step("tamper", text)
            }
        }
    }
}

fn failed(step: &str, reason: &str) -> CliError {
    CliError::new(
        Category::Internal,
        "demo.step",
        format!("the demo stopped at `{step}`: {reason}"),
    )
    .details([("step", Json::str(step))])
}
