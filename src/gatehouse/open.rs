//! Opening the house: every room is built and introduced, and the doors are bound, before anybody is let in.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::admin::Admin;
use super::exposition::{exposition, labels, looking};
use super::health::Health;
use super::kept::Kept;
use super::reach::Reach;
use super::reload::{self, Reload, Wanted};
use super::sources::Look;
use super::{Addresses, Gatehouse, counting, descriptors, findings, pac, passing, refused, wellbeing};
use crate::audit::{Book, BookError, Reader};
use crate::clock::Clock;
use crate::config;
use crate::facts::{Door, GatewayAct, Host, Mode, Problem};
use crate::identity::{BadSetting, FindToken, Found, Guard, Holder};
use crate::ingress::{BindError, Listener, basic_allowed};
use crate::ledger::{Ledger, LedgerError, Looked, Usage};
use crate::metrics::{BadMetric, Metrics};
use crate::notices::{self, Notices};
use crate::portal::{Portal, PortalError, PortalParts};
use crate::proof::Board;
use crate::proxy::{self, PacFile, Proxy, Tasks};
use crate::rulebook::{InForce, Live};
use crate::tls::{self, Issuer, Mint, TlsProblem};
use crate::upstream::{self, Errands, Upstream, UpstreamError};

/// Where the rules come from.
pub enum Rules {
    /// A folder, followed as it changes.
    Folder(PathBuf),
    /// The texts inside the program.
    Embedded,
}

/// Why the house cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The policies may not rule.
    #[error("the policies have {} problem(s)", .0.len())]
    Policies(Vec<Problem>),
    /// The keys or roots cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsProblem),
    /// The way out is set wrongly.
    #[error(transparent)]
    Upstream(#[from] UpstreamError),
    /// The book cannot be opened.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// People could not prove who they are.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Identity(Vec<BadSetting>),
    /// A port is taken.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The portal's name is not usable.
    #[error(transparent)]
    Portal(#[from] PortalError),
    /// People cannot be told anything as the settings say.
    #[error(transparent)]
    Notices(#[from] notices::BadSetting),
    /// The metrics table is wrong.
    #[error(transparent)]
    Metrics(#[from] BadMetric),
}

/// What is built before the doors open.
pub(super) struct Rooms {
    pub(super) live: Arc<Live>,
    pub(super) metrics: Metrics,
    pub(super) book: Book,
    pub(super) ledger: Ledger,
    pub(super) usage: Usage,
    pub(super) guard: Arc<Guard>,
    pub(super) mint: Arc<Mint>,
    pub(super) tls_door: Arc<tls::Door>,
    upstream: Upstream,
    pub(super) errands: Errands,
    pub(super) portal: Arc<Portal>,
    pub(super) notices: Option<Arc<Notices>>,
    findings: Arc<Board>,
}

struct Doors {
    plain: Listener,
    tls: Listener,
    admin: Listener,
}

impl Doors {
    fn addresses(&self) -> [SocketAddr; 3] {
        [self.plain.local_addr(), self.tls.local_addr(), self.admin.local_addr()]
    }
}

impl Gatehouse {
    /// Builds every room with `settings`, binds the doors, and starts to serve.
    pub async fn open(settings: &config::File, rules: Rules, issuer: Issuer, clock: Clock) -> Result<Self, OpenError> {
        // before it is read, so that no edit falls in between
        let followed = match &rules {
            Rules::Folder(folder) => Some((folder.clone(), Look::at(folder))),
            Rules::Embedded => None,
        };
        let (kept, wanted) = (Kept::at(&settings.policies.kept), Wanted::by(settings));
        let (assembled, texts, refused) = reload::ready(&rules, &wanted, &kept).map_err(OpenError::Policies)?;
        reload::warn(&assembled.warnings, &assembled.rulebook, &clock);
        match settings.mode {
            Mode::Observe => tracing::warn!("the gateway only observes: what rules refuse is let pass, and recorded"),
            Mode::Coach => tracing::warn!("the gateway only coaches: whoever is told why rules refuse may continue"),
            Mode::Enforce => {}
        }
        let root_pem = issuer.root_pem();
        let (asked, settings) = (settings, &descriptors::fitted(settings));
        let doors = bind(settings)?;
        descriptors::tell(asked, settings);
        let mut rooms = build(settings, assembled.in_mode(settings.mode), issuer, &doors, &clock)?;
        rooms.notices = super::notices::open(settings, &rooms, &clock)?;
        // not before: a start that fails leaves what ruled last as it is
        let kept = texts.keep(&kept);
        if let Err(why) = rooms.portal.settle(&settings.audit.folder, clock.now()).await {
            tracing::error!(%why, "what was promised before the last end cannot be compared with the records");
        }
        // nobody is let in on a token whose account changed while nobody watched
        passing::notice_accounts(&rooms.portal, &rooms.live, &clock, None).await;
        let house = serve(settings, rooms, doors, followed, root_pem, clock);
        house.health.rules_kept(kept);
        for problem in house.health.authority() {
            tracing::error!(%problem, "the certificate authority");
        }
        let started = GatewayAct::Started {
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        reload::record(&house.book, &house.live, started).await;
        if !refused.is_empty() {
            let problems = refused.iter().map(ToString::to_string).collect();
            house.health.rules_refused_from_the_start(refused, house.clock.now());
            reload::record(&house.book, &house.live, refused::act(problems)).await;
        }
        Ok(house)
    }
}

fn bind(settings: &config::File) -> Result<Doors, OpenError> {
    let plain = Listener::bind(Door::Plain, &settings.ingress)?;
    let tls = Listener::bind(Door::Tls, &settings.ingress)?;
    let admin = Listener::bind_to(Door::Plain, settings.admin.listen, &descriptors::of_operators(settings))?;
    Ok(Doors { plain, tls, admin })
}

fn build(
    settings: &config::File,
    in_force: InForce,
    issuer: Issuer,
    doors: &Doors,
    clock: &Clock,
) -> Result<Rooms, OpenError> {
    let metrics = Metrics::new(&labels(&in_force.rulebook))?;
    let live = Arc::new(Live::new(in_force));
    let (usage, measured) = (Usage::default(), metrics.clone());
    let readers: Vec<Reader> = vec![
        Box::new(move |record| measured.observe(record)),
        counting::reader(&usage, &live),
    ];
    let (book, repairs) = Book::open(&settings.audit, clock.clone(), readers)?;
    for repair in repairs {
        tracing::warn!(%repair, "the book was repaired");
    }
    let known = Arc::clone(&live);
    book.knows(Box::new(move |id| known.load().directory.person(id)));
    // rules may be tried at another hour; browsers check certificates by the real one
    let real_time = Clock::system();
    let mint = Arc::new(Mint::new(issuer, real_time.clone(), &settings.tls)?);
    let clients = tls::client_roots(&settings.tls)?;
    let limits = settings.ingress.clone();
    let may_send: crate::identity::MaySend =
        Arc::new(move |arrival| basic_allowed(&limits, arrival.door, arrival.client.ip()));
    let tls_door = Arc::new(tls::Door::new(mint.clone(), settings.tls.door_names.clone(), clients)?);
    let origin = tls::origin(&settings.tls, &real_time)?;
    let allow = &settings.notices.allow;
    let errands = Errands::new(&settings.upstream, allow, &origin.database, &doors.addresses())?;
    let ledger = Ledger::kept(&settings.ledger, origin.database)?;
    let origin = upstream::Tls {
        h2_and_h1: origin.h2_and_h1,
        h1: origin.h1,
    };
    let guard = Guard::new(&settings.identity, &may_send).map_err(OpenError::Identity)?;
    let guard = Arc::new(guard.believing(tokens(&ledger, clock)));
    let findings = Arc::<Board>::default();
    let parts = PortalParts {
        settings: settings.portal.clone(),
        findings: findings.clone(),
        ledger: ledger.clone(),
        book: book.clone(),
        guard: guard.clone(),
        past: Kept::at(&settings.policies.kept).past(),
        patience: settings.ingress.header_timeout(),
    };
    Ok(Rooms {
        portal: Arc::new(Portal::new(parts)?),
        live,
        metrics,
        book,
        ledger,
        usage,
        guard,
        mint,
        tls_door,
        upstream: Upstream::new(&settings.upstream, origin, &doors.addresses())?,
        errands,
        notices: None,
        findings,
    })
}

/// Where the guard finds tokens for tools.
fn tokens(ledger: &Ledger, clock: &Clock) -> FindToken {
    let (ledger, clock) = (ledger.clone(), clock.clone());
    Arc::new(move |hash| match ledger.shown_token(hash, clock.now()) {
        Looked::Good(shown) => Found::Good(Holder {
            token: shown.token,
            stands: shown.stands,
        }),
        Looked::Not => Found::Not,
        Looked::Unknown => Found::Unknown,
    })
}

/// What everything that runs has in common.
struct Running {
    health: Arc<Health>,
    pac: PacFile,
    clock: Clock,
    tasks: Tasks,
    operators: Tasks,
}

fn serve(
    settings: &config::File,
    rooms: Rooms,
    doors: Doors,
    followed: Option<(PathBuf, Look)>,
    root_pem: String,
    clock: Clock,
) -> Gatehouse {
    let [plain, tls, admin] = doors.addresses();
    let addresses = Addresses { plain, tls, admin };
    let reach = Reach {
        mint: rooms.mint.clone(),
        door: rooms.tls_door.clone(),
        portal: rooms.portal.host().clone(),
    };
    let running = Running {
        health: Arc::new(Health::new(
            (rooms.book.clone(), rooms.ledger.clone(), rooms.notices.clone()),
            reach,
            &rooms.live.load().rulebook,
        )),
        pac: pac_file(settings, &rooms.live, rooms.portal.host(), addresses),
        clock,
        tasks: Tasks::default(),
        operators: Tasks::default(),
    };
    serve_operators(&rooms, &running, doors.admin);
    wellbeing::introduce(&rooms, &running.health, &running.clock, &running.tasks);
    follow(&rooms, &running, settings, followed);
    passing::notice(&rooms, &running.tasks, &running.clock);
    if let Some(notices) = &rooms.notices {
        let stop = running.tasks.stopping().clone();
        running.tasks.spawn(notices.clone().run(stop));
    }
    let proxy = proxy(settings, &rooms, &running);
    running.tasks.spawn(proxy.clone().sum_up());
    for (listener, door) in [(doors.plain, Door::Plain), (doors.tls, Door::Tls)] {
        let tasks = running.tasks.clone();
        running.tasks.spawn(let_in(listener, door, proxy.clone(), tasks));
    }
    Gatehouse {
        addresses,
        root_pem,
        live: rooms.live,
        ledger: rooms.ledger,
        usage: rooms.usage,
        clock: running.clock,
        book: rooms.book,
        upstream: rooms.upstream,
        health: running.health,
        tasks: running.tasks,
        operators: running.operators,
        patience: Duration::from_secs(settings.proxy.stop_timeout_s),
    }
}

fn serve_operators(rooms: &Rooms, running: &Running, listener: Listener) {
    let admin = Admin {
        metrics: exposition(rooms, looking(rooms, &running.clock)),
        health: running.health.clone(),
        pac: running.pac.clone(),
    };
    let tasks = running.operators.clone();
    running
        .operators
        .spawn(answer_operators(listener, Arc::new(admin), tasks));
}

/// Follows what was proved, and the folder of policies where there is one.
fn follow(rooms: &Rooms, running: &Running, settings: &config::File, followed: Option<(PathBuf, Look)>) {
    let (proofs, live) = (settings.policies.proofs.clone(), rooms.live.clone());
    let findings = findings::follow(proofs, live, rooms.findings.clone());
    running.tasks.until_stop(findings);
    let Some((folder, look)) = followed else { return };
    let reload = Reload {
        folder,
        library: Arc::default(),
        kept: Kept::at(&settings.policies.kept),
        wanted: Wanted::by(settings),
        live: rooms.live.clone(),
        book: rooms.book.clone(),
        metrics: rooms.metrics.clone(),
        health: running.health.clone(),
        clock: running.clock.clone(),
    };
    running.tasks.until_stop(async move { reload.follow(look).await });
}

fn proxy(settings: &config::File, rooms: &Rooms, running: &Running) -> Arc<Proxy> {
    Proxy::new(proxy::Parts {
        live: rooms.live.clone(),
        guard: rooms.guard.clone(),
        ledger: rooms.ledger.clone(),
        book: rooms.book.clone(),
        mint: rooms.mint.clone(),
        tls_door: rooms.tls_door.clone(),
        upstream: rooms.upstream.clone(),
        upstream_idle: settings.upstream.tunnel_idle(),
        portal_host: rooms.portal.host().clone(),
        portal: rooms.portal.clone(),
        pac: running.pac.clone(),
        clock: running.clock.clone(),
        metrics: rooms.metrics.clone(),
        settings: settings.proxy.clone(),
        ingress: settings.ingress.clone(),
        tasks: running.tasks.clone(),
    })
}

/// Accepts at one door until the stop.
async fn let_in(listener: Listener, door: Door, proxy: Arc<Proxy>, tasks: Tasks) {
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping().cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let proxy = proxy.clone();
        tasks.spawn(async move { proxy.serve_connection(accepted, door).await });
    }
}

async fn answer_operators(listener: Listener, admin: Arc<Admin>, tasks: Tasks) {
    loop {
        let accepted = tokio::select! {
            () = tasks.stopping().cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (admin, stopping) = (admin.clone(), tasks.stopping().clone());
        tasks.spawn(async move {
            let slot = accepted.slot;
            tokio::select! { () = admin.serve(accepted.stream) => {} () = stopping.cancelled() => {} }
            drop(slot);
        });
    }
}

/// The PAC file, made anew from the catalogue in force each time it is fetched.
fn pac_file(settings: &config::File, live: &Arc<Live>, portal: &Host, addresses: Addresses) -> PacFile {
    let (told, live, portal) = (settings.pac.clone(), live.clone(), portal.clone());
    Arc::new(move |asked| {
        pac::script(&pac::Parts {
            ways: &told.announced(addresses.plain, asked.as_ref()),
            covers: told.covers,
            portal: &portal,
            managed: &live.load().rulebook.catalog().domains(),
            direct: &told.direct,
        })
    })
}
