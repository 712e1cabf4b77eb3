//! What every command that listens refuses, reads and tells: addresses, tokens, and why nobody is answered.

use super::error::{Category, CliError};
use crate::host::{Host, HostError};
use crate::http::{ServeError, Token};
use crate::limits;
use hyper::header::HeaderValue;
use std::net::SocketAddr;
use std::path::Path;

/// Refuses to be reached from elsewhere by whoever likes.
pub fn check(address: Option<SocketAddr>, has_token: bool) -> Result<(), CliError> {
    match address {
        Some(address) if !address.ip().is_loopback() && !has_token => {
            let message = format!("{address} may be reached from other machines, and no token is asked for");
            Err(CliError::new(Category::Unsafe, "serve.open", message)
                .hint("name a file with the token, or listen on 127.0.0.1 or on a socket"))
        }
        _ => Ok(()),
    }
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
