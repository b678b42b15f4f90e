//! The rules change a hundred times while two hundred connections keep sending. No request may fail, and no answer may
//! be of both sets of rules: in each, every rule's name begins with the name of the set.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wayleave::audit;
use wayleave::facts::{Act, DecisionNote, RulebookId, SourceText};
use wayleave::rulebook::{Rulebook, Sources};

use super::load::{Field, Mode};
use super::process::Part;

const CHANGES: usize = 100;
const SETS: [&str; 2] = ["first", "second"];
const LOAD: Mode = Mode {
    name: "reload",
    clients: 200,
    ..super::INSIDE
};

/// Changes the rules under load, and prints what became of the requests.
pub(crate) async fn measure() {
    let folder = tempfile::tempdir().unwrap();
    let ids = SETS.map(|set| written(folder.path(), set));
    put(folder.path(), SETS[0]);
    let origin = Part::start("origin", folder.path(), &[]);
    let gate = Part::start("gate", folder.path(), &[("WAYLEAVE_BENCH_ORIGIN", origin.said.clone())]);
    let said: Vec<&str> = gate.said.split(' ').collect();
    let (plain, admin): (_, SocketAddr) = (said[0].parse().unwrap(), said[2].parse().unwrap());
    let field = Arc::new(Field::new(plain, folder.path()));
    field.tunnel(LOAD, 443).await.unwrap();
    let mut took = Vec::new();
    let changing = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        for change in 1..=CHANGES {
            let began = Instant::now();
            put(folder.path(), SETS[change % 2]);
            while !ready(admin).await.contains(ids[change % 2].as_str()) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            took.push(began.elapsed().as_millis());
        }
    };
    let outcome = field.run(LOAD, Duration::ZERO, changing, None, || {}).await;
    drop(gate);
    took.sort_unstable();
    let answers = answers(&folder.path().join("records"), &ids);
    println!(
        "{CHANGES} reloads in {:.0} s, each in force after {} ms (p50), {} ms (p99)",
        outcome.took.as_secs_f64(),
        took[took.len() / 2],
        took[took.len() * 99 / 100],
    );
    println!(
        "{} requests on {} connections: {} failed, p50 {} µs, p99 {} µs",
        outcome.done,
        LOAD.clients,
        outcome.failed,
        outcome.micros_at(0.5),
        outcome.micros_at(0.99),
    );
    println!("{} decisions: {} of no set of rules alone", answers.all, answers.mixed);
    for (set, count) in answers.of {
        println!("  {count} under the {set} set");
    }
}

/// Writes the shipped rules into a folder of their own, each named after the set; cases name them as they are shipped.
fn written(folder: &Path, set: &str) -> RulebookId {
    let kept = Sources::embedded();
    let named = kept
        .files()
        .filter(|file| !file.name.starts_with("cases/"))
        .map(|file| {
            let text = file.text.replace("@id(\"", &format!("@id(\"{set}."));
            SourceText::new(file.name.clone(), text)
        });
    let files: Vec<SourceText> = named.chain([SourceText::new("cases/none.toml", "")]).collect();
    for file in &files {
        let path = folder.join(set).join(&file.name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &*file.text).unwrap();
    }
    let assembled = Rulebook::assemble(&Sources::from_files(files).unwrap()).unwrap();
    assembled.rulebook.id().clone()
}

/// Puts a set in force, at once.
fn put(folder: &Path, set: &str) {
    let next = folder.join("next");
    std::os::unix::fs::symlink(set, &next).unwrap();
    std::fs::rename(next, folder.join(super::gate::POLICIES)).unwrap();
}

/// What the gateway says of itself.
async fn ready(admin: SocketAddr) -> String {
    let mut stream = TcpStream::connect(admin).await.unwrap();
    let request = "GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    said
}

#[derive(Default)]
struct Answers {
    all: usize,
    mixed: usize,
    of: BTreeMap<&'static str, usize>,
}

/// Reads from the records who answered.
fn answers(records: &Path, ids: &[RulebookId; 2]) -> Answers {
    let mut answers = Answers::default();
    for read in audit::read(records).unwrap() {
        let Act::Closing {
            decided: Some(note), ..
        } = read.unwrap().1.act
        else {
            continue;
        };
        answers.all += 1;
        let set = ids.iter().zip(SETS).find(|(id, _)| **id == note.rulebook);
        match set.filter(|(_, set)| is_of(set, &note)) {
            Some((_, set)) => *answers.of.entry(set).or_default() += 1,
            None => answers.mixed += 1,
        }
    }
    answers
}

fn is_of(set: &str, note: &DecisionNote) -> bool {
    let mut policies = note.policies.iter();
    !note.policies.is_empty() && policies.all(|policy| policy.as_str().starts_with(set))
}
