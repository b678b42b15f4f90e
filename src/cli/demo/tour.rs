//! What the demo says to a person: addresses, people, and lines to try. Pure.
//!
//! Every line to try stands alone, indented by two spaces, and can be pasted as it is.

use super::Ready;

/// The text that is printed once everything is ready; `program` is how this program is called, `key` the pin of the
/// key that signs for intercepted sites.
pub(super) fn told(ready: &Ready, program: &str, key: &str) -> String {
    let parts = [
        addresses(ready),
        people(ready),
        tries(&Lines { ready, program }),
        afterwards(ready, program, key),
    ];
    parts.concat().join("\n")
}

fn addresses(ready: &Ready) -> Vec<String> {
    vec![
        String::new(),
        "The gate is open.".to_owned(),
        String::new(),
        format!("  proxy    {}", ready.proxy),
        format!("  over TLS {}", ready.proxy_tls),
        format!("  portal   {} (through the proxy)", ready.portal),
        format!("  admin    {}/metrics  /readyz  /proxy.pac", ready.admin),
        format!("  root     {}", ready.ca),
        format!("  records  {}/records", ready.state),
        format!("  policies {} (what you change there rules)", ready.policies),
        String::new(),
    ]
}

fn people(ready: &Ready) -> Vec<String> {
    let password = ready.people.first().map_or("", |person| person.password.as_str());
    let mut lines = vec![format!("People, who all have the password {password}:"), String::new()];
    lines.extend(ready.people.iter().map(|person| {
        format!(
            "  {:<8} {:<28} {:<25} {:<17} {}",
            person.user,
            person.name,
            person.roles.join(", "),
            person.department,
            person.employment
        )
    }));
    lines
}

struct Lines<'a> {
    ready: &'a Ready,
    program: &'a str,
}

impl Lines<'_> {
    fn proxy(&self, user: &str) -> String {
        let password = self
            .ready
            .people
            .iter()
            .find(|person| person.user == user)
            .map_or("", |person| person.password.as_str());
        self.ready.proxy.replacen("://", &format!("://{user}:{password}@"), 1)
    }

    fn curl(&self, user: &str, rest: &str) -> String {
        let root = &self.ready.ca;
        format!("  curl -x {} --cacert {root} {rest}", self.proxy(user))
    }

    /// A site that passes unread shows its own certificate, from its own authority.
    fn curl_unread(&self, user: &str, rest: &str) -> String {
        let root = self.ready.sites_ca.as_ref();
        let root = root.map_or_else(String::new, |root| format!("--cacert {root} "));
        format!("  curl -x {} {root}{rest}", self.proxy(user))
    }

    /// The TLS door, where a certificate says who asks.
    fn certificate(&self) -> Vec<String> {
        let (root, door) = (&self.ready.ca, &self.ready.proxy_tls);
        let Some(papers) = &self.ready.client_certificate else {
            return Vec::new();
        };
        vec![
            format!(
                "  # {} shows a client certificate at the TLS door, and no password",
                papers.user
            ),
            format!(
                "  curl -x {door} --proxy-cacert {root} --proxy-cert {} --proxy-key {} --cacert {root} {}",
                papers.certificate, papers.key, self.ready.portal
            ),
        ]
    }

    fn tool(&self, user: &str, rest: &str) -> String {
        let (program, root) = (self.program, &self.ready.ca);
        format!("  {program} {rest} --proxy {} --ca {root}", self.proxy(user))
    }
}

fn tries(lines: &Lines<'_>) -> Vec<String> {
    let feed = "'https://www.linkedin.com/voyager/api/graphql?queryId=voyagerFeedDashMainFeed.5c'";
    let post = "'https://www.linkedin.com/voyager/api/graphql?action=execute&queryId=voyagerContentcreationDashShares.1' \
                --json '{}'";
    let tweet = "https://x.com/i/api/graphql/AbC/CreateTweet --json '{}'";
    let video = "https://upload.youtube.com/upload/studio --json '{}'";
    let grant =
        r#"{"purpose":"recruiting","platforms":["linkedin"],"statement":"Backend engineers for the Lyon team"}"#;
    let portal = &lines.ready.portal;
    vec![
        String::new(),
        "Try, in another terminal:".to_owned(),
        String::new(),
        "  # allow: a site that no policy manages passes, unread".to_owned(),
        lines.curl_unread("dan", "https://www.example.org/"),
        "  # declare: a recruiter opens LinkedIn; the answer names the purposes that would do".to_owned(),
        lines.curl("ada", feed),
        "  # she states hers ...".to_owned(),
        lines.curl("ada", &format!("{portal}v1/grants --json '{grant}'")),
        "  # ... and now she may read, and post".to_owned(),
        lines.curl("ada", feed),
        lines.curl("ada", post),
        "  # customer care does the same with this program, reads on X, and answers".to_owned(),
        lines.tool(
            "cora",
            "declare customer-support --on x --statement 'Parcels that came late'",
        ),
        lines.curl("cora", "https://x.com/i/api/graphql/AbC/HomeTimeline"),
        lines.curl("cora", "https://x.com/i/api/1.1/dm/new2.json --json '{}'"),
        "  # request: somebody has to approve before the brand speaks".to_owned(),
        lines.curl("ben", tweet),
        "  # deny: an intern may not post, whatever the purpose; nor may an engineer upload".to_owned(),
        lines.curl("eve", post),
        lines.curl("dan", video),
    ]
    .into_iter()
    .chain(lines.certificate())
    .chain([String::new()])
    .collect()
}

/// The folder of the authority, beside the state.
fn certs(ready: &Ready) -> String {
    let folder = std::path::Path::new(&ready.state).with_file_name("certs");
    folder.display().to_string()
}

fn afterwards(ready: &Ready, program: &str, key: &str) -> Vec<String> {
    let (admin, root, settings) = (&ready.admin, &ready.ca, &ready.settings);
    let password = ready.people.first().map_or("", |person| person.password.as_str());
    vec![
        format!(
            "Or in a browser; when it asks, sign in with a name of the list, such as ada, and the password {password}. It \
             accepts this demo's key and nothing else:"
        ),
        String::new(),
        format!(
            "  chromium --user-data-dir=$(mktemp -d) --ignore-certificate-errors-spki-list={key} \
             --proxy-pac-url={admin}/proxy.pac https://www.linkedin.com/"
        ),
        format!("  # for other browsers: import {root}; the next line says how"),
        format!("  {program} ca install-help --folder {}", certs(ready)),
        String::new(),
        "What happened is in the book, and counted:".to_owned(),
        String::new(),
        format!("  {program} records list -c {settings}"),
        "  # why was the last one refused? Each record is explained by the id at the end of its line".to_owned(),
        format!(
            "  {program} explain -c {settings} $({program} records list -c {settings} --outcome deny | sed -n \
             '$s/.*\\[\\(.*\\)\\]$/\\1/p')"
        ),
        format!("  {program} records verify -c {settings}"),
        format!("  curl {admin}/metrics"),
        String::new(),
        "Stop with Ctrl-C; nothing is left behind.".to_owned(),
    ]
}
