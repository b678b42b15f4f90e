//! A platform's file, and the hosts that only this installation knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::host::{Cover, Domain, HostPattern};
use super::super::marks::{Field, Mark, Sign};
use super::super::path::PathGlob;
use super::super::secrets::Secret;
use super::super::shared::Shared;
use super::super::signature::{Embed, EmbedKind};
use super::super::tree::{Control, Platform};
use super::lists::{meaning, not_a_host, twice, unknown};
use super::{Draft, signature};
use crate::facts::fields::{At, Fields};
use crate::facts::{Category, Host, PlatformId, SignatureId, SiteRole, SourceText};

/// The keys of a platform's file.
pub(super) const PLATFORM: &[&str] = &[
    "id",
    "name",
    "owner",
    "category",
    "family",
    "control",
    "notes",
    "status",
    "native_clients",
    "aliases",
    "host_sets",
    "domains",
    "embeds",
    "marks",
    "secrets",
    "signature",
];
/// The keys of `local.toml`.
pub(super) const LOCAL: &[&str] = &["host"];
const DOMAIN: &[&str] = &["host", "match", "paths", "roles", "note"];
const LOCAL_HOST: &[&str] = &["host", "match", "roles", "note", "platform"];
const EMBED: &[&str] = &["id", "host", "path", "kind", "note"];
const MARK: &[&str] = &[
    "hosts", "paths", "fields", "key", "member", "within", "only", "is", "contains", "note",
];
const SECRET: &[&str] = &["hosts", "path", "note"];

const CONTROLS: [(&str, Control); 3] = [
    ("request", Control::Request),
    ("request-partial", Control::RequestPartial),
    ("connect", Control::Connect),
];

const COVERS: [(&str, Cover); 3] = [
    ("exact", Cover::Exact),
    ("glob", Cover::Glob),
    ("suffix", Cover::Suffix),
];

const ROLES: [(&str, SiteRole); 15] = [
    ("site", SiteRole::Site),
    ("api", SiteRole::Api),
    ("cdn", SiteRole::Cdn),
    ("media", SiteRole::Media),
    ("upload", SiteRole::Upload),
    ("realtime", SiteRole::Realtime),
    ("e2ee", SiteRole::E2ee),
    ("login", SiteRole::Login),
    ("short-link", SiteRole::ShortLink),
    ("ads", SiteRole::Ads),
    ("manage", SiteRole::Manage),
    ("pixel", SiteRole::Pixel),
    ("embed", SiteRole::Embed),
    ("telemetry", SiteRole::Telemetry),
    ("other", SiteRole::Other),
];

/// What the value of a field is in every request that reads.
#[derive(Clone, Copy)]
enum Always {
    Flags,
    InPath,
}

const ALWAYS: [(&str, Always); 2] = [("flags", Always::Flags), ("in-path", Always::InPath)];

const EMBEDS: [(&str, EmbedKind); 5] = [
    ("pixel", EmbedKind::Pixel),
    ("sdk", EmbedKind::Script),
    ("plugin", EmbedKind::Content),
    ("oembed", EmbedKind::Content),
    ("frame", EmbedKind::Content),
];

/// Reads the file of one platform, which is named after it; `home` gives the other file of that name, where there is one.
pub(super) fn platform<'f>(
    fields: &Fields<'_, '_>,
    stem: &str,
    home: impl FnOnce(&str) -> Option<&'f SourceText>,
    draft: &mut Draft,
) {
    let id = fields.name("id");
    let (name, owner) = (fields.required("name"), fields.text("owner"));
    let (category, family) = (fields.required("category"), fields.text("family"));
    let control = fields.choice("control", &CONTROLS);
    let notes = fields.text("notes");
    for free in ["status", "native_clients"] {
        fields.text(free);
    }
    fields.texts("aliases");
    // where the file does not say it, it is called like the file, so that whoever names it is not mistaken
    let id = id.unwrap_or(At {
        value: stem,
        span: fields.span,
    });
    if !stands_in_its_file(fields, id, stem, home(id.value)) {
        return;
    }
    if let Some(category) = category
        && !draft.categories.contains(&Category::new(category.value))
    {
        unknown(
            fields,
            "category",
            category,
            draft.categories.ids().map(Category::as_str),
        );
    }
    let text = |text: Option<At<&str>>| text.map(|text| text.value.to_owned());
    let platform = PlatformId::new(id.value);
    let entry = Platform {
        id: platform.clone(),
        name: text(name).unwrap_or_default(),
        owner: text(owner).unwrap_or_default(),
        category: Category::new(text(category).unwrap_or_default()),
        family: text(family).unwrap_or_else(|| id.value.to_owned()),
        control: control.unwrap_or(Control::Request),
        notes: text(notes),
    };
    if draft.platforms.insert(platform.clone(), entry).is_some() {
        twice(fields, id);
        return;
    }
    let sets = host_sets(fields);
    for row in fields.tables("domains", DOMAIN) {
        domain(&row, &platform, draft);
    }
    for row in fields.tables("embeds", EMBED) {
        embed(&row, draft);
    }
    for row in fields.tables("marks", MARK) {
        mark(&row, &platform, &sets, draft);
    }
    for row in fields.tables("secrets", SECRET) {
        secret(&row, &platform, &sets, draft);
    }
    signature::signatures(fields, Some(&platform), &sets, draft);
}

/// Whether the platform may be read from the file: not where another one is named after it.
fn stands_in_its_file(fields: &Fields<'_, '_>, id: At<&str>, stem: &str, home: Option<&SourceText>) -> bool {
    if let Some(home) = home {
        let message = format!(
            "`{stem}.toml` declares the platform `{}`, which is declared in `{}` already",
            id.value, home.name
        );
        let help = "give it an id, hosts and signatures of its own, or remove the file; it was not read any further";
        fields.report("duplicate", id.span, message, help);
        return false;
    }
    if id.value != stem {
        let message = format!("`{}` stands in a file that is named `{stem}`", id.value);
        fields.report(
            "misplaced",
            id.span,
            message,
            format!("rename the file to `{}.toml`", id.value),
        );
    }
    true
}

fn host_sets<'t>(fields: &Fields<'t, '_>) -> signature::HostSets<'t> {
    let Some(sets) = fields.table("host_sets", &[]) else {
        return BTreeMap::new();
    };
    sets.keys().map(|(name, _)| (name, sets.texts(name))).collect()
}

/// Reads the hosts of this installation: instances of federated and self-hosted platforms.
pub(super) fn local(fields: &Fields<'_, '_>, draft: &mut Draft) {
    for row in fields.tables("host", LOCAL_HOST) {
        let Some(platform) = row.required("platform") else {
            continue;
        };
        let id = PlatformId::new(platform.value);
        if !draft.platforms.contains_key(&id) {
            unknown(
                &row,
                "platform",
                platform,
                draft.platforms.keys().map(PlatformId::as_str),
            );
        }
        domain(&row, &id, draft);
    }
}

fn domain(row: &Fields<'_, '_>, platform: &PlatformId, draft: &mut Draft) {
    let host = row.required("host");
    let cover = row.choice("match", &COVERS).unwrap_or(Cover::Suffix);
    let words = row.texts("roles");
    let roles = words.iter().filter_map(|word| meaning(row, "role", *word, &ROLES));
    let roles: BTreeSet<SiteRole> = roles.collect();
    let roles = Arc::new(roles);
    let paths = row.texts("paths").into_iter();
    let paths: Vec<PathGlob> = paths.filter_map(|path| signature::glob(row, path, true)).collect();
    row.text("note");
    let Some(host) = host else {
        return;
    };
    let name = match cover {
        Cover::Exact | Cover::Suffix => Host::parse(host.value).ok().map(String::from),
        Cover::Glob => HostPattern::parse(host.value)
            .filter(|glob| *glob != HostPattern::Any)
            .map(|_| host.value.to_owned()),
    };
    let Some(name) = name else {
        not_a_host(row, host);
        return;
    };
    let first = draft
        .taken
        .entry(name.clone())
        .or_insert_with(|| (platform.clone(), Vec::new()));
    if first.0 != *platform {
        let message = format!("`{name}` is a domain of `{platform}` and of `{}`", first.0);
        let help = format!(
            "a host belongs to one platform: remove it here, or from the file of `{}`",
            first.0
        );
        row.report("overlap", host.span, message, help);
    } else if first.1.contains(&cover) {
        twice(row, host);
    }
    first.1.push(cover);
    if row.has("paths") {
        if cover != Cover::Exact {
            let help = "write `match = \"exact\"`, and a line for each host that is shared";
            row.report("bad-shared", host.span, "a host that is shared is no pattern", help);
        }
        let platform = platform.clone();
        draft.shared.insert(name.into(), Shared { platform, paths, roles });
        return;
    }
    draft.domains.push(Domain {
        name: name.into(),
        cover,
        platform: platform.clone(),
        roles,
    });
}

fn embed(row: &Fields<'_, '_>, draft: &mut Draft) {
    let id = row.required("id");
    let host = row.required("host");
    let path = row.required("path").and_then(|path| signature::glob(row, path, false));
    let kind = row.choice("kind", &EMBEDS);
    row.text("note");
    if let Some(id) = id
        && !draft.ids.insert(id.value.to_owned())
    {
        twice(row, id);
    }
    let parsed = host.and_then(|host| {
        let parsed = Host::parse(host.value).ok();
        if parsed.is_none() {
            not_a_host(row, host);
        }
        parsed
    });
    if let (Some(id), Some(host), Some(path)) = (id, parsed, path) {
        draft.embeds.push(Embed {
            id: SignatureId::new(id.value),
            host: host.as_str().into(),
            path,
            kind: kind.unwrap_or(EmbedKind::Content),
        });
    }
}

fn mark(row: &Fields<'_, '_>, platform: &PlatformId, sets: &signature::HostSets<'_>, draft: &mut Draft) {
    let hosts = signature::hosts(row, &row.needed_texts("hosts"), sets);
    let paths = row.texts("paths").into_iter();
    let paths = paths.filter_map(|path| signature::glob(row, path, false)).collect();
    row.text("note");
    if let Some(field) = field(row) {
        draft.marks.push(Mark {
            platform: platform.clone(),
            hosts,
            paths,
            field,
        });
    }
}

/// Where a mark stands, and what it is.
fn field(row: &Fields<'_, '_>) -> Option<Field> {
    let wrong = |message: &str, help: &str| row.report("bad-mark", row.span, message, help);
    let names = |key: &str| -> Option<Box<[Box<str>]>> {
        let names = row.texts(key);
        // what stands for a name that is not listed is kept without one
        if names.iter().any(|name| name.value.is_empty()) {
            wrong("a mark lists a name that is empty", "remove the `\"\"`");
        }
        if key == "fields" && names.iter().any(|name| ["*", "**"].contains(&name.value)) {
            wrong(
                "a mark lists every field there can be",
                "say which fields a read has, or remove the mark",
            );
        }
        (!names.is_empty()).then(|| names.iter().map(|name| name.value.into()).collect())
    };
    let text = |key: &str| row.text(key).map(|text| text.value);
    let fields = names("fields");
    let signs = [
        text("member").map(|name| Sign::Member(name.into())),
        names("within").map(Sign::Within),
        names("only").map(Sign::Beyond),
        row.choice("is", &ALWAYS).map(|always| match always {
            Always::Flags => Sign::BeyondFlags,
            Always::InPath => Sign::OutsidePath,
        }),
        text("contains").map(|word| Sign::Contains(word.to_ascii_lowercase().into())),
    ];
    let mut signs = signs.into_iter().flatten();
    match (fields, signs.next(), signs.next()) {
        (Some(fields), None, None) if !row.has("key") => Some(Field::Beside(fields)),
        (None, Some(sign), None) => Some(Field::Named(row.required("key")?.value.into(), sign)),
        (Some(_), _, _) => {
            wrong(
                "a mark that lists all `fields` of a read is about no single one",
                "remove the other keys, or say them of a field in a mark of its own",
            );
            None
        }
        (None, _, _) => {
            let help = "say `member = …` (a member of the JSON value), `within = [ … ]` (members at any depth), `only = [ … ]` (all \
                        members that a read has), `is = …` (what all reads have there), or `contains = …` (a text in it)";
            wrong(
                "a mark needs one of `member`, `within`, `only`, `is` and `contains`, or `fields`",
                help,
            );
            None
        }
    }
}

fn secret(row: &Fields<'_, '_>, platform: &PlatformId, sets: &signature::HostSets<'_>, draft: &mut Draft) {
    let hosts = signature::hosts(row, &row.needed_texts("hosts"), sets);
    let path = row.required("path");
    row.text("note");
    let Some((path, span)) = path.and_then(|at| Some((signature::glob(row, at, false)?, at.span))) else {
        return;
    };
    if !path.is_positional() || path.stand_ins().next().is_none() {
        let help = "put `*` where a credential stands, and `**` at the end or nowhere";
        row.report(
            "bad-secret",
            span,
            "the path does not say where a credential stands",
            help,
        );
    }
    draft.secrets.push(Secret {
        platform: platform.clone(),
        hosts,
        path,
    });
}
