//! Tries to make a request read milder than it is. Each test is one cheat.

use super::*;
use crate::facts::Referer;

pub(super) const GRAPHQL: &str = "https://www.facebook.com/api/graphql/";

pub(super) fn facebook() -> Request {
    request("POST", GRAPHQL)
}

pub(super) fn referer(host: &str, path: &str) -> Referer {
    Referer {
        host: Host::parse(host).unwrap(),
        path: path.to_owned(),
    }
}

#[test]
fn a_forged_referer_or_origin_does_not_make_a_visit_an_embed() {
    for url in [
        "https://www.youtube.com/watch?v=1",
        "https://www.linkedin.com/feed/",
        "https://www.facebook.com/somepage",
    ] {
        let honest = request("GET", url).read();
        for from in ["https://blog.example/", "https://www.youtube.com/embed/1"] {
            let (host, path) = from.split_once("://").unwrap().1.split_once('/').unwrap();
            let forged = request("GET", url).with(|hints| {
                hints.referer = Some(referer(host, &format!("/{path}")));
                hints.origin = Some(Host::parse(host).unwrap());
                hints.fetch_site = Some("cross-site".to_owned());
                hints.fetch_dest = Some("iframe".to_owned());
                hints.fetch_mode = Some("no-cors".to_owned());
            });
            assert_eq!(forged.read(), honest, "{url} {from}");
        }
    }
}

#[test]
fn a_write_from_inside_an_embed_stays_a_write() {
    let click = request("POST", "https://www.facebook.com/plugins/like.php?href=x").with(|hints| {
        hints.referer = Some(referer("www.facebook.com", "/plugins/like.php"));
        hints.fetch_site = Some("same-origin".to_owned());
    });
    assert_eq!(click.activities(), "unknown-write");
}

#[test]
fn an_embed_is_a_get_or_head_to_a_listed_path_and_nothing_else() {
    let plugin = |method: &str| {
        let framed = |hints: &mut Hints| hints.fetch_dest = Some("iframe".to_owned());
        request(method, "https://www.facebook.com/plugins/like.php?href=x").with(framed)
    };
    for (method, activities) in [
        ("GET", "embed"),
        ("HEAD", "embed"),
        ("POST", "unknown-write"),
        ("get", "unknown-write"),
        ("BREW", "unknown-write"),
    ] {
        assert_eq!(plugin(method).activities(), activities, "{method}");
    }
    assert_eq!(
        plugin("GET").with(|hints| hints.has_body = true).activities(),
        "browse unknown-write"
    );
    assert_eq!(
        plugin("GET").header("x-http-method-override", "POST").activities(),
        "browse unknown-write"
    );
}

#[test]
fn what_shows_content_is_an_embed_only_where_the_metadata_says_so() {
    let get = |url: &str, dest: Option<&str>| {
        let set = |hints: &mut Hints| hints.fetch_dest = dest.map(str::to_owned);
        request("GET", url).with(set).activities()
    };
    for url in [
        "https://www.facebook.com/plugins/page.php?href=x&tabs=timeline",
        "https://graph.facebook.com/v20.0/oembed_post?url=x",
        "https://embed.twitch.tv/?channel=x",
        "https://embedr.flickr.com/photos/1",
        "https://strava-embeds.com/activity/1",
    ] {
        assert_ne!(get(url, None), "embed", "{url}");
        assert_eq!(get(url, Some("iframe")), "embed", "{url}");
    }
    for url in [
        "https://www.facebook.com/tr?id=1",
        "https://connect.facebook.net/en_US/sdk.js",
        "https://embed.twitch.tv/embed/v1.js",
        "https://www.tiktok.com/embed.js",
    ] {
        assert_eq!(get(url, None), "embed", "{url}");
        assert_ne!(get(url, Some("document")), "embed", "{url}");
    }
}

#[test]
fn of_several_embeds_that_fit_the_strictest_counts() {
    let rows = [
        r#"{ id = "a", host = "one.example", path = "/part/**", kind = "pixel" }"#,
        r#"{ id = "b", host = "one.example", path = "/part/page", kind = "frame" }"#,
    ];
    for (first, second) in [(0, 1), (1, 0)] {
        let text = format!(
            "id = \"one\"\nname = \"One\"\ncategory = \"social\"\ndomains = [{{ host = \"one.example\" }}]\nembeds = [{}, {}]\n",
            rows[first], rows[second]
        );
        let lists = [file("catalog/categories.toml"), file("catalog/activities.toml")];
        let one = SourceText::new("catalog/one.toml", text);
        let catalog = Catalog::parse(&[&lists[..], &[one]].concat()).whole().unwrap();
        let read = |path: &str| {
            let asked = request("GET", &format!("https://one.example{path}"));
            catalog.read(&catalog.place(&asked.host), &asked.head).activity
        };
        assert_eq!(read("/part/other").as_str(), "embed");
        assert_eq!(read("/part/page").as_str(), "browse");
    }
}

#[test]
fn metadata_that_nobody_can_read_is_not_milder_than_metadata_that_names_a_visit() {
    let pixel = |set: fn(&mut Hints)| {
        request("GET", "https://www.facebook.com/tr?id=1")
            .with(set)
            .activities()
    };
    assert_eq!(pixel(|_| {}), "embed");
    assert_eq!(pixel(|hints| hints.fetch_mode = Some("no-cors".to_owned())), "embed");
    assert_eq!(
        pixel(|hints| hints.fetch_mode = Some("navigate, cors".to_owned())),
        "browse"
    );
    assert_eq!(
        pixel(|hints| hints.fetch_dest = Some("image, document".to_owned())),
        "browse"
    );
    assert_eq!(pixel(|hints| hints.page_unclear = true), "browse");
    let odd_page = |hints: &mut Hints| hints.referer = Some(referer("www.facebook.com", "/plugins/../feed"));
    assert_eq!(pixel(odd_page), "browse", "the page itself may be a visit");
}

#[test]
fn a_name_that_was_not_decoded_whole_names_nothing() {
    let name = |name: &str| {
        let body = format!("fb_api_req_friendly_name={name}");
        facebook().form(&body).activities()
    };
    assert_eq!(name("FooQuery"), "browse");
    assert_eq!(name("%ffFooQuery"), "unknown-write");
    assert_eq!(name("Foo%ffQuery"), "unknown-write");
}

#[test]
fn an_embedded_page_that_is_opened_or_that_tells_nothing_is_a_visit() {
    let player = |dest: Option<&str>| {
        let set = |hints: &mut Hints| hints.fetch_dest = dest.map(str::to_owned);
        request("GET", "https://www.youtube.com/embed/1").with(set).activities()
    };
    assert_eq!(player(Some("iframe")), "embed");
    assert_eq!(player(Some("document")), "browse");
    assert_eq!(player(Some("nonsense")), "browse");
    assert_eq!(player(None), "browse");
    let opened = request("GET", "https://www.facebook.com/plugins/page.php").with(|hints| {
        hints.fetch_mode = Some("navigate".to_owned());
        hints.fetch_dest = Some("document".to_owned());
    });
    assert_eq!(opened.activities(), "browse");
    let own = request("GET", "https://www.facebook.com/tr?id=1")
        .with(|hints| hints.referer = Some(referer("www.instagram.com", "/me")));
    assert_eq!(own.activities(), "browse", "the platform's own page called it");
}

#[test]
fn two_operation_names_are_both_believed_where_they_are_stricter() {
    let both = facebook()
        .header("x-fb-friendly-name", "CometModernHomeFeedQuery")
        .form("fb_api_req_friendly_name=ComposerStoryCreateMutation");
    assert_eq!(both.activities(), "browse post");
    let query = request(
        "POST",
        &format!("{GRAPHQL}?fb_api_req_friendly_name=ComposerStoryCreateMutation"),
    )
    .form("fb_api_req_friendly_name=CometModernHomeFeedQuery");
    assert_eq!(query.activities(), "browse post");
    let repeated = facebook().form("fb_api_req_friendly_name=FooQuery&fb_api_req_friendly_name=FooMutation");
    assert_eq!(repeated.activities(), "browse unknown-write");
}

#[test]
fn a_read_name_counts_only_where_the_server_takes_the_request_from() {
    let name = "CometModernHomeFeedQuery";
    assert_eq!(
        facebook().header("x-fb-friendly-name", name).activities(),
        "unknown-write"
    );
    let in_query = request("POST", &format!("{GRAPHQL}?fb_api_req_friendly_name={name}&doc_id=1"));
    assert_eq!(in_query.activities(), "unknown-write");
    assert_eq!(in_query.form("doc_id=1").activities(), "unknown-write");
    let as_json = facebook().json(&format!(r#"{{"fb_api_req_friendly_name":"{name}"}}"#));
    assert_eq!(as_json.activities(), "unknown-write");
    let honest = facebook()
        .header("x-fb-friendly-name", name)
        .form(&format!("fb_api_req_friendly_name={name}"));
    assert_eq!(honest.activities(), "browse");
}

#[test]
fn a_mutation_under_the_name_of_a_query_is_not_a_read() {
    for variables in [
        r#"{"input":{"message":"x"}}"#,
        r#"{"in\u0070ut":{}}"#,
        r#"{"a":1,"a":2}"#,
        "not json",
        r#"[{"input":{}}]"#,
    ] {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("fb_api_req_friendly_name", "FooQuery")
            .append_pair("variables", variables)
            .finish();
        assert_eq!(facebook().form(&body).activities(), "unknown-write", "{variables}");
    }
    let php = facebook().form("fb_api_req_friendly_name=FooQuery&variables[input][a]=1");
    assert_eq!(php.activities(), "unknown-write");
    let in_query =
        request("POST", &format!("{GRAPHQL}?variables={{\"input\":1}}")).form("fb_api_req_friendly_name=FooQuery");
    assert_eq!(in_query.activities(), "unknown-write");
    let honest = facebook().form("fb_api_req_friendly_name=FooQuery&variables=%7B%22count%22%3A3%7D");
    assert_eq!(honest.activities(), "browse");
    let tweet = request("POST", "https://x.com/i/api/graphql/AbC/HomeTimeline")
        .json(r#"{"variables":{"tweet_text":"hello"},"queryId":"x"}"#);
    assert_eq!(tweet.activities(), "unknown-write");
    let timeline = request("POST", "https://x.com/i/api/graphql/AbC/HomeTimeline")
        .json(r#"{"variables":{"count":20},"queryId":"AbC"}"#);
    assert_eq!(timeline.activities(), "browse");
}

#[test]
fn an_endpoint_that_only_reads_or_logs_needs_no_look_at_the_body() {
    for (url, activity) in [
        ("https://www.facebook.com/tr/", "telemetry"),
        ("https://www.facebook.com/ajax/bz", "telemetry"),
        ("https://x.com/i/api/1.1/jot/client_event.json", "telemetry"),
        ("https://www.youtube.com/youtubei/v1/browse", "browse"),
    ] {
        let beacon = request("POST", url).body("application/octet-stream", "\u{0}");
        assert_eq!(beacon.activities(), activity, "{url}");
    }
}

#[test]
fn a_batch_is_everything_that_it_holds() {
    let batch = |first: &str, second: &str| {
        let body = format!(r#"[{{"operationName":"{first}"}},{{"operationName":"{second}"}}]"#);
        request("POST", "https://medium.com/_/graphql").json(&body).activities()
    };
    assert_eq!(batch("PostPageQuery", "HomeFeed"), "browse");
    assert_eq!(batch("PostPageQuery", "ClapMutation"), "browse unknown-write");
    assert_eq!(batch("PostPageQuery", "Whatever"), "browse unknown-write");
    for root in [
        "https://graph.facebook.com/?batch=[]",
        "https://graph.facebook.com/v20.0/",
    ] {
        assert_eq!(request("POST", root).form("batch=[]").activities(), "unknown-write");
    }
    assert_eq!(
        request("GET", "https://graph.facebook.com/?batch=[]").activities(),
        "unknown-write"
    );
}

#[test]
fn a_method_of_json_rpc_in_the_body_is_read_like_an_operation() {
    let text = r#"
        id = "one"
        name = "One"
        category = "social"
        domains = [{ host = "one.example" }]
        [[signature]]
        id = "one.rpc.post"
        activity = "post"
        methods = ["POST"]
        hosts = ["one.example"]
        path = "/rpc"
        operation = { where = ["json"], key = "method", value = "wall.post", match = "exact" }
        [[signature]]
        id = "one.rpc.read"
        activity = "browse"
        methods = ["POST"]
        hosts = ["one.example"]
        path = "/rpc"
        operation = { where = ["json"], key = "method", value = "wall.get", match = "prefix" }
        reads = "label"
    "#;
    let lists = [file("catalog/categories.toml"), file("catalog/activities.toml")];
    let one = SourceText::new("catalog/one.toml", text);
    let catalog = Catalog::parse(&[&lists[..], &[one]].concat()).whole().unwrap();
    for (body, activities) in [
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"wall.post","params":{"text":"x"}}"#,
            "post",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"wall.getById","params":[1]}"#,
            "browse",
        ),
        (r#"{"jsonrpc":"2.0","id":1,"method":"wall.new"}"#, "unknown-write"),
        // a batch is all of its calls (JSON-RPC 2.0 §6)
        (
            r#"[{"jsonrpc":"2.0","id":1,"method":"wall.get"},{"jsonrpc":"2.0","id":2,"method":"wall.post"}]"#,
            "browse post",
        ),
        (
            r#"{"jsonrpc":"2.0","id":1,"method":"wall.get","method":"wall.post"}"#,
            "unknown-write",
        ),
        // the call of somebody else, in what is handed over, names nothing
        (
            r#"{"jsonrpc":"2.0","id":1,"params":{"method":"wall.get"}}"#,
            "unknown-write",
        ),
    ] {
        let asked = request("POST", "https://one.example/rpc").json(body);
        let (place, mut head) = (catalog.place(&asked.host), asked.head);
        assert!(catalog.wants_body(&place, &head));
        head.peek = catalog.peek(&place, &head, body.as_bytes(), true);
        let found: Vec<String> = catalog
            .read(&place, &head)
            .activities
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(found.join(" "), activities, "{body}");
    }
}

#[test]
fn a_json_key_that_is_named_twice_is_an_unknown_write() {
    for body in [
        r#"{"operationName":"PostPageQuery","operationName":"ClapMutation"}"#,
        r#"{"operationName":"PostPageQuery","OperationName":"ClapMutation"}"#,
        r#"{"operationName":"PostPageQuery","x":{"a":1,"a":2}}"#,
    ] {
        assert_eq!(
            request("POST", "https://medium.com/_/graphql").json(body).activities(),
            "unknown-write",
            "{body}"
        );
    }
}

#[test]
fn padding_past_the_peek_is_an_unknown_write() {
    let padding = "a".repeat(PEEK_LIMIT);
    let mut padded = facebook().form(&format!("lsd={padding}&fb_api_req_friendly_name=FooQuery"));
    assert_eq!(padded.activities(), "unknown-write");
    padded.head.hints.content_length = None;
    assert_eq!(padded.activities(), "unknown-write");
    let mut unfinished = facebook().form("fb_api_req_friendly_name=FooQuery");
    unfinished.body = Some(("fb_api_req_friendly_name=FooQuery".to_owned(), false));
    assert_eq!(unfinished.activities(), "unknown-write");
}

#[test]
fn a_compressed_body_is_an_unknown_write() {
    let form = || facebook().form("fb_api_req_friendly_name=FooQuery");
    let encode = |hints: &mut Hints| hints.content_encoding = Some("gzip".to_owned());
    assert_eq!(form().with(encode).activities(), "unknown-write");
    // Even for a proxy that would claim to have looked.
    let place = catalog().place(&form().host);
    let mut head = form().with(encode).head;
    head.peek = Peek::Operations(vec![vec![("fb_api_req_friendly_name".into(), "FooQuery".into())]]);
    assert_eq!(catalog().read(&place, &head).activity, Activity::unknown_write());
}

#[test]
fn a_body_that_nobody_looked_at_or_that_is_of_another_type_is_an_unknown_write() {
    let mut unseen = facebook().form("fb_api_req_friendly_name=FooQuery");
    unseen.body = None;
    assert_eq!(unseen.activities(), "unknown-write");
    for content_type in [
        "text/html",
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded, application/json",
        "multipart/form-data",
    ] {
        let odd = facebook().body(content_type, "fb_api_req_friendly_name=FooQuery");
        assert_eq!(odd.activities(), "unknown-write", "{content_type}");
    }
}

#[test]
fn a_form_in_parts_is_read_like_a_form() {
    let part =
        |name: &str, value: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let key = "fb_api_req_friendly_name";
    let send = |parts: String| {
        facebook()
            .body("multipart/form-data; boundary=b", &format!("{parts}--b--\r\n"))
            .activities()
    };
    assert_eq!(send(part(key, "FooQuery")), "browse");
    assert_eq!(send(part(key, "ComposerStoryCreateMutation")), "post");
    assert_eq!(
        send(part(key, "FooQuery") + &part("variables", "{\"input\":1}")),
        "unknown-write"
    );
    assert_eq!(
        send(part(key, "FooQuery") + &part(key, "ComposerStoryCreateMutation")),
        "browse post"
    );
}

#[test]
fn a_look_at_the_body_is_taken_only_where_it_matters() {
    let wants = |request: Request| catalog().wants_body(&catalog().place(&request.host), &request.head);
    assert!(wants(facebook().form("a=b")));
    assert!(wants(
        request("POST", "https://gql.twitch.tv/gql").body("text/plain;charset=UTF-8", "{}")
    ));
    assert!(!wants(facebook()));
    assert!(!wants(
        facebook()
            .form("a=b")
            .with(|hints| hints.content_encoding = Some("br".to_owned()))
    ));
    assert!(!wants(
        facebook().form("a=b").with(|hints| hints.content_length = Some(65_537))
    ));
    assert!(!wants(facebook().body("image/png", "x")));
    assert!(!wants(request("GET", GRAPHQL).form("a=b")));
    assert!(!wants(request("POST", "https://www.reddit.com/api/submit").form("a=b")));
    assert!(!wants(request("POST", "https://example.com/").json("{}")));
}

#[test]
fn what_nobody_looks_at_is_not_kept() {
    let url = format!("{GRAPHQL}?secret=1&fb_api_req_friendly_name=A&variables={{\"input\":\"my post\"}}");
    let seen = request("POST", &url).header("x-fb-friendly-name", "B").with(|hints| {
        hints.referer = Some(referer("clinic.example", "/my/illness"));
        hints.labels.push(("cookie".to_owned(), "secret".to_owned()));
    });
    let mut head = seen.head.clone();
    head.peek = Peek::Operations(vec![vec![
        ("fb_api_req_friendly_name".into(), "C".into()),
        ("q".into(), "secret".into()),
    ]]);
    let kept = catalog().redact(&catalog().place(&seen.host), &head);
    let text = serde_json::to_string(&kept).unwrap();
    assert!(
        !text.contains("secret") && !text.contains("my post") && !text.contains("clinic"),
        "{text}"
    );
    assert!(
        text.contains("fb_api_req_friendly_name") && text.contains("input"),
        "{text}"
    );
}

#[test]
fn words_of_the_clients_own_are_not_kept() {
    let long = "S3CRET".repeat(1000);
    let url = format!("{GRAPHQL}?fb_api_req_friendly_name={long}&_method=%20%20put&fb_api_req_friendly_name=FooQuery");
    for content_type in [
        "application/x-www-form-urlencoded; charset=S3CRET".to_owned(),
        "application/json; x=S3CRET".to_owned(),
        "multipart/form-data; boundary=S3CRET".to_owned(),
        format!("application/{long}+json"),
        "S3CRET S3CRET".to_owned(),
    ] {
        let seen = request("POST", &url)
            .header("x-fb-friendly-name", "S3CRETMutatio")
            .header("x-http-method-override", "S3CRET")
            .body(&content_type, "fb_api_req_friendly_name=S3CRET&_method=delete")
            .with(|hints| {
                hints.fetch_dest = Some(long.clone());
                hints.fetch_mode = Some(long.clone());
                hints.fetch_site = Some("S3CRET!".to_owned());
                hints.content_encoding = Some(long.clone());
            });
        let mut head = seen.head.clone();
        head.peek = Peek::Operations(vec![vec![("fb_api_req_friendly_name".into(), "S3CRET!".into())]]);
        let kept = catalog().redact(&catalog().place(&seen.host), &head);
        let text = serde_json::to_string(&kept).unwrap();
        assert!(!text.contains("S3CRET"), "{text}");
        assert!(
            text.len() < 1000 && text.contains("FooQuery") && text.contains("put"),
            "{text}"
        );
        seen.read();
    }
}

#[test]
fn credentials_in_paths_are_hidden_and_the_request_is_read_the_same() {
    for (url, kept, activity) in [
        (
            "https://api.telegram.org/bot1:S3CRET/sendMessage",
            "/bot***/sendMessage",
            "message",
        ),
        (
            "https://api.telegram.org/bot1:S3CRET/getMe",
            "/bot***/getMe",
            "unknown-write",
        ),
        (
            "https://api.telegram.org/file/bot1:S3CRET/a/b.jpg",
            "/file/bot***/a/b.jpg",
            "unknown-write",
        ),
        (
            "https://discord.com/api/webhooks/1/S3CRET",
            "/api/webhooks/***/***",
            "message",
        ),
        (
            "https://discord.com/api/v10/webhooks/1/S3CRET?wait=true",
            "/api/v***/webhooks/***/***",
            "message",
        ),
        (
            "https://discord.com/api/v9/interactions/1/S3CRET/callback",
            "/api/v***/interactions/***/***/callback",
            "unknown-write",
        ),
        (
            "https://hooks.slack.com/services/T1/B1/S3CRET",
            "/services/***/***/***",
            "message",
        ),
        (
            "https://a.webhook.office.com/webhookb2/1@2/IncomingWebhook/S3CRET/3",
            "/webhookb2/***/***/***/***",
            "message",
        ),
        (
            "https://open.feishu.cn/open-apis/bot/v2/hook/S3CRET",
            "/open-apis/bot/v2/hook/***",
            "unknown-write",
        ),
        (
            "https://corp.cloud.mattermost.com/hooks/S3CRET",
            "/hooks/***",
            "unknown-write",
        ),
        (
            "https://api.telegram.org//bot1:S3CRET/sendMessage",
            "//bot***/sendMessage",
            "message unknown-write",
        ),
    ] {
        let seen = request("POST", url);
        assert_eq!(seen.activities(), activity, "{url}");
        let place = catalog().place(&seen.host);
        assert_eq!(catalog().redact(&place, &seen.head).path, kept, "{url}");
        assert!(
            !catalog().path_for_rules(&place, &seen.head.path).contains("S3CRET"),
            "{url}"
        );
    }
    // another host's paths are its own
    let seen = request("GET", "https://x.com/bot1/status");
    assert_eq!(
        catalog().redact(&catalog().place(&seen.host), &seen.head).path,
        "/bot1/status"
    );
}

#[test]
fn a_body_is_not_made_a_read_by_calling_it_something_else() {
    let timeline = || request("POST", "https://x.com/i/api/graphql/AbC/HomeTimeline");
    let write = r#"{"variables":{"tweet_text":"hello"},"queryId":"AbC"}"#;
    assert_eq!(timeline().json(r#"{"variables":{"count":20}}"#).activities(), "browse");
    let mut readings = vec![
        timeline().json(write),
        timeline().form(write),
        timeline().form(&format!("\n{write}")),
    ];
    let parts = |name: &str, text: &str| {
        let part = format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n--b--\r\n");
        timeline().body("multipart/form-data; boundary=b", &part)
    };
    readings.push(parts("operations", write));
    for reading in readings {
        assert!(
            reading.activities().contains("unknown-write"),
            "{}",
            reading.activities()
        );
    }
    assert_eq!(parts("variables", r#"{"count":20}"#).activities(), "browse");
}

#[test]
fn a_site_that_writes_by_get_is_known_to() {
    let on = |path: &str| request("GET", &format!("https://news.ycombinator.com{path}")).activities();
    assert_eq!(on("/item?id=1"), "browse");
    assert_eq!(on("/vote?id=1&how=up"), "react");
    assert_eq!(on("/logout?auth=x"), "logout");
}

#[test]
fn a_path_that_only_ends_like_telemetry_is_a_write() {
    let post = |path: &str| request("POST", &format!("https://x.com{path}")).activities();
    assert_eq!(post("/i/api/1.1/jot/client_event.json"), "telemetry");
    assert_eq!(post("/1.1/statuses/update.json/1.1/jot/x"), "unknown-write");
}
