//! The texts that a rulebook is made of.

use rust_embed::RustEmbed;

use crate::facts::{Problem, SourceText, did_you_mean};

/// The shipped folder, in the binary.
#[derive(RustEmbed)]
#[folder = "policies/"]
struct Shipped;

/// The texts of a `policies/` folder, sorted by what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    /// `wayleave.cedarschema`
    pub schema: SourceText,
    /// `rules/*.cedar`
    pub rules: Vec<SourceText>,
    /// `catalog/*.toml`
    pub catalog: Vec<SourceText>,
    /// `purposes.toml`
    pub purposes: SourceText,
    /// `owners.toml`, if there is one
    pub owners: Option<SourceText>,
    /// `people/*.toml`
    pub people: Vec<SourceText>,
    /// `cases/*.toml`, and `cases/*.json` in the form of Cedar's command line
    pub cases: Vec<SourceText>,
    /// `properties/*.toml`
    pub properties: Vec<SourceText>,
}

const SCHEMA: &str = "wayleave.cedarschema";
const PURPOSES: &str = "purposes.toml";
const OWNERS: &str = "owners.toml";

/// Files, sorted by what they are, and what is wrong with the folder as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorted {
    /// The texts; one that is missing is empty.
    pub sources: Sources,
    /// Files that nothing would read: a rule in one of them would not rule.
    pub stray: Vec<Problem>,
    /// What there must be and is not.
    pub missing: Vec<Problem>,
}

impl Sorted {
    /// Sorts files, named by their paths relative to the folder.
    pub fn new(mut files: Vec<SourceText>) -> Self {
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let (mut sources, mut stray) = (Sources::empty(), Vec::new());
        let (mut schema, mut purposes) = (None, None);
        for file in files {
            match shelf(&file.name) {
                Shelf::Schema => schema = Some(file),
                Shelf::Purposes => purposes = Some(file),
                Shelf::Owners => sources.owners = Some(file),
                Shelf::Rules => sources.rules.push(file),
                Shelf::Catalog => sources.catalog.push(file),
                Shelf::People => sources.people.push(file),
                Shelf::Cases => sources.cases.push(file),
                Shelf::Properties => sources.properties.push(file),
                Shelf::Text => {}
                Shelf::Nowhere => stray.push(unread(&file.name)),
            }
        }
        let is_missing = [
            (SCHEMA, schema.is_none()),
            (PURPOSES, purposes.is_none()),
            ("rules/*.cedar", sources.rules.is_empty()),
            ("catalog/*.toml", sources.catalog.is_empty()),
            ("people/*.toml", sources.people.is_empty()),
        ];
        let missing = is_missing.into_iter().filter(|(_, is_missing)| *is_missing);
        let missing = missing.map(|(name, _)| missing_file(name)).collect();
        sources.schema = schema.unwrap_or(sources.schema);
        sources.purposes = purposes.unwrap_or(sources.purposes);
        Self {
            sources,
            stray,
            missing,
        }
    }
}

fn missing_file(name: &str) -> Problem {
    Problem::of_file("wayleave::sources::missing", name, format!("`{name}` is missing"))
        .with_help("start from the shipped folder")
}

impl Sources {
    /// Sorts files, named by their paths relative to the folder, by what they are. A file that nothing would read is a
    /// problem: a rule in it would not rule.
    pub fn from_files(files: Vec<SourceText>) -> Result<Self, Vec<Problem>> {
        let Sorted {
            sources,
            mut stray,
            missing,
        } = Sorted::new(files);
        stray.extend(missing);
        if stray.is_empty() { Ok(sources) } else { Err(stray) }
    }

    /// The shipped folder, as it was when the program was built.
    pub fn embedded() -> Self {
        Self::from_files(shipped_files()).unwrap_or_else(|_| Self::empty())
    }

    /// Every text, by name.
    pub fn files(&self) -> impl Iterator<Item = &SourceText> {
        let one = [&self.schema, &self.purposes].into_iter().chain(&self.owners);
        let many = [&self.rules, &self.catalog, &self.people, &self.cases, &self.properties];
        one.chain(many.into_iter().flatten())
    }

    /// The text called `name`, for showing the place of a problem.
    pub fn file(&self, name: &str) -> Option<&SourceText> {
        self.files().find(|file| file.name == name)
    }

    /// Nothing: assembling it fails, so a broken build cannot rule.
    fn empty() -> Self {
        Self {
            schema: SourceText::new(SCHEMA, ""),
            rules: Vec::new(),
            catalog: Vec::new(),
            purposes: SourceText::new(PURPOSES, ""),
            owners: None,
            people: Vec::new(),
            cases: Vec::new(),
            properties: Vec::new(),
        }
    }
}

fn shipped_files() -> Vec<SourceText> {
    let text = |name: std::borrow::Cow<'static, str>| {
        let file = Shipped::get(&name)?;
        let text = std::str::from_utf8(&file.data).ok()?.to_owned();
        Some(SourceText::new(name.into_owned(), text))
    };
    Shipped::iter().filter_map(text).collect()
}

/// Whether a file is called like one that rules are made of, in any case: where it is not spelt as it must be, nothing
/// would read it, and somebody should hear of that.
pub fn is_source(name: &str) -> bool {
    let file = name.rsplit_once('/').map_or(name, |(_, file)| file);
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = ["toml", "cedar", "cedarschema"];
    let is_case = || extension.eq_ignore_ascii_case("json") && folder_of(name) == "cases";
    known.iter().any(|known| known.eq_ignore_ascii_case(extension)) || is_case()
}

/// The name of the folder that a file stands in.
fn folder_of(name: &str) -> &str {
    let (path, _) = name.rsplit_once('/').unwrap_or(("", name));
    path.rsplit_once('/').map_or(path, |(_, folder)| folder)
}

enum Shelf {
    Schema,
    Purposes,
    Owners,
    Rules,
    Catalog,
    People,
    Cases,
    Properties,
    Text,
    Nowhere,
}

fn shelf(name: &str) -> Shelf {
    let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
    let (_, extension) = file.rsplit_once('.').unwrap_or((file, ""));
    match (folder, extension) {
        ("", _) if file == SCHEMA => Shelf::Schema,
        ("", _) if file == PURPOSES => Shelf::Purposes,
        ("", _) if file == OWNERS => Shelf::Owners,
        ("rules", "cedar") => Shelf::Rules,
        ("catalog", "toml") => Shelf::Catalog,
        ("people", "toml") => Shelf::People,
        ("cases", "toml" | "json") => Shelf::Cases,
        ("properties", "toml") => Shelf::Properties,
        _ if is_source(name) => Shelf::Nowhere,
        _ => Shelf::Text,
    }
}

fn unread(name: &str) -> Problem {
    let known = [
        SCHEMA,
        PURPOSES,
        OWNERS,
        "rules",
        "catalog",
        "people",
        "cases",
        "properties",
    ];
    let (folder, _) = name.split_once('/').unwrap_or((name, ""));
    let help = match did_you_mean(folder, known) {
        Some(near) if near != folder => format!("did you mean `{near}`?"),
        _ => {
            "rules stand in `rules/*.cedar`, data in `*.toml` in `catalog/`, `people/`, `cases/` and `properties/`, all in \
             lower case and without folders in them"
                .into()
        }
    };
    let message = format!("nothing reads `{name}`");
    Problem::of_file("wayleave::sources::unread", name, message).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(names: &[&str]) -> Vec<String> {
        let files = names.iter().map(|name| SourceText::new(*name, "")).collect();
        let found = Sources::from_files(files).err().unwrap_or_default();
        found.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_that_nothing_reads_is_named_with_the_folder_that_was_meant() {
        let found = problems(&[
            "wayleave.cedarschema",
            "purposes.toml",
            "rules/a.cedar",
            "catalog/x.toml",
            "people/p.toml",
            "README.md",
            "rule/b.cedar",
        ]);
        assert_eq!(
            found,
            ["rule/b.cedar: nothing reads `rule/b.cedar` (did you mean `rules`?)"]
        );
    }

    #[test]
    fn a_file_whose_ending_is_in_another_case_is_not_passed_over() {
        let found = problems(&[
            "wayleave.cedarschema",
            "purposes.toml",
            "rules/a.cedar",
            "rules/b.Cedar",
            "catalog/x.toml",
            "people/p.toml",
            "people/q.TOML",
            "people/notes.md",
        ]);
        assert_eq!(found.len(), 2, "{found:?}");
        for name in ["rules/b.Cedar", "people/q.TOML"] {
            let said = format!("nothing reads `{name}`");
            assert!(found.iter().any(|problem| problem.contains(&said)), "{found:?}");
        }
    }

    #[test]
    fn everything_that_is_missing_is_named_at_once() {
        assert_eq!(problems(&[]).len(), 5);
    }

    #[test]
    fn the_shipped_folder_is_whole() {
        assert!(
            Sources::from_files(shipped_files()).is_ok(),
            "{:?}",
            Sources::from_files(shipped_files()).err()
        );
    }
}
