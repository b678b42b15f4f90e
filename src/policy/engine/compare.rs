//! Comparisons as Cedar makes them.

use cedar_policy_core::ast::{BinaryOp, Literal, Value, ValueKind};

use super::Doubt;

/// `<` and `<=`
pub(super) fn order(op: BinaryOp, one: &Value, other: &Value) -> Result<bool, Doubt> {
    let strictly = matches!(op, BinaryOp::Less);
    match (&one.value, &other.value) {
        (ValueKind::Lit(Literal::Long(one)), ValueKind::Lit(Literal::Long(other))) => {
            Ok(if strictly { one < other } else { one <= other })
        }
        // the same type, and one that has an order: what Cedar asks too, but without a copy of both type names
        (ValueKind::ExtensionValue(one), ValueKind::ExtensionValue(other))
            if one.value().supports_operator_overloading()
                && one.value().as_any().type_id() == other.value().as_any().type_id() =>
        {
            let order = one.value().cmp_extvalue(other.value());
            Ok(if strictly { order.is_lt() } else { order.is_le() })
        }
        _ => Err(Doubt),
    }
}

/// `contains` and its kin.
pub(super) fn sets(op: BinaryOp, one: &Value, other: &Value) -> Result<bool, Doubt> {
    let ValueKind::Set(set) = &one.value else {
        return Err(Doubt);
    };
    if matches!(op, BinaryOp::Contains) {
        return Ok(set.contains(other));
    }
    let ValueKind::Set(other) = &other.value else {
        return Err(Doubt);
    };
    Ok(if matches!(op, BinaryOp::ContainsAll) {
        other.is_subset(set)
    } else {
        !set.is_disjoint(other)
    })
}
