//! A deed is the same one at a sister host or path of its platform, and at hosts that the platform shares.

use super::super::host::HostPattern;
use super::super::path::PathGlob;
use super::super::signature::Method;
use super::super::tree::Kind;
use super::*;

/// Writes that may come as GET and that one host alone takes, and why.
const ON_ONE_HOST: &[(&str, &str)] = &[
    ("facebook.api.batch", "the root of every other host is a page"),
    ("qq.dialog.widget", "a word for pages of other hosts"),
    ("telegram.bot.send", "at t.me the path is the name of a channel"),
    ("telegram.bot.other", "at t.me the path is the name of a channel"),
];

#[test]
fn a_write_that_may_come_as_get_is_one_on_every_host_of_its_platform() {
    let whole_host = PathGlob::parse("/**", false).unwrap();
    let mut wrong = Vec::new();
    for signature in &catalog().index.signatures {
        let is_write = catalog().activities.kind(signature.activity) == Kind::Write && !signature.socket;
        // there it is the host that says what is done, and not the path
        let by_host = signature.paths.iter().all(|path| *path == whole_host);
        if !is_write || by_host || !signature.methods.contains(Method::Get) {
            continue;
        }
        let everywhere = signature.hosts.contains(&HostPattern::Any);
        let is_excepted = ON_ONE_HOST.iter().any(|(id, _)| *id == signature.id.as_str());
        if everywhere == is_excepted {
            wrong.push(signature.id.as_str());
        }
    }
    assert!(wrong.is_empty(), "add `**` to their hosts, or say why not: {wrong:#?}");
}

/// Writes by GET at hosts and paths beside those of the web client.
const DEEDS: &[(&str, &str)] = &[
    ("https://m.facebook.com/sharer/sharer.php?u=x", "share"),
    ("https://www.facebook.com/sharer.php?u=x", "share"),
    ("https://mbasic.facebook.com/dialog/share", "share"),
    ("https://m.facebook.com/v19.0/dialog/share", "share"),
    ("https://m.facebook.com/v19.0/dialog/oauth", "oauth"),
    ("https://m.facebook.com/messaging/send/?body=hi", "message"),
    (
        "https://mbasic.facebook.com/api/graphql/?fb_api_req_friendly_name=ComposerStoryCreateMutation",
        "post",
    ),
    (
        "https://mbasic.facebook.com/api/graphql/?doc_id=1&variables={\"input\":{}}",
        "unknown-write",
    ),
    (
        "https://graph.facebook.com/graphql?doc_id=1&variables={\"input\":{}}",
        "unknown-write",
    ),
    ("https://x.com/share?text=hi", "post"),
    ("https://twitter.com/share?text=hi", "post"),
    ("https://upload.x.com/1.1/media/upload.json?command=FINALIZE", "upload"),
    ("https://api.x.com/1.1/favorites/create.json?id=1", "react"),
    ("https://api.x.com/1.1/statuses/retweet/1.json", "share"),
    ("https://x.com/i/api/1.1/statuses/destroy/1.json", "delete"),
    ("https://api.x.com/1.1/blocks/create.json", "unknown-write"),
    ("https://us.tiktok.com/api/comment/publish/?text=hi", "comment"),
    ("https://www.tiktok.com/tiktok/v1/upvote/publish?item_id=1", "share"),
    ("https://webcast.tiktok.com/api/commit/follow/user/?type=1", "follow"),
    ("https://im-api.tiktok.com/v1/message/send", "message"),
    ("https://webcast.tiktok.com/webcast/room/chat/?content=hi", "message"),
    (
        "https://api16-normal.tiktokv.com/aweme/v1/commit/item/digg/?type=1",
        "react",
    ),
    (
        "https://www.instagram.com/api/v1/web/comments/1/add/?comment_text=hi",
        "comment",
    ),
    ("https://b.i.instagram.com/api/v1/web/likes/1/like/", "react"),
    ("https://i.instagram.com/api/v1/friendships/create/1/", "follow"),
    (
        "https://www.linkedin.com/sales-api/salesApiMessaging?action=createMessage",
        "message",
    ),
    (
        "https://www.linkedin.com/sales-api/salesApiLeads?action=save",
        "unknown-write",
    ),
    (
        "https://de.linkedin.com/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.a",
        "post",
    ),
    ("https://old.reddit.com/api/submit.json?kind=self", "post"),
    ("https://oauth.reddit.com/r/x/api/submit?kind=self", "post"),
    ("https://oauth.reddit.com/r/x/api/comment.json", "comment"),
    (
        "https://studio.youtube.com/youtubei/v1/comment/create_comment",
        "comment",
    ),
    ("https://i.pinimg.com/resource/PinResource/create/", "post"),
    ("https://api.vc.bilibili.com/x/v2/reply/add", "comment"),
];

#[test]
fn a_deed_at_a_sister_host_or_path_is_the_same_deed() {
    for (url, activity) in DEEDS {
        assert_eq!(request("GET", url).read().activity.as_str(), *activity, "{url}");
    }
    for url in [
        "https://m.facebook.com/somepage",
        "https://api.x.com/1.1/statuses/show.json?id=1",
        "https://www.tiktok.com/api/comment/list/?aweme_id=1",
        "https://i.instagram.com/api/v1/friendships/1/followers/",
        "https://www.linkedin.com/sales-api/salesApiLeads?q=search",
        "https://old.reddit.com/r/x/about.json",
    ] {
        let activities = request("GET", url).activities();
        assert!(
            ["browse", "search"].contains(&activities.as_str()),
            "{activities} {url}"
        );
    }
}

#[test]
fn at_a_shared_host_a_path_of_a_platform_is_the_platforms_and_no_other_is() {
    let host = |name: &str| Host::parse(name).unwrap();
    let on = |name: &str, path: &str| catalog().place_at(&host(name), path).platform.map(|id| id.to_string());
    for name in ["www.googleapis.com", "content.googleapis.com"] {
        assert!(
            !catalog().place(&host(name)).is_classified(),
            "{name}: nothing of the host itself is managed"
        );
        for path in [
            "/youtube/v3/videos",
            "/upload/youtube/v3/videos",
            "/resumable/upload/youtube/v3/videos",
            "/batch/youtube/v3",
            "/youtubei/v1/like/like",
            "/YouTube/v3/videos",
            "//youtube/v3/videos",
            "/%79outube/v3/videos",
            "/youtube%2Fv3/videos",
            "/drive/../youtube/v3/videos",
            "/youtube/../drive/v3/files",
        ] {
            assert_eq!(on(name, path).as_deref(), Some("youtube"), "{path}");
        }
        for path in [
            "/",
            "/drive/v3/files",
            "/oauth2/v3/certs",
            "/upload/drive/v3/files",
            "/upload/youtub",
        ] {
            assert_eq!(on(name, path), None, "{path}");
        }
    }
    let place = catalog().place_at(&host("www.googleapis.com"), "/youtube/v3/videos");
    let own = catalog().place(&host("www.youtube.com"));
    assert_eq!(
        (&place.categories, place.host.as_str()),
        (&own.categories, "www.googleapis.com")
    );
    for (url, activity) in [
        (
            "https://www.googleapis.com/upload/youtube/v3/videos?part=snippet",
            "upload",
        ),
        ("https://www.googleapis.com/youtube/v3/commentThreads", "comment"),
        ("https://www.googleapis.com/youtube/v3/comments", "comment"),
        ("https://www.googleapis.com/youtube/v3/captions", "unknown-write"),
        ("https://www.googleapis.com/youtubei/v1/like/like", "react"),
    ] {
        assert_eq!(request("POST", url).activities(), activity, "{url}");
    }
    // a proof that speaks of hosts in general speaks of these, too
    assert!(
        catalog()
            .places()
            .iter()
            .any(|place| place.host.as_str() == "www.googleapis.com" && place.platform.is_some())
    );
}
