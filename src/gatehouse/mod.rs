//! Composition root: builds every room, introduces them to each other, runs until told to stop, and leaves in order.
//!
//! [`Gatehouse::open`] binds the doors, so that a mistake shows before anything is served; [`Gatehouse::stop`] closes
//! them, lets running flows end or cuts them, and closes the book last. Nothing here judges or speaks to clients.

mod admin;
mod counting;
mod descriptors;
mod exposition;
mod findings;
mod health;
pub mod kept;
mod notices;
mod open;
pub mod pac;
mod passing;
mod reach;
mod refused;
pub mod reload;
pub mod sources;
mod wellbeing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::audit::Book;
use crate::clock::Clock;
use crate::facts::GatewayAct;
use crate::ledger::{Ledger, Usage};
use crate::proxy::{STOPPING, Tasks};
use crate::rulebook::Live;
use crate::upstream::Upstream;
use health::Health;

pub use open::{OpenError, Rules};

/// Where the gateway listens.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    /// The explicit proxy over plain TCP.
    pub plain: SocketAddr,
    /// The explicit proxy over TLS.
    pub tls: SocketAddr,
    /// Metrics, health, the PAC file.
    pub admin: SocketAddr,
}

/// A running gateway.
pub struct Gatehouse {
    addresses: Addresses,
    root_pem: String,
    live: Arc<Live>,
    ledger: Ledger,
    usage: Usage,
    clock: Clock,
    book: Book,
    upstream: Upstream,
    health: Arc<Health>,
    tasks: Tasks,
    /// Those that answer operators, also while the others end.
    operators: Tasks,
    /// How long running flows may take to end after the stop.
    patience: Duration,
}

impl Gatehouse {
    /// Where it listens.
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The root certificate that clients must trust, in PEM.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The rules and the people in force.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// The grants.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Adds up what was counted until now of how much purposes are used.
    pub async fn add_up(&self) {
        counting::add_up(&self.ledger, &self.usage, &self.clock).await;
    }

    /// The book.
    pub fn book(&self) -> &Book {
        &self.book
    }

    /// Takes no more connections, lets what runs come to its end, cuts what does not in time, and closes the book.
    pub async fn stop(self) -> Result<(), String> {
        self.health.stopping();
        let left = self.tasks.stop(self.patience).await;
        if left > 0 {
            tracing::warn!(left, "some flows did not end in time and are cut; their records say so");
            self.book.cutting(STOPPING);
            self.tasks.cut().await;
        }
        self.upstream.close().await;
        // whoever asks until here is told that the gateway is stopping
        self.operators.stop(Duration::ZERO).await;
        self.operators.cut().await;
        reload::record(&self.book, &self.live, GatewayAct::Stopped).await;
        let Self {
            book,
            ledger,
            usage,
            clock,
            ..
        } = self;
        counting::add_up(&ledger, &usage, &clock).await;
        book.close().await.map_err(|unavailable| unavailable.to_string())
    }
}
