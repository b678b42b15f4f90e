//! Composition root.

pub mod pac;
