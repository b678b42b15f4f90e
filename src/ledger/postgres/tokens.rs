//! Tokens as rows of the database.

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use super::rows::{get, text};
use super::{InDatabase, Trouble};
use crate::clock::Timestamp;
use crate::facts::{AccountMark, AccountMarks, SubjectId, Token, TokenHash, TokenId, hex, unhex};
use crate::ledger::ending::{OnRecord, UntoldToken};
use crate::ledger::error::LedgerError;
use crate::ledger::store::News;
use crate::ledger::token_rows::{KeepsTokens, KeptToken, TOKEN, TokenRows, untold};

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

    fn tokens_of(&mut self, whose: &[&SubjectId]) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens WHERE subject = ANY ($1) ORDER BY id");
        let whose: Vec<&str> = whose.iter().map(|who| who.as_str()).collect();
        let found = self.store.ask(&self.client, rows(&self.client, &ask, &[&whose]))?;
        Ok(found.kept)
    }

    fn find_tokens(&mut self, ids: &[&TokenId]) -> Result<Vec<KeptToken>, LedgerError> {
        let ask = format!("SELECT {COLUMNS} FROM tokens WHERE id = ANY ($1) ORDER BY id");
        let ids: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
        let found = self.store.ask(&self.client, rows(&self.client, &ask, &[&ids]))?;
        Ok(found.kept)
    }

    fn write_tokens(&mut self, kept: &[KeptToken]) -> Result<(), LedgerError> {
        self.is_news = true;
        self.each(kept, |some| write(&self.client, some, self.number))
    }

    fn owe_tokens(&mut self, over: &[(KeptToken, OnRecord)]) -> Result<(), LedgerError> {
        self.each(over, |some| owe(&self.client, &self.store.gateway, some))
    }

    fn tokens_told(&mut self, ids: &[&TokenId]) -> Result<(), LedgerError> {
        let told = async |some: &[&TokenId]| {
            let ask = "DELETE FROM untold WHERE id = ANY ($1) AND act = $2 AND gateway = $3";
            let ids: Vec<&str> = some.iter().map(|id| id.as_str()).collect();
            self.client.execute(ask, &[&ids, &TOKEN, &self.store.gateway]).await?;
            Ok(())
        };
        self.each(ids, told)
    }

    fn untold_tokens(&mut self) -> Result<Vec<UntoldToken>, LedgerError> {
        let found = async {
            let ask = format!(
                "SELECT u.on_record, t.* FROM untold u JOIN (SELECT {COLUMNS} FROM tokens) t ON t.id = u.id \
                 WHERE u.act = $1 AND u.gateway = $2 ORDER BY t.id"
            );
            let mut found = Vec::new();
            for row in self.client.query(&ask, &[&TOKEN, &self.store.gateway]).await? {
                let on_record = text(&row, "on_record")?;
                // that a row cannot be read is in the log already
                found.extend(read(&row).ok().and_then(|kept| untold(kept, &on_record)));
            }
            Ok(found)
        };
        self.store.ask(&self.client, found)
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
        self.each(used, |some| note_used(&self.client, some, self.number))
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
        let gateway = self.store.gateway.as_str();
        self.each(changed, |some| note_accounts(&self.client, gateway, some))
    }
}

async fn write(client: &Client, kept: &[KeptToken], change: i64) -> Result<(), Trouble> {
    let ask = format!(
        "INSERT INTO tokens ({COLUMNS}, changed) \
         SELECT *, $11 FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[], \
         $8::bigint[], $9::bigint[], $10::text[]) ON CONFLICT (id) DO UPDATE SET \
         revoked_ms = excluded.revoked_ms, revoked_for = excluded.revoked_for, changed = excluded.changed"
    );
    let wrong = |error: serde_json::Error| Trouble::Unreadable(error.to_string());
    let tokens = || kept.iter().map(|kept| &kept.token);
    let of = |column: fn(&Token) -> &str| -> Vec<&str> { tokens().map(column).collect() };
    let moments =
        |column: fn(&Token) -> Timestamp| -> Vec<i64> { tokens().map(|token| column(token).as_millis()).collect() };
    let scopes = tokens().map(|token| serde_json::to_string(&token.scope));
    let hashes: Vec<String> = kept.iter().map(|kept| hex(kept.hash.bytes())).collect();
    let revoked: Vec<Option<i64>> = tokens()
        .map(|token| token.revoked_at.map(Timestamp::as_millis))
        .collect();
    let days: Vec<Option<i64>> = kept.iter().map(|kept| kept.used_day).collect();
    let revoked_for = tokens().map(|token| token.revoked_for.as_ref().map(serde_json::to_string).transpose());
    let values: [&(dyn ToSql + Sync); 11] = [
        &of(|token| token.id.as_str()),
        &of(|token| token.subject.as_str()),
        &of(|token| token.name.as_str()),
        &scopes.collect::<Result<Vec<String>, _>>().map_err(wrong)?,
        &hashes,
        &moments(|token| token.made_at),
        &moments(|token| token.expires),
        &revoked,
        &days,
        &revoked_for.collect::<Result<Vec<Option<String>>, _>>().map_err(wrong)?,
        &change,
    ];
    client.execute(&ask, &values).await?;
    Ok(())
}

async fn owe(client: &Client, gateway: &str, over: &[(KeptToken, OnRecord)]) -> Result<(), Trouble> {
    let ask = "INSERT INTO untold (id, act, gateway, on_record) \
               SELECT id, $2, $3, on_record FROM unnest($1::text[], $4::text[]) AS ends (id, on_record) \
               ON CONFLICT (id, act) DO UPDATE SET (gateway, on_record) = ROW (excluded.gateway, excluded.on_record)";
    let wrong = |error: serde_json::Error| Trouble::Unreadable(error.to_string());
    let ids: Vec<&str> = over.iter().map(|(kept, _)| kept.token.id.as_str()).collect();
    let on_record = over.iter().map(|(_, on_record)| serde_json::to_string(on_record));
    let on_record = on_record.collect::<Result<Vec<String>, _>>().map_err(wrong)?;
    client.execute(ask, &[&ids, &TOKEN, &gateway, &on_record]).await?;
    Ok(())
}

async fn note_used(client: &Client, used: &[(TokenId, i64)], change: i64) -> Result<(), Trouble> {
    let ask = "UPDATE tokens SET used_day = used_on, changed = $3 FROM unnest($1::text[], $2::bigint[]) AS used (token_id, used_on) \
               WHERE id = token_id AND coalesce(used_day, -1) < used_on";
    let (ids, days): (Vec<&str>, Vec<i64>) = used.iter().map(|(id, day)| (id.as_str(), *day)).unzip();
    client.execute(ask, &[&ids, &days, &change]).await?;
    Ok(())
}

async fn note_accounts(
    client: &Client,
    gateway: &str,
    changed: &[(SubjectId, Option<AccountMark>)],
) -> Result<(), Trouble> {
    let marked = changed
        .iter()
        .filter_map(|(who, mark)| Some((who.as_str(), hex(mark.as_ref()?.bytes()))));
    let (who, marks): (Vec<&str>, Vec<String>) = marked.unzip();
    let ask = "INSERT INTO accounts (gateway, subject, mark) \
               SELECT $1, subject, mark FROM unnest($2::text[], $3::text[]) AS seen (subject, mark) \
               ON CONFLICT (gateway, subject) DO UPDATE SET mark = excluded.mark";
    client.execute(ask, &[&gateway, &who, &marks]).await?;
    let gone = changed.iter().filter(|(_, mark)| mark.is_none());
    let gone: Vec<&str> = gone.map(|(who, _)| who.as_str()).collect();
    let ask = "DELETE FROM accounts WHERE gateway = $1 AND subject = ANY ($2)";
    client.execute(ask, &[&gateway, &gone]).await?;
    Ok(())
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
