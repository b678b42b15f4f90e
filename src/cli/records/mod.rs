//! `wayleave records`: reads the book of a gateway, running or not, and proves that it holds.
//!
//! Data goes to stdout, one record a line; what is wrong goes to stderr. Exit code 1 says that the book does not hold,
//! that a record is not there, or that something cannot be read.

mod words;

use std::collections::VecDeque;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;

use super::stop::Stop;
use super::{printer, settings};
use crate::audit::{
    ClientNet, Filter, Known, Landmark, LetPass, Position, ReadProblem, Records, Topic, read, verify_known,
};
use crate::clock::{Clock, Timestamp};
use crate::facts::{GrantId, Host, Outcome, PolicyId, Record, RecordId, did_you_mean};
pub(in crate::cli) use words::plain;
use words::{in_words, plain_lines, proof_as_json, proof_in_words};

/// How often `tail --follow` looks for new lines.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Reads the records, or proves that nobody changed them.
#[derive(clap::Args, Clone, Debug)]
#[command(after_help = "Exit code: 0 done; 1 the book does not hold, or lacks what was asked for; 2 not understood")]
pub struct Args {
    /// Folder of the records; without it `audit.folder` of the settings
    #[arg(long, global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// One line for people, or the exact line of the book
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Human,
    Json,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Verb {
    /// Prove the hash chain and the seals, or name the first line that breaks them
    Verify(Noted),
    /// Show all records, oldest first
    List(Wanted),
    /// Show all that is recorded under one id
    Show {
        /// The id, as a refusal page or `list` shows it
        id: String,
    },
    /// Show the newest records
    Tail {
        #[command(flatten)]
        wanted: Wanted,
        /// How many to begin with
        #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
        lines: usize,
        /// Go on showing new ones as they are written
        #[arg(long, short)]
        follow: bool,
    },
}

/// What was noted of the book elsewhere: without it another book, or one without its end, could pass for it.
#[derive(clap::Args, Clone, Debug, Default)]
struct Noted {
    /// The seals must be by the key in this file: your own copy of `seal.pub`
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// This line must be there, as an earlier `verify` printed it
    #[arg(long, value_name = "NUMBER:HASH")]
    head: Option<Landmark>,
}

#[derive(clap::Args, Clone, Debug, Default)]
struct Wanted {
    /// Only what is about this: flows, grants (break-glass among them), break-glass, continued, delegations, tokens, access or
    /// gateway
    #[arg(long, value_name = "KIND", value_parser = topic, default_value = "all")]
    kind: Topic,
    /// Only records of this user: theirs, about them, or of whoever looked for them
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only flows with this outcome: allow, declare, request or deny
    #[arg(long, value_parser = outcome)]
    outcome: Option<Outcome>,
    /// Only this platform, e.g. linkedin
    #[arg(long, value_name = "ID")]
    platform: Option<String>,
    /// Only what began then or later: a moment (2026-11-22T10:00:00Z), a day (2026-11-22, UTC), or how long ago (2h, 7d)
    #[arg(long, value_name = "WHEN", value_parser = |text: &str| moment(text, Clock::system().now()))]
    since: Option<Timestamp>,
    /// Only what began before then, said the same way
    #[arg(long, value_name = "WHEN", value_parser = |text: &str| moment(text, Clock::system().now()))]
    until: Option<Timestamp>,
    /// Only flows that do this, e.g. post
    #[arg(long, value_name = "ACTIVITY")]
    activity: Option<String>,
    /// Only flows that passed under this purpose, and its grants
    #[arg(long, value_name = "ID")]
    purpose: Option<String>,
    /// Only what went to this host, or to one below it
    #[arg(long, value_name = "HOST", value_parser = host)]
    host: Option<Host>,
    /// Only what came from this address, or network, e.g. 192.0.2.0/24
    #[arg(long, value_name = "ADDRESS")]
    client: Option<ClientNet>,
    /// Only what this rule decided, or would have, where it is in mode `observe`
    #[arg(long, value_name = "ID", value_parser = |id: &str| Ok::<_, String>(PolicyId::new(id)))]
    policy: Option<PolicyId>,
    /// Only what passed under this grant, and what became of it
    #[arg(long, value_name = "ID", value_parser = grant)]
    grant: Option<GrantId>,
    /// Only what passed although it would have been denied: any, observe or coach
    #[arg(long, value_name = "HOW", value_parser = let_pass)]
    let_pass: Option<LetPass>,
}

impl From<Wanted> for Filter {
    fn from(wanted: Wanted) -> Self {
        Self {
            topic: wanted.kind,
            user: wanted.user,
            outcome: wanted.outcome,
            not_allowed: false,
            platform: wanted.platform,
            since: wanted.since,
            until: wanted.until,
            activity: wanted.activity,
            purpose: wanted.purpose,
            host: wanted.host,
            client: wanted.client,
            policy: wanted.policy,
            grant: wanted.grant,
            let_pass: wanted.let_pass,
        }
    }
}

fn outcome(text: &str) -> Result<Outcome, String> {
    Outcome::named(text).ok_or_else(|| "use `allow`, `declare`, `request` or `deny`".to_owned())
}

fn grant(text: &str) -> Result<GrantId, String> {
    let id = Timestamp::spelt(text).map(GrantId::new);
    id.ok_or_else(|| "write the id of a grant, such as 01a2059d-b664-7ced-a00f-becb38361f7b".to_owned())
}

fn host(text: &str) -> Result<Host, String> {
    Host::parse(text).map_err(|why| why.to_string())
}

fn topic(text: &str) -> Result<Topic, String> {
    Topic::named(text).ok_or_else(|| {
        let near = did_you_mean(text, Topic::EACH.map(Topic::as_str));
        let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        format!("{near}use one of {}", Topic::names())
    })
}

fn let_pass(text: &str) -> Result<LetPass, String> {
    LetPass::named(text).ok_or_else(|| "use `any`, `observe` or `coach`".to_owned())
}

pub(super) fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    Timestamp::meant(text, now).map_err(|why| why.to_string())
}

/// Runs the command.
pub fn run(args: Args, settings: &settings::Args) -> Result<ExitCode, Stop> {
    let folder = match &args.folder {
        Some(folder) => folder.clone(),
        None => settings.load()?.audit.folder,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    Ok(
        match answer(args, &folder, &mut out).and_then(|good| out.flush().map(|()| good)) {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            // whoever reads our output has seen enough
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            Err(e) => {
                printer::talk(format_args!("error: the output cannot be written: {e}"));
                ExitCode::FAILURE
            }
        },
    )
}

/// Writes the answer to `out`; false if it is a bad one.
fn answer(args: Args, folder: &Path, out: &mut impl Write) -> io::Result<bool> {
    match args.verb {
        Verb::Verify(noted) => proof(folder, noted, args.format, out),
        Verb::Show { id } => show(folder, &RecordId::new(id), args.format, out),
        Verb::List(wanted) => match Listing::of(folder, wanted, args.format) {
            Some(mut listing) => listing.all(out),
            None => Ok(false),
        },
        Verb::Tail { wanted, lines, follow } => match Listing::of(folder, wanted, args.format) {
            Some(mut listing) => {
                let good = listing.newest(lines, out)?;
                if follow { listing.follow(out) } else { Ok(good) }
            }
            None => Ok(false),
        },
    }
}

fn proof(folder: &Path, noted: Noted, format: Format, out: &mut impl Write) -> io::Result<bool> {
    let key = match noted.key.map(|file| read_key(&file)).transpose() {
        Ok(key) => key,
        Err(why) => {
            printer::talk(format_args!("error: {why}"));
            return Ok(false);
        }
    };
    let head = noted.head;
    let verified = verify_known(folder, &Known { key, head });
    match format {
        Format::Json => writeln!(out, "{}", proof_as_json(&verified))?,
        Format::Human => match &verified {
            Ok(verified) => writeln!(out, "{}", proof_in_words(verified))?,
            Err(broken) => printer::talk(format_args!("error: the records do not hold: {broken}")),
        },
    }
    Ok(verified.is_ok())
}

fn read_key(file: &Path) -> Result<String, String> {
    let text = settings::text_of(file);
    text.map_err(|error| format!("the key in `{}` cannot be read: {error}", file.display()))
}

fn show(folder: &Path, id: &RecordId, format: Format, out: &mut impl Write) -> io::Result<bool> {
    let Some(mut listing) = Listing::of(folder, Wanted::default(), format) else {
        return Ok(false);
    };
    let (mut good, mut known) = (true, false);
    while let Some((place, record)) = listing.next(&mut good) {
        if record.id != *id {
            continue;
        }
        known = true;
        let Position { file, line, seq } = place;
        match format {
            Format::Human => {
                writeln!(out, "{file}, line {line}, number {seq}\n{}", in_words(&record))?;
                writeln!(out, "{}", plain_lines(&serde_json::to_string_pretty(&record)?))?;
            }
            Format::Json => writeln!(out, "{}", listing.text(&record))?,
        }
    }
    if !known {
        printer::talk(format_args!("error: no record has the id `{}`", plain(id.as_str())));
    }
    Ok(good && known)
}

/// Records on their way to the output.
struct Listing {
    records: Records,
    filter: Filter,
    format: Format,
    /// Whether the folder can no longer be read.
    gone: bool,
}

impl Listing {
    fn of(folder: &Path, wanted: Wanted, format: Format) -> Option<Self> {
        let filter = wanted.into();
        match read(folder) {
            Ok(records) => Some(Self {
                records,
                filter,
                format,
                gone: false,
            }),
            Err(problem) => {
                printer::talk(format_args!("error: {}", problem.told("--folder")));
                None
            }
        }
    }

    /// The next wanted record; says what cannot be read, and notes it in `good`.
    fn next(&mut self, good: &mut bool) -> Option<(Position, Record)> {
        loop {
            match self.records.next()? {
                Ok((_, record)) if !self.filter.admits(&record) => {}
                Ok(found) => return Some(found),
                Err(problem) => {
                    *good = false;
                    self.gone = matches!(problem, ReadProblem::Disk { .. });
                    printer::talk(format_args!("error: {}", problem.told("--folder")));
                    if self.gone {
                        return None;
                    }
                }
            }
        }
    }

    /// The record that `next` just gave, as one line of the output.
    fn text(&self, record: &Record) -> String {
        match self.format {
            Format::Human => in_words(record),
            Format::Json => String::from_utf8_lossy(self.records.raw()).into_owned(),
        }
    }

    /// Writes all that there are now.
    fn all(&mut self, out: &mut impl Write) -> io::Result<bool> {
        let mut good = true;
        while let Some((_, record)) = self.next(&mut good) {
            writeln!(out, "{}", self.text(&record))?;
        }
        Ok(good)
    }

    /// Writes the newest `count` of those that there are now.
    fn newest(&mut self, count: usize, out: &mut impl Write) -> io::Result<bool> {
        let mut good = true;
        let mut kept = VecDeque::new();
        while let Some((_, record)) = self.next(&mut good) {
            kept.push_back(self.text(&record));
            if kept.len() > count {
                kept.pop_front();
            }
        }
        for text in kept {
            writeln!(out, "{text}")?;
        }
        Ok(good)
    }

    /// Goes on writing until nobody reads any more, or the records are gone.
    fn follow(&mut self, out: &mut impl Write) -> io::Result<bool> {
        while !self.gone {
            out.flush()?;
            std::thread::sleep(LOOK_EVERY);
            self.all(out)?;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::audit::tests::{clock, completed, decided, flow, noon, peer, seen, settings, started};
    use crate::audit::{Book, Closing};
    use crate::facts::{End, PurposeId};

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    /// What the command writes for `words`, and whether it is good.
    fn asked(state: &Path, words: &str) -> (String, bool) {
        let line = ["records"].into_iter().chain(words.split_whitespace());
        let command = Command::try_parse_from(line).unwrap();
        let mut out = Vec::new();
        let good = answer(command.args, &state.join("records"), &mut out).unwrap();
        (String::from_utf8(out).unwrap(), good)
    }

    /// A book with one act, a refused flow of Ada, a flow of Bob and a stray; returns the id of Ada's.
    fn book(state: &Path) -> RecordId {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (book, _) = Book::open(&settings(&state.join("records")), clock(), Vec::new()).unwrap();
            book.write(book.record(started())).await.unwrap();
            let mut refused = book.enter(noon(), peer()).await.unwrap();
            let id = refused.id().clone();
            refused.saw(seen("ada", "/feed/"));
            let mut note = decided(Outcome::Declare);
            note.offered = vec![PurposeId::new("recruiting")];
            refused.decided(note);
            refused.close(Closing {
                end: End::Refused,
                status: Some(403),
                decrypted: true,
            });
            let mut other = book.enter(noon().plus(Duration::from_hours(1)), peer()).await.unwrap();
            other.saw(seen("bob", "/feed/\u{1b}[2J"));
            other.decided(decided(Outcome::Allow));
            other.close(completed());
            drop(book.enter(noon(), peer()).await.unwrap());
            book.close().await.unwrap();
            id
        })
    }

    #[test]
    fn a_person_reads_one_line_for_each_record() {
        let state = tempfile::tempdir().unwrap();
        book(state.path());
        let (text, good) = asked(state.path(), "list");
        assert!(good);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[0].starts_with("2026-05-28T20:26:40.000Z gateway  started, version 0.1.0, rules sha256:1"));
        assert!(lines[1].starts_with(
            "2026-05-28T20:26:40.000Z declare  ada post POST www.linkedin.com/feed/ (would help: recruiting): refused, \
             403, read, 0 B up, 0 B down, "
        ));
        assert!(lines[3].contains(" stray    from 127.0.0.1:50000: abandoned, unread, "));
    }

    #[test]
    fn what_a_client_sent_cannot_play_with_the_terminal() {
        let state = tempfile::tempdir().unwrap();
        book(state.path());
        for words in ["list", "tail", "show x"] {
            assert!(!asked(state.path(), words).0.contains('\u{1b}'), "{words}");
        }
        assert_eq!(plain("a\u{202e}b\tc"), "a\\u{202e}b\\u{9}c");
    }

    #[test]
    fn filters_choose_and_json_is_the_line_of_the_book() {
        let state = tempfile::tempdir().unwrap();
        book(state.path());
        let whole = asked(state.path(), "list --format json").0;
        assert_eq!(whole.lines().count(), 4);
        for (words, count) in [
            ("list --user ada", 1),
            ("list --outcome declare", 1),
            ("list --outcome deny", 0),
            ("list --platform linkedin", 2),
            ("list --platform linkedin --user bob --outcome allow", 1),
            ("list --since 2026-05-28T21:00:00Z", 1),
            ("list --since 2026-05-29", 0),
            ("tail -n 2", 2),
            ("tail -n 1 --user ada", 1),
        ] {
            let (text, good) = asked(state.path(), &format!("{words} --format json"));
            assert!(good);
            assert_eq!(text.lines().count(), count, "{words}");
            assert!(text.lines().all(|line| whole.contains(line)), "{words}");
        }
    }

    #[test]
    fn one_record_is_shown_with_its_place_and_an_unknown_one_is_a_failure() {
        let state = tempfile::tempdir().unwrap();
        let id = book(state.path());
        let (text, good) = asked(state.path(), &format!("show {id}"));
        assert!(good);
        assert!(text.starts_with("records-00000001.jsonl, line 2, number 2\n"));
        assert!(text.contains("\"outcome\": \"declare\""));
        let (text, good) = asked(state.path(), &format!("show {id} --format json"));
        assert!(good && text.starts_with("{\"seq\":2,"));
        assert_eq!(asked(state.path(), "show nothing"), (String::new(), false));
    }

    #[test]
    fn a_proof_says_how_much_it_covers_and_a_break_is_a_failure() {
        let state = tempfile::tempdir().unwrap();
        book(state.path());
        let (text, good) = asked(state.path(), "verify");
        assert!(good);
        assert!(text.starts_with("the records hold (lines: 4, segments: 1, sealed: 0)\nnumbers 1 to 4; head 4:"));
        let head = text.split_once("head ").unwrap().1.lines().next().unwrap();
        assert!(asked(state.path(), &format!("verify --head {head}")).1);
        assert!(!asked(state.path(), &format!("verify --head 9{head}")).1);
        let key = state.path().join("records/seal.pub");
        assert!(asked(state.path(), &format!("verify --key {}", key.display())).1);
        assert!(!asked(state.path(), "verify --key nowhere.pub").1);
        assert!(asked(state.path(), "verify --format json").0.contains("\"holds\":true"));
        damage(&state.path().join("records/records-00000001.jsonl"));
        assert_eq!(asked(state.path(), "verify"), (String::new(), false));
        let (text, good) = asked(state.path(), "verify --format json");
        assert!(!good && text.contains("\"line\":3"), "{text}");
    }

    #[expect(clippy::disallowed_methods, reason = "damages a book")]
    fn damage(path: &Path) {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, text.replace("recruiting", "recruitinG")).unwrap();
    }

    #[test]
    fn a_folder_without_records_is_a_failure_not_an_empty_answer() {
        let nowhere = tempfile::tempdir().unwrap();
        for words in ["list", "tail", "verify", "show x"] {
            assert_eq!(asked(nowhere.path(), words), (String::new(), false), "{words}");
        }
    }

    #[test]
    fn since_understands_moments_days_and_spans_and_says_so_otherwise() {
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        for (text, then) in [
            ("2026-11-22T09:00:00Z", "2026-11-22T09:00:00.000Z"),
            ("2026-11-22T09:00:00+02:00", "2026-11-22T07:00:00.000Z"),
            ("2026-11-20", "2026-11-20T00:00:00.000Z"),
            ("2h", "2026-11-22T08:00:00.000Z"),
            ("7d", "2026-11-15T10:00:00.000Z"),
        ] {
            assert_eq!(moment(text, now).unwrap().to_string(), then);
        }
        assert!(moment("yesterday", now).unwrap_err().contains("2h, 7d"));
        assert!(outcome("denied").unwrap_err().contains("`deny`"));
    }

    #[test]
    fn whoever_follows_gets_new_lines_and_stops_when_nobody_reads() {
        struct Reader {
            left: usize,
            wake: Book,
            runtime: tokio::runtime::Runtime,
        }
        impl Write for Reader {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.left = self.left.saturating_sub(usize::from(bytes.ends_with(b"\n")));
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                if self.left == 0 {
                    return Err(io::ErrorKind::BrokenPipe.into());
                }
                self.runtime.block_on(async {
                    flow(&self.wake, true).await;
                });
                Ok(())
            }
        }
        let state = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (wake, _) = Book::open(&settings(&state.path().join("records")), clock(), Vec::new()).unwrap();
        let mut reader = Reader { left: 4, wake, runtime };
        let args = Command::parse_from(["records", "tail", "--follow"]).args;
        let error = answer(args, &state.path().join("records"), &mut reader).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "removes a book")]
    fn whoever_follows_records_that_are_gone_is_told_once_and_stops() {
        struct Remover(PathBuf);
        impl Write for Remover {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                std::fs::remove_dir_all(&self.0)
            }
        }
        let state = tempfile::tempdir().unwrap();
        book(state.path());
        let folder = state.path().join("records");
        let args = Command::parse_from(["records", "tail", "--follow"]).args;
        assert!(!answer(args, &folder, &mut Remover(folder.clone())).unwrap());
    }
}
