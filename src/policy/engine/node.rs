//! What conditions are made of.

use cedar_policy_core::ast::{BinaryOp, EntityType, ExtensionFunction, UnaryOp, Value};
use smol_str::SmolStr;

use super::compare::Measure;
use super::like::Like;

/// Two parts.
pub(super) type Pair = Box<(Node, Node)>;

/// A condition's part.
#[derive(Debug)]
pub(super) enum Node {
    Const(Value),
    Principal,
    Action,
    Resource,
    Context,
    Leaf(usize),
    /// Whether there is such a leaf.
    HasLeaf(usize),
    /// Whether the record that certainly has the first leaf has the second.
    HasBeside(usize, usize),
    /// Whether there is such a leaf, and below it such a path.
    HasBelow(usize, Vec<SmolStr>),
    Shared(usize),
    /// Of these, the first that is false ends it.
    All(Box<[Node]>),
    /// Of these, the first that is true ends it.
    Any(Box<[Node]>),
    Not(Box<Node>),
    If(Box<(Node, Node, Node)>),
    Equal(Pair),
    Order(BinaryOp, Pair),
    /// The same of a leaf and a constant.
    OrderOfLeaf(Box<OrderOfLeaf>),
    In(Pair),
    Sets(BinaryOp, Pair),
    GetTag(Pair),
    HasTag(Pair),
    Get(Box<Node>, SmolStr),
    Has(Box<Node>, SmolStr),
    HasPath(Box<Node>, Vec<SmolStr>),
    Like(Box<Node>, Like),
    Is(Box<Node>, EntityType),
    Make(Make),
}

/// A comparison of a leaf with a constant, which needs no value where the caller knows the leaf as a number.
#[derive(Debug)]
pub(super) struct OrderOfLeaf {
    pub(super) op: BinaryOp,
    pub(super) leaf: usize,
    pub(super) constant: Measure,
    /// Whether the leaf stands first.
    pub(super) leaf_first: bool,
    pub(super) both: Pair,
}

impl OrderOfLeaf {
    /// What comes of it where the leaf is `measure`.
    pub(super) fn of(&self, measure: Measure) -> Option<bool> {
        if self.leaf_first {
            measure.order(self.op, self.constant)
        } else {
            self.constant.order(self.op, measure)
        }
    }
}

/// A part that comes about anew for every request.
#[derive(Debug)]
pub(super) enum Make {
    Unary(UnaryOp, Box<Node>),
    Arithmetic(BinaryOp, Pair),
    Call(&'static ExtensionFunction, Box<[Node]>),
    Set(Box<[Node]>),
    Record(Box<[(SmolStr, Node)]>),
}
