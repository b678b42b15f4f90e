//! `wayleave delegate`: lets somebody else answer what others ask you.

use std::process::ExitCode;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::counter::{Said, problem};
use super::printer;
use super::stop::Stop;
use super::way::Way;

/// Lets somebody approve and decline in your place for some days, lists who does, or takes it back.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A day is one of your own time zone, and the last one is part of it; a moment is written as 2026-12-24T18:00:00Z. Giving \
                  takes your password, as approving does: from `--password-file`, WAYLEAVE_PASSWORD, or the terminal.\n\nExit code: 0 \
                  done; 1 not done; 2 the command line or the proxy's URL makes no sense"
)]
pub struct Args {
    /// Who is to answer for you: the name with which they sign in.
    #[arg(value_name = "NAME", required_unless_present_any = ["list", "end"], conflicts_with_all = ["list", "end"])]
    name: Option<String>,
    /// The first day, e.g. `2026-12-21`; from now on if left out.
    #[arg(long, value_name = "DAY", requires = "name")]
    from: Option<String>,
    /// The last day, e.g. `2027-01-03`.
    #[arg(long, value_name = "DAY", required_unless_present_any = ["list", "end"], conflicts_with_all = ["list", "end"])]
    until: Option<String>,
    /// Only what is asked for this purpose; repeat or separate with commas. All of them if left out.
    #[arg(long = "purpose", value_delimiter = ',', value_name = "PURPOSE", requires = "name")]
    purposes: Vec<String>,
    /// List who answers for you, and for whom you do.
    #[arg(long, conflicts_with = "end")]
    list: bool,
    /// With `--list`: of this person, as far as the rules let you end it (`wayleave revoke --delegation ID`).
    #[arg(long, value_name = "NAME", requires = "list")]
    of: Option<String>,
    /// Take back the one with this id.
    #[arg(long, value_name = "ID")]
    end: Option<String>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// Runs the command: 0 when it was done, 1 when it was not, 2 when the proxy's URL cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let address = "/v1/delegations";
    if args.list {
        let asked = args
            .of
            .as_deref()
            .map_or_else(|| address.to_owned(), |who| of(address, who));
        let said = args.way.ask(Method::GET, &asked, None).await?;
        let nobody = if args.of.is_some() {
            "nobody answers for them, and they for nobody, as far as the rules let you end it"
        } else {
            "nobody answers for you, and you for nobody"
        };
        return Ok(listed(&said, args.json, nobody));
    }
    let said = if let Some(id) = &args.end {
        args.way.ask(Method::DELETE, &format!("{address}/{id}"), None).await?
    } else {
        let wanted = json!({
            "to": args.name, "from": args.from, "until": args.until, "purposes": args.purposes,
        });
        args.way.post_proven(address, &wanted).await?
    };
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        printer::data(&said.json);
    } else {
        printer::data(line(&said.json));
    }
    Ok(ExitCode::SUCCESS)
}

/// The same address, about somebody else.
pub fn of(address: &str, who: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("user", who);
    format!("{address}?{}", query.finish())
}

fn listed(said: &Said, as_json: bool, nobody: &str) -> ExitCode {
    if said.status != StatusCode::OK {
        printer::talk(problem(said));
        return ExitCode::FAILURE;
    }
    if as_json {
        printer::data(&said.json);
        return ExitCode::SUCCESS;
    }
    let all = ["given", "received"].map(|key| said.json.get(key).and_then(Value::as_array).cloned());
    let all: Vec<Value> = all.into_iter().flatten().flatten().collect();
    for one in &all {
        printer::data(line(one));
    }
    if all.is_empty() {
        printer::talk(nobody);
    }
    ExitCode::SUCCESS
}

/// One on one line: id, who answers for whom, for what, from when on until when, and what has become of it.
pub fn line(one: &Value) -> String {
    let word = |key: &str| one.get(key).and_then(Value::as_str).unwrap_or("-");
    let purposes = one.get("purposes").and_then(Value::as_array).into_iter().flatten();
    let purposes: Vec<&str> = purposes.filter_map(Value::as_str).collect();
    let purposes = if purposes.is_empty() {
        "all".to_owned()
    } else {
        purposes.join(",")
    };
    format!(
        "{}  {} for {}  {purposes}  from {} until {}  {}",
        word("id"),
        word("to"),
        word("by"),
        word("from"),
        word("until"),
        word("state")
    )
}
