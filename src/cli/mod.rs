//! The commands. One file each: its `Args`, its `run`, its exit code. This table is the whole list.

pub mod check;
pub mod explain;
pub mod printer;
mod shown;
pub mod test;
