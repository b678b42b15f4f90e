//! The files of `catalog/`.

use serde_json::{Value, json};

use super::people::wording;
use super::{choice, document, flag, list, names, number, table, text, texts};

pub(super) fn platform() -> Value {
    let keys = [
        ("id", text("The name of the file, without its ending")),
        ("name", text("What people call it")),
        ("owner", text("The company behind it")),
        ("category", text("A category of `categories.toml`")),
        (
            "family",
            text("The group of services that its hosts are shared with; without it, the platform alone"),
        ),
        (
            "control",
            choice(
                "How far its requests can be told apart",
                &["request", "request-partial", "connect"],
            ),
        ),
        ("notes", text("What else there is to know")),
        ("status", text("Whether the service still runs")),
        ("native_clients", text("What is known of its programs and apps")),
        ("aliases", texts("Other names of it")),
        (
            "host_sets",
            names(&texts("Hosts that signatures name together, as `@set`")),
        ),
        ("domains", list("Its hosts", &domain(&["host"], false))),
        ("embeds", list("What other sites embed of it", &embed())),
        (
            "secrets",
            list(
                "Paths with credentials in them, which reach no rule, record or page",
                &secret(),
            ),
        ),
        (
            "marks",
            list("What gives away a write in a request that calls itself a read", &mark()),
        ),
        ("signature", list("How its requests are recognised", &signature())),
    ];
    document("A platform of the catalogue", table(&["id", "name", "category"], keys))
}

pub(super) fn categories() -> Value {
    let category = table(
        &["id"],
        [
            ("id", text("The name that rules use")),
            ("parent", text("The category that it is part of")),
            ("title", wording("What people call it")),
            ("note", text("What else there is to know")),
            (
                "domains",
                texts("Hosts that belong to it, with everything below them, whatever platform they are on"),
            ),
        ],
    );
    let keys = [("category", list("The tree of categories", &category))];
    document("The categories of the catalogue", table(&[], keys))
}

pub(super) fn activities() -> Value {
    let activity = table(
        &["id", "rank", "kind"],
        [
            ("id", text("An action of the schema")),
            ("rank", number("Strictness: higher is stricter")),
            (
                "kind",
                choice("What it does to the site", &["read", "passive", "write"]),
            ),
            (
                "goes-along",
                flag("Whether nobody goes somewhere for it alone: a purpose that opens no more opens nothing"),
            ),
            ("title", text("What people call it")),
        ],
    );
    let keys = [
        (
            "activity",
            list("Every activity that a request can be read as", &activity),
        ),
        (
            "signature",
            list("How requests are recognised on any platform", &signature()),
        ),
    ];
    document("The activities of the catalogue", table(&[], keys))
}

pub(super) fn hosts() -> Value {
    let keys = [(
        "host",
        list(
            "Hosts of platforms that only this installation knows",
            &domain(&["host", "platform"], true),
        ),
    )];
    document("The hosts of this installation", table(&[], keys))
}

fn domain(needed: &[&str], of_platform: bool) -> Value {
    const ROLES: [&str; 15] = [
        "site",
        "api",
        "cdn",
        "media",
        "upload",
        "realtime",
        "e2ee",
        "login",
        "short-link",
        "ads",
        "manage",
        "pixel",
        "embed",
        "telemetry",
        "other",
    ];
    let roles = choice("A role", &ROLES);
    let mut domain = table(
        needed,
        [
            ("host", text("A bare name, such as `www.example.com`")),
            (
                "match",
                choice(
                    "What the name stands for; without it, `suffix`",
                    &["exact", "glob", "suffix"],
                ),
            ),
            ("roles", list("What the host is for", &roles)),
            ("note", text("What else there is to know")),
        ],
    );
    let properties = domain.get_mut("properties").and_then(Value::as_object_mut);
    let (key, value) = if of_platform {
        ("platform", text("A platform of the catalogue"))
    } else {
        let paths = "Globs: on a host that others share, the paths at which it is the platform's";
        ("paths", texts(paths))
    };
    if let Some(properties) = properties {
        properties.insert(key.to_owned(), value);
    }
    domain
}

fn embed() -> Value {
    let keys = [
        ("id", text("The name that records use")),
        ("host", text("The host")),
        ("path", text("A glob")),
        (
            "kind",
            choice("What is embedded", &["pixel", "sdk", "plugin", "oembed", "frame"]),
        ),
        ("note", text("What else there is to know")),
    ];
    table(&["id", "host", "path"], keys)
}

fn secret() -> Value {
    let keys = [
        ("hosts", texts("Hosts, or sets of them (`@web`)")),
        ("path", text("The path: `*` is where a credential stands")),
        ("note", text("What else there is to know")),
    ];
    table(&["hosts", "path"], keys)
}

fn mark() -> Value {
    let keys = [
        ("hosts", texts("Hosts, globs, or `@set`")),
        (
            "paths",
            texts("Globs: where it counts, if not wherever a name is believed"),
        ),
        ("fields", texts("The only fields that a read has, `*` for any text")),
        ("key", text("The field that the mark stands in")),
        ("member", text("A member of the JSON value")),
        ("within", texts("Members of the JSON value, at any depth")),
        (
            "only",
            texts("The only members that a read may have there, `*` for any text; none of them holds an object"),
        ),
        (
            "is",
            choice(
                "What the value is in every read: an object of truth values, or a segment of the path",
                &["flags", "in-path"],
            ),
        ),
        ("contains", text("A text in it")),
        ("note", text("What else there is to know")),
    ];
    table(&["hosts"], keys)
}

fn signature() -> Value {
    const ENCODINGS: [&str; 14] = [
        "websocket",
        "json",
        "form",
        "multipart",
        "query",
        "binary",
        "sse",
        "protobuf",
        "protobuf-json",
        "grpc-web",
        "xml",
        "atom",
        "wikitext",
        "opaque",
    ];
    let keys = [
        ("id", text("The name that records use")),
        ("activity", text("An activity of `activities.toml`")),
        (
            "methods",
            list(
                "HTTP methods",
                &choice("A method", &["GET", "POST", "PUT", "PATCH", "DELETE"]),
            ),
        ),
        ("hosts", texts("Hosts, globs, or `@set`")),
        ("path", text("A glob")),
        ("also_paths", texts("Further globs")),
        (
            "path_kind",
            choice("Whether letters are compared as they are", &["glob", "iglob"]),
        ),
        ("operation", operation()),
        (
            "encoding",
            list("How the request is written", &choice("An encoding", &ENCODINGS)),
        ),
        (
            "reads",
            choice("Why a read is to be believed", &["no", "endpoint", "label"]),
        ),
        ("undo", flag("Whether it takes back what it is named after")),
        ("confidence", choice("How sure this is", &["high", "medium", "low"])),
        (
            "year",
            json!({ "type": "integer", "description": "When it was last seen" }),
        ),
        ("note", text("What else there is to know")),
    ];
    table(&["id", "activity", "methods", "hosts", "path"], keys)
}

fn operation() -> Value {
    table(
        &["where", "key", "value"],
        [
            ("where", texts("`query`, `form`, `json` or `header:name-in-lower-case`")),
            ("key", text("The field that names the operation")),
            ("value", text("The name")),
            (
                "match",
                choice("How to compare; without it, `exact`", &["exact", "prefix", "regex"]),
            ),
        ],
    )
}
