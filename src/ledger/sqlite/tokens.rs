//! Tokens as rows of the file.

use rusqlite::{Row, params};

use super::{OnDisk, unavailable};
use crate::clock::Timestamp;
use crate::facts::{AccountMark, AccountMarks, SubjectId, Token, TokenHash, TokenId, hex, unhex};
use crate::ledger::ending::{OnRecord, UntoldToken};
use crate::ledger::error::LedgerError;
use crate::ledger::token_rows::{KeepsTokens, KeptToken, TOKEN, TokenRows, untold};

const COLUMNS: &str = "id, subject, name, scope, hash, made_ms, expires_ms, revoked_ms, used_day, revoked_for";

impl OnDisk<'_> {
    fn token_rows(&self, which: &str, of: &[&dyn rusqlite::ToSql]) -> Result<TokenRows, LedgerError> {
        let told = |error: rusqlite::Error| unavailable(&error);
        let ask = format!("SELECT {COLUMNS} FROM tokens {which} ORDER BY id");
        let mut statement = self.transaction.prepare(&ask).map_err(told)?;
        let mut rows = statement.query(of).map_err(told)?;
        let mut found = TokenRows::default();
        while let Some(row) = rows.next().map_err(told)? {
            let id = row.get_ref(0).map_err(told)?.as_str().unwrap_or_default();
            found.add(TokenId::new(id), read(row).map_err(|error| error.to_string()));
        }
        Ok(found)
    }

    fn write_token(&self, kept: &KeptToken) -> Result<(), LedgerError> {
        let ask = format!("INSERT OR REPLACE INTO tokens ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
        let token = &kept.token;
        let wrong = |error: serde_json::Error| LedgerError::Unavailable(error.to_string());
        let scope = serde_json::to_string(&token.scope).map_err(wrong)?;
        let revoked_for = token.revoked_for.as_ref().map(serde_json::to_string);
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
            revoked_for.transpose().map_err(wrong)?,
        ];
        let written = self.transaction.execute(&ask, row);
        written.map(drop).map_err(|error| unavailable(&error))
    }
}

impl KeepsTokens for OnDisk<'_> {
    fn tokens(&mut self) -> Result<TokenRows, LedgerError> {
        self.token_rows("", &[])
    }

    fn tokens_of(&mut self, whose: &[&SubjectId]) -> Result<Vec<KeptToken>, LedgerError> {
        let theirs = whose
            .iter()
            .map(|who| self.token_rows("WHERE subject = ?1", &[&who.as_str()]));
        let found: Vec<TokenRows> = theirs.collect::<Result<_, _>>()?;
        Ok(found.into_iter().flat_map(|rows| rows.kept).collect())
    }

    fn find_tokens(&mut self, ids: &[&TokenId]) -> Result<Vec<KeptToken>, LedgerError> {
        let each = ids.iter().map(|id| self.token_rows("WHERE id = ?1", &[&id.as_str()]));
        let found: Vec<TokenRows> = each.collect::<Result<_, _>>()?;
        Ok(found.into_iter().flat_map(|rows| rows.kept).collect())
    }

    fn write_tokens(&mut self, kept: &[KeptToken]) -> Result<(), LedgerError> {
        kept.iter().try_for_each(|kept| self.write_token(kept))
    }

    fn owe_tokens(&mut self, over: &[(KeptToken, OnRecord)]) -> Result<(), LedgerError> {
        let ask = "INSERT OR REPLACE INTO untold (id, act, on_record) VALUES (?1, ?2, ?3)";
        let wrong = |error: serde_json::Error| LedgerError::Unavailable(error.to_string());
        for (kept, on_record) in over {
            let row = (
                kept.token.id.as_str(),
                TOKEN,
                serde_json::to_string(on_record).map_err(wrong)?,
            );
            let noted = self.transaction.execute(ask, row);
            noted.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    fn tokens_told(&mut self, ids: &[&TokenId]) -> Result<(), LedgerError> {
        let ask = "DELETE FROM untold WHERE id = ?1 AND act = ?2";
        for id in ids {
            let told = self.transaction.execute(ask, (id.as_str(), TOKEN));
            told.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }

    fn untold_tokens(&mut self) -> Result<Vec<UntoldToken>, LedgerError> {
        let told = |error: rusqlite::Error| unavailable(&error);
        let ask = "SELECT id, on_record FROM untold WHERE act = ?1 ORDER BY id";
        let mut statement = self.transaction.prepare(ask).map_err(told)?;
        let both = |row: &Row<'_>| Ok((TokenId::new(row.get::<_, String>(0)?), row.get::<_, String>(1)?));
        let rows = statement.query_map([TOKEN], both).map_err(told)?;
        let rows: Vec<(TokenId, String)> = rows.collect::<Result<_, _>>().map_err(told)?;
        let each = rows.iter().map(|(id, on_record)| {
            let found = self.token_rows("WHERE id = ?1", &[&id.as_str()])?;
            Ok(found.kept.into_iter().next().and_then(|kept| untold(kept, on_record)))
        });
        let found: Vec<Option<UntoldToken>> = each.collect::<Result<_, LedgerError>>()?;
        Ok(found.into_iter().flatten().collect())
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

    fn accounts(&mut self) -> Result<AccountMarks, LedgerError> {
        let told = |error: rusqlite::Error| unavailable(&error);
        let mut statement = self
            .transaction
            .prepare("SELECT subject, mark FROM accounts")
            .map_err(told)?;
        let both = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        let rows = statement.query_map([], both).map_err(told)?;
        let rows: Vec<(String, String)> = rows.collect::<Result<_, _>>().map_err(told)?;
        Ok(rows
            .into_iter()
            .filter_map(|(who, mark)| account(&who, &mark))
            .collect())
    }

    fn write_accounts(&mut self, changed: &[(SubjectId, Option<AccountMark>)]) -> Result<(), LedgerError> {
        for (who, mark) in changed {
            let written = match mark {
                Some(mark) => self.transaction.execute(
                    "INSERT OR REPLACE INTO accounts (subject, mark) VALUES (?1, ?2)",
                    (who.as_str(), hex(mark.bytes())),
                ),
                None => self
                    .transaction
                    .execute("DELETE FROM accounts WHERE subject = ?1", [who.as_str()]),
            };
            written.map_err(|error| unavailable(&error))?;
        }
        Ok(())
    }
}

/// What is no digest is that of no password: it is noticed as a change.
fn account(who: &str, mark: &str) -> Option<(SubjectId, AccountMark)> {
    let mark = AccountMark::new(unhex(mark).unwrap_or_default());
    Some((SubjectId::parse(who).ok()?, mark))
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
            revoked_for: row
                .get::<_, Option<String>>(9)?
                .map(|why| serde_json::from_str(&why))
                .transpose()
                .map_err(|why| wrong(9, why.to_string()))?,
        },
        hash: unhex(&text(4)?)
            .map(TokenHash::new)
            .ok_or_else(|| wrong(4, "it is no digest".to_owned()))?,
        used_day: row.get(8)?,
    })
}
