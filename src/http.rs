//! HTTP/1.1 on a socket of the file system or on a TCP address, for whoever answers: connections, bounds, waits, signals, drain. In: what
//! to listen on, and who answers. Out: answers, until the process is told to stop; then what was begun is finished. The async runtime is
//! started here. It must not know what requests are about.

mod body;
mod client;
mod guard;
mod metrics;
pub mod oauth;
pub mod page;
mod refusal;
mod tls;
mod token;

pub use body::{Body, Content, JSON, accepts, is_kind, read, refused, response};
pub use client::{Answered, ClientError, Target, post};
pub use guard::{Guard, only};
pub use metrics::{About, Metrics, Told};
pub use refusal::Refusal;
pub use tls::{Tls, TlsError};
pub use token::Token;

use crate::host::{Held, HostError, Os};
use crate::limits;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};

/// Why nobody is answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ServeError {
    /// The machine refuses.
    #[error(transparent)]
    Host(#[from] HostError),
    /// An address cannot be listened on.
    #[error("{address}: {reason}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// The system's words.
        reason: String,
    },
    /// The runtime does not start.
    #[error("no threads to serve with: {0}")]
    Runtime(String),
}

/// What is listened on.
#[derive(Debug)]
pub enum Listening {
    /// A socket of the file system, and the lock that keeps it this process's.
    Socket {
        /// Its path.
        path: PathBuf,
        /// The socket.
        listener: std::os::unix::net::UnixListener,
        /// The lock.
        lock: Held,
    },
    /// A TCP address.
    Tcp {
        /// The address.
        address: SocketAddr,
        /// The socket.
        listener: std::net::TcpListener,
        /// What connections are encrypted with; none where they are not.
        tls: Option<Tls>,
    },
}

impl Listening {
    /// Listens on a socket of the file system, which only this process's user may connect to.
    pub fn on_socket(path: &Path) -> Result<Listening, ServeError> {
        let mut lock = path.as_os_str().to_owned();
        lock.push(".lock");
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Os.private_folder(folder)?;
        }
        let lock = Os.hold(Path::new(&lock))?;
        let listener = Os.bind_socket(path)?;
        let path = path.to_owned();
        Ok(Listening::Socket { path, listener, lock })
    }

    /// Listens on a TCP address; port 0 is any that is free. Connections are encrypted where it is said with what.
    pub fn on_tcp(address: SocketAddr, tls: Option<Tls>) -> Result<Listening, ServeError> {
        let wrong = |error: std::io::Error| ServeError::Address {
            address,
            reason: error.to_string(),
        };
        let listener = std::net::TcpListener::bind(address).map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        Ok(Listening::Tcp {
            address,
            listener,
            tls,
        })
    }

    /// Where, as people write it.
    pub fn place(&self) -> String {
        match self {
            Listening::Socket { path, .. } => path.display().to_string(),
            Listening::Tcp { address, .. } => format!("{}://{address}", self.scheme()),
        }
    }

    /// How URLs of it begin.
    pub fn scheme(&self) -> &'static str {
        match self {
            Listening::Tcp { tls: Some(_), .. } => "https",
            Listening::Tcp { tls: None, .. } | Listening::Socket { .. } => "http",
        }
    }
}

/// Whoever answers requests.
pub trait Answers: Send + Sync + 'static {
    /// Answers a request, whatever it is.
    fn answer(self: Arc<Self>, request: Request<Incoming>) -> impl Future<Output = Response<Body>> + Send;

    /// What is counted.
    fn metrics(&self) -> &Metrics;

    /// Reads again what decides; on a thread that may block.
    fn reload(&self);

    /// The process is told to stop: what would not end by itself ends now.
    fn stopping(&self);
}

/// A message for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Requests are answered from now on.
    Ready,
    /// Good to know.
    Note(String),
    /// Worth a look.
    Warning(String),
}

/// Where to say something.
pub type Say = mpsc::Sender<Said>;

/// Says something, unless far too much was said and not heard.
pub fn tell(say: &Say, said: Said) {
    let _ = say.try_send(said);
}

/// Counts what goes wrong beside the requests, and warns of it.
pub fn troubles(say: Say, metrics: Arc<Metrics>) -> impl Fn(&HostError) + Send + 'static {
    move |error| {
        metrics.refused(error.code());
        tell(
            &say,
            Said::Warning(format!("old traces are not removed: {error}")),
        );
    }
}

/// Answers until the process is told to stop (SIGTERM, SIGINT); SIGHUP reloads. At most so many answers block at a time. `make` is given
/// where to say something, and `say` is told what people should know.
pub fn serve<A: Answers>(
    listening: Listening,
    threads: usize,
    make: impl FnOnce(Say) -> Arc<A>,
    say: &mut dyn FnMut(Said),
) -> Result<(), ServeError> {
    let runtime = runtime(threads)?;
    let (to, mut said) = mpsc::channel(limits::SAID);
    let answers = Door {
        answers: make(to.clone()),
        say: to,
    };
    let (bound, served) = runtime.block_on(async {
        let mut run = pin!(run(listening, answers));
        loop {
            tokio::select! {
                done = &mut run => break done,
                Some(message) = said.recv() => say(message),
            }
        }
    });
    // What still blocks after the drain is given up: it has told nobody a verdict.
    runtime.shutdown_timeout(Duration::from_millis(limits::ACCEPT_MILLIS));
    while let Ok(message) = said.try_recv() {
        say(message);
    }
    if let Some((path, _lock)) = bound {
        // One that is left is replaced by the next process.
        let _ = Os.remove_socket(&path);
    }
    served
}

/// What connections share.
struct Door<A> {
    answers: Arc<A>,
    say: Say,
}

fn runtime(threads: usize) -> Result<Runtime, ServeError> {
    let built = Builder::new_multi_thread()
        .max_blocking_threads(threads)
        .enable_io()
        .enable_time()
        .build();
    built.map_err(|error| ServeError::Runtime(error.to_string()))
}

/// The signals that a service is told what to do with.
struct Signals {
    stop: Signal,
    interrupt: Signal,
    reload: Signal,
}

impl Signals {
    fn new() -> Result<Signals, ServeError> {
        let of = |kind| signal(kind).map_err(|error| ServeError::Runtime(error.to_string()));
        Ok(Signals {
            stop: of(SignalKind::terminate())?,
            interrupt: of(SignalKind::interrupt())?,
            reload: of(SignalKind::hangup())?,
        })
    }

    /// Returns when the process is told to stop.
    async fn stopped<A: Answers>(&mut self, answers: &Arc<A>) {
        loop {
            tokio::select! {
                _ = self.stop.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.reload.recv() => {
                    let answers = Arc::clone(answers);
                    spawn_blocking(move || answers.reload());
                }
            }
        }
    }
}

type Bound = Option<(PathBuf, Held)>;

async fn run<A: Answers>(listening: Listening, door: Door<A>) -> (Bound, Result<(), ServeError>) {
    let (bound, taken) = match listening {
        Listening::Socket { path, listener, lock } => {
            let taken = listener
                .set_nonblocking(true)
                .and_then(|()| UnixListener::from_std(listener));
            (Some((path, lock)), taken.map(Taken::Unix))
        }
        Listening::Tcp { listener, tls, .. } => {
            let taken = listener
                .set_nonblocking(true)
                .and_then(|()| TcpListener::from_std(listener));
            (None, taken.map(|listener| Taken::Tcp(listener, tls)))
        }
    };
    let served = match (taken, Signals::new()) {
        (Err(error), _) => Err(ServeError::Runtime(error.to_string())),
        (_, Err(error)) => Err(error),
        (Ok(listener), Ok(signals)) => {
            tell(&door.say, Said::Ready);
            until_stopped(listener, signals, &door).await;
            Ok(())
        }
    };
    (bound, served)
}

enum Taken {
    Unix(UnixListener),
    Tcp(TcpListener, Option<Tls>),
}

/// Takes connections until it is told to stop, then waits for those that are being answered.
async fn until_stopped<A: Answers>(listener: Taken, mut signals: Signals, door: &Door<A>) {
    let slots = Arc::new(Semaphore::new(limits::CONNECTIONS));
    let (stop, stopping) = watch::channel(false);
    {
        let accept = async {
            loop {
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else {
                    return;
                };
                accept_one(&listener, slot, &door.answers, &stopping).await;
            }
        };
        tokio::select! {
            () = accept => {}
            () = signals.stopped(&door.answers) => {}
        }
    }
    drop(listener);
    tell(&door.say, Said::Note("stopping".to_owned()));
    door.answers.stopping();
    // Whoever waits for it is gone only where nobody is connected.
    let _ = stop.send(true);
    let all = u32::try_from(limits::CONNECTIONS).unwrap_or(u32::MAX);
    let drained = timeout(
        Duration::from_millis(limits::DRAIN_MILLIS),
        slots.acquire_many(all),
    )
    .await;
    if drained.is_err() {
        tell(
            &door.say,
            Said::Warning("some requests did not end in time and got no answer".to_owned()),
        );
    }
}

async fn accept_one<A: Answers>(
    listener: &Taken,
    slot: OwnedSemaphorePermit,
    answers: &Arc<A>,
    stopping: &watch::Receiver<bool>,
) {
    let accepted = match listener {
        Taken::Unix(listener) => listener.accept().await.map(|(stream, _)| {
            tokio::spawn(connection(stream, slot, Arc::clone(answers), stopping.clone()));
        }),
        Taken::Tcp(listener, tls) => listener.accept().await.map(|(stream, _)| {
            // Only answers are sent, each in one piece.
            let _ = stream.set_nodelay(true);
            let (answers, stopping) = (Arc::clone(answers), stopping.clone());
            match tls.clone() {
                None => tokio::spawn(connection(stream, slot, answers, stopping)),
                Some(tls) => tokio::spawn(encrypted(tls, stream, slot, answers, stopping)),
            };
        }),
    };
    if accepted.is_err() {
        sleep(Duration::from_millis(limits::ACCEPT_MILLIS)).await;
    }
}

/// The same once a connection is encrypted. Whoever does not get so far is not answered, and counted.
async fn encrypted<A: Answers>(
    tls: Tls,
    stream: TcpStream,
    slot: OwnedSemaphorePermit,
    answers: Arc<A>,
    mut stopping: watch::Receiver<bool>,
) {
    let stream = tokio::select! {
        stream = tls.accept(stream) => stream,
        _ = stopping.changed() => return,
    };
    match stream {
        Ok(stream) => connection(stream, slot, answers, stopping).await,
        Err(code) => answers.metrics().refused(code),
    }
}

/// Answers the requests of one connection.
async fn connection<A: Answers>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    slot: OwnedSemaphorePermit,
    answers: Arc<A>,
    mut stopping: watch::Receiver<bool>,
) {
    let service = service_fn(move |request| {
        let answers = Arc::clone(&answers);
        async move { Ok::<_, Infallible>(answers.answer(request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(Duration::from_millis(limits::REQUEST_HEAD_MILLIS))
            .max_buf_size(limits::REQUEST_HEAD_BYTES)
            .max_headers(limits::REQUEST_HEADERS)
            .serve_connection(TokioIo::new(stream), service)
    );
    // A connection that fails has nobody to tell.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(slot);
}
