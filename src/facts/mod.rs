//! The nouns: plain data that every other room of the house speaks in.
//!
//! ```text
//!  Arrival ─┐
//!  Subject ─┤                  catalog, policy
//!  Person  ─┼─> Observation ────────────────────> Judgement ──> Permit ──> upstream ──> Ending ─┐
//!  Ask     ─┤    (as seen,                             └──────> Refusal ─> page ─────> Ending ─┤
//!  Standing ┘     recorded, replayable)                                                        v
//!                                                       Record = Observation + DecisionNote + Ending
//! ```
//!
//! Nothing here acts: types parse into valid values, compare, and serialise. This floor imports only `clock`.

mod access;
mod account;
mod arrival;
mod csv;
mod destination;
mod ending;
pub mod fields;
mod grant_terms;
mod hex;
mod invisible;
mod language;
mod mailbox;
mod named;
mod notice;
mod observation;
mod partial;
mod principal;
mod problem;
mod quick;
mod record;
mod report;
mod request;
mod ruling;
mod said;
mod secret;
mod standing;
pub mod syntax;
mod token;

pub use access::{Access, AccessAct};
pub use account::{AccountMark, AccountMarks};
pub use arrival::{Arrival, Door, NetworkName, one_client};
pub use csv::csv_cell;
pub use destination::{Authority, BadHost, Category, Host, Place, PlatformId, SiteRole};
pub use ending::{Blame, End, Ending, Fault, FaultCode, Stage};
pub use grant_terms::GrantTerms;
pub use hex::{hex, unhex};
pub use invisible::{Invisible, Lines};
pub use language::{Language, Wording};
pub use mailbox::{BadMailbox, Mailbox};
pub use notice::{BadOccasion, NoticeEvent, Occasion};
pub use observation::{Ask, Observation};
pub use partial::Partial;
pub use principal::{BadName, Employment, MethodName, Person, Subject, SubjectId};
pub use problem::{Problem, Severity, SourceText, Spelling, all_like, did_you_mean};
pub use quick::QuickMap;
pub use record::{Act, DecisionNote, GatewayAct, GrantAct, Help, Record, RecordId, RulebookId, TokenAct};
pub use report::{Report, USE_FORGOTTEN};
pub use request::{Activity, Head, Hints, Opaque, Peek, Reading, Referer, SignatureId};
pub use ruling::{Coach, Effect, Later, Mode, Offer, Outcome, PolicyId, Reason, ReasonWords, Remedy, Would, WouldBe};
pub use said::{Answer, Behalf, Came, Continued, Delegated, Emergency, Ended, Review, Verdict};
pub use secret::Secret;
pub use standing::{Channel, Grant, GrantId, GrantState, PurposeId, Standing};
pub use token::{
    NO_PURPOSE, RevokedFor, Scope, TOKEN_LASTS, Token, TokenHash, TokenId, is_token, looks_like_token, token_text,
};
