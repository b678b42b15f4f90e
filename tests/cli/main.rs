//! What every command says: its help, what it prints when all is well, and each mistake with its hint and exit code.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests start the program and look at what it leaves behind"
)]

mod authority;
mod book;
mod counter;
mod desk;
mod documents;
mod gate;
mod help;
mod people;
mod rules;
