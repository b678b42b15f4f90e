//! What every command says: its help, what it prints when all is well, and each mistake with its hint and exit code.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::string_slice,
    clippy::too_many_lines,
    reason = "tests start the program and look at what it leaves behind"
)]

mod authority;
mod book;
mod broken;
mod checked;
mod counter;
mod desk;
mod differences;
mod documents;
mod emergency;
mod gate;
mod help;
mod people;
#[cfg(feature = "prove")]
mod promises;
mod proofs;
#[cfg(feature = "prove")]
mod recipes;
mod replayed;
mod rules;
mod scripts;
mod sheets;
mod tested;
mod tools;
mod workbench;
