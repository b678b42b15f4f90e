//! Where the ledger is kept, and how long a gateway may do without hearing of it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Where the ledger is kept.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// In a file of this gateway, or in a database for several.
    pub store: Kept,
    /// The `SQLite` file; made, with its folder, if it is not there.
    pub file: PathBuf,
    /// The `PostgreSQL` database.
    pub url: Option<String>,
    /// The file that holds the database's password; none where it wants none.
    pub password_file: Option<PathBuf>,
    /// The name of this gateway among those that share the database.
    pub gateway: Option<String>,
    /// For how long a gateway that has lost the database lets people publish under a grant.
    pub publish_patience_s: u64,
    /// For how long it lets pass anything else that needs a grant.
    pub grant_patience_s: u64,
}

/// Which kind of store keeps the ledger.
#[derive(Deserialize, Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kept {
    /// A file of this gateway alone.
    #[default]
    Sqlite,
    /// A database that several gateways share.
    Postgresql,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            store: Kept::default(),
            file: PathBuf::from("state/ledger.db"),
            url: None,
            password_file: None,
            gateway: None,
            publish_patience_s: 60,
            grant_patience_s: 900,
        }
    }
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The setting.
    pub field: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

impl Settings {
    /// For how long a gateway that has lost the database lets people publish under a grant, and do anything else.
    pub fn patience(&self) -> (Duration, Duration) {
        (
            Duration::from_secs(self.publish_patience_s),
            Duration::from_secs(self.grant_patience_s),
        )
    }

    /// Everything that makes no sense.
    pub fn problems(&self) -> Vec<BadSetting> {
        match self.store {
            Kept::Sqlite => Vec::new(),
            Kept::Postgresql if cfg!(feature = "postgres") => self.of_the_database(),
            Kept::Postgresql => vec![BadSetting {
                field: "store",
                message: "this program was built without PostgreSQL".to_owned(),
                help: "build it with `cargo build --features postgres`",
            }],
        }
    }

    fn of_the_database(&self) -> Vec<BadSetting> {
        let mut found = Vec::new();
        let mut bad = |field, message: &str, help| {
            found.push(BadSetting {
                field,
                message: message.to_owned(),
                help,
            });
        };
        match self.url.as_deref().map(has_password) {
            None => bad(
                "store",
                "a ledger in PostgreSQL needs `ledger.url`",
                "write it as `postgresql://USER@HOST/DATABASE`",
            ),
            Some(Err(why)) => bad("url", why, "write it as `postgresql://USER@HOST/DATABASE`"),
            // told beside the URL, not at it: what is at it is shown
            Some(Ok(true)) => bad(
                "password_file",
                "`ledger.url` holds a password, which is shown wherever settings are",
                "write it into a file that only wayleave may read, and name that as `ledger.password_file`",
            ),
            Some(Ok(false)) => {}
        }
        let is_name = |name: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
            (1..=40).contains(&name.len()) && name.chars().all(plain)
        };
        match self.gateway.as_deref() {
            None => bad(
                "store",
                "a ledger that several gateways share needs `ledger.gateway`",
                "give each gateway a name of its own, which it keeps, e.g. `gateway = \"east-1\"`",
            ),
            Some(name) if !is_name(name) => bad(
                "gateway",
                "it is no name for a gateway",
                "use up to 40 letters, digits, `-`, `_` and `.`",
            ),
            Some(_) => {}
        }
        if self.publish_patience_s > self.grant_patience_s {
            bad(
                "publish_patience_s",
                "publishing needs a grant, too: it cannot go on for longer than that",
                "make it at most `ledger.grant_patience_s`",
            );
        }
        found
    }
}

#[cfg(feature = "postgres")]
fn has_password(url: &str) -> Result<bool, &'static str> {
    super::postgres::parsed(url).map(|config| config.get_password().is_some())
}

#[cfg(not(feature = "postgres"))]
fn has_password(_: &str) -> Result<bool, &'static str> {
    Err("this program was built without PostgreSQL")
}
