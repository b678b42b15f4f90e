//! Grants kept.
