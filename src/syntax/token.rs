//! The tokens of the language and its keywords. In: nothing. Out: `Kind`, with the patterns the lexer is made of, and
//! the one keyword table that parser, messages and editor grammar share. It must not know where a token may stand.

use logos::Logos;

/// The kind of a token. Whitespace and comments are tokens too, so the tokens of a text tile it without gaps.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Spaces, tabs and line ends.
    #[regex(r"[ \t\r\n]+")]
    Space,
    /// `// …` up to the line end, without it.
    #[regex(r"//[^\r\n]*", allow_greedy = true)]
    Comment,
    /// A name or keyword.
    #[regex(r"[A-Za-z_][A-Za-z0-9_]*")]
    Word,
    /// `"…"`, its escapes not yet checked.
    #[regex(r#""([^"\\\r\n]|\\[^\r\n])*""#)]
    String,
    /// `r"…"`
    #[regex(r#"r"[^"\r\n]*""#)]
    RawString,
    /// A string that its line does not close.
    #[regex(r#""([^"\\\r\n]|\\[^\r\n])*\\?"#)]
    #[regex(r#"r"[^"\r\n]*"#)]
    OpenString,
    /// Anything that starts like a number; `literal::number` says whether it is one.
    #[regex(r"-?[0-9][0-9A-Za-z_]*(\.[0-9][0-9A-Za-z_]*)?")]
    Number,
    /// `{`
    #[token("{")]
    OpenBrace,
    /// `}`
    #[token("}")]
    CloseBrace,
    /// `[`
    #[token("[")]
    OpenBracket,
    /// `]`
    #[token("]")]
    CloseBracket,
    /// `(`
    #[token("(")]
    OpenParen,
    /// `)`
    #[token(")")]
    CloseParen,
    /// `,`
    #[token(",")]
    Comma,
    /// `:`
    #[token(":")]
    Colon,
    /// `.`
    #[token(".")]
    Dot,
    /// `..`
    #[token("..")]
    Range,
    /// `...`
    #[token("...")]
    Rest,
    /// `?`
    #[token("?")]
    Question,
    /// `@`
    #[token("@")]
    At,
    /// `*`
    #[token("*")]
    Star,
    /// `=`
    #[token("=")]
    Assign,
    /// `=>`
    #[token("=>")]
    Arrow,
    /// `==`
    #[token("==")]
    Eq,
    /// `!=`
    #[token("!=")]
    Ne,
    /// `<`
    #[token("<")]
    Lt,
    /// `<=`
    #[token("<=")]
    Le,
    /// `>`
    #[token(">")]
    Gt,
    /// `>=`
    #[token(">=")]
    Ge,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// One character that starts no token.
    #[regex(r"(?s:.)", priority = 0)]
    Bad,
}

impl Kind {
    /// Whether the parser passes over it.
    pub fn is_trivia(self) -> bool {
        matches!(self, Kind::Space | Kind::Comment)
    }

    /// Whether it opens a bracket.
    pub fn is_open(self) -> bool {
        matches!(self, Kind::OpenBrace | Kind::OpenBracket | Kind::OpenParen)
    }

    /// Whether it closes a bracket.
    pub fn is_close(self) -> bool {
        matches!(self, Kind::CloseBrace | Kind::CloseBracket | Kind::CloseParen)
    }
}

/// What a keyword does, for messages, the highlighter and the splitting into items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Begins an item.
    Item,
    /// Begins a part of an item.
    Clause,
    /// A verdict.
    Verdict,
    /// Stands in an expression before an operand.
    Prefix,
    /// Stands in an expression between operands.
    Infix,
    /// A constant.
    Constant,
}

macro_rules! keywords {
    ($($name:ident = $text:literal, $role:ident;)*) => {
        /// A keyword. Keywords are contextual: where only a name can stand, each of them is a name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Keyword {
            $(#[doc = concat!("`", $text, "`")] $name,)*
        }

        impl Keyword {
            /// Every keyword, in the order of the reference.
            pub const ALL: &[Keyword] = &[$(Keyword::$name),*];

            /// The keyword as written.
            pub fn text(self) -> &'static str {
                match self { $(Keyword::$name => $text,)* }
            }

            /// What it does.
            pub fn role(self) -> Role {
                match self { $(Keyword::$name => Role::$role,)* }
            }

            /// The keyword with this text.
            pub fn parse(text: &str) -> Option<Keyword> {
                match text { $($text => Some(Keyword::$name),)* _ => None }
            }
        }
    };
}

impl Keyword {
    /// Whether its parentheses are those of a call: `count(…)`, `once(…)`.
    pub fn is_called(self) -> bool {
        use Keyword as K;
        matches!(
            self,
            K::Count | K::Sum | K::Once | K::After | K::Since | K::Without | K::Yet | K::History
        )
    }
}

keywords! {
    Gaitpol = "gaitpol", Item;
    Policy = "policy", Item;
    Scope = "scope", Item;
    Delegate = "delegate", Item;
    Profile = "profile", Item;
    Import = "import", Item;
    Default = "default", Item;
    Lints = "lints", Item;
    Effects = "effects", Item;
    Enum = "enum", Item;
    Type = "type", Item;
    Set = "set", Item;
    Pred = "pred", Item;
    Group = "group", Item;
    Tool = "tool", Item;
    Rule = "rule", Item;
    Test = "test", Item;
    Examples = "examples", Item;
    Context = "context", Item;
    Label = "label", Item;
    Level = "level", Item;
    Source = "source", Item;
    Declassify = "declassify", Item;
    Latch = "latch", Item;
    Final = "final", Item;
    Role = "role", Item;
    Approval = "approval", Item;
    Obligation = "obligation", Item;
    Window = "window", Item;
    Limit = "limit", Item;
    Assert = "assert", Item;
    Compat = "compat", Item;
    Tools = "tools", Clause;
    With = "with", Clause;
    Effect = "effect", Clause;
    Only = "only", Clause;
    Ordered = "ordered", Clause;
    To = "to", Clause;
    Each = "each", Clause;
    Max = "max", Clause;
    On = "on", Clause;
    When = "when", Clause;
    Unless = "unless", Clause;
    Code = "code", Clause;
    Hint = "hint", Clause;
    Call = "call", Clause;
    By = "by", Clause;
    Match = "match", Clause;
    NotMatch = "not_match", Clause;
    Fact = "fact", Clause;
    Claim = "claim", Clause;
    Attested = "attested", Clause;
    From = "from", Clause;
    As = "as", Clause;
    Digest = "digest", Clause;
    Column = "column", Clause;
    At = "at", Clause;
    Intent = "intent", Clause;
    Given = "given", Clause;
    Warn = "warn", Clause;
    Deny = "deny", Clause;
    Carries = "carries", Clause;
    Returns = "returns", Clause;
    Removes = "removes", Clause;
    Refines = "refines", Clause;
    Result = "result", Clause;
    Ok = "ok", Clause;
    Failed = "failed", Clause;
    Turn = "turn", Clause;
    Resets = "resets", Clause;
    UpTo = "up_to", Clause;
    Session = "session", Clause;
    Script = "script", Clause;
    Distinct = "distinct", Clause;
    Excluding = "excluding", Clause;
    Expires = "expires", Clause;
    SingleUse = "single_use", Clause;
    Bind = "bind", Clause;
    Approved = "approved", Clause;
    Oblige = "oblige", Clause;
    Verdict = "verdict", Clause;
    Narrows = "narrows", Clause;
    Widens = "widens", Clause;
    Merge = "merge", Clause;
    Tz = "tz", Clause;
    Calls = "calls", Clause;
    Of = "of", Clause;
    Per = "per", Clause;
    Run = "run", Clause;
    Exceed = "exceed", Clause;
    Within = "within", Infix;
    Allow = "allow", Verdict;
    DryRun = "dry_run", Verdict;
    RequireApproval = "require_approval", Verdict;
    Block = "block", Verdict;
    Any = "any", Prefix;
    All = "all", Prefix;
    Not = "not", Prefix;
    Present = "present", Prefix;
    And = "and", Infix;
    Or = "or", Infix;
    In = "in", Infix;
    Else = "else", Infix;
    StartsWith = "starts_with", Infix;
    EndsWith = "ends_with", Infix;
    Contains = "contains", Infix;
    Like = "like", Infix;
    Matches = "matches", Infix;
    Under = "under", Infix;
    Count = "count", Prefix;
    Sum = "sum", Prefix;
    Once = "once", Prefix;
    After = "after", Prefix;
    Yet = "yet", Prefix;
    History = "history", Prefix;
    Has = "has", Infix;
    Since = "since", Infix;
    Without = "without", Infix;
    True = "true", Constant;
    False = "false", Constant;
    Null = "null", Constant;
}
