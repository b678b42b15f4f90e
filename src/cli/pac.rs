//! `wayleave pac`: prints the PAC file that a running gateway serves at `/proxy.pac`.

use std::process::ExitCode;

use super::printer;
use crate::config::{Announced, Covers, File};
use crate::facts::Host;
use crate::gatehouse::pac;

/// Prints the PAC file for browsers.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = "Exit code: 0 printed; 1 not printed; 2 the command line or the settings make no sense")]
pub struct Args {
    /// Where browsers reach the proxy, best first, e.g. `HTTPS proxy.corp:3129`; instead of the settings
    #[arg(long = "proxy", value_name = "WAY", value_parser = Announced::parse)]
    proxies: Vec<Announced>,
    /// Send only the managed platforms through the proxy; instead of the settings
    #[arg(long, conflicts_with = "all")]
    managed: bool,
    /// Send everything through the proxy; instead of the settings
    #[arg(long)]
    all: bool,
}

/// Prints the script for the managed `domains` of the catalogue.
#[must_use]
pub fn run(args: &Args, settings: &File, domains: &[Host]) -> ExitCode {
    printer::data(text(args, settings, domains).trim_end());
    ExitCode::SUCCESS
}

fn text(args: &Args, settings: &File, domains: &[Host]) -> String {
    let ways = if args.proxies.is_empty() {
        settings.pac.announced(settings.ingress.plain, None)
    } else {
        args.proxies.clone()
    };
    let covers = match (args.all, args.managed) {
        (true, _) => Covers::All,
        (false, true) => Covers::Managed,
        (false, false) => settings.pac.covers,
    };
    pac::script(&pac::Parts {
        ways: &ways,
        covers,
        portal: &settings.portal.host,
        managed: domains,
        direct: &settings.pac.direct,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_wins_over_the_settings() {
        let domains = [Host::parse("linkedin.com").unwrap()];
        let plain = Args {
            proxies: Vec::new(),
            managed: false,
            all: false,
        };
        let settings = File::default();
        let script = text(&plain, &settings, &domains);
        assert!(script.contains("var PROXIES = \"PROXY 127.0.0.1:3128\";"), "{script}");
        assert!(script.contains("  return PROXIES;\n}"), "{script}");
        let args = Args {
            proxies: vec![Announced::parse("HTTPS proxy.corp:3129").unwrap()],
            managed: true,
            ..plain
        };
        let script = text(&args, &settings, &domains);
        assert!(script.contains("var PROXIES = \"HTTPS proxy.corp:3129\";"), "{script}");
        assert!(script.contains("  return \"DIRECT\";\n}"), "{script}");
    }
}
