//! The built program with real counterparts: curl, nginx, Chromium, promtool. What a new user meets first.
//!
//! Every program that is needed must be there: a test says which Debian package is missing, and fails. `tests/run`
//! installs them all.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests and their helpers touch the world and may fail loudly"
)]

mod browser;
mod curl;
mod gate;
mod nginx;
mod programs;

mod approval;
mod commands;
mod house;
mod log;
mod people;
mod readme;
mod ready;
mod story;
mod tour;
