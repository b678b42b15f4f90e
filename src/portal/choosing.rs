//! Which purposes can be chosen where something was refused, how far each could go, and what they ask of whoever states them.

use std::collections::BTreeSet;

use super::approving::Asker;
use super::effects::doings;
use super::intake::{ALSO, Form};
use super::pages::Told;
use super::pages::stating::{Choice, Reaching};
use super::places::{Ticked, places};
use super::words::Words;
use crate::facts::{Observation, Offer, PlatformId};
use crate::purpose::TicketRule;
use crate::rulebook::{InForce, Rulebook, Width};

/// Between the groups of activities that one choice sends.
const BETWEEN: &str = ",";

/// An offer, and how far a grant of it may go.
pub(super) struct HowFar<'a> {
    pub(super) offer: &'a Offer,
    widths: Vec<Width>,
    elsewhere: BTreeSet<PlatformId>,
}

/// The purposes to choose among.
#[derive(Default)]
pub(super) struct Choices {
    /// What each of them would open, where it is the same.
    pub(super) common: Option<String>,
    pub(super) shown: Vec<Choice>,
    /// Those that need an approval, where others do without.
    pub(super) folded: Vec<Choice>,
}

impl<'a> HowFar<'a> {
    /// How far one goes there.
    fn of(rules: &Rulebook, seen: &Observation, offer: &'a Offer) -> Self {
        Self {
            widths: rules.widths(seen, offer),
            elsewhere: BTreeSet::new(),
            offer,
        }
    }

    /// How far the one goes that a form takes, and on which other platforms it means it.
    pub(super) fn meant(rules: &Rulebook, seen: &Observation, offer: &'a Offer, form: &Form) -> Self {
        let elsewhere = if form.all.contains(offer.purpose.as_str()) {
            rules.elsewhere(seen, &[offer]).pop().unwrap_or_default()
        } else {
            form.also(&offer.purpose).collect()
        };
        Self {
            elsewhere,
            ..Self::of(rules, seen, offer)
        }
    }

    /// The other platforms.
    pub(super) fn elsewhere(&self) -> &BTreeSet<PlatformId> {
        &self.elsewhere
    }

    /// How far each of them goes there, and where else.
    pub(super) fn all(rules: &Rulebook, seen: &Observation, offers: &[&'a Offer]) -> Vec<Self> {
        let elsewhere = rules.elsewhere(seen, offers);
        let all = offers.iter().zip(elsewhere).map(|(offer, elsewhere)| Self {
            elsewhere,
            ..Self::of(rules, seen, offer)
        });
        all.collect()
    }

    /// The choice that a form sends; what is chosen beforehand, where it sends none; nothing, where there is no such choice.
    pub(super) fn chosen(&self, form: &Form) -> Option<&Width> {
        let said = form.covers.get(self.offer.purpose.as_str());
        chosen(&self.widths, self.offer.needs_approval, said)
    }

    fn beforehand(&self) -> Option<&Width> {
        beforehand(&self.widths, self.offer.needs_approval)
    }
}

/// Least privilege, where nobody is asked; where somebody is, all that it opens: so that they are asked once.
fn beforehand(widths: &[Width], needs_approval: bool) -> Option<&Width> {
    if needs_approval { widths.last() } else { widths.first() }
}

/// What a form says of these; what is chosen beforehand where it says nothing.
pub(super) fn chosen<'w>(widths: &'w [Width], needs_approval: bool, said: Option<&String>) -> Option<&'w Width> {
    match said {
        Some(said) => widths.iter().find(|width| sent(&width.covers) == *said),
        None => beforehand(widths, needs_approval),
    }
}

/// How far it can go, as choices. One is no choice: it is sent along, so that what is given is what was shown.
pub(super) fn reaching(
    (rules, words): (&Rulebook, &Words),
    widths: &[Width],
    needs_approval: bool,
    said: Option<&String>,
) -> Vec<Reaching> {
    let chosen = chosen(widths, needs_approval, said).or_else(|| beforehand(widths, needs_approval));
    let shown = widths.iter().enumerate().map(|(step, width)| {
        let said = if step == 0 && widths.len() > 1 {
            words.stating.only
        } else {
            words.stating.further
        };
        Reaching {
            value: sent(&width.covers),
            label: said(&doings((rules, words), &width.covers, &width.opens), width.default_for),
            chosen: chosen == Some(width),
        }
    });
    shown.collect()
}

/// The purposes that would help, as they can be chosen.
pub(super) fn choices(
    told: &Told<'_>,
    (in_force, seen): (&InForce, &Observation),
    offers: &[HowFar<'_>],
    form: &Form,
) -> Choices {
    let all: Vec<(&Offer, Choice)> = offers
        .iter()
        .map(|far| (far.offer, choice(told, (in_force, seen), (far, offers.len()), form)))
        .collect();
    let free = all.iter().filter(|(offer, _)| !offer.needs_approval).count();
    let (mut folded, mut shown): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(offer, _)| free > 1 && offer.needs_approval);
    let common = match shown.as_slice() {
        [(_, first), rest @ ..] if !rest.is_empty() && rest.iter().all(|(_, one)| one.effect == first.effect) => {
            first.effect.clone()
        }
        [..] => None,
    };
    for (_, choice) in shown.iter_mut().chain(&mut folded) {
        if choice.effect == common {
            choice.effect = None;
        }
    }
    let only = |all: Vec<(&Offer, Choice)>| all.into_iter().map(|(_, choice)| choice).collect();
    Choices {
        common,
        shown: only(shown),
        folded: only(folded),
    }
}

fn choice(
    told: &Told<'_>,
    (in_force, seen): (&InForce, &Observation),
    (far, of): (&HowFar<'_>, usize),
    form: &Form,
) -> Choice {
    let (words, offer) = (told.words, far.offer);
    let purpose = in_force.rulebook.purposes().get(&offer.purpose);
    let approval = || Asker::seen(seen)?.must_approve(words, in_force, (purpose?, &far.widths));
    let least = || Width {
        covers: offer.covers.clone(),
        default_for: offer.default_for,
        idle: offer.idle,
        opens: BTreeSet::new(),
    };
    let preset = far.beforehand().cloned().unwrap_or_else(least);
    Choice {
        id: offer.purpose.to_string(),
        title: offer.title.said_in(words.language).to_owned(),
        description: purpose.map_or_else(String::new, |purpose| {
            purpose.description.said_in(words.language).to_owned()
        }),
        effect: Some((words.effect)(
            &doings((&in_force.rulebook, words), &preset.covers, &preset.opens),
            told.place,
            preset.default_for,
        )),
        approval: offer
            .needs_approval
            .then(approval)
            .flatten()
            .map(|who| words.and_how_fast(who, offer.answered_within)),
        ticket: ticket_of(&in_force.rulebook, offer)
            .filter(|rule| rule.required)
            .map(|rule| (words.ticket_needed)(&rule.example)),
        also: {
            let ticked = Ticked {
                name: format!("{ALSO}{}.", offer.purpose),
                chosen: form.also(&offer.purpose).collect(),
                lately: BTreeSet::new(),
                all: &form.all,
            };
            places((&in_force.rulebook, words), &offer.purpose, &far.elsewhere, &ticked)
        },
        chosen: of == 1 || offer.purpose.as_str() == form.purpose,
        reaching: reaching(
            (&in_force.rulebook, words),
            &far.widths,
            offer.needs_approval,
            form.covers.get(offer.purpose.as_str()),
        ),
    }
}

/// What a form sends for groups of activities.
pub(super) fn sent(covers: &BTreeSet<String>) -> String {
    let covers: Vec<&str> = covers.iter().map(String::as_str).collect();
    covers.join(BETWEEN)
}

/// The groups that a form sends; none where it sends that there were none to choose.
pub(super) fn covered(said: &str) -> Option<BTreeSet<String>> {
    (!said.is_empty()).then(|| said.split(BETWEEN).map(str::to_owned).collect())
}

/// The most lenient of the purposes' demands on the statement: the gateway checks the chosen purpose's own.
pub(super) fn least_statement(rules: &Rulebook, offers: &[&Offer]) -> usize {
    let least = |offer: &&Offer| {
        rules
            .purposes()
            .get(&offer.purpose)
            .map_or(0, |purpose| purpose.statement_min)
    };
    offers.iter().map(least).min().unwrap_or(0)
}

fn ticket_of<'a>(rules: &'a Rulebook, offer: &Offer) -> Option<&'a TicketRule> {
    rules.purposes().get(&offer.purpose)?.ticket.as_ref()
}

/// For which purposes a ticket must be named, else how one looks that may be; nothing where no purpose asks for one.
pub(super) fn ticket_hint(rules: &Rulebook, offers: &[&Offer], words: &Words) -> Option<String> {
    let asking = || {
        offers
            .iter()
            .filter_map(|offer| Some((offer, ticket_of(rules, offer)?)))
    };
    let needed_for: Vec<&str> = asking()
        .filter(|(_, rule)| rule.required)
        .map(|(offer, _)| offer.title.said_in(words.language))
        .collect();
    let examples: Vec<&str> = asking().map(|(_, rule)| rule.example.as_str()).collect();
    (!examples.is_empty()).then(|| (words.ticket_hint)(&needed_for, &examples))
}
