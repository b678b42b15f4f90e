//! The pages of the portal's own host.

use std::any::Any;

use askama::Template;
use http::StatusCode;

use super::answer::{Origin, Page, document};
use super::beside::BesidePart;
use super::tokens::TokenLine;
use crate::facts::Language;
use crate::portal::words::Words;

/// The links to the same page in the other languages.
#[derive(Clone, Debug, Default)]
pub(in crate::portal) struct Languages(pub(in crate::portal) Vec<OtherLanguage>);

/// The same page in another language.
#[derive(Clone, Debug)]
pub(in crate::portal) struct OtherLanguage {
    pub(in crate::portal) language: Language,
    pub(in crate::portal) to: String,
}

/// Every page has them, whatever else it says: `base.html` finds them by their name.
impl askama::Value for Languages {
    fn ref_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

/// Where to go on.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Onward {
    pub(in crate::portal) url: String,
    pub(in crate::portal) label: String,
    /// Whether the page goes there without being asked.
    pub(in crate::portal) by_itself: bool,
}

/// A purpose that could be taken in an emergency.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Glass {
    pub(in crate::portal) id: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) effect: String,
    /// The groups of activities of that, as the form sends them along: what is given is what was shown.
    pub(in crate::portal) covers: String,
    pub(in crate::portal) ticket: Option<String>,
}

/// The way through a refusal that cannot wait.
#[derive(Clone, Debug)]
pub(in crate::portal) struct BreakGlass {
    pub(in crate::portal) choices: Vec<Glass>,
    pub(in crate::portal) token: String,
    pub(in crate::portal) hint: &'static str,
}

/// Something that was taken in an emergency, before somebody who reviews it.
#[derive(Clone, Debug)]
pub(in crate::portal) struct ToReview {
    pub(in crate::portal) id: String,
    pub(in crate::portal) heading: String,
    pub(in crate::portal) effect: String,
    pub(in crate::portal) lasts: String,
    pub(in crate::portal) statement: String,
    pub(in crate::portal) ticket: Option<String>,
    pub(in crate::portal) due: String,
    /// None until the person has signed in once more.
    pub(in crate::portal) token: Option<String>,
}

/// The way past a refusal that does not insist.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Proceed {
    pub(in crate::portal) token: String,
    pub(in crate::portal) hint: String,
}

/// The page after a purpose was granted.
#[derive(Template)]
#[template(path = "granted.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Granted<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) heading: String,
    pub(in crate::portal) effect: String,
    pub(in crate::portal) onward: Option<Onward>,
    pub(in crate::portal) grant: Option<&'a str>,
}

/// The page after something was asked for that somebody must approve.
#[derive(Template)]
#[template(path = "asked.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Asked<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) heading: String,
    pub(in crate::portal) waits: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) effect: String,
    pub(in crate::portal) statement: &'a str,
    pub(in crate::portal) ticket: Option<&'a str>,
    /// The page's own address.
    pub(in crate::portal) here: String,
    pub(in crate::portal) id: &'a str,
}

/// The form with which somebody signs in once more.
#[derive(Template)]
#[template(path = "again.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Again<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) user: &'a str,
    pub(in crate::portal) to: String,
    pub(in crate::portal) token: String,
    pub(in crate::portal) has_password: bool,
    pub(in crate::portal) wrong: Option<&'static str>,
    pub(in crate::portal) contact: Option<String>,
}

/// The tokens of a request's two buttons.
#[derive(Clone, Debug)]
pub(in crate::portal) struct RequestTokens {
    pub(in crate::portal) approve: String,
    pub(in crate::portal) decline: String,
}

/// A request that waits for the person in front.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Request {
    pub(in crate::portal) id: String,
    pub(in crate::portal) heading: String,
    pub(in crate::portal) about: String,
    pub(in crate::portal) effect: String,
    pub(in crate::portal) statement: String,
    pub(in crate::portal) ticket: Option<String>,
    pub(in crate::portal) training: Option<String>,
    pub(in crate::portal) past: String,
    /// For whom they would answer, where that is somebody else.
    pub(in crate::portal) acts_for: Option<String>,
    /// Why whoever reads may answer, where they were not asked at first.
    pub(in crate::portal) as_alternate: Option<&'static str>,
    /// Where several must approve, who did so far.
    pub(in crate::portal) so_far: Option<String>,
    pub(in crate::portal) waits: String,
    /// None until the person has signed in once more.
    pub(in crate::portal) tokens: Option<RequestTokens>,
    /// What they wrote before they had to.
    pub(in crate::portal) draft: Option<String>,
}

/// The page of what waits for the person in front.
#[derive(Template)]
#[template(path = "inbox.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Inbox<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    /// What the person has just answered.
    pub(in crate::portal) note: Option<String>,
    pub(in crate::portal) recent: bool,
    pub(in crate::portal) reviews: Vec<ToReview>,
    pub(in crate::portal) requests: Vec<Request>,
    /// The token for signing out.
    pub(in crate::portal) sign_out: Option<String>,
    pub(in crate::portal) contact: Option<String>,
}

/// What somebody holds or asked for, on the page of whoever may revoke it.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Theirs {
    pub(in crate::portal) who: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) places: String,
    pub(in crate::portal) until: String,
    pub(in crate::portal) statement: String,
    /// Where it is revoked.
    pub(in crate::portal) revoke: String,
}

/// What can be picked from a list.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Pick {
    pub(in crate::portal) id: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) chosen: bool,
}

/// The page of what is in force, for those who may revoke it.
#[derive(Template)]
#[template(path = "others.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Others<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    /// What the person has just revoked.
    pub(in crate::portal) note: Option<String>,
    pub(in crate::portal) user: String,
    pub(in crate::portal) purposes: Vec<Pick>,
    pub(in crate::portal) platforms: Vec<Pick>,
    pub(in crate::portal) count: String,
    pub(in crate::portal) grants: Vec<Theirs>,
    /// What else of theirs could be revoked.
    pub(in crate::portal) beside: Vec<BesidePart>,
    /// Where all of it is revoked, and what the link says.
    pub(in crate::portal) revoke_all: Option<(String, String)>,
    pub(in crate::portal) next: Option<String>,
    pub(in crate::portal) contact: Option<String>,
}

/// The page that asks whether it is really meant.
#[derive(Template)]
#[template(path = "revoke.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Revoking<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) who: &'a str,
    pub(in crate::portal) heading: String,
    pub(in crate::portal) grants: Vec<Theirs>,
    pub(in crate::portal) more: Option<String>,
    pub(in crate::portal) beside: Vec<BesidePart>,
    /// What is meant.
    pub(in crate::portal) fields: Vec<(&'static str, String)>,
    /// None until the person has signed in once more.
    pub(in crate::portal) token: Option<String>,
    /// Where they do so.
    pub(in crate::portal) sign_in: String,
    /// What they wrote, and could not send because they had to.
    pub(in crate::portal) draft: Option<String>,
    pub(in crate::portal) button: String,
    pub(in crate::portal) contact: Option<String>,
}

/// A grant in force, or a request that waits, on its holder's page.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Held {
    pub(in crate::portal) id: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) effect: String,
    /// What its holder wrote.
    pub(in crate::portal) statement: String,
    pub(in crate::portal) left: String,
    pub(in crate::portal) token: String,
    /// The token for renewing it, where that is possible.
    pub(in crate::portal) renew: Option<String>,
}

/// A grant of which its holder says what came of it.
#[derive(Clone, Debug)]
pub(in crate::portal) struct ToReport {
    pub(in crate::portal) id: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) effect: String,
    pub(in crate::portal) ended: String,
    /// What is counted.
    pub(in crate::portal) metric: String,
    pub(in crate::portal) amount: String,
    pub(in crate::portal) text: String,
    /// What they said so far, in short, where they did.
    pub(in crate::portal) said: Option<String>,
    pub(in crate::portal) token: String,
}

/// What has become of a request, on the page of whoever asked.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Answered {
    pub(in crate::portal) title: String,
    pub(in crate::portal) effect: String,
    pub(in crate::portal) what: String,
    /// What whoever answered wrote.
    pub(in crate::portal) note: Option<String>,
}

/// A recent refusal, on the page of whom it met.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Met {
    pub(in crate::portal) record: String,
    pub(in crate::portal) tried: String,
    pub(in crate::portal) when: String,
    pub(in crate::portal) why: Vec<String>,
    pub(in crate::portal) detail: Option<String>,
    /// What the link to more about it says, where there is more.
    pub(in crate::portal) link: Option<&'static str>,
}

/// A purpose that somebody may declare.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Open {
    pub(in crate::portal) id: String,
    pub(in crate::portal) title: String,
    pub(in crate::portal) description: String,
    /// Whether it needs an approval, and for how long it lasts.
    pub(in crate::portal) terms: String,
    /// What its button says.
    pub(in crate::portal) state: &'static str,
}

/// The person's own page.
/// What somebody can do from their own page, also while nothing waits.
pub(in crate::portal) struct Offers {
    /// Whether others may ask something of the person.
    pub(in crate::portal) answers: bool,
    /// Whether the person may take something in an emergency.
    pub(in crate::portal) may_be_urgent: bool,
    /// Whether the rules let the person make a token.
    pub(in crate::portal) may_make_token: bool,
}

#[derive(Template)]
#[template(path = "mine.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Mine<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) greeting: String,
    pub(in crate::portal) about: String,
    pub(in crate::portal) note: Option<String>,
    /// How many requests wait for the person's answer, in words, where some do.
    pub(in crate::portal) to_answer: Option<String>,
    pub(in crate::portal) offers: Offers,
    /// Whether the person may revoke what others hold.
    pub(in crate::portal) may_revoke: bool,
    /// Whether the person may read what was decided about others.
    pub(in crate::portal) watches: bool,
    /// Whether the person may see what comes of some purpose.
    pub(in crate::portal) sees_value: bool,
    pub(in crate::portal) revoked: Vec<Answered>,
    pub(in crate::portal) grants: Vec<Held>,
    /// What is over since not long ago and can be renewed.
    pub(in crate::portal) ended: Vec<Held>,
    /// What is over, and of which the person is asked what came of it.
    pub(in crate::portal) asked: Vec<ToReport>,
    /// What they said lately, and can correct.
    pub(in crate::portal) reported: Vec<ToReport>,
    pub(in crate::portal) waiting: Vec<Held>,
    pub(in crate::portal) answered: Vec<Answered>,
    /// What was taken in an emergency lately, and what became of its review.
    pub(in crate::portal) emergencies: Vec<Answered>,
    pub(in crate::portal) refusals: Vec<Met>,
    pub(in crate::portal) purposes: Vec<Open>,
    pub(in crate::portal) tokens: Vec<TokenLine>,
    pub(in crate::portal) example: Option<String>,
    pub(in crate::portal) rulebook: String,
    pub(in crate::portal) contact: Option<String>,
}

/// A page that says one thing.
#[derive(Template)]
#[template(path = "note.html", config = "src/portal/askama.toml")]
pub(in crate::portal) struct Note<'a> {
    pub(in crate::portal) w: &'a Words,
    pub(in crate::portal) title: &'a str,
    pub(in crate::portal) text: &'a str,
}

/// A page of the portal from its template.
pub(in crate::portal) fn page(status: StatusCode, template: &impl Template, languages: &Languages) -> Page {
    // A template can only fail where its data's `Display` fails, and ours does not.
    let html = template.render_with_values(&("languages", languages));
    document(status, Origin::Portal, html.unwrap_or_default())
}
