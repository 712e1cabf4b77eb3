//! Requests of the gateway to a server: what they say, who hears what comes before the answer, and how long that is waited for.

use super::frame::Message;
use crate::json::Json;

/// Who hears what a server tells of a request before it answers, and answers what it asks for.
pub type Told<'h> = dyn FnMut(&Message) -> Option<Json> + 'h;

/// A request to a server.
pub struct Asks<'a> {
    /// The method.
    pub method: &'static str,
    /// Its parameters.
    pub params: Json,
    /// What it says of itself beside what each request says, in the revision without sessions.
    pub said: Option<&'a Json>,
    /// Arguments that headers say, by their names there.
    pub headers: Vec<(String, String)>,
    /// Who hears what the server tells of it before it answers, and answers what it asks for.
    pub heard: Option<&'a mut Told<'a>>,
    /// Whether the server may ask for something before it answers.
    pub is_asked: bool,
    /// How many milliseconds its answer is waited for.
    pub wait: u64,
    /// What ends the wait before.
    #[cfg(all(feature = "serve", unix))]
    pub stop: Option<&'a tokio::sync::Notify>,
}

/// What carries a request: its id, itself, and what goes with it.
pub struct Carried<'a, 'h> {
    /// The id.
    pub id: Json,
    /// The method.
    pub method: &'static str,
    /// The whole message.
    pub request: Json,
    /// Arguments that headers say.
    pub headers: &'a [(String, String)],
    /// Who hears what the server tells of it before it answers, and answers what it asks for.
    pub heard: Option<&'a mut Told<'h>>,
    /// Whether the server may ask for something before it answers.
    pub is_asked: bool,
    /// How many milliseconds its answer is waited for.
    pub wait: u64,
    /// What ends the wait before.
    #[cfg(all(feature = "serve", unix))]
    pub stop: Option<&'a tokio::sync::Notify>,
}
