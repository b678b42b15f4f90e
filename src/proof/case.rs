//! A counterexample as files of a `policies/` folder: a case, and a person whom it is about.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Told;
use super::unread::UNREAD;
use super::words::{BEHALF, THE_DECLARER, full_name};
use crate::facts::{Host, Place, SubjectId};
use crate::rulebook::Assembled;

/// The person of a case that nobody of the directory fits.
const SOMEBODY: &str = "somebody";
/// Where everybody of a case sits.
const CLIENT: &str = "127.0.0.1";

/// What to put into a folder of policies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFiles {
    /// For `people/`, where the case is about nobody of the directory.
    pub person: Option<String>,
    /// For `cases/`.
    pub case: String,
}

/// How much a case asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// A request as it comes, with all that it takes to let it pass.
    Whole,
    /// The action of the example, as if all else were permitted.
    Alone,
}

impl CaseFiles {
    /// The case called `it` that shows the gateway what an example shows, and wants it allowed or refused; or why there is
    /// none. Of facts that have a usual value it says those among `said`.
    pub fn of(
        told: &Told,
        it: &str,
        allowed: bool,
        asking: Asking,
        said: &BTreeSet<String>,
        assembled: &Assembled,
    ) -> Result<Self, &'static str> {
        let said = Said { told, names: said };
        let mut case = format!("[[case]]\nit = {}\n", toml::Value::from(it));
        let (who, person) = who(&said, assembled)?;
        let _ = writeln!(case, "who = \"{who}\"");
        if told.action == "make-token" {
            case.push_str("may = \"make-token\"\n");
            if let Some(length) = told.fact("lasts").and_then(span) {
                let _ = writeln!(case, "for = \"{length}\"");
            }
            channel(told, &mut case);
        } else if told.action == "see-decisions" {
            // of whomever: what is proved of their person, no case says
            case.push_str("may = \"see-decisions\"\n");
            channel(told, &mut case);
        } else if let Some(kind) = told.fact("resource.kind") {
            let _ = writeln!(case, "may = \"{}\"\npurpose = \"{kind}\"", told.action);
            if told.fact("resource.declarer") != Some("themselves") {
                case.push_str("declarer = \"somebody-else\"\n");
            }
            if let Some(whom) = told.fact(BEHALF) {
                let whom = match whom {
                    "themselves" => who.as_str(),
                    THE_DECLARER => "somebody-else",
                    _ => "another",
                };
                let _ = writeln!(case, "on-behalf-of = \"{whom}\"");
            }
            if let Some(hours) = told.fact("resource.maxDuration").and_then(span) {
                let _ = writeln!(case, "for = \"{hours}\"");
            }
            channel(told, &mut case);
        } else {
            let host = host(told, assembled).ok_or("the catalogue has no such host")?;
            flow(&said, asking, &host, &mut case, assembled);
        }
        let network = told.fact("client.network").unwrap_or_default();
        let _ = writeln!(case, "network = \"{network}\"\nat = {}", told.at());
        let proof = told
            .fact("proof.method")
            .filter(|proof| ["certificate", "token"].contains(proof));
        if let Some(proof) = proof {
            let _ = writeln!(case, "proof = \"{proof}\"");
        }
        outcome(told, asking, allowed, &mut case);
        Ok(Self { person, case })
    }
}

/// Who asks, and they as a person where the directory has nobody such.
fn who(said: &Said<'_>, assembled: &Assembled) -> Result<(String, Option<String>), &'static str> {
    let told = said.told;
    let by_owner = told.fact("resource.businessOwner") == Some("themselves");
    if let Some(kind) = told.fact("resource.kind").filter(|_| by_owner) {
        let owner = owner(kind, assembled).ok_or("nobody owns such a purpose")?;
        return Ok((owner.to_string(), None));
    }
    // whom rules know by name is as the directory has them
    if let Some(id) = &told.who {
        return Ok((id.to_string(), None));
    }
    let person = person(said, assembled).ok_or("the directory has no such department")?;
    Ok((SOMEBODY.to_owned(), Some(person)))
}

/// What is to come of it.
fn outcome(told: &Told, asking: Asking, allowed: bool, case: &mut String) {
    let word = if allowed { "allow" } else { "refused" };
    let _ = match (told.action.as_str(), asking) {
        // wherever it passes, it is to be read
        (UNREAD, Asking::Whole) => writeln!(case, "outcome = \"allow\"\ninspect = true"),
        (UNREAD, Asking::Alone) => writeln!(case, "outcome = \"allow\""),
        ("inspect", Asking::Whole) => writeln!(case, "outcome = \"allow\"\ninspect = {allowed}"),
        _ => writeln!(case, "outcome = \"{word}\""),
    };
}

/// By which way it is asked, where that is said.
fn channel(told: &Told, case: &mut String) {
    if let Some(channel) = told.fact("channel").filter(|channel| !channel.is_empty()) {
        let _ = writeln!(case, "channel = \"{channel}\"");
    }
}

/// An example, and the names of the facts to be said of it though they have a usual value.
struct Said<'a> {
    told: &'a Told,
    names: &'a BTreeSet<String>,
}

impl<'a> Said<'a> {
    /// The fact called `key`, if it is to be said and says anything.
    fn fact(&self, key: &str) -> Option<&'a str> {
        let fact = self.told.fact(key).filter(|value| !value.is_empty());
        fact.filter(|_| self.names.contains(&full_name(key)))
    }
}

/// The facts among `read` that no case can say as they are, each with its value.
pub fn unsaid(told: &Told, read: &BTreeSet<String>) -> Vec<String> {
    let method = told.fact("proof.method").unwrap_or_default();
    let cannot = |key: &str, value: &str| match key {
        "client.ip" => value != CLIENT,
        "proof.method" => !["basic", "certificate", "token"].contains(&value),
        "proof.strong" => (value == "true") != (method == "certificate"),
        "request.path" => !value.starts_with('/'),
        "purpose.id" | "principal.timeZone" | "principal.manager" | "resource.serves" => true,
        _ => false,
    };
    let facts = told.facts.iter().filter(|(key, value)| cannot(key, value));
    let named = facts.map(|(key, value)| (full_name(key), value));
    named
        .filter(|(name, _)| read.contains(name))
        .map(|(name, value)| format!("`{name}` = {}", if value.is_empty() { "\"\"" } else { value }))
        .collect()
}

/// Hours and minutes as a length of time that `for` understands.
pub(super) fn span(clock: &str) -> Option<String> {
    let mut parts = clock.split(':').map(|part| part.split('.').next()?.parse::<u64>().ok());
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let days = hours / 24;
    let parts = [(days, "d"), (hours % 24, "h"), (minutes, "m")];
    let said: String = parts
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    Some(said).filter(|said| days < 3_660 && !said.is_empty())
}

fn owner<'a>(kind: &str, assembled: &'a Assembled) -> Option<&'a SubjectId> {
    let purposes = assembled.rulebook.purposes();
    let purpose = purposes.iter().find(|purpose| purpose.id.as_str() == kind)?;
    Some(&purpose.business_owner)
}

fn quoted<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words
        .map(|one| format!("\"{}\"", one.trim_matches('`')))
        .collect::<Vec<_>>()
        .join(", ")
}

fn person(said: &Said<'_>, assembled: &Assembled) -> Option<String> {
    let told = said.told;
    let directory = &assembled.directory;
    let roles = told.roles.intersection(directory.roles()).map(String::as_str);
    let departments = directory.departments_above();
    // the lowest of those that the solver chose; nobody is without one: one that is part of no other says least
    let lowest = |name: &&String| {
        let own = departments.get(*name);
        told.departments
            .iter()
            .all(|other| own.is_some_and(|own| own.contains(other)))
    };
    let mut chosen = told.departments.intersection(directory.departments());
    let top = || {
        departments
            .iter()
            .find(|(_, above)| above.len() == 1)
            .map(|(name, _)| name)
    };
    let department = if told.departments.is_empty() {
        top()?
    } else {
        chosen.find(lowest)?
    };
    let mut person = format!(
        "[[person]]\nid = \"{SOMEBODY}\"\nname = \"Somebody\"\nroles = [{}]\ndepartment = \"{department}\"\nemployment = \
         \"{}\"\nregion = {}\ntime-zone = \"UTC\"\n",
        quoted(roles),
        told.employment,
        toml::Value::from(said.fact("principal.region").unwrap_or("eu-west")),
    );
    if said.fact("principal.onLegalHold") == Some("true") {
        person.push_str("legal-hold = true\n");
    }
    let courses: Vec<String> = told
        .training
        .iter()
        .filter(|(course, _)| !course.is_empty())
        .map(|(course, until)| format!("{course} = {until}"))
        .collect();
    if !courses.is_empty() {
        let _ = writeln!(person, "training = {{ {} }}", courses.join(", "));
    }
    Some(person)
}

fn flow(said: &Said<'_>, asking: Asking, host: &Host, case: &mut String, assembled: &Assembled) {
    let (told, action) = (said.told, &said.told.action);
    let path = said.fact("request.path").filter(|path| path.starts_with('/'));
    let url = toml::Value::from(format!("https://{host}{}", path.unwrap_or("/")));
    let _ = match (asking, action.as_str()) {
        (Asking::Alone, UNREAD) => writeln!(case, "to = {url}\nasks = [\"inspect\"]"),
        (Asking::Alone, _) => writeln!(case, "to = {url}\nasks = [\"{action}\"]"),
        (Asking::Whole, "connect" | "inspect" | UNREAD) => writeln!(case, "to = \"{host}:443\""),
        (Asking::Whole, _) => writeln!(case, "to = {url}\ndoes = \"{action}\""),
    };
    request(said, case);
    let Some(kind) = told.fact("purpose.kind") else {
        return;
    };
    let words = |key: &str| {
        told.fact(key)
            .unwrap_or_default()
            .split(", ")
            .filter(|one| !one.is_empty())
    };
    let granted: BTreeSet<&str> = words("purpose.platforms").map(|one| one.trim_matches('`')).collect();
    let covers_own = told
        .platforms
        .iter()
        .any(|platform| granted.contains(platform.as_str()));
    let own = assembled.rulebook.catalog().place(host).platform.filter(|_| covers_own);
    let _ = writeln!(
        case,
        "purpose = \"{kind}\"\ncovers = [{}]\nplatforms = [{}]",
        quoted(words("purpose.covers")),
        quoted(own.iter().map(crate::facts::PlatformId::as_str)),
    );
    if let Some(who) = told.fact("purpose.approvedBy") {
        let who = if who == "themselves" { SOMEBODY } else { "somebody-else" };
        let _ = writeln!(case, "approved-by = \"{who}\"");
    }
    if told.fact("purpose.emergency") == Some("true") {
        case.push_str("emergency = true\n");
    }
    if let Some(ticket) = said.fact("purpose.ticket") {
        let _ = writeln!(case, "ticket = {}", toml::Value::from(ticket));
    }
    for (key, fact) in [("declared", "purpose.declaredAt"), ("expires", "purpose.expiresAt")] {
        if let Some(moment) = said.fact(fact) {
            let _ = writeln!(case, "{key} = {moment}");
        }
    }
}

/// What a request says of itself.
fn request(said: &Said<'_>, case: &mut String) {
    if let Some(method) = said.fact("request.method") {
        let _ = writeln!(case, "method = {}", toml::Value::from(method));
    }
    let fields = [
        ("Content-Type", "request.contentType"),
        ("Content-Length", "request.bytes"),
    ];
    let fields = fields.iter().filter_map(|(name, fact)| {
        let value = toml::Value::from(said.fact(fact)?);
        Some(format!("{name} = {value}"))
    });
    let fields: Vec<String> = fields.collect();
    if !fields.is_empty() {
        let _ = writeln!(case, "headers = {{ {} }}", fields.join(", "));
    }
}

/// A host of the catalogue that is in everything that the example's host is in.
fn host(told: &Told, assembled: &Assembled) -> Option<Host> {
    let catalog = assembled.rulebook.catalog();
    let said = told.fact("resource.host").filter(|host| host.contains('.'));
    let said = said.and_then(|host| Host::parse(host).ok());
    if told.fact("resource.classified")? == "false" {
        let is_outside = |host: &Host| {
            let place = catalog.place(host);
            place.platform.is_none() && place.categories.is_empty()
        };
        return said.filter(is_outside).or_else(|| Host::parse("host.example").ok());
    }
    let known = |id: &&String| catalog.platforms().any(|platform| platform.id.as_str() == id.as_str());
    let named: BTreeSet<&String> = told.platforms.iter().filter(known).collect();
    let fits = |host: &Host| {
        let place = catalog.place(host);
        let is = |name: &str| place.platform.as_ref().is_some_and(|own| own.as_str() == name);
        let within = |name: &String| place.categories.iter().any(|category| category.as_str() == name);
        let known = catalog.categories().ids();
        let mut wanted = known.filter(|id| told.categories.contains(id.as_str()));
        (named.is_empty() || named.iter().any(|name| is(name))) && wanted.all(|id| within(&id.as_str().to_owned()))
    };
    // one that is called like its platform is the best known
    let strange = |host: &Host| {
        let place = catalog.place(host);
        let called = place
            .platform
            .is_some_and(|own| host.to_string().contains(own.as_str()));
        (!called, host.to_string())
    };
    if let Some(host) = told.named_host().into_iter().chain(said).find(fits) {
        return Some(host);
    }
    if let Some(host) = catalog.domains().into_iter().filter(fits).min_by_key(strange) {
        return Some(host);
    }
    // else one that a category names: in no more than it must be, and listed under its own name
    let listed = catalog.places().into_iter().filter(|place| fits(&place.host));
    let rare = |place: &Place| {
        let host = place.host.to_string();
        (
            place.platform.is_some(),
            place.categories.len(),
            host.starts_with("0."),
            host,
        )
    };
    listed.min_by_key(rare).map(|place| place.host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_reads_back() {
        for (clock, length) in [("336:00", Some("14d")), ("25:30", Some("1d1h30m")), ("00:00", None)] {
            assert_eq!(span(clock).as_deref(), length, "{clock}");
        }
    }
}
