//! Who is told? What the ledger owes to people goes out here: by e-mail, to whom it concerns, and to the
//! platforms on which a company talks already.
//!
//! ```text
//!  ledger.due ──> nobody's yet ── whom ──> letters, back into the ledger
//!             └─> a letter ── words ──> e-mail, a web hook ──> told: forgotten │ in vain: again, later │ never: given up, loudly
//! ```
//!
//! Reads like this: [`Notices::run`] looks whenever grants change, and every second; `lanes` keeps one way from holding up another; `whom` finds who is told of what
//! (of a week, `digest`; of what expired, `outcomes`), `words` says it in their language, `message` writes it down, `smtp` speaks with the mail server, `hooks` posts it, and `again` says when what was in
//! vain is tried once more.
//!
//! What is due is kept by the ledger, with the change of which it speaks: a gateway that is killed tells it after its next
//! start, and of several gateways one does. Between the moment in which a server takes a letter and that in which the ledger
//! forgets it lies one that a crash can hit: then it goes out twice, under the same `Message-ID`
//! or `webhook-id`.
//!
//! This room must never hold up a grant, never change one, and never write down what happens on a site: only what the ledger
//! knows.

mod again;
mod digest;
mod digest_words;
mod faring;
mod hooks;
mod lanes;
mod mail;
mod message;
mod outcomes;
mod secrets;
mod settings;
mod smtp;
#[cfg(test)]
mod tests;
mod whom;
mod words;

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

pub use self::digest::Digest;
pub use self::digest_words::{Called, preview};
use self::faring::Faring;
pub use self::faring::Trouble;
use self::hooks::Hook;
use self::lanes::{Claimed, Lanes};
use self::mail::Mail;
pub use self::outcomes::Outcomes;
pub use self::settings::{BadSetting, Hidden, Kind, Security, Settings, Smtp, Webhook};
use self::whom::Happened;
use crate::clock::{Clock, Timestamp};
use crate::facts::{Grant, Host, Language, NoticeEvent};
use crate::ledger::{About, Claim, Due, Fate, Ledger, Letter, Notice};
use crate::metrics::Metrics;
use crate::rulebook::{InForce, Live};
use crate::upstream::Errands;

/// How often it is looked for what is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How much is claimed at once, until when it is begun at the latest, and for how long it is nobody else's.
const MOST: u32 = 16;
const BEGINS_WITHIN: Duration = Duration::from_mins(5);
const LEASE: Duration = Duration::from_mins(25);
/// The pauses, in seconds, after which it is tried again to note how something went.
const PAUSES: [u64; 9] = [1, 2, 4, 8, 15, 30, 30, 30, 30];
/// How long that takes at most, each try included.
const NOTED_WITHIN: Duration = Duration::from_mins(5);
const _: () = assert!(BEGINS_WITHIN.as_secs() + mail::LONGEST.as_secs() + NOTED_WITHIN.as_secs() < LEASE.as_secs());

/// What this room works with.
pub struct Parts {
    /// How people are told.
    pub settings: Settings,
    /// The portal's name, for links.
    pub portal: Host,
    /// The language of those of whom none is known.
    pub language: Language,
    /// Whether anybody may answer for somebody else.
    pub delegates: bool,
    /// Where what is due is kept.
    pub ledger: Ledger,
    /// Who is who.
    pub live: Arc<Live>,
    /// The way to the servers.
    pub errands: Errands,
    /// The time.
    pub clock: Clock,
    /// Where it is counted.
    pub metrics: Metrics,
}

/// Tells people what they wait for.
pub struct Notices {
    settings: Settings,
    origin: String,
    language: Language,
    delegates: bool,
    ledger: Ledger,
    live: Arc<Live>,
    clock: Clock,
    metrics: Metrics,
    mail: Option<Mail>,
    hooks: Vec<Hook>,
    waiting: AtomicU64,
    faring: Faring,
}

/// What is on its way, each with which that is.
type Sending<'a> = FuturesUnordered<BoxFuture<'a, String>>;

/// How it went.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Went {
    /// It was taken.
    Sent,
    /// Nobody has to hear of it any more.
    Moot,
    /// It was not, and perhaps will be: why, and how long the other side asked to be left alone.
    Later(String, Option<Duration>),
    /// It never will be, and the other side says so: why.
    Refused(String),
    /// The same of this letter alone, to this reader or with these words; others may get through: why.
    Unfit(String),
    /// It never will be, whatever the other side would say: why.
    Never(String),
}

impl Notices {
    /// Somebody who tells people, and has the ledger note what there is to tell; none where there is no way to.
    pub fn new(parts: Parts) -> Result<Option<Self>, BadSetting> {
        let mail = Mail::of(&parts.settings.smtp, parts.errands.clone())?;
        let hooks = parts.settings.webhooks.iter().enumerate();
        let hooks = hooks.map(|(at, hook)| Hook::of(hook, at, parts.errands.clone()));
        let hooks = hooks.collect::<Result<Vec<_>, _>>()?;
        if mail.is_none() && hooks.is_empty() {
            return Ok(None);
        }
        parts.ledger.tells();
        if let Some(after) = parts.settings.weekly() {
            parts.ledger.tells_weeks(after);
            let purposes = parts.settings.digest.purposes.iter();
            let in_force = parts.live.load();
            for unknown in purposes.filter(|id| in_force.rulebook.purposes().get(id).is_none()) {
                tracing::warn!(purpose = %unknown, "`notices.digest.purposes` names a purpose that the rules do not have");
            }
        }
        Ok(Some(Self {
            settings: parts.settings,
            origin: format!("https://{}", parts.portal),
            language: parts.language,
            delegates: parts.delegates,
            ledger: parts.ledger,
            live: parts.live,
            clock: parts.clock,
            metrics: parts.metrics,
            mail,
            hooks,
            waiting: AtomicU64::new(0),
            faring: Faring::default(),
        }))
    }

    /// How much is to be told, as it was when that was looked for last.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The ways by which nothing that this gateway sends gets through at the moment.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.faring.troubles(self.clock.now())
    }

    /// The addresses of nobody in the directory to which the weekly digest goes.
    pub fn digest_of_nobody(&self) -> Vec<String> {
        let of_nobody = digest::of_nobody(&self.live.load(), &self.settings).into_iter();
        of_nobody.map(ToString::to_string).collect()
    }

    /// The web hooks that are not let in, one sentence each.
    pub fn shut_out(&self) -> Vec<String> {
        let shut = self.hooks.iter().filter_map(|hook| Some((hook, hook.trouble()?)));
        let shut = shut.map(|(hook, why)| {
            format!(
                "notices wait, since the web hook `{}` is not let in: {why}",
                hook.name()
            )
        });
        shut.collect()
    }

    /// Tells what is due until `stop`; what is on its way then is sent to its end.
    pub async fn run(self: Arc<Self>, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = self.ledger.changes();
        let (mut lanes, mut sending) = (Lanes::default(), Sending::new());
        while !stop.is_cancelled() {
            let busy = lanes.busy();
            let is_more = self.takes(busy, (&mut lanes, &mut sending)).await;
            self.set_off((&mut lanes, &sending), &stop);
            if is_more {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => {}
                Some(way) = sending.next() => lanes.arrived(&way),
                _ = ticks.tick() => {}
                Ok(()) = changes.changed() => {}
            }
        }
        self.set_off((&mut lanes, &sending), &stop);
        while let Some(way) = sending.next().await {
            lanes.arrived(&way);
            self.set_off((&mut lanes, &sending), &stop);
        }
    }

    /// Claims what is due on all ways but these. Returns whether there was anything. What is on its way goes on meanwhile.
    async fn takes(&self, busy: Vec<String>, (lanes, sending): (&mut Lanes, &mut Sending<'_>)) -> bool {
        let now = self.clock.now();
        let mut due = pin!(self.due(now, busy));
        let due = loop {
            tokio::select! {
                due = &mut due => break due,
                Some(way) = sending.next() => lanes.arrived(&way),
            }
        };
        let Some(due) = due else { return false };
        self.waiting.store(due.waiting, Ordering::Relaxed);
        if due.waiting == 0 {
            self.forget_troubles();
        }
        let any = !due.notices.is_empty();
        lanes.take(due.notices, now.plus(BEGINS_WITHIN));
        any
    }

    /// Nothing waits, so nobody is kept from hearing anything: whether a way that took nothing would take something by now shows
    /// when there is something.
    fn forget_troubles(&self) {
        self.faring.forget();
        self.hooks.iter().for_each(Hook::forget_trouble);
    }

    async fn due(&self, now: Timestamp, busy: Vec<String>) -> Option<Due> {
        let mail = self.mail.iter().map(|_| whom::EMAIL.to_owned());
        let hooks = self.hooks.iter().map(|hook| format!("{}{}", whom::HOOK, hook.name()));
        let nobodys = [String::new()].into_iter();
        let claim = Claim {
            now,
            until: now.plus(LEASE),
            most: MOST,
            known: nobodys.chain(mail).chain(hooks).collect(),
            forsaken: now.minus(self.settings.give_up_after()),
            busy,
        };
        let due = self.ledger.due(claim).await;
        let unknown = |trouble: &_| tracing::debug!(%trouble, "it cannot be found out now what people are to be told");
        due.inspect_err(unknown).ok()
    }

    /// Has everything set off for which there is room on its way.
    fn set_off<'a>(&'a self, (lanes, sending): (&mut Lanes, &Sending<'a>), stop: &'a CancellationToken) {
        for (way, claimed) in lanes.set_off() {
            let seen_to = async move {
                self.see_to(claimed, stop).await;
                way
            };
            sending.push(Box::pin(seen_to));
        }
    }

    /// Sees to one, and notes at once how that went: what is noted late is told twice after a crash.
    async fn see_to(&self, Claimed { notice, begins_by }: Claimed, stop: &CancellationToken) {
        let is_late = stop.is_cancelled() || self.clock.now() > begins_by;
        let fate = match &notice.letter {
            // another gateway can, or this one anew
            Some(_) | None if is_late => Fate::Untried,
            None => self.addressed(&notice),
            Some(letter) => {
                let went = self.tell(&notice, letter).await;
                self.fate(&notice, letter, went)
            }
        };
        self.note((notice, fate), stop).await;
    }

    /// Notes how something went; where that cannot be noted, again, until it is anybody's. At the stop once more, and no more.
    async fn note(&self, noted: (Notice, Fate), stop: &CancellationToken) {
        let mut pauses = PAUSES.into_iter().map(Duration::from_secs);
        loop {
            let Err(trouble) = self.ledger.fare(vec![noted.clone()]).await else {
                return;
            };
            let (of, event) = (&noted.0.about, noted.0.about.occasion().as_str());
            let Some(pause) = pauses.next().filter(|_| !stop.is_cancelled()) else {
                tracing::warn!(%trouble, %of, event, "it cannot be noted that somebody was told: they may be told twice");
                return;
            };
            tracing::debug!(%trouble, %of, event, "it cannot be noted now that somebody was told");
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Who lets whom answer for them.
    fn lets(&self, now: Timestamp) -> Vec<Grant> {
        if self.delegates {
            self.ledger.delegations(now)
        } else {
            Vec::new()
        }
    }

    /// Finds out who is told.
    fn addressed(&self, notice: &Notice) -> Fate {
        let (in_force, now) = (self.live.load(), self.clock.now());
        let (is_moot, fate) = match &notice.about {
            About::Grant(grant, event) => {
                let happened = (&**grant, *event);
                (
                    whom::is_moot(happened, None, now),
                    self.addressed_of((happened, notice.since), &in_force, now),
                )
            }
            About::Week(brought) => {
                let letters = digest::letters(brought, &in_force, &self.settings, now);
                for mailbox in digest::of_nobody(&in_force, &self.settings) {
                    let about = "the weekly digest goes to an address of nobody in the directory: \
                                 if whoever had it has left, take it out of `notices.digest.to`";
                    tracing::warn!(%mailbox, "{about}");
                }
                (!brought.is_latest(now), Fate::Addressed(letters, None))
            }
        };
        if is_moot {
            return Fate::Addressed(Vec::new(), None);
        }
        let is_asked = notice.about.occasion() == NoticeEvent::CameOfIt.into();
        if !is_asked && matches!(&fate, Fate::Addressed(letters, _) if letters.is_empty()) {
            let (of, event) = (&notice.about, notice.about.occasion().as_str());
            tracing::info!(%of, event, "nobody of whom an address is known is to be told");
        }
        fate
    }

    /// That others may answer is told when their time has come, which the rules say.
    fn addressed_of(
        &self,
        ((grant, event), since): (Happened<'_>, Timestamp),
        in_force: &InForce,
        now: Timestamp,
    ) -> Fate {
        if event == NoticeEvent::CameOfIt {
            return self.asked_of((grant, since), in_force, now);
        }
        let others = whom::alternates_from(grant, in_force).filter(|from| now < *from);
        if let Some(from) = others.filter(|_| event == NoticeEvent::AlternatesMay) {
            return Fate::Again(from);
        }
        let lets = self.lets(now);
        let letters = whom::letters((grant, event), (in_force, &lets), &self.settings, now);
        let later = others.filter(|_| event == NoticeEvent::Waits);
        Fate::Addressed(letters, later.map(|from| (NoticeEvent::AlternatesMay, from)))
    }

    /// What came of something is asked on a morning, and of all that is asked then at once. It is to be told since that morning, also
    /// where nobody looked before: so long it is tried.
    fn asked_of(&self, (grant, since): (&Grant, Timestamp), in_force: &InForce, now: Timestamp) -> Fate {
        let outcomes = &self.settings.outcomes;
        let morning = outcomes::when(grant, in_force, outcomes.hour);
        if outcomes.ask && (now < morning || since < morning) {
            return Fate::Again(morning);
        }
        let asks = !self.asked(grant, in_force, now).is_empty();
        let letters = asks.then(|| whom::letters((grant, NoticeEvent::CameOfIt), (in_force, &[]), &self.settings, now));
        Fate::Addressed(letters.unwrap_or_default(), None)
    }

    /// Of what its holder is asked in the name of a grant; nothing where nobody is.
    fn asked(&self, grant: &Grant, in_force: &InForce, now: Timestamp) -> Vec<Grant> {
        if !self.settings.outcomes.ask {
            return Vec::new();
        }
        let theirs = self.ledger.grants_of(&grant.subject);
        let asked = outcomes::asked(grant, &theirs, (in_force, self.settings.outcomes.hour), now);
        asked.into_iter().cloned().collect()
    }

    /// What is told by a letter, as the rules and the settings are by now; none where nobody needs to hear of it any more.
    fn still_told(
        &self,
        (notice, letter, asked): (&Notice, &Letter, &[Grant]),
        in_force: &InForce,
        now: Timestamp,
    ) -> Option<Notice> {
        let about = match &notice.about {
            About::Grant(_, NoticeEvent::CameOfIt) => (!asked.is_empty()).then(|| notice.about.clone())?,
            About::Grant(grant, event) => {
                let happened: Happened<'_> = (grant, *event);
                let lets = self.lets(now);
                let is_told = !whom::is_moot(happened, Some(letter), now)
                    && whom::is_still_asked(happened, letter, (in_force, &lets), now);
                is_told.then(|| notice.about.clone())?
            }
            About::Week(brought) => About::Week(digest::told(brought, letter, (in_force, &self.settings), now)?),
        };
        Some(Notice {
            about,
            ..notice.clone()
        })
    }

    async fn tell(&self, notice: &Notice, letter: &Letter) -> Went {
        let (in_force, now) = (self.live.load(), self.clock.now());
        // once: what is answered meanwhile leaves no letter that asks of nothing
        let asked = match &notice.about {
            About::Grant(grant, NoticeEvent::CameOfIt) => self.asked(grant, &in_force, now),
            About::Grant(..) | About::Week(_) => Vec::new(),
        };
        let Some(notice) = self.still_told((notice, letter, &asked), &in_force, now) else {
            return Went::Moot;
        };
        let view = words::View {
            asked: &asked,
            in_force: &in_force,
            origin: &self.origin,
            language: self.language,
        };
        if let Some(hook) = self.hook(letter) {
            return hook.send((&notice, letter), &view, now).await;
        }
        match &self.mail {
            Some(mail) if letter.way == whom::EMAIL => mail.send((&notice, letter), &view, now).await,
            Some(_) | None => Went::Never("no settings know that way any more".to_owned()),
        }
    }

    fn hook(&self, letter: &Letter) -> Option<&Hook> {
        let name = letter.way.strip_prefix(whom::HOOK)?;
        self.hooks.iter().find(|hook| hook.name() == name)
    }

    /// What becomes of a letter, told where somebody should know.
    fn fate(&self, notice: &Notice, letter: &Letter, went: Went) -> Fate {
        let channel = self.channel(letter);
        let way = &letter.way;
        let to = if letter.to.is_empty() { &letter.way } else { &letter.to };
        let (of, event) = (&notice.about, notice.about.occasion().as_str());
        let count = |outcome| self.metrics.notice(channel, outcome);
        let (why, asked) = match went {
            Went::Sent => {
                self.faring.got_through(way);
                count("sent");
                return Fate::Done;
            }
            Went::Moot => {
                count("moot");
                return Fate::Done;
            }
            Went::Refused(why) => {
                self.faring.lost(way, self.clock.now(), &why);
                (why, None)
            }
            Went::Unfit(why) => {
                // to a hook it is the words that are refused, so what they are about tells letters apart
                let which = if letter.to.is_empty() {
                    of.to_string()
                } else {
                    letter.to.clone()
                };
                self.faring.refused(way, &which, (self.clock.now(), &why));
                (why, None)
            }
            Went::Never(why) => (why, None),
            Went::Later(why, asked) => (why, Some(asked)),
        };
        let Some(asked) = asked else {
            count("refused");
            tracing::error!(why, channel, to, event, %of, "somebody is not told: it was refused");
            return Fate::Done;
        };
        let now = self.clock.now();
        if let Some(due) = again::next(notice, now, asked, self.settings.give_up_after()) {
            self.faring.put_off(way, now, &why, due.plus(LEASE));
            count("put-off");
            tracing::warn!(why, channel, to, event, %of, again = %due, "somebody could not be told yet");
            return Fate::Again(due);
        }
        self.faring.lost(way, now, &why);
        count("given-up");
        tracing::error!(why, channel, to, event, %of, tries = notice.tries + 1, "somebody is not told: it is given up");
        Fate::Done
    }

    /// The kind of a way, for metrics: a closed list.
    fn channel(&self, letter: &Letter) -> &'static str {
        match self.hook(letter) {
            Some(hook) => hook.kind(),
            None if letter.way == whom::EMAIL => whom::EMAIL,
            None => "other",
        }
    }
}
