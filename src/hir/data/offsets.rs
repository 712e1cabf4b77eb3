//! Where the elements of a list stand in the text of a JSON document. In: a document that the strict reader accepted,
//! and the way to a list in it. Out: byte ranges. It reads no values; a text that is no JSON gives no ranges.

/// The ranges of the elements of the list that `steps` lead to.
pub(super) fn elements(text: &str, steps: &[String]) -> Vec<(usize, usize)> {
    let mut at = space(text, 0);
    for step in steps {
        let children = children(text, at);
        let is_list = text.get(at..).is_some_and(|rest| rest.starts_with('['));
        let found = if is_list {
            super::index(step).and_then(|index| children.get(index))
        } else {
            children.iter().find(|child| child.name.as_ref() == Some(step))
        };
        match found {
            Some(child) => at = child.start,
            None => return Vec::new(),
        }
    }
    children(text, at)
        .into_iter()
        .map(|child| (child.start, child.end))
        .collect()
}

struct Child {
    name: Option<String>,
    start: usize,
    end: usize,
}

/// The members or elements of what starts at `at`.
fn children(text: &str, at: usize) -> Vec<Child> {
    let mut out = Vec::new();
    let Some(open) = text.get(at..).and_then(|rest| rest.chars().next()) else {
        return out;
    };
    if !matches!(open, '[' | '{') {
        return out;
    }
    let mut at = space(text, at + 1);
    while let Some(next) = text.get(at..).and_then(|rest| rest.chars().next()) {
        match next {
            ']' | '}' => break,
            ',' => {
                at = space(text, at + 1);
                continue;
            }
            _ => {}
        }
        let mut name = None;
        if open == '{' {
            let end = end_of(text, at);
            let key = text
                .get(at..end)
                .and_then(|key| crate::json::parse(key.as_bytes()).ok());
            name = key.and_then(|key| key.as_str().map(str::to_owned));
            at = space(text, end);
            if !text.get(at..).is_some_and(|rest| rest.starts_with(':')) {
                break;
            }
            at = space(text, at + 1);
        }
        let end = end_of(text, at);
        if end <= at {
            break;
        }
        out.push(Child { name, start: at, end });
        at = space(text, end);
    }
    out
}

fn space(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    at + (rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len())
}

/// The end of the value that starts at `at`.
fn end_of(text: &str, at: usize) -> usize {
    let (mut depth, mut quoted, mut escaped) = (0usize, false, false);
    for (offset, c) in text.get(at..).unwrap_or_default().char_indices() {
        let here = at + offset;
        if quoted {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    quoted = false;
                    if depth == 0 {
                        return here + 1;
                    }
                }
                _ => {}
            }
            continue;
        }
        match c {
            '"' => quoted = true,
            '[' | '{' => depth += 1,
            ']' | '}' if depth == 0 => return here,
            ']' | '}' => {
                depth -= 1;
                if depth == 0 {
                    return here + 1;
                }
            }
            ',' | ' ' | '\t' | '\r' | '\n' | ':' if depth == 0 => return here,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::elements;
    use crate::json;
    use proptest::prelude::*;

    fn steps(path: &[&str]) -> Vec<String> {
        path.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn elements_are_found_where_they_stand() {
        let text = r#" { "a\"]" : [ 1 , "x,]" , {"b":[true ,[]]} ] , "c": {"d": [ [ "y" ] ]} } "#;
        let at = |path: &[&str]| -> Vec<&str> {
            elements(text, &steps(path))
                .into_iter()
                .map(|(a, b)| text.get(a..b).unwrap())
                .collect()
        };
        assert_eq!(at(&["a\"]"]), ["1", r#""x,]""#, r#"{"b":[true ,[]]}"#]);
        assert_eq!(at(&["a\"]", "2", "b"]), ["true", "[]"]);
        assert_eq!(at(&["c", "d", "0"]), [r#""y""#]);
        assert_eq!(at(&["none"]), Vec::<&str>::new());
        assert_eq!(at(&["a\"]", "00"]), Vec::<&str>::new());
    }

    proptest! {
        #[test]
        fn any_text_is_answered(text in "[\\[\\]{},:\"\\\\ 1aé]{0,40}") {
            for (start, end) in elements(&text, &[]) {
                prop_assert!(text.get(start..end).is_some());
            }
        }

        #[test]
        fn ranges_hold_the_values(items in prop::collection::vec("[a-z\\[\\]{},:\"\\\\ é]{0,8}", 0..6)) {
            let items: Vec<serde_json::Value> = items.into_iter().map(|i| serde_json::json!({ "k": [i] })).collect();
            let text = serde_json::to_string_pretty(&items).unwrap();
            let found = elements(&text, &[]);
            prop_assert_eq!(found.len(), items.len());
            for ((start, end), item) in found.into_iter().zip(&items) {
                let read = json::parse(&text.as_bytes()[start..end]).unwrap();
                let written = json::parse(item.to_string().as_bytes()).unwrap();
                prop_assert_eq!(read, written);
            }
        }
    }
}
