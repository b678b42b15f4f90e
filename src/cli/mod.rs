//! The commands. One file each: its `Args`, its `run`, its exit code. This table is the whole list.

pub mod ca;
pub mod check;
pub mod counter;
pub mod declare;
pub mod explain;
pub mod grants;
pub mod pac;
pub mod records;
pub mod test;
pub mod user;
pub mod printer;
mod shown;
