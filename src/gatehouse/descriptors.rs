//! How many descriptors the process may have open: as many as the system lets it, and a warning if that is not enough.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config;

/// For files, the database, name servers, minting, and what libraries open.
const BESIDE: u64 = 256;

/// Raises the limit as far as the process may by itself, and says if the settings want more. The usual first limit of 1024
/// is there for programs that use `select(2)`.
pub(super) fn raise(settings: &config::File) {
    let limit = raised();
    let needed = needed(settings);
    if limit.is_some_and(|limit| limit < needed) {
        tracing::warn!(
            limit,
            needed,
            "fewer files may be open than the settings can need: raise the limit (`LimitNOFILE` of systemd, \
             `ulimit -n`), or lower `ingress.max_connections`"
        );
    }
}

/// The limit in force now; none where there is no limit.
fn raised() -> Option<u64> {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let highest = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, highest) {
        Ok(()) => maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            current
        }
    }
}

/// Each connection of two doors may lead to an origin; further ones wait for a request.
fn needed(settings: &config::File) -> u64 {
    let connections = u64::from(settings.ingress.max_connections);
    4 * connections + u64::from(settings.upstream.max_idle) + BESIDE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_as_far_as_the_process_may() {
        let before = getrlimit(Resource::Nofile);
        let Some(maximum) = before.maximum else { return };
        let lower = Rlimit {
            current: Some(maximum - 1), // so that no other test runs out of them
            ..before
        };
        setrlimit(Resource::Nofile, lower).unwrap();
        assert_eq!(raised(), Some(maximum));
        assert_eq!(getrlimit(Resource::Nofile).current, Some(maximum));
    }

    #[test]
    fn every_connection_of_both_doors_may_lead_to_an_origin() {
        let mut settings = config::File::default();
        settings.ingress.max_connections = 1000;
        settings.upstream.max_idle = 10;
        assert_eq!(needed(&settings), 4000 + 10 + BESIDE);
    }
}
