//! Adds up what purposes are used for and what comes of it: rows by person while a week lasts, figures of groups once it is
//! over, and nothing else after that.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::Ledger;
use super::digest::owe_digest;
use super::error::LedgerError;
use super::figures::{Figure, told};
use super::store::{Change, Counting, Store};
use super::usage::{Counted, Measure, Seat, Sums, Usage, Week, only_platform};
use super::writer::{Job, Keeper, Writer};
use crate::clock::Timestamp;
use crate::facts::{Grant, PurposeId};

/// How long after a week its usage is told: what other gateways counted in it is added by then.
const ADDED_WITHIN: Duration = Duration::from_hours(1);

/// How many weeks later what came of grants is told: what was said on its last day can be corrected until then.
const CORRECTED_WITHIN: u16 = 1;
const _: () = assert!(crate::facts::Report::CORRECTED_WITHIN.as_secs() == 7 * 24 * 3_600);

/// How many reports are settled in one change.
const SETTLED_AT_ONCE: u32 = 1_000;

/// Up to which week figures are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Through {
    /// Grants and flows.
    pub(super) usage: Option<Week>,
    /// What came of them.
    pub(super) value: Option<Week>,
}

impl Through {
    /// Up to which weeks they can be told at `now`.
    pub(super) fn at(now: Timestamp) -> Self {
        let earlier = now
            .as_millis()
            .saturating_sub(i64::try_from(ADDED_WITHIN.as_millis()).unwrap_or(0));
        Self {
            usage: Some(Week::of(Timestamp::from_millis(earlier)).before(1)),
            value: Some(Week::of(now).before(1 + CORRECTED_WITHIN)),
        }
    }

    /// Up to which week nothing that is told changes any more.
    pub(super) fn settled(self) -> Option<Week> {
        self.usage.min(self.value)
    }

    fn is_behind(self, other: Self) -> bool {
        self.usage < other.usage || self.value < other.value
    }

    /// The same where a clock went far ahead meanwhile and is right again, as far as anybody can tell at `now`: a right clock
    /// never tells beyond that. What was counted in this week already may be told, so that what follows counts in the next.
    fn set_right(self, now: Timestamp) -> Self {
        let (this, due) = (Week::of(now), Self::at(now));
        Self {
            usage: self.usage.map(|told| told.min(this)),
            value: self.value.min(due.value),
        }
    }
}

impl<S: Store> Keeper<S> {
    /// Adds what was counted, and tells what can be told by `now` of weeks that are over. What cannot be added now counts on;
    /// where nobody knows whether it was, it is counted once at most.
    pub(super) fn add_up(&mut self, usage: &Usage, now: Timestamp) -> Result<(), LedgerError> {
        let counted = usage.take();
        let due = Through::at(now);
        // a clock that went ahead comes back, too
        if counted.is_empty() && self.added == due {
            return self.settle_some();
        }
        // once a week is enough
        let digest = self.digests.get().filter(|_| self.added != due);
        let added = self.add(&counted, (due, now), digest.copied());
        if let Err((error, kept)) = added {
            if !kept {
                usage.give_back(counted);
            }
            return Err(error);
        }
        if let Some(week) = due.value.filter(|_| self.added != due) {
            let before = week.next().begins();
            self.view.settles(before);
            self.unsettled = Some(before);
        }
        self.added = due;
        self.settle_some()
    }

    /// Forgets some of what figures were added up from and are told of now: in a change of its own, and no more than others can
    /// wait for. What is left comes with the next.
    fn settle_some(&mut self) -> Result<(), LedgerError> {
        let Some(before) = self.unsettled else { return Ok(()) };
        self.clear_doubts()?;
        let mut change = self.store.begin()?;
        let settled = change.settle_reports(before, SETTLED_AT_ONCE)?;
        change.commit()?;
        if settled < u64::from(SETTLED_AT_ONCE) {
            self.unsettled = None;
        }
        Ok(())
    }

    /// The error says whether what was counted may have been added all the same.
    fn add(
        &mut self,
        counted: &Counted,
        when: (Through, Timestamp),
        digest: Option<Duration>,
    ) -> Result<(), (LedgerError, bool)> {
        let early = |error| (error, false);
        self.clear_doubts().map_err(early)?;
        let mut change = self.store.begin().map_err(early)?;
        add_to(&mut change, counted, when).map_err(early)?;
        // also where another gateway has told the week, which may tell nobody
        if let Some(after) = digest {
            owe_digest(&mut change, when, after).map_err(early)?;
        }
        change.commit().map_err(|error| (error, true))
    }
}

fn add_to(change: &mut impl Change, counted: &Counted, (due, now): (Through, Timestamp)) -> Result<(), LedgerError> {
    let found = change.through()?;
    // a clock that is behind says the same as one that was ahead: so nothing is moved that is counted, until a week is told
    let through = found.set_right(now);
    if through != found {
        change.told_through(through)?;
    }
    if !counted.is_empty() {
        change.count(&late(counted, through.usage))?;
    }
    if !through.is_behind(due) {
        return Ok(());
    }
    let mut figures = Vec::new();
    if let Some(week) = due.usage.filter(|_| through.usage < due.usage) {
        figures.extend(told(&take_through(change, week, now)?));
    }
    if let Some(week) = due.value.filter(|_| through.value < due.value) {
        let from = through.value.map(|last| last.next().begins());
        let said = change.reported(from, week.next().begins())?;
        figures.extend(told(&valued(&said)));
    }
    tell(change, figures)?;
    change.told_through(Through {
        usage: through.usage.max(due.usage),
        value: through.value.max(due.value),
    })
}

/// What was counted in that week and before, which is kept no longer. What a clock that went far ahead counted in weeks that are
/// yet to come at `now` counts in that week, too: nobody is to be known by what they used for as long as it would take.
fn take_through(change: &mut impl Change, week: Week, now: Timestamp) -> Result<Counted, LedgerError> {
    let this = Week::of(now);
    let (mut taken, mut left) = (Counted::new(), Counted::new());
    let mut is_ahead = false;
    for (seat, sums) in change.counted_through(Week::LAST)? {
        if seat.week > this {
            is_ahead = true;
            taken.entry(Seat { week, ..seat }).or_default().add(&sums);
        } else if seat.week > week {
            left.insert(seat, sums);
        } else {
            taken.entry(seat).or_default().add(&sums);
        }
    }
    if is_ahead {
        change.forget_counted(Week::LAST)?;
        change.count(&left)?;
    } else {
        change.forget_counted(week)?;
    }
    Ok(taken)
}

/// Tells that, but nothing of weeks of which something is told: what was told before could be taken from it.
fn tell(change: &mut impl Change, mut figures: Vec<Figure>) -> Result<(), LedgerError> {
    let weeks: BTreeSet<(Week, Measure)> = figures.iter().map(|figure| (figure.week, figure.measure)).collect();
    let mut told = BTreeSet::new();
    for (week, measure) in weeks {
        if change.is_told(week, measure)? {
            told.insert((week, measure));
        }
    }
    figures.retain(|figure| !told.contains(&(figure.week, figure.measure)));
    change.tell(&figures)
}

/// What comes so late that its week has been told counts in the week after that: figures that were told do not change.
fn late(counted: &Counted, through: Option<Week>) -> Counted {
    let mut in_time = Counted::new();
    for (seat, sums) in counted {
        let week = through.map_or(seat.week, |told| seat.week.max(told.next()));
        let seat = Seat { week, ..seat.clone() };
        in_time.entry(seat).or_default().add(sums);
    }
    in_time
}

/// What holders said in numbers, by the week in which they said so first.
fn valued(said: &[Grant]) -> Counted {
    let mut valued = Counted::new();
    for grant in said {
        let Some(report) = &grant.report else { continue };
        let Some(amount) = report.amount else { continue };
        let seat = Seat {
            week: Week::of(report.at),
            measure: Measure::Value,
            purpose: grant.purpose.clone(),
            platform: only_platform(grant),
            subject: grant.subject.clone(),
            department: report.department.clone(),
        };
        let sums = Sums {
            count: amount,
            ..Sums::default()
        };
        valued.entry(seat).or_default().add(&sums);
    }
    valued
}

impl Writer {
    /// Adds up what was counted.
    pub(super) async fn add_up(&self, usage: Usage, now: Timestamp) -> Result<(), LedgerError> {
        self.submit(|reply| Job::AddUp(usage, now, reply)).await
    }

    /// What is told of a purpose in those weeks.
    async fn figures(&self, of: PurposeId, weeks: RangeInclusive<Week>) -> Result<Vec<Figure>, LedgerError> {
        self.submit(|reply| Job::Figures(of, weeks, reply)).await
    }
}

impl Ledger {
    /// Adds what was counted of what passed and was given, and tells what can be told by `now` of weeks that are over; to be
    /// called often enough, and before the end.
    pub async fn add_up(&self, usage: &Usage, now: Timestamp) -> Result<(), LedgerError> {
        self.writer.add_up(usage.clone(), now).await
    }

    /// What is told of those purposes in those weeks, ordered by week; what is of one purpose, week and measure comes
    /// together, the whole first.
    ///
    /// One purpose is read at a time: what else there is to do, such as revoking, comes in between.
    pub async fn figures(
        &self,
        of: &BTreeSet<PurposeId>,
        weeks: RangeInclusive<Week>,
    ) -> Result<Vec<Figure>, LedgerError> {
        let mut figures = Vec::new();
        for purpose in of {
            figures.extend(self.writer.figures(purpose.clone(), weeks.clone()).await?);
        }
        figures.sort_by_key(|figure| figure.week);
        Ok(figures)
    }
}
