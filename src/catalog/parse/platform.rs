//! A platform's file, and the hosts that only this installation knows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::host::{Cover, Domain, HostPattern};
use super::super::secrets::Secret;
use super::super::signature::{Embed, EmbedKind, Mark, Sign};
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
const DOMAIN: &[&str] = &["host", "match", "roles", "note"];
const LOCAL_HOST: &[&str] = &["host", "match", "roles", "note", "platform"];
const EMBED: &[&str] = &["id", "host", "path", "kind", "note"];
const MARK: &[&str] = &["hosts", "key", "member", "contains", "only", "note"];
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
    let key = row.required("key");
    let only: Box<[Box<str>]> = row.texts("only").into_iter().map(|name| name.value.into()).collect();
    let sign = match (row.text("member"), row.text("contains"), only.is_empty()) {
        (Some(member), None, true) => Some(Sign::Member(member.value.into())),
        (None, Some(word), true) => Some(Sign::Contains(word.value.to_ascii_lowercase().into())),
        (None, None, false) if only.iter().all(|name| !name.is_empty()) => Some(Sign::Beyond(only)),
        (Some(_), _, _) | (_, Some(_), _) | (None, None, _) => {
            let help = "say `member = …` (a member of the JSON value), `only = [ … ]` (all members that a read has), or \
                        `contains = …` (a text in it)";
            row.report(
                "bad-mark",
                row.span,
                "a mark needs one of `member`, `only` and `contains`",
                help,
            );
            None
        }
    };
    row.text("note");
    if let (Some(key), Some(sign)) = (key, sign) {
        draft.marks.entry(platform.clone()).or_default().push(Mark {
            hosts,
            key: key.value.into(),
            sign,
        });
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
