//! The Model Context Protocol: a gateway between a client and its server that lets through what the gate allows. In: a command that
//! starts a server of the stdio transport, and what calls are judged with. Out: the same conversation, without the calls that must
//! not run. Neither side knows of it.

mod asks;
mod call;
pub mod clients;
mod frame;
mod fresh;
mod gate;
#[cfg(all(feature = "serve", unix))]
pub mod gateway;
mod list;
mod method;
pub mod pins;
mod relay;
pub mod revision;
mod rounds;
mod tasks;
mod told;
mod upstream;
mod views;
mod watch;
#[cfg(all(feature = "serve", unix))]
mod web;

pub use call::{Caller, RESERVED};
pub use gate::{IDENTITY, Keeps, PRINCIPAL, Session, Setup};
pub use list::{List, ListError};
pub use relay::Kept;
pub use upstream::{AskError, is_program, program};

use crate::host::{Around, HostError, Os};
#[cfg(all(feature = "serve", unix))]
use crate::http::Target;
use crate::json::Json;
use crate::limits;
use frame::Line;
use gate::Gatekeeper;
#[cfg(all(feature = "serve", unix))]
use hyper::header::HeaderValue;
use relay::Relay;
use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::Duration;
use upstream::Upstream;
#[cfg(all(feature = "serve", unix))]
use web::Web;

/// Why the gateway ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProxyError {
    /// The server did not start.
    #[error("the server does not start: {0}")]
    Start(HostError),
    /// The server ended before the client did.
    #[error("the server has ended: {status}")]
    ServerEnded {
        /// How.
        status: String,
    },
}

/// Which side has ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ended {
    Client,
    Server,
}

/// The name of a session that nobody named.
pub fn session_name(nonce: &str) -> String {
    format!("mcp-{}", nonce.get(..16).unwrap_or_default())
}

/// What the tools of a server are: it is started, asked, and stopped. None of them is called.
pub fn tools(command: &[OsString], around: &Around<'_>) -> Result<List, ListError<AskError>> {
    let server = Upstream::start(command, around, (Arc::new(|_| {}), &Json::Object(Vec::new())))?;
    let listed = server.tools();
    server.stop();
    listed
}

/// The same of a server that is asked at an address of this machine.
#[cfg(all(feature = "serve", unix))]
pub fn tools_at(target: Target, token: Option<HeaderValue>) -> Result<List, ListError<AskError>> {
    let server = Upstream::at(Web::new(target, token), &Json::Object(Vec::new()))?;
    let listed = server.tools();
    server.stop();
    listed
}

/// Starts a server and stands between it and the client at standard input and output, until one of them ends.
pub fn proxy(setup: Setup, kept: Kept, command: &[OsString], around: &Around<'_>) -> Result<(), ProxyError> {
    let (mut child, (input, output)) = Os.start(command, around).map_err(ProxyError::Start)?;
    let client = Box::new(std::io::stdout());
    let relay = Arc::new(Relay::new(
        Gatekeeper::new(setup),
        kept,
        Some(client),
        Some(Box::new(input)),
    ));
    let (ended, first) = channel();
    let (of_client, of_server) = (ended.clone(), ended);
    let (left, right) = (relay.clone(), relay.clone());
    thread::spawn(move || {
        let mut input = BufReader::new(std::io::stdin());
        read(&mut input, &mut |line| match line {
            Some(line) => left.client_says(line),
            None => left.too_long(limits::MCP_MESSAGE_BYTES),
        });
        left.client_ended();
        end(&of_client, Ended::Client);
    });
    thread::spawn(move || {
        read(&mut BufReader::new(output), &mut |line| match line {
            Some(line) => right.server_says(line),
            None => right.unreadable(),
        });
        right.server_ended();
        end(&of_server, Ended::Server);
    });
    let wait = limits::MCP_DRAIN_MILLIS;
    match first.recv() {
        Ok(Ended::Client) => {
            // What it has begun it may finish.
            let _ = first.recv_timeout(Duration::from_millis(wait));
            child.stop(wait);
            Ok(())
        }
        _ => Err(ProxyError::ServerEnded {
            status: child.stop(wait),
        }),
    }
}

fn end(to: &Sender<Ended>, which: Ended) {
    // Where nobody waits any more, nobody needs to know.
    let _ = to.send(which);
}

/// Reads lines until there are no more; what is too long is none.
fn read(input: &mut dyn BufRead, each: &mut dyn FnMut(Option<&[u8]>)) {
    loop {
        match frame::read_line(input, limits::MCP_MESSAGE_BYTES) {
            Ok(Line::Whole(line)) if line.is_empty() => {}
            Ok(Line::Whole(line)) => each(Some(&line)),
            Ok(Line::TooLong) => each(None),
            Ok(Line::End) | Err(_) => return,
        }
    }
}
