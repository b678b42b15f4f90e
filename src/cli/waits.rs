//! What a request waits for, in words: from what the API says of it.

use serde_json::Value;

/// Who that is, is not known.
const SOMEBODY: &str = "somebody";

/// Whose approval is missing: `mia and one of nora or lea`; and who may give one later: `mia, from … on also sol`.
pub(super) fn for_whom(grant: &Value) -> String {
    let later = grant.get("alternates");
    let from = later.and_then(|later| later.get("from")?.as_str());
    let others = later.map(|later| joined(&words(later, "approvers"), "or"));
    match (now(grant), from.zip(others)) {
        (now, None) => now.unwrap_or_else(|| SOMEBODY.to_owned()),
        (None, Some((from, others))) => format!("{others} (from {from} on)"),
        (Some(now), Some((from, others))) => format!("{now}, from {from} on also {others},"),
    }
}

/// Who may give an approval that is missing; none where nobody may at the moment.
fn now(grant: &Value) -> Option<String> {
    let lacking = grant.get("waits_for").and_then(Value::as_array);
    let lacking = lacking.map_or(&[][..], Vec::as_slice);
    let is_one_of_several = lacking.len() > 1;
    let each = lacking.iter().map(|one| {
        let needed = one.get("needed").and_then(Value::as_u64).unwrap_or(1);
        among(needed, &words(one, "of"), is_one_of_several)
    });
    let each = each.collect::<Vec<_>>();
    let is_any = each.iter().any(|one| one != SOMEBODY);
    is_any.then(|| each.join(" and "))
}

/// How fast such requests are usually answered, where the API says so: `; usually answered within 40 minutes`.
pub(super) fn how_fast(grant: &Value) -> Option<String> {
    let seconds = grant.get("usually_answered_within_s")?.as_u64()?;
    let units = [("day", 86_400), ("hour", 3_600), ("minute", 60)];
    let whole = |(_, length): &(&str, u64)| seconds >= *length && seconds.is_multiple_of(*length);
    let (unit, length) = units.into_iter().find(whole).unwrap_or(("second", 1));
    let count = seconds / length;
    let plural = if count == 1 { "" } else { "s" };
    Some(format!("; usually answered within {count} {unit}{plural}"))
}

/// So many of these.
fn among(needed: u64, names: &[&str], is_one_of_several: bool) -> String {
    let all = u64::try_from(names.len()).is_ok_and(|count| count <= needed);
    match (names, needed) {
        ([], _) => SOMEBODY.to_owned(),
        ([one], _) => (*one).to_owned(),
        (_, _) if all => joined(names, "and"),
        (_, 1) if is_one_of_several => format!("one of {}", joined(names, "or")),
        (_, 1) => joined(names, "or"),
        (_, needed) => format!("{needed} of {}", joined(names, "or")),
    }
}

/// `mia, nora or lea`.
fn joined(names: &[&str], word: &str) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} {word} {last}", first.join(", ")),
    }
}

/// Who approved so far, where several must: `1 of 2: nora`.
pub(super) fn so_far(grant: &Value) -> Option<String> {
    let number = |key: &str| grant.get(key).and_then(Value::as_u64);
    let needed = number("approvals_needed").filter(|needed| *needed > 1)?;
    let given = needed.saturating_sub(number("approvals_missing")?);
    let answers = grant.get("answers").and_then(Value::as_array).into_iter().flatten();
    let by: Vec<String> = answers.filter_map(by_whom).collect();
    let by = Some(by.join(", ")).filter(|by| !by.is_empty());
    Some(by.map_or_else(
        || format!("{given} of {needed}"),
        |by| format!("{given} of {needed}: {by}"),
    ))
}

/// Who answered, and for whom: `nora for mia`.
fn by_whom(answer: &Value) -> Option<String> {
    let by = answer.get("by")?.as_str()?;
    let whom = answer.get("for").and_then(|behalf| behalf.get("whom")?.as_str());
    Some(whom.map_or_else(|| by.to_owned(), |whom| format!("{by} for {whom}")))
}

fn words<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    let words = value.get(key).and_then(Value::as_array).into_iter().flatten();
    words.filter_map(Value::as_str).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whose_approval_is_missing_reads_as_a_sentence() {
        for (lacking, says) in [
            (json!([{"needed": 1, "of": ["mia"]}]), "mia"),
            (json!([{"needed": 1, "of": ["mia", "nora"]}]), "mia or nora"),
            (json!([{"needed": 2, "of": ["nora", "lea"]}]), "nora and lea"),
            (
                json!([{"needed": 2, "of": ["nora", "lea", "sol"]}]),
                "2 of nora, lea or sol",
            ),
            (
                json!([{"needed": 1, "of": ["mia"]}, {"needed": 1, "of": ["nora", "lea"]}]),
                "mia and one of nora or lea",
            ),
            (json!([{"needed": 1, "of": []}]), "somebody"),
        ] {
            assert_eq!(for_whom(&json!({ "waits_for": lacking })), says);
        }
    }

    #[test]
    fn who_may_approve_later_is_told_with_the_moment_from_which_they_may() {
        let waits = |of: Value| {
            json!({"waits_for": [{"needed": 1, "of": of}],
                   "alternates": {"from": "2026-11-24T11:45:00Z", "approvers": ["sol", "dan"]}})
        };
        assert_eq!(
            for_whom(&waits(json!(["mia"]))),
            "mia, from 2026-11-24T11:45:00Z on also sol or dan,"
        );
        assert_eq!(for_whom(&waits(json!([]))), "sol or dan (from 2026-11-24T11:45:00Z on)");
    }

    #[test]
    fn how_fast_others_were_answered_is_said_in_the_largest_unit_that_fits() {
        let said = |seconds: Value| how_fast(&json!({ "usually_answered_within_s": seconds }));
        assert_eq!(said(json!(2_400)).unwrap(), "; usually answered within 40 minutes");
        assert_eq!(said(json!(3_600)).unwrap(), "; usually answered within 1 hour");
        assert_eq!(said(json!(172_800)).unwrap(), "; usually answered within 2 days");
        assert_eq!(said(Value::Null), None);
        assert_eq!(how_fast(&json!({})), None);
    }

    #[test]
    fn who_approved_so_far_is_told_where_several_must() {
        let grant = |needed: u64, missing: u64, by: &[&str]| {
            let answers: Vec<Value> = by.iter().map(|by| json!({ "by": by })).collect();
            json!({"approvals_needed": needed, "approvals_missing": missing, "answers": answers})
        };
        assert_eq!(so_far(&grant(1, 1, &[])), None);
        assert_eq!(so_far(&grant(2, 2, &[])).unwrap(), "0 of 2");
        assert_eq!(so_far(&grant(3, 1, &["nora", "lea"])).unwrap(), "2 of 3: nora, lea");
        let acting = json!({"approvals_needed": 2, "approvals_missing": 1,
                            "answers": [{"by": "nora", "for": {"whom": "mia", "delegation": "d"}}]});
        assert_eq!(so_far(&acting).unwrap(), "1 of 2: nora for mia");
    }
}
