//! `gait approve --script`: a person approves every script of a shape. It shows the shape and the script, and signs nothing else.

use super::{Args, EXPIRES, consent, exists, intent, line, place, subject};
use crate::artifact::script_approval::kind_of;
use crate::artifact::{ArgShape, ScriptApproval, StepShape, jcs, script_approval, time};
use crate::cli::error::{Category, CliError};
use crate::cli::exit::Exit;
use crate::cli::key_args::trusted_keys;
use crate::cli::ui::{Tone, Ui, one_line, paint};
use crate::cli::{load, verify};
use crate::host::{self, Host, Mode};
use crate::json::Json;
use crate::{keyring, limits};
use jiff::SignedDuration;

/// Shows, asks, signs, writes; in this order.
pub fn approve(ui: &mut Ui, host: &dyn Host, args: Args) -> Result<Exit, CliError> {
    let asked = &args.asked;
    let millis = load::duration(EXPIRES, &args.expires, limits::APPROVAL_MILLIS)?;
    let trusted = trusted_keys(host, &asked.trust)?;
    let bytes = host.read(&asked.trace, limits::FILE_BYTES)?;
    let bytes = line(&bytes, asked)?;
    let (trace, _) =
        verify::of_trace(bytes, &trusted, host.now()).map_err(|error| error.in_file(&asked.trace))?;
    let record = trace.value();
    subject(record).map_err(|error| error.in_file(&asked.trace))?;
    let refused = |message: &str| {
        CliError::new(Category::InvalidInput, "approve.no_script", message).in_file(&asked.trace)
    };
    if record.script.is_none() {
        return Err(refused("the call is no script").hint("leave out --script: one call is approved once"));
    }
    if record.redacts() {
        return Err(refused(
            "arguments of it are redacted or secret, so nobody sees what would be approved",
        ));
    }
    let intent = intent(host, asked, record)?;
    let steps = shape(&intent, &args.vary)?;
    let key = keyring::signing_key(host, &asked.key)?;
    if !ui.is_json() {
        let head = format!("{} {} steps", paint(Tone::Warn, "every script of"), steps.len());
        ui.rendered(&head);
        for (step, number) in steps.iter().zip(1..) {
            lines(step, number).iter().for_each(|line| ui.rendered(line));
        }
    }
    consent(ui, host, asked, (record, &intent), None)?;
    let now = time::cut(host.now());
    let expires_at = now.checked_add(SignedDuration::from_millis(millis));
    let approval = ScriptApproval {
        bundle_digest: record.bundle_digest,
        steps,
        key: key.id(),
        given_at: now,
        expires_at: expires_at
            .map_err(|_| load::bad_duration(EXPIRES, &args.expires, "that is no time any more"))?,
        nonce: host::nonce(host)?,
    };
    let (signed, name) = script_approval::sign(&approval, &key)?;
    let path = asked.out.clone().unwrap_or_else(|| place(name));
    host.write_new(&path, signed.as_bytes(), Mode::Public)
        .map_err(exists)?;
    if ui.is_json() {
        ui.json(&Json::object([
            ("ok", Json::Bool(true)),
            ("file", Json::str(path.to_string_lossy())),
            ("digest", name.to_json()),
            ("key_id", approval.key.digest().to_json()),
            ("denied", Json::Null),
            ("tool", Json::str(&record.tool)),
            (
                "steps",
                Json::int(i64::try_from(approval.steps.len()).unwrap_or(i64::MAX)),
            ),
            ("trace_id", Json::str(&record.trace_id)),
            ("bundle_digest", approval.bundle_digest.to_json()),
            ("given_at", Json::str(time::print(approval.given_at))),
            ("expires_at", Json::str(time::print(approval.expires_at))),
        ]))?;
        return Ok(Exit::Success);
    }
    ui.line(&format!(
        "{} every script of this shape",
        paint(Tone::Good, "approved")
    ))?;
    ui.line(&format!("  until    {}", time::print(approval.expires_at)))?;
    ui.line(&format!("  key      {}", approval.key))?;
    ui.line(&format!("  file     {}", one_line(&path.to_string_lossy())))?;
    Ok(Exit::Success)
}

fn lines(step: &StepShape, number: usize) -> Vec<String> {
    let mut lines = vec![format!("  step {number:<4}{}", one_line(&step.tool))];
    for (name, shape) in &step.args {
        let said = match shape {
            ArgShape::Is(value) => format!("is {}", String::from_utf8_lossy(&jcs::to_vec(value))),
            ArgShape::Kind(kind) => format!("any {kind}"),
        };
        lines.push(format!("  argument {}", one_line(&format!("{name}: {said}"))));
    }
    lines
}

/// The shape of a script: what varies is of its kind, all else as it is.
fn shape(intent: &Json, vary: &[(usize, String)]) -> Result<Vec<StepShape>, CliError> {
    let steps = intent.get("script").and_then(|script| script.get("steps"));
    let steps = steps.and_then(Json::as_array).unwrap_or_default();
    let mut shapes = Vec::new();
    for (step, number) in steps.iter().zip(1..) {
        let members = step.get("args").and_then(Json::as_object).unwrap_or_default();
        let varies = |name: &str| vary.iter().any(|(at, arg)| *at == number && arg == name);
        let mut args: Vec<(String, ArgShape)> = members
            .iter()
            .map(|(name, value)| match varies(name) {
                true => (name.to_string(), ArgShape::Kind(kind_of(value).to_owned())),
                false => (name.to_string(), ArgShape::Is(value.clone())),
            })
            .collect();
        args.sort_by(|a, b| a.0.cmp(&b.0));
        let tool = step.get("tool_name").and_then(Json::as_str).unwrap_or_default();
        shapes.push(StepShape {
            tool: tool.to_owned(),
            args,
        });
    }
    let is_there = |(step, arg): &&(usize, String)| {
        let shape = step.checked_sub(1).and_then(|at| shapes.get(at));
        shape.is_some_and(|shape| shape.args.iter().any(|(name, _)| name == arg))
    };
    match vary.iter().find(|one| !is_there(one)) {
        None => Ok(shapes),
        Some((step, arg)) => {
            let message = format!("step {step} has no argument `{}`", arg.escape_debug());
            Err(CliError::new(
                Category::InvalidInput,
                "approve.no_argument",
                message,
            ))
        }
    }
}
