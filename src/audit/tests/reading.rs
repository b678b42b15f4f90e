//! Reading the book back, also while it is being written.

use std::time::Duration;

use super::*;
use crate::facts::{Coach, Ending, GrantId, PolicyId, PurposeId, Would, WouldBe};

#[tokio::test]
async fn whoever_follows_sees_new_lines_also_across_segments() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 3000,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&small, clock(), Vec::new()).unwrap();
    let mut follower = read(folder.path()).unwrap();
    assert!(follower.next().is_none());
    for _ in 0..10 {
        let id = flow(&book, true).await;
        book.flush().await.unwrap();
        let ids: Vec<RecordId> = follower.by_ref().map(|found| found.unwrap().1.id).collect();
        assert_eq!(ids, [id.clone(), id]);
    }
    assert!(verify(folder.path()).unwrap().segments > 2);
}

#[tokio::test]
async fn whoever_follows_waits_for_the_rest_of_an_unfinished_line() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    flow(&book, false).await;
    book.close().await.unwrap();
    let file = folder.path().join("records-00000001.jsonl");
    let whole = std::fs::read(&file).unwrap();
    let mut follower = read(folder.path()).unwrap();
    for half in 1..whole.len() {
        std::fs::write(&file, &whole[..half]).unwrap();
        assert!(follower.next().is_none(), "{half}");
    }
    std::fs::write(&file, &whole).unwrap();
    let (position, _) = follower.next().unwrap().unwrap();
    assert_eq!((position.line, position.seq), (1, 1));
}

/// Filters each of which the flow does not fit for one reason.
fn misfits() -> Vec<Filter> {
    vec![
        Filter {
            user: Some("bob".to_owned()),
            ..Filter::default()
        },
        Filter {
            outcome: Some(Outcome::Deny),
            ..Filter::default()
        },
        Filter {
            platform: Some("x".to_owned()),
            ..Filter::default()
        },
        Filter {
            since: Some(noon().plus(Duration::from_millis(1))),
            ..Filter::default()
        },
        Filter {
            until: Some(noon()),
            ..Filter::default()
        },
        Filter {
            activity: Some("browse".to_owned()),
            ..Filter::default()
        },
        Filter {
            purpose: Some("recruiting".to_owned()),
            ..Filter::default()
        },
        Filter {
            host: Some(Host::parse("in.com").unwrap()),
            ..Filter::default()
        },
        Filter {
            client: Some("192.0.2.7".parse().unwrap()),
            ..Filter::default()
        },
        Filter {
            policy: Some(PolicyId::new("guard.other")),
            ..Filter::default()
        },
        Filter {
            grant: Some(GrantId::new("01a2059d-b664-7ced-a00f-becb38361f7b")),
            ..Filter::default()
        },
        Filter {
            let_pass: Some(LetPass::Any),
            ..Filter::default()
        },
        Filter {
            topic: Topic::Grants,
            ..Filter::default()
        },
    ]
}

#[tokio::test]
async fn a_filter_admits_what_fits_all_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let (book, _) = Book::open(&settings(folder.path()), clock(), Vec::new()).unwrap();
    flow(&book, false).await;
    book.close().await.unwrap();
    let record = all(folder.path()).remove(0);
    let fits = |filter: Filter| filter.admits(&record);
    assert!(fits(Filter::default()));
    assert!(fits(Filter {
        user: Some("ada".to_owned()),
        outcome: Some(Outcome::Allow),
        platform: Some("linkedin".to_owned()),
        since: Some(noon()),
        until: Some(noon().plus(Duration::from_millis(1))),
        activity: Some("post".to_owned()),
        host: Some(Host::parse("linkedin.com").unwrap()),
        client: Some("127.0.0.0/8".parse().unwrap()),
        ..Filter::default()
    }));
    for misfit in misfits() {
        assert!(!fits(misfit.clone()), "{misfit:?}");
    }
}

/// A closing line of which this was decided.
fn closing(note: DecisionNote) -> Record {
    Record {
        id: RecordId::new("one"),
        at: noon(),
        people: Vec::new(),
        act: Act::Closing {
            seen: Box::new(seen("ada", "/feed/")),
            decided: Some(Box::new(note)),
            ended: Ending {
                end: End::Completed,
                status: Some(200),
                decrypted: true,
                bytes_up: 0,
                bytes_down: 0,
                duration_ms: 0,
                judged_us: 0,
            },
        },
    }
}

#[test]
fn what_passed_though_it_would_be_denied_is_found_by_who_let_it_pass() {
    let passed = decided(Outcome::Allow);
    let by_gateway = DecisionNote {
        mode: Mode::Observe,
        let_pass: true,
        ..decided(Outcome::Deny)
    };
    let on_probation = DecisionNote {
        would: Some(Would {
            be: WouldBe::Denied,
            inspect: true,
            policies: BTreeSet::from([PolicyId::new("trial.new")]),
            errors: BTreeSet::from([PolicyId::new("trial.broken")]),
        }),
        ..decided(Outcome::Allow)
    };
    let continued = DecisionNote {
        let_pass: true,
        coach: Some(Coach::Continued(GrantId::new("g"))),
        ..decided(Outcome::Deny)
    };
    let all = [passed, by_gateway, on_probation, continued].map(closing);
    let found = |filter: Filter| all.each_ref().map(|record| filter.admits(record));
    let let_pass = |way| {
        found(Filter {
            let_pass: Some(way),
            ..Filter::default()
        })
    };
    assert_eq!(let_pass(LetPass::Any), [false, true, true, true]);
    assert_eq!(let_pass(LetPass::Observe), [false, true, true, false]);
    assert_eq!(let_pass(LetPass::Coach), [false, false, false, true]);
    for policy in ["trial.new", "trial.broken"] {
        let by = Filter {
            policy: Some(PolicyId::new(policy)),
            ..Filter::default()
        };
        assert_eq!(found(by), [false, false, true, false], "{policy}");
    }
    let not_allowed = Filter {
        not_allowed: true,
        platform: Some(ANY.to_owned()),
        ..Filter::default()
    };
    assert_eq!(found(not_allowed), [false, true, false, true]);
    let under = Filter {
        grant: Some(GrantId::new("g")),
        ..Filter::default()
    };
    assert_eq!(found(under), [false, false, false, true]);
}

fn only(filter: &str, said: &str) -> Filter {
    let mut only = Filter::default();
    let slot = match filter {
        "user" => &mut only.user,
        "purpose" => &mut only.purpose,
        _ => &mut only.platform,
    };
    *slot = Some(said.to_owned());
    only
}

#[test]
fn what_people_did_is_found_by_whom_and_what_it_is_about() {
    let grant = |kind: &str, more: serde_json::Value| {
        let mut grant = serde_json::json!({
            "id": "g", "subject": "ada", "purpose": kind, "platforms": ["linkedin"], "covers": ["read"], "channel": "portal",
            "declared_at": noon(), "not_before": noon(), "expires": noon(), "state": "active",
        });
        grant.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let line = serde_json::json!({
            "id": "one", "at": noon(), "kind": "grant", "act": "granted", "grant": grant, "by": "ada", "rulebook": "sha256:1",
        });
        serde_json::from_value::<Record>(line).unwrap()
    };
    let looked = serde_json::json!({
        "id": "two", "at": noon(), "kind": "access", "act": "searched", "by": "sol", "rulebook": "sha256:1",
        "access": { "wanted": { "user": "bob", "grant": "g", "purpose": "recruiting", "platform": "linkedin" } },
    });
    let all = [
        grant("recruiting", serde_json::json!({})),
        grant("crisis", serde_json::json!({ "emergency": { "review_by": noon() } })),
        grant(
            PurposeId::DELEGATED,
            serde_json::json!({ "platforms": [], "delegated": { "to": "bob", "purposes": ["sales"] } }),
        ),
        serde_json::from_value(looked).unwrap(),
    ];
    let found = |filter: &Filter| all.each_ref().map(|record| u8::from(filter.admits(record)));
    for (topic, expected) in [
        (Topic::All, [1, 1, 1, 1]),
        (Topic::Grants, [1, 1, 0, 0]),
        (Topic::BreakGlass, [0, 1, 0, 0]),
        (Topic::Delegations, [0, 0, 1, 0]),
        (Topic::Access, [0, 0, 0, 1]),
        (Topic::Flows, [0; 4]),
        (Topic::Continued, [0; 4]),
    ] {
        let filter = Filter {
            topic,
            ..Filter::default()
        };
        assert_eq!(found(&filter), expected, "{topic:?}");
    }
    for (filter, said, expected) in [
        ("user", "bob", [0, 0, 1, 1]),
        ("user", "sol", [0, 0, 0, 1]),
        ("purpose", "recruiting", [1, 0, 0, 1]),
        ("purpose", "sales", [0, 0, 1, 0]),
        ("platform", "linkedin", [1, 1, 0, 1]),
    ] {
        assert_eq!(found(&only(filter, said)), expected, "{filter} {said}");
    }
}

#[test]
fn a_host_finds_those_below_it_and_a_network_its_addresses() {
    let record = closing(decided(Outcome::Allow));
    for (host, is_found) in [
        ("www.linkedin.com", true),
        ("linkedin.com", true),
        ("inkedin.com", false),
        ("a.www.linkedin.com", false),
    ] {
        let filter = Filter {
            host: Some(Host::parse(host).unwrap()),
            ..Filter::default()
        };
        assert_eq!(filter.admits(&record), is_found, "{host}");
    }
    let client = peer().ip();
    for (text, is_found) in [
        (client.to_string(), true),
        ("0.0.0.0/0".to_owned(), client.is_ipv4()),
        ("198.51.100.0/24".to_owned(), false),
        ("::ffff:0.0.0.0/96".to_owned(), client.is_ipv4()),
        ("::ffff:198.51.100.0/120".to_owned(), false),
    ] {
        let filter = Filter {
            client: Some(text.parse().unwrap()),
            ..Filter::default()
        };
        assert_eq!(filter.admits(&record), is_found, "{text}");
    }
    for odd in ["", "ada", "192.0.2.0/99", "192.0.2"] {
        assert!(odd.parse::<ClientNet>().is_err(), "{odd}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_book_that_is_being_written_can_be_read_and_holds_at_every_moment() {
    let folder = tempfile::tempdir().unwrap();
    let small = Settings {
        segment_bytes: 3000,
        ..settings(folder.path())
    };
    let (book, _) = Book::open(&small, clock(), Vec::new()).unwrap();
    let mut follower = read(folder.path()).unwrap();
    let mut writing = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let book = book.clone();
        writing.spawn(async move {
            for _ in 0..50 {
                flow(&book, true).await;
            }
        });
    }
    let mut given = 0;
    while writing.try_join_next().is_none_or(|done| done.is_ok()) && !writing.is_empty() {
        verify(folder.path()).unwrap();
        given += follower.by_ref().map(Result::unwrap).count();
    }
    book.close().await.unwrap();
    given += follower.by_ref().map(Result::unwrap).count();
    assert_eq!(given, 4 * 50 * 2);
    assert_eq!(verify(folder.path()).unwrap().lines, 4 * 50 * 2);
}
