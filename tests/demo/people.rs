//! Curl as different people: browse, post and upload on three platforms, without a purpose and with one.

use serde_json::json;

use crate::curl::{Answer, curl, through};
use crate::gate::{Demo, Door};
use crate::programs::command;

/// States a purpose as a tool would.
pub async fn declare(demo: &Demo, user: &str, purpose: &str, platforms: &[&str]) -> Answer {
    let grant = json!({
        "purpose": purpose, "platforms": platforms, "statement": "So that the tour can be shown",
    });
    let url = format!("{}v1/grants", demo.ready.portal);
    through(demo, Door::Plain, user, &["--json", &grant.to_string(), &url]).await
}

struct Deed {
    what: &'static str,
    args: &'static [&'static str],
}

const FEED: Deed = Deed {
    what: "browse",
    args: &["https://www.linkedin.com/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c"],
};
const SHARE: Deed = Deed {
    what: "post",
    args: &[
        "--json",
        "{}",
        "https://www.linkedin.com/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.1",
    ],
};
const PICTURE: Deed = Deed {
    what: "upload",
    args: &[
        "-XPUT",
        "--data-binary",
        "picture",
        "https://www.linkedin.com/dms-uploads/C4E/uploaded-image/1",
    ],
};
const TIMELINE: Deed = Deed {
    what: "browse",
    args: &["https://x.com/i/api/graphql/AbC/HomeTimeline"],
};
const TWEET: Deed = Deed {
    what: "post",
    args: &["--json", "{}", "https://x.com/i/api/graphql/AbC/CreateTweet"],
};
const MEDIA: Deed = Deed {
    what: "upload",
    args: &[
        "-F",
        "media=picture",
        "https://upload.x.com/i/media/upload.json?command=APPEND&media_id=1",
    ],
};
const WATCH: Deed = Deed {
    what: "browse",
    args: &["https://www.youtube.com/watch?v=1"],
};
const COMMENT: Deed = Deed {
    what: "comment",
    args: &[
        "--json",
        "{}",
        "https://www.youtube.com/youtubei/v1/comment/create_comment?prettyPrint=false",
    ],
};
const VIDEO: Deed = Deed {
    what: "upload",
    args: &["--json", "{}", "https://upload.youtube.com/upload/studio"],
};

const PASSES: &str = "passes";
const NEEDS: &str = "purpose-required";
const APPROVAL: &str = "approval-required";
const NEVER: &str = "prohibited";

/// Whether it passed, or the kind of problem that it met.
async fn does(demo: &Demo, door: Door, user: &str, deed: &Deed) -> String {
    let answer = through(demo, door, user, deed.args).await;
    match answer.status {
        200 => {
            assert!(!answer.body.is_empty(), "the stand-in answered: {answer:#?}");
            PASSES.to_owned()
        }
        403 => answer.problem(),
        other => panic!("{user} {} {other}: {answer:#?}", deed.what),
    }
}

/// Somebody, their purpose, and for each deed what happens without it and with it.
struct Story {
    user: &'static str,
    purpose: &'static str,
    platforms: &'static [&'static str],
    door: Door,
    deeds: &'static [(&'static Deed, &'static str, &'static str)],
}

const STORIES: &[Story] = &[
    Story {
        user: "ada",
        purpose: "recruiting",
        platforms: &["linkedin"],
        door: Door::Plain,
        deeds: &[
            (&FEED, NEEDS, PASSES),
            (&SHARE, NEEDS, PASSES),
            (&PICTURE, NEEDS, PASSES),
            (&TIMELINE, NEEDS, NEEDS),
            (&TWEET, NEVER, NEVER),
            (&VIDEO, NEVER, NEVER),
        ],
    },
    Story {
        user: "cora",
        purpose: "customer-support",
        platforms: &["x", "youtube"],
        door: Door::Tls,
        deeds: &[
            (&TIMELINE, NEEDS, PASSES),
            (&TWEET, NEVER, NEVER),
            (&MEDIA, NEEDS, PASSES),
            (&WATCH, NEEDS, PASSES),
            (&COMMENT, NEEDS, PASSES),
            (&VIDEO, NEEDS, PASSES),
            (&FEED, NEEDS, NEEDS),
        ],
    },
    Story {
        user: "dan",
        purpose: "market-research",
        platforms: &["linkedin", "x", "youtube"],
        door: Door::Plain,
        deeds: &[
            (&FEED, NEEDS, PASSES),
            (&TIMELINE, NEEDS, PASSES),
            (&WATCH, NEEDS, PASSES),
            (&SHARE, NEVER, NEVER),
            (&MEDIA, NEVER, NEVER),
            (&VIDEO, NEVER, NEVER),
        ],
    },
    Story {
        user: "eve",
        purpose: "social-listening",
        platforms: &["linkedin", "x", "youtube"],
        door: Door::Tls,
        deeds: &[
            (&FEED, NEEDS, PASSES),
            (&TIMELINE, NEEDS, PASSES),
            (&WATCH, NEEDS, PASSES),
            (&SHARE, NEVER, NEVER),
            (&TWEET, NEVER, NEVER),
            (&MEDIA, NEVER, NEVER),
        ],
    },
    Story {
        user: "ben",
        purpose: "market-research",
        platforms: &["x"],
        door: Door::Plain,
        deeds: &[(&TIMELINE, NEEDS, PASSES), (&TWEET, APPROVAL, APPROVAL)],
    },
];

#[tokio::test]
async fn people_meet_what_the_rules_say_before_and_after_they_state_a_purpose() {
    let demo = Demo::start().await;
    for story in STORIES {
        for (deed, before, _) in story.deeds {
            let met = does(&demo, story.door, story.user, deed).await;
            assert_eq!(met, *before, "{} without a purpose: {:?}", story.user, deed.args);
        }
        let declared = declare(&demo, story.user, story.purpose, story.platforms).await;
        assert_eq!(declared.status, 201, "{declared:#?}");
        for (deed, _, after) in story.deeds {
            let met = does(&demo, story.door, story.user, deed).await;
            assert_eq!(met, *after, "{} with {}: {:?}", story.user, story.purpose, deed.args);
        }
    }
    demo.stop().await;
}

#[tokio::test]
async fn both_doors_speak_both_versions_of_http_inside() {
    let demo = Demo::start().await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    for (door, flag, version) in [
        (Door::Plain, "--http1.1", "1.1"),
        (Door::Plain, "--http2", "2"),
        (Door::Tls, "--http1.1", "1.1"),
        (Door::Tls, "--http2", "2"),
    ] {
        for deed in [&FEED, &SHARE, &PICTURE] {
            let answer = through(&demo, door, "ada", &[&[flag], deed.args].concat()).await;
            assert_eq!(
                (answer.connect, answer.status),
                (200, 200),
                "{door:?} {flag} {}: {answer:#?}",
                deed.what
            );
            assert_eq!(answer.version, version, "{door:?} {flag} {}", deed.what);
        }
        let refused = through(&demo, door, "eve", &[&[flag], SHARE.args].concat()).await;
        assert_eq!((refused.status, refused.version.as_str()), (403, version));
        assert_eq!(refused.problem(), NEVER);
    }
    demo.stop().await;
}

#[tokio::test]
async fn an_upload_arrives_whole() {
    let demo = Demo::start().await;
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    let picture = demo.ready.state.join("picture");
    std::fs::write(&picture, vec![7; 3_000_000]).unwrap();
    let args = ["-T", picture.to_str().unwrap(), PICTURE.args[3]];
    let answer = through(&demo, Door::Tls, "ada", &args).await;
    assert_eq!(answer.status, 200, "{answer:#?}");
    assert!(answer.body.contains("took 3000000 bytes"), "{answer:#?}");
    demo.stop().await;
}

#[tokio::test]
async fn without_a_name_or_with_a_wrong_password_nobody_gets_in() {
    let demo = Demo::start().await;
    let root = demo.ready.ca.to_str().unwrap();
    let wrong = demo.ready.proxy.replacen("://", "://ada:wrong-password@", 1);
    for proxy in [&demo.ready.proxy, &wrong] {
        for url in [FEED.args[0], "http://www.example.org/"] {
            let answer = curl(&["--proxy", proxy, "--cacert", root, url]).await;
            let status = if url.starts_with("https") {
                answer.connect
            } else {
                answer.status
            };
            assert_eq!(status, 407, "{answer:#?}");
        }
    }
    // curl answers the challenge when it is told to wait for one
    let right = demo.proxy(Door::Plain, "dan");
    let answer = curl(&["--proxy", &right, "--proxy-anyauth", "http://www.example.org/"]).await;
    assert_eq!(answer.status, 200, "{answer:#?}");
    demo.stop().await;
}

#[tokio::test]
async fn a_client_certificate_opens_the_tls_door_only_when_ours_signed_it() {
    let demo = Demo::start().await;
    let openssl = command("/bin/sh")
        .current_dir(&demo.ready.state)
        .args(["-c", "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=ada -keyout k.pem -out c.pem"])
        .output()
        .await
        .unwrap();
    assert!(
        openssl.status.success(),
        "`openssl` is missing: install Debian's package `openssl`"
    );
    let file = |name: &str| demo.ready.state.join(name).to_str().unwrap().to_owned();
    let root = demo.ready.ca.to_str().unwrap();
    let shown = async |certificate: &str, key: &str| {
        let papers = ["--proxy-cert", certificate, "--proxy-key", key];
        let way = [
            "--proxy",
            &demo.ready.proxy_tls,
            "--proxy-cacert",
            root,
            "--cacert",
            root,
        ];
        curl(&[&papers, &way[..], FEED.args].concat()).await
    };
    let answer = shown(&file("c.pem"), &file("k.pem")).await;
    assert_ne!(answer.connect, 200, "{answer:#?}");
    assert_eq!(answer.status, 0, "{answer:#?}");

    // no name and no password: the certificate says who it is
    let papers = demo.ready.client_certificate.clone().unwrap();
    assert_eq!(papers.user, "ada");
    let (certificate, key) = (papers.certificate.to_str().unwrap(), papers.key.to_str().unwrap());
    let unstated = shown(certificate, key).await;
    assert_eq!((unstated.connect, unstated.status), (200, 403), "{unstated:#?}");
    assert_eq!(unstated.problem(), NEEDS);
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    let passed = shown(certificate, key).await;
    assert_eq!((passed.connect, passed.status), (200, 200), "{passed:#?}");
    let listed = demo.records(&["list", "--user", "ada"]).await.ends_with(0);
    assert!(listed.contains("allow"), "{listed}");
    demo.stop().await;
}

#[tokio::test]
async fn a_tool_states_its_purpose_in_its_name_and_people_choose_between_theirs() {
    let demo = Demo::start().await;
    let root = demo.ready.ca.to_str().unwrap();
    let named = |user: &str, purpose: &str| {
        demo.proxy(Door::Plain, user)
            .replacen(&format!("{user}:"), &format!("{user}+{purpose}:"), 1)
    };
    let tool = curl(&[
        "--proxy",
        &named("carebot", "customer-support"),
        "--cacert",
        root,
        TIMELINE.args[0],
    ])
    .await;
    assert_eq!(tool.status, 200, "{tool:#?}");
    let person = curl(&["--proxy", &named("ada", "recruiting"), "--cacert", root, FEED.args[0]]).await;
    assert_ne!(person.status, 200, "people use the form: {person:#?}");
    declare(&demo, "ada", "recruiting", &["linkedin"]).await;
    let person = curl(&["--proxy", &named("ada", "recruiting"), "--cacert", root, FEED.args[0]]).await;
    assert_eq!(person.status, 200, "{person:#?}");
    demo.stop().await;
}

#[tokio::test]
async fn what_no_policy_manages_passes_unread_with_its_own_certificate() {
    let demo = Demo::start().await;
    let proxy = demo.proxy(Door::Plain, "dan");
    let (ours, theirs) = (demo.ready.ca.to_str().unwrap(), demo.ready.sites_ca.clone().unwrap());
    let unread = curl(&[
        "--proxy",
        &proxy,
        "--cacert",
        theirs.to_str().unwrap(),
        "https://www.example.org/",
    ])
    .await;
    assert_eq!(unread.status, 200, "{unread:#?}");
    let read = curl(&["--proxy", &proxy, "--cacert", ours, "https://www.example.org/"]).await;
    assert_eq!(read.status, 0, "our certificate would be a lie: {read:#?}");
    assert!(read.complaint.contains("certificate"), "{read:#?}");
    let clear = curl(&["--proxy", &proxy, "http://www.example.org/"]).await;
    assert_eq!(clear.status, 200, "{clear:#?}");
    demo.stop().await;
}
