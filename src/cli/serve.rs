//! `gait serve`: starts the daemon. It reads keys, bundle and flags, refuses what would not be safe, and says what the daemon
//! tells it; it decides nothing.

use super::error::{Category, CliError};
use super::exit::Exit;
use super::gate::AskedArgs;
use super::key_args::{self, KeyArgs, TrustArgs};
use super::listen::TlsFiles;
use super::store_args::StoreArgs;
use super::ui::Ui;
use super::{failure, listen, load};
use crate::approvals::desk::ApprovalDesk;
use crate::artifact::{Digest, TrustedKeys};
use crate::boundary::Boundary;
use crate::daemon::{self, Collector, MayLoosen, Places, Service};
use crate::host::Host;
use crate::http::{Guard, Listening, Said};
use crate::json::Json;
use crate::{approvals, limits};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Judge calls for other programs, until told to stop
///
/// Answers HTTP on a socket that only you may connect to: POST /v1/decide takes an intent and gives the verdict once its trace is on
/// disk. SIGHUP, or POST /v1/reload, loads the bundle again; SIGTERM finishes what was begun and ends.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The bundle that decides
    #[arg(long, value_name = "FILE", default_value = load::BUNDLE)]
    bundle: PathBuf,
    /// Load no bundle that loosens the one before it
    #[arg(long)]
    refuse_loosening: bool,
    /// A public key whose signature, beside that of a trusted one, lets a bundle loosen it anyway; may be repeated
    #[arg(long, value_name = "FILE", requires = "refuse_loosening")]
    cosigner: Vec<PathBuf>,
    /// The socket
    #[arg(long, value_name = "PATH", default_value = "gait-out/serve/gait.sock")]
    socket: PathBuf,
    /// Listen on this address instead, such as 127.0.0.1:8737; other than loopback it needs --token-file or --tls-client-ca
    #[arg(long, value_name = "ADDRESS", conflicts_with = "socket")]
    listen: Option<SocketAddr>,
    /// A name under which the daemon is asked, beside the address; may be repeated
    #[arg(long, value_name = "NAME", requires = "listen")]
    allow_host: Vec<String>,
    /// The bearer token that callers must show, in a file that only you may read
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    tls: TlsArgs,
    /// Calls that are judged at the same time; others are told to come again
    #[arg(long, value_name = "N", default_value_t = limits::REQUESTS)]
    max_concurrent: usize,
    /// The folder of the log of traces
    #[arg(long, value_name = "DIR", default_value = "gait-out/serve/traces")]
    traces: PathBuf,
    /// Remove files of the log whose last trace is older than this, such as 30d [default: keep them]
    #[arg(long, value_name = "DURATION")]
    keep_for: Option<String>,
    /// Remove the oldest files of the log where all of them have more bytes than this [default: keep them]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    keep_bytes: Option<u64>,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    asked: AskedArgs,
    /// The trust file that says whose keys may approve, made by `gait trust`
    #[arg(long, value_name = "FILE")]
    approvers: Option<PathBuf>,
    /// The trust file that says whose keys may delegate
    #[arg(long, value_name = "FILE")]
    delegators: Option<PathBuf>,
    /// The trust file that says whose keys may attest
    #[arg(long, value_name = "FILE")]
    attestors: Option<PathBuf>,
    /// The folder of the answers of those who may approve: calls that wait find them there
    #[arg(long, value_name = "DIR", default_value = super::approve::FOLDER)]
    approvals: PathBuf,
    /// Tell this collector of decisions, in spans and logs of OpenTelemetry (OTLP over HTTP on this machine), such as
    /// http://127.0.0.1:4318
    #[arg(long, value_name = "URL")]
    otlp_endpoint: Option<String>,
    /// How long a call may wait to run once it is allowed, at most an hour
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    permit_for: String,
    /// Keep secrets in what is kept, too: traces, journals and their digests hold them as they are
    #[arg(long)]
    keep_secrets: bool,
    #[command(flatten)]
    key: KeyArgs,
    #[command(flatten)]
    trust: TrustArgs,
}

/// How connections to the address are encrypted.
#[derive(Debug, clap::Args)]
struct TlsArgs {
    /// Encrypt connections to the address (TLS 1.3) with this certificate: PEM, with those that lead to its authority
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_key"], conflicts_with = "socket")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key: PEM, in a file that only you may read
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Answer only who shows a certificate that one of these authorities has signed: PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

impl TlsArgs {
    fn files(&self) -> Option<TlsFiles> {
        Some(TlsFiles {
            chain: self.tls_cert.clone()?,
            key: self.tls_key.clone()?,
            clients: self.tls_client_ca.clone(),
        })
    }
}

/// Reads everything, listens, and serves.
pub fn run(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    if !(1..=limits::REQUESTS_MOST).contains(&args.max_concurrent) {
        let message = format!(
            "`--max-concurrent` is not between 1 and {}",
            limits::REQUESTS_MOST
        );
        return Err(CliError::new(Category::InvalidInput, "usage.invalid", message));
    }
    let token = listen::token(host, args.token_file.as_deref())?;
    let tls = listen::tls(host, args.tls.files().as_ref())?;
    listen::check(ui, args.listen, token.is_some(), tls.as_ref())?;
    let trusted = key_args::trusted_keys(host, &args.trust)?;
    let cosigners = key_args::named_keys(host, &args.cosigner)?;
    let bundle = load::cosigned(host, &args.bundle, &trusted, &cosigners)?;
    let opened = Boundary::of(bundle.clone(), &trusted);
    let boundary = opened.map_err(|error| failure::open(&args.bundle, &error))?;
    load::warn_unenforced(ui, boundary.enforcement());
    let name = (boundary.bundle(), boundary.policy().name.clone());
    let places = places(host, &args, trusted, cosigners)?;
    let listening = match args.listen {
        None => Listening::on_socket(&args.socket),
        Some(address) => Listening::on_tcp(address, tls),
    };
    let listening = listening.map_err(listen::failed)?;
    let kept = ("--keep-for", args.keep_for.as_deref());
    let log = listen::log(ui, &args.traces, listen::retention(kept, args.keep_bytes)?)?;
    let hosts = match &listening {
        Listening::Socket { .. } => None,
        Listening::Tcp { address, .. } => Some(Guard::hosts_of(*address, &args.allow_host)),
    };
    let service = Service::new(places, bundle, boundary, log)?;
    let guard = Guard {
        token,
        hosts,
        origins: Vec::new(),
    };
    let (place, mut printed) = (listening.place(), Ok(()));
    let mut say = |said| match said {
        Said::Ready => printed = started(ui, &place, &name),
        Said::Note(text) => ui.note(&text),
        Said::Warning(text) => ui.warn(&text),
    };
    daemon::serve(listening, service, guard, args.max_concurrent, &mut say).map_err(listen::failed)?;
    printed.map(|()| Exit::Success)
}

fn places(
    host: &dyn Host,
    args: &Args,
    trusted: TrustedKeys,
    cosigners: TrustedKeys,
) -> Result<Places, CliError> {
    let key = key_args::signing_key(host, &args.key)?;
    key_args::accepted(host, &key, &trusted)?;
    // A misspelt path is found out now, and not by the first approval.
    for file in [&args.approvers, &args.delegators, &args.attestors]
        .into_iter()
        .flatten()
    {
        approvals::read(host, file)?;
    }
    let kill_switch = match &args.asked.kill_switch {
        Some(path) => Some((path.clone(), args.asked.operators(host, &trusted)?)),
        None => None,
    };
    Ok(Places {
        bundle: args.bundle.clone(),
        key,
        store: args.store.open(host)?,
        sessions: super::gate::journals(),
        kill_switch,
        approvals: args
            .approvers
            .clone()
            .map(|file| ApprovalDesk::new(file, args.approvals.clone())),
        delegators: args.delegators.clone(),
        attestors: args.attestors.clone(),
        permit_for: load::permit_for(&args.permit_for)?,
        secrets: super::gate::secrets(args.keep_secrets),
        succession: if args.refuse_loosening {
            MayLoosen::Cosigned(cosigners)
        } else {
            MayLoosen::Yes
        },
        collector: args.otlp_endpoint.as_deref().map(collector).transpose()?,
        trusted,
    })
}

/// Who is told of decisions.
fn collector(endpoint: &str) -> Result<Collector, CliError> {
    Collector::read(endpoint).map_err(|why| {
        let message = format!("`--otlp-endpoint` cannot be used: {why}");
        CliError::new(Category::InvalidInput, "serve.collector", message).hint(
            "a collector on this machine takes OTLP over HTTP at http://127.0.0.1:4318, and sends it on",
        )
    })
}

/// Says that the daemon answers: whoever started it waits for this.
fn started(ui: &mut Ui, place: &str, (bundle, policy): &(Digest, String)) -> Result<(), CliError> {
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("listening", Json::str(place)),
            ("bundle_digest", bundle.to_json()),
            ("policy", Json::str(policy)),
        ]))?;
    } else {
        ui.line(&format!("listening on {place}"))?;
        ui.note(&format!("bundle {bundle} of policy {policy} decides"));
    }
    ui.flush()
}
