use std::collections::BTreeSet;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::*;
use crate::clock::Timestamp;
use crate::facts::{
    Act, Arrival, Ask, Authority, Blame, Coach, DecisionNote, Door, Employment, End, Ending, FaultCode, GatewayAct,
    GrantId, Head, Hints, Host, Mode, NetworkName, Observation, Outcome, Peek, Person, PolicyId, RecordId, Stage,
    Standing, SubjectId, Would, WouldBe,
};

fn labels(platforms: &[&str]) -> Labels {
    Labels {
        activities: ["browse", "post"].map(Activity::new).to_vec(),
        platforms: platforms.iter().map(|id| PlatformId::new(*id)).collect(),
        purposes: vec![PurposeId::new("recruiting")],
        rulebook: RulebookId::new(format!("sha256:{}", platforms.len())),
    }
}

fn note(outcome: Outcome, activity: &str, platform: Option<&str>, purpose: Option<&str>) -> DecisionNote {
    DecisionNote {
        outcome,
        mode: Mode::Enforce,
        let_pass: false,
        coach: None,
        host: Host::parse("secret-host.example").unwrap(),
        platform: platform.map(PlatformId::new),
        activity: Activity::new(activity),
        activities: BTreeSet::new(),
        signatures: BTreeSet::new(),
        inspect: true,
        publishes: false,
        grant: None,
        purpose: purpose.map(PurposeId::new),
        policies: BTreeSet::new(),
        errors: BTreeSet::new(),
        offered: Vec::new(),
        help: None,
        would: None,
        rulebook: RulebookId::new("sha256:1"),
    }
}

fn ending(end: End) -> Ending {
    Ending {
        end,
        status: Some(200),
        decrypted: true,
        bytes_up: 100,
        bytes_down: 2_000,
        duration_ms: 40,
        judged_us: 120,
    }
}

fn seen(ask: Ask) -> Box<Observation> {
    Box::new(Observation {
        arrival: Arrival {
            door: Door::Plain,
            client: "127.0.0.1:40000".parse().unwrap(),
            network: NetworkName::default(),
        },
        subject: None,
        person: None,
        ask,
        standing: Standing::default(),
        selected: None,
        at: Timestamp::from_millis(0),
    })
}

fn request() -> Ask {
    let head = Head {
        method: "GET".to_owned(),
        path: "/secret-path".to_owned(),
        query: Vec::new(),
        hints: Hints::default(),
        peek: Peek::NotTaken,
    };
    Ask::Request(
        Authority::parse("secret-host.example:443", None).unwrap(),
        Box::new(head),
    )
}

fn ada() -> Person {
    Person {
        id: SubjectId::parse("ada").unwrap(),
        name: "Ada".to_owned(),
        roles: BTreeSet::new(),
        departments: BTreeSet::new(),
        employment: Employment::Employee,
        region: String::new(),
        time_zone: "UTC".to_owned(),
        manager: None,
        on_legal_hold: false,
        training: std::collections::BTreeMap::new(),
    }
}

fn tunnel() -> Ask {
    Ask::Connect(Authority::parse("secret-host.example:443", None).unwrap())
}

fn record(act: Act) -> Record {
    Record {
        id: RecordId::new("1"),
        at: Timestamp::from_millis(1_700_000_000_500),
        people: Vec::new(),
        act,
    }
}

fn closing(ask: Ask, decided: Option<DecisionNote>, ended: Ending) -> Record {
    record(Act::Closing {
        seen: seen(ask),
        decided: decided.map(Box::new),
        ended,
    })
}

fn allowed(platform: &str) -> Record {
    let decided = note(Outcome::Allow, "browse", Some(platform), Some("recruiting"));
    closing(request(), Some(decided), ending(End::Completed))
}

/// The value of the one series that is written so.
fn value(metrics: &Metrics, series: &str) -> Option<String> {
    let text = metrics.text().unwrap();
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned))
}

fn assert_values(metrics: &Metrics, expected: &[(&str, &str)]) {
    for (series, number) in expected {
        assert_eq!(value(metrics, series).as_deref(), Some(*number), "{series}");
    }
}

fn would(be: WouldBe) -> Would {
    Would {
        be,
        inspect: true,
        policies: BTreeSet::new(),
        errors: BTreeSet::from([PolicyId::new("on-probation")]),
    }
}

fn busy() -> Metrics {
    let metrics = Metrics::new(&labels(&["linkedin", "x"])).unwrap();
    metrics.observe(&allowed("linkedin"));
    metrics.observe(&allowed("linkedin"));
    let mut broken = note(Outcome::Deny, "post", Some("x"), None);
    broken.errors.insert(PolicyId::new("broken"));
    broken.would = Some(would(WouldBe::Denied));
    metrics.observe(&closing(request(), Some(broken), ending(End::Refused)));
    let mut unread = note(Outcome::Allow, "connect", None, None);
    unread.would = Some(would(WouldBe::Denied));
    metrics.observe(&closing(tunnel(), Some(unread), ending(End::Completed)));
    metrics.observe(&closing(request(), None, ending(End::Challenged)));
    let timeout = End::Failed {
        blame: Blame::Origin,
        stage: Stage::Dial,
        code: FaultCode::ConnectTimeout,
    };
    metrics.observe(&closing(request(), None, ending(timeout)));
    metrics.observe(&record(Act::Stray {
        client: "127.0.0.1:1".parse().unwrap(),
        ended: ending(End::Failed {
            blame: Blame::Client,
            stage: Stage::Arrive,
            code: FaultCode::BadRequest,
        }),
    }));
    metrics.notice("email", "sent");
    metrics.resources(&Resources {
        record_queue: 3,
        records_healthy: true,
        ledger_in_touch: true,
        portal_key_current: true,
        unreadable_tokens: 1,
        records_dropped: 1,
        minted_certificates: 7,
        sign_in_failures: 2,
        notices_waiting: 4,
        notices_shut_out: 1,
        reviews: [3, 1],
        grants: vec![
            (PurposeId::new("recruiting"), "active", 2),
            (PurposeId::new("forgotten"), "expired", 4),
            (PurposeId::new("gone"), "expired", 1),
        ],
    });
    metrics
}

#[test]
fn a_prompt_is_a_refusal_that_a_person_met_in_a_browser() {
    let metrics = Metrics::new(&labels(&["linkedin"])).unwrap();
    let refused = |outcome, ask, status| {
        let ended = Ending {
            status: Some(status),
            ..ending(End::Refused)
        };
        closing(ask, Some(note(outcome, "browse", Some("linkedin"), None)), ended)
    };
    let navigation = |dest: &str| {
        let Ask::Request(to, mut head) = request() else {
            panic!()
        };
        head.hints.fetch_mode = Some("navigate".to_owned());
        head.hints.fetch_dest = Some(dest.to_owned());
        Ask::Request(to, head)
    };
    metrics.observe(&refused(Outcome::Declare, navigation("document"), 303));
    metrics.observe(&refused(Outcome::Declare, navigation("document"), 403));
    // a browser that says nothing of what its requests are for is sent to the portal as well
    metrics.observe(&refused(Outcome::Request, request(), 303));
    // nobody sees what is in a frame, what a tool is told, and what a tunnel comes to
    metrics.observe(&refused(Outcome::Declare, navigation("iframe"), 403));
    metrics.observe(&refused(Outcome::Declare, request(), 403));
    metrics.observe(&refused(Outcome::Deny, tunnel(), 403));
    // and what passes is no prompt, whatever the site answers
    let passed = Ending {
        status: Some(303),
        ..ending(End::Completed)
    };
    let free = note(Outcome::Allow, "browse", Some("linkedin"), None);
    metrics.observe(&closing(navigation("document"), Some(free), passed));
    let series = |outcome: &str| value(&metrics, &format!(r#"wayleave_prompts_total{{outcome="{outcome}"}}"#));
    let [declare, request, deny, allow] = ["declare", "request", "deny", "allow"].map(series);
    assert_eq!((declare.as_deref(), request.as_deref()), (Some("2"), Some("1")));
    assert_eq!((deny, allow), (None, None));
}

#[test]
fn programs_that_do_not_trust_the_gateway_are_counted_by_platform() {
    let metrics = Metrics::new(&labels(&["linkedin"])).unwrap();
    let broke_off = |code, platform| {
        let end = End::Failed {
            blame: Blame::Client,
            stage: Stage::Intercept,
            code,
        };
        closing(
            tunnel(),
            Some(note(Outcome::Allow, "connect", platform, None)),
            ending(end),
        )
    };
    metrics.observe(&broke_off(FaultCode::ClientDistrusts, Some("linkedin")));
    metrics.observe(&broke_off(FaultCode::ClientDistrusts, Some("elsewhere")));
    metrics.observe(&broke_off(FaultCode::ClientDistrusts, None));
    metrics.observe(&broke_off(FaultCode::ClientGone, Some("linkedin")));
    for platform in ["linkedin", "other", "none"] {
        let series = format!(r#"wayleave_tls_client_rejections_total{{platform="{platform}"}}"#);
        assert_eq!(value(&metrics, &series).as_deref(), Some("1"), "{platform}");
    }
}

#[test]
fn what_is_read_against_the_rules_is_counted_and_what_no_rule_could_judge_is_not() {
    let metrics = Metrics::new(&labels(&["linkedin"])).unwrap();
    let forbidden = || value(&metrics, "wayleave_decrypt_forbidden_total").unwrap();
    assert_eq!(forbidden(), "0");
    let known = |mut record: Record| {
        if let Act::Closing { seen, .. } = &mut record.act {
            seen.person = Some(Arc::new(ada()));
        }
        record
    };
    let unread = |decrypted| {
        let note = DecisionNote {
            inspect: false,
            ..note(Outcome::Allow, "browse", Some("linkedin"), None)
        };
        let ended = Ending {
            decrypted,
            ..ending(End::Completed)
        };
        closing(request(), Some(note), ended)
    };
    metrics.observe(&known(allowed("linkedin")));
    metrics.observe(&known(unread(false)));
    // the rules know nothing of this sender, and refuse whatever was read
    metrics.observe(&unread(true));
    let mut failed = known(unread(true));
    if let Act::Closing {
        decided: Some(note), ..
    } = &mut failed.act
    {
        note.errors.insert(PolicyId::new("broken"));
    }
    metrics.observe(&failed);
    assert_eq!(forbidden(), "0");
    metrics.observe(&known(unread(true)));
    assert_eq!(forbidden(), "1");
}

#[test]
fn decisions_faults_and_bytes_are_counted_from_the_records() {
    assert_values(
        &busy(),
        &[
            (
                r#"wayleave_decisions_total{activity="browse",outcome="allow",platform="linkedin"}"#,
                "2",
            ),
            (
                r#"wayleave_decisions_total{activity="post",outcome="deny",platform="x"}"#,
                "1",
            ),
            (
                r#"wayleave_decisions_total{activity="connect",outcome="allow",platform="none"}"#,
                "1",
            ),
            (
                r#"wayleave_purpose_decisions_total{outcome="allow",purpose="recruiting"}"#,
                "2",
            ),
            (
                r#"wayleave_purpose_decisions_total{outcome="allow",purpose="none"}"#,
                "1",
            ),
            ("wayleave_policy_errors_total", "1"),
            (
                r#"wayleave_would_deny_total{cause="rule",mode="observe",platform="none"}"#,
                "1",
            ),
            ("wayleave_challenges_total", "1"),
            (
                r#"wayleave_faults_total{blame="origin",code="connect-timeout",stage="dial"}"#,
                "1",
            ),
            (
                r#"wayleave_faults_total{blame="client",code="bad-request",stage="arrive"}"#,
                "1",
            ),
            (r#"wayleave_bytes_total{direction="up"}"#, "600"),
            (r#"wayleave_bytes_total{direction="down"}"#, "12000"),
            ("wayleave_decision_duration_seconds_count", "4"),
            (r#"wayleave_decision_duration_seconds_bucket{le="0.00025"}"#, "4"),
            (r#"wayleave_decision_duration_seconds_bucket{le="0.0001"}"#, "0"),
            ("wayleave_request_duration_seconds_count", "5"),
        ],
    );
}

#[test]
fn an_opening_line_is_not_a_second_decision() {
    let metrics = Metrics::new(&labels(&["x"])).unwrap();
    let decided = note(Outcome::Allow, "post", Some("x"), None);
    metrics.observe(&record(Act::Opening {
        seen: seen(request()),
        decided: Box::new(decided.clone()),
    }));
    metrics.observe(&closing(request(), Some(decided), ending(End::Completed)));
    assert_values(
        &metrics,
        &[(
            r#"wayleave_decisions_total{activity="post",outcome="allow",platform="x"}"#,
            "1",
        )],
    );
}

#[test]
fn what_passed_only_by_a_mode_is_counted_by_that_mode_and_whose_it_is() {
    let metrics = Metrics::new(&labels(&["x"])).unwrap();
    let coached = Some(Coach::Continued(GrantId::new("1")));
    for (mode, let_pass, coach) in [
        (Mode::Observe, true, None),
        (Mode::Coach, true, coached.clone()),
        (Mode::Coach, false, Some(Coach::Offered)),
        (Mode::Enforce, true, coached),
        (Mode::Enforce, false, Some(Coach::Offered)),
    ] {
        let refused = note(Outcome::Deny, "browse", Some("x"), None);
        let refused = DecisionNote {
            mode,
            let_pass,
            coach,
            ..refused
        };
        metrics.observe(&closing(request(), Some(refused), ending(End::Completed)));
    }
    assert_values(
        &metrics,
        &[
            (
                r#"wayleave_would_deny_total{cause="gateway",mode="observe",platform="x"}"#,
                "1",
            ),
            (
                r#"wayleave_would_deny_total{cause="gateway",mode="coach",platform="x"}"#,
                "1",
            ),
            (
                r#"wayleave_would_deny_total{cause="rule",mode="coach",platform="x"}"#,
                "1",
            ),
        ],
    );
}

#[test]
fn what_is_outside_the_closed_lists_is_other_and_nothing_private_is_a_label() {
    let metrics = busy();
    let strange = note(Outcome::Deny, "juggle", Some("myspace"), Some("leisure"));
    metrics.observe(&closing(request(), Some(strange), ending(End::Refused)));
    assert_values(
        &metrics,
        &[
            (
                r#"wayleave_decisions_total{activity="other",outcome="deny",platform="other"}"#,
                "1",
            ),
            (
                r#"wayleave_purpose_decisions_total{outcome="deny",purpose="other"}"#,
                "1",
            ),
            (r#"wayleave_grants{purpose="other",state="expired"}"#, "5"),
        ],
    );
    let text = metrics.text().unwrap();
    for private in ["secret", "juggle", "myspace", "leisure", "forgotten", "127.0.0.1"] {
        assert!(!text.contains(private), "{private}");
    }
}

#[test]
fn new_rules_lose_no_count_and_bring_their_own_labels() {
    let metrics = busy();
    metrics.relabel(&labels(&["tiktok", "linkedin", "x"]));
    metrics.observe(&allowed("linkedin"));
    metrics.observe(&allowed("tiktok"));
    assert_values(
        &metrics,
        &[
            (
                r#"wayleave_decisions_total{activity="browse",outcome="allow",platform="linkedin"}"#,
                "3",
            ),
            (
                r#"wayleave_decisions_total{activity="browse",outcome="allow",platform="tiktok"}"#,
                "1",
            ),
            (
                r#"wayleave_decisions_total{activity="post",outcome="deny",platform="x"}"#,
                "1",
            ),
            (r#"wayleave_policy_info{revision="sha256:3"}"#, "1"),
        ],
    );
    assert_eq!(value(&metrics, r#"wayleave_policy_info{revision="sha256:2"}"#), None);
}

#[test]
fn reloads_show_whether_they_took_effect_and_when() {
    let metrics = busy();
    let gateway = |act| {
        record(Act::Gateway {
            act,
            rulebook: RulebookId::new("sha256:2"),
        })
    };
    metrics.observe(&gateway(GatewayAct::Started {
        version: "0.1.0".to_owned(),
    }));
    let when = ("wayleave_policy_reload_success_timestamp_seconds", "1700000000.5");
    assert_values(&metrics, &[("wayleave_policy_reload_success", "1"), when]);
    metrics.observe(&gateway(GatewayAct::RulebookRefused { problems: Vec::new() }));
    assert_values(&metrics, &[("wayleave_policy_reload_success", "0"), when]);
}

#[test]
fn things_alive_are_counted_while_they_live_and_totals_never_go_back() {
    let metrics = busy();
    let (one, two) = (metrics.tunnel(), metrics.tunnel());
    let client = metrics.connection();
    assert_values(&metrics, &[("wayleave_tunnels", "2"), ("wayleave_connections", "1")]);
    drop((one, client));
    assert_values(&metrics, &[("wayleave_tunnels", "1"), ("wayleave_connections", "0")]);
    drop(two);
    assert_values(
        &metrics,
        &[
            ("wayleave_record_queue", "3"),
            ("wayleave_records_healthy", "1"),
            ("wayleave_ledger_in_touch", "1"),
            ("wayleave_portal_key_current", "1"),
            ("wayleave_unreadable_tokens", "1"),
            ("wayleave_decision_log_dropped_total", "1"),
            ("wayleave_minted_certificates", "7"),
            ("wayleave_sign_in_failures_total", "2"),
            (r#"wayleave_grants{purpose="recruiting",state="active"}"#, "2"),
            (r#"wayleave_break_glass_reviews{state="waiting"}"#, "3"),
            (r#"wayleave_break_glass_reviews{state="overdue"}"#, "1"),
        ],
    );
    metrics.resources(&Resources {
        sign_in_failures: 5,
        ..Resources::default()
    });
    assert_values(
        &metrics,
        &[
            ("wayleave_sign_in_failures_total", "5"),
            ("wayleave_decision_log_dropped_total", "1"),
            ("wayleave_records_healthy", "0"),
            ("wayleave_ledger_in_touch", "0"),
            ("wayleave_portal_key_current", "0"),
        ],
    );
    assert_eq!(
        value(&metrics, r#"wayleave_grants{purpose="recruiting",state="active"}"#),
        None
    );
}

#[test]
fn counting_from_many_threads_loses_nothing() {
    let metrics = Metrics::new(&labels(&["linkedin"])).unwrap();
    let record = Arc::new(allowed("linkedin"));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| metrics.observe(&record)));
        }
        scope.spawn(|| (0..50).for_each(|_| metrics.relabel(&labels(&["x", "linkedin"]))));
    });
    assert_values(
        &metrics,
        &[(
            r#"wayleave_decisions_total{activity="browse",outcome="allow",platform="linkedin"}"#,
            "2000",
        )],
    );
}

#[test]
fn the_page_holds_every_metric_of_the_table_and_no_other() {
    let metrics = busy();
    let sent_on = Ending {
        status: Some(303),
        ..ending(End::Refused)
    };
    let needs_a_purpose = note(Outcome::Declare, "browse", Some("linkedin"), None);
    metrics.observe(&closing(request(), Some(needs_a_purpose), sent_on));
    let distrusts = End::Failed {
        blame: Blame::Client,
        stage: Stage::Intercept,
        code: FaultCode::ClientDistrusts,
    };
    let opened = note(Outcome::Allow, "connect", Some("linkedin"), None);
    metrics.observe(&closing(tunnel(), Some(opened), ending(distrusts)));
    let text = metrics.text().unwrap();
    let shown: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next())
        .filter(|name| !name.starts_with("process_"))
        .collect();
    let table: BTreeSet<&str> = names::ALL.iter().map(|name| name.name).collect();
    assert_eq!(shown, table);
    assert!(text.contains("# TYPE process_open_fds gauge"));
}

#[test]
fn promtool_has_nothing_to_say_about_the_page() {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs (install it with: apt-get install prometheus)");
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(busy().text().unwrap().as_bytes())
        .unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(said, "");
    assert!(output.status.success());
}
