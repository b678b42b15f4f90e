//! Whether changes can be kept: what the last one met, and how it is about the place where they are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::LedgerError;
use super::store::Place;

/// What is known of the place where changes are kept.
pub(super) struct Keeping {
    place: Arc<dyn Place>,
    /// Why the last change was not kept.
    trouble: Mutex<Option<String>>,
}

impl Keeping {
    pub(super) fn at(place: Arc<dyn Place>) -> Self {
        Self {
            place,
            trouble: Mutex::default(),
        }
    }

    /// Notes how a change went, and logs where that is another state than before.
    pub(super) fn note<T>(&self, went: &Result<T, LedgerError>) {
        let trouble = match went {
            Ok(_) => None,
            Err(error @ LedgerError::Unavailable(_)) => Some(error.to_string()),
            Err(
                LedgerError::Unreadable { .. }
                | LedgerError::InUse(_)
                | LedgerError::Foreign(_)
                | LedgerError::Damaged { .. }
                | LedgerError::Newer { .. }
                | LedgerError::Altered { .. }
                // the place itself says so, and for how long
                | LedgerError::Lost(_)
                | LedgerError::NotOpened { .. }
                | LedgerError::NoSuchGrant(_)
                | LedgerError::DoneAlready
                | LedgerError::NoSuchToken(_)
                | LedgerError::ProofOver
                | LedgerError::TooManyTokens(_)
                | LedgerError::AlreadyOver(_)
                | LedgerError::BeingAnswered(_)
                | LedgerError::AnsweredSince(_)
                | LedgerError::AlreadyAsked(_)
                | LedgerError::AlreadyRenewed(_)
                | LedgerError::TooMany(_)
                | LedgerError::TooManyWaiting(_)
                | LedgerError::TooManyUnreviewed(_),
            ) => return,
        };
        let mut last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match &trouble {
            Some(why) if *last != trouble => tracing::error!("{why}"),
            None if last.is_some() => tracing::info!("the ledger keeps changes again"),
            Some(_) | None => {}
        }
        *last = trouble;
    }

    /// Whether changes can be kept, as far as is known without making one.
    pub(super) fn healthy(&self) -> Result<(), String> {
        self.place.in_place().map_err(|error| error.to_string())?;
        let last = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone().map_or(Ok(()), Err)
    }

    /// For how long nothing has been heard of what others change, where that is longer than it should be.
    pub(super) fn out_of_touch(&self) -> Option<Duration> {
        self.place.out_of_touch()
    }
}
