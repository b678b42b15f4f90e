//! Whom and what rules name that is nowhere else. The gateway takes such rules, since people come and go and courses are
//! passed without them; whoever writes them should know.

use std::collections::BTreeSet;

use super::{Assembled, Rulebook, Sources};
use crate::facts::{Host, Problem, did_you_mean};
use crate::policy::NamedKind;

/// Warns of people in rules who are not in the directory.
pub(super) fn people(assembled: &Assembled, sources: &Sources) -> Vec<Problem> {
    let known: BTreeSet<&str> = assembled.directory.people().map(|person| person.id.as_str()).collect();
    let named = assembled.rulebook.policy.named().iter();
    let strangers = named.filter(|named| named.kind == NamedKind::Person && !known.contains(named.id.as_str()));
    let told = strangers.filter_map(|named| {
        let help = match did_you_mean(&named.id, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "people are listed in `people/`".to_owned(),
        };
        let message = format!(
            "rule `{}` names the person `{}`, whom the directory does not know",
            named.rule, named.id
        );
        let file = sources.file(&named.file)?;
        let problem = Problem::error("wayleave::policy::unknown-person", file, named.span, message);
        Some(problem.as_warning().with_help(help))
    });
    told.collect()
}

/// Warns of courses that rules ask for, and that nobody has passed and no purpose asks for.
pub(super) fn courses(assembled: &Assembled, sources: &Sources) -> Vec<Problem> {
    let Assembled {
        rulebook, directory, ..
    } = assembled;
    let passed = directory.people().flat_map(|person| person.training.keys());
    let asked_for = rulebook.purposes.iter().filter_map(|purpose| purpose.training.as_ref());
    let known: BTreeSet<&str> = passed.chain(asked_for).map(String::as_str).collect();
    let unknown = rulebook
        .policy
        .courses_of_rules()
        .filter(|(_, course)| !known.contains(course));
    let told = unknown.filter_map(|(rule, course)| {
        let help = match did_you_mean(course, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "name one that people have in `people/`, or that a purpose asks for".to_owned(),
        };
        let quoted = format!("{course:?}");
        let at = rule.text.find(&quoted)?;
        let message = format!(
            "rule `{}` asks for the training `{course}`, which nobody has and no purpose asks for",
            rule.id
        );
        let file = sources.file(&rule.file)?;
        let span = (rule.span.0 + at, quoted.len());
        let problem = Problem::error("wayleave::policy::unknown-training", file, span, message);
        Some(problem.as_warning().with_help(help))
    });
    told.collect()
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

/// Warns of hosts that no platform has, and that are written almost like one that some platform does have.
pub(super) fn hosts(assembled: &Assembled, sources: &Sources) -> Vec<Problem> {
    let Rulebook { catalog, policy, .. } = &assembled.rulebook;
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

/// Warns of hosts that signatures name and that are on no platform: what is recognised there is judged by the rules for
/// hosts that nobody lists.
pub(super) fn signatures(assembled: &Assembled, sources: &Sources) -> Vec<Problem> {
    let unplaced = assembled.rulebook.catalog.unplaced().into_iter();
    let told = unplaced.filter_map(|(platform, host)| {
        let file = sources.file(&format!("catalog/{}.toml", platform.as_str()))?;
        let quoted = format!("{host:?}");
        let span = (file.text.find(&quoted).unwrap_or_default(), quoted.len());
        let message = format!("signatures of `{platform}` name the host `{host}`, which is on no platform: rules about `{platform}` do not hold there");
        let problem = Problem::error("wayleave::catalog::unplaced-host", file, span, message);
        let help = "add it to `domains`, with `paths` where others share it, or write `hosts = [\"**\"]` for the hosts that are listed";
        Some(problem.as_warning().with_help(help))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::SourceText;

    #[test]
    fn a_signature_for_a_host_that_is_on_no_platform_is_warned_of() {
        let mut sources = Sources::embedded();
        let file = r#"id = "one"
name = "One"
category = "social"
control = "request"
domains = [
  { host = "one.example", match = "suffix", roles = ["site"] },
  { host = "shared.example", match = "exact", paths = ["/one/**"], roles = ["api"] },
]

[[signature]]
id = "one.post"
activity = "post"
methods = ["POST"]
hosts = ["api.one.example", "shared.example", "*.other.example", "**"]
path = "/one/posts"
confidence = "high"
year = 2026
"#;
        sources.catalog.push(SourceText::new("catalog/one.toml", file));
        let told = Rulebook::assemble(&sources).unwrap().slips(&sources);
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "catalog/one.toml:14:47: signatures of `one` name the host `*.other.example`, which is on no platform: rules \
                 about `one` do not hold there (add it to `domains`, with `paths` where others share it, or write `hosts = \
                 [\"**\"]` for the hosts that are listed)"
            ]
        );
        let shipped = Sources::embedded();
        let told = Rulebook::assemble(&shipped).unwrap().slips(&shipped);
        assert!(told.is_empty(), "{told:?}");
    }

    #[test]
    fn whoever_and_whatever_is_nowhere_else_is_warned_of_with_what_was_meant() {
        let mut sources = Sources::embedded();
        let rules = "@id(\"a\") @reason(\"R.\") @owner(\"IT\")\n\
                     permit (principal == User::\"adda\", action == Action::\"connect\", resource);\n\
                     @id(\"b\") @reason(\"R.\") @owner(\"IT\")\n\
                     permit (principal == User::\"ada\", action == Action::\"connect\", resource)\n\
                     when { principal.hasTag(\"socal-media\") && principal.hasTag(\"social-media\") };\n\
                     @id(\"c\") @reason(\"socal-media\") @owner(\"IT\")\n\
                     permit (principal == User::\"ada\", action == Action::\"connect\", resource);\n";
        sources.rules.push(SourceText::new("rules/99-test.cedar", rules));
        let told = Rulebook::assemble(&sources).unwrap().slips(&sources);
        let told: Vec<String> = told.iter().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "rules/99-test.cedar:2:22: rule `a` names the person `adda`, whom the directory does not know (did you mean \
                 `ada`?)",
                "rules/99-test.cedar:5:25: rule `b` asks for the training `socal-media`, which nobody has and no purpose \
                 asks for (did you mean `social-media`?)",
            ]
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
