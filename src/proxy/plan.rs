//! What next: pure. The shell obeys.
//!
//! The ladder for CONNECT, in order: nobody known → challenge; our own counter → portal; may be read → intercept
//! (a refusal is then explained inside, and the origin is not contacted); may pass unread → tunnel; else refuse.
//! The ladder for a request is the same, after a look at the body where only the body says what the request does.

use crate::facts::{Ask, Authority, Blame, Fault, FaultCode, Host, Observation, Stage};
use crate::ingress::{ClientHello, Opening};
use crate::policy::Permit;
use crate::rulebook::{Judgement, Refusal, Rulebook};

/// What to do with a CONNECT.
#[derive(Debug)]
pub(super) enum ConnectStep {
    /// Ask who it is.
    Challenge,
    /// It is for us.
    Portal,
    /// Terminate TLS and judge each request inside.
    Intercept,
    /// Carry it unread.
    Tunnel(Permit),
    /// Say no.
    Refuse(Refusal),
}

/// What to do with a request.
#[derive(Debug)]
pub(super) enum RequestStep {
    /// Ask who it is.
    Challenge,
    /// It is for us.
    Portal,
    /// Send it on.
    Forward(Permit),
    /// Send it on, and carry what follows the handshake.
    Upgrade(Permit),
    /// Say no.
    Refuse(Refusal),
}

/// A step and the judgement that led to it; there is none before somebody is known, or where none is needed.
#[derive(Debug)]
pub(super) struct Planned<S> {
    pub(super) step: S,
    pub(super) judgement: Option<Judgement>,
}

/// Plans a CONNECT.
pub(super) fn on_connect(rules: &Rulebook, portal: &Host, seen: &Observation) -> Planned<ConnectStep> {
    if seen.subject.is_none() {
        return Planned {
            step: ConnectStep::Challenge,
            judgement: None,
        };
    }
    if seen.ask.host() == portal {
        return Planned {
            step: ConnectStep::Portal,
            judgement: None,
        };
    }
    let judgement = rules.judge(seen);
    let step = if judgement.inspect() {
        ConnectStep::Intercept
    } else {
        match judgement.permit() {
            Ok(permit) => ConnectStep::Tunnel(permit),
            Err(refusal) => ConnectStep::Refuse(refusal),
        }
    };
    Planned {
        step,
        judgement: Some(judgement),
    }
}

/// Whether only its body says what a request does, and may be looked into; then that comes before its plan.
pub(super) fn needs_body(rules: &Rulebook, portal: &Host, seen: &Observation) -> bool {
    seen.subject.is_some() && seen.ask.host() != portal && rules.wants_body(seen)
}

/// Plans a request, in clear or inside an intercepted flow.
pub(super) fn on_request(rules: &Rulebook, portal: &Host, seen: &Observation) -> Planned<RequestStep> {
    if seen.subject.is_none() {
        return Planned {
            step: RequestStep::Challenge,
            judgement: None,
        };
    }
    if seen.ask.host() == portal {
        return Planned {
            step: RequestStep::Portal,
            judgement: None,
        };
    }
    let judgement = rules.judge(seen);
    let step = match (&seen.ask, judgement.permit()) {
        (Ask::Request(_, head), Ok(permit)) if head.hints.websocket => RequestStep::Upgrade(permit),
        (Ask::Request(..) | Ask::Connect(_), Ok(permit)) => RequestStep::Forward(permit),
        (Ask::Request(..) | Ask::Connect(_), Err(refusal)) => RequestStep::Refuse(refusal),
    };
    Planned {
        step,
        judgement: Some(judgement),
    }
}

/// A host, if any, that a flow which passes unread could carry although rules want to read it or keep it out: a server
/// answers for every name on its certificate (RFC 9110 §4.3.3, RFC 9113 §9.1.1).
///
/// Every host that the catalogue knows is judged by itself: a platform's hosts differ in what rules say of them.
pub(super) fn on_certificate(rules: &Rulebook, portal: &Host, seen: &Observation, names: &[String]) -> Option<Host> {
    let port = seen.ask.authority().port;
    let passes_unread = |host: &Host| {
        let host = host.clone();
        let other = Observation {
            ask: Ask::Connect(Authority { host, port }),
            ..seen.clone()
        };
        matches!(on_connect(rules, portal, &other).step, ConnectStep::Tunnel(_))
    };
    rules
        .catalog()
        .covered_by(names)
        .into_iter()
        .find(|host| !passes_unread(host))
}

/// Whether a flow that nobody will read begins as its CONNECT promised (RFC 9110 §7.4). A hello comes back: whether it
/// may stay unread is also for [`on_certificate`] to say.
pub(super) fn on_opening<'a>(promised: &Authority, opening: &'a Opening) -> Result<Option<&'a ClientHello>, Fault> {
    match opening {
        Opening::Tls(hello) => on_hello(promised, hello).map(|()| Some(hello)),
        Opening::Http(named) => on_first_request(promised, named.as_ref()).map(|()| None),
        Opening::Other | Opening::Silent | Opening::Ended => Ok(None),
        Opening::Malformed(_, why) => Err(unreadable(why)),
    }
}

/// What a tunnel begins with cannot be read, and has to be.
pub(super) fn unreadable(why: &str) -> Fault {
    Fault::new(Blame::Client, Stage::Intercept, FaultCode::ProtocolUnreadable, why)
}

/// Whether a tunnel's `ClientHello` keeps what its CONNECT promised. A hello without SNI speaks for the CONNECT name.
///
/// INVARIANT: but for the case of letters, the name stands there as the origin is asked for its certificate with it. A
/// server that compares names as they are written would show another one to `x.example.`, which is no SNI (RFC 6066 §3).
pub(super) fn on_hello(promised: &Authority, hello: &ClientHello) -> Result<(), Fault> {
    let Some(sni) = &hello.sni else { return Ok(()) };
    if sni.eq_ignore_ascii_case(promised.host.as_str()) {
        return Ok(());
    }
    let detail = if Host::parse(sni).is_ok_and(|named| named == promised.host) {
        format!(
            "the TLS handshake spells `{}` in another way, and a server may take that for another host; a name in it ends \
             without a dot (RFC 6066 §3)",
            promised.host
        )
    } else {
        format!(
            "the TLS handshake names another host than CONNECT, which asked for `{}`",
            promised.host
        )
    };
    Err(Fault::new(
        Blame::Client,
        Stage::Intercept,
        FaultCode::SniMismatch,
        detail,
    ))
}

/// Whether the first request of a tunnel that passes unread keeps what its CONNECT promised; `named` is the host in its
/// head. Later requests on the connection are not seen.
fn on_first_request(promised: &Authority, named: Option<&Authority>) -> Result<(), Fault> {
    match named {
        Some(named) if named.host != promised.host => Err(Fault::new(
            Blame::Client,
            Stage::Intercept,
            FaultCode::Misdirected,
            format!(
                "the first request in the tunnel names another host than CONNECT, which asked for `{}`",
                promised.host
            ),
        )),
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hello_names_the_host_as_the_origin_is_asked_for_its_certificate() {
        for (sni, keeps) in [
            (None, true),
            (Some("plain.example"), true),
            (Some("Plain.EXAMPLE"), true),
            (Some("plain.example."), false),
            (Some("plain.example.."), false),
            (Some("other.example"), false),
            (Some(""), false),
        ] {
            let promised = Authority::parse("plain.example:443", None).unwrap();
            let hello = ClientHello {
                sni: sni.map(str::to_owned),
            };
            let told = on_hello(&promised, &hello).map_err(|fault| fault.code);
            let expected = if keeps { Ok(()) } else { Err(FaultCode::SniMismatch) };
            assert_eq!(told, expected, "{sni:?}");
            let opening = on_opening(&promised, &Opening::Tls(hello.clone())).map(|_| ());
            assert_eq!(opening.map_err(|fault| fault.code), expected, "{sni:?}");
        }
    }
}
