//! What an engine has to do to be measured: be loaded from the bytes of a policy, and answer requests in the bytes of a
//! v1 intent or in a typed form of its own that it made before.

use gait::domain::Verdict;
use std::error::Error;

/// Why something could not be set up; it ends the run.
pub type Failure = Box<dyn Error>;

/// What an engine says of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A verdict: the strictest of the rules that matched, or the default.
    Says(Verdict),
    /// It, or what reads the request for it, reports an error. A careful host blocks.
    Refuses,
}

impl Answer {
    /// What a careful host does.
    pub fn verdict(self) -> Verdict {
        match self {
            Answer::Says(verdict) => verdict,
            Answer::Refuses => Verdict::Block,
        }
    }

    /// An answer where an error is one, too.
    pub fn of<E>(result: Result<Verdict, E>) -> Answer {
        result.map_or(Answer::Refuses, Answer::Says)
    }
}

/// An engine with one policy loaded.
pub trait Engine {
    /// Makes the typed form of a request and keeps it under the next number, from 0 on.
    fn keep(&mut self, intent: &[u8]) -> Result<(), Failure>;

    /// Decides the typed request of this number.
    fn warm(&mut self, number: usize) -> Answer;

    /// Decides the request in these bytes.
    fn cold(&mut self, intent: &[u8]) -> Answer;
}

/// Makes an engine ready from the bytes of a policy.
pub type Load = Box<dyn Fn() -> Result<Box<dyn Engine>, Failure>>;

/// An engine that takes part in a suite.
pub struct Contestant {
    /// Its name in tables.
    pub name: &'static str,
    /// Loads its policy.
    pub load: Load,
    /// Another way to load what another contestant decides with: it is not asked for decisions.
    pub is_loaded_only: bool,
}

impl Contestant {
    /// An engine that is loaded and decides.
    pub fn new<E: Engine + 'static>(
        name: &'static str,
        load: impl Fn() -> Result<E, Failure> + 'static,
    ) -> Contestant {
        Contestant {
            name,
            load: Box::new(move || Ok(Box::new(load()?))),
            is_loaded_only: false,
        }
    }

    /// The same, asked for no decisions.
    pub fn loaded_only(self) -> Contestant {
        Contestant {
            is_loaded_only: true,
            ..self
        }
    }
}
