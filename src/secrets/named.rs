//! What a name says of its value, and whether a value may be what the name says: not a reference to a secret that is kept
//! elsewhere, not a placeholder, not a word. Pure functions of short texts.

/// What a name such as `DB_PASSWORD` says that its value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Something that people think of and type.
    Password,
    /// Something that a machine has drawn.
    Token,
    /// What authenticates a request.
    Authorization,
}

impl Named {
    /// What is said of it in place of the value.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Named::Password => "password",
            Named::Token => "named_secret",
            Named::Authorization => "authorization",
        }
    }
}

/// Ends of names of passwords.
const PASSWORDS: [&str; 6] = ["password", "passwd", "passphrase", "pwd", "passcode", "sshpass"];
/// Ends of names of what a machine has drawn.
const TOKENS: [&str; 22] = [
    "secret",
    "token",
    "apikey",
    "secretkey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "authkey",
    "accountkey",
    "storagekey",
    "servicekey",
    "clientkey",
    "sharedaccesskey",
    "subscriptionkey",
    "credential",
    "credentials",
    "phpsessid",
    "jsessionid",
    "xamzsignature",
    "xgoogsignature",
];
/// Tokens that grant nothing: they say where to go on in a list, or tell two requests apart.
const HARMLESS: [&str; 12] = [
    "pagetoken",
    "nexttoken",
    "synctoken",
    "continuationtoken",
    "cursortoken",
    "idempotencytoken",
    "clientrequesttoken",
    "requesttoken",
    "resumetoken",
    "starttoken",
    "stoptoken",
    "endtoken",
];
/// So much of a value decides, in characters.
const LOOKED_AT: usize = 256;
/// A name may be longer; no more of its end is looked at.
const NAME_BYTES: usize = 64;

/// What a name says.
pub(super) fn of(name: &str) -> Option<Named> {
    // Most names are short and end in nothing of this.
    let mut end = [0; NAME_BYTES];
    let mut letters = name.bytes().rev().filter(u8::is_ascii_alphanumeric);
    let mut count = 0;
    for (slot, byte) in end.iter_mut().rev().zip(&mut letters) {
        *slot = byte.to_ascii_lowercase();
        count += 1;
    }
    let end = end.get(NAME_BYTES - count..).unwrap_or_default();
    let ends = |words: &[&str]| words.iter().any(|word| end.ends_with(word.as_bytes()));
    match end {
        b"pass" => Some(Named::Password),
        _ if ends(&PASSWORDS) => Some(Named::Password),
        _ if ends(&["authorization"]) => Some(Named::Authorization),
        _ if ends(&TOKENS) && !ends(&HARMLESS) => Some(Named::Token),
        _ => None,
    }
}

/// Whether a name says that its value is a password, and nothing else but whose, or which.
pub(super) fn is_plain_password(name: &str) -> bool {
    let letters = name.bytes().filter(u8::is_ascii_alphanumeric).take(NAME_BYTES);
    let name: String = letters
        .map(|byte| char::from(byte.to_ascii_lowercase()))
        .collect();
    let which = ["new", "old", "current", "confirm", "user", "admin", "root", "db"];
    let word = which
        .iter()
        .find_map(|which| name.strip_prefix(which))
        .unwrap_or(&name);
    word == "pass" || PASSWORDS.contains(&word)
}

/// What stands for a value and is none, wherever it is in it.
const PLACEHOLDERS: [&str; 7] = [
    "example",
    "changeme",
    "redacted",
    "placeholder",
    "xxxx",
    "****",
    "....",
];
/// The same, alone.
const WORDS: [&str; 6] = ["none", "null", "nil", "undefined", "true", "false"];
/// What references to something that is kept elsewhere start with, and what says that something is to be put there.
const REFERENCES: [&str; 19] = [
    "[secret",
    "${",
    "$(",
    "{{",
    "<",
    "/",
    "./",
    "../",
    "~/",
    "arn:",
    "vault:",
    "op://",
    "projects/",
    "secrets.",
    "env.",
    "env:",
    "process.",
    "os.",
    "your",
];

/// Whether a text stands for a value that is not there.
pub(super) fn is_elsewhere(value: &str) -> bool {
    let start: String = value.chars().take(LOOKED_AT).collect();
    let start = start.to_ascii_lowercase();
    let is_path = start
        .get(1..3)
        .is_some_and(|drive| drive == ":\\" || drive == ":/");
    // A call in some language.
    let is_call = start.contains('(') && start.ends_with(')');
    is_path
        || is_call
        || is_reference(value)
        || REFERENCES.iter().any(|reference| start.starts_with(reference))
        || start.contains("://")
}

/// The same of a text that a name says to be a password: it may hold anything else.
pub(super) fn is_reference(value: &str) -> bool {
    let start: String = value.chars().take(LOOKED_AT).collect();
    let start = start.to_ascii_lowercase();
    let first = start.bytes().next();
    let is_variable =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    let value = value.trim();
    PLACEHOLDERS.iter().any(|word| start.contains(word))
        || WORDS.contains(&start.as_str())
        // It was taken out already.
        || start.starts_with("[secret ") && start.ends_with(']')
        || ["${", "$(", "{{", "vault:", "op://", "arn:aws:", "env:"].iter().any(|reference| start.starts_with(reference))
        || start.starts_with('<') && start.ends_with('>')
        || value.strip_prefix('$').is_some_and(is_variable)
        || value.strip_prefix('%').and_then(|name| name.strip_suffix('%')).is_some_and(is_variable)
        || start.bytes().all(|byte| Some(byte) == first)
}

/// Where the credentials start of what a request is authorised with: behind the scheme, where there is one.
pub(super) fn credentials(value: &str) -> usize {
    match value.split_once(' ') {
        Some((scheme, _)) if is_scheme(scheme) => scheme.len() + 1,
        _ => 0,
    }
}

/// Whether a word may be the scheme of an authorisation.
pub(super) fn is_scheme(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.len() <= 20
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether a text may be what a request is authorised with.
pub(super) fn is_credentials(value: &str) -> bool {
    value.len() >= 8 && is_password(value)
}

/// Whether a value within a text may be a password: people write `password: please choose one`, too.
pub(super) fn is_password(value: &str) -> bool {
    let has = |is: fn(&u8) -> bool| value.bytes().any(|byte| is(&byte));
    let is_sign = |byte: &u8| {
        byte.is_ascii_punctuation() && !matches!(byte, b'.' | b',' | b'-' | b'_' | b'\'' | b'?' | b'!')
    };
    value.len() >= 6
        && value.bytes().all(|byte| !byte.is_ascii_whitespace())
        && (has(u8::is_ascii_digit) || has(is_sign as fn(&u8) -> bool) || !value.is_ascii())
        && !is_elsewhere(value)
}

/// Whether a value looks as if it was drawn: a run of letters and digits in which they follow one another as in no word.
pub(super) fn is_drawn(value: &str) -> bool {
    let has_space = value.bytes().any(|byte| byte.is_ascii_whitespace());
    let mut runs = value.split(|c: char| !c.is_ascii_alphanumeric());
    let is_drawn = is_uuid(value) || distinct(value) >= 6 && runs.any(is_drawn_run);
    value.len() >= 12 && !has_space && is_drawn && !is_elsewhere(value)
}

/// Whether a value is one of the 128 bits of RFC 9562.
fn is_uuid(value: &str) -> bool {
    let parts = value
        .split('-')
        .map(|part| match part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => part.len(),
            false => 0,
        });
    parts.eq([8, 4, 4, 4, 12])
}

fn is_drawn_run(run: &str) -> bool {
    let has = |is: fn(&u8) -> bool| run.bytes().any(|byte| is(&byte));
    let kinds = run.bytes().map(|byte| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        _ => 2,
    });
    let changes = kinds.clone().zip(kinds.skip(1)).filter(|(a, b)| a != b).count();
    let letters_and_digits = has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit);
    let both_cases = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    run.len() >= 8 && changes >= 3 && letters_and_digits || run.len() >= 16 && changes >= 5 && both_cases
}

/// Whether what follows the start of a token was drawn, not written to show where one goes.
pub(super) fn is_body(body: &str) -> bool {
    let lower = body.to_ascii_lowercase();
    let least = if body.len() < 24 { 6 } else { 8 };
    // Words that are joined have neither.
    let is_mixed = body
        .bytes()
        .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    is_mixed
        && distinct(body) >= least
        && !["example", "xxxxx", "00000000", "your"]
            .iter()
            .any(|word| lower.contains(word))
}

/// How many different characters a text of ASCII has.
fn distinct(text: &str) -> u32 {
    let seen = text.bytes().fold(0u128, |seen, byte| seen | 1 << (byte & 0x7f));
    seen.count_ones()
}
