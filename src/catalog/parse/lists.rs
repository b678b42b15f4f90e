//! `categories.toml` and `activities.toml`.

use std::collections::BTreeMap;

use super::super::tree::{ActivityTable, COMMON, CategoryTree, Kind, Row};
use super::{Draft, signature};
use crate::facts::fields::{At, Fields, list};
use crate::facts::{Activity, Category, Host, did_you_mean};

/// The keys of `categories.toml`.
pub(super) const CATEGORIES: &[&str] = &["category"];
const CATEGORY: &[&str] = &["id", "parent", "title", "note", "domains"];
/// How many categories a category may be part of. Each request carries them all.
const MOST_ABOVE: usize = 16;
/// The keys of `activities.toml`.
pub(super) const ACTIVITIES: &[&str] = &["activity", "signature"];
const ACTIVITY: &[&str] = &["id", "rank", "kind", "goes-along", "title"];

/// The tree of categories, with the names that belong to one whatever platform they are on.
pub(super) fn categories(fields: &Fields<'_, '_>, draft: &mut Draft) {
    let rows = fields.tables("category", CATEGORY);
    let mut parents: BTreeMap<Category, Option<Category>> = BTreeMap::new();
    let mut stated = Vec::new();
    let mut named = Vec::new();
    let mut titles = BTreeMap::new();
    for row in rows {
        let id = row.name("id");
        let parent = row.text("parent");
        let title = row.wording("title");
        row.text("note");
        let domains = row.texts("domains");
        if let Some(id) = id {
            let category = Category::new(id.value);
            if parents
                .insert(category.clone(), parent.map(|parent| Category::new(parent.value)))
                .is_some()
            {
                twice(&row, id);
            }
            stated.extend(parent.map(|parent| (category.clone(), parent)));
            titles.extend(title.map(|title| (category.clone(), title)));
            named.push((category, domains));
        }
    }
    for (_, parent) in &stated {
        if !parents.contains_key(&Category::new(parent.value)) {
            unknown(fields, "category", *parent, parents.keys().map(Category::as_str));
        }
    }
    make_a_tree(fields, &stated, &mut parents);
    draft.categories = CategoryTree::new(parents, titles);
    for (category, domains) in named {
        let closure = draft.categories.closure(&category);
        for name in domains {
            match Host::parse(name.value) {
                Ok(host) => draft.category_names.push((host.as_str().into(), closure.clone())),
                Err(_) => not_a_host(fields, name),
            }
        }
    }
}

/// Takes out the parents that make a circle, or more levels than anybody could look through, and says so.
fn make_a_tree(
    fields: &Fields<'_, '_>,
    stated: &[(Category, At<&str>)],
    parents: &mut BTreeMap<Category, Option<Category>>,
) {
    for (id, parent) in stated {
        if above(parents, id).any(|one| one == id) {
            let message = format!("`{}` would be part of itself", id.as_str());
            let help = "take away one `parent` of those that form the circle";
            fields.report("circle", parent.span, message, help);
            parents.insert(id.clone(), None);
        }
    }
    let mut is_told = false;
    for (id, parent) in stated {
        if above(parents, id).count() > MOST_ABOVE {
            if !std::mem::replace(&mut is_told, true) {
                let message = format!("`{}` has more than {MOST_ABOVE} categories above it", id.as_str());
                fields.report("too-deep", parent.span, message, "leave out levels that no rule names");
            }
            parents.insert(id.clone(), None);
        }
    }
}

/// What a category is part of, from the nearest on, and no further than one may be.
fn above<'p>(
    parents: &'p BTreeMap<Category, Option<Category>>,
    id: &'p Category,
) -> impl Iterator<Item = &'p Category> {
    std::iter::successors(Some(id), |id| parents.get(id)?.as_ref())
        .skip(1)
        .take(MOST_ABOVE + 1)
}

/// The activities, mildest first, and the signatures that hold on every platform.
pub(super) fn activities(fields: &Fields<'_, '_>, draft: &mut Draft) {
    const KINDS: [(&str, Kind); 3] = [("read", Kind::Read), ("passive", Kind::Passive), ("write", Kind::Write)];
    let mut rows: Vec<(u64, Row)> = Vec::new();
    for row in fields.tables("activity", ACTIVITY) {
        let (id, rank) = (row.required("id"), row.number("rank").map(|rank| rank.value));
        draft.listed_activities.extend(id.map(|id| id.value.to_owned()));
        let kind = row.choice("kind", &KINDS);
        let goes_along = row.flag("goes-along").unwrap_or_default();
        row.text("title");
        if rank.is_none() || kind.is_none() {
            let help = "add `rank = …` (strictness, higher is stricter) and `kind = …` (`read`, `passive` or `write`)";
            row.report("missing-key", row.span, "an activity needs a `rank` and a `kind`", help);
        }
        if let (Some(id), Some(rank), Some(kind)) = (id, rank, kind) {
            if rows.iter().any(|(_, known)| known.activity.as_str() == id.value) {
                twice(&row, id);
            }
            let activity = Activity::new(id.value);
            rows.push((
                rank,
                Row {
                    activity,
                    kind,
                    goes_along,
                },
            ));
        }
    }
    rows.sort_by(|a, b| (a.0, &a.1.activity).cmp(&(b.0, &b.1.activity)));
    if rows.len() > ActivityTable::MOST {
        let message = format!("there are more than {} activities", ActivityTable::MOST);
        fields.report("too-many", (0, 0), message, "merge some of them");
    }
    let missing = COMMON
        .iter()
        .filter(|id| !rows.iter().any(|(_, known)| known.activity.as_str() == **id));
    for id in missing {
        let message = format!("the activity `{id}` is missing");
        fields.report(
            "missing-activity",
            (0, 0),
            message,
            format!("add an `[[activity]]` with `id = \"{id}\"`"),
        );
    }
    let rows = rows.into_iter().map(|(_, row)| row).collect();
    draft.activities = ActivityTable::new(rows).unwrap_or_default();
    signature::signatures(fields, None, &BTreeMap::new(), draft);
}

pub(super) fn twice(row: &Fields<'_, '_>, id: At<&str>) {
    let message = format!("`{}` is listed twice", id.value);
    row.report("duplicate", id.span, message, "remove one, or give it another id");
}

pub(super) fn not_a_host(row: &Fields<'_, '_>, name: At<&str>) {
    let message = format!("`{}` is not a host name", name.value);
    let help = "write a bare name such as `www.example.com`, without scheme, port or path";
    row.report("bad-host", name.span, message, help);
}

/// Says that `word` is not one of `known`, and which of them was probably meant.
pub(super) fn unknown<'k>(row: &Fields<'_, '_>, kind: &str, word: At<&str>, known: impl IntoIterator<Item = &'k str>) {
    let known: Vec<&str> = known.into_iter().collect();
    let help = match did_you_mean(word.value, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.len() <= 16 => format!("known are {}", list(known.into_iter())),
        None => format!("name a {kind} that the catalogue lists"),
    };
    let message = format!("`{}` is not a known {kind}", word.value);
    row.report(&format!("unknown-{}", kind.replace(' ', "-")), word.span, message, help);
}

/// The meaning of one word of a closed list.
pub(super) fn meaning<T: Copy>(row: &Fields<'_, '_>, kind: &str, word: At<&str>, words: &[(&str, T)]) -> Option<T> {
    let found = words.iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        unknown(row, kind, word, words.iter().map(|(name, _)| *name));
    }
    found.map(|(_, meaning)| *meaning)
}
