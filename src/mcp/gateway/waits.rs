//! Calls that wait for people. In: a call, and who makes it. Out: an address for people where the client shows them one, and otherwise words for
//! the model. It must not know whether anybody has approved.

use super::Gateway;
use super::passing::OWN_REQUEST;
use super::sender::Sender;
use super::wire::{capabilities_of, opens_urls};
use crate::boundary::Written;
use crate::json::Json;
use crate::mcp::frame::{self, Message};
use crate::mcp::method::Class;
use crate::mcp::revision::Revision;
use crate::mcp::told;

/// The code of an error that people can do something about at an address (2025-11-25).
const URL_REQUIRED: i64 = -32042;

impl Gateway {
    /// The answer to a call that waits for people. A client that shows them an address is given one the first time; whatever it says of what
    /// they did there counts for nothing, since only a signed approval does.
    pub(super) fn waits(&self, message: &Message, id: &Json, from: &Sender, written: &Written) -> Json {
        let told = || told::stopped(message, Class::Call, id, written);
        let Ok(page) = self.pages.of(written) else {
            return told();
        };
        let text = format!(
            "The call of {} waits for an approval",
            written.recorded.record.tool
        );
        let params = |more: Option<(&'static str, Json)>| {
            let own = [
                ("mode", Json::str("url")),
                ("message", Json::str(&text)),
                ("url", Json::str(&page.url)),
            ];
            Json::object(own.into_iter().chain(more))
        };
        match from {
            Sender::Anybody(_)
                if opens_urls(capabilities_of(message)) && message.param("inputResponses").is_none() =>
            {
                let asked = Json::object([
                    ("method", Json::str("elicitation/create")),
                    ("params", params(None)),
                ]);
                let result = Json::object([
                    ("resultType", Json::str("input_required")),
                    ("inputRequests", Json::object([(OWN_REQUEST, asked)])),
                ]);
                frame::result(id, result)
            }
            Sender::Client(client)
                if client.opens_urls && client.revision == Revision::V2025_11_25 && !page.is_known =>
            {
                let name = ("elicitationId", Json::str(&page.name));
                let all = Json::Array(vec![params(Some(name))]);
                let data = Json::object([("elicitations", all)]);
                frame::error(id, URL_REQUIRED, &text, Some(data))
            }
            _ => told(),
        }
    }
}
