//! What every command that listens refuses, reads and tells: addresses, tokens, and why nobody is answered.

use super::error::{Category, CliError};
use super::load;
use super::ui::Ui;
use crate::host::{Host, HostError};
use crate::http::{ServeError, Tls, TlsError, Token};
use crate::limits;
use crate::trace_log::{Retention, TraceLog};
use hyper::header::HeaderValue;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// Refuses to be reached from elsewhere by whoever likes, and says where others may read what is sent.
pub fn check(
    ui: &mut Ui,
    address: Option<SocketAddr>,
    has_token: bool,
    tls: Option<&Tls>,
) -> Result<(), CliError> {
    let Some(address) = address.filter(|address| !address.ip().is_loopback()) else {
        return Ok(());
    };
    if !has_token && !tls.is_some_and(Tls::asks_for_certificates) {
        let message = format!(
            "{address} may be reached from other machines, and neither a token nor a certificate is asked for"
        );
        return Err(CliError::new(Category::Unsafe, "serve.open", message).hint(
            "name a file with the token or the authorities of clients, or listen on 127.0.0.1 or on a socket",
        ));
    }
    if tls.is_none() {
        ui.warn(&format!(
            "what is sent to {address} can be read and changed on the way: no certificate is named to encrypt it with"
        ));
    }
    Ok(())
}

/// The files that connections are encrypted with.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate, and those that lead to its authority.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities of clients; none where no certificate is asked of them.
    pub clients: Option<PathBuf>,
}

/// What connections are encrypted with.
pub fn tls(host: &dyn Host, files: Option<&TlsFiles>) -> Result<Option<Tls>, CliError> {
    let Some(files) = files else { return Ok(None) };
    let chain = host.read(&files.chain, limits::TLS_FILE_BYTES)?;
    let key = Zeroizing::new(host.read_private(&files.key, limits::TLS_FILE_BYTES)?);
    let clients = files.clients.as_deref();
    let clients = clients.map(|file| host.read(file, limits::TLS_FILE_BYTES));
    let tls = Tls::of_pem(&chain, &key, clients.transpose()?.as_deref());
    tls.map(Some).map_err(|error| {
        let file = match error {
            TlsError::Certificate(_) => &files.chain,
            TlsError::Key(_) => &files.key,
            TlsError::Authorities(_) => files.clients.as_ref().unwrap_or(&files.chain),
        };
        CliError::new(Category::InvalidInput, "serve.tls", error.to_string())
            .hint("files are PEM: certificates first to last, and the key of the first")
            .in_file(file)
    })
}

/// The bearer token of a file.
pub fn token(host: &dyn Host, file: Option<&Path>) -> Result<Option<Token>, CliError> {
    let Some(file) = file else { return Ok(None) };
    let bytes = host.read_private(file, limits::TOKEN_FILE_BYTES)?;
    Token::of_file(bytes).map(Some).map_err(|reason| {
        let message = format!("the token cannot be used: {reason}");
        CliError::new(Category::InvalidInput, "serve.token", message)
            .hint("`openssl rand -hex 32` makes one")
            .in_file(file)
    })
}

/// The token of a file as a request shows it.
pub fn shown(host: &dyn Host, file: Option<&Path>) -> Result<Option<HeaderValue>, CliError> {
    Ok(token(host, file)?.map(|token| token.header()))
}

/// How long the log of traces is kept, by a flag or key of this name, and how much of it.
pub fn retention((name, kept): (&str, Option<&str>), bytes: Option<u64>) -> Result<Retention, CliError> {
    let code = "serve.keep_for";
    let millis = kept.map(|text| load::duration((name, code), text, limits::TRACE_KEPT_MILLIS));
    let millis = millis.transpose()?;
    if millis.is_some_and(|millis| millis < limits::WAITING_MILLIS) {
        let message = format!("`{name}` is less than a day");
        return Err(CliError::new(Category::InvalidInput, code, message)
            .hint("calls that wait for people are listed for a day, and approved from their traces"));
    }
    Ok(Retention { millis, bytes })
}

/// The log of traces of a folder, which nobody else writes to.
pub fn log(ui: &mut Ui, folder: &Path, retention: Retention) -> Result<TraceLog, CliError> {
    let (log, torn) = TraceLog::open(folder, retention).map_err(failed)?;
    for path in torn {
        let path = path.display();
        ui.warn(&format!(
            "a trace was cut off and nobody was told its verdict; what there is of it is now in {path}"
        ));
    }
    Ok(log)
}

/// Why nobody is answered.
pub fn failed(error: impl Into<ServeError>) -> CliError {
    match error.into() {
        ServeError::Host(error @ HostError::Contended { .. }) => {
            CliError::new(Category::Unsafe, "serve.in_use", error.to_string())
                .hint("another daemon runs here; stop it, or name another --socket and --traces")
        }
        ServeError::Host(error) => error.into(),
        ServeError::Address { address, reason } => {
            let message = format!("{address} cannot be listened on: {reason}");
            CliError::new(Category::InvalidInput, "serve.address", message)
        }
        ServeError::Runtime(reason) => CliError::new(Category::Internal, "serve.runtime", reason),
    }
}
