//! What conditions may come to where some of what they look at is not known yet: it is nobody's turn to ask, and the question
//! is whether there is one that would be answered so.
//!
//! INVARIANT: what is not known is never guessed. A rule that hangs on it may hold and may not hold, whatever else it says.

use super::body::{Body, Condition, Program};
use super::facts::Facts;
use super::index::Number;
use super::node::{Make, Node, Pair};
use super::run::Run;

impl Program {
    /// Whether a rule's condition may fail: the validator rules out what asks for something that is not there, and leaves what
    /// overflows.
    pub(super) fn may_fail(&self, number: Number) -> bool {
        match self.body(number).map(Body::condition) {
            Some(Condition::Always) => false,
            Some(Condition::When(node)) => self.part_may_fail(node),
            Some(Condition::LeftToCedar) | None => true,
        }
    }

    fn part_may_fail(&self, node: &Node) -> bool {
        let of_both = |both: &Pair| self.part_may_fail(&both.0) || self.part_may_fail(&both.1);
        match node {
            Node::Make(Make::Unary(..) | Make::Arithmetic(..) | Make::Call(..)) => true,
            Node::Shared(number) => self.shared(*number).is_none_or(|part| self.part_may_fail(&part.node)),
            Node::All(parts) | Node::Any(parts) | Node::Make(Make::Set(parts)) => {
                parts.iter().any(|part| self.part_may_fail(part))
            }
            Node::Make(Make::Record(fields)) => fields.iter().any(|(_, field)| self.part_may_fail(field)),
            Node::Not(one)
            | Node::Get(one, _)
            | Node::Has(one, _)
            | Node::HasPath(one, _)
            | Node::Like(one, _)
            | Node::Is(one, _) => self.part_may_fail(one),
            Node::If(three) => {
                let (test, then, otherwise) = three.as_ref();
                [test, then, otherwise].into_iter().any(|part| self.part_may_fail(part))
            }
            Node::Equal(both)
            | Node::Order(_, both)
            | Node::In(both)
            | Node::Sets(_, both)
            | Node::GetTag(both)
            | Node::HasTag(both) => of_both(both),
            Node::OrderOfLeaf(order) => of_both(&order.both),
            Node::Const(_)
            | Node::Principal
            | Node::Action
            | Node::Resource
            | Node::Context
            | Node::Leaf(_)
            | Node::HasLeaf(_)
            | Node::HasBeside(..)
            | Node::HasBelow(..) => false,
        }
    }
}

impl<'a, F: Facts> Run<'a, F> {
    /// Whether a rule's condition surely holds, or surely does not; none where either may be. A condition that fails holds
    /// nothing, and lets nothing pass either.
    pub(super) fn might(&self, body: &'a Body) -> Option<bool> {
        match body.condition() {
            Condition::Always => Some(true),
            Condition::When(node) => self.maybe(node),
            Condition::LeftToCedar => None,
        }
    }

    /// The same where it must not fail either.
    pub(super) fn surely(&self, body: &'a Body) -> Option<bool> {
        match body.condition() {
            Condition::When(node) if self.is_vague(node) => None,
            Condition::Always | Condition::When(_) | Condition::LeftToCedar => self.holds(body).ok(),
        }
    }

    fn maybe(&self, node: &'a Node) -> Option<bool> {
        match node {
            Node::All(parts) => self.come_to(false, parts).map(|one_is_false| !one_is_false),
            Node::Any(parts) => self.come_to(true, parts),
            Node::Not(one) => self.maybe(one).map(|is| !is),
            Node::If(three) => {
                let (test, then, otherwise) = three.as_ref();
                match self.maybe(test) {
                    Some(true) => self.maybe(then),
                    Some(false) => self.maybe(otherwise),
                    None => self.maybe(then).filter(|is| self.maybe(otherwise) == Some(*is)),
                }
            }
            Node::Shared(_)
            | Node::Const(_)
            | Node::Principal
            | Node::Action
            | Node::Resource
            | Node::Context
            | Node::Leaf(_)
            | Node::HasLeaf(_)
            | Node::HasBeside(..)
            | Node::HasBelow(..)
            | Node::Equal(_)
            | Node::Order(..)
            | Node::OrderOfLeaf(_)
            | Node::In(_)
            | Node::Sets(..)
            | Node::GetTag(_)
            | Node::HasTag(_)
            | Node::Get(..)
            | Node::Has(..)
            | Node::HasPath(..)
            | Node::Like(..)
            | Node::Is(..)
            | Node::Make(_) => (!self.is_vague(node)).then(|| self.truth(node).ok()).flatten(),
        }
    }

    /// Whether one of these surely comes to `wanted`; none where one may.
    fn come_to(&self, wanted: bool, parts: &'a [Node]) -> Option<bool> {
        let mut answer = Some(false);
        for part in parts {
            match self.maybe(part) {
                Some(is) if is == wanted => return Some(true),
                Some(_) => {}
                None => answer = None,
            }
        }
        answer
    }

    /// Whether a part looks at a field that is not known of something that is.
    fn is_vague(&self, node: &'a Node) -> bool {
        match node {
            Node::Leaf(leaf) => !self.facts.vague(*leaf).is_empty(),
            Node::Get(of, name) => self.is_vague_field(of, name),
            // whether it is there is known; what is in it may not be
            Node::HasBelow(leaf, path) => self.is_vague_below(*leaf, path),
            Node::HasPath(of, path) => {
                if let Node::Leaf(leaf) = of.as_ref() {
                    self.is_vague_below(*leaf, path)
                } else {
                    self.is_vague(of)
                }
            }
            Node::Has(of, _) => !matches!(of.as_ref(), Node::Leaf(_)) && self.is_vague(of),
            Node::Shared(number) => match self.program.shared(*number) {
                Some(part) => self.is_vague(&part.node),
                None => true,
            },
            Node::All(parts) | Node::Any(parts) => parts.iter().any(|part| self.is_vague(part)),
            Node::Not(one) | Node::Like(one, _) | Node::Is(one, _) | Node::Make(Make::Unary(_, one)) => {
                self.is_vague(one)
            }
            Node::If(three) => {
                let (test, then, otherwise) = three.as_ref();
                [test, then, otherwise].into_iter().any(|part| self.is_vague(part))
            }
            Node::Equal(both)
            | Node::Order(_, both)
            | Node::In(both)
            | Node::Sets(_, both)
            | Node::GetTag(both)
            | Node::HasTag(both)
            | Node::Make(Make::Arithmetic(_, both)) => self.is_vague_pair(both),
            Node::OrderOfLeaf(order) => self.is_vague_pair(&order.both),
            Node::Make(Make::Call(_, parts) | Make::Set(parts)) => parts.iter().any(|part| self.is_vague(part)),
            Node::Make(Make::Record(fields)) => fields.iter().any(|(_, field)| self.is_vague(field)),
            Node::Const(_)
            | Node::Principal
            | Node::Action
            | Node::Resource
            | Node::Context
            | Node::HasLeaf(_)
            | Node::HasBeside(..) => false,
        }
    }

    fn is_vague_pair(&self, both: &'a Pair) -> bool {
        self.is_vague(&both.0) || self.is_vague(&both.1)
    }

    fn is_vague_field(&self, of: &'a Node, name: &str) -> bool {
        if let Node::Leaf(leaf) = of {
            return self.facts.vague(*leaf).contains(&name);
        }
        (matches!(of, Node::Resource) && self.facts.vague_of_resource().contains(&name)) || self.is_vague(of)
    }

    fn is_vague_below(&self, leaf: usize, path: &[smol_str::SmolStr]) -> bool {
        let vague = self.facts.vague(leaf);
        path.len() > 1 && path.first().is_some_and(|first| vague.contains(&first.as_str()))
    }
}
