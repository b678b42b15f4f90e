//! Revoking, and looking at what could be revoked, for tools.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::api::{channel, not_found, not_kept};
use super::beside::Beside;
use super::intake::{Received, joined as sentences, text, unfit_note};
use super::lists::{OF_GRANTS, misnamed};
use super::once::in_use;
use super::pages::{self, Page, Problem, field, retry_after};
use super::paging::{self, Listed, Paging};
use super::revoking::{Look, NotRevoked, Revoked, Selection};
use super::wanted::{self, BadFilter, Wanted};
use super::{Portal, Visit};
use crate::facts::{Channel, Grant, GrantId, PlatformId, PurposeId, SubjectId, Token, TokenId, did_you_mean};
use crate::purpose::{Note, Why};
use crate::rulebook::Visitor;

/// After how many seconds whoever has everything looked through already may ask again.
pub(super) const AGAIN: u32 = 2;

const SELECTORS: [&str; 7] = ["grant", "user", "purpose", "platform", "token", "delegation", "all"];
const FIELDS: [&str; 9] = [
    "grant",
    "user",
    "purpose",
    "platform",
    "token",
    "delegation",
    "all",
    "reason",
    "dry_run",
];

/// What a call asks to revoke.
struct Revocation {
    meant: Selection,
    why: Option<Why>,
    dry_run: bool,
}

impl Portal {
    /// Revokes what a call names, or says what that would be.
    pub(super) async fn post_revocation(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let Revocation { meant, why, dry_run } = match revocation(received) {
            Ok(revocation) => revocation,
            Err(problem) => return problem.answer(),
        };
        let channel = channel(received);
        // nobody is asked for a password about what is none of their business
        let look = if dry_run {
            Look::at_all(channel)
        } else {
            Look::for_any(channel)
        };
        let chosen = match self.choose(visit, visitor, &meant, look).await {
            Ok(chosen) => chosen,
            Err(why) => return self.not_revoked(visit, &why),
        };
        if dry_run {
            let would: Vec<Value> = chosen.grants.iter().map(|grant| self.shown(grant, visit)).collect();
            let mut body = json!({
                "dry_run": true, "would_revoke": would, "count": chosen.count(), "next": chosen.next(),
                "not_permitted": chosen.not_permitted,
            });
            let Beside { delegations, tokens } = &chosen.beside;
            let delegations: Vec<Grant> = delegations.iter().map(|(one, _)| one.clone()).collect();
            let tokens: Vec<Token> = tokens.iter().map(|(token, _)| token.clone()).collect();
            let counts = (delegations.len(), tokens.len());
            let beside = Self::told_beside(visit, (&delegations, counts.0), (&tokens, counts.1));
            extend(&mut body, beside);
            return pages::json(StatusCode::OK, &body);
        }
        let Some(why) = why else {
            return self.wants_a_reason_to_revoke("reason");
        };
        if let Err(page) = self.proves_again(visit, &received.headers).await {
            return page;
        }
        match self.revoke(visit, visitor, &meant, (why, channel)).await {
            Ok(done) => pages::json(StatusCode::OK, &self.told_revoked(visit, &done)),
            Err(why) => self.not_revoked(visit, &why),
        }
    }

    /// What was revoked.
    pub(super) fn told_revoked(&self, visit: &Visit<'_>, done: &Revoked) -> Value {
        let revoked: Vec<Value> = done.grants.iter().map(|grant| self.shown(grant, visit)).collect();
        let mut body = json!({ "revoked": revoked, "count": done.count, "not_permitted": done.not_permitted });
        let (delegations, tokens) = (&done.delegations, &done.tokens);
        let beside = Self::told_beside(visit, (delegations, delegations.len()), (tokens, tokens.len()));
        extend(&mut body, beside);
        body
    }

    /// The answer to whoever takes something from somebody without a word.
    pub(super) fn wants_a_reason_to_revoke(&self, named: &str) -> Page {
        let words = self.words;
        let text = (words.reason_to_revoke_wanted)(Note::MOST);
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Problem::new(status, "reason-required", words.reason_to_revoke_title, &text)
            .with("errors", vec![field(named, words.say_why_you_revoke)])
            .answer()
    }

    pub(super) fn not_revoked(&self, visit: &Visit<'_>, why: &NotRevoked) -> Page {
        let words = self.words;
        match why {
            NotRevoked::NoSuch => not_found("Nothing that you may know of is in force, or waits, and fits."),
            NotRevoked::Over => {
                let (title, text) = (words.grant_over_title, words.grant_over);
                Problem::new(StatusCode::CONFLICT, "grant-over", title, text).answer()
            }
            NotRevoked::Refused(reasons) => {
                let title = words.may_not_revoke_title;
                let text = (words.may_not_revoke)(&self.joined(reasons));
                Problem::new(StatusCode::FORBIDDEN, "prohibited", title, &text).answer()
            }
            NotRevoked::OneAtATime => {
                let (title, text) = (words.one_at_a_time_title, words.one_at_a_time);
                let mut page = Problem::new(StatusCode::TOO_MANY_REQUESTS, "one-at-a-time", title, text).answer();
                retry_after(&mut page, AGAIN);
                page
            }
            NotRevoked::Done => in_use(),
            NotRevoked::NotKept => not_kept(words.not_revoked_title, words.not_revoked),
            NotRevoked::NotRecorded(done) => {
                let revoked: Vec<Value> = done.grants.iter().map(|grant| self.shown(grant, visit)).collect();
                let text = self.revoked_not_recorded(done);
                let (delegations, tokens) = (&done.delegations, &done.tokens);
                let beside = Self::told_beside(visit, (delegations, delegations.len()), (tokens, tokens.len()));
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let problem = Problem::new(status, "record-unavailable", words.revoked_not_recorded_title, &text)
                    .with("revoked", revoked)
                    .with("count", done.count);
                beside
                    .into_iter()
                    .fold(problem, |problem, (name, value)| problem.with(&name, value))
                    .answer()
            }
        }
    }

    /// What an address names that neither the rules nor the directory know, for whoever may read of others: nobody else hears who is
    /// there. Of somebody they may not read of they know where they may end what those hold, and else not.
    async fn unknown_of(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        (received, meant): (&Received, &Selection),
    ) -> Vec<BadFilter> {
        let channel = channel(received);
        if Self::may_watch(visit, visitor, channel).is_none() {
            return Vec::new();
        }
        let (wanted, _) = Wanted::of(received, visit.at, &[]);
        let mut unknown = wanted.unknown(visit, visitor, channel);
        unknown.retain(|one| ["user", "purpose", "platform"].contains(&one.name()));
        if unknown.iter().any(|one| one.name() == "user")
            && let Some(id) = &meant.user
            && self.may_know(visit, visitor, (id, channel)).await
        {
            unknown.retain(|one| one.name() != "user");
        }
        unknown
    }

    /// Whether somebody may hear that a person is there: they may read of them, or end something of what they hold.
    async fn may_know(&self, visit: &Visit<'_>, visitor: Visitor<'_>, (id, channel): (&SubjectId, Channel)) -> bool {
        if wanted::may_read_of(visit, visitor, (id, channel)) {
            return true;
        }
        let theirs = Selection {
            user: Some(id.clone()),
            ..Selection::default()
        };
        let chosen = self.choose(visit, visitor, &theirs, Look::for_any(channel)).await;
        chosen.is_ok()
    }

    /// As whom an address names somebody. Whoever knows somebody by their full name need not know how they sign in: what somebody
    /// could sign in as is that, though, and of whom nobody may know they are not called anything.
    async fn meant_by(&self, visit: &Visit<'_>, visitor: Visitor<'_>, (text, channel): (String, Channel)) -> String {
        if SubjectId::parse(&text).is_ok() {
            return text;
        }
        let mut known = Vec::new();
        for one in visit.in_force.directory.called(&text) {
            if self.may_know(visit, visitor, (&one.id, channel)).await {
                known.push(&one.id);
            }
        }
        match known.as_slice() {
            [one] => one.to_string(),
            _ => text,
        }
    }

    /// What an address picks: empty fields, as an untouched form sends them, pick nothing.
    pub(super) async fn picked(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        received: &Received,
    ) -> (Selection, Vec<Value>) {
        let given = |name: &str| {
            let text = received.asked(name).map(|text| text.trim().to_owned());
            text.filter(|text| !text.is_empty())
        };
        let mut user = None;
        if let Some(text) = given("user") {
            user = Some(self.meant_by(visit, visitor, (text, channel(received))).await);
        }
        let meant_by = |name: &str| if name == "user" { user.clone() } else { given(name) };
        let mut wrong = Vec::new();
        let meant = selection(meant_by, &mut wrong);
        (meant, wrong)
    }

    /// What others hold that the person may revoke, and of their own what they may end.
    pub(super) async fn list_revocable(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        if let Some(page) = misnamed(received, &OF_GRANTS) {
            return page;
        }
        let (meant, wrong) = self.picked(visit, visitor, received).await;
        if !wrong.is_empty() {
            // a name in full that is nobody's is answered as any other that is nobody's
            let unknown = self.unknown_of(visit, visitor, (received, &meant)).await;
            return if unknown.iter().any(|one| one.name() == "user") {
                wanted::unfit(&unknown, Vec::new()).answer()
            } else {
                unfit(wrong).answer()
            };
        }
        let Paging { limit, after } = match Paging::by_time(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        let after = after.map(GrantId::new);
        let look = Look::for_a_page(channel(received), after.as_ref(), limit);
        let chosen = match self.choose(visit, visitor, &meant, look).await {
            Err(why @ NotRevoked::OneAtATime) => return self.not_revoked(visit, &why),
            chosen => chosen.unwrap_or_default().cut(limit),
        };
        if chosen.grants.is_empty() && after.is_none() {
            let unknown = self.unknown_of(visit, visitor, (received, &meant)).await;
            if !unknown.is_empty() {
                return wanted::unfit(&unknown, Vec::new()).answer();
            }
        }
        let listed = Listed {
            items: chosen.grants.iter().map(|grant| self.shown(grant, visit)).collect(),
            next: chosen.next().map(ToString::to_string),
        };
        paging::list(received, "grants", &listed)
    }
}

/// Whether an address asks for what others hold.
pub(super) fn is_about_others(received: &Received) -> bool {
    SELECTORS
        .iter()
        .any(|name| ["user", "purpose", "platform", "all"].contains(name) && received.asked(name).is_some())
}

/// What `given` names by its field.
pub(super) fn selection(given: impl Fn(&str) -> Option<String>, wrong: &mut Vec<Value>) -> Selection {
    let user = given("user").map(|name| SubjectId::parse(&name));
    if let Some(Err(why)) = &user {
        wrong.push(field("user", why.to_string()));
    }
    Selection {
        grant: given("grant").map(GrantId::new),
        user: user.and_then(Result::ok),
        purpose: given("purpose").map(PurposeId::new),
        platform: given("platform").map(PlatformId::new),
        token: given("token").map(TokenId::new),
        delegation: given("delegation").map(GrantId::new),
    }
}

fn revocation(received: &Received) -> Result<Revocation, Problem> {
    let members = received.object("The revocation is not JSON")?;
    let mut wrong = Vec::new();
    for name in members.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        let hint = did_you_mean(name, FIELDS).map_or_else(
            || format!("the fields are {}", FIELDS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        wrong.push(field(name, format!("there is no field `{name}`: {hint}")));
    }
    if SELECTORS.iter().filter(|name| is_given(&members, name)).count() != 1 {
        let which = "name exactly one of grant, user, purpose, platform, token, delegation, or \"all\": true";
        wrong.push(field("grant", which));
    }
    if is_given(&members, "all") && members.get("all") != Some(&Value::Bool(true)) {
        wrong.push(field("all", "`all` can only be true"));
    }
    let dry_run = match members.get("dry_run") {
        None | Some(Value::Null) => false,
        Some(Value::Bool(dry_run)) => *dry_run,
        Some(_) => {
            wrong.push(field("dry_run", "`dry_run` must be true or false"));
            false
        }
    };
    let mut texts = Map::new();
    for name in ["grant", "user", "purpose", "platform", "token", "delegation"] {
        texts.extend(text(&members, name, &mut wrong).map(|text| (name.to_owned(), text.into())));
    }
    let given = |name: &str| texts.get(name).and_then(Value::as_str).map(str::to_owned);
    let meant = selection(given, &mut wrong);
    let note = Note::parse(&text(&members, "reason", &mut wrong).unwrap_or_default());
    wrong.extend(note.as_ref().err().map(|why| field("reason", unfit_note(*why))));
    if !wrong.is_empty() {
        return Err(unfit(wrong));
    }
    Ok(Revocation {
        meant,
        why: note.ok().and_then(Why::of),
        dry_run,
    })
}

/// Adds members to a body.
pub(super) fn extend(body: &mut Value, more: Map<String, Value>) {
    if let Some(members) = body.as_object_mut() {
        members.extend(more);
    }
}

/// Null counts as absent.
fn is_given(members: &Map<String, Value>, name: &str) -> bool {
    members.get(name).is_some_and(|value| !value.is_null())
}

fn unfit(wrong: Vec<Value>) -> Problem {
    let detail = format!("Nothing was revoked: {}.", sentences(&wrong, "; "));
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(status, "revocation-unfit", "It cannot be read what is meant", &detail)
        .in_english()
        .with("errors", wrong)
}
