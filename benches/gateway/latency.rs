//! How long a call takes: directly, through the gateway, and through relays that do not judge; by turns, in one run.

use crate::connection::{Pipe, Web, call};
use crate::number;
use crate::place::{GAIT, Place, Program, everything, own_server, port};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const POLICY: &str = "gaitpol 1\npolicy bench.echo\ndefault block code none\n\
    tool s.echo { message: String[max 200] }\nrule all on s.echo when args.message starts_with \"hi\" allow\n";

/// What the calls go over.
enum Over {
    Pipe(Pipe),
    Web(Web),
}

/// One way to the server, and what it took.
struct Way {
    name: String,
    over: Over,
    /// What stands on the way, for as long as it is used.
    _started: Option<Program>,
    times: Vec<Duration>,
}

impl Way {
    fn piped(name: &str, place: &Place, command: &[String]) -> Way {
        let over = Over::Pipe(Pipe::start(place.path(), command));
        Way {
            name: name.to_owned(),
            over,
            _started: None,
            times: Vec::new(),
        }
    }

    fn at(name: &str, port: u16, started: Program) -> Way {
        let web = Web::connect(port, true).expect("it answers");
        Way {
            name: name.to_owned(),
            over: Over::Web(web),
            _started: Some(started),
            times: Vec::new(),
        }
    }

    fn ask(&mut self, request: &Value) {
        let begun = Instant::now();
        let answer = match &mut self.over {
            Over::Pipe(pipe) => pipe.ask(request),
            Over::Web(web) => web.ask(request).expect("an answer").message,
        };
        self.times.push(begun.elapsed());
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or("");
        assert!(text.contains("hi there"), "{}: {answer}", self.name);
    }
}

/// Prints a table for each server. In: calls over each way.
pub fn run(calls: u64) {
    let place = Place::new(POLICY);
    let log = place.path().join("calls").to_str().expect("text").to_owned();
    println!("| server | client | way | p50 | p99 | more than directly, p50 |\n|---|---|---|---|---|---|");
    let mut servers = vec![("the bench's own", own_server(&log))];
    if let Some(mut command) = everything() {
        command.push("stdio".to_owned());
        servers.push(("server-everything", command));
    }
    for (name, server) in &servers {
        let ways = vec![
            Way::piped("direct", &place, server),
            Way::piped("`gait mcp proxy`", &place, &proxied(server)),
        ];
        table((name, "pipes"), ways, calls);
        let behind = format!("command = {}", json!(server));
        let mut ways = vec![
            Way::piped("direct, over pipes", &place, server),
            before(&place, &behind, "`gait mcp serve` before pipes"),
        ];
        ways.extend(relays(&place, server));
        table((name, "HTTP"), ways, calls);
    }
    if let Some(mut command) = everything() {
        command.push("streamableHttp".to_owned());
        let port = port();
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let server = place.listening(&command, port);
        let behind = format!("url = \"http://127.0.0.1:{port}/mcp\"");
        let ways = vec![
            Way::at("direct", port, server),
            before(&place, &behind, "`gait mcp serve` before an address"),
        ];
        table(("server-everything", "HTTP"), ways, calls);
    }
}

fn proxied(server: &[String]) -> Vec<String> {
    let args = ["mcp", "proxy", "--bundle", "b.gaitbundle", "--server", "s", "--"];
    let gait = std::iter::once(GAIT).chain(args).map(str::to_owned);
    gait.chain(server.iter().cloned()).collect()
}

fn before(place: &Place, server: &str, name: &str) -> Way {
    let port = port();
    let gateway = place.gateway(server, port);
    Way::at(name, port, gateway)
}

/// Relays that listen on a port and start the server themselves, each by its own command line.
fn relays(place: &Place, server: &[String]) -> Vec<Way> {
    let programs = std::env::var("GAIT_MCP_RELAYS").unwrap_or_default();
    let programs = programs.split(':').filter(|program| !program.is_empty());
    programs.map(|program| relay(place, server, program)).collect()
}

fn relay(place: &Place, server: &[String], program: &str) -> Way {
    let (port, joined) = (port(), server.join(" "));
    let text = port.to_string();
    let name = program.rsplit('/').next().unwrap_or(program);
    let command: Vec<&str> = if name == "supergateway" {
        let means = [
            "--outputTransport",
            "streamableHttp",
            "--stateful",
            "--port",
            &text,
        ];
        [&[program, "--stdio", &joined], &means[..]].concat()
    } else {
        let server: Vec<&str> = server.iter().map(String::as_str).collect();
        [&[program, "--port", &text, "--"], &server[..]].concat()
    };
    let relay = place.listening(&command, port);
    Way::at(&format!("{name} before pipes"), port, relay)
}

fn table((server, client): (&str, &str), mut ways: Vec<Way>, calls: u64) {
    let warm = number("--warm").unwrap_or(100);
    for id in 1..=warm + calls {
        let request = call(id, "echo", &json!({"message": format!("hi there, {id}")}));
        for way in &mut ways {
            way.ask(&request);
        }
    }
    let mut direct = 0;
    for way in &mut ways {
        let times = &mut way.times.split_off(warm as usize);
        times.sort_unstable();
        let at = |share: usize| times[(times.len() - 1) * share / 100].as_micros();
        let (middle, high) = (at(50), at(99));
        let more = if direct == 0 {
            direct = middle;
            String::new()
        } else {
            shown(middle.saturating_sub(direct))
        };
        println!(
            "| {server} | {client} | {} | {} | {} | {more} |",
            way.name,
            shown(middle),
            shown(high)
        );
    }
}

fn shown(micros: u128) -> String {
    format!("{}.{:03} ms", micros / 1_000, micros % 1_000)
}
