//! Tokens as rows of the database.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::rows::{get, text};
use super::{InDatabase, Trouble};
use crate::clock::Timestamp;
use crate::facts::{AccountMark, AccountMarks, SubjectId, Token, TokenHash, TokenId, hex, unhex};
use crate::ledger::error::LedgerError;
use crate::ledger::store::News;
use crate::ledger::tokens::{KeepsTokens, KeptToken, TokenRows};

const COLUMNS: &str = "id, subject, name, scope, hash, made_ms, expires_ms, revoked_ms, used_day, revoked_for";

/// What has changed of tokens after the change of that number. What cannot be read keeps nothing else from being heard.
pub(super) async fn news(client: &Client, seen: i64) -> Result<Vec<News>, Trouble> {
    let ask = format!("SELECT {COLUMNS} FROM tokens WHERE changed > $1 ORDER BY changed, id");
    let found = rows(client, &ask, &[&seen]).await?;
    let kept = found.kept.into_iter().map(|kept| News::Token(Box::new(kept)));
    let unreadable = found.unreadable.into_iter().map(News::TokenUnreadable);
    Ok(kept.chain(unreadable).collect())
}

async fn rows(client: &Client, ask: &str, of: &[&(dyn ToSql + Sync)]) -> Result<TokenRows, Trouble> {
    let mut found = TokenRows::default();
    for row in client.query(ask, of).await? {
        let id = TokenId::new(text(&row, "id")?);
        found.add(id, read(&row).map_err(|trouble| trouble.to_string()));
    }
    Ok(found)
}

impl KeepsTokens for InDatabase<'_> {
    fn tokens(&mut self) -> Result<TokenRows, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens ORDER BY id");
        self.store.ask(&self.client, rows(&self.client, &ask, &[]))
    }

    fn tokens_of(&mut self, who: &SubjectId) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens WHERE subject = $1 ORDER BY id");
        let found = self
            .store
            .ask(&self.client, rows(&self.client, &ask, &[&who.as_str()]))?;
        Ok(found.kept)
    }

    fn find_tokens(&mut self, ids: &[TokenId]) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens WHERE id = ANY ($1) ORDER BY id");
        let ids: Vec<&str> = ids.iter().map(TokenId::as_str).collect();
        let found = self.store.ask(&self.client, rows(&self.client, &ask, &[&ids]))?;
        Ok(found.kept)
    }

    fn write_token(&mut self, kept: &KeptToken) -> Result<(), LedgerError> {
        self.is_news = true;
        let ask = format!(
            "INSERT INTO tokens ({COLUMNS}, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (id) DO UPDATE SET revoked_ms = $8, revoked_for = $10, changed = $11"
        );
        let token = &kept.token;
        let written = async {
            let wrong = |error: serde_json::Error| Trouble::Unreadable(error.to_string());
            let scope = serde_json::to_string(&token.scope).map_err(wrong)?;
            let revoked = token.revoked_at.map(Timestamp::as_millis);
            let revoked_for = token.revoked_for.as_ref().map(serde_json::to_string);
            let row: [&(dyn ToSql + Sync); 11] = [
                &token.id.as_str(),
                &token.subject.as_str(),
                &token.name,
                &scope,
                &hex(kept.hash.bytes()),
                &token.made_at.as_millis(),
                &token.expires.as_millis(),
                &revoked,
                &kept.used_day,
                &revoked_for.transpose().map_err(wrong)?,
                &self.number,
            ];
            self.client.execute(&ask, &row).await?;
            Ok(())
        };
        self.store.ask(&self.client, written)
    }

    fn forget_tokens(&mut self, before: Timestamp) -> Result<(), LedgerError> {
        let forgotten = async {
            let ask = "DELETE FROM tokens WHERE expires_ms < $1";
            self.client.execute(ask, &[&before.as_millis()]).await?;
            Ok(())
        };
        self.store.ask(&self.client, forgotten)
    }

    fn used_tokens(&mut self, used: &[(TokenId, i64)]) -> Result<(), LedgerError> {
        self.is_news = true;
        let noted = async {
            let ask = "UPDATE tokens SET used_day = $2, changed = $3 WHERE id = $1 AND coalesce(used_day, -1) < $2";
            for (id, day) in used {
                self.client.execute(ask, &[&id.as_str(), day, &self.number]).await?;
            }
            Ok(())
        };
        self.store.ask(&self.client, noted)
    }

    fn accounts(&mut self) -> Result<AccountMarks, LedgerError> {
        let found = async {
            let ask = "SELECT subject, mark FROM accounts WHERE gateway = $1";
            let rows = self.client.query(ask, &[&self.store.gateway]).await?;
            let both = rows.iter().map(|row| Ok((text(row, "subject")?, text(row, "mark")?)));
            let both = both.collect::<Result<Vec<(String, String)>, Trouble>>()?;
            Ok(both.iter().filter_map(|(who, mark)| account(who, mark)).collect())
        };
        self.store.ask(&self.client, found)
    }

    fn write_accounts(&mut self, changed: &[(SubjectId, Option<AccountMark>)]) -> Result<(), LedgerError> {
        let written = async {
            let gateway = &self.store.gateway;
            for (who, mark) in changed {
                let who = who.as_str();
                if let Some(mark) = mark {
                    let ask = "INSERT INTO accounts (gateway, subject, mark) VALUES ($1, $2, $3) \
                               ON CONFLICT (gateway, subject) DO UPDATE SET mark = $3";
                    self.client.execute(ask, &[gateway, &who, &hex(mark.bytes())]).await?;
                } else {
                    let ask = "DELETE FROM accounts WHERE gateway = $1 AND subject = $2";
                    self.client.execute(ask, &[gateway, &who]).await?;
                }
            }
            Ok(())
        };
        self.store.ask(&self.client, written)
    }
}

/// What is no digest is that of no password: it is noticed as a change.
fn account(who: &str, mark: &str) -> Option<(SubjectId, AccountMark)> {
    let mark = AccountMark::new(unhex(mark).unwrap_or_default());
    Some((SubjectId::parse(who).ok()?, mark))
}

fn read(row: &Row) -> Result<KeptToken, Trouble> {
    let wrong = |what: &str, why: String| Trouble::Unreadable(format!("{what} of a token: {why}"));
    let at = Timestamp::from_millis;
    Ok(KeptToken {
        token: Token {
            id: TokenId::new(text(row, "id")?),
            subject: SubjectId::parse(&text(row, "subject")?).map_err(|why| wrong("the person", why.to_string()))?,
            name: text(row, "name")?,
            scope: serde_json::from_str(&text(row, "scope")?).map_err(|why| wrong("the scope", why.to_string()))?,
            made_at: at(get(row, "made_ms")?),
            expires: at(get(row, "expires_ms")?),
            revoked_at: get::<Option<i64>>(row, "revoked_ms")?.map(at),
            revoked_for: get::<Option<String>>(row, "revoked_for")?
                .map(|why| serde_json::from_str(&why))
                .transpose()
                .map_err(|why| wrong("the end", why.to_string()))?,
        },
        hash: unhex(&text(row, "hash")?)
            .map(TokenHash::new)
            .ok_or_else(|| wrong("the digest", "it is none".to_owned()))?,
        used_day: get(row, "used_day")?,
    })
}
