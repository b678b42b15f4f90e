//! A WebSocket: the handshake is judged as the strictest thing the socket can carry, then bytes pass both ways until
//! somebody hangs up or the rules change.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use super::Proxy;
use super::body::{carrying, whole};
use super::request::Asked;
use super::respond::Reader;
use super::{headers, respond};
use crate::audit::{Closing, Entry};
use crate::facts::{End, Observation};
use crate::policy::Permit;
use crate::upstream::Body;

impl Proxy {
    /// Sends a WebSocket handshake on and, when the origin agrees, carries the socket.
    pub(super) async fn upgrade(
        self: &Arc<Self>,
        entry: Entry,
        seen: Observation,
        permit: &Permit,
        asked: Asked,
    ) -> Response<Body> {
        let Asked { mut parts, secure, .. } = asked;
        let client = parts.extensions.remove::<OnUpgrade>();
        headers::outward(&mut parts.headers, self.via.as_ref(), true);
        let reader = Reader::of(&parts);
        let request = Request::from_parts(parts, whole(""));
        match self.house.upstream.upgrade(permit, secure, request).await {
            Ok((response, Some(origin))) => match client {
                Some(client) => self.switch(entry, seen, client, origin, response),
                None => self.pass_answer(entry, response),
            },
            Ok((response, None)) => self.pass_answer(entry, response),
            Err(fault) => respond::fault(entry, &permit.authority().host, reader, &fault),
        }
    }

    /// The origin said 101: the client hears it, and the socket runs.
    fn switch(
        self: &Arc<Self>,
        entry: Entry,
        seen: Observation,
        client: OnUpgrade,
        origin: Upgraded,
        response: Response<Incoming>,
    ) -> Response<Body> {
        let (mut head, _) = response.into_parts();
        headers::inward(&mut head.headers, self.via.as_ref(), true);
        let proxy = self.clone();
        self.house.tasks.spawn(async move {
            match client.await {
                Ok(client) => proxy.carry_socket(entry, seen, client, origin).await,
                Err(error) => entry.close(respond::client_gone(&error)),
            }
        });
        Response::from_parts(head, whole(""))
    }

    async fn carry_socket(&self, entry: Entry, seen: Observation, client: Upgraded, origin: Upgraded) {
        let _alive = self.house.metrics.tunnel();
        let counters = entry.counters();
        let end = self
            .relay(TokioIo::new(client), TokioIo::new(origin), &counters, seen)
            .await;
        let status = Some(StatusCode::SWITCHING_PROTOCOLS.as_u16());
        entry.close(Closing {
            end,
            status,
            decrypted: true,
        });
    }

    /// The origin did not switch: its answer passes like any other.
    fn pass_answer(&self, entry: Entry, response: Response<Incoming>) -> Response<Body> {
        let (mut head, body) = response.into_parts();
        headers::inward(&mut head.headers, self.via.as_ref(), false);
        let closing = Closing {
            end: End::Completed,
            status: Some(head.status.as_u16()),
            decrypted: true,
        };
        Response::from_parts(head, carrying(entry, closing, body.map_err(Into::into).boxed()))
    }
}
