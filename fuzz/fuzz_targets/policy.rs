//! Policy text: the compiler answers any text with diagnostics or a program, the program survives its bytes, and the
//! formatter keeps what it formats.
#![no_main]

use gait::source::{FileId, Source};
use gait::{compile, ir, syntax};

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Some(checked) = compile::check("fuzz.gaitpol", text).checked {
        let program = compile::lower(&checked);
        assert_eq!(ir::decode(&ir::encode(&program)).as_ref(), Ok(&program));
        drop(ir::print(&program));
    }
    if let Ok(once) = syntax::format(&Source::new(FileId(0), "fuzz.gaitpol", text)) {
        let again = syntax::format(&Source::new(FileId(0), "fuzz.gaitpol", once.clone()));
        assert_eq!(again.as_ref(), Ok(&once));
    }
});
