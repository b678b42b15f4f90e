//! What somebody does is recognised on the wire, and cannot be made to look milder than it is.

use std::io::Write as _;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{Method, Request, StatusCode};

use wayleave::facts::SignatureId;

use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::form;
use crate::harness::scripted::Scripted;
use crate::harness::wire::Wire;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const FACEBOOK: &str = "https://www.facebook.com/api/graphql/";
const MEDIUM: &str = "https://medium.com/_/graphql";

/// Of padding.
const PIECE: &[u8] = &[b'a'; 8 * 1024];

const DEMO: [&str; 5] = ["linkedin", "x", "facebook", "youtube", "reddit"];

/// Ben may read and publish for the brand on the five platforms.
async fn a_publisher() -> World {
    publisher_in(|_| {}).await
}

async fn publisher_in(differ: impl FnOnce(&mut crate::harness::Plan)) -> World {
    let world = World::planned(differ).await;
    world
        .give("ben", "brand-publishing", &DEMO, |terms| {
            let mia = wayleave::facts::SubjectId::parse("mia").unwrap();
            terms.answers = vec![wayleave::facts::Answer::approval(mia, terms.declared_at)];
        })
        .await;
    world
}

/// Dan may read, and nothing else.
async fn a_reader() -> World {
    reader_in(|_| {}).await
}

async fn reader_in(differ: impl FnOnce(&mut crate::harness::Plan)) -> World {
    let world = World::planned(differ).await;
    let platforms = ["linkedin", "x", "facebook", "youtube", "reddit", "medium"];
    world
        .give("dan", "market-research", &platforms, |terms| {
            terms.covers = ["read".to_owned()].into();
        })
        .await;
    world
}

struct Doing {
    method: Method,
    url: &'static str,
    kind: &'static str,
    body: &'static str,
    activity: &'static str,
    signature: &'static str,
}

const fn doing(
    method: Method,
    url: &'static str,
    (kind, body): (&'static str, &'static str),
    activity: &'static str,
    signature: &'static str,
) -> Doing {
    Doing {
        method,
        url,
        kind,
        body,
        activity,
        signature,
    }
}

async fn does(client: &Client, doing: &Doing) -> Answer {
    let mut request = Request::builder().method(doing.method.clone()).uri(doing.url);
    if !doing.kind.is_empty() {
        request = request.header("content-type", doing.kind);
    }
    client.send_with(request, doing.body).await
}

/// Does it, and looks it up in the book.
async fn is_recorded(world: &World, doing: &Doing) {
    let answer = does(&world.client("ben"), doing).await;
    assert_eq!(answer.status, StatusCode::OK, "{}: {}", doing.url, answer.text());
    let uri: http::Uri = doing.url.parse().unwrap();
    let closing = world.closed(uri.host().unwrap(), uri.path()).await;
    let decided = closing.decided();
    assert_eq!(decided.activity.as_str(), doing.activity, "{}", doing.url);
    let signatures: Vec<&str> = decided.signatures.iter().map(SignatureId::as_str).collect();
    assert!(signatures.contains(&doing.signature), "{}: {signatures:?}", doing.url);
    let received = world.origin.received();
    let last = received.last().unwrap();
    assert_eq!((&last.method, &last.body[..]), (&doing.method, doing.body.as_bytes()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_the_peek_passes_whole() {
    let world = a_publisher().await;
    let head = "fb_api_req_friendly_name=ComposerStoryCreateMutation&doc_id=1&variables=";
    let body: String = head.chars().chain(('a'..='z').cycle().take(300 * 1024)).collect();
    const ALPN: [&[&[u8]]; 2] = [&[b"h2"], &[b"http/1.1"]];
    for alpn in ALPN {
        let ben = world.client("ben").offering(alpn);
        let answer = ben.post(FACEBOOK, FORM, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let received = world.origin.received().pop().unwrap();
        assert!(received.body == body, "{} bytes of {}", received.body.len(), body.len());
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_is_recorded_as_a_post_on_each_demo_platform() {
    let world = a_publisher().await;
    for post in [
        doing(
            Method::POST,
            "https://www.linkedin.com/voyager/api/contentcreation/normShares",
            (JSON, r#"{"commentary":{"text":"hello"}}"#),
            "post",
            "linkedin.web.share-normshares",
        ),
        doing(
            Method::POST,
            "https://x.com/i/api/graphql/AbC/CreateTweet",
            (JSON, r#"{"variables":{"tweet_text":"hello"},"queryId":"AbC"}"#),
            "post",
            "x.web.createtweet",
        ),
        doing(
            Method::POST,
            FACEBOOK,
            (FORM, "fb_api_req_friendly_name=ComposerStoryCreateMutation&doc_id=1"),
            "post",
            "facebook.web.composerstorycreatemutation",
        ),
        doing(
            Method::POST,
            "https://www.youtube.com/youtubei/v1/backstage/create_post",
            (JSON, "{}"),
            "post",
            "youtube.web.community-post",
        ),
        doing(
            Method::POST,
            "https://www.reddit.com/api/submit",
            (FORM, "kind=self&title=hello"),
            "post",
            "reddit.api.submit",
        ),
    ] {
        is_recorded(&world, &post).await;
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_comment_is_recorded_as_a_comment() {
    let world = a_publisher().await;
    for comment in [
        doing(
            Method::POST,
            "https://www.linkedin.com/voyager/api/voyagerSocialDashNormComments",
            (JSON, "{}"),
            "comment",
            "linkedin.web.comment-norm",
        ),
        doing(
            Method::POST,
            FACEBOOK,
            (FORM, "fb_api_req_friendly_name=useCometUFICreateCommentMutation"),
            "comment",
            "facebook.web.usecometuficreatecommentmutation",
        ),
        doing(
            Method::POST,
            "https://www.youtube.com/youtubei/v1/comment/create_comment",
            (JSON, "{}"),
            "comment",
            "youtube.web.comment",
        ),
        doing(
            Method::POST,
            "https://www.reddit.com/api/comment",
            (FORM, "thing_id=t3_1&text=hello"),
            "comment",
            "reddit.api.comment",
        ),
    ] {
        is_recorded(&world, &comment).await;
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_recorded_as_an_upload_on_each_demo_platform() {
    let world = a_publisher().await;
    for upload in [
        doing(
            Method::PUT,
            "https://www.linkedin.com/dms-uploads/abc",
            ("image/png", "png"),
            "upload",
            "linkedin.web.media-put",
        ),
        doing(
            Method::POST,
            "https://upload.x.com/i/media/upload.json?command=INIT&total_bytes=4",
            (FORM, "media_type=image%2Fpng"),
            "upload",
            "x.web.media-upload",
        ),
        doing(
            Method::POST,
            "https://upload.facebook.com/ajax/react_composer/attachments/photo/upload",
            ("multipart/form-data; boundary=b", "--b--\r\n"),
            "upload",
            "facebook.web.photo-upload",
        ),
        doing(
            Method::POST,
            "https://upload.youtube.com/upload/studio",
            ("application/octet-stream", "film"),
            "upload",
            "youtube.web.upload",
        ),
        doing(
            Method::POST,
            "https://reddit-uploaded-media.s3-accelerate.amazonaws.com/",
            ("multipart/form-data; boundary=b", "--b--\r\n"),
            "upload",
            "reddit.web.upload",
        ),
    ] {
        is_recorded(&world, &upload).await;
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_recorded_as_reading_on_each_demo_platform() {
    let world = a_publisher().await;
    let none = ("", "");
    for read in [
        doing(
            Method::GET,
            "https://www.linkedin.com/feed/",
            none,
            "browse",
            "linkedin.web.nav-feed",
        ),
        doing(
            Method::GET,
            "https://x.com/i/api/graphql/AbC/TweetDetail",
            none,
            "browse",
            "x.web.tweetdetail",
        ),
        doing(
            Method::POST,
            FACEBOOK,
            (FORM, "fb_api_req_friendly_name=CometModernHomeFeedQuery&doc_id=1"),
            "browse",
            "facebook.web.cometmodernhomefeedquery",
        ),
        doing(
            Method::GET,
            "https://www.youtube.com/watch?v=1",
            none,
            "view-media",
            "youtube.web.watch",
        ),
        doing(
            Method::GET,
            "https://www.reddit.com/r/rust/comments/1",
            none,
            "browse",
            "reddit.web.nav-post",
        ),
    ] {
        is_recorded(&world, &read).await;
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_origin_gets_a_peeked_body_byte_for_byte() {
    let world = a_reader().await;
    let mut body = b"fb_api_req_friendly_name=CometModernHomeFeedQuery&lsd=".to_vec();
    while body.len() < 60 * 1024 {
        body.extend(b"%00%ff+abcdefghijklmnop");
    }
    for alpn in [&[b"h2" as &[u8]] as &[&[u8]], &[b"http/1.1"]] {
        let dan = world.client("dan").offering(alpn);
        let answer = dan.post(FACEBOOK, FORM, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let received = world.origin.received();
        let last = received.last().unwrap();
        assert!(last.body == body, "the body changed on its way");
        assert_eq!(last.headers["content-length"], body.len().to_string().as_str());
    }
    let pieces: [&[u8]; 4] = [
        b"fb_api_req_friendly",
        b"_name=CometModernHome",
        b"FeedQuery&doc",
        b"_id=7",
    ];
    let request = Request::post(FACEBOOK).header("content-type", FORM);
    let answer = world.client("dan").send_pieces(request, stream::iter(pieces)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(world.origin.received().last().unwrap().body, pieces.concat());
    world.close().await;
}

/// The content of the next piece of a body that comes in pieces (RFC 9112 §7.1).
async fn piece(server: &mut Wire) -> Vec<u8> {
    let mut size = String::new();
    while !size.ends_with("\r\n") {
        size += &server.exactly(1).await;
    }
    let size = usize::from_str_radix(size.trim_end(), 16).unwrap();
    let mut piece = server.bytes(size + 2).await;
    piece.truncate(size);
    piece
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_beyond_the_peek_is_not_held_back() {
    let origin = Scripted::bind().await;
    let world = publisher_in(|plan| {
        // only the size of what has come ends the look at it
        plan.settings.proxy.peek_timeout_s = 600;
        plan.lead("www.facebook.com", origin.address);
    })
    .await;
    let ben = world.client("ben").offering(&[b"http/1.1"]);
    let mut wire = Wire::on(ben.inside("www.facebook.com").await);
    world.sends(1);
    wire.say(format!(
        "POST /api/graphql/ HTTP/1.1\r\nHost: www.facebook.com\r\nContent-Type: {FORM}\r\nTransfer-Encoding: chunked\r\n\r\n"
    ))
    .await;
    let name = "fb_api_req_friendly_name=ComposerStoryCreateMutation&variables=";
    // a byte more than is looked at, and nobody says when the next will come
    let first = name.to_owned() + &"a".repeat(64 * 1024 + 1 - name.len());
    wire.say(format!("{:x}\r\n{first}\r\n", first.len())).await;
    let mut server = origin.tls(&world.origins, "www.facebook.com").await;
    server.head().await;
    let mut came = Vec::new();
    while came.len() < first.len() {
        came.extend(piece(&mut server).await);
    }
    assert!(came == first.as_bytes(), "{} bytes came", came.len());
    wire.say("3\r\nend\r\n0\r\n\r\n").await;
    assert_eq!(piece(&mut server).await, b"end");
    server.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    assert_eq!(wire.answer().await.1, "ok");
    drop(wire);
    world.close().await;
}

/// The request is refused as `activity`, and nothing of it reached the origin.
async fn is_refused_as(world: &World, activity: &str, request: http::request::Builder, body: impl Into<Bytes>) {
    let uri = request.uri_ref().unwrap().clone();
    let answer = world.client("dan").send_with(request, body).await;
    assert_refused(world, activity, &uri, &answer).await;
}

async fn assert_refused(world: &World, activity: &str, uri: &http::Uri, answer: &Answer) {
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{uri}: {}", answer.text());
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let closing = world.closed(uri.host().unwrap(), uri.path()).await;
    assert_eq!(closing.decided().activity.as_str(), activity, "{uri}");
    assert_eq!(closing.ended().end, wayleave::facts::End::Refused);
    assert_eq!(world.origin.connections(), 0, "{uri}: nothing may reach the origin");
}

fn graphql() -> http::request::Builder {
    Request::post(FACEBOOK).header("content-type", FORM)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_referer_makes_no_write_and_no_visit_an_embed() {
    let world = a_reader().await;
    let forged = |request: http::request::Builder| {
        request
            .header("referer", "https://blog.example/")
            .header("origin", "https://blog.example")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "no-cors")
            .header("sec-fetch-dest", "iframe")
    };
    let write = forged(Request::post("https://www.facebook.com/plugins/like.php?href=x"));
    is_refused_as(&world, "unknown-write", write, "a=1").await;
    let visit = forged(Request::get("https://www.youtube.com/watch?v=1"));
    let answer = world.client("ada").send(visit).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "ada holds no grant for a visit");
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operation_names_are_both_believed() {
    let world = a_reader().await;
    let request = graphql().header("x-fb-friendly-name", "CometModernHomeFeedQuery");
    let body = "fb_api_req_friendly_name=ComposerStoryCreateMutation";
    is_refused_as(&world, "post", request, body).await;
    let request = graphql().header("x-fb-friendly-name", "ComposerStoryCreateMutation");
    let body = "fb_api_req_friendly_name=CometModernHomeFeedQuery";
    is_refused_as(&world, "post", request, body).await;
    let twice = "fb_api_req_friendly_name=FooQuery&fb_api_req_friendly_name=FooMutation";
    is_refused_as(&world, "unknown-write", graphql(), twice).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_the_strictest_thing_that_it_holds() {
    let world = a_reader().await;
    let json = || Request::post(MEDIUM).header("content-type", JSON);
    let batch = r#"[{"operationName":"PostPageQuery"},{"operationName":"ClapMutation"}]"#;
    is_refused_as(&world, "unknown-write", json(), batch).await;
    let reads = r#"[{"operationName":"PostPageQuery"},{"operationName":"HomeFeed"}]"#;
    let answer = world.client("dan").send_with(json(), reads).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_named_twice_is_a_write() {
    let world = a_reader().await;
    let json = Request::post(MEDIUM).header("content-type", JSON);
    let body = r#"{"operationName":"PostPageQuery","operationName":"ClapMutation"}"#;
    is_refused_as(&world, "unknown-write", json, body).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn padding_past_the_peek_is_a_write() {
    let world = a_reader().await;
    let padding = "a".repeat(64 * 1024);
    for body in [
        format!("lsd={padding}&fb_api_req_friendly_name=CometModernHomeFeedQuery"),
        format!("fb_api_req_friendly_name=CometModernHomeFeedQuery&lsd={padding}"),
    ] {
        is_refused_as(&world, "unknown-write", graphql(), body).await;
    }
    // without a length that would tell beforehand
    let first: &[u8] = b"fb_api_req_friendly_name=CometModernHomeFeedQuery&lsd=";
    let pieces = stream::iter(std::iter::once(first).chain(std::iter::repeat_n(PIECE, 9)));
    let answer = world.client("dan").send_pieces(graphql(), pieces).await;
    assert_refused(&world, "unknown-write", &FACEBOOK.parse().unwrap(), &answer).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_body_is_a_write() {
    let world = a_reader().await;
    // a gzip member that stores its content (RFC 1952, RFC 1951 §3.2.4)
    let form = b"fb_api_req_friendly_name=CometModernHomeFeedQuery";
    let mut gzip = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1];
    let length = u16::try_from(form.len()).unwrap();
    gzip.write_all(&length.to_le_bytes()).unwrap();
    gzip.write_all(&(!length).to_le_bytes()).unwrap();
    gzip.extend(form);
    let request = graphql().header("content-encoding", "gzip");
    is_refused_as(&world, "unknown-write", request, gzip).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_judged_is_what_leaves() {
    let world = a_reader().await;
    let dan = world.client("dan");
    let body = "fb_api_req_friendly_name=CometModernHomeFeedQuery&doc_id=1";
    let mut wire = Wire::on(dan.offering(&[b"http/1.1"]).inside("www.facebook.com").await);
    for (connection, status) in [("keep-alive", "200"), ("keep-alive, Content-Type", "403")] {
        world.sends(1);
        wire.say(format!(
            "POST /api/graphql/ HTTP/1.1\r\nHost: www.facebook.com\r\nConnection: {connection}\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
        .await;
        let (head, _) = wire.answer().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{connection}: {head}");
    }
    assert_eq!(
        world.origin.received().len(),
        1,
        "its type would have stayed here, and what is it then"
    );
    drop(wire);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_body_whose_comment_is_a_form_is_a_write_however_its_coding_is_stated() {
    let world = a_reader().await;
    // a gzip member with a comment (RFC 1952 §2.3.1): read as a form, it names a query
    let mut gzip = vec![0x1f, 0x8b, 8, 0x10, 0, 0, 0, 0, 0, 255];
    gzip.extend(b"x&fb_api_req_friendly_name=CometModernHomeFeedQuery&y=\0");
    for codings in [
        &[&b"gzip"[..], b"gzip"][..],
        &[b"identity", b"gzip"],
        &[b"gzip\xff"],
        &[b""],
    ] {
        let mut request = graphql();
        for coding in codings {
            request = request.header("content-encoding", http::HeaderValue::from_bytes(coding).unwrap());
        }
        is_refused_as(&world, "unknown-write", request, gzip.clone()).await;
    }
    world.close().await;
}

const TIMELINE: &str = "https://x.com/i/api/graphql/AbC/HomeTimeline";

#[tokio::test(flavor = "multi_thread")]
async fn a_write_under_the_name_of_a_timeline_of_x_is_a_write() {
    let world = a_reader().await;
    let json = || Request::post(TIMELINE).header("content-type", JSON);
    for body in [
        r#"{"variables":{"tweet_text":"hi"}}"#,
        r#"{"variables":{"count":20},"operationName":"CreateTweet"}"#,
        r#"{"variables":{"requestContext":{"tweet_text":"hi"}}}"#,
        r#"[{"variables":{"count":20}}]"#,
    ] {
        is_refused_as(&world, "unknown-write", json(), body).await;
    }
    let in_query =
        Request::get("https://x.com/i/api/graphql/AbC/HomeTimeline?variables=%7B%22tweet_text%22%3A%22hi%22%7D");
    is_refused_as(&world, "unknown-write", in_query, "").await;
    let named = Request::get("https://x.com/i/api/graphql/CreateTweet/HomeTimeline");
    is_refused_as(&world, "post", named, "").await;

    let launch = r#"{"variables":{"count":20,"includePromotedContent":true,"latestControlAvailable":true,"requestContext":"launch","seenTweetIds":["1"]},"features":{"a_enabled":true},"fieldToggles":{"withArticlePlainText":false},"queryId":"AbC"}"#;
    let answer = world.client("dan").send_with(json(), launch).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(world.origin.received()[0].body, launch.as_bytes());
    let search = "https://x.com/i/api/graphql/AbC/SearchTimeline?variables=%7B%22rawQuery%22%3A%22rust%22%2C%22product%22%3A%22Top%22%7D";
    let answer = world.client("dan").send(Request::get(search)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let seen = world.closed("x.com", "/i/api/graphql/AbC/SearchTimeline").await;
    assert_eq!(seen.decided().activity.as_str(), "search");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_with_a_file_or_in_another_charset_is_a_write() {
    let world = a_reader().await;
    let part =
        |head: &str, content: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n");
    let named = part("name=\"fb_api_req_friendly_name\"", "CometModernHomeFeedQuery");
    let request = || Request::post(FACEBOOK).header("content-type", "multipart/form-data; boundary=b");
    for other in [
        part("name=\"f\"; filename=\"a.png\"\r\nContent-Type: image/png", "png"),
        part("name=\"f\"\r\nContent-Type: text/plain; charset=utf-7", "+AHs-"),
        part("name=\"_charset_\"", "utf-7"),
    ] {
        is_refused_as(&world, "unknown-write", request(), format!("{named}{other}--b--\r\n")).await;
    }
    let plain = format!("{named}{}--b--\r\n", part("name=\"doc_id\"", "1"));
    let answer = world.client("dan").send_with(request(), plain).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dripping_body_is_not_waited_for_and_is_a_write() {
    let world = reader_in(|plan| plan.settings.proxy.peek_timeout_s = 1).await;
    let first: &[u8] = b"fb_api_req_friendly_name=CometModernHomeFeedQuery";
    let drip = stream::iter([first]).chain(stream::pending());
    let answer = world.client("dan").send_pieces(graphql(), drip).await;
    assert_refused(&world, "unknown-write", &FACEBOOK.parse().unwrap(), &answer).await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_comes_slowly_but_in_time_is_read_whole() {
    let world = a_reader().await;
    let pieces: [&[u8]; 3] = [b"fb_api_req_friendly_name=", b"CometModernHome", b"FeedQuery"];
    let slowly = stream::iter(pieces).then(|piece| async move {
        tokio::time::sleep(Duration::from_millis(30)).await;
        piece
    });
    let answer = world.client("dan").send_pieces(graphql(), slowly).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    assert_eq!(world.origin.received()[0].body, pieces.concat());
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_method_override_makes_a_get_a_write() {
    let world = a_reader().await;
    for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
        let request = Request::get("https://www.linkedin.com/feed/").header(name, "DELETE");
        is_refused_as(&world, "unknown-write", request, "").await;
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_write_on_a_managed_site_publishes() {
    let world = a_reader().await;
    let request = Request::post("https://www.linkedin.com/some/new/endpoint").header("content-type", JSON);
    is_refused_as(&world, "unknown-write", request, "{}").await;
    let seen = world.closed("www.linkedin.com", "/some/new/endpoint").await;
    assert!(seen.decided().publishes);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_like_button_passes_without_a_purpose_and_a_like_does_not() {
    let world = World::open().await;
    let dan = world.client("dan");
    let button = "https://www.facebook.com/plugins/like.php?href=https%3A%2F%2Fblog.example%2F";
    let embedded = |request: http::request::Builder| {
        request
            .header("referer", "https://blog.example/")
            .header("sec-fetch-site", "cross-site")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "iframe")
    };
    let answer = dan.send(embedded(Request::get(button))).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let shown = world.closed("www.facebook.com", "/plugins/like.php").await;
    assert_eq!(shown.decided().activity.as_str(), "embed");
    assert_eq!(shown.decided().purpose, None);

    let like = embedded(Request::post(button)).header("content-type", FORM);
    let answer = dan.send_with(like, form(&[("action", "like")])).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{}", answer.text());
    let refused = world.closed("www.facebook.com", "/plugins/like.php").await;
    assert_eq!(refused.decided().activity.as_str(), "unknown-write");
    assert_eq!(world.origin.received().len(), 1, "only the button was fetched");

    // the same page in a window of its own is a visit
    let answer = dan.navigate(button).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    world.close().await;
}
