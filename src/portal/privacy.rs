//! What the gateway reads of people, what it never does, who may look at what they do, and what of that was proved: collected
//! from the rules in force, as JSON here, as a page in `privacy_pages.rs`. Everybody may know.

use std::sync::Arc;

use http::StatusCode;
use serde_json::{Value, json};

use super::pages::{self, Page, Problem, retry_after};
use super::revocations::AGAIN;
use super::{Portal, Visit};
use crate::catalog::Platform;
use crate::facts::{Category, Reason};
use crate::proof::{Promise, Promises, Property};
use crate::rulebook::{Readers, Reads, There, Visitor};

/// What there is to know.
pub(super) struct Privacy<'a> {
    pub(super) platforms: Vec<(&'a Platform, There)>,
    pub(super) categories: Vec<(&'a Category, There)>,
    /// Hosts that the catalogue does not list.
    pub(super) elsewhere: Option<There>,
    pub(super) readers: Vec<Readers>,
    /// None for a moment after a change of the rules.
    pub(super) promises: Option<Arc<Promises>>,
}

impl Portal {
    /// Collects it; none where it is being collected for the same person already.
    pub(super) async fn privacy<'a>(&self, visit: &Visit<'a>, visitor: Visitor<'_>) -> Option<Privacy<'a>> {
        let turn = self.matrix_turns.wait(&visitor.person.id).await?;
        let (rules, mut sight) = (visit.rules(), visit.in_force.sight(visitor, visit.at));
        // each takes a moment, after which others are served
        while sight.look() {
            tokio::task::yield_now().await;
        }
        let platforms = rules.catalog().platforms();
        let platforms = platforms.filter_map(|platform| Some((platform, sight.on(&platform.id)?)));
        let categories = rules.catalog().categories().ids();
        let categories = categories.filter_map(|category| Some((category, sight.within(category)?)));
        let (platforms, categories) = (platforms.collect(), categories.collect());
        let mut readers = visit.in_force.readers(visitor, visit.at);
        while readers.look() {
            tokio::task::yield_now().await;
        }
        let (elsewhere, readers) = (sight.elsewhere(), readers.told());
        // others go on while what was proved is compared, which may take seconds
        drop(turn);
        Some(Privacy {
            platforms,
            categories,
            elsewhere,
            readers,
            promises: self.findings.of(rules.id()).await,
        })
    }

    /// What tools are told.
    pub(super) async fn show_privacy(&self, visit: &Visit<'_>, visitor: Visitor<'_>) -> Page {
        let Some(privacy) = self.privacy(visit, visitor).await else {
            return self.one_at_a_time_problem();
        };
        let catalog = visit.rules().catalog();
        let platforms = privacy.platforms.iter().map(|(platform, there)| {
            let category = platform.category.as_str();
            let named = json!({ "id": platform.id, "name": platform.name, "category": category });
            self.with_reading(named, there)
        });
        let categories = privacy.categories.iter().map(|(category, there)| {
            let title = catalog.categories().title(category).map(|title| self.said(title));
            self.with_reading(json!({ "id": category.as_str(), "title": title }), there)
        });
        let readers = privacy.readers.iter().map(|one| {
            let others = self.reasons_told(&one.others);
            json!({ "power": one.power, "roles": one.roles, "owner": one.owner, "named": one.named, "others": others })
        });
        let promises = privacy.promises.as_deref();
        let body = json!({
            "rulebook": visit.rules().id(),
            "mode": visit.rules().policy().mode(),
            "network": visit.arrival.network,
            "platforms": platforms.collect::<Vec<Value>>(),
            "categories": categories.collect::<Vec<Value>>(),
            "elsewhere": privacy.elsewhere.as_ref().map(|there| self.with_reading(json!({}), there)),
            "readers": readers.collect::<Vec<Value>>(),
            "proof": promises.and_then(Promises::valid).map(|found| json!({
                "at": found.at, "by": found.by, "program": found.program, "solver": found.solver,
            })),
            "properties": promises.map(|promises| self.properties(promises)),
        });
        pages::json(StatusCode::OK, &body)
    }

    /// What a property promises, with what it leaves out.
    pub(super) fn promised(&self, property: &Property) -> String {
        let whole = std::iter::once(&property.sentence).chain(&property.unread);
        whole.map(|part| self.said(part)).collect::<Vec<_>>().join(" ")
    }

    fn properties(&self, promises: &Promises) -> Vec<Value> {
        let told = |promise: &Promise| {
            let verdict = promises.verdict(promise);
            json!({
                "name": promise.property.name,
                "sentence": self.promised(&promise.property),
                "owner": promise.property.owner,
                "privacy": promise.is_of_privacy(),
                "state": verdict.map_or("not-proved", crate::proof::Verdict::as_str),
            })
        };
        promises.all.iter().flatten().map(told).collect()
    }

    /// What is told of a place, with whether it is read, of whom and why.
    fn with_reading(&self, mut told: Value, there: &There) -> Value {
        let (decrypted, roles) = match &there.reads {
            Reads::Never => ("never", None),
            Reads::Conditionally => ("conditionally", None),
            Reads::Of(roles) => ("some", Some(roles)),
            Reads::Everybody => ("everybody", None),
        };
        if let Some(members) = told.as_object_mut() {
            members.insert("decrypted".to_owned(), decrypted.into());
            members.insert("partly".to_owned(), there.partly.into());
            members.insert("of_you".to_owned(), there.of_you.into());
            members.insert("roles".to_owned(), json!(roles));
            members.insert("reasons".to_owned(), self.reasons_told(&there.reasons).into());
            members.insert("others".to_owned(), self.reasons_told(&there.others).into());
        }
        told
    }

    fn reasons_told(&self, reasons: &[Reason]) -> Vec<Value> {
        let told = reasons.iter();
        told.map(|reason| json!({ "policy": reason.policy, "effect": reason.effect, "text": self.said(&reason.text) }))
            .collect()
    }

    pub(super) fn one_at_a_time_problem(&self) -> Page {
        let (title, text) = (self.words.one_at_a_time_title, self.words.one_at_a_time);
        let mut page = Problem::new(StatusCode::TOO_MANY_REQUESTS, "one-at-a-time", title, text).answer();
        retry_after(&mut page, AGAIN);
        page
    }
}
