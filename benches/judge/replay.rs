//! How fast `wayleave replay` judges records again: a day of records, written as a gateway writes them, and the command
//! itself on them.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wayleave::audit::{self, Book, Closing};
use wayleave::clock::{Clock, Timestamp};
use wayleave::facts::{End, Observation, Standing};
use wayleave::rulebook::{Assembled, Rulebook, Sources};

use super::cpu::{self, CHILDREN};

const RECORDS: usize = 300_000;

/// Where people go; `#` is another number each time.
const ASKED: [&str; 16] = [
    "https://www.linkedin.com/feed/",
    "https://www.linkedin.com/in/person-#/",
    "https://www.linkedin.com/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c",
    "https://www.linkedin.com/jobs/view/#/",
    "https://x.com/home",
    "https://x.com/somebody/status/#",
    "https://x.com/i/api/graphql/abc/SearchTimeline?variables=%7B%22rawQuery%22:%22#%22%7D",
    "https://www.youtube.com/watch?v=#",
    "https://www.youtube.com/youtubei/v1/next",
    "https://old.reddit.com/r/rust/comments/#",
    "https://www.facebook.com/groups/#",
    "http://news#.example.org/today/#",
    "www.linkedin.com:443",
    "x.com:443",
    "host#.example.org:443",
    "www.hsbc.com:443",
];

/// Writes the records and prints how fast they are judged again.
pub(crate) fn run() {
    let folder = tempfile::tempdir().unwrap();
    let began = Instant::now();
    write(folder.path());
    println!("{RECORDS} records written in {:.1} s", began.elapsed().as_secs_f64());
    let cores = std::thread::available_parallelism().unwrap().get();
    for round in 1..=3 {
        let (began, before) = (Instant::now(), cpu::millis(CHILDREN));
        let status = Command::new(env!("CARGO_BIN_EXE_wayleave"))
            .args(["replay", "--records", "records"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .status();
        assert!(status.unwrap().success(), "the same rules decide the same");
        let took = began.elapsed().as_secs_f64();
        let used = (cpu::millis(CHILDREN) - before) as f64 / 1e3;
        println!(
            "round {round}: {took:.2} s, {used:.2} s of CPU: {:.2} million records a minute on {cores} cores, {:.2} million a minute and core",
            per_minute(took),
            per_minute(used),
        );
    }
}

fn per_minute(seconds: f64) -> f64 {
    RECORDS as f64 * 60.0 / seconds / 1e6
}

fn write(folder: &Path) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let settings = audit::Settings {
            folder: folder.join("records"),
            ..audit::Settings::default()
        };
        let (book, _) = Book::open(&settings, Clock::system(), Vec::new()).unwrap();
        let shipped = Rulebook::assemble(&Sources::embedded()).unwrap();
        let people = ["ada", "ben", "cora", "dan", "eve", "mia", "sol", "hana"];
        for number in 0..RECORDS {
            let who = people.get(number % people.len()).unwrap();
            flow(&book, &shipped, who, number).await;
        }
        book.close().await.unwrap();
    });
}

/// One flow and its record. Of every eight people, three hold a grant.
async fn flow(book: &Book, shipped: &Assembled, who: &str, number: usize) {
    let rules = &shipped.rulebook;
    let to = ASKED.get(number / 8 % ASKED.len()).unwrap();
    let to = to.replace('#', &(number % 9_973).to_string());
    let at = at(number);
    let held = match who {
        "ada" => vec![super::grant(who, "recruiting", &["linkedin"])],
        "ben" => vec![super::grant(who, "market-research", &["x", "youtube"])],
        "dan" => vec![super::grant(who, "market-research", &["x", "reddit"])],
        _ => Vec::new(),
    };
    let client = SocketAddr::from(([10, 1, 2, 3], 40_000 + u16::try_from(number % 20_000).unwrap()));
    let mut seen = Observation {
        standing: Standing::new(held, at),
        at,
        ..super::seen(shipped, who, "GET", &to, Vec::new())
    };
    seen.arrival.client = client;
    let judgement = rules.judge(&seen);
    let remedy = rules.remedy_judged(&seen, &judgement);
    let mut entry = book.enter(at, client).await.unwrap();
    entry.saw(rules.redact_judged(&seen, &judgement));
    entry.decided(judgement.note(Some(&remedy)));
    entry.close(Closing {
        end: if judgement.is_allowed() {
            End::Completed
        } else {
            End::Refused
        },
        status: Some(200),
        decrypted: judgement.inspect(),
    });
}

/// From eight in the morning to six in the evening.
fn at(number: usize) -> Timestamp {
    let morning: Timestamp = "2026-11-24T07:00:00Z".parse().unwrap();
    let day = Duration::from_hours(10);
    morning.plus(day / u32::try_from(RECORDS).unwrap() * u32::try_from(number).unwrap())
}
