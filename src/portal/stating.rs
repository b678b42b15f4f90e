//! From one's own page to a purpose: stated, or taken in an emergency, before anything was refused.

use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;

use super::approving::Asker;
use super::case::platform_name;
use super::choosing::{chosen, covered, reaching, sent};
use super::declare::Trouble;
use super::effects::doings;
use super::emergencies::is_reviewable;
use super::intake::{Form, ON, Received};
use super::memory::Kept;
use super::pages::counter::{Glass, Open, Pick};
use super::pages::stating::{Stating, Urgent};
use super::pages::{Page, see_other};
use super::places::{Ticked, places};
use super::{Portal, Visit, times};
use crate::facts::{Channel, Grant, GrantId, PlatformId, PurposeId};
use crate::purpose::{Declaration, GROUPS, Purpose};
use crate::rulebook::{Rulebook, Visitor, Width};

/// The deed of the token with which somebody takes a purpose in an emergency.
const URGENT: &str = "break the glass";

/// The deed that the token of a purpose's form is for.
pub(super) fn stating(id: &str) -> String {
    format!("state {id}")
}

/// What a purpose opens to somebody, as far as the rules let it.
struct Reached<'a> {
    purpose: &'a Purpose,
    platforms: BTreeSet<PlatformId>,
    widths: Vec<Width>,
}

impl Portal {
    /// The purposes that somebody may state, on their own page.
    pub(super) fn open_to_me(&self, open: &[&Purpose]) -> Vec<Open> {
        let told = open.iter().map(|purpose| Open {
            id: purpose.id.to_string(),
            title: self.said(&purpose.title).to_owned(),
            description: self.said(&purpose.description).to_owned(),
            terms: self.terms_of(purpose),
            state: if purpose.approval.is_needed() {
                self.words.ask_for_approval
            } else {
                self.words.stating.declare
            },
        });
        told.collect()
    }

    /// Whether a purpose needs an approval, and for how long it lasts, which hangs on how far it goes.
    fn terms_of(&self, purpose: &Purpose) -> String {
        let of = |group: &str| purpose.default_for(&BTreeSet::from([group.to_owned()]));
        let lasts = GROUPS
            .iter()
            .filter(|group| purpose.covers.contains(**group))
            .map(|group| of(group));
        let lasts: BTreeSet<Duration> = lasts.collect();
        let [least, most] = [lasts.first(), lasts.last()].map(|lasts| lasts.copied().unwrap_or_default());
        (self.words.stating.terms)(purpose.approval.is_needed(), least, most)
    }

    fn reached<'a>(visit: &Visit<'a>, visitor: Visitor<'a>, id: &str) -> Option<Reached<'a>> {
        let rules: &'a Rulebook = visit.rules();
        let purpose = rules.open_to(visitor, visit.at).find(|one| one.id.as_str() == id)?;
        let (platforms, groups) = rules.reach(visitor, purpose, visit.at);
        let mut covers = BTreeSet::new();
        let steps = GROUPS.iter().filter(|group| groups.contains(**group)).map(|group| {
            covers.insert((*group).to_owned());
            Width::of(purpose, covers.clone())
        });
        let mut widths: Vec<Width> = steps.collect();
        let opened = rules.opened_by_stating(visitor, purpose, &platforms, visit.at);
        rules.tell_opened(&mut widths, Some(&opened));
        Some(Reached {
            purpose,
            platforms,
            widths,
        })
    }

    /// The page of one purpose.
    pub(super) fn purpose_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Page {
        match Self::reached(visit, visitor, id) {
            Some(reached) => self.stating_page(visit, visitor, &reached, (&Form::default(), Trouble::default())),
            None => self
                .lacks_training(visit, visitor, id)
                .unwrap_or_else(|| self.nothing_here()),
        }
    }

    /// That a purpose is open to the person but for a training.
    fn lacks_training(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Option<Page> {
        let purpose = visit.rules().purposes().get(&PurposeId::new(id))?;
        let course = purpose.training.as_ref()?;
        let is_trained = visitor
            .person
            .training
            .get(course)
            .is_some_and(|until| *until > visit.at);
        let may = || {
            visit
                .rules()
                .may_declare(visitor, &purpose.id, Channel::Portal, visit.at)
        };
        if is_trained || !purpose.audience.holds(visitor.person) || !may() {
            return None;
        }
        let words = &self.words.stating;
        let text = (words.untrained)(self.said(&purpose.title), course);
        Some(self.note(StatusCode::FORBIDDEN, words.untrained_title, &text))
    }

    fn stating_page(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        reached: &Reached<'_>,
        (form, trouble): (&Form, Trouble),
    ) -> Page {
        let (words, purpose) = (self.words, reached.purpose);
        let id = purpose.id.as_str();
        let asks = purpose.approval.is_needed();
        let ticket = purpose.ticket.as_ref();
        let ticked = self.ticked(visit, visitor, reached, form);
        let preset = (!form.covers.contains_key(id)).then(|| preset(visit, visitor, reached, &ticked.chosen));
        let preset = preset.flatten();
        let needed_for: Vec<&str> = ticket
            .filter(|rule| rule.required)
            .map(|_| self.said(&purpose.title))
            .into_iter()
            .collect();
        let status = if trouble.lines.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let page = Stating {
            w: words,
            who: &visitor.person.name,
            id,
            title: self.said(&purpose.title),
            description: self.said(&purpose.description),
            terms: self.terms_of(purpose),
            approval: asks.then(|| self.who_must_approve(visit, visitor, reached)),
            basis: self.said(&purpose.basis),
            retention: self.said(&purpose.retention),
            token: self.tokens.issue(&visit.subject.id, &stating(id), visit.at),
            places: places((visit.rules(), words), &purpose.id, &reached.platforms, &ticked),
            reaching: reaching(
                (visit.rules(), words),
                &reached.widths,
                asks,
                preset.as_ref().or(form.covers.get(id)),
            ),
            statement: &form.statement,
            statement_min: purpose.statement_min,
            statement_hint: (words.statement_hint)(purpose.statement_min),
            statement_wrong: trouble.statement,
            ticket_hint: ticket.map(|rule| (words.ticket_hint)(&needed_for, &[&rule.example])),
            ticket: &form.ticket,
            ticket_needed: !needed_for.is_empty(),
            ticket_wrong: trouble.ticket,
            trouble: trouble.lines,
            send: if asks {
                words.ask_for_approval
            } else {
                words.stating.declare
            },
            alternative: purpose
                .alternative
                .as_ref()
                .map(|text| (words.alternative)(self.said(text))),
            contact: self.contact(),
        };
        self.page(status, &page)
    }

    /// The platforms that are ticked. Before the form says something: the only one, or the one where they were refused last.
    fn ticked<'f>(&self, visit: &Visit<'_>, visitor: Visitor<'_>, reached: &Reached<'_>, form: &'f Form) -> Ticked<'f> {
        let mut lately = self.lately_met(visit, visitor);
        lately.retain(|id| reached.platforms.contains(id));
        let only = reached.platforms.first().filter(|_| reached.platforms.len() == 1);
        let last = lately.first().filter(|_| form.token.is_empty());
        let mut chosen = ids(&form.places);
        chosen.extend(only.or(last).cloned());
        Ticked {
            name: ON.to_owned(),
            chosen,
            lately: lately.into_iter().collect(),
            all: &form.all,
        }
    }

    /// Who must approve a purpose, or that nobody could.
    fn who_must_approve(&self, visit: &Visit<'_>, visitor: Visitor<'_>, reached: &Reached<'_>) -> String {
        let asker = Asker {
            person: visitor.person,
            arrival: visit.arrival,
            at: visit.at,
        };
        let terms = (reached.purpose, reached.widths.as_slice());
        let who = asker.must_approve(self.words, visit.in_force, terms);
        let usually = self.ledger.usually_answered_within(&reached.purpose.id, visit.at);
        let who = who.map(|who| self.words.and_how_fast(who, usually));
        who.unwrap_or_else(|| self.nobody_approves(visit, &reached.purpose.id))
    }

    /// The form of a purpose was sent.
    pub(super) async fn state_by_form(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
        id: &str,
    ) -> Page {
        let words = self.words;
        let form = match self.own_form(visit, received, |_| stating(id)).await {
            Ok(form) => form,
            Err(over) => return over,
        };
        let Some(reached) = Self::reached(visit, visitor, id) else {
            return self.nothing_here();
        };
        let asks = reached.purpose.approval.is_needed();
        let mut declaration = Declaration {
            purpose: reached.purpose.id.clone(),
            platforms: if form.all.contains(id) {
                reached.platforms.clone()
            } else {
                ids(&form.places)
            },
            covers: chosen(&reached.widths, asks, form.covers.get(id)).map(|width| width.covers.clone()),
            statement: form.statement.clone(),
            ticket: Some(form.ticket.trim().to_owned()).filter(|ticket| !ticket.is_empty()),
            duration: None,
        };
        // where nothing of it is read there is nothing to choose: it opens what the purpose covers; unless less was shown
        let was_told = form.covers.get(id).is_some_and(|said| !said.is_empty());
        if declaration.covers.is_none() && (was_told || !reached.widths.is_empty()) {
            let trouble = Trouble::line(words.stating.changed.to_owned());
            return self.stating_page(visit, visitor, &reached, (&form, trouble));
        }
        if form.all.contains(id) {
            Self::leave_out_vain(visit, visitor, &mut declaration);
        }
        match self.state(visit, visitor, &declaration).await {
            Ok(grant) => see_other(&format!("/?declared={}", grant.id)),
            Err(trouble) => self.stating_page(visit, visitor, &reached, (&form, trouble)),
        }
    }

    /// What the person stated, where the address names it: until when it is open, or that it is asked for.
    pub(super) fn just_stated(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Option<String> {
        let grant = self.ledger.get(&GrantId::new(received.asked("declared")?))?;
        let own = grant.subject == visitor.person.id;
        let told = |grant: &Grant| {
            if grant.waits(visit.at) {
                return Some(self.words.stating.asked.to_owned());
            }
            let until = times::local(self.words, grant.expires, visit.at, visitor.person);
            grant.is_live(visit.at).then(|| (self.words.granted_until)(&until))
        };
        told(&grant).filter(|_| own)
    }

    /// The same with what was filled in, and what is wrong with it.
    pub(super) fn urgent(&self, visit: &Visit<'_>, visitor: Visitor<'_>, form: &Form, trouble: Vec<String>) -> Page {
        let words = self.words;
        let mut platforms = BTreeSet::new();
        let mut choices = Vec::new();
        for purpose in visit.rules().purposes().iter() {
            let (there, groups) = visit.rules().reach_in_emergency(visitor, purpose, visit.at);
            if there.is_empty() || !is_reviewable(visit, visitor, purpose, &groups) {
                continue;
            }
            let opened = visit.rules().opened_in_emergency(visitor, purpose, &there, visit.at);
            platforms.extend(there);
            choices.push(Glass {
                id: purpose.id.to_string(),
                title: self.said(&purpose.title).to_owned(),
                effect: (words.stating.opens)(&doings((visit.rules(), words), &groups, &opened)),
                covers: sent(&groups),
                ticket: purpose.ticket.as_ref().map(|rule| (words.ticket_needed)(&rule.example)),
            });
        }
        let last = self.lately_met(visit, visitor).first().map(PlatformId::to_string);
        let wanted = Some(form.platform.clone())
            .filter(|platform| !platform.is_empty())
            .or(last);
        let status = if trouble.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let page = Urgent {
            w: words,
            who: &visitor.person.name,
            token: self.tokens.issue(&visit.subject.id, URGENT, visit.at),
            choices,
            platforms: picks(visit.rules(), &platforms, wanted.as_deref()),
            statement: &form.statement,
            ticket: &form.ticket,
            chosen: &form.purpose,
            trouble,
            contact: self.contact(),
        };
        self.page(status, &page)
    }

    /// Where the person was refused something lately, the latest first.
    fn lately_met(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Vec<PlatformId> {
        let met = self.memory.of(&visitor.person.id, visit.at);
        let platform = |kept: &Kept| kept.refused.refusal.place.platform.clone();
        met.iter().filter_map(|kept| platform(kept)).collect()
    }

    /// The form of an emergency was sent.
    pub(super) async fn urgent_by_form(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let form = match self.own_form(visit, received, |_| URGENT.to_owned()).await {
            Ok(form) => form,
            Err(over) => return over,
        };
        let id = PurposeId::new(form.purpose.as_str());
        let purpose = visit.rules().purposes().get(&id);
        let reached = || {
            let groups = visit.rules().reach_in_emergency(visitor, purpose?, visit.at).1;
            Some(groups).filter(|groups| !groups.is_empty())
        };
        // what was shown, whatever the rules would open by now
        let shown = form.covers.get(id.as_str());
        let declaration = Declaration {
            purpose: id.clone(),
            platforms: BTreeSet::from([PlatformId::new(form.platform.as_str())]),
            covers: shown.map_or_else(reached, |shown| covered(shown)),
            statement: form.statement.clone(),
            ticket: Some(form.ticket.trim().to_owned()).filter(|ticket| !ticket.is_empty()),
            duration: None,
        };
        match self.break_glass(visit, visitor, &declaration, Channel::Portal).await {
            Ok(grant) => see_other(&format!("/?declared={}", grant.id)),
            Err(why) => {
                let text = self.not_granted_in_words(visit, Some(&id), &why);
                self.urgent(visit, visitor, &form, vec![text])
            }
        }
    }
}

/// What is chosen beforehand where nobody need approve it and platforms are ticked already: no further than opens something
/// on each of these.
fn preset(
    visit: &Visit<'_>,
    visitor: Visitor<'_>,
    reached: &Reached<'_>,
    ticked: &BTreeSet<PlatformId>,
) -> Option<String> {
    let purpose = reached.purpose;
    if purpose.approval.is_needed() || ticked.is_empty() || reached.widths.len() < 2 {
        return None;
    }
    let opens = |width: &&Width| {
        let rules = visit.rules();
        rules.is_worth_declaring(visitor, purpose, (&width.covers, ticked), visit.at)
    };
    let least = reached.widths.iter().find(opens)?;
    Some(sent(&least.covers))
}

fn ids(said: &BTreeSet<String>) -> BTreeSet<PlatformId> {
    said.iter().map(|id| PlatformId::new(id.as_str())).collect()
}

/// Platforms to choose one of, by their names.
fn picks(rules: &Rulebook, among: &BTreeSet<PlatformId>, chosen: Option<&str>) -> Vec<Pick> {
    let picks = among.iter().map(|platform| Pick {
        id: platform.to_string(),
        title: platform_name(rules, platform),
        chosen: chosen == Some(platform.as_str()),
    });
    let mut picks: Vec<Pick> = picks.collect();
    picks.sort_by_key(|pick| pick.title.to_lowercase());
    picks
}
