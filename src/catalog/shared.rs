//! Hosts that several services share, told apart by the path: `www.googleapis.com` answers for one platform and for the
//! rest of Google.
//!
//! As a host such a one is on no platform, so that no rule about the platform has all of it read. A request whose path is
//! among those listed, in whatever way some server may spell it, is one to the platform: it is judged by the rules about
//! that, and not by those for hosts that nobody lists.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Catalog;
use super::path::{PathGlob, Segments, Spelling};
use crate::facts::{Ask, Host, Place, PlatformId, QuickMap, SiteRole};

/// The paths of a host at which it is a platform's.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) platform: PlatformId,
    pub(super) paths: Vec<PathGlob>,
    pub(super) roles: Arc<BTreeSet<SiteRole>>,
}

/// The hosts that are shared.
pub(super) type SharedHosts = QuickMap<Box<str>, Shared>;

impl Catalog {
    /// What the catalogue makes of what is asked: of its host, and of the path where the host is shared.
    pub fn place_of(&self, ask: &Ask) -> Place {
        match ask.head() {
            Some(head) => self.place_at(ask.host(), &head.path),
            None => self.place(ask.host()),
        }
    }

    /// The same of a host and a path.
    pub fn place_at(&self, host: &Host, path: &str) -> Place {
        let place = self.place(host);
        match self.shared.get(host.as_str()) {
            Some(shared) if shared.has(path) => self.on(shared, place),
            Some(_) | None => place,
        }
    }

    /// Whether the platform of a host hangs on the path.
    pub fn is_shared(&self, host: &Host) -> bool {
        self.shared.contains_key(host.as_str())
    }

    /// The shared hosts as they are at the paths of their platforms.
    pub(super) fn shared_places(&self) -> impl Iterator<Item = Place> {
        self.shared.iter().filter_map(|(name, shared)| {
            let host = Host::parse(name).ok()?;
            Some(self.on(shared, self.place(&host)))
        })
    }

    /// A place as one of the platform. What else it is in stays: nothing takes a host out of `sensitive`.
    fn on(&self, shared: &Shared, place: Place) -> Place {
        let mut categories = place.categories;
        if let Some(closure) = self.closures.get(&shared.platform) {
            Arc::make_mut(&mut categories).extend(closure.iter().cloned());
        }
        Place {
            platform: Some(shared.platform.clone()),
            categories,
            roles: Arc::clone(&shared.roles),
            ..place
        }
    }
}

impl Shared {
    /// Whether a server could take the path for one of these.
    pub(super) fn has(&self, path: &str) -> bool {
        let spelling = Spelling::of(path);
        let paths = spelling.paths();
        let fits = |path: &Segments<'_>| self.paths.iter().any(|glob| glob.matches(path, true));
        paths.all().any(fits)
    }
}
