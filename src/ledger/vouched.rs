//! How far what is known of grants can be relied on, where others may have changed it unheard of.

use std::time::Duration;

use super::Ledger;

/// How far what is known of grants can be relied on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vouched {
    /// Whatever changes is heard of.
    Now,
    /// What others change is not, and what is known counts for so long.
    For(Duration),
    /// It has not been for so long that what is known does not count.
    NoMore,
}

impl Vouched {
    /// For one who is patient for so long, and has not heard of others for as long as that.
    fn of(patience: Duration, unheard: Option<Duration>) -> Self {
        match unheard {
            None => Self::Now,
            Some(unheard) => patience.checked_sub(unheard).map_or(Self::NoMore, Self::For),
        }
    }
}

impl Ledger {
    /// How far what is known of grants can be relied on, for publishing or for anything else.
    pub fn vouches(&self, publishes: bool) -> Vouched {
        let (for_publishing, for_others) = self.patience;
        let patience = if publishes { for_publishing } else { for_others };
        Vouched::of(patience, self.keeping.out_of_touch())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_counts_until_patience_is_over() {
        let minutes = Duration::from_mins;
        assert_eq!(Vouched::of(minutes(1), None), Vouched::Now);
        assert_eq!(Vouched::of(minutes(3), Some(minutes(1))), Vouched::For(minutes(2)));
        assert_eq!(Vouched::of(minutes(3), Some(minutes(4))), Vouched::NoMore);
    }
}
