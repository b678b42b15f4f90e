//! Composition root.

pub mod sources;
