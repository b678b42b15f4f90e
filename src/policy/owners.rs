//! `owners.toml` -> who answers for files and folders, where no rule or purpose says so itself.

use std::collections::BTreeMap;

use crate::facts::fields::Reader;
use crate::facts::{Problem, SourceText, did_you_mean};

/// Who answers for which part of the folder of policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Owners(BTreeMap<String, String>);

impl Owners {
    /// Reads the file; `names` are those of all files of the folder.
    pub fn parse(file: &SourceText, names: &[&str]) -> Result<Self, Vec<Problem>> {
        let reader = Reader::new(file, "owners");
        let owners = reader.read(&["owners"], |fields| {
            let mut owners = BTreeMap::new();
            let Some(table) = fields.table("owners", &[]) else {
                return owners;
            };
            for (path, span) in table.keys() {
                let Some(owner) = table.text(path) else { continue };
                if owner.value.trim().is_empty() {
                    table.report(
                        "nobody",
                        span,
                        format!("nobody owns `{path}`"),
                        "name who answers for it",
                    );
                }
                if !names.iter().any(|name| is_in(name, path)) {
                    let known = names
                        .iter()
                        .flat_map(|name| [*name, name.split('/').next().unwrap_or(name)]);
                    let help = match did_you_mean(path, known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => "name a file or folder of the policies".to_owned(),
                    };
                    let message = format!("there is no file or folder `{path}`");
                    table.report("unknown-path", span, message, help);
                }
                owners.insert(path.to_owned(), owner.value.to_owned());
            }
            owners
        });
        let problems = reader.into_problems();
        if problems.is_empty() {
            Ok(Self(owners))
        } else {
            Err(problems)
        }
    }

    /// Who answers for a file: the owner of the longest path that it is, or is in.
    pub fn of(&self, file: &str) -> Option<&str> {
        let above = self.0.iter().filter(|(path, _)| is_in(file, path));
        let nearest = above.max_by_key(|(path, _)| path.len());
        nearest.map(|(_, owner)| owner.as_str())
    }

    /// Every path with its owner.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, owner)| (path.as_str(), owner.as_str()))
    }
}

fn is_in(file: &str, path: &str) -> bool {
    let rest = file.strip_prefix(path);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Owners, Vec<String>> {
        let names = ["rules/a.cedar", "rules/b.cedar", "purposes.toml"];
        let read = Owners::parse(&SourceText::new("owners.toml", text), &names);
        read.map_err(|problems| problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_nearest_path_says_who_answers() {
        let owners = read("[owners]\nrules = \"IT\"\n\"rules/b.cedar\" = \"HR\"\n").unwrap();
        let of = |file: &str| owners.of(file).unwrap_or("nobody").to_owned();
        assert_eq!(
            ["rules/a.cedar", "rules/b.cedar", "rules2/a.cedar", "purposes.toml"].map(of),
            ["IT", "HR", "nobody", "nobody"]
        );
    }

    #[test]
    fn a_path_that_is_not_there_is_told_with_the_one_that_was_meant() {
        assert_eq!(
            read("[owners]\nrulse = \"IT\"\n\"purposes.toml\" = \"\"\n").unwrap_err(),
            [
                "owners.toml:3:19: nobody owns `purposes.toml` (name who answers for it)",
                "owners.toml:2:9: there is no file or folder `rulse` (did you mean `rules`?)",
            ]
        );
    }
}
