//! Whether all engines decide alike, before anything is measured: every request of a suite, and every odd one.

use crate::engine::{Answer, Engine, Failure};
use crate::suite::Suite;
use gait::domain::Verdict;

/// How one engine's decisions compare with Gait's.
pub struct Agreement {
    /// The engine.
    pub name: &'static str,
    /// Requests on which it decides the same.
    pub same: usize,
    /// Requests on which it asks for less: each is a call that runs, or runs sooner.
    pub looser: Vec<usize>,
    /// Requests on which it asks for more.
    pub stricter: Vec<usize>,
}

/// A suite with its engines loaded.
#[derive(Default)]
pub struct Loaded {
    /// Those that cannot load their policy, with what they say.
    pub failed: Vec<(&'static str, String)>,
    /// The names of those that decide.
    pub names: Vec<&'static str>,
    /// In the order of the names.
    pub engines: Vec<Box<dyn Engine>>,
    /// Positions of the requests that all engines have a typed form of.
    pub typed: Vec<usize>,
}

/// Loads the engines that decide, and their typed requests.
pub fn load(suite: &Suite) -> Result<Loaded, Failure> {
    let mut loaded = Loaded::default();
    for contestant in suite
        .contestants
        .iter()
        .filter(|contestant| !contestant.is_loaded_only)
    {
        match (contestant.load)() {
            Ok(engine) => {
                loaded.names.push(contestant.name);
                loaded.engines.push(engine);
            }
            Err(error) if loaded.names.is_empty() => return Err(error),
            Err(error) => loaded.failed.push((contestant.name, error.to_string())),
        }
    }
    for (position, intent) in suite.intents.iter().enumerate() {
        // A request that one engine refuses is kept by none, so that numbers stay the same.
        if loaded
            .engines
            .iter_mut()
            .all(|engine| engine.cold(intent) != Answer::Refuses)
        {
            for engine in &mut loaded.engines {
                engine.keep(intent)?;
            }
            loaded.typed.push(position);
        }
    }
    Ok(loaded)
}

/// Compares every decision with Gait's, from bytes and from typed requests.
pub fn agreement(suite: &Suite, loaded: &mut Loaded) -> Result<(Vec<Verdict>, Vec<Agreement>), Failure> {
    let mut verdicts: Vec<Vec<Verdict>> = Vec::new();
    for (name, engine) in loaded.names.iter().zip(&mut loaded.engines) {
        let cold: Vec<Verdict> = suite.intents.iter().map(|i| engine.cold(i).verdict()).collect();
        for (number, position) in loaded.typed.iter().enumerate() {
            let warm = engine.warm(number).verdict();
            if cold.get(*position) != Some(&warm) {
                return Err(format!("{name} decides request {position} otherwise once it is typed").into());
            }
        }
        verdicts.push(cold);
    }
    let ours = verdicts.first().cloned().unwrap_or_default();
    let compared = loaded.names.iter().zip(&verdicts).map(|(name, theirs)| {
        let pairs = || ours.iter().zip(theirs).enumerate();
        let looser = pairs().filter(|(_, (ours, theirs))| theirs < ours);
        let stricter = pairs().filter(|(_, (ours, theirs))| theirs > ours);
        Agreement {
            name,
            same: pairs().filter(|(_, (ours, theirs))| ours == theirs).count(),
            looser: looser.map(|(position, _)| position).collect(),
            stricter: stricter.map(|(position, _)| position).collect(),
        }
    });
    let compared = compared.collect();
    Ok((ours, compared))
}
