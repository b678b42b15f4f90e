//! What the demo says to a person: addresses, people, and lines to try. Pure.

use std::fmt::Write;

use super::Ready;

/// The text that is printed once everything is ready.
pub(super) fn told(ready: &Ready) -> String {
    let mut text = String::new();
    let lines = [
        String::new(),
        "The gate is open.".to_owned(),
        String::new(),
        format!("  proxy    {}", ready.proxy),
        format!("  over TLS {}", ready.proxy_tls),
        format!("  portal   {} (through the proxy)", ready.portal),
        format!("  admin    {}/metrics  /readyz  /proxy.pac", ready.admin),
        format!("  root     {}", ready.ca),
        format!("  records  {}/records", ready.state),
        String::new(),
        "People, all with the same password:".to_owned(),
        String::new(),
    ];
    push(&mut text, &lines);
    for person in &ready.people {
        push(
            &mut text,
            &[format!(
                "  {:<9} {:<22} {}",
                person.user,
                person.name,
                person.roles.join(", ")
            )],
        );
    }
    push(&mut text, &tries(ready));
    text
}

fn tries(ready: &Ready) -> Vec<String> {
    let password = ready.people.first().map_or("", |person| person.password.as_str());
    let curl = |user: &str, rest: &str| {
        let proxy = ready.proxy.replacen("://", &format!("://{user}:{password}@"), 1);
        format!("  curl -x {proxy} --cacert {} {rest}", ready.ca)
    };
    let feed = "https://www.linkedin.com/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c";
    let post = "https://www.linkedin.com/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.1";
    vec![
        String::new(),
        format!("The password is {password}. Try, in another terminal:"),
        String::new(),
        "  # a site that no policy manages passes, unread".to_owned(),
        curl("dan", "-k https://www.example.org/"),
        "  # a recruiter reads LinkedIn: a purpose is needed, and the answer says which would do".to_owned(),
        curl("ada", &format!("'{feed}'")),
        "  # she states it ...".to_owned(),
        curl(
            "ada",
            &format!(
                "{}v1/grants -H 'content-type: application/json' -d '{}'",
                ready.portal,
                r#"{"purpose":"recruiting","platforms":["linkedin"],"statement":"Backend engineers for the Lyon team"}"#
            ),
        ),
        "  # ... and now she may read, and post".to_owned(),
        curl("ada", &format!("'{feed}'")),
        curl(
            "ada",
            &format!("'{post}' -H 'content-type: application/json' -d '{{}}'"),
        ),
        "  # an intern may not post, whatever the purpose".to_owned(),
        curl(
            "eve",
            &format!("'{post}' -H 'content-type: application/json' -d '{{}}'"),
        ),
        String::new(),
        "Or in a browser (sign in as ada):".to_owned(),
        String::new(),
        format!(
            "  chromium --user-data-dir=$(mktemp -d) --proxy-pac-url={}/proxy.pac https://www.linkedin.com/",
            ready.admin
        ),
        format!(
            "  (trust {} first: chrome://certificate-manager, or certutil; see `wayleave ca install-help`)",
            ready.ca
        ),
        String::new(),
        "What happened is in the book:".to_owned(),
        String::new(),
        format!("  wayleave records list --state {}", ready.state),
        format!("  wayleave records verify --state {}", ready.state),
        String::new(),
        "Stop with Ctrl-C; nothing is left behind.".to_owned(),
    ]
}

fn push(text: &mut String, lines: &[String]) {
    for line in lines {
        // writing to a string cannot fail
        if writeln!(text, "{line}").is_err() {
            return;
        }
    }
}
