//! Wayleave: a forward proxy that lets people reach social media for a stated purpose.
//!
//! The proxy is a gatehouse. A guard asks how you arrived ([`ingress`]), who you are ([`identity`]), where you are
//! going ([`catalog`]), what for ([`purpose`], [`ledger`]) and whether you may ([`policy`], joined in [`rulebook`]),
//! and writes the answer in the book ([`audit`]). What is asked and answered is plain data ([`facts`]).
//!
//! Start reading at [`facts`], then [`rulebook`], then [`proxy`].
//!
//! ```text
//! floor 5   main ── cli
//! floor 4   gatehouse ──> config            builds, wires, reloads, drains
//! floor 3   proxy, notices ──> portal       the flows over the wire; who is told
//! floor 2   ingress  identity  tls  upstream  ledger  audit  metrics  proof      touch the world; strangers to each other
//! floor 1   rulebook ──> policy, catalog, purpose                        pure: no IO, no clock, no log
//! floor 0   facts  clock                                                 nouns and time
//! ```
//!
//! A module imports only from lower floors, and siblings on floor 2 never meet; `tests/layers.rs` is the law.

pub mod audit;
pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod facts;
pub mod gatehouse;
pub mod identity;
pub mod ingress;
pub mod ledger;
pub mod metrics;
pub mod notices;
pub mod policy;
pub mod portal;
pub mod proof;
pub mod proxy;
pub mod purpose;
pub mod rulebook;
pub mod tls;
pub mod upstream;
