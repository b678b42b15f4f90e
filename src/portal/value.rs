//! How much purposes are used, and what comes of them: collected for whom the rules let see it (`see-value`), as JSON and CSV
//! here, as pages in `value_pages.rs`. Figures are those of groups: the ledger holds no others of weeks that are over.

use http::{StatusCode, header};
use serde_json::{Value, json};

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
        let purposes = seen.purposes.iter().map(|purpose| {
            let figures = seen.figures.iter().filter(|figure| figure.purpose == purpose.id);
            json!({
                "id": purpose.id,
                "title": self.said(&purpose.title),
                "metric": purpose.value_metric.as_ref().map(|metric| self.said(metric)),
                "figures": figures.map(told).collect::<Vec<Value>>(),
            })
        });
        let body = json!({
            "from": seen.weeks.first().map(Week::to_string),
            "to": seen.weeks.last().map(Week::to_string),
            "smallest_group": SMALLEST,
            "purposes": purposes.collect::<Vec<Value>>(),
        });
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

/// One figure, for tools.
fn told(figure: &Figure) -> Value {
    let mut told = json!({
        "week": figure.week.to_string(),
        "measure": figure.measure.as_str(),
        "part": figure.part.kind(),
        "count": figure.sums.count,
    });
    let Some(members) = told.as_object_mut() else {
        return told;
    };
    if figure.part != Part::Whole {
        members.insert("name".to_owned(), name_of(&figure.part).into());
    }
    if let Some(people) = figure.people {
        members.insert("people".to_owned(), people.into());
    }
    match figure.measure {
        Measure::Flows => members.extend([
            ("bytes_up".to_owned(), figure.sums.bytes_up.into()),
            ("bytes_down".to_owned(), figure.sums.bytes_down.into()),
            ("seconds".to_owned(), (figure.sums.millis / 1_000).into()),
        ]),
        Measure::Grants | Measure::Value => {}
    }
    told
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
