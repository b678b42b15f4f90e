//! Tokens as rows of the file.

use rusqlite::{Row, params};

use super::{OnDisk, unavailable};
use crate::clock::Timestamp;
use crate::facts::{SubjectId, Token, TokenHash, TokenId, hex, unhex};
use crate::ledger::error::LedgerError;
use crate::ledger::tokens::{KeepsTokens, KeptToken};

const COLUMNS: &str = "id, subject, name, scope, hash, made_ms, expires_ms, revoked_ms, used_day";

impl KeepsTokens for OnDisk<'_> {
    fn tokens(&mut self) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens ORDER BY id");
        let mut statement = self.transaction.prepare(&ask).map_err(|error| unavailable(&error))?;
        let rows = statement.query_map([], read).map_err(|error| unavailable(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| unavailable(&error))
    }

    fn tokens_of(&mut self, who: &SubjectId) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens WHERE subject = ?1 ORDER BY id");
        let mut statement = self.transaction.prepare(&ask).map_err(|error| unavailable(&error))?;
        let rows = statement
            .query_map([who.as_str()], read)
            .map_err(|error| unavailable(&error))?;
        rows.collect::<Result<_, _>>().map_err(|error| unavailable(&error))
    }

    fn write_token(&mut self, kept: &KeptToken) -> Result<(), LedgerError> {
        let ask = format!("INSERT OR REPLACE INTO tokens ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
        let token = &kept.token;
        let scope = serde_json::to_string(&token.scope).map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        let row = params![
            token.id.as_str(),
            token.subject.as_str(),
            token.name,
            scope,
            hex(kept.hash.bytes()),
            token.made_at.as_millis(),
            token.expires.as_millis(),
            token.revoked_at.map(Timestamp::as_millis),
            kept.used_day,
        ];
        let written = self.transaction.execute(&ask, row);
        written.map(drop).map_err(|error| unavailable(&error))
    }

    fn forget_tokens(&mut self, before: Timestamp) -> Result<(), LedgerError> {
        let ask = "DELETE FROM tokens WHERE expires_ms < ?1";
        let forgotten = self.transaction.execute(ask, [before.as_millis()]);
        forgotten.map(drop).map_err(|error| unavailable(&error))
    }

    fn used_tokens(&mut self, used: &[(TokenId, i64)]) -> Result<(), LedgerError> {
        let ask = "UPDATE tokens SET used_day = ?2 WHERE id = ?1 AND coalesce(used_day, -1) < ?2";
        for (id, day) in used {
            let noted = self.transaction.execute(ask, (id.as_str(), day));
            noted.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<KeptToken> {
    let wrong = |column: usize, why: String| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into())
    };
    let text = |column: usize| row.get::<_, String>(column);
    let at = |millis: i64| Timestamp::from_millis(millis);
    Ok(KeptToken {
        token: Token {
            id: TokenId::new(text(0)?),
            subject: SubjectId::parse(&text(1)?).map_err(|why| wrong(1, why.to_string()))?,
            name: text(2)?,
            scope: serde_json::from_str(&text(3)?).map_err(|why| wrong(3, why.to_string()))?,
            made_at: at(row.get(5)?),
            expires: at(row.get(6)?),
            revoked_at: row.get::<_, Option<i64>>(7)?.map(at),
        },
        hash: unhex(&text(4)?)
            .map(TokenHash::new)
            .ok_or_else(|| wrong(4, "it is no digest".to_owned()))?,
        used_day: row.get(8)?,
    })
}
