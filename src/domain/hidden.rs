//! Characters a reader cannot see. In: a character. Out: whether a policy may hold it as it is. A reviewer who reads
//! a policy must see everything that decides; these characters hide text or reorder it.

/// Whether the character is a control (other than tab and line ends), a bidirectional control, an invisible
/// character or a blank that is not the space. Follows `Default_Ignorable_Code_Point` and the general categories Cc,
/// Zl, Zp and Zs of Unicode 16.
pub fn is_hidden(c: char) -> bool {
    if matches!(c, '\t' | '\n' | '\r') {
        return false;
    }
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
}

/// The text on one line, in which everything that would not show, or would act, is written as an escape.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Refuses a text of one line that people could not read as it is, or that is longer than so many bytes; says why.
pub fn check_line(text: &str, max_bytes: usize) -> Result<(), &'static str> {
    let unseen = |c: char| c.is_control() || is_hidden(c);
    if text.trim().is_empty() {
        return Err("it says nothing");
    }
    if text.len() > max_bytes {
        return Err("it is too long");
    }
    if text.trim() != text || text.chars().any(unseen) {
        return Err("it has white space around it, or characters that nobody sees");
    }
    Ok(())
}

/// Whether the character shows what is beside it in another order: the bidirectional embeddings, overrides and isolates.
pub fn reorders(c: char) -> bool {
    matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The runs of hidden characters in a text, as byte ranges. A carriage return that no line feed follows is one.
pub fn runs(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let lone_return = c == '\r' && chars.peek().is_none_or(|(_, next)| *next != '\n');
        if !is_hidden(c) && !lone_return {
            continue;
        }
        let end = at + c.len_utf8();
        match runs.last_mut() {
            Some(last) if last.end == at => last.end = end,
            _ => runs.push(at..end),
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_found_and_joined() {
        assert_eq!(runs("a\tb\r\nc — ü 漢"), Vec::<std::ops::Range<usize>>::new());
        assert_eq!(runs("a\u{202E}\u{200B}b\u{0}"), vec![1..7, 8..9]);
        assert_eq!(runs("a\rb\r"), vec![1..2, 3..4]);
        assert_eq!(runs("\u{FEFF}x\u{A0}\u{2028}"), vec![0..3, 4..9]);
    }
}
