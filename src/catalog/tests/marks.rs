//! Tries to have an operation that writes pass under the name of one that reads: each row is one cheat.

use super::cheats::{GRAPHQL, facebook};
use super::*;

/// What the web client sends with its timeline.
const LAUNCH: &str = r#"{"count":20,"includePromotedContent":true,"latestControlAvailable":true,"requestContext":"launch","seenTweetIds":["1860000000000000001","1860000000000000002"]}"#;
const FEATURES: &str = r#"{"rweb_tipjar_consumption_enabled":true,"verified_phone_label_enabled":false}"#;
const TOGGLES: &str = r#"{"withArticleRichContentState":true,"withArticlePlainText":false}"#;

/// Operations that read, as the web client sends them: name, variables, activity.
const READS: &[(&str, &str, &str)] = &[
    ("HomeTimeline", LAUNCH, "browse"),
    (
        "HomeTimeline",
        r#"{"count":40,"cursor":"DAABCgABG","includePromotedContent":true,"withCommunity":true}"#,
        "browse",
    ),
    (
        "HomeLatestTimeline",
        r#"{"count":20,"enableRanking":false,"requestContext":"ptr"}"#,
        "browse",
    ),
    (
        "TweetDetail",
        r#"{"focalTweetId":"1860000000000000001","referrer":"home","controller_data":"DAACDAABDAAB","with_rux_injections":false,"rankingMode":"Relevance","includePromotedContent":true,"withCommunity":true,"withQuickPromoteEligibilityTweetFields":true,"withBirdwatchNotes":true,"withVoice":true}"#,
        "browse",
    ),
    (
        "UserTweets",
        r#"{"userId":"44196397","count":20,"includePromotedContent":true,"withQuickPromoteEligibilityTweetFields":true,"withVoice":true}"#,
        "browse",
    ),
    (
        "UserByScreenName",
        r#"{"screen_name":"somebody","withGrokTranslatedBio":false}"#,
        "browse",
    ),
    (
        "SearchTimeline",
        r#"{"rawQuery":"\"rust proxy\" since:2026-01-01","count":20,"querySource":"typed_query","product":"Top"}"#,
        "search",
    ),
    // what looks like JSON and is none, and a list of words, can be searched for
    (
        "SearchTimeline",
        r#"{"rawQuery":"[help] {x} tweet_text","count":20,"product":"Latest"}"#,
        "search",
    ),
];

fn on_x(name: &str) -> String {
    format!("https://x.com/i/api/graphql/AbC/{name}")
}

fn encoded(pairs: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

fn timeline() -> Request {
    request("POST", &on_x("HomeTimeline"))
}

fn asked(query: &str) -> Request {
    request("GET", &format!("{}?{query}", on_x("HomeTimeline")))
}

fn part(head: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{content}\r\n")
}

fn in_parts(to: &Request, parts: &[String]) -> String {
    let body = format!("{}--b--\r\n", parts.concat());
    to.clone().body("multipart/form-data; boundary=b", &body).activities()
}

#[test]
fn what_clients_of_x_send_to_read_is_read_as_that() {
    for (name, variables, activity) in READS {
        let url = on_x(name);
        let body =
            format!(r#"{{"variables":{variables},"features":{FEATURES},"fieldToggles":{TOGGLES},"queryId":"AbC"}}"#);
        assert_eq!(request("POST", &url).json(&body).activities(), *activity, "{body}");
        let pairs = [
            ("variables", *variables),
            ("features", FEATURES),
            ("fieldToggles", TOGGLES),
            ("queryId", "AbC"),
        ];
        let by_get = request("GET", &format!("{url}?{}", encoded(&pairs)));
        assert_eq!(by_get.activities(), *activity, "{variables}");
        let bare = request("GET", &format!("{url}?{}", encoded(&pairs[..1])));
        assert_eq!(bare.activities(), *activity, "{variables}");
    }
    // an operation that the catalogue does not list
    let followers = encoded(&[("variables", r#"{"userId":"1","count":20}"#), ("features", FEATURES)]);
    assert_eq!(
        request("GET", &format!("{}?{followers}", on_x("Followers"))).activities(),
        "browse"
    );
    assert_eq!(
        timeline().form(&encoded(&[("variables", LAUNCH)])).activities(),
        "browse"
    );
    assert_eq!(in_parts(&timeline(), &[part("name=\"variables\"", LAUNCH)]), "browse");
}

#[test]
fn a_body_that_says_something_else_than_the_path_is_not_read() {
    for body in [
        r#"{"variables":{"count":20},"operationName":"CreateTweet"}"#,
        r#"{"variables":{"count":20},"query":"mutation { create_tweet(tweet_text: \"hi\") { id } }"}"#,
        r#"{"variables":{"count":20},"input":{"tweet_text":"hi"}}"#,
        r#"{"data":{"variables":{"tweet_text":"hi"}}}"#,
        r#"{"variables":{"count":20},"extensions":{"persistedQuery":{"sha256Hash":"AbC"}}}"#,
        r#"{"variables":{"count":20},"Variables":{"tweet_text":"hi"}}"#,
        r#"{"variables":{"count":20},"variables\u0000":{"tweet_text":"hi"}}"#,
        r#"{"variables":{"count":20},"variables":{"tweet_text":"hi"}}"#,
        r#"{"variables":{"count":20},"v\u0061riables":{"tweet_text":"hi"}}"#,
        // several operations in one body, under one name
        r#"[{"variables":{"count":20}},{"variables":{"count":20}}]"#,
        r#"[{"queryId":"AbC"}]"#,
        "[]",
        // another stored operation than that of the path
        r#"{"variables":{"count":20},"queryId":"XyZ"}"#,
        r#"{"variables":{"count":20},"queryId":{"id":"XyZ"}}"#,
        r#"{"variables":{"count":20},"features":{"tweet_text":"hi"}}"#,
        r#"{"variables":{"count":20},"features":{"a":{"tweet_text":true}}}"#,
        r#"{"variables":{"count":20},"features":"tweet_text"}"#,
        r#"{"variables":{"count":20},"fieldToggles":{"tweet_text":"hi"}}"#,
        // what only some readers take for JSON
        "\u{feff}{\"variables\":{\"count\":20}}",
        "{'variables':{'tweet_text':'hi'}}",
        "variables:\n  tweet_text: hi\n",
        "{\"variables\":{\"count\":20}}\n{\"variables\":{\"tweet_text\":\"hi\"}}",
        "{\"variables\":{\"count\":20},}",
        "{\"variables\":{\"count\":20}} // x",
    ] {
        let activities = timeline().json(body).activities();
        assert!(activities.ends_with("unknown-write"), "{activities}: {body}");
    }
    let honest = r#"{"variables":{"count":20},"queryId":"AbC"}"#;
    let gzip = |hints: &mut Hints| hints.content_encoding = Some("gzip".to_owned());
    for other in [
        timeline().json(honest).with(gzip),
        timeline().body("application/json; charset=utf-16", honest),
        timeline().body("application/yaml", honest),
        timeline().body("application/x-ndjson", honest),
    ] {
        assert_eq!(other.activities(), "unknown-write", "{:?}", other.head.hints);
    }
}

#[test]
fn what_hides_in_a_variable_is_found() {
    for variables in [
        r#"{"tweet_text":"hi"}"#,
        r#"{"\u0074weet_text":"hi"}"#,
        r#"{"TWEET_TEXT":"hi"}"#,
        r#"{"requestContext":{"tweet_text":"hi"}}"#,
        r#"{"requestContext":[{"tweet_text":"hi"}]}"#,
        r#"{"requestContext":"{\"tweet_text\":\"hi\"}"}"#,
        r#"{"requestContext":"[{\"tweet_text\":\"hi\"}]"}"#,
        r#"{"requestContext":" \"{\\\"tweet_text\\\":\\\"hi\\\"}\""}"#,
        r#"{"seenTweetIds":["1",{"tweet_text":"hi"}]}"#,
        r#"{"count":20,"count":{"tweet_text":"hi"}}"#,
        r#""{\"tweet_text\":\"hi\"}""#,
    ] {
        let body = format!(r#"{{"variables":{variables}}}"#);
        assert_eq!(timeline().json(&body).activities(), "unknown-write", "{variables}");
        let pair = encoded(&[("variables", variables)]);
        assert_eq!(timeline().form(&pair).activities(), "unknown-write", "form {variables}");
        assert_eq!(asked(&pair).activities(), "unknown-write", "query {variables}");
        let parts = [part("name=\"variables\"", variables)];
        assert_eq!(in_parts(&timeline(), &parts), "unknown-write", "part {variables}");
        let posted = request("POST", &format!("{}?{pair}", on_x("HomeTimeline"))).json("{}");
        assert_eq!(posted.activities(), "unknown-write", "query of a post {variables}");
    }
    for name in ["TweetDetail", "UserTweets", "UserByScreenName", "SearchTimeline"] {
        for variables in [
            r#"{"tweet_text":"hi"}"#,
            r#"{"tweet_id":"1"}"#,
            r#"{"withX":{"tweet_id":"1"}}"#,
        ] {
            let by_get = format!("{}?{}", on_x(name), encoded(&[("variables", variables)]));
            assert_eq!(
                request("GET", &by_get).activities(),
                "unknown-write",
                "{name} {variables}"
            );
            assert_eq!(
                request("HEAD", &by_get).activities(),
                "unknown-write",
                "{name} {variables}"
            );
            let body = format!(r#"{{"variables":{variables}}}"#);
            assert_eq!(
                request("POST", &on_x(name)).json(&body).activities(),
                "unknown-write",
                "{name} {variables}"
            );
        }
    }
    // under a name that is not listed: what writes are known to take, however deep
    for variables in [
        r#"{"tweet_text":"hi"}"#,
        r#"{"a":[{"b":"{\"Tweet_Text\":1}"}]}"#,
        "tweet_text=hi",
    ] {
        let query = encoded(&[("variables", variables)]);
        let by_get = request("GET", &format!("{}?{query}", on_x("Followers")));
        assert_eq!(by_get.activities(), "unknown-write", "{variables}");
    }
}

#[test]
fn a_query_that_says_something_else_than_the_path_is_not_read() {
    assert_eq!(
        asked("variables=%7B%22tweet_text%22%3A%22hi%22%7D").activities(),
        "unknown-write"
    );
    for query in [
        "operationName=CreateTweet",
        "query=mutation{x}",
        "input={}",
        "queryId=XyZ",
        "features={\"tweet_text\":\"hi\"}",
        "features=1",
        "variables[tweet_text]=hi",
        "Variables={\"tweet_text\":\"hi\"}",
        "variables={}&variables={\"tweet_text\":\"hi\"}",
    ] {
        assert_eq!(asked(query).activities(), "unknown-write", "{query}");
        let posted =
            request("POST", &format!("{}?{query}", on_x("HomeTimeline"))).json(r#"{"variables":{"count":20}}"#);
        assert_eq!(posted.activities(), "unknown-write", "{query}");
    }
    // where the path is that of no operation nothing is made of them
    let elsewhere = request("GET", "https://x.com/search?q=x&variables={\"tweet_text\":\"hi\"}");
    assert_eq!(elsewhere.activities(), "search");
}

#[test]
fn a_write_that_is_named_where_the_query_id_stands_is_that_write() {
    for (path, activities) in [
        ("CreateTweet/HomeTimeline", "browse post"),
        ("Create%54weet/HomeTimeline", "browse post"),
        ("createtweet/HomeTimeline", "browse post"),
        ("SendMessageMutation/HomeTimeline", "browse message"),
        ("CreateTweet/HomeTimeline/", "browse post"),
        ("HomeTimeline/TweetDetail", "browse"),
        ("HomeTimeline/CreateTweet", "post"),
    ] {
        let url = format!("https://x.com/i/api/graphql/{path}");
        assert_eq!(request("GET", &url).activities(), activities, "{path}");
        assert_eq!(request("POST", &url).activities(), activities, "{path}");
    }
    let unlisted = request("GET", "https://x.com/i/api/graphql/CreateTweet/Followers");
    assert_eq!(unlisted.activities(), "browse post");
}

#[test]
fn what_comes_with_a_file_is_no_read() {
    let file = part("name=\"f\"; filename=\"a.png\"\r\nContent-Type: image/png", "\u{1}");
    for (url, key, name) in [
        (GRAPHQL, "fb_api_req_friendly_name", "CometModernHomeFeedQuery"),
        (
            "https://www.instagram.com/api/graphql",
            "fb_api_req_friendly_name",
            "PolarisProfilePostsQuery",
        ),
        (
            "https://www.threads.com/api/graphql",
            "fb_api_req_friendly_name",
            "BarcelonaFeedQuery",
        ),
        ("https://x.com/i/api/graphql/AbC/HomeTimeline", "variables", LAUNCH),
        ("https://www.quora.com/graphql/gql_para_POST?q=MultifeedQuery", "a", "b"),
    ] {
        let to = request("POST", url);
        let named = part(&format!("name=\"{key}\""), name);
        assert_eq!(in_parts(&to, std::slice::from_ref(&named)), "browse", "{url}");
        assert_eq!(in_parts(&to, &[named.clone(), file.clone()]), "unknown-write", "{url}");
        for odd in [
            "name=\"f\"; filename=\"\"",
            "name=f; filename*=utf-8''a",
            "filename=a; name=f",
        ] {
            assert_eq!(
                in_parts(&to, &[part(odd, "x"), named.clone()]),
                "unknown-write",
                "{url} {odd}"
            );
        }
    }
    let post = part("name=\"fb_api_req_friendly_name\"", "ComposerStoryCreateMutation");
    assert_eq!(
        in_parts(&facebook(), &[post, file]),
        "post",
        "what a write is stays told"
    );
}

#[test]
fn text_in_a_charset_that_nobody_reads_here_is_not_read() {
    let key = "fb_api_req_friendly_name";
    let named = part(&format!("name=\"{key}\""), "CometModernHomeFeedQuery");
    let typed = |kind: &str| part(&format!("name=\"av\"\r\nContent-Type: {kind}"), "+AHs-");
    for kind in [
        "text/plain",
        "text/plain; charset=UTF-8",
        "application/json;charset=\"utf-8\"",
        "text/plain; format=flowed",
    ] {
        assert_eq!(in_parts(&facebook(), &[named.clone(), typed(kind)]), "browse", "{kind}");
    }
    for kind in [
        "text/plain; charset=utf-7",
        "text/plain; Charset = \"utf-7\"",
        "text/plain; charset=utf-8; charset=utf-16",
        "text/plain; charset*0=ut; charset*1=f-7",
        "multipart/mixed; boundary=c",
        "message/http",
    ] {
        assert_eq!(
            in_parts(&facebook(), &[named.clone(), typed(kind)]),
            "unknown-write",
            "{kind}"
        );
    }
    let name = format!("{key}=CometModernHomeFeedQuery");
    for (charset, activity) in [
        ("utf-8", "browse"),
        ("UTF-8", "browse"),
        ("utf-7", "unknown-write"),
        ("", "unknown-write"),
    ] {
        let parts = [named.clone(), part("name=\"_charset_\"", charset)];
        assert_eq!(in_parts(&facebook(), &parts), activity, "part {charset}");
        let form = facebook().form(&format!("{name}&_charset_={charset}"));
        assert_eq!(form.activities(), activity, "form {charset}");
        let query = request("POST", &format!("{GRAPHQL}?_charset_={charset}")).form(&name);
        assert_eq!(query.activities(), activity, "query {charset}");
    }
    // bytes that some readers drop
    assert_eq!(
        facebook().form(&format!("{name}&variabl%ffes=x")).activities(),
        "unknown-write"
    );
    assert_eq!(
        facebook()
            .form(&format!("{name}&variables={{\"in%ffput\":1}}"))
            .activities(),
        "unknown-write"
    );
    // elsewhere the field is one like any other
    assert_eq!(
        request("GET", "https://www.reddit.com/search?_charset_=x").activities(),
        "search"
    );
}

#[test]
fn a_form_that_some_reader_takes_for_json_is_not_read() {
    let query = "{\"a\":\"&fb_api_req_friendly_name=FooQuery&\",\"variables\":{\"input\":{}}}";
    for before in ["", " ", "\u{feff}", "\r\n\u{feff} ", "\u{b}", "\u{1}"] {
        let body = format!("{before}{query}");
        assert_eq!(facebook().form(&body).activities(), "unknown-write", "{before:?}");
    }
    let twice = "fb_api_req_friendly_name=FooQuery&variables={\"count\":1}&variables={\"input\":1}";
    assert_eq!(facebook().form(twice).activities(), "unknown-write");
    // fields that some servers part at semicolons
    for parted in [
        "a=1;variables={\"input\":1}&fb_api_req_friendly_name=FooQuery",
        "fb_api_req_friendly_name=FooQuery&a=1;fb_api_req_friendly_name=FooMutation",
    ] {
        assert!(
            facebook().form(parted).activities().ends_with("unknown-write"),
            "{parted}"
        );
    }
    let encoded = facebook().form("dpr=1%3Bvariables={\"input\":1}&fb_api_req_friendly_name=FooQuery");
    assert_eq!(encoded.activities(), "browse");
    let document = "fb_api_req_friendly_name=FooQuery&doc=mutation%20%7Bx%7D";
    assert_eq!(facebook().form(document).activities(), "unknown-write");
}

#[test]
fn marks_count_for_methods_that_are_safe_as_well() {
    let input = "variables={\"input\":{\"message\":\"hi\"}}";
    let name = "fb_api_req_friendly_name=FooQuery";
    assert_eq!(
        request("GET", &format!("{GRAPHQL}?{name}&variables={{\"count\":1}}")).activities(),
        "browse"
    );
    assert_eq!(
        request("GET", &format!("{GRAPHQL}?{name}&{input}")).activities(),
        "unknown-write"
    );
    assert_eq!(
        request("GET", &format!("https://www.facebook.com/somepage?{input}")).activities(),
        "browse"
    );
    let document = |text: &str| request("GET", &format!("https://medium.com/_/graphql?query={text}")).activities();
    assert_eq!(document("query{x}"), "browse");
    assert_eq!(document("mutation{x}"), "unknown-write");
}

#[test]
fn nothing_of_what_shows_a_write_is_kept() {
    for (query, kept) in [
        ("variables={\"tweet_text\":\"S3CRET\"}", "variables"),
        ("variables={\"count\":{\"S3CRET\":1}}", "variables"),
        ("queryId=S3CRET", "queryId"),
        ("features={\"a\":\"S3CRET\"}", "features"),
        ("S3CRET=1", ""),
        ("_charset_=S3CRET", "_charset_"),
    ] {
        let seen = asked(query);
        assert_eq!(seen.activities(), "unknown-write", "{query}");
        let redacted = catalog().redact(&catalog().place(&seen.host), &seen.head);
        let text = serde_json::to_string(&redacted).unwrap();
        assert!(!text.contains("S3CRET"), "{text}");
        assert_eq!(redacted.query[0].0, kept, "{text}");
    }
    let read = asked(&encoded(&[("variables", r#"{"requestContext":"S3CRET"}"#)]));
    assert_eq!(read.activities(), "browse");
    assert!(
        catalog()
            .redact(&catalog().place(&read.host), &read.head)
            .query
            .is_empty()
    );
}

/// All that the web clients of Meta send with a read.
const RELAY: &str = "av=1&__aaid=0&__user=1&__a=1&__req=1a&__hs=20421.HYP%3Acomet_pkg.2.1...0&dpr=2&__ccg=GOOD&__rev=1&__s=a%3Ab%3Ac\
    &__hsi=1&__dyn=7x&__csr=g1&__hsdp=g2&__hblp=0&__sjsp=g3&__comet_req=15&fb_dtsg=N&jazoest=2&lsd=L&__spin_r=1&__spin_b=trunk\
    &__spin_t=1&__crn=comet.fbweb.CometHomeRoute&qpl_active_flow_ids=1%2C2&fb_api_analytics_tags=%5B%22a%22%5D&__d=www\
    &fb_api_caller_class=RelayModern&server_timestamps=true&variables=%7B%22count%22%3A1%7D&doc_id=1";

#[test]
fn what_the_web_clients_of_meta_do_not_send_with_a_read_is_no_read() {
    let name = "fb_api_req_friendly_name=BarcelonaFeedQuery";
    for url in [
        GRAPHQL,
        "https://www.instagram.com/graphql/query",
        "https://www.instagram.com/api/graphql",
        "https://www.threads.com/api/graphql",
    ] {
        let read = format!("{RELAY}&{name}");
        assert_eq!(request("POST", url).form(&read).activities(), "browse", "{url}");
        let flow = format!("{url}?_flowletID=1&_triggerFlowletID=2");
        assert_eq!(request("POST", &flow).form(&read).activities(), "browse", "{url}");
        assert_eq!(request("GET", &format!("{url}?{read}")).activities(), "browse", "{url}");
        for other in [
            "queries=%7B%22o0%22%3A%7B%22doc_id%22%3A%221%22%7D%7D",
            "batch=%5B%7B%22method%22%3A%22POST%22%7D%5D",
            "query_params=%7B%22input%22%3A%7B%7D%7D",
            "doc_ids=%5B1%5D",
            "query_text=mutation%7Bx%7D",
            "doc=mutation%7Bx%7D",
            "q=mutation%7Bx%7D",
            "query=mutation%7Bx%7D",
            "extensions=%7B%7D",
            "Variables=%7B%22input%22%3A1%7D",
            "input=1",
        ] {
            let in_body = request("POST", url).form(&format!("{read}&{other}"));
            assert_eq!(in_body.activities(), "unknown-write", "{url} {other}");
            let in_query = request("POST", &format!("{url}?{other}")).form(&read);
            assert_eq!(in_query.activities(), "unknown-write", "{url} {other}");
            let by_get = request("GET", &format!("{url}?{read}&{other}"));
            assert_eq!(by_get.activities(), "unknown-write", "{url} {other}");
        }
    }
}

#[test]
fn a_stored_document_named_by_its_hash_is_no_read() {
    let asked = |more: &str| {
        let body = format!(r#"{{"operationName":"PostPageQuery","variables":{{}}{more}}}"#);
        request("POST", "https://medium.com/_/graphql").json(&body).activities()
    };
    assert_eq!(asked(r#","query":"query PostPageQuery { x }""#), "browse");
    assert_eq!(asked(r#","extensions":{"clientLibrary":{"name":"x"}}"#), "browse");
    for hash in [
        r#","extensions":{"persistedQuery":{"version":1,"sha256Hash":"a"}}"#,
        r#","extensions":{"PersistedQuery":{}}"#,
        r#","extensions":"{\"persistedQuery\":{}}""#,
        r#","extensions":[{"persistedQuery":{}}]"#,
    ] {
        assert_eq!(asked(hash), "unknown-write", "{hash}");
    }
    let by_get = "https://medium.com/_/graphql?operationName=PostPageQuery&extensions={\"persistedQuery\":{}}";
    assert_eq!(request("GET", by_get).activities(), "unknown-write");
}

#[test]
fn a_query_is_read_as_strictly_as_a_form() {
    let name = "fb_api_req_friendly_name=FooQuery";
    let posted = |query: &str| request("POST", &format!("{GRAPHQL}?{query}")).form(name).activities();
    assert_eq!(posted("dpr=1;variables={\"input\":1}"), "unknown-write");
    assert_eq!(
        posted("dpr=1%3Bvariables={\"input\":1}"),
        "browse",
        "what is encoded parts nothing"
    );
    let named = "dpr=1;fb_api_req_friendly_name=ComposerStoryCreateMutation";
    assert_eq!(posted(named), "browse post");
    assert_eq!(request("GET", &format!("{GRAPHQL}?{named}")).activities(), "post");
    let quora = |query: &str| {
        let url = format!("https://www.quora.com/graphql/gql_para_POST?q=MultifeedQuery{query}");
        request("POST", &url).json("{}").activities()
    };
    assert_eq!(quora("&a=b"), "browse");
    // bytes that some readers drop
    assert_eq!(quora("&variabl%FFes={}"), "unknown-write");
    for query in ["a=1;query=mutation{x}", "que%FFry=x", "query=muta%FFtion{x}"] {
        let url = format!("https://medium.com/_/graphql?{query}");
        assert_eq!(request("GET", &url).activities(), "unknown-write", "{query}");
    }
    // where nothing is marked, and no name believed, they are nothing special
    let elsewhere = "https://www.reddit.com/search?a=1;variables={}&b%FF=1";
    assert_eq!(request("GET", elsewhere).activities(), "search");
}

#[test]
fn what_stands_for_a_value_in_a_record_shows_the_same_whatever_members_a_read_may_have() {
    let text = r#"
        id = "one"
        name = "One"
        category = "social"
        domains = [{ host = "one.example" }]
        marks = [{ hosts = ["**"], key = "variables", only = ["*"] }]
        [[signature]]
        id = "one.read"
        activity = "browse"
        methods = ["POST"]
        hosts = ["**"]
        path = "/rpc"
        reads = "label"
    "#;
    let lists = [file("catalog/categories.toml"), file("catalog/activities.toml")];
    let one = SourceText::new("catalog/one.toml", text);
    let catalog = Catalog::parse(&[&lists[..], &[one]].concat()).whole().unwrap();
    for (variables, activity) in [
        ("{\"a\":1}", "browse"),
        ("{\"a\":{\"b\":1}}", "unknown-write"),
        ("[", "unknown-write"),
    ] {
        let asked = request("POST", &format!("https://one.example/rpc?variables={variables}"));
        let place = catalog.place(&asked.host);
        let redacted = catalog.redact(&place, &asked.head);
        for head in [&asked.head, &redacted] {
            assert_eq!(
                catalog.read(&place, head).activity.as_str(),
                activity,
                "{variables}: {head:?}"
            );
        }
    }
}
