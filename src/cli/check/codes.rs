//! What each kind of finding is about, for those who meet its code without the sentence that goes with it.

/// What a code stands for.
pub(super) struct About {
    /// What is wrong.
    pub(super) what: &'static str,
    /// How to fix it.
    pub(super) fix: &'static str,
}

/// Codes, by their parts after `wayleave::`. The first row whose words a code begins or ends with is about it.
const TABLE: &[(&str, &str, &str)] = &[
    (
        "policy::syntax",
        "A file of rules is not Cedar",
        "Write it as https://docs.cedarpolicy.com/policies/syntax-policy.html says.",
    ),
    (
        "policy::invalid",
        "A rule does not fit the schema",
        "Name attributes, actions and types as `wayleave.cedarschema` does.",
    ),
    (
        "policy::suspicious",
        "A rule can never apply, or does not say what it seems to",
        "Remove it, or the condition that contradicts the others.",
    ),
    (
        "policy::dead-action",
        "A rule lists an action that it can never apply to",
        "Remove the action from the list, or the condition that excludes it.",
    ),
    (
        "policy::too-deep",
        "A condition is nested deeper than Cedar follows",
        "Write a long `||` of names as `[\"…\"].contains(resource.host)`, or as several rules.",
    ),
    (
        "policy::never",
        "A rule can never have an effect",
        "Remove it, or what stands in its way. Conditions that contradict each other by numbers or texts take a solver: `wayleave prove` finds them.",
    ),
    (
        "policy::unread",
        "A rule speaks of what is done where the gateway never reads",
        "Permit `inspect` there, or let the rule speak of `connect`.",
    ),
    (
        "policy::not-covered",
        "A purpose covers nothing of what a rule permits under it",
        "Add the group to its `covers` in `purposes.toml`, or leave the purpose out of the rule.",
    ),
    (
        "policy::redundant",
        "A rule says what another one says already",
        "Remove one of the two.",
    ),
    (
        "policy::unreached",
        "No case reaches a rule",
        "Describe a request that it decides in `cases/`.",
    ),
    (
        "policy::no-id",
        "A rule has no name",
        "Write `@id(\"area.what\")` above it.",
    ),
    (
        "policy::bad-id",
        "A rule has no usable name",
        "Use up to 100 letters, digits, `.`, `-` and `_`.",
    ),
    (
        "policy::duplicate-id",
        "Two rules have the same name",
        "Give each a name of its own.",
    ),
    (
        "policy::no-reason",
        "A rule has no reason",
        "Write `@reason(\"…\")`: the sentence that people read when it decides.",
    ),
    (
        "policy::translation",
        "What people read of a rule says nothing in one of the languages",
        "Write it, or remove the annotation: then the first language is read.",
    ),
    (
        "policy::no-owner",
        "Nobody answers for a rule",
        "Write `@owner(\"…\")`, or name an owner of its folder in `owners.toml`.",
    ),
    (
        "policy::expires",
        "A rule ends at no moment that can be told, or must not end",
        "Write a date such as `2027-01-31`, on permits only.",
    ),
    (
        "policy::expired",
        "A rule has expired, or soon will",
        "Remove it, or renew its `@expires` with its owner.",
    ),
    (
        "policy::mode",
        "A rule has a mode that it cannot have",
        "Write `@mode(\"observe\")`, `@mode(\"coach\")` or `@mode(\"enforce\")`; rules about purposes have no other than the last, and rules about reading cannot coach.",
    ),
    (
        "policy::annotation",
        "An annotation means nothing",
        "Spell it as `policies/README.md` does, or remove it.",
    ),
    (
        "policy::archive",
        "A rule promises what nothing provides",
        "Remove it until there is an archive.",
    ),
    (
        "policy::out-of-sight",
        "A rule looks at what is not known when it is asked",
        "Ask only for the principal, the resource and the context.",
    ),
    (
        "policy::layout",
        "Rules cannot be laid out",
        "Move the comments of its rules to lines of their own.",
    ),
    (
        "policy::template",
        "A rule has a slot that nothing fills",
        "Name who or what is meant.",
    ),
    (
        "policy::unknown-person",
        "A rule names somebody whom the directory does not know",
        "Spell the name as `people/` does, or remove the rule of somebody who has left.",
    ),
    (
        "policy::unknown-training",
        "A rule asks for a training that nobody has and no purpose asks for",
        "Spell it as `people/` and `purposes.toml` do.",
    ),
    (
        "policy::unknown-",
        "A rule names what does not exist",
        "Spell the name as it is listed, or add it there.",
    ),
    (
        "catalog::circle",
        "A category is part of itself",
        "Take away one `parent` of those that form the circle.",
    ),
    (
        "catalog::too-deep",
        "Categories are nested too deeply",
        "Leave out levels that no rule names.",
    ),
    (
        "people::too-deep",
        "Roles or departments are nested too deeply",
        "Leave out levels that no rule names.",
    ),
    (
        "schema::too-deep",
        "Types of the schema refer to each other too deeply",
        "Write a type out where it is used.",
    ),
    (
        "schema::",
        "The schema is not what the gateway needs",
        "Compare it with the shipped `wayleave.cedarschema`.",
    ),
    (
        "sources::",
        "The folder is not what rules are made of",
        "Compare it with the shipped folder.",
    ),
    (
        "cases::failed",
        "A case comes out otherwise than it says",
        "Change the rules or the case, then run `wayleave test`.",
    ),
    (
        "catalog::activity-never-recognised",
        "No request is ever recognised as an activity",
        "Add a signature to the platforms that have it, or remove the activity.",
    ),
    (
        "catalog::activity-not-declared",
        "Requests are recognised as something that rules cannot name",
        "Declare the action in the schema.",
    ),
    (
        "purposes::opens-nothing",
        "A purpose opens nothing",
        "Write a rule that names it; until then nobody can declare it.",
    ),
    (
        "purposes::past-review",
        "A purpose is past its review",
        "Let its owner look at it again, and write the day of the next `review` in `purposes.toml`.",
    ),
    (
        "purposes::no-terms",
        "A purpose has no terms",
        "Describe it in `purposes.toml`, or remove it from the schema.",
    ),
    (
        "purposes::not-listed",
        "The schema does not list a purpose",
        "Add it to `PurposeKind` in the schema.",
    ),
    (
        "::syntax",
        "A file is not TOML",
        "Write it as https://toml.io/en/v1.0.0 says.",
    ),
    (
        "::unknown-key",
        "A key is not known",
        "Spell it as `wayleave schema` lists it.",
    ),
    ("::missing-key", "A key is missing", "Add it."),
    (
        "::empty-text",
        "A text that people read is empty",
        "Write it, in each language that is named.",
    ),
    (
        "::wrong-type",
        "A value is of another kind than its key",
        "Write it as `wayleave schema` says.",
    ),
    ("catalog::", "The catalogue has a mistake", "See `catalog/README.md`."),
    (
        "purposes::",
        "The purposes have a mistake",
        "The head of `purposes.toml` explains each key.",
    ),
    (
        "people::",
        "The directory has a mistake",
        "Name roles, departments and people as `people/` lists them.",
    ),
    (
        "owners::alike",
        "Two owners are written almost alike",
        "Spell the one who is meant in the same way everywhere.",
    ),
    (
        "owners::",
        "The list of owners has a mistake",
        "Name files and folders of the policies, each with its owner.",
    ),
    (
        "properties::",
        "A property cannot be read",
        "Write it as `policies/README.md` shows.",
    ),
    (
        "cases::",
        "A case cannot be read",
        "Write it as `policies/README.md` shows.",
    ),
];

/// What `code` is about.
pub(super) fn about(code: &str) -> About {
    let parts = code.strip_prefix("wayleave::").unwrap_or(code);
    let row = TABLE
        .iter()
        .find(|(words, ..)| parts.starts_with(words) || parts.ends_with(words));
    let (_, what, fix) = row.copied().unwrap_or(("", "Something is wrong", "See the message."));
    About { what, fix }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test reads the sources")]
mod tests {
    use super::*;

    fn codes(folder: &std::path::Path, found: &mut Vec<String>) {
        let code = regex::Regex::new(
            r#""wayleave::((?:policy|catalog|purposes|people|cases|properties|owners|schema|sources)::[a-z-]+)""#,
        )
        .unwrap();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                codes(&path, found);
            } else {
                let text = std::fs::read_to_string(path).unwrap();
                found.extend(code.captures_iter(&text).map(|one| one[1].to_owned()));
            }
        }
    }

    #[test]
    fn every_code_of_the_sources_has_a_row_and_every_row_of_rules_a_code() {
        let mut found = Vec::new();
        codes(
            &std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
            &mut found,
        );
        assert!(found.len() > 30, "{found:?}");
        for code in &found {
            assert_ne!(about(&format!("wayleave::{code}")).what, "Something is wrong", "{code}");
        }
        for (words, ..) in TABLE.iter().filter(|(words, ..)| words.starts_with("policy::")) {
            let used = words.ends_with('-') || found.iter().any(|code| code == words);
            assert!(used, "nothing is told as `{words}`");
        }
    }
}
