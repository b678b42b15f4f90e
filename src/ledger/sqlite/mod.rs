//! The ledger in one `SQLite` file: its schema and its rows.

pub(super) mod migrate;
pub(super) mod rows;
