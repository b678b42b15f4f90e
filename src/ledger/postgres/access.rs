//! How the database is reached: encrypted and verified, with a password that is written nowhere.
#![expect(clippy::disallowed_methods, reason = "door: reads the password of the database")]

use std::path::PathBuf;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};

use super::PATIENCE;
use crate::ledger::Settings;
use crate::ledger::error::LedgerError;

/// What is needed to reach the database.
pub(in crate::ledger) struct Access {
    /// Its URL.
    pub(in crate::ledger) url: String,
    /// The password, where the database wants one.
    pub(in crate::ledger) password: Option<String>,
    /// The name of this gateway.
    pub(in crate::ledger) gateway: String,
    /// How the database is verified.
    pub(in crate::ledger) tls: rustls::ClientConfig,
}

impl Access {
    /// As the settings say; the password is read from its file.
    pub(in crate::ledger) fn of(settings: &Settings, tls: rustls::ClientConfig) -> Result<Self, LedgerError> {
        let url = settings.url.clone().unwrap_or_default();
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path).map_err(|error| LedgerError::NotOpened {
                database: named(&parsed(&url).unwrap_or_default()),
                why: format!("the password cannot be read from `{}`: {error}", path.display()),
                help: "check `ledger.password_file`",
            })?;
            Ok(text.trim_end_matches(['\n', '\r']).to_owned())
        };
        Ok(Self {
            password: settings.password_file.as_ref().map(read).transpose()?,
            gateway: settings.gateway.clone().unwrap_or_default(),
            tls,
            url,
        })
    }

    /// How to connect: encrypted and verified, unless the URL says `sslmode=disable` or names a socket.
    pub(super) fn config(&self) -> Result<Config, LedgerError> {
        let mut config = parsed(&self.url).map_err(|why| LedgerError::NotOpened {
            database: "ledger.url".to_owned(),
            why: why.to_owned(),
            help: "write it as `postgresql://USER@HOST/DATABASE`",
        })?;
        if let Some(password) = &self.password {
            config.password(password);
        }
        let is_local = config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_)));
        if is_local {
            config.ssl_mode(SslMode::Disable);
        } else if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(SslMode::Require);
        }
        config
            .application_name(format!("wayleave {}", self.gateway))
            .target_session_attrs(TargetSessionAttrs::ReadWrite)
            .tcp_user_timeout(PATIENCE)
            .keepalives_idle(PATIENCE);
        Ok(config)
    }
}

/// Reads a URL; what is wrong with one is not quoted, because people write passwords into them.
pub(in crate::ledger) fn parsed(url: &str) -> Result<Config, &'static str> {
    let config: Config = url.parse().map_err(|_| "it is not the URL of a PostgreSQL database")?;
    if config.get_hosts().is_empty() {
        return Err("it names no host");
    }
    Ok(config)
}

/// Which database that is, for people: without a password.
pub(super) fn named(config: &Config) -> String {
    let host = config.get_hosts().first().map_or_else(String::new, |host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    let user = config.get_user().unwrap_or_default();
    format!("postgresql://{user}@{host}/{}", config.get_dbname().unwrap_or(user))
}
