//! From a request of the protocol to an intent. The protocol says what is to run and with which arguments; who asks, and where, says
//! whoever started the gateway, and nothing in the message.

use super::frame::Message;
use super::method::Class;
use crate::artifact::jcs;
use crate::domain::Intent;
use crate::domain::traceparent::is_traceparent;
use crate::gate::IntentError;
use crate::json::Json;

/// A message says nothing of when it was written. Always the same time, so that the same call is the same intent when it is made again.
const CREATED: &str = "1970-01-01T00:00:00Z";

/// Who asks, and where.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Before the names of the server's tools, with a dot; none where they stand alone.
    pub server: Option<String>,
    /// Who asks.
    pub identity: String,
    /// The folder that relative paths are in.
    pub workspace: String,
    /// What a third party that the host believes says of who asks; none where nobody was asked.
    pub principal: Option<Json>,
}

impl Caller {
    /// A tool of the server, as the policy calls it.
    pub fn tool(&self, name: &str) -> String {
        match &self.server {
            Some(server) => format!("{server}.{name}"),
            None => name.to_owned(),
        }
    }

    /// The same place with somebody of whom an authorization server says who it is.
    #[cfg(all(feature = "serve", unix))]
    pub fn known(self, principal: &crate::http::oauth::Principal) -> Caller {
        Caller {
            identity: principal.subject.clone(),
            principal: Some(principal.fact()),
            ..self
        }
    }

    /// The same caller before another server.
    #[cfg(all(feature = "serve", unix))]
    pub fn of(&self, server: &str) -> Caller {
        Caller {
            server: Some(server.to_owned()),
            ..self.clone()
        }
    }
}

/// What stands before the names by which the gateway judges what is no call of a tool.
pub const RESERVED: &str = "mcp";

/// Whether no tool of a server may have this name in a policy.
pub fn is_reserved(tool: &str) -> bool {
    tool.split('.').next() == Some(RESERVED)
}

/// Why a request is no call.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum NoCall {
    /// A parameter is missing or of another type.
    #[error("`{0}` is missing, or of another type")]
    Param(&'static str),
    /// The name is one by which the gateway judges something else.
    #[error("`{0}` is no name of a tool: what begins with `mcp.` is the gateway's own")]
    Reserved(String),
    /// It cannot be judged.
    #[error("{0}")]
    Intent(#[from] IntentError),
}

/// Where the request stands in a distributed trace; none where it does not say, or says it in another way (W3C Trace Context, 3.2: what
/// cannot be read is left out).
pub fn traceparent(message: &Message) -> Option<String> {
    let text = message.param("_meta")?.get("traceparent")?.as_str()?;
    is_traceparent(text).then(|| text.to_owned())
}

/// The intent of a request that is judged; none where it is not.
pub fn intent(message: &Message, class: Class, caller: &Caller) -> Result<Option<Intent>, NoCall> {
    let (tool, args) = match class {
        Class::Call => {
            let name = message
                .param("name")
                .and_then(Json::as_str)
                .ok_or(NoCall::Param("name"))?;
            let args = match message.param("arguments") {
                None => Json::Object(Vec::new()),
                Some(args @ Json::Object(_)) => args.clone(),
                Some(_) => return Err(NoCall::Param("arguments")),
            };
            let tool = caller.tool(name);
            if is_reserved(&tool) {
                return Err(NoCall::Reserved(tool.escape_debug().to_string()));
            }
            (tool, args)
        }
        Class::Judged(tool, params) => {
            let args = params
                .iter()
                .filter_map(|name| Some((*name, message.param(name)?.clone())));
            (tool.to_owned(), Json::object(args))
        }
        Class::Pass | Class::Task | Class::Refused => return Ok(None),
    };
    let mut context = vec![
        ("identity", Json::str(&caller.identity)),
        ("workspace", Json::str(&caller.workspace)),
        ("risk_class", Json::str("unspecified")),
    ];
    // Whoever approves sees by which client somebody asks, and approves it for that one.
    context.extend(
        caller
            .principal
            .clone()
            .map(|principal| ("auth_context", principal)),
    );
    let document = Json::object([
        ("schema_id", Json::str("gait.gate.intent_request")),
        ("schema_version", Json::str("1.0.0")),
        ("created_at", Json::str(CREATED)),
        ("producer_version", Json::str(env!("CARGO_PKG_VERSION"))),
        ("tool_name", Json::str(tool)),
        ("args", args),
        ("targets", Json::Array(Vec::new())),
        ("context", Json::object(context)),
    ]);
    Ok(Some(Intent::read(&jcs::to_vec(&document))?))
}
