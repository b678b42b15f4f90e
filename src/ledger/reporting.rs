//! What holders say came of their grants, kept with these.

use super::Ledger;
use super::ending::{Ending, OnRecord};
use super::error::LedgerError;
use super::promise::Telling;
use crate::facts::{Grant, GrantId, Report};

impl Ledger {
    /// Keeps what the holder of a grant that is over says came of it, or that they correct that.
    ///
    /// `once_kept` is called with the grant as for [`Ledger::withdraw_on_record`].
    pub async fn report(
        &self,
        id: &GrantId,
        (report, on_record): (Report, OnRecord),
        once_kept: impl FnMut(&Grant, Telling) + Send + 'static,
    ) -> Result<Grant, LedgerError> {
        // what is not in memory any more has been over for too long, and is not counted anew
        if self.view.get(id).is_none() {
            return Err(LedgerError::NoSuchGrant(id.clone()));
        }
        let at = report.at;
        self.end_on_record(id, (Ending::Reported(report), at), on_record, once_kept)
            .await
    }
}
