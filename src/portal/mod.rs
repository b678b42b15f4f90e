//! The counter where people talk to the guard.

pub mod pages;
pub mod words;
