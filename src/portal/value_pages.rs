//! How much purposes are used, and what comes of them, on pages: charts with the numbers beside them.

use std::collections::BTreeMap;
use std::time::Duration;

use http::StatusCode;
use jiff::tz::TimeZone;

use super::case::platform_name;
use super::intake::Received;
use super::pages::chart::{Bar, Columns, MOST_LINES, Plot, Series, Shape, columns, width};
use super::pages::value::{Chart, Line, Overview, PurposeLine, PurposeValue, Shown, WeekLine};
use super::pages::{Page, with_charts};
use super::value::{QUARTER, Seen, Unseen, weeks_of};
use super::{Portal, Visit};
use crate::clock::Timestamp;
use crate::facts::{Channel, PlatformId, PurposeId};
use crate::ledger::{Figure, Measure, Part, Week};
use crate::purpose::Purpose;
use crate::rulebook::Visitor;

/// Which spans a page offers.
const SPANS: [u16; 3] = [QUARTER, 26, 52];

/// What is told of something, taken together; none where nothing is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Totals {
    grants: Option<u64>,
    flows: Option<u64>,
    bytes: Option<u64>,
    millis: Option<u64>,
    value: Option<u64>,
    /// The most in any week.
    people: Option<u64>,
}

impl Totals {
    fn of<'f>(figures: impl Iterator<Item = &'f Figure>) -> Self {
        let mut totals = Self::default();
        for figure in figures {
            totals.people = totals.people.max(figure.people);
            let sums = &figure.sums;
            let (sum, more) = match figure.measure {
                Measure::Grants => (&mut totals.grants, sums.count),
                Measure::Value => (&mut totals.value, sums.count),
                Measure::Flows => {
                    add(&mut totals.bytes, sums.bytes_up.saturating_add(sums.bytes_down));
                    add(&mut totals.millis, sums.millis);
                    (&mut totals.flows, sums.count)
                }
            };
            add(sum, more);
        }
        totals
    }
}

fn add(sum: &mut Option<u64>, more: u64) {
    *sum = Some(sum.unwrap_or(0).saturating_add(more));
}

impl Portal {
    /// Whether somebody may see it of any purpose.
    pub(super) fn sees_value(visit: &Visit<'_>, visitor: Visitor<'_>) -> bool {
        !visit.rules().seen_by(visitor, Channel::Portal, visit.at).is_empty()
    }

    /// The page of all purposes that somebody may see.
    pub(super) async fn value_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let weeks = span(received);
        let seen = match self.seen_value(visit, visitor, (None, weeks, Channel::Portal)).await {
            Ok(seen) => seen,
            Err(Unseen::Nothing) => return self.nothing_here(),
            Err(Unseen::NotRead) => return self.figures_not_read_page(),
        };
        let totals: Vec<Totals> = seen
            .purposes
            .iter()
            .map(|one| Totals::of(whole(&seen, &one.id)))
            .collect();
        let most = totals.iter().filter_map(|one| one.flows).max().unwrap_or(0);
        let lines = seen.purposes.iter().zip(&totals).map(|(purpose, totals)| PurposeLine {
            id: purpose.id.to_string(),
            title: self.said(&purpose.title).to_owned(),
            metric: purpose.value_metric.as_ref().map(|metric| self.said(metric).to_owned()),
            shown: self.shown_totals(*totals),
            width: width(totals.flows.unwrap_or(0), most),
            over_time: columns(&by_week(&seen.weeks, whole(&seen, &purpose.id), Measure::Flows)),
        });
        let mut used: Vec<_> = seen.purposes.iter().zip(&totals).collect();
        used.sort_by_key(|(_, totals)| std::cmp::Reverse(totals.flows));
        let used = used.into_iter().map(|(purpose, _)| {
            let counts = by_week(&seen.weeks, whole(&seen, &purpose.id), Measure::Flows);
            (self.said(&purpose.title).to_owned(), counts)
        });
        let page = Overview {
            w: self.words,
            who: &visitor.person.name,
            late: self.past_review(seen.purposes.iter().copied(), visit.at),
            is_empty: seen.figures.is_empty(),
            lines: self.lines(&seen.weeks, used),
            purposes: lines.collect(),
            from: seen.weeks.first().map(|week| self.first_day(*week)).unwrap_or_default(),
            to: seen.weeks.last().map(|week| self.first_day(*week)).unwrap_or_default(),
            spans: self.spans("/value", weeks),
            csv: format!("/value.csv?weeks={weeks}"),
            contact: self.contact(),
        };
        with_charts(self.page(StatusCode::OK, &page))
    }

    /// The page of one purpose.
    pub(super) async fn purpose_value_page(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, id): (&Received, &str),
    ) -> Page {
        let (id, weeks) = (PurposeId::new(id), span(received));
        let seen = match self
            .seen_value(visit, visitor, (Some(&id), weeks, Channel::Portal))
            .await
        {
            Ok(seen) => seen,
            Err(Unseen::Nothing) => return self.nothing_here(),
            Err(Unseen::NotRead) => return self.figures_not_read_page(),
        };
        let Some(purpose) = seen.purposes.first() else {
            return self.nothing_here();
        };
        let platform = |name: &str| platform_name(visit.rules(), &PlatformId::new(name));
        let (platforms, platform_lines) = self.parts(&seen, "platform", platform);
        let (departments, department_lines) = self.parts(&seen, "department", str::to_owned);
        let page = PurposeValue {
            w: self.words,
            who: &visitor.person.name,
            title: self.said(&purpose.title).to_owned(),
            description: self.said(&purpose.description).to_owned(),
            late: self.past_review(std::iter::once(*purpose), visit.at),
            is_empty: seen.figures.is_empty(),
            charts: self.charts(&seen, purpose),
            metric: self.metric(purpose),
            weeks: self.week_lines(&seen),
            platforms,
            departments,
            platform_lines,
            department_lines,
            spans: self.spans(&format!("/value/{id}"), weeks),
            csv: format!("/value.csv?purpose={id}&weeks={weeks}"),
            contact: self.contact(),
        };
        with_charts(self.page(StatusCode::OK, &page))
    }

    /// Of each that is past its review: that, and since when.
    pub(super) fn past_review<'p>(&self, purposes: impl Iterator<Item = &'p Purpose>, now: Timestamp) -> Vec<String> {
        let late = purposes.filter(|purpose| purpose.is_past_review(now));
        let told = late.filter_map(|purpose| {
            let day = purpose.review_day()?.to_zoned(TimeZone::UTC).ok()?;
            Some((self.words.value.past_review)(
                self.said(&purpose.title),
                &(self.words.day)(&day),
            ))
        });
        told.collect()
    }

    fn metric(&self, purpose: &Purpose) -> String {
        let metric = purpose.value_metric.as_ref();
        metric
            .map_or(self.words.value.value, |metric| self.said(metric))
            .to_owned()
    }

    /// What comes of the purpose, and how much it is used, week by week.
    fn charts(&self, seen: &Seen<'_>, purpose: &Purpose) -> Vec<Chart> {
        let words = &self.words.value;
        let of = [
            ("value", self.metric(purpose), Measure::Value),
            ("grants", words.grants.to_owned(), Measure::Grants),
            ("flows", words.flows.to_owned(), Measure::Flows),
        ];
        let charts = of.into_iter().filter_map(|(id, title, measure)| {
            let counts = by_week(&seen.weeks, wholes(seen), measure);
            let most = counts.iter().flatten().max()?;
            let bars = columns(&counts);
            let series = vec![Series {
                label: title.clone(),
                counts: counts.clone(),
            }];
            Some(Chart {
                id,
                title,
                plot: self.plot(&seen.weeks, series, Shape::Bars),
                most: (words.most)(&(self.words.outcome.number)(*most)),
                bars: self.titled(bars, (&seen.weeks, &counts)),
                from: seen.weeks.first().map(|week| self.first_day(*week)).unwrap_or_default(),
                to: seen.weeks.last().map(|week| self.first_day(*week)).unwrap_or_default(),
            })
        });
        charts.collect()
    }

    /// Each bar says its week and number.
    fn titled(&self, mut columns: Columns, (weeks, counts): (&[Week], &[Option<u64>])) -> Columns {
        let titles: BTreeMap<usize, String> = weeks
            .iter()
            .zip(counts)
            .enumerate()
            .filter_map(|(nth, (week, count))| {
                let number = (self.words.outcome.number)((*count)?);
                Some((nth, format!("{}{}{number}", self.first_day(*week), self.words.colon)))
            })
            .collect();
        for Bar { nth, title, .. } in &mut columns.bars {
            *title = titles.get(nth).cloned().unwrap_or_default();
        }
        columns
    }

    /// The numbers of each week, the latest first.
    fn week_lines(&self, seen: &Seen<'_>) -> Vec<WeekLine> {
        let lines = seen.weeks.iter().rev().map(|week| {
            let totals = Totals::of(wholes(seen).filter(|figure| figure.week == *week));
            (totals != Totals::default()).then(|| WeekLine {
                week: self.first_day(*week),
                shown: self.shown_totals(totals),
            })
        });
        lines.flatten().collect()
    }

    /// The most used of several over time; none where nothing is told of any, or of one alone, which has a chart already.
    fn lines(&self, weeks: &[Week], used: impl Iterator<Item = (String, Vec<Option<u64>>)>) -> Option<String> {
        let told = used.filter(|(_, counts)| counts.iter().any(Option::is_some));
        let series = told.map(|(label, counts)| Series { label, counts });
        let series: Vec<Series> = series.take(MOST_LINES).collect();
        (series.len() > 1).then(|| self.plot(weeks, series, Shape::Lines))
    }

    fn plot(&self, weeks: &[Week], series: Vec<Series>, shape: Shape) -> String {
        let plot = Plot {
            weeks: weeks.iter().map(|week| week.begins().calendar().as_second()).collect(),
            series,
            shape,
            week: self.words.value.week,
            few: self.words.value.few,
        };
        plot.to_json()
    }

    /// The platforms or departments, what is used most first, and what is pooled last; and a chart of the first.
    fn parts(&self, seen: &Seen<'_>, kind: &str, called: impl Fn(&str) -> String) -> (Vec<Line>, Option<String>) {
        let mut by_name: BTreeMap<Option<&str>, Vec<&Figure>> = BTreeMap::new();
        for figure in seen.figures.iter().filter(|figure| figure.part.kind() == kind) {
            by_name.entry(figure.part.name()).or_default().push(figure);
        }
        let mut parts: Vec<(Option<&str>, Vec<&Figure>, Totals)> = by_name
            .into_iter()
            .map(|(name, figures)| {
                let totals = Totals::of(figures.iter().copied());
                (name, figures, totals)
            })
            .collect();
        parts.sort_by_key(|(name, _, totals)| (name.is_none(), std::cmp::Reverse((totals.flows, totals.grants))));
        let most = parts
            .iter()
            .filter_map(|(_, _, totals)| totals.flows)
            .max()
            .unwrap_or(0);
        let used = parts.iter().filter_map(|(name, figures, _)| {
            let counts = by_week(&seen.weeks, figures.iter().copied(), Measure::Flows);
            Some((called((*name)?), counts))
        });
        let chart = self.lines(&seen.weeks, used);
        let lines = parts.into_iter().map(|(name, figures, totals)| Line {
            title: name.map_or_else(|| self.words.value.others.to_owned(), &called),
            shown: self.shown_totals(totals),
            width: width(totals.flows.unwrap_or(0), most),
            over_time: columns(&by_week(&seen.weeks, figures.iter().copied(), Measure::Flows)),
        });
        (lines.collect(), chart)
    }

    fn shown_totals(&self, totals: Totals) -> Shown {
        let words = &self.words.value;
        let none = || words.few.to_owned();
        let number = |count: Option<u64>| count.map_or_else(none, self.words.outcome.number);
        Shown {
            grants: number(totals.grants),
            flows: number(totals.flows),
            people: number(totals.people),
            data: totals.bytes.map_or_else(none, words.bytes),
            time: totals
                .millis
                .map_or_else(none, |millis| (words.lasted)(Duration::from_millis(millis))),
            value: number(totals.value),
        }
    }

    fn spans(&self, path: &str, chosen: u16) -> Vec<(String, String, bool)> {
        let spans = SPANS.into_iter().map(|weeks| {
            let label = (self.words.value.weeks)(weeks);
            (format!("{path}?weeks={weeks}"), label, weeks == chosen)
        });
        spans.collect()
    }

    fn first_day(&self, week: Week) -> String {
        (self.words.day)(&week.begins().calendar().to_zoned(TimeZone::UTC))
    }
}

fn span(received: &Received) -> u16 {
    let asked = received.asked("weeks");
    asked.as_deref().and_then(weeks_of).unwrap_or(QUARTER)
}

fn wholes<'f>(seen: &'f Seen<'_>) -> impl Iterator<Item = &'f Figure> {
    seen.figures.iter().filter(|figure| figure.part == Part::Whole)
}

/// What is told of the whole of one purpose.
fn whole<'f>(seen: &'f Seen<'_>, purpose: &'f PurposeId) -> impl Iterator<Item = &'f Figure> {
    wholes(seen).filter(move |figure| figure.purpose == *purpose)
}

/// What is told of each week; none where nothing is.
fn by_week<'f>(weeks: &[Week], figures: impl Iterator<Item = &'f Figure>, measure: Measure) -> Vec<Option<u64>> {
    let mut counts: BTreeMap<Week, u64> = BTreeMap::new();
    for figure in figures.filter(|figure| figure.measure == measure) {
        *counts.entry(figure.week).or_default() += figure.sums.count;
    }
    weeks.iter().map(|week| counts.get(week).copied()).collect()
}
