//! Thousands of rules are looked through on all cores: each for itself, so that nothing hangs on who does it.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::thread;

/// What `look` says of shares of `items`, in their order. None is smaller than `least`, which is worth a thread, unless it
/// is the last.
pub(super) fn each<'a, T: Sync, R: Send>(items: &'a [T], least: usize, look: impl Fn(&'a [T]) -> R + Sync) -> Vec<R> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let share = items.len().div_ceil(cores).max(least).max(1);
    if items.len() <= share {
        return vec![look(items)];
    }
    thread::scope(|scope| {
        let look = &look;
        let shares: Vec<_> = items
            .chunks(share)
            .map(|some| scope.spawn(move || look(some)))
            .collect();
        // whoever broke off has not looked at all: so that it does not pass for looked at, the panic goes on
        let looked = shares
            .into_iter()
            .map(|share| share.join().unwrap_or_else(|panic| resume_unwind(panic)));
        looked.collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_is_looked_at_once_and_the_order_stays() {
        let items: Vec<usize> = (0..1000).collect();
        for least in [1, 300, 5000] {
            let looked: Vec<usize> = each(&items, least, <[usize]>::to_vec).concat();
            assert_eq!(looked, items, "{least}");
        }
        assert_eq!(each(&[] as &[usize], 1, <[usize]>::len), [0]);
    }
}
