//! Purposes, people, cases and owners.

use serde_json::{Value, json};

use super::{choice, document, flag, list, names, number, table, text, texts};
use crate::facts::{Channel, Employment, Language, MethodName, Outcome};
use crate::policy::Power;
use crate::purpose::GROUPS;

const DURATION: &str = "Minutes, hours or days, such as `8h`";
const MOMENT: &str = "A moment, such as `2026-11-24T10:00:00Z`";
const DAY: &str = "A day, such as `2027-06-30`";

fn lifetimes(about: &str) -> Value {
    let mut lifetimes = table(&[], GROUPS.map(|group| (group, text(DURATION))));
    if let Some(lifetimes) = lifetimes.as_object_mut() {
        lifetimes.insert("description".to_owned(), about.into());
    }
    lifetimes
}

/// One span for all groups, or one for each.
fn idle() -> Value {
    let about = "How long a grant may go unused; then it is over. Groups that are not named may until they expire";
    json!({ "description": about, "anyOf": [text(DURATION), lifetimes("By group")] })
}

fn covers(about: &str) -> Value {
    list(about, &choice("A group of activities", &GROUPS))
}

pub(super) fn purposes() -> Value {
    let needed = [
        "id",
        "title",
        "description",
        "owner",
        "basis",
        "covers",
        "approval",
        "value-metric",
        "retention",
        "review",
    ];
    let defaults = [
        ("lifetime", lifetimes("How long a grant lasts unless asked otherwise")),
        ("longest", lifetimes("How long a grant lasts at most")),
        ("idle", idle()),
        ("statement-min", number("How many characters a statement has at least")),
        (
            "answer-within",
            text(&format!("How long a declaration waits for an approval. {DURATION}")),
        ),
    ];
    let keys = [
        ("defaults", table(&[], defaults)),
        (
            "purpose",
            list(
                "What somebody may need a site for, and on what terms",
                &table(&needed, of_purpose()),
            ),
        ),
    ];
    document("The purpose catalogue", table(&[], keys))
}

fn of_purpose() -> [(&'static str, Value); 23] {
    [
        ("id", text("A purpose of the schema's `PurposeKind`")),
        ("title", wording("What people see")),
        ("description", wording("What it is for")),
        (
            "owner",
            text("The person who answers for it; approves where `approval = \"owner\"`"),
        ),
        ("basis", wording("On what ground personal data is processed")),
        (
            "roles",
            texts("Who may declare it; neither roles nor departments: everybody"),
        ),
        ("departments", texts("Who may declare it")),
        ("categories", texts("Where it is meant for")),
        ("platforms", texts("Where it is meant for")),
        ("covers", covers("What a grant may open")),
        ("lifetime", lifetimes("How long a grant lasts unless asked otherwise")),
        ("longest", lifetimes("How long a grant lasts at most")),
        ("idle", idle()),
        ("approval", approval()),
        ("alternates", alternates()),
        (
            "answer-within",
            text(&format!("How long a declaration waits for that. {DURATION}")),
        ),
        ("ticket", ticket()),
        ("training", text("A course that must be valid")),
        (
            "statement-min",
            number("How many characters the statement has at least"),
        ),
        ("alternative", wording("What we would rather have used")),
        (
            "value-metric",
            wording("What is counted when its value is; `none`: nothing"),
        ),
        ("retention", wording("What the owner means to keep of it, and how long")),
        ("review", text(DAY)),
    ]
}

/// One word, or whom it takes and how many of them.
fn approval() -> Value {
    let needed = json!({
        "anyOf": [{ "type": "integer", "minimum": 1 }, { "const": "all" }],
        "description": "How many different people of those must agree; `all`: somebody else for each. One, if it is left out",
    });
    let of = "`owner`, `manager`, `group:` with a role or department, or the name of a person";
    let chain = table(&["of"], [("of", texts(of)), ("needed", needed)]);
    let word = choice("In one word", &["none", "owner", "manager"]);
    json!({ "if": { "type": "string" }, "then": word, "else": chain, "description": "Who must agree" })
}

fn alternates() -> Value {
    let who = "As in `approval`: `owner`, `manager`, `group:` with a role or department, or the name of a person";
    let about = format!("How long a declaration must have waited. {DURATION}");
    table(&["after", "who"], [("after", text(&about)), ("who", texts(who))])
}

/// One text, or one in each language.
pub(super) fn wording(about: &str) -> Value {
    let language = |tag| (tag, json!({ "type": "string", "minLength": 1 }));
    let mut languages = table(&[], Language::TAGS.map(language));
    if let Some(languages) = languages.as_object_mut() {
        languages.insert("minProperties".to_owned(), json!(1));
    }
    json!({ "anyOf": [{ "type": "string", "minLength": 1 }, languages], "description": about })
}

fn ticket() -> Value {
    table(
        &["pattern", "example"],
        [
            ("pattern", text("A regular expression of the whole ticket")),
            ("example", text("A ticket that matches")),
            ("required", flag("Whether there must be one")),
        ],
    )
}

pub(super) fn people() -> Value {
    let unit = || {
        let keys = [
            ("id", text("The name that rules use")),
            ("title", text("What people call it")),
            ("in", texts("What it is part of")),
        ];
        table(&["id"], keys)
    };
    let kinds = [
        Employment::Employee,
        Employment::Contractor,
        Employment::Intern,
        Employment::Vendor,
    ];
    let keys = [
        ("id", text("The name they sign in with")),
        ("name", text("What people call them")),
        ("roles", texts("Roles of the directory")),
        ("department", text("A department of the directory")),
        (
            "employment",
            choice("How they are employed", &kinds.map(Employment::as_str)),
        ),
        ("region", text("Where they work")),
        (
            "time-zone",
            text("An IANA name such as `Europe/Paris`: decides when their lunch break is"),
        ),
        ("manager", text("A person of the directory")),
        ("legal-hold", flag("Whether what they publish is under legal hold")),
        ("training", names(&text(DAY))),
        ("email", text("Where they are told of what they wait for")),
        ("language", choice("In which language", &Language::TAGS)),
    ];
    let person = table(&["id", "department", "employment", "time-zone"], keys);
    let keys = [
        ("role", list("What people do", &unit())),
        ("department", list("Where people belong", &unit())),
        ("person", list("Who there is", &person)),
    ];
    document("People, roles and departments", table(&[], keys))
}

pub(super) fn properties() -> Value {
    let claim = |about: &str| {
        let keys = [
            ("actions", texts("The actions and groups of actions that it speaks of")),
            (
                "when",
                text("The requests that it speaks of, as in the `when { … }` of a rule"),
            ),
        ];
        let mut claim = table(&["actions", "when"], keys);
        if let Some(claim) = claim.as_object_mut() {
            claim.insert("description".to_owned(), json!(about));
        }
        claim
    };
    let keys = [
        ("name", text("Its name, for reports and `--only`")),
        ("owner", text("Who wants it")),
        ("sentence", wording("What it says, for people")),
        ("never", claim("None of these requests is allowed")),
        ("always", claim("Each of these requests is allowed")),
        (
            "unread",
            wording(
                "Why it says nothing of what passes unread, as people read it after the sentence; without it, that must not be able to do what is never allowed either",
            ),
        ),
    ];
    let property = table(&["name", "owner", "sentence"], keys);
    let keys = [("property", list("What holds of every possible request", &property))];
    document("Properties of the rules", table(&[], keys))
}

pub(super) fn cases() -> Value {
    let grant = || {
        [
            ("purpose", text("A purpose of `purposes.toml`")),
            (
                "platforms",
                texts("The platforms of the grant; without it, the one of the request"),
            ),
            (
                "covers",
                covers("The groups that the grant covers; without it, all of the purpose"),
            ),
            ("approved-by", text("Who approved the grant")),
            ("ticket", text("The ticket that the grant names")),
            ("declared", text(MOMENT)),
            ("expires", text(MOMENT)),
            ("emergency", flag("Whether the grant was taken by break-glass")),
        ]
    };
    let setting = || {
        let methods = [MethodName::Basic, MethodName::Certificate, MethodName::Token];
        [
            ("at", text(MOMENT)),
            ("network", text("The named network that the person is in")),
            (
                "proof",
                choice("How the person signed in", &methods.map(MethodName::as_str)),
            ),
        ]
    };
    let [allow, declare, request, deny] =
        [Outcome::Allow, Outcome::Declare, Outcome::Request, Outcome::Deny].map(Outcome::as_str);
    let mut case = table(&["it", "outcome"], of_case(&[allow, declare, request, deny, "refused"]));
    if let Some(keys) = case.get_mut("properties").and_then(Value::as_object_mut) {
        let more = grant().into_iter().chain(setting());
        keys.extend(more.map(|(key, value)| (key.to_owned(), value)));
        keys.insert(
            "grants".to_owned(),
            list("Further grants that the person holds", &table(&["purpose"], grant())),
        );
    }
    let keys = [
        ("defaults", table(&[], setting())),
        ("case", list("What must come of described requests", &case)),
    ];
    document("Policy cases", table(&[], keys))
}

/// Where a purpose may be stated.
const CHANNELS: [Channel; 5] = [
    Channel::Portal,
    Channel::Cli,
    Channel::Api,
    Channel::ProxyName,
    Channel::Header,
];

fn of_case(outcomes: &[&str]) -> [(&'static str, Value); 23] {
    [
        ("it", text("What the rules do, read as a sentence after `it`")),
        (
            "who",
            text("A person of the directory, or `stranger`; without it, nobody has signed in"),
        ),
        ("to", text("A URL for a request, `host` or `host:443` for a tunnel")),
        ("method", text("The method of the request")),
        ("headers", names(&text("A header field"))),
        ("body", text("The body of the request")),
        (
            "does",
            text("What the request does, whatever the catalogue makes of it"),
        ),
        (
            "asks",
            texts(
                "Single actions to put to the rules, as if all else were permitted; the outcome is `allow` or `deny`",
            ),
        ),
        (
            "may",
            choice(
                "Instead of a request: whether somebody may",
                &Power::ALL.map(Power::as_str),
            ),
        ),
        ("declarer", text("Whose grant it is")),
        ("whose", text("With `see-decisions`: about whom")),
        (
            "on-behalf-of",
            text("With `approve`: for whom they answer, as a delegate"),
        ),
        (
            "waited",
            text(&format!("With `approve`: for how long it has waited. {DURATION}")),
        ),
        ("for", text(DURATION)),
        (
            "channel",
            choice("Where the purpose is stated", &CHANNELS.map(Channel::as_str)),
        ),
        ("outcome", choice("What must come of it", outcomes)),
        (
            "would",
            choice("What rules on probation would make of it", &["allowed", "denied"]),
        ),
        (
            "may-continue",
            flag("Whether whoever is refused may continue once they are told why not, by a rule in mode `coach`"),
        ),
        (
            "policies",
            texts("Rules that must be among those that decide; an empty list: none decides"),
        ),
        ("offers", texts("Purposes that must be offered; an empty list: none is")),
        ("inspect", flag("Whether the flow is read")),
        ("reads-as", text("The activity that the request is recognised as")),
        ("under", text("The purpose of the grant that is used")),
    ]
}

pub(super) fn owners() -> Value {
    let keys = [("owners", names(&text("Who answers for the file or folder")))];
    document("Who answers for the parts of the folder", table(&[], keys))
}
