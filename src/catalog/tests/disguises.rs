//! Methods in disguise, spellings of paths, sockets and share windows: tries to make a request read milder than it is.

use super::cheats::facebook;
use super::*;

#[test]
fn a_method_that_hides_in_a_header_or_parameter_counts() {
    let feed = "https://graph.facebook.com/v20.0/123/feed";
    assert_eq!(request("GET", feed).activities(), "browse");
    assert_eq!(
        request("GET", &format!("{feed}?method=post")).activities(),
        "browse post"
    );
    assert_eq!(
        request("GET", feed)
            .header("x-http-method-override", "post")
            .activities(),
        "browse post"
    );
    assert_eq!(
        request("OPTIONS", feed).header("x-http-method", "POST").activities(),
        "browse post"
    );
    let disguised = request("POST", feed).header("x-http-method-override", "GET");
    assert_eq!(disguised.activities(), "post", "a hidden GET loosens nothing");
    assert_eq!(
        request("GET", feed).header("x-method-override", "PURGE").activities(),
        "browse unknown-write"
    );
    for name in [
        "x_http_method_override",
        "x-http_method-override",
        "x_method_override",
        "x_http_method",
    ] {
        let spelled = request("GET", feed).header(name, "POST");
        assert_eq!(spelled.activities(), "browse post", "{name}");
    }
}

#[test]
fn a_method_that_hides_in_a_body_that_is_looked_at_counts() {
    let query = "a=b";
    let quora = || request("POST", "https://www.quora.com/graphql/gql_para_POST?q=MultifeedQuery");
    let form = |body: &str| quora().form(body).activities();
    assert_eq!(form(query), "browse");
    for hidden in ["_method=delete", "_METHOD=PUT", "+_method=patch", "_method[]=delete"] {
        assert_eq!(form(&format!("{query}&{hidden}")), "browse unknown-write", "{hidden}");
    }
    assert_eq!(form(&format!("{query}&_method=get")), "browse");
    assert_eq!(form(&format!("{query}&method=something")), "browse");
    let part =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let parts = part("a", "b") + &part("_method", "DELETE") + "--b--\r\n";
    let in_parts = quora().body("multipart/form-data; boundary=b", &parts);
    assert_eq!(in_parts.activities(), "browse unknown-write");
    let json = |body: &str| request("POST", "https://medium.com/_/graphql").json(body).activities();
    assert_eq!(json(r#"{"operationName":"PostPageQuery"}"#), "browse");
    assert_eq!(
        json(r#"{"operationName":"PostPageQuery","_method":"DELETE"}"#),
        "browse unknown-write"
    );
}

#[test]
fn a_query_is_also_read_as_servers_that_mend_its_keys_read_it() {
    let feed = "https://graph.facebook.com/v20.0/123/feed";
    for hidden in [
        "+method=post",
        "%20method=post",
        "method%00x=post",
        "method[]=post",
        "METHOD=post",
        "method=post%00x",
    ] {
        let found = request("GET", &format!("{feed}?message=hi&{hidden}")).activities();
        assert_eq!(found, "browse post", "{hidden}");
    }
    for (url, activities) in [
        ("https://vk.com/al_wall.php?act=post", "post"),
        ("https://vk.com/al_wall.php?+act=post", "post unknown-write"),
        (
            "https://api.flickr.com/services/rest/?+method=flickr.photos.comments.addComment",
            "comment unknown-write",
        ),
        (
            "https://api.flickr.com/services/rest/?Method[=flickr.photos.comments.addComment",
            "comment unknown-write",
        ),
    ] {
        assert_eq!(request("GET", url).activities(), activities, "{url}");
    }
    let query = "fb_api_req_friendly_name=FooQuery";
    for twin in [
        "fb_api_req.friendly[name=BarMutation",
        "FB_api_req_friendly_name=BarMutation",
    ] {
        let found = facebook().form(&format!("{query}&{twin}")).activities();
        assert_eq!(found, "unknown-write", "{twin}");
    }
}

#[test]
fn parts_that_servers_may_read_otherwise_are_not_read() {
    let part = |name: &str, value: &str| format!("--B\r\nContent-Disposition: form-data; {name}\r\n\r\n{value}\r\n");
    let sent = |media: &str, variables: &str| {
        let name = part("name=\"fb_api_req_friendly_name\"", "CometModernHomeFeedQuery");
        let body = name + &part(variables, "no JSON") + "--B--\r\n";
        facebook().body(media, &body).activities()
    };
    let plain = "multipart/form-data; boundary=B";
    assert_eq!(sent(plain, "name=\"lsd\""), "browse");
    for variables in [
        "name=\"variables\"",
        "name='variables'",
        "name= \"variables\"",
        "name=variables\t",
        "name=variables foo",
    ] {
        assert!(sent(plain, variables).contains("unknown-write"), "{variables}");
    }
    for media in [
        "multipart/form-data; xboundary=A; boundary=B",
        "multipart/form-data; boundary*=A; boundary=B",
        "multipart/form-data; boundary =A; boundary=B",
        "multipart/form-data; x; boundary=B",
    ] {
        assert!(sent(media, "name=\"lsd\"").contains("unknown-write"), "{media}");
    }
}

#[test]
fn a_path_in_another_case_is_also_what_it_is_to_a_server_that_ignores_case() {
    for (method, url, activities) in [
        ("GET", "https://www.facebook.com/Dialog/share?href=x", "browse share"),
        ("GET", "https://www.facebook.com/LOGOUT.php", "browse logout"),
        (
            "POST",
            "https://www.youtube.com/youtubei/v1/Comment/create_comment",
            "comment unknown-write",
        ),
    ] {
        assert_eq!(request(method, url).activities(), activities, "{url}");
    }
    let exact = request("GET", "https://www.facebook.com/dialog/share?href=x");
    assert_eq!(exact.activities(), "share", "where the case is right nothing is added");
}

#[test]
fn writes_that_a_server_takes_as_get_are_writes() {
    for (url, activity) in [
        ("https://api.vk.com/method/wall.post?message=x", "post"),
        ("https://api.vk.com/method/new.thing", "unknown-write"),
        ("https://slack.com/api/chat.postMessage?text=x", "message"),
        (
            "https://api.flickr.com/services/rest/?method=flickr.photos.comments.addComment",
            "comment",
        ),
        (
            "https://www.facebook.com/api/graphql/?fb_api_req_friendly_name=ComposerStoryCreateMutation",
            "post",
        ),
        ("https://www.linkedin.com/campaignmanager/accounts", "advertise"),
        ("https://www.linkedin.com/CampaignManager/accounts", "advertise browse"),
    ] {
        assert_eq!(request("GET", url).activities(), activity, "{url}");
    }
}

#[test]
fn unknown_writes_on_a_managed_site_are_unknown_writes() {
    for method in [
        "POST", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE", "CONNECT", "post", "",
    ] {
        let reading = request(method, "https://www.linkedin.com/voyager/api/something/new").read();
        assert_eq!(reading.activity, Activity::unknown_write(), "{method}");
        assert!(reading.signatures.is_empty());
    }
    for (method, url, activity) in [
        ("GET", "https://www.linkedin.com/something/new", "browse"),
        ("HEAD", "https://www.linkedin.com/something/new", "browse"),
        ("OPTIONS", "https://www.linkedin.com/voyager/api/graphql", "browse"),
        ("GET", "https://scontent.xx.fbcdn.net/v/1.jpg", "view-media"),
        ("POST", "https://scontent.xx.fbcdn.net/v/1.jpg", "unknown-write"),
        ("POST", "https://spade.twitch.tv/track", "telemetry"),
        ("GET", "https://example.com/", "browse"),
        ("POST", "https://example.com/", "unknown-write"),
    ] {
        assert_eq!(request(method, url).activities(), activity, "{method} {url}");
    }
}

#[test]
fn no_spelling_of_a_path_makes_a_write_milder() {
    let write = |path: &str| request("POST", &format!("https://www.youtube.com{path}")).activities();
    let comment = "/youtubei/v1/comment/create_comment";
    assert_eq!(write(comment), "comment");
    assert_eq!(write(&format!("{comment}/")), "comment");
    assert_eq!(write("/youtubei/v1/comment/%63reate_comment"), "comment");
    for odd in [
        "/youtubei/v1/browse/../comment/create_comment",
        "/youtubei/v1/browse/%2e%2e/comment/create_comment",
        "/youtubei/v1/browse/%2E%2E%2fcomment/create_comment",
        "//youtubei/v1/comment/create_comment",
        "/youtubei/./v1/comment/create_comment",
        "/youtubei/v1/comment/create_comment;x=1",
        "/youtubei/v1;/comment/create_comment",
        "/youtubei%2Fv1/comment/create_comment",
        "/youtubei\\v1\\comment\\create_comment",
        "/youtubei/v1/comment/%2563reate_comment",
        "/youtubei/v1/comment/create_comment%00",
        "/youtubei/v1/comment/create_comment%23",
    ] {
        assert_eq!(write(odd), "comment unknown-write", "{odd}");
    }
    for odd in [
        "/youtubei/v1/browse;x",
        "//youtubei/v1/browse",
        "/youtubei/v1/browse/../browse",
        "/youtubei/v1/comment/create_comment/../../browse",
        "/youtubei/v1/browse%2f",
        "/YOUTUBEI/V1/BROWSE",
    ] {
        let reading = request("POST", &format!("https://www.youtube.com{odd}")).read();
        assert_eq!(reading.activity, Activity::unknown_write(), "{odd}");
    }
}

#[test]
fn no_spelling_of_a_path_makes_a_visit_an_embed_or_hides_what_is_read() {
    let get = |path: &str| request("GET", &format!("https://www.facebook.com{path}")).activities();
    for odd in [
        "/plugins/../somepage",
        "/plugins/%2e%2e/somepage",
        "//plugins/like.php",
        "/plugins;x/like.php",
        "/plugins%2flike.php",
    ] {
        assert_eq!(get(odd), "browse", "{odd}");
    }
    let messages = |path: &str| request("GET", &format!("https://x.com{path}")).activities();
    assert_eq!(messages("/messages/1"), "message-read");
    assert_eq!(messages("//messages/1"), "browse message-read");
    assert_eq!(messages("/Messages/1"), "browse message-read");
}

#[test]
fn a_socket_is_the_strictest_that_it_can_carry() {
    let socket = |url: &str| request("GET", url).with(|hints| hints.websocket = true).activities();
    assert_eq!(socket("https://web.whatsapp.com/ws/chat"), "message");
    assert_eq!(socket("https://gateway.discord.gg/?v=9"), "message-read");
    assert_eq!(socket("https://www.linkedin.com/feed/"), "unknown-write");
    assert_eq!(socket("https://www.facebook.com/tr?id=1"), "unknown-write");
    assert_eq!(socket("https://unknown.example/"), "unknown-write");
    assert_eq!(socket("https://web.whatsapp.com//ws/chat"), "message unknown-write");
    let posted = request("POST", "https://web.whatsapp.com/ws/chat").with(|hints| hints.websocket = true);
    assert_eq!(posted.activities(), "message unknown-write");
}

#[test]
fn a_share_window_is_a_deliberate_act() {
    for (url, activity) in [
        ("https://www.facebook.com/dialog/share?href=x", "share"),
        ("https://www.facebook.com/v20.0/dialog/oauth?client_id=1", "oauth"),
        ("https://www.linkedin.com/sharing/share-offsite/?url=x", "share"),
        ("https://x.com/intent/post?text=x", "post"),
    ] {
        let framed = request("GET", url).with(|hints| hints.fetch_dest = Some("iframe".to_owned()));
        assert_eq!(framed.activities(), activity, "{url}");
    }
}

#[test]
fn what_takes_more_than_a_timeline_does_is_no_timeline() {
    let timeline = |variables: &str| {
        let body = format!(r#"{{"variables":{variables},"features":{{}},"queryId":"AbC"}}"#);
        request("POST", "https://x.com/i/api/graphql/AbC/HomeTimeline").json(&body)
    };
    for writes in [
        r#"{"bookmark_collection_id":"1"}"#,
        r#"{"count":20,"tweet_id":"1"}"#,
        r#"{"count":20,"Count":20}"#,
        r#"{"":0}"#,
        r#"["count"]"#,
        r#""{\"userId\":1}""#,
    ] {
        assert_eq!(timeline(writes).activities(), "unknown-write", "{writes}");
    }
    for reads in [
        r#"{"count":20,"cursor":"x","includePromotedContent":true,"latestControlAvailable":true,"requestContext":"launch","withCommunity":true,"seenTweetIds":["1"]}"#,
        r#""{\"count\":20}""#,
        "null",
    ] {
        assert_eq!(timeline(reads).activities(), "browse", "{reads}");
    }
    let in_query = request(
        "POST",
        "https://x.com/i/api/graphql/AbC/HomeTimeline?variables={\"user\":1}",
    )
    .json("{}");
    assert_eq!(in_query.activities(), "unknown-write");
}

#[test]
fn a_get_that_names_a_write_is_that_write() {
    for (url, activity) in [
        ("https://x.com/i/api/graphql/AbC/CreateTweet?variables={}", "post"),
        ("https://x.com/i/api/graphql/AbC/FavoriteTweet", "react"),
        ("https://x.com/i/api/1.1/dm/new2.json", "message"),
        ("https://x.com/i/api/1.1/friendships/create.json?user_id=1", "follow"),
        ("https://api.x.com/1.1/statuses/update.json?status=hello", "post"),
        ("https://www.youtube.com/youtubei/v1/comment/create_comment", "comment"),
        ("https://www.youtube.com/youtubei/v1/like/like", "react"),
        ("https://www.youtube.com/youtubei/v1/upload/createvideo", "post"),
        ("https://www.reddit.com/api/submit?title=x", "post"),
        ("https://www.reddit.com/api/comment", "comment"),
        ("https://oauth.reddit.com/api/vote?dir=1&id=x", "react"),
        ("https://www.reddit.com/svc/shreddit/t3_1/create-comment", "comment"),
    ] {
        assert_eq!(request("GET", url).activities(), activity, "{url}");
        assert_eq!(request("HEAD", url).activities(), activity, "{url}");
    }
    for url in [
        "https://x.com/i/api/graphql/AbC/TweetDetail?variables={\"focalTweetId\":\"1\"}",
        "https://www.reddit.com/api/me.json",
        "https://api.x.com/2/tweets?ids=1",
    ] {
        assert_eq!(request("GET", url).activities(), "browse", "{url}");
    }
}

#[test]
fn a_name_of_a_write_counts_on_every_host_of_its_platform() {
    for (url, activity) in [
        ("https://api.x.com/graphql/AbC/CreateTweet", "post"),
        ("https://pro.x.com/i/api/graphql/AbC/CreateTweet", "post"),
        ("https://tweetdeck.com/graphql/AbC/DeleteTweet", "delete"),
        ("https://pro.x.com/i/api/graphql/AbC/SendMessageMutation", "message"),
        ("https://api.x.com/1.1/dm/new2.json", "message"),
        ("https://api.twitter.com/1.1/friendships/create.json", "follow"),
        ("https://x.com/i/api/1.1/statuses/update.json", "post"),
        ("https://reddit.com/api/submit", "post"),
        ("https://gql.reddit.com/api/comment", "comment"),
        (
            "https://youtube.googleapis.com/youtubei/v1/comment/create_comment",
            "comment",
        ),
        ("https://slack-gov.com/api/chat.postMessage", "message"),
        ("https://vk.com/method/wall.post", "post"),
    ] {
        for method in ["GET", "POST"] {
            assert_eq!(request(method, url).activities(), activity, "{method} {url}");
        }
    }
}

#[test]
fn a_socket_that_is_known_to_receive_only_is_realtime_and_any_other_may_write() {
    for (url, activity) in [
        ("https://mastodon.example/api/v1/streaming?stream=user", "realtime"),
        (
            "https://go-eu.trouter.teams.microsoft.com/v4/c/x/socket.io/1/websocket/y",
            "realtime",
        ),
        ("https://gateway.discord.gg/?v=10", "message-read"),
        ("https://gateway.facebook.com/ws/lightspeed", "message"),
        ("https://gateway.facebook.com/ws/realtime", "unknown-write"),
        ("https://gql-realtime.reddit.com/query", "unknown-write"),
        ("https://www.linkedin.com/realtime/connect", "unknown-write"),
        ("https://mastodon.example/api/v1/statuses", "unknown-write"),
    ] {
        let socket = request("GET", url).with(|hints| hints.websocket = true);
        assert_eq!(socket.activities(), activity, "{url}");
    }
}
