//! How people are told: the room's settings.

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::digest::Digest;
use super::outcomes::Outcomes;
use crate::facts::{Host, Language, Mailbox, NoticeEvent, Occasion};

/// How people are told what they wait for.
#[derive(Deserialize, Serialize, Clone, Debug, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// For how many hours it is tried to tell somebody something.
    pub give_up_after_h: u64,
    /// Who is told of each break-glass, beside the purpose's owner and those who can review it.
    pub security: Vec<Mailbox>,
    /// Networks that mail server and web hooks may be in although they are not public.
    pub allow: Vec<IpNet>,
    /// Where it is posted, too.
    pub webhooks: Vec<Webhook>,
    /// Who is told of each week what came of it.
    pub digest: Digest,
    /// Who is asked what came of what.
    pub outcomes: Outcomes,
    /// The mail server.
    pub smtp: Smtp,
}

/// The mail server that takes what is sent.
#[derive(Deserialize, Serialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Smtp {
    /// Its name; none: nobody is written to.
    pub host: Option<Host>,
    /// Its port; none: the usual one.
    pub port: Option<u16>,
    /// Whether the connection is encrypted.
    pub tls: Security,
    /// The user as whom the gateway signs in there; none: it does not.
    pub user: Option<String>,
    /// The file that holds that user's password.
    pub password_file: Option<PathBuf>,
    /// The address from which is written.
    pub from: Option<Mailbox>,
}

/// An address to which it is posted what happens.
#[derive(Deserialize, Serialize, Clone, Debug, Default, PartialEq, Eq)]
#[serde(deny_unknown_fields, default)]
pub struct Webhook {
    /// What it is called here.
    pub name: String,
    /// What is there.
    pub kind: Kind,
    /// The address, which nobody else should know: better in a file.
    pub url: Option<Hidden>,
    /// The file that holds it.
    pub url_file: Option<PathBuf>,
    /// As whom the gateway signs in there.
    pub user: Option<String>,
    /// The file that holds that user's password.
    pub password_file: Option<PathBuf>,
    /// The file that holds what is signed with.
    pub secret_file: Option<PathBuf>,
    /// The application as which the gateway is registered there, where it fetches a credential before it posts.
    pub application: Option<String>,
    /// The file that holds that application's secret.
    pub application_secret_file: Option<PathBuf>,
    /// Of `SharePoint`: the tenant of Microsoft Entra, by id or domain.
    pub tenant: Option<String>,
    /// Of `SharePoint`: where that tenant signs in; none: where the cloud of the address does.
    pub authority: Option<String>,
    /// Of `SharePoint`: the column that takes more than the title, by its internal name.
    pub column: Option<String>,
    /// Of what it is told; empty: of everything that happens to grants.
    pub events: Vec<Occasion>,
    /// In which language.
    pub language: Option<Language>,
}

/// What is at an address.
#[derive(Deserialize, Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Some program.
    #[default]
    Generic,
    /// A workflow of Microsoft Teams.
    Teams,
    /// An incoming webhook of Slack.
    Slack,
    /// The activity stream of HCL Connections.
    Connections,
    /// Jive.
    Jive,
    /// The signals of Socialtext.
    Socialtext,
    /// A list of `SharePoint`, by Microsoft Graph.
    Sharepoint,
    /// An article of an Igloo digital workplace.
    Igloo,
}

impl Kind {
    /// The name, as settings and metrics spell it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Teams => "teams",
            Self::Slack => "slack",
            Self::Connections => "connections",
            Self::Jive => "jive",
            Self::Socialtext => "socialtext",
            Self::Sharepoint => "sharepoint",
            Self::Igloo => "igloo",
        }
    }
}

/// A text that is as good as a password: it is read, and shown nowhere.
#[derive(Deserialize, Clone, PartialEq, Eq)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    pub(super) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Hidden(…)")
    }
}

impl Serialize for Hidden {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str("(hidden)")
    }
}

/// Whether the connection to the mail server is encrypted.
#[derive(Deserialize, Serialize, Clone, Copy, Debug, Default, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// It begins in clear, and is encrypted before anything is said: STARTTLS (RFC 3207), or nothing is sent.
    #[default]
    Required,
    /// From its first byte on (RFC 8314).
    Implicit,
    /// Never: for a server on this machine.
    Off,
}

/// A setting that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`notices.{field}`: {message}; {help}")]
pub struct BadSetting {
    /// The setting.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            give_up_after_h: 72,
            security: Vec::new(),
            allow: Vec::new(),
            webhooks: Vec::new(),
            digest: Digest::default(),
            outcomes: Outcomes::default(),
            smtp: Smtp::default(),
        }
    }
}

impl Webhook {
    /// Whether it is told of something on this occasion.
    pub(super) fn hears(&self, occasion: Occasion) -> bool {
        match occasion {
            // that is between somebody and what they did
            Occasion::Grant(NoticeEvent::CameOfIt) => false,
            Occasion::Grant(_) => self.events.is_empty() || self.events.contains(&occasion),
            Occasion::Digest => self.events.contains(&occasion),
        }
    }
}

impl Smtp {
    /// The port, where none is set that of how it is encrypted.
    pub(super) fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Security::Required => 587,
            Security::Implicit => 465,
            Security::Off => 25,
        })
    }
}

impl Settings {
    /// Since when somebody is to be told, at most, before that is given up.
    pub(super) fn give_up_after(&self) -> Duration {
        Duration::from_hours(self.give_up_after_h)
    }

    /// How long after Monday began somebody is told of a week; none where nobody is.
    pub(super) fn weekly(&self) -> Option<Duration> {
        let digest = &self.digest;
        let by_mail = self.smtp.host.is_some() && (digest.owners || !digest.to.is_empty());
        let posted = self.webhooks.iter().any(|hook| hook.hears(Occasion::Digest));
        (by_mail || posted).then(|| Duration::from_hours(digest.after_h))
    }

    /// The settings that are paths.
    pub fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let files = self.webhooks.iter_mut().flat_map(|hook| {
            let files = [
                &mut hook.url_file,
                &mut hook.password_file,
                &mut hook.secret_file,
                &mut hook.application_secret_file,
            ];
            files.into_iter().flatten()
        });
        self.smtp.password_file.iter_mut().chain(files)
    }

    /// Everything that makes no sense.
    pub fn problems(&self) -> Vec<BadSetting> {
        let mut found = Vec::new();
        let mut bad = |field: &str, message: &str, help| {
            found.push(BadSetting {
                field: field.to_owned(),
                message: message.to_owned(),
                help,
            });
        };
        if !(1..=720).contains(&self.give_up_after_h) {
            bad(
                "give_up_after_h",
                "nobody is told anything that way",
                "use 1 to 720, which is a month",
            );
        }
        if self.digest.after_h > Digest::LATEST_H {
            bad(
                "digest.after_h",
                "that is too close to the next week",
                "use 0 to 120, which is the end of Friday (UTC)",
            );
        }
        if self.outcomes.hour > 23 {
            bad("outcomes.hour", "no clock shows that", "use 0 to 23");
        }
        let smtp = &self.smtp;
        if smtp.host.is_some() && smtp.from.is_none() {
            bad(
                "smtp.host",
                "whoever writes needs an address",
                "set `notices.smtp.from`, e.g. `wayleave@example.org`",
            );
        }
        if smtp.user.is_some() != smtp.password_file.is_some() {
            bad(
                "smtp.user",
                "a user needs a password, and a password a user",
                "set both `user` and `password_file`, or neither",
            );
        }
        if smtp.user.is_some() && smtp.tls == Security::Off {
            bad(
                "smtp.tls",
                "the password would be sent in clear",
                "use \"required\" or \"implicit\", or leave out `user`",
            );
        }
        for (at, hook) in self.webhooks.iter().enumerate() {
            for (message, help) in hook.problems(self.webhooks.iter().take(at)) {
                bad("webhooks", &format!("`{}`: {message}", hook.name), help);
            }
        }
        found
    }
}

impl Webhook {
    fn problems<'a>(&self, mut before: impl Iterator<Item = &'a Self>) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        let is_name = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
        if self.name.is_empty() || !self.name.chars().all(is_name) || before.any(|other| other.name == self.name) {
            found.push((
                "no name of its own",
                "use letters, digits, `-`, `_` and `.`, for each another",
            ));
        }
        if self.events.contains(&NoticeEvent::CameOfIt.into()) {
            found.push((
                "what came of grants is asked of whoever held them, and posted nowhere",
                "leave `came-of-it` out of `events`; `[notices.outcomes]` says whether it is asked",
            ));
        }
        if self.url.is_some() == self.url_file.is_some() {
            found.push(("no one address", "set `url_file`, or `url`"));
        }
        if self.user.is_some() != self.password_file.is_some() {
            found.push(("a user needs a password, and a password a user", "set both, or neither"));
        }
        if self.secret_file.is_some() && self.kind != Kind::Generic {
            found.push(("what is signed is not looked at there", "leave out `secret_file`"));
        }
        if self.secret_file.is_none() && self.kind == Kind::Generic {
            found.push((
                "nobody could tell who posts there",
                "set `secret_file`; `echo whsec_$(openssl rand -base64 32)` makes one",
            ));
        }
        found.extend(self.unfetchable());
        found
    }

    /// What makes no sense of what is fetched before it is posted there.
    fn unfetchable(&self) -> Vec<(&'static str, &'static str)> {
        let of_entra = [self.tenant.is_some(), self.authority.is_some(), self.column.is_some()];
        let of_an_application = [self.application.is_some(), self.application_secret_file.is_some()];
        let is_word = |text: &str, more: &str| {
            let is_of_it = |c: char| c.is_ascii_alphanumeric() || more.contains(c);
            !text.is_empty() && text.chars().all(is_of_it)
        };
        let is_bad = |text: &Option<String>, more: &str| text.as_ref().is_some_and(|text| !is_word(text, more));
        let checks = match self.kind {
            Kind::Sharepoint => vec![
                (
                    self.tenant.is_none() || of_an_application.contains(&false),
                    "Microsoft Entra gives a token to an application of a tenant, against its secret",
                    "set `tenant`, `application` and `application_secret_file`",
                ),
                (
                    self.user.is_some(),
                    "nobody signs in there by a password",
                    "leave out `user` and `password_file`",
                ),
                (
                    is_bad(&self.tenant, ".-"),
                    "no tenant",
                    "write its id or its domain, e.g. `example.onmicrosoft.com`, into `tenant`",
                ),
                (
                    is_bad(&self.column, "_") || self.column.as_deref() == Some("Title"),
                    "no column for more than the title",
                    "write its internal name, which its address in the list's settings shows behind `Field=`, into `column`",
                ),
            ],
            Kind::Igloo => vec![
                (
                    self.user.is_none() || of_an_application.contains(&false),
                    "Igloo opens a session for an application and a member, each with a password",
                    "set `application`, `application_secret_file`, `user` and `password_file`",
                ),
                (
                    of_entra.contains(&true),
                    "settings of SharePoint are not looked at there",
                    "leave out `tenant`, `authority` and `column`",
                ),
            ],
            Kind::Generic | Kind::Teams | Kind::Slack | Kind::Connections | Kind::Jive | Kind::Socialtext => vec![(
                of_entra.contains(&true) || of_an_application.contains(&true),
                "nothing is fetched before it is posted there",
                "leave out `application`, `application_secret_file`, `tenant`, `authority` and `column`",
            )],
        };
        let wrong = checks.into_iter().filter(|(is_wrong, _, _)| *is_wrong);
        wrong.map(|(_, message, help)| (message, help)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::NoticeEvent;

    #[test]
    fn what_could_send_nothing_or_a_password_in_clear_is_refused() {
        let told = |text: &str| -> Vec<String> {
            let settings: Settings = toml::from_str(text).unwrap();
            settings.problems().into_iter().map(|bad| bad.field).collect()
        };
        assert_eq!(told(""), [""; 0]);
        assert_eq!(told("[smtp]\nhost = \"mail.example.org\""), ["smtp.host"]);
        assert_eq!(told("[smtp]\nuser = \"gate\""), ["smtp.user"]);
        assert_eq!(
            told("[smtp]\nuser = \"gate\"\npassword_file = \"x\"\ntls = \"off\""),
            ["smtp.tls"]
        );
        assert_eq!(told("give_up_after_h = 0"), ["give_up_after_h"]);
        assert_eq!(told("[digest]\nafter_h = 121"), ["digest.after_h"]);
    }

    #[test]
    fn an_address_is_named_once_and_shown_nowhere() {
        let text = "[[webhooks]]\nname = \"a\"\nkind = \"slack\"\nurl = \"https://hooks.example.org/s3cret\"\n";
        let settings: Settings = toml::from_str(text).unwrap();
        assert_eq!(settings.problems(), []);
        let shown = format!("{settings:?} {}", toml::to_string(&settings).unwrap());
        assert!(!shown.contains("s3cret"), "{shown}");
        let twice: Settings = toml::from_str(&text.repeat(2)).unwrap();
        assert_eq!(twice.problems().len(), 1);
        let neither: Settings = toml::from_str("[[webhooks]]\nname = \"a b\"\nuser = \"me\"").unwrap();
        assert_eq!(neither.problems().len(), 4);
    }

    #[test]
    fn the_digest_is_for_those_who_are_named_and_a_hook_that_names_nothing_is_told_of_grants_alone() {
        let settings = |text: &str| toml::from_str::<Settings>(text).unwrap();
        let weekly = |text: &str| settings(text).weekly().map(|after| after.as_secs() / 3_600);
        let smtp = "[smtp]\nhost = \"mail.example.org\"\nfrom = \"gate@example.org\"\n";
        assert_eq!(weekly(""), None);
        assert_eq!(weekly(smtp), Some(7));
        assert_eq!(weekly(&format!("{smtp}[digest]\nowners = false\nafter_h = 9")), None);
        let board = "to = [\"board@example.org\"]";
        assert_eq!(
            weekly(&format!("{smtp}[digest]\nowners = false\nafter_h = 9\n{board}")),
            Some(9)
        );
        assert_eq!(weekly(&format!("[digest]\n{board}")), None, "nobody writes letters");
        let hook = "[[webhooks]]\nname = \"a\"\nkind = \"slack\"\nurl = \"https://hooks.example.org/\"\n";
        assert_eq!(weekly(hook), None);
        let named = settings(&format!("{hook}events = [\"digest\", \"waits\"]"));
        assert_eq!(named.weekly(), Some(Duration::from_hours(7)));
        for (event, told, all) in [(NoticeEvent::Waits, true, true), (NoticeEvent::Approved, false, true)] {
            assert_eq!(named.webhooks[0].hears(event.into()), told, "{event:?}");
            assert_eq!(settings(hook).webhooks[0].hears(event.into()), all, "{event:?}");
        }
        let unknown = toml::from_str::<Settings>("[digest]\nmonthly = true").unwrap_err();
        assert!(unknown.message().contains("unknown field `monthly`"), "{unknown}");
        let unknown = toml::from_str::<Settings>(&format!("{hook}events = [\"digests\"]")).unwrap_err();
        assert!(unknown.message().contains("use waits, "), "{unknown}");
    }

    #[test]
    fn what_is_fetched_first_is_set_whole_and_where_it_is_looked_at() {
        let told = |text: &str| -> Vec<String> {
            let text = format!("[[webhooks]]\nname = \"a\"\nurl = \"https://a.example.org/\"\n{text}");
            let settings: Settings = toml::from_str(&text).unwrap();
            settings.problems().iter().map(ToString::to_string).collect()
        };
        let application = "application = \"app\"\napplication_secret_file = \"x\"\n";
        let tenant = "kind = \"sharepoint\"\ntenant = \"example.onmicrosoft.com\"\n";
        let member = "kind = \"igloo\"\nuser = \"gate\"\npassword_file = \"y\"\n";
        for right in [
            format!("{tenant}{application}"),
            format!(
                "{tenant}{application}column = \"More_x0020_of_x0020_it\"\nauthority = \"https://login.example.org\""
            ),
            format!("{member}{application}"),
        ] {
            assert_eq!(told(&right), [""; 0], "{right}");
        }
        for (wrong, names) in [
            ("kind = \"sharepoint\"".to_owned(), "`tenant`, `application`"),
            (format!("kind = \"sharepoint\"\n{application}"), "`tenant`"),
            (tenant.to_owned(), "`application_secret_file`"),
            (
                format!("{tenant}{application}user = \"a\"\npassword_file = \"y\""),
                "`user`",
            ),
            (
                format!("kind = \"sharepoint\"\ntenant = \"a/b\"\n{application}"),
                "`tenant`",
            ),
            (format!("{tenant}{application}column = \"Title\""), "`column`"),
            (format!("{tenant}{application}column = \"More of it\""), "`column`"),
            (member.to_owned(), "`application`"),
            (format!("kind = \"igloo\"\n{application}"), "`user`"),
            (format!("{member}{application}tenant = \"a\""), "`tenant`"),
            (format!("kind = \"jive\"\n{application}"), "`application`"),
            ("kind = \"slack\"\ncolumn = \"a\"".to_owned(), "`column`"),
        ] {
            let told = told(&wrong);
            assert!(told.len() == 1 && told[0].contains(names), "{wrong}: {told:?}");
        }
    }

    #[test]
    fn the_port_is_the_usual_one_for_how_it_is_encrypted() {
        let port = |tls| Smtp { tls, ..Smtp::default() }.port();
        let ports = [Security::Required, Security::Implicit, Security::Off].map(port);
        assert_eq!(ports, [587, 465, 25]);
    }
}
