//! New rules: read → assemble → run the cases → swap → record. A rulebook that fails its own cases never rules; the
//! old one stays, and `/readyz`, a metric and the log say why.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads rules and accounts off the workers' threads"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::exposition::labels;
use super::health::Health;
use super::kept::Kept;
use super::open::Rules;
use super::refused;
use super::sources::{Library, Look, read_folder};
use crate::audit::Book;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::config;
use crate::facts::{Act, GatewayAct, Host, Mode, Place, Problem, RulebookId, SourceText};
use crate::metrics::Metrics;
use crate::proof::property;
use crate::rulebook::{Assembled, InForce, Live, Rulebook, Sources};

/// How often the folder is looked at. The system could tell of changes, but not on every file system, not without limit,
/// and not when the folder itself is replaced; a hundred files are looked at in less than a millisecond.
const EVERY: Duration = Duration::from_millis(200);
/// Editors write a file in several steps: the folder is read when two looks agree, or after so many, so that an edit
/// rules within a second.
const MOST_LOOKS: usize = 3;

/// Rules that may rule, what should not stay of them, and their texts.
struct Ready {
    in_force: InForce,
    warnings: Vec<Problem>,
    keeping: Keeping,
}

/// When the texts of what rules are kept.
///
/// Rules are before they rule: a record names their rulebook, and must be explained whenever the gateway breaks off. Where
/// only people changed the rulebook is the one that rules already, it is kept, and a record tells whom it was judged as
/// itself. So nothing hangs on the new texts but a start while the folder is broken: breaking off before they are kept is
/// then like breaking off before the folder was read. And whoever is to lose a role loses it without waiting for a disk.
enum Keeping {
    /// Done; or not, and why.
    Tried(Result<(), String>),
    ToBeTried(Box<Texts>),
}

impl Ready {
    /// Takes what was read of a folder, and keeps new rules if they may rule.
    fn of(files: Vec<SourceText>, ruling: &InForce, wanted: &Wanted, kept: &Kept) -> Result<Self, Vec<Problem>> {
        let sources = Sources::from_files(files)?;
        if let Some(in_force) = ruling.with_people_of(&sources) {
            let of = in_force.rulebook.id().clone();
            return Ok(Self {
                in_force,
                warnings: Vec::new(),
                keeping: Keeping::ToBeTried(Box::new(Texts { of, sources })),
            });
        }
        let (mut assembled, texts) = Texts::of_folder(Some(ruling), sources, wanted)?;
        let warnings = std::mem::take(&mut assembled.warnings);
        Ok(Self {
            in_force: assembled.in_mode(wanted.mode),
            warnings,
            keeping: Keeping::Tried(texts.keep(kept)),
        })
    }
}

/// What the settings say of rules.
#[derive(Clone)]
pub(super) struct Wanted {
    mode: Mode,
    /// Under which name the portal stands.
    portal: Host,
}

impl Wanted {
    /// What `settings` say.
    pub(super) fn by(settings: &config::File) -> Self {
        Self {
            mode: settings.mode,
            portal: settings.portal.host.clone(),
        }
    }

    /// Nothing, unless a platform of the catalogue has the portal's name: whoever opens that site would find the portal.
    fn leave_free(&self, catalog: &Catalog) -> Result<(), Vec<Problem>> {
        let Place { host, platform, .. } = catalog.place(&self.portal);
        let Some(platform) = platform else { return Ok(()) };
        let message = format!("`{host}` is a host of `{platform}`, and the portal's (`portal.host`)");
        let help = "set `portal.host` to a name that no server has, e.g. `wayleave.internal`, or take that host out of the catalogue";
        Err(vec![
            Problem::of_file("wayleave::catalog::portal", "catalog", message).with_help(help),
        ])
    }
}

/// The texts of rules that may rule.
pub(super) struct Texts {
    of: RulebookId,
    sources: Sources,
}

impl Texts {
    fn read(folder: &Path, wanted: &Wanted) -> Result<(Assembled, Self), Vec<Problem>> {
        Self::of_folder(None, Sources::from_files(read_folder(folder)?)?, wanted)
    }

    /// The same of a folder of which everything can be read: also what is to be proved of its rules, by which nobody is
    /// judged. What ruled once may rule on without.
    fn of_folder(
        ruling: Option<&InForce>,
        sources: Sources,
        wanted: &Wanted,
    ) -> Result<(Assembled, Self), Vec<Problem>> {
        let unread = property::read(&sources.properties).problems().to_vec();
        match Self::take(ruling, sources, wanted) {
            Ok(taken) if unread.is_empty() => Ok(taken),
            Ok(_) => Err(unread),
            Err(problems) => Err([problems, unread].concat()),
        }
    }

    /// The same of texts that were read.
    fn take(ruling: Option<&InForce>, sources: Sources, wanted: &Wanted) -> Result<(Assembled, Self), Vec<Problem>> {
        let assembled = Rulebook::tried_after(ruling, &sources)?;
        wanted.leave_free(assembled.rulebook.catalog())?;
        let of = assembled.rulebook.id().clone();
        Ok((assembled, Self { of, sources }))
    }

    /// What ruled last, where that still may.
    fn last(kept: &Kept, wanted: &Wanted) -> Option<(Assembled, Self)> {
        let sources = kept.last().map_err(|error| tracing::error!(%error, "the last rules"));
        Self::take(None, sources.ok()??, wanted).ok()
    }

    /// Keeps them as what rules, when nothing but them can rule any more: see [`Keeping`].
    pub(super) fn keep(&self, kept: &Kept) -> Result<(), String> {
        kept.keep(&self.of, &self.sources).map_err(|error| {
            tracing::error!(%error, "the rules in force are not kept on disk");
            error.to_string()
        })
    }
}

/// Logs what should not stay, and which permits have run out or soon will.
pub(super) fn warn(warnings: &[Problem], rules: &Rulebook, clock: &Clock) {
    let expiring = rules.policy().expiring(clock.now());
    for warning in warnings.iter().chain(&expiring) {
        tracing::warn!(%warning, "policies");
    }
}

/// The rules that rule from the start: those of the folder, or the last good ones with the problems of the folder.
pub(super) fn ready(
    rules: &Rules,
    wanted: &Wanted,
    kept: &Kept,
) -> Result<(Assembled, Texts, Vec<Problem>), Vec<Problem>> {
    let read = match rules {
        Rules::Folder(folder) => Texts::read(folder, wanted),
        Rules::Embedded => Texts::take(None, Sources::embedded(), wanted),
    };
    let problems = match read {
        Ok((assembled, texts)) => return Ok((assembled, texts, Vec::new())),
        Err(problems) => problems,
    };
    let Some((assembled, texts)) = Texts::last(kept, wanted) else {
        return Err(problems);
    };
    for problem in &problems {
        tracing::error!(%problem, "policies were refused, the last good ones rule");
    }
    tracing::error!(rulebook = %texts.of, "the folder of policies is broken: the rules that ruled before this start rule on");
    Ok((assembled, texts, problems))
}

/// Looks after the policies and puts new ones in force.
pub(super) struct Reload {
    pub(super) folder: PathBuf,
    pub(super) library: Arc<Mutex<Library>>,
    pub(super) kept: Kept,
    pub(super) wanted: Wanted,
    pub(super) live: Arc<Live>,
    pub(super) book: Book,
    pub(super) metrics: Metrics,
    pub(super) health: Arc<Health>,
    pub(super) clock: Clock,
}

/// After which time files that could not be read are read again.
const AGAIN: Duration = Duration::from_secs(5);

impl Reload {
    /// Follows the folder, which looked like `ruling` before it was read, until the task is dropped.
    pub(super) async fn follow(self, ruling: Look) {
        let (mut look, mut is_read) = (ruling, true);
        loop {
            let next = next(&self.folder, &look, is_read).await;
            let again = next == look;
            look = next;
            is_read = self.reload(&look, again).await;
        }
    }

    /// Reads the folder once, which looks so, perhaps `again` though it looked the same before, and puts it in force if it
    /// may rule. Returns false where a file could not be read: the folder will look the same when it can.
    async fn reload(&self, look: &Look, again: bool) -> bool {
        let (look, kept, ruling) = (look.clone(), self.kept.clone(), self.live.load());
        let (wanted, library) = (self.wanted.clone(), Arc::clone(&self.library));
        let read = move || {
            let files = library.lock().unwrap_or_else(PoisonError::into_inner).read(&look)?;
            Ready::of(files, &ruling, &wanted, &kept)
        };
        let ready = match tokio::task::spawn_blocking(read).await {
            Ok(ready) => ready,
            Err(error) => {
                tracing::error!(%error, "assembling the policies broke off");
                return false;
            }
        };
        match ready {
            Ok(ready) => {
                self.put_in_force(ready).await;
                true
            }
            Err(problems) => {
                let unreadable = problems.iter().any(|problem| problem.code.ends_with("unreadable"));
                self.refuse(problems, again).await;
                !unreadable
            }
        }
    }

    async fn put_in_force(&self, ready: Ready) {
        let Ready {
            in_force,
            warnings,
            keeping,
        } = ready;
        let (ruling, next) = (&self.live.load().rulebook, &in_force.rulebook);
        let (from, to) = (ruling.id().clone(), next.id().clone());
        let changed = from != to;
        if !Arc::ptr_eq(ruling, next) {
            warn(&warnings, next, &self.clock);
            self.metrics.relabel(&labels(next));
        }
        self.live.replace(in_force);
        if changed {
            tracing::info!(%from, %to, "new policies rule");
        }
        let was_refused = self.health.rules_changed(&self.live.load().rulebook);
        if was_refused && !changed {
            tracing::info!(rulebook = %to, "what had been refused was taken back, the same policies rule on");
        }
        self.health.rules_kept(self.kept(keeping).await);
        if changed {
            for problem in self.health.authority() {
                tracing::error!(%problem, "the certificate authority");
            }
        }
        if changed || was_refused {
            // A mistake that was taken back leaves the rules as they were: that ends the refusal on record, too.
            self.record(GatewayAct::RulebookChanged { from }).await;
        }
    }

    /// Whether the texts of what rules are kept, and if not, why.
    async fn kept(&self, keeping: Keeping) -> Result<(), String> {
        let texts = match keeping {
            Keeping::Tried(kept) => return kept,
            Keeping::ToBeTried(texts) => texts,
        };
        let kept = self.kept.clone();
        let kept = tokio::task::spawn_blocking(move || texts.keep(&kept)).await;
        kept.unwrap_or_else(|error| Err(format!("keeping the texts broke off: {error}")))
    }

    async fn refuse(&self, problems: Vec<Problem>, again: bool) {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let is_news = self.health.rules_refused(problems, self.clock.now());
        if again && !is_news {
            return; // a file that cannot be read is tried again and again, and has been told
        }
        for problem in &lines {
            tracing::error!(%problem, "policies were refused, the old ones rule");
        }
        self.record(refused::act(lines)).await;
    }

    async fn record(&self, act: GatewayAct) {
        record(&self.book, &self.live, act).await;
    }
}

/// Waits until the folder should be read, given how it looked the last time. What could not be read then is also read
/// again though it looks the same: it does when it can be read.
async fn next(folder: &Path, before: &Look, was_read: bool) -> Look {
    let another = another(folder, before);
    if was_read {
        return another.await;
    }
    let changed = tokio::time::timeout(AGAIN, another).await;
    changed.unwrap_or_else(|_| before.clone())
}

/// Waits until the folder looks different, and stays so for a moment.
async fn another(folder: &Path, before: &Look) -> Look {
    let mut look = look_at(folder).await;
    while look == *before {
        look = look_at(folder).await;
    }
    for _ in 1..MOST_LOOKS {
        let again = look_at(folder).await;
        if std::mem::replace(&mut look, again) == look {
            break;
        }
    }
    look
}

async fn look_at(folder: &Path) -> Look {
    loop {
        tokio::time::sleep(EVERY).await;
        let folder = folder.to_owned();
        match tokio::task::spawn_blocking(move || Look::at(&folder)).await {
            Ok(look) => return look,
            Err(error) => tracing::error!(%error, "looking at the policies broke off"),
        }
    }
}

/// Writes what the gateway did by itself.
pub(super) async fn record(book: &Book, live: &Live, act: GatewayAct) {
    let rulebook = live.load().rulebook.id().clone();
    if let Err(error) = book.write(book.record(Act::Gateway { act, rulebook })).await {
        tracing::error!(%error, "the book does not take a record of the gateway itself");
    }
}

#[cfg(test)]
mod tests {
    use futures_util::poll;
    use tokio::time::Instant;

    use super::*;

    #[test]
    fn people_who_changed_count_before_they_are_kept_and_rules_that_changed_only_after() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::at(folder.path());
        let wanted = Wanted::by(&config::File::default());
        let Ok((assembled, texts, _)) = ready(&Rules::Embedded, &wanted, &kept) else {
            panic!("the shipped rules rule")
        };
        texts.keep(&kept).unwrap();
        let ruling = assembled.in_mode(Mode::Enforce);
        let with = |name: &str, text: &str| {
            let mut files: Vec<SourceText> = Sources::embedded().files().cloned().collect();
            files.push(SourceText::new(name, text));
            files
        };
        let zoe = "[[person]]\nid = \"zoe\"\nroles = [\"staff\"]\ndepartment = \"company\"\nemployment = \"employee\"\n\
                   time-zone = \"UTC\"\n";
        let shipped = Sources::embedded();
        let people = shipped.people.first().unwrap();
        let mut files: Vec<SourceText> = shipped.files().cloned().collect();
        for file in files.iter_mut().filter(|file| file.name == people.name) {
            file.text = format!("{}{zoe}", file.text).into();
        }
        let changed = Sources::from_files(files.clone()).unwrap();
        let ready = Ready::of(files, &ruling, &wanted, &kept).unwrap();
        assert!(
            ready
                .in_force
                .directory
                .people()
                .any(|person| person.id.as_str() == "zoe")
        );
        assert_eq!(kept.last().unwrap().unwrap(), shipped);
        let Keeping::ToBeTried(texts) = ready.keeping else {
            panic!("only people changed")
        };
        texts.keep(&kept).unwrap();
        assert_eq!(kept.last().unwrap().unwrap(), changed);

        let rule = "@id(\"t\") @reason(\"R.\") @owner(\"IT\") @untested(\"new\") @mode(\"observe\")\n\
                    forbid (principal, action, resource is Site);";
        let ready = Ready::of(with("rules/99-test.cedar", rule), &ruling, &wanted, &kept).unwrap();
        assert!(matches!(ready.keeping, Keeping::Tried(Ok(()))));
        assert!(kept.rulebook(ready.in_force.rulebook.id()).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_edit_counts_within_a_second_also_while_somebody_goes_on_editing() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, other) = (folder.path().to_owned(), folder.path().join("people.toml"));
        let before = Look::at(&folder);
        let goes_on = async {
            let mut text = String::new();
            loop {
                text.push('#');
                std::fs::write(&other, &text).unwrap();
                tokio::time::sleep(EVERY / 2).await;
            }
        };
        let began = Instant::now();
        tokio::select! {
            () = goes_on => {}
            look = next(&folder, &before, true) => assert_ne!(look, before),
        }
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_read_is_read_again_after_a_while_and_its_correction_within_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let (folder, file) = (folder.path(), folder.path().join("purposes.toml"));
        std::fs::write(&file, b"\xff").unwrap();
        let broken = Look::at(folder);
        let began = Instant::now();
        assert_eq!(next(folder, &broken, false).await, broken);
        assert!(began.elapsed() >= AGAIN);

        for was_read in [true, false] {
            let began = Instant::now();
            let mut corrected = std::pin::pin!(next(folder, &broken, was_read));
            assert!(poll!(corrected.as_mut()).is_pending());
            std::fs::write(&file, "corrected").unwrap();
            assert_eq!(corrected.await, Look::at(folder));
            assert!(began.elapsed() < Duration::from_secs(1), "{was_read}");
        }
    }
}
