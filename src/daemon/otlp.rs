//! A decision as OpenTelemetry tells it (OTLP 1, JSON encoding): a span, and a record of a log. In: the record of a trace, when it was begun and
//! how long it took. Out: documents for a collector. No argument, no fact and no text that a caller made up is in them, but the tool's name.

use crate::artifact::{TraceRecord, digest, jcs};
use crate::domain::Verdict;
use crate::json::Json;
use jiff::Timestamp;
use std::time::Duration;

/// A span of who answers a request (`SPAN_KIND_SERVER`).
const SERVER: i64 = 2;
/// How much a record of a log matters: that a call was allowed, and that it was not.
const SEVERITIES: [(i64, &str); 2] = [(9, "INFO"), (13, "WARN")];

/// What is told of a decision.
#[derive(Debug)]
pub struct Seen {
    trace: String,
    span: String,
    parent: Option<String>,
    /// Whether whoever began the trace wants its spans.
    pub is_sampled: bool,
    /// In nanoseconds since 1970.
    begun: i128,
    ended: i128,
    verdict: Verdict,
    attributes: Vec<Json>,
}

impl Seen {
    /// What is told of a decision. Where it stands in no distributed trace, it begins one.
    pub fn of(record: &TraceRecord, begun: Timestamp, took: Duration) -> Seen {
        let own = digest::sha256(record.trace_id.as_bytes());
        let hex = |from: usize, many: usize| -> String {
            let bytes = own.as_bytes().iter().skip(from).take(many);
            bytes.map(|byte| format!("{byte:02x}")).collect()
        };
        let said: Vec<&str> = record.traceparent.iter().flat_map(|at| at.split('-')).collect();
        let (trace, parent, is_sampled) = match said.as_slice() {
            [_, trace, parent, flags] => {
                let is_sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
                ((*trace).to_owned(), Some((*parent).to_owned()), is_sampled)
            }
            _ => (hex(0, 16), None, true),
        };
        let begun = begun.as_nanosecond();
        Seen {
            trace,
            span: hex(16, 8),
            parent,
            is_sampled,
            begun,
            ended: begun.saturating_add(i128::try_from(took.as_nanos()).unwrap_or(i128::MAX)),
            verdict: record.decision.verdict,
            attributes: attributes(record),
        }
    }

    fn span(&self) -> Json {
        let mut members = vec![
            ("traceId", Json::str(&self.trace)),
            ("spanId", Json::str(&self.span)),
            ("name", Json::str("gait.decide")),
            ("kind", Json::int(SERVER)),
            ("startTimeUnixNano", Json::str(self.begun.to_string())),
            ("endTimeUnixNano", Json::str(self.ended.to_string())),
            ("attributes", Json::Array(self.attributes.clone())),
        ];
        members.extend(self.parent.as_ref().map(|id| ("parentSpanId", Json::str(id))));
        Json::object(members)
    }

    fn log(&self) -> Json {
        let [info, warn] = SEVERITIES;
        let (number, text) = if self.verdict == Verdict::Allow {
            info
        } else {
            warn
        };
        Json::object([
            ("timeUnixNano", Json::str(self.ended.to_string())),
            ("observedTimeUnixNano", Json::str(self.ended.to_string())),
            ("severityNumber", Json::int(number)),
            ("severityText", Json::str(text)),
            ("eventName", Json::str("gait.decision")),
            ("body", string(self.verdict.as_str())),
            ("attributes", Json::Array(self.attributes.clone())),
            ("traceId", Json::str(&self.trace)),
            ("spanId", Json::str(&self.span)),
        ])
    }
}

fn string(text: &str) -> Json {
    Json::object([("stringValue", Json::str(text))])
}

fn attribute(key: &str, value: Json) -> Json {
    Json::object([("key", Json::str(key)), ("value", value)])
}

fn attributes(record: &TraceRecord) -> Vec<Json> {
    let codes = record.decision.reason_codes.iter().map(|code| string(code));
    let codes = Json::object([("values", Json::Array(codes.collect()))]);
    vec![
        attribute("gait.tool", string(&record.tool)),
        attribute("gait.verdict", string(record.decision.verdict.as_str())),
        attribute("gait.reason_codes", Json::object([("arrayValue", codes)])),
        attribute("gait.enforcement", string(record.enforcement.as_str())),
        attribute(
            "gait.runs",
            Json::object([("boolValue", Json::Bool(record.runs))]),
        ),
        attribute("gait.trace_id", string(&record.trace_id)),
        attribute("gait.bundle_digest", string(&record.bundle_digest.to_string())),
        attribute("gait.policy.name", string(&record.policy.name)),
        attribute("gait.policy.version", string(&record.policy.version)),
    ]
}

/// The spans of decisions, in a request for `/v1/traces`; none where nobody wants one.
pub fn spans(all: &[Seen]) -> Option<Vec<u8>> {
    let spans: Vec<Json> = all
        .iter()
        .filter(|seen| seen.is_sampled)
        .map(Seen::span)
        .collect();
    (!spans.is_empty()).then(|| request("resourceSpans", "scopeSpans", ("spans", spans)))
}

/// The records of decisions, in a request for `/v1/logs`.
pub fn logs(all: &[Seen]) -> Vec<u8> {
    let records = all.iter().map(Seen::log).collect();
    request("resourceLogs", "scopeLogs", ("logRecords", records))
}

fn request(of_resource: &str, of_scope: &str, (name, items): (&str, Vec<Json>)) -> Vec<u8> {
    let version = env!("CARGO_PKG_VERSION");
    let scope = Json::object([("name", Json::str("gait")), ("version", Json::str(version))]);
    let resource = Json::Array(vec![
        attribute("service.name", string("gait")),
        attribute("service.version", string(version)),
    ]);
    let scoped = Json::object([("scope", scope), (name, Json::Array(items))]);
    let all = Json::object([
        ("resource", Json::object([("attributes", resource)])),
        (of_scope, Json::Array(vec![scoped])),
    ]);
    jcs::to_vec(&Json::object([(of_resource, Json::Array(vec![all]))]))
}
