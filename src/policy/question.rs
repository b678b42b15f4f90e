//! What the rules can be asked.

use std::sync::Arc;
use std::time::Duration;

use super::decision::Trouble;
use super::schema::Vocabulary;
use crate::clock::Timestamp;
use crate::facts::{Arrival, Authority, Channel, Grant, Host, Person, Place, PurposeId, Subject, SubjectId};

/// May this person do all of this, there, now, under this grant.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What the directory knows of the person; whoever is asked about again is known by the same pointer.
    pub person: &'a Arc<Person>,
    /// What a method proved about the sender; the same person.
    pub subject: &'a Subject,
    /// How the connection came in.
    pub arrival: &'a Arrival,
    /// What the catalogue makes of the host.
    pub place: &'a Place,
    /// Where a permit would lead.
    pub authority: &'a Authority,
    /// The actions, all of which must be permitted: `["connect"]`, `["inspect"]`, `["connect", "post"]`.
    pub actions: &'a [&'a str],
    /// The request, where an action is an activity.
    pub request: Option<RequestFacts<'a>>,
    /// The one live grant to judge under.
    pub grant: Option<&'a Grant>,
    /// When.
    pub at: Timestamp,
}

/// What rules may know of a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestFacts<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The host, in normal form.
    pub host: &'a Host,
    /// The path, without query, as a server would resolve it.
    pub path: &'a str,
    /// The length of the body; the largest number where a body follows of which nobody has said how long it is.
    pub bytes: u64,
    /// `Content-Type`, as sent.
    pub content_type: Option<&'a str>,
}

/// A power over a purpose's grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Power {
    /// To state the purpose.
    Declare,
    /// To approve what somebody stated.
    Approve,
    /// To end a grant.
    Revoke,
    /// To take the purpose at once, in an emergency.
    BreakGlass,
    /// To see how much it is used, and what comes of it: figures of groups.
    SeeValue,
    /// To let somebody else answer what is asked for it.
    GiveDelegation,
    /// To make a token for one's tools: no purpose is stated with that, and it is asked about the person alone.
    MakeToken,
    /// To read what was decided about somebody else: it is asked about that person, and about no purpose.
    SeeDecisions,
}

impl Power {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Declare,
        Self::Approve,
        Self::Revoke,
        Self::BreakGlass,
        Self::SeeValue,
        Self::GiveDelegation,
        Self::MakeToken,
        Self::SeeDecisions,
    ];

    /// The action's name as rules spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Declare => "declare",
            Self::Approve => "approve",
            Self::Revoke => "revoke",
            Self::BreakGlass => "break-glass",
            Self::SeeValue => "see-value",
            Self::GiveDelegation => "give-delegation",
            Self::MakeToken => "make-token",
            Self::SeeDecisions => "see-decisions",
        }
    }

    /// Whether it is a power over the grants of a purpose: of any other a rule is asked about a person.
    pub fn is_over_purposes(self) -> bool {
        match self {
            Self::Declare | Self::Approve | Self::Revoke | Self::BreakGlass | Self::SeeValue | Self::GiveDelegation => {
                true
            }
            Self::MakeToken | Self::SeeDecisions => false,
        }
    }
}

/// May this person declare, approve, revoke, break the glass, see what comes of it, let somebody answer, make a token, or read
/// what was decided about somebody.
#[derive(Clone, Copy, Debug)]
pub struct GrantQuestion<'a> {
    /// What the directory knows of the person who acts.
    pub person: &'a Person,
    /// What a method proved about that person.
    pub subject: &'a Subject,
    /// How the connection came in.
    pub arrival: &'a Arrival,
    /// What they want to do.
    pub power: Power,
    /// The purpose.
    pub purpose: &'a PurposeId,
    /// Who states or stated it; of whoever lets somebody answer: whom they let; whose decisions they are, nobody where it is
    /// asked of whomever.
    pub declarer: &'a SubjectId,
    /// What the directory knows of the declarer (their manager); none if it knows nothing.
    pub declarer_person: Option<&'a Person>,
    /// Who owns the purpose.
    pub business_owner: &'a SubjectId,
    /// How long the grant, the delegation or the token may last at most.
    pub longest_for: Duration,
    /// How it is stated.
    pub channel: Channel,
    /// As what they answer.
    pub answering: Answering<'a>,
    /// When.
    pub at: Timestamp,
}

/// As what somebody answers what others ask for; nothing where they do something else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answering<'a> {
    /// As what the terms of the purpose name them, or the one for whom they answer.
    pub named_as: Option<NamedAs>,
    /// For whom, where somebody lets them.
    pub behalf_of: Option<&'a SubjectId>,
}

/// As what the terms of a purpose name somebody to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamedAs {
    /// As one of those who approve.
    Approver,
    /// As one of those who may as well, once a request has waited for some time.
    Alternate,
}

impl NamedAs {
    /// The name as rules spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approver => "approver",
            Self::Alternate => "alternate",
        }
    }
}

/// What must hold of a question before it may be put. Whoever breaks it has mixed up two flows.
pub(super) fn check(question: &Question<'_>, words: &Vocabulary) -> Result<(), Trouble> {
    check_flow(question)?;
    question.grant.map_or(Ok(()), |grant| check_purpose(grant, words))
}

/// The same but for what hangs on the grant alone: see [`check_purpose`].
pub(super) fn check_flow(question: &Question<'_>) -> Result<(), Trouble> {
    let trouble = |what: &str, message: String| Err(Trouble::with_question(what, message));
    same_person(question.person, question.subject)?;
    if question.actions.is_empty() {
        return trouble("action", "no action is asked".to_owned());
    }
    let host = &question.authority.host;
    if question.place.host != *host || question.request.is_some_and(|request| request.host != host) {
        return trouble("host", format!("what is judged is not `{host}`"));
    }
    let Some(grant) = question.grant else { return Ok(()) };
    if grant.subject != question.person.id || !grant.is_live(question.at) {
        return trouble(
            "grant",
            format!("grant `{}` is not in force for `{}`", grant.id, question.person.id),
        );
    }
    Ok(())
}

/// Whether what a grant is for is in the catalogue.
pub(super) fn check_purpose(grant: &Grant, words: &Vocabulary) -> Result<(), Trouble> {
    if !words.purposes().contains(&grant.purpose) {
        return Err(unknown_purpose(grant.purpose.as_str()));
    }
    Ok(())
}

/// The same of a question about a grant.
pub(super) fn check_power(question: &GrantQuestion<'_>, words: &Vocabulary) -> Result<(), Trouble> {
    same_person(question.person, question.subject)?;
    // A grant outlives its purpose, and then it must still be possible to end it, or to decline what was asked for.
    let takes = match question.power {
        Power::Declare | Power::BreakGlass | Power::SeeValue | Power::GiveDelegation => true,
        Power::Approve | Power::Revoke | Power::MakeToken | Power::SeeDecisions => false,
    };
    if takes && !words.purposes().contains(question.purpose) {
        return Err(unknown_purpose(question.purpose.as_str()));
    }
    match question.declarer_person {
        Some(other) if other.id != *question.declarer => {
            let message = format!("the declarer is `{}`, not `{}`", question.declarer, other.id);
            Err(Trouble::with_question("declarer", message))
        }
        Some(_) | None => Ok(()),
    }
}

fn same_person(person: &Person, subject: &Subject) -> Result<(), Trouble> {
    if person.id == subject.id {
        return Ok(());
    }
    let message = format!("`{}` proved to be `{}`", person.id, subject.id);
    Err(Trouble::with_question("person", message))
}

fn unknown_purpose(id: &str) -> Trouble {
    Trouble::with_question("purpose", format!("the schema has no purpose `{id}`"))
}
