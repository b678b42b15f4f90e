//! What the demo's stand-ins show: pages whose buttons call the endpoints that the catalogue recognises. Pure.

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

/// What a browser sees at `host`.
pub(super) fn page(host: &str) -> String {
    let site = SITES.iter().find(|site| site.host == host);
    site.map_or_else(|| plain_page(host), page_of)
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
