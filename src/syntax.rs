//! From text to tree and back: one lexer serves the parser, the formatter and the highlighter. In: `Source`. Out:
//! `ast::Module` and diagnostics, never a failure. It must not resolve names or know types.

pub mod ast;
