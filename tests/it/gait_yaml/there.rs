//! A naive reading of what the Go system decides, written from the description of its behaviour and nothing else. Where
//! the description leaves a choice, the stricter one is taken, so that "never looser than this" says more. In: a policy
//! and an intent as JSON. Out: the verdict and the names of the rules that decided.

use gait::domain::Verdict;
use serde_json::Value;
use std::collections::BTreeSet;

/// A target, normalised.
struct Target {
    kind: String,
    value: String,
    operation: String,
    sensitivity: String,
    class: String,
    domain: String,
    discovery: String,
    destructive: bool,
    hints: Vec<(&'static str, bool)>,
}

const HINTS: [(&str, &str); 4] = [
    ("readOnlyHint", "read_only_hint"),
    ("destructiveHint", "destructive_hint"),
    ("idempotentHint", "idempotent_hint"),
    ("openWorldHint", "open_world_hint"),
];

/// Text of a member, without blanks around it.
fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().trim().to_owned()
}

fn folded(of: &Value, key: &str) -> String {
    text(of, key).to_lowercase()
}

fn list(of: &Value, key: &str) -> Vec<String> {
    let items = of[key].as_array().cloned().unwrap_or_default();
    items
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

fn each<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    of[key].as_array().map_or(&[], Vec::as_slice)
}

/// Whether a list of the policy is empty or has the word.
fn asks(of: &Value, key: &str, word: &str) -> bool {
    let words = list(of, key);
    words.is_empty() || words.iter().any(|w| w == word)
}

fn verdict(of: &Value, key: &str) -> Option<Verdict> {
    of[key].as_str().and_then(Verdict::parse)
}

/// The class that is inferred where none is stated.
fn inferred(kind: &str, operation: &str, tool: &str) -> &'static str {
    let has = |words: &[&str]| words.contains(&operation);
    let name = tool.rsplit('/').next().unwrap_or(tool);
    let named = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match kind {
        "path" if has(&["read", "get", "list", "open", "cat", "head", "download", "stat"]) => "fs.read",
        "path"
            if has(&[
                "write", "append", "put", "create", "update", "save", "copy", "move", "rename",
            ]) =>
        {
            "fs.write"
        }
        "path" if has(&["delete", "remove", "rm", "unlink", "rmdir", "drop", "truncate"]) => "fs.delete",
        "path" if named(&["read", "list", "fetch", "search"]) => "fs.read",
        "path" if named(&["write", "update", "save", "create"]) => "fs.write",
        "path" if named(&["delete", "remove", "rm", "drop"]) => "fs.delete",
        "host" | "url" if has(&["dns", "resolve", "lookup"]) => "net.dns",
        "host" | "url" => "net.http",
        "other" if has(&["exec", "spawn", "run", "shell", "command"]) => "proc.exec",
        "other" if named(&["exec", "spawn", "run", "shell", "command"]) => "proc.exec",
        _ => "other",
    }
}

fn domain(kind: &str, value: &str) -> String {
    let rest = match kind {
        "host" => value.split_once("://").map_or(value, |(_, rest)| rest),
        "url" => match value.split_once("://") {
            Some((_, rest)) => rest,
            None => return String::new(),
        },
        _ => return String::new(),
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = host.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default().to_lowercase()
}

fn targets(intent: &Value) -> Vec<Target> {
    let tool = folded(intent, "tool_name");
    let read = |t: &Value| {
        let (kind, operation, value) = (folded(t, "kind"), folded(t, "operation"), text(t, "value"));
        let stated = folded(t, "endpoint_class");
        let class = if stated.is_empty() {
            inferred(&kind, &operation, &tool).to_owned()
        } else {
            stated
        };
        let claimed = folded(t, "endpoint_domain");
        let flag = |key: &str| t[key].as_bool().unwrap_or(false);
        let verbs = [
            "delete", "remove", "rm", "unlink", "rmdir", "drop", "truncate", "exec", "spawn",
        ];
        let discovery = folded(t, "discovery_method");
        Target {
            destructive: flag("destructive")
                || flag("destructive_hint")
                || ["fs.delete", "proc.exec"].contains(&class.as_str())
                || verbs.contains(&operation.as_str()),
            domain: if claimed.is_empty() {
                domain(&kind, &value)
            } else {
                claimed
            },
            sensitivity: folded(t, "sensitivity"),
            discovery: if discovery.is_empty() {
                "unknown".to_owned()
            } else {
                discovery
            },
            hints: HINTS.iter().map(|(hint, key)| (*hint, flag(key))).collect(),
            kind,
            value,
            operation,
            class,
        }
    };
    each(intent, "targets").iter().map(read).collect()
}

/// Whether a rule's `match` matches.
fn matches(asked: &Value, intent: &Value, targets: &[Target]) -> bool {
    let context = &intent["context"];
    let workspace = text(context, "workspace").replace('\\', "/");
    let prefixes = list(asked, "workspace_prefixes");
    let some = |key: &str, of: &dyn Fn(&Target) -> String| {
        let words = list(asked, key);
        words.is_empty() || targets.iter().any(|t| words.contains(&of(t)))
    };
    let sources: Vec<String> = each(intent, "arg_provenance")
        .iter()
        .map(|p| folded(p, "source"))
        .collect();
    let skill = &intent["skill_provenance"];
    let inventory = [
        ("context_tool_names", "wrkr.tool_name"),
        ("context_data_classes", "wrkr.data_class"),
        ("context_endpoint_classes", "wrkr.endpoint_class"),
        ("context_autonomy_levels", "wrkr.autonomy_level"),
    ];
    let provenance = list(asked, "provenance_sources");
    asks(asked, "tool_names", &folded(intent, "tool_name"))
        && asks(asked, "risk_classes", &folded(context, "risk_class"))
        && asks(asked, "identities", &text(context, "identity"))
        && (prefixes.is_empty() || prefixes.iter().any(|prefix| workspace.starts_with(prefix)))
        && inventory
            .iter()
            .all(|(key, member)| asks(asked, key, &folded(&context["auth_context"], member)))
        && (provenance.is_empty() || sources.iter().any(|source| provenance.contains(source)))
        && asks(asked, "skill_publishers", &folded(skill, "publisher"))
        && asks(asked, "skill_sources", &folded(skill, "source"))
        && some("target_kinds", &|t| t.kind.clone())
        && some("destination_kinds", &|t| t.kind.clone())
        && some("target_values", &|t| t.value.clone())
        && some("destination_values", &|t| t.value.clone())
        && some("destination_operations", &|t| t.operation.clone())
        && some("endpoint_classes", &|t| t.class.clone())
        && some("discovery_method", &|t| t.discovery.clone())
        && some("data_classes", &|t| t.sensitivity.clone())
        && HINTS.iter().enumerate().all(|(index, (hint, _))| {
            match asked["tool_annotations"][*hint].as_bool() {
                Some(wanted) => targets.iter().any(|t| t.hints[index].1 == wanted),
                None => true,
            }
        })
        && delegated(asked, &intent["delegation"])
}

fn delegated(asked: &Value, delegation: &Value) -> bool {
    let keys = [
        "require_delegation",
        "allowed_delegator_identities",
        "allowed_delegate_identities",
        "delegation_scopes",
        "max_delegation_depth",
    ];
    let is_asked = |key: &&str| match &asked[*key] {
        Value::Bool(flag) => *flag,
        Value::Array(items) => !items.is_empty(),
        Value::Number(_) => true,
        _ => false,
    };
    if !keys.iter().any(is_asked) {
        return true;
    }
    if delegation.is_null() {
        return false;
    }
    let chain = each(delegation, "chain");
    let any = |key: &str, mut found: Vec<String>, member: &str, fold: bool| {
        let words = list(asked, key);
        found.extend(
            chain
                .iter()
                .map(|l| if fold { folded(l, member) } else { text(l, member) }),
        );
        words.is_empty() || found.iter().any(|word| words.contains(word))
    };
    asked["max_delegation_depth"]
        .as_u64()
        .is_none_or(|most| chain.len() as u64 <= most)
        && any(
            "allowed_delegator_identities",
            Vec::new(),
            "delegator_identity",
            false,
        )
        && any(
            "allowed_delegate_identities",
            vec![text(delegation, "requester_identity")],
            "delegate_identity",
            false,
        )
        && any(
            "delegation_scopes",
            vec![folded(delegation, "scope_class")],
            "scope_class",
            true,
        )
}

/// `path.Match` of Go for patterns without classes and escapes.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), _) if glob(rest, name) => true,
        (Some((b'*', _)), Some((c, tail))) => *c != b'/' && glob(pattern, tail),
        (Some((b'?', rest)), Some((c, tail))) => *c != b'/' && glob(rest, tail),
        (Some((p, rest)), Some((c, tail))) => p == c && glob(rest, tail),
        _ => false,
    }
}

fn path_in(patterns: &[String], value: &str) -> bool {
    patterns.iter().any(|pattern| {
        let below = pattern.strip_suffix("/**");
        pattern == value
            || glob(pattern.as_bytes(), value.as_bytes())
            || below.is_some_and(|folder| value == folder || value.starts_with(&format!("{folder}/")))
    })
}

fn domain_in(patterns: &[String], value: &str) -> bool {
    patterns.iter().any(|pattern| {
        let below = pattern.strip_prefix('*').filter(|rest| rest.starts_with('.'));
        pattern == value
            || glob(pattern.as_bytes(), value.as_bytes())
            || below.is_some_and(|rest| value.ends_with(rest))
    })
}

/// What `endpoint` raises to.
fn endpoint(asked: &Value, targets: &[Target]) -> Option<Verdict> {
    let action = verdict(asked, "action").unwrap_or(Verdict::Block);
    let (allow, deny) = (list(asked, "path_allowlist"), list(asked, "path_denylist"));
    let (hosts, no_hosts) = (list(asked, "domain_allowlist"), list(asked, "domain_denylist"));
    let egress = list(asked, "egress_classes");
    let wrong = targets.iter().any(|t| {
        let path = t.kind == "path";
        path && (path_in(&deny, &t.value) || !allow.is_empty() && !path_in(&allow, &t.value))
            || !t.domain.is_empty()
                && (domain_in(&no_hosts, &t.domain) || !hosts.is_empty() && !domain_in(&hosts, &t.domain))
            || t.class.starts_with("net.") && !egress.is_empty() && !egress.contains(&t.class)
    });
    let destructive = verdict(asked, "destructive_action").filter(|_| targets.iter().any(|t| t.destructive));
    wrong
        .then_some(action)
        .max(destructive.map(|destructive| destructive.max(action)))
}

fn tainted(asked: &Value, intent: &Value, targets: &[Target]) -> bool {
    let mut sources = list(asked, "tainted_sources");
    if sources.is_empty() {
        sources = vec!["external".to_owned(), "tool_output".to_owned()];
    }
    let tainted = each(intent, "arg_provenance")
        .iter()
        .any(|p| sources.contains(&folded(p, "source")));
    let lists = [
        "destination_kinds",
        "destination_values",
        "destination_operations",
    ];
    let [kinds, values, operations] = lists.map(|key| list(asked, key));
    let outward = ["host", "url", "bucket", "queue", "topic"];
    let everywhere = kinds.is_empty() && values.is_empty() && operations.is_empty();
    tainted
        && targets.iter().any(|t| {
            everywhere && outward.contains(&t.kind.as_str())
                || kinds.contains(&t.kind)
                || values.contains(&t.value)
                || operations.contains(&t.operation)
        })
}

fn credential_is_wrong(rule: &Value, context: &Value) -> bool {
    let keys = [
        "block_standing_credentials",
        "require_jit_credential",
        "allowed_credential_sources",
        "allowed_credential_issuers",
        "allowed_credential_access_types",
        "max_credential_ttl_seconds",
    ];
    if keys.iter().all(|key| rule[*key].is_null()) {
        return false;
    }
    let [source, access] = ["credential_source", "credential_access_type"].map(|key| folded(context, key));
    let issuer = text(context, "credential_issuer");
    let ttl = context["credential_ttl_seconds"].as_i64().unwrap_or(0);
    let bound = |binding: &str, to: &str| {
        let binding = text(context, binding);
        binding.is_empty() || binding == text(context, to)
    };
    let flag = |key: &str| rule[key].as_bool().unwrap_or(false);
    text(context, "credential_ref").is_empty()
        || ["", "unknown"].contains(&source.as_str())
        || ["", "unknown"].contains(&access.as_str())
        || flag("require_jit_credential") && access != "jit"
        || flag("block_standing_credentials") && access != "jit"
        || !asks(rule, "allowed_credential_sources", &source)
        || !asks(rule, "allowed_credential_issuers", &issuer)
        || !asks(rule, "allowed_credential_access_types", &access)
        || rule["max_credential_ttl_seconds"]
            .as_i64()
            .is_some_and(|most| ttl <= 0 || ttl > most)
        || !bound("credential_run_binding", "run_id")
        || !bound("credential_job_binding", "job_id")
}

fn agent_is_wrong(rule: &Value, context: &Value, now: &str) -> bool {
    let keys = [
        "require_declared_agent",
        "allowed_agent_ids",
        "denied_agent_ids",
        "required_agent_manifest_digest",
        "allowed_agent_manifest_publishers",
        "allowed_agent_manifest_sources",
        "required_agent_lifecycle_states",
        "require_agent_owner",
        "require_unexpired_agent",
    ];
    if keys.iter().all(|key| rule[*key].is_null()) {
        return false;
    }
    let (id, agent) = (text(context, "agent_id"), &context["agent_identity"]);
    let flag = |key: &str| rule[key].as_bool().unwrap_or(false);
    let states = list(agent, "lifecycle_states");
    let digest = folded(agent, "manifest_digest");
    let expires = text(agent, "expires_at");
    flag("require_declared_agent") && (id.is_empty() || agent.is_null())
        || !asks(rule, "allowed_agent_ids", &id)
        || list(rule, "denied_agent_ids").contains(&id)
        || agent["revoked"].as_bool().unwrap_or(false)
        || rule["required_agent_manifest_digest"]
            .as_str()
            .is_some_and(|wanted| wanted != digest)
        || !asks(
            rule,
            "allowed_agent_manifest_publishers",
            &folded(agent, "publisher"),
        )
        || !asks(rule, "allowed_agent_manifest_sources", &folded(agent, "source"))
        || !list(rule, "required_agent_lifecycle_states")
            .iter()
            .all(|state| states.contains(state))
        || flag("require_agent_owner") && text(agent, "owner").is_empty()
        || flag("require_unexpired_agent") && (expires.is_empty() || expires.as_str() <= now)
}

fn below(prefixes: &[String], path: &str) -> bool {
    let inside = |prefix: &String| path == prefix || path.starts_with(&format!("{prefix}/"));
    prefixes.iter().any(inside)
}

fn sandbox_is_right(asked: &Value, sandbox: &Value) -> bool {
    let one = |key: &str, member: &str| {
        let words = list(asked, key);
        words.is_empty() || words.contains(&folded(sandbox, member))
    };
    let writable = list(asked, "allowed_writable_path_prefixes");
    let read_only = list(asked, "required_read_only_roots");
    let most = asked["max_timeout_seconds"].as_i64().unwrap_or(0);
    let timeout = sandbox["timeout_seconds"].as_i64().unwrap_or(0);
    !sandbox.is_null()
        && !text(sandbox, "evidence_ref").is_empty()
        && !text(sandbox, "evidence_digest").is_empty()
        && one("allowed_network_modes", "network_mode")
        && one("allowed_env_exposure_modes", "env_exposure_mode")
        && one("allowed_filesystem_isolations", "filesystem_isolation")
        && one("allowed_user_modes", "user_mode")
        && (most == 0 || timeout > 0 && timeout <= most)
        && (writable.is_empty() || list(sandbox, "writable_paths").iter().all(|path| below(&writable, path)))
        // The arguments of this check are the wrong way round there.
        && (read_only.is_empty() || list(sandbox, "read_only_roots").iter().all(|path| read_only.contains(path)))
}

fn frozen(asked: &Value, context: &Value, now: &str) -> bool {
    let place = text(context, "environment").to_lowercase();
    let places: Vec<String> = list(asked, "environments")
        .iter()
        .map(|word| word.to_lowercase())
        .collect();
    asks(asked, "risk_classes", &folded(context, "risk_class"))
        && (places.is_empty() || places.contains(&place))
        && each(asked, "windows").iter().any(|w| {
            let (start, end) = (text(w, "start"), text(w, "end"));
            start.as_str() <= now && now < end.as_str()
        })
}

/// What a rule that matches says, its blocks included. `now` is a local time in the zone of every window.
fn effective(rule: &Value, intent: &Value, targets: &[Target], now: &str) -> Verdict {
    let context = &intent["context"];
    let mut says = verdict(rule, "effect").unwrap();
    // A block without any key is as good as none.
    let asked = |key: &str| Some(&rule[key]).filter(|block| block.as_object().is_some_and(|m| !m.is_empty()));
    if asked("dataflow").is_some_and(|asked| tainted(asked, intent, targets)) {
        // It replaces the effect there.
        says = verdict(&rule["dataflow"], "action").unwrap_or(Verdict::RequireApproval);
    }
    if let Some(raised) = asked("endpoint").and_then(|asked| endpoint(asked, targets)) {
        says = says.max(raised);
    }
    let evidence = rule["require_context_evidence"].as_bool().unwrap_or(false)
        || !rule["required_context_evidence_mode"].is_null()
        || rule["max_context_age_seconds"].as_i64().unwrap_or(0) > 0;
    let sandbox = asked("sandbox").map(|asked| sandbox_is_right(asked, &context["sandbox"]));
    let blocked = evidence
        || agent_is_wrong(rule, context, now)
        || credential_is_wrong(rule, context)
        || sandbox == Some(false);
    if blocked {
        says = Verdict::Block;
    }
    if asked("freeze_window").is_some_and(|asked| frozen(asked, context, now)) {
        says = says.max(verdict(&rule["freeze_window"], "effect").unwrap_or(Verdict::Block));
    }
    let programs = !targets.is_empty() && targets.iter().all(|t| t.class == "proc.exec");
    let waived = sandbox == Some(true) && programs;
    if targets.iter().any(|t| t.destructive) && !waived {
        let planned = folded(context, "phase") == "plan";
        says = says.max(if planned {
            Verdict::DryRun
        } else {
            Verdict::RequireApproval
        });
    }
    says
}

fn fails_closed(asked: &Value, intent: &Value, targets: &[Target]) -> bool {
    if !asked["enabled"].as_bool().unwrap_or(false) {
        return false;
    }
    let context = &intent["context"];
    let mut classes = list(asked, "risk_classes");
    if classes.is_empty() {
        classes = vec!["critical".to_owned(), "high".to_owned()];
    }
    if !classes.contains(&folded(context, "risk_class")) {
        return false;
    }
    let missing = |name: &String| match name.as_str() {
        "targets" | "endpoint_class" => targets.is_empty(),
        "arg_provenance" => each(intent, "arg_provenance").is_empty(),
        "delegation" => intent["delegation"].is_null(),
        "context_evidence" => true,
        "agent_identity" => context["agent_identity"].is_null(),
        "credential_ttl_seconds" => context[name].as_i64().unwrap_or(0) <= 0,
        other => text(context, other).is_empty(),
    };
    targets.iter().any(|t| t.class == "other")
        || list(asked, "required_fields").iter().any(missing)
        || list(asked, "required_high_risk_fields").iter().any(missing)
}

/// The verdict on an intent, with the rules that decided it.
pub fn decide(policy: &Value, intent: &Value, now: &str) -> (Verdict, BTreeSet<String>) {
    let steps = each(&intent["script"], "steps");
    if steps.is_empty() {
        return call(policy, intent, now);
    }
    let alone = |step: &Value| {
        let mut alone = intent.clone();
        for key in ["tool_name", "args", "targets", "arg_provenance"] {
            alone[key] = step[key].clone();
        }
        alone
    };
    let calls: Vec<Value> = steps.iter().map(alone).collect();
    let mut verdict = Verdict::Allow;
    let mut names = BTreeSet::new();
    for call in calls.iter().map(|step| self::call(policy, step, now)) {
        verdict = verdict.max(call.0);
        names.extend(call.1);
    }
    let (count, limits) = (steps.len() as u64, &policy["scripts"]);
    let over = |key: &str| limits[key].as_u64().is_some_and(|most| most > 0 && count > most);
    let risks: BTreeSet<u8> = calls.iter().map(|step| risk(&targets(step))).collect();
    let mixed = limits["block_mixed_risk"].as_bool().unwrap_or(false) && risks.len() > 1;
    if over("max_steps") || mixed {
        verdict = Verdict::Block;
    }
    if over("require_approval_above") {
        verdict = verdict.max(Verdict::RequireApproval);
    }
    (verdict, names)
}

/// Low, medium or high.
fn risk(targets: &[Target]) -> u8 {
    let one = |t: &Target| {
        if t.destructive {
            2
        } else if t.class == "fs.write" || t.class.starts_with("net.") {
            1
        } else {
            0
        }
    };
    targets.iter().map(one).max().unwrap_or(0)
}

fn call(policy: &Value, intent: &Value, now: &str) -> (Verdict, BTreeSet<String>) {
    let targets = targets(intent);
    if fails_closed(&policy["fail_closed"], intent, &targets) {
        return (Verdict::Block, BTreeSet::new());
    }
    let priority = |rule: &Value| rule["priority"].as_i64().unwrap_or(0);
    let matching: Vec<&Value> = each(policy, "rules")
        .iter()
        .filter(|rule| matches(&rule["match"], intent, &targets))
        .collect();
    let Some(first) = matching.iter().map(|rule| priority(rule)).min() else {
        return (
            verdict(policy, "default_verdict").unwrap_or(Verdict::RequireApproval),
            BTreeSet::new(),
        );
    };
    let tier: Vec<&&Value> = matching.iter().filter(|rule| priority(rule) == first).collect();
    let says = tier
        .iter()
        .map(|rule| effective(rule, intent, &targets, now))
        .max();
    (
        says.unwrap(),
        tier.iter().map(|rule| text(rule, "name")).collect(),
    )
}
