//! Texts of SQL: read or refused; what is read keeps its text and gives the same parts again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(sql) = gait::builtins::sql::parse(text) {
        assert_eq!(&*sql.text, text);
        assert_eq!(gait::builtins::sql::parse(text), Ok(sql));
    }
});
