//! What conditions are made of.

use cedar_policy_core::ast::{BinaryOp, EntityType, ExtensionFunction, UnaryOp, Value};
use smol_str::SmolStr;

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

/// A part that comes about anew for every request.
#[derive(Debug)]
pub(super) enum Make {
    Unary(UnaryOp, Box<Node>),
    Arithmetic(BinaryOp, Pair),
    Call(&'static ExtensionFunction, Box<[Node]>),
    Set(Box<[Node]>),
    Record(Box<[(SmolStr, Node)]>),
}
