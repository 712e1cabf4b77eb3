//! Every bound of the system, named, with its unit. Nothing else in the crate chooses a size, depth or count.

/// Nesting of a JSON document, in arrays and objects.
pub const JSON_DEPTH: usize = 64;
/// One JSON document, in bytes.
pub const JSON_BYTES: usize = 4 << 20;
/// The largest integer magnitude RFC 8785 carries exactly: 2^53 - 1.
pub const SAFE_INTEGER: i128 = 9_007_199_254_740_991;
/// One policy source, in bytes.
pub const SOURCE_BYTES: usize = 4 << 20;
/// Nesting of expressions, types and literals in a policy.
pub const SYNTAX_DEPTH: usize = 64;
/// Diagnostics reported in one run.
pub const DIAGNOSTICS: usize = 200;
/// Decimal places of `Decimal` and `Money`.
pub const DECIMAL_PLACES: u32 = 18;
/// `max` of a `String`, in bytes.
pub const STRING_BYTES: u64 = 1 << 20;
/// `max` of a `List`, in elements.
pub const LIST_ITEMS: u64 = 10_000;
/// A `Url`, in bytes (RFC 9110 section 4.1 asks for at least 8,000).
pub const URL_BYTES: usize = 8_192;
/// A host name, in bytes (RFC 1035 section 2.3.4).
pub const HOST_BYTES: usize = 253;
/// A `Path`, in bytes.
pub const PATH_BYTES: usize = 4_096;
/// An `Email`, in bytes (RFC 5321 section 4.5.3.1.3).
pub const EMAIL_BYTES: usize = 254;
/// Rules in one package.
pub const RULES: usize = 100_000;
/// Tools in one package.
pub const TOOLS: usize = 10_000;
/// Rows (conjunctions) one rule may need on one tool after normalisation.
pub const ROWS_PER_RULE: usize = 1_024;
/// A regular expression, in bytes.
pub const PATTERN_BYTES: usize = 1_024;
/// The automaton of one string variable, in bytes of transition table.
pub const AUTOMATON_BYTES: usize = 16 << 20;
/// Class tables of one package, in bytes.
pub const CLASS_TABLE_BYTES: usize = 256 << 20;
/// An archive (bundle or runpack), in bytes.
pub const ARCHIVE_BYTES: usize = 256 << 20;
/// Entries of an archive.
pub const ARCHIVE_ENTRIES: usize = 10_000;
/// One entry of an archive, in bytes.
pub const ARCHIVE_ENTRY_BYTES: usize = 128 << 20;
/// The name of an archive entry, in bytes.
pub const ARCHIVE_NAME_BYTES: usize = 255;
/// A signed envelope (a trace, an approval), in bytes.
pub const ENVELOPE_BYTES: usize = 16 << 20;
/// Signatures of one envelope.
pub const SIGNATURES: usize = 16;
/// One line of a JSONL file, in bytes.
pub const JSONL_LINE_BYTES: usize = 16 << 20;
/// A file read whole, in bytes.
pub const FILE_BYTES: u64 = 512 << 20;
/// Nesting of an imported JSON Schema.
pub const IMPORT_DEPTH: usize = 16;
/// Subschemas visited for one imported tool; references can repeat a subschema without end.
pub const IMPORT_NODES: usize = 10_000;
/// Decimal places given to an imported `number`, which states none.
pub const IMPORT_DECIMAL_PLACES: u32 = 9;
