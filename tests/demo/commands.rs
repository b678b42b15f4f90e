//! The other commands, each as a user would run it.

use crate::curl::curl;
use crate::gate::{Demo, Door};
use crate::people::declare;
use crate::programs::{WAYLEAVE, command, path_of, run, wayleave};

#[tokio::test]
async fn a_purpose_is_declared_listed_and_ended_from_a_terminal() {
    let demo = Demo::start().await;
    let root = demo.ready.ca.to_str().unwrap();
    for (user, door) in [("ada", Door::Plain), ("ben", Door::Tls)] {
        let way = ["--proxy", &demo.proxy(door, user), "--ca", root];
        let none = demo.wayleave(&[&["grants"], &way[..]].concat()).await;
        assert!(none.err.contains("you hold no grant"), "{none:#?}");

        let words = [
            "declare",
            "market-research",
            "--on",
            "linkedin",
            "--statement",
            "Engineers for Lyon",
            "--for",
            "2h",
        ];
        let granted = demo.wayleave(&[&words, &way[..]].concat()).await.ends_with(0);
        assert!(granted.contains("market-research  linkedin  read  until"), "{granted}");
        let id = granted.split(' ').next().unwrap().to_owned();
        let listed = demo.wayleave(&[&["grants"], &way[..]].concat()).await.ends_with(0);
        assert!(listed.contains(&id) && listed.contains("active"), "{listed}");
        let json = demo
            .wayleave(&[&["grants", "--json"], &way[..]].concat())
            .await
            .ends_with(0);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["grants"][0]["statement"], "Engineers for Lyon");

        let ended = demo.wayleave(&[&["grants", "--end", &id], &way[..]].concat()).await;
        ended.ends_with(0);
        let listed = demo.wayleave(&[&["grants"], &way[..]].concat()).await;
        assert!(!listed.out.contains("active"), "{listed:#?}");
    }
    demo.stop().await;
}

#[tokio::test]
async fn a_declaration_that_is_not_granted_says_why_and_what_to_do() {
    let demo = Demo::start().await;
    let root = demo.ready.ca.to_str().unwrap();
    let way = ["--proxy", &demo.proxy(Door::Plain, "dan"), "--ca", root];
    for (words, told) in [
        (
            &[
                "declare",
                "recruiting",
                "--on",
                "linkedin",
                "--statement",
                "Engineers for Lyon",
            ][..],
            "recruiter",
        ),
        (
            &[
                "declare",
                "recruitng",
                "--on",
                "linkedin",
                "--statement",
                "Engineers for Lyon",
            ],
            "recruiting",
        ),
        (
            &[
                "declare",
                "market-research",
                "--on",
                "linkedn",
                "--statement",
                "What people say",
            ],
            "linkedin",
        ),
        (
            &["declare", "market-research", "--on", "linkedin", "--statement", "short"],
            "12",
        ),
    ] {
        let said = demo.wayleave(&[words, &way[..]].concat()).await;
        assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:#?}");
        assert!(said.err.contains(told), "{told}: {said:#?}");
    }
    let wrong = demo.ready.proxy.replacen("://", "://dan:wrong-password@", 1);
    let said = demo.wayleave(&["grants", "--proxy", &wrong, "--ca", root]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.err.contains("does not know you"), "{said:#?}");
    demo.stop().await;
}

#[tokio::test]
async fn what_the_demo_recorded_is_judged_the_same_again() {
    let demo = Demo::start().await;
    let url = "https://www.linkedin.com/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.1";
    crate::curl::through(&demo, Door::Plain, "eve", &["--json", "{}", url]).await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    crate::curl::through(&demo, Door::Plain, "ada", &["--json", "{}", url]).await;
    let records = demo.ready.state.join("records");
    let replay = ["replay", "--records", records.to_str().unwrap()];
    let replayed = demo.wayleave(&replay).await.ends_with(0);
    assert!(replayed.contains(": 0 change, "), "{replayed}");
}

#[tokio::test]
async fn the_records_show_what_happened_and_hold() {
    let demo = Demo::start().await;
    let url = "https://www.linkedin.com/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.1";
    let refused = crate::curl::through(&demo, Door::Plain, "eve", &["--json", "{}", url]).await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    crate::curl::through(&demo, Door::Plain, "ada", &["--json", "{}", url]).await;

    let instance = refused.json()["instance"].as_str().unwrap().to_owned();
    let id = instance.rsplit('/').next().unwrap();
    let shown = demo.records(&["show", id]).await.ends_with(0);
    for told in ["eve", "post", "www.linkedin.com", "guard.interns-never-publish", "deny"] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    // a closing line may lag behind its answer by a tenth of a second
    let mut listed = String::new();
    for _ in 0..100 {
        listed = demo.records(&["list", "--user", "ada"]).await.ends_with(0);
        if listed.contains("allow    ada post POST") {
            break;
        }
    }
    for told in [
        "granted  ada recruiting on linkedin",
        "allow    ada post POST",
        "for recruiting",
    ] {
        assert!(listed.contains(told), "{told}: {listed}");
    }
    assert!(!listed.contains("eve"), "{listed}");
    let password = &demo.ready.people[0].password;
    let lines = demo.records(&["list", "--format", "json"]).await.ends_with(0);
    assert!(!lines.contains(password.as_str()), "a password is in the book");
    assert!(
        demo.records(&["verify"])
            .await
            .ends_with(0)
            .contains("the records hold")
    );

    let segment = std::fs::read_dir(demo.ready.state.join("records")).unwrap();
    let segment = segment
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|x| x == "jsonl"));
    let segment = segment.expect("a segment");
    let text = std::fs::read_to_string(&segment).unwrap();
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("records")).unwrap();
    let forged = text.replacen("\"eve\"", "\"dan\"", 1);
    assert_ne!(forged, text);
    std::fs::write(copy.path().join("records").join(segment.file_name().unwrap()), forged).unwrap();
    let said = demo
        .wayleave(&[
            "records",
            "verify",
            "--folder",
            copy.path().join("records").to_str().unwrap(),
        ])
        .await;
    assert_eq!(said.code, 1, "a changed line is found: {said:#?}");
    demo.stop().await;
}

#[tokio::test]
async fn the_metrics_count_what_people_did_and_promtool_is_content() {
    let demo = Demo::start().await;
    let feed = "https://www.linkedin.com/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c";
    crate::curl::through(&demo, Door::Plain, "ada", &[feed]).await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    crate::curl::through(&demo, Door::Plain, "ada", &[feed]).await;
    check_metrics(&demo).await;
    demo.stop().await;
}

/// Scrapes, lets promtool look at it, and gives the text.
pub async fn check_metrics(demo: &Demo) -> String {
    let metrics = curl(&[&format!("{}/metrics", demo.ready.admin)]).await;
    assert_eq!(metrics.status, 200, "{metrics:#?}");
    let file = demo.ready.state.join("metrics.txt");
    std::fs::write(&file, &metrics.body).unwrap();
    let said = run(command(path_of("promtool"))
        .args(["check", "metrics"])
        .stdin(std::fs::File::open(&file).unwrap()))
    .await;
    assert_eq!(
        (said.code, said.out.as_str(), said.err.as_str()),
        (0, "", ""),
        "promtool complains"
    );
    std::fs::remove_file(file).unwrap();
    metrics.body
}

#[tokio::test]
async fn rules_are_checked_tested_and_explained_without_a_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let policies = crate::house::policies();
    let path = policies.path().to_str().unwrap();
    for place in [&[][..], &[path]] {
        let checked = wayleave(folder.path(), &[&["check"], place].concat()).await;
        assert_eq!(checked.code, 0, "{checked:#?}");
        let tested = wayleave(folder.path(), &[&["test"], place].concat()).await;
        assert_eq!(tested.code, 0, "{tested:#?}");
    }
    let post = "https://x.com/i/api/graphql/AbC/CreateTweet";
    let asked = ["explain", "--as", "eve", "--to", post, "--method", "POST"];
    let explained = wayleave(folder.path(), &asked).await.ends_with(0);
    for told in [
        "deny",
        "guard.interns-never-publish",
        "Interns do not publish on social media",
    ] {
        assert!(explained.contains(told), "{told}: {explained}");
    }
    let asked = [
        "explain",
        "--as",
        "ada",
        "--to",
        "https://www.linkedin.com/feed/",
        "--format",
        "json",
    ];
    let explained = wayleave(folder.path(), &asked).await.ends_with(0);
    let explained: serde_json::Value = serde_json::from_str(&explained).unwrap();
    assert_eq!(explained["outcome"], "declare", "{explained:#}");

    std::fs::write(
        policies.path().join("rules/90.cedar"),
        "permit (principal, action, resurce);\n",
    )
    .unwrap();
    let said = wayleave(folder.path(), &["check", path]).await;
    assert_eq!(said.code, 1, "{said:#?}");
    let told = format!("{}{}", said.out, said.err);
    assert!(told.contains("rules/90.cedar:1:"), "{told}");
}

#[tokio::test]
async fn the_authority_the_accounts_and_the_pac_file_have_their_commands() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    std::fs::write(here.join("wayleave.toml"), "home = \".\"\n").unwrap();
    std::fs::write(here.join("password"), "open sesame, please\n").unwrap();
    let with = |args: &[&str]| {
        let args: Vec<String> = args
            .iter()
            .chain(&["-c", "wayleave.toml"])
            .map(ToString::to_string)
            .collect();
        let here = here.to_owned();
        async move { wayleave(&here, &args.iter().map(String::as_str).collect::<Vec<_>>()).await }
    };
    with(&["ca", "init", "--organisation", "Example Ltd"])
        .await
        .ends_with(0);
    let shown = with(&["ca", "show"]).await.ends_with(0);
    assert!(shown.contains("Example Ltd") && shown.contains("SHA-256"), "{shown}");
    let pem = with(&["ca", "show", "--pem"]).await.ends_with(0);
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"), "{pem}");
    with(&["ca", "client", "ada"]).await.ends_with(0);
    let help = with(&["ca", "install-help"]).await.ends_with(0);
    for told in ["certutil", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
        assert!(help.contains(told), "{told}: {help}");
    }

    with(&["user", "add", "ada", "--password-file", "password"])
        .await
        .ends_with(0);
    let twice = with(&["user", "add", "ada", "--password-file", "password"]).await;
    assert!(
        twice.code != 0 && twice.err.contains("wayleave user passwd ada"),
        "{twice:#?}"
    );
    assert_eq!(with(&["user", "list"]).await.ends_with(0), "ada\n");
    with(&["user", "passwd", "ada", "--password-file", "password"])
        .await
        .ends_with(0);
    with(&["user", "remove", "ada"]).await.ends_with(0);
    assert_eq!(with(&["user", "list"]).await.ends_with(0), "");

    let pac = with(&["pac"]).await.ends_with(0);
    assert!(
        pac.contains("FindProxyForURL") && pac.contains("PROXY 127.0.0.1:3128"),
        "{pac}"
    );
}

#[tokio::test]
async fn the_help_names_every_command_and_a_typing_mistake_is_met_with_the_right_word() {
    let help = run(command(WAYLEAVE).arg("--help")).await.ends_with(0);
    for name in [
        "run", "demo", "check", "fmt", "test", "explain", "matrix", "replay", "owners", "schema", "declare", "grants",
        "user", "ca", "pac", "records",
    ] {
        assert!(help.contains(&format!("\n  {name} ")), "{name}: {help}");
    }
    let said = run(command(WAYLEAVE).arg("dmo")).await;
    assert_eq!(said.code, 2);
    assert!(said.err.contains("'demo'"), "{}", said.err);
}

#[tokio::test]
async fn a_reader_that_goes_away_early_is_no_crash() {
    let line = format!("'{WAYLEAVE}' pac | head -1");
    let said = run(command("/bin/sh")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["-c", &line]))
    .await;
    assert_eq!((said.code, said.err.as_str()), (0, ""), "{said:#?}");
}

#[tokio::test]
async fn a_stand_in_tells_whoever_asks_for_the_head_alone_what_the_page_has_and_sends_none() {
    let demo = Demo::start().await;
    let url = "https://www.example.org/";
    for version in ["--http2", "--http1.1"] {
        // it passes unread, and nobody vouches for the stand-in
        let args = ["--insecure", version, url];
        let page = crate::curl::through(&demo, Door::Plain, "ada", &args).await;
        let head = crate::curl::through(&demo, Door::Plain, "ada", &[&args[..], &["--head"]].concat()).await;
        assert_eq!((page.status, page.complaint.as_str()), (200, ""), "{page:#?}");
        assert_eq!((head.status, head.complaint.as_str()), (200, ""), "{head:#?}");
        assert_eq!(head.version, page.version);
        assert_eq!(head.header("content-length"), page.body.len().to_string(), "{head:#?}");
    }
    demo.stop().await;
}
