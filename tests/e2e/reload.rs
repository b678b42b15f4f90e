//! Rules and people are edited while the gateway runs: what is right takes effect, what is wrong never rules, and
//! nobody who may still pass is disturbed.

use futures_util::{SinkExt, StreamExt};
use http::StatusCode;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::Message;
use wayleave::facts::{Act, Answer, End, GatewayAct, Record, RulebookId, SubjectId};

use crate::harness::World;
use crate::harness::house::PORTAL;

const RULES: &str = "rules/90-test.cedar";

/// Closes addresses that no case of the shipped policies asks for.
const CLOSED: &str = r#"@id("test.closed") @title("Closed") @reason("This corner is closed today.") @owner("IT")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/*" };
"#;

/// Forbids one host that is not managed.
const NO_EXAMPLE: &str = r#"@id("test.no-example") @title("No example") @reason("The example is closed.") @owner("IT")
forbid (principal, action == Action::"connect", resource) when { resource.host == "www.example.org" };
"#;

/// Fails whenever it is asked about the corner.
const FAILING: &str = r#"@id("test.sum") @title("A sum") @reason("The sum is too large.") @owner("IT")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/*" && (context.request.bytes + 1) * 9223372036854775807 + 9223372036854775807 > 5 };
"#;

async fn a_reader() -> World {
    let world = World::open().await;
    world
        .grant("dan", "market-research", &["x", "linkedin"], &["read"])
        .await;
    world
}

async fn changes(world: &World) -> Vec<(RulebookId, RulebookId)> {
    let change = |record: &Record| match &record.act {
        Act::Gateway {
            act: GatewayAct::RulebookChanged { from },
            rulebook,
        } => Some((from.clone(), rulebook.clone())),
        _ => None,
    };
    world.acts(change).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_rule_takes_effect_and_is_recorded() {
    let world = a_reader().await;
    let dan = world.client("dan");
    assert_eq!(dan.get("https://x.com/corner/1").await.status, StatusCode::OK);
    let before = world.gate().live().load().rulebook.id().clone();
    world.edit_rules(RULES, CLOSED).await;
    let refused = dan.get("https://x.com/corner/1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        refused.text().contains("This corner is closed today."),
        "{}",
        refused.text()
    );
    let after = world.gate().live().load().rulebook.id().clone();
    assert_eq!(world.closed("x.com", "/corner/1").await.decided().rulebook, after);
    world
        .until("the change is recorded", async |world| !changes(world).await.is_empty())
        .await;
    assert_eq!(changes(&world).await, [(before, after.clone())]);
    let ready = world.admin("/readyz").await;
    assert_eq!(
        (ready.status, &ready.json()["rulebook"]),
        (StatusCode::OK, &after.as_str().into())
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_an_editor_moves_into_place_takes_effect() {
    let world = a_reader().await;
    let mut changes = world.gate().live().changes();
    let draft = world.policies().join("rules/.90-test.cedar.swp");
    std::fs::write(&draft, CLOSED).unwrap();
    std::fs::rename(&draft, world.policies().join(RULES)).unwrap();
    tokio::time::timeout(std::time::Duration::from_mins(1), changes.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        world.client("dan").get("https://x.com/corner/1").await.status,
        StatusCode::FORBIDDEN
    );
    world.close().await;
}

/// A whole copy of the policies beside them, with this rule.
fn version(world: &World, name: &str, rule: &str) -> std::path::PathBuf {
    let folder = world.policies().with_file_name(name);
    crate::harness::copy(&world.policies(), &folder);
    std::fs::write(folder.join(RULES), rule).unwrap();
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_replaced_takes_effect_each_time() {
    let world = a_reader().await;
    let dan = world.client("dan");
    for (at, rule, status) in [
        (1, CLOSED, StatusCode::FORBIDDEN),
        (2, "", StatusCode::OK),
        (3, CLOSED, StatusCode::FORBIDDEN),
    ] {
        let next = version(&world, &format!("policies.{at}"), rule);
        let mut changes = world.gate().live().changes();
        std::fs::rename(world.policies(), world.policies().with_file_name(format!("old.{at}"))).unwrap();
        std::fs::rename(next, world.policies()).unwrap();
        changes.changed().await.unwrap();
        assert_eq!(dan.get("https://x.com/corner/1").await.status, status, "{at}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_is_led_to_another_folder_takes_effect_each_time() {
    use std::os::unix::fs::symlink;
    let world = World::planned(|plan| {
        let policies = plan.folder.join("policies");
        std::fs::rename(&policies, plan.folder.join("policies.0")).unwrap();
        symlink("policies.0", &policies).unwrap();
    })
    .await;
    world.grant("dan", "market-research", &["x"], &["read"]).await;
    let dan = world.client("dan");
    for (at, rule, status) in [(1, CLOSED, StatusCode::FORBIDDEN), (2, "", StatusCode::OK)] {
        let next = version(&world, &format!("policies.{at}"), rule);
        let mut changes = world.gate().live().changes();
        let link = world.policies().with_file_name("next");
        symlink(next, &link).unwrap();
        std::fs::rename(link, world.policies()).unwrap();
        changes.changed().await.unwrap();
        assert_eq!(dan.get("https://x.com/corner/1").await.status, status, "{at}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_new_rules_still_permit_is_not_disturbed() {
    let world = a_reader().await;
    let dan = world.client("dan");
    let mut kept = dan.keep("x.com").await;
    assert_eq!(kept.get("/corner/1").await.status, StatusCode::OK);
    // an unread tunnel in the middle of data
    let mut tunnel = hyper_util::rt::TokioIo::new(dan.tunnel("www.example.org:80").await.unwrap());
    tunnel
        .write_all(b"GET /behave/drip HTTP/1.1\r\nHost: www.example.org\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 64];
    tunnel.read_exact(&mut some).await.unwrap();
    // and a socket
    world
        .give("ben", "brand-publishing", &["x"], |terms| {
            terms.answers = vec![Answer::approval(SubjectId::parse("mia").unwrap(), terms.declared_at)];
        })
        .await;
    let mut socket = world.client("ben").socket("x.com", "/live").await.unwrap();

    world.edit_rules(RULES, CLOSED).await;
    assert_eq!(
        kept.get("/corner/1").await.status,
        StatusCode::FORBIDDEN,
        "each request is judged by the new rules"
    );
    assert_eq!(kept.get("/home").await.status, StatusCode::OK, "on the same connection");
    for _ in 0..3 {
        tunnel.read_exact(&mut some).await.expect("the tunnel goes on");
    }
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
    drop((kept, tunnel, socket));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unread_tunnel_that_new_rules_forbid_is_cut_with_its_reason() {
    let world = World::open().await;
    let mut tunnel = hyper_util::rt::TokioIo::new(world.client("dan").tunnel("www.example.org:80").await.unwrap());
    tunnel
        .write_all(b"GET /behave/drip HTTP/1.1\r\nHost: www.example.org\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 64];
    tunnel.read_exact(&mut some).await.unwrap();
    world.edit_rules(RULES, NO_EXAMPLE).await;
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.ok();
    let closing = world.closed("www.example.org", "CONNECT").await;
    let End::Cut(reason) = &closing.ended().end else {
        panic!("{:?}", closing.ended());
    };
    assert!(reason.contains("rules"), "{reason}");
    assert!(closing.ended().bytes_down >= 64, "what was carried is counted");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_new_rules_forbid_is_cut() {
    let world = World::open().await;
    world
        .give("ben", "brand-publishing", &["x"], |terms| {
            terms.answers = vec![Answer::approval(SubjectId::parse("mia").unwrap(), terms.declared_at)];
        })
        .await;
    let mut socket = world.client("ben").socket("x.com", "/corner/live").await.unwrap();
    world.edit_rules(RULES, CLOSED).await;
    assert!(!matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    let closing = world.closed("x.com", "/corner/live").await;
    assert!(matches!(closing.ended().end, End::Cut(_)), "{:?}", closing.ended());
    world.close().await;
}

async fn is_refused(world: &World, place: &str) {
    world
        .until("the refusal shows", async |world| {
            world.admin("/readyz").await.text().contains("were refused")
        })
        .await;
    let ready = world.admin("/readyz").await;
    assert_eq!(
        ready.status,
        StatusCode::OK,
        "the old rules still rule: {}",
        ready.text()
    );
    let problems = ready.json()["problems"].to_string();
    assert!(problems.contains(place), "{place} in {problems}");
    world
        .until("the metric says so", async |world| {
            world.metric("wayleave_policy_reload_success").await == Some(0.0)
        })
        .await;
    let recorded = world
        .acts(|record| match &record.act {
            Act::Gateway {
                act: GatewayAct::RulebookRefused { problems },
                ..
            } => Some(problems.join("\n")),
            _ => None,
        })
        .await;
    assert!(recorded.last().unwrap().contains(place), "{recorded:?}");
}

async fn is_well_again(world: &World) {
    world
        .until("the problem is gone", async |world| {
            world.admin("/readyz").await.json()["problems"] == serde_json::json!([])
                && world.metric("wayleave_policy_reload_success").await == Some(1.0)
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_edit_that_is_refused_is_recorded_also_for_the_same_mistake() {
    let world = a_reader().await;
    let refused = async |world: &World| {
        let refused = world.acts(|record| match &record.act {
            Act::Gateway {
                act: GatewayAct::RulebookRefused { problems },
                ..
            } => Some(problems.clone()),
            _ => None,
        });
        refused.await
    };
    world.write_policy(RULES, "permit (principal, action == Action::\"brwse\", resource);\n");
    for attempts in 1..=3 {
        world
            .until("the attempt is recorded", async |world| {
                refused(world).await.len() == attempts
            })
            .await;
        world.write_policy("rules/91-other.cedar", &"// another edit\n".repeat(attempts));
    }
    let told = refused(&world).await;
    assert!(told.iter().all(|problems| *problems == told[0]), "{told:?}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_that_takes_the_name_of_the_portal_never_rules() {
    let world = a_reader().await;
    let host =
        "[[host]]\nhost = \"wayleave.internal\"\nplatform = \"mastodon\"\nmatch = \"exact\"\nroles = [\"site\"]\n";
    world.write_policy("catalog/local.toml", host);
    is_refused(&world, "`wayleave.internal` is a host of `mastodon`, and the portal's").await;
    let home = world.client("ada").navigate("https://wayleave.internal/").await;
    assert_eq!(home.status, StatusCode::OK);
    world.write_policy("catalog/local.toml", "");
    is_well_again(&world).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_never_rules_and_says_where_it_is_broken() {
    let world = a_reader().await;
    let before = world.gate().live().load().rulebook.id().clone();
    world.write_policy(
        RULES,
        "// a comment first\npermit (principal, action == Action::\"brwse\", resource);\n",
    );
    is_refused(&world, "rules/90-test.cedar:2:").await;
    assert_eq!(*world.gate().live().load().rulebook.id(), before);
    let dan = world.client("dan");
    assert_eq!(dan.get("https://x.com/home").await.status, StatusCode::OK);
    assert_eq!(dan.get("https://www.facebook.com/").await.status, StatusCode::FORBIDDEN);

    // repaired by taking the mistake back: the same rules as before
    std::fs::remove_file(world.policies().join(RULES)).unwrap();
    is_well_again(&world).await;
    assert_eq!(*world.gate().live().load().rulebook.id(), before);

    // and broken in another file, then repaired by other rules
    let people = world.read_policy("purposes.toml");
    world.write_policy(
        "purposes.toml",
        &people.replace("approval = \"owner\"", "aproval = \"owner\""),
    );
    is_refused(&world, "purposes.toml:").await;
    world.write_policy("purposes.toml", &people);
    world.edit_rules(RULES, CLOSED).await;
    is_well_again(&world).await;
    assert_eq!(dan.get("https://x.com/corner/1").await.status, StatusCode::FORBIDDEN);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_that_fail_their_own_cases_never_rule() {
    let world = World::open().await;
    let before = world.gate().live().load().rulebook.id().clone();
    let rule = r#"@id("test.no-recruiting") @title("No recruiting") @reason("No recruiting.") @owner("IT")
        forbid (principal, action in Action::"read", resource in Category::"professional");"#;
    world.write_policy(RULES, rule);
    is_refused(&world, "cases/linkedin.toml:").await;
    let text = world.admin("/readyz").await.text();
    assert!(text.contains("opens the feed for recruiting"), "{text}");
    assert_eq!(*world.gate().live().load().rulebook.id(), before);
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    assert_eq!(
        world.client("ada").get("https://www.linkedin.com/feed/").await.status,
        StatusCode::OK
    );
    world.close().await;
}

const ZOE: &str = r#"[[person]]
id = "zoe"
name = "Zoe Laurent"
roles = ["recruiter"]
department = "hr"
employment = "employee"
region = "eu-west"
time-zone = "Europe/Paris"
"#;

#[tokio::test(flavor = "multi_thread")]
async fn editing_people_takes_effect_and_cuts_whoever_left() {
    let world = World::planned(|plan| crate::harness::add_account(&plan.settings, "zoe")).await;
    let zoe = world.client("zoe");
    let unknown = zoe.get("http://www.example.org/").await;
    assert_eq!(unknown.status, StatusCode::FORBIDDEN);
    assert_eq!(
        unknown.json()["type"],
        "https://wayleave.example/problems/person-unknown"
    );

    let mut people = world.gate().live().changes();
    world.write_policy("people/zoe.toml", ZOE);
    tokio::time::timeout(std::time::Duration::from_mins(1), people.changed())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(zoe.get("http://www.example.org/").await.status, StatusCode::OK);
    let declaration =
        serde_json::json!({"purpose": "recruiting", "platforms": ["linkedin"], "statement": "Looking for a tester"});
    assert_eq!(zoe.declare(&declaration).await.status, StatusCode::CREATED);
    let mut tunnel = hyper_util::rt::TokioIo::new(zoe.tunnel("www.example.org:80").await.unwrap());
    tunnel
        .write_all(b"GET /behave/drip HTTP/1.1\r\nHost: www.example.org\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 64];
    tunnel.read_exact(&mut some).await.unwrap();

    let mut kept = zoe.keep("www.linkedin.com").await;
    assert_eq!(kept.get("/feed/").await.status, StatusCode::OK);

    std::fs::remove_file(world.policies().join("people/zoe.toml")).unwrap();
    let mut rest = Vec::new();
    tunnel.read_to_end(&mut rest).await.ok();
    let closing = world.closed("www.example.org", "CONNECT").await;
    assert!(matches!(closing.ended().end, End::Cut(_)), "{:?}", closing.ended());
    assert_eq!(zoe.get("http://www.example.org/").await.status, StatusCode::FORBIDDEN);
    let inside = kept.get("/feed/").await;
    assert_eq!(
        inside.json()["type"],
        "https://wayleave.example/problems/person-unknown"
    );
    drop(kept);
    assert_eq!(
        zoe.get(&format!("{PORTAL}/v1/grants")).await.status,
        StatusCode::FORBIDDEN
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_fails_denies() {
    let world = a_reader().await;
    world.edit_rules(RULES, FAILING).await;
    let dan = world.client("dan");
    let refused = dan.get("https://x.com/corner/1").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.json()["type"], "https://wayleave.example/problems/policy-error");
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(world.origin.connections(), 0);
    let closing = world.closed("x.com", "/corner/1").await;
    let errors: Vec<&str> = closing
        .decided()
        .errors
        .iter()
        .map(wayleave::facts::PolicyId::as_str)
        .collect();
    assert_eq!(errors, ["test.sum"]);
    assert!(closing.ended().decrypted, "it was read, and says so");
    let counted = async |world: &World| world.metric("wayleave_policy_errors_total").await == Some(1.0);
    world.until("it is counted", counted).await;
    let page = dan.navigate("https://x.com/corner/1").await;
    let page = dan.follow(page.header("location"), "cross-site").await.text();
    assert!(page.contains("any doubt denies"), "{page}");
    assert_eq!(
        dan.get("https://x.com/home").await.status,
        StatusCode::OK,
        "where it is not asked, it does no harm"
    );
    world.close().await;
}

/// Keeps the gateway from reading one host.
const UNREAD: &str = r#"@id("test.unread") @title("Unread") @reason("This host is not read.") @owner("legal")
forbid (principal, action == Action::"inspect", resource) when { resource.host == "old.reddit.com" };
"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_new_rules_keep_unread_is_not_read_on_open_connections_either() {
    let world = World::open().await;
    world.grant("dan", "market-research", &["reddit"], &["read"]).await;
    let dan = world.client("dan");
    let mut kept = dan.keep("old.reddit.com").await;
    assert_eq!(kept.get("/r/rust/comments/1").await.status, StatusCode::OK);
    world.edit_rules(RULES, UNREAD).await;
    let again = kept.get("/r/rust/comments/2").await;
    assert_eq!(
        again.status,
        StatusCode::MISDIRECTED_REQUEST,
        "connect again: {}",
        again.text()
    );
    assert_eq!(world.origin.received().len(), 1);
    drop(kept);
    // whoever comes back speaks with the origin itself
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(world.origins.pem.as_bytes()).unwrap())
        .unwrap();
    let unread = crate::harness::client::Client {
        roots: std::sync::Arc::new(roots),
        ..dan
    };
    let tunnel = unread.tunnel("old.reddit.com:443").await.unwrap();
    let inside = unread
        .tls("old.reddit.com", tunnel)
        .await
        .expect("the origin's own certificate");
    drop(inside);
    world
        .until("the tunnel is closed", async |world| {
            let latest = world.closed("old.reddit.com", "CONNECT").await;
            !latest.ended().decrypted
        })
        .await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_the_catalogue_the_purposes_the_schema_or_a_case_takes_effect() {
    let world = a_reader().await;
    let dan = world.client("dan");
    // a host that nobody managed is now the platform's
    let unread = dan.unread(&world.origins);
    assert_eq!(unread.get("https://blog.example.org/").await.status, StatusCode::OK);
    let hosts =
        "[[host]]\nhost = \"blog.example.org\"\nplatform = \"linkedin\"\nmatch = \"exact\"\nroles = [\"site\"]\n";
    world.edit_rules("catalog/local.toml", hosts).await;
    assert_eq!(dan.get("https://blog.example.org/").await.status, StatusCode::OK);
    let read = world.closed("blog.example.org", "/").await;
    assert!(read.ended().decrypted, "it is read now, under dan's grant");

    let purposes = world.read_policy("purposes.toml");
    let longer = purposes.replacen("statement-min = 12", "statement-min = 40", 1);
    assert_ne!(longer, purposes);
    world.edit_rules("purposes.toml", &longer).await;
    let short =
        serde_json::json!({"purpose": "market-research", "platforms": ["x"], "statement": "What they launched"});
    assert_eq!(dan.declare(&short).await.status, StatusCode::UNPROCESSABLE_ENTITY);

    // the vocabulary: a rule may ask for what it has, and for nothing else
    let schema = world.read_policy("wayleave.cedarschema");
    let fewer = schema.replacen("region: String,", "", 1);
    assert_ne!(fewer, schema);
    world.write_policy("wayleave.cedarschema", &fewer);
    world
        .until("the schema is told", async |world| {
            world.admin("/readyz").await.text().contains("wayleave.cedarschema")
        })
        .await;
    world.write_policy("wayleave.cedarschema", &schema);
    world
        .until("all is well again", async |world| {
            world.admin("/readyz").await.status == StatusCode::OK
        })
        .await;

    // a case that the rules in force do not pass keeps every edit out until it is right
    let case = |outcome: &str| {
        format!(
            "[defaults]\nat = 2026-11-24T09:30:00Z\n[[case]]\nit = \"x\"\nwho = \"dan\"\nto = \"crates.io:443\"\noutcome = \"{outcome}\"\n"
        )
    };
    world.write_policy("cases/x.toml", &case("deny"));
    world
        .until("the case is told", async |world| {
            world.admin("/readyz").await.text().contains("cases/x.toml")
        })
        .await;
    world.write_policy("cases/x.toml", &case("allow"));
    world
        .until("all is well again", async |world| {
            world.admin("/readyz").await.status == StatusCode::OK
        })
        .await;
    world.close().await;
}

/// A file of each kind that there is, and what nobody can read at its end.
const MISTAKES: [(&str, &str); 14] = [
    ("wayleave.cedarschema", "entity ;"),
    ("rules/20-purposes.cedar", "permit ("),
    (
        "rules/95-new.cedar",
        "permit (principal, action, resource) when { nonsense };",
    ),
    ("catalog/linkedin.toml", "[broken"),
    ("catalog/categories.toml", "[broken"),
    ("catalog/activities.toml", "[broken"),
    ("catalog/local.toml", "[[host]]\nhost = \"a.example\"\nplatfrom = \"x\""),
    ("purposes.toml", "[[purpose]]\nid = \"nothing\""),
    ("people/people.toml", "[[person]]\nid = \"zoe\"\nroles = [\"recruter\"]"),
    ("people/roles.toml", "[[role]]\nid = \"a b\"\nin = [\"nowhere\"]"),
    ("owners.toml", "[broken"),
    ("properties/places.toml", "[[property]]\nid = \"half\""),
    ("cases/linkedin.toml", "[[case]]\nit = \"half\""),
    ("cases/cedar.json", "]"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_in_a_file_of_any_kind_keeps_the_old_rules_and_is_told_with_its_place() {
    let world = a_reader().await;
    let dan = world.client("dan");
    let before = world.gate().live().load().rulebook.id().clone();
    for (name, mistake) in MISTAKES {
        let path = world.policies().join(name);
        let whole = std::fs::read_to_string(&path).unwrap_or_default();
        world.write_policy(name, &format!("{whole}\n{mistake}\n"));
        // its line and its column, wherever the reader finds out
        let place = regex::Regex::new(&format!("{}:[0-9]+:[0-9]+: ", regex::escape(name))).unwrap();
        world
            .until(&format!("the mistake in {name} is told"), async |world| {
                place.is_match(&world.admin("/readyz").await.json()["problems"].to_string())
            })
            .await;
        let ready = world.admin("/readyz").await;
        assert_eq!(ready.status, StatusCode::OK, "{name}: the old rules rule");
        assert_eq!(*world.gate().live().load().rulebook.id(), before, "{name}");
        assert_eq!(dan.get("https://x.com/home").await.status, StatusCode::OK, "{name}");
        if whole.is_empty() {
            std::fs::remove_file(path).unwrap();
        } else {
            world.write_policy(name, &whole);
        }
    }
    is_well_again(&world).await;
    world.close().await;
}
