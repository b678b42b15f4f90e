//! Conditions, translated once: constants evaluated, functions looked up, paths of the context numbered, and boolean parts
//! that several rules share evaluated once for all of them.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{Effect, Policy};
use cedar_policy_core::ast::BorrowedRestrictedExpr;
use cedar_policy_core::ast::{self, BinaryOp, Expr, ExprKind, UnaryOp, Value, Var};
use cedar_policy_core::evaluator::RestrictedEvaluator;
use cedar_policy_core::extensions::Extensions;
use smol_str::SmolStr;

use super::compare::Measure;
use super::index::Number;
use super::kept::Thing;
use super::leaves::{Leaves, Path, Reads};
use super::like::Like;
use super::node::{Make, Node, OrderOfLeaf, Pair};

/// Deeper conditions are left to Cedar, which has a guard of its own against what would overflow the stack.
const DEEPEST: usize = 128;

/// A rule's condition; its scope is the index's matter.
#[derive(Debug)]
pub(super) struct Body {
    effect: Effect,
    condition: Condition,
    reads: Reads,
}

#[derive(Debug)]
pub(super) enum Condition {
    Always,
    When(Node),
    /// Not translated.
    LeftToCedar,
}

impl Body {
    pub(super) fn forbids(&self) -> bool {
        self.effect == Effect::Forbid
    }

    pub(super) fn is_translated(&self) -> bool {
        !matches!(self.condition, Condition::LeftToCedar)
    }

    pub(super) fn condition(&self) -> &Condition {
        &self.condition
    }
}

/// All conditions.
#[derive(Debug)]
pub(super) struct Program {
    bodies: Vec<Body>,
    shared: Vec<Shared>,
    /// How many of these hang on each thing alone.
    alone: HashMap<Thing, usize>,
}

/// A part that several rules may share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) node: Node,
    /// The one thing that it hangs on, if it is one, and its number among those that do.
    pub(super) alone: Option<(Thing, usize)>,
}

impl Program {
    pub(super) fn new(policies: &[Policy], leaves: Leaves) -> Self {
        let mut compiler = Compiler {
            leaves,
            shared: Vec::new(),
            numbers: HashMap::new(),
            reads: Reads::default(),
            depth: 0,
        };
        let bodies = policies.iter().map(|policy| compiler.body(policy)).collect();
        let mut alone: HashMap<Thing, usize> = HashMap::new();
        let mut numbered = |thing: Thing| {
            let next = alone.entry(thing).or_default();
            *next += 1;
            (thing, *next - 1)
        };
        let shared = compiler.shared.into_iter().map(|(node, reads)| Shared {
            node,
            alone: reads.alone().map(&mut numbered),
        });
        Self {
            bodies,
            shared: shared.collect(),
            alone,
        }
    }

    pub(super) fn body(&self, number: Number) -> Option<&Body> {
        self.bodies.get(number)
    }

    pub(super) fn shared(&self, number: usize) -> Option<&Shared> {
        self.shared.get(number)
    }

    /// How many shared parts hang on this alone.
    pub(super) fn alone(&self, thing: Thing) -> usize {
        self.alone.get(&thing).copied().unwrap_or_default()
    }

    /// How many parts are shared.
    pub(super) fn most_shared(&self) -> usize {
        self.shared.len()
    }

    /// What the rule of this number may look at.
    pub(super) fn reads(&self, number: Number) -> Reads {
        self.bodies.get(number).map_or(Reads::ALL, |body| body.reads)
    }
}

/// What cannot be translated.
struct Untold;

struct Compiler {
    leaves: Leaves,
    shared: Vec<(Node, Reads)>,
    numbers: HashMap<Expr, usize>,
    /// What the part that is being translated looks at.
    reads: Reads,
    depth: usize,
}

type Made<T> = Result<T, Untold>;

impl Compiler {
    fn body(&mut self, policy: &Policy) -> Body {
        self.reads = Reads::default();
        let policy: &ast::Policy = policy.as_ref();
        let condition = match policy.non_scope_constraints() {
            None => Condition::Always,
            Some(expression) => self.truth(expression).map_or(Condition::LeftToCedar, Condition::When),
        };
        let reads = if matches!(condition, Condition::LeftToCedar) {
            Reads::ALL
        } else {
            self.reads
        };
        Body {
            effect: match policy.effect() {
                Effect::Permit => Effect::Permit,
                Effect::Forbid => Effect::Forbid,
            },
            condition,
            reads,
        }
    }

    /// An expression that must be boolean: what is no mere connective is shared between rules.
    fn truth(&mut self, expression: &Expr) -> Made<Node> {
        if matches!(
            expression.expr_kind(),
            ExprKind::And { .. }
                | ExprKind::Or { .. }
                | ExprKind::If { .. }
                | ExprKind::Lit(_)
                | ExprKind::UnaryApp { op: UnaryOp::Not, .. }
        ) {
            return self.node(expression);
        }
        if let Some(number) = self.numbers.get(expression) {
            let reads = self.shared.get(*number).map_or(Reads::ALL, |(_, reads)| *reads);
            self.reads = [self.reads, reads].into_iter().collect();
            return Ok(Node::Shared(*number));
        }
        let outer = std::mem::take(&mut self.reads);
        let node = self.node(expression);
        let mut own = std::mem::replace(&mut self.reads, outer);
        if own == Reads::default() {
            own = Reads::OTHER;
        }
        self.reads = [outer, own].into_iter().collect();
        let node = node?;
        if matches!(node, Node::Const(_)) {
            return Ok(node);
        }
        let number = self.shared.len();
        self.shared.push((node, own));
        self.numbers.insert(expression.clone(), number);
        Ok(Node::Shared(number))
    }

    fn node(&mut self, expression: &Expr) -> Made<Node> {
        if let Some(value) = constant(expression) {
            return Ok(Node::Const(value));
        }
        if self.depth >= DEEPEST {
            return Err(Untold);
        }
        self.depth += 1;
        let node = self.translated(expression);
        self.depth -= 1;
        node
    }

    fn translated(&mut self, expression: &Expr) -> Made<Node> {
        Ok(match expression.expr_kind() {
            ExprKind::Lit(literal) => Node::Const(literal.clone().into()),
            ExprKind::Var(Var::Principal) => self.reading(Reads::PRINCIPAL, Node::Principal),
            ExprKind::Var(Var::Action) => self.reading(Reads::OTHER, Node::Action),
            ExprKind::Var(Var::Resource) => self.reading(Reads::RESOURCE, Node::Resource),
            ExprKind::Var(Var::Context) if self.leaves.0.is_empty() => self.reading(Reads::OTHER, Node::Context),
            ExprKind::And { .. } => Node::All(self.chain(expression, |kind| {
                let ExprKind::And { left, right } = kind else {
                    return None;
                };
                Some([left, right])
            })?),
            ExprKind::Or { .. } => Node::Any(self.chain(expression, |kind| {
                let ExprKind::Or { left, right } = kind else {
                    return None;
                };
                Some([left, right])
            })?),
            ExprKind::If {
                test_expr,
                then_expr,
                else_expr,
            } => Node::If(Box::new((
                self.truth(test_expr)?,
                self.node(then_expr)?,
                self.node(else_expr)?,
            ))),
            ExprKind::UnaryApp { op: UnaryOp::Not, arg } => Node::Not(Box::new(self.truth(arg)?)),
            ExprKind::UnaryApp { op, arg } => Node::Make(Make::Unary(*op, Box::new(self.node(arg)?))),
            ExprKind::BinaryApp { op, arg1, arg2 } => binary(*op, Box::new((self.node(arg1)?, self.node(arg2)?))),
            ExprKind::ExtensionFunctionApp { fn_name, args } => {
                let function = Extensions::all_available().func(fn_name).map_err(|_| Untold)?;
                Node::Make(Make::Call(function, self.all(args.iter())?))
            }
            ExprKind::GetAttr { expr, attr } => self.get(expression, expr, attr)?,
            ExprKind::HasAttr { expr, attr } => self.has(expr, attr)?,
            ExprKind::ExtHasAttr { expr, attrs } => self.has_path(expr, attrs.iter().cloned().collect())?,
            ExprKind::Like { expr, pattern } => Node::Like(Box::new(self.node(expr)?), Like::new(pattern)),
            ExprKind::Is { expr, entity_type } => Node::Is(Box::new(self.node(expr)?), entity_type.clone()),
            ExprKind::Set(items) => Node::Make(Make::Set(self.all(items.iter())?)),
            ExprKind::Record(fields) => {
                let fields = fields.iter().map(|(name, value)| Ok((name.clone(), self.node(value)?)));
                Node::Make(Make::Record(fields.collect::<Made<_>>()?))
            }
            ExprKind::Var(Var::Context) | ExprKind::Slot(_) | ExprKind::Unknown(_) => return Err(Untold),
        })
    }

    /// What one connective joins, in the order in which Cedar looks at it, whatever brackets stand between: a chain may be
    /// long, and is no deeper for it. Cedar wants each part that it looks at to be boolean, and so does [`Self::truth`].
    fn chain(&mut self, whole: &Expr, sides: fn(&ExprKind) -> Option<[&Arc<Expr>; 2]>) -> Made<Box<[Node]>> {
        let (mut open, mut nodes) = (vec![whole], Vec::new());
        while let Some(part) = open.pop() {
            match sides(part.expr_kind()) {
                Some([left, right]) => open.extend([right.as_ref(), left.as_ref()]),
                None => nodes.push(self.truth(part)?),
            }
        }
        Ok(nodes.into())
    }

    fn all<'e>(&mut self, parts: impl Iterator<Item = &'e Expr>) -> Made<Box<[Node]>> {
        parts.map(|part| self.node(part)).collect()
    }

    /// `of.name`
    fn get(&mut self, whole: &Expr, of: &Expr, name: &SmolStr) -> Made<Node> {
        match self.path(whole) {
            Some(Path::Leaf(leaf)) => Ok(self.leaf(leaf, Node::Leaf)),
            Some(Path::Record(_) | Path::Unknown) => Err(Untold),
            Some(Path::Below(..)) | None => Ok(Node::Get(Box::new(self.node(of)?), name.clone())),
        }
    }

    /// `of has name`
    fn has(&mut self, of: &Expr, name: &SmolStr) -> Made<Node> {
        let Some(mut steps) = self.steps(of) else {
            return Ok(Node::Has(Box::new(self.node(of)?), name.clone()));
        };
        let outer = (!steps.is_empty()).then(|| self.leaves.sort(&steps));
        steps.push(name.clone());
        match (outer, self.leaves.sort(&steps)) {
            (None, Path::Leaf(leaf) | Path::Record(leaf)) => Ok(self.leaf(leaf, Node::HasLeaf)),
            (Some(Path::Record(first)), Path::Leaf(leaf)) => {
                let node = self.leaf(leaf, |leaf| Node::HasBeside(first, leaf));
                Ok(self.reading(Reads::one(first), node))
            }
            (Some(Path::Leaf(_) | Path::Below(..)), _) => Ok(Node::Has(Box::new(self.node(of)?), name.clone())),
            _ => Err(Untold),
        }
    }

    /// `of has a.b.c`
    fn has_path(&mut self, of: &Expr, path: Vec<SmolStr>) -> Made<Node> {
        let Some(mut steps) = self.steps(of) else {
            return Ok(Node::HasPath(Box::new(self.node(of)?), path));
        };
        if !steps.is_empty() {
            return match self.leaves.sort(&steps) {
                Path::Leaf(_) | Path::Below(..) => Ok(Node::HasPath(Box::new(self.node(of)?), path)),
                Path::Record(_) | Path::Unknown => Err(Untold),
            };
        }
        steps.extend(path);
        match self.leaves.sort(&steps) {
            Path::Leaf(leaf) | Path::Record(leaf) => Ok(self.leaf(leaf, Node::HasLeaf)),
            Path::Below(leaf, rest) => Ok(self.leaf(leaf, |leaf| Node::HasBelow(leaf, rest))),
            Path::Unknown => Err(Untold),
        }
    }

    fn leaf(&mut self, leaf: usize, node: impl FnOnce(usize) -> Node) -> Node {
        self.reading(Reads::one(leaf), node(leaf))
    }

    /// The same node, and note of what it looks at.
    fn reading(&mut self, reads: Reads, node: Node) -> Node {
        self.reads = [self.reads, reads].into_iter().collect();
        node
    }

    /// How an expression stands to the leaves, if it is a path of the context.
    fn path(&self, expression: &Expr) -> Option<Path> {
        self.steps(expression).map(|steps| self.leaves.sort(&steps))
    }

    /// The steps of a path of the context; none where the caller gives it whole.
    fn steps(&self, expression: &Expr) -> Option<Vec<SmolStr>> {
        if self.leaves.0.is_empty() {
            return None;
        }
        if matches!(expression.expr_kind(), ExprKind::Var(Var::Context)) {
            return Some(Vec::new());
        }
        let ExprKind::GetAttr { expr, attr } = expression.expr_kind() else {
            return None;
        };
        let mut steps = self.steps(expr)?;
        steps.push(attr.clone());
        Some(steps)
    }
}

fn binary(op: BinaryOp, both: Pair) -> Node {
    match op {
        BinaryOp::Eq => Node::Equal(both),
        BinaryOp::Less | BinaryOp::LessEq => ordered(op, both),
        BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul => Node::Make(Make::Arithmetic(op, both)),
        BinaryOp::In => Node::In(both),
        BinaryOp::Contains | BinaryOp::ContainsAll | BinaryOp::ContainsAny => Node::Sets(op, both),
        BinaryOp::GetTag => Node::GetTag(both),
        BinaryOp::HasTag => Node::HasTag(both),
    }
}

fn ordered(op: BinaryOp, both: Pair) -> Node {
    let (leaf, constant, leaf_first) = match &*both {
        (Node::Leaf(leaf), Node::Const(constant)) => (*leaf, Measure::of(constant), true),
        (Node::Const(constant), Node::Leaf(leaf)) => (*leaf, Measure::of(constant), false),
        _ => return Node::Order(op, both),
    };
    let Some(constant) = constant else {
        return Node::Order(op, both);
    };
    Node::OrderOfLeaf(Box::new(OrderOfLeaf {
        op,
        leaf,
        constant,
        leaf_first,
        both,
    }))
}

/// What an expression is for every request; none where that depends, or where it fails.
fn constant(expression: &Expr) -> Option<Value> {
    let restricted = BorrowedRestrictedExpr::new(expression).ok()?;
    RestrictedEvaluator::new(Extensions::all_available())
        .interpret(restricted)
        .ok()
}
