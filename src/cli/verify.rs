//! `gait verify`: one command for every artifact. It finds out what a file claims to be and asks for that kind's one
//! verification. The commands `bundle verify` and `trace verify` print through it too.

use super::error::{Category, CliError};
use super::exit::Exit;
use super::key_args::{TrustArgs, trusted_keys};
use super::ui::{Tone, Ui, one_line, paint};
use crate::artifact::{
    Bundle, CallOutcome, CredentialRecord, Digest, KillSwitch, Kind, TraceRecord, TrustedKeys, Verified,
    VerifyingKey, attestation, bundle, delegation, envelope, given, kind, runpack, script_approval, trace,
};
use crate::bundling::{self, LoadError};
use crate::host::Host;
use crate::ir::Program;
use crate::json::Json;
use crate::{json, keyring, limits, session};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// Verify any artifact: a bundle, trace, runpack, approval, kill switch, outcome, delegation, attestation, credential record or key file
///
/// Exits 2 when the file is not what was signed by a trusted key, 6 when it is no artifact at all.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file
    file: PathBuf,
    #[command(flatten)]
    trust: TrustArgs,
}

/// Verifies the file.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let bytes = host.read(&args.file, limits::FILE_BYTES)?;
    not_a_journal(&bytes).map_err(|error| error.in_file(&args.file))?;
    let kind = kind::claimed(&bytes).ok_or_else(|| {
        CliError::new(
            Category::InvalidInput,
            "verify.unknown_kind",
            "the file is no artifact of gait",
        )
        .hint("artifacts are bundles (.gaitbundle), runpacks (.zip), traces, approvals, kill switches, outcomes, delegations, attestations, records of credentials and keys (.json)")
        .in_file(&args.file)
    })?;
    let trusted = || trusted_keys(host, &args.trust);
    let now = host.now();
    let outcome = match kind {
        Kind::Bundle => of_bundle(&bytes, &trusted()?, now).map(|(_, _, outcome)| outcome),
        Kind::Runpack => of_runpack(&bytes, &trusted()?, now),
        Kind::Trace => of_trace(&bytes, &trusted()?, now).map(|(_, outcome)| outcome),
        Kind::Approval => of_approval(&bytes, &trusted()?, now),
        Kind::KillSwitch => of_kill_switch(&bytes, &trusted()?, now),
        Kind::Outcome => of_outcome(&bytes, &trusted()?, now),
        Kind::Delegation => of_delegation(&bytes, &trusted()?, now),
        Kind::Attestation => of_attestation(&bytes, &trusted()?, now),
        Kind::ScriptApproval => of_script_approval(&bytes, &trusted()?, now),
        Kind::Credential => of_credential(&bytes, &trusted()?, now),
        Kind::PublicKey => VerifyingKey::parse(&bytes)
            .map(|key| Outcome::key(kind, &key))
            .map_err(CliError::from),
        Kind::PrivateKey => return private_key(ui, host, &args.file),
    };
    outcome
        .map_err(|error| error.in_file(&args.file))?
        .print(ui, &args.file)?;
    Ok(Exit::Success)
}

/// Errors on a session journal, which looks like the traces in it.
fn not_a_journal(bytes: &[u8]) -> Result<(), CliError> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let entry = json::parse(first).ok();
    let schema = entry.as_ref().and_then(|e| e.get("schema"));
    if schema.and_then(Json::as_str) != Some(session::SCHEMA) {
        return Ok(());
    }
    let message = "a session journal is not an artifact";
    let error = CliError::new(Category::InvalidInput, "verify.journal", message);
    Err(error.hint("`gait run record` packs it into a runpack, which can be verified"))
}

/// What a verification found.
pub(super) struct Outcome {
    kind: Kind,
    name: String,
    digest: Digest,
    signers: Vec<String>,
    checks: Vec<&'static str>,
}

const SIGNATURE: [&str; 3] = [
    "the envelope is canonical and of this kind",
    "every signature is by a trusted key, strict, and in its time of validity",
    "the document follows its schema",
];
const CONTAINER: [&str; 2] = [
    "the archive is the one its files make",
    "every file is declared, with its size and digest",
];

/// Opens a bundle and loads its program.
pub(super) fn of_bundle(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<(Verified<Bundle>, Program, Outcome), CliError> {
    let bundle = bundle::open(bytes, trusted, now)?;
    let program = bundling::load(bundle.value())?;
    let contents = &bundle.value().contents;
    let mut checks = [CONTAINER.as_slice(), &SIGNATURE].concat();
    checks.push("the program is canonical and the one described");
    let outcome = Outcome {
        kind: Kind::Bundle,
        name: format!("{} {}", contents.name, contents.version)
            .trim_end()
            .to_owned(),
        digest: bundle.digest(),
        signers: signers(&bundle),
        checks,
    };
    Ok((bundle, program, outcome))
}

/// Verifies a trace.
pub(super) fn of_trace(
    bytes: &[u8],
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<(Verified<TraceRecord>, Outcome), CliError> {
    not_a_journal(bytes)?;
    let trace = trace::verify(bytes, trusted, now)?;
    let mut checks = SIGNATURE.to_vec();
    if trace.value().intent.is_some() {
        checks.push("the intent has the digests stated");
    }
    let outcome = Outcome {
        kind: Kind::Trace,
        name: trace.value().trace_id.clone(),
        digest: trace.digest(),
        signers: signers(&trace),
        checks,
    };
    Ok((trace, outcome))
}

/// Verifies the state of a kill switch by itself; whether it is the last one, nobody can tell.
fn of_kill_switch(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let state = envelope::verify::<KillSwitch>(bytes, trusted, now)?;
    Ok(Outcome {
        kind: Kind::KillSwitch,
        name: format!("state {}", state.value().sequence),
        digest: state.digest(),
        signers: signers(&state),
        checks: SIGNATURE.to_vec(),
    })
}

/// Verifies what a runtime says became of a call; its trace tells what was allowed.
fn of_outcome(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let outcome = envelope::verify::<CallOutcome>(bytes, trusted, now)?;
    Ok(Outcome {
        kind: Kind::Outcome,
        name: outcome.value().trace_id.clone(),
        digest: outcome.digest(),
        signers: signers(&outcome),
        checks: SIGNATURE.to_vec(),
    })
}

/// Verifies the record of a credential that was handed out; its trace tells for what call.
fn of_credential(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let record = envelope::verify::<CredentialRecord>(bytes, trusted, now)?;
    Ok(Outcome {
        kind: Kind::Credential,
        name: format!("{} {}", record.value().credential, record.value().trace_id),
        digest: record.digest(),
        signers: signers(&record),
        checks: SIGNATURE.to_vec(),
    })
}

/// Verifies an approval of scripts by itself; whether it counts depends on the script it is handed over with.
fn of_script_approval(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let approval = script_approval::verify(bytes, trusted, now)?;
    let steps = approval.value().steps.iter();
    let tools: Vec<&str> = steps.map(|step| step.tool.as_str()).collect();
    Ok(of_own(Kind::ScriptApproval, tools.join(", "), &approval))
}

/// Verifies a link by itself; whether it is one of a chain depends on the others.
fn of_delegation(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let link = delegation::verify(bytes, trusted, now)?;
    Ok(of_own(Kind::Delegation, link.value().delegate.clone(), &link))
}

/// Verifies a statement by itself; whether its word is taken depends on the policy and the call.
fn of_attestation(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let statement = attestation::verify(bytes, trusted, now)?;
    Ok(of_own(
        Kind::Attestation,
        statement.value().kind.clone(),
        &statement,
    ))
}

/// Verifies an approval by itself; whether it counts depends on the call it is handed over with.
fn of_approval(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let approval = given::verify(bytes, trusted, now)?;
    Ok(of_own(Kind::Approval, approval.value().tool.clone(), &approval))
}

/// What was signed by the one key that it names.
fn of_own<T>(kind: Kind, name: String, verified: &Verified<T>) -> Outcome {
    let mut checks = SIGNATURE.to_vec();
    checks.push("the key that is named has signed, and no other");
    Outcome {
        kind,
        name,
        digest: verified.digest(),
        signers: signers(verified),
        checks,
    }
}

fn of_runpack(bytes: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Result<Outcome, CliError> {
    let runpack = runpack::open(bytes, trusted, now)?;
    let mut checks = [CONTAINER.as_slice(), &SIGNATURE].concat();
    checks.extend([
        "every trace is signed by a trusted key and of this run",
        "every intent has the digest its trace states",
        "the chain of traces and the journal have no gap",
    ]);
    Ok(Outcome {
        kind: Kind::Runpack,
        name: runpack.value().run_id.clone(),
        digest: runpack.digest(),
        signers: signers(&runpack),
        checks,
    })
}

/// A private key is read again under the rule for secrets.
fn private_key(ui: &mut Ui, host: &dyn Host, path: &Path) -> Result<Exit, CliError> {
    let key = keyring::signing_key(host, path).map_err(|error| match error {
        keyring::KeyringError::Key { error, .. } => CliError::from(error).in_file(path),
        other => other.into(),
    })?;
    let mut outcome = Outcome::key(Kind::PrivateKey, &key.verifying_key());
    outcome.checks.push("its owner alone may read it");
    outcome.print(ui, path)?;
    Ok(Exit::Success)
}

fn signers<T>(verified: &Verified<T>) -> Vec<String> {
    verified.keys().iter().map(ToString::to_string).collect()
}

impl Outcome {
    fn key(kind: Kind, key: &VerifyingKey) -> Outcome {
        let id = key.id();
        Outcome {
            kind,
            name: id.to_string(),
            digest: id.digest(),
            signers: Vec::new(),
            checks: vec![
                "the document follows its schema",
                "the key id is the digest of the key",
            ],
        }
    }

    /// The members of one verified file.
    pub(super) fn to_json(&self, path: &Path) -> Vec<(&'static str, Json)> {
        let list = |texts: Vec<Json>| Json::Array(texts);
        vec![
            ("file", Json::str(path.to_string_lossy())),
            ("kind", Json::str(self.kind.as_str())),
            ("name", Json::str(&self.name)),
            ("digest", self.digest.to_json()),
            ("signers", list(self.signers.iter().map(Json::str).collect())),
            (
                "checks",
                list(self.checks.iter().copied().map(Json::str).collect()),
            ),
        ]
    }

    /// For people.
    pub(super) fn lines(&self, path: &Path) -> Vec<String> {
        let head = paint(Tone::Good, "verified");
        let mut lines = vec![
            format!(
                "{head} {} {}",
                self.kind.as_str().replace('_', " "),
                one_line(&self.name)
            ),
            format!("  file     {}", one_line(&path.to_string_lossy())),
            format!("  digest   {}", self.digest),
        ];
        lines.extend(self.signers.iter().map(|signer| format!("  signer   {signer}")));
        lines.extend(self.checks.iter().map(|check| format!("  checked  {check}")));
        lines
    }

    fn print(&self, ui: &mut Ui, path: &Path) -> Result<(), CliError> {
        if ui.is_json() {
            let ok = [("ok", Json::Bool(true))];
            return ui.json(&Json::object(ok.into_iter().chain(self.to_json(path))));
        }
        self.lines(path).iter().try_for_each(|line| ui.line(line))
    }
}

impl From<LoadError> for CliError {
    fn from(error: LoadError) -> Self {
        CliError::new(Category::Verification, error.code(), error.to_string())
    }
}
