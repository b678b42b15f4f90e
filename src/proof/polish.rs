//! Makes a counterexample look like life, and no larger than it must be: a solver chooses any time and puts people into
//! roles that have nothing to do with it. Each change is kept only if the example shows the same with it.

use std::collections::BTreeSet;

use cedar_policy::{Authorizer, Decision, EntityUid, PolicySet};
use serde_json::{Value, json};

use super::draft::{Draft, is};
use super::{Ask, Example};
use crate::facts::Host;

/// In milliseconds.
const HOUR: i64 = 3_600_000;
/// Moments to try, in Greenwich: a morning, the lunch break, an evening, a weekend, its lunch break, and a Friday's; with the time since
/// midnight and the day of the week.
const MOMENTS: [(&str, i64, i64); 6] = [
    ("2026-11-24T10:00:00Z", HOUR * 10, 2),
    ("2026-11-24T12:30:00Z", HOUR * 25 / 2, 2),
    ("2026-11-24T20:00:00Z", HOUR * 20, 2),
    ("2026-11-28T10:00:00Z", HOUR * 10, 6),
    ("2026-11-28T12:30:00Z", HOUR * 25 / 2, 6),
    ("2026-11-27T12:30:00Z", HOUR * 25 / 2, 5),
];
const GROUPS: [&str; 4] = ["read", "engage", "publish", "administer"];

impl Ask {
    /// Whether the example shows that what is asked does not hold.
    pub fn is_shown_by(&self, example: &Example) -> bool {
        let answer = |set: &PolicySet| Authorizer::new().is_authorized(&example.request, set, &example.entities);
        let allows = |set: &PolicySet| {
            let answer = answer(set);
            answer.decision() == Decision::Allow && answer.diagnostics().errors().next().is_none()
        };
        match self {
            Self::Disjoint(one, other) => allows(one) && allows(other),
            Self::Implies(one, other) => allows(one) && !allows(other),
            Self::NeverErrors(policy) => {
                let set = super::theory::set([policy.as_ref().clone()]);
                answer(&set).diagnostics().errors().next().is_some()
            }
        }
    }
}

/// The example as people would meet it.
pub(super) fn polished(is_shown_by: &dyn Fn(&Example) -> bool, example: Example) -> Example {
    let Some(draft) = Draft::of(&example).filter(|_| is_shown_by(&example)) else {
        return example;
    };
    let mut polish = Polish {
        is_shown_by,
        draft,
        best: example,
    };
    polish.parents();
    polish.emergency();
    polish.circumstances();
    polish.request();
    polish.names();
    polish.purpose();
    polish.person();
    polish.best
}

fn moment(text: &str) -> Value {
    json!({ "__extn": { "fn": "datetime", "arg": text } })
}

fn span(millis: i64) -> Value {
    json!({ "__extn": { "fn": "duration", "arg": format!("{millis}ms") } })
}

struct Polish<'a> {
    is_shown_by: &'a dyn Fn(&Example) -> bool,
    draft: Draft,
    best: Example,
}

impl Polish<'_> {
    /// Keeps a change if the example shows the same with it.
    fn tried(&mut self, change: impl FnOnce(&mut Draft) -> Option<()>) -> bool {
        let mut draft = self.draft.clone();
        let example = change(&mut draft).and_then(|()| draft.example());
        match example.filter(|example| (self.is_shown_by)(example)) {
            Some(example) => {
                (self.draft, self.best) = (draft, example);
                true
            }
            None => false,
        }
    }

    /// Only the roles, departments, platforms and categories that matter.
    fn parents(&mut self) {
        for low in [self.draft.principal.clone(), self.draft.resource.clone()] {
            // a recruiter must be in human resources: once nobody is a recruiter, nobody need be there either
            while self.fewer(&low) {}
        }
    }

    /// Whether `low` could be taken out of anything.
    fn fewer(&mut self, low: &EntityUid) -> bool {
        let above = self.best.entities.ancestors(low).into_iter().flatten();
        let above: BTreeSet<EntityUid> = above.cloned().collect();
        let mut dropped = false;
        for high in above {
            dropped |= self.tried(|draft| {
                let parents = draft.entity(low)?.get_mut("parents")?.as_array_mut()?;
                parents.retain(|parent| !is(parent, &high));
                Some(())
            });
        }
        dropped
    }

    /// Taken in no emergency: one changes when it can be.
    fn emergency(&mut self) {
        self.tried(|draft| draft.put("/purpose/emergency", json!(false)));
    }

    /// When and from where.
    fn circumstances(&mut self) {
        // declared the day before, or, as in an emergency, just now
        let _ = MOMENTS.iter().any(|(now, time, weekday)| {
            ["2026-11-23", now].iter().any(|declared| {
                self.tried(|draft| {
                    draft.put("/now", moment(now))?;
                    draft.put("/local/time", span(*time))?;
                    draft.put("/local/weekday", json!(weekday))?;
                    draft.put("/purpose/declaredAt", moment(declared));
                    draft.put("/purpose/expiresAt", moment("2026-12-01"));
                    Some(())
                })
            })
        });
        let _ = [30, 91, 365]
            .iter()
            .any(|days| self.tried(|draft| draft.put("/lasts", span(HOUR * 24 * days))));
        for (pointer, words) in [
            ("/client/network", &["office", "vpn", "guest"][..]),
            ("/channel", &["portal", "cli", "header"]),
        ] {
            let _ = words
                .iter()
                .any(|word| self.tried(|draft| draft.put(pointer, json!(word))));
        }
        self.tried(|draft| draft.put("/client/ip", json!({ "__extn": { "fn": "ip", "arg": "127.0.0.1" } })));
        // what a method proves goes with it, unless it must not
        let methods = [("basic", false), ("certificate", true)];
        let _ = [true, false].iter().any(|together| {
            methods.iter().any(|(method, strong)| {
                self.tried(|draft| {
                    draft.put("/proof/method", json!(method))?;
                    if *together {
                        draft.put("/proof/strong", json!(strong));
                    }
                    Some(())
                })
            })
        });
    }

    /// A request as clients send them.
    fn request(&mut self) {
        for (pointer, values) in [
            ("/request/method", [json!("GET"), json!("POST")]),
            ("/request/path", [json!("/"), json!("/home")]),
            ("/request/bytes", [json!(0), json!(4_000_000)]),
            ("/request/contentType", [json!("text/plain"), json!("image/png")]),
        ] {
            let _ = values
                .into_iter()
                .any(|value| self.tried(|draft| draft.put(pointer, value)));
        }
        self.tried(|draft| {
            let request = draft.context.get_mut("request")?.as_object_mut()?;
            request.remove("contentType").map(drop)
        });
    }

    /// A host and a ticket such as there are: a solver takes the shortest text that will do.
    fn names(&mut self) {
        let resource = self.draft.resource.clone();
        let host = |draft: &mut Draft| {
            Some(
                draft
                    .entity(&resource)?
                    .get_mut("attrs")?
                    .get("host")?
                    .as_str()?
                    .to_owned(),
            )
        };
        let is_host = |name: &str| name.contains('.') && Host::parse(name).is_ok();
        if let Some(name) = host(&mut self.draft).filter(|name| !name.is_empty() && !is_host(name)) {
            let others = [
                format!("a{name}"),
                format!("{name}.example"),
                format!("a{name}.example"),
            ];
            let _ = others.iter().filter(|other| is_host(other)).any(|other| {
                self.tried(|draft| {
                    *draft.entity(&resource)?.get_mut("attrs")?.get_mut("host")? = json!(other);
                    Some(())
                })
            });
        }
        if self.draft.context.pointer("/purpose/ticket").and_then(Value::as_str) == Some("") {
            self.tried(|draft| draft.put("/purpose/ticket", json!("T-1")));
        }
    }

    /// Without a purpose, or with one that covers no more than it must.
    fn purpose(&mut self) {
        let gone = |key: &'static str, pointer: &'static str| {
            move |draft: &mut Draft| {
                let record = if pointer.is_empty() {
                    Some(&mut draft.context)
                } else {
                    draft.context.pointer_mut(pointer)
                };
                record?.as_object_mut()?.remove(key).map(drop)
            }
        };
        // as what somebody answers, and for whom
        for key in ["behalfOf", "namedAs"] {
            self.tried(gone(key, ""));
        }
        if self.tried(gone("purpose", "")) {
            return;
        }
        for key in ["approvedBy", "ticket"] {
            self.tried(gone(key, "/purpose"));
        }
        let _ = GROUPS
            .iter()
            .any(|group| self.tried(|draft| draft.put("/purpose/covers", json!([group]))));
    }

    /// An employee, with the training that it takes; a declaration for a working day.
    fn person(&mut self) {
        let (principal, resource) = (self.draft.principal.clone(), self.draft.resource.clone());
        for kind in ["employee", "contractor"] {
            let kept = self.tried(|draft| {
                let attributes = draft.entity(&principal)?.get_mut("attrs")?;
                *attributes.pointer_mut("/employment/__entity/id")? = json!(kind);
                Some(())
            });
            if kept {
                break;
            }
        }
        let untrained = self.tried(|draft| {
            draft.entity(&principal)?.as_object_mut()?.remove("tags")?;
            Some(())
        });
        for until in ["2030-12-31", "2026-06-30"].iter().filter(|_| !untrained) {
            let kept = self.tried(|draft| {
                let courses = draft.entity(&principal)?.get_mut("tags")?.as_object_mut()?;
                courses.values_mut().for_each(|course| *course = moment(until));
                Some(())
            });
            if kept {
                break;
            }
        }
        for lasts in [HOUR * 8, HOUR, HOUR * 24 * 15, HOUR * 24 * 30] {
            let kept = self.tried(|draft| {
                let attributes = draft.entity(&resource)?.get_mut("attrs")?;
                *attributes.get_mut("maxDuration")? = span(lasts);
                Some(())
            });
            if kept {
                break;
            }
        }
    }
}
