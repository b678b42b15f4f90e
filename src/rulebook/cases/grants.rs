//! The grants that a case supposes.

use std::collections::BTreeSet;

use super::read::{Bench, GRANT, Setting};
use crate::clock::Timestamp;
use crate::facts::fields::Fields;
use crate::facts::{Answer, Ask, Channel, Emergency, Grant, GrantId, GrantState, PlatformId};
use crate::policy::NamedKind;
use crate::purpose::GROUPS;

impl Bench<'_> {
    /// The grants in force: the one that `purpose` stands for, and those of `grants`.
    pub(super) fn grants(
        &self,
        case: &Fields<'_, '_>,
        setting: Option<&Setting>,
        ask: Option<&Ask>,
    ) -> Option<Vec<Grant>> {
        let own = case.has("purpose").then_some(case);
        let listed = case.tables("grants", GRANT);
        let entries = own.into_iter().chain(&listed).enumerate();
        // each is read, whatever is wrong with another
        let grants: Vec<Option<Grant>> = entries
            .map(|(number, entry)| self.grant(entry, number, setting, ask))
            .collect();
        grants.into_iter().collect()
    }

    fn grant(
        &self,
        entry: &Fields<'_, '_>,
        number: usize,
        setting: Option<&Setting>,
        ask: Option<&Ask>,
    ) -> Option<Grant> {
        let purpose = entry.required("purpose").and_then(|name| self.purpose(entry, name));
        let covers = entry.texts("covers").into_iter();
        for word in covers.filter(|word| !GROUPS.contains(&word.value)) {
            Self::unknown(entry, word, "group of activities", GROUPS.into_iter());
        }
        let approved_by = entry.text("approved-by").map(|name| Self::subject(entry, name));
        let platforms = self.platforms(entry, ask);
        let [declared, expires] = ["declared", "expires"].map(|key| Self::stated_moment(entry, key));
        let emergency = entry.flag("emergency").unwrap_or(false);
        let (setting, purpose) = (setting?, purpose?);
        let Some(person) = &setting.person else {
            entry.report("nobody", entry.span, "nobody holds this grant", "add `who = \"ada\"`");
            return None;
        };
        let covers = if entry.has("covers") {
            entry.set("covers")
        } else {
            purpose.covers.clone()
        };
        Some(Grant {
            id: GrantId::new(format!("grant-{number}")),
            subject: person.id.clone(),
            purpose: purpose.id.clone(),
            platforms: platforms.into(),
            statement: String::new(),
            ticket: entry.text("ticket").map(|ticket| ticket.value.to_owned()),
            channel: Channel::Portal,
            declared_at: declared.unwrap_or(setting.at),
            not_before: Timestamp::from_millis(0),
            expires: expires.unwrap_or_else(|| setting.at.plus(purpose.default_for(&covers))),
            covers: covers.into(),
            answer_by: None,
            answers: match approved_by {
                Some(name) => vec![Answer::approval(name?, setting.at)],
                None => Vec::new(),
            },
            idle: None,
            used_at: None,
            parent: None,
            emergency: emergency.then_some(Emergency {
                review_by: setting.at,
                review: None,
            }),
            continued: None,
            delegated: None,
            state: GrantState::Active,
            ended_at: None,
            ended: None,
            report: None,
            came: None,
        })
    }

    /// The platforms of a grant: those it names, or the one that the case is about.
    fn platforms(&self, entry: &Fields<'_, '_>, ask: Option<&Ask>) -> BTreeSet<PlatformId> {
        let catalog = self.words.catalog;
        let named = entry.texts("platforms");
        for word in named.iter().filter(|_| self.words.has_all(NamedKind::Platform)) {
            let id = PlatformId::new(word.value);
            if catalog.platform(&id).is_none() {
                let known = catalog.platforms().map(|platform| platform.id.as_str());
                Self::unknown(entry, *word, "platform", known);
            }
        }
        if entry.has("platforms") {
            return named.into_iter().map(|word| PlatformId::new(word.value)).collect();
        }
        ask.and_then(|ask| catalog.place_of(ask).platform).into_iter().collect()
    }

    fn stated_moment(entry: &Fields<'_, '_>, key: &str) -> Option<Timestamp> {
        let text = entry.moment(key).filter(|_| entry.has(key))?;
        let parsed = text.value.parse::<Timestamp>();
        let message = format!("`{}` is not a moment", text.value);
        parsed
            .map_err(|_| entry.report("bad-moment", text.span, message, "write `2026-11-24T10:00:00Z`"))
            .ok()
    }
}
