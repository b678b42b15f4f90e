//! Tokens as rows of the database.

use tokio_postgres::{Client, Row};

use super::rows::{get, text};
use super::{InDatabase, Trouble};
use crate::clock::Timestamp;
use crate::facts::{SubjectId, Token, TokenHash, TokenId, hex, unhex};
use crate::ledger::error::LedgerError;
use crate::ledger::store::News;
use crate::ledger::tokens::{KeepsTokens, KeptToken};

const COLUMNS: &str = "id, subject, name, scope, hash, made_ms, expires_ms, revoked_ms, used_day";

/// What has changed of tokens after the change of that number.
pub(super) async fn news(client: &Client, seen: i64) -> Result<Vec<News>, Trouble> {
    let ask = format!("SELECT {COLUMNS} FROM tokens WHERE changed > $1 ORDER BY changed, id");
    let mut news = Vec::new();
    for row in client.query(&ask, &[&seen]).await? {
        news.push(News::Token(Box::new(read(&row)?)));
    }
    Ok(news)
}

impl KeepsTokens for InDatabase<'_> {
    fn tokens(&mut self) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens ORDER BY id");
        let found = async {
            let rows = self.client.query(&ask, &[]).await?;
            rows.iter().map(read).collect()
        };
        self.store.ask(&self.client, found)
    }

    fn tokens_of(&mut self, who: &SubjectId) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens WHERE subject = $1 ORDER BY id");
        let found = async {
            let rows = self.client.query(&ask, &[&who.as_str()]).await?;
            rows.iter().map(read).collect()
        };
        self.store.ask(&self.client, found)
    }

    fn write_token(&mut self, kept: &KeptToken) -> Result<(), LedgerError> {
        self.is_news = true;
        let ask = format!(
            "INSERT INTO tokens ({COLUMNS}, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
             ON CONFLICT (id) DO UPDATE SET revoked_ms = $8, changed = $10"
        );
        let token = &kept.token;
        let written = async {
            let scope = serde_json::to_string(&token.scope).map_err(|error| Trouble::Unreadable(error.to_string()))?;
            let revoked = token.revoked_at.map(Timestamp::as_millis);
            let row: [&(dyn tokio_postgres::types::ToSql + Sync); 10] = [
                &token.id.as_str(),
                &token.subject.as_str(),
                &token.name,
                &scope,
                &hex(kept.hash.bytes()),
                &token.made_at.as_millis(),
                &token.expires.as_millis(),
                &revoked,
                &kept.used_day,
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
        },
        hash: unhex(&text(row, "hash")?)
            .map(TokenHash::new)
            .ok_or_else(|| wrong("the digest", "it is none".to_owned()))?,
        used_day: get(row, "used_day")?,
    })
}
