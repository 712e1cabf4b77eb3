//! TLS 1.3 on connections, and who may make one: where certificates of clients are asked for, only whoever shows one that a named authority has
//! signed. In: certificates and a key, as PEM. Out: what turns a connection into an encrypted one, in time. It looks at no request.

use crate::host::{Host, Os};
use crate::limits;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, ServerConfig, version};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What is encrypted with, and who is let in.
#[derive(Clone)]
pub struct Tls {
    acceptor: TlsAcceptor,
    asks: bool,
}

/// What cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// The certificate of the service.
    #[error("the certificate cannot be used: {0}")]
    Certificate(String),
    /// Its key.
    #[error("the key cannot be used: {0}")]
    Key(String),
    /// The authorities of clients.
    #[error("the authorities of clients cannot be used: {0}")]
    Authorities(String),
}

/// The machine's clock, for when certificates are good.
#[derive(Debug)]
struct Now;

impl TimeProvider for Now {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(Os.now().as_second()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// The certificates of a file, at least one.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match all {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err("there is none in the file".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl Tls {
    /// A certificate with those that lead to its authority, its key, and the authorities of clients where a certificate is asked of them.
    /// A connection is not taken up again by a later one: each shows its certificate anew.
    pub fn of_pem(chain: &[u8], key: &[u8], clients: Option<&[u8]>) -> Result<Tls, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let chain = certificates(chain).map_err(TlsError::Certificate)?;
        let wrong_key = |error: &dyn std::fmt::Display| TlsError::Key(error.to_string());
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| wrong_key(&error))?;
        let builder = ServerConfig::builder_with_details(Arc::clone(&provider), Arc::new(Now));
        let builder = builder
            .with_protocol_versions(&[&version::TLS13])
            .map_err(|error| wrong_key(&error))?;
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let wrong = |error: &dyn std::fmt::Display| TlsError::Authorities(error.to_string());
                let mut roots = RootCertStore::empty();
                for authority in certificates(pem).map_err(TlsError::Authorities)? {
                    roots.add(authority).map_err(|error| wrong(&error))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().map_err(|error| wrong(&error))?)
            }
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| wrong_key(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Tls {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            asks: clients.is_some(),
        })
    }

    /// Whether whoever asks must show a certificate.
    pub fn asks_for_certificates(&self) -> bool {
        self.asks
    }

    /// Encrypts a connection; the code of why it is not.
    pub(super) async fn accept<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
    ) -> Result<TlsStream<S>, &'static str> {
        let most = Duration::from_millis(limits::TLS_MILLIS);
        match timeout(most, self.acceptor.accept(stream)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) => Err("tls.refused"),
            Err(_) => Err("tls.slow"),
        }
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Tls");
        shown.field("asks", &self.asks).finish_non_exhaustive()
    }
}
