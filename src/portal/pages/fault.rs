//! Something failed on the way: the page and the problem document that say what, whose fault, and what to do.

use askama::Template;
use http::header::{ALLOW, CONNECTION};
use http::{HeaderValue, StatusCode};

use super::answer::{Audience, BY_HEADER, Origin, Page, document, in_language};
use super::problem::{Problem, proxy_status, retry_after};
use crate::facts::{Fault, FaultCode, Host, RecordId};
use crate::portal::words::{FaultWords, Words};

#[derive(Template)]
#[template(path = "fault.html", config = "src/portal/askama.toml")]
struct Html<'a> {
    w: &'a Words,
    words: FaultWords,
    host: Option<&'a str>,
    detail: Option<&'a str>,
    reference: Option<&'a str>,
}

/// The methods that a gateway passes on to origins, of those that have a name in RFC 9110 and RFC 5789.
const PASSED_ON: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT";

/// The answer to a flow that failed on its way to `host`.
pub fn fault(words: &Words, fault: &Fault, host: Option<&Host>, record: Option<&RecordId>, who: Audience) -> Page {
    let (status, error) = status(fault.code);
    let said = (words.fault)(fault.code);
    let detail = Some(fault.detail.as_str()).filter(|detail| !detail.is_empty());
    let mut page = match who {
        Audience::Navigation => {
            let html = Html {
                w: words,
                words: said,
                host: host.map(Host::as_str),
                detail,
                reference: record.map(RecordId::as_str),
            };
            document(status, Origin::Elsewhere, html.render().unwrap_or_default())
        }
        Audience::Tool => {
            let text = format!("{} {}", said.what, said.advice);
            let problem = Problem::new(status, fault.code.as_str(), said.title, &text)
                .with("technically", detail)
                .with("host", host.map(Host::as_str))
                .with("reference", record.map(RecordId::as_str));
            problem.answer()
        }
    };
    proxy_status(&mut page, error, fault.code.as_str());
    if let FaultCode::RecordUnavailable | FaultCode::GrantsUnknown = fault.code {
        retry_after(&mut page, 60);
    }
    if fault.code == FaultCode::ConnectionLimit {
        retry_after(&mut page, 10);
    }
    if fault.code == FaultCode::ClientTimeout {
        // RFC 9110 §15.5.9: the rest is not waited for
        let close = HeaderValue::from_static("close");
        page.headers_mut().insert(CONNECTION, close);
    }
    if fault.code == FaultCode::MethodNotAllowed {
        page.headers_mut().insert(ALLOW, HeaderValue::from_static(PASSED_ON));
    }
    in_language(page, words, BY_HEADER)
}

/// The status and the error type of RFC 9209 §2.3 for each fault.
fn status(code: FaultCode) -> (StatusCode, &'static str) {
    match code {
        FaultCode::BadRequest | FaultCode::ClientGone | FaultCode::ClientTls => {
            (StatusCode::BAD_REQUEST, "http_request_error")
        }
        FaultCode::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "http_request_error"),
        FaultCode::HeadTooLarge => (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "http_request_error"),
        FaultCode::ClientTimeout => (StatusCode::REQUEST_TIMEOUT, "http_request_error"),
        FaultCode::Misdirected | FaultCode::SniMismatch => (StatusCode::MISDIRECTED_REQUEST, "http_request_error"),
        FaultCode::ClientDistrusts
        | FaultCode::ProtocolUnreadable
        | FaultCode::CoversManagedPlatform
        | FaultCode::PermissionEnded => (StatusCode::FORBIDDEN, "http_request_denied"),
        FaultCode::NameNotFound => (StatusCode::BAD_GATEWAY, "dns_error"),
        FaultCode::ResolveFailed => (StatusCode::GATEWAY_TIMEOUT, "dns_timeout"),
        FaultCode::AddressGuarded => (StatusCode::BAD_GATEWAY, "destination_ip_prohibited"),
        FaultCode::ConnectRefused => (StatusCode::BAD_GATEWAY, "connection_refused"),
        FaultCode::ConnectTimeout => (StatusCode::GATEWAY_TIMEOUT, "connection_timeout"),
        FaultCode::CertificateExpired
        | FaultCode::CertificateName
        | FaultCode::CertificateIssuer
        | FaultCode::CertificateBad => (StatusCode::BAD_GATEWAY, "tls_certificate_error"),
        FaultCode::OriginTls => (StatusCode::BAD_GATEWAY, "tls_protocol_error"),
        FaultCode::OriginTimeout => (StatusCode::GATEWAY_TIMEOUT, "http_response_timeout"),
        FaultCode::OriginGone => (StatusCode::BAD_GATEWAY, "http_response_incomplete"),
        FaultCode::OriginProtocol => (StatusCode::BAD_GATEWAY, "http_protocol_error"),
        FaultCode::ConnectionLimit => (StatusCode::SERVICE_UNAVAILABLE, "connection_limit_reached"),
        FaultCode::RecordUnavailable | FaultCode::GrantsUnknown => {
            (StatusCode::SERVICE_UNAVAILABLE, "proxy_internal_error")
        }
        FaultCode::MintFailed | FaultCode::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "proxy_internal_error"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The README lists the faults by status: `one`, `another` (502), `a-third` (504).
    #[test]
    fn each_fault_has_the_status_that_the_readme_says() {
        let readme = include_str!("../../../README.md");
        let from = readme.find("What failed on the way").unwrap();
        let listed = readme.split_at(from).1.split("\n\n").next().unwrap();
        let found = regex::Regex::new(r"`([a-z-]+)`|\((\d{3})").unwrap();
        let (mut group, mut seen) = (Vec::new(), 0);
        for found in found.captures_iter(listed) {
            if let Some(code) = found.get(1) {
                let code = serde_json::Value::from(code.as_str());
                group.push(serde_json::from_value::<FaultCode>(code).unwrap());
                continue;
            }
            for code in group.drain(..) {
                seen += 1;
                assert_eq!(status(code).0.as_str(), &found[2], "{code:?}");
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
