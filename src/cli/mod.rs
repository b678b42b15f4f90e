//! The commands. One file each: its `Args`, its `run`, its exit code. This table is the whole list.

pub mod ca;
pub mod pac;
pub mod printer;
pub mod records;
pub mod user;
