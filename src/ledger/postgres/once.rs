//! What was done for calls, as rows of the database.

use super::{InDatabase, Trouble};
use crate::clock::Timestamp;
use crate::facts::{GrantId, SubjectId};
use crate::ledger::error::LedgerError;
use crate::ledger::once::{Done, KeepsDone, Once};

impl KeepsDone for InDatabase<'_> {
    fn recalled(&mut self, by: &SubjectId, key: &str, after: Timestamp) -> Result<Option<Done>, LedgerError> {
        let ask = "SELECT what FROM done WHERE subject = $1 AND key = $2 AND made_ms > $3";
        let found = async {
            let row = self
                .client
                .query_opt(ask, &[&by.as_str(), &key, &after.as_millis()])
                .await?;
            let what: Option<String> = row.map(|row| row.try_get(0)).transpose()?;
            let read =
                |what: String| serde_json::from_str(&what).map_err(|error| Trouble::Unreadable(error.to_string()));
            what.map(read).transpose()
        };
        self.store.ask(&self.client, found)
    }

    fn note_done(&mut self, once: &Once, done: &Done, until: Timestamp) -> Result<(), LedgerError> {
        let forget = "DELETE FROM done WHERE made_ms <= $1";
        let note = "INSERT INTO done (subject, key, made_ms, what) VALUES ($1, $2, $3, $4)";
        let noted = async {
            let what = serde_json::to_string(done).map_err(|error| Trouble::Unreadable(error.to_string()))?;
            self.client.execute(forget, &[&until.as_millis()]).await?;
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                [&once.by.as_str(), &once.key, &once.at.as_millis(), &what];
            self.client.execute(note, &row).await?;
            Ok(())
        };
        self.store.ask(&self.client, noted)
    }

    fn forget_done(&mut self, once: &Once, grant: &GrantId) -> Result<(), LedgerError> {
        let ask = "DELETE FROM done WHERE subject = $1 AND key = $2 AND strpos(what, $3) > 0";
        let forgotten = async {
            let named = named(grant)?;
            self.client
                .execute(ask, &[&once.by.as_str(), &once.key, &named])
                .await?;
            Ok(())
        };
        self.store.ask(&self.client, forgotten)
    }

    fn forget_done_of(&mut self, grant: &GrantId) -> Result<(), LedgerError> {
        let forgotten = async {
            let named = named(grant)?;
            let ask = "DELETE FROM done WHERE strpos(what, $1) > 0";
            self.client.execute(ask, &[&named]).await?;
            Ok(())
        };
        self.store.ask(&self.client, forgotten)
    }
}

/// A grant as it stands in what was done: nothing else there looks like the name of one.
fn named(grant: &GrantId) -> Result<String, Trouble> {
    serde_json::to_string(grant).map_err(|error| Trouble::Unreadable(error.to_string()))
}
