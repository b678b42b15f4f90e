//! How did you arrive.
