//! May you.
