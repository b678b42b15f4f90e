//! Where are you going.
