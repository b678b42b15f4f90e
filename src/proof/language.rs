//! What properties are told in: the words of the schema, and the names of catalogue and directory.

use std::collections::BTreeSet;

use cedar_policy::{Entities, EntityUid, RequestEnv, Schema};

use super::ladders::{Ladders, ladders};
use crate::catalog::Catalog;
use crate::facts::{Problem, SourceText};
use crate::policy::NamedKind;
use crate::rulebook::Directory;

/// Schema and names.
#[derive(Debug)]
pub struct Language {
    /// The vocabulary.
    pub schema: Schema,
    /// The kinds of requests: one for each action that something can be asked about.
    pub envs: Vec<RequestEnv>,
    /// The actions and the groups that they are in.
    pub(super) actions: Entities,
    /// The names, each with all that it is part of.
    pub(super) ladders: Ladders,
    /// Of these kinds there may be more names.
    unread: BTreeSet<NamedKind>,
}

impl Language {
    /// The words of a schema that was read before, and the names that there are, or of the kinds `unread` some of them.
    pub fn new(
        schema: &SourceText,
        catalog: &Catalog,
        people: &Directory,
        unread: BTreeSet<NamedKind>,
    ) -> Result<Self, Vec<Problem>> {
        let (words, _) = Schema::from_cedarschema_str(&schema.text).map_err(|e| broken(schema, &e))?;
        let mut envs: Vec<RequestEnv> = words.request_envs().collect();
        envs.sort_by_key(|env| (env.action().to_string(), env.resource().to_string()));
        Ok(Self {
            actions: words.action_entities().map_err(|e| broken(schema, &e))?,
            ladders: ladders(catalog, people),
            schema: words,
            envs,
            unread,
        })
    }

    /// The actions that `names` mean, themselves or what is in a group of that name; and the names that mean none.
    pub fn actions<'n>(&self, names: &'n [String]) -> (BTreeSet<EntityUid>, Vec<&'n str>) {
        let (mut found, mut unknown) = (BTreeSet::new(), Vec::new());
        for name in names {
            let is = |uid: &EntityUid| uid.id().unescaped() == name;
            let meant = self.envs.iter().map(RequestEnv::action);
            let mut means = false;
            for action in meant {
                if is(action) || self.actions.ancestors(action).into_iter().flatten().any(is) {
                    means = true;
                    found.insert(action.clone());
                }
            }
            if !means {
                unknown.push(name.as_str());
            }
        }
        (found, unknown)
    }

    /// Whether catalogue or directory know what an entity of their kinds is called, or may.
    pub fn knows(&self, uid: &EntityUid) -> bool {
        let kind = uid.type_name().basename();
        let is_unread = NamedKind::of(kind).is_some_and(|kind| self.unread.contains(&kind));
        let is_listed = |known: &EntityUid| known.type_name().basename() == kind;
        is_unread || !self.ladders.keys().any(is_listed) || self.ladders.contains_key(uid)
    }

    /// The names of one kind.
    pub fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        let of = move |uid: &&EntityUid| uid.type_name().basename() == kind;
        self.ladders.keys().filter(of).map(|uid| uid.id().unescaped())
    }
}

/// What cannot be reasoned about.
pub(super) fn broken(schema: &SourceText, error: &dyn std::error::Error) -> Vec<Problem> {
    vec![Problem::of_file(
        "wayleave::proof::theory",
        &schema.name,
        error.to_string(),
    )]
}
