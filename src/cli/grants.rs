//! `wayleave grants`: lists what you hold, and ends it.

use std::process::ExitCode;

use http::Method;
use serde_json::Value;

use super::counter::problem;
use super::printer;
use super::stop::Stop;
use super::way::Way;

/// Lists your grants, or ends one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 done; 1 not done; 2 the command line or the proxy's URL makes no sense")]
pub struct Args {
    /// End the grant with this id.
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
    let said = match &args.end {
        Some(id) => args.way.ask(Method::DELETE, &format!("/v1/grants/{id}"), None).await?,
        None => args.way.ask(Method::GET, "/v1/grants", None).await?,
    };
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        printer::data(&said.json);
        return Ok(ExitCode::SUCCESS);
    }
    let listed = said.json.get("grants").and_then(Value::as_array).cloned();
    match listed {
        Some(grants) if grants.is_empty() => printer::talk("you hold no grant"),
        Some(grants) => grants.iter().for_each(|grant| printer::data(line(grant))),
        None => printer::talk("ended"),
    }
    Ok(ExitCode::SUCCESS)
}

/// One grant on one line: id, purpose, platforms, what it covers, until when, state.
pub fn line(grant: &Value) -> String {
    let word = |key: &str| grant.get(key).and_then(Value::as_str).unwrap_or("-").to_owned();
    let words = |key: &str| {
        let words = grant.get(key).and_then(Value::as_array).into_iter().flatten();
        words.filter_map(Value::as_str).collect::<Vec<_>>().join(",")
    };
    format!(
        "{}  {}  {}  {}  until {}  {}",
        word("id"),
        word("purpose"),
        words("platforms"),
        words("covers"),
        word("expires"),
        word("state")
    )
}
