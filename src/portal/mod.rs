//! The counter where people talk to the guard.
