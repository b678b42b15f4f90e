//! The whole gateway on loopback, with records and policies on: requests per second, and per second of the gateway's
//! CPU, latencies, and memory. Gateway and origin are processes of their own, so that their CPU can be told apart.
//!
//! ```text
//! cargo bench --bench gateway                                 everything, about two minutes
//! cargo bench --bench gateway -- plain inside-h2              some modes
//! cargo bench --bench gateway -- --seconds 5 --rounds 3 …     longer, the middle of three rounds
//! cargo bench --bench gateway -- reload                       a hundred reloads under load, about two minutes
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a bench touches the world, speaks, and may fail loudly"
)]

mod gate;
mod load;
mod origin;
mod process;
mod reload;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use load::{Field, Mode, Outcome, Shape};
use process::{Part, cpu_seconds};
use tokio::io::AsyncReadExt;

/// A host of the catalogue, which is read.
pub(crate) const MANAGED: &str = "www.linkedin.com";
/// A host outside the catalogue, which is not.
pub(crate) const UNMANAGED: &str = "news.example.org";

const FEED: &str = "/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c";
const SHARE: &str = "/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.80089";

const PLAIN: Mode = Mode {
    name: "plain",
    shape: Shape::Plain,
    clients: 32,
    who: gate::RECRUITER,
    host: UNMANAGED,
    method: "GET",
    target: "/today",
    status: 200,
};
const TUNNEL: Mode = Mode {
    name: "connect",
    shape: Shape::TunnelClear,
    clients: 16,
    ..PLAIN
};
const INSIDE: Mode = Mode {
    name: "inside-h1",
    shape: Shape::Inside,
    host: MANAGED,
    target: FEED,
    ..PLAIN
};
const MODES: [Mode; 10] = [
    PLAIN,
    Mode {
        name: "plain-managed",
        host: MANAGED,
        target: FEED,
        ..PLAIN
    },
    TUNNEL,
    Mode {
        name: "connect-tls",
        shape: Shape::TunnelTls,
        ..TUNNEL
    },
    Mode {
        name: "inside-new",
        shape: Shape::TunnelTls,
        clients: 16,
        ..INSIDE
    },
    INSIDE,
    Mode {
        name: "inside-h2",
        shape: Shape::InsideH2,
        clients: 4,
        ..INSIDE
    },
    Mode {
        name: "publish-h1",
        method: "POST",
        target: SHARE,
        ..INSIDE
    },
    Mode {
        name: "publish-h2",
        shape: Shape::InsideH2,
        clients: 8,
        method: "POST",
        target: SHARE,
        ..INSIDE
    },
    Mode {
        name: "refused",
        who: gate::ENGINEER,
        status: 403,
        ..INSIDE
    },
];

struct Wanted {
    names: Vec<String>,
    seconds: f64,
    rounds: usize,
}

impl Wanted {
    fn from_args() -> Option<Self> {
        let (mut wanted, mut bench) = (
            Self {
                names: Vec::new(),
                seconds: 2.0,
                rounds: 1,
            },
            false,
        );
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--bench" => bench = true,
                "--seconds" => wanted.seconds = args.next().unwrap().parse().unwrap(),
                "--rounds" => wanted.rounds = args.next().unwrap().parse().unwrap(),
                name => wanted.names.push(name.to_owned()),
            }
        }
        bench.then_some(wanted)
    }

    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| wanted == name)
    }
}

fn main() {
    wayleave::tls::install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let folder = std::env::var_os("WAYLEAVE_BENCH_FOLDER").map(PathBuf::from);
    match (std::env::var("WAYLEAVE_BENCH_ROLE").as_deref(), folder) {
        (Ok("origin"), Some(folder)) => runtime.block_on(origin::serve(&folder)),
        (Ok("gate"), Some(folder)) => {
            let origin = std::env::var("WAYLEAVE_BENCH_ORIGIN").unwrap();
            runtime.block_on(gate::serve(&folder, &origin));
        }
        (role, _) => {
            assert!(role.is_err(), "there is no part {role:?}");
            match Wanted::from_args() {
                Some(wanted) if wanted.names == ["reload"] => runtime.block_on(reload::measure()),
                Some(wanted) => runtime.block_on(measure(&wanted)),
                None => println!("nothing is measured without --bench: run `cargo bench --bench gateway`"),
            }
        }
    }
}

/// Returns when standard input ends: whoever started this part is gone.
pub(crate) async fn end_of_input() {
    let mut nothing = Vec::new();
    tokio::io::stdin().read_to_end(&mut nothing).await.ok();
}

async fn measure(wanted: &Wanted) {
    let folder = tempfile::tempdir().unwrap();
    let origin = Part::start("origin", folder.path(), &[]);
    let to = [("WAYLEAVE_BENCH_ORIGIN", origin.said.clone())];
    let gate = Part::start("gate", folder.path(), &to);
    let said: Vec<&str> = gate.said.split(' ').collect();
    let field = Arc::new(Field::new(said[0].parse().unwrap(), folder.path()));
    println!(
        "the gateway opened in {} ms: {} KiB RSS, {} threads",
        said[1],
        gate.rss_kib(),
        gate.threads()
    );
    // the first sign-in of each person hashes a password
    for mode in [
        INSIDE,
        Mode {
            who: gate::ENGINEER,
            ..INSIDE
        },
    ] {
        field.tunnel(mode, 443).await.unwrap();
    }
    println!(
        "| mode | per second | per gateway CPU-s | µs CPU each | p50 µs | p99 µs | errors | origin CPU-s | load CPU-s | RSS KiB |"
    );
    println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
    for mode in MODES.into_iter().filter(|mode| wanted.wants(mode.name)) {
        let mut rounds = Vec::new();
        for _ in 0..wanted.rounds {
            rounds.push(round(&field, mode, wanted.seconds, &gate, &origin).await);
        }
        rounds.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        println!("{}", rounds[rounds.len() / 2].1);
    }
    if wanted.wants("memory") {
        memory(&field, &gate).await;
    }
    if wanted.wants("idle") {
        idle(&field, &gate).await;
    }
}

/// One round of one mode: the CPU of an operation, and the line to print.
async fn round(field: &Arc<Field>, mode: Mode, seconds: f64, gate: &Part, origin: &Part) -> (f64, String) {
    let mut used = Vec::new();
    let look = || used.push((gate.cpu_seconds(), origin.cpu_seconds(), cpu_seconds("self")));
    let (warm, long) = (Duration::from_millis(300), Duration::from_secs_f64(seconds));
    let outcome = field.run(mode, warm, tokio::time::sleep(long), None, look).await;
    let (before, after) = (used[0], used[1]);
    let cpu = (after.0 - before.0).max(0.01);
    let done = outcome.done as f64;
    let each = cpu * 1e6 / done.max(1.0);
    let line = format!(
        "| {} | {:.0} | {:.0} | {each:.1} | {} | {} | {} | {:.2} | {:.2} | {} |",
        mode.name,
        per_second(&outcome),
        done / cpu,
        outcome.micros_at(0.5),
        outcome.micros_at(0.99),
        outcome.failed,
        after.1 - before.1,
        after.2 - before.2,
        gate.rss_kib(),
    );
    (each, line)
}

fn per_second(outcome: &Outcome) -> f64 {
    outcome.done as f64 / outcome.took.as_secs_f64()
}

/// 200,000 requests: memory must stay flat.
async fn memory(field: &Arc<Field>, gate: &Part) {
    println!("\nmemory over 200,000 requests (half of them in clear, half inside tunnels), KiB RSS:");
    println!("0: {}", gate.rss_kib());
    for step in 1..=10 {
        for mode in [MODES[1], INSIDE] {
            let long = tokio::time::sleep(Duration::from_mins(2));
            field.run(mode, Duration::ZERO, long, Some(10_000), || {}).await;
        }
        println!("{},000: {}", step * 20, gate.rss_kib());
    }
}

/// 2,000 tunnels that say nothing.
async fn idle(field: &Arc<Field>, gate: &Part) {
    let before = gate.rss_kib();
    let mut held = Vec::new();
    for _ in 0..2_000 {
        held.push(field.tunnel(TUNNEL, 80).await.unwrap());
    }
    let holding = gate.rss_kib();
    let each = (holding.saturating_sub(before)) as f64 / held.len() as f64;
    drop(held);
    tokio::time::sleep(Duration::from_secs(1)).await;
    println!(
        "\n2,000 idle tunnels: {before} KiB RSS before, {holding} held ({each:.1} KiB each), {} after they closed",
        gate.rss_kib()
    );
}
