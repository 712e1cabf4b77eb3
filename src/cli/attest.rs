//! `gait attest`: somebody vouches for a fact about a caller, for a while. It signs one statement and judges nothing: which facts somebody may
//! vouch for is said by the policy of a gate.

use super::error::{Category, CliError};
use super::exit::Exit;
use super::load;
use super::ui::{Tone, Ui, one_line, paint};
use crate::artifact::attestation::{self, About, Attestation, check_name};
use crate::artifact::{Digest, jcs, time};
use crate::host::{self, Host, Mode};
use crate::json::{self, Json};
use crate::{keyring, limits};
use jiff::SignedDuration;
use std::path::{Path, PathBuf};

/// Where statements are written unless another place is named.
const FOLDER: &str = "gait-out/attestations";

/// The flag that says how long a statement is good for, and the code of what is wrong with it.
const EXPIRES: (&str, &str) = ("--expires", "attest.expires");

/// Vouch for a fact about a caller, for a while
///
/// Signs one statement by your own key: in what sandbox somebody runs, which skill they use, who they are. A gate takes it with
/// `--attestation`, where `--attestors` knows your key and the policy declares the fact as attested by a role that you are in.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// What kind of fact: the name by which policies declare it
    #[arg(value_name = "KIND", value_parser = name)]
    kind: String,
    /// The fact: a JSON document of the type that policies declare
    #[arg(long, value_name = "FILE")]
    body: PathBuf,
    /// Whom it is about: the identity that asks
    #[arg(long, value_name = "NAME", value_parser = name)]
    about_identity: String,
    /// The only session that it is about
    #[arg(long, value_name = "ID", value_parser = name)]
    about_session: Option<String>,
    /// The only run that it is about
    #[arg(long, value_name = "ID", value_parser = name)]
    about_run: Option<String>,
    /// The only workspace that it is about
    #[arg(long, value_name = "PATH", value_parser = name)]
    about_workspace: Option<String>,
    /// The only environment that it is about
    #[arg(long, value_name = "NAME", value_parser = name)]
    about_environment: Option<String>,
    /// How long it is good for, at most 31 days
    #[arg(long, value_name = "DURATION", default_value = "10m")]
    expires: String,
    /// Your own private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Where the statement goes: a new file [default: gait-out/attestations/attestation_ID.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn name(text: &str) -> Result<String, &'static str> {
    check_name(text)?;
    Ok(text.to_owned())
}

/// Signs and writes.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let millis = load::duration(EXPIRES, &args.expires, limits::ATTESTATION_MILLIS)?;
    let body = body(host, &args.body)?;
    let key = keyring::signing_key(host, &args.key)?;
    let now = time::cut(host.now());
    let expires_at = now.checked_add(SignedDuration::from_millis(millis));
    let expires_at =
        expires_at.map_err(|_| load::bad_duration(EXPIRES, &args.expires, "that is no time any more"))?;
    let statement = Attestation {
        kind: args.kind,
        about: About {
            identity: args.about_identity,
            session: args.about_session,
            run: args.about_run,
            workspace: args.about_workspace,
            environment: args.about_environment,
        },
        body,
        issued_at: now,
        expires_at,
        key: key.id(),
        nonce: host::nonce(host)?,
    };
    let (signed, digest) = attestation::sign(&statement, &key)?;
    let path = args.out.unwrap_or_else(|| place(digest));
    host.write_new(&path, signed.as_bytes(), Mode::Public)?;
    report(ui, &statement, digest, &path)?;
    Ok(Exit::Success)
}

fn body(host: &dyn Host, path: &Path) -> Result<Json, CliError> {
    let bytes = host.read(path, limits::ENVELOPE_BYTES as u64)?;
    let refuse = |reason: String| {
        let message = format!("{} holds no fact: {reason}", path.display());
        CliError::new(Category::InvalidInput, "attest.body", message)
            .hint("a fact is one JSON document, such as { \"kind\": \"container\", \"network\": false }")
    };
    match json::parse(&bytes).map_err(|error| refuse(error.to_string()))? {
        Json::Null => Err(refuse("null says nothing".to_owned())),
        body => Ok(body),
    }
}

fn place(digest: Digest) -> PathBuf {
    let hex = digest.to_string();
    let hex: String = hex.trim_start_matches("sha256:").chars().take(24).collect();
    Path::new(FOLDER).join(format!("attestation_{hex}.json"))
}

fn report(ui: &mut Ui, statement: &Attestation, digest: Digest, path: &Path) -> Result<(), CliError> {
    if ui.is_json() {
        return ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(path.to_string_lossy())),
            ("digest", digest.to_json()),
            ("kind", Json::str(&statement.kind)),
            ("about", statement.about.to_json()),
            ("body", statement.body.clone()),
            ("issued_at", Json::str(time::print(statement.issued_at))),
            ("expires_at", Json::str(time::print(statement.expires_at))),
        ]));
    }
    let whom = one_line(&statement.about.identity);
    let what = one_line(&statement.kind);
    ui.line(&format!("{} {what} of {whom}", paint(Tone::Good, "attested")))?;
    let body = String::from_utf8_lossy(&jcs::to_vec(&statement.body)).into_owned();
    ui.line(&format!("  body     {}", super::ui::brief(&body)))?;
    ui.line(&format!("  until    {}", time::print(statement.expires_at)))?;
    ui.line(&format!("  file     {}", one_line(&path.to_string_lossy())))
}
