//! The search through the whole book: grants, emergencies, delegations, tokens, who looked, the rules; on the page, by the API,
//! and as a file.

use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use wayleave::facts::{AccessAct, Act, SubjectId};

use crate::approvals::{proven, without_cases};
use crate::break_glass::{breaks, reviews};
use crate::delegations::{asks, delegates};
use crate::harness::World;
use crate::harness::client::Answer;
use crate::harness::house::PORTAL;

const FEED: &str = "https://www.linkedin.com/feed/";

/// Ada browses for recruiting; Ben asks, and Mia approves; Pia breaks the glass, which Nora reviews; Mia lets her answer; Ada
/// makes a token. Gives Ben's grant.
async fn a_day(world: &World) -> String {
    let recruiting = json!({ "purpose": "recruiting", "platforms": ["linkedin"], "statement": "=HYPERLINK(\"x\"), and <b>more</b>" });
    assert_eq!(
        world.client("ada").declare(&recruiting).await.status,
        StatusCode::CREATED
    );
    assert_eq!(world.client("ada").get(FEED).await.status, StatusCode::OK);
    let brand = asks(world, "ben").await;
    let approve = format!("/v1/grants/{brand}/approve");
    let approved = proven(world, "mia", &approve, json!({ "note": "Good for the launch" })).await;
    assert_eq!(approved.status, StatusCode::OK, "{}", approved.text());
    let broke = breaks(world, "pia", &json!({})).await;
    assert_eq!(broke.status, StatusCode::CREATED, "{}", broke.text());
    let found = json!({ "accepted": true, "note": "It burned" });
    let reviewed = reviews(world, "nora", &broke.json()["id"], &found).await;
    assert_eq!(reviewed.status, StatusCode::OK, "{}", reviewed.text());
    delegates(world, "mia", json!({ "to": "nora", "until": "2026-12-01" })).await;
    let made = proven(
        world,
        "ada",
        "/v1/tokens",
        json!({ "name": "nightly", "scope": ["read"] }),
    )
    .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    world.settled().await;
    brand
}

async fn listed(world: &World, user: &str, query: &str) -> Answer {
    world.client(user).get(&format!("{PORTAL}/v1/records{query}")).await
}

async fn records(world: &World, query: &str) -> Vec<Value> {
    let answer = listed(world, "sol", query).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
    answer.json()["records"].as_array().unwrap().clone()
}

/// What happened, the newest first.
async fn acts(world: &World, query: &str) -> Vec<String> {
    let records = records(world, query).await;
    let word = |one: &Value, key: &str| one[key].as_str().unwrap_or("-").to_owned();
    records
        .iter()
        .map(|one| format!("{} {} {}", word(one, "kind"), word(one, "by"), word(one, "act")))
        .collect()
}

async fn page(world: &World, user: &str, query: &str) -> Answer {
    world.client(user).navigate(&format!("{PORTAL}/decisions{query}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_security_team_finds_whatever_happened_by_kind_person_grant_purpose_platform_and_time() {
    let world = World::open().await;
    let brand = a_day(&world).await;
    for (query, expected) in [
        (
            "?kind=grants",
            &[
                "break-glass nora reviewed",
                "break-glass pia broke-glass",
                "grants mia approved",
                "grants ben requested",
                "grants ada granted",
            ][..],
        ),
        (
            "?kind=break-glass",
            &["break-glass nora reviewed", "break-glass pia broke-glass"],
        ),
        ("?kind=delegations", &["delegations mia delegated"]),
        ("?kind=delegations&user=nora", &["delegations mia delegated"]),
        ("?kind=tokens", &["tokens ada made"]),
        ("?kind=tokens&user=ben", &[]),
        ("?kind=grants&user=mia", &["grants mia approved"]),
        ("?kind=grants&platform=linkedin", &["grants ada granted"]),
        ("?kind=grants&purpose=recruiting", &["grants ada granted"]),
        ("?kind=flows&user=ada&purpose=recruiting", &["flows ada allow"]),
        ("?kind=continued", &[]),
        ("?kind=gateway", &["gateway - started"]),
        ("?kind=grants&until=1h", &[]),
        (
            "?kind=Grants&user=ben&since=1h",
            &["grants mia approved", "grants ben requested"],
        ),
    ] {
        assert_eq!(acts(&world, query).await, expected, "{query}");
    }
    // the whole story of a person and a purpose, and who looked into it
    let story = acts(&world, "?purpose=recruiting&user=ada").await;
    let told = story.iter().filter(|one| *one != "access sol searched");
    assert_eq!(told.collect::<Vec<_>>(), ["flows ada allow", "grants ada granted"]);
    assert!(story.contains(&"access sol searched".to_owned()), "{story:?}");
    let of_grant = format!("?grant={brand}&kind=grants");
    assert_eq!(
        acts(&world, &of_grant).await,
        ["grants mia approved", "grants ben requested"]
    );

    // in words, with what was written, for whom the rules let end it
    let told = &records(&world, &of_grant).await[0];
    assert_eq!(
        told["what"], "approved Ben Okafor’s “Publishing for the brand” on X (Twitter)",
        "{told}"
    );
    assert_eq!(told["why"][0], "“Good for the launch”");
    assert_eq!((&told["withheld"], &told["whose"]), (&json!(false), &json!("ben")));
    let french = Request::get(format!("{PORTAL}/v1/records{of_grant}")).header("accept-language", "fr");
    let french = world.client("sol").send(french).await.json();
    assert!(
        french["records"][0]["what"]
            .as_str()
            .unwrap()
            .starts_with("a accordé «\u{a0}"),
        "{french}"
    );

    // page by page
    let first = listed(&world, "sol", "?kind=grants&limit=2").await;
    let next = first.json()["next"].as_str().unwrap().to_owned();
    assert!(first.header("link").contains("kind=grants"), "{}", first.header("link"));
    assert_eq!(
        acts(&world, &format!("?kind=grants&limit=2&after={next}")).await,
        ["grants mia approved", "grants ben requested"]
    );

    // who looked, for what: also for whoever looks for those who looked for Ben
    let looked = records(&world, "?kind=access&user=ben").await;
    assert!(
        looked.iter().all(|one| one["by"] == "sol" && one["act"] == "searched"),
        "{looked:?}"
    );
    let looked: Vec<&str> = looked.iter().map(|one| one["why"][0].as_str().unwrap()).collect();
    assert!(looked.contains(&"Looked for since 1h, user ben"), "{looked:?}");
    assert!(acts(&world, &format!("?kind=access&grant={brand}")).await.len() >= 2);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_tells_who_did_what_and_why_and_leads_to_the_grant() {
    let world = World::open().await;
    let brand = a_day(&world).await;
    let shown = page(&world, "sol", "?kind=grants").await;
    assert_eq!(shown.status, StatusCode::OK);
    let text = shown.text();
    for part in [
        "approved Ben Okafor’s “Publishing for the brand” on X (Twitter)",
        "“Good for the launch”",
        "“Launch of the new bicycle”",
        "broke the glass for",
        "Ticket INC-7.",
        "it was one",
        &format!("href=\"/grants/{brand}\""),
        "<option value=\"grants\" selected>",
        "&#60;b&#62;more&#60;/b&#62;",
        "format=csv",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let grant = world
        .client("sol")
        .navigate(&format!("{PORTAL}/grants/{brand}"))
        .await
        .text();
    let story = format!("/decisions?kind=all&#38;grant={brand}");
    assert!(grant.contains(&story), "{grant}");
    // each page leads to the other kinds, and the page of decisions stays what it was
    let decisions = page(&world, "sol", "").await.text();
    assert!(decisions.contains("<option value=\"flows\" selected>") && decisions.contains("id=\"follow\""));
    let same = page(&world, "sol", "?kind=flows&user=ada").await.text();
    assert!(same.contains("id=\"decisions\"") && !same.contains("id=\"records\""));
    assert!(
        page(&world, "sol", "?kind=tokens&user=ben")
            .await
            .text()
            .contains("Nothing was found.")
    );

    for (query, right) in [
        ("?kind=grant", "Did you mean “grants”?"),
        (
            "?kind=tokens&purpose=recruiting",
            "tells nothing apart where you look for “Tokens for tools”",
        ),
        ("?kind=grants&host=x.com", "“host” tells nothing apart"),
        ("?kind=grants&user=benn", "Did you mean “ben”?"),
    ] {
        let wrong = page(&world, "sol", query).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(wrong.text().contains(right), "{query}: {}", wrong.text());
        let wrong = listed(&world, "sol", query).await;
        assert_eq!(
            wrong.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{query}: {}",
            wrong.text()
        );
    }
    // what somebody else's link looks for is looked for, and recorded, once one asks for it
    let before = looks(&world).await.len();
    let led = world
        .client("sol")
        .follow(
            &format!("{PORTAL}/decisions?kind=grants&user=ben&format=csv"),
            "cross-site",
        )
        .await;
    assert!(led.text().contains("A link led you here") && !led.text().contains("Good for the launch"));
    assert_eq!(looks(&world).await.len(), before);
    world.close().await;
}

async fn looks(world: &World) -> Vec<(AccessAct, String)> {
    world
        .acts(|record| match &record.act {
            Act::Access { act, access, .. } => Some((*act, format!("{:?}", access.wanted))),
            _ => None,
        })
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_finds_anything_and_what_the_rules_keep_apart_stays_apart() {
    let world = World::planned(without_cases).await;
    a_day(&world).await;
    for who in ["ada", "mia", "hana", "ben"] {
        for query in [
            "",
            "?kind=grants",
            "?kind=access",
            "?kind=grants&format=csv",
            "?kind=no-such",
        ] {
            assert_eq!(
                listed(&world, who, query).await.status,
                StatusCode::NOT_FOUND,
                "{who} {query}"
            );
            assert_eq!(
                page(&world, who, query).await.status,
                StatusCode::NOT_FOUND,
                "{who} {query}"
            );
        }
    }
    assert!(looks(&world).await.is_empty());
    // of what somebody may search and not end, they read what happened, and nothing of what was written
    let reads = r#"@id("test.apart") @title("Apart") @reason("Apart.") @owner("HR")
forbid (principal, action == Action::"see-decisions", resource) when { resource == User::"pia" };
@id("test.ends") @title("Ends") @reason("Ends.") @owner("HR")
forbid (principal, action == Action::"revoke", resource) when { resource == Purpose::"recruiting" };
"#;
    world.edit_rules("rules/90-test.cedar", reads).await;
    let answer = listed(&world, "sol", "?kind=grants").await.json();
    let records = answer["records"].as_array().unwrap();
    assert!(
        records.iter().all(|one| one["by"] != "pia" && one["whose"] != "pia"),
        "{answer}"
    );
    let ada = records.iter().find(|one| one["by"] == "ada").unwrap();
    assert_eq!(ada["withheld"], true, "{ada}");
    assert!(!answer.to_string().contains("HYPERLINK"));
    let text = page(&world, "sol", "?kind=grants&user=ada").await.text();
    assert!(
        text.contains("What was written is read by") && !text.contains("HYPERLINK"),
        "{text}"
    );
    assert!(!text.contains("href=\"/grants/0"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_refusals_are_no_file_and_who_looked_by_a_full_name_is_found() {
    let world = World::open().await;
    a_day(&world).await;
    for query in ["?format=csv", "?user=ada&format=jsonl"] {
        let own = world.client("ada").get(&format!("{PORTAL}/v1/decisions{query}")).await;
        assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {}", own.text());
        assert_eq!(own.json()["errors"][0]["field"], "format", "{query}");
    }
    let request = Request::get(format!("{PORTAL}/v1/decisions")).header(header::ACCEPT, "text/csv");
    let own = world.client("ada").send(request).await;
    assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", own.text());

    // a name in full finds nothing, and is found by whom it means
    let in_full = listed(&world, "sol", "?kind=grants&user=Ada%20Mertens").await;
    assert_eq!(in_full.status, StatusCode::UNPROCESSABLE_ENTITY);
    let looked = records(&world, "?kind=access&user=ada").await;
    assert_eq!(looked.len(), 2, "{looked:?}");
    assert!(looked[1].to_string().contains("user Ada Mertens"), "{looked:?}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_looked_by_a_full_name_is_found_by_everybody_who_shares_it_as_far_as_the_searcher_may_know_them() {
    let world = World::planned(|plan| {
        without_cases(plan);
        let people = plan.folder.join("policies/people/people.toml");
        let text = std::fs::read_to_string(&people).unwrap();
        let shared = text
            .replace("Ben Okafor", "Ada Mertens")
            .replace("Dan Whitfield", "Ada Mertens");
        std::fs::write(people, shared).unwrap();
    })
    .await;
    let in_full = listed(&world, "sol", "?kind=grants&user=Ada%20Mertens").await;
    assert_eq!(in_full.status, StatusCode::UNPROCESSABLE_ENTITY);
    let looked = async |user: &str| {
        let lines = records(&world, &format!("?kind=access&user={user}")).await;
        lines
            .iter()
            .filter(|line| line.to_string().contains("Ada Mertens"))
            .count()
    };
    for user in ["ada", "ben", "dan"] {
        assert_eq!(looked(user).await, 1, "{user}");
    }
    assert_eq!(looked("cora").await, 0);
    // how many are called so is not told by the number of lines
    let all = records(&world, "?kind=access").await;
    let about = all.iter().filter(|line| line.to_string().contains("Ada Mertens"));
    assert_eq!(about.count(), 1, "{all:?}");

    // of those whom the rules keep apart from them, they find nothing: it reads as if only the others were called so
    let apart = r#"@id("test.apart") @title("Apart") @reason("Apart.") @owner("HR")
forbid (principal, action == Action::"see-decisions", resource) when { resource in Role::"recruiter" };
"#;
    world.edit_rules("rules/90-test.cedar", apart).await;
    assert_eq!(
        (looked("ada").await, looked("ben").await, looked("dan").await),
        (0, 1, 1)
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_search_for_a_full_name_stays_and_tells_not_whether_anybody_is_called_so() {
    let world = World::planned(without_cases).await;
    let apart = r#"@id("test.apart") @title("Apart") @reason("Apart.") @owner("HR")
forbid (principal, action == Action::"see-decisions", resource) when { resource in Role::"recruiter" };
"#;
    world.edit_rules("rules/90-test.cedar", apart).await;
    for name in ["Ada%20Mertens", "Ida%20Nobody"] {
        let found = listed(&world, "sol", &format!("?kind=grants&user={name}")).await;
        assert_eq!(found.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(!found.text().contains("`ada`"), "{}", found.text());
    }
    let looked = records(&world, "?kind=access").await;
    let of = |name: &str| {
        let line = looked.iter().find(|one| one.to_string().contains(name));
        let line = line.unwrap_or_else(|| panic!("{name} in {looked:?}"));
        let told = ["by", "whose", "what", "withheld"].map(|key| line[key].clone());
        assert_eq!(line["whose"], Value::Null, "{line}");
        told
    };
    assert_eq!(of("Ada Mertens"), of("Ida Nobody"));
    // nor does it tell who of those that can be guessed is called so
    let guessed = records(&world, "?kind=access&user=ada").await;
    assert!(
        !guessed.iter().any(|one| one.to_string().contains("Ada Mertens")),
        "{guessed:?}"
    );
    let table = listed(&world, "sol", "?kind=access&format=csv").await.text();
    let row = |name: &str| table.lines().find(|row| row.contains(name)).unwrap().replace(name, "");
    let told = |name: &str| row(name).split(',').skip(2).take(6).collect::<Vec<_>>().join(",");
    assert_eq!(told("Ada Mertens"), told("Ida Nobody"), "{table}");
    let shown = page(&world, "sol", "?kind=access").await.text();
    assert!(
        shown.contains("user Ada Mertens") && shown.contains("user Ida Nobody"),
        "{shown}"
    );
    // whom the rules let read of her finds it as ever
    world.edit_rules("rules/90-test.cedar", "").await;
    let looked = records(&world, "?kind=access&user=ada").await;
    assert!(
        looked.iter().any(|one| one.to_string().contains("Ada Mertens")),
        "{looked:?}"
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_about_whom_the_rules_keep_apart_stay_so_when_they_move_or_leave() {
    let world = World::planned(without_cases).await;
    a_day(&world).await;
    // Sol looks for Ada before she is kept apart, as whoever reads who looked is told
    assert_eq!(records(&world, "?kind=grants&user=ada").await.len(), 1);
    let apart = r#"@id("test.apart") @title("Apart") @reason("Apart.") @owner("HR")
forbid (principal, action == Action::"see-decisions", resource) when { resource in Role::"recruiter" };
"#;
    world.edit_rules("rules/90-test.cedar", apart).await;
    let of_ada = async |world: &World| {
        let all = listed(world, "sol", "?limit=100").await;
        assert_eq!(all.status, StatusCode::OK, "{}", all.text());
        let table = listed(world, "sol", "?format=csv").await.text();
        let all = all.json();
        // for what Sol looked is no news to Sol
        let named = |one: &&Value| one["by"] != "sol" && [&one["by"], &one["whose"]].contains(&&json!("ada"));
        let named = all["records"].as_array().unwrap().iter().filter(named).count();
        (
            named,
            all.to_string().contains("HYPERLINK") || table.contains("HYPERLINK"),
        )
    };
    assert_eq!(of_ada(&world).await, (0, false));
    let people = world.read_policy("people/people.toml");
    let entries: Vec<&str> = people.split("[[person]]").collect();
    let ada = |with: Option<(&str, &str)>| {
        let kept = entries.iter().filter_map(|one| match with {
            _ if !one.contains("id = \"ada\"") => Some((*one).to_owned()),
            with => with.map(|(from, to)| one.replace(from, to)),
        });
        kept.collect::<Vec<_>>().join("[[person]]")
    };
    let directory = |world: &World| world.gate().live().load().directory.clone();
    let id = SubjectId::parse("ada").unwrap();
    world.write_policy("people/people.toml", &ada(Some(("\"recruiter\"", "\"engineer\""))));
    world
        .until("Ada has moved", async |world| {
            directory(world)
                .person(&id)
                .is_some_and(|ada| !ada.roles.contains("recruiter"))
        })
        .await;
    assert_eq!(of_ada(&world).await, (0, false), "moved");
    world.write_policy("people/people.toml", &ada(None));
    world
        .until("Ada has left", async |world| directory(world).person(&id).is_none())
        .await;
    assert_eq!(of_ada(&world).await, (0, false), "left");
    // whoever is not kept apart is read of as ever
    assert!(
        acts(&world, "?kind=grants")
            .await
            .contains(&"grants ben requested".to_owned())
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_taken_away_as_a_table_or_lines_and_that_is_recorded() {
    let world = World::open().await;
    a_day(&world).await;
    let table = page(&world, "sol", "?kind=grants&format=csv").await;
    assert_eq!(table.status, StatusCode::OK, "{}", table.text());
    assert_eq!(table.header("content-type"), "text/csv; charset=utf-8");
    assert_eq!(
        table.header("content-disposition"),
        "attachment; filename=\"wayleave-records.csv\""
    );
    assert_eq!(table.header("cache-control"), "no-store");
    let text = table.text();
    let mut lines = text.split("\r\n");
    assert!(lines.next().unwrap().starts_with("id,at,kind,act,by,whose,grant,"));
    assert_eq!(lines.filter(|line| !line.is_empty()).count(), 5, "{text}");
    assert!(text.contains("“=HYPERLINK(\"\"x\"\"), and <b>more</b>”"), "{text}");

    let lines = listed(&world, "sol", "?kind=grants&format=jsonl").await;
    assert_eq!(lines.header("content-type"), "application/jsonl");
    let told: Vec<Value> = lines
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(told.len(), 5);
    assert_eq!(told[0], records(&world, "?kind=grants").await[0]);

    // decisions likewise, also for a tool that only says what it takes
    let request = Request::get(format!("{PORTAL}/v1/decisions?all")).header(header::ACCEPT, "text/csv");
    let decisions = world.client("sol").send(request).await;
    assert_eq!(decisions.header("content-type"), "text/csv; charset=utf-8");
    assert!(
        decisions
            .text()
            .starts_with("id,at,user,host,platform,activity,outcome,"),
        "{}",
        decisions.text()
    );
    assert!(
        decisions
            .text()
            .contains(",ada,www.linkedin.com,linkedin,browse,allow,recruiting,")
    );
    let by_page = page(&world, "sol", "?user=ada&format=jsonl").await;
    assert_eq!(
        by_page.header("content-disposition"),
        "attachment; filename=\"wayleave-decisions.jsonl\""
    );

    // a file that is cut off says so, and where it goes on
    let cut = listed(&world, "sol", "?kind=grants&format=jsonl&limit=2").await.text();
    let end: Value = serde_json::from_str(cut.lines().last().unwrap()).unwrap();
    assert_eq!((cut.lines().count(), &end["end"]), (3, &json!("cut-off")));
    let next = end["next"].as_str().unwrap();
    let on = listed(&world, "sol", &format!("?kind=grants&format=csv&after={next}"))
        .await
        .text();
    assert_eq!(on.lines().count(), 1 + 3, "{on}");
    let cut = listed(&world, "sol", "?kind=grants&format=csv&limit=2").await.text();
    assert!(cut.trim_end().ends_with(&format!("follow with after={next}.")), "{cut}");

    for (query, field) in [("?format=xml", "format"), ("?kind=grants&limit=0&format=csv", "limit")] {
        let wrong = listed(&world, "sol", query).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert_eq!(wrong.json()["errors"][0]["field"], field, "{query}");
    }
    let head = Request::head(format!("{PORTAL}/v1/records?format=csv"));
    let head = world.client("sol").send(head).await;
    assert_eq!(
        (head.status, head.header("content-type")),
        (StatusCode::OK, "text/csv; charset=utf-8")
    );
    assert_eq!(head.text(), "");

    let looked = looks(&world).await;
    let heads = looked
        .iter()
        .filter(|(_, wanted)| wanted == r#"{"format": "csv", "kind": "all"}"#);
    assert_eq!(heads.count(), 0, "nobody took what was only asked for: {looked:?}");
    let taken = looked.iter().filter(|(act, _)| *act == AccessAct::Exported);
    let taken: Vec<&str> = taken.map(|(_, wanted)| wanted.as_str()).collect();
    assert_eq!(taken[0], r#"{"format": "csv", "kind": "grants"}"#);
    assert!(taken.contains(&r#"{"format": "jsonl", "user": "ada"}"#), "{taken:?}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_that_nobody_read_is_called_so_in_the_whole_book_as_among_decisions() {
    let world = World::open().await;
    let dan = world.client("dan");
    let unread = dan.unread(&world.origins);
    assert_eq!(unread.get("https://www.hsbc.com/").await.status, StatusCode::OK);
    world.closed("www.hsbc.com", "CONNECT").await;
    world.settled().await;
    let told = records(&world, "?kind=flows&user=dan").await;
    let what = told[0]["what"].as_str().unwrap();
    assert!(what.starts_with("a tunnel, unread: www.hsbc.com ("), "{what}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_looked_for_by_their_full_name_finds_that_also_where_a_grant_of_somebody_else_is_named() {
    let world = World::planned(without_cases).await;
    a_day(&world).await;
    let grant = records(&world, "?kind=grants&user=ben").await[0]["grant"]
        .as_str()
        .unwrap()
        .to_owned();
    let lines = async || {
        let of = async |user: &str| records(&world, &format!("?kind=access&user={user}")).await.len();
        (of("ada").await, of("ben").await)
    };
    let (ada, ben) = lines().await;
    let asked = format!("?kind=grants&user=Ada%20Mertens&grant={grant}");
    // no grant of hers is that one
    let none = listed(&world, "sol", &asked).await;
    assert_eq!(none.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", none.text());
    let (ada_then, ben_then) = lines().await;
    // each look of `lines` is one as well
    assert_eq!((ada_then - ada, ben_then - ben), (2, 2));
    world.close().await;
}
