//! The commands. One file each: its `Args`, its `run`, its exit code. This table is the whole list.
//!
//! Data goes to stdout, talk to stderr. Exit codes: 0 done; 1 no (refused, problems found, a case failed, a book that
//! does not hold), or it could not be done; 2 what was asked cannot be understood (the command line, the settings, a
//! folder of policies that is not there). `prove` adds 3, there is no solver. `prove`, `diff`, `replay`, `declare` and `grants --renew` add 4:
//! nothing speaks against it, but something cannot be told, or not yet.

pub mod approve;
pub mod break_glass;
pub mod ca;
pub mod check;
pub mod cores;
pub mod counter;
pub mod declare;
pub mod decline;
pub mod demo;
pub mod diff;
pub mod explain;
pub mod fmt;
pub mod grants;
pub mod matrix;
pub mod owners;
pub mod pac;
pub mod printer;
mod progress;
pub mod prove;
pub mod records;
pub mod replay;
pub mod review;
pub mod revoke;
pub mod run;
pub mod schema;
pub mod settings;
mod shown;
pub mod stop;
pub mod test;
pub mod user;
pub mod value;
pub mod way;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use stop::Stop;

use crate::clock::Clock;

/// A forward proxy that lets people reach social media for a stated purpose.
///
/// It intercepts traffic to social sites, works out who it is, where they go and what for, asks Cedar policies whether
/// that may pass, does what they say, and writes down every decision.
#[derive(Debug, Parser)]
#[command(
    name = "wayleave",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_help = "Exit code: 0 done; 1 no, or it could not be done; 2 what was asked makes no sense"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gateway with the settings of a file
    Run(run::Args),
    /// Try the whole product on this machine, without the internet
    Demo(demo::Args),
    /// Check policies: schema, rules, catalogue, purposes, people, and how they fit together
    Check(check::Args),
    /// Format rules
    Fmt(fmt::Args),
    /// Run the policy cases, and say what they leave out
    Test(test::Args),
    /// Prove what must hold of every possible request
    Prove(prove::Args),
    /// Compare two folders of policies, or two git revisions, by what they answer
    Diff(diff::Args),
    /// Say what the rules make of a described request, or made of a recorded one, and why
    Explain(explain::Args),
    /// Print who may do what, where, and what for
    Matrix(matrix::Args),
    /// Judge what was recorded again, under other rules, and say what would change
    Replay(replay::Args),
    /// Print the CODEOWNERS file of a folder of policies
    Owners(owners::Args),
    /// Print the JSON Schema of a TOML file, for editors
    Schema(schema::Args),
    /// State a purpose
    Declare(declare::Args),
    /// List the grants you hold, renew or end one; or list what waits for your approval, or you could revoke
    Grants(grants::Args),
    /// Approve what somebody asked for
    Approve(approve::Args),
    /// Decline what somebody asked for
    Decline(decline::Args),
    /// Take a purpose at once, in an emergency
    BreakGlass(break_glass::Args),
    /// Review what somebody took in an emergency
    Review(review::Args),
    /// Take back what others hold or asked for
    Revoke(revoke::Args),
    /// Print how much purposes are used, and what comes of them
    Value(value::Args),
    /// Keep the accounts that sign in with a password
    User(WithSettings<user::Args>),
    /// Keep the certificate authority that speaks for intercepted sites
    Ca(WithSettings<ca::Args>),
    /// Print the PAC file
    Pac(WithSettings<pac::Args>),
    /// Read and verify the records
    Records(WithSettings<records::Args>),
}

/// A command that needs the settings of the gateway.
#[derive(Debug, clap::Args)]
struct WithSettings<A: clap::Args> {
    #[command(flatten)]
    settings: settings::Args,
    #[command(flatten)]
    command: A,
}

/// Parses the command line, runs one command, and turns the result into an exit code.
pub fn main() -> ExitCode {
    crate::tls::install_default();
    match dispatch(Cli::parse().command) {
        Ok(code) => printer::finished(code),
        Err(stop) => {
            printer::talk(stop.told());
            stop.code()
        }
    }
}

fn dispatch(command: Command) -> Result<ExitCode, Stop> {
    match command {
        Command::Run(args) => block_on(run::run(args)),
        Command::Demo(args) => block_on(demo::run(args)),
        Command::Check(args) => Ok(check::run(args)),
        Command::Fmt(args) => Ok(fmt::run(&args)),
        Command::Owners(args) => Ok(owners::run(&args)),
        Command::Schema(args) => Ok(schema::run(&args)),
        Command::Test(args) => Ok(test::run(&args)),
        Command::Prove(args) => Ok(prove::run(&args)),
        Command::Diff(args) => Ok(diff::run(&args)),
        Command::Explain(args) => explain::run(args),
        Command::Matrix(args) => Ok(matrix::run(&args)),
        Command::Replay(args) => Ok(replay::run(&args)),
        Command::Declare(args) => block_on(declare::run(args)),
        Command::Grants(args) => block_on(grants::run(args)),
        Command::Approve(args) => block_on(approve::run(args)),
        Command::Decline(args) => block_on(decline::run(args)),
        Command::BreakGlass(args) => block_on(break_glass::run(args)),
        Command::Review(args) => block_on(review::run(args)),
        Command::Revoke(args) => block_on(revoke::run(args)),
        Command::Value(args) => block_on(value::run(args)),
        Command::User(args) => {
            let settings = args.settings.load()?;
            let stranger = args
                .command
                .newcomer()
                .and_then(|name| settings::stranger(&settings, name));
            stranger.iter().for_each(printer::talk);
            Ok(user::run(&args.command, &settings.identity))
        }
        Command::Ca(args) => authority(&args),
        Command::Pac(args) => {
            let settings = args.settings.load()?;
            Ok(pac::run(&args.command, &settings, &settings::domains(&settings)?))
        }
        Command::Records(args) => records::run(args.command, &args.settings),
    }
}

fn authority(args: &WithSettings<ca::Args>) -> Result<ExitCode, Stop> {
    let settings = args.settings.load()?;
    let stranger = args
        .command
        .newcomer()
        .and_then(|name| settings::stranger(&settings, name));
    stranger.iter().for_each(printer::talk);
    let mut domains = settings::domains(&settings)?;
    domains.push(settings.portal.host.clone());
    Ok(ca::run(&args.command, &domains, &settings.tls, Clock::system().now()))
}

fn block_on(work: impl Future<Output = Result<ExitCode, Stop>>) -> Result<ExitCode, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| miette::miette!("no threads to work with: {error}"))?;
    let done = runtime.block_on(work);
    // a lookup that still waits for a name server would hold up the end
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_command_trips_over_the_arguments_of_another() {
        Cli::command().debug_assert();
    }

    #[test]
    fn the_settings_can_be_named_behind_the_verb_as_well_as_before_it() {
        for line in [
            &["wayleave", "ca", "init", "-c", "x.toml"][..],
            &["wayleave", "ca", "-c", "x.toml", "init"],
            &["wayleave", "user", "list", "--set", "identity.users=u.toml"],
            &["wayleave", "run", "-c", "x.toml"],
        ] {
            assert!(Cli::try_parse_from(line).is_ok(), "{line:?}");
        }
    }
}
