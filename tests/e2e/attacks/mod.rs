//! What somebody tries who means harm: another site's page, another person, a planted cookie, a crafted link, a script in every
//! field. What there is to try comes from the router's table, so that nothing new is left untried.

mod csrf;
mod framing;
mod injected;
mod onward;
mod others;
mod sessions;

use base64::Engine as _;
use regex::Regex;
use wayleave::portal::{Route, routes};

use crate::harness::World;
use crate::harness::client::{Answer, Client};
use crate::harness::house::{PORTAL, hidden};
use crate::inbox::{opens, session};
use crate::walks::scene::{Scene, lived_in_with, record_of};

/// A corner of the platforms in which rules only coach.
const CORNER: &str = r#"
@id("trial.corner") @title("A corner") @reason("This corner is for others.") @owner("IT") @mode("coach")
forbid (principal, action in Action::"activity", resource in Category::"social-media")
when { context.request.path like "/corner/*" };
"#;

/// A world in which every form can be sent.
async fn scene() -> Scene {
    lived_in_with(|plan| {
        std::fs::write(plan.folder.join("policies/rules/90-test.cedar"), CORNER).unwrap();
    })
    .await
}

/// A form: who sends it, from which page, and what they fill in.
struct Form {
    /// The line of the router's table.
    route: &'static str,
    who: &'static str,
    /// Whether they sign in once more before.
    signs_in: bool,
    page: String,
    filled: &'static [(&'static str, &'static str)],
}

/// A form as it is sent, and by whom.
struct Filled {
    client: Client,
    cookie: String,
    path: String,
    fields: Vec<(String, String)>,
}

/// Every form of the portal; what can be done once comes after what must be there for it.
async fn forms(scene: &Scene) -> Vec<Form> {
    let coached = record_of(&scene.world.client("ada").get("https://www.linkedin.com/corner/x").await);
    let brand = serde_json::json!({
        "purpose": "brand-publishing", "platforms": ["linkedin"], "statement": "Launch of the new bicycle",
    });
    let asked = scene.world.client("ben").declare(&brand).await;
    assert_eq!(asked.status, http::StatusCode::ACCEPTED, "{}", asked.text());
    let form = |route, who, page: String, filled| Form {
        route,
        who,
        signs_in: false,
        page,
        filled,
    };
    let after = |form: Form| Form { signs_in: true, ..form };
    let home = || "/".to_owned();
    let inbox = || "/approvals".to_owned();
    let forms = vec![
        form(
            "/declare",
            "ada",
            format!("/refusals/{}", scene.refused),
            &[("purpose", "recruiting"), ("statement", "A role for Rust in Lyon")],
        ),
        form(
            "/break-glass",
            "pia",
            format!("/refusals/{}", scene.urgent),
            &[
                ("purpose", "crisis-response"),
                ("statement", "The plant is still on fire"),
                ("ticket", "INC-8"),
            ],
        ),
        form(
            "/purposes/{purpose}",
            "ada",
            "/purposes/recruiting".to_owned(),
            &[("statement", "A role for Rust in Lyon"), ("on.linkedin", "yes")],
        ),
        form(
            "/emergency",
            "pia",
            "/emergency".to_owned(),
            &[
                ("purpose", "crisis-response"),
                ("platform", "x"),
                ("statement", "The plant is still on fire"),
                ("ticket", "INC-9"),
            ],
        ),
        form("/continue", "ada", format!("/refusals/{coached}"), &[]),
        form("/grants/{id}/renew", "ada", home(), &[]),
        form("/grants/{id}/end", "ada", home(), &[]),
        form("/grants/{id}/outcome", "ada", home(), &[("amount", "3"), ("note", "x")]),
        form("/tokens/{id}/revoke", "ada", home(), &[]),
        form(
            "/sign-in",
            "ada",
            "/sign-in".to_owned(),
            &[("password", crate::harness::PASSWORD)],
        ),
        after(form(
            "/tokens",
            "ada",
            "/tokens".to_owned(),
            &[("name", "nightly"), ("scope-read", "yes"), ("days", "7")],
        )),
        after(form("/approvals/{id}/approve", "mia", inbox(), &[])),
        after(form(
            "/approvals/{id}/decline",
            "mia",
            inbox(),
            &[("note", "Not this week")],
        )),
        after(form(
            "/approvals/{id}/review",
            "nora",
            inbox(),
            &[("accepted", "yes"), ("note", "It burned")],
        )),
        after(form(
            "/delegations",
            "mia",
            "/delegations".to_owned(),
            &[("to", "hana"), ("until", "2026-12-20")],
        )),
        after(form("/delegations/{id}/end", "mia", "/delegations".to_owned(), &[])),
        after(form(
            "/grants/revoke",
            "sol",
            "/grants/revoke?user=eve".to_owned(),
            &[("note", "A stolen laptop")],
        )),
        after(form("/sign-out", "mia", inbox(), &[])),
    ];
    let known = |route: &Route| forms.iter().any(|form| form.route == route.path);
    let unknown: Vec<&str> = routes()
        .filter(|route| route.method != "GET" && route.below.is_empty() && !known(route))
        .map(|route| route.path)
        .collect();
    assert_eq!(
        unknown,
        [] as [&str; 0],
        "forms that nobody tries to send from elsewhere: say in `forms` who sends them, and what"
    );
    forms
}

impl Form {
    /// Opens the page, and fills in its form.
    async fn fill(&self, world: &World) -> Filled {
        let client = world.client(self.who);
        let cookie = if self.signs_in {
            session(&client).await
        } else {
            String::new()
        };
        let page = opens(&client, &self.page, &cookie).await.text();
        let braces = Regex::new(r"\\\{[a-z]+\\\}").unwrap();
        let place = braces.replace_all(&regex::escape(self.route), r#"[^/"]+"#).into_owned();
        let action = Regex::new(&format!(r#"method="post" action="({place})""#)).unwrap();
        let found = action
            .captures(&page)
            .unwrap_or_else(|| panic!("no form {}: {page}", self.route));
        let path = found[1].to_owned();
        let (form, _) = page[found.get(0).unwrap().end()..].split_once("</form>").unwrap();
        let hidden_field = Regex::new(r#"<input type="hidden" name="([^"]+)" value="[^"]*""#).unwrap();
        let own = hidden_field.captures_iter(form).map(|field| field[1].to_owned());
        let own = own.map(|name| (name.clone(), hidden(form, &name)));
        let filled = self
            .filled
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Filled {
            client,
            cookie,
            path,
            fields: own.chain(filled).collect(),
        }
    }
}

impl Filled {
    /// Sends it with another token, from a page of `origin` that is `site` to ours.
    async fn sent(&self, token: Option<&str>, (origin, site): (Option<&str>, &str), start: &str) -> Answer {
        let fields: Vec<(&str, &str)> = self
            .fields
            .iter()
            .filter_map(|(name, value)| match (name.as_str(), token) {
                ("token", Some("none")) => None,
                ("token", Some(other)) => Some(("token", other)),
                (name, _) => Some((name, value.as_str())),
            })
            .collect();
        let mut request = http::Request::post(format!("{start}{}", self.path))
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(http::header::COOKIE, &self.cookie)
            .header("sec-fetch-site", site)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        if let Some(origin) = origin {
            request = request.header(http::header::ORIGIN, origin);
        }
        self.client
            .send_with(request, crate::harness::house::form(&fields))
            .await
    }

    /// As its own page does.
    async fn sent_by_its_page(&self) -> Answer {
        self.sent(None, (Some(PORTAL), "same-origin"), PORTAL).await
    }

    fn token(&self) -> &str {
        let token = self.fields.iter().find(|(name, _)| name == "token");
        &token.expect("every form has a token").1
    }
}

/// The page without the scripts and styles that its policy names by their digests: what runs because we wrote it.
pub fn without_own_scripts(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy").to_owned();
    let own = Regex::new("(?s)<script>(.*?)</script>").unwrap();
    let text = answer.text();
    let kept = own.replace_all(&text, |found: &regex::Captures<'_>| {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, found[1].as_bytes());
        let source = format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest));
        if policy.contains(&source) {
            String::new()
        } else {
            found[0].to_owned()
        }
    });
    kept.into_owned()
}
