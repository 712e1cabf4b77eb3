//! The one integration binary; every file of this folder is a module here.

mod artifact;
mod corpora;
mod hostile;
mod vectors;
