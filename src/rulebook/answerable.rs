//! Whoever answers for rules, properties and files: a word, which stands nowhere in a list. One that is written almost like
//! another is taken for a slip, since a review that goes to the wrong people is lost without a word.

use std::collections::BTreeMap;

use super::{Assembled, Sources};
use crate::facts::{Problem, Spelling};

/// Who is said to answer for something, and where that is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// Who.
    pub owner: String,
    /// The file that says so.
    pub file: String,
    /// Where in the file: byte offset and length.
    pub span: (usize, usize),
}

impl Assembled {
    /// Warns of owners who are written almost like others that are named more often; `more` are those whom other files than
    /// rules and `owners.toml` name.
    pub fn owners_alike(&self, sources: &Sources, more: Vec<Stated>) -> Vec<Problem> {
        let mut all = more;
        all.extend(self.owners_of_rules());
        all.extend(owners_of_files(sources));
        let mut named: BTreeMap<&str, Vec<&Stated>> = BTreeMap::new();
        for one in &all {
            named.entry(&one.owner).or_default().push(one);
        }
        let spelt: Vec<(&str, Spelling, &[&Stated])> = named
            .iter()
            .map(|(owner, stated)| (*owner, Spelling::of(owner), stated.as_slice()))
            .collect();
        let told = spelt.iter().filter_map(|(owner, spelling, stated)| {
            let meant = spelt.iter().filter(|(_, other, _)| spelling.is_almost(other));
            let (count, meant) = meant.map(|(other, _, stated)| (stated.len(), *other)).max()?;
            if (count, meant) < (stated.len(), *owner) {
                return None;
            }
            let first = stated.first()?;
            let message = format!("`{owner}` is named as an owner, and so is `{meant}`");
            let file = sources.file(&first.file)?;
            let problem = Problem::error("wayleave::owners::alike", file, first.span, message);
            Some(problem.as_warning().with_help(format!("did you mean `{meant}`?")))
        });
        told.collect()
    }

    fn owners_of_rules(&self) -> impl Iterator<Item = Stated> {
        self.rulebook.policy.rules().filter_map(|rule| {
            let owner = rule.annotations.get("owner")?;
            let quoted = format!("{owner:?}");
            let annotation = rule.text.find("@owner")?;
            let at = annotation + rule.text.get(annotation..)?.find(&quoted)?;
            Some(Stated {
                owner: owner.clone(),
                file: rule.file.clone(),
                span: (rule.span.0 + at, quoted.len()),
            })
        })
    }
}

fn owners_of_files(sources: &Sources) -> Vec<Stated> {
    let (Some(file), Ok(owners)) = (&sources.owners, sources.owners()) else {
        return Vec::new();
    };
    let stated = owners.iter().map(|(_, owner)| {
        let quoted = format!("{owner:?}");
        let at = file.text.find(&format!("= {quoted}")).map_or(0, |at| at + 2);
        Stated {
            owner: owner.to_owned(),
            file: file.name.clone(),
            span: (at, quoted.len()),
        }
    });
    stated.collect()
}
