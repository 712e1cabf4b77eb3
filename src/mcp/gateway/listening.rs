//! Listening to a server that says what is otherwise as the answer to a request that it does not end. In: what is wanted, and who hears it. Out:
//! what the server says, until it is told to stop.

use super::catalog::Offer;
use super::listeners::{ACKNOWLEDGED, UPDATED, Wants};
use crate::host::{Host, Os};
use crate::json::Json;
use crate::limits;
use crate::mcp::asks::Asks;
use crate::mcp::frame::{self, Kind, Message};
use crate::mcp::list;
use crate::mcp::upstream::{AskError, Heard, Upstream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tokio::sync::Notify;

/// What ends the listening to a server.
#[derive(Default)]
pub struct Stop {
    is_over: AtomicBool,
    wakes: Notify,
}

impl Stop {
    /// Listens no more.
    pub fn stop(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.wakes.notify_one();
    }

    /// Listens until it is told to stop, or the server has ended or does not take it. Once it does, `before` ends, and `taken` is told.
    pub fn listen(
        &self,
        upstream: &Upstream,
        wants: &Wants,
        (before, taken): (Option<Arc<Stop>>, SyncSender<()>),
        heard: &Heard,
    ) {
        let ends = || before.iter().for_each(|before| before.stop());
        let mut taken = Some(taken);
        let mut pause = limits::MCP_RESTART_MILLIS;
        let mut was_lost = false;
        loop {
            let begun = Os.now();
            let mut is_taken = false;
            let mut told = |message: &Message| {
                if matches!(&message.kind, Kind::Notification(method) if method == ACKNOWLEDGED) {
                    ends();
                    is_taken = true;
                    // Whoever waited may have given up.
                    let _ = taken.take().map(|taken| taken.try_send(()));
                    if was_lost {
                        all_changed(wants, heard);
                    }
                }
                heard(message);
                None
            };
            let ended = upstream.asks(Asks {
                method: "subscriptions/listen",
                params: Json::object([("notifications", wants.to_json())]),
                said: None,
                headers: Vec::new(),
                heard: Some(&mut told),
                is_asked: false,
                wait: limits::MCP_LISTEN_MILLIS,
                stop: Some(&self.wakes),
            });
            ends();
            taken = None;
            // A stream that ended has the status 200.
            let is_refused = match ended {
                Err(AskError::Refused { .. }) => true,
                Err(AskError::Status { status, .. }) => (400..500).contains(&status),
                _ => false,
            };
            let is_over = || self.is_over.load(Ordering::Relaxed) || upstream.has_ended();
            if is_refused || is_over() {
                return;
            }
            if is_taken {
                was_lost = true;
                all_changed(wants, heard);
            }
            // A server that does not stay is asked less and less often.
            let lasted = Os.now().as_millisecond().saturating_sub(begun.as_millisecond());
            let (_to, wait) = std::sync::mpsc::channel::<()>();
            let _ = wait.recv_timeout(Duration::from_millis(pause.unsigned_abs()));
            pause = match lasted < limits::MCP_LIST_MILLIS {
                true => pause.saturating_mul(2).min(limits::MCP_LIST_MILLIS),
                false => limits::MCP_RESTART_MILLIS,
            };
            if is_over() {
                return;
            }
        }
    }
}

/// What was otherwise while nobody listened nobody has said, so everything may be.
fn all_changed(wants: &Wants, heard: &Heard) {
    let lists = [
        list::CHANGED,
        Offer::Resources.changed(),
        Offer::Prompts.changed(),
    ];
    let lists = lists.map(|method| (method, frame::notification(method)));
    let of = |uri| {
        let params = [("uri", Json::str(uri))];
        (UPDATED, frame::notification_of(UPDATED, params))
    };
    for (method, json) in lists.into_iter().chain(wants.uris.iter().map(of)) {
        let kind = Kind::Notification(method.to_owned());
        heard(&Message { json, kind });
    }
}
