//! Why a request to the portal could not be read, as its sender is told, and how they come to hear it.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt;

use super::intake::MOST;
use super::pages::{Page, Problem};
use super::words::Words;
use crate::facts::FaultCode;

/// How much of what is too large is read, and for how long, so that whoever sends it hears the answer.
const HEARD_OUT: usize = 4 * 1024 * 1024;
const HEARD_OUT_FOR: Duration = Duration::from_secs(2);

/// Why a request could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    TooLarge,
    Broken,
    TooSlow,
}

impl Unread {
    pub(super) fn answer(self, words: &Words) -> Page {
        match self {
            Self::TooLarge => {
                let (title, text) = (words.too_large_title, (words.too_large)(MOST));
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title, &text).answer()
            }
            Self::Broken => {
                let (title, text) = (words.broken_off_title, words.broken_off);
                Problem::new(StatusCode::BAD_REQUEST, "broken-off", title, text).answer()
            }
            Self::TooSlow => {
                let (said, code) = (
                    (words.fault)(FaultCode::ClientTimeout),
                    FaultCode::ClientTimeout.as_str(),
                );
                let text = format!("{} {}", said.what, said.advice);
                let mut page = Problem::new(StatusCode::REQUEST_TIMEOUT, code, said.title, &text).answer();
                // RFC 9110 §15.5.9: the rest is not waited for
                page.headers_mut()
                    .insert(header::CONNECTION, HeaderValue::from_static("close"));
                page
            }
        }
    }
}

/// Reads on and forgets what comes of a body that is too large, for a while and up to a limit.
pub(super) async fn hear_out<B: Body<Data = Bytes>>(mut body: Pin<&mut B>) {
    let reads_on = async {
        let mut left = HEARD_OUT;
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(still) => left = still,
                None => return,
            }
        }
    };
    // whatever comes of it: the answer is the same
    tokio::time::timeout(HEARD_OUT_FOR, reads_on).await.ok();
}
