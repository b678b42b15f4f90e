//! Contexts in Cedar's terms, evaluated already. Cedar's own way to a datetime, a duration or an address is through text,
//! which costs more than a decision: here a text is parsed once for each second, and what is finer is added to it.
//!
//! `Nouns::base` and `request::facts` spell the same out for Cedar to evaluate; the tests hold one against the other.

use std::net::IpAddr;
use std::sync::Arc;

use cedar_policy_core::ast::{Context, PartialValue, Value};
use cedar_policy_core::extensions::Extensions;

use super::decision::Trouble;
use super::express::wrong;
use super::memo::Memo;
use super::question::{Question, RequestFacts};
use super::request::Nouns;
use crate::clock::Timestamp;

/// What is remembered of texts that were parsed.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    seconds: Memo<i64, (), Value>,
    milliseconds: Memo<i64, (), Value>,
    addresses: Memo<IpAddr, (), Value>,
}

type Made<T> = Result<T, Trouble>;

impl Parsed {
    /// What every context holds.
    pub(super) fn base(&self, nouns: &Nouns, flow: &Question<'_>) -> Made<Context> {
        let (since_midnight, weekday) = nouns.wall_clock(flow.person, flow.at)?;
        let day = Timestamp::from_millis(since_midnight);
        let local = [
            ("time", called("toTime", &[self.moment(day)?])?),
            ("weekday", weekday.into()),
        ];
        let client = [
            ("ip", self.address(flow.arrival.client.ip().to_canonical())?),
            ("network", flow.arrival.network.as_str().into()),
        ];
        let method = flow.subject.method;
        let proof: [(_, Value); 2] = [
            ("method", method.as_str().into()),
            ("strong", method.is_strong().into()),
        ];
        let fields = [
            ("now", self.moment(flow.at)?),
            ("local", Value::record(local, None)),
            ("client", Value::record(client, None)),
            ("proof", Value::record(proof, None)),
        ];
        Ok(context(fields))
    }

    fn moment(&self, at: Timestamp) -> Made<Value> {
        let (second, rest) = (at.as_millis().div_euclid(1000), at.as_millis().rem_euclid(1000));
        let whole = self.seconds.of(&second, &(), || {
            let text = Timestamp::from_millis(second * 1000).to_string();
            called("datetime", &[text.as_str().into()])
        })?;
        if rest == 0 {
            return Ok((*whole).clone());
        }
        let length = self.milliseconds.of(&rest, &(), || {
            called("duration", &[format!("{rest}ms").as_str().into()])
        })?;
        called("offset", &[(*whole).clone(), (*length).clone()])
    }

    fn address(&self, ip: IpAddr) -> Made<Value> {
        let made = self
            .addresses
            .of(&ip, &(), || called("ip", &[ip.to_string().as_str().into()]))?;
        Ok((*made).clone())
    }
}

/// What a context holds of the request.
pub(super) fn request(request: &RequestFacts<'_>) -> Context {
    let bytes = i64::try_from(request.bytes).unwrap_or(i64::MAX);
    let fields = [
        ("method", request.method.into()),
        ("host", request.host.as_str().into()),
        ("path", request.path.into()),
        ("bytes", bytes.into()),
    ];
    let kind = request.content_type.map(|kind| ("contentType", kind.into()));
    let record: Vec<(&str, Value)> = fields.into_iter().chain(kind).collect();
    context([("request", Value::record(record, None))])
}

fn context<const N: usize>(fields: [(&str, Value); N]) -> Context {
    let fields = fields.into_iter().map(|(name, value)| (name.into(), value));
    Context::Value(Arc::new(fields.collect()))
}

/// What one of Cedar's extension functions makes of these.
fn called(function: &str, arguments: &[Value]) -> Made<Value> {
    let name = function.parse().map_err(|e| wrong("context", &e))?;
    let function = Extensions::all_available()
        .func(&name)
        .map_err(|e| wrong("context", &e))?;
    match function.call(arguments).map_err(|e| wrong("context", &e))? {
        PartialValue::Value(value) => Ok(value),
        PartialValue::Residual(_) => Err(Trouble::with_question("context", "something in it is unknown")),
    }
}
