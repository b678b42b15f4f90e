//! A name server on loopback: it answers with what the test says, in turn, and its answers are never to be kept.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::UdpSocket;

/// Answers each question for an IPv4 address with the next of `answers`, the last one for ever; there is no IPv6.
pub async fn name_server(answers: Vec<Vec<Ipv4Addr>>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut answers = answers.into_iter().peekable();
        let mut packet = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let question = question(&packet[..length]);
            let found = match question {
                [.., 0, 1, _, _] if answers.len() > 1 => answers.next().unwrap(),
                [.., 0, 1, _, _] => answers.peek().unwrap().clone(),
                _ => Vec::new(),
            };
            let id = [packet[0], packet[1]];
            drop(socket.send_to(&answer(id, question, &found), from).await);
        }
    });
    address
}

/// Name, type and class (RFC 1035 §4.1.2), from the packet of a question.
fn question(packet: &[u8]) -> &[u8] {
    let end = 12 + packet[12..].iter().position(|byte| *byte == 0).unwrap();
    &packet[12..end + 5]
}

/// An answer (RFC 1035 §4.1) whose records live no second.
fn answer(id: [u8; 2], question: &[u8], found: &[Ipv4Addr]) -> Vec<u8> {
    let count = u8::try_from(found.len()).unwrap();
    // a response, recursion asked for and available, no error; one question, so many answers
    let head = [id[0], id[1], 0x81, 0x80, 0, 1, 0, count, 0, 0, 0, 0];
    let records = found.iter().flat_map(|address| {
        // the name is that of the question; type A, class IN, no time to live, four bytes
        let record = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4];
        record.into_iter().chain(address.octets())
    });
    head.into_iter()
        .chain(question.iter().copied())
        .chain(records)
        .collect()
}
