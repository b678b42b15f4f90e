//! A case about a flow: somebody reaches for something, perhaps under grants.

use std::collections::BTreeSet;

use super::run::{Bench, Came, Setting};
use crate::clock::Timestamp;
use crate::facts::fields::Fields;
use crate::facts::{
    Activity, Ask, Channel, Grant, GrantId, GrantState, Observation, PlatformId, Reading, Reason, Standing,
};
use crate::purpose::GROUPS;
use crate::rulebook::described::Described;

const GRANT: &[&str] = &["purpose", "platforms", "covers", "approved-by", "ticket", "expires"];

/// What is wrong has been reported.
struct Reported;

impl Bench<'_> {
    pub(super) fn flow(&self, case: &Fields<'_, '_>, setting: &Setting) -> Option<Came> {
        let ask = self.ask(case)?;
        let standing = Standing::new(self.grants(case, setting, &ask)?, setting.at);
        let seen = Observation {
            arrival: setting.arrival.clone(),
            subject: setting.subject.clone(),
            person: setting.person.clone(),
            ask,
            standing,
            selected: None,
            at: setting.at,
        };
        let reading = self.given_reading(case).ok()?;
        let judgement = self.rules.judge_as(&seen, reading.as_ref());
        let remedy = self.rules.remedy_as(&seen, reading.as_ref());
        let reasons = judgement.reasons().iter().chain(judgement.inspect_reasons());
        Some(Came {
            outcome: judgement.outcome_if(&remedy),
            reasons: reasons.cloned().collect::<Vec<Reason>>(),
            offers: remedy.offers.iter().map(|offer| offer.purpose.clone()).collect(),
            inspect: Some(judgement.inspect()),
            reads_as: judgement.reading().map(|reading| reading.activity.to_string()),
            under: judgement.grant().map(|grant| grant.purpose.clone()),
            would: judgement.would(),
            troubles: judgement.troubles().to_vec(),
        })
    }

    fn ask(&self, case: &Fields<'_, '_>) -> Option<Ask> {
        let headers = case.table("headers", &[]);
        let field = |headers: &Fields<'_, '_>, name: &str| Some((name.to_owned(), headers.text(name)?.value));
        let headers = headers
            .iter()
            .flat_map(|headers| headers.keys().filter_map(|(name, _)| field(headers, name)));
        let to = case.needed("to");
        let described = Described {
            headers: headers.collect(),
            method: case.text("method").map(|method| method.value),
            body: case.text("body").map(|body| body.value),
            to: to.value,
        };
        let help = "write a URL for a request, `host` or `host:443` for a tunnel";
        let ask = self.rules.ask_of(&described);
        ask.map_err(|bad| case.report("bad-place", to.span, bad, help)).ok()
    }

    /// What the case says that the request does: then the catalogue is not asked.
    fn given_reading(&self, case: &Fields<'_, '_>) -> Result<Option<Reading>, Reported> {
        let Some(word) = case.text("does") else {
            return Ok(None);
        };
        let activity = Activity::new(word.value.clone());
        let known = self.rules.policy().vocabulary().activities();
        if !known.contains_key(&activity) {
            Self::unknown(case, &word, "activity", known.keys().map(Activity::as_str));
            return Err(Reported);
        }
        Ok(Some(Reading {
            activities: [activity.clone()].into(),
            activity,
            signatures: BTreeSet::new(),
        }))
    }

    /// The grants in force: the one that `purpose` stands for, and those of `grants`.
    fn grants(&self, case: &Fields<'_, '_>, setting: &Setting, ask: &Ask) -> Option<Vec<Grant>> {
        let own = case.has("purpose").then_some(case);
        let listed = case.tables("grants", GRANT);
        let entries = own.into_iter().chain(&listed).enumerate();
        entries
            .map(|(number, entry)| self.grant(entry, number, setting, ask))
            .collect()
    }

    fn grant(&self, entry: &Fields<'_, '_>, number: usize, setting: &Setting, ask: &Ask) -> Option<Grant> {
        let purpose = self.purpose(entry, &entry.needed("purpose"))?;
        let Some(person) = &setting.person else {
            entry.report("nobody", entry.span, "nobody holds this grant", "add `who = \"ada\"`");
            return None;
        };
        for word in entry
            .texts("covers")
            .iter()
            .filter(|word| !GROUPS.contains(&word.value.as_str()))
        {
            Self::unknown(entry, word, "group of activities", GROUPS.into_iter());
        }
        let covers = if entry.has("covers") {
            entry.set("covers")
        } else {
            purpose.covers.clone()
        };
        let approved_by = match entry.text("approved-by") {
            Some(name) => Some(Self::subject(entry, &name)?),
            None => None,
        };
        Some(Grant {
            id: GrantId::new(format!("grant-{number}")),
            subject: person.id.clone(),
            purpose: purpose.id.clone(),
            platforms: self.platforms(entry, ask),
            statement: String::new(),
            ticket: entry.text("ticket").map(|ticket| ticket.value),
            channel: Channel::Portal,
            declared_at: setting.at,
            not_before: Timestamp::from_millis(0),
            expires: Self::expires(entry).unwrap_or_else(|| setting.at.plus(purpose.default_for(&covers))),
            covers,
            approved_by,
            state: GrantState::Active,
        })
    }

    /// The platforms of a grant: those it names, or the one that the case is about.
    fn platforms(&self, entry: &Fields<'_, '_>, ask: &Ask) -> BTreeSet<PlatformId> {
        let named = entry.texts("platforms");
        for word in &named {
            if self
                .rules
                .catalog()
                .platform(&PlatformId::new(word.value.clone()))
                .is_none()
            {
                let known = self.rules.catalog().platforms().map(|platform| platform.id.as_str());
                Self::unknown(entry, word, "platform", known);
            }
        }
        if entry.has("platforms") {
            return named.into_iter().map(|word| PlatformId::new(word.value)).collect();
        }
        self.rules.catalog().place(ask.host()).platform.into_iter().collect()
    }

    fn expires(entry: &Fields<'_, '_>) -> Option<Timestamp> {
        let text = entry.moment("expires").filter(|_| entry.has("expires"))?;
        let parsed = text.value.parse::<Timestamp>();
        let message = format!("`{}` is not a moment", text.value);
        parsed
            .map_err(|_| entry.report("bad-moment", text.span, message, "write `2026-11-24T10:00:00Z`"))
            .ok()
    }
}
