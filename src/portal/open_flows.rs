//! What is open now: tunnels, sockets, event streams, and whatever else takes its time, which is in no list of decisions before it
//! ends. For whom the rules let read decisions, of those whose decisions they may read; that they look is recorded as a search is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::api::channel;
use super::case::platform_name;
use super::decision_pages::sender;
use super::decisions::Unseen;
use super::intake::Received;
use super::pages::Page;
use super::pages::open::{Line, Open};
use super::paging::{self, Listed, Order, Paging, is_name};
use super::sees::Sees;
use super::wanted::{self, BadFilter, Wanted};
use super::{Portal, Visit, times};
use crate::audit::{Lasting, OpenFlow};
use crate::facts::{AccessAct, Channel, DecisionNote, Observation, Scope};
use crate::rulebook::Visitor;

/// Tunnels that are read are told once they have been open for so long: a browser opens many for a moment.
const READ_FOR: Duration = Duration::from_secs(5);

/// How many stand on one page.
const ON_A_PAGE: usize = 50;
/// What may stand in the address of the page beside filters.
const ALSO: &[&str] = &["after", "lang"];

impl Portal {
    /// What is open now of what somebody looks for and may see, the newest first; once it is recorded that they look.
    async fn open_now(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (wanted, channel): (&Wanted, Channel),
    ) -> Result<Vec<Arc<OpenFlow>>, Unseen> {
        let policies = Self::may_watch(visit, visitor, channel).ok_or(Unseen::NotAllowed)?;
        let mut noted = wanted.clone();
        noted.said.insert("open".to_owned(), "now".to_owned());
        self.note_looking(visit, &noted, AccessAct::Searched, policies).await?;
        let mut sees = Sees::of(visit, visitor, channel);
        let (book, filter, at) = (self.book.clone(), wanted.filter.clone(), visit.at);
        let look = move || {
            let mut flows = book.open_flows();
            // the rules are asked about the senders of what is looked for alone
            flows.retain(|flow| {
                let is_told = flow.kind != Lasting::Read || at.since(flow.record.at) >= READ_FOR;
                is_told && filter.admits(&flow.record)
            });
            flows.retain(|flow| flow.judged().is_some_and(|(seen, _)| sees.may_see(seen)));
            flows.reverse();
            flows
        };
        Ok(self.searches.run(&visitor.person.id, look).await?)
    }

    /// The page of what is open now.
    pub(super) async fn open_page(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let (wanted, mut bad) = Wanted::of(received, visit.at, ALSO);
        let after = received.asked("after");
        if Self::may_watch(visit, visitor, Channel::Portal).is_none() || !after.as_deref().is_none_or(is_name) {
            return self.nothing_here();
        }
        let is_led_here = super::provenance::is_led_here(&received.headers);
        let looks = bad.is_empty() && !is_led_here;
        let flows = if looks {
            match self.open_now(visit, visitor, (&wanted, Channel::Portal)).await {
                Ok(flows) => flows,
                Err(why) => return self.unseen_decisions_page(&why),
            }
        } else {
            Vec::new()
        };
        if looks && flows.is_empty() {
            bad.extend(wanted.unknown(visit, visitor, Channel::Portal));
        }
        let paging = Paging {
            limit: ON_A_PAGE,
            after,
        };
        let count = flows.len();
        let Listed { items, next } = paging.page(flows, Order::Falling, |flow| flow.record.id.to_string());
        let words = self.words;
        let page = Open {
            w: words,
            who: &visitor.person.name,
            texts: self.texts_of(&wanted, &["user", "host", "client", "grant"]),
            platforms: super::decision_pages::platforms(words, visit, &wanted),
            purposes: self.purposes_to_pick(visit, &wanted),
            wrong: bad.iter().map(words.decisions.bad_filter).collect(),
            led_here: (is_led_here && bad.is_empty()).then_some(words.decisions.led_here),
            count: looks.then(|| (words.open.count)(count)),
            lines: items
                .iter()
                .filter_map(|flow| self.open_line(visit, visitor, flow))
                .collect(),
            here: wanted.address("/open", &[]),
            older: next.map(|next| wanted.address("/open", &[("after", &next)])),
            contact: self.contact(),
        };
        self.page(wanted::status(&bad), &page)
    }

    fn open_line(&self, visit: &Visit<'_>, visitor: Visitor<'_>, flow: &OpenFlow) -> Option<Line> {
        let (seen, note) = flow.judged()?;
        let words = self.words;
        let [up, down] = flow.carried().map(words.value.bytes);
        let platform = note.platform.as_ref().map(|id| platform_name(visit.rules(), id));
        let grant = note.grant.as_ref().and_then(|id| self.ledger.get(id));
        let may_look = grant.filter(|grant| visit.may_look_at(visitor, grant));
        Some(Line {
            at: flow.record.at.to_string(),
            when: times::exact(words, flow.record.at, visit.at, visitor.person),
            lasts: (words.open.lasts)(visit.at.since(flow.record.at)),
            who: sender(words, seen),
            from: seen.arrival.client.ip().to_canonical().to_string(),
            what: (words.open.kind)(flow.kind),
            place: match platform {
                Some(platform) => format!("{}, {platform}", note.host),
                None => note.host.to_string(),
            },
            purpose: note.purpose.as_ref().map(|id| self.purpose_title(visit.rules(), id)),
            grant: may_look.map(|grant| format!("/grants/{}", grant.id)),
            // what passes through a tunnel that is read is counted with its requests
            carried: if flow.kind == Lasting::Read {
                String::new()
            } else {
                (words.explained.up_and_down)(&up, &down)
            },
        })
    }

    /// What tools are told of what is open now.
    pub(super) async fn list_open(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let channel = channel(received);
        if let Some(refused) = self.not_covered(visit, &received.headers, &[Scope::Decisions]) {
            return refused;
        }
        if Self::may_watch(visit, visitor, channel).is_none() {
            return self.unseen_decisions(&Unseen::NotAllowed);
        }
        let paging = match Paging::of(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        let (wanted, bad) = Wanted::of(received, visit.at, &["limit", "after"]);
        let unfit = |bad: &[BadFilter]| wanted::unfit(bad, Vec::new()).answer();
        if !bad.is_empty() {
            return unfit(&bad);
        }
        let flows = match self.open_now(visit, visitor, (&wanted, channel)).await {
            Ok(flows) => flows,
            Err(why) => return self.unseen_decisions(&why),
        };
        let unknown = wanted.unknown(visit, visitor, channel);
        if flows.is_empty() && !unknown.is_empty() {
            return unfit(&unknown);
        }
        let Listed { items, next } = paging.page(flows, Order::Falling, |flow| flow.record.id.to_string());
        let items = items
            .iter()
            .filter_map(|flow| Some(told(flow, flow.judged()?)))
            .collect();
        paging::list(received, "open", &Listed { items, next })
    }
}

fn told(flow: &OpenFlow, (seen, note): (&Observation, &DecisionNote)) -> Value {
    let [up, down] = flow.carried();
    json!({
        "id": flow.record.id,
        "at": flow.record.at,
        "kind": flow.kind.as_str(),
        "user": seen.subject.as_ref().map(|subject| &subject.id),
        "client": seen.arrival.client.ip().to_canonical(),
        "host": note.host,
        "platform": note.platform,
        "activity": note.activity,
        "purpose": note.purpose,
        "grant": note.grant,
        "bytes_up": up,
        "bytes_down": down,
    })
}
