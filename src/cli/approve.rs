//! `wayleave approve`: lets somebody have what they asked for.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::counter::problem;
use super::declare::WAITS;
use super::printer;
use super::stop::Stop;
use super::waits::for_whom;
use super::way::Way;

/// Approves what somebody asked for, which gives it to them. `wayleave grants --to-approve` lists what waits for you.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It takes your password, also where a certificate brings you to the proxy: from `--password-file`, WAYLEAVE_PASSWORD, or \
                  the terminal.\n\nExit code: 0 approved, and open; 1 not approved; \
                  2 the command line or the proxy's URL makes no sense; 4 approved, and others must approve it as well"
)]
pub struct Args {
    /// The request.
    id: String,
    /// What you want to say to it.
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Print the grant as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    way: Way,
}

/// Runs the command: 0 when approved, 1 when not, 2 when the proxy's URL cannot be understood, 4 when others must approve as
/// well.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let note = args.note.map_or_else(|| json!({}), |note| json!({ "note": note }));
    let path = format!("/v1/grants/{}/approve", args.id);
    let said = args.way.post_proven(&path, &note).await?;
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    if args.json {
        printer::data(&said.json);
    } else {
        printer::data(super::grants::line(&said.json));
    }
    if said.json.get("state").and_then(Value::as_str) == Some("requested") {
        printer::talk(format_args!("it waits for {}", for_whom(&said.json)));
        return Ok(ExitCode::from(WAITS));
    }
    Ok(ExitCode::SUCCESS)
}
