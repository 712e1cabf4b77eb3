//! The one list of diagnostic codes, ranged by stage and never reused: GP00xx text and syntax, GP01xx names,
//! GP02xx types and values, GP03xx rules, GP04xx tests, GP05xx size, GP06xx lints,
//! GP07xx what policies claim of themselves, GP90xx what was not decided. Each has a page `docs/errors/GPnnnn.md`,
//! which `gait explain` prints, and a fixture in `fixtures/lang/`; `tests/it/codes.rs` checks all three.

/// A stable diagnostic code such as `GP0102`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub &'static str);

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

macro_rules! codes {
    ($($(#[doc = $doc:expr])* $name:ident = $text:literal;)*) => {
        $($(#[doc = $doc])* pub const $name: Code = Code($text);)*
        /// Every code with its one-line meaning, in order.
        pub const ALL: &[(Code, &str)] = &[$(($name, concat!($($doc),*).trim_ascii())),*];
        /// Every code with its page, in order; a code without a page does not compile.
        pub const PAGES: &[(Code, &str)] =
            &[$(($name, include_str!(concat!("../../docs/errors/", $text, ".md")))),*];
    };
}

codes! {
    /// A character that no token starts with.
    BAD_CHARACTER = "GP0001";
    /// A string that does not end on its line, or holds an unknown escape.
    BAD_STRING = "GP0002";
    /// A number written in a form the language does not have.
    BAD_NUMBER = "GP0003";
    /// The text does not follow the grammar here.
    UNEXPECTED = "GP0004";
    /// Nested deeper than the limit.
    TOO_DEEP = "GP0005";
    /// The first line does not name an edition, or names one this compiler does not know.
    EDITION = "GP0006";
    /// The `policy` or `default` line is missing or written twice.
    HEADER = "GP0007";
    /// A control, bidirectional or invisible character.
    HIDDEN_CHARACTER = "GP0008";
    /// A source file larger than the limit.
    SOURCE_TOO_LARGE = "GP0009";
    /// A name nobody declared.
    UNKNOWN_NAME = "GP0101";
    /// A name declared twice.
    DUPLICATE_NAME = "GP0102";
    /// A name or code reserved for the gate.
    RESERVED_NAME = "GP0103";
    /// A group that contains itself.
    GROUP_CYCLE = "GP0104";
    /// A predicate that speaks of the call instead of what is passed to it.
    NOT_PASSED = "GP0110";
    /// A type, set or predicate that leads back to itself.
    DECLARATION_CYCLE = "GP0111";
    /// A use of a predicate that does not fit its parameters.
    BAD_CALL = "GP0112";
    /// A value that stands in a set twice.
    DUPLICATE_ELEMENT = "GP0113";
    /// An import or data file that cannot be read.
    IMPORT_UNREADABLE = "GP0114";
    /// Modules that import one another.
    IMPORT_CYCLE = "GP0115";
    /// A name that its module keeps to itself.
    PRIVATE_NAME = "GP0116";
    /// An item in a module that only a policy has.
    NOT_IN_MODULE = "GP0117";
    /// An import that nothing uses.
    UNUSED_IMPORT = "GP0118";
    /// A file that is not the one the lock or the import names.
    LOCK_MISMATCH = "GP0119";
    /// An import that no lock names.
    UNLOCKED = "GP0120";
    /// A `gait.lock` that cannot be read.
    BAD_LOCK = "GP0121";
    /// A data file that does not hold the elements of its set.
    BAD_DATA = "GP0122";
    /// A type that does not exist or has wrong parameters.
    BAD_TYPE = "GP0201";
    /// A type where an operator needs another one.
    TYPE_MISMATCH = "GP0202";
    /// A literal that is no value of the type it is compared with.
    BAD_LITERAL = "GP0203";
    /// An optional value used where it may be missing.
    OPTIONAL_UNCHECKED = "GP0204";
    /// A regular expression or glob that cannot be used.
    BAD_PATTERN = "GP0205";
    /// An effect target that is not computed from an argument that names one.
    BAD_TARGET = "GP0206";
    /// A field of the context whose declaration does not fit together.
    BAD_CONTEXT = "GP0207";
    /// A label that cannot be asked for or given here.
    BAD_LABEL = "GP0210";
    /// A question about the session that cannot be asked.
    BAD_HISTORY = "GP0211";
    /// A rule that applies to no tool.
    EMPTY_SELECTOR = "GP0301";
    /// A `default` the language does not allow.
    BAD_DEFAULT = "GP0302";
    /// A condition that is always true or always false.
    CONSTANT_CONDITION = "GP0303";
    /// A rule that names an argument or target not every one of its tools has.
    NOT_ON_EVERY_TOOL = "GP0304";
    /// A claim of the caller that could loosen a verdict.
    CLAIM_LOOSENS = "GP0305";
    /// A refinement that cannot be: of a final rule, of itself, or of a rule about other tools.
    BAD_REFINEMENT = "GP0306";
    /// A label that could loosen a verdict.
    LABEL_LOOSENS = "GP0307";
    /// An approval that nobody can give, or that is not asked for.
    BAD_APPROVAL = "GP0310";
    /// A window that is never open, or of which it is not clear when it is.
    BAD_WINDOW = "GP0311";
    /// A limit that holds nothing back, or that a caller could get round.
    BAD_LIMIT = "GP0312";
    /// A rule of a lower scope that is looser than those above it allow.
    OUTSIDE_DELEGATION = "GP0320";
    /// A rule that makes an exception of a rule of a scope above it.
    REFINES_UPPER = "GP0321";
    /// Something a lower scope says that is for the scopes above it to say.
    FOR_UPPER = "GP0322";
    /// A scope, or a delegation to one, that cannot be.
    BAD_SCOPE = "GP0323";
    /// An obligation whose declaration does not fit together.
    BAD_OBLIGATION = "GP0325";
    /// Something a rule obliges that is not told as its obligation is declared.
    BAD_DUTY = "GP0326";
    /// Two rules that oblige what cannot be joined.
    OBLIGATION_CONFLICT = "GP0327";
    /// A test whose call or outcome cannot exist.
    BAD_TEST = "GP0401";
    /// A condition, pattern or policy that would make the index too large.
    TOO_LARGE = "GP0501";
    /// A policy of which decisions may take more steps, or sessions more bytes, than its profile allows.
    TOO_COSTLY = "GP0502";
    /// A lint that does not exist.
    UNKNOWN_LINT = "GP0600";
    /// A comment that is meant to silence a finding and does not.
    BAD_SILENCE = "GP0601";
    /// A comment silences a lint that finds nothing there.
    UNUSED_SILENCE = "GP0602";
    /// A rule that allows calls because `all` holds for an empty list.
    VACUOUS_ALL = "GP0603";
    /// A rule that allows a call for one element of a list and looks at no other.
    ALLOW_ANY = "GP0604";
    /// A rule that allows every call of a tool that can do lasting harm.
    BROAD_ALLOW = "GP0605";
    /// A text that is compared with a part of a host name.
    TEXT_AS_HOST = "GP0606";
    /// A comparison negated with `not`.
    NEGATED_COMPARISON = "GP0607";
    /// A text that is compared with the start of a URL.
    TEXT_AS_URL = "GP0608";
    /// A text that is compared with the start of a path.
    TEXT_AS_PATH = "GP0609";
    /// A text that is compared with the end of a mail address.
    TEXT_AS_EMAIL = "GP0610";
    /// A regular expression in which the dot of a domain stands for any character.
    REGEX_DOT = "GP0611";
    /// A regular expression without anything special, which holds for one text only.
    REGEX_LITERAL = "GP0612";
    /// A regular expression that an operator says more plainly.
    REGEX_AS_OPERATOR = "GP0613";
    /// A regular expression with `^` or `$`, which say nothing there.
    REDUNDANT_ANCHOR = "GP0614";
    /// A pattern of `like` without a wildcard.
    GLOB_LITERAL = "GP0615";
    /// Two negations that say nothing together.
    DOUBLE_NEGATION = "GP0616";
    /// A value compared with several constants one by one.
    OR_OF_EQUALS = "GP0617";
    /// A set of one constant after `in`.
    SINGLE_MEMBER_SET = "GP0618";
    /// Several rules that differ in one constant only.
    RULES_AS_SET = "GP0619";
    /// A comparison that holds of every value of its type, or of none.
    CONSTANT_COMPARISON = "GP0620";
    /// A condition that the other conditions of its rule imply.
    REDUNDANT_CONDITION = "GP0621";
    /// Two rules that ask the same and give the same verdict.
    DUPLICATE_RULE = "GP0622";
    /// A rule that never decides, because a stricter one always speaks with it.
    OVERRULED_RULE = "GP0623";
    /// An enum that nothing has the type of.
    UNUSED_ENUM = "GP0624";
    /// A type that nothing has.
    UNUSED_TYPE = "GP0625";
    /// A set that no condition and no other set names.
    UNUSED_SET = "GP0626";
    /// A predicate that no condition asks.
    UNUSED_PRED = "GP0627";
    /// A group that no rule is about.
    UNUSED_GROUP = "GP0628";
    /// An effect that the policy declares and no tool has.
    UNUSED_EFFECT = "GP0629";
    /// A field of the context that no condition looks at, and no approval that excludes people.
    UNUSED_CONTEXT = "GP0630";
    /// A tool that no rule is about.
    UNCOVERED_TOOL = "GP0631";
    /// A reason code that stands for different verdicts.
    CODE_REUSED = "GP0632";
    /// A key or token in the text of a policy.
    SECRET_IN_TEXT = "GP0633";
    /// Two names that look alike and are not the same.
    CONFUSABLE_NAMES = "GP0634";
    /// A word with letters of two scripts.
    MIXED_SCRIPT = "GP0635";
    /// An escape that writes a hidden character into a name or a text for people.
    HIDDEN_ESCAPE = "GP0636";
    /// A variable of a quantifier that hides another name.
    SHADOWED_NAME = "GP0637";
    /// A note of the author in a text that callers see.
    TODO_TEXT = "GP0638";
    /// An argument declared as `String` whose name says that it is more.
    STRINGLY_ARGUMENT = "GP0639";
    /// A tool that declares no effect.
    TOOL_WITHOUT_EFFECT = "GP0640";
    /// An effect that does not say what it acts on.
    EFFECT_WITHOUT_TARGET = "GP0641";
    /// A rule that allows to move any amount of money.
    UNBOUNDED_AMOUNT = "GP0642";
    /// A rule that allows to move a negative amount of money.
    NEGATIVE_AMOUNT = "GP0643";
    /// A rule that allows to send data out without looking at where it goes.
    UNTARGETED_EGRESS = "GP0644";
    /// A rule that allows every host, path or address that no stricter rule names.
    DENY_LIST = "GP0645";
    /// A rule that allows every absolute path.
    UNDER_ROOT = "GP0646";
    /// A rule that allows hosts below a domain under which anybody may have a name.
    UNDER_PUBLIC_SUFFIX = "GP0647";
    /// A rule that allows to send data out without encryption.
    PLAIN_HTTP = "GP0648";
    /// A word that a stricter rule looks for in one spelling only.
    CASE_SENSITIVE = "GP0649";
    /// A stricter rule that one harmless element of a list switches off.
    BLOCK_ALL = "GP0650";
    /// A stricter rule about one exact amount.
    EXACT_AMOUNT = "GP0651";
    /// A number that is compared with amounts of several currencies.
    CURRENCIES_DIFFER = "GP0652";
    /// A comparison that reads plain text on one tool and more on another.
    TYPES_DIFFER = "GP0653";
    /// An approval as the default for calls that cannot be undone.
    DEFAULT_APPROVAL = "GP0654";
    /// A reason code that is the name of its rule.
    CODE_OF_NAME = "GP0655";
    /// A rule that does not say why it is there.
    MISSING_DESCRIPTION = "GP0656";
    /// A rule that stops a call and does not say what to do.
    MISSING_HINT = "GP0657";
    /// A rule that no test and no example names.
    UNTESTED_RULE = "GP0658";
    /// An argument of type `String` without a `max`.
    UNBOUNDED_TEXT = "GP0659";
    /// A rule that allows a host on every port.
    ANY_PORT = "GP0660";
    /// A tool whose effect cannot be undone and about which no rule asks a person.
    NEVER_ASKED = "GP0661";
    /// A policy without a version.
    MISSING_VERSION = "GP0662";
    /// A reason code that is not in snake_case.
    CODE_STYLE = "GP0663";
    /// A window that no condition names.
    UNUSED_WINDOW = "GP0664";
    /// An obligation that no rule obliges.
    UNUSED_OBLIGATION = "GP0665";
    /// A value that is redacted of some of the calls that rules speak of.
    PARTIAL_REDACTION = "GP0666";
    /// An approval with a name that nothing asks for.
    UNUSED_APPROVAL = "GP0667";
    /// A stricter rule that looks past operands whose path is not known.
    UNKNOWN_PATH = "GP0668";
    /// A condition that stands in the body of a quantifier and asks nothing of its elements.
    SWALLOWED_CONDITION = "GP0669";
    /// A rule without which every call is decided the same.
    DEAD_RULE = "GP0670";
    /// A rule that matches no call there can be.
    VACUOUS_RULE = "GP0671";
    /// A rule that adds nothing to other rules but its name.
    SUBSUMED_RULE = "GP0672";
    /// Labels for values in which a secret is found, which no condition asks about.
    UNASKED_DETECTION = "GP0673";
    /// An assertion that some call breaks.
    ASSERTION_FAILS = "GP0701";
    /// A promise about an earlier policy that some call breaks.
    COMPAT_BROKEN = "GP0702";
    /// What an analysis could not decide.
    NOT_DECIDED = "GP9001";
}
