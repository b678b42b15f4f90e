//! Texts with mistakes in them, as far as they could be read.

use super::problem::Problem;

/// What could be read of some texts, and what is wrong with them.
///
/// Whoever looks for more mistakes may look at it as it is: a slip in one file hides none in another. But it is handed
/// out only where nothing is wrong, since rules and people come into force by value: nothing rules that was read in part.
#[derive(Debug)]
pub struct Partial<T> {
    value: T,
    problems: Vec<Problem>,
    has_every_name: bool,
}

impl<T> Partial<T> {
    /// What could be read, and what is wrong; and whether all names are among what could be read.
    pub fn new(value: T, problems: Vec<Problem>, has_every_name: bool) -> Self {
        Self {
            value,
            problems,
            has_every_name,
        }
    }

    /// As far as it could be read.
    pub fn so_far(&self) -> &T {
        &self.value
    }

    /// What is wrong.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Whether it has every name that the texts list, be it of something that is wrong otherwise: only then a name that it
    /// does not have is unknown.
    pub fn has_every_name(&self) -> bool {
        self.has_every_name
    }

    /// The whole, or all that is wrong with it.
    pub fn whole(self) -> Result<T, Vec<Problem>> {
        if self.problems.is_empty() {
            Ok(self.value)
        } else {
            Err(self.problems)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_in_part_can_be_looked_at_and_not_had() {
        let problem = Problem::of_file("wayleave::test::x", "a.toml", "wrong");
        let partial = Partial::new(1, vec![problem.clone()], true);
        assert_eq!((*partial.so_far(), partial.has_every_name()), (1, true));
        assert_eq!(partial.whole(), Err(vec![problem]));
        assert_eq!(Partial::new(1, Vec::new(), true).whole(), Ok(1));
    }
}
