//! The settings: one commented file, overrides from the environment and the command line, checked as a whole.
//!
//! Reads top-down: [`File`] is the shape, every section owned by the room that it is for; `load.rs` reads it and
//! names all problems at once, with their places; `shape.rs` asks the types which settings there are;
//! `deploy/wayleave.toml` shows every one with its default. Never: read a setting anywhere else, or guess one.

mod check;
mod describe;
mod load;
mod pac;
mod shape;
#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the tests write settings files")]
mod tests;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::describe::schema;
pub use self::load::{environment, load};
pub use self::pac::{Announced, BadAnnounced, Covers, Pac};
use crate::clock::Timestamp;
use crate::facts::Mode;
use crate::{audit, identity, ingress, ledger, notices, portal, proxy, tls, upstream};

/// All settings.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// Where relative paths of the settings start, seen from the folder of the settings file.
    pub home: PathBuf,
    /// Whether what the rules refuse is refused, or let pass and recorded.
    pub mode: Mode,
    /// The rules.
    pub policies: Policies,
    /// How people arrive.
    pub ingress: ingress::Settings,
    /// How they prove who they are.
    pub identity: identity::Settings,
    /// Speaking for sites.
    pub tls: tls::Settings,
    /// Leaving the house.
    pub upstream: upstream::Settings,
    /// How traffic is treated.
    pub proxy: proxy::Settings,
    /// Declarations kept.
    pub ledger: ledger::Settings,
    /// The book.
    pub audit: audit::Settings,
    /// Where people talk to the guard.
    pub portal: portal::Settings,
    /// How they are told what they wait for.
    pub notices: notices::Settings,
    /// Where operators do.
    pub admin: Admin,
    /// What browsers are told.
    pub pac: Pac,
    /// Time.
    pub clock: Time,
}

impl Default for File {
    fn default() -> Self {
        Self {
            home: PathBuf::from(".."),
            mode: Mode::default(),
            policies: Policies::default(),
            ingress: ingress::Settings::default(),
            identity: identity::Settings::default(),
            tls: tls::Settings::default(),
            upstream: upstream::Settings::default(),
            proxy: proxy::Settings::default(),
            ledger: ledger::Settings::default(),
            audit: audit::Settings::default(),
            portal: portal::Settings::default(),
            notices: notices::Settings::default(),
            admin: Admin::default(),
            pac: Pac::default(),
            clock: Time::default(),
        }
    }
}

/// The rules.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Policies {
    /// The folder of schema, rules, catalogue, purposes, people and cases.
    pub folder: PathBuf,
    /// Where the texts of every rulebook that took effect are kept, by their digest.
    pub kept: PathBuf,
    /// What `wayleave prove --out` found of the properties: shown on the portal's page on privacy, where it is about the rules
    /// in force.
    pub proofs: PathBuf,
}

impl Default for Policies {
    fn default() -> Self {
        Self {
            folder: PathBuf::from("policies"),
            kept: PathBuf::from("state/rulebooks"),
            proofs: PathBuf::from("state/proofs.json"),
        }
    }
}

/// Where operators talk to the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Admin {
    /// Address of `/metrics`, `/healthz`, `/readyz` and `/proxy.pac`.
    pub listen: SocketAddr,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 9128)),
        }
    }
}

/// Time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Time {
    /// Lets the clock stand still at this moment (RFC 3339), for trying out rules about hours and dates. Not set: the
    /// system's clock.
    pub fixed_at: Option<Timestamp>,
}

impl File {
    /// Makes relative paths start at `home` as seen from `folder`, where the settings file is.
    #[must_use]
    pub fn anchored(mut self, folder: &Path) -> Self {
        let home = folder.join(&self.home);
        for path in self.paths() {
            *path = tidy(&home.join(&*path));
        }
        self.home = tidy(&home);
        self
    }

    /// Every setting that is a path, but `home`.
    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        [
            &mut self.policies.folder,
            &mut self.policies.kept,
            &mut self.policies.proofs,
            &mut self.identity.users,
            &mut self.tls.folder,
            &mut self.ledger.file,
            &mut self.audit.folder,
        ]
        .into_iter()
        .chain(&mut self.ledger.password_file)
        .chain(self.notices.paths())
        .chain(&mut self.tls.extra_roots)
        .chain(&mut self.tls.client_roots)
    }
}

/// Takes `.` out of a path, and `..` together with the name before it: `deploy/../policies` reads better as `policies`.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidied.components().next_back(), Some(Component::Normal(_))) => {
                tidied.pop();
            }
            Component::ParentDir | Component::Normal(_) | Component::RootDir | Component::Prefix(_) => {
                tidied.push(part);
            }
        }
    }
    if tidied.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        tidied
    }
}
