//! What is said where several must approve.

/// The words of chains of approvals.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is named by what it says")]
pub struct ChainWords {
    pub so_many_of: fn(needed: usize, names: &[&str]) -> String,
    pub so_far: fn(given: usize, needed: usize, approved: &[&str]) -> String,
    pub approved_at: fn(who: &str, at: &str) -> String,
    pub you_approved_in_part: fn(purpose: &str, who: &str, missing: usize) -> String,
    pub as_alternate: &'static str,
    pub by_alternate: fn(who: &str) -> String,
    pub approved_already_title: &'static str,
    pub approved_already: &'static str,
}

impl ChainWords {
    /// Those of whom so many must approve, as one reads them in a sentence.
    pub fn those(&self, needed: usize, names: Vec<String>) -> Vec<String> {
        if needed <= 1 || names.is_empty() {
            return names;
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        vec![(self.so_many_of)(needed, &names)]
    }

    /// The same where so many of each list must.
    pub fn all_those(&self, mut lacking: Vec<(usize, Vec<String>)>) -> Vec<String> {
        lacking.retain(|(_, names)| !names.is_empty());
        if let [(needed, names)] = lacking.as_mut_slice() {
            return self.those(*needed, std::mem::take(names));
        }
        let among = |(needed, names): &(usize, Vec<String>)| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            (self.so_many_of)(*needed, &names)
        };
        let each: Vec<String> = lacking.iter().map(among).collect();
        self.those(each.len(), each)
    }
}
