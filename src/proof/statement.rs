//! What was found, told in as few statements as it takes: those that differ in one thing only become one. Pure.

use std::collections::BTreeSet;

use super::Theory;
use super::difference::{Found, Way};
use super::effect::listed;
use super::unread::UNREAD;

/// Groups of actions by which something leaves the house: what is said of them comes first.
const WEIGHTY: [&str; 2] = ["publish", "administer"];

/// Who may newly do what, or no longer.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Which way.
    pub way: Way,
    /// Whether it is about whom the gateway reads, and not about what they may do.
    pub reads: bool,
    /// The rules that make the difference, each of which one side alone has.
    pub rules: Vec<String>,
    /// Who, what, where and what for, in words.
    pub sentence: String,
    /// What it was made of, each with a request.
    pub found: Vec<Found>,
}

/// On the way to a statement: of each thing, all that it is true of.
#[derive(Clone, Debug)]
struct Draft {
    way: Way,
    /// By their places in [`THINGS`].
    things: [BTreeSet<String>; THINGS],
    /// Whether the rules make it by failing to evaluate.
    fails: bool,
    grounds: Vec<String>,
    network: Option<String>,
    when: Option<String>,
    found: Vec<Found>,
}

/// Actions, purposes, places, people, rules: in this order they are put together.
const THINGS: usize = 5;

/// What was found as statements, the weightiest first.
pub(super) fn statements(found: Vec<Found>, theory: &Theory) -> Vec<Statement> {
    let mut drafts: Vec<Draft> = found.into_iter().map(Draft::of).collect();
    loop {
        let before = drafts.len();
        for thing in 0..THINGS {
            drafts = together(drafts, thing);
        }
        if drafts.len() == before {
            break;
        }
    }
    drafts.sort_by_key(|draft| (draft.way, draft.lightness(theory)));
    drafts.into_iter().map(|draft| draft.statement(theory)).collect()
}

/// Those that differ in one thing alone, made one; what is not said of one is not put beside what is said of another.
fn together(mut drafts: Vec<Draft>, thing: usize) -> Vec<Draft> {
    let mut kept: Vec<Draft> = Vec::new();
    drafts.sort_by_key(|draft| draft.grounds.len());
    for draft in drafts {
        match kept.iter_mut().find(|other| other.differs_only_in(thing, &draft)) {
            Some(other) => {
                for (mine, theirs) in other.things.iter_mut().zip(draft.things) {
                    mine.extend(theirs);
                }
                other.found.extend(draft.found);
            }
            None => kept.push(draft),
        }
    }
    kept
}

impl Draft {
    fn of(found: Found) -> Self {
        let parts = found.scope.parts();
        let one = |text: String| BTreeSet::from([text]);
        Self {
            way: found.way,
            things: [
                found.actions.clone(),
                one(parts.purpose),
                one(parts.place),
                one(parts.who),
                one(found.rule.clone()),
            ],
            fails: found.fails,
            grounds: found.grounds.clone(),
            network: parts.network,
            when: parts.when,
            found: vec![found],
        }
    }

    /// What it is about: see [`sort`].
    fn sort(&self) -> u8 {
        let [actions, ..] = &self.things;
        sort(actions)
    }

    fn differs_only_in(&self, thing: usize, other: &Self) -> bool {
        let both = || self.things.iter().zip(&other.things).enumerate();
        let same = both().all(|(number, (one, another))| number == thing || one == another);
        let is_said = |things: &BTreeSet<String>| !things.contains("");
        let said = both().all(|(number, (one, another))| number != thing || (is_said(one) && is_said(another)));
        // what the other is said of but for this is said of all of both
        let but_for_this = |ground: &&String| {
            let mut values = self.things.iter().skip(thing).take(1).flatten();
            !values.any(|value| excludes(ground, value))
        };
        let same_grounds = other.grounds.iter().filter(but_for_this).eq(&self.grounds);
        same && said
            && same_grounds
            && (self.way, self.fails, self.sort()) == (other.way, other.fails, other.sort())
            && self.network == other.network
    }

    /// What is published or administered weighs most, then what is true of everybody, and then what hangs on little.
    fn lightness(&self, theory: &Theory) -> (bool, bool, usize) {
        let [actions, _, _, who, _] = &self.things;
        let weighty = WEIGHTY
            .iter()
            .map(|group| theory.language.actions(&[(*group).to_owned()]).0);
        let is_weighty = weighty
            .flatten()
            .any(|action| actions.contains(action.id().unescaped()));
        (
            !is_weighty && !actions.contains(UNREAD),
            !who.contains(""),
            self.grounds.len(),
        )
    }

    fn statement(self, theory: &Theory) -> Statement {
        let [actions, purposes, places, who, rules] = &self.things;
        let or = |words: &BTreeSet<String>| listed(&words.iter().cloned().collect::<Vec<_>>(), "or");
        let mut said = "somebody".to_owned();
        let mut more = |text: String, joint: &str| {
            if !text.is_empty() {
                said = format!("{said}{joint}{text}");
            }
        };
        more(or(who), " ");
        let is = |name: &str| actions.iter().all(|action| action == name);
        let verb = match () {
            () if is("connect") => "may reach hosts".to_owned(),
            () if is("inspect") => String::new(),
            () if is(UNREAD) => "may do anything unread".to_owned(),
            () => format!("may {}", listed(&theory.grouped(actions.clone()), "and")),
        };
        more(verb, " ");
        more(one_preposition(&or(places)), " ");
        more(or(purposes), " under ");
        let network = self.network.iter().map(|name| format!("from the `{name}` network"));
        more(network.collect(), ", ");
        more(self.grounds.join(" && "), ", where ");
        more(self.when.iter().cloned().collect(), ", for example on ");
        said = match (self.fails, self.way) {
            (false, _) => said,
            (true, Way::Denied) => format!("fails to evaluate, which denies: {said}"),
            (true, Way::Allowed) => format!("failed to evaluate, which denied: {said}"),
        };
        Statement {
            reads: is("inspect"),
            way: self.way,
            rules: rules.iter().cloned().collect(),
            sentence: said,
            found: self.found,
        }
    }
}

/// What is done, what is read, and what passes unread are not told in one breath.
pub(super) fn sort(actions: &BTreeSet<String>) -> u8 {
    match () {
        () if actions.contains(UNREAD) => 2,
        () if actions.contains("inspect") => 1,
        () => 0,
    }
}

/// Whether a ground says no more than that it is about nobody, or no place, of this value: "on `x`", "with role `x`".
fn excludes(ground: &str, value: &str) -> bool {
    let parts: Vec<&str> = value.split('`').collect();
    let &["on " | "with role " | "in department ", name, ""] = &parts[..] else {
        return false;
    };
    let Some(inner) = ground.strip_prefix("!(").and_then(|rest| rest.strip_suffix(')')) else {
        return false;
    };
    let kinds = [
        "resource in Platform",
        "resource in Category",
        "principal in Role",
        "principal in Department",
    ];
    kinds.iter().any(|kind| inner == format!("{kind}::{name:?}"))
}

/// `on a, on b or on c`, as one says it.
fn one_preposition(places: &str) -> String {
    places.replace(", on ", ", ").replace(" or on ", " or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(actions: &[&str], purpose: &str, place: &str, who: &str) -> Draft {
        let one = |text: &str| BTreeSet::from([text.to_owned()]);
        Draft {
            way: Way::Allowed,
            things: [
                actions.iter().map(|action| (*action).to_owned()).collect(),
                one(purpose),
                one(place),
                one(who),
                one("rule"),
            ],
            fails: false,
            grounds: Vec::new(),
            network: None,
            when: None,
            found: Vec::new(),
        }
    }

    fn told(mut drafts: Vec<Draft>) -> Vec<String> {
        for thing in 0..THINGS {
            drafts = together(drafts, thing);
        }
        let words = |draft: &Draft| {
            let things = draft
                .things
                .iter()
                .map(|all| all.iter().cloned().collect::<Vec<_>>().join("|"));
            things.collect::<Vec<_>>().join(" ")
        };
        drafts.iter().map(words).collect()
    }

    #[test]
    fn what_differs_in_one_thing_is_said_at_once() {
        let all = ["upload", "publish"]
            .into_iter()
            .flat_map(|action| ["on `a`", "on `b`"].map(|place| draft(&[action], "`p`", place, "w")));
        assert_eq!(told(all.collect()), ["publish|upload `p` on `a`|on `b` w rule"]);
        assert_eq!(one_preposition("on `a`, on `b` or on `c`"), "on `a`, `b` or `c`");
    }

    #[test]
    fn what_differs_in_more_stays_apart_and_so_does_what_is_not_said() {
        let two = vec![
            draft(&["post"], "`p`", "on `a`", "w"),
            draft(&["post"], "`q`", "on `b`", "w"),
        ];
        assert_eq!(told(two).len(), 2);
        let unsaid = vec![
            draft(&["post"], "`p`", "on `a`", "w"),
            draft(&["post"], "", "on `a`", "w"),
        ];
        assert_eq!(told(unsaid).len(), 2);
        // `a`, and `b` but for what is in `a`, is `a` and `b`
        let rest = |ground: &str| {
            let mut all = ["on `b`", "on `a`"].map(|place| draft(&["post"], "`p`", place, "w"));
            all[0].grounds.push(ground.to_owned());
            told(all.to_vec()).len()
        };
        assert_eq!(rest("!(resource in Platform::\"a\")"), 1);
        assert_eq!(rest("!(resource in Platform::\"c\")"), 2);
        let mut grounds = vec![draft(&["post"], "`p`", "on `a`", "w"); 2];
        grounds[1].grounds.push("context.x".to_owned());
        assert_eq!(told(grounds).len(), 2);
    }
}
