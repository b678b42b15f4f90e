//! The way through.
