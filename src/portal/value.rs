//! How much purposes are used, and what comes of them: collected for whom the rules let see it (`see-value`), as JSON and CSV
//! here, as pages in `value_pages.rs`. Figures are those of groups: the ledger holds no others of weeks that are over.

use std::collections::BTreeMap;

use http::{StatusCode, header};
use serde::Serialize;

use super::api::{self, channel};
use super::intake::Received;
use super::pages::{self, Page, Problem, field};
use super::{Portal, Visit};
use crate::facts::{Channel, PurposeId, csv_cell};
use crate::ledger::{Figure, Measure, Part, SMALLEST, Week};
use crate::purpose::Purpose;
use crate::rulebook::Visitor;

/// How many weeks are shown unless the address says otherwise: a quarter.
pub(super) const QUARTER: u16 = 13;

/// How many weeks can be asked for: two years.
const MOST_WEEKS: u16 = 104;

/// What somebody sees.
pub(super) struct Seen<'a> {
    /// The purposes that they may see, in the order of their names.
    pub(super) purposes: Vec<&'a Purpose>,
    /// The weeks, the earliest first; the last is the one before this week.
    pub(super) weeks: Vec<Week>,
    /// What is told of those purposes and weeks.
    pub(super) figures: Vec<Figure>,
}

/// Why nobody sees anything.
pub(super) enum Unseen {
    /// There is no such purpose, or they may not see what comes of it, or of any.
    Nothing,
    /// The ledger cannot read it.
    NotRead,
}

impl Portal {
    /// Collects what somebody may see of the last `weeks` weeks: of one purpose, or of all.
    pub(super) async fn seen_value<'a>(
        &self,
        visit: &Visit<'a>,
        visitor: Visitor<'_>,
        (only, weeks, channel): (Option<&PurposeId>, u16, Channel),
    ) -> Result<Seen<'a>, Unseen> {
        let mut purposes = visit.rules().seen_by(visitor, channel, visit.at);
        purposes.retain(|purpose| only.is_none_or(|only| purpose.id == *only));
        if purposes.is_empty() {
            return Err(Unseen::Nothing);
        }
        let this = Week::of(visit.at);
        let shown = this.before(weeks)..=this.before(1);
        let of = purposes.iter().map(|purpose| purpose.id.clone()).collect();
        let figures = self.ledger.figures(&of, shown).await.map_err(|trouble| {
            tracing::warn!(%trouble, "how much purposes are used cannot be read");
            Unseen::NotRead
        })?;
        Ok(Seen {
            weeks: (1..=weeks).rev().map(|back| this.before(back)).collect(),
            purposes,
            figures,
        })
    }

    /// What tools are told.
    pub(super) async fn list_value(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (only, weeks) = match asked(received) {
            Ok(asked) => asked,
            Err(problem) => return problem.answer(),
        };
        let asked = (only.as_ref(), weeks, channel(received));
        let seen = match self.seen_value(visit, visitor, asked).await {
            Ok(seen) => seen,
            Err(Unseen::Nothing) => {
                return api::not_found("The rules let you see what comes of no such purpose, or of none.");
            }
            Err(Unseen::NotRead) => return self.figures_not_read(),
        };
        let weeks: BTreeMap<Week, String> = seen.weeks.iter().map(|week| (*week, week.to_string())).collect();
        let purposes = seen.purposes.iter().map(|purpose| {
            let figures = seen.figures.iter().filter(|figure| figure.purpose == purpose.id);
            OfPurpose {
                id: &purpose.id,
                title: self.said(&purpose.title),
                metric: purpose.value_metric.as_ref().map(|metric| self.said(metric)),
                figures: figures.map(|figure| Told::of(figure, &weeks)).collect(),
            }
        });
        let body = Value {
            from: weeks.values().next(),
            to: weeks.values().next_back(),
            smallest_group: SMALLEST,
            purposes: purposes.collect(),
        };
        pages::json(StatusCode::OK, &body)
    }

    /// The same for spreadsheets.
    pub(super) async fn value_csv(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let Ok((only, weeks)) = asked(received) else {
            return self.nothing_here();
        };
        match self
            .seen_value(visit, visitor, (only.as_ref(), weeks, Channel::Portal))
            .await
        {
            Ok(seen) => pages::download("text/csv; charset=utf-8", "wayleave-value.csv", self.table(&seen)),
            Err(Unseen::Nothing) => self.nothing_here(),
            Err(Unseen::NotRead) => self.figures_not_read_page(),
        }
    }

    fn table(&self, seen: &Seen<'_>) -> String {
        let mut text = "week,purpose,measure,part,name,people,count,unit,bytes_up,bytes_down,seconds\r\n".to_owned();
        for figure in &seen.figures {
            let purpose = seen.purposes.iter().find(|purpose| purpose.id == figure.purpose);
            let metric = purpose.and_then(|purpose| purpose.value_metric.as_ref());
            let unit = match figure.measure {
                Measure::Value => metric.map_or("", |metric| self.said(metric)),
                Measure::Grants | Measure::Flows => figure.measure.as_str(),
            };
            let passed = |number: u64| match figure.measure {
                Measure::Flows => number.to_string(),
                Measure::Grants | Measure::Value => String::new(),
            };
            let cells = [
                figure.week.to_string(),
                figure.purpose.to_string(),
                figure.measure.as_str().to_owned(),
                figure.part.kind().to_owned(),
                name_of(&figure.part).to_owned(),
                figure.people.map(|people| people.to_string()).unwrap_or_default(),
                figure.sums.count.to_string(),
                unit.to_owned(),
                passed(figure.sums.bytes_up),
                passed(figure.sums.bytes_down),
                passed(figure.sums.millis / 1_000),
            ];
            text.push_str(&cells.map(|cell| csv_cell(&cell)).join(","));
            text.push_str("\r\n");
        }
        text
    }

    fn figures_not_read(&self) -> Page {
        let words = &self.words.value;
        let (title, text) = (words.not_read_title, words.not_read);
        let status = StatusCode::SERVICE_UNAVAILABLE;
        let mut page = Problem::new(status, "figures-unavailable", title, text).answer();
        page.headers_mut()
            .insert(header::RETRY_AFTER, header::HeaderValue::from_static("60"));
        page
    }

    pub(super) fn figures_not_read_page(&self) -> Page {
        let words = &self.words.value;
        self.note(StatusCode::SERVICE_UNAVAILABLE, words.not_read_title, words.not_read)
    }
}

/// What tools are told of the purposes that somebody sees. Thousands of figures are written down as they are.
#[derive(Serialize)]
struct Value<'a> {
    from: Option<&'a String>,
    to: Option<&'a String>,
    smallest_group: usize,
    purposes: Vec<OfPurpose<'a>>,
}

/// ... of one of them.
#[derive(Serialize)]
struct OfPurpose<'a> {
    id: &'a PurposeId,
    title: &'a str,
    metric: Option<&'a str>,
    figures: Vec<Told<'a>>,
}

/// ... of one figure.
#[derive(Serialize)]
struct Told<'a> {
    week: Option<&'a String>,
    measure: &'static str,
    part: &'static str,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    people: Option<u64>,
    #[serde(flatten)]
    passed: Option<Passed>,
}

/// What passed, where flows are counted.
#[derive(Serialize)]
struct Passed {
    bytes_up: u64,
    bytes_down: u64,
    seconds: u64,
}

impl<'a> Told<'a> {
    fn of(figure: &'a Figure, weeks: &'a BTreeMap<Week, String>) -> Self {
        Self {
            week: weeks.get(&figure.week),
            measure: figure.measure.as_str(),
            part: figure.part.kind(),
            count: figure.sums.count,
            name: (figure.part != Part::Whole).then(|| name_of(&figure.part)),
            people: figure.people,
            passed: match figure.measure {
                Measure::Flows => Some(Passed {
                    bytes_up: figure.sums.bytes_up,
                    bytes_down: figure.sums.bytes_down,
                    seconds: figure.sums.millis / 1_000,
                }),
                Measure::Grants | Measure::Value => None,
            },
        }
    }
}

/// What machines call a part; no platform and no department is called so.
fn name_of(part: &Part) -> &str {
    match part {
        Part::Whole => "",
        Part::Platform(_) | Part::Department(_) => part.name().unwrap_or("(others)"),
    }
}

/// Of which purpose and how many weeks the address speaks.
fn asked(received: &Received) -> Result<(Option<PurposeId>, u16), Problem> {
    let only = received.asked("purpose").map(PurposeId::new);
    let weeks = match received.asked("weeks") {
        None => QUARTER,
        Some(weeks) => weeks_of(&weeks).ok_or_else(|| {
            let wrong = format!("a whole number from 1 to {MOST_WEEKS}");
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let title = "What is to be shown cannot be read";
            Problem::new(status, "value-unfit", title, &format!("`weeks` must be {wrong}."))
                .in_english()
                .with("errors", vec![field("weeks", wrong)])
        })?,
    };
    Ok((only, weeks))
}

/// So many weeks, as an address says it.
pub(super) fn weeks_of(text: &str) -> Option<u16> {
    text.parse().ok().filter(|weeks| (1..=MOST_WEEKS).contains(weeks))
}
