//! Who are you.
