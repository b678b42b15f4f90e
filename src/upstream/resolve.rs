//! Turns names into addresses. What comes out is not believed: the guard looks at every address.
#![expect(clippy::disallowed_methods, reason = "door: resolves names")]

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::net::NetError;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, timeout_at};

use super::{Resolver, UpstreamError};
use crate::facts::{Blame, Fault, FaultCode, Host, Stage, SubjectId};

/// Look-ups that may run at a time: a quarter of the runtime's threads for what blocks, which also check passwords and
/// read rules.
const MOST_THREADS: usize = 128;
/// How many of them may run for one person. Names whose servers do not answer hold a thread for many seconds: whoever
/// asks for a lot of them waits for themselves, and nobody else does.
const MOST_EACH: usize = 16;
/// Names that are remembered.
const MOST_ASKED: usize = 4096;
/// How long an answer counts: a page asks for the same few names over and over.
const FOUND_KEPT: Duration = Duration::from_secs(5);
/// How long a failure counts: long enough for a rush, too short for anybody to notice.
const FAILED_KEPT: Duration = Duration::from_secs(1);

/// An answer that is being waited for.
pub(super) type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<IpAddr>, Fault>> + Send + 'a>>;

/// A way to turn names into addresses, in the order in which they should be tried.
pub(super) trait Resolve: Send + Sync {
    /// The addresses of `host`, which `asker` wants to know until then; a fault is the answer if that is too early.
    fn resolve<'a>(&'a self, host: &'a Host, asker: &'a SubjectId, until: Instant) -> Answer<'a>;
}

/// The way that the settings choose.
pub(super) fn chosen(settings: &super::Settings) -> Result<Box<dyn Resolve>, UpstreamError> {
    match (settings.resolver, settings.name_servers.as_slice()) {
        (choice, []) => resolver(choice),
        (Resolver::Hickory, servers) => asking(servers),
        (Resolver::System, _) => Err(UpstreamError::NameServers),
    }
}

/// Asks these name servers, and no others.
fn asking(servers: &[std::net::SocketAddr]) -> Result<Box<dyn Resolve>, UpstreamError> {
    use hickory_resolver::config::{NameServerConfig, ResolverConfig};
    use hickory_resolver::net::runtime::TokioRuntimeProvider;

    let server = |at: &std::net::SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(at.ip());
        server.connections.iter_mut().for_each(|way| way.port = at.port());
        server
    };
    let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .build()
        .map(|resolver| Box::new(Hickory(resolver)) as Box<dyn Resolve>)
        .map_err(|cause| UpstreamError::Resolver(cause.to_string()))
}

fn resolver(choice: Resolver) -> Result<Box<dyn Resolve>, UpstreamError> {
    match choice {
        Resolver::System => Ok(Box::new(System::new(getaddrinfo, MOST_THREADS, MOST_EACH))),
        Resolver::Hickory => TokioResolver::builder_tokio()
            .and_then(hickory_resolver::ResolverBuilder::build)
            .map(|resolver| Box::new(Hickory(resolver)) as Box<dyn Resolve>)
            .map_err(|cause| UpstreamError::Resolver(cause.to_string())),
    }
}

/// `getaddrinfo`, each call on a thread that nothing can stop: so there are only so many at a time, and fewer for each
/// person; those who ask for the same name wait for the same call, also for one that others gave up, and answers are
/// remembered for a moment.
struct System {
    look: fn(&str) -> io::Result<Vec<IpAddr>>,
    threads: Arc<Semaphore>,
    most_each: usize,
    /// What each person may have under way, as long as they have something.
    shares: Mutex<BTreeMap<SubjectId, Weak<Semaphore>>>,
    asked: Mutex<BTreeMap<Host, Asked>>,
}

/// What a call found, once it has returned.
type Asked = watch::Receiver<Option<Found>>;

#[derive(Clone)]
struct Found {
    addresses: Result<Arc<[IpAddr]>, Arc<io::Error>>,
    until: Instant,
}

impl System {
    fn new(look: fn(&str) -> io::Result<Vec<IpAddr>>, threads: usize, most_each: usize) -> Self {
        Self {
            look,
            threads: Arc::new(Semaphore::new(threads)),
            most_each,
            shares: Mutex::default(),
            asked: Mutex::default(),
        }
    }

    async fn find(&self, host: &Host, asker: &SubjectId, until: Instant) -> Result<Found, Fault> {
        let mut asked = match self.asked(host) {
            Some(asked) => asked,
            None => self.ask(host, asker, until).await?,
        };
        let found = timeout_at(until, asked.wait_for(Option::is_some)).await;
        let found = found.map_err(|_| late(host))?;
        let found = found.map_err(|gone| failed(host, &gone))?.clone();
        found.ok_or_else(|| not_found(host))
    }

    /// The call for this name that is under way, or whose answer still counts.
    fn asked(&self, host: &Host) -> Option<Asked> {
        let now = Instant::now();
        self.all().get(host).filter(|asked| counts(asked, now)).cloned()
    }

    async fn ask(&self, host: &Host, asker: &SubjectId, until: Instant) -> Result<Asked, Fault> {
        // INVARIANT: in the one queue that all share, nobody stands more often than their share is large.
        let share = timeout_at(until, self.share(asker).acquire_owned()).await;
        let share = share.map_err(|_| self.crowded(host, asker))?;
        let share = share.map_err(|gone| failed(host, &gone))?;
        let thread = timeout_at(until, Arc::clone(&self.threads).acquire_owned()).await;
        let thread = thread.map_err(|_| late(host))?;
        let thread = thread.map_err(|gone| failed(host, &gone))?;
        if let Some(asked) = self.asked(host) {
            return Ok(asked); // somebody was faster
        }
        let (found, asked) = watch::channel(None);
        let (look, name) = (self.look, host.clone());
        tokio::task::spawn_blocking(move || {
            let looked = look(name.as_str());
            let kept = if looked.is_ok() { FOUND_KEPT } else { FAILED_KEPT };
            found.send_replace(Some(Found {
                addresses: looked.map(Into::into).map_err(Arc::new),
                until: Instant::now() + kept,
            }));
            drop((thread, share));
        });
        let mut all = self.all();
        if all.len() >= MOST_ASKED {
            let now = Instant::now();
            all.retain(|_, asked| counts(asked, now));
        }
        if all.len() >= MOST_ASKED {
            // INVARIANT: calls that are under way stay, of which there are few: another for the same name takes a thread.
            all.retain(|_, asked| asked.borrow().is_none());
        }
        all.insert(host.clone(), asked.clone());
        Ok(asked)
    }

    /// Nobody was asked: whoever wants to know waits for answers to their other questions.
    fn crowded(&self, host: &Host, asker: &SubjectId) -> Fault {
        let most = self.most_each;
        tracing::debug!(%host, user = asker.as_str(), most, "a name was not looked up in time: others of the same person wait");
        unresolved(format!(
            "`{host}` was not looked up in time: {most} other names that you asked for have no answer yet"
        ))
    }

    fn share(&self, asker: &SubjectId) -> Arc<Semaphore> {
        // as with the other lock
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(asker).and_then(Weak::upgrade) {
            return share;
        }
        shares.retain(|_, share| share.strong_count() > 0);
        let share = Arc::new(Semaphore::new(self.most_each));
        shares.insert(asker.clone(), Arc::downgrade(&share));
        share
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<Host, Asked>> {
        // Nothing panics while it holds the lock; and if it did, the map would still be whole.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a call is under way, or its answer still counts. One that ended without an answer does not.
fn counts(asked: &Asked, now: Instant) -> bool {
    match &*asked.borrow() {
        Some(found) => now < found.until,
        None => asked.has_changed().is_ok(),
    }
}

impl Resolve for System {
    fn resolve<'a>(&'a self, host: &'a Host, asker: &'a SubjectId, until: Instant) -> Answer<'a> {
        Box::pin(async move {
            match self.find(host, asker, until).await?.addresses {
                Ok(found) => Ok(found.to_vec()),
                Err(cause) if is_unknown(&cause) => Err(not_found(host)),
                Err(cause) => Err(failed(host, &cause)),
            }
        })
    }
}

fn getaddrinfo(name: &str) -> io::Result<Vec<IpAddr>> {
    let found = (name, 0).to_socket_addrs()?;
    Ok(found.map(|address| address.ip()).collect())
}

/// The standard library does not tell `EAI_NONAME` and `EAI_NODATA` apart from other failures but in words.
fn is_unknown(error: &io::Error) -> bool {
    let words = error.to_string();
    [
        "Name or service not known",
        "No address associated with hostname",
        "nodename nor servname",
    ]
    .iter()
    .any(|known| words.contains(known))
}

/// Our own client, with a cache.
struct Hickory(TokioResolver);

impl Resolve for Hickory {
    fn resolve<'a>(&'a self, host: &'a Host, _asker: &'a SubjectId, until: Instant) -> Answer<'a> {
        Box::pin(async move {
            // The final dot keeps search domains out: `www.x.com` is never `www.x.com.corp.example`.
            let looked = timeout_at(until, self.0.lookup_ip(format!("{host}."))).await;
            match looked.map_err(|_| late(host))? {
                Ok(found) => Ok(found.iter().collect()),
                Err(cause) if is_absent(&cause) => Err(not_found(host)),
                Err(cause) => Err(failed(host, &cause)),
            }
        })
    }
}

fn is_absent(error: &NetError) -> bool {
    error.is_nx_domain() || error.is_no_records_found()
}

/// The name has no address.
pub(super) fn not_found(host: &Host) -> Fault {
    let detail = format!("`{host}` has no address");
    Fault::new(Blame::Origin, Stage::Resolve, FaultCode::NameNotFound, detail)
}

fn failed(host: &Host, cause: &dyn std::error::Error) -> Fault {
    unresolved(format!("`{host}` could not be resolved: {cause}"))
}

fn late(host: &Host) -> Fault {
    unresolved(format!("`{host}` did not resolve in time"))
}

fn unresolved(detail: String) -> Fault {
    Fault::new(Blame::House, Stage::Resolve, FaultCode::ResolveFailed, detail)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use futures_util::FutureExt as _;

    use super::*;

    fn host(name: &str) -> Host {
        Host::parse(name).unwrap()
    }

    fn ada() -> SubjectId {
        SubjectId::parse("ada").unwrap()
    }

    fn later() -> Instant {
        Instant::now() + Duration::from_mins(1)
    }

    #[tokio::test]
    async fn the_system_knows_itself() {
        let system = System::new(getaddrinfo, 1, 1);
        let found = system.resolve(&host("localhost"), &ada(), later()).await.unwrap();
        assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_counts_for_a_moment() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let system = System::new(
            |name| match (CALLS.fetch_add(1, Ordering::SeqCst), name) {
                (_, "x.com") => Ok(vec![IpAddr::from([192, 0, 2, 1])]),
                _ => Err(io::Error::other("Name or service not known")),
            },
            1,
            1,
        );
        for (name, kept) in [("x.com", FOUND_KEPT), ("nowhere.com", FAILED_KEPT)] {
            let before = CALLS.load(Ordering::SeqCst);
            let calls = || CALLS.load(Ordering::SeqCst) - before;
            let (first, second) = (
                system.resolve(&host(name), &ada(), later()).await,
                system.resolve(&host(name), &ada(), later()).await,
            );
            assert_eq!((first.is_ok(), second.is_ok()), (name == "x.com", name == "x.com"));
            assert_eq!(calls(), 1, "{name}");
            tokio::time::advance(kept).await;
            drop(system.resolve(&host(name), &ada(), later()).await);
            assert_eq!(calls(), 2, "{name}");
        }
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_any_more_keeps_its_thread_and_serves_who_asks_again() {
        static HELD: Mutex<()> = Mutex::new(());
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let held = HELD.lock().unwrap();
        let system = System::new(
            |_| {
                CALLS.fetch_add(1, Ordering::SeqCst);
                drop(HELD.lock());
                Ok(vec![IpAddr::from([192, 0, 2, 1])])
            },
            1,
            1,
        );
        let (slow, other) = (host("slow.com"), host("other.com"));
        assert!(system.resolve(&slow, &ada(), later()).now_or_never().is_none());
        assert!(system.resolve(&slow, &ada(), later()).now_or_never().is_none());
        assert!(system.resolve(&other, &ada(), later()).now_or_never().is_none());
        assert_eq!(system.threads.available_permits(), 0);
        drop(held);
        assert!(system.resolve(&slow, &ada(), later()).await.is_ok());
        assert_eq!(CALLS.load(Ordering::SeqCst), 1);
        assert!(system.resolve(&other, &ada(), later()).await.is_ok());
        assert_eq!(CALLS.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn names_that_nobody_answers_for_hold_up_who_asks_for_them_and_nobody_else() {
        static GOES_ON: AtomicBool = AtomicBool::new(false);
        let system = System::new(
            |name| {
                while name.starts_with("slow") && !GOES_ON.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                Ok(vec![IpAddr::from([192, 0, 2, 1])])
            },
            3,
            2,
        );
        let (ada, bob) = (ada(), SubjectId::parse("bob").unwrap());
        let hosts = ["slow.com", "slower.com", "slowest.com"].map(host);
        let mut asked: Vec<_> = hosts.iter().map(|host| system.resolve(host, &ada, later())).collect();
        assert!(asked.iter_mut().all(|answer| answer.now_or_never().is_none()));
        drop(asked);
        let mut waits = system.resolve(&hosts[2], &ada, later());
        assert!(
            waits.as_mut().now_or_never().is_none(),
            "calls go on, whoever gave them up"
        );
        let found = match system.threads.available_permits() {
            1 => system.resolve(&host("x.com"), &bob, later()).await.ok(),
            _ => None,
        };
        let still_waits = waits.as_mut().now_or_never().is_none();
        GOES_ON.store(true, Ordering::SeqCst);
        assert!(found.is_some() && still_waits, "{found:?}");
        assert!(waits.await.is_ok());
        for host in &hosts {
            assert!(system.resolve(host, &ada, later()).await.is_ok());
        }
    }

    #[tokio::test]
    async fn who_waits_for_their_own_other_names_hears_so_and_not_that_nobody_answers() {
        static GOES_ON: AtomicBool = AtomicBool::new(false);
        let system = System::new(
            |_| {
                while !GOES_ON.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                Ok(Vec::new())
            },
            2,
            1,
        );
        let (slow, ada) = (host("slow.com"), ada());
        assert!(system.resolve(&slow, &ada, later()).now_or_never().is_none());
        let detail = async |host: &Host| {
            let too_late = system.resolve(host, &ada, Instant::now()).await.unwrap_err();
            assert_eq!(too_late.code, FaultCode::ResolveFailed);
            too_late.detail
        };
        let details = [detail(&slow).await, detail(&host("other.com")).await];
        GOES_ON.store(true, Ordering::SeqCst);
        assert_eq!(
            details,
            [
                "`slow.com` did not resolve in time",
                "`other.com` was not looked up in time: 1 other names that you asked for have no answer yet",
            ]
        );
    }

    #[tokio::test]
    async fn a_call_that_ends_without_an_answer_does_not_stand_for_its_name() {
        static CALLS: AtomicUsize = AtomicUsize::new(0);
        let system = System::new(
            |_| {
                assert_ne!(CALLS.fetch_add(1, Ordering::SeqCst), 0, "the first call breaks");
                Ok(vec![IpAddr::from([192, 0, 2, 1])])
            },
            1,
            1,
        );
        assert!(system.resolve(&host("x.com"), &ada(), later()).await.is_err());
        assert!(system.resolve(&host("x.com"), &ada(), later()).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn many_names_push_out_old_answers_and_no_call_that_is_under_way() {
        static GOES_ON: AtomicBool = AtomicBool::new(false);
        let system = System::new(
            |name| {
                while name == "slow.com" && !GOES_ON.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                Ok(Vec::new())
            },
            2,
            2,
        );
        let slow = host("slow.com");
        assert!(system.resolve(&slow, &ada(), later()).now_or_never().is_none());
        for n in 0..=MOST_ASKED {
            assert!(
                system
                    .resolve(&host(&format!("n{n}.com")), &ada(), later())
                    .await
                    .is_ok()
            );
        }
        assert!(system.all().len() <= MOST_ASKED);
        assert!(system.asked(&slow).is_some());
        GOES_ON.store(true, Ordering::SeqCst);
        assert!(system.resolve(&slow, &ada(), later()).await.is_ok());
    }

    #[test]
    fn a_name_that_nobody_has_is_told_from_a_server_that_does_not_answer() {
        let said = |words: &str| {
            is_unknown(&io::Error::other(format!(
                "failed to lookup address information: {words}"
            )))
        };
        assert!(said("Name or service not known"));
        assert!(said("No address associated with hostname"));
        assert!(!said("Temporary failure in name resolution"));
    }
}
