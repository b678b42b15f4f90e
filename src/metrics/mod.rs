//! How often, how fast.
