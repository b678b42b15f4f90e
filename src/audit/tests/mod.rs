//! Tests of the whole book, with real files.
