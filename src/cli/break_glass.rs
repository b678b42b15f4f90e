//! `wayleave break-glass`: takes a purpose at once, in an emergency.

use std::process::ExitCode;

use http::Method;
use serde_json::{Value, json};

use super::declare::tell;
use super::stop::Stop;
use super::way::Way;

/// Takes a purpose at once, without its approval, for an hour at most. Somebody who could have approved it reviews that by the
/// next working day; until then, and no longer, it can be done again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Exit code: 0 granted; 1 not granted; 2 the command line or the proxy's URL makes no sense")]
pub struct Args {
    /// The purpose, e.g. `crisis-response`.
    purpose: String,
    /// The platforms, e.g. `x`; repeat or separate with commas.
    #[arg(
        long = "platform",
        alias = "on",
        required = true,
        value_delimiter = ',',
        value_name = "PLATFORM"
    )]
    platforms: Vec<String>,
    /// What it is to cover: `read`, `engage`, `publish`, `administer`; all that the purpose covers if left out.
    #[arg(long, value_delimiter = ',', value_name = "GROUP")]
    covers: Vec<String>,
    /// What has happened, in a sentence.
    #[arg(long, value_name = "TEXT")]
    statement: String,
    /// The ticket of the emergency.
    #[arg(long)]
    ticket: String,
    /// For how long, e.g. `20m`; an hour at most, which it is if left out and the purpose lets it.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// Print the grant as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// Runs the command: 0 when granted, 1 when not, 2 when the proxy's URL cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let mut question = json!({
        "purpose": args.purpose,
        "platforms": args.platforms,
        "statement": args.statement,
        "ticket": args.ticket,
    });
    if let Value::Object(fields) = &mut question {
        let covers = Some(args.covers).filter(|covers| !covers.is_empty());
        fields.extend(covers.map(|covers| ("covers".to_owned(), covers.into())));
        fields.extend(args.duration.map(|duration| ("duration".to_owned(), duration.into())));
    }
    let said = args.way.ask(Method::POST, "/v1/break-glass", Some(&question)).await?;
    Ok(tell(&said, args.json))
}
