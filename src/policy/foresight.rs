//! What can be told of a rule before anybody asks: what its scope names is part of this and that, as catalogue and directory
//! have it, and so some conditions always hold there and others never. Pure.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{EntityTypeName, EntityUid, Policy, PrincipalConstraint, ResourceConstraint};
use serde_json::Value;

use super::World;
use super::apart::{path, sides};
use crate::facts::{Category, Person, Place};

/// What a scope says of principal or resource.
#[derive(Clone, Debug)]
pub(super) enum Side {
    Any,
    Is(EntityTypeName),
    In(EntityUid),
    IsIn(EntityTypeName, EntityUid),
    Eq(EntityUid),
}

/// A kind of thing, and the name of one.
pub(super) type Name<'a> = (&'a str, &'a str);

/// What a host is in: its platform, and categories.
pub(super) type Within<'a> = BTreeSet<Name<'a>>;

/// Somewhere that a rule may be asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot<'t> {
    /// The host, where it is a certain one.
    pub(super) host: Option<&'t str>,
    pub(super) within: &'t Within<'t>,
}

/// What is part of what, as far as catalogue and directory say so.
#[derive(Debug)]
pub(super) struct Tree<'a> {
    above: BTreeMap<Name<'a>, Within<'a>>,
    /// What hosts are in at once.
    kinds: BTreeSet<Within<'a>>,
    people: BTreeMap<&'a str, &'a Person>,
}

impl Side {
    pub(super) fn of_principal(policy: &Policy) -> Self {
        match policy.principal_constraint() {
            PrincipalConstraint::Any => Self::Any,
            PrincipalConstraint::Is(kind) => Self::Is(kind),
            PrincipalConstraint::In(group) => Self::In(group),
            PrincipalConstraint::IsIn(kind, group) => Self::IsIn(kind, group),
            PrincipalConstraint::Eq(one) => Self::Eq(one),
        }
    }

    pub(super) fn of_resource(policy: &Policy) -> Self {
        match policy.resource_constraint() {
            ResourceConstraint::Any => Self::Any,
            ResourceConstraint::Is(kind) => Self::Is(kind),
            ResourceConstraint::In(group) => Self::In(group),
            ResourceConstraint::IsIn(kind, group) => Self::IsIn(kind, group),
            ResourceConstraint::Eq(one) => Self::Eq(one),
        }
    }

    /// What a scope names: whatever it covers is that, or in it.
    pub(super) fn named(&self) -> Option<&EntityUid> {
        match self {
            Self::In(one) | Self::IsIn(_, one) | Self::Eq(one) => Some(one),
            Self::Any | Self::Is(_) => None,
        }
    }

    pub(super) fn name(&self) -> Option<Name<'_>> {
        self.named().map(name)
    }

    /// Whether everything that the other scope covers is covered by this one.
    pub(super) fn covers(&self, other: &Self, tree: &Tree<'_>) -> bool {
        match (self, other) {
            (Self::Any, _) => true,
            (Self::Is(kind), Self::Is(other) | Self::IsIn(other, _)) => kind == other,
            (Self::Is(kind), Self::Eq(one)) => kind == one.type_name(),
            (Self::In(group), Self::In(one) | Self::IsIn(_, one) | Self::Eq(one)) => tree.holds(group, one),
            (Self::IsIn(kind, group), Self::IsIn(other, one)) => kind == other && tree.holds(group, one),
            (Self::IsIn(kind, group), Self::Eq(one)) => kind == one.type_name() && tree.holds(group, one),
            (Self::Eq(one), Self::Eq(other)) => one == other,
            (Self::Is(_), Self::Any | Self::In(_))
            | (Self::In(_), Self::Any | Self::Is(_))
            | (Self::IsIn(..), Self::Any | Self::Is(_) | Self::In(_))
            | (Self::Eq(_), Self::Any | Self::Is(_) | Self::In(_) | Self::IsIn(..)) => false,
        }
    }

    /// Whether the scope of a resource covers a spot; none where that hangs on which host it is.
    pub(super) fn covers_spot(&self, spot: Spot<'_>, tree: &Tree<'_>) -> Option<bool> {
        match self {
            Self::Any => Some(true),
            Self::Is(kind) => Some(kind.basename() == SITE),
            Self::IsIn(kind, _) if kind.basename() != SITE => Some(false),
            Self::In(group) | Self::IsIn(_, group) => tree.puts_within(spot, &[name(group)]),
            Self::Eq(one) => tree.puts_at(spot, name(one)),
        }
    }
}

const SITE: &str = "Site";

/// What a host is in, as the catalogue has it.
pub(super) fn within(place: &Place) -> Within<'_> {
    let platform = place.platform.as_ref().map(|id| ("Platform", id.as_str()));
    let categories = place.categories.iter().map(|one| ("Category", one.as_str()));
    platform.into_iter().chain(categories).collect()
}

impl<'a> Tree<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let categories = |all: &'a BTreeSet<Category>| all.iter().map(|one| ("Category", one.as_str()));
        let units = |person: &'a Person| {
            let roles = person.roles.iter().map(|role| ("Role", role.as_str()));
            roles
                .chain(person.departments.iter().map(|unit| ("Department", unit.as_str())))
                .collect()
        };
        let of_categories = world
            .categories
            .iter()
            .map(|(id, above)| (("Category", id.as_str()), categories(above).collect()));
        let platforms = world.platforms.iter();
        let platforms = platforms.map(|one| (("Platform", one.id.as_str()), categories(&one.categories).collect()));
        let sites = world
            .sites
            .iter()
            .map(|place| ((SITE, place.host.as_str()), within(place)));
        let people = world
            .people
            .iter()
            .map(|person| (("User", person.id.as_str()), units(person)));
        Self {
            above: of_categories.chain(platforms).chain(sites).chain(people).collect(),
            kinds: world.places.iter().map(within).chain([Within::new()]).collect(),
            people: world
                .people
                .iter()
                .map(|person| (person.id.as_str(), &**person))
                .collect(),
        }
    }

    /// What something of this name is in.
    pub(super) fn above<'t>(&'t self, name: Name<'t>) -> impl Iterator<Item = Name<'t>> {
        self.above.get(&name).into_iter().flatten().copied()
    }

    /// Whether `one` is surely in `group`.
    fn holds(&self, group: &EntityUid, one: &EntityUid) -> bool {
        group == one
            || self
                .above
                .get(&name(one))
                .is_some_and(|above| above.contains(&name(group)))
    }

    /// Everywhere that a resource's scope covers, where it names something that is known; else nowhere.
    pub(super) fn spots<'t>(&'t self, side: &'t Side) -> Vec<Spot<'t>> {
        match side {
            Side::Eq(one) | Side::In(one) | Side::IsIn(_, one) if one.type_name().basename() == SITE => {
                let host = Some(one.id().unescaped());
                let within = self.above.get(&name(one)).into_iter();
                within.map(|within| Spot { host, within }).collect()
            }
            Side::Any | Side::Is(_) | Side::Eq(_) => Vec::new(),
            Side::In(group) | Side::IsIn(_, group) => {
                let kinds = self.kinds.iter().filter(|within| within.contains(&name(group)));
                kinds.map(|within| Spot { host: None, within }).collect()
            }
        }
    }

    /// One spot of each kind that there is.
    pub(super) fn everywhere(&self) -> Vec<Spot<'_>> {
        self.kinds.iter().map(|within| Spot { host: None, within }).collect()
    }

    /// What an expression comes to wherever this principal's scope meets one of `spots`; none where that is not sure.
    pub(super) fn foresees(&self, expression: &Value, principal: &Side, spots: &[Spot<'_>]) -> Option<bool> {
        let Some((first, rest)) = spots.split_first() else {
            return self.foresees_at(expression, principal, None);
        };
        let at = |spot| self.foresees_at(expression, principal, Some(spot));
        let answer = at(first)?;
        rest.iter().all(|spot| at(spot) == Some(answer)).then_some(answer)
    }

    fn foresees_at(&self, expression: &Value, principal: &Side, spot: Option<&Spot<'_>>) -> Option<bool> {
        let of = |inner| self.foresees_at(inner, principal, spot);
        if let Some((left, right)) = sides(expression, "&&") {
            return both(of(left), of(right));
        }
        if let Some((left, right)) = sides(expression, "||") {
            return both(of(left).map(|is| !is), of(right).map(|is| !is)).map(|neither| !neither);
        }
        if let Some(inner) = expression.pointer("/!/arg") {
            return of(inner).map(|is| !is);
        }
        if let Some((left, right)) = sides(expression, "in") {
            let groups = named_in(right)?;
            return match path(left)?.as_str() {
                "principal" => self.is_within(principal, &groups),
                "resource" => self.puts_within(*spot?, &groups),
                _ => None,
            };
        }
        let equal = sides(expression, "==").map(|equal| (equal, true));
        if let Some(((left, right), wanted)) = equal.or_else(|| Some((sides(expression, "!=")?, false))) {
            let other = named_in(right)?;
            let [one] = other[..] else { return None };
            return self.is(&path(left)?, one, principal, spot).map(|is| is == wanted);
        }
        if path(expression)? == "resource.classified" {
            return spot.map(|spot| !spot.within.is_empty());
        }
        None
    }

    /// Whether a spot is this host; none where that hangs on which host it is.
    fn puts_at(&self, spot: Spot<'_>, site: Name<'_>) -> Option<bool> {
        match spot.host {
            Some(host) => Some(site == (SITE, host)),
            // hosts that nothing is known of may be anywhere
            None if site.0 == SITE && self.above.get(&site).is_none_or(|within| within == spot.within) => None,
            None => Some(false),
        }
    }

    /// Whether a spot is in one of the groups, of which a host may be one; none where that hangs on which host it is.
    fn puts_within(&self, spot: Spot<'_>, groups: &[Name<'_>]) -> Option<bool> {
        let within = |group: &Name<'_>| {
            if spot.within.contains(group) {
                return Some(true);
            }
            self.puts_at(spot, *group)
        };
        let outside = groups.iter().map(|group| within(group).map(|is| !is));
        outside.fold(Some(true), both).map(|outside| !outside)
    }

    /// Whether everybody of a principal's scope is in one of the groups, or nobody is.
    fn is_within(&self, side: &Side, groups: &[Name<'_>]) -> Option<bool> {
        let one = side.name()?;
        if groups.contains(&one) || self.above(one).any(|above| groups.contains(&above)) {
            return Some(true);
        }
        let is_known = matches!(side, Side::Eq(_)) && self.above.contains_key(&one);
        is_known.then_some(false)
    }

    fn is(&self, what: &str, one: Name<'_>, principal: &Side, spot: Option<&Spot<'_>>) -> Option<bool> {
        match (what, principal) {
            ("resource", _) => self.puts_at(*spot?, one),
            ("principal", Side::Eq(uid)) => Some(name(uid) == one),
            ("principal.employment", Side::Eq(uid)) => {
                let person = self.people.get(uid.id().unescaped())?;
                Some(one == ("Employment", person.employment.as_str()))
            }
            _ => None,
        }
    }
}

fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        (None, _) | (_, None) => None,
    }
}

/// Whether what an expression comes to may be known wherever it is known what is part of what.
pub(super) fn can_be_foreseen(expression: &Value) -> bool {
    if let Some((left, right)) = sides(expression, "&&").or_else(|| sides(expression, "||")) {
        return can_be_foreseen(left) && can_be_foreseen(right);
    }
    if let Some(inner) = expression.pointer("/!/arg") {
        return can_be_foreseen(inner);
    }
    let is_known = |left: &Value| {
        let known = ["principal", "resource", "principal.employment", "resource.classified"];
        path(left).is_some_and(|path| known.contains(&path.as_str()))
    };
    let compared = ["in", "==", "!="]
        .iter()
        .find_map(|operator| sides(expression, operator));
    match compared {
        Some((left, right)) => is_known(left) && named_in(right).is_some(),
        None => is_known(expression),
    }
}

/// The things one of which a condition asks principal or resource to be, or to be in; none where it may hold of others.
pub(super) fn asked_for(expression: &Value) -> Option<BTreeSet<Name<'_>>> {
    if let Some((left, right)) = sides(expression, "||") {
        let mut both = asked_for(left)?;
        both.extend(asked_for(right)?);
        return Some(both);
    }
    if let Some((left, right)) = sides(expression, "&&") {
        return asked_for(left).or_else(|| asked_for(right));
    }
    let (left, right) = sides(expression, "in").or_else(|| sides(expression, "=="))?;
    let is_slot = ["principal", "resource"].contains(&path(left)?.as_str());
    Some(named_in(right)?.into_iter().collect()).filter(|_| is_slot)
}

/// The scope that a condition makes of one that names nothing.
pub(super) fn scope_of(expression: &Value, slot: &str) -> Option<Side> {
    let (operator, (left, right)) = ["==", "in"]
        .iter()
        .find_map(|operator| Some((*operator, sides(expression, operator)?)))?;
    if left.get("Var").and_then(Value::as_str) != Some(slot) {
        return None;
    }
    let [(kind, id)] = named_in(right)?[..] else {
        return None;
    };
    let uid = EntityUid::from_type_name_and_id(kind.parse().ok()?, cedar_policy::EntityId::new(id));
    Some(if operator == "==" { Side::Eq(uid) } else { Side::In(uid) })
}

/// The name, or the set of names, that an expression is.
fn named_in(expression: &Value) -> Option<Vec<Name<'_>>> {
    fn one(value: &Value) -> Option<Name<'_>> {
        let entity = value.pointer("/Value/__entity")?;
        Some((entity.get("type")?.as_str()?, entity.get("id")?.as_str()?))
    }
    match expression.get("Set").and_then(Value::as_array) {
        Some(all) => all.iter().map(one).collect(),
        None => Some(vec![one(expression)?]),
    }
}

pub(super) fn name(uid: &EntityUid) -> Name<'_> {
    (uid.type_name().basename(), uid.id().unescaped())
}
