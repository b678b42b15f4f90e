//! What each platform is sent, field by field. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::clock::Timestamp;
use crate::facts::{Grant, PurposeId};
use crate::ledger::{About, Brought, Figure, Notice, SMALLEST};
use crate::notices::words::Said;
use crate::portal::words::Words;

/// The most fields of a section, and characters of one and of a header (Slack, "Blocks").
const MOST_FIELDS: usize = 10;
const MOST_FIELD: usize = 2000;
const MOST_HEADER: usize = 150;
/// The most characters of a single line of text (`SharePoint`).
const MOST_TITLE: usize = 255;

/// How many characters a signal has at most unless whoever runs Socialtext says otherwise.
const MOST_SIGNAL: usize = 1000;

/// A message of Microsoft Teams with one Adaptive Card.
pub(super) fn teams(said: &Said) -> Value {
    let facts = said
        .facts
        .iter()
        .map(|(what, text)| json!({"title": in_card(what), "value": in_card(text)}));
    let (label, url) = &said.link;
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": [
                    {"type": "TextBlock", "text": in_card(&said.title), "weight": "Bolder", "size": "Medium", "wrap": true},
                    {"type": "FactSet", "facts": facts.collect::<Vec<_>>()},
                    {"type": "TextBlock", "text": in_card(&said.foot), "isSubtle": true, "size": "Small", "wrap": true},
                ],
                "actions": [{"type": "Action.OpenUrl", "title": label, "url": url}],
            },
        }],
    })
}

/// Text in which a card finds no Markdown of its own.
fn in_card(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if "\\`*_[]#".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

/// A message of Slack: blocks, and the text for where they are not shown.
pub(super) fn slack(said: &Said) -> Value {
    // verbatim: what looks like an address or a name is made no link
    let field = |(what, text): &(Cow<'static, str>, String)| {
        let text = format!("*{}*\n{}", in_slack(what), in_slack(text));
        json!({"type": "mrkdwn", "text": text.chars().take(MOST_FIELD).collect::<String>(), "verbatim": true})
    };
    let sections = said.facts.chunks(MOST_FIELDS);
    let sections = sections.map(|facts| {
        let fields: Vec<Value> = facts.iter().map(field).collect();
        json!({"type": "section", "fields": fields})
    });
    let header: String = said.title.chars().take(MOST_HEADER).collect();
    let (label, url) = &said.link;
    let mut blocks = vec![json!({"type": "header", "text": {"type": "plain_text", "text": header, "emoji": false}})];
    blocks.extend(sections);
    blocks.push(json!({"type": "actions", "elements": [
        {"type": "button", "text": {"type": "plain_text", "text": label, "emoji": false}, "url": url},
    ]}));
    blocks.push(json!({"type": "context", "elements": [{"type": "plain_text", "text": said.foot, "emoji": false}]}));
    json!({"text": in_slack(&said.title), "blocks": blocks})
}

/// The three characters that mean something there ("Formatting text for app surfaces").
fn in_slack(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// What happened, for programs: an envelope of Standard Webhooks.
pub(super) fn generic(notice: &Notice, said: &Said, ticket: Option<&str>) -> Value {
    let (kind, name, data) = match &notice.about {
        About::Grant(grant, _) => ("grant", "grant", granted(grant, ticket)),
        About::Week(told) => ("week", "told", brought(told)),
    };
    json!({
        "type": format!("{kind}.{}", notice.about.occasion().as_str()),
        "timestamp": notice.since,
        "data": {
            "title": said.title,
            "link": said.link.1,
            name: data,
        },
    })
}

fn granted(grant: &Grant, ticket: Option<&str>) -> Value {
    json!({
        "id": grant.id,
        "holder": grant.subject,
        "purpose": grant.purpose,
        "platforms": grant.platforms,
        "covers": grant.covers,
        "ticket": ticket,
        "state": grant.state,
        "not_before": grant.not_before,
        "expires": grant.expires,
    })
}

/// What is told of a week and the one before it, of whole purposes, as `GET /v1/value` does.
fn brought(brought: &Brought) -> Value {
    let mut purposes: BTreeMap<&PurposeId, Vec<&Figure>> = BTreeMap::new();
    for figure in &brought.figures {
        purposes.entry(&figure.purpose).or_default().push(figure);
    }
    let figure = |figure: &Figure| {
        json!({
            "week": figure.week.to_string(),
            "measure": figure.measure.as_str(),
            "people": figure.people,
            "count": figure.sums.count,
        })
    };
    let purposes = purposes.into_iter().map(|(id, figures)| {
        let figures: Vec<Value> = figures.into_iter().map(figure).collect();
        json!({"id": id, "figures": figures})
    });
    json!({
        "week": brought.week.to_string(),
        "smallest_group": SMALLEST,
        "purposes": purposes.collect::<Vec<_>>(),
    })
}

/// An event of the activity stream of HCL Connections.
pub(super) fn connections(said: &Said, (id, origin, at): (&str, &str, Timestamp)) -> Value {
    let facts = said
        .facts
        .iter()
        .map(|(what, text)| format!("<b>{}</b> {}<br/>", in_html(what), in_html(text)));
    json!({
        "generator": {"id": "wayleave", "displayName": "Wayleave", "url": origin},
        "actor": {"id": "@me"},
        "verb": "post",
        "title": in_html(&said.title),
        "content": facts.collect::<String>(),
        "updated": at,
        "object": {
            "id": id,
            "objectType": "note",
            "displayName": said.title,
            "summary": said.title,
            "url": said.link.1,
        },
    })
}

/// A discussion of Jive.
pub(super) fn jive(said: &Said) -> Value {
    let colon = Words::of(said.language).colon;
    let facts = said
        .facts
        .iter()
        .map(|(what, text)| format!("<li>{}{colon}{}</li>", in_html(what), in_html(text)));
    let (label, url) = &said.link;
    let text = format!(
        "<body><ul>{}</ul><p><a href=\"{}\">{}</a></p><p>{}</p></body>",
        facts.collect::<String>(),
        in_html(url),
        in_html(label),
        in_html(&said.foot)
    );
    json!({
        "type": "discussion",
        "subject": said.title,
        "content": {"type": "text/html", "text": text},
    })
}

/// A signal of Socialtext, which is a text; addresses in it become links. What is too much for one is at its link.
pub(super) fn socialtext(said: &Said) -> Value {
    let Words { colon, semicolon, .. } = Words::of(said.language);
    let (label, url) = &said.link;
    let link = format!("\n{label}{colon}{url}");
    let mut text = in_signal(&said.title);
    let mut room = MOST_SIGNAL.saturating_sub(text.chars().count() + link.chars().count());
    for (nth, (what, fact)) in said.facts.iter().enumerate() {
        let between = if nth == 0 { "\n" } else { *semicolon };
        let fact = format!("{between}{}", in_signal(&format!("{what}{colon}{fact}")));
        let Some(left) = room.checked_sub(fact.chars().count() + semicolon.chars().count() + 1) else {
            text.push_str(semicolon);
            text.push('…');
            break;
        };
        room = left;
        text.push_str(&fact);
    }
    json!({"signal": format!("{text}{link}")})
}

/// Text in which a signal finds no phrase of its own: mentions and tags are written in braces, links in angle brackets.
fn in_signal(text: &str) -> String {
    text.replace('{', "(")
        .replace('}', ")")
        .replace('<', "(")
        .replace('>', ")")
}

/// An item of a list of `SharePoint`: what is not its title stands in a column of text, where there is one for it.
pub(super) fn sharepoint(said: &Said, column: Option<&str>) -> Value {
    let title: String = said.title.chars().take(MOST_TITLE).collect();
    let mut fields = serde_json::Map::from_iter([("Title".to_owned(), json!(title))]);
    if let Some(column) = column {
        let colon = Words::of(said.language).colon;
        let facts = said.facts.iter().map(|(what, text)| format!("{what}{colon}{text}\n"));
        let (label, url) = &said.link;
        let text = format!("{}{label}{colon}{url}\n{}", facts.collect::<String>(), said.foot);
        fields.insert(column.to_owned(), json!(in_column(&text)));
    }
    json!({ "fields": fields })
}

/// Text in which nothing is found to be markup, whether or not it is looked for there.
fn in_column(text: &str) -> String {
    text.replace('<', "(").replace('>', ")")
}

/// The title and the content of an article of Igloo.
pub(super) fn igloo(said: &Said) -> Vec<(&'static str, String)> {
    let colon = Words::of(said.language).colon;
    let facts = said
        .facts
        .iter()
        .map(|(what, text)| format!("<li>{}{colon}{}</li>", in_html(what), in_html(text)));
    let (label, url) = &said.link;
    let content = format!(
        "<ul>{}</ul><p><a href=\"{}\">{}</a></p><p>{}</p>",
        facts.collect::<String>(),
        in_html(url),
        in_html(label),
        in_html(&said.foot)
    );
    vec![("title", in_column(&said.title)), ("content", content)]
}

fn in_html(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Language, NoticeEvent};
    use crate::notices::tests::notice;
    use crate::notices::tests::weekly::digest;

    fn said() -> Said {
        Said {
            language: Language::En,
            title: "<Ben> & [Mia]".to_owned(),
            facts: vec![
                ("Who".into(), "Ben <b>".to_owned()),
                ("Ticket".into(), "[x](https://evil.example)".to_owned()),
            ],
            link: ("Answer", "https://wayleave.internal/approvals".to_owned()),
            foot: "Reference: g1".to_owned(),
        }
    }

    #[test]
    fn teams_gets_a_card() {
        let sent = teams(&said());
        let attachment = &sent["attachments"][0];
        let card = &attachment["content"];
        assert_eq!(
            (&sent["type"], &card["type"], &card["version"]),
            (&json!("message"), &json!("AdaptiveCard"), &json!("1.4"))
        );
        assert_eq!(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
        assert_eq!(card["body"][0]["text"], "<Ben> & \\[Mia\\]");
        assert_eq!(
            card["body"][1]["facts"][1],
            json!({"title": "Ticket", "value": "\\[x\\](https://evil.example)"})
        );
        assert_eq!(
            card["actions"][0],
            json!({"type": "Action.OpenUrl", "title": "Answer", "url": "https://wayleave.internal/approvals"})
        );
    }

    #[test]
    fn slack_gets_blocks_and_a_text_within_its_limits() {
        let many = Said {
            title: "é".repeat(200),
            facts: vec![("Who".into(), "Ben <b> & co".to_owned()); 12],
            ..said()
        };
        let sent = slack(&many);
        let kinds: Vec<&str> = sent["blocks"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["type"].as_str().unwrap())
            .collect();
        assert_eq!(kinds, ["header", "section", "section", "actions", "context"]);
        assert_eq!(sent["blocks"][0]["text"]["text"].as_str().unwrap().chars().count(), 150);
        let fields = sent["blocks"][1]["fields"].as_array().unwrap();
        assert_eq!(
            (fields.len(), &fields[0]["text"], &fields[0]["verbatim"]),
            (10, &json!("*Who*\nBen &lt;b&gt; &amp; co"), &json!(true))
        );
        assert_eq!(slack(&said())["text"], "&lt;Ben&gt; &amp; [Mia]");
        assert_eq!(sent["blocks"][2]["fields"].as_array().unwrap().len(), 2);
        assert_eq!(
            sent["blocks"][3]["elements"][0]["url"],
            "https://wayleave.internal/approvals"
        );
    }

    #[test]
    fn programs_get_what_happened_and_nothing_that_people_wrote() {
        let sent = generic(&notice(NoticeEvent::Waits, ""), &said(), None);
        assert_eq!(
            (&sent["type"], &sent["timestamp"]),
            (&json!("grant.waits"), &json!("2026-11-24T09:00:00.000Z"))
        );
        let grant = &sent["data"]["grant"];
        assert_eq!(
            (&grant["holder"], &grant["state"], &grant["covers"]),
            (&json!("ben"), &json!("requested"), &json!(["publish", "read"]))
        );
        for written in ["campaign", "MKT-7"] {
            assert!(!sent.to_string().contains(written), "{written}");
        }
    }

    #[test]
    fn programs_get_the_figures_of_a_week_and_of_the_one_before() {
        let sent = generic(&digest("webhook:board", ""), &said(), None);
        assert_eq!(
            (&sent["type"], &sent["timestamp"], &sent["data"]["link"]),
            (
                &json!("week.digest"),
                &json!("2026-11-24T07:00:00.000Z"),
                &json!("https://wayleave.internal/approvals")
            )
        );
        let told = &sent["data"]["told"];
        assert_eq!(
            (&told["week"], &told["smallest_group"]),
            (&json!("2026-11-09"), &json!(5))
        );
        let ids: Vec<&Value> = told["purposes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| &one["id"])
            .collect();
        assert_eq!(ids, ["market-research", "press-monitoring", "recruiting"]);
        assert_eq!(
            told["purposes"][2]["figures"][4],
            json!({"week": "2026-11-09", "measure": "value", "people": 6, "count": 31})
        );
    }

    #[test]
    fn socialtext_gets_a_signal_that_mentions_nobody_by_itself() {
        let said = Said {
            title: "{user: 4} & <Mia>".to_owned(),
            ..said()
        };
        let text = "(user: 4) & (Mia)\nWho: Ben (b); Ticket: [x](https://evil.example)\n\
                    Answer: https://wayleave.internal/approvals";
        assert_eq!(socialtext(&said), json!({ "signal": text }));
        let french = Said {
            language: Language::Fr,
            ..said
        };
        let signal = socialtext(&french)["signal"].to_string();
        assert!(
            signal.contains("Who\u{a0}: Ben") && signal.contains("\u{202f}; Ticket\u{a0}: "),
            "{signal}"
        );
    }

    #[test]
    fn what_is_too_much_for_a_signal_is_left_to_its_link() {
        let many = Said {
            facts: (0..20)
                .map(|nth| (format!("Purpose {nth}").into(), "é".repeat(90)))
                .collect(),
            ..said()
        };
        let signal = socialtext(&many);
        let text = signal["signal"].as_str().unwrap();
        assert!(text.chars().count() <= 1000, "{text}");
        assert!(
            text.ends_with("; …\nAnswer: https://wayleave.internal/approvals"),
            "{text}"
        );
        assert!(text.contains("Purpose 7: ") && !text.contains("Purpose 12: "), "{text}");
    }

    #[test]
    fn sharepoint_gets_an_item_with_a_title_and_the_rest_in_its_own_column() {
        let text = "Who: Ben (b)\nTicket: [x](https://evil.example)\nAnswer: https://wayleave.internal/approvals\n\
                    Reference: g1";
        assert_eq!(
            sharepoint(&said(), Some("Details")),
            json!({"fields": {"Title": "<Ben> & [Mia]", "Details": text}})
        );
        let long = Said {
            title: "é".repeat(300),
            ..said()
        };
        assert_eq!(sharepoint(&long, None), json!({"fields": {"Title": "é".repeat(255)}}));
    }

    #[test]
    fn igloo_gets_a_title_and_markup_in_which_nothing_is_markup_of_anybody_else() {
        let content = "<ul><li>Who: Ben &lt;b&gt;</li><li>Ticket: [x](https://evil.example)</li></ul>\
                       <p><a href=\"https://wayleave.internal/approvals\">Answer</a></p><p>Reference: g1</p>";
        assert_eq!(
            igloo(&said()),
            [("title", "(Ben) & [Mia]".to_owned()), ("content", content.to_owned())]
        );
    }

    #[test]
    fn connections_and_jive_get_markup_in_which_nothing_is_markup_of_anybody_else() {
        let at: Timestamp = "2026-11-24T09:00:00Z".parse().unwrap();
        let event = connections(&said(), ("g1.waits.x", "https://wayleave.internal", at));
        assert_eq!(
            (&event["actor"]["id"], &event["verb"], &event["object"]["id"]),
            (&json!("@me"), &json!("post"), &json!("g1.waits.x"))
        );
        assert_eq!(
            (&event["title"], &event["updated"]),
            (&json!("&lt;Ben&gt; &amp; [Mia]"), &json!("2026-11-24T09:00:00.000Z"))
        );
        let content = jive(&said());
        assert_eq!(
            (&content["type"], &content["subject"], &content["content"]["type"]),
            (&json!("discussion"), &json!("<Ben> & [Mia]"), &json!("text/html"))
        );
        for markup in [
            event["content"].as_str().unwrap(),
            content["content"]["text"].as_str().unwrap(),
        ] {
            assert!(markup.contains("Ben &lt;b&gt;"), "{markup}");
        }
    }
}
