//! Leaf certificates: one per host, cached, renewed in time, and one signature however many ask at once.
#![expect(
    clippy::disallowed_methods,
    reason = "door: slow signatures run on a blocking thread, and are awaited"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rcgen::KeyPair;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::sign::any_ecdsa_type;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;

use super::authority::{Issuer, before};
use super::certificate::Validity;
use super::front::Stencil;
use super::problem::{MintError, TlsProblem};
use super::{DAY, Settings};
use crate::clock::{Clock, Timestamp};
use crate::facts::Host;

/// Clients' clocks may be this much behind.
const SKEW: Duration = Duration::from_hours(1);

/// Makes certificates for hosts, on demand.
pub struct Mint {
    press: Arc<Press>,
    stencil: Stencil,
    cache: moka::future::Cache<Host, Result<Minted, MintError>>,
}

/// What signs; apart from the cache, so that a slow signature can move to another thread.
struct Press {
    issuer: Issuer,
    clock: Clock,
    lifetime: Duration,
    key: Mutex<Arc<LeafKey>>,
    signed: AtomicU64,
}

/// One key for all leaves of a day: half the cost of a mint, and nothing is gained by more.
struct LeafKey {
    pair: KeyPair,
    signing: Arc<dyn rustls::sign::SigningKey>,
    made: Timestamp,
}

/// A certificate with its configuration, and when to make the next.
#[derive(Clone)]
struct Minted {
    certified: Arc<CertifiedKey>,
    config: Arc<ServerConfig>,
    renew: Timestamp,
}

impl Mint {
    /// A mint that signs with `issuer` and tells the time by `clock`.
    pub fn new(issuer: Issuer, clock: Clock, settings: &Settings) -> Result<Self, TlsProblem> {
        if !(1..=90).contains(&settings.leaf_days) {
            return Err(TlsProblem::LeafDays(settings.leaf_days));
        }
        let press = Press {
            key: Mutex::new(Arc::new(LeafKey::generate(clock.now())?)),
            lifetime: DAY * u32::from(settings.leaf_days),
            issuer,
            clock: clock.clone(),
            signed: AtomicU64::new(0),
        };
        Ok(Self {
            press: Arc::new(press),
            stencil: Stencil::new(clock)?,
            cache: moka::future::Cache::new(settings.leaf_cache.max(1)),
        })
    }

    /// The certificate for `host`: from memory, or signed now.
    pub async fn certified(&self, host: &Host) -> Result<Arc<CertifiedKey>, MintError> {
        self.minted(host).await.map(|minted| minted.certified)
    }

    /// How to greet a client that wants to speak to `host`: its certificate, ALPN `h2` and `http/1.1`, resumption.
    pub async fn server_config(&self, host: &Host) -> Result<Arc<ServerConfig>, MintError> {
        self.minted(host).await.map(|minted| minted.config)
    }

    /// Whether a certificate for all of `names` could be signed now.
    pub fn may_speak_for(&self, names: &[Host]) -> Result<(), MintError> {
        match names.iter().find(|name| !self.press.issuer.permits(name)) {
            Some(outside) => Err(MintError::OutsideConstraints(outside.clone())),
            None => self.press.valid(self.press.clock.now()).map(drop),
        }
    }

    /// The authority behind the certificates.
    pub fn issuer(&self) -> &Issuer {
        &self.press.issuer
    }

    /// How many certificates are in memory.
    pub fn cached(&self) -> u64 {
        self.cache.entry_count()
    }

    /// How many certificates were signed so far.
    pub fn signed(&self) -> u64 {
        self.press.signed.load(Ordering::Relaxed)
    }

    async fn minted(&self, host: &Host) -> Result<Minted, MintError> {
        // Asked before the cache, so that names we cannot speak for do not push others out of it.
        if !self.press.issuer.permits(host) {
            return Err(MintError::OutsideConstraints(host.clone()));
        }
        let now = self.press.clock.now();
        let stale = |held: &Result<Minted, MintError>| held.as_ref().map_or(true, |minted| minted.renew <= now);
        let entry = self
            .cache
            .entry_by_ref(host)
            .or_insert_with_if(self.issue(host, now), stale);
        let entry = entry.await;
        if entry.is_fresh() {
            // or it would not be counted before somebody asks for another
            self.cache.run_pending_tasks().await;
        }
        entry.into_value()
    }

    async fn issue(&self, host: &Host, now: Timestamp) -> Result<Minted, MintError> {
        let (certified, renew) = self.press.sign_off_the_worker(vec![host.clone()], now).await?;
        Ok(Minted {
            config: self.stencil.cut(certified.clone(), host),
            certified,
            renew,
        })
    }

    /// A certificate for several names at once, and when to renew it; not cached.
    pub(super) async fn for_names(&self, names: &[Host]) -> Result<(Arc<CertifiedKey>, Timestamp), MintError> {
        self.may_speak_for(names)?;
        self.press
            .sign_off_the_worker(names.to_vec(), self.press.clock.now())
            .await
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.press.clock
    }
}

impl Press {
    /// Signs before the handshake, where it can be awaited; on another thread if it takes long.
    async fn sign_off_the_worker(
        self: &Arc<Self>,
        hosts: Vec<Host>,
        now: Timestamp,
    ) -> Result<(Arc<CertifiedKey>, Timestamp), MintError> {
        if !self.issuer.is_slow() {
            return self.sign(&hosts, now);
        }
        let press = Arc::clone(self);
        tokio::task::spawn_blocking(move || press.sign(&hosts, now))
            .await
            .unwrap_or_else(|why| Err(MintError::Signing(why.to_string())))
    }

    fn sign(&self, hosts: &[Host], now: Timestamp) -> Result<(Arc<CertifiedKey>, Timestamp), MintError> {
        let time = self.valid(now)?.narrowed(&Validity {
            from: before(now, SKEW),
            until: before(now.plus(self.lifetime), SKEW),
        });
        let key = self.key(now)?;
        let leaf = self.issuer.sign(hosts, &key.pair, time)?;
        self.signed.fetch_add(1, Ordering::Relaxed);
        let chain = std::iter::once(leaf).chain(self.issuer.sent_chain()).collect();
        let certified = Arc::new(CertifiedKey::new(chain, key.signing.clone()));
        // Daily, so that yesterday's key leaves the memory; earlier where the authority is about to end.
        let renew = now.plus(DAY.min(time.until.since(now) * 2 / 3));
        Ok((certified, renew))
    }

    /// The authority's time, if it is now.
    fn valid(&self, now: Timestamp) -> Result<Validity, MintError> {
        let authority = self.issuer.validity();
        if now < authority.from {
            return Err(MintError::IssuerNotYetValid(authority.from));
        }
        if authority.until <= now {
            return Err(MintError::IssuerExpired(authority.until));
        }
        Ok(authority)
    }

    /// Today's key.
    fn key(&self, now: Timestamp) -> Result<Arc<LeafKey>, MintError> {
        let mut held = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if DAY <= now.since(held.made) {
            *held = Arc::new(LeafKey::generate(now).map_err(|why| MintError::Signing(why.to_string()))?);
        }
        Ok(Arc::clone(&held))
    }
}

impl LeafKey {
    fn generate(now: Timestamp) -> Result<Self, TlsProblem> {
        let pair = KeyPair::generate()?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        let signing = any_ecdsa_type(&der)?;
        Ok(Self {
            pair,
            signing,
            made: now,
        })
    }
}
