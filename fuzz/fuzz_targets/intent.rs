//! Intent bytes: read or refused; what is read has a canonical form that reads back to the same intent, and is decided.
#![no_main]

use gait::artifact::jcs;
use gait::compile;
use gait::domain::{Intent, Request};
use gait::gate::Gate;
use std::sync::LazyLock;

const POLICY: &str = r#"gaitpol 1
policy fuzz.intents
default block code none
tool t { p: Path?, u: Url?, h: Host?, e: Email?, s: String?, n: Int?, d: Decimal[4]?, l: List[String, max 9]?, r: { a: Int }? }
rule a on t when any p in args.p: p under "/ws" allow
rule b on t when any u in args.u: u.host under "acme.com" block
rule c on t when any s in args.s: s like "*x*" and s matches "[a-z]+" require_approval
rule d on t when any l in args.l: l contains "y" dry_run
"#;

static GATE: LazyLock<Gate> = LazyLock::new(|| {
    let checked = compile::check("fuzz.gaitpol", POLICY).checked.expect("a valid policy");
    Gate::new(compile::lower(&checked))
});

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(intent) = Intent::read(bytes) {
        let canonical = jcs::to_vec(&intent.canonical());
        let again = Intent::read(&canonical).expect("a canonical intent reads back");
        assert_eq!(jcs::to_vec(&again.canonical()), canonical);
        drop(GATE.decide(&Request { tool: "t", ..Request::intent(&intent) }, &mut GATE.workspace()));
    } else if let Ok(args) = gait::json::parse(bytes) {
        drop(GATE.decide(&Request::call("t", &args), &mut GATE.workspace()));
    }
});
