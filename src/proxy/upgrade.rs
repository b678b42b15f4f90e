//! A WebSocket: the handshake is judged as the strictest thing the socket can carry, then bytes pass both ways until
//! somebody hangs up or the rules change.

use std::sync::Arc;

use http::{Request, Response, StatusCode};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;

use super::Proxy;
use super::body::{Passing, whole};
use super::lanes::Lane;
use super::longlived::{Covers, Watch};
use super::request::Inbound;
use super::respond::Reader;
use super::visitor::Hop;
use super::{headers, respond};
use crate::audit::{Closing, Entry, Lasting};
use crate::facts::{End, Observation};
use crate::identity::SignIn;
use crate::policy::Permit;
use crate::upstream::{Body, ResponseBody};

/// A socket on its way: its record, and what let it pass.
struct Socket {
    /// Keeps the connection's place at the door.
    _hop: Arc<Hop>,
    _lane: Lane,
    entry: Entry,
    seen: Observation,
    sign_in: SignIn,
    read: bool,
}

impl Proxy {
    /// Sends a WebSocket handshake on and, when the origin agrees, carries the socket.
    pub(super) async fn upgrade(
        self: &Arc<Self>,
        entry: Entry,
        seen: Observation,
        permit: &Permit,
        inbound: Inbound,
    ) -> Response<Body> {
        let Inbound {
            hop,
            visitor,
            mut parts,
            secure,
            read,
            ..
        } = inbound;
        let client = parts.extensions.remove::<OnUpgrade>();
        headers::outward(&mut parts.headers, self.via(parts.version), true);
        let reader = Reader::of(&self.house.portal, &parts);
        let lane = match hop.place.lane() {
            Ok(lane) => lane,
            Err(full) => return respond::fault(entry, &permit.authority().host, read, reader, &full),
        };
        let request = Request::from_parts(parts, whole(""));
        self.uses(permit);
        let mut may_not = self.watch(seen.clone(), visitor.sign_in.clone(), entry.counters());
        let sent = tokio::select! {
            biased;
            sent = self.house.upstream.upgrade(permit, secure, request) => sent,
            why = &mut may_not => return respond::cut(entry, permit.authority(), read, reader, why),
        };
        match sent {
            Ok((response, origin)) => {
                if let Some((client, origin)) = client.zip(origin) {
                    let socket = Socket {
                        _hop: hop,
                        _lane: lane,
                        entry,
                        seen,
                        sign_in: visitor.sign_in,
                        read,
                    };
                    return self.switch(socket, client, origin, response);
                }
                // the origin did not switch: its answer passes like any other
                let exchange = Passing {
                    entry,
                    watch: Watch::new(may_not),
                    lane,
                    upload: None,
                    decrypted: read,
                };
                self.pass_answer(exchange, response)
            }
            Err(fault) => respond::fault(entry, &permit.authority().host, read, reader, &fault),
        }
    }

    /// The origin said 101: the client hears it, and the socket runs.
    fn switch(
        self: &Arc<Self>,
        socket: Socket,
        client: OnUpgrade,
        origin: Upgraded,
        response: Response<ResponseBody>,
    ) -> Response<Body> {
        let (mut head, _) = response.into_parts();
        let via = self.via(head.version);
        headers::inward(&mut head, via, true);
        let proxy = self.clone();
        self.house.tasks.spawn(async move {
            match client.await {
                Ok(client) => proxy.carry_socket(socket, client, origin).await,
                Err(error) => socket.entry.close(respond::client_gone(&error)),
            }
        });
        Response::from_parts(head, whole(""))
    }

    async fn carry_socket(&self, socket: Socket, client: Upgraded, origin: Upgraded) {
        let _alive = self.house.metrics.tunnel();
        let Socket {
            _hop,
            _lane,
            mut entry,
            seen,
            sign_in,
            read,
        } = socket;
        entry.lasts(Lasting::Socket);
        let (counters, covers) = (entry.counters(), Covers::default());
        let must_end = self.until_it_must_end(seen, &sign_in, (&covers, &counters));
        let end = self
            .relay(TokioIo::new(client), TokioIo::new(origin), &counters, must_end)
            .await
            .unwrap_or_else(|fault| End::from(&fault));
        let status = Some(StatusCode::SWITCHING_PROTOCOLS.as_u16());
        entry.close(Closing {
            end,
            status,
            decrypted: read,
        });
    }
}
