//! Signatures as they stand in the files.

use std::collections::BTreeMap;

use regex::RegexBuilder;

use super::super::host::HostPattern;
use super::super::path::PathGlob;
use super::super::signature::{Method, Methods, Operation, Pattern, Places, Reads, Signature};
use super::super::tree::{ActivityIndex, Kind};
use super::Draft;
use super::lists::{meaning, not_a_host, twice, unknown};
use crate::facts::fields::{At, Fields};
use crate::facts::{PlatformId, SignatureId};

/// Lists of hosts that a file names once; `@name` stands for one.
pub(super) type HostSets<'t> = BTreeMap<&'t str, Vec<At<&'t str>>>;

const SIGNATURE: &[&str] = &[
    "id",
    "activity",
    "methods",
    "hosts",
    "path_kind",
    "path",
    "also_paths",
    "operation",
    "encoding",
    "reads",
    "undo",
    "year",
    "confidence",
    "note",
];
const OPERATION: &[&str] = &["where", "key", "value", "match"];

const METHODS: [(&str, Method); 5] = [
    ("GET", Method::Get),
    ("POST", Method::Post),
    ("PUT", Method::Put),
    ("PATCH", Method::Patch),
    ("DELETE", Method::Delete),
];

const READS: [(&str, Reads); 3] = [
    ("no", Reads::No),
    ("endpoint", Reads::Endpoint),
    ("label", Reads::Label),
];

const CONFIDENCE: [(&str, ()); 3] = [("high", ()), ("medium", ()), ("low", ())];

const PATH_KINDS: [(&str, bool); 2] = [("glob", false), ("iglob", true)];

/// The kinds of bodies; `websocket` makes a signature one of handshakes.
const ENCODINGS: [(&str, bool); 14] = [
    ("websocket", true),
    ("json", false),
    ("form", false),
    ("multipart", false),
    ("query", false),
    ("binary", false),
    ("sse", false),
    ("protobuf", false),
    ("protobuf-json", false),
    ("grpc-web", false),
    ("xml", false),
    ("atom", false),
    ("wikitext", false),
    ("opaque", false),
];

#[derive(Clone, Copy)]
enum Match {
    Exact,
    Prefix,
    Regex,
}

/// Reads the signatures of a file.
pub(super) fn signatures(
    fields: &Fields<'_, '_>,
    platform: Option<&PlatformId>,
    sets: &HostSets<'_>,
    draft: &mut Draft,
) {
    for row in fields.tables("signature", SIGNATURE) {
        if let Some(signature) = one(&row, sets, draft) {
            draft.signatures.push(Signature {
                platform: platform.cloned(),
                ..signature
            });
        }
    }
}

fn one(row: &Fields<'_, '_>, sets: &HostSets<'_>, draft: &mut Draft) -> Option<Signature> {
    let id = row.required("id");
    let activity = row.required("activity");
    let methods = methods(row);
    let hosts = hosts(row, &row.needed_texts("hosts"), sets);
    let paths = paths(row);
    let operation = row.table("operation", OPERATION).map(|table| operation(&table));
    let socket = row
        .texts("encoding")
        .into_iter()
        .filter_map(|word| meaning(row, "encoding", word, &ENCODINGS));
    // Collected first, so that every unknown word is reported.
    let socket = socket.collect::<Vec<bool>>().contains(&true);
    let reads = row.choice("reads", &READS);
    row.flag("undo");
    row.number("year");
    row.choice("confidence", &CONFIDENCE);
    row.text("note");
    let id = id?;
    if !draft.ids.insert(id.value.to_owned()) {
        twice(row, id);
    }
    let activity = known_activity(row, activity?, draft)?;
    let signature = Signature {
        id: SignatureId::new(id.value),
        platform: None,
        activity,
        methods,
        hosts,
        paths,
        operation: match operation {
            Some(operation) => Some(operation?),
            None => None,
        },
        reads: reads.unwrap_or(Reads::No),
        socket,
    };
    check_reads(row, &signature, reads, draft);
    Some(signature)
}

fn known_activity(row: &Fields<'_, '_>, word: At<&str>, draft: &Draft) -> Option<ActivityIndex> {
    let found = draft.activities.index(word.value);
    // one that is listed, and wrong there, is no mistake here
    if found.is_none() && !draft.listed_activities.contains(word.value) {
        let listed = draft.listed_activities.iter().map(String::as_str);
        unknown(row, "activity", word, listed);
    }
    found
}

/// A signature that calls a write a read must say why that is to be believed.
fn check_reads(row: &Fields<'_, '_>, signature: &Signature, stated: Option<Reads>, draft: &Draft) {
    let milder = draft.activities.kind(signature.activity) != Kind::Write;
    let writes = signature.methods.any_writes() || signature.socket;
    let id = signature.id.as_str();
    let wrong = |message: String, help: &str| row.report("unfounded-read", row.span, message, help);
    match stated {
        None if milder && writes => wrong(
            format!("`{id}` calls a request a read that could write"),
            "list `GET` alone, or say `reads = \"endpoint\"` where the path cannot write, or `reads = \"label\"` where the operation's name is to be believed",
        ),
        Some(Reads::Label) if signature.socket => wrong(
            format!("`{id}` believes a label on a socket"),
            "a socket is judged by what it can carry: say `reads = \"endpoint\"` if it only receives",
        ),
        Some(_) if !milder => wrong(
            format!("`{id}` is a write and says how far its reads are believed"),
            "remove `reads`",
        ),
        None | Some(Reads::No | Reads::Endpoint | Reads::Label) => {}
    }
}

fn methods(row: &Fields<'_, '_>) -> Methods {
    let mut methods = Methods::default();
    for word in row.needed_texts("methods") {
        if let Some(method) = meaning(row, "method", word, &METHODS) {
            methods.insert(method);
        }
    }
    methods
}

/// The host patterns of a list, in which `@name` stands for a set.
pub(super) fn hosts(row: &Fields<'_, '_>, words: &[At<&str>], sets: &HostSets<'_>) -> Vec<HostPattern> {
    let mut patterns = Vec::new();
    for word in words {
        let set = word.value.strip_prefix('@').map(|name| At {
            value: name,
            span: word.span,
        });
        let listed = match set.map(|name| (name, sets.get(name.value))) {
            None => std::slice::from_ref(word),
            Some((_, Some(set))) => set.as_slice(),
            Some((name, None)) => {
                unknown(row, "host set", name, sets.keys().copied());
                &[]
            }
        };
        for name in listed {
            match HostPattern::parse(name.value) {
                Some(pattern) => patterns.push(pattern),
                None => not_a_host(row, *name),
            }
        }
    }
    patterns
}

fn paths(row: &Fields<'_, '_>) -> Vec<PathGlob> {
    let fold = row.choice("path_kind", &PATH_KINDS).unwrap_or(false);
    let first = row.required("path");
    let others = row.texts("also_paths");
    first
        .into_iter()
        .chain(others)
        .filter_map(|path| glob(row, path, fold))
        .collect()
}

pub(super) fn glob(row: &Fields<'_, '_>, path: At<&str>, fold: bool) -> Option<PathGlob> {
    match PathGlob::parse(path.value, fold) {
        Ok(glob) => Some(glob),
        Err(why) => {
            let message = format!("`{}` is not a path glob", path.value);
            row.report("bad-glob", path.span, message, why);
            None
        }
    }
}

fn operation(table: &Fields<'_, '_>) -> Option<Operation> {
    const KINDS: [(&str, Match); 3] = [
        ("exact", Match::Exact),
        ("prefix", Match::Prefix),
        ("regex", Match::Regex),
    ];
    let mut places = Places::default();
    for word in table.needed_texts("where") {
        match (word.value, word.value.strip_prefix("header:")) {
            ("query", _) => places.query = true,
            ("form", _) => places.form = true,
            ("json", _) => places.json = true,
            (_, Some(name)) if http::HeaderName::from_lowercase(name.as_bytes()).is_ok() => {
                places.headers.push(name.into());
            }
            _ => unknown(
                table,
                "place",
                word,
                ["query", "form", "json", "header:name-in-lower-case"],
            ),
        }
    }
    let (key, value) = (table.required("key"), table.required("value"));
    let kind = table.choice("match", &KINDS).unwrap_or(Match::Exact);
    let (key, value) = (key?, value?);
    let pattern = match kind {
        Match::Exact => Pattern::Exact(value.value.into()),
        Match::Prefix => Pattern::Prefix(value.value.into()),
        Match::Regex => Pattern::Regex(regex(table, value)?),
    };
    Some(Operation {
        places,
        key: key.value.into(),
        pattern,
    })
}

fn regex(row: &Fields<'_, '_>, text: At<&str>) -> Option<regex::Regex> {
    let whole = format!("^(?:{})$", text.value);
    let built = RegexBuilder::new(&whole).size_limit(1 << 18).build().ok();
    if built.is_none() {
        let message = format!("`{}` is not a regular expression", text.value);
        let help = "use the syntax of https://docs.rs/regex; it must match the whole name, and be small";
        row.report("bad-regex", text.span, message, help);
    }
    built
}
