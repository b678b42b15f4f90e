//! What changed between two texts of people, in whole entries, so that of a file of thousands one entry is read.

/// With this line an entry begins.
const HEAD: &str = "[[person]]";
const NEXT: &str = "\n[[person]]";
/// How much is compared at once.
const PIECE: usize = 4096;

/// Whether every line that reads like the head of an entry is one, in a text that is in order: only a string of several
/// lines could hold another.
pub(super) fn are_told_by_lines(text: &str) -> bool {
    !text.contains("\"\"\"") && !text.contains("'''")
}

/// The entries of `old` that `new` has otherwise or not at all, and what `new` has in their place; none where they cannot be
/// told.
///
/// INVARIANT: `old` was found in order, and its entries are told by their lines. Then what stands before the first of these
/// entries reads the same in both texts, up to the head of an entry, and so does what stands behind the last. So the new
/// text is in order, and says the same beside these entries, if they are entries and nothing else when read alone.
pub(super) fn changed<'t>(old: &'t str, new: &'t str) -> Option<(&'t str, &'t str)> {
    let same = in_common(old.as_bytes().chunks(PIECE), new.as_bytes().chunks(PIECE), |piece| {
        piece.iter()
    });
    let head = old.get(..old.floor_char_boundary(same))?;
    let from = match head.rfind(NEXT) {
        Some(at) => at + 1,
        None if head.starts_with(HEAD) => 0,
        None => return None,
    };
    let (old, new) = (old.get(from..)?, new.get(from..)?);
    let (olds, news) = (old.as_bytes().rchunks(PIECE), new.as_bytes().rchunks(PIECE));
    let same = in_common(olds, news, |piece| piece.iter().rev());
    let tail = old.ceil_char_boundary(old.len() - same);
    let end = old.get(tail..)?.find(NEXT).map_or(old.len(), |at| tail + at + 1);
    let new_end = new.len() - (old.len() - end);
    Some((old.get(..end)?, new.get(..new_end)?))
}

/// How many bytes are the same from the first piece on.
fn in_common<'t, I: Iterator<Item = &'t u8>>(
    some: impl Iterator<Item = &'t [u8]>,
    others: impl Iterator<Item = &'t [u8]>,
    bytes: impl Fn(&'t [u8]) -> I,
) -> usize {
    let mut same = 0;
    for (one, other) in some.zip(others) {
        if one != other {
            return same
                + bytes(one)
                    .zip(bytes(other))
                    .take_while(|(one, other)| one == other)
                    .count();
        }
        same += one.len();
    }
    same
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry(id: &str) -> String {
        format!("[[person]]\nid = \"{id}\"\n")
    }

    #[test]
    fn only_the_entries_that_differ_are_told() {
        let text = |ids: &[&str]| ids.iter().map(|id| entry(id)).collect::<String>();
        let told = |old: &[&str], new: &[&str]| {
            let ids = |text: &str| text.split('"').skip(1).step_by(2).collect::<Vec<_>>().join(" ");
            let (old, new) = (text(old), text(new));
            changed(&old, &new).map(|(was, is)| format!("{} -> {}", ids(was), ids(is)))
        };
        assert_eq!(told(&["a", "b", "c"], &["a", "x", "c"]).unwrap(), "b -> x");
        assert_eq!(told(&["a", "b", "c"], &["x", "b", "c"]).unwrap(), "a -> x");
        assert_eq!(told(&["a", "b", "c"], &["a", "b", "x"]).unwrap(), "c -> x");
        assert_eq!(told(&["a", "é", "c"], &["a", "è", "c"]).unwrap(), "é -> è");
        assert_eq!(told(&["a", "c"], &["a", "b", "c"]).unwrap(), "c -> b c");
        assert_eq!(told(&["a"], &[]), None);
    }

    proptest! {
        #[test]
        fn what_is_told_is_all_that_changed_and_begins_and_ends_between_entries(
            old in prop::collection::vec("[ab]{1,3}", 1..12),
            new in prop::collection::vec("[ab]{1,3}", 0..12),
            head in prop::sample::select(vec!["", "# people\n", "[[role]]\nid = \"r\"\n"]),
        ) {
            let text = |ids: &[String]| head.to_owned() + &ids.iter().map(|id| entry(id)).collect::<String>();
            let (old, new) = (text(&old), text(&new));
            if let Some((was, is)) = changed(&old, &new) {
                let at = was.as_ptr() as usize - old.as_ptr() as usize;
                let (before, rest) = old.split_at(at);
                let (_, rest) = rest.split_at(was.len());
                prop_assert_eq!(format!("{before}{is}{rest}"), new.as_str());
                prop_assert!(was.starts_with(HEAD) && (is.is_empty() || is.starts_with(HEAD)));
                prop_assert!(rest.is_empty() || rest.starts_with(HEAD));
            }
        }
    }
}
