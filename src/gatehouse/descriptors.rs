//! How many descriptors the process may have open: as many as the system lets it. Where that is not enough, the doors
//! serve fewer connections, so that whatever clients do there is one left for a record, and for an operator who asks.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::config;

/// For files, the database, name servers, minting, and what libraries open.
const BESIDE: u64 = 256;
/// How many connections operators may have, and how many of them from one address.
const OPERATORS: (u32, u32) = (128, 32);
/// What a place at a door may need: the client's connection, one to an origin, and one more while that is being made or
/// asked for its certificate. Whatever leads to a further origin takes a further place.
const EACH: u64 = 3;
/// There are two doors for clients.
const DOORS: u64 = 2;

/// Raises the limit as far as the process may by itself, and returns the settings with what fits into it. The usual first
/// limit of 1024 is there for programs that use `select(2)`.
pub(super) fn fitted(settings: &config::File) -> config::File {
    let mut fitted = settings.clone();
    if let Some(limit) = raised() {
        fit(&mut fitted, limit);
    }
    fitted
}

/// Warns where the doors serve fewer than `asked`.
pub(super) fn tell(asked: &config::File, fitted: &config::File) {
    let connections = fitted.ingress.max_connections;
    if connections < asked.ingress.max_connections {
        tracing::warn!(
            needed = needed(asked),
            connections,
            "fewer files may be open than the settings can need, so each door serves fewer connections at a time: \
             raise the limit (`LimitNOFILE` of systemd, `ulimit -n`), or lower `ingress.max_connections`"
        );
    }
}

/// The limits of the door for operators: no client of the others takes its places.
pub(super) fn of_operators(settings: &config::File) -> crate::ingress::Settings {
    crate::ingress::Settings {
        max_connections: OPERATORS.0,
        max_connections_per_client: OPERATORS.1,
        ..settings.ingress.clone()
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

fn needed(settings: &config::File) -> u64 {
    DOORS * EACH * u64::from(settings.ingress.max_connections) + u64::from(settings.upstream.max_idle) + reserved()
}

fn reserved() -> u64 {
    BESIDE + u64::from(OPERATORS.0)
}

/// Lowers what may be open at a time to what `limit` leaves.
fn fit(settings: &mut config::File, limit: u64) {
    let left = limit.saturating_sub(reserved());
    let idle = u64::from(settings.upstream.max_idle).min(left / 4);
    let connections = (left - idle) / (DOORS * EACH);
    let lower = |setting: &mut u32, most: u64| *setting = u32::try_from(most).unwrap_or(u32::MAX).min(*setting);
    lower(&mut settings.upstream.max_idle, idle);
    let doors = &mut settings.ingress;
    let asked = doors.max_connections;
    lower(&mut doors.max_connections, connections.max(1));
    if doors.max_connections < asked && doors.max_connections_per_client > 0 {
        // the share that one client may have stays; a small one may grow to a quarter, as it is by default
        let places = u64::from(doors.max_connections);
        let share = places * u64::from(doors.max_connections_per_client) / u64::from(asked);
        lower(
            &mut doors.max_connections_per_client,
            share.clamp((places / 4).max(1), places),
        );
    }
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
    fn every_place_at_both_doors_may_lead_to_an_origin() {
        let mut settings = config::File::default();
        settings.ingress.max_connections = 1000;
        settings.upstream.max_idle = 10;
        assert_eq!(needed(&settings), 6000 + 10 + 128 + BESIDE);
    }

    #[test]
    fn one_client_gets_no_more_places_than_before_and_its_share_or_a_quarter_of_fewer() {
        for (asked, per_client, limit, lowered) in [
            (10_000, 2_500, 1024, 20),
            (10_000, 2_500, 20_000, 774),
            (10_000, 2_500, 1_000_000, 2_500),
            (10_000, 100, 20_000, 100),
            (10_000, 100, 1024, 20),
            (10_000, 10_000, 1024, 80),
            (10_000, 20_000, 1024, 80),
            (10_000, 2_500, 64, 1),
            (10_000, 0, 1024, 0),
            (50, 50, 1024, 50),
        ] {
            let mut settings = config::File::default();
            settings.ingress.max_connections = asked;
            settings.ingress.max_connections_per_client = per_client;
            fit(&mut settings, limit);
            let fitted = settings.ingress.max_connections_per_client;
            assert_eq!(fitted, lowered, "{per_client} of {asked} with {limit}");
        }
    }

    #[test]
    fn doors_serve_no_more_than_the_limit_carries_and_operators_keep_their_share() {
        let settings = config::File::default();
        for (limit, connections, idle) in [
            (1_000_000, 10_000, 1024),
            (20_000, 3098, 1024),
            (1024, 80, 160),
            (64, 1, 0),
        ] {
            let mut fitted = settings.clone();
            fit(&mut fitted, limit);
            assert_eq!(
                (fitted.ingress.max_connections, fitted.upstream.max_idle),
                (connections, idle),
                "{limit}"
            );
            assert!(limit < 1024 || needed(&fitted) <= limit, "{limit}");
        }
    }
}
