//! Why a command did not get to its answer, how that is told, and the exit code that says it. Pure.

use std::process::ExitCode;

use miette::Report;

/// Why a command did not get to its answer.
#[derive(Debug)]
pub enum Stop {
    /// The command line or the settings cannot be understood.
    Misunderstood(Report),
    /// It was understood, and could not be done.
    Undone(Report),
}

impl From<Report> for Stop {
    fn from(why: Report) -> Self {
        Self::Undone(why)
    }
}

impl Stop {
    /// The exit code: 2 for what cannot be understood, 1 for what could not be done.
    pub fn code(&self) -> ExitCode {
        match self {
            Self::Misunderstood(_) => ExitCode::from(2),
            Self::Undone(_) => ExitCode::FAILURE,
        }
    }

    /// What happened, why, and what would help.
    pub fn told(&self) -> String {
        let (Self::Misunderstood(why) | Self::Undone(why)) = self;
        let mut chain: Vec<String> = why.chain().map(ToString::to_string).collect();
        // many errors say their source themselves
        chain.dedup_by(|inner, outer| outer.ends_with(inner.as_str()));
        let help = why.help().map_or(String::new(), |help| format!("\n  help: {help}"));
        format!("error: {}{help}", chain.join(": "))
    }
}

#[cfg(test)]
mod tests {
    use miette::miette;

    use super::*;

    #[test]
    fn what_happened_why_and_what_would_help_stand_in_this_order() {
        let why = miette!(help = "start it", "nobody answers").wrap_err("cannot reach the proxy");
        assert_eq!(
            Stop::from(why).told(),
            "error: cannot reach the proxy: nobody answers\n  help: start it"
        );
        let why = miette!(help = "start it", "nobody answers");
        assert_eq!(
            Stop::Misunderstood(why).told(),
            "error: nobody answers\n  help: start it"
        );
    }

    #[test]
    fn what_an_error_says_of_its_source_is_not_said_twice() {
        let why = miette!("not there").wrap_err("`issuing.key` cannot be read: not there");
        assert_eq!(Stop::from(why).told(), "error: `issuing.key` cannot be read: not there");
    }

    #[test]
    fn the_exit_code_tells_apart_what_was_not_understood() {
        let code = |stop: Stop| format!("{:?}", stop.code());
        assert_eq!(code(Stop::Undone(miette!("x"))), format!("{:?}", ExitCode::from(1)));
        assert_eq!(
            code(Stop::Misunderstood(miette!("x"))),
            format!("{:?}", ExitCode::from(2))
        );
    }
}
