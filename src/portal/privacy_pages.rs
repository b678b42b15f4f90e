//! The page that a works council reads: what is decrypted and what never is, what is kept, and what was proved.

use http::StatusCode;
use jiff::tz::TimeZone;

use super::pages::privacy::{GroundLine, KeptLine, KindLine, PrivacyPage, PromiseLine, Proved};
use super::pages::{Page, retry_after};
use super::privacy::Privacy;
use super::revocations::AGAIN;
use super::words::KeptWords;
use super::{Portal, Visit};
use crate::catalog::Catalog;
use crate::facts::{Category, Reason};
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
            grounds: self.grounds(visit),
            proved: self.proved(privacy.promises.as_deref()),
            rulebook: visit.rules().id().to_string(),
            contact: self.contact(),
        };
        self.page(StatusCode::OK, &page)
    }

    /// The kinds of sites that are read, and those that are not.
    fn kinds(&self, privacy: &Privacy<'_>, catalog: &Catalog) -> (Vec<KindLine>, Vec<KindLine>) {
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        let lines = self.of_platforms(privacy, catalog);
        for (kind, there) in lines.into_iter().chain(self.of_hosts(privacy, catalog)) {
            if is_read(there) { &mut read } else { &mut unread }.push(kind);
        }
        unread.sort_by_key(|kind| !kind.platforms.is_empty());
        (read, unread)
    }

    /// The platforms: those of one category of which the same is so are one line.
    fn of_platforms<'p>(&self, privacy: &'p Privacy<'_>, catalog: &Catalog) -> Vec<(KindLine, &'p There)> {
        let mut lines: Vec<(KindLine, &There)> = Vec::new();
        for (platform, there) in &privacy.platforms {
            let mut new = self.kind(self.title(catalog, &platform.category), there);
            let same = |(line, _): &&mut (KindLine, &There)| {
                (&line.title, &line.reads, &line.why) == (&new.title, &new.reads, &new.why)
            };
            if let Some((line, _)) = lines.iter_mut().find(same) {
                line.platforms = format!("{}, {}", line.platforms, platform.name);
            } else {
                new.platforms.clone_from(&platform.name);
                lines.push((new, there));
            }
        }
        lines
    }

    /// The categories that no platform is in, and what the catalogue does not list.
    fn of_hosts<'p>(&self, privacy: &'p Privacy<'_>, catalog: &Catalog) -> Vec<(KindLine, &'p There)> {
        let tree = catalog.categories();
        let has_platforms = |category: &Category| {
            let mut platforms = privacy.platforms.iter();
            platforms.any(|(one, _)| tree.closure(&one.category).contains(category))
        };
        let is_above = |category: &Category| tree.ids().any(|other| tree.parents(other).contains(category));
        let hosts = privacy.categories.iter();
        let hosts = hosts.filter(|(category, _)| !has_platforms(category) && !is_above(category));
        let hosts = hosts.map(|(category, there)| (self.kind(self.title(catalog, category), there), there));
        let elsewhere = privacy.elsewhere.iter();
        let elsewhere = elsewhere.map(|there| (self.kind(self.words.privacy.elsewhere.to_owned(), there), there));
        hosts.chain(elsewhere).collect()
    }

    fn kind(&self, title: String, there: &There) -> KindLine {
        KindLine {
            title,
            platforms: String::new(),
            reads: self.reads(there),
            why: self.why(there),
        }
    }

    fn title(&self, catalog: &Catalog, category: &Category) -> String {
        let title = catalog.categories().title(category);
        title.map_or(category.as_str(), |title| self.said(title)).to_owned()
    }

    fn reads(&self, there: &There) -> String {
        let words = &self.words.privacy;
        let reads = (words.reads)(&there.reads);
        let partly = there.partly.then_some(words.partly);
        let of_you = (there.of_you && there.reads != Reads::Everybody).then_some(words.of_you);
        let notes: Vec<&str> = partly.into_iter().chain(of_you).collect();
        if notes.is_empty() {
            reads
        } else {
            format!("{reads}. {}", notes.join(" "))
        }
    }

    fn why(&self, there: &There) -> String {
        let words = &self.words.privacy;
        let mut why: Vec<String> = match there.reads {
            Reads::Never if there.reasons.is_empty() => vec![words.no_rule.to_owned()],
            Reads::Conditionally => vec![(words.may_let)(&self.by_name(&there.reasons))],
            Reads::Never | Reads::Of(_) | Reads::Everybody => {
                let reasons = there.reasons.iter();
                reasons.map(|reason| self.said(&reason.text).to_owned()).collect()
            }
        };
        if !there.others.is_empty() {
            why.push((words.may_let_others)(&self.by_name(&there.others)));
        }
        why.join(" ")
    }

    /// Rules by what they say and what they are called.
    fn by_name(&self, rules: &[Reason]) -> String {
        let rules = rules.iter();
        let rules = rules.map(|rule| format!("{} ({})", self.said(&rule.text), rule.policy));
        rules.collect::<Vec<_>>().join(" ")
    }

    /// What is kept of people, and who may see it: as the rules say where that is a power.
    fn kept(&self, readers: &[Readers]) -> Vec<KeptLine> {
        let words = &self.words.privacy;
        let of = |power: &str| {
            let readers = readers.iter().find(|one| one.power == power);
            let roles = readers.map(|one| one.roles.iter().map(String::as_str).collect::<Vec<_>>());
            let (owner, named) = readers.map_or((false, false), |one| (one.owner, one.named));
            let others = readers.map_or_else(String::new, |one| self.by_name(&one.others));
            (words.readers)(&roles.unwrap_or_default(), (owner, named), &others)
        };
        let line = |kept: KeptWords, who: String| KeptLine {
            what: kept.what,
            holds: kept.holds,
            how_long: kept.how_long,
            who: if kept.who.is_empty() { who } else { kept.who.to_owned() },
        };
        let nobody = String::new;
        let refusals = if self.ledger.is_shared() {
            words.refusals_shared
        } else {
            words.refusals
        };
        vec![
            line(words.records, (words.of_records)(&of("see-decisions"))),
            line(words.purposes, (words.of_purposes)(&of("approve"), &of("revoke"))),
            line(words.figures, capitalised(&of("see-value"))),
            line(refusals, nobody()),
            line(words.drafts, nobody()),
            line(words.account, nobody()),
            line(words.looks, nobody()),
        ]
    }

    /// What their owners wrote of purposes, by title.
    fn grounds(&self, visit: &Visit<'_>) -> Vec<GroundLine> {
        let purposes = visit.rules().purposes().iter().map(|purpose| GroundLine {
            title: self.said(&purpose.title).to_owned(),
            basis: self.said(&purpose.basis).to_owned(),
            retention: self.said(&purpose.retention).to_owned(),
        });
        let mut purposes: Vec<GroundLine> = purposes.collect();
        purposes.sort_by_key(|one| one.title.to_lowercase());
        purposes
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
                sentence: self.promised(&promise.property),
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
        Reads::Never => false,
        Reads::Conditionally | Reads::Of(_) | Reads::Everybody => true,
    }
}

/// The same as a sentence of its own.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).chain(['.']).collect()
}
