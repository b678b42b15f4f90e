//! The rules in force, as one immutable value.
