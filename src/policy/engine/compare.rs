//! Comparisons as Cedar makes them.

use cedar_policy_core::ast::{BinaryOp, Literal, Value, ValueKind};

use super::Doubt;
use super::functions::{self, long};

/// A value that is ordered as whole numbers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A `Long`.
    Number(i64),
    /// A `datetime`, in milliseconds since 1970.
    Moment(i64),
    /// A `duration`, in milliseconds.
    Span(i64),
}

impl Measure {
    /// What a value is so; none if it is something else.
    pub fn of(value: &Value) -> Option<Self> {
        if let Some(number) = long(value) {
            return Some(Self::Number(number));
        }
        let span = || functions::length(value).map(Self::Span);
        span().or_else(|| functions::instant(value).map(Self::Moment))
    }

    /// `<` and `<=` of two of a kind; none of others.
    pub(super) fn order(self, op: BinaryOp, other: Self) -> Option<bool> {
        let (one, other) = match (self, other) {
            (Self::Number(one), Self::Number(other))
            | (Self::Moment(one), Self::Moment(other))
            | (Self::Span(one), Self::Span(other)) => (one, other),
            (Self::Number(_) | Self::Moment(_) | Self::Span(_), _) => return None,
        };
        Some(if matches!(op, BinaryOp::Less) {
            one < other
        } else {
            one <= other
        })
    }
}

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

#[cfg(test)]
mod tests {
    use cedar_policy_core::ast::PartialValue;
    use cedar_policy_core::extensions::Extensions;
    use proptest::prelude::*;

    use super::functions::{DATETIME, DURATION, IP, OFFSET};
    use super::*;

    /// A value of each kind that has an order, from its text.
    fn made(kind: usize, number: i64) -> Value {
        let span = || DURATION.of(&[format!("{number}ms").as_str().into()]).unwrap();
        match kind {
            0 => number.into(),
            1 => span(),
            _ => {
                let epoch = DATETIME.of(&["1970-01-01".into()]).unwrap();
                OFFSET.of(&[epoch, span()]).unwrap()
            }
        }
    }

    proptest! {
        #[test]
        fn measures_are_ordered_as_their_values_are(
            (one, other) in (0_usize..3, 0_usize..3),
            (number, more) in (-100_000_000_000_000_i64..100_000_000_000_000, -2_i64..3),
        ) {
            let values = [made(one, number), made(other, number + more)];
            let measures = values.each_ref().map(|value| Measure::of(value).unwrap());
            for op in [BinaryOp::Less, BinaryOp::LessEq] {
                prop_assert_eq!(measures[0].order(op, measures[1]), order(op, &values[0], &values[1]).ok());
            }
        }
    }

    #[test]
    fn what_has_no_order_or_another_one_is_no_measure() {
        let address = IP.of(&["10.0.0.1".into()]).unwrap();
        let decimal = Extensions::all_available().func(&"decimal".parse().unwrap()).unwrap();
        let PartialValue::Value(decimal) = decimal.call(&["1.5".into()]).unwrap() else {
            panic!("a decimal is known")
        };
        for value in [address, decimal, "1".into(), true.into()] {
            assert_eq!(Measure::of(&value), None, "{value}");
        }
    }
}
