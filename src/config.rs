//! Configuration files (TOML 1.1), read strictly: a key that nobody knows is a mistake, and is told with the key that was meant. In: a
//! text. Out: values by their keys, or the first mistake with its line. It must not know what the keys mean.

use crate::diag::suggest::nearest;
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Why a configuration cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct ConfigError {
    /// Stable and dotted.
    pub code: &'static str,
    /// The line, from 1.
    pub line: usize,
    /// One sentence.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// A table whose keys are taken out one by one.
#[derive(Clone, Debug)]
pub struct Table {
    /// Where it is, with a dot behind; empty for the whole file.
    prefix: String,
    line: usize,
    entries: BTreeMap<String, Entry>,
    /// What was asked for.
    known: Vec<String>,
}

#[derive(Clone, Debug)]
struct Entry {
    line: usize,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Text(String),
    Flag(bool),
    Whole(i64),
    List(Vec<Entry>),
    Table(BTreeMap<String, Entry>),
    /// What no key here takes, by what it is called.
    Other(&'static str),
}

impl Value {
    fn kind(&self) -> &'static str {
        match self {
            Value::Text(_) => "a text",
            Value::Flag(_) => "true or false",
            Value::Whole(_) => "a whole number",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
            Value::Other(kind) => kind,
        }
    }
}

/// Reads a file's text.
pub fn read(text: &str) -> Result<Table, ConfigError> {
    let line_of = |at: usize| 1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count();
    let parsed = DeTable::parse(text).map_err(|error| ConfigError {
        code: "config.syntax",
        line: error.span().map_or(1, |span| line_of(span.start)),
        message: error.message().replace('\n', " "),
        hint: None,
    })?;
    Ok(Table {
        prefix: String::new(),
        line: 1,
        entries: entries(parsed.get_ref(), &line_of),
        known: Vec::new(),
    })
}

fn entries(table: &DeTable<'_>, line_of: &dyn Fn(usize) -> usize) -> BTreeMap<String, Entry> {
    let one = |(key, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let key: &Spanned<std::borrow::Cow<'_, str>> = key;
        let line = line_of(key.span().start);
        let value = value_of(value.get_ref(), line_of);
        (key.get_ref().clone().into_owned(), Entry { line, value })
    };
    table.iter().map(one).collect()
}

fn value_of(value: &DeValue<'_>, line_of: &dyn Fn(usize) -> usize) -> Value {
    match value {
        DeValue::String(text) => Value::Text(text.clone().into_owned()),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        DeValue::Integer(whole) => i64::from_str_radix(whole.as_str(), whole.radix())
            .map_or(Value::Other("a number that is too large"), Value::Whole),
        DeValue::Array(items) => {
            let one = |item: &Spanned<DeValue<'_>>| Entry {
                line: line_of(item.span().start),
                value: value_of(item.get_ref(), line_of),
            };
            Value::List(items.iter().map(one).collect())
        }
        DeValue::Table(table) => Value::Table(entries(table, line_of)),
        DeValue::Float(_) => Value::Other("a number with a fraction"),
        DeValue::Datetime(_) => Value::Other("a time"),
    }
}

impl Table {
    /// A mistake in this table.
    pub fn wrong(&self, line: usize, code: &'static str, message: String) -> ConfigError {
        ConfigError {
            code,
            line,
            message,
            hint: None,
        }
    }

    /// Where the table begins.
    pub fn line(&self) -> usize {
        self.line
    }

    fn take(&mut self, key: &str) -> Option<Entry> {
        self.known.push(key.to_owned());
        self.entries.remove(key)
    }

    fn other(&self, key: &str, wanted: &str, found: &Entry) -> ConfigError {
        let message = format!(
            "`{}{key}` is {}, and must be {wanted}",
            self.prefix,
            found.value.kind()
        );
        self.wrong(found.line, "config.wrong_type", message)
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.take(key) {
            None => Ok(None),
            Some(Entry {
                value: Value::Text(text),
                ..
            }) => Ok(Some(text)),
            Some(found) => Err(self.other(key, "a text", &found)),
        }
    }

    /// Truth.
    pub fn flag(&mut self, key: &str) -> Result<Option<bool>, ConfigError> {
        match self.take(key) {
            None => Ok(None),
            Some(Entry {
                value: Value::Flag(flag),
                ..
            }) => Ok(Some(flag)),
            Some(found) => Err(self.other(key, "true or false", &found)),
        }
    }

    /// A whole number from 1 to `most`.
    pub fn count(&mut self, key: &str, most: usize) -> Result<Option<usize>, ConfigError> {
        let Some(found) = self.take(key) else {
            return Ok(None);
        };
        let Value::Whole(whole) = found.value else {
            return Err(self.other(key, "a whole number", &found));
        };
        let count = usize::try_from(whole)
            .ok()
            .filter(|count| (1..=most).contains(count));
        count.map(Some).ok_or_else(|| {
            let message = format!("`{}{key}` is not between 1 and {most}", self.prefix);
            self.wrong(found.line, "config.bad_value", message)
        })
    }

    /// A list of texts; empty where there is none.
    pub fn texts(&mut self, key: &str) -> Result<Vec<String>, ConfigError> {
        let Some(found) = self.take(key) else {
            return Ok(Vec::new());
        };
        let Value::List(items) = &found.value else {
            return Err(self.other(key, "a list of texts", &found));
        };
        let text = |item: &Entry| match &item.value {
            Value::Text(text) => Ok(text.clone()),
            _ => Err(self.other(key, "a list of texts", item)),
        };
        items.iter().map(text).collect()
    }

    /// A text, or a whole number as it is written in one.
    pub fn word(&mut self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.entries.get(key).map(|entry| &entry.value) {
            Some(Value::Whole(whole)) => {
                let whole = whole.to_string();
                self.take(key);
                Ok(Some(whole))
            }
            _ => self.text(key),
        }
    }

    /// A table within; none where it is not there.
    pub fn table(&mut self, key: &str) -> Result<Option<Table>, ConfigError> {
        let Some(found) = self.take(key) else {
            return Ok(None);
        };
        match found.value {
            Value::Table(entries) => Ok(Some(Table {
                prefix: format!("{}{key}.", self.prefix),
                line: found.line,
                entries,
                known: Vec::new(),
            })),
            _ => Err(self.other(key, "a table", &found)),
        }
    }

    /// Texts by their own names; none where there is nothing.
    pub fn named(&mut self, key: &str) -> Result<BTreeMap<String, String>, ConfigError> {
        let Some(found) = self.take(key) else {
            return Ok(BTreeMap::new());
        };
        let Value::Table(entries) = found.value else {
            return Err(self.other(key, "a table of texts", &found));
        };
        let text = |(name, entry): (String, Entry)| match entry.value {
            Value::Text(text) => Ok((name, text)),
            _ => Err(self.other(&format!("{key}.{name}"), "a text", &entry)),
        };
        entries.into_iter().map(text).collect()
    }

    /// Tables by their own names; none where there is nothing.
    pub fn tables(&mut self, key: &str) -> Result<BTreeMap<String, Table>, ConfigError> {
        let Some(found) = self.take(key) else {
            return Ok(BTreeMap::new());
        };
        let Value::Table(named) = found.value else {
            return Err(self.other(key, "tables", &found));
        };
        let table = |(name, entry): (String, Entry)| match entry.value {
            Value::Table(entries) => {
                let table = Table {
                    prefix: format!("{}{key}.{name}.", self.prefix),
                    line: entry.line,
                    entries,
                    known: Vec::new(),
                };
                Ok((name, table))
            }
            _ => Err(self.other(&format!("{key}.{name}"), "a table", &entry)),
        };
        named.into_iter().map(table).collect()
    }

    /// Errors where a key is left that nobody asked for.
    pub fn end(&self) -> Result<(), ConfigError> {
        let first = self.entries.iter().min_by_key(|(_, entry)| entry.line);
        let Some((key, entry)) = first else {
            return Ok(());
        };
        let message = format!("`{}{}` is no key", self.prefix, key.escape_debug());
        let near = nearest(key, self.known.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("keys here are {}", self.known.join(", ")),
        };
        Err(ConfigError {
            hint: Some(hint),
            ..self.wrong(entry.line, "config.unknown_key", message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<String, (&'static str, usize, Option<String>)> {
        let read = || -> Result<String, ConfigError> {
            let mut table = read(text)?;
            let out = format!(
                "{:?} {:?} {:?} {:?}",
                table.text("listen")?,
                table.flag("show_all")?,
                table.count("most", 9)?,
                table.texts("hosts")?
            );
            for (_, mut server) in table.tables("servers")? {
                server.texts("command")?;
                server.named("names")?;
                server.end()?;
            }
            table.end()?;
            Ok(out)
        };
        read().map_err(|error| (error.code, error.line, error.hint))
    }

    #[test]
    fn only_what_is_known_is_taken_and_mistakes_have_a_line() {
        let good =
            "listen = \"a\"\nshow_all = true\nmost = 9\nhosts = [\"b\"]\n[servers.x]\ncommand = [\"c\"]\n";
        assert_eq!(all(good).unwrap(), "Some(\"a\") Some(true) Some(9) [\"b\"]");
        assert_eq!(all("").unwrap(), "None None None []");
        for (text, code, line) in [
            ("listen = 1", "config.wrong_type", 1),
            ("listen = 1979-05-27", "config.wrong_type", 1),
            ("\nshow_all = \"yes\"", "config.wrong_type", 2),
            ("most = 0", "config.bad_value", 1),
            ("most = 10", "config.bad_value", 1),
            ("most = -1", "config.bad_value", 1),
            ("most = 1.0", "config.wrong_type", 1),
            ("most = 99999999999999999999", "config.wrong_type", 1),
            ("hosts = \"a\"", "config.wrong_type", 1),
            ("hosts = [\n\"a\",\n1]", "config.wrong_type", 3),
            ("servers = 1", "config.wrong_type", 1),
            ("[servers]\nx = 1", "config.wrong_type", 2),
            ("listen = \"a\"\nlisten = \"b\"", "config.syntax", 2),
            ("listen = ", "config.syntax", 1),
            ("[servers.x]\ncommand = [\"a\"]\nenv = 1", "config.unknown_key", 3),
            ("[servers.x]\nnames = []", "config.wrong_type", 2),
            ("[servers.x.names]\na = \"b\"\nc = 1", "config.wrong_type", 3),
            ("[[servers]]\ncommand = [\"a\"]", "config.wrong_type", 1),
        ] {
            let found = all(text).unwrap_err();
            assert_eq!((found.0, found.1), (code, line), "{text}");
        }
        let near = |text: &str| all(text).unwrap_err().2.unwrap();
        assert_eq!(near("show_al = true"), "did you mean `show_all`?");
        assert_eq!(
            near("zzz = true"),
            "keys here are listen, show_all, most, hosts, servers"
        );
        assert_eq!(near("[servers.x]\ncomand = []"), "did you mean `command`?");
        let deep = format!("x = {}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(all(&deep).unwrap_err().0, "config.syntax");
    }
}
