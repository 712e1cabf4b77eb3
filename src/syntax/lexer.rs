//! Text to tokens. In: a `Source`. Out: tokens that tile the text, whitespace and comments included. It never fails:
//! what is no token is `Kind::Bad`, and the parser says so.

use logos::Logos;

use super::token::Kind;
use crate::source::{Source, Span};

/// A token and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub span: Span,
}

/// Cuts the text into tokens. Their spans follow one another without gaps, from 0 to the end of the text.
pub fn lex(source: &Source) -> Vec<Token> {
    Kind::lexer(&source.text)
        .spanned()
        .map(|(kind, range)| Token {
            kind: kind.unwrap_or(Kind::Bad),
            span: Span::new(source.id, range.start, range.end),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;
    use proptest::prelude::*;

    fn kinds(text: &str) -> Vec<(Kind, String)> {
        let source = Source::new(FileId(0), "t", text);
        lex(&source)
            .iter()
            .map(|t| (t.kind, source.slice(t.span).to_owned()))
            .collect()
    }

    #[test]
    fn every_kind_takes_the_text_it_should() {
        let cases: &[(&str, &[(Kind, &str)])] = &[
            (
                "a // b\r\nc",
                &[
                    (Kind::Word, "a"),
                    (Kind::Space, " "),
                    (Kind::Comment, "// b"),
                    (Kind::Space, "\r\n"),
                    (Kind::Word, "c"),
                ],
            ),
            (r#""a\"b"x"#, &[(Kind::String, r#""a\"b""#), (Kind::Word, "x")]),
            (r#"r"\""#, &[(Kind::RawString, r#"r"\""#)]),
            (r#"r"\"x"#, &[(Kind::RawString, r#"r"\""#), (Kind::Word, "x")]),
            (
                "\"ab\\\n1",
                &[
                    (Kind::OpenString, "\"ab\\"),
                    (Kind::Space, "\n"),
                    (Kind::Number, "1"),
                ],
            ),
            (
                "r\"ab\nr",
                &[
                    (Kind::OpenString, "r\"ab"),
                    (Kind::Space, "\n"),
                    (Kind::Word, "r"),
                ],
            ),
            (
                "-1_0.50KiB.x",
                &[(Kind::Number, "-1_0.50KiB"), (Kind::Dot, "."), (Kind::Word, "x")],
            ),
            (
                "=> == = >= > <= < !=",
                &[
                    (Kind::Arrow, "=>"),
                    (Kind::Space, " "),
                    (Kind::Eq, "=="),
                    (Kind::Space, " "),
                    (Kind::Assign, "="),
                    (Kind::Space, " "),
                    (Kind::Ge, ">="),
                    (Kind::Space, " "),
                    (Kind::Gt, ">"),
                    (Kind::Space, " "),
                    (Kind::Le, "<="),
                    (Kind::Space, " "),
                    (Kind::Lt, "<"),
                    (Kind::Space, " "),
                    (Kind::Ne, "!="),
                ],
            ),
            ("é/-", &[(Kind::Bad, "é"), (Kind::Bad, "/"), (Kind::Minus, "-")]),
        ];
        for (text, want) in cases {
            let want: Vec<_> = want.iter().map(|(k, t)| (*k, (*t).to_owned())).collect();
            assert_eq!(kinds(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn tokens_tile_any_text(text in "(\\PC|[\"\\\\\r\n\t/ -])*") {
            let whole: String = kinds(&text).into_iter().map(|(_, t)| t).collect();
            prop_assert_eq!(whole, text);
        }
    }
}
