//! `wayleave declare`: states a purpose from a terminal or a script.

use std::process::ExitCode;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::counter::{Said, problem};
use super::printer;
use super::stop::Stop;
use super::waits::{for_whom, how_fast};
use super::way::Way;

/// States a purpose and prints the grant.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit code: 0 granted; 1 not granted; 2 the command line or the proxy's URL makes no sense; 4 asked for: it \
                  waits for an approval"
)]
pub struct Args {
    /// The purpose, e.g. `recruiting`.
    purpose: String,
    /// The platforms, e.g. `linkedin`; repeat or separate with commas.
    #[arg(
        long = "on",
        alias = "platform",
        required = true,
        value_delimiter = ',',
        value_name = "PLATFORM"
    )]
    platforms: Vec<String>,
    /// What it is to cover: `read`, `engage`, `publish`, `administer`; all that the purpose covers if left out.
    #[arg(long, value_delimiter = ',', value_name = "GROUP")]
    covers: Vec<String>,
    /// What you need it for, in a sentence.
    #[arg(long, value_name = "TEXT")]
    statement: String,
    /// A ticket, where the purpose asks for one.
    #[arg(long)]
    ticket: Option<String>,
    /// For how long, e.g. `4h` or `PT30M`; the purpose's default if left out.
    #[arg(long = "for", value_name = "DURATION")]
    duration: Option<String>,
    /// Print the grant as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// The exit code of what is neither granted nor refused yet.
pub const WAITS: u8 = 4;

/// Runs the command: 0 when granted, 1 when not, 2 when the proxy's URL cannot be understood, 4 when it waits.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let mut question = json!({
        "purpose": args.purpose,
        "platforms": args.platforms,
        "statement": args.statement,
    });
    if let Value::Object(fields) = &mut question {
        fields.extend(args.ticket.map(|ticket| ("ticket".to_owned(), ticket.into())));
        let covers = Some(args.covers).filter(|covers| !covers.is_empty());
        fields.extend(covers.map(|covers| ("covers".to_owned(), covers.into())));
        fields.extend(args.duration.map(|duration| ("duration".to_owned(), duration.into())));
    }
    let said = args.way.ask(Method::POST, "/v1/grants", Some(&question)).await?;
    Ok(tell(&said, args.json))
}

/// Tells what came of stating or renewing a purpose.
pub fn tell(said: &Said, json: bool) -> ExitCode {
    let waits = said.status == StatusCode::ACCEPTED;
    if said.status != StatusCode::CREATED && !waits {
        printer::talk(problem(said));
        return ExitCode::FAILURE;
    }
    if json {
        printer::data(&said.json);
    } else {
        printer::data(super::grants::line(&said.json));
    }
    if waits {
        printer::talk(waiting_for(&said.json));
        return ExitCode::from(WAITS);
    }
    ExitCode::SUCCESS
}

/// Who was asked, and until when they can answer.
fn waiting_for(grant: &Value) -> String {
    let until = grant.get("answer_by").and_then(Value::as_str).unwrap_or_default();
    format!(
        "it waits for the approval of {} until {until}, and then it is declined{}; `wayleave grants` shows what has become of it",
        for_whom(grant),
        how_fast(grant).unwrap_or_default()
    )
}
