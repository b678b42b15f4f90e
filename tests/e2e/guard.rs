//! Which addresses are never dialled, whatever names them.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};

use http::StatusCode;
use wayleave::facts::FaultCode;
use wayleave::upstream::Resolver;

use crate::harness::World;
use crate::harness::client::Answer;
use crate::harness::names::name_server;

fn is_guarded(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.text());
    let status = answer.header("proxy-status");
    assert!(status.contains("error=destination_ip_prohibited"), "{status}");
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_inside_the_house_are_refused_however_they_are_spelled() {
    let world = World::planned(|plan| {
        plan.settings.upstream.allow.clear();
        plan.maps_everything = false;
    })
    .await;
    let dan = world.client("dan");
    let port = world.origin.address.port();
    let hosts = [
        "127.0.0.1",
        "localhost", // a name that resolves to loopback
        "10.0.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[fe80::1]",
        "[fd00::1]",
        "[64:ff9b::7f00:1]",
        "2130706433", // 127.0.0.1, as old libraries spell it
        "0x7f.1",
    ];
    for host in hosts {
        for answer in [
            dan.get(&format!("http://{host}:{port}/")).await,
            dan.tunnel(&format!("{host}:{port}")).await.map(drop).unwrap_err(),
        ] {
            if host.starts_with("2130") || host.starts_with("0x") {
                assert!(
                    answer.status.is_client_error() || answer.status == StatusCode::BAD_GATEWAY,
                    "{host}"
                );
            } else {
                is_guarded(&answer);
            }
        }
    }
    assert_eq!(world.origin.connections(), 0);
    let closing = world.closed("10.0.0.1", "CONNECT").await;
    assert_eq!(closing.code(), Some(FaultCode::AddressGuarded));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_leads_inside_is_refused_read_and_unread() {
    let world = World::planned(|plan| plan.settings.upstream.allow.clear()).await;
    world.grant("ada", "recruiting", &["linkedin"], &["read"]).await;
    let ada = world.client("ada");
    is_guarded(&ada.get("http://www.example.org/").await);
    is_guarded(&ada.tunnel("www.example.org:443").await.map(drop).unwrap_err());
    is_guarded(&ada.get("https://www.linkedin.com/feed/").await);
    assert_eq!(world.origin.connections(), 0);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_is_reached_and_its_neighbour_is_not() {
    let world = World::planned(|plan| {
        plan.settings.upstream.allow = vec!["127.0.0.1/32".parse().unwrap()];
        plan.lead("neighbour.example.org", "127.0.0.2:80".parse().unwrap());
    })
    .await;
    let dan = world.client("dan");
    assert_eq!(dan.get("http://www.example.org/").await.status, StatusCode::OK);
    is_guarded(&dan.get("http://neighbour.example.org/").await);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_doors_are_no_destination_even_where_loopback_is() {
    let world = World::planned(|plan| plan.maps_everything = false).await;
    let dan = world.client("dan");
    let doors = world.gate().addresses();
    for door in [doors.plain, doors.tls, doors.admin] {
        is_guarded(&dan.get(&format!("http://{door}/metrics")).await);
        is_guarded(&dan.tunnel(&door.to_string()).await.map(drop).unwrap_err());
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_inside_is_passed_to_the_client_and_following_it_is_refused() {
    let world = World::planned(|plan| plan.lead("10.0.0.1", "10.0.0.1:80".parse().unwrap())).await;
    let dan = world.client("dan");
    let answer = dan.get("http://www.example.org/behave/redirect-private").await;
    assert_eq!(answer.status, StatusCode::FOUND);
    let next = answer.header("location");
    assert_eq!(next, "http://10.0.0.1/");
    is_guarded(&dan.get(next).await);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_is_rebound_to_an_address_inside_never_leads_there() {
    let (open, inside) = (Ipv4Addr::LOCALHOST, Ipv4Addr::new(127, 0, 0, 2));
    let names = name_server(vec![vec![open], vec![inside, open], vec![inside]]).await;
    let world = World::planned(|plan| {
        plan.settings.upstream.allow = vec!["127.0.0.1/32".parse().unwrap()];
        plan.settings.upstream.resolver = Resolver::Hickory;
        plan.settings.upstream.name_servers = vec![names];
        plan.maps_everything = false;
    })
    .await;
    let port = world.origin.address.port();
    let trap = TcpListener::bind((inside, port)).unwrap();
    trap.set_nonblocking(true).unwrap();
    let dan = world.client("dan");
    let place = format!("rebound.example.org:{port}");
    // a tunnel is dialled anew each time, and each time the name is asked for
    for meant in ["an open address", "the open one of two"] {
        assert!(dan.tunnel(&place).await.is_ok(), "{meant}");
    }
    is_guarded(&dan.tunnel(&place).await.map(drop).unwrap_err());
    is_guarded(&dan.get(&format!("http://{place}/")).await);
    let nobody = trap.accept().unwrap_err();
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock, "the address inside was dialled");
    world.close().await;
}
