//! `gait permit exec`: redeems the permit of a call, gets the credential that the call obliges to, and becomes the command that
//! runs it. The secret is in the environment of that command and nowhere else.

use super::about::{About, AboutArgs};
use crate::artifact::{CredentialRecord, envelope, jcs};
use crate::boundary::permit::Redeemed;
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::{self, KeyArgs};
use crate::cli::ui::Ui;
use crate::credentials::{self, Broker, Call, Chosen, CredentialError, Issued, Secret, brokers};
use crate::diag::suggest::nearest;
use crate::host::{Host, HostError, Mode, Os};
use crate::limits;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Where records of credentials are written unless another place is named.
const FOLDER: &str = "gait-out/credentials";

/// Redeem the permit of an allowed call, and run it with the credential that its policy asks for
///
/// The command reads the arguments that were judged on its standard input, and finds the credential in its environment. Where
/// the call must not run it is not started, and gait exits as `gait permit redeem` does, or says why there is no credential.
/// Otherwise the exit code is the command's own.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    about: AboutArgs,
    /// The brokers of credentials: a file that only its owner may read (docs/reference/credentials.md)
    #[arg(long, value_name = "FILE")]
    credentials: Option<PathBuf>,
    /// Where the signed record of the credential goes: a new file [default: gait-out/credentials/credential_ID_STEP.json]
    #[arg(long, value_name = "FILE")]
    record_out: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
    /// The command that runs the call, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// Looks at everything that can fail before the permit is used up; redeems, asks the broker, writes the record down, becomes the
/// command; in this order.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let about = args.about.open(host)?;
    let brokers = match &args.credentials {
        Some(path) => read(host, path)?,
        None => BTreeMap::new(),
    };
    let chosen = chosen(host, &about, args.about.step(), &brokers)?;
    let chosen = match chosen {
        Some(chosen) => Some((chosen, key_args::signing_key(host, &args.key)?)),
        None => None,
    };
    let ready = Os.ready(&args.command, &jcs::to_vec(&about.given))?;
    // Found out before the permit is used up and a credential is there that nobody records.
    if let Some(path) = args.record_out.clone().filter(|path| host.exists(path)) {
        return Err(HostError::Exists { path }.into());
    }
    let redeemed = args.about.redeem(host, &about)?;
    let mut variables = Vec::new();
    if let Some((chosen, key)) = &chosen {
        let issued = issue(host, chosen, (&about, &redeemed))?;
        let path = args.record_out.unwrap_or_else(|| place(&issued.record));
        let signed = envelope::sign(&issued.record, key)?;
        let written = host.write_new(&path, signed.as_bytes(), Mode::Public);
        written.map_err(|error| CliError::from(error).hint(UNRECORDED))?;
        if !ui.is_json() {
            let name = &issued.record.credential;
            ui.note(&format!("credential {name} is recorded in {}", path.display()));
        }
        variables = issued.variables;
    }
    ui.flush()?;
    let withheld = |name: &str| brokers::is_withheld(&brokers, name);
    Err(ready.run(withheld, variables.into_iter().map(revealed)).into())
}

/// The broker of the credential that the call obliges to, where it may be asked.
fn chosen<'b>(
    host: &dyn Host,
    about: &About,
    step: Option<u64>,
    brokers: &'b BTreeMap<String, Broker>,
) -> Result<Option<Chosen<'b>>, CliError> {
    let record = about.trace.value();
    let choose = |wanted| credentials::choose(host, brokers, wanted, record.policy.profile);
    let wanted = credentials::wanted(record, step);
    let chosen = wanted.and_then(|wanted| wanted.map(choose).transpose());
    chosen.map_err(|error| unready(&error, brokers))
}

fn revealed((name, secret): (String, Secret)) -> (String, Zeroizing<String>) {
    (name, secret.into_inner())
}

fn place(record: &CredentialRecord) -> PathBuf {
    let name = format!("credential_{}_{}.json", record.trace_id, record.step);
    Path::new(FOLDER).join(name)
}

const UNRECORDED: &str = "a credential was handed out, its permit is used up, and the call was not started: settle it as `not_executed`, let the \
                          credential be withdrawn, and judge the call anew";

const BROKERS: &str = "who may change it may run programs as you: it and the folders on the way are yours or root's, no link, and only its \
                       owner may read it (`chmod 600`)";

/// The brokers of a file that only its owner may read or change.
fn read(host: &dyn Host, path: &Path) -> Result<BTreeMap<String, Broker>, CliError> {
    let is_safe = Os.is_safe_file(path);
    let bytes = is_safe.and_then(|()| host.read_private(path, limits::CONFIG_BYTES));
    let bytes = bytes.map_err(|error| match error {
        error @ HostError::NotFound { .. } => error.into(),
        error => CliError::from(error).hint(BROKERS),
    })?;
    let text = str::from_utf8(&bytes).map_err(|_| {
        CliError::new(Category::InvalidInput, "config.syntax", "the file is not UTF-8").in_file(path)
    })?;
    brokers::read(text).map_err(|error| {
        let told = CliError::new(Category::InvalidInput, error.code, error.to_string());
        match error.hint {
            Some(hint) => told.hint(hint),
            None => told,
        }
        .in_file(path)
    })
}

const PROGRAM: &str = "a broker is the file itself and no link; it and the folders on the way are yours or root's, and nobody else may \
                       change them";

/// Why no credential could be got. The permit is not used up.
fn unready(error: &CredentialError, brokers: &BTreeMap<String, Broker>) -> CliError {
    let (category, hint) = match error {
        CredentialError::NoBroker(name) => {
            let near = nearest(name, brokers.keys().map(String::as_str));
            let hint = match near {
                Some(near) => {
                    format!("did you mean `{near}`? the file that --credentials names has that one")
                }
                None => format!("add `[credentials.{name}]` to the file that --credentials names"),
            };
            (Category::MissingDependency, hint)
        }
        CredentialError::Obligation(_) => (
            Category::InvalidInput,
            "import std.credentials, and oblige credential(name: \"…\", scope: { … }, ttl: 15m)".to_owned(),
        ),
        CredentialError::Profile(_) => (
            Category::Unsafe,
            "configure a broker of kind `command`".to_owned(),
        ),
        CredentialError::Program(error) => return CliError::from(error.clone()).hint(PROGRAM),
        CredentialError::OtherProgram => (
            Category::Unsafe,
            "look at what has changed it, and pin the new one".to_owned(),
        ),
        _ => (
            Category::MissingDependency,
            "an env broker needs PREFIX and EXPIRES_AT, a time such as 2026-01-31T12:00:00Z".to_owned(),
        ),
    };
    CliError::new(category, error.code(), error.to_string()).hint(hint)
}

/// Gets the credential of a call whose permit is used up.
fn issue(
    host: &dyn Host,
    chosen: &Chosen<'_>,
    (about, redeemed): (&About, &Redeemed),
) -> Result<Issued, CliError> {
    let call = Call {
        trace: &about.trace,
        tool: &about.tool,
        step: redeemed.step,
        digest: redeemed.call,
        redeemed_at: redeemed.at,
    };
    chosen.issue(host, &call).map_err(|error| {
        let category = match error {
            CredentialError::Receipt(_) => Category::Verification,
            _ => Category::Internal,
        };
        CliError::new(category, error.code(), error.to_string())
            .hint("the permit is used up and the call was not started: settle it as not_executed, and judge it anew")
    })
}
