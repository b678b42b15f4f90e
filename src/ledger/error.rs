//! What can go wrong with the ledger, in words for the person who runs the gateway.

use std::path::PathBuf;

use crate::facts::{Grant, GrantId, TokenId};

/// Why the ledger cannot be opened, or a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be read or made.
    #[error("cannot open the ledger `{path}`: {why}; check that the folder exists and belongs to the user that runs wayleave", path = .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// Another gateway holds the file.
    #[error("the ledger `{path}` is in use by another gateway; stop it, or give this one its own `ledger.file`", path = .0.display())]
    InUse(PathBuf),
    /// The file is something else.
    #[error("`{path}` is not a ledger of wayleave; set `ledger.file` to another path", path = .0.display())]
    Foreign(PathBuf),
    /// The file is damaged.
    #[error("the ledger `{path}` is damaged: {why}; restore it from a backup, or move it away and let people declare anew", path = .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What `SQLite` found.
        why: String,
    },
    /// A newer wayleave has written the file.
    #[error("the ledger `{path}` has schema version {found}, this wayleave knows versions up to {known}; run the newer wayleave that wrote it", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: i64,
        /// The newest version known.
        known: i64,
    },
    /// A migration that has been applied is not the one that this program holds.
    #[error("the ledger `{path}` was made with another text of migration {version}; run the wayleave that made it", path = .path.display())]
    Altered {
        /// The file.
        path: PathBuf,
        /// The migration.
        version: i64,
    },
    /// A change could not be made durable; nothing has changed.
    #[error("the ledger cannot keep the change: {0}")]
    Unavailable(String),
    /// The database cannot be opened.
    #[error("the ledger cannot be opened in `{database}`: {why}; {help}")]
    NotOpened {
        /// Which one, without its password.
        database: String,
        /// What went wrong.
        why: String,
        /// What to do.
        help: &'static str,
    },
    /// The database that several gateways share is out of reach: what is known counts on, and nothing changes.
    #[error(
        "the database that holds the ledger is out of reach: {0}; what is known of grants counts on, and no grant is given, answered or ended until it is back"
    )]
    Lost(String),
    /// There is no such grant.
    #[error("there is no grant `{0}`")]
    NoSuchGrant(GrantId),
    /// The grant has ended, expired or been answered already.
    #[error("the grant `{0}` is over already")]
    AlreadyOver(GrantId),
    /// Somebody else is approving it at this moment, or what its holder said of it is being recorded.
    #[error("the grant `{0}` is being answered at this moment; look again")]
    BeingAnswered(GrantId),
    /// Somebody has answered it since it was looked at.
    #[error("the grant `{0}` was answered by somebody else in the meantime; look again")]
    AnsweredSince(GrantId),
    /// The person asked for as much already, and this waits for an answer.
    #[error("the same was asked for already, and `{id}` waits for an answer", id = .0.id)]
    AlreadyAsked(Box<Grant>),
    /// The grant was renewed already.
    #[error("`{parent}` was renewed already, as `{id}`", id = .0.id, parent = .0.parent.as_ref().map_or("", GrantId::as_str))]
    AlreadyRenewed(Box<Grant>),
    /// What a call asks for was done already, since it was looked whether it was.
    #[error("it was done already, for a call with the same key")]
    DoneAlready,
    /// The person has no such token that is good.
    #[error("there is no token `{0}` that is good")]
    NoSuchToken(TokenId),
    /// What somebody proved themselves with was taken back before the change could be made.
    #[error("what proved who asks for it does not count any more: the password was changed, or the account is gone")]
    ProofOver,
    /// The person has as many tokens as one may have.
    #[error("{0} tokens are good already, which is the most that one person may have; revoke one first")]
    TooManyTokens(usize),
    /// The person holds as many grants as one may hold.
    #[error("{0} grants are in force already, which is the most that one person may hold; end one first")]
    TooMany(usize),
    /// As many requests of the person wait as may.
    #[error("{0} requests wait for an answer already, which is the most that one person may have; take one back first")]
    TooManyWaiting(usize),
    /// As many emergencies of the person wait for a review as may.
    #[error(
        "{0} emergencies wait for a review already, which is the most that one person may have; have one reviewed first"
    )]
    TooManyUnreviewed(usize),
}
