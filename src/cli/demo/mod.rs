//! `wayleave demo`: the whole product on loopback, with the policies and people built in, stand-in sites, and a
//! temporary state folder that is gone afterwards.
#![expect(clippy::disallowed_methods, reason = "door: writes the demo's temporary folder")]

mod sites;
mod tour;

use std::path::Path;
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
use crate::facts::Secret;
use crate::gatehouse::{Gatehouse, Rules};
use crate::identity::users::{self, Users};
use crate::tls::{Issuer, Mint, Settings as TlsSettings};

/// Tries the whole product on this machine, without the internet.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one line of JSON when everything is ready, and nothing else
    #[arg(long)]
    json: bool,
    /// Reach the real sites instead of stand-ins: real name resolution, real certificates
    #[arg(long)]
    real: bool,
    /// Move all ports: the plain door to PORT, the TLS door to PORT+1, the admin listener to PORT+2
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
    /// Let the clock stand still at this moment, e.g. `2026-11-24T12:30:00+01:00`
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Use this folder of policies, and follow its changes, instead of the policies built in
    #[arg(long, value_name = "DIR")]
    policies: Option<std::path::PathBuf>,
}

/// What a script needs to drive the demo.
#[derive(Debug, Serialize)]
struct Ready {
    proxy: String,
    proxy_tls: String,
    portal: String,
    admin: String,
    ca: String,
    state: String,
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
}

/// The stand-in sites, where there are any.
struct StandIns {
    tasks: TaskTracker,
    stop: CancellationToken,
}

/// Runs the demo until it is told to stop.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    if !args.json {
        run::start_logging();
    }
    let clock = args.at.map_or_else(Clock::system, Clock::fixed);
    let folder = tempfile::Builder::new()
        .prefix("wayleave-demo-")
        .tempdir()
        .into_diagnostic()?;
    let mut settings = settings(folder.path());
    run::move_ports(&mut settings, args.port_base)?;
    let stand_ins = if args.real {
        None
    } else {
        Some(stand_in(&mut settings, folder.path()).await?)
    };

    let issuer = Issuer::temporary(&Clock::system()).into_diagnostic()?;
    let rules = args.policies.clone().map_or(Rules::Embedded, Rules::Folder);
    let password = password();
    let house = open(&settings, rules, issuer, clock, &password).await?;
    let ready = ready(&house, &settings, folder.path(), &password)?;
    if args.json {
        printer::data(serde_json::to_string(&ready).into_diagnostic()?);
    } else {
        printer::data(tour::told(&ready));
    }
    run::until_told().await?;
    close(house, stand_ins, folder).await
}

async fn open(
    settings: &File,
    rules: Rules,
    issuer: Issuer,
    clock: Clock,
    password: &str,
) -> Result<Gatehouse, Report> {
    // people must be able to sign in before the doors open; who they are stands in the policies
    let names = people(&rules)?;
    let mut accounts = Users::default();
    for name in names {
        accounts.add(&name, &Secret::new(password), 1).into_diagnostic()?;
    }
    users::save(&accounts, &settings.identity.users).into_diagnostic()?;
    let folder = match &rules {
        Rules::Folder(folder) => Some(folder.clone()),
        Rules::Embedded => None,
    };
    Gatehouse::open(settings, rules, issuer, clock)
        .await
        .map_err(|why| run::explained(why, folder.as_deref()))
}

fn people(rules: &Rules) -> Result<Vec<String>, Report> {
    let folder = match rules {
        Rules::Folder(folder) => folder.as_path(),
        Rules::Embedded => Path::new(""),
    };
    let assembled = super::settings::rulebook(folder)?;
    Ok(assembled
        .directory
        .people()
        .map(|person| person.id.to_string())
        .collect())
}

async fn close(house: Gatehouse, stand_ins: Option<StandIns>, folder: TempDir) -> Result<ExitCode, Stop> {
    house
        .stop()
        .await
        .map_err(|why| miette::miette!("the last records could not be written: {why}"))?;
    if let Some(StandIns { tasks, stop }) = stand_ins {
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }
    folder
        .close()
        .into_diagnostic()
        .wrap_err("the demo's folder could not be removed")?;
    Ok(ExitCode::SUCCESS)
}

fn settings(folder: &Path) -> File {
    let mut settings = File::default();
    settings.audit.folder = folder.join("state/records");
    settings.ledger.file = folder.join("state/ledger.db");
    settings.identity.users = folder.join("state/users.toml");
    settings.tls.folder = folder.join("certs");
    settings
}

/// Starts the stand-ins and leads every name to them.
async fn stand_in(settings: &mut File, folder: &Path) -> Result<StandIns, Report> {
    let real_time = Clock::system();
    let authority = Issuer::temporary(&real_time).into_diagnostic()?;
    let root = folder.join("stand-ins.pem");
    std::fs::write(&root, authority.root_pem()).into_diagnostic()?;
    let mint = Arc::new(Mint::new(authority, real_time, &TlsSettings::default()).into_diagnostic()?);
    let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
    let address = sites::start(mint, &tasks, stop.clone()).await.into_diagnostic()?;
    settings.tls.use_system_roots = false;
    settings.tls.extra_roots = vec![root];
    settings.upstream.map.insert("*".to_owned(), address.to_string());
    settings.upstream.allow.push(IpNet::from(address.ip()));
    Ok(StandIns { tasks, stop })
}

/// A password that nobody else can know: the demo listens on loopback, where every user of the machine can knock.
fn password() -> String {
    uuid::Uuid::new_v4().simple().to_string().chars().take(12).collect()
}

fn ready(house: &Gatehouse, settings: &File, folder: &Path, password: &str) -> Result<Ready, Report> {
    let ca = folder.join("wayleave-root.pem");
    std::fs::write(&ca, house.root_pem()).into_diagnostic()?;
    let addresses = house.addresses();
    let people = house.directory().load();
    let people = people.people().map(|person| Somebody {
        user: person.id.to_string(),
        name: person.name.clone(),
        password: password.to_owned(),
        roles: person.roles.iter().cloned().collect(),
        department: person.departments.iter().next().cloned().unwrap_or_default(),
    });
    Ok(Ready {
        proxy: format!("http://{}", addresses.plain),
        proxy_tls: format!("https://{}", addresses.tls),
        portal: format!("https://{}/", settings.portal.host),
        admin: format!("http://{}", addresses.admin),
        ca: ca.display().to_string(),
        state: folder.join("state").display().to_string(),
        people: people.collect(),
        sites: sites::SITES
            .iter()
            .map(|site| format!("https://{}/", site.host))
            .collect(),
    })
}
