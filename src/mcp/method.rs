//! What is done with each method: passed on, judged first, or refused. A method that is not listed is refused, so a new one of
//! the protocol does nothing until somebody has thought about it.

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It asks for nothing that acts.
    Pass,
    /// A tool is to run.
    Call,
    /// It is judged as the call of this tool, with these of its parameters as arguments.
    Judged(&'static str, &'static [&'static str]),
    /// It is not let through.
    Refused,
}

/// Requests of a client.
pub fn of_client(method: &str) -> Class {
    match method {
        "tools/call" => Class::Call,
        "resources/read" => Class::Judged("mcp.resource", &["uri"]),
        "prompts/get" => Class::Judged("mcp.prompt", &["name", "arguments"]),
        "completion/complete" => Class::Judged("mcp.completion", &["ref", "argument"]),
        "initialize"
        | "server/discover"
        | "ping"
        | "tools/list"
        | "resources/list"
        | "resources/templates/list"
        | "resources/subscribe"
        | "resources/unsubscribe"
        | "prompts/list"
        | "logging/setLevel"
        | "subscriptions/listen"
        | "tasks/get"
        | "tasks/list"
        | "tasks/result"
        | "tasks/cancel" => Class::Pass,
        _ => Class::Refused,
    }
}

/// Requests of a server.
pub fn of_server(method: &str) -> Class {
    match method {
        "ping" | "roots/list" => Class::Pass,
        "sampling/createMessage" => Class::Judged("mcp.sampling", &[]),
        "elicitation/create" => Class::Judged("mcp.elicitation", &["message"]),
        _ => Class::Refused,
    }
}
