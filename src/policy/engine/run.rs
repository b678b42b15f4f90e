//! Evaluates conditions as Cedar does. Whatever would be an error there is a doubt here.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityUID, Literal, PartialValue, Value, ValueKind};
use cedar_policy_core::evaluator::{binary_arith, unary_app};
use smol_str::SmolStr;

use super::body::{Body, Condition, Program};
use super::compare::{order, sets};
use super::facts::Facts;
use super::kept::{self, LookedUp, Thing};
use super::node::{Make, Node, OrderOfLeaf};
use super::{Doubt, Numbers, Party};

/// Working memory, to be used again by the same thread: what shared parts came to in this question.
#[derive(Debug, Default)]
pub struct Scratch {
    question: u64,
    // stamped with the question, so that nothing needs to be cleared
    shared: Vec<(u64, Option<bool>)>,
    /// Lists that became long, and are empty again.
    spare: Vec<Numbers>,
}

/// So many spare lists are kept: two for the question that is asked, and as many for one that is concluded.
const SPARE: usize = 4;

impl Scratch {
    /// An empty list.
    pub(super) fn numbers(&mut self) -> Numbers {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes a list that nobody needs any more, for another question.
    pub fn take_back(&mut self, mut numbers: Numbers) {
        if numbers.spilled() && self.spare.len() < SPARE {
            numbers.clear();
            self.spare.push(numbers);
        }
    }
}

/// One question.
pub(super) struct Run<'a, F> {
    pub(super) program: &'a Program,
    principal: &'a Party,
    action: &'a Party,
    resource: &'a Party,
    pub(super) facts: &'a F,
    question: u64,
    shared: RefCell<&'a mut Vec<(u64, Option<bool>)>>,
    /// Of whom more was asked than who they are, since that was last forgotten.
    looked_up: Cell<LookedUp>,
}

/// A value that somebody holds, or that came about just now.
enum Found<'a> {
    Held(&'a Value),
    New(Value),
}

impl Found<'_> {
    fn value(&self) -> &Value {
        match self {
            Self::Held(value) => value,
            Self::New(value) => value,
        }
    }

    fn into_value(self) -> Value {
        match self {
            Self::Held(value) => value.clone(),
            Self::New(value) => value,
        }
    }
}

type Told<T> = Result<T, Doubt>;

impl<'a, F: Facts> Run<'a, F> {
    pub(super) fn new(
        program: &'a Program,
        (principal, action, resource): (&'a Party, &'a Party, &'a Party),
        facts: &'a F,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.question += 1;
        if scratch.shared.len() < program.most_shared() {
            scratch.shared.resize(program.most_shared(), (0, None));
        }
        Self {
            program,
            principal,
            action,
            resource,
            facts,
            question: scratch.question,
            shared: RefCell::new(&mut scratch.shared),
            looked_up: Cell::default(),
        }
    }

    /// Whether a rule's condition holds.
    pub(super) fn holds(&self, body: &'a Body) -> Told<bool> {
        match body.condition() {
            Condition::Always => Ok(true),
            Condition::When(node) => self.truth(node),
            Condition::LeftToCedar => Err(Doubt),
        }
    }

    pub(super) fn truth(&self, node: &'a Node) -> Told<bool> {
        match node {
            Node::Shared(number) => self.shared(*number),
            Node::All(parts) => Ok(!self.some_is(false, parts)?),
            Node::Any(parts) => self.some_is(true, parts),
            Node::Not(one) => Ok(!self.truth(one)?),
            Node::Equal(both) => Ok(self.find(&both.0)?.value() == self.find(&both.1)?.value()),
            Node::Order(op, both) => order(*op, self.find(&both.0)?.value(), self.find(&both.1)?.value()),
            Node::OrderOfLeaf(order) => self.order_of_leaf(order),
            Node::In(both) => self.is_in(both),
            Node::Sets(op, both) => sets(*op, self.find(&both.0)?.value(), self.find(&both.1)?.value()),
            Node::HasTag(both) => Ok(self.tag(both)?.is_some()),
            Node::HasLeaf(leaf) => Ok(self.facts.leaf(*leaf)?.is_some()),
            Node::HasBeside(first, leaf) => {
                self.facts.leaf(*first)?.ok_or(Doubt)?;
                Ok(self.facts.leaf(*leaf)?.is_some())
            }
            Node::HasBelow(leaf, path) => match self.facts.leaf(*leaf)? {
                Some(value) => self.has_path(Found::Held(value), path),
                None => Ok(false),
            },
            Node::Has(of, name) => self.has(self.find(of)?.value(), name),
            Node::HasPath(of, path) => self.has_path(self.find(of)?, path),
            Node::Like(text, like) => Ok(like.matches(string(self.find(text)?.value())?)),
            Node::Is(one, kind) => Ok(uid(self.find(one)?.value())?.entity_type() == kind),
            Node::Const(_)
            | Node::Principal
            | Node::Action
            | Node::Resource
            | Node::Context
            | Node::Leaf(_)
            | Node::If(_)
            | Node::GetTag(_)
            | Node::Get(..)
            | Node::Make(_) => flag(self.find(node)?.value()),
        }
    }

    fn order_of_leaf(&self, ordered: &'a OrderOfLeaf) -> Told<bool> {
        let (one, other) = ordered.both.as_ref();
        let told = self.facts.measure(ordered.leaf).and_then(|measure| ordered.of(measure));
        told.map_or_else(
            || order(ordered.op, self.find(one)?.value(), self.find(other)?.value()),
            Ok,
        )
    }

    /// Whether some part comes to `wanted`; none behind it is looked at.
    fn some_is(&self, wanted: bool, parts: &'a [Node]) -> Told<bool> {
        for part in parts {
            if self.truth(part)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn shared(&self, number: usize) -> Told<bool> {
        let part = self.program.shared(number).ok_or(Doubt)?;
        if let Some((thing, number)) = part.alone
            && let Some(kept) = self.kept(thing, number)
        {
            return kept.known().unwrap_or_else(|| self.keep(&part.node, thing, kept));
        }
        let known = self.shared.borrow().get(number).copied();
        if let Some((question, came_to)) = known
            && question == self.question
        {
            return came_to.ok_or(Doubt);
        }
        let came_to = self.truth(&part.node);
        if let Some(slot) = self.shared.borrow_mut().get_mut(number) {
            *slot = (self.question, came_to.ok());
        }
        came_to
    }

    /// What is kept of a part that hangs on one thing alone, by its number among those.
    fn kept(&self, thing: Thing, number: usize) -> Option<kept::Part<'a>> {
        let kept = match thing {
            Thing::Principal => &self.principal.kept,
            Thing::Resource => &self.resource.kept,
            Thing::Leaf(leaf) => &self.facts.held(leaf)?.kept,
        };
        kept.part(number)
    }

    /// Evaluates such a part, and keeps what it came to, unless on the way it led to somebody else: an attribute may hold the
    /// name of anybody, of whom other requests know more or less than this one.
    fn keep(&self, node: &'a Node, thing: Thing, kept: kept::Part<'a>) -> Told<bool> {
        let before = self.looked_up.take();
        let came_to = self.truth(node);
        let looked_up = self.looked_up.get();
        if looked_up.is_only(thing) {
            kept.keep(came_to);
        }
        self.looked_up.set(before.and(looked_up));
        came_to
    }

    fn find(&self, node: &'a Node) -> Told<Found<'a>> {
        Ok(Found::Held(match node {
            Node::Const(value) => value,
            Node::Principal => self.principal.value(),
            Node::Action => self.action.value(),
            Node::Resource => self.resource.value(),
            Node::Context => self.facts.context()?,
            Node::Leaf(leaf) => self.facts.leaf(*leaf)?.ok_or(Doubt)?,
            Node::Get(of, name) => return self.get(&self.find(of)?, name),
            Node::GetTag(both) => return whole(self.tag(both)?.ok_or(Doubt)?),
            Node::If(three) => {
                let (test, then, otherwise) = three.as_ref();
                return self.find(if self.truth(test)? { then } else { otherwise });
            }
            Node::Make(make) => return self.construct(make).map(Found::New),
            Node::Shared(_)
            | Node::All(_)
            | Node::Any(_)
            | Node::Not(_)
            | Node::Equal(_)
            | Node::Order(..)
            | Node::OrderOfLeaf(_)
            | Node::In(_)
            | Node::Sets(..)
            | Node::HasTag(_)
            | Node::HasLeaf(_)
            | Node::HasBeside(..)
            | Node::HasBelow(..)
            | Node::Has(..)
            | Node::HasPath(..)
            | Node::Like(..)
            | Node::Is(..) => return Ok(Found::New(self.truth(node)?.into())),
        }))
    }

    fn construct(&self, make: &'a Make) -> Told<Value> {
        let value = |node: &'a Node| self.find(node).map(Found::into_value);
        match make {
            Make::Unary(op, one) => unary_app(*op, value(one)?, None).map_err(|_| Doubt),
            Make::Arithmetic(op, both) => binary_arith(*op, value(&both.0)?, value(&both.1)?, None).map_err(|_| Doubt),
            Make::Call(function, arguments) => {
                let arguments: smallvec::SmallVec<[Value; 3]> = arguments.iter().map(value).collect::<Told<_>>()?;
                match function.call(&arguments).map_err(|_| Doubt)? {
                    PartialValue::Value(value) => Ok(value),
                    PartialValue::Residual(_) => Err(Doubt),
                }
            }
            Make::Set(items) => {
                let items = items.iter().map(value).collect::<Told<Vec<_>>>()?;
                Ok(Value::set(items, None))
            }
            Make::Record(fields) => {
                let fields = fields.iter().map(|(name, field)| Ok((name.clone(), value(field)?)));
                let fields = fields.collect::<Told<BTreeMap<_, _>>>()?;
                Ok(Value::record_arc(Arc::new(fields), None))
            }
        }
    }

    fn entity(&self, uid: &EntityUID) -> Told<Option<&'a Entity>> {
        let mut looked_up = self.looked_up.get();
        let found = if uid == self.principal.uid() {
            looked_up.principal = true;
            Ok(self.principal.entity())
        } else if uid == self.resource.uid() {
            looked_up.resource = true;
            Ok(self.resource.entity())
        } else {
            looked_up.other = true;
            if uid == self.action.uid() {
                Ok(self.action.entity())
            } else {
                self.facts.entity(uid)
            }
        };
        self.looked_up.set(looked_up);
        found
    }

    fn get(&self, of: &Found<'a>, name: &str) -> Told<Found<'a>> {
        match of {
            Found::Held(of) => {
                if let ValueKind::Record(fields) = &of.value {
                    return fields.get(name).map(Found::Held).ok_or(Doubt);
                }
            }
            Found::New(of) => {
                if let ValueKind::Record(fields) = &of.value {
                    return fields.get(name).cloned().map(Found::New).ok_or(Doubt);
                }
            }
        }
        let entity = self.entity(uid(of.value())?)?.ok_or(Doubt)?;
        whole(entity.get(name).ok_or(Doubt)?)
    }

    fn has(&self, of: &Value, name: &str) -> Told<bool> {
        if let ValueKind::Record(fields) = &of.value {
            return Ok(fields.contains_key(name));
        }
        let entity = self.entity(uid(of)?)?;
        Ok(entity.is_some_and(|entity| entity.get(name).is_some()))
    }

    fn has_path(&self, of: Found<'a>, path: &[SmolStr]) -> Told<bool> {
        let mut here = of;
        for (step, name) in path.iter().enumerate() {
            if !self.has(here.value(), name)? {
                return Ok(false);
            }
            if step + 1 < path.len() {
                here = self.get(&here, name)?;
            }
        }
        Ok(true)
    }

    fn is_in(&self, (one, other): &'a (Node, Node)) -> Told<bool> {
        let (one, other) = (self.find(one)?, self.find(other)?);
        let below = uid(one.value())?;
        let entity = self.entity(below)?;
        let within = |above: &EntityUID| below == above || entity.is_some_and(|entity| entity.is_descendant_of(above));
        if let ValueKind::Set(set) = &other.value().value {
            // every member must be an entity, also behind one that matches
            let mut found = false;
            for member in set.iter() {
                found |= within(uid(member)?);
            }
            return Ok(found);
        }
        Ok(within(uid(other.value())?))
    }

    fn tag(&self, (of, name): &'a (Node, Node)) -> Told<Option<&'a PartialValue>> {
        let (of, name) = (self.find(of)?, self.find(name)?);
        let entity = self.entity(uid(of.value())?)?;
        let name = string(name.value())?;
        Ok(entity.and_then(|entity| entity.get_tag(name)))
    }
}

fn whole(value: &PartialValue) -> Told<Found<'_>> {
    match value {
        PartialValue::Value(value) => Ok(Found::Held(value)),
        PartialValue::Residual(_) => Err(Doubt),
    }
}

fn flag(value: &Value) -> Told<bool> {
    if let ValueKind::Lit(Literal::Bool(flag)) = &value.value {
        return Ok(*flag);
    }
    Err(Doubt)
}

fn string(value: &Value) -> Told<&SmolStr> {
    if let ValueKind::Lit(Literal::String(text)) = &value.value {
        return Ok(text);
    }
    Err(Doubt)
}

fn uid(value: &Value) -> Told<&EntityUID> {
    if let ValueKind::Lit(Literal::EntityUID(uid)) = &value.value {
        return Ok(uid);
    }
    Err(Doubt)
}
