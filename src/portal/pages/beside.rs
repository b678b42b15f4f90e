//! Tokens and delegations of others, on the pages where they are revoked.

/// One of them.
#[derive(Clone, Debug)]
pub(in crate::portal) struct BesideLine {
    pub(in crate::portal) title: String,
    pub(in crate::portal) who: String,
    pub(in crate::portal) about: String,
    /// Where it is revoked.
    pub(in crate::portal) revoke: String,
}

/// Those of one kind.
#[derive(Clone, Debug)]
pub(in crate::portal) struct BesidePart {
    pub(in crate::portal) id: &'static str,
    pub(in crate::portal) heading: &'static str,
    pub(in crate::portal) lines: Vec<BesideLine>,
}
