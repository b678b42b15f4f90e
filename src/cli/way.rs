//! How `declare`, `grants`, `approve`, `decline` and `revoke` reach the portal: the proxy, its root, and who asks. A password need not stand on a command
//! line, where every process of the machine could read it.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads a password from a file that was asked for, and proxies from the environment"
)]

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Uri;
use miette::{Report, miette};

use super::stop::Stop;
use super::user::{first_line, prompt};
use crate::facts::{Host, Secret};

/// How to reach the portal.
#[derive(Debug, clap::Args)]
pub struct Way {
    /// The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door; `HTTPS_PROXY` or `https_proxy` if not given.
    #[arg(long, env = "HTTPS_PROXY", hide_env = true, value_name = "URL")]
    proxy: Option<String>,
    /// The root certificate of the gateway, in PEM (`wayleave ca show --pem`).
    #[arg(long, env = "WAYLEAVE_CA", hide_env_values = true, value_name = "FILE")]
    pub(super) ca: PathBuf,
    /// The user name, if it does not stand in the proxy's URL.
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Read the password from the first line of a file, `-` is standard input; else it is taken from the proxy's URL, from
    /// `WAYLEAVE_PASSWORD`, or asked for.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// A client certificate for the TLS door, in PEM (`wayleave ca client`), in the place of a password.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(super) cert: Option<PathBuf>,
    /// The key of the client certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(super) key: Option<PathBuf>,
    /// The portal's reserved name.
    #[arg(long, default_value = "wayleave.internal", value_name = "HOST", value_parser = Host::parse)]
    pub(super) portal: Host,
    /// What was read or typed: once for a command, however many calls it makes.
    #[arg(skip)]
    known: Known,
}

/// The password, as it became known.
#[derive(Debug, Default)]
struct Known {
    given: OnceLock<Secret>,
    typed: OnceLock<Secret>,
}

/// The proxy, and what it is told of us.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) secure: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) authorization: Option<Secret>,
}

impl Way {
    /// The proxy with the credentials for it.
    pub(super) fn proxy(&self) -> Result<Proxy, Stop> {
        let lower = || std::env::var("https_proxy").ok();
        let url = self
            .proxy
            .clone()
            .filter(|url| !url.is_empty())
            .or_else(lower)
            .ok_or_else(|| {
                let help =
                    "name it with `--proxy http://NAME@HOST:PORT` (`https://…` for the TLS door), or in HTTPS_PROXY";
                Stop::Misunderstood(miette!(help = help, "the proxy is not named"))
            })?;
        let (mut proxy, user, password) = parse(&url).map_err(Stop::Misunderstood)?;
        if self.cert.is_some() && !proxy.secure {
            let help = "write `https://…` with the port of the TLS door, 3129 by default";
            return Err(Stop::Misunderstood(miette!(
                help = help,
                "a client certificate can be shown at the TLS door only"
            )));
        }
        if let Some(user) = self.user.clone().or(user) {
            // what was asked for on purpose counts before what stands in an address that everything uses
            let password = password.filter(|_| self.password_file.is_none());
            let password = match &password {
                Some(password) => Some(password),
                None if self.cert.is_some() => self.given()?,
                None => Some(self.password(&user, "")?),
            };
            proxy.authorization = password.map(|password| basic(&user, password));
        }
        Ok(proxy)
    }

    /// What proves `user` to the portal itself.
    pub(super) fn proof(&self, user: &str) -> Result<Secret, Report> {
        let why = ", which an answer takes also where a certificate brings you to the proxy";
        self.password(user, why).map(|password| basic(user, password))
    }

    /// From the file or the environment, or else from the terminal.
    fn password(&self, user: &str, why: &str) -> Result<&Secret, Report> {
        if let Some(given) = self.given()? {
            return Ok(given);
        }
        if let Some(typed) = self.known.typed.get() {
            return Ok(typed);
        }
        if std::io::stdin().is_terminal() {
            let asked = prompt(&format!("Password for {user}: "));
            let typed = asked.map_err(|why| unread(Path::new("the terminal"), &why))?;
            return Ok(self.known.typed.get_or_init(|| typed));
        }
        Err(miette!(
            help = "set WAYLEAVE_PASSWORD, name a file with `--password-file`, or run it at a terminal, where it is asked for",
            "there is no password for `{user}`{why}"
        ))
    }

    /// From the file or the environment.
    fn given(&self) -> Result<Option<&Secret>, Report> {
        if let Some(given) = self.known.given.get() {
            return Ok(Some(given));
        }
        let read = self.read()?;
        Ok(read.map(|read| self.known.given.get_or_init(|| read)))
    }

    fn read(&self) -> Result<Option<Secret>, Report> {
        if let Some(path) = &self.password_file {
            let read = if path == Path::new("-") {
                first_line(&mut std::io::stdin().lock())
            } else {
                std::fs::File::open(path).and_then(|file| first_line(&mut std::io::BufReader::new(file)))
            };
            return read.map(Some).map_err(|why| unread(path, &why));
        }
        Ok(std::env::var("WAYLEAVE_PASSWORD").ok().map(Secret::new))
    }
}

fn unread(from: &Path, why: &std::io::Error) -> Report {
    miette!("cannot read the password from `{}`: {why}", from.display())
}

fn basic(user: &str, password: &Secret) -> Secret {
    Secret::new(format!(
        "Basic {}",
        BASE64.encode(format!("{user}:{}", password.reveal()))
    ))
}

/// The proxy, the user name and the password that a URL holds.
fn parse(text: &str) -> Result<(Proxy, Option<String>, Option<Secret>), Report> {
    // The URL itself is not said again: it may hold a password.
    let bad = || {
        miette!(
            help = "write `http://NAME@HOST:PORT`, or `https://…` for the TLS door",
            "the proxy's URL cannot be read"
        )
    };
    let uri: Uri = text.parse().map_err(|_| bad())?;
    let authority = uri.authority().ok_or_else(bad)?.as_str();
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") => false,
        Some(_) | None => return Err(bad()),
    };
    let decoded = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned()
    };
    let (user, password) = match authority.rsplit_once('@').map(|(user, _)| user) {
        None => (None, None),
        Some(user) => match user.split_once(':') {
            Some((user, password)) => (Some(decoded(user)), Some(Secret::new(decoded(password)))),
            None => (Some(decoded(user)), None),
        },
    };
    let port = match authority.rsplit_once('@').map_or(authority, |(_, place)| place) {
        place if place.ends_with(']') || !place.contains(':') => None,
        _ => Some(uri.port_u16().ok_or_else(bad)?),
    };
    let proxy = Proxy {
        secure,
        host: uri.host().ok_or_else(bad)?.trim_matches(['[', ']']).to_owned(),
        port: port.unwrap_or(if secure { 3129 } else { 3128 }),
        authorization: None,
    };
    Ok((proxy, user, password))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_in_the_proxy_url_are_decoded_once() {
        let (proxy, user, password) = parse("http://ada%2Brecruiting:p%40ss@127.0.0.1:3128").unwrap();
        let expected = format!("Basic {}", BASE64.encode("ada+recruiting:p@ss"));
        assert_eq!(basic(&user.unwrap(), &password.unwrap()).reveal(), expected);
        assert_eq!(
            (proxy.host.as_str(), proxy.port, proxy.secure),
            ("127.0.0.1", 3128, false)
        );
        let (proxy, user, password) = parse("https://ada@[::1]").unwrap();
        assert_eq!((proxy.host.as_str(), proxy.port, proxy.secure), ("::1", 3129, true));
        assert_eq!((user.as_deref(), password.is_none()), (Some("ada"), true));
    }

    #[test]
    fn a_file_that_was_named_counts_before_the_password_in_the_proxy_url() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "of the file\n").unwrap();
        let way = |password_file| Way {
            proxy: Some("http://ada:of-the-url@127.0.0.1:3128".to_owned()),
            ca: PathBuf::new(),
            user: None,
            password_file,
            cert: None,
            key: None,
            portal: Host::parse("wayleave.internal").unwrap(),
            known: Known::default(),
        };
        for (file, password) in [(Some(file), "of the file"), (None, "of-the-url")] {
            let proxy = way(file).proxy().unwrap_or_else(|_| panic!("{password}"));
            let expected = basic("ada", &Secret::new(password));
            assert_eq!(proxy.authorization.unwrap().reveal(), expected.reveal());
        }
    }

    #[test]
    fn a_proxy_url_without_host_is_explained() {
        for wrong in [
            "/",
            "",
            "gate.corp",
            "gate.corp:3128",
            "socks5://gate.corp",
            "http://",
            "http://gate.corp:99999",
            "http://ada:pw@gate.corp:",
            "http://ada:pw@[::1]:x",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
