//! Values that are read from a text of some grammar: command lines, SQL, repositories, networks. Such a value cannot be made
//! up from its parts, so texts are written from the words that rules ask for, and the first one is taken whose parts
//! are as asked. In: what is asked of one call. Out: the call with such texts; one that was not found stays as it is.

use super::{Maker, Wanted, meets};
use crate::classes::sample;
use crate::hir::{Case, Step, place};
use crate::ir::space::{Level, Needs, Variable};
use crate::ty::Ty;
use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Values of one place of a call.
#[derive(Debug)]
pub(in crate::analysis) struct Pool {
    steps: Vec<Step>,
    values: Vec<Value>,
}

/// The words that rules ask for, by the part they are asked of.
pub type Words = BTreeMap<String, BTreeSet<String>>;

/// Texts of a type whose values are read from a text, written from words; the plainest first. None for other types.
pub fn texts_of(ty: &Ty, words: &Words) -> Vec<String> {
    grammar(ty.required()).map_or(Vec::new(), |write| write(words))
}

impl Maker<'_> {
    /// The values to try, at most so many for each such place that something is asked of.
    pub(in crate::analysis) fn pools(&self, most: usize) -> Vec<Pool> {
        let mut places: BTreeSet<Vec<Step>> = BTreeSet::new();
        let variables = self.level.variables.iter().map(|variable| &variable.steps);
        for steps in variables.chain(self.level.lists.iter().map(|list| &list.steps)) {
            let found = (1..=steps.len()).find_map(|end| {
                let to = steps.get(..end)?;
                grammar(&place::ty_at(&self.ty, to)?).map(|_| to.to_vec())
            });
            places.extend(found);
        }
        let pool = |steps: Vec<Step>| {
            let ty = place::ty_at(&self.ty, &steps)?;
            let mut words = Words::new();
            collect(self.level, &steps, &ty, "", &mut words);
            let mut texts: Vec<String> = words.remove("").into_iter().flatten().collect();
            texts.extend(grammar(&ty)?(&words));
            texts.truncate(most);
            let values = texts.iter().filter_map(|text| place::of_text(text, &ty));
            Some(Pool {
                values: values.collect(),
                steps,
            })
        };
        places.into_iter().filter_map(pool).collect()
    }

    /// The plainest call with each value of each such place.
    pub(in crate::analysis) fn with_each(&self, pools: &[Pool]) -> Vec<Case> {
        let Some(plainest) = self.plainest() else {
            return Vec::new();
        };
        let values = pools
            .iter()
            .flat_map(|pool| pool.values.iter().map(move |value| (pool, value)));
        let calls = values.filter_map(|(pool, value)| {
            let mut record = plainest.clone();
            place::put(&mut record, &self.ty, &pool.steps, value)?;
            self.case(&record)
        });
        calls.collect()
    }

    /// Puts a value into each such place that is not as asked.
    pub(super) fn parse(&self, record: &mut Value, pools: &[Pool], wanted: &Wanted) {
        for pool in pools {
            let is_there = |steps: &[Step]| steps.starts_with(&pool.steps);
            let classes = wanted.classes.iter().filter(|(variable, _)| {
                let variable = self.level.variables.get(*variable as usize);
                variable.is_some_and(|variable| is_there(&variable.steps))
            });
            let lists = wanted.lists.iter().filter(|(list, ..)| {
                let list = self.level.lists.get(*list as usize);
                list.is_some_and(|list| is_there(&list.steps))
            });
            let wants = Needs {
                classes: classes.cloned().collect(),
                lists: lists.copied().collect(),
            };
            if meets(record, self.level, &wants) {
                continue;
            }
            let with = |value: &Value| {
                let mut changed = record.clone();
                place::put(&mut changed, &self.ty, &pool.steps, value)?;
                meets(&changed, self.level, &wants).then_some(changed)
            };
            if let Some(changed) = pool.values.iter().find_map(with) {
                *record = changed;
            }
        }
    }
}

/// The texts of a type, written from words; none where values of the type are made up from their parts.
fn grammar(ty: &Ty) -> Option<fn(&Words) -> Vec<String>> {
    match ty {
        Ty::Command => Some(commands),
        Ty::Sql => Some(statements),
        Ty::Repo => Some(repositories),
        Ty::Cidr => Some(networks),
        Ty::Digest => Some(digests),
        _ => None,
    }
}

/// A word of each class of whatever is asked below some steps, by the name of the last part on the way.
fn collect(level: &Level, at: &[Step], ty: &Ty, name: &str, words: &mut Words) {
    let part = |steps: &[Step]| -> Option<(String, Ty)> {
        let rest = steps.strip_prefix(at)?;
        let mut here = (name.to_owned(), ty.clone());
        for step in rest {
            let (name, next) = place::step(&here.1, *step)?;
            here = (name.to_owned(), next.required().clone());
        }
        Some(here)
    };
    for variable in &level.variables {
        if let Some((name, _)) = part(&variable.steps) {
            words.entry(name).or_default().extend(texts(variable));
        }
    }
    for list in &level.lists {
        if let Some((name, ty)) = part(&list.steps) {
            let element = ty.element().unwrap_or(ty);
            collect(&list.element, &[], &element, &name, words);
        }
    }
}

fn texts(variable: &Variable) -> Vec<String> {
    let kind = sample::Kind {
        ty: &variable.ty,
        part: None,
    };
    let samples = sample::samples(kind, &variable.classifier, variable.count);
    let texts = samples.into_iter().flatten().filter_map(|value| match &value {
        Value::Num(n) => Some(n.to_string()),
        value => value.text().map(str::to_owned),
    });
    texts.filter(|text| !text.is_empty()).collect()
}

/// The words of some parts, some of one's own first.
fn words<'w>(words: &'w Words, parts: &[&str], own: &[&'w str]) -> Vec<&'w str> {
    let asked = parts.iter().filter_map(|part| words.get(*part)).flatten();
    let mut all: Vec<&str> = own.to_vec();
    for word in asked {
        if !all.contains(&word.as_str()) {
            all.push(word);
        }
    }
    all
}

/// A word as a shell reads it, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=+:@%,".contains(c);
    match !word.is_empty() && word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// How many programs a longer command line starts.
const SEVERAL: std::ops::RangeInclusive<usize> = 3..=9;

fn commands(of: &Words) -> Vec<String> {
    let programs = words(of, &["program", "path", "programs"], &["ls", "cat"]);
    let programs: Vec<&str> = programs
        .into_iter()
        .filter(|p| !matches!(*p, ">" | "<"))
        .collect();
    let mut arguments = words(
        of,
        &["flags", "args", "text", "verb", "path", "target", "operands"],
        &[],
    );
    arguments.extend(["-x", "a", "/a"]);
    let mut one: Vec<String> = programs.iter().map(|program| quoted(program)).collect();
    for program in &programs {
        one.extend(
            arguments
                .iter()
                .map(|word| format!("{} {}", quoted(program), quoted(word))),
        );
    }
    let mut all = one.clone();
    all.extend(
        [
            "",
            "$x",
            "ls $x",
            "ls | cat",
            "ls && cat",
            "ls; cat",
            "ls || cat",
            "ls > /a",
            "cat < /a",
            "A=b ls",
            "ls 'x",
        ]
        .map(str::to_owned),
    );
    for program in &programs {
        all.extend(SEVERAL.map(|times| vec![quoted(program); times].join("; ")));
    }
    for program in &programs {
        for word in &arguments {
            all.extend(
                arguments
                    .iter()
                    .map(|more| format!("{} {} {}", quoted(program), quoted(word), quoted(more))),
            );
            all.push(format!("{} > {}", quoted(program), quoted(word)));
        }
    }
    let wrappers = words(of, &["via"], &["sudo", "env"]);
    all.extend(
        wrappers
            .iter()
            .flat_map(|by| one.iter().map(move |command| format!("{} {command}", quoted(by)))),
    );
    for operator in ["&&", "|", ";"] {
        all.extend(one.iter().flat_map(|a| {
            programs
                .iter()
                .map(move |b| format!("{a} {operator} {}", quoted(b)))
        }));
    }
    all.extend(one.iter().map(|command| format!("{command}; $x")));
    all
}

fn statements(of: &Words) -> Vec<String> {
    let mut all = vec!["SELECT 1".to_owned(), String::new(), "SELEC".to_owned()];
    let mut one = Vec::new();
    for table in words(of, &["tables", "writes"], &["t"]) {
        for text in [
            "SELECT * FROM {}",
            "SELECT * FROM {} WHERE a = 1",
            "INSERT INTO {} VALUES (1)",
            "UPDATE {} SET a = 1",
            "UPDATE {} SET a = 1 WHERE a = 1",
            "DELETE FROM {}",
            "DELETE FROM {} WHERE a = 1",
            "DROP TABLE {}",
            "TRUNCATE TABLE {}",
            "CREATE TABLE {} (a int)",
            "ALTER TABLE {} ADD COLUMN a int",
            "GRANT ALL ON {} TO x",
        ] {
            one.push(text.replace("{}", table));
        }
    }
    let functions = words(of, &["functions"], &["f"]);
    one.extend(functions.iter().map(|function| format!("SELECT {function}(1)")));
    one.extend(["SET a = 1", "BEGIN", "COMMIT", "EXPLAIN SELECT 1", "CALL p()"].map(str::to_owned));
    all.extend(one.iter().cloned());
    all.extend(
        one.iter()
            .flat_map(|a| one.iter().map(move |b| format!("{a}; {b}"))),
    );
    all
}

fn repositories(of: &Words) -> Vec<String> {
    let owners = words(of, &["owner"], &["owner"]);
    let names = words(of, &["name"], &["name"]);
    let mut all = Vec::new();
    for host in words(of, &["host"], &["example.com", "github.com"]) {
        for owner in &owners {
            all.extend(names.iter().map(|name| format!("{host}/{owner}/{name}")));
        }
    }
    all
}

fn networks(of: &Words) -> Vec<String> {
    let mut all = Vec::new();
    let starts = words(
        of,
        &["first", "last"],
        &["0.0.0.0", "10.0.0.0", "192.0.2.0", "::", "2001:db8::", "fd00::"],
    );
    for start in starts {
        let most = if start.contains(':') { 128 } else { 32 };
        all.extend((0..=most).rev().map(|length| format!("{start}/{length}")));
    }
    all
}

fn digests(of: &Words) -> Vec<String> {
    let hex = words(of, &["hex"], &[]);
    let zeros = [64, 96, 128].map(|digits| "0".repeat(digits));
    let all = hex.into_iter().map(str::to_owned).chain(zeros);
    all.flat_map(|hex| ["sha256", "sha384", "sha512"].map(|algorithm| format!("{algorithm}:{hex}")))
        .collect()
}
