//! What goes wrong with the database, in words for the person who runs the gateway.

use std::time::Duration;

use tokio_postgres::error::{Severity, SqlState};

use super::migrate::Unfit;
use crate::ledger::error::LedgerError;

/// Why something could not be done.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("{}", told(.0))]
    Database(#[from] tokio_postgres::Error),
    #[error("it did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    #[error("another gateway named `{0}` is connected")]
    Taken(String),
    #[error("{0}")]
    Unreadable(String),
}

/// What the database said; never what it was told.
pub(super) fn told(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    match (error.as_db_error(), error.source()) {
        (Some(said), _) => said.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

impl Trouble {
    /// Whether the connection is of no more use: also where the database itself ends it, which is a fatal error to it, and
    /// where it takes no changes any more, as another server does by now.
    pub(super) fn is_loss(&self) -> bool {
        match self {
            Self::Database(error) => error.as_db_error().is_none_or(|said| {
                let is_fatal = matches!(said.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
                is_fatal || *said.code() == SqlState::READ_ONLY_SQL_TRANSACTION
            }),
            Self::Silent(_) => true,
            Self::Taken(_) | Self::Unreadable(_) => false,
        }
    }

    /// The same for whoever asked.
    pub(super) fn told_of(&self, is_lost: bool) -> LedgerError {
        if is_lost {
            return LedgerError::Lost(self.to_string());
        }
        LedgerError::Unavailable(format!("{self}; check the database that `ledger.url` names"))
    }

    pub(super) fn at_start(self, database: &str) -> LedgerError {
        let help = match &self {
            Self::Taken(_) => "give each gateway its own `ledger.gateway`",
            Self::Database(error) if error.as_db_error().is_some() => {
                "check the user, the password and the rights, and that the database exists"
            }
            Self::Database(_) | Self::Silent(_) => {
                "check that it runs, that `ledger.url` names it, and that its certificate is of one of the roots of `[tls]`"
            }
            Self::Unreadable(_) => "run the wayleave that wrote it",
        };
        LedgerError::NotOpened {
            database: database.to_owned(),
            why: self.to_string(),
            help,
        }
    }
}

impl Unfit {
    pub(super) fn told(self, database: &str) -> LedgerError {
        let (why, help) = match self {
            Self::Foreign => (
                "it has tables of the same names that are not of wayleave".to_owned(),
                "give wayleave a database of its own",
            ),
            Self::Newer { found, known } => (
                format!("its schema has version {found}, this wayleave knows versions up to {known}"),
                "run the newer wayleave that wrote it",
            ),
            Self::Altered(version) => (
                format!("it was made with another text of migration {version}"),
                "run the wayleave that made it",
            ),
        };
        LedgerError::NotOpened {
            database: database.to_owned(),
            why,
            help,
        }
    }
}
