//! A request as people describe it, in a case or on the command line: made into what the proxy would have seen.

use super::Rulebook;
use crate::catalog::{Catalog, parameters};
use crate::facts::{Ask, Authority, Head, Hints, Host, Peek, Referer};

/// A described request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// A URL for a request; `host` or `host:port` for a tunnel.
    pub to: String,
    /// The method; `GET` without a body and `POST` with one, where none is given.
    pub method: Option<String>,
    /// Header fields, by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<String>,
}

impl Rulebook {
    /// What the proxy would have seen; an error is a sentence for people.
    pub fn ask_of(&self, described: &Described) -> Result<Ask, String> {
        described.ask(&self.catalog)
    }
}

impl Described {
    /// What the proxy would have seen, with this catalogue.
    pub(super) fn ask(&self, catalog: &Catalog) -> Result<Ask, String> {
        let Some((authority, target)) = split(&self.to)? else {
            let authority = Authority::parse(&self.to, Some(443)).map_err(|bad| bad.to_string())?;
            return Ok(Ask::Connect(authority));
        };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let method = if self.body.is_some() { "POST" } else { "GET" };
        let mut head = Head {
            method: self.method.clone().unwrap_or_else(|| method.to_owned()),
            path: if path.is_empty() {
                "/".to_owned()
            } else {
                path.to_owned()
            },
            query: parameters(query.as_bytes()),
            hints: self.hints(catalog)?,
            peek: Peek::NotTaken,
        };
        if let Some(body) = &self.body {
            let place = catalog.place_at(&authority.host, &head.path);
            if catalog.wants_body(&place, &head) {
                head.peek = catalog.peek(&place, &head, body.as_bytes(), true);
            }
        }
        Ok(Ask::Request(authority, Box::new(head)))
    }

    fn hints(&self, catalog: &Catalog) -> Result<Hints, String> {
        let mut hints = Hints {
            has_body: self.body.is_some(),
            content_length: self.body.as_ref().map(|body| body.len() as u64),
            ..Hints::default()
        };
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            let text = || Some(value.clone());
            match name.as_str() {
                "sec-fetch-site" => hints.fetch_site = text(),
                "sec-fetch-mode" => hints.fetch_mode = text(),
                "sec-fetch-dest" => hints.fetch_dest = text(),
                "content-length" => {
                    let length: u64 = value
                        .parse()
                        .map_err(|_| format!("`{value}` is not a length of a body"))?;
                    hints.has_body |= length > 0;
                    hints.content_length = Some(length);
                }
                "content-type" => hints.content_type = text(),
                "content-encoding" => hints.content_encoding = text(),
                "origin" => hints.origin = page(value)?.map(|(host, _)| host),
                "referer" => hints.referer = page(value)?.map(|(host, path)| Referer { host, path }),
                "upgrade" => hints.websocket = value.eq_ignore_ascii_case("websocket"),
                _ => {}
            }
            if catalog.label_headers().contains(&name) {
                hints.labels.push((name, value.clone()));
            }
        }
        Ok(hints)
    }
}

/// Authority and target of a URL; none where the text is not one.
fn split(text: &str) -> Result<Option<(Authority, &str)>, String> {
    let (rest, port) = match text.split_once("://") {
        Some(("https" | "wss", rest)) => (rest, 443),
        Some(("http" | "ws", rest)) => (rest, 80),
        Some((scheme, _)) => return Err(format!("`{scheme}://` is not a scheme that goes through the proxy")),
        None => return Ok(None),
    };
    let rest = rest.split('#').next().unwrap_or(rest);
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    let authority = Authority::parse(authority, Some(port)).map_err(|bad| bad.to_string())?;
    Ok(Some((authority, target)))
}

fn page(url: &str) -> Result<Option<(Host, String)>, String> {
    let Some((authority, target)) = split(url)? else {
        return Ok(None);
    };
    let path = target.split('?').next().unwrap_or(target);
    Ok(Some((authority.host, path.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rulebook::Sources;

    #[test]
    fn a_length_that_the_header_states_is_that_of_the_body() {
        let catalog = Catalog::parse(&Sources::embedded().catalog).whole().unwrap();
        let hints = |length: &str| {
            let described = Described {
                to: "https://x.com/".to_owned(),
                headers: vec![("Content-Length".to_owned(), length.to_owned())],
                ..Described::default()
            };
            let ask = described.ask(&catalog)?;
            let hints = &ask.head().unwrap().hints;
            Ok((hints.has_body, hints.content_length))
        };
        assert_eq!(hints("1001"), Ok((true, Some(1001))));
        assert_eq!(hints("0"), Ok((false, Some(0))));
        assert_eq!(hints("long"), Err("`long` is not a length of a body".to_owned()));
    }
}
