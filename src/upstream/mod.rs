//! Leaving the house.
