//! What went wrong on the way to an origin, from what the libraries say: whose fault, where, what. Pure.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use rustls::CertificateError;
use rustls::pki_types::UnixTime;

use crate::facts::{Authority, Blame, Fault, FaultCode, Stage};

/// How many names of a certificate are worth telling.
const NAMES_TOLD: usize = 4;

/// An address did not accept the connection.
pub(super) fn of_connecting(target: SocketAddr, error: &io::Error) -> Fault {
    let unreachable = [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionAborted,
        io::ErrorKind::HostUnreachable,
        io::ErrorKind::NetworkUnreachable,
        io::ErrorKind::NetworkDown,
    ];
    let (blame, code) = if error.kind() == io::ErrorKind::TimedOut {
        (Blame::Origin, FaultCode::ConnectTimeout)
    } else if unreachable.contains(&error.kind()) {
        (Blame::Origin, FaultCode::ConnectRefused)
    } else {
        (Blame::House, FaultCode::Internal) // out of descriptors or ports
    };
    Fault::new(
        blame,
        Stage::Dial,
        code,
        format!("`{target}` cannot be reached: {error}"),
    )
}

/// A TLS handshake failed.
pub(super) fn of_handshake(to: &Authority, error: &io::Error) -> Fault {
    let host = &to.host;
    let (code, detail) = match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(problem)) => of_certificate(host.as_str(), problem),
        Some(other) => (
            FaultCode::OriginTls,
            format!("the TLS handshake with `{to}` failed: {other}"),
        ),
        None => (
            FaultCode::OriginTls,
            format!("`{to}` broke off the TLS handshake: {error}"),
        ),
    };
    Fault::new(Blame::Origin, Stage::Dial, code, detail)
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the TLS library's list of everything that can be bad is open"
)]
fn of_certificate(host: &str, problem: &CertificateError) -> (FaultCode, String) {
    let (code, what) = match problem {
        CertificateError::Expired => (FaultCode::CertificateExpired, "has expired".to_owned()),
        CertificateError::ExpiredContext { not_after, .. } => {
            (FaultCode::CertificateExpired, format!("expired on {}", day(*not_after)))
        }
        CertificateError::NotValidYet => (FaultCode::CertificateExpired, "is not valid yet".to_owned()),
        CertificateError::NotValidYetContext { not_before, .. } => (
            FaultCode::CertificateExpired,
            format!("is not valid before {}", day(*not_before)),
        ),
        CertificateError::NotValidForName => (FaultCode::CertificateName, "is for another name".to_owned()),
        CertificateError::NotValidForNameContext { presented, .. } => {
            (FaultCode::CertificateName, format!("is for {}", told(presented)))
        }
        CertificateError::UnknownIssuer => (
            FaultCode::CertificateIssuer,
            "comes from an issuer that is not trusted here".to_owned(),
        ),
        other => (FaultCode::CertificateBad, bad(other).to_owned()),
    };
    (code, format!("the certificate of `{host}` {what}"))
}

/// What is wrong with a certificate that nothing can be done about from here.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the TLS library's list of everything that can be bad is open"
)]
fn bad(problem: &CertificateError) -> &'static str {
    match problem {
        CertificateError::Revoked => "has been revoked",
        CertificateError::BadEncoding => "cannot be read",
        CertificateError::BadSignature => "is not signed by the issuer that it names",
        CertificateError::UnhandledCriticalExtension => "insists on something that is not known here",
        CertificateError::UnsupportedSignatureAlgorithmContext { .. }
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed in a way that is too old or not known here"
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => "is not for servers",
        // the verifier's own names: those that the TLS library has no word for
        CertificateError::Other(other) => match other.to_string().as_str() {
            // what people make who sign for themselves; but who signed it has not been looked at
            "CaUsedAsEndEntity" => "is an authority's own and no server's, like those that people sign for themselves",
            "EndEntityUsedAsCa" => "is signed by a certificate that is no authority's",
            "NameConstraintViolation" => "holds a name that its issuer may not speak for",
            "PathLenConstraintViolated" => "has more authorities above it than these allow",
            "UnsupportedCertVersion" => "has a format that is too old",
            _ => "is bad",
        },
        _ => "is bad",
    }
}

fn day(moment: UnixTime) -> String {
    let seconds = i64::try_from(moment.as_secs()).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| "a day beyond the calendar".to_owned(),
        |moment| moment.strftime("%Y-%m-%d").to_string(),
    )
}

/// Names of a certificate, which the TLS library hands out as `DnsName("x.com")`.
fn told(presented: &[String]) -> String {
    let bare = |name: &String| match name.split('"').nth(1) {
        Some(name) => format!("`{}`", name.escape_debug()),
        None => format!("`{}`", name.escape_debug()),
    };
    let mut names: Vec<String> = presented.iter().take(NAMES_TOLD).map(bare).collect();
    match presented.len() {
        0 => return "no name at all".to_owned(),
        all if all > NAMES_TOLD => names.push(format!("{} others", all - NAMES_TOLD)),
        _ => {}
    }
    names.join(", ")
}

/// An exchange of request and answer failed.
pub(super) fn of_exchange(to: &Authority, error: &hyper::Error) -> Fault {
    if error.is_user() {
        // the only thing of ours that can fail in there is the request's body, which comes from the client
        return of_body(Stage::Forward, error);
    }
    if error.is_parse_too_large() {
        return Fault::new(
            Blame::Origin,
            Stage::Forward,
            FaultCode::OriginProtocol,
            format!("the head of the answer of `{to}` is larger than this gateway takes"),
        );
    }
    let (code, words) = if error.is_parse() {
        (FaultCode::OriginProtocol, "answered with something that is not HTTP")
    } else if error.is_timeout() {
        (FaultCode::OriginTimeout, "stopped answering")
    } else {
        (
            FaultCode::OriginGone,
            "closed the connection before the whole answer was there",
        )
    };
    Fault::new(
        Blame::Origin,
        Stage::Forward,
        code,
        format!("`{to}` {words}: {}", innermost(error)),
    )
}

/// An answer that said how long it is ended before that, without an error.
pub(super) fn short(from: &Authority) -> Fault {
    Fault::new(
        Blame::Origin,
        Stage::Forward,
        FaultCode::OriginGone,
        format!("`{from}` ended its answer before the whole of it was there"),
    )
}

/// A client's body cannot be read on: it sends what HTTP does not allow, or it is gone.
pub fn of_body(stage: Stage, error: &(dyn Error + 'static)) -> Fault {
    let mut causes = std::iter::successors(Some(error), |cause| (*cause).source());
    let (code, words) = if causes.any(is_malformed) {
        (FaultCode::BadRequest, "the request's body cannot be read")
    } else {
        (FaultCode::ClientGone, "the request's body ended early")
    };
    Fault::new(Blame::Client, stage, code, format!("{words}: {}", innermost(error)))
}

/// Whether a body's error is about its form, and not about the connection that it came on.
fn is_malformed(error: &(dyn Error + 'static)) -> bool {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        // what the HTTP library says of chunks and trailers that are none, and the TLS library of records that are none
        let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        return of_tls.is_none() && matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    }
    // the library found it, such as a length that does not fit (RFC 9113 §8.1.1): no client sent a reset
    let stream = error.downcast_ref::<h2::Error>();
    stream.is_some_and(|error| error.is_library() && error.reason() == Some(h2::Reason::PROTOCOL_ERROR))
}

/// What a failed exchange tells of its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The origin has not processed it (RFC 9113 §6.8, §8.7).
    Unprocessed,
    /// The origin wants it over HTTP/1.1 (RFC 9113 §7).
    OverHttp1,
    /// The connection ended before there was an answer.
    Unanswered,
    /// Nothing.
    Unknown,
}

/// Reads the fate of a request from the error of its exchange.
pub(super) fn fate(error: &hyper::Error) -> Fate {
    let cause = error.source();
    let stream = cause.and_then(|cause| cause.downcast_ref::<h2::Error>());
    if let Some(said) = stream.filter(|said| said.is_remote()) {
        return match said.reason() {
            Some(h2::Reason::HTTP_1_1_REQUIRED) => Fate::OverHttp1,
            Some(h2::Reason::REFUSED_STREAM) => Fate::Unprocessed,
            // a stream hears of it only if it is above the last one that was processed, or was never opened
            Some(_) | None if said.is_go_away() => Fate::Unprocessed,
            Some(_) | None => Fate::Unknown,
        };
    }
    let broken = cause.and_then(|cause| cause.downcast_ref::<io::Error>());
    if error.is_incomplete_message() || (broken.is_some() && !error.is_user()) {
        Fate::Unanswered
    } else {
        Fate::Unknown
    }
}

/// A step that may take a while, and takes too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Connecting,
    Handshaking,
    Uploading,
    Answering,
}

/// The step did not end in time.
pub(super) fn too_late(to: &Authority, step: Step, seconds: u64) -> Fault {
    let (blame, stage, code, words) = match step {
        Step::Connecting => (
            Blame::Origin,
            Stage::Dial,
            FaultCode::ConnectTimeout,
            "did not accept a connection",
        ),
        Step::Handshaking => (
            Blame::Origin,
            Stage::Dial,
            FaultCode::ConnectTimeout,
            "did not finish the TLS handshake",
        ),
        Step::Uploading => (
            Blame::Client,
            Stage::Forward,
            FaultCode::ClientTimeout,
            "heard no more of the request, which its client did not finish,",
        ),
        Step::Answering => (
            Blame::Origin,
            Stage::Forward,
            FaultCode::OriginTimeout,
            "did not answer",
        ),
    };
    Fault::new(blame, stage, code, format!("`{to}` {words} within {seconds} seconds"))
}

/// The fault once more: for those who waited for the same thing.
pub(super) fn again(fault: &Fault) -> Fault {
    Fault::new(fault.blame, fault.stage, fault.code, fault.detail.clone())
}

fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_as_they_stand_on_the_certificate_and_not_too_many_of_them() {
        assert_eq!(told(&[]), "no name at all");
        assert_eq!(told(&["DnsName(\"*.x.com\")".to_owned()]), "`*.x.com`");
        let many: Vec<String> = (0..6).map(|n| format!("DnsName(\"{n}.com\")")).collect();
        assert_eq!(told(&many), "`0.com`, `1.com`, `2.com`, `3.com`, 2 others");
    }

    #[test]
    fn a_certificate_that_ran_out_tells_the_day() {
        let moment = |seconds| UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let problem = CertificateError::ExpiredContext {
            time: moment(1_800_000_000),
            not_after: moment(86_400),
        };
        let (code, text) = of_certificate("x.com", &problem);
        assert_eq!(code, FaultCode::CertificateExpired);
        assert_eq!(text, "the certificate of `x.com` expired on 1970-01-02");
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_told_in_words() {
        #[derive(Debug)]
        struct Inner(&'static str);
        impl std::fmt::Display for Inner {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str(self.0)
            }
        }
        impl Error for Inner {}
        let other = |name| CertificateError::Other(rustls::OtherError(std::sync::Arc::new(Inner(name))));
        for (problem, words) in [
            (
                other("CaUsedAsEndEntity"),
                "is an authority's own and no server's, like those that people sign for themselves",
            ),
            (
                other("EndEntityUsedAsCa"),
                "is signed by a certificate that is no authority's",
            ),
            (
                other("NameConstraintViolation"),
                "holds a name that its issuer may not speak for",
            ),
            (other("MaximumPathDepthExceeded"), "is bad"),
            (
                CertificateError::UnsupportedSignatureAlgorithmContext {
                    signature_algorithm_id: vec![42, 134],
                    supported_algorithms: Vec::new(),
                },
                "is signed in a way that is too old or not known here",
            ),
        ] {
            let (code, text) = of_certificate("x.com", &problem);
            assert_eq!(code, FaultCode::CertificateBad);
            assert_eq!(text, format!("the certificate of `x.com` {words}"));
        }
    }

    #[test]
    fn a_client_whose_tls_breaks_has_not_sent_a_bad_request() {
        let of = |inner: Box<dyn Error + Send + Sync>| {
            let error = io::Error::new(io::ErrorKind::InvalidData, inner);
            of_body(Stage::Forward, &error).code
        };
        assert_eq!(of(rustls::Error::DecryptError.into()), FaultCode::ClientGone);
        assert_eq!(of("invalid chunk size".into()), FaultCode::BadRequest);
    }

    #[tokio::test]
    async fn a_body_of_another_length_than_was_said_is_a_bad_request_and_one_that_is_reset_is_not() {
        use tokio::io::AsyncWriteExt as _;

        let post = b"\x83\x87\x84\0\x0econtent-length\x015";
        let post = [b"\0\0\x15\x01\x04\0\0\0\x01", &post[..]].concat();
        let short = b"\0\0\x01\0\x01\0\0\0\x01x";
        let reset = b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\x08";
        for (last, code) in [(&short[..], FaultCode::BadRequest), (&reset[..], FaultCode::ClientGone)] {
            let (mut client, server) = tokio::io::duplex(4096);
            client.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
            client.write_all(b"\0\0\0\x04\0\0\0\0\0").await.unwrap();
            client.write_all(&post).await.unwrap();
            let mut connection = h2::server::handshake(server).await.unwrap();
            let (request, _answer) = connection.accept().await.unwrap().unwrap();
            client.write_all(last).await.unwrap();
            let mut body = request.into_body();
            let error = tokio::select! {
                error = body.data() => error.unwrap().unwrap_err(),
                _ = connection.accept() => panic!("nothing more is asked for"),
            };
            assert_eq!(of_body(Stage::Forward, &error).code, code, "{error}");
        }
    }

    #[test]
    fn running_out_of_descriptors_is_not_blamed_on_the_origin() {
        let target = "192.0.2.1:443".parse().unwrap();
        let fault = of_connecting(target, &io::Error::from_raw_os_error(24));
        assert_eq!((fault.blame, fault.code), (Blame::House, FaultCode::Internal));
        let fault = of_connecting(target, &io::Error::from(io::ErrorKind::NetworkUnreachable));
        assert_eq!((fault.blame, fault.code), (Blame::Origin, FaultCode::ConnectRefused));
    }
}
