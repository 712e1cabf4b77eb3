//! Reads just enough Rust for the tidy rules. In: the text of a file. Out: its tokens with lines (comments gone,
//! string contents hidden, `#[cfg(test)]` items marked), its `mod` declarations and every path it names. It knows
//! nothing of layers.

/// A word, `::`, a string, or one character of punctuation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    pub text: &'a str,
    /// From 1.
    pub line: usize,
    /// Whether it belongs to an item under `#[cfg(test)]`.
    pub test: bool,
}

/// A `mod name;` or `mod name { … }`.
#[derive(Debug, PartialEq, Eq)]
pub struct ModDecl {
    pub name: String,
    /// Inline modules around it, outermost first.
    pub inside: Vec<String>,
    pub line: usize,
    pub test: bool,
    /// Whether its body is in another file.
    pub external: bool,
}

/// A path as written: `crate::a::b`, `super::super::x`, or a leaf of a `use` tree.
#[derive(Debug, PartialEq, Eq)]
pub struct PathUse {
    pub segments: Vec<String>,
    /// Inline modules around it, outermost first.
    pub inside: Vec<String>,
    pub line: usize,
    pub test: bool,
}

/// Replaces comments by blanks and each visible character of a string by `"`; line ends stay where they were.
pub fn blank(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<char> = Vec::with_capacity(chars.len());
    let mut at = 0;
    while at < chars.len() {
        let (end, filler) = skip(&chars, at);
        for &c in &chars[at..end] {
            out.push(match filler {
                Some(f) if !c.is_whitespace() => f,
                _ => c,
            });
        }
        at = end;
    }
    out.into_iter().collect()
}

/// The end of the lexical piece at `at`, and what hides it, if anything does.
fn skip(chars: &[char], at: usize) -> (usize, Option<char>) {
    let rest = &chars[at..];
    let word_before = at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_');
    match rest {
        ['/', '/', ..] => (find(chars, at, '\n'), Some(' ')),
        ['/', '*', ..] => (block_comment(chars, at), Some(' ')),
        ['"', ..] => (string(chars, at + 1), Some('"')),
        ['\'', '\\', ..] => (find(chars, at + 3, '\'') + 1, Some('"')),
        ['\'', _, '\'', ..] => (at + 3, Some('"')),
        ['r' | 'b' | 'c', ..] if !word_before => match raw_string(chars, at) {
            Some(end) => (end, Some('"')),
            None => (at + 1, None),
        },
        _ => (at + 1, None),
    }
}

fn find(chars: &[char], from: usize, wanted: char) -> usize {
    (from..chars.len())
        .find(|&i| chars[i] == wanted)
        .unwrap_or(chars.len())
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0);
    while at < chars.len() {
        match &chars[at..] {
            ['/', '*', ..] => (at, depth) = (at + 2, depth + 1),
            ['*', '/', ..] if depth == 1 => return at + 2,
            ['*', '/', ..] => (at, depth) = (at + 2, depth - 1),
            _ => at += 1,
        }
    }
    at
}

fn string(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    chars.len()
}

/// The end of `r"…"`, `r#"…"#`, `br"…"` and `cr"…"` at `at`; `None` when none starts there.
fn raw_string(chars: &[char], at: usize) -> Option<usize> {
    let mut open = at + usize::from(matches!(chars[at], 'b' | 'c'));
    if chars.get(open) != Some(&'r') {
        return None;
    }
    open += 1;
    let hashes = chars[open..].iter().take_while(|c| **c == '#').count();
    if chars.get(open + hashes) != Some(&'"') {
        return None;
    }
    let mut close = open + hashes + 1;
    while close < chars.len() {
        if chars[close] == '"'
            && chars[close + 1..]
                .iter()
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes
        {
            return Some(close + 1 + hashes);
        }
        close += 1;
    }
    Some(chars.len())
}

/// Splits blanked text into tokens and marks those under `#[cfg(test)]`.
pub fn tokens(blanked: &str) -> Vec<Token<'_>> {
    let mut out = Vec::new();
    for (number, line) in blanked.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word = |c: char| c.is_alphanumeric() || c == '_';
            let len = if word(first) {
                rest.find(|c| !word(c)).unwrap_or(rest.len())
            } else if rest.starts_with("::") {
                2
            } else if first == '"' {
                rest.find(|c| c != '"').unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            out.push(Token {
                text: &rest[..len],
                line: number + 1,
                test: false,
            });
            rest = rest[len..].trim_start();
        }
    }
    mark_tests(&mut out);
    out
}

/// Marks every item under `#[cfg(test)]` or `#[cfg(all(test, …))]`, its attributes included.
fn mark_tests(tokens: &mut [Token<'_>]) {
    let starts = |at: usize, wanted: &[&str], tokens: &[Token<'_>]| {
        tokens[at..]
            .iter()
            .map(|t| t.text)
            .take(wanted.len())
            .eq(wanted.iter().copied())
    };
    let mut at = 0;
    while at < tokens.len() {
        if starts(at, &["#", "!", "[", "cfg", "(", "test", ")"], tokens) {
            tokens.iter_mut().for_each(|t| t.test = true);
            return;
        }
        let marked = starts(at, &["#", "[", "cfg", "(", "test", ")"], tokens)
            || starts(at, &["#", "[", "cfg", "(", "all", "(", "test", ","], tokens);
        let end = if marked { item_end(tokens, at) } else { at + 1 };
        tokens[at..end].iter_mut().for_each(|t| t.test = marked);
        at = end;
    }
}

/// One past the item whose first attribute starts at `at`: its `;`, or the brace that closes its body.
fn item_end(tokens: &[Token<'_>], at: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match token.text {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" => depth -= 1,
            "}" if depth == 0 => return i,
            "}" if depth == 1 => return i + 1,
            "}" => depth -= 1,
            ";" | "," if depth == 0 => return i + 1,
            _ => {}
        }
    }
    tokens.len()
}

/// Everything the layer and reachability rules need from a file.
pub struct Names {
    pub mods: Vec<ModDecl>,
    pub paths: Vec<PathUse>,
    /// Lines with an attribute that moves a module to another file, or an alias of the crate itself.
    pub evasions: Vec<(usize, &'static str)>,
}

/// Collects `mod` declarations, `use` trees and inline paths. `crate_names` are the words that stand for this crate.
pub fn names(tokens: &[Token<'_>], crate_names: &[&str]) -> Names {
    let mut found = Names {
        mods: Vec::new(),
        paths: Vec::new(),
        evasions: Vec::new(),
    };
    let mut inside: Vec<(String, usize)> = Vec::new();
    let mut depth = 0;
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at];
        let text = |i: usize| tokens.get(i).map_or("", |t| t.text);
        let before = if at == 0 { "" } else { text(at - 1) };
        let around = |inside: &[(String, usize)]| inside.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
        match token.text {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                inside.retain(|(_, opened)| *opened <= depth);
            }
            "path" if before == "[" && text(at + 1) == "=" => {
                found
                    .evasions
                    .push((token.line, "`#[path]` moves a module out of its folder"));
            }
            "extern" if text(at + 1) == "crate" => {
                found
                    .evasions
                    .push((token.line, "`extern crate` hides a path from the layer check"));
            }
            "mod" if matches!(text(at + 2), ";" | "{") => {
                let external = text(at + 2) == ";";
                let name = text(at + 1).to_owned();
                found.mods.push(ModDecl {
                    name: name.clone(),
                    inside: around(&inside),
                    line: token.line,
                    test: token.test,
                    external,
                });
                if !external {
                    inside.push((name, depth + 1));
                }
                at += 1;
            }
            "use" if text(at + 1) != "<" => {
                let mut leaves = Vec::new();
                at = use_tree(tokens, at + 1, &[], &mut leaves);
                found.paths.extend(leaves.into_iter().map(|segments| PathUse {
                    segments,
                    inside: around(&inside),
                    line: token.line,
                    test: token.test,
                }));
                continue;
            }
            word if text(at + 1) == "::"
                && before != "::"
                && (word == "super" || word == "self" || crate_names.contains(&word)) =>
            {
                let mut segments = vec![word.to_owned()];
                while text(at + 1) == "::" && is_word(text(at + 2)) {
                    segments.push(text(at + 2).to_owned());
                    at += 2;
                }
                found.paths.push(PathUse {
                    segments,
                    inside: around(&inside),
                    line: token.line,
                    test: token.test,
                });
            }
            _ => {}
        }
        at += 1;
    }
    found
}

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Reads one `use` tree from `at`; adds its leaves; returns the index of the token that ends it.
fn use_tree(tokens: &[Token<'_>], mut at: usize, prefix: &[String], leaves: &mut Vec<Vec<String>>) -> usize {
    let text = |i: usize| tokens.get(i).map_or(";", |t| t.text);
    let mut path = prefix.to_vec();
    loop {
        match text(at) {
            "::" => at += 1,
            "{" => {
                at += 1;
                while !matches!(text(at), "}" | ";") {
                    at = use_tree(tokens, at, &path, leaves);
                    at += usize::from(text(at) == ",");
                }
                return at + usize::from(text(at) == "}");
            }
            "as" => at += 2,
            "," | "}" | ";" => {
                leaves.push(path);
                return at;
            }
            word => {
                path.push(word.to_owned());
                at += 1;
            }
        }
    }
}
