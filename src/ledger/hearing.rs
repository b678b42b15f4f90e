//! What others change, heard by the one thread that changes the ledger.

use super::error::LedgerError;
use super::store::{News, Store};
use super::writer::Keeper;

impl<S: Store> Keeper<S> {
    /// Shows what others have changed. INVARIANT: not before every doubt is cleared, so that nobody is shown what is taken
    /// back.
    pub(super) fn look(&mut self) {
        let waiting = self.hearers.take();
        self.bell.is_heard();
        // where that cannot be known now, the place itself tells for how long, and rings again
        let news = self.clear_doubts().and_then(|()| self.store.news());
        self.note_unheard(news.as_ref().err());
        for one in news.into_iter().flatten() {
            match one {
                News::Is(grant) => self.view.shows(*grant),
                News::Gone(id) => self.view.forgets(&id),
                News::Token(kept) => self.tokens.shows(*kept),
                News::TokenUnreadable(id) => self.tokens.cannot_read(id),
            }
        }
        let in_touch = self.keeping.out_of_touch().is_none();
        if std::mem::replace(&mut self.in_touch, in_touch) != in_touch {
            self.view.wakes();
        }
        // who has gone away meanwhile minds nothing
        for heard in waiting {
            let _ = heard.send(());
        }
    }

    /// Logs why it is not known what others have changed, where that is another reason than before.
    fn note_unheard(&mut self, trouble: Option<&LedgerError>) {
        // that the database is out of reach is told where that is noticed
        let told = |error: &&LedgerError| !matches!(error, LedgerError::Lost(_));
        let why = trouble.filter(told).map(ToString::to_string);
        if let Some(why) = why.as_ref().filter(|_| why != self.unheard) {
            tracing::error!(why, "what other gateways change cannot be read");
        }
        self.unheard = why;
    }
}
