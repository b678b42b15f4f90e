//! Cedar's functions on values, each looked up once.

use std::sync::LazyLock;

use cedar_policy_core::ast::{ExtensionFunction, Literal, PartialValue, Value, ValueKind};
use cedar_policy_core::extensions::Extensions;

use super::Doubt;

/// One of them.
pub(in crate::policy) struct Function(LazyLock<Option<&'static ExtensionFunction>>);

/// A `datetime`, from its text.
pub(in crate::policy) static DATETIME: Function = Function(LazyLock::new(|| function("datetime")));
/// A `duration`, from its text.
pub(in crate::policy) static DURATION: Function = Function(LazyLock::new(|| function("duration")));
/// An `ipaddr`, from its text.
pub(in crate::policy) static IP: Function = Function(LazyLock::new(|| function("ip")));
/// A `datetime` so much later.
pub(in crate::policy) static OFFSET: Function = Function(LazyLock::new(|| function("offset")));
/// How much of its day is over at a `datetime`.
pub(in crate::policy) static TO_TIME: Function = Function(LazyLock::new(|| function("toTime")));
static DURATION_SINCE: Function = Function(LazyLock::new(|| function("durationSince")));
static TO_MILLISECONDS: Function = Function(LazyLock::new(|| function("toMilliseconds")));

fn function(name: &str) -> Option<&'static ExtensionFunction> {
    Extensions::all_available().func(&name.parse().ok()?).ok()
}

impl Function {
    /// What it makes of these.
    pub(in crate::policy) fn of(&self, arguments: &[Value]) -> Result<Value, Doubt> {
        let function = self.0.ok_or(Doubt)?;
        match function.call(arguments).map_err(|_| Doubt)? {
            PartialValue::Value(value) => Ok(value),
            PartialValue::Residual(_) => Err(Doubt),
        }
    }
}

/// The milliseconds of a `duration`.
pub(in crate::policy) fn length(span: &Value) -> Option<i64> {
    long(&TO_MILLISECONDS.of(std::slice::from_ref(span)).ok()?)
}

/// A `datetime` in milliseconds since 1970.
pub(in crate::policy) fn instant(moment: &Value) -> Option<i64> {
    let epoch = DATETIME.of(&["1970-01-01".into()]).ok()?;
    length(&DURATION_SINCE.of(&[moment.clone(), epoch]).ok()?)
}

pub(super) fn long(value: &Value) -> Option<i64> {
    match value.value_kind() {
        ValueKind::Lit(Literal::Long(number)) => Some(*number),
        ValueKind::Lit(_) | ValueKind::Set(_) | ValueKind::Record(_) | ValueKind::ExtensionValue(_) => None,
    }
}
