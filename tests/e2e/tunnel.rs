//! Tunnels that pass unread: what they carry, what they must not carry, how many there can be, and how they end.

use http::StatusCode;
use hyper_util::rt::TokioIo;
use rustls::AlertDescription;
use tokio::net::TcpStream;
use wayleave::facts::{End, FaultCode};

use crate::harness::World;
use crate::harness::house::{PORTAL, admin};
use crate::harness::origin::Papers;
use crate::harness::scripted::Scripted;
use crate::harness::wire::{Wire, tls};

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_inspected_is_spliced_and_recorded_as_unread() {
    // the rule that reads everything does not reach a bank
    let world = World::planned(|plan| plan.inspect_everything()).await;
    let dan = world.client("dan").unread(&world.origins);
    for host in ["www.hsbc.com", "app.slack.com"] {
        // the client trusts the origins' own authority and not ours: what it sees is the origin's certificate
        let answer = dan.get(&format!("https://{host}/secret-path?q=1")).await;
        assert_eq!(answer.text(), "GET /secret-path 0", "{host}");
        let closing = world.closed(host, "CONNECT").await;
        let ended = closing.ended();
        assert_eq!((&ended.end, ended.decrypted), (&End::Completed, false), "{host}");
        assert!(!closing.decided().inspect);
        assert!(ended.bytes_up > 500 && ended.bytes_down > 500, "{ended:?}");
    }
    assert!(!world.book().await.contains("secret-path"));
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_also_covers_what_rules_read_or_refuse_keeps_a_tunnel_from_passing_unread() {
    let world = World::planned(|plan| {
        let categories = plan.folder.join("policies/catalog/categories.toml");
        let text = std::fs::read_to_string(&categories).unwrap();
        std::fs::write(&categories, text.replace("\"mail.ru\"", "\"mail.ru\", \"mail.vk.com\"")).unwrap();
        plan.papers = vec![
            ("cdn.example.org", Papers::Also(&["www.linkedin.com"])),
            ("edge.example.org", Papers::Also(&["*.facebook.com"])),
            // wildcards of shared clouds, below which the catalogue lists single hosts
            ("storage.googleapis.com", Papers::Also(&["*.googleapis.com"])),
            ("files.cloudfront.net", Papers::Also(&["*.cloudfront.net"])),
            // a host of no platform that rules keep out
            ("pages.example.org", Papers::Also(&["*.translate.goog"])),
            // a private host of a platform whose other hosts are read
            ("mail.vk.com", Papers::Also(&["vk.com"])),
            (
                "shop.example.org",
                Papers::Also(&["www.example.net", "*.example.net", "*.nhs.uk"]),
            ),
            // a company's own platform, whose certificate covers more of itself
            (
                "teams.microsoft.com",
                Papers::Also(&["*.teams.microsoft.com", "teams.cloud.microsoft"]),
            ),
        ];
    })
    .await;
    let dan = world.client("dan").unread(&world.origins);
    let refused = [
        "cdn.example.org",
        "edge.example.org",
        "storage.googleapis.com",
        "files.cloudfront.net",
        "pages.example.org",
        "mail.vk.com",
    ];
    for (at, host) in refused.into_iter().enumerate() {
        let io = Wire::tunnel(&dan, &format!("{host}:443")).await.into_io();
        let told = tls(io, &dan.roots, host, |_| {}).await.unwrap_err();
        assert_eq!(alert(&told), Some(AlertDescription::AccessDenied), "{host}: {told}");
        assert_eq!(
            world.closed(host, "CONNECT").await.code(),
            Some(FaultCode::CoversManagedPlatform),
            "{host}"
        );
        assert!(world.other(at).received().is_empty());
    }
    for host in ["shop.example.org", "teams.microsoft.com"] {
        assert_eq!(
            dan.get(&format!("https://{host}/")).await.status,
            StatusCode::OK,
            "{host}"
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_origin_does_not_say_for_whom_it_speaks_is_told_by_an_alert_and_on_its_page() {
    let (silent, clear) = (Scripted::bind().await, Scripted::bind().await);
    let world = World::planned(|plan| {
        plan.lead("silent.example.org", silent.address);
        plan.lead("clear.example.org", clear.address);
        plan.settings.upstream.tls_timeout_s = 1;
    })
    .await;
    let dan = world.client("dan").unread(&world.origins);
    for (host, origin, code, said) in [
        (
            "silent.example.org",
            &silent,
            FaultCode::ConnectTimeout,
            "No connection could be made in time.",
        ),
        (
            "clear.example.org",
            &clear,
            FaultCode::OriginTls,
            "could not agree on how to talk securely.",
        ),
    ] {
        let answering = async {
            let _tunnel = origin.accept().await;
            let mut kept = Vec::new();
            loop {
                let mut asked = origin.clear().await;
                if code == FaultCode::OriginTls {
                    asked.try_to_say("HTTP/1.1 400 Bad Request\r\n\r\n").await;
                }
                kept.push(asked);
            }
        };
        let asking = async {
            let io = Wire::tunnel(&dan, &format!("{host}:443")).await.into_io();
            tls(io, &dan.roots, host, |_| {}).await.unwrap_err()
        };
        let told = tokio::select! {
            told = asking => told,
            () = answering => unreachable!("it answers until nobody asks"),
        };
        assert_eq!(alert(&told), Some(AlertDescription::InternalError), "{host}: {told}");
        assert_eq!(world.closed(host, "CONNECT").await.code(), Some(code), "{host}");
        let page = world.client("dan").navigate(&format!("{PORTAL}/")).await.text();
        let tried = format!("You wanted to connect to {host}.");
        assert!(page.contains(&tried) && page.contains(said), "{said} in {page}");
    }
    world.close().await;
}

/// The fatal alert that ended a handshake.
fn alert(error: &std::io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opened_a_tunnel_that_was_stopped_finds_it_among_their_recent_refusals() {
    let world = World::planned(|plan| {
        plan.papers = vec![("cdn.example.org", Papers::Also(&["www.linkedin.com"]))];
    })
    .await;
    let dan = world.client("dan").unread(&world.origins);
    for (host, named, code) in [
        ("cdn.example.org", "cdn.example.org", FaultCode::CoversManagedPlatform),
        ("www.example.org", "www.linkedin.com", FaultCode::SniMismatch),
        // the rules want to read this one
        ("www.facebook.com", "x.com", FaultCode::SniMismatch),
    ] {
        let io = Wire::tunnel(&dan, &format!("{host}:443")).await.into_io();
        let told = tls(io, &dan.roots, named, |_| {}).await.unwrap_err();
        let expected = if code == FaultCode::SniMismatch {
            AlertDescription::UnrecognisedName
        } else {
            AlertDescription::AccessDenied
        };
        assert_eq!(alert(&told), Some(expected), "{host}: {told}");
        assert_eq!(world.closed(host, "CONNECT").await.code(), Some(code), "{host}");
    }
    let page = world.client("dan").navigate(&format!("{PORTAL}/")).await.text();
    for host in ["cdn.example.org", "www.example.org", "www.facebook.com"] {
        let tried = format!("You wanted to connect to {host}.");
        assert!(page.contains(&tried), "{tried} in {page}");
    }
    let record = world.closed("cdn.example.org", "CONNECT").await.record.id.to_string();
    for part in ["also covers a managed platform", "under its own name", &record] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let others = world.client("ada").navigate(&format!("{PORTAL}/")).await.text();
    assert!(!others.contains("You wanted to connect"), "{others}");
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opened_a_tunnel_to_a_host_that_the_authority_may_not_speak_for_is_told() {
    let world = World::planned(|plan| {
        plan.constrain_the_authority();
        plan.inspect_everything();
    })
    .await;
    let dan = world.client("dan");
    let io = Wire::tunnel(&dan, "www.example.org:443").await.into_io();
    let told = tls(io, &dan.roots, "www.example.org", |_| {}).await.unwrap_err();
    assert_eq!(alert(&told), Some(AlertDescription::InternalError), "{told}");
    let ended = world.closed("www.example.org", "CONNECT").await;
    assert_eq!(ended.code(), Some(FaultCode::MintFailed));
    let page = dan.navigate(&format!("{PORTAL}/")).await.text();
    let record = ended.record.id.to_string();
    for part in ["connect to www.example.org", "may not speak for", &record] {
        assert!(page.contains(part), "{part} in {page}");
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_on_a_certificate_that_becomes_managed_ends_the_tunnels_that_could_carry_it() {
    let world = World::planned(|plan| {
        plan.papers = vec![("shop.example.org", Papers::Also(&["www.example.net"]))];
    })
    .await;
    let dan = world.client("dan").unread(&world.origins);
    let waiting = Wire::tunnel(&dan, "shop.example.org:443").await.into_io();
    let running = Wire::tunnel(&dan, "shop.example.org:443").await.into_io();
    let running = tls(running, &dan.roots, "shop.example.org", |_| {}).await.unwrap();
    let hosts =
        "[[host]]\nhost = \"www.example.net\"\nplatform = \"linkedin\"\nmatch = \"exact\"\nroles = [\"site\"]\n";
    world.edit_rules("catalog/local.toml", hosts).await;
    assert_eq!(Wire::on(running).rest().await, "");
    let cut = world.closed("shop.example.org", "CONNECT").await.ended().end.clone();
    assert!(matches!(&cut, End::Cut(why) if why.contains("rules")), "{cut:?}");
    tls(waiting, &dan.roots, "shop.example.org", |_| {}).await.unwrap_err();
    assert_eq!(
        world.closed("shop.example.org", "CONNECT").await.code(),
        Some(FaultCode::CoversManagedPlatform)
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_without_a_name_is_held_against_the_certificate_that_it_would_get() {
    let world = World::planned(|plan| {
        plan.papers = vec![
            ("edge.example.org", Papers::Default("www.linkedin.com")),
            ("shop.example.org", Papers::Default("www.example.net")),
        ];
    })
    .await;
    let dan = world.client("dan").unread(&world.origins);
    let unnamed = |config: &mut rustls::ClientConfig| config.enable_sni = false;
    let io = Wire::tunnel(&dan, "edge.example.org:443").await.into_io();
    tls(io, &dan.roots, "edge.example.org", unnamed).await.unwrap_err();
    assert_eq!(
        world.closed("edge.example.org", "CONNECT").await.code(),
        Some(FaultCode::CoversManagedPlatform)
    );
    // what it shows to those who name it is its own affair
    let named = dan.get("https://edge.example.org/").await;
    assert_eq!(named.status, StatusCode::OK);

    let io = Wire::tunnel(&dan, "shop.example.org:443").await.into_io();
    tls(io, &dan.roots, "www.example.net", unnamed).await.unwrap();
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_certificate_is_asked_for_while_the_client_still_thinks() {
    let origin = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("early.example.org", origin.address)).await;
    let client = Wire::tunnel(&world.client("dan"), "early.example.org:443").await;
    let tunnel = origin.accept().await;
    let mut asked = origin.clear().await;
    assert_eq!(
        asked.exactly(1).await,
        "\u{16}",
        "a handshake record, before the client has said anything"
    );
    drop((client, tunnel));
    world.closed("early.example.org", "CONNECT").await;
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_clear_inside_an_unread_tunnel_names_the_host_that_connect_named() {
    let world = World::open().await;
    let dan = world.client("dan");
    let heads = [
        (
            "GET / HTTP/1.1\r\nHost: www.linkedin.com\r\n\r\n",
            FaultCode::Misdirected,
        ),
        ("GET http://x.com/ HTTP/1.0\r\n\r\n", FaultCode::Misdirected),
        // what a lenient server might understand in another way than we do
        (
            "GET / HTTP/1.1\r\nHost: www.example.org\r\nHost: x.com\r\n\r\n",
            FaultCode::ProtocolUnreadable,
        ),
        ("GET\t/ HTTP/1.1\nHost : x.com\n\n", FaultCode::ProtocolUnreadable),
    ];
    for (at, (head, code)) in heads.into_iter().enumerate() {
        let promised = format!("www{at}.example.org");
        let mut wire = Wire::tunnel(&dan, &format!("{promised}:80")).await;
        wire.say(head).await;
        let told = wire.rest().await;
        let closing = world.closed(&promised, "CONNECT").await;
        assert_eq!(closing.code(), Some(code), "{head}");
        if code == FaultCode::Misdirected {
            let id = closing.record.id.as_str();
            for part in [" 421 ", "details=\"misdirected\"", "connection: close", id] {
                assert!(told.contains(part), "{part} in {told}");
            }
        } else {
            // what was sent cannot be read, and the answer can
            for part in [
                "HTTP/1.1 403 ",
                "details=\"protocol-unreadable\"",
                "connection: close",
                closing.record.id.as_str(),
            ] {
                assert!(told.contains(part), "{part} in {told}");
            }
        }
    }
    assert!(world.origin.received().is_empty());

    let mut wire = Wire::tunnel(&dan, "www.example.org:8080").await;
    for piece in ["GET /a HT", "TP/1.1\r\nHost: WWW.example.org", ":8080\r\n\r\n"] {
        wire.say(piece).await;
    }
    assert_eq!(wire.answer().await.1, "GET /a 0");
    drop(wire);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_protocols_pass_to_hosts_that_nobody_manages() {
    let world = World::open().await;
    let dan = world.client("dan");
    let mut wire = Wire::tunnel(&dan, "git.example.org:22").await;
    wire.say("SSH-2.0-OpenSSH_9.2\r\n").await;
    assert_eq!(wire.exactly(16).await, "SSH-2.0-origin\r\n");
    drop(wire);
    let closing = world.closed("git.example.org", "CONNECT").await;
    assert_eq!((closing.ended().bytes_up, closing.ended().bytes_down), (21, 16));

    let mut wire = Wire::tunnel(&dan, "www.example.org:80").await;
    wire.say("GET /a HTTP/1.1\r\nHost: www.example.org\r\n\r\n").await;
    assert_eq!(wire.answer().await.1, "GET /a 0");
    drop(wire);

    // what begins like TLS and is not can hide a name from us: refused
    let decode_error = "\x15\x03\x03\0\x02\x02\x32"; // an alert (RFC 8446 §6.2)
    let unreadable = [
        (b"\x16\x03\x01\x00\x00".as_slice(), decode_error),
        (b"\x16\x03\x01\x00\x10garbage, not hello", decode_error),
        // SSL 2.0 names no host, and servers of its time answer it
        (b"\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10", decode_error),
        (
            b"\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\nGET / HTTP/1.1\r\nHost : x.com\r\n\r\n",
            "HTTP/1.1 403 Forbidden\r\n",
        ),
    ];
    for (count, (garbage, told)) in (1..).zip(unreadable) {
        let mut wire = Wire::tunnel(&dan, "odd.example.org:443").await;
        wire.say(garbage).await;
        let heard = wire.rest().await;
        assert!(heard.starts_with(told), "{heard:?}");
        let closing = world.closed_of(count, "odd.example.org", "CONNECT").await;
        assert_eq!(closing.code(), Some(FaultCode::ProtocolUnreadable));
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_speaks_first_is_heard() {
    let mail = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("mail.example.org", mail.address)).await;
    let mut client = Wire::tunnel(&world.client("dan"), "mail.example.org:25").await;
    let mut server = mail.clear().await;
    server.say("220 mail.example.org\r\n").await;
    assert_eq!(client.exactly(22).await, "220 mail.example.org\r\n");
    client.say("EHLO dan\r\n").await;
    assert_eq!(server.exactly(10).await, "EHLO dan\r\n");
    // each side may end its half by itself
    client.finish().await;
    assert_eq!(server.rest().await, "");
    server.say("221 bye\r\n").await;
    server.finish().await;
    assert_eq!(client.rest().await, "221 bye\r\n");
    let ended = world.closed("mail.example.org", "CONNECT").await;
    assert_eq!((ended.ended().bytes_up, ended.ended().bytes_down), (10, 31));
    assert_eq!(ended.ended().end, End::Completed);
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_hangs_up_before_its_client_spoke_is_heard_at_once() {
    let mail = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("*.example.org", mail.address)).await;
    for (door, dan) in [world.client("dan"), world.client_on_tls_door("dan", b"h2")]
        .iter()
        .enumerate()
    {
        let tunnel = async |name: &str| {
            let tunnel = dan.tunnel(&format!("{name}-{door}.example.org:25")).await.unwrap();
            Wire::on(TokioIo::new(tunnel))
        };
        let ended = async |name: &str| world.closed(&format!("{name}-{door}.example.org"), "CONNECT").await;
        for (name, said) in [("silent", ""), ("busy", "421 closing\r\n")] {
            let mut client = tunnel(name).await;
            let mut server = mail.clear().await;
            server.say(said).await;
            server.finish().await;
            assert_eq!(client.rest().await, said);
            client.finish().await;
            assert_eq!(server.rest().await, "");
            let closing = ended(name).await;
            assert_eq!(closing.ended().end, End::Completed);
            assert_eq!(closing.ended().bytes_down, said.len() as u64);
        }
        // who only ends their half still listens
        let mut client = tunnel("listening").await;
        let mut server = mail.clear().await;
        server.finish().await;
        assert_eq!(client.rest().await, "");
        client.say("SSH-2.0-late\r\n").await;
        client.finish().await;
        assert_eq!(server.rest().await, "SSH-2.0-late\r\n");
        let closing = ended("listening").await;
        assert_eq!((&closing.ended().end, closing.ended().bytes_up), (&End::Completed, 14));
        // and who breaks off does not
        let mut client = tunnel("broken").await;
        let server = mail.accept().await;
        server.set_zero_linger().unwrap();
        drop(server);
        assert_eq!(client.rest().await, "");
        assert_eq!(ended("broken").await.code(), Some(FaultCode::OriginGone));
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_does_not_smuggle_a_hello_past_the_gateway() {
    let cdn = Scripted::bind().await;
    let world = World::planned(|plan| {
        plan.settings.ingress.opening_timeout_s = 0; // nobody waits for what a tunnel begins with
        plan.lead("cdn.example.org", cdn.address);
    })
    .await;
    let dan = world.client("dan");
    let mut client = Wire::tunnel(&dan, "cdn.example.org:443").await;
    let mut server = cdn.clear().await;
    server.say("!").await;
    assert_eq!(client.exactly(1).await, "!");
    // whatever was or was not said before, a handshake for another name does not pass
    tls(client.into_io(), &dan.roots, "www.linkedin.com", |_| {})
        .await
        .unwrap_err();
    assert_eq!(server.rest().await, "", "not a byte of it arrived");
    assert_eq!(
        world.closed("cdn.example.org", "CONNECT").await.code(),
        Some(FaultCode::SniMismatch)
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_in_which_nothing_moves_is_cut_with_its_reason() {
    let world = World::planned(|plan| plan.settings.upstream.tunnel_idle_s = 1).await;
    let dan = world.client("dan");
    let mut silent = Wire::tunnel(&dan, "silent.example.org:443").await;
    let mut once = Wire::tunnel(&dan, "once.example.org:22").await;
    once.say("SSH-2.0-OpenSSH_9.2\r\n").await;
    assert_eq!(silent.rest().await, "");
    assert_eq!(once.rest().await, "SSH-2.0-origin\r\n");
    for host in ["silent.example.org", "once.example.org"] {
        let ended = world.closed(host, "CONNECT").await.ended().end.clone();
        assert!(
            matches!(&ended, End::Cut(why) if why.contains("too long")),
            "{host}: {ended:?}"
        );
    }
    world.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_is_cut_when_new_rules_want_to_read_it_even_before_it_began_to_speak() {
    let world = World::open().await;
    let dan = world.client("dan");
    let mut silent = Wire::tunnel(&dan, "silent.example.org:443").await;
    let mut running = Wire::tunnel(&dan, "git.example.org:22").await;
    running.say("SSH-2.0-OpenSSH_9.2\r\n").await;
    running.exactly(16).await;
    let mut bank = Wire::tunnel(&dan, "www.hsbc.com:22").await;
    bank.say("SSH-2.0-OpenSSH_9.2\r\n").await;
    bank.exactly(16).await;
    crate::harness::inspect_everything(&world.policies());
    assert_eq!(
        (silent.rest().await, running.rest().await),
        (String::new(), String::new())
    );
    for host in ["silent.example.org", "git.example.org"] {
        let ended = world.closed(host, "CONNECT").await.ended().end.clone();
        assert!(
            matches!(&ended, End::Cut(why) if why.contains("rules")),
            "{host}: {ended:?}"
        );
    }
    bank.say("what the new rules still permit goes on").await;
    bank.finish().await;
    assert_eq!(bank.rest().await, "");
    assert_eq!(
        world.closed("www.hsbc.com", "CONNECT").await.ended().end,
        End::Completed
    );
    world.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_idle_tunnels_are_held_and_all_are_closed_by_the_stop() {
    const TUNNELS: usize = 2000;
    // all come from one address, and how large its share is depends on how many files may be open
    let world = World::planned(|plan| plan.settings.ingress.max_connections_per_client = 0).await;
    // each tunnel is four ends of two connections, and all of them are in this process, whose limit the gateway has raised
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let enough = limit.current.is_none_or(|limit| limit >= 4 * TUNNELS as u64 + 500);
    assert!(enough, "raise `ulimit -H -n` to 8500 for this test: {limit:?}");
    let dan = world.client("dan");
    let mut tunnels = Vec::new();
    for at in 0..TUNNELS {
        let mut tunnel = Wire::tunnel(&dan, "git.example.org:22").await;
        if at % 2 == 0 {
            // one half has begun to speak, the other is silent from the beginning
            tunnel.say("SSH-2.0-OpenSSH_9.2\r\n").await;
            tunnel.exactly(16).await;
        }
        tunnels.push(tunnel);
    }
    let mut admin = Wire::on(TcpStream::connect(world.gate().addresses().admin).await.unwrap());
    let alive = format!("wayleave_tunnels {TUNNELS}");
    loop {
        admin.say("GET /metrics HTTP/1.1\r\nHost: admin\r\n\r\n").await;
        let (_, text) = admin.answer().await;
        if text.lines().any(|line| line == alive) {
            break;
        }
        let told: Vec<&str> = text.lines().filter(|line| line.contains("tunnels")).collect();
        assert!(!told.is_empty(), "there is a gauge of tunnels");
    }
    world.close().await;
    for mut tunnel in tunnels {
        assert_eq!(tunnel.rest().await, "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stop_lets_a_running_answer_finish_and_does_not_wait_for_those_who_say_nothing() {
    let slow = Scripted::bind().await;
    let world = World::planned(|plan| plan.lead("slow.example.org", slow.address)).await;
    let dan = world.client("dan");
    let _silent = Wire::tunnel(&dan, "silent.example.org:443").await;
    let _silent_inside = Wire::tunnel(&dan, "www.linkedin.com:443").await;
    let _no_handshake = TcpStream::connect(world.gate().addresses().tls).await.unwrap();
    let door = world.gate().addresses().plain;
    let operators = world.gate().addresses().admin;
    let mut client = Wire::of(&dan).await;
    world.sends(1);
    let proof = dan.authorization.clone().unwrap();
    client
        .say(format!(
            "GET http://slow.example.org/ HTTP/1.1\r\nHost: slow.example.org\r\nProxy-Authorization: {proof}\r\n\r\n"
        ))
        .await;
    let mut origin = slow.clear().await;
    origin.head().await;
    origin.say("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhalf").await;
    client.head().await;
    assert_eq!(client.exactly(4).await, "half");
    let rest = async {
        while TcpStream::connect(door).await.is_ok() {
            tokio::task::yield_now().await; // until nobody is let in any more
        }
        // operators see why
        let ready = admin(operators, "/readyz").await;
        assert_eq!(ready.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(ready.text().contains("the gateway is stopping"), "{}", ready.text());
        origin.say("done").await;
        assert_eq!(client.rest().await, "done");
    };
    // the book is closed when the last flow has ended: an answer that was cut would have no record, and fail the close
    tokio::join!(world.close(), rest);
}
