//! What must never or always hold, as `properties/*.toml` says it.

use crate::facts::fields::{Fields, Reader};
use crate::facts::{Partial, Problem, SourceText, Wording};
use crate::policy::{Cedar, too_deep};

const FILE: &[&str] = &["property"];
const PROPERTY: &[&str] = &["name", "owner", "sentence", "never", "always", "unread"];
const CLAIM: &[&str] = &["actions", "when"];

/// What is claimed of the requests that a property speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// None of them is allowed.
    Never,
    /// Each of them is.
    Always,
}

/// A sentence about the rules that is true of every possible request, or is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name, for reports.
    pub name: String,
    /// Who wants it.
    pub owner: String,
    /// Where in the file that is said.
    pub owner_span: (usize, usize),
    /// What it says, for people.
    pub sentence: Wording,
    /// What it claims.
    pub claim: Claim,
    /// The actions and groups of actions that it speaks of.
    pub actions: Vec<String>,
    /// The requests that it speaks of: a Cedar expression.
    pub when: String,
    /// Why it says nothing of what passes unread, where it does not.
    pub unread: Option<Wording>,
    /// The file that it stands in.
    pub file: String,
    /// Where in the file the Cedar expression stands.
    pub span: (usize, usize),
    /// The line of its name, from 1.
    pub line: usize,
}

impl Property {
    /// Whether it says that some flows are never read, and nothing else.
    pub fn is_of_reading_alone(&self) -> bool {
        self.claim == Claim::Never && self.actions.iter().all(|action| action == "inspect")
    }
}

/// Reads files of properties; all problems at once.
pub fn read(files: &[SourceText]) -> Partial<Vec<Property>> {
    let (mut properties, mut problems) = (Vec::<Property>::new(), Vec::new());
    for file in files {
        let reader = Reader::new(file, "properties");
        let before = properties.len();
        reader.read(FILE, |fields| {
            for entry in fields.tables("property", PROPERTY) {
                let Some(property) = one(file, &entry) else { continue };
                if properties.iter().any(|other| other.name == property.name) {
                    let message = format!("two properties are called `{}`", property.name);
                    entry.report(
                        "repeated",
                        entry.place("name"),
                        message,
                        "give one of them another name",
                    );
                }
                properties.push(property);
            }
        });
        let found = reader.into_problems();
        // of a text that is no TOML nobody knows what it says
        if found.iter().any(Problem::is_syntax) {
            properties.truncate(before);
        }
        problems.extend(found);
    }
    let are_all = problems.is_empty();
    Partial::new(properties, problems, are_all)
}

/// One property; nothing where it claims nothing, or two things, which has been reported.
fn one(file: &SourceText, entry: &Fields<'_, '_>) -> Option<Property> {
    let name = entry.needed("name");
    let (owner, sentence) = (entry.needed("owner"), entry.needed_wording("sentence"));
    let (claim, key) = match (entry.has("never"), entry.has("always")) {
        (true, false) => (Claim::Never, "never"),
        (false, true) => (Claim::Always, "always"),
        (both, _) => {
            let has = if both {
                "both `never` and `always`"
            } else {
                "neither `never` nor `always`"
            };
            let message = format!("`{}` has {has}", name.value);
            let help = "claim one: `never = { actions = [\"publish\"], when = '…' }`";
            entry.report("claim", name.span, message, help);
            return None;
        }
    };
    let about = entry.table(key, CLAIM)?;
    let when = about.needed("when");
    if let Some(deep) = too_deep(when.value, Cedar::Rules) {
        about.report("syntax", when.span, deep.message(), deep.help());
        return None;
    }
    let actions: Vec<String> = about
        .texts("actions")
        .iter()
        .map(|text| text.value.to_owned())
        .collect();
    if actions.is_empty() {
        about.report(
            "missing-key",
            about.span,
            "`actions` is missing",
            "add `actions = [\"publish\"]`",
        );
    }
    Some(Property {
        line: file.line_and_column(name.span.0).0,
        name: name.value.to_owned(),
        owner: owner.value.to_owned(),
        owner_span: owner.span,
        sentence,
        claim,
        actions,
        when: when.value.to_owned(),
        unread: entry.wording("unread"),
        file: file.name.clone(),
        span: when.span,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_claims_one_thing_of_some_actions() {
        let text = "[[property]]\nname = \"a\"\nowner = \"HR\"\nsentence = \"S.\"\nnever = { actions = [\"publish\"], when = 'true' }\n";
        let found = read(&[SourceText::new("properties/a.toml", text)]).whole().unwrap();
        assert_eq!((found[0].claim, found[0].line), (Claim::Never, 2));
    }

    #[test]
    fn whatever_is_missing_is_told_at_once() {
        let text = "[[property]]\nname = \"a\"\nsentence = \"S.\"\n\n[[property]]\nname = \"b\"\nowner = \"HR\"\nsentence = \"S.\"\nalways = { when = 'true' }\n";
        let found = read(&[SourceText::new("properties/a.toml", text)]).whole().unwrap_err();
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found.len(), 3, "{found:?}");
        for said in [
            "`owner` is missing",
            "neither `never` nor `always`",
            "`actions` is missing",
        ] {
            assert!(found.iter().any(|problem| problem.contains(said)), "{found:?}");
        }
    }
}
