//! Requests for what servers offer beside tools: lists, resources, prompts and completions. In: a request, and who asks. Out: its answer, once it was
//! judged where it reads something; what comes of it is passed on as it is.

use super::catalog::{Behind, COMPLETIONS, Offer, PROMPTS, RESOURCES};
use super::events::Events;
use super::passing::{Going, NoResult};
use super::sender::Sender;
use super::server::CallError;
use super::wire::{complete, of_revision, with_name, with_name_in};
use super::{Gateway, Reply};
use crate::json::Json;
use crate::mcp::frame::{self, INVALID_PARAMS, Message, REFUSED};
use crate::mcp::method;
use crate::mcp::upstream::AskError;

/// The code of a resource that is not there, in the revisions with sessions.
const NO_RESOURCE: i64 = -32002;

/// A request that reads something, and where it goes.
struct Reads<'a> {
    method: &'static str,
    behind: Behind<'a>,
    /// As it is judged: what it names, with the server before it, as in policies.
    judged: Message,
    /// As the server knows it.
    passed: Json,
}

impl Gateway {
    /// The answer to a request for what servers offer beside tools; none where nobody offers it.
    pub(super) fn offered(
        &self,
        message: &Message,
        id: &Json,
        (from, events, method): (&Sender, &Events<'_>, &str),
    ) -> Option<Reply> {
        let says = |json| Some(Reply::Says(200, json, None));
        if let Some(offer) = Offer::of_method(method) {
            return match (self.offers(offer.capability()), message.param("cursor")) {
                (false, _) => None,
                (true, Some(_)) => says(frame::error(id, INVALID_PARAMS, "the list has one page", None)),
                (true, None) => says(self.catalogued(message, id, offer)),
            };
        }
        let reads = match method {
            "resources/read" if self.offers(RESOURCES) => self.resource(message, id),
            "prompts/get" if self.offers(PROMPTS) => self.prompt(message, id),
            "completion/complete" if self.offers(COMPLETIONS) => self.completion(message, id),
            _ => return None,
        };
        says(match reads {
            Ok(reads) => self.read(&reads, id, (from, events)),
            Err(refused) => refused,
        })
    }

    fn catalogued(&self, message: &Message, id: &Json, offer: Offer) -> Json {
        let mut result = vec![(offer.member(), Json::Array(self.catalog(offer)))];
        if frame::revision(message).is_some() {
            result.extend(complete());
        }
        frame::result(id, Json::object(result))
    }

    fn resource(&self, message: &Message, id: &Json) -> Result<Reads<'_>, Json> {
        let uri = text(message, id, "uri")?;
        let behind = self.owner(uri).ok_or_else(|| {
            let code = match frame::revision(message) {
                Some(_) => INVALID_PARAMS,
                None => NO_RESOURCE,
            };
            let data = Json::object([("uri", Json::str(uri))]);
            frame::error(id, code, "no server has this resource", Some(data))
        })?;
        Ok(Reads {
            method: "resources/read",
            behind,
            judged: message.clone(),
            passed: message.json.clone(),
        })
    }

    fn prompt(&self, message: &Message, id: &Json) -> Result<Reads<'_>, Json> {
        let wire = text(message, id, "name")?;
        let (behind, own) = self.meant(wire).ok_or_else(|| no_prompt(id))?;
        let named = |name: &str| with_name(&message.json, name);
        Ok(Reads {
            method: "prompts/get",
            behind,
            judged: Message {
                json: named(&self.gate.setup().caller.of(behind.0).tool(own)),
                kind: message.kind.clone(),
            },
            passed: named(own),
        })
    }

    /// A completion is of the server whose prompt or template it is about.
    fn completion(&self, message: &Message, id: &Json) -> Result<Reads<'_>, Json> {
        let method = "completion/complete";
        let about = message.param("ref");
        let of = |name: &str| about.and_then(|about| about.get(name)?.as_str());
        if let (Some("ref/resource"), Some(uri)) = (of("type"), of("uri")) {
            let behind = self
                .owner_of_all(uri)
                .ok_or_else(|| frame::error(id, INVALID_PARAMS, "no server has this template", None))?;
            return Ok(Reads {
                method,
                behind,
                judged: message.clone(),
                passed: message.json.clone(),
            });
        }
        let (Some("ref/prompt"), Some(wire)) = (of("type"), of("name")) else {
            let why = "`ref` is missing, or is about no prompt and no template";
            return Err(frame::error(id, INVALID_PARAMS, why, None));
        };
        let (behind, own) = self.meant(wire).ok_or_else(|| no_prompt(id))?;
        let named = |name: &str| with_name_in(&message.json, "ref", name);
        Ok(Reads {
            method,
            behind,
            judged: Message {
                json: named(&self.gate.setup().caller.of(behind.0).tool(own)),
                kind: message.kind.clone(),
            },
            passed: named(own),
        })
    }

    /// Judges a request and passes it on.
    fn read(&self, reads: &Reads<'_>, id: &Json, (from, events): (&Sender, &Events<'_>)) -> Json {
        let going = Going {
            behind: reads.behind,
            method: reads.method,
            tool: None,
            judged: (&reads.judged, method::of_client(reads.method)),
            id,
            params: reads.passed.get("params").cloned().unwrap_or(Json::Null),
            from,
            events,
        };
        let judged = match self.resumed(going.judged, reads.behind.0, from) {
            Err(error) => return frame::failed(id, error),
            Ok(Some(judged)) => judged,
            Ok(None) => {
                let answer = self.decided(going.judged, reads.behind.0, id, from);
                match answer.refused {
                    Some(refused) => return refused,
                    None => (answer.going, None),
                }
            }
        };
        let wants = || {
            frame::error(
                id,
                REFUSED,
                "the server wants more than the gateway passes on",
                None,
            )
        };
        match self.exchange(&going, judged) {
            Ok(result) => {
                let stateless = frame::revision(&reads.judged).is_some();
                let result = of_revision(result, stateless, reads.method == "resources/read");
                result.map_or_else(wants, |result| frame::result(id, result))
            }
            Err(NoResult::Wants) => wants(),
            Err(NoResult::Refused(error)) => frame::failed(id, error),
            Err(NoResult::Stopped(answer)) => answer,
            Err(NoResult::Failed(CallError::Ask(AskError::Refused { error, .. }))) => {
                frame::failed(id, error)
            }
            Err(NoResult::Failed(CallError::Ask(error))) => {
                self.metrics.refused(error.code());
                frame::error(id, REFUSED, &error.to_string(), None)
            }
            Err(NoResult::Failed(CallError::Unpinned(why))) => self.unpinned(&reads.judged, id, why),
        }
    }
}

fn no_prompt(id: &Json) -> Json {
    frame::error(id, INVALID_PARAMS, "there is no prompt of this name", None)
}

fn text<'m>(message: &'m Message, id: &Json, name: &'static str) -> Result<&'m str, Json> {
    message.param(name).and_then(Json::as_str).ok_or_else(|| {
        let why = format!("`{name}` is missing, or of another type");
        frame::error(id, INVALID_PARAMS, &why, None)
    })
}
