//! What the blocks beside `match` ask, each as the condition under which it raises the verdict. In: a block and a tool.
//! Out: conditions that hold wherever the Go reference system would raise, or more often. It reads no `match`.

use super::cond::{Cond, all, and, any, ask, not, of, or};
use super::declare::{self, at_most, known, missing, present};
use super::matching::{KINDS, folded_in, provenance};
use super::model::{Agent, Credential, Dataflow, Endpoint, FailClosed, Freeze, Sandbox, Words};
use super::pattern;
use super::target::{self, Use, among, any_target, class, matching, member, said};
use super::tools::Tool;
use super::window;
use crate::builtins::path;
use crate::syntax::quote;

/// The kinds of target that data leaves to where a policy names none.
const OUTWARD: [&str; 5] = ["host", "url", "bucket", "queue", "topic"];

/// Some target is none of the allowed ones.
pub(super) fn endpoint(asked: &Endpoint, tool: &Tool) -> Cond {
    let mut wrong = Vec::new();
    let plain = |name: &str| of(format!("v1.plain_{name}(t.value)"));
    let kind = |kind: &str, is: Cond| and([of(format!("t.kind == {kind}")), is]);
    let alone = |path: &str| path.to_owned();
    if !asked.path_deny.is_empty() {
        let denied = denied("t.value", &pattern::paths(&asked.path_deny), alone);
        wrong.push(kind("path", or([denied, not(plain("path"))])));
    }
    if !asked.path_allow.is_empty() {
        let allowed = allowed("t.value", &pattern::paths(&asked.path_allow), alone);
        wrong.push(kind("path", or([not(allowed), not(plain("path"))])));
    }
    let host = |domain: &str| format!("(?i:(https?://)?{domain}(:[0-9]+)?(/.*)?)");
    let url = |domain: &str| format!("(?i:[a-z][0-9a-z+.-]*://{domain}(:[0-9]+)?([/?#].*)?)");
    let bare = |domain: &str| format!("(?i:{domain})");
    if !asked.domain_deny.is_empty() {
        let domains = pattern::denied_domains(&asked.domain_deny);
        let is_host = denied("t.value", &domains, host);
        let is_url = denied("t.value", &domains, url);
        wrong.push(kind("host", or([is_host, not(plain("host"))])));
        wrong.push(kind("url", or([is_url, not(plain("url"))])));
        wrong.push(any("d", "t.endpoint_domain", None, denied("d", &domains, bare)));
    }
    if !asked.domain_allow.is_empty() {
        let domains = pattern::allowed_domains(&asked.domain_allow);
        wrong.push(kind("host", not(allowed("t.value", &domains, host))));
        wrong.push(kind("url", not(allowed("t.value", &domains, url))));
        wrong.push(any(
            "d",
            "t.endpoint_domain",
            None,
            not(allowed("d", &domains, bare)),
        ));
    }
    if !asked.egress.is_empty() {
        let others = ["net.http", "net.dns"]
            .into_iter()
            .filter(|class| !asked.egress.contains(*class));
        let others: Words = others.map(str::to_owned).collect();
        wrong.push(class(&others, tool, Use::Tighten));
    }
    any_target(or(wrong))
}

/// A text matches a list that denies; it does where the list cannot be said.
fn denied(place: &str, any: &[String], whole: impl Fn(&str) -> String) -> Cond {
    match pattern::expressions(any, whole) {
        Some(expressions) => matching(place, &expressions),
        None => Cond::Const(true),
    }
}

/// A text matches a list that allows; what cannot be said is left out of the list.
fn allowed(place: &str, any: &[String], whole: impl Fn(&str) -> String) -> Cond {
    let short: Vec<String> = any
        .iter()
        .filter(|one| pattern::expressions(std::slice::from_ref(one), &whole).is_some())
        .cloned()
        .collect();
    matching(place, &pattern::expressions(&short, whole).unwrap_or_default())
}

/// Some target is destructive.
pub(super) fn destructive(tool: &Tool) -> Cond {
    any_target(target::destructive(tool))
}

/// An argument from outside goes to one of the destinations.
pub(super) fn dataflow(asked: &Dataflow) -> Cond {
    let mut to = Vec::new();
    if !asked.kinds.is_empty() {
        to.push(member("t.kind", &asked.kinds, &KINDS));
    }
    if !asked.values.is_empty() {
        to.push(target::text("t.value", &asked.values));
    }
    if !asked.operations.is_empty() {
        to.push(target::text("(t.operation else \"\")", &asked.operations));
    }
    if to.is_empty() {
        let outward: Words = OUTWARD.map(str::to_owned).into();
        to.push(member("t.kind", &outward, &KINDS));
    }
    and([provenance(&asked.sources), any_target(or(to))])
}

/// The calls that a freeze window is about, while it is open. One that cannot be read is about every call at any time.
pub(super) fn freeze(asked: &Freeze, name: &str) -> Cond {
    if window::window(asked).is_none() {
        return Cond::Const(true);
    }
    let risk = if asked.risk_classes.is_empty() {
        Cond::Const(true)
    } else {
        said("context.risk_class", &asked.risk_classes, "risk_class")
    };
    let place = if asked.environments.is_empty() {
        Cond::Const(true)
    } else {
        let within = folded_in("e", &asked.environments);
        any("e", "context.environment", Some("environment"), within)
    };
    and([risk, place, of(format!("now in {name}"))])
}

/// The sandbox is as the rule wants it. May be used to loosen.
pub(super) fn sandboxed(asked: &Sandbox) -> Cond {
    let one = |place: &'static str, words: &Words| -> Cond {
        if words.is_empty() {
            return Cond::Const(true);
        }
        let words: Vec<String> = words.iter().map(|word| quote::member_name(word)).collect();
        any("m", place, None, among("m", &words))
    };
    let mut parts = vec![
        of("(s.evidence_ref else \"\") != \"\""),
        of("(s.evidence_digest else \"\") != \"\""),
        one("s.network_mode", &asked.network),
        one("s.env_exposure_mode", &asked.env),
        one("s.filesystem_isolation", &asked.isolation),
        one("s.user_mode", &asked.user),
    ];
    if asked.max_timeout > 0 {
        let within = and([of("m > 0"), of(format!("m <= {}", asked.max_timeout))]);
        parts.push(any("m", "s.timeout_seconds", None, within));
    }
    if !asked.writable.is_empty() {
        parts.push(match folders(&asked.writable) {
            Some(folders) => all(
                "p",
                "s.writable_paths",
                None,
                of(format!("p under {}", one_of(&folders))),
            ),
            None => Cond::Const(false),
        });
    }
    if !asked.read_only.is_empty() {
        parts.push(match folders(&asked.read_only) {
            Some(folders) => {
                let each = asked
                    .read_only
                    .iter()
                    .filter_map(|folder| path::parse(folder).ok());
                let roots = "s.read_only_roots";
                let there =
                    each.map(|folder| any("p", roots, None, of(format!("p == {}", quote::string(&folder)))));
                let only = all("p", roots, None, among("p", &folders));
                and(there.chain([only]))
            }
            None => Cond::Const(false),
        });
    }
    any("s", "context.sandbox", Some("sandbox"), and(parts))
}

/// Folders as members of a set; none where one is no path.
fn folders(of: &Words) -> Option<Vec<String>> {
    of.iter()
        .map(|folder| path::parse(folder).ok().map(|folder| quote::string(&folder)))
        .collect()
}

fn one_of(members: &[String]) -> String {
    match members {
        [one] => one.clone(),
        several => format!("{{ {} }}", several.join(", ")),
    }
}

/// The credential is not as the rule wants it.
pub(super) fn credential(asked: &Credential) -> Cond {
    let mut right = vec![
        present("credential_ref"),
        present("credential_source"),
        present("credential_access"),
        not(said(
            "(context.credential_source else \"\")",
            &words(["unknown"]),
            "credential_source",
        )),
        not(present("credential_target")),
        bound("credential_run", "run_id"),
        bound("credential_job", "job_id"),
    ];
    let one = |field: &'static str, allowed: &Words| -> Cond {
        if allowed.is_empty() {
            return Cond::Const(true);
        }
        said(&format!("(context.{field} else \"\")"), allowed, field)
    };
    right.push(one("credential_source", &asked.sources));
    right.push(one("credential_issuer", &asked.issuers));
    right.push(one("credential_access", &asked.access));
    if asked.block_standing || asked.jit {
        right.push(one("credential_access", &words(["jit"])));
    } else {
        right.push(not(one("credential_access", &words(["unknown"]))));
    }
    if asked.max_ttl > 0 {
        right.push(at_most("credential_ttl_seconds", Some(asked.max_ttl)));
    }
    not(and(right))
}

fn words<const N: usize>(of: [&str; N]) -> Words {
    of.map(str::to_owned).into()
}

/// A binding is missing, or names what the context says.
fn bound(binding: &'static str, to: &'static str) -> Cond {
    let text = format!("(context.{binding} else \"\") == (context.{to} else \"\")");
    or([missing(binding), ask(text, &[binding, to])])
}

/// The agent is not as the rule wants it.
pub(super) fn agent(asked: &Agent) -> Cond {
    let mut right = Vec::new();
    if asked.declared || !asked.allowed.is_empty() {
        right.push(present("agent_id"));
    }
    if !asked.allowed.is_empty() {
        right.push(said("(context.agent_id else \"\")", &asked.allowed, "agent_id"));
    }
    if !asked.denied.is_empty() {
        right.push(not(said(
            "(context.agent_id else \"\")",
            &asked.denied,
            "agent_id",
        )));
    }
    let mut record = vec![not(of("(g.revoked else false)"))];
    record.extend(asked.digest.as_ref().map(|digest| {
        of(format!(
            "(g.manifest_digest else \"\") == {}",
            quote::string(digest)
        ))
    }));
    for (place, allowed) in [("g.publisher", &asked.publishers), ("g.source", &asked.sources)] {
        if !allowed.is_empty() {
            record.push(folded_in(&format!("({place} else \"\")"), allowed));
        }
    }
    for state in &asked.states {
        let is = of(format!("x == {}", quote::string(state)));
        record.push(any("x", "g.lifecycle_states", None, is));
    }
    if asked.owner {
        record.push(of("(g.owner else \"\") != \"\""));
    }
    if asked.unexpired {
        record.push(any("e", "g.expires_at", None, of("now < e")));
    }
    let about_the_record = asked.declared || record.len() > 1;
    let record = and(record);
    right.push(if about_the_record {
        any("g", "context.agent", Some("agent"), record)
    } else {
        all("g", "context.agent", Some("agent"), record)
    });
    not(and(right))
}

/// What has to be there before any rule is asked is not.
pub(super) fn fail_closed(asked: &FailClosed, tool: &Tool) -> Cond {
    let mut wrong = vec![any_target(class(&words(["other"]), tool, Use::Tighten))];
    for name in &asked.required {
        wrong.push(match name.as_str() {
            "targets" => target::no_targets(),
            "arg_provenance" => not(any(
                "a",
                "context.arg_sources",
                Some("arg_sources"),
                of("len(a.arg_path) > 0"),
            )),
            // A target without a class counts as one of the unknown class, which is asked already.
            "endpoint_class" => target::no_targets(),
            "delegation" => not(ask("present context.delegation", &["delegation"])),
            "context_evidence" => not(known(declare::CONTEXT_EVIDENCE)),
            "agent_identity" => not(ask("present context.agent", &["agent"])),
            "credential_ttl_seconds" => not(at_most("credential_ttl_seconds", None)),
            "credential_access_type" => missing("credential_access"),
            other => match declare::find(other) {
                Some(field) => missing(field.name),
                None => Cond::Const(true),
            },
        });
    }
    and([
        said("context.risk_class", &asked.risk_classes, "risk_class"),
        or(wrong),
    ])
}
