//! Texts in, rules out: everything is read, and everything that one file says about another is checked.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_lc_rs::digest;

use super::{Directory, InForce, Rulebook, Sources, grammar, strangers};
use crate::catalog::Catalog;
use crate::facts::{
    Activity, Category, Host, Mode, PlatformId, Problem, PurposeId, RulebookId, Severity, SourceText, did_you_mean, hex,
};
use crate::policy::{NamedKind, Owners, PlatformFacts, Policy, Vocabulary, World};
use crate::purpose::{GROUPS, Purpose, Purposes};

/// What assembling gives: the rules, the people, and what somebody should look at.
#[derive(Debug)]
pub struct Assembled {
    /// The rules.
    pub rulebook: Rulebook,
    /// The people: not part of the rules, and in force together with them.
    pub directory: Directory,
    /// What does not keep the rules from ruling, but should not stay.
    pub warnings: Vec<Problem>,
}

impl Rulebook {
    /// Reads and checks everything; all problems at once.
    pub fn assemble(sources: &Sources) -> Result<Assembled, Vec<Problem>> {
        Self::assemble_after(None, sources)
    }

    /// The same, for less, where what is in force was made of some of the same texts.
    pub fn assemble_after(before: Option<&InForce>, sources: &Sources) -> Result<Assembled, Vec<Problem>> {
        let mut problems = Vec::new();
        let catalog = kept(Catalog::parse(&sources.catalog), &mut problems);
        let purposes = kept(Purposes::parse(&sources.purposes), &mut problems);
        let directory = kept(
            Directory::parse_after(before.map(|before| &before.directory), &sources.people),
            &mut problems,
        );
        let owners = kept(sources.owners(), &mut problems);
        let (Some(catalog), Some(purposes), Some(directory)) = (catalog, purposes, directory) else {
            // Without the words that rules may use, only the rules' own grammar can be checked.
            problems.extend(grammar::of_rules(sources, owners));
            return Err(sorted(problems));
        };
        let world = World {
            owners,
            ..world(&catalog, &purposes, &directory)
        };
        let before = before.map(|before| &before.rulebook.policy);
        let policy = match Policy::parse_after(before, &sources.schema, &sources.rules, &world) {
            Ok((policy, warnings)) => {
                problems.extend(warnings);
                Some(policy)
            }
            Err(found) => {
                problems.extend(found);
                None
            }
        };
        problems.extend(check_purposes(sources, &purposes, &catalog, &directory));
        if let Some(policy) = &policy {
            problems.extend(check_enum(sources, &purposes, policy));
            problems.extend(check_opened(sources, &purposes, policy));
            problems.extend(check_activities(sources, &catalog, policy));
        }
        let is_error = |problem: &Problem| problem.severity == Severity::Error;
        let Some(policy) = policy.filter(|_| !problems.iter().any(is_error)) else {
            return Err(sorted(problems));
        };
        let purposes = purposes.spelt_out(|category| within(&catalog, category));
        let rulebook = Self {
            policy,
            catalog: Arc::new(catalog),
            purposes: Arc::new(purposes),
            id: digest_of(sources),
        };
        Ok(Assembled {
            rulebook,
            directory,
            warnings: sorted(problems),
        })
    }
}

impl Sources {
    /// Who answers for files and folders.
    pub fn owners(&self) -> Result<Owners, Vec<Problem>> {
        let names: Vec<&str> = self.files().map(|file| file.name.as_str()).collect();
        let parsed = self.owners.as_ref().map(|file| Owners::parse(file, &names));
        parsed.unwrap_or_else(|| Ok(Owners::default()))
    }
}

impl Assembled {
    /// What this puts in force in a gateway of this mode.
    pub fn in_mode(self, mode: Mode) -> InForce {
        InForce {
            rulebook: self.rulebook.in_mode(mode),
            directory: self.directory,
        }
    }

    /// Warns of rules that surely say nothing beside the others.
    pub fn overlaps(&self) -> Vec<Problem> {
        self.rulebook.policy.overlaps(&self.world())
    }

    /// Warns of permits that name a purpose whose terms cover nothing of what they permit.
    pub fn unused_purposes(&self) -> Vec<Problem> {
        let purposes = &self.rulebook.purposes;
        let uncovered = |purpose: &PurposeId, groups: &BTreeSet<String>| match purposes.get(purpose) {
            Some(purpose) => {
                let asked = groups.iter().filter(|group| GROUPS.contains(&group.as_str()));
                asked
                    .filter(|group| !purpose.covers.contains(*group))
                    .cloned()
                    .collect()
            }
            None => BTreeSet::new(),
        };
        self.rulebook.policy.unused_purposes(uncovered)
    }

    /// Warns of hosts in rules that no platform has, and that are written almost like one that some platform does have; and
    /// of people and courses in rules that are nowhere else.
    pub fn slips(&self, sources: &Sources) -> Vec<Problem> {
        let mut slips = check_hosts(sources, &self.rulebook.catalog, &self.rulebook.policy);
        slips.extend(strangers::people(self, sources));
        slips.extend(strangers::courses(self, sources));
        slips
    }

    /// What rules may name.
    pub(super) fn world(&self) -> World {
        world(&self.rulebook.catalog, &self.rulebook.purposes, &self.directory)
    }
}

fn kept<T>(parsed: Result<T, Vec<Problem>>, problems: &mut Vec<Problem>) -> Option<T> {
    parsed.map_err(|found| problems.extend(found)).ok()
}

fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|a, b| (a.severity, &a.file, a.span).cmp(&(b.severity, &b.file, b.span)));
    problems
}

fn world(catalog: &Catalog, purposes: &Purposes, directory: &Directory) -> World {
    let tree = catalog.categories();
    let platform = |platform: &crate::catalog::Platform| PlatformFacts {
        id: platform.id.clone(),
        categories: tree.closure(&platform.category),
    };
    let parents = |id: &Category| {
        let mut above = tree.closure(id);
        above.remove(id);
        (id.clone(), above)
    };
    World {
        platforms: catalog.platforms().map(platform).collect(),
        categories: tree.ids().map(parents).collect(),
        purposes: purposes.iter().map(|purpose| purpose.id.clone()).collect(),
        roles: directory.roles().clone(),
        departments: directory.departments().clone(),
        owners: Some(Owners::default()),
    }
}

/// The platforms of a category and of all categories in it.
fn within(catalog: &Catalog, category: &Category) -> BTreeSet<PlatformId> {
    let inside =
        |platform: &&crate::catalog::Platform| catalog.categories().closure(&platform.category).contains(category);
    catalog
        .platforms()
        .filter(inside)
        .map(|platform| platform.id.clone())
        .collect()
}

/// What `purposes.toml` says of catalogue and directory.
fn check_purposes(sources: &Sources, purposes: &Purposes, catalog: &Catalog, directory: &Directory) -> Vec<Problem> {
    let platforms: Vec<&str> = catalog.platforms().map(|platform| platform.id.as_str()).collect();
    let categories: Vec<&str> = catalog.categories().ids().map(Category::as_str).collect();
    let roles: Vec<&str> = directory.roles().iter().map(String::as_str).collect();
    let departments: Vec<&str> = directory.departments().iter().map(String::as_str).collect();
    let people: Vec<&str> = directory.people().map(|person| person.id.as_str()).collect();
    let shelves = [
        ("platforms", "platform of the catalogue", &platforms),
        ("categories", "category of the catalogue", &categories),
        ("roles", "role of the directory", &roles),
        ("departments", "department of the directory", &departments),
        ("owner", "person of the directory", &people),
    ];
    let mut problems = Vec::new();
    for purpose in purposes.iter() {
        for (key, kind, known) in &shelves {
            let words = purpose
                .spans
                .iter()
                .filter(|((of, word), _)| of == key && !known.contains(&word.as_str()));
            for ((_, word), span) in words {
                problems.push(stranger(&sources.purposes, word, *span, kind, known));
            }
        }
    }
    problems
}

/// So many letters may differ for a host to be taken for another that was meant: among short names many are alike that
/// have nothing to do with each other.
fn slips(host: &str) -> usize {
    match host.len() {
        ..=7 => 0,
        8..=10 => 1,
        _ => 2,
    }
}

fn check_hosts(sources: &Sources, catalog: &Catalog, policy: &Policy) -> Vec<Problem> {
    let known = catalog.domains();
    let meant = |id: &str| {
        if catalog.place(&Host::parse(id).ok()?).platform.is_some() {
            return None;
        }
        let (www, bare) = id.strip_prefix("www.").map_or(("", id), |bare| ("www.", bare));
        let names = known.iter().map(Host::as_str);
        let alike = names.filter(|name| name.len().abs_diff(bare.len()) <= slips(bare));
        let near = alike.map(|name| (strsim::levenshtein(bare, name), name));
        let (distance, name) = near.min()?;
        (distance <= slips(bare)).then(|| format!("{www}{name}"))
    };
    let named = policy.named().iter().filter(|named| named.kind == NamedKind::Site);
    let slips = named.filter_map(|named| {
        let (meant, file) = (meant(&named.id)?, sources.file(&named.file)?);
        let message = format!(
            "rule `{}` names the host `{}`, which is on no platform",
            named.rule, named.id
        );
        let problem = Problem::error("wayleave::policy::unknown-host", file, named.span, message);
        Some(problem.as_warning().with_help(format!("did you mean `{meant}`?")))
    });
    slips.collect()
}

fn stranger(file: &SourceText, word: &str, span: (usize, usize), kind: &str, known: &[&str]) -> Problem {
    let help = match did_you_mean(word, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("name a {kind}"),
    };
    let message = format!("`{word}` is not a {kind}");
    Problem::error("wayleave::purposes::unknown-name", file, span, message).with_help(help)
}

/// The schema's list of purposes and `purposes.toml` must be the same.
fn check_enum(sources: &Sources, purposes: &Purposes, policy: &Policy) -> Vec<Problem> {
    let listed = policy.vocabulary().purposes();
    let described: BTreeSet<&PurposeId> = purposes.iter().map(|purpose| &purpose.id).collect();
    let mut problems = Vec::new();
    for purpose in purposes.iter().filter(|purpose| !listed.contains(&purpose.id)) {
        problems.push(unlisted(&sources.purposes, purpose, listed));
    }
    for id in listed.iter().filter(|id| !described.contains(id)) {
        let quoted = format!("\"{id}\"");
        let at = sources.schema.text.find(&quoted).unwrap_or(0);
        let message = format!("the purpose `{id}` has no terms");
        let problem = Problem::error(
            "wayleave::purposes::no-terms",
            &sources.schema,
            (at, quoted.len()),
            message,
        );
        problems.push(problem.with_help("describe it in `purposes.toml`, or remove it from the list"));
    }
    problems
}

fn unlisted(file: &SourceText, purpose: &Purpose, listed: &BTreeSet<PurposeId>) -> Problem {
    let id = purpose.id.as_str();
    let span = place_of(purpose);
    let help = match did_you_mean(id, listed.iter().map(PurposeId::as_str)) {
        Some(near) => format!("did you mean `{near}`? otherwise add it to `PurposeKind` in the schema"),
        None => "add it to `PurposeKind` in the schema".to_owned(),
    };
    let message = format!("the schema does not list the purpose `{id}`");
    Problem::error("wayleave::purposes::not-listed", file, span, message).with_help(help)
}

/// A purpose that opens nothing is declared in vain.
fn check_opened(sources: &Sources, purposes: &Purposes, policy: &Policy) -> Vec<Problem> {
    let listed = policy.vocabulary().purposes();
    let idle = purposes
        .iter()
        .filter(|purpose| listed.contains(&purpose.id) && !policy.opens(&purpose.id));
    idle.map(|purpose| {
        let message = format!("no rule opens anything for the purpose `{}`", purpose.id);
        let span = place_of(purpose);
        let problem = Problem::error("wayleave::purposes::opens-nothing", &sources.purposes, span, message);
        let help = "write a rule that names it in `rules/`; until then nobody can declare it";
        problem.as_warning().with_help(help)
    })
    .collect()
}

fn place_of(purpose: &Purpose) -> (usize, usize) {
    let id = purpose.id.as_str();
    purpose
        .spans
        .get(&("id".to_owned(), id.to_owned()))
        .copied()
        .unwrap_or((0, 0))
}

/// What requests are recognised as must be actions of the schema; the reverse is worth a look.
fn check_activities(sources: &Sources, catalog: &Catalog, policy: &Policy) -> Vec<Problem> {
    let declared = policy.vocabulary().activities();
    let known = catalog.activities();
    let mut problems = Vec::new();
    for activity in known.filter(|one| !declared.contains_key(one)) {
        let help = match did_you_mean(activity.as_str(), declared.keys().map(Activity::as_str)) {
            Some(_) | None if Vocabulary::is_apart(activity.as_str()) => {
                "give it another name: this is what the gateway asks of a flow or a grant, and not what a request does"
                    .to_owned()
            }
            Some(near) => format!("did you mean `{near}`? otherwise declare the action in the schema"),
            None => "declare the action in the schema".to_owned(),
        };
        let quoted = format!("\"{activity}\"");
        let found = sources
            .catalog
            .iter()
            .find_map(|file| Some((file, file.text.find(&quoted)?)));
        let code = "wayleave::catalog::activity-not-declared";
        let message = format!("requests are recognised as `{activity}`, which the schema does not declare");
        let problem = match found {
            Some((file, at)) => Problem::error(code, file, (at, quoted.len()), message),
            None => Problem::of_file(code, "catalog/activities.toml", message),
        };
        problems.push(problem.with_help(help));
    }
    let recognised = catalog.recognised();
    for activity in declared
        .keys()
        .filter(|one| !recognised.contains(one) && !COMPUTED.contains(&one.as_str()))
    {
        let code = "wayleave::catalog::activity-never-recognised";
        let message = format!("no platform has a request that is recognised as `{activity}`");
        let problem = match place_of_action(&sources.schema.text, activity.as_str()) {
            Some(span) => Problem::error(code, &sources.schema, span, message),
            None => Problem::of_file(code, &sources.schema.name, message),
        };
        let help = "add a signature to the platforms that have it, or remove the action";
        problems.push(problem.as_warning().with_help(help));
    }
    problems
}

/// Activities that requests are read as without a signature, and `realtime`, which rules name ahead of the signatures.
const COMPUTED: [&str; 6] = [
    "browse",
    "view-media",
    "embed",
    "telemetry",
    "unknown-write",
    "realtime",
];

/// Where the schema declares an action.
fn place_of_action(schema: &str, name: &str) -> Option<(usize, usize)> {
    let mut start = 0;
    for line in schema.split_inclusive('\n') {
        let code = line.split("//").next().unwrap_or(line);
        let words = code.split(|c: char| !c.is_alphanumeric() && !matches!(c, '-' | '_'));
        let mut place = 0;
        for word in words.filter(|_| code.starts_with("action ")) {
            if word == name {
                return Some((start + place, name.len()));
            }
            place += word.len() + 1;
        }
        start += line.len();
    }
    None
}

/// SHA-256 over names and exact texts, each with its length before it, so that no two folders read the same.
fn digest_of(sources: &Sources) -> RulebookId {
    let one = [&sources.schema, &sources.purposes].into_iter();
    let mut files: Vec<&SourceText> = one.chain(&sources.rules).chain(&sources.catalog).collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    let mut hash = digest::Context::new(&digest::SHA256);
    for text in files.iter().flat_map(|file| [file.name.as_str(), &*file.text]) {
        hash.update(&text.len().to_be_bytes());
        hash.update(text.as_bytes());
    }
    RulebookId::new(format!("sha256:{}", hex(hash.finish().as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_is_read_as_what_the_gateway_asks_before_there_is_one() {
        for name in ["connect", "inspect", "archive", "revoke"] {
            let mut sources = Sources::embedded();
            let listed = format!("[[activity]]\nid = \"{name}\"\nrank = 35\nkind = \"write\"\ntitle = \"X\"\n\n");
            for file in &mut sources.catalog {
                let text = match file.name.as_str() {
                    "catalog/activities.toml" => format!("{listed}{}", file.text),
                    "catalog/gab.toml" => file.text.replacen("\"post\"", &format!("\"{name}\""), 1),
                    _ => continue,
                };
                file.text = text.into();
            }
            let problems = Rulebook::assemble(&sources).err().unwrap_or_default();
            let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
            let [only] = &told[..] else { panic!("{name} {told:#?}") };
            assert!(
                only.starts_with("catalog/activities.toml:2:") && only.contains(&format!("recognised as `{name}`")),
                "{only}"
            );
        }
    }

    /// What the activities of the catalogue come to with other texts of it.
    fn activities(sources: &Sources) -> Vec<String> {
        let found = match Rulebook::assemble(sources) {
            Ok(assembled) => assembled.warnings,
            Err(problems) => problems,
        };
        found.iter().map(ToString::to_string).collect()
    }

    fn edited(sources: &mut Sources, file: &str, from: &str, to: &str) {
        let file = sources.catalog.iter_mut().find(|one| one.name == file).unwrap();
        assert!(file.text.contains(from), "{from}");
        file.text = file.text.replace(from, to).into();
    }

    #[test]
    fn an_activity_that_no_signature_has_is_told_also_where_a_comment_names_it() {
        let mut sources = Sources::embedded();
        assert_eq!(activities(&sources), [""; 0]);
        edited(
            &mut sources,
            "catalog/facebook.toml",
            "activity = \"sell\"",
            "activity = \"post\"\n# activity = \"sell\"",
        );
        let told = activities(&sources);
        let [told] = &told[..] else { panic!("{told:?}") };
        assert!(told.starts_with("wayleave.cedarschema:"), "{told}");
        assert!(
            told.contains("no platform has a request that is recognised as `sell`"),
            "{told}"
        );
    }

    #[test]
    fn an_activity_that_the_schema_lacks_is_told_where_the_catalogue_has_it() {
        let mut sources = Sources::embedded();
        edited(&mut sources, "catalog/activities.toml", "id = \"sell\"", "id = \"sel\"");
        edited(
            &mut sources,
            "catalog/facebook.toml",
            "activity = \"sell\"",
            "activity = \"sel\"",
        );
        let told = activities(&sources);
        let said = "requests are recognised as `sel`, which the schema does not declare (did you mean `sell`?";
        assert!(
            told.iter()
                .any(|one| one.starts_with("catalog/activities.toml:142:") && one.contains(said)),
            "{told:?}"
        );
    }

    #[test]
    fn a_short_host_is_no_slip_of_another_and_a_long_one_is() {
        let mut sources = Sources::embedded();
        let hosts = [
            "ft.com",
            "bbc.com",
            "sap.com",
            "www.sap.com",
            "redit.com",
            "www.redit.com",
            "twiter.com",
            "www.linkdin.com",
        ];
        let rules = hosts.iter().enumerate().map(|(number, host)| {
            format!("@id(\"h{number}\") @reason(\"R.\") @owner(\"IT\")\nforbid (principal, action == Action::\"connect\", resource == Site::\"{host}\");\n")
        });
        sources
            .rules
            .push(SourceText::new("rules/99-test.cedar", rules.collect::<String>()));
        let told = Rulebook::assemble(&sources).unwrap().slips(&sources);
        let meant: Vec<&str> = told.iter().filter_map(|one| one.help.as_deref()).collect();
        assert_eq!(
            meant,
            ["reddit.com", "www.reddit.com", "twitter.com", "www.linkedin.com"]
                .map(|host| format!("did you mean `{host}`?"))
        );
    }
}
