//! `wayleave run`: the gateway itself.

use std::path::Path;
use std::process::ExitCode;

use miette::{IntoDiagnostic, Report, miette};
use tokio::signal::unix::{SignalKind, signal};

use super::settings;
use super::stop::Stop;
use crate::clock::Clock;
use crate::config::File;
use crate::gatehouse::{Gatehouse, OpenError, Rules, sources};
use crate::tls::Issuer;

/// Runs the gateway until it is told to stop (SIGTERM or SIGINT).
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Move all three ports: the plain door to PORT, the TLS door to PORT+1, the admin listener to PORT+2
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
}

/// Runs the command: 0 after an orderly stop, 1 if the gate cannot open, 2 if the settings cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    start_logging();
    let mut settings = args.settings.load()?;
    move_ports(&mut settings, args.port_base)?;
    let clock = settings.clock.fixed_at.map_or_else(Clock::system, Clock::fixed);
    let issuer = Issuer::load(&settings.tls.folder).into_diagnostic()?;
    let folder = &settings.policies.folder;
    let house = Gatehouse::open(&settings, Rules::Folder(folder.clone()), issuer, clock)
        .await
        .map_err(|why| explained(why, Some(folder)))?;
    let addresses = house.addresses();
    tracing::info!(
        plain = %addresses.plain, tls = %addresses.tls, admin = %addresses.admin,
        rulebook = %house.rules().load().id(), "the gate is open"
    );
    until_told().await?;
    house
        .stop()
        .await
        .map_err(|why| miette!("the last records could not be written: {why}"))?;
    tracing::info!("the gate is closed");
    Ok(ExitCode::SUCCESS)
}

/// Counts the ports from `base` on.
pub fn move_ports(settings: &mut File, base: Option<u16>) -> Result<(), Stop> {
    let Some(base) = base else { return Ok(()) };
    let port = |offset: u16| {
        base.checked_add(offset)
            .ok_or_else(|| miette!(help = "use one below 65534", "there is no port {base}+{offset}"))
            .map_err(Stop::Misunderstood)
    };
    settings.ingress.plain.set_port(port(0)?);
    settings.ingress.tls.set_port(port(1)?);
    settings.admin.listen.set_port(port(2)?);
    Ok(())
}

/// A reason why the house does not open, with everything that helps; `policies` is the folder that the rules came from.
pub fn explained(error: OpenError, policies: Option<&Path>) -> Report {
    match error {
        OpenError::Policies(problems) => {
            // Read again, to show the lines; where that fails, the problems say so themselves.
            let found = policies.and_then(|folder| sources::find(Some(folder)).ok());
            let files = found.map(|found| found.files).unwrap_or_default();
            settings::all(&problems, &files, "the policies may not rule")
        }
        other @ (OpenError::Tls(_)
        | OpenError::Upstream(_)
        | OpenError::Book(_)
        | OpenError::Ledger(_)
        | OpenError::Identity(_)
        | OpenError::Bind(_)
        | OpenError::Portal(_)
        | OpenError::Metrics(_)) => miette!("{other}"),
    }
}

/// Talk goes to stderr; `RUST_LOG` says how much.
pub fn start_logging() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

/// Waits for SIGTERM or SIGINT.
pub async fn until_told() -> Result<(), Report> {
    let mut terminate = signal(SignalKind::terminate()).into_diagnostic()?;
    let mut interrupt = signal(SignalKind::interrupt()).into_diagnostic()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
