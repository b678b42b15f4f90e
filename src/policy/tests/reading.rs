//! Rules that are read after others are the rules that reading them alone gives: whatever changed is seen.

use super::*;
use crate::policy::Owners;

/// What a policy is read from.
#[derive(Clone)]
struct Texts {
    schema: SourceText,
    rules: Vec<SourceText>,
    world: World,
}

impl Texts {
    fn new() -> Self {
        let rule = |id: &str, role: &str, body: &str| {
            format!(
                "@id(\"{id}\") @reason(\"R.\")\npermit (principal in Role::\"{role}\", action, resource is Site) when {{ {body} }};\n"
            )
        };
        let files = [
            (
                "rules/a.cedar",
                rule("a", "recruiter", "resource.host == \"a.example\""),
            ),
            (
                "rules/b.cedar",
                format!(
                    "{}{}",
                    rule("b1", "staff", "context.client.network == \"office\""),
                    rule("b2", "legal", "context has purpose")
                ),
            ),
            ("rules/c.cedar", rule("c", "staff", "principal.region == \"eu-west\"")),
        ];
        Self {
            schema: schema(),
            rules: files.map(|(name, text)| SourceText::new(name, text)).into(),
            world: World {
                owners: Some(owners("rules = \"IT\"")),
                ..world()
            },
        }
    }

    fn after(&self, before: Option<&Policy>) -> Result<Policy, Vec<String>> {
        let read = Policy::parse_after(before, &self.schema, &self.rules, &self.world);
        read.map(|(policy, _)| policy).map_err(|unfit| {
            let mut told: Vec<String> = unfit.problems.iter().map(|one| format!("{} {one}", one.code)).collect();
            told.sort();
            told
        })
    }

    fn edit(&mut self, name: &str, from: &str, to: &str) {
        let file = self.rules.iter_mut().find(|file| file.name == name).unwrap();
        assert!(file.text.contains(from), "{from}");
        file.text = file.text.replace(from, to).into();
    }
}

fn owners(text: &str) -> Owners {
    let file = SourceText::new("owners.toml", format!("[owners]\n{text}\n"));
    Owners::parse(&file, &["rules/a.cedar", "rules/b.cedar", "rules/c.cedar"]).unwrap()
}

type Told<'a> = (Vec<&'a super::super::Rule>, &'a [super::super::Named], Vec<String>);

fn told(policy: &Policy) -> Told<'_> {
    let cedars = policy.engine.policies().iter().map(ToString::to_string);
    (policy.rules().collect(), policy.named(), cedars.collect())
}

/// One thing that changes, and the code of the problem that comes of it, if one does.
type Change = (&'static str, fn(&mut Texts), Option<&'static str>);

const CHANGES: [Change; 13] = [
    ("nothing", |_| {}, None),
    ("a text", |texts| texts.edit("rules/b.cedar", "office", "guest"), None),
    (
        "a text, for one that does not type",
        |texts| texts.edit("rules/c.cedar", "principal.region", "principal.regoin"),
        Some("wayleave::policy::invalid"),
    ),
    (
        "a text, for one that looks too far",
        |texts| {
            texts.edit(
                "rules/c.cedar",
                "principal.region",
                "principal has manager && principal.manager.region",
            );
        },
        Some("wayleave::policy::out-of-sight"),
    ),
    (
        "the line that a rule stands on",
        |texts| texts.edit("rules/b.cedar", "@id(\"b2\")", "\n\n@id(\"b2\")"),
        None,
    ),
    (
        "the name of a file",
        |texts| texts.rules[1].name = "rules/z.cedar".to_owned(),
        None,
    ),
    (
        "two texts, one for the other",
        |texts| {
            let text = texts.rules[0].text.clone();
            texts.rules[0].text = std::mem::replace(&mut texts.rules[2].text, text);
        },
        None,
    ),
    ("the files that there are", |texts| drop(texts.rules.remove(0)), None),
    (
        "the name of a rule, for one of another file",
        |texts| texts.edit("rules/a.cedar", "@id(\"a\")", "@id(\"b1\")"),
        Some("wayleave::policy::duplicate-id"),
    ),
    (
        "the schema",
        |texts| {
            let text = texts.schema.text.replace("region: String", "region?: String");
            assert_ne!(*text, *texts.schema.text);
            texts.schema.text = text.into();
        },
        Some("wayleave::policy::invalid"),
    ),
    (
        "the roles that there are",
        |texts| assert!(texts.world.roles.remove("recruiter")),
        Some("wayleave::policy::unknown-role"),
    ),
    (
        "who owns the files",
        |texts| texts.world.owners = Some(owners("rules = \"HR\"")),
        None,
    ),
    (
        "whether anybody owns them",
        |texts| texts.world.owners = Some(owners("\"rules/a.cedar\" = \"IT\"")),
        Some("wayleave::policy::no-owner"),
    ),
];

#[test]
fn whatever_changed_since_rules_were_read_is_seen() {
    let before = Texts::new().after(None).unwrap();
    for (what, change, problem) in CHANGES {
        let mut texts = Texts::new();
        change(&mut texts);
        match (texts.after(Some(&before)), texts.after(None)) {
            (Ok(after), Ok(alone)) => {
                assert_eq!(told(&after), told(&alone), "{what}");
                assert_eq!(problem, None, "{what}");
                assert_eq!(what == "nothing", told(&after) == told(&before), "{what}");
            }
            (Err(after), Err(alone)) => {
                assert_eq!(after, alone, "{what}");
                let code = problem.unwrap_or_default();
                assert!(
                    !code.is_empty() && after.iter().any(|told| told.starts_with(code)),
                    "{what}: {after:#?}"
                );
            }
            (after, alone) => panic!("{what}: {:?} {:?}", after.err(), alone.err()),
        }
    }
}

#[test]
fn only_files_that_are_the_same_to_the_letter_are_not_read_again_and_no_others_are_kept() {
    let mut texts = Texts::new();
    let before = texts.after(None).unwrap();
    texts.edit("rules/b.cedar", "office", "guest");
    let known = |policy: &Policy, texts: &Texts| {
        let known = texts.rules.iter().map(|file| policy.read_before(file));
        known
            .map(|rules| rules.map_or(0, |rules| rules.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(known(&before, &Texts::new()), [1, 2, 1]);
    assert_eq!(known(&before, &texts), [1, 0, 1]);
    let after = texts.after(Some(&before)).unwrap();
    assert_eq!(known(&after, &texts), [1, 2, 1]);
    assert_eq!(known(&after, &Texts::new()), [1, 0, 1], "what was is forgotten");
    texts.rules[0].name = "rules/other.cedar".to_owned();
    assert_eq!(known(&after, &texts), [0, 2, 1]);
    assert!(
        after
            .read_before(&texts.rules[1])
            .unwrap()
            .iter()
            .all(|rule| rule.is_known)
    );
}
