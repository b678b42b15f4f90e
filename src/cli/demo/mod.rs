//! `wayleave demo`: the whole product on loopback, with the policies and people built in, stand-in sites, and a
//! temporary state folder that is gone afterwards.
#![expect(clippy::disallowed_methods, reason = "door: writes the demo's temporary folder")]

mod sites;
mod stand_ins;
mod tour;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use ipnet::IpNet;
use miette::{IntoDiagnostic, Report, WrapErr};
use serde::Serialize;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::stop::Stop;
use super::{printer, run};
use crate::clock::{Clock, Timestamp};
use crate::config::File;
use crate::facts::{Problem, Secret};
use crate::gatehouse::sources::read_folder;
use crate::gatehouse::{Addresses, Gatehouse, Rules};
use crate::identity::users::{self, Users};
use crate::rulebook::{Directory, Sources};
use crate::tls::founding::{self, Founding};
use crate::tls::{Issuer, Mint, Settings as TlsSettings};

/// Tries the whole product on this machine, without the internet.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 an orderly stop; 1 the demo cannot open; 2 the command line makes no sense")]
pub struct Args {
    /// The folder of policies, whose changes are followed; without it the built-in policies
    dir: Option<PathBuf>,
    /// Print one line of JSON when everything is ready, and nothing else
    #[arg(long)]
    json: bool,
    /// Reach the real sites instead of stand-ins: real name resolution, real certificates
    #[arg(long)]
    real: bool,
    /// Move all ports: the plain door to PORT, the TLS door to PORT+1, the admin listener to PORT+2;
    /// 0 takes any that are free
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
    /// Let the clock stand still at this moment, e.g. `2026-11-24T12:30:00+01:00`
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The same as `[DIR]`
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    policies: Option<PathBuf>,
}

/// What a script needs to drive the demo.
#[derive(Debug, Serialize)]
struct Ready {
    proxy: String,
    proxy_tls: String,
    portal: String,
    admin: String,
    /// The root that speaks for the portal and for sites that are read.
    ca: String,
    /// The root that speaks for the stand-ins themselves, which sites that pass unread show; none for real ones.
    sites_ca: Option<String>,
    /// The policies that rule, and whose changes are followed; scripts find them in the settings.
    #[serde(skip)]
    policies: String,
    state: String,
    /// The settings by which other commands find what the demo keeps.
    settings: String,
    /// Somebody who can show a certificate at the TLS door instead of a password.
    client_certificate: Option<Papers>,
    people: Vec<Somebody>,
    sites: Vec<String>,
}

/// Somebody to sign in as.
#[derive(Debug, Serialize)]
struct Somebody {
    user: String,
    name: String,
    password: String,
    roles: Vec<String>,
    department: String,
    employment: &'static str,
}

/// A client certificate, and whose.
#[derive(Debug, Serialize)]
struct Papers {
    user: String,
    certificate: String,
    key: String,
}

/// The stand-in sites, where there are any.
struct StandIns {
    tasks: TaskTracker,
    stop: CancellationToken,
    root: PathBuf,
}

/// Runs the demo until it is told to stop.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    if !args.json {
        run::start_logging();
    }
    let mut signals = run::Signals::listen()?;
    let clock = args.at.map_or_else(Clock::system, Clock::fixed);
    let policies = args.dir.as_deref().or(args.policies.as_deref());
    let folder = folder()?;
    let mut settings = settings(folder.path());
    settings.policies.folder = at_hand(policies, folder.path())?;
    run::move_ports(&mut settings, args.port_base)?;
    let stand_ins = if args.real {
        None
    } else {
        Some(stand_in(&mut settings, folder.path()).await?)
    };

    let issuer = authority(&settings)?;
    let key = issuer.issuing().key_pin();
    let password = password();
    admit(&settings, policies, &password)?;
    let papers = certify(&settings, policies)?;
    let rules = Rules::Folder(settings.policies.folder.clone());
    let asked = settings.clone();
    let opening = async move { Gatehouse::open(&asked, rules, issuer, clock).await };
    let Some(opened) = signals.unless_told(opening).await? else {
        return Ok(ExitCode::SUCCESS);
    };
    let house = opened.map_err(|error| run::explained(error, policies))?;
    let ready = ready(
        &house,
        &settings,
        folder.path(),
        stand_ins.as_ref(),
        (&password, papers),
    )?;
    if args.json {
        printer::data(serde_json::to_string(&ready).into_diagnostic()?);
    } else {
        printer::data(tour::told(&ready, &program(), &key));
    }
    // nobody knows the way in where that could not be said
    if printer::is_told() {
        signals.told().await;
    }
    let closed = signals.unless_told_again(close(house, stand_ins)).await;
    folder
        .close()
        .into_diagnostic()
        .wrap_err("the demo's folder could not be removed")?;
    closed?.map_err(|why| miette::miette!("the last records could not be written: {why}"))?;
    Ok(ExitCode::SUCCESS)
}

/// A folder for this run, which nobody else may read: it holds keys and what people did.
fn folder() -> Result<TempDir, Report> {
    tempfile::Builder::new()
        .prefix("wayleave-demo-")
        .permissions(Permissions::from_mode(0o700))
        .tempdir()
        .into_diagnostic()
        .wrap_err("the demo needs a temporary folder; set `TMPDIR` to one that can be written")
}

/// The policies where the demo's settings find them: the folder that was named, or the built-in ones written out.
fn at_hand(policies: Option<&Path>, folder: &Path) -> Result<PathBuf, Report> {
    if let Some(named) = policies {
        return std::path::absolute(named).into_diagnostic();
    }
    let written = folder.join("policies");
    for file in Sources::embedded().files() {
        let path = written.join(&file.name);
        let within = path.parent().unwrap_or(&written);
        std::fs::create_dir_all(within).into_diagnostic()?;
        std::fs::write(&path, file.text.as_bytes()).into_diagnostic()?;
    }
    Ok(written)
}

/// An authority of its own, which lies where the settings say, as anybody's would; it is gone with the demo.
fn authority(settings: &File) -> Result<Issuer, Report> {
    let founding = Founding {
        organisation: "Wayleave demo",
        only: None,
        force: false,
    };
    // certificates are checked by the real clock
    let now = Clock::system().now();
    founding::init(&settings.tls.folder, &founding, now).into_diagnostic()
}

/// Gives everybody in the directory an account, before the doors open.
fn admit(settings: &File, policies: Option<&Path>, password: &str) -> Result<(), Report> {
    // a folder that does not hold is explained by the house, which reads all of it
    let people = people(policies).unwrap_or_default();
    let names = people.people().map(|person| person.id.clone());
    let accounts = Users::sharing(names, &Secret::new(password)).into_diagnostic()?;
    users::save(&accounts, &settings.identity.users).into_diagnostic()
}

fn people(policies: Option<&Path>) -> Result<Directory, Vec<Problem>> {
    let sources = match policies {
        Some(folder) => Sources::from_files(read_folder(folder)?)?,
        None => Sources::embedded(),
    };
    Directory::parse(&sources.people).whole()
}

/// Gives ada, or whoever comes first in the directory, a client certificate; the TLS door learns of its authority when it
/// is opened.
fn certify(settings: &File, policies: Option<&Path>) -> Result<Option<Papers>, Report> {
    let people = people(policies).unwrap_or_default();
    let ids = || people.people().map(|person| &person.id);
    let Some(user) = ids().find(|id| id.as_str() == "ada").or_else(|| ids().next()) else {
        return Ok(None);
    };
    // certificates are checked by the real clock
    let now = Clock::system().now();
    let made = founding::client(&settings.tls.folder, user, 30, false, now).into_diagnostic()?;
    Ok(Some(Papers {
        user: user.to_string(),
        certificate: made.certificate.display().to_string(),
        key: made.key.display().to_string(),
    }))
}

/// How this program was called, so that the lines to try can be pasted as they are.
fn program() -> String {
    std::env::current_exe().map_or_else(|_| "wayleave".to_owned(), |path| path.display().to_string())
}

async fn close(house: Gatehouse, stand_ins: Option<StandIns>) -> Result<(), String> {
    let closed = house.stop().await;
    if let Some(StandIns { tasks, stop, .. }) = stand_ins {
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }
    closed
}

fn settings(folder: &Path) -> File {
    let mut settings = File::default();
    settings.policies.kept = folder.join("state/rulebooks");
    settings.policies.proofs = folder.join("state/proofs.json");
    settings.audit.folder = folder.join("state/records");
    settings.ledger.file = folder.join("state/ledger.db");
    settings.identity.users = folder.join("state/users.toml");
    settings.tls.folder = folder.join("certs");
    settings
}

/// Writes down where the demo keeps things and where it listens, for commands that take settings.
fn written(settings: &File, folder: &Path, listens: Addresses) -> Result<PathBuf, Report> {
    let path = |path: &Path| path.display().to_string();
    let places = [
        ("policies", "folder", path(&settings.policies.folder)),
        ("policies", "kept", path(&settings.policies.kept)),
        ("policies", "proofs", path(&settings.policies.proofs)),
        ("audit", "folder", path(&settings.audit.folder)),
        ("ledger", "file", path(&settings.ledger.file)),
        ("identity", "users", path(&settings.identity.users)),
        ("tls", "folder", path(&settings.tls.folder)),
        ("ingress", "plain", listens.plain.to_string()),
        ("ingress", "tls", listens.tls.to_string()),
        ("admin", "listen", listens.admin.to_string()),
    ];
    let mut rooms = toml::Table::new();
    // what a relative path would start at: nobody else may write there
    rooms.insert("home".to_owned(), ".".into());
    for (room, name, value) in places {
        let room = rooms.entry(room).or_insert_with(|| toml::Table::new().into());
        if let Some(room) = room.as_table_mut() {
            room.insert(name.to_owned(), value.into());
        }
    }
    let file = folder.join("wayleave.toml");
    let text = toml::to_string(&rooms).into_diagnostic()?;
    std::fs::write(&file, text).into_diagnostic()?;
    Ok(file)
}

/// Starts the stand-ins and leads every name to them.
async fn stand_in(settings: &mut File, folder: &Path) -> Result<StandIns, Report> {
    let real_time = Clock::system();
    let authority = Issuer::temporary(&real_time).into_diagnostic()?;
    let root = folder.join("stand-ins.pem");
    std::fs::write(&root, authority.root_pem()).into_diagnostic()?;
    let mint = Arc::new(Mint::new(authority, real_time, &TlsSettings::default()).into_diagnostic()?);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let address = stand_ins::start(mint, &tasks, stop.clone()).await.into_diagnostic()?;
    settings.tls.use_system_roots = false;
    settings.tls.extra_roots = vec![root.clone()];
    settings.upstream.map.insert("*".to_owned(), address.to_string());
    settings.upstream.allow.push(IpNet::from(address.ip()));
    Ok(StandIns { tasks, stop, root })
}

/// A password that nobody else can know: the demo listens on loopback, where every user of the machine can knock.
fn password() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()
}

fn ready(
    house: &Gatehouse,
    settings: &File,
    folder: &Path,
    stand_ins: Option<&StandIns>,
    (password, client_certificate): (&str, Option<Papers>),
) -> Result<Ready, Report> {
    let ca = folder.join("wayleave-root.pem");
    std::fs::write(&ca, house.root_pem()).into_diagnostic()?;
    let addresses = house.addresses();
    let in_force = house.live().load();
    let directory = &in_force.directory;
    let people = directory.people().map(|person| {
        let listed = directory.listed(&person.id).cloned().unwrap_or_default();
        Somebody {
            user: person.id.to_string(),
            name: person.name.clone(),
            password: password.to_owned(),
            roles: listed.roles,
            department: listed.department,
            employment: person.employment.as_str(),
        }
    });
    Ok(Ready {
        proxy: format!("http://{}", addresses.plain),
        proxy_tls: format!("https://{}", addresses.tls),
        portal: format!("https://{}/", settings.portal.host),
        admin: format!("http://{}", addresses.admin),
        ca: ca.display().to_string(),
        sites_ca: stand_ins.map(|stand_ins| stand_ins.root.display().to_string()),
        policies: settings.policies.folder.display().to_string(),
        state: folder.join("state").display().to_string(),
        settings: written(settings, folder, addresses)?.display().to_string(),
        client_certificate,
        people: people.collect(),
        sites: sites::SITES
            .iter()
            .map(|site| format!("https://{}/", site.host))
            .collect(),
    })
}
