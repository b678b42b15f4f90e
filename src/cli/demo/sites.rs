//! Stand-ins for the real sites: one server on loopback that speaks for every name, with TLS from an authority of its
//! own, and pages whose buttons call the endpoints that the catalogue recognises.
#![expect(
    clippy::disallowed_methods,
    reason = "door: the demo's origin servers listen and start tasks"
)]

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{self, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::LazyConfigAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::facts::Host;
use crate::tls::Mint;

const PAGE: &str = include_str!("site.html");

/// A request that a stand-in's page offers as a button.
struct Act {
    label: &'static str,
    method: &'static str,
    url: &'static str,
    content_type: &'static str,
    body: &'static str,
}

/// A site that the demo shows.
pub(super) struct Site {
    /// The host of its pages.
    pub(super) host: &'static str,
    name: &'static str,
    colour: &'static str,
    acts: &'static [Act],
}

const fn get(label: &'static str, url: &'static str) -> Act {
    Act {
        label,
        method: "GET",
        url,
        content_type: "",
        body: "",
    }
}

const fn json(label: &'static str, url: &'static str, body: &'static str) -> Act {
    Act {
        label,
        method: "POST",
        url,
        content_type: "application/json",
        body,
    }
}

const fn form(label: &'static str, url: &'static str, body: &'static str) -> Act {
    Act {
        label,
        method: "POST",
        url,
        content_type: "application/x-www-form-urlencoded",
        body,
    }
}

/// The sites with pages of their own; every other name gets a plain one.
pub(super) const SITES: &[Site] = &[
    Site {
        host: "www.linkedin.com",
        name: "LinkedIn",
        colour: "#0a66c2",
        acts: &[
            get(
                "Read the feed",
                "/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c",
            ),
            json(
                "Post",
                "/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.80089",
                r#"{"variables":{"post":{"commentary":{"text":"We are hiring"}}}}"#,
            ),
            json(
                "Comment",
                "/flagship-web/rsc-action/actions/server-request?sduiid=com.linkedin.sdui.comments.createComment",
                r#"{"requestId":"com.linkedin.sdui.comments.createComment"}"#,
            ),
            json(
                "Message a candidate",
                "/voyager/api/voyagerMessagingDashMessengerMessages?action=createMessage",
                r#"{"message":{"body":{"text":"Hello"}}}"#,
            ),
            json(
                "React",
                "/voyager/api/voyagerSocialDashReactions?threadUrn=urn",
                r#"{"reactionType":"LIKE"}"#,
            ),
        ],
    },
    Site {
        host: "x.com",
        name: "X",
        colour: "#555",
        acts: &[
            json(
                "Read the timeline",
                "/i/api/graphql/AbC/HomeTimeline",
                r#"{"variables":{"count":20}}"#,
            ),
            json(
                "Post",
                "/i/api/graphql/AbC/CreateTweet",
                r#"{"variables":{"tweet_text":"Hello"}}"#,
            ),
            json(
                "Like",
                "/i/api/graphql/AbC/FavoriteTweet",
                r#"{"variables":{"tweet_id":"1"}}"#,
            ),
            form(
                "Upload a picture",
                "https://upload.x.com/i/media/upload.json?command=INIT&total_bytes=1",
                "",
            ),
        ],
    },
    Site {
        host: "www.facebook.com",
        name: "Facebook",
        colour: "#0866ff",
        acts: &[
            form(
                "Read the feed",
                "/api/graphql/",
                "fb_api_req_friendly_name=CometModernHomeFeedQuery&variables=%7B%7D",
            ),
            form(
                "Post",
                "/api/graphql/",
                "fb_api_req_friendly_name=ComposerStoryCreateMutation&variables=%7B%7D",
            ),
            form(
                "React",
                "/api/graphql/",
                "fb_api_req_friendly_name=CometUFIFeedbackReactMutation&variables=%7B%7D",
            ),
            form(
                "Comment",
                "/api/graphql/",
                "fb_api_req_friendly_name=useCometUFICreateCommentMutation&variables=%7B%7D",
            ),
        ],
    },
    Site {
        host: "www.youtube.com",
        name: "YouTube",
        colour: "#c00",
        acts: &[
            get("Watch", "/watch?v=1"),
            json(
                "Browse",
                "/youtubei/v1/browse?prettyPrint=false",
                r#"{"browseId":"FEwhat_to_watch"}"#,
            ),
            json(
                "Comment",
                "/youtubei/v1/comment/create_comment?prettyPrint=false",
                r#"{"commentText":"Nice"}"#,
            ),
            json(
                "Upload a video",
                "https://upload.youtube.com/upload/studio",
                r#"{"frontendUploadId":"1"}"#,
            ),
        ],
    },
    Site {
        host: "www.reddit.com",
        name: "Reddit",
        colour: "#d93a00",
        acts: &[
            get("Read a community", "/r/rust/"),
            form("Comment", "/svc/shreddit/t3_abc/create-comment", "content=Nice"),
            json(
                "Vote",
                "/svc/shreddit/graphql",
                r#"{"operation":"UpdatePostVoteState","variables":{}}"#,
            ),
            form(
                "Post",
                "https://oauth.reddit.com/api/submit",
                "kind=self&title=Hello&sr=test",
            ),
        ],
    },
];

/// Starts the stand-ins; they end with `stop`. One port answers both TLS and clear HTTP: the first byte tells.
pub(super) async fn start(
    mint: Arc<Mint>,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tasks.spawn(accept(listener, mint, tasks.clone(), stop));
    Ok(address)
}

async fn accept(listener: TcpListener, mint: Arc<Mint>, tasks: TaskTracker, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                let (mint, stop) = (mint.clone(), stop.clone());
                tasks.spawn(async move {
                    tokio::select! { () = speak(mint, stream) => {} () = stop.cancelled() => {} }
                });
            }
        }
    }
}

/// A TLS record of type handshake begins with 22 (RFC 8446 §5.1); no HTTP request does.
async fn speak(mint: Arc<Mint>, stream: TcpStream) {
    let mut first = [0];
    match stream.peek(&mut first).await {
        Ok(1) if first == [22] => serve_tls(&mint, stream).await,
        Ok(_) => serve(stream, false).await,
        Err(_) => {}
    }
}

async fn serve_tls(mint: &Mint, stream: TcpStream) {
    let Ok(hello) = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream).await else {
        return;
    };
    let name = hello
        .client_hello()
        .server_name()
        .unwrap_or("stand-in.invalid")
        .to_owned();
    let Ok(host) = Host::parse(&name) else { return };
    let Ok(config) = mint.server_config(&host).await else {
        return;
    };
    let Ok(stream) = hello.into_stream(config).await else {
        return;
    };
    let h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    serve(stream, h2).await;
}

async fn serve<I>(io: I, h2: bool)
where
    I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let io = TokioIo::new(io);
    // a browser that goes away is no news for a stand-in
    if h2 {
        let served = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .serve_connection(io, service_fn(answer))
            .await;
        drop(served);
    } else {
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .serve_connection(io, service_fn(answer))
            .await;
        drop(served);
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let host = parts.headers.get(header::HOST).and_then(|value| value.to_str().ok());
    let host = parts
        .uri
        .authority()
        .map(http::uri::Authority::host)
        .or(host)
        .unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default().to_owned();
    let received = size_of(body).await;
    let site = SITES.iter().find(|site| site.host == host);
    let did = format!("{} {} took {received} bytes", parts.method, parts.uri.path());
    let (content_type, text) = if parts.method != Method::GET || parts.uri.path().contains("/api/") {
        let did = serde_json::json!({ "did": did, "host": host });
        ("application/json", format!("{did}\n"))
    } else if wants_html(&parts) {
        let page = site.map_or_else(|| plain_page(&host), page_of);
        ("text/html; charset=utf-8", page)
    } else {
        let text = format!("This is a stand-in for {host} on your own machine. {did}.\n");
        ("text/plain; charset=utf-8", text)
    };
    Ok(respond(&parts, content_type, text))
}

/// How much came; nothing is kept.
async fn size_of(mut body: Incoming) -> usize {
    let mut size = 0;
    while let Some(Ok(frame)) = body.frame().await {
        size += frame.data_ref().map_or(0, Bytes::len);
    }
    size
}

/// Browsers say that they can show a page; tools take anything.
fn wants_html(parts: &http::request::Parts) -> bool {
    let accept = parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn respond(parts: &http::request::Parts, content_type: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    if parts.method == Method::OPTIONS {
        *response.status_mut() = StatusCode::NO_CONTENT;
        *response.body_mut() = Full::default();
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(origin) = parts.headers.get(header::ORIGIN) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("content-type"),
        );
    }
    response
}

fn page_of(site: &Site) -> String {
    let acts: String = site.acts.iter().map(button).collect();
    PAGE.replace("{{NAME}}", site.name)
        .replace("{{COLOUR}}", site.colour)
        .replace("{{ACTS}}", &acts)
        .replace(
            "{{FORM}}",
            &site
                .acts
                .iter()
                .find(|act| act.method == "POST")
                .map_or_else(String::new, form_of),
        )
}

fn plain_page(host: &str) -> String {
    let host = escape(host);
    PAGE.replace("{{NAME}}", &host)
        .replace("{{COLOUR}}", "#666")
        .replace("{{ACTS}}", "")
        .replace("{{FORM}}", "")
}

/// The same request as a form that needs no script: a browser opens its answer as a page.
fn form_of(act: &Act) -> String {
    format!(
        "<form method=\"post\" action=\"{}\"><label>{} <input name=\"text\" value=\"Hello\"></label> \
         <button type=\"submit\">Send without a script</button></form>",
        escape(act.url),
        escape(act.label)
    )
}

fn button(act: &Act) -> String {
    format!(
        "<button type=\"button\" data-method=\"{}\" data-url=\"{}\" data-type=\"{}\" data-body=\"{}\">{}</button>\n",
        act.method,
        escape(act.url),
        act.content_type,
        escape(act.body),
        escape(act.label)
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Head, Hints, Host, Peek};
    use crate::rulebook::{Rulebook, Sources};

    #[test]
    fn a_name_cannot_write_html_into_a_stand_in() {
        let page = plain_page("<script>x</script>");
        assert!(!page.contains("<script>x"));
    }

    /// What the catalogue must take a button for.
    fn meant(label: &str) -> &'static str {
        match label.split(' ').next() {
            Some("Post") => "post",
            Some("Comment") => "comment",
            Some("Message") => "message",
            Some("React" | "Like" | "Vote") => "react",
            Some("Upload") => "upload",
            Some("Watch") => "view-media",
            _ => "browse",
        }
    }

    #[test]
    fn every_button_of_the_demo_does_what_it_says_in_the_eyes_of_the_catalogue() {
        let assembled = Rulebook::assemble(&Sources::embedded()).unwrap();
        let catalog = assembled.rulebook.catalog();
        for site in SITES {
            for act in site.acts {
                let url = match act.url.split_once("://") {
                    Some((_, rest)) => rest.to_owned(),
                    None => format!("{}{}", site.host, act.url),
                };
                let (host, rest) = url.split_once('/').unwrap();
                let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
                let mut head = Head {
                    method: act.method.to_owned(),
                    path: format!("/{path}"),
                    query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
                    hints: Hints {
                        has_body: !act.body.is_empty(),
                        content_type: Some(act.content_type.to_owned()),
                        ..Hints::default()
                    },
                    peek: Peek::NotTaken,
                };
                let place = catalog.place(&Host::parse(host).unwrap());
                if catalog.wants_body(&place, &head) {
                    head.peek = catalog.peek(&place, &head, act.body.as_bytes(), true);
                }
                let reading = catalog.read(&place, &head);
                assert_eq!(
                    reading.activity.as_str(),
                    meant(act.label),
                    "{}: {}",
                    site.name,
                    act.label
                );
            }
        }
    }

    #[test]
    fn every_button_of_the_demo_stands_on_its_page() {
        for site in SITES {
            let page = page_of(site);
            for act in site.acts {
                assert!(page.contains(act.label), "{}: {}", site.name, act.label);
            }
            assert_eq!(
                page.matches("<form method=\"post\" action=\"").count(),
                1,
                "{}",
                site.name
            );
        }
    }
}
