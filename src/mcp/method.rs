//! What is done with each method: passed on, judged first, or refused. A method that is not listed is refused, so a new one of
//! the protocol does nothing until somebody has thought about it.

/// What is done with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It asks for nothing that acts.
    Pass,
    /// A tool is to run.
    Call,
    /// It is about a task, which must be of whoever asks.
    Task,
    /// It is judged as the call of this tool, with these of its parameters, or of what is seen of it (`views`), as arguments.
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
        "completion/complete" => Class::Judged("mcp.completion", &["ref", "argument", "context"]),
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
        | "tasks/list" => Class::Pass,
        "tasks/get" | "tasks/result" | "tasks/update" | "tasks/cancel" => Class::Task,
        _ => Class::Refused,
    }
}

/// Requests of a server.
pub fn of_server(method: &str) -> Class {
    match method {
        "ping" | "roots/list" => Class::Pass,
        "sampling/createMessage" => Class::Judged(
            "mcp.sampling",
            &[
                "server",
                "messages",
                "systemPrompt",
                "includeContext",
                "maxTokens",
                "tools",
            ],
        ),
        "elicitation/create" => Class::Judged(
            "mcp.elicitation",
            &["server", "mode", "message", "properties", "url"],
        ),
        _ => Class::Refused,
    }
}

/// What clients answer to requests of a server.
pub fn of_answer(method: &str) -> Class {
    match method {
        "sampling/createMessage" => Class::Judged(
            "mcp.sampling_answer",
            &["server", "role", "model", "stopReason", "content"],
        ),
        "elicitation/create" => Class::Judged("mcp.elicitation_answer", &["server", "action", "content"]),
        "roots/list" => Class::Judged("mcp.roots_answer", &["server", "roots"]),
        _ => Class::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every request of the revisions from 2024-11-05 to 2026-07-28, as their schemas list them: what is done with it when a client
    /// sends it, and when a server does.
    #[test]
    fn every_request_of_the_protocol_has_its_class() {
        use Class::{Call, Pass, Refused, Task};
        let judged = |class: Class| matches!(class, Class::Judged(..));
        for (method, client, server) in [
            ("initialize", Some(Pass), Some(Refused)),
            ("server/discover", Some(Pass), Some(Refused)),
            ("ping", Some(Pass), Some(Pass)),
            ("tools/list", Some(Pass), Some(Refused)),
            ("tools/call", Some(Call), Some(Refused)),
            ("resources/list", Some(Pass), Some(Refused)),
            ("resources/templates/list", Some(Pass), Some(Refused)),
            ("resources/read", None, Some(Refused)),
            ("resources/subscribe", Some(Pass), Some(Refused)),
            ("resources/unsubscribe", Some(Pass), Some(Refused)),
            ("prompts/list", Some(Pass), Some(Refused)),
            ("prompts/get", None, Some(Refused)),
            ("completion/complete", None, Some(Refused)),
            ("logging/setLevel", Some(Pass), Some(Refused)),
            ("subscriptions/listen", Some(Pass), Some(Refused)),
            ("tasks/get", Some(Task), Some(Refused)),
            ("tasks/list", Some(Pass), Some(Refused)),
            ("tasks/result", Some(Task), Some(Refused)),
            ("tasks/cancel", Some(Task), Some(Refused)),
            ("tasks/update", Some(Task), Some(Refused)),
            ("sampling/createMessage", Some(Refused), None),
            ("elicitation/create", Some(Refused), None),
            ("roots/list", Some(Refused), Some(Pass)),
            ("tools/call ", Some(Refused), Some(Refused)),
            ("Tools/Call", Some(Refused), Some(Refused)),
            ("notifications/message", Some(Refused), Some(Refused)),
            ("", Some(Refused), Some(Refused)),
        ] {
            for (found, expected) in [(of_client(method), client), (of_server(method), server)] {
                match expected {
                    Some(expected) => assert_eq!(found, expected, "{method}"),
                    None => assert!(judged(found), "{method}"),
                }
            }
            // What a server may ask for is answered, and the answer is judged.
            let is_asked = method != "ping" && server != Some(Refused);
            assert_eq!(judged(of_answer(method)), is_asked, "{method}");
        }
    }
}
