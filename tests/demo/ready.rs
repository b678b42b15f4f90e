//! `wayleave demo` starts, says one thing, and leaves nothing behind.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use rustix::process::Signal;

use crate::curl::{curl, through};
use crate::gate::{Demo, Door};
use crate::programs::{WAYLEAVE, command, run};

/// A port that is free now, with two more behind it, as far as the kernel can say.
fn free_base() -> u16 {
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    loop {
        let first = listen(0).unwrap();
        let base = first.local_addr().unwrap().port();
        let behind = (1..3).map(|offset| listen(base.checked_add(offset)?).ok());
        if behind.collect::<Option<Vec<_>>>().is_some() {
            return base;
        }
    }
}

#[tokio::test]
async fn one_line_tells_a_script_all_it_needs() {
    let demo = Demo::start().await;
    let ready = demo.ready.clone();
    assert_eq!(ready.portal, "https://wayleave.internal/");
    assert!(ready.proxy.starts_with("http://127.0.0.1:"), "{}", ready.proxy);
    assert!(ready.proxy_tls.starts_with("https://127.0.0.1:"), "{}", ready.proxy_tls);
    assert!(ready.admin.starts_with("http://127.0.0.1:"), "{}", ready.admin);
    assert!(
        std::fs::read_to_string(&ready.ca)
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    assert!(ready.state.join("records").is_dir());
    let settings = std::fs::read_to_string(&ready.settings).unwrap();
    assert!(
        settings.contains(&format!("folder = \"{}/records\"", ready.state.display())),
        "{settings}"
    );
    let papers = ready.client_certificate.as_ref().unwrap();
    assert_eq!(papers.user, "ada");
    assert!(papers.certificate.is_file() && papers.key.is_file());
    for site in [
        "www.linkedin.com",
        "x.com",
        "www.facebook.com",
        "www.youtube.com",
        "www.reddit.com",
    ] {
        assert!(ready.sites.contains(&format!("https://{site}/")), "{:?}", ready.sites);
    }

    let somebody = |user: &str| ready.people.iter().find(|one| one.user == user).unwrap();
    assert!(ready.people.len() >= 6);
    assert_eq!(somebody("ada").roles, ["recruiter"]);
    assert_eq!(
        somebody("ada").department,
        "hr",
        "her own department, not what it is part of"
    );
    assert_eq!(somebody("ben").roles, ["marketer"]);
    assert_eq!(somebody("cora").roles, ["customer-care"]);
    assert_eq!(somebody("dan").roles, ["engineer"]);
    assert_eq!(somebody("eve").employment, "intern");
    assert!(somebody("hana").roles.contains(&"manager".to_owned()));
    assert!(
        ready
            .people
            .iter()
            .all(|one| !one.name.is_empty() && one.password.len() >= 12)
    );

    let well = curl(&[&format!("{}/readyz", ready.admin)]).await;
    assert_eq!((well.status, well.json()["ready"].as_bool()), (200, Some(true)));
    demo.stop().await;
}

#[tokio::test]
async fn every_command_that_takes_settings_works_with_those_of_the_demo() {
    let demo = Demo::start().await;
    let settings = ["-c", demo.ready.settings.to_str().unwrap()];
    let pac = demo.wayleave(&[&["pac"], &settings[..]].concat()).await.ends_with(0);
    let door = demo.ready.proxy.replace("http://", "PROXY ");
    assert!(pac.contains(&door), "{door}: {pac}");
    let root = demo.wayleave(&[&["ca", "show", "--pem"], &settings[..]].concat()).await;
    assert_eq!(root.ends_with(0), std::fs::read_to_string(&demo.ready.ca).unwrap());
    for words in [&["user", "list"][..], &["records", "verify"], &["ca", "install-help"]] {
        demo.wayleave(&[words, &settings[..]].concat()).await.ends_with(0);
    }
    // nothing of it is looked for where others may write
    let folder = demo.ready.settings.parent().unwrap().display().to_string();
    let text = std::fs::read_to_string(&demo.ready.settings).unwrap();
    let paths = text.lines().filter(|line| line.contains(" = \"/"));
    assert!(
        paths.clone().count() > 5 && paths.clone().all(|line| line.contains(&folder)),
        "{text}"
    );
    demo.stop().await;
}

#[tokio::test]
async fn what_is_changed_in_its_policies_rules() {
    let demo = Demo::start().await;
    let asks = async || through(&demo, Door::Plain, "dan", &["http://www.example.org/"]).await;
    assert_eq!(asks().await.status, 200);
    let rule = r#"@id("mine.example") @title("No examples") @reason("Examples wait.") @owner("IT")
        forbid (principal, action == Action::"connect", resource == Site::"www.example.org");"#;
    let policies = demo.ready.settings.parent().unwrap().join("policies");
    std::fs::write(policies.join("rules/90-mine.cedar"), rule).unwrap();
    // curl itself is the event that a user has of it
    let mut refused = asks().await;
    for _ in 0..200 {
        if refused.status == 403 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        refused = asks().await;
    }
    assert!(refused.body.contains("Examples wait."), "{refused:#?}");
    demo.stop().await;
}

#[tokio::test]
async fn nobody_else_on_the_machine_can_look_into_its_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let demo = Demo::start().await;
    let mode = demo.ready.ca.parent().unwrap().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    demo.stop().await;
}

#[tokio::test]
async fn two_demos_have_passwords_and_keys_of_their_own() {
    let (one, other) = (Demo::start().await, Demo::start().await);
    assert_ne!(one.ready.people[0].password, other.ready.people[0].password);
    let root = |demo: &Demo| std::fs::read_to_string(&demo.ready.ca).unwrap();
    assert_ne!(root(&one), root(&other));
    one.stop().await;
    other.stop_with(Signal::INT).await;
}

#[tokio::test]
async fn with_real_sites_a_name_that_is_not_there_is_told_with_what_would_help() {
    let demo = Demo::with(&["--port-base", "0", "--real"]).await;
    assert_eq!(demo.ready.sites_ca, None, "real sites speak for themselves");
    let well = curl(&[&format!("{}/readyz", demo.ready.admin)]).await;
    assert_eq!((well.status, well.json()["ready"].as_bool()), (200, Some(true)));
    // reserved so that it is nowhere (RFC 6761 §6.4); without a name server nobody can say so
    let (unread, clear) = ("https://nowhere.invalid/", "http://nowhere.invalid/");
    let tunnel = through(&demo, Door::Plain, "dan", &[unread]).await;
    assert!([502, 504].contains(&tunnel.connect), "{tunnel:#?}");
    let browser = [
        "-H",
        "Sec-Fetch-Mode: navigate",
        "-H",
        "Sec-Fetch-Dest: document",
        "-H",
        "Accept: text/html",
    ];
    let page = through(&demo, Door::Plain, "dan", &[&browser[..], &[clear]].concat()).await;
    let (error, title) = match page.status {
        502 => ("dns_error", "There is no site with this name"),
        504 => ("dns_timeout", "The name could not be looked up"),
        other => panic!("{other}: {page:#?}"),
    };
    assert!(
        page.header("proxy-status")
            .starts_with(&format!("wayleave; error={error}")),
        "{page:#?}"
    );
    assert!(page.header("content-type").starts_with("text/html"), "{page:#?}");
    for told in ["nowhere.invalid", title] {
        assert!(page.body.contains(told), "{told}: {page:#?}");
    }
    demo.stop().await;
}

#[tokio::test]
async fn told_a_second_time_it_ends_at_once_and_still_leaves_nothing_behind() {
    let demo = Demo::start().await;
    let lingering = crate::gate::upload_without_end(&demo.proxy(Door::Plain, "dan")).await;
    let said = demo.stop_twice().await;
    assert_eq!((said.code, said.out.as_str()), (1, ""), "{said:#?}");
    assert!(said.err.contains("told to stop a second time"), "{said:#?}");
    drop(lingering);
}

#[tokio::test]
async fn the_ports_move_together_and_are_free_again_afterwards() {
    // between our look and the start, somebody else may take one of them: then look again
    for _ in 0..10 {
        let base = free_base();
        let Ok(demo) = Demo::try_with(&["--port-base", &base.to_string()]).await else {
            continue;
        };
        assert_eq!(demo.ready.proxy, format!("http://127.0.0.1:{base}"));
        assert_eq!(demo.ready.proxy_tls, format!("https://127.0.0.1:{}", base + 1));
        assert_eq!(demo.ready.admin, format!("http://127.0.0.1:{}", base + 2));
        demo.stop().await;
        for port in base..base + 3 {
            assert!(
                TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err(),
                "{port} is still open"
            );
        }
        return;
    }
    panic!("no three ports stayed free");
}

#[tokio::test]
async fn a_taken_port_is_reported_with_its_holder_and_the_way_out() {
    let first = Demo::start().await;
    let taken: u16 = first.ready.admin.rsplit(':').next().unwrap().parse().unwrap();
    let base = taken - 2;
    let Err(said) = Demo::try_with(&["--port-base", &base.to_string()]).await else {
        panic!("two demos on one port");
    };
    assert_eq!(said.code, 1, "{said:#?}");
    assert_eq!(said.out, "", "nothing for a script to read");
    assert!(said.err.contains("is taken by"), "{}", said.err);
    assert!(said.err.contains("--port-base"), "{}", said.err);
    if said.err.contains(&format!(":{taken}")) {
        assert!(said.err.contains("`wayleave`"), "{}", said.err);
        assert!(said.err.contains(&first.pid().to_string()), "{}", said.err);
    }
    first.stop().await;
}

#[tokio::test]
async fn the_usual_ports_stand_in_the_help_of_run_and_in_the_settings() {
    let out = run(command(WAYLEAVE).args(["demo", "--port-base", "65534"])).await;
    assert_eq!(out.code, 2);
    assert!(out.err.contains("there is no port 65534+2"), "{}", out.err);
    let settings = wayleave::config::File::default();
    let ports = [settings.ingress.plain, settings.ingress.tls, settings.admin.listen].map(|at| at.port());
    assert_eq!(ports, [3128, 3129, 9128]);
}

#[tokio::test]
async fn its_clock_can_stand_still() {
    // a Tuesday, half past twelve in Paris: the lunch break
    let noon = Demo::with(&["--port-base", "0", "--at", "2026-11-24T12:30:00+01:00"]).await;
    let declared = crate::people::declare(&noon, "ada", "personal-break", &["reddit"]).await;
    assert_eq!(declared.status, 201, "{declared:#?}");
    assert_eq!(declared.json()["declared_at"], "2026-11-24T11:30:00.000Z");
    let read = through(&noon, Door::Plain, "ada", &["https://www.reddit.com/r/rust/"]).await;
    assert_eq!(read.status, 200, "{read:#?}");
    noon.stop().await;

    let night = Demo::with(&["--port-base", "0", "--at", "2026-11-24T20:30:00+01:00"]).await;
    crate::people::declare(&night, "ada", "personal-break", &["reddit"]).await;
    let read = through(&night, Door::Plain, "ada", &["https://www.reddit.com/r/rust/"]).await;
    assert_eq!(read.status, 403, "{read:#?}");
    night.stop().await;
}

#[tokio::test]
async fn it_follows_a_folder_of_policies_and_refuses_one_that_does_not_hold() {
    let folder = crate::house::policies();
    let rules = folder.path().join("rules");
    let path = folder.path().to_str().unwrap();
    let demo = Demo::with(&["--port-base", "0", "--policies", path]).await;
    let open = through(&demo, Door::Plain, "dan", &["-k", "https://www.example.org/"]).await;
    assert_eq!(open.status, 200, "{open:#?}");
    demo.stop().await;

    std::fs::write(
        rules.join("90-broken.cedar"),
        "permit (principal, action, resource) when { nonsense };\n",
    )
    .unwrap();
    let Err(said) = Demo::try_with(&["--port-base", "0", "--policies", path]).await else {
        panic!("broken policies rule");
    };
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.err.contains("90-broken.cedar"), "{}", said.err);
    assert!(said.err.contains("nonsense"), "the line is drawn: {}", said.err);
}

#[tokio::test]
async fn it_needs_nothing_of_the_folder_that_it_starts_in_and_leaves_nothing_there() {
    let (empty, misleading) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (file, text) in [
        (
            "policies/rules/90-broken.cedar",
            "permit (principal, action, resource) when { nonsense };\n",
        ),
        ("deploy/wayleave.toml", "[ingress]\nplane = \"nonsense\"\n"),
    ] {
        let path = misleading.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    for (folder, holds) in [(&empty, 0), (&misleading, 2)] {
        let demo = Demo::try_in(folder.path(), &["--port-base", "0"]).await;
        let demo = demo.unwrap_or_else(|said| panic!("{said:#?}"));
        let declared = crate::people::declare(&demo, "ada", "recruiting", &["linkedin"]).await;
        assert_eq!(declared.status, 201, "{declared:#?}");
        let feed = through(&demo, Door::Plain, "ada", &["https://www.linkedin.com/feed/"]).await;
        assert_eq!(feed.status, 200, "{feed:#?}");
        demo.stop().await;
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), holds);
    }
}
