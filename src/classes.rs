//! Value classes: the questions a policy asks of one variable cut its values into finitely many classes, inside which
//! every value gets the same answers. In: the questions. Out: a classifier, the number of classes, and per question
//! the set of classes that answer yes, and per class a sample. The decision index and every later analysis share these classes.

pub mod automaton;
pub mod classifier;
mod inhabited;
mod matchers;
mod partition;
pub mod sample;
mod set;
mod shared;

pub use classifier::Classifier;
pub use inhabited::{empty, lengths};
pub use matchers::Matchers;
pub use partition::{Group, Partition, partition, partition_with};
pub use sample::samples;
pub use set::ClassSet;
pub use shared::{is_listed, shared, together};
