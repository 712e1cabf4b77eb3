//! Runpack bytes, and the envelopes and key files beside them: opened or refused with a named error.
#![no_main]

use gait::artifact::{SigningKey, TrustedKeys, VerifyingKey, archive, runpack, trace};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let trusted = TrustedKeys::new([SigningKey::from_seed(&[7; 32]).verifying_key()]);
    let now = jiff::Timestamp::UNIX_EPOCH;
    drop(runpack::open(bytes, &trusted, now));
    drop(trace::verify(bytes, &trusted, now));
    drop(VerifyingKey::parse(bytes));
    if let Ok(entries) = archive::read(bytes) {
        assert_eq!(archive::write(entries).as_deref(), Ok(bytes));
    }
});
