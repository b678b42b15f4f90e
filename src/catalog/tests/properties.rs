//! What holds for every request, whoever made it up.

use proptest::prelude::*;

use super::cheats::{GRAPHQL, facebook, referer};
use super::*;
use crate::facts::Opaque;

fn some_pairs() -> impl Strategy<Value = Vec<(String, String)>> {
    let key = prop_oneof![
        Just("fb_api_req_friendly_name".to_owned()),
        Just("x-fb-friendly-name".to_owned()),
        Just("x-http-method-override".to_owned()),
        Just("variables".to_owned()),
        Just("variables[input]".to_owned()),
        Just("method".to_owned()),
        Just(" method".to_owned()),
        Just("method\0x".to_owned()),
        Just("queryId".to_owned()),
        Just("features".to_owned()),
        Just("_charset_".to_owned()),
        Just("fb api_req_friendly[name".to_owned()),
        Just("write-mark".to_owned()),
        Just("q".to_owned()),
        Just("q[\u{fffd}".to_owned()),
        Just("variabl\u{fffd}es".to_owned()),
        Just("method[\u{fffd}".to_owned()),
        "[a-z]{1,4}",
    ];
    let value = prop_oneof![
        Just("FooQuery".to_owned()),
        Just("UserFollow_Mutation".to_owned()),
        Just("ComposerStoryCreateMutation".to_owned()),
        Just("POST".to_owned()),
        Just("{\"input\":1}".to_owned()),
        Just("{\"tweet_text\":1}".to_owned()),
        Just("{\"count\":true}".to_owned()),
        Just("utf-7".to_owned()),
        Just("a".to_owned()),
        Just("voyagerFeedDash".to_owned()),
        Just(" Put ".to_owned()),
        Just("post\0x".to_owned()),
        ".{0,12}",
    ];
    prop::collection::vec((key, value), 0..4)
}

/// Paths with a credential, spelled as no two servers would read them.
fn some_secret_path() -> impl Strategy<Value = String> {
    let slash = prop::sample::select(vec!["/", "//", "/./", "/x/../", "%2F", "/%2e/", "\\", "/.%252f"]);
    let names = prop::sample::select(vec![
        &["bot1:S3CRET", "sendMessage"][..],
        &["file", "bot1:S3CRET", "a"],
        &["api", "webhooks", "S3CRET", "xS3CRETx"],
        &["api", "v10", "webhooks", "1", "S%33CRET", "messages", "2"],
        &["services", "T1", "B1;S3CRET", "S3CRET"],
    ]);
    let end = prop::sample::select(vec!["", "/", ";a", "%3b", "%3Fa", "%25252561"]);
    (prop::collection::vec(slash, 8), names, end).prop_map(|(slashes, names, end)| {
        let parts = slashes.iter().zip(names).map(|(slash, name)| format!("{slash}{name}"));
        format!("{}{end}", parts.collect::<String>())
    })
}

fn some_host() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "www.facebook.com",
        "graph.facebook.com",
        "x.com",
        "www.linkedin.com",
        "medium.com",
        "www.quora.com",
        "scontent.xx.fbcdn.net",
        "px.ads.linkedin.com",
        "mastodon.example",
        "api.telegram.org",
        "discord.com",
        "hooks.slack.com",
        "unknown.example",
    ])
}

fn some_head() -> impl Strategy<Value = (Host, Head)> {
    let host = some_host();
    let path = prop_oneof![
        Just("/api/graphql/".to_owned()),
        Just("/tr".to_owned()),
        Just("/plugins/../x".to_owned()),
        Just("/i/api/graphql/a/HomeTimeline".to_owned()),
        Just("/i/api/graphql/a/Followers".to_owned()),
        Just("/i/api/graphql/CreateTweet/SearchTimeline".to_owned()),
        Just("/voyager/api/graphql".to_owned()),
        Just("/_/graphql".to_owned()),
        Just("/graphql/gql_para_POST".to_owned()),
        "/?.{0,20}",
        some_secret_path(),
    ];
    let method = prop::sample::select(vec!["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "X"]);
    let peek = prop_oneof![
        Just(Peek::NotTaken),
        Just(Peek::Opaque(Opaque::TooLong)),
        prop::collection::vec(some_pairs(), 0..3).prop_map(Peek::Operations),
    ];
    let page = prop::option::of(prop::sample::select(vec![
        "www.instagram.com",
        "www.facebook.com",
        "blog.example",
    ]));
    let hints = (
        any::<[bool; 3]>(),
        some_pairs(),
        page,
        prop::option::of(prop::sample::select(vec!["iframe", "document"])),
    );
    (host, path, method, some_pairs(), peek, hints).prop_map(|(host, path, method, query, peek, hints)| {
        let ([websocket, has_body, form], labels, page, dest) = hints;
        let host_of = |name: &str| Host::parse(name).unwrap();
        let hints = Hints {
            websocket,
            has_body,
            labels,
            content_type: form.then(|| "application/x-www-form-urlencoded".to_owned()),
            fetch_dest: dest.map(str::to_owned),
            origin: page.map(host_of),
            referer: page.filter(|_| form).map(|name| referer(name, "/plugins/x")),
            ..Hints::default()
        };
        let head = Head {
            method: method.to_owned(),
            path,
            query,
            hints,
            peek,
        };
        (host_of(host), head)
    })
}

proptest! {
    #[test]
    fn redaction_never_changes_the_reading((host, head) in some_head()) {
        let place = catalog().place(&host);
        let redacted = catalog().redact(&place, &head);
        prop_assert_eq!(catalog().read(&place, &redacted), catalog().read(&place, &head));
        prop_assert_eq!(catalog().redact(&place, &redacted), redacted);
    }

    #[test]
    fn however_it_is_spelled_a_credential_in_a_path_is_not_kept(path in some_secret_path(), which in 0..3_usize) {
        let host = ["api.telegram.org", "discord.com", "hooks.slack.com"][which];
        let place = catalog().place(&Host::parse(host).unwrap());
        let hidden = catalog().hidden(&place, &path).into_owned();
        let globs: [&[&str]; 3] = [&["/bot", "/file/bot"], &["/api/webhooks/", "/api/v10/webhooks/"], &["/services/"]];
        let understood = path::resolved(&path).into_owned();
        if globs[which].iter().any(|start| understood.starts_with(start)) {
            prop_assert!(!hidden.contains("S3CRET") && !hidden.contains("S%33CRET"), "{path} {hidden}");
            prop_assert!(hidden.contains("***"), "{path} {hidden}");
        }
        prop_assert_eq!(path::Spelling::of(&hidden).is_ambiguous(), path::Spelling::of(&path).is_ambiguous(), "{} {}", path, hidden);
        prop_assert_eq!(&catalog().hidden(&place, &hidden), &hidden);
    }

    #[test]
    fn no_bytes_of_a_body_make_a_peek_fail_to_answer(body in prop::collection::vec(any::<u8>(), 0..200), kind in 0..5_usize, complete: bool) {
        let types = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "image/png", ";;=\""];
        let seen = facebook().body(types[kind], "x");
        let place = catalog().place(&seen.host);
        let mut bytes = if kind == 2 { b"--b\r\n".to_vec() } else { Vec::new() };
        bytes.extend(body);
        let mut head = seen.head;
        head.peek = catalog().peek(&place, &head, &bytes, complete);
        catalog().read(&place, &head);
    }

    #[test]
    fn another_name_only_adds_to_what_a_request_may_be(names in prop::collection::vec(0..5_usize, 1..4), another in 0..5_usize, place in 0..3_usize) {
        const NAMES: [&str; 5] = ["FooQuery", "FooMutation", "ComposerStoryCreateMutation", "CometUFIFeedbackReactMutation", "nonsense"];
        let key = "fb_api_req_friendly_name";
        let form = |names: &[usize]| {
            let pairs = names.iter().map(|name| (key, NAMES[*name]));
            form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
        };
        let before = facebook().form(&form(&names)).read();
        let after = match place {
            0 => facebook().header("x-fb-friendly-name", NAMES[another]).form(&form(&names)),
            1 => request("POST", &format!("{GRAPHQL}?{key}={}", NAMES[another])).form(&form(&names)),
            _ => facebook().form(&form(&[names, vec![another]].concat())),
        };
        prop_assert!(after.read().activities.is_superset(&before.activities));
    }

    #[test]
    fn metadata_changes_nothing_but_whether_a_listed_embed_is_a_visit((host, head) in some_head()) {
        let place = catalog().place(&host);
        let said = &head.hints;
        let silent = Hints { fetch_site: None, fetch_mode: None, fetch_dest: None, origin: None, referer: None, ..said.clone() };
        let bare = Head { hints: silent, ..head.clone() };
        let (with, without) = (catalog().read(&place, &head), catalog().read(&place, &bare));
        let is_embed = |reading: &Reading| ["embed", "telemetry"].iter().any(|id| reading.activities.contains(&Activity::new(*id)));
        prop_assert!(with == without || is_embed(&with) || is_embed(&without));
    }
}
