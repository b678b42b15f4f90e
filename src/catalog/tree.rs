//! What the catalogue lists: services, the tree of categories, and the activities by strictness.

use std::collections::{BTreeMap, BTreeSet};

use crate::facts::{Activity, Category, PlatformId, Wording};

/// How far requests to a platform can be understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Requests can be told apart once decrypted.
    Request,
    /// Requests are visible, message content is not (protobuf, end-to-end encryption).
    RequestPartial,
    /// Only hosts can be allowed or refused.
    Connect,
}

/// A service of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The id that rules name.
    pub id: PlatformId,
    /// What people call it.
    pub name: String,
    /// Who runs it.
    pub owner: String,
    /// Its category.
    pub category: Category,
    /// The group of services that call each other (`meta`: Facebook, Instagram and their CDN).
    pub family: String,
    /// How far its requests can be understood.
    pub control: Control,
    /// What an operator should know of it.
    pub notes: Option<String>,
}

/// The categories and what each is part of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CategoryTree {
    parents: BTreeMap<Category, Option<Category>>,
    titles: BTreeMap<Category, Wording>,
}

impl CategoryTree {
    pub(super) fn new(parents: BTreeMap<Category, Option<Category>>, titles: BTreeMap<Category, Wording>) -> Self {
        Self { parents, titles }
    }

    /// What people call a category, where the catalogue says so.
    pub fn title(&self, id: &Category) -> Option<&Wording> {
        self.titles.get(id)
    }

    /// Every category.
    pub fn ids(&self) -> impl Iterator<Item = &Category> {
        self.parents.keys()
    }

    /// Whether the tree has the category.
    pub fn contains(&self, id: &Category) -> bool {
        self.parents.contains_key(id)
    }

    /// What the category is part of, directly.
    pub fn parents(&self, id: &Category) -> BTreeSet<Category> {
        self.parents.get(id).cloned().flatten().into_iter().collect()
    }

    /// The category and everything that it is part of.
    pub fn closure(&self, id: &Category) -> BTreeSet<Category> {
        let mut all = BTreeSet::new();
        let mut next = Some(id.clone());
        while let Some(id) = next {
            next = self.parents.get(&id).cloned().flatten();
            if !all.insert(id) {
                break;
            }
        }
        all
    }
}

/// What an activity does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It only looks.
    Read,
    /// It is not the employee's doing: a widget on another site, a client's log.
    Passive,
    /// It changes something.
    Write,
}

/// The place of an activity in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ActivityIndex(u8);

/// An activity, as it is listed.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) activity: Activity,
    pub(super) kind: Kind,
    /// Whether it is done for what is done beside: nobody goes somewhere for it alone.
    pub(super) goes_along: bool,
}

/// The activities, mildest first.
#[derive(Debug, Default)]
pub(super) struct ActivityTable {
    rows: Vec<Row>,
    pub(super) common: Common,
}

/// The activities that the code itself names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Common {
    pub(super) browse: ActivityIndex,
    pub(super) view_media: ActivityIndex,
    pub(super) embed: ActivityIndex,
    pub(super) telemetry: ActivityIndex,
    pub(super) unknown_write: ActivityIndex,
}

impl Default for Common {
    fn default() -> Self {
        let zero = ActivityIndex(0);
        Self {
            browse: zero,
            view_media: zero,
            embed: zero,
            telemetry: zero,
            unknown_write: zero,
        }
    }
}

/// The ids of [`Common`], which `activities.toml` must list.
pub(super) const COMMON: [&str; 5] = ["browse", "view-media", "embed", "telemetry", "unknown-write"];

impl ActivityTable {
    /// So many activities fit into a [`Found`](super::recognise::Found) set.
    pub(super) const MOST: usize = 64;

    /// The table of these activities in order of strictness, mildest first; none if a common one is missing.
    pub(super) fn new(rows: Vec<Row>) -> Option<Self> {
        let mut table = Self {
            rows,
            common: Common::default(),
        };
        table.common = Common {
            browse: table.index("browse")?,
            view_media: table.index("view-media")?,
            embed: table.index("embed")?,
            telemetry: table.index("telemetry")?,
            unknown_write: table.index("unknown-write")?,
        };
        Some(table)
    }

    pub(super) fn index(&self, id: &str) -> Option<ActivityIndex> {
        let at = self.rows.iter().position(|row| row.activity.as_str() == id)?;
        u8::try_from(at).ok().map(ActivityIndex)
    }

    pub(super) fn activity(&self, at: ActivityIndex) -> Option<&Activity> {
        self.rows.get(usize::from(at.0)).map(|row| &row.activity)
    }

    pub(super) fn kind(&self, at: ActivityIndex) -> Kind {
        self.rows.get(usize::from(at.0)).map_or(Kind::Write, |row| row.kind)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Activity> {
        self.rows.iter().map(|row| &row.activity)
    }

    pub(super) fn goes_along(&self, activity: &Activity) -> bool {
        let mut along = self.rows.iter().filter(|row| row.goes_along);
        along.any(|row| row.activity == *activity)
    }
}

impl ActivityIndex {
    /// The index as a set of one, for sets of up to 64 activities.
    pub(super) fn bit(self) -> u64 {
        1_u64.checked_shl(u32::from(self.0)).unwrap_or(0)
    }

    /// The members of a set, mildest first.
    pub(super) fn members(set: u64) -> impl Iterator<Item = Self> {
        let mut left = set;
        std::iter::from_fn(move || {
            let mildest = u8::try_from(left.trailing_zeros()).ok()?;
            left &= left.checked_sub(1)?;
            Some(Self(mildest))
        })
    }
}
