//! Wayleave's command line.

fn main() {}
