//! The proof that a decision let a flow through: everything that reaches the outside takes one.

use crate::clock::Timestamp;
use crate::facts::{Authority, GrantId, SubjectId};

/// Proof that the rules permit reaching one authority. *No permit, no packet.*
///
/// Only a [`Decision`](super::Decision) that allows `connect` hands one out and, where a refusal is observed or coached,
/// [`Hearing::let_pass`](super::Hearing::let_pass); nothing else can make one:
///
/// ```compile_fail,E0451
/// use wayleave::facts::{Authority, SubjectId};
/// use wayleave::policy::Permit;
///
/// let authority = Authority::parse("www.example.com:443", None).unwrap();
/// let holder = SubjectId::parse("ada").unwrap();
/// let forged = Permit { authority, holder, grant: None, until: None };
/// ```
///
/// and one that was handed out cannot be turned towards another destination:
///
/// ```compile_fail,E0616
/// fn redirect(permit: &mut wayleave::policy::Permit, elsewhere: wayleave::facts::Authority) {
///     permit.authority = elsewhere;
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    authority: Authority,
    holder: SubjectId,
    grant: Option<GrantId>,
    until: Option<Timestamp>,
}

impl Permit {
    /// Made by a decision that allows, see [`super::Decision::permit`].
    pub(super) fn new(
        authority: Authority,
        holder: SubjectId,
        grant: Option<GrantId>,
        until: Option<Timestamp>,
    ) -> Self {
        Self {
            authority,
            holder,
            grant,
            until,
        }
    }

    /// The same, judged again at `end` at the latest.
    pub(super) fn ending_by(self, end: Timestamp) -> Self {
        let until = self.until.into_iter().chain([end]).min();
        Self { until, ..self }
    }

    /// A permit for the tests of the rooms that take one.
    #[cfg(test)]
    pub(crate) fn for_test(authority: Authority, holder: &str) -> Self {
        let holder = SubjectId::parse(holder).unwrap_or_else(|why| panic!("{why}"));
        Self::new(authority, holder, None, None)
    }

    /// Where the flow may go, and nowhere else.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Who may go there.
    pub fn holder(&self) -> &SubjectId {
        &self.holder
    }

    /// The grant that the flow passes under.
    pub fn grant(&self) -> Option<&GrantId> {
        self.grant.as_ref()
    }

    /// When the flow must be judged again at the latest: the grant's expiry, that of a rule with `@expires`, or when
    /// what its sender continued past is told again.
    pub fn until(&self) -> Option<Timestamp> {
        self.until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_permit_leads_to_its_authority_and_has_no_end_of_its_own() {
        let authority = Authority::parse("www.example.com:443", None).unwrap();
        let permit = Permit::for_test(authority.clone(), "ada");
        assert_eq!(
            (permit.authority(), permit.grant(), permit.until()),
            (&authority, None, None)
        );
        assert_eq!(permit.holder().as_str(), "ada");
    }
}
