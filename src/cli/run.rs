//! `wayleave run`: the gateway itself.
#![expect(
    clippy::disallowed_methods,
    reason = "door: starts the opening as a task of its own, so that a signal can outrun a disk that does not answer"
)]

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use miette::{IntoDiagnostic, Report, miette};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::error::Elapsed;

use super::settings;
use super::stop::Stop;
use crate::clock::Clock;
use crate::config::File;
use crate::gatehouse::sources::read_folder;
use crate::gatehouse::{Gatehouse, OpenError, Rules};
use crate::tls::Issuer;

/// Runs the gateway until it is told to stop (SIGTERM, SIGINT or SIGHUP); told again, it ends at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 an orderly stop; 1 the gate cannot open; 2 the settings make no sense")]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// Move all three ports: the plain door to PORT, the TLS door to PORT+1, the admin listener to PORT+2;
    /// 0 takes any that are free
    #[arg(long, value_name = "PORT")]
    port_base: Option<u16>,
}

/// Runs the command: 0 after an orderly stop, 1 if the gate cannot open or is told to stop twice, 2 if the settings cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    start_logging();
    let mut signals = Signals::listen()?;
    let mut settings = args.settings.load()?;
    move_ports(&mut settings, args.port_base)?;
    let clock = settings.clock.fixed_at.map_or_else(Clock::system, Clock::fixed);
    let issuer = Issuer::load(&settings.tls.folder).into_diagnostic()?;
    let folder = settings.policies.folder.clone();
    let rules = Rules::Folder(folder.clone());
    let opening = async move { Gatehouse::open(&settings, rules, issuer, clock).await };
    let Some(opened) = signals.unless_told(opening).await? else {
        tracing::info!("told to stop before the gate was open");
        return Ok(ExitCode::SUCCESS);
    };
    let house = opened.map_err(|error| explained(error, Some(&folder)))?;
    let addresses = house.addresses();
    tracing::info!(
        plain = %addresses.plain, tls = %addresses.tls, admin = %addresses.admin,
        rulebook = %house.live().load().rulebook.id(), "the gate is open"
    );
    signals.told().await;
    tracing::info!("stopping: no new connections; running ones may end");
    signals
        .unless_told_again(house.stop())
        .await?
        .map_err(|why| miette!("the last records could not be written: {why}"))?;
    tracing::info!("the gate is closed");
    Ok(ExitCode::SUCCESS)
}

/// Counts the ports from `base` on; 0 leaves the choice of each to the system.
pub fn move_ports(settings: &mut File, base: Option<u16>) -> Result<(), Stop> {
    let Some(base) = base else { return Ok(()) };
    let port = |offset: u16| {
        if base == 0 {
            return Ok(0);
        }
        base.checked_add(offset)
            .ok_or_else(|| miette!(help = "use one below 65534", "there is no port {base}+{offset}"))
            .map_err(Stop::Misunderstood)
    };
    settings.ingress.plain.set_port(port(0)?);
    settings.ingress.tls.set_port(port(1)?);
    settings.admin.listen.set_port(port(2)?);
    Ok(())
}

/// A reason why the house does not open, with everything that helps; `policies` is the folder that was read.
pub fn explained(error: OpenError, policies: Option<&Path>) -> Report {
    match error {
        OpenError::Policies(problems) => {
            let files = policies.map_or_else(Vec::new, |folder| read_folder(folder).unwrap_or_default());
            settings::all(&problems, &files, "the policies may not rule")
        }
        other @ (OpenError::Tls(_)
        | OpenError::Upstream(_)
        | OpenError::Book(_)
        | OpenError::Ledger(_)
        | OpenError::Identity(_)
        | OpenError::Bind(_)
        | OpenError::Portal(_)
        | OpenError::Notices(_)
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
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}

/// Signals that come within so long of the first are the same wish: `timeout` and terminals tell a process and its whole group.
const AT_ONCE: Duration = Duration::from_millis(500);

/// The signals that ask for an orderly stop. They are listened for before anything is made, so that a stop during the
/// start leaves nothing behind, too.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    at_terminal: bool,
}

impl Signals {
    /// From now on a signal no longer kills: it is told.
    pub fn listen() -> Result<Self, Report> {
        Ok(Self {
            terminate: signal(SignalKind::terminate()).into_diagnostic()?,
            interrupt: signal(SignalKind::interrupt()).into_diagnostic()?,
            hang_up: signal(SignalKind::hangup()).into_diagnostic()?,
            at_terminal: std::io::stdin().is_terminal(),
        })
    }

    /// Does `work` to its end, unless a signal comes first: also where a disk that does not answer holds the work up, which
    /// is left to the end of the process then.
    pub async fn unless_told<T: Send + 'static>(
        &mut self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<Option<T>, Report> {
        tokio::select! {
            done = tokio::spawn(work) => done.map(Some).into_diagnostic(),
            () = self.told() => Ok(None),
        }
    }

    /// Does `work` to its end, unless another signal comes first, later than [`AT_ONCE`].
    pub async fn unless_told_again<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Report> {
        let again = async {
            let the_same = async {
                loop {
                    self.told().await;
                }
            };
            let over: Result<(), Elapsed> = tokio::time::timeout(AT_ONCE, the_same).await;
            drop(over);
            self.told().await;
        };
        tokio::select! {
            done = work => Ok(done),
            () = again => Err(miette!(
                "told to stop a second time: what still ran is cut, and its last records may be missing"
            )),
        }
    }

    /// Waits for SIGTERM, SIGINT (Ctrl-C), or SIGHUP where that means that the terminal was closed; under `nohup` and in
    /// a service it means nothing, because policies are read anew without being told.
    pub async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hang_up.recv(), if self.at_terminal => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_signal_ends_a_start_that_hangs() {
        let mut signals = Signals::listen().unwrap();
        assert_eq!(signals.unless_told(async { 7 }).await.unwrap(), Some(7));
        let (release, held) = std::sync::mpsc::channel::<()>();
        let hanging = tokio::task::spawn_blocking(move || held.recv().is_ok());
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
        assert!(signals.unless_told(hanging).await.unwrap().is_none());
        drop(release);
        // the same wish twice, which somebody else hears as well
        let mut other = Signals::listen().unwrap();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
        let stopping = async {
            other.told().await;
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            7
        };
        assert_eq!(signals.unless_told_again(stopping).await.unwrap(), 7);
        let endless = std::future::pending::<()>();
        let again = async {
            while rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::select! {
            told = signals.unless_told_again(endless) => assert!(told.is_err()),
            () = again => panic!("it cannot be told"),
        }
    }
}
