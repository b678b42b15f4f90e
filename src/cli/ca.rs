//! `wayleave ca`: makes, brings, renews and shows the certificate authority, and says how machines come to trust it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use clap::builder::PossibleValuesParser;

use crate::cli::printer;
use crate::clock::Timestamp;
use crate::facts::{Host, SubjectId};
use crate::tls::founding::{self, Founding};
use crate::tls::import::import;
use crate::tls::{Certificate, Constraints, Issuer, Settings, TlsProblem, Validity};

/// Make, bring, renew and show the certificate authority.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 done; 1 not done; 2 the command line or the settings make no sense")]
pub struct Args {
    /// The folder of the authority; `tls.folder` of the settings if not given
    #[arg(long, global = true, value_name = "DIR")]
    folder: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a root and an issuing intermediate, for the catalogue's domains only
    Init {
        /// Whose authority it is, as people read it in certificates
        #[arg(long, default_value = "Wayleave", value_name = "NAME")]
        organisation: String,
        #[command(flatten)]
        reach: Reach,
        /// Replace the authority that is there; every machine must then be given the new root
        #[arg(long)]
        force: bool,
    },
    /// Sign a new issuing intermediate with the same root: machines need nothing new
    ///
    /// It may speak for whomever the present one may, for the catalogue as it is now, and for the names of the TLS door.
    Renew {
        #[command(flatten)]
        reach: Reach,
        /// Forget whom the present one may speak for: only the catalogue's domains, and what `--also` names
        #[arg(long, conflicts_with = "any_host")]
        afresh: bool,
        /// The root's key, where it is kept; `root.key` in the folder if not given
        #[arg(long, value_name = "FILE")]
        root_key: Option<PathBuf>,
    },
    /// Bring an intermediate that your company signed
    Import {
        /// The intermediate and what leads to its root, PEM, in any order
        #[arg(long, value_name = "FILE")]
        certificate: PathBuf,
        /// Its private key, PEM: PKCS#8, SEC1 or PKCS#1, not encrypted
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
        /// Replace the authority that is there
        #[arg(long)]
        force: bool,
    },
    /// Show the authority: names, fingerprints, validity, constraints
    Show {
        /// Print only the root, in PEM
        #[arg(long)]
        pem: bool,
        /// Print only the names and addresses that it may speak for, one a line
        #[arg(long, conflicts_with = "pem")]
        names: bool,
    },
    /// Make a client certificate for the TLS port
    Client {
        /// The user name, as in the directory
        #[arg(value_parser = SubjectId::parse)]
        name: SubjectId,
        /// Days that it is valid
        #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u16).range(1..=825))]
        days: u16,
        /// Replace the one that is there
        #[arg(long)]
        force: bool,
    },
    /// Say how machines and tools come to trust the root
    InstallHelp {
        /// Only for this platform or tool; may be given several times
        #[arg(long, value_parser = PossibleValuesParser::new(topics().map(|topic| topic.id)))]
        platform: Vec<String>,
    },
}

/// Whom the authority may speak for.
#[derive(Debug, clap::Args)]
struct Reach {
    /// Let it speak for any host: needed where rules inspect hosts outside the catalogue
    #[arg(long)]
    any_host: bool,
    /// One more domain or address that it may speak for
    #[arg(long, value_name = "HOST", value_parser = Host::parse, conflicts_with = "any_host")]
    also: Vec<Host>,
}

impl Args {
    /// The person who would get a certificate.
    pub(super) fn newcomer(&self) -> Option<&str> {
        match &self.verb {
            Verb::Client { name, .. } => Some(name.as_str()),
            Verb::Init { .. }
            | Verb::Renew { .. }
            | Verb::Import { .. }
            | Verb::Show { .. }
            | Verb::InstallHelp { .. } => None,
        }
    }
}

/// Runs the command. `domains` are those that the gateway speaks for: the catalogue's, and the portal's host.
pub fn run(args: &Args, domains: &[Host], settings: &Settings, now: Timestamp) -> ExitCode {
    let folder = args.folder.as_deref().unwrap_or(&settings.folder);
    let wanted = |reach: &Reach| (!reach.any_host).then(|| widest(domains, &settings.door_names, &reach.also));
    let done = match &args.verb {
        Verb::Init {
            organisation,
            reach,
            force,
        } => {
            let only = wanted(reach);
            let wanted = Founding {
                organisation,
                only: only.as_deref(),
                force: *force,
            };
            init(folder, &wanted, now)
        }
        Verb::Renew {
            reach,
            afresh,
            root_key,
        } => kept(folder, wanted(reach), *afresh)
            .and_then(|only| renew(folder, root_key.as_deref(), only.as_deref(), now)),
        Verb::Import {
            certificate,
            key,
            force,
        } => bring(folder, certificate, key, *force, now),
        Verb::Show { names: true, .. } => names(folder),
        Verb::Show { pem, .. } => show(folder, *pem, now),
        Verb::Client { name, days, force } => client(folder, name, *days, *force, now),
        Verb::InstallHelp { platform } => install_help(folder, platform),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            printer::talk(format_args!("error: {problem}"));
            ExitCode::FAILURE
        }
    }
}

/// All the hosts, without those that another covers.
fn widest(domains: &[Host], door: &[Host], also: &[Host]) -> Vec<Host> {
    let mut hosts: Vec<Host> = [domains, door, also].concat();
    hosts.sort();
    hosts.dedup();
    let covered = |host: &Host| {
        let above = host
            .as_str()
            .match_indices('.')
            .filter_map(|(dot, _)| host.as_str().get(dot + 1..));
        host.as_ip().is_none()
            && above
                .filter_map(|name| Host::parse(name).ok())
                .any(|name| hosts.contains(&name))
    };
    hosts.iter().filter(|host| !covered(host)).cloned().collect()
}

/// The hosts of `wanted`, and those that the present certificate may speak for: a renewal takes nothing away unasked.
fn kept(folder: &Path, wanted: Option<Vec<Host>>, afresh: bool) -> Result<Option<Vec<Host>>, TlsProblem> {
    let Some(wanted) = wanted else { return Ok(None) };
    match founding::issuing(folder)? {
        Some(present) if !afresh => Ok(present
            .constraints
            .map(|constraints| widest(&wanted, &constraints.hosts(), &[]))),
        Some(_) | None => Ok(Some(wanted)),
    }
}

fn init(folder: &Path, wanted: &Founding<'_>, now: Timestamp) -> Result<(), TlsProblem> {
    let issuer = founding::init(folder, wanted, now)?;
    printer::data(describe(folder, &issuer, now)?);
    printer::talk("");
    printer::talk("next: install the root on every machine that uses the gateway: `wayleave ca install-help`");
    Ok(())
}

fn renew(folder: &Path, key: Option<&Path>, only: Option<&[Host]>, now: Timestamp) -> Result<(), TlsProblem> {
    let issuer = founding::renew(folder, key, only, now)?;
    printer::data(describe(folder, &issuer, now)?);
    printer::talk("");
    printer::talk("next: restart the gateway, so that it signs with the new intermediate");
    Ok(())
}

fn bring(folder: &Path, certificate: &Path, key: &Path, force: bool, now: Timestamp) -> Result<(), TlsProblem> {
    let imported = import(folder, certificate, key, force, now)?;
    for warning in &imported.warnings {
        printer::talk(format_args!("warning: {warning}"));
    }
    printer::data(describe(folder, &imported.issuer, now)?);
    Ok(())
}

fn show(folder: &Path, pem: bool, now: Timestamp) -> Result<(), TlsProblem> {
    let issuer = Issuer::load(folder)?;
    if pem {
        printer::data(issuer.root_pem().trim_end());
    } else {
        printer::data(describe(folder, &issuer, now)?);
    }
    Ok(())
}

fn names(folder: &Path) -> Result<(), TlsProblem> {
    let issuer = Issuer::load(folder)?;
    match &issuer.issuing().constraints {
        Some(constraints) => constraints.lines().iter().for_each(printer::data),
        None => printer::talk("any host: the issuing certificate has no name constraints"),
    }
    Ok(())
}

fn client(folder: &Path, name: &SubjectId, days: u16, force: bool, now: Timestamp) -> Result<(), TlsProblem> {
    let made = founding::client(folder, name, days, force, now)?;
    let (certificate, key) = (made.certificate.display(), made.key.display());
    printer::data(format_args!("certificate  {certificate}"));
    printer::data(format_args!("key          {key}"));
    printer::data(format_args!("valid until  {}", made.until));
    printer::talk("");
    printer::talk(format_args!("curl:     --proxy-cert {certificate} --proxy-key {key}"));
    printer::talk(format_args!(
        "browsers: openssl pkcs12 -export -in {certificate} -inkey {key} -out {name}.p12"
    ));
    printer::talk("hand both over, then remove the key here");
    Ok(())
}

/// The authority for people: one fact a line.
fn describe(folder: &Path, issuer: &Issuer, now: Timestamp) -> Result<String, TlsProblem> {
    let mut lines = about("root", issuer.root(), now);
    let file = founding::root_file(folder);
    lines.push(format!("  file       {}", absolute(&file).display()));
    if founding::root_key_is_here(folder) {
        lines.push("  key        `root.key` is on this machine: move it off line".to_owned());
    }
    lines.extend(about("issuing", issuer.issuing(), now));
    let reach = issuer.issuing().constraints.as_ref().map(in_brief);
    lines.push(format!(
        "  speaks for {}",
        reach.unwrap_or_else(|| "any host".to_owned())
    ));
    if let Some(clients) = founding::clients(folder)? {
        lines.extend(about("client certificates", &clients, now));
    }
    Ok(lines.join("\n"))
}

/// The constraints themselves where they are few, else how many and where to see them: the catalogue has hundreds.
fn in_brief(constraints: &Constraints) -> String {
    let lines = constraints.lines();
    if lines.len() <= 8 {
        lines.join("; ")
    } else {
        format!("{} names and networks, see `wayleave ca show --names`", lines.len())
    }
}

fn about(role: &str, certificate: &Certificate, now: Timestamp) -> Vec<String> {
    let Validity { from, until } = certificate.validity;
    let now_said = if certificate.validity.holds(now) {
        ""
    } else {
        " (NOT NOW)"
    };
    let day = |at: Timestamp| at.calendar().strftime("%Y-%m-%d").to_string();
    vec![
        role.to_owned(),
        format!("  subject    {}", certificate.subject),
        format!("  SHA-256    {}", certificate.fingerprint()),
        format!("  valid      {} to {}{now_said}", day(from), day(until)),
    ]
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// One platform or tool of the help.
struct Topic {
    id: &'static str,
    text: &'static str,
}

const HELP: &str = include_str!("install-help.txt");

/// Each starts with a line `## id: title`.
fn topics() -> impl Iterator<Item = Topic> {
    HELP.split("\n## ").skip(1).filter_map(|text| {
        let (id, _) = text.split_once(':')?;
        Some(Topic { id, text })
    })
}

fn install_help(folder: &Path, wanted: &[String]) -> Result<(), TlsProblem> {
    let file = founding::root_file(folder);
    if !founding::has_root(folder) {
        return Err(TlsProblem::NoAuthority {
            folder: folder.to_owned(),
        });
    }
    printer::data(help_for(&absolute(&file), wanted).trim_end());
    Ok(())
}

fn help_for(root: &Path, wanted: &[String]) -> String {
    let introduction = HELP.split("\n## ").next().unwrap_or_default();
    let mut parts = vec![introduction.trim_end().to_owned()];
    for topic in topics().filter(|topic| wanted.is_empty() || wanted.iter().any(|id| id == topic.id)) {
        let (_, rest) = topic.text.split_once(": ").unwrap_or(("", topic.text));
        parts.push(rest.trim_end().to_owned());
    }
    parts.join("\n\n").replace("{root}", &root.display().to_string())
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser};

    use super::*;

    #[derive(Debug, Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn parse(line: &str) -> Result<Args, clap::Error> {
        Cli::try_parse_from(line.split(' ')).map(|cli| cli.args)
    }

    fn hosts(names: &[&str]) -> Vec<Host> {
        names.iter().map(|name| Host::parse(name).unwrap()).collect()
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
        assert!(parse("ca init --also shop.example --also 10.0.0.1").is_ok());
        assert!(parse("ca client ada --days 30").is_ok());
        for wrong in [
            "ca init --also not/a/host",
            "ca init --any-host --also shop.example",
            "ca client a:b",
            "ca client ada --days 0",
            "ca install-help --platform amiga",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_that_another_covers_are_left_out() {
        let wide = widest(
            &hosts(&["www.x.com", "x.com", "xx.com", "127.0.0.1"]),
            &hosts(&["localhost"]),
            &hosts(&["x.com", "a.b.xx.com"]),
        );
        assert_eq!(wide, hosts(&["127.0.0.1", "localhost", "x.com", "xx.com"]));
    }

    #[test]
    fn help_names_the_real_file_and_every_platform_can_be_asked_for() {
        let all = help_for(Path::new("/srv/ca/root.pem"), &[]);
        assert!(!all.contains("{root}"));
        assert!(all.contains("NODE_EXTRA_CA_CERTS=/srv/ca/root.pem"));
        let ids: Vec<_> = topics().map(|topic| topic.id).collect();
        for id in [
            "debian",
            "rhel",
            "windows",
            "macos",
            "firefox",
            "chrome-linux",
            "ios",
            "android",
            "curl",
            "git",
            "node",
            "npm",
            "python",
            "pip",
            "java",
            "docker",
            "cargo",
            "go",
        ] {
            assert!(ids.contains(&id), "{id}");
        }
        let one = help_for(Path::new("/srv/ca/root.pem"), &["java".to_owned()]);
        assert!(one.contains("keytool") && !one.contains("NODE_EXTRA_CA_CERTS"));
    }

    #[test]
    fn an_authority_is_made_shown_and_not_made_again() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            folder: folder.path().join("certs"),
            ..Settings::default()
        };
        let now: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
        let go = |line: &str| run(&parse(line).unwrap(), &hosts(&["linkedin.com"]), &settings, now);
        let (success, failure) = (format!("{:?}", ExitCode::SUCCESS), format!("{:?}", ExitCode::FAILURE));
        assert_eq!(format!("{:?}", go("ca show")), failure);
        assert_eq!(format!("{:?}", go("ca install-help")), failure);
        for line in [
            "ca init",
            "ca show",
            "ca show --pem",
            "ca client ada",
            "ca renew --any-host",
            "ca install-help",
        ] {
            assert_eq!(format!("{:?}", go(line)), success, "{line}");
        }
        assert_eq!(format!("{:?}", go("ca init")), failure);
        assert_eq!(format!("{:?}", go("ca client ada")), failure);

        let issuer = Issuer::load(&settings.folder).unwrap();
        let shown = describe(&settings.folder, &issuer, now).unwrap();
        assert!(shown.contains("speaks for any host"), "{shown}");
        assert!(shown.contains("move it off line"), "{shown}");
        assert!(shown.contains(&issuer.root().fingerprint()), "{shown}");
        assert!(shown.contains("2026-11-22 to 2036-11-20"), "{shown}");
    }
}
