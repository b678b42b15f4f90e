//! The page that a works council reads: what is decrypted and what never is, what is kept, and what was proved.

use std::collections::BTreeMap;

use http::StatusCode;
use jiff::tz::TimeZone;

use super::pages::privacy::{KeptLine, KindLine, PrivacyPage, PromiseLine, Proved};
use super::pages::{Page, retry_after};
use super::privacy::Privacy;
use super::revocations::AGAIN;
use super::words::KeptWords;
use super::{Portal, Visit};
use crate::catalog::Catalog;
use crate::facts::Category;
use crate::proof::{Promise, Promises, Verdict};
use crate::rulebook::{Readers, Reads, There, Visitor};

/// What proves the rules, and tells the gateway.
const COMMAND: &str = "wayleave prove --out state/proofs.json";

impl Portal {
    pub(super) async fn privacy_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Page {
        let words = self.words;
        let Some(privacy) = self.privacy(visit, visitor).await else {
            let status = StatusCode::TOO_MANY_REQUESTS;
            let mut page = self.note(status, words.one_at_a_time_title, words.one_at_a_time);
            retry_after(&mut page, AGAIN);
            return page;
        };
        let (read, unread) = self.kinds(&privacy, visit.rules().catalog());
        let page = PrivacyPage {
            w: words,
            who: &visitor.person.name,
            mode: (words.privacy.mode)(visit.rules().policy().mode()),
            read,
            unread,
            kept: self.kept(&privacy.readers),
            proved: self.proved(privacy.promises.as_deref()),
            rulebook: visit.rules().id().to_string(),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// The kinds of sites that are read, and those that are not. Those of which the same is so are one line.
    fn kinds(&self, privacy: &Privacy<'_>, catalog: &Catalog) -> (Vec<KindLine>, Vec<KindLine>) {
        let words = &self.words.privacy;
        let mut lines: BTreeMap<(String, String, String), Vec<&str>> = BTreeMap::new();
        let title = |category: &Category| {
            let title = catalog.categories().title(category);
            title.map_or_else(|| category.as_str().to_owned(), |title| self.said(title).to_owned())
        };
        for (platform, there) in &privacy.platforms {
            let line = (title(&platform.category), self.reads(there), self.why(there));
            lines.entry(line).or_default().push(&platform.name);
        }
        let mut read = Vec::new();
        let mut unread = Vec::new();
        let of_platforms = privacy
            .platforms
            .iter()
            .map(|(platform, there)| (title(&platform.category), there));
        for (category, there) in of_platforms.clone() {
            let line = (category, self.reads(there), self.why(there));
            if let Some(names) = lines.remove(&line) {
                let (title, reads, why) = line;
                let platforms = names.join(", ");
                let kind = KindLine {
                    title,
                    platforms,
                    reads,
                    why,
                };
                if is_read(there) { &mut read } else { &mut unread }.push(kind);
            }
        }
        let has_platforms = |category: &Category| {
            privacy
                .platforms
                .iter()
                .any(|(one, _)| catalog.categories().closure(&one.category).contains(category))
        };
        let is_above = |category: &Category| {
            catalog
                .categories()
                .ids()
                .any(|other| catalog.categories().parents(other).contains(category))
        };
        let hosts = privacy
            .categories
            .iter()
            .filter(|(category, _)| !has_platforms(category) && !is_above(category));
        let hosts = hosts.map(|(category, there)| (title(category), there));
        let elsewhere = privacy
            .elsewhere
            .iter()
            .map(|there| (words.elsewhere.to_owned(), there));
        for (title, there) in hosts.chain(elsewhere) {
            let (reads, why) = (self.reads(there), self.why(there));
            let kind = KindLine {
                title,
                platforms: String::new(),
                reads,
                why,
            };
            if is_read(there) { &mut read } else { &mut unread }.push(kind);
        }
        // what nobody can open comes first
        unread.sort_by_key(|kind| (kind.reads != (words.reads)(&Reads::Never), !kind.platforms.is_empty()));
        (read, unread)
    }

    fn reads(&self, there: &There) -> String {
        let words = &self.words.privacy;
        let reads = (words.reads)(&there.reads);
        if there.partly {
            format!("{reads}. {}", words.partly)
        } else {
            reads
        }
    }

    fn why(&self, there: &There) -> String {
        let reasons: Vec<&str> = there.reasons.iter().map(|reason| self.said(&reason.text)).collect();
        if reasons.is_empty() {
            return self.words.privacy.no_rule.to_owned();
        }
        reasons.join(" ")
    }

    /// What is kept of people, and who may see it: as the rules say where that is a power.
    fn kept(&self, readers: &[Readers]) -> Vec<KeptLine> {
        let words = &self.words.privacy;
        let of = |power: &str| {
            let readers = readers.iter().find(|one| one.power == power);
            let roles = readers.map(|one| one.roles.iter().map(String::as_str).collect::<Vec<_>>());
            let (owner, named) = readers.map_or((false, false), |one| (one.owner, one.named));
            (words.readers)(&roles.unwrap_or_default(), owner, named)
        };
        let line = |kept: KeptWords, who: String| KeptLine {
            what: kept.what,
            holds: kept.holds,
            how_long: kept.how_long,
            who: if kept.who.is_empty() { who } else { kept.who.to_owned() },
        };
        let nobody = String::new;
        vec![
            line(words.records, (words.of_records)(&of("see-decisions"))),
            line(words.purposes, (words.of_purposes)(&of("approve"), &of("revoke"))),
            line(words.figures, capitalised(&of("see-value"))),
            line(words.refusals, nobody()),
            line(words.account, nobody()),
        ]
    }

    /// What was proved of the rules in force, by whom and when.
    fn proved(&self, promises: Option<&Promises>) -> Proved {
        let words = &self.words.privacy;
        let note = |note: &str| Proved {
            note: note.to_owned(),
            is_good: false,
            parts: Vec::new(),
        };
        let Some(promises) = promises else {
            return note(words.looking);
        };
        let Ok(all) = &promises.all else {
            return note(words.unreadable);
        };
        if all.is_empty() {
            return note(words.no_promises);
        }
        let valid = promises.valid();
        let by = valid.map(|found| {
            let day = (self.words.day)(&found.at.calendar().to_zoned(TimeZone::UTC));
            (words.proved_by)(&day, found.by.as_deref(), &found.solver)
        });
        let line = |promise: &Promise| {
            let verdict = promises.verdict(promise);
            PromiseLine {
                sentence: self.said(&promise.property.sentence).to_owned(),
                name: promise.property.name.clone(),
                result: (words.verdict)(verdict),
                is_proved: verdict == Some(Verdict::Proved),
            }
        };
        let of = |privacy| {
            all.iter()
                .filter(move |promise| promise.is_of_privacy() == privacy)
                .map(line)
                .collect()
        };
        Proved {
            is_good: all
                .iter()
                .all(|promise| promises.verdict(promise) == Some(Verdict::Proved)),
            note: by.unwrap_or_else(|| (words.not_proved)(COMMAND)),
            parts: vec![
                ("of-privacy", words.of_privacy, of(true)),
                ("of-others", words.of_others, of(false)),
            ],
        }
    }
}

fn is_read(there: &There) -> bool {
    match there.reads {
        Reads::Never | Reads::Nobody => false,
        Reads::Of(_) | Reads::Everybody => true,
    }
}

/// The same as a sentence of its own.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
