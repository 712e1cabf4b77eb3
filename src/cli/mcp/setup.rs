//! What calls are judged with, from files and flags: the same for every gateway.

use crate::approvals::{self, desk::ApprovalDesk};
use crate::cli::error::{Category, CliError};
use crate::cli::gate::{AskedArgs, AttestedArgs, DelegatedArgs};
use crate::cli::key_args::{self, KeyArgs, TrustArgs};
use crate::cli::load;
use crate::cli::store_args::StoreArgs;
use crate::cli::ui::Ui;
use crate::host::{self, Host, Os};
use crate::mcp::{Caller, Keeps, Setup};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Keys, and what gates share.
#[derive(Debug, clap::Args)]
pub struct GateArgs {
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    asked: AskedArgs,
    #[command(flatten)]
    delegated: DelegatedArgs,
    #[command(flatten)]
    attested: AttestedArgs,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// What calls are judged with, as it was asked for.
pub struct Judged {
    /// The bundle.
    pub bundle: PathBuf,
    /// The name of the server, where there is but one.
    pub server: Option<String>,
    /// Who asks.
    pub identity: String,
    /// The folder of relative paths; this one where it is none.
    pub workspace: Option<String>,
    /// What the host knows: a file.
    pub facts: Option<PathBuf>,
    /// What the runtime fulfils.
    pub fulfils: Vec<String>,
    /// Whether tools are listed that the policy does not know.
    pub show_all: bool,
    /// The folder of traces.
    pub traces: PathBuf,
    /// The trust file of approvals.
    pub approvers: Option<PathBuf>,
    /// The folder of approvals.
    pub approvals: PathBuf,
}

impl Judged {
    /// Reads all of it.
    pub fn setup(self, ui: &mut Ui, host: &dyn Host, args: &GateArgs) -> Result<Setup, CliError> {
        let trusted = key_args::trusted_keys(host, &args.trust)?;
        let boundary = load::boundary(host, &self.bundle, &trusted)?;
        load::warn_unenforced(ui, boundary.enforcement());
        let key = key_args::signing_key(host, &args.key)?;
        key_args::accepted(host, &key, &trusted)?;
        // A misspelt path is found out now, and not by the first approval or call.
        let named = [
            self.approvers.as_ref(),
            args.delegated.delegators.as_ref(),
            args.attested.attestors.as_ref(),
        ];
        for file in named.into_iter().flatten() {
            approvals::read(host, file)?;
        }
        let kill_switch = match &args.asked.kill_switch {
            Some(path) => Some((path.clone(), args.asked.operators(host, &trusted)?)),
            None => None,
        };
        let facts = self.facts.as_deref().map(|path| load::facts(host, path));
        let workspace = match self.workspace {
            Some(workspace) => workspace,
            None => here()?,
        };
        Ok(Setup {
            boundary,
            key,
            store: args.store.open(host)?,
            traces: Keeps::Files(self.traces),
            kill_switch,
            approvals: self
                .approvers
                .map(|trust| ApprovalDesk::new(trust, self.approvals)),
            delegation: args.delegated.files(),
            attested: args.attested.files(),
            facts: facts.transpose()?,
            fulfils: BTreeSet::from_iter(self.fulfils).into_iter().collect(),
            caller: Caller {
                server: self.server,
                identity: self.identity,
                workspace,
                principal: None,
            },
            nonce: host::nonce(host)?,
            shows_all: self.show_all,
        })
    }
}

/// This folder, in which servers are started, too.
fn here() -> Result<String, CliError> {
    Os.folder().ok_or_else(|| {
        CliError::new(
            Category::InvalidInput,
            "mcp.workspace",
            "this folder has no name that can be written",
        )
        .hint("name the workspace")
    })
}
