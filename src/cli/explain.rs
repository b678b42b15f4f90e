//! `wayleave explain`: what would the rules say to a described request, and why?

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use super::check::Format;
use super::printer;
use super::shown::{json, tell};
use crate::clock::{Clock, Timestamp};
use crate::facts::{
    Arrival, Door, MethodName, NetworkName, Observation, Person, PurposeId, Standing, Subject, SubjectId, did_you_mean,
};
use crate::gatehouse::sources::find;
use crate::purpose::Purpose;
use crate::rulebook::{Assembled, Described, Directory, Rulebook, Sources};

/// Where most people are.
const USUAL: &str = "office";

/// Explains what the rules say to a described request: the outcome, the policies that decide, what would help.
#[derive(clap::Args, Debug)]
#[command(after_help = "Exit code: 0 explained, whatever the outcome; 1 the rules have problems; 2 not understood")]
pub struct Args {
    /// Who asks: a person of `people/`.
    #[arg(long = "as", value_name = "PERSON")]
    who: String,
    /// Where to: a URL for a request, `host` or `host:port` for a tunnel.
    #[arg(long, value_name = "URL")]
    to: String,
    /// The method.
    #[arg(long)]
    method: Option<String>,
    /// A header field of the request, e.g. `Sec-Fetch-Mode: navigate`; may be repeated.
    #[arg(long, value_name = "FIELD")]
    header: Vec<String>,
    /// The body of the request.
    #[arg(long)]
    body: Option<String>,
    /// A purpose to suppose declared, with all that it covers; may be repeated.
    #[arg(long)]
    purpose: Vec<String>,
    /// Who approved that purpose.
    #[arg(long, value_name = "PERSON")]
    approved_by: Option<String>,
    /// When, e.g. `2026-11-24T12:30:00Z`; now if it is not said.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// The named network that the person is in: one of `ingress.networks` in the settings.
    #[arg(long, default_value = USUAL)]
    network: String,
    /// How to print the explanation.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// The folder of rules; without it `policies/` here if there is one, else the built-in policies.
    #[arg(long, value_name = "DIR")]
    policies: Option<PathBuf>,
}

/// Runs the command.
pub fn run(args: Args) -> ExitCode {
    let files = match find(args.policies.as_deref()) {
        Ok(found) => found.files,
        Err(problems) => {
            tell(&problems, &[]);
            return ExitCode::from(2);
        }
    };
    let assembled = Sources::from_files(files.clone()).and_then(|sources| Rulebook::assemble(&sources));
    let Assembled {
        rulebook, directory, ..
    } = match assembled {
        Ok(assembled) => assembled,
        Err(problems) => {
            tell(&problems, &files);
            printer::talk("error: the rules have problems, so they say nothing");
            return ExitCode::FAILURE;
        }
    };
    let format = args.format;
    let note = unnamed(&args.network, &rulebook);
    match described(args, &rulebook, &directory) {
        Err(why) => {
            printer::talk(format_args!("error: {why}"));
            ExitCode::from(2)
        }
        Ok(seen) => {
            let explanation = rulebook.explain(&seen, &rulebook.judge(&seen));
            match format {
                Format::Json => printer::data(json(&explanation)),
                Format::Human => explanation.lines().iter().for_each(printer::data),
            }
            note.iter().for_each(printer::talk);
            ExitCode::SUCCESS
        }
    }
}

/// What the proxy would have seen.
fn described(args: Args, rulebook: &Rulebook, directory: &Directory) -> Result<Observation, String> {
    let person = person(&args.who, directory)?;
    let headers = args.header.iter().map(|field| match field.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(format!("`{field}` is not a header field: write `Name: value`")),
    });
    if let Some(method) = args.method.as_ref().filter(|method| **method != method.to_uppercase()) {
        let upper = method.to_uppercase();
        return Err(format!(
            "`{method}` is another method than `{upper}` (RFC 9110 §9.1): write `--method {upper}`"
        ));
    }
    let ask = rulebook.ask_of(&Described {
        to: args.to,
        method: args.method,
        headers: headers.collect::<Result<_, _>>()?,
        body: args.body,
    })?;
    let mut seen = Observation {
        arrival: Arrival {
            door: Door::Plain,
            client: std::net::SocketAddr::from((std::net::Ipv4Addr::LOCALHOST, 0)),
            network: NetworkName::new(args.network),
        },
        subject: Some(Subject {
            id: person.id.clone(),
            method: MethodName::Basic,
        }),
        person: Some(person),
        ask,
        standing: Standing::default(),
        selected: None,
        at: args.at.unwrap_or_else(|| Clock::system().now()),
    };
    let approver = args
        .approved_by
        .map(|name| Ok::<_, String>(self::person(&name, directory)?.id.clone()))
        .transpose()?;
    let mut grants = Vec::new();
    for word in &args.purpose {
        let purpose = purpose(word, rulebook)?;
        let supposed = rulebook.suppose(purpose, &seen, approver.as_ref());
        grants.push(supposed.ok_or("a purpose needs a platform of the catalogue, and this host belongs to none")?);
    }
    seen.standing = Standing::new(grants, seen.at);
    Ok(seen)
}

fn person(name: &str, directory: &Directory) -> Result<Arc<Person>, String> {
    let id = SubjectId::parse(name).map_err(|bad| bad.to_string())?;
    directory.person(&id).ok_or_else(|| {
        let near = did_you_mean(name, directory.people().map(|person| person.id.as_str()));
        unknown("person", name, near, "the files in `people/` list those there are")
    })
}

fn purpose<'a>(name: &str, rulebook: &'a Rulebook) -> Result<&'a Purpose, String> {
    rulebook.purposes().get(&PurposeId::new(name)).ok_or_else(|| {
        let near = did_you_mean(name, rulebook.purposes().iter().map(|purpose| purpose.id.as_str()));
        unknown("purpose", name, near, "`purposes.toml` lists those there are")
    })
}

fn unknown(kind: &str, name: &str, near: Option<&str>, known: &str) -> String {
    match near {
        Some(near) => format!("there is no {kind} `{name}`: did you mean `{near}`?"),
        None => format!("there is no {kind} `{name}`: {known}"),
    }
}

/// What to know of a network that was asked for by name, if no rule names it: the rules are all that is read here, and
/// only the gateway's settings say which networks there are.
fn unnamed(network: &str, rulebook: &Rulebook) -> Option<String> {
    let written = format!("\"{network}\"");
    let named = rulebook.policy().rules().any(|rule| rule.text.contains(&written));
    (network != USUAL && !named).then(|| {
        format!(
            "note: no rule names the network `{network}`; the answer is that of any network that no rule names. \
             Is it spelt as in `ingress.networks` of the settings?"
        )
    })
}
