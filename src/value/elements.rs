//! The elements of a list, shared by its copies. Those of what is asked often have a table to find a text with.

use super::{Lookup, Value};
use std::cmp::Ordering;
use std::ops::Deref;
use std::sync::Arc;

/// The elements of a list. Copies share them.
#[derive(Clone, Debug)]
pub struct Elements(Arc<Shared>);

#[derive(Clone, Debug)]
struct Shared {
    values: Vec<Value>,
    /// Where each text is, where somebody has asked for that.
    texts: Option<Lookup>,
}

impl Elements {
    /// With fewer, one look at each is as fast.
    const FEW: usize = 4;

    /// These.
    pub fn new(values: Vec<Value>) -> Elements {
        Elements(Arc::new(Shared { values, texts: None }))
    }

    /// The elements, to be changed. Whoever shared them keeps them as they were.
    pub fn make_mut(&mut self) -> &mut Vec<Value> {
        let shared = Arc::make_mut(&mut self.0);
        shared.texts = None;
        &mut shared.values
    }

    /// Makes a table to find texts with, where all elements are texts.
    pub(super) fn index(&mut self) {
        if self.0.values.len() <= Self::FEW || self.0.texts.is_some() {
            return;
        }
        let texts: Option<Vec<&str>> = self.0.values.iter().map(Value::text).collect();
        let Some(texts) = texts else {
            return;
        };
        let texts = Lookup::new(texts.into_iter());
        Arc::make_mut(&mut self.0).texts = Some(texts);
    }

    /// Whether an element with this text is the wanted one; `None` where there is no table of texts.
    #[inline]
    pub fn has(&self, text: &str, is_wanted: impl Fn(&Value) -> bool) -> Option<bool> {
        let Shared { values, texts } = &*self.0;
        let is_it = |at: u32| values.get(at as usize).is_some_and(&is_wanted);
        texts.as_ref().map(|texts| texts.find(text, is_it).is_some())
    }
}

impl Deref for Elements {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.0.values
    }
}

impl PartialEq for Elements {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Elements {}

impl PartialOrd for Elements {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Elements {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}
