//! Documents of what is written often, such as traces: whoever has members shows them once, in the order of the canonical
//! text (RFC 8785), and what becomes of them is a tree or that text, which then takes no tree. In: members. Out: a
//! document. It sorts nothing.

use super::digest::Digest;
use super::fields::number;
use super::jcs;
use crate::json::{Json, Text};

/// What takes the members of an object, one after the other. Names are ASCII without anything to escape.
pub trait Sink: Sized {
    /// `null`.
    fn null(&mut self, name: &'static str);
    /// A text.
    fn text(&mut self, name: &'static str, text: &str);
    /// A whole number within 2^53 - 1.
    fn number(&mut self, name: &'static str, n: u64);
    /// A digest.
    fn digest(&mut self, name: &'static str, digest: &Digest);
    /// A document of its own.
    fn json(&mut self, name: &'static str, json: &Json);
    /// A list of texts.
    fn texts<T: AsRef<str>>(&mut self, name: &'static str, texts: impl IntoIterator<Item = T>);
    /// An object.
    fn object(&mut self, name: &'static str, members: impl FnOnce(&mut Self));
    /// A list of objects.
    fn objects<T>(&mut self, name: &'static str, items: &[T], members: impl Fn(&T, &mut Self));

    /// A text that may be missing: then there is no such member.
    fn optional(&mut self, name: &'static str, text: Option<&str>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// A text, or `null`.
    fn text_or_null(&mut self, name: &'static str, text: Option<&str>) {
        match text {
            Some(text) => self.text(name, text),
            None => self.null(name),
        }
    }

    /// A digest, or `null`.
    fn nullable(&mut self, name: &'static str, digest: Option<&Digest>) {
        match digest {
            Some(digest) => self.digest(name, digest),
            None => self.null(name),
        }
    }
}

/// The tree of an object.
pub fn tree(members: impl FnOnce(&mut Tree)) -> Json {
    let mut tree = Tree::default();
    members(&mut tree);
    Json::Object(tree.members)
}

/// The canonical text of an object.
pub fn text(members: impl FnOnce(&mut jcs::Object)) -> Vec<u8> {
    let mut object = jcs::Object::open();
    members(&mut object);
    object.close()
}

/// The members of an object as a tree.
#[derive(Debug, Default)]
pub struct Tree {
    members: Vec<(Text, Json)>,
}

impl Tree {
    fn add(&mut self, name: &'static str, json: Json) {
        self.members.push((Text::const_new(name), json));
    }
}

impl Sink for Tree {
    fn null(&mut self, name: &'static str) {
        self.add(name, Json::Null);
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.add(name, Json::str(text));
    }

    fn number(&mut self, name: &'static str, n: u64) {
        self.add(name, number(n));
    }

    fn digest(&mut self, name: &'static str, digest: &Digest) {
        self.add(name, digest.to_json());
    }

    fn json(&mut self, name: &'static str, json: &Json) {
        self.add(name, json.clone());
    }

    fn texts<T: AsRef<str>>(&mut self, name: &'static str, texts: impl IntoIterator<Item = T>) {
        let texts = texts.into_iter().map(|text| Json::str(text.as_ref()));
        self.add(name, Json::Array(texts.collect()));
    }

    fn object(&mut self, name: &'static str, members: impl FnOnce(&mut Self)) {
        self.add(name, tree(members));
    }

    fn objects<T>(&mut self, name: &'static str, items: &[T], members: impl Fn(&T, &mut Self)) {
        let trees = items.iter().map(|item| tree(|tree| members(item, tree)));
        self.add(name, Json::Array(trees.collect()));
    }
}
