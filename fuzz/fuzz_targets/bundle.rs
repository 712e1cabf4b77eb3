//! Bundle bytes: opened or refused with a named error; and the program inside, which a signature would protect, is
//! decoded or refused on its own, and a decoded one decides without a panic.
#![no_main]

use gait::artifact::{SigningKey, TrustedKeys, bundle};
use gait::domain::Request;
use gait::gate::Gate;
use gait::{ir, json::Json};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let trusted = TrustedKeys::new([SigningKey::from_seed(&[7; 32]).verifying_key()]);
    drop(bundle::open(bytes, &trusted, jiff::Timestamp::UNIX_EPOCH));
    if let Ok(program) = ir::decode(bytes) {
        let tools: Vec<String> = program.tools.iter().map(|t| t.name.clone()).collect();
        let gate = Gate::new(program);
        for tool in tools {
            drop(gate.decide(&Request::call(&tool, &Json::Object(Vec::new())), &mut gate.workspace()));
        }
    }
});
