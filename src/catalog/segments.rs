//! The pieces of a path between its slashes.

/// A path has at most so many segments for us; a longer one is ambiguous.
pub(super) const MOST_SEGMENTS: usize = 40;

/// The segments of a path, without allocating; a slash at the end is no segment.
#[derive(Debug)]
pub(super) struct Segments<'p> {
    list: [&'p str; MOST_SEGMENTS],
    length: usize,
}

impl<'p> Segments<'p> {
    pub(super) fn of(path: &'p str) -> Self {
        let mut list = [""; MOST_SEGMENTS];
        let mut length = 0;
        let inner = path.strip_prefix('/').unwrap_or(path);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        if !inner.is_empty() {
            for (slot, segment) in list.iter_mut().zip(pieces(inner, b'/')) {
                *slot = segment;
                length += 1;
            }
        }
        Self { list, length }
    }

    /// These segments, as far as they count.
    pub(super) fn among(segments: &[&'p str]) -> Self {
        let mut list = [""; MOST_SEGMENTS];
        let mut length = 0;
        for (slot, segment) in list.iter_mut().zip(segments) {
            *slot = segment;
            length += 1;
        }
        Self { list, length }
    }

    /// The last segment.
    pub(super) fn last(&self) -> Option<&'p str> {
        self.as_slice().last().copied()
    }

    pub(super) fn as_slice(&self) -> &[&'p str] {
        self.list.get(..self.length).unwrap_or_default()
    }
}

/// The pieces of a text between marks of one ASCII letter: what [`str::split`] yields, which is made for long texts and takes
/// twice as long for pieces as short as those of paths.
pub(super) fn pieces(text: &str, mark: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let cut = text.bytes().position(|byte| byte == mark);
        let Some((piece, behind)) = cut.and_then(|at| text.split_at_checked(at)) else {
            return rest.take();
        };
        rest = behind.get(1..);
        Some(piece)
    })
}
