//! The YAML of the corpora as JSON, read without the importer: plain mappings, lists and scalars.

use saphyr_parser::{Event, Parser, ScalarStyle};
use serde_json::{Map, Value};

/// The document.
pub fn read(text: &str) -> Value {
    let mut parser = Parser::new_from_str(text);
    let mut next = move || parser.next_event().unwrap().unwrap().0;
    loop {
        match next() {
            Event::StreamStart | Event::DocumentStart(_) => {}
            event => return node(event, &mut next),
        }
    }
}

fn node<'t>(event: Event<'t>, next: &mut dyn FnMut() -> Event<'t>) -> Value {
    match event {
        Event::Scalar(text, ScalarStyle::Plain, ..) => match serde_json::from_str(&text) {
            Ok(value @ (Value::Bool(_) | Value::Number(_))) => value,
            _ => Value::from(text.into_owned()),
        },
        Event::Scalar(text, ..) => Value::from(text.into_owned()),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next() {
                    Event::SequenceEnd => return Value::from(items),
                    event => items.push(node(event, next)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut members = Map::new();
            loop {
                match next() {
                    Event::MappingEnd => return Value::Object(members),
                    key => {
                        let key = node(key, next).as_str().unwrap().to_owned();
                        let event = next();
                        members.insert(key, node(event, next));
                    }
                }
            }
        }
        other => panic!("{other:?}"),
    }
}
