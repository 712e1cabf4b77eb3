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
/// Height of one expression tree, in nodes; each operand of a long `and` or `or` adds one.
pub const SYNTAX_HEIGHT: usize = 256;
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
/// Groups in one package.
pub const GROUPS: usize = 1_000;
/// Pairs of a rule and a tool it is about, in one package.
pub const RULE_TOOLS: usize = 1_000_000;
/// Parts of one condition with every predicate in it written out.
pub const INLINED_NODES: usize = 16_384;
/// Parts of the type an alias stands for, with every alias in it written out.
pub const ALIAS_NODES: usize = 4_096;
/// Nesting of the type an alias stands for.
pub const ALIAS_DEPTH: usize = 32;
/// Modules one policy imports, directly or through others; also its data files.
pub const MODULES: usize = 256;
/// All modules and data files of one policy, in bytes.
pub const MODULES_BYTES: usize = 64 << 20;
/// One data file, in bytes.
pub const DATA_BYTES: usize = 16 << 20;
/// Elements of one set.
pub const SET_ELEMENTS: usize = 100_000;
/// Elements of one data file that are reported as wrong.
pub const DATA_ERRORS: usize = 10;
/// The path of a module or data file from the policy's folder, in bytes.
pub const FILE_PATH_BYTES: usize = 255;
/// Rows (conjunctions) one rule may need on one tool after normalisation.
pub const ROWS_PER_RULE: usize = 1_024;
/// A regular expression, in bytes.
pub const PATTERN_BYTES: usize = 1_024;
/// The automaton of one string variable, in bytes of transition table.
pub const AUTOMATON_BYTES: usize = 4 << 20;
/// The expression of a pattern that shares an automaton with others, in bytes; a longer one has its own.
pub const SHARED_PATTERN_BYTES: usize = 96;
/// Automata kept while a policy is compiled, so that its tools share them, in bytes.
pub const AUTOMATA_KEPT_BYTES: usize = 64 << 20;
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
/// A signed envelope (a trace, an approval), in bytes; it is one JSON document.
pub const ENVELOPE_BYTES: usize = JSON_BYTES;
/// Signatures of one envelope.
pub const SIGNATURES: usize = 16;
/// One line of a JSONL file, in bytes.
pub const JSONL_LINE_BYTES: usize = 16 << 20;
/// A file read whole, in bytes.
pub const FILE_BYTES: u64 = 512 << 20;
/// A compiled regular expression, in bytes of its automaton with many starts.
pub const PATTERN_NFA_BYTES: usize = 1 << 20;
/// The automaton shared by several patterns of one variable, in bytes; past it the patterns are split.
pub const AUTOMATON_SHARED_BYTES: usize = 1 << 20;

// Built-in types
/// What `Host` reads before it is canonical, in bytes: a name of 253 characters, four bytes each.
pub const HOST_INPUT_BYTES: usize = 4 * HOST_BYTES;
/// One label of a host name, in bytes (RFC 1035 section 2.3.4).
pub const HOST_LABEL_BYTES: usize = 63;
/// The local part of an `Email`, in bytes (RFC 5321 section 4.5.3.1.1).
pub const EMAIL_LOCAL_BYTES: usize = 64;
/// Largest magnitude of `Decimal` and `Money`, in units of the last place; sums of 10^8 of them still fit.
pub const DECIMAL_MAGNITUDE: i128 = 1_000_000_000_000_000_000_000_000_000_000;
/// The longest `Duration`, in milliseconds: a million days.
pub const DURATION_MILLIS: i128 = 1_000_000 * 86_400_000;
/// The first and last year of an `Instant` or `Date`.
pub const YEARS: std::ops::RangeInclusive<i128> = 1..=9_999;
/// What `Duration` and `Instant` read before they are canonical, in bytes.
pub const TIME_INPUT_BYTES: usize = 64;
/// Layers of percent-encoding looked through in the path of a `Url`; one more is refused.
pub const PERCENT_LAYERS: usize = 4;
/// A name chosen by a caller, as far as messages repeat it, in characters.
pub const SHOWN_NAME_CHARS: usize = 64;
/// A trace, run or session id, in bytes; it becomes part of an archive name.
pub const ID_BYTES: usize = 64;
/// The part of a source's name that is kept in its archive name, in bytes.
pub const SOURCE_SLUG_BYTES: usize = 64;
/// A key file, in bytes.
pub const KEY_FILE_BYTES: usize = 4 << 10;
/// A trust file, in bytes.
pub const TRUST_FILE_BYTES: usize = 1 << 20;
/// Links of a chain of delegation.
pub const DELEGATIONS: u32 = 8;
/// Tools, or groups of them, that one link names.
pub const DELEGATED_TOOLS: usize = 100;
/// How long a link is good for at most, in milliseconds: 31 days.
pub const DELEGATION_MILLIS: i128 = 31 * 24 * 60 * 60 * 1_000;
/// Statements that are handed over with a call.
pub const ATTESTATIONS: usize = 16;
/// How long a statement is good for at most, and how old a policy lets one be, in milliseconds: 31 days.
pub const ATTESTATION_MILLIS: i128 = 31 * 24 * 60 * 60 * 1_000;
/// A principal in a trust file, in bytes.
pub const PRINCIPAL_BYTES: usize = 512;
/// Stops of a kill switch, those that are off too.
pub const KILL_SWITCH_STOPS: usize = 1_000;
/// One text of a stop, in bytes.
pub const STOP_TEXT_BYTES: usize = 1_024;
/// How long the state of a kill switch is fresh at most, in milliseconds: 366 days.
pub const KILL_SWITCH_MILLIS: i128 = 366 * 24 * 60 * 60 * 1_000;
/// How long an approval is good for at most, in milliseconds: 31 days.
pub const APPROVAL_MILLIS: i128 = 31 * 24 * 60 * 60 * 1_000;
/// How long an allowed call may wait to run at most, in milliseconds: an hour.
pub const PERMIT_MILLIS: i128 = 60 * 60 * 1_000;
/// One message of the Model Context Protocol, in bytes.
pub const MCP_MESSAGE_BYTES: usize = JSON_BYTES;
/// How long a server may go on once nobody asks it anything more, in milliseconds.
pub const MCP_DRAIN_MILLIS: u64 = 5_000;
/// Pages of a server's list of tools.
pub const MCP_LIST_PAGES: usize = 100;
/// How long a list of tools counts at most before it is asked for again, in milliseconds.
pub const MCP_LIST_MILLIS: i64 = 60_000;
/// How often a list of tools is asked for where it changes in between.
pub const MCP_LIST_TRIES: usize = 3;
/// Longest wait for a server's answer to what the gateway itself asks, in milliseconds.
pub const MCP_ASK_MILLIS: u64 = 10_000;
/// Longest wait for the first answer of a server that was started, in milliseconds: it may be fetched first.
pub const MCP_START_MILLIS: u64 = 60_000;
/// Longest wait for what comes of a call that was passed on, in milliseconds.
pub const MCP_CALL_MILLIS: u64 = 300_000;
/// Pause at least before a server that failed is asked again, in milliseconds.
pub const MCP_RESTART_MILLIS: i64 = 1_000;
/// Sessions of clients that the gateway keeps.
pub const MCP_SESSIONS: usize = 1_000;
/// How long a session of a client may be idle, in milliseconds.
pub const MCP_SESSION_MILLIS: i64 = 60 * 60 * 1_000;
/// Servers behind one gateway.
pub const MCP_SERVERS: usize = 100;
/// What a client that listens was not told yet, in messages.
pub const MCP_STREAM: usize = 16;
/// Pages of calls that wait for people.
pub const MCP_PAGES: usize = 1_000;
/// Messages that a client is told while its request is under way and has not taken yet; more are dropped.
pub const MCP_EVENTS: usize = 256;
/// Subscriptions of clients that speak the revision without sessions, at the same time.
pub const MCP_LISTENERS: usize = 1_000;
/// Resources that one client, or one server for all clients, watches.
pub const MCP_WATCHED: usize = 1_000;
/// How long a server is listened to before it is asked again, in milliseconds.
pub const MCP_LISTEN_MILLIS: u64 = 60 * 60 * 1_000;
/// How often a server may want more before it answers one request.
pub const MCP_ROUNDS: usize = 10;
/// Requests of a server that one of its answers may hold.
pub const MCP_WANTED: usize = 20;
/// Calls that wait for what their clients answer (`requestState`).
pub const MCP_STATES: usize = 1_000;
/// How long the answer of a client to what a server wants first is waited for, in milliseconds.
pub const MCP_STATE_MILLIS: i64 = 15 * 60 * 1_000;
/// The state that a server wants back, in bytes.
pub const MCP_STATE_BYTES: usize = 64 * 1_024;
/// Tasks that calls of one client have become.
pub const MCP_TASKS: usize = 1_000;
/// How often whoever waits for a client looks whether it is still there, in milliseconds.
pub const MCP_LOOK_MILLIS: u64 = 500;
/// The name of a tool as clients of the gateway see it, in bytes.
pub const MCP_WIRE_NAME_BYTES: usize = 128;
/// Why somebody denies a call, in bytes.
pub const REASON_BYTES: usize = 500;
/// What a caller calls the whole that a call is part of, in bytes.
pub const CORRELATION_BYTES: usize = 256;
/// Calls that wait at a gate and are listed; where there are more, the oldest is forgotten.
pub const WAITING_CALLS: usize = 1_000;
/// How long a call is listed that nobody has asked for again, in milliseconds: a day.
pub const WAITING_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// Approvals handed over with one call.
pub const HANDED_APPROVALS: usize = 100;
/// What is read of an answer on a terminal, in bytes.
pub const ANSWER_BYTES: u64 = 1_024;
/// Nesting of an imported JSON Schema.
pub const IMPORT_DEPTH: usize = 16;
/// Subschemas visited for one imported tool; references can repeat a subschema without end.
pub const IMPORT_NODES: usize = 10_000;
/// An imported YAML policy, in bytes.
pub const YAML_BYTES: usize = 1 << 20;
/// Nesting of an imported YAML policy.
pub const YAML_DEPTH: usize = 32;
/// Keys and values of an imported YAML policy, aliases written out.
pub const YAML_NODES: usize = 100_000;
/// Decimal places given to an imported `number`, which states none.
pub const IMPORT_DECIMAL_PLACES: u32 = 9;
/// Longest wait for a file another process has locked, in milliseconds.
pub const LOCK_WAIT_MILLIS: u64 = 10_000;
/// Longest wait for the first line of a file that another process may just have made, in milliseconds.
pub const EMPTY_WAIT_MILLIS: u64 = 1_000;
/// Time between two tries for a lock, in milliseconds.
pub const LOCK_RETRY_MILLIS: u64 = 5;

// Command lines
/// A `Command`, in bytes: what Linux takes as one argument of a program (MAX_ARG_STRLEN).
pub const COMMAND_BYTES: usize = 128 << 10;
/// Words of a `Command`, those of the texts it runs included; also its commands.
pub const COMMAND_WORDS: usize = 8_192;
/// Elements of all lists of one name in the commands of a `Command`, such as `.args`; a wrapper's words are listed again for the
/// program it starts.
pub const COMMAND_ELEMENTS: usize = 2 * COMMAND_WORDS;
/// Nesting of a `Command`: substitutions, compound commands, wrappers, texts run by shells.
pub const COMMAND_DEPTH: usize = 32;

/// A `Repo`, in bytes.
pub const REPO_BYTES: usize = 512;
// SQL
/// A `Sql`, in bytes.
pub const SQL_BYTES: usize = 128 << 10;
/// Nesting of a `Sql`, in brackets and in the parser's own count.
pub const SQL_DEPTH: usize = 32;
/// Height of any tree that can be made of a `Sql`, in nodes.
pub const SQL_HEIGHT: usize = 1_024;
/// What a JOIN counts for in that height.
pub const SQL_JOIN_HEIGHT: usize = 16;
/// What a statement within a statement counts for in that height.
pub const SQL_STATEMENT_HEIGHT: usize = 128;
/// Statements of a `Sql`, those of all readings.
pub const SQL_STATEMENTS: usize = 4_096;
/// Elements of all lists of one name in the statements of a `Sql`, such as `.tables`; one fewer than a list may have, since
/// what is not known is named, too.
pub const SQL_ELEMENTS: usize = LIST_ITEMS as usize - 1;
// Replay
/// Distinct tool names, and distinct sessions, one replay keeps apart.
pub const REPLAY_NAMES: usize = 100_000;
/// Calls a replay lists one by one; the rest are only counted.
pub const REPLAY_FINDINGS: usize = 10_000;
/// Inexact numbers looked past in one document; each costs one more reading of it.
pub const REPLAY_INEXACT_NUMBERS: usize = 64;
/// Tries to find a moment in which no other process judged the same intent, in milliseconds past the clock.
pub const TRACE_TRIES: u32 = 256;
/// Folders `gait demo` leaves beside each other before it asks for another place.
pub const DEMO_FOLDERS: u32 = 1_000;
/// Recorded calls of one regression run.
pub const REGRESS_CASES: usize = 100_000;
/// What is read of a file to tell whether it is a JUnit report, in bytes.
pub const JUNIT_HEAD_BYTES: usize = 512;
/// A line of a policy that an excerpt draws, in characters; the drawing counts columns in 16 bits.
pub const DRAWN_LINE_CHARS: usize = 2_000;
/// Lines between two labels of one excerpt; what is farther away is named below it.
pub const DRAWN_LINES: u32 = 20;
/// A message as people see it, in characters; of a longer one the middle is left out.
pub const SHOWN_MESSAGE_CHARS: usize = 1_000;
/// A dotted name of an item that cannot be read, in bytes; a longer one may be anything.
pub const DOTTED_NAME_BYTES: usize = 1_024;
/// Pairs of automaton states visited for the samples of one variable.
pub const SAMPLE_STATES: usize = 200_000;

// Explanations
/// A value as an explanation shows it to people, in characters; of a longer one the middle is left out.
pub const SHOWN_VALUE_CHARS: usize = 160;
/// Secrets of one call that its trace names.
pub const SECRETS_NAMED: usize = 32;
/// Elements of one list whose labels a decision and its trace name one by one.
pub const LABELLED_ELEMENTS: usize = 64;
/// Texts that an explanation tries for a value that is read from one.
pub const EXPLAINED_TEXTS: usize = 500;
/// Elements of a list that an explanation of a quantifier goes into.
pub const EXPLAINED_ELEMENTS: usize = 8;
/// Changes of a call that together may make its nearest allowed one.
pub const NEAREST_CHANGES: usize = 3;
/// Calls judged in the search for the nearest allowed one.
pub const NEAREST_CALLS: usize = 20_000;
/// Combinations of changes looked at in that search, judged or not.
pub const NEAREST_COMBINATIONS: usize = 2_000_000;
/// Edges of the decision diagrams of one tool.
pub const ANALYSIS_EDGES: usize = 4_000_000;
/// The same of the rules of one tool, when it is looked for those that change nothing.
pub const IDLE_EDGES: usize = 200_000;
/// Paths of a diagram on which an analysis looks for a call.
pub const ANALYSIS_PATHS: usize = 200;
/// Gates of the circuits of one tool.
pub const CIRCUIT_GATES: usize = 1_000_000;
/// Conflicts of a SAT solver, after which it gives up.
pub const SAT_CONFLICTS: u64 = 200_000;
/// Edges of decision diagrams from which on another order of their variables is looked for.
pub const SIFT_EDGES: usize = 1_000_000;
/// Nodes that are rewritten while one is looked for.
pub const SIFTED_NODES: usize = 1_000_000;
/// Ways in which the questions about claims in one condition may be answered, where it is tried whether they matter.
pub const CLAIMED_WAYS: usize = 16;
/// Answers that one conclusion about comparisons of values rests on.
pub const RELATED_ANSWERS: usize = 6;
/// Conclusions about comparisons of values, for one tool.
pub const RELATED_BOUNDS: usize = 256;
/// Ways in which it is known that the values of one comparison are there.
pub const RELATED_WITNESSES: usize = 8;
/// Cases by which one conclusion about values is told.
pub const RELATED_CASES: usize = 65_536;
/// States of an automaton in which a class without texts is looked for.
pub const INHABITED_STATES: usize = 20_000;
/// Edges of the decision diagrams of one tool, when the boundaries of a rule's conditions are looked for.
pub const EDGES: usize = 200_000;
/// Paths on which a call at the boundary of a condition is looked for.
pub const EDGE_PATHS: usize = 40;
/// Tools of one rule on which the boundaries of its conditions are looked for.
pub const EDGE_TOOLS: usize = 8;
/// Conditions of one rule on one tool whose boundaries are looked for.
pub const EDGE_CONDITIONS: usize = 256;
/// The same of a tool with SQL.
pub const EDGE_SQL_CONDITIONS: usize = 16;
/// Command lines of a tool in which those are looked for that show a condition.
pub const EDGE_COMMANDS: usize = 600;
/// Conditions of one rule that are looked at together.
pub const EDGES_AT_ONCE: usize = 4;
/// Values on each side of the boundary of one condition, of each kind.
pub const EDGE_VALUES: usize = 4;
/// Texts that an analysis tries for one value that is read from a text.
pub const ANALYSIS_TEXTS: usize = 4_000;
/// Kinds of calls that are told apart where the same is different of them.
pub const DIFFERENT_KINDS: usize = 8;
/// Combinations of texts that are said of calls of one tool by one of two policies only.
pub const DIFFERENT_PARTS: usize = 256;
/// Times `gait policy lint --fix` looks for changes again after it has applied some.
pub const FIX_PASSES: usize = 64;
/// Labels of one package, each a bit; the members of levels count.
pub const LABELS: usize = 60;
/// Charges of one counter whose outcome may still be told; of older ones it cannot.
pub const OPEN_CHARGES: usize = 1_000;
/// Steps in which a counter forgets what is over: a charge counts at most one of them too long.
pub const COUNTER_STEPS: u64 = 60;
/// Windows of time of one policy.
pub const WINDOWS: usize = 256;
/// Steps of a pattern of history, gaps counted out; each is a bit of the monitor's state.
pub const PATTERN_STEPS: usize = 62;
/// What a monitor counts up to, in events.
pub const HISTORY_COUNT: u32 = 1_000_000;
/// What a monitor of recent events counts up to; it remembers the time of each.
pub const HISTORY_RECENT: u32 = 256;
/// Reports of one policy that show a call.
pub const WITNESSES: usize = 32;
/// Bytes of a call that a person still reads beside a report.
pub const WITNESS_BYTES: usize = 600;
/// The most steps of a decision that are told apart: the largest integer that JSON carries exactly.
pub const STEPS: u64 = (1 << 53) - 1;
/// Steps of one decision in the profile `standard`.
pub const STANDARD_STEPS: u64 = 500_000_000;
/// Steps of one decision in the profile `strict`.
pub const STRICT_STEPS: u64 = 20_000_000;
/// The state of a session in the profile `standard`, in bytes.
pub const STANDARD_STATE_BYTES: u64 = 256 << 10;
/// The state of a session in the profile `strict`, in bytes.
pub const STRICT_STATE_BYTES: u64 = 32 << 10;
/// Parts of a decision that `gait policy cost` names to people, per tool.
pub const COSTLIEST_PARTS: usize = 5;
/// Steps of one script.
pub const SCRIPT_STEPS: usize = 64;
/// Sessions that the steps of one script may have come to, by which of them succeed, kept apart.
pub const SCRIPT_STATES: usize = 64;
/// People in one role.
pub const ROLE_MEMBERS: usize = 1_000;
/// Approvals one rule asks for.
pub const APPROVALS: u32 = 100;
/// Approvals one rule names.
pub const ASKED: usize = 16;
/// Obligations one package declares.
pub const OBLIGATIONS: usize = 256;
/// Parameters of one obligation.
pub const OBLIGATION_PARAMS: usize = 32;
/// Obligations one rule obliges.
pub const DUTIES: usize = 64;
/// Sets of rules on one tool that are looked at to find those that together oblige too much.
pub const OBLIGING_RULES: usize = 4_096;
/// Bytes of the name of a channel after `notify`.
pub const CHANNEL_BYTES: u64 = 128;
/// Channels that one call notifies.
pub const CHANNELS: u64 = 32;
/// Characters that a `mask` keeps at most.
pub const MASK_KEPT: i128 = 16;
/// Seconds after which a temporary file is one that a killed process left.
pub const STALE_SECONDS: u64 = 3_600;
/// Names of a folder that are looked at for such files.
pub const STALE_NAMES: usize = 1_000;
/// The value of one record of a store, in bytes: the last call of a session has a trace and an intent.
pub const RECORD_BYTES: usize = 4 * JSON_BYTES;
/// The name of one record of a store, in bytes.
pub const RECORD_NAME_BYTES: usize = 512;
/// Records that are changed together.
pub const RECORD_KEYS: usize = 16_384;
/// What is wrong with a store, as far as it is listed.
pub const STORE_FLAWS: usize = 100;
/// Records of a store that are looked at together.
pub const STORE_PAGE: usize = 256;
/// Records of a store that are shown together.
pub const STORE_SHOWN: usize = 1_000;
/// Longest wait for a connection to a store's server, in seconds.
pub const STORE_CONNECT_SECONDS: u64 = 5;
/// Times a connection to a store's server is made for one change, when it is lost before anything was changed.
pub const STORE_CONNECTS: usize = 2;
/// Longest silence of a connection to a store's server that is awaited, in seconds.
pub const STORE_SILENT_SECONDS: u64 = 10;
/// Longest time that a store's server keeps the locks of a gate that says nothing, in milliseconds.
pub const STORE_IDLE_MILLIS: u64 = 30_000;
/// Longest wait for what a store's server answers, in milliseconds: longer than the server waits for a lock.
pub const STORE_ANSWER_MILLIS: u64 = 12_000;
/// Connections of one process to a store's server.
pub const STORE_LINKS: usize = 16;
/// Times that a call of a session is judged again because another gate was faster.
pub const SESSION_TRIES: usize = 16;

// The daemon
/// Traces that are written to the log together.
pub const TRACE_GROUP: usize = 1_024;
/// The same, in bytes, before the last of them.
pub const TRACE_GROUP_BYTES: usize = 4 << 20;
/// The share of the time of the last flush that a group waits for more callers: one in so many.
pub const TRACE_GROUP_WAIT: u32 = 8;
/// What a write to the log that was cut off may have left, in bytes: such a group, the last trace of it, and line ends.
pub const TRACE_GROUP_TAIL: u64 = (TRACE_GROUP_BYTES + ENVELOPE_BYTES + TRACE_GROUP) as u64;
/// A file of the log from which on another one is begun, in bytes.
pub const TRACE_FILE_BYTES: u64 = 64 << 20;
/// How long a file of the log is written to at most, where old ones are removed, in milliseconds: a day.
pub const TRACE_FILE_MILLIS: i64 = 24 * 60 * 60 * 1_000;
/// How long files of the log are kept at most, where that is said, in milliseconds: a hundred years.
pub const TRACE_KEPT_MILLIS: i128 = 36_525 * 24 * 60 * 60 * 1_000;
/// What is written to find out whether a log that failed can be written again, in bytes.
pub const TRACE_PROBE_BYTES: usize = 64 << 10;
/// Traces that the daemon finds by their id: the last ones.
pub const TRACES_FOUND: usize = 65_536;
/// A configuration file, in bytes.
pub const CONFIG_BYTES: u64 = 1 << 20;
/// A bearer token at least, in bytes.
pub const TOKEN_BYTES: usize = 32;
/// The file of a bearer token, in bytes.
pub const TOKEN_FILE_BYTES: u64 = 4 << 10;
/// The file with the keys of an authorization server, in bytes.
pub const TOKEN_KEYS_BYTES: u64 = 256 << 10;
/// Keys of an authorization server.
pub const TOKEN_KEYS: usize = 64;
/// Scopes of a token.
pub const TOKEN_SCOPES: usize = 64;
/// What the clocks of an authorization server and of a gateway may differ by, in seconds.
pub const TOKEN_SKEW_SECONDS: i64 = 60;
/// The body of a request, in bytes.
pub const REQUEST_BYTES: usize = 1 << 20;
/// The head of a request, in bytes.
pub const REQUEST_HEAD_BYTES: usize = 16 << 10;
/// Lines of the head of a request.
pub const REQUEST_HEADERS: usize = 64;
/// Longest wait for the head of a request, also on a connection that was used before, in milliseconds.
pub const REQUEST_HEAD_MILLIS: u64 = 15_000;
/// Longest wait for the body of a request, in milliseconds.
pub const REQUEST_BODY_MILLIS: u64 = 10_000;
/// Longest wait for an answer, in milliseconds: longer than a store and a journal are waited for.
pub const REQUEST_MILLIS: u64 = 30_000;
/// Requests that are decided at the same time, unless the caller says otherwise; and at most.
pub const REQUESTS: usize = 64;
/// The most that may be said.
pub const REQUESTS_MOST: usize = 1_024;
/// Requests about the daemon itself that are answered at the same time.
pub const REQUESTS_ABOUT: usize = 4;
/// Decisions that wait to be told to a collector; more are not told.
pub const OTLP_QUEUE: usize = 2_048;
/// Decisions that are told together.
pub const OTLP_GROUP: usize = 512;
/// How long the first of them waits for others, in milliseconds.
pub const OTLP_GROUP_MILLIS: u64 = 500;
/// Longest wait for a collector's answer, in milliseconds.
pub const OTLP_MILLIS: u64 = 2_000;
/// Longest wait for a connection to be encrypted, in milliseconds.
pub const TLS_MILLIS: u64 = 10_000;
/// A file of certificates, or of a key of TLS, in bytes.
pub const TLS_FILE_BYTES: u64 = 256 << 10;
/// Connections at the same time.
pub const CONNECTIONS: usize = 1_024;
/// Longest time in which requests are finished once the daemon is told to stop, in milliseconds.
pub const DRAIN_MILLIS: u64 = 35_000;
/// Pause after a connection could not be taken, in milliseconds.
pub const ACCEPT_MILLIS: u64 = 50;
/// What the daemon has to say and nobody has heard yet, in messages.
pub const SAID: usize = 256;
/// Longest time a broker of credentials may take, in milliseconds.
pub const BROKER_MILLIS: u64 = 5_000;
/// Most that a broker may write, in bytes.
pub const BROKER_BYTES: usize = 16 << 10;
/// Largest program of a broker whose digest is taken, in bytes.
pub const PROGRAM_BYTES: u64 = 256 << 20;
/// Longest time a credential may be good for, in seconds.
pub const CREDENTIAL_SECONDS: u64 = 12 * 60 * 60;
/// How far the clocks of an issuer and of this machine may be apart, in milliseconds.
pub const CREDENTIAL_SKEW_MILLIS: i64 = 5_000;
/// Longest name of a credential, in bytes.
pub const CREDENTIAL_NAME_BYTES: usize = 64;
/// Longest issuer, subject or scope of a credential, in bytes.
pub const CREDENTIAL_TEXT_BYTES: usize = 1_024;
/// Scopes of one credential.
pub const CREDENTIAL_SCOPES: usize = 32;
/// Shortest secret that is looked for in what is said of it, in bytes: a shorter one is in any text.
pub const CREDENTIAL_SECRET_BYTES: usize = 4;
