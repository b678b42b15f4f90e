//! What is your business.
