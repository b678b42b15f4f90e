//! `wayleave explain`: what would the rules say to a described request, or what did they say to a recorded one, and why?

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use super::check::Format;
use super::shown::{json, tell};
use super::stop::Stop;
use super::{printer, settings};
use crate::audit::find as recorded;
use crate::clock::{Clock, Timestamp};
use crate::facts::{
    Arrival, Door, MethodName, NetworkName, Observation, Person, PurposeId, RecordId, Standing, Subject, SubjectId,
    did_you_mean,
};
use crate::gatehouse::kept::Kept;
use crate::gatehouse::sources::find;
use crate::purpose::Purpose;
use crate::rulebook::{Assembled, Described, Directory, Judged, Rulebook, Sources, Told};

/// Where most people are.
const USUAL: &str = "office";

/// Explains what the rules say to a described request, or what they said to a recorded one: the outcome, the policies
/// that decide, their conditions with the values that they looked at, what would help.
///
/// A record is explained under the rules of its day, which the gateway keeps; where a folder is named, under those.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Exit code: 0 explained, whatever the outcome; 1 the rules have problems, or the record or its rules are not there; 2 not understood"
)]
pub struct Args {
    /// A record, by its id: as a refusal page or `wayleave records list` shows it.
    #[arg(value_name = "RECORD-ID")]
    record: Option<String>,
    /// The folder of policies; without it `policies/` here if there is one, else the built-in policies; for a record, the
    /// rules of its day.
    dir: Option<PathBuf>,
    #[command(flatten)]
    settings: settings::Args,
    /// Who asks: a person of `people/`.
    #[arg(
        long = "as",
        value_name = "PERSON",
        required_unless_present = "record",
        requires = "to"
    )]
    who: Option<String>,
    /// Where to: a URL for a request, `host` or `host:port` for a tunnel.
    #[arg(long, value_name = "URL", required_unless_present = "record", requires = "who")]
    to: Option<String>,
    /// The method.
    #[arg(long, requires = "to")]
    method: Option<String>,
    /// A header field of the request, e.g. `Sec-Fetch-Mode: navigate`; may be repeated.
    #[arg(long, value_name = "FIELD", requires = "to")]
    header: Vec<String>,
    /// The body of the request.
    #[arg(long, requires = "to")]
    body: Option<String>,
    /// A purpose to suppose declared, with all that it covers; may be repeated.
    #[arg(long, requires = "to")]
    purpose: Vec<String>,
    /// Who approved that purpose.
    #[arg(long, value_name = "PERSON", requires = "purpose")]
    approved_by: Option<String>,
    /// That the purpose was taken by break-glass.
    #[arg(long, requires = "purpose", conflicts_with = "approved_by")]
    emergency: bool,
    /// When, e.g. `2026-11-24T12:30:00Z`; now if it is not said.
    #[arg(long, value_name = "TIME", requires = "to")]
    at: Option<Timestamp>,
    /// The named network that the person is in: one of `ingress.networks` in the settings.
    #[arg(long, default_value = USUAL)]
    network: String,
    /// How to print the explanation.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// The same as `[DIR]`.
    #[arg(long, value_name = "DIR", conflicts_with = "dir")]
    policies: Option<PathBuf>,
}

/// Runs the command.
pub fn run(mut args: Args) -> Result<ExitCode, Stop> {
    let misunderstood = |why: &str| {
        printer::talk(format_args!("error: {why}"));
        Ok(ExitCode::from(2))
    };
    match args.record.take() {
        Some(id) if args.to.is_none() && Path::new(&id).is_dir() => misunderstood(&format!(
            "`{id}` is a folder: say who asks (`--as`) and where to (`--to`), or name a record before it"
        )),
        Some(id) if args.to.is_none() => of_record(&args, RecordId::new(id)),
        // beside a description there is no record, so what stands first is the folder
        Some(_) if args.folder().is_some() => {
            misunderstood("name a record, or describe a request with `--as` and `--to`: both are too much")
        }
        first => {
            args.dir = args.dir.or(first.map(PathBuf::from));
            of_description(args)
        }
    }
}

impl Args {
    fn folder(&self) -> Option<&Path> {
        self.dir.as_deref().or(self.policies.as_deref())
    }
}

fn of_description(args: Args) -> Result<ExitCode, Stop> {
    let portal = args.settings.load()?.portal.host;
    let Assembled {
        rulebook, directory, ..
    } = match assembled(args.folder()) {
        Ok(assembled) => assembled,
        Err(code) => return Ok(code),
    };
    let format = args.format;
    let note = unnamed(&args.network, &rulebook);
    let told = described(args, &rulebook, &directory).and_then(|seen| {
        if *seen.ask.host() == portal {
            return Err(format!(
                "`{portal}` is the portal of the gateway: whoever signs in reaches it, and the rules are asked there of each \
                 thing that somebody does, not of the request"
            ));
        }
        Ok(rulebook.tell(&directory, &seen, None))
    });
    Ok(match told {
        Err(why) => {
            printer::talk(format_args!("error: {why}"));
            ExitCode::from(2)
        }
        Ok(told) => {
            print(&told, format);
            note.iter().for_each(printer::talk);
            ExitCode::SUCCESS
        }
    })
}

/// The rules of a folder, or the exit code once its problems are told.
fn assembled(policies: Option<&Path>) -> Result<Assembled, ExitCode> {
    let files = match find(policies) {
        Ok(found) => found.files,
        Err(problems) => {
            tell(&problems, &[]);
            return Err(ExitCode::from(2));
        }
    };
    let assembled = Sources::from_files(files.clone()).and_then(|sources| Rulebook::assemble(&sources));
    assembled.map_err(|problems| {
        tell(&problems, &files);
        printer::talk("error: the rules have problems, so they say nothing");
        ExitCode::FAILURE
    })
}

fn of_record(args: &Args, id: RecordId) -> Result<ExitCode, Stop> {
    let settings = args.settings.load()?;
    let lines = recorded(&settings.audit.folder, &id)
        .map_err(|why| miette::miette!("{}", why.told("--set audit.folder=DIR")))?;
    let Some((at, judged)) = Judged::last(lines.into_iter().map(|(_, record)| record).collect()) else {
        let folder = settings.audit.folder.display();
        return Err(miette::miette!("no decision is recorded under the id `{}` in `{folder}`", id.as_str()).into());
    };
    let assembled = if let Some(folder) = args.folder() {
        match assembled(Some(folder)) {
            Ok(assembled) => assembled,
            Err(code) => return Ok(code),
        }
    } else {
        let kept = Kept::at(&settings.policies.kept).rulebook(&judged.decided.rulebook);
        kept.map_err(|why| miette::miette!(help = "name the gateway's settings with `--config FILE` or where it keeps its rulebooks with `--set policies.kept=DIR`, or explain it under other rules: name a folder of policies after the record", "{why}"))?
    };
    let rules = assembled.rulebook.in_mode(judged.decided.mode);
    let told = rules.tell_recorded(&assembled.directory, (id, at), judged);
    if told.recorded.as_ref().is_some_and(|recorded| recorded.lacks) {
        printer::talk("warning: these rules would look at more than the record holds");
    }
    print(&told, args.format);
    Ok(ExitCode::SUCCESS)
}

fn print(told: &Told, format: Format) {
    if format == Format::Json {
        printer::data(json(told));
    } else {
        told.lines().iter().for_each(printer::data);
    }
}

/// What the proxy would have seen.
fn described(args: Args, rulebook: &Rulebook, directory: &Directory) -> Result<Observation, String> {
    // the parser has seen to it that both are there
    let (Some(who), Some(to)) = (args.who, args.to) else {
        return Err("say who asks (`--as`) and where to (`--to`)".to_owned());
    };
    let person = person(&who, directory)?;
    let headers = args.header.iter().map(|field| match field.split_once(':') {
        Some((name, value)) => Ok((name.trim().to_owned(), value.trim().to_owned())),
        None => Err(format!("`{field}` is not a header field: write `Name: value`")),
    });
    args.method.as_deref().map_or(Ok(()), method)?;
    let ask = rulebook.ask_of(&Described {
        to,
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
        let supposed = if args.emergency {
            rulebook.suppose_emergency(purpose, &seen)
        } else {
            rulebook.suppose(purpose, &seen, approver.as_ref())
        };
        grants.push(supposed.ok_or("a purpose needs a platform of the catalogue, and this host belongs to none")?);
    }
    seen.standing = Standing::new(grants, seen.at);
    Ok(seen)
}

fn method(name: &str) -> Result<(), String> {
    let upper = name.to_uppercase();
    if http::Method::from_bytes(name.as_bytes()).is_err() {
        return Err(format!(
            "`{}` is not a method (RFC 9110 §9.1): write e.g. `--method POST`",
            name.escape_debug()
        ));
    }
    if name != upper {
        return Err(format!(
            "`{name}` is another method than `{upper}` (RFC 9110 §9.1): write `--method {upper}`"
        ));
    }
    Ok(())
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
pub(super) fn unnamed(network: &str, rulebook: &Rulebook) -> Option<String> {
    let written = format!("\"{network}\"");
    let named = rulebook.policy().rules().any(|rule| rule.text.contains(&written));
    (network != USUAL && !named).then(|| {
        format!(
            "note: no rule names the network `{network}`; the answer is that of any network that no rule names. \
             Is it spelt as in `ingress.networks` of the settings?"
        )
    })
}
