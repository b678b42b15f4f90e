//! Tokens for tools, by call: JSON in, JSON or problem documents out.

use std::collections::BTreeSet;

use http::header::{self, HeaderValue};
use http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use super::api::{channel, not_found, not_kept};
use super::intake::{Received, duration, joined, list, sentence, text};
use super::pages::{self, Page, Problem, field};
use super::paging::{self, Order, Paging};
use super::tool_tokens::{NotCovered, NotEndedToken, NotMade, UnfitToken, Wanted};
use super::{Portal, Visit};
use crate::facts::{Channel, Scope, SubjectId, TOKEN_LASTS, Token, did_you_mean};
use crate::ledger::Listed;
use crate::rulebook::Visitor;

const FIELDS: [&str; 3] = ["name", "scope", "expires"];
const BEARER: HeaderValue = HeaderValue::from_static("Bearer realm=\"wayleave\", error=\"invalid_token\"");

impl Portal {
    /// Why a call is not answered that shows a token; nothing where it is good, or none is shown.
    pub(super) fn not_covered(&self, visit: &Visit<'_>, headers: &HeaderMap, scopes: &[Scope]) -> Option<Page> {
        let words = &self.words.tokens;
        match self.covers(visit, headers, scopes).err()? {
            NotCovered::Wrong => {
                let (title, text) = (words.wrong_title, words.wrong);
                let mut page = Problem::new(StatusCode::UNAUTHORIZED, "token-unfit", title, text).answer();
                page.headers_mut().insert(header::WWW_AUTHENTICATE, BEARER);
                Some(page)
            }
            NotCovered::Unknown => Some(pages::busy(self.words, pages::Audience::Tool)),
            NotCovered::Scope(scope) => {
                let text = scope.map_or_else(
                    || words.takes_a_person.to_owned(),
                    |scope| (words.takes_scope)(scope.as_str()),
                );
                let problem = Problem::new(StatusCode::FORBIDDEN, "token-scope", words.not_good_title, &text);
                Some(problem.with("scope", scope.map(Scope::as_str)).answer())
            }
        }
    }

    /// Somebody's tokens that the rules let the person end, the latest first.
    pub(super) fn tokens_to_end(
        &self,
        visit: &Visit<'_>,
        visitor: Visitor<'_>,
        who: &SubjectId,
        channel: Channel,
    ) -> Vec<Listed> {
        let mut may = visit.in_force.ending(visitor, channel, visit.at);
        let mut theirs = self.ledger.tokens_of(who, visit.at);
        theirs.retain(|one| may.token(&one.token).is_allowed);
        theirs
    }

    /// The person's tokens that are good, the latest first; or those of somebody else, as far as the person may end them.
    pub(super) fn list_tokens(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let paging = match Paging::by_time(received) {
            Ok(paging) => paging,
            Err(problem) => return problem.answer(),
        };
        let theirs = match received.asked("user") {
            None => self.ledger.tokens_of(&visitor.person.id, visit.at),
            Some(name) => match SubjectId::parse(name.trim()) {
                Ok(who) => self.tokens_to_end(visit, visitor, &who, channel(received)),
                Err(why) => return paging::unfit(vec![field("user", why.to_string())]).answer(),
            },
        };
        let paging::Listed { items, next } = paging.page(theirs, Order::Falling, |one| one.token.id.to_string());
        let items = items.iter().map(shown).collect();
        paging::list(received, "tokens", &paging::Listed { items, next })
    }

    pub(super) async fn post_token(&self, visit: &Visit<'_>, visitor: Visitor<'_>, received: &Received) -> Page {
        let wanted = match wanted(received) {
            Ok(wanted) => wanted,
            Err(problem) => return problem.answer(),
        };
        let channel = channel(received);
        // nobody is asked for a password about what they may not do
        if let Err(why) = self.may_make(visit, visitor, &wanted, channel) {
            return self.not_made(visit, &why);
        }
        let sign_in = match self.proves_again(visit, &received.headers).await {
            Ok(sign_in) => sign_in,
            Err(page) => return page,
        };
        match self.make_token(visit, visitor, (wanted, sign_in), channel).await {
            Ok((token, text)) => {
                let mut body = shown(&Listed { token, used_on: None });
                if let Some(members) = body.as_object_mut() {
                    members.insert("token".to_owned(), text.reveal().into());
                }
                pages::json(StatusCode::CREATED, &body)
            }
            Err(why) => self.not_made(visit, &why),
        }
    }

    fn not_made(&self, visit: &Visit<'_>, why: &NotMade) -> Page {
        let words = &self.words.tokens;
        match why {
            NotMade::Unfit(what) => {
                let name = match what {
                    UnfitToken::Name | UnfitToken::Invisible(_) => "name",
                    UnfitToken::NoScope => "scope",
                    UnfitToken::Lasts(_) => "expires",
                };
                unfit(vec![field(name, self.unfit_token(*what))]).answer()
            }
            NotMade::Refused(reasons) => {
                let text = (words.may_not_make)(&self.joined(reasons));
                Problem::new(StatusCode::FORBIDDEN, "prohibited", words.not_made_title, &text).answer()
            }
            NotMade::TooMany(held) => {
                let text = (words.too_many)(*held);
                Problem::new(StatusCode::CONFLICT, "too-many-tokens", words.not_made_title, &text).answer()
            }
            NotMade::SignInOver => self.ask_again(visit, self.words.wrong_password),
            NotMade::NotKept => not_kept(words.not_made_title, words.not_kept),
        }
    }

    pub(super) async fn delete_token(&self, visit: &Visit<'_>, visitor: Visitor<'_>, id: &str) -> Page {
        match self.revoke_token(visit, visitor, id).await {
            Ok(token) => pages::json(StatusCode::OK, &shown(&Listed { token, used_on: None })),
            Err(NotEndedToken::NoSuch) => {
                not_found("You have no such token. GET /v1/tokens lists those that you have.")
            }
            Err(NotEndedToken::NotKept) => not_kept(self.words.tokens.not_revoked_title, self.words.tokens.not_revoked),
        }
    }
}

/// A token of which it is not told when it was used.
pub(super) fn shown_alone(token: &Token) -> Value {
    shown(&Listed {
        token: token.clone(),
        used_on: None,
    })
}

/// A token, without what would let anybody use it.
fn shown(listed: &Listed) -> Value {
    let Listed { token, used_on } = listed;
    let mut shown = json!({
        "id": token.id,
        "subject": token.subject,
        "name": token.name,
        "scope": token.scope,
        "made_at": token.made_at,
        "expires": token.expires,
        "revoked_at": token.revoked_at,
        "used_on": used_on.map(|at| at.to_string().chars().take("2026-11-24".len()).collect::<String>()),
    });
    if let (Some(members), Some(why)) = (shown.as_object_mut(), &token.revoked_for) {
        members.insert("revoked_for".to_owned(), json!(why));
    }
    shown
}

/// What a body asks for: `{"name"?, "scope": ["read"], "expires"?: "30d"}`.
fn wanted(received: &Received) -> Result<Wanted, Problem> {
    let members = received.object("What is wanted is not JSON")?;
    let mut wrong = Vec::new();
    for name in members.keys().filter(|name| !FIELDS.contains(&name.as_str())) {
        let hint = did_you_mean(name, FIELDS).map_or_else(
            || format!("the fields are {}", FIELDS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        wrong.push(field(name, format!("there is no field `{name}`: {hint}")));
    }
    let name = text(&members, "name", &mut wrong);
    let scope = scope(&members, &mut wrong);
    let expires = text(&members, "expires", &mut wrong);
    let lasts = expires.as_deref().map_or(Some(TOKEN_LASTS), duration);
    if lasts.is_none() {
        wrong.push(field("expires", "say after how long, e.g. \"30d\" or \"P30D\""));
    }
    match lasts.filter(|_| wrong.is_empty()) {
        Some(lasts) => Ok(Wanted {
            name: name.map(|name| name.trim().to_owned()).unwrap_or_default(),
            scope,
            lasts,
        }),
        None => Err(unfit(wrong)),
    }
}

fn scope(members: &Map<String, Value>, wrong: &mut Vec<Value>) -> BTreeSet<Scope> {
    let names = list(members, "scope", wrong);
    let known = Scope::ALL.map(Scope::as_str);
    let mut scope = BTreeSet::new();
    for name in names.iter().flatten() {
        if let Some(one) = Scope::parse(name) {
            scope.insert(one);
            continue;
        }
        let hint = did_you_mean(name, known).map_or_else(
            || format!("use some of {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        let shown = name.escape_debug();
        wrong.push(field("scope", format!("there is no scope `{shown}`: {hint}")));
    }
    if scope.is_empty() && wrong.is_empty() {
        wrong.push(field(
            "scope",
            format!("say what it is to be good for: some of {}", known.join(", ")),
        ));
    }
    scope
}

fn unfit(wrong: Vec<Value>) -> Problem {
    let detail = sentence(&format!("No token was made: {}", joined(&wrong, "; ")));
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    Problem::new(
        status,
        "token-wish-unfit",
        "It cannot be read what token is wanted",
        &detail,
    )
    .in_english()
    .with("errors", wrong)
}
