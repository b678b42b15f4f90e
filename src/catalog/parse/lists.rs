//! `categories.toml` and `activities.toml`.

use std::collections::BTreeMap;

use super::super::fields::{At, Fields, Report};
use super::super::tree::{ActivityTable, COMMON, CategoryTree, Kind};
use super::{Draft, signature};
use crate::facts::{Activity, Category, Host};

/// The tree of categories, with the names that belong to one whatever platform they are on.
pub(super) fn categories(report: &Report<'_>, fields: &Fields<'_, '_>, draft: &mut Draft) {
    let rows = fields.tables("category");
    let mut parents: BTreeMap<Category, Option<Category>> = BTreeMap::new();
    let mut stated = Vec::new();
    let mut named = Vec::new();
    for row in rows {
        let id = row.needed("id");
        let parent = row.text("parent");
        row.text("title");
        row.text("note");
        let domains = row.texts("domains");
        if let Some(id) = id {
            let category = Category::new(id.value);
            if parents
                .insert(category.clone(), parent.map(|parent| Category::new(parent.value)))
                .is_some()
            {
                twice(report, id);
            }
            stated.extend(parent);
            named.push((category, domains));
        }
        row.finish();
    }
    for parent in stated {
        if !parents.contains_key(&Category::new(parent.value)) {
            report.unknown("category", parent, parents.keys().map(Category::as_str));
        }
    }
    draft.categories = CategoryTree::new(parents);
    for (category, domains) in named {
        let closure = draft.categories.closure(&category);
        for name in domains {
            match Host::parse(name.value) {
                Ok(host) => draft.category_names.push((host.as_str().into(), closure.clone())),
                Err(_) => not_a_host(report, name),
            }
        }
    }
}

/// The activities, mildest first, and the signatures that hold on every platform.
pub(super) fn activities(report: &Report<'_>, fields: &Fields<'_, '_>, draft: &mut Draft) {
    const KINDS: [(&str, Kind); 3] = [("read", Kind::Read), ("passive", Kind::Passive), ("write", Kind::Write)];
    let mut rows = Vec::new();
    for row in fields.tables("activity") {
        let (id, rank) = (row.needed("id"), row.number("rank"));
        let kind = row.choice("kind", &KINDS);
        row.text("title");
        if rank.is_none() || kind.is_none() {
            let help = "add `rank = …` (strictness, higher is stricter) and `kind = …` (`read`, `passive` or `write`)";
            report.problem(
                "missing-key",
                row.span(),
                "an activity needs a `rank` and a `kind`",
                help,
            );
        }
        if let (Some(id), Some(rank), Some(kind)) = (id, rank, kind) {
            if rows
                .iter()
                .any(|(_, known, _): &(u16, Activity, Kind)| known.as_str() == id.value)
            {
                twice(report, id);
            }
            rows.push((rank, Activity::new(id.value), kind));
        }
        row.finish();
    }
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    if rows.len() > ActivityTable::MOST {
        let message = format!("there are more than {} activities", ActivityTable::MOST);
        report.problem("too-many", (0, 0), message, "merge some of them");
    }
    let missing = COMMON
        .iter()
        .filter(|id| !rows.iter().any(|(_, known, _)| known.as_str() == **id));
    for id in missing {
        let message = format!("the activity `{id}` is missing");
        report.problem(
            "missing-activity",
            (0, 0),
            message,
            format!("add an `[[activity]]` with `id = \"{id}\"`"),
        );
    }
    let rows = rows.into_iter().map(|(_, activity, kind)| (activity, kind)).collect();
    draft.activities = ActivityTable::new(rows).unwrap_or_default();
    signature::signatures(report, fields, None, &BTreeMap::new(), draft);
}

pub(super) fn twice(report: &Report<'_>, id: At<&str>) {
    let message = format!("`{}` is listed twice", id.value);
    report.problem("duplicate", id.span, message, "remove one, or give it another id");
}

pub(super) fn not_a_host(report: &Report<'_>, name: At<&str>) {
    let message = format!("`{}` is not a host name", name.value);
    let help = "write a bare name such as `www.example.com`, without scheme, port or path";
    report.problem("bad-host", name.span, message, help);
}
