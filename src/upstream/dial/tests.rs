use std::sync::Mutex;

use tokio::time::Instant;

use super::super::resolve::Answer;
use super::*;
use crate::facts::Host;

/// Answers every name with the same addresses.
struct Says(Vec<IpAddr>);

impl Resolve for Says {
    fn resolve<'a>(&'a self, _host: &'a Host, _asker: &'a SubjectId, _until: Instant) -> Answer<'a> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn dialer(allow: &[&str], map: &[(&str, &str)], says: &[&str]) -> Dialer {
    let settings = Settings {
        allow: allow.iter().map(|net| net.parse().unwrap()).collect(),
        map: map
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        ..Settings::default()
    };
    Dialer::new(&settings).unwrap().asking(Box::new(Says(ips(says))))
}

fn permit(to: &str) -> Permit {
    Permit::for_test(Authority::parse(to, None).unwrap(), "ada")
}

async fn targets(dialer: &Dialer, to: &str) -> Result<Vec<String>, FaultCode> {
    let found = dialer.find(&permit(to)).await;
    found
        .map(|all| all.0.iter().map(ToString::to_string).collect())
        .map_err(|fault| fault.code)
}

#[test]
fn the_families_take_turns() {
    let found = ips(&["2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1"]);
    let order: Vec<String> = interleave(&found).map(|ip| ip.to_string()).collect();
    assert_eq!(order, ["2001:db8::1", "192.0.2.1", "2001:db8::2", "2001:db8::3"]);
    assert_eq!(
        interleave(&ips(&["192.0.2.1", "2001:db8::1"])).next(),
        Some(ips(&["192.0.2.1"])[0])
    );
    assert_eq!(interleave(&[]).next(), None);
}

#[tokio::test]
async fn only_guarded_addresses_are_dialled() {
    let mixed = dialer(&[], &[], &["10.0.0.1", "8.8.8.8", "::ffff:8.8.8.8", "127.0.0.1"]);
    assert_eq!(targets(&mixed, "x.com:443").await.unwrap(), ["8.8.8.8:443"]);
    let inside = dialer(&[], &[], &["10.0.0.1"]);
    assert_eq!(targets(&inside, "x.com:443").await, Err(FaultCode::AddressGuarded));
    assert_eq!(targets(&inside, "127.0.0.1:443").await, Err(FaultCode::AddressGuarded));
    assert_eq!(
        targets(&inside, "[::ffff:169.254.169.254]:80").await,
        Err(FaultCode::AddressGuarded)
    );
    let allowed = dialer(&["10.0.0.0/8"], &[], &["10.0.0.1"]);
    assert_eq!(targets(&allowed, "x.com:443").await.unwrap(), ["10.0.0.1:443"]);
}

#[tokio::test]
async fn a_stand_in_is_guarded_like_everything_else() {
    let map = [("*", "127.0.0.1:8443")];
    assert_eq!(
        targets(&dialer(&[], &map, &[]), "x.com:443").await,
        Err(FaultCode::AddressGuarded)
    );
    let open = dialer(&["127.0.0.0/8"], &map, &[]);
    assert_eq!(targets(&open, "x.com:443").await.unwrap(), ["127.0.0.1:8443"]);
}

#[tokio::test]
async fn a_name_without_addresses_is_not_found() {
    assert_eq!(
        targets(&dialer(&[], &[], &[]), "x.com:443").await,
        Err(FaultCode::NameNotFound)
    );
}

#[tokio::test]
async fn our_own_doors_are_not_dialled() {
    let mut dialer = dialer(&["127.0.0.0/8"], &[], &[]);
    dialer.never(&["127.0.0.1:3128".parse().unwrap()]);
    assert_eq!(targets(&dialer, "127.0.0.1:3128").await, Err(FaultCode::AddressGuarded));
    assert_eq!(targets(&dialer, "127.0.0.1:3127").await.unwrap(), ["127.0.0.1:3127"]);
}

#[tokio::test]
async fn our_own_door_is_left_when_it_shows_only_after_connecting() {
    let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = door.local_addr().unwrap();
    let mut dialer = dialer(&["127.0.0.0/8"], &[], &[]);
    dialer.never(&[SocketAddr::from(([0, 0, 0, 0], address.port()))]);
    // Loopback, which is known before: as it would be any other address of this machine, which is not.
    let to = Authority::parse("x.com:443", None).unwrap();
    let fault = dialer.attempt(&to, address).await.unwrap_err();
    assert_eq!((fault.stage, fault.code), (Stage::Resolve, FaultCode::AddressGuarded));
}

fn addresses(count: u16) -> Vec<SocketAddr> {
    (1..=count)
        .map(|port| SocketAddr::from(([192, 0, 2, 1], port)))
        .collect()
}

fn refused() -> Fault {
    Fault::new(Blame::Origin, Stage::Dial, FaultCode::ConnectRefused, "no")
}

#[tokio::test(start_paused = true)]
async fn the_next_address_is_tried_at_once_after_a_failure_and_after_a_while_beside_a_silent_one() {
    let began = Instant::now();
    let tried = Mutex::new(Vec::new());
    let won = race(addresses(4), |target| {
        tried.lock().unwrap().push((target.port(), began.elapsed().as_millis()));
        async move {
            match target.port() {
                1 => Err(refused()),
                4 => Ok(target.port()),
                _ => std::future::pending().await,
            }
        }
    });
    assert_eq!(won.await.unwrap(), 4);
    let tried = tried.into_inner().unwrap();
    assert_eq!(tried.iter().map(|(port, _)| *port).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let waits: Vec<u128> = tried.iter().map(|(_, at)| at / 250).collect();
    assert_eq!(waits, [0, 0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_slow_address_may_still_win() {
    let won = race(addresses(2), |target| async move {
        if target.port() == 1 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok(1)
        } else {
            Err(refused())
        }
    });
    assert_eq!(won.await.unwrap(), 1);
}

#[tokio::test]
async fn when_all_addresses_fail_the_last_one_tells_why() {
    let lost = race::<(), _>(addresses(3), |_| async { Err(refused()) });
    assert_eq!(lost.await.unwrap_err().code, FaultCode::ConnectRefused);
}

#[tokio::test(start_paused = true)]
async fn an_origin_that_never_accepts_is_given_up() {
    // A full queue: the system drops further attempts without a word.
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let _fill: Vec<_> = (0..4)
        .map(|_| {
            let client = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
            client.set_nonblocking(true).unwrap();
            drop(client.connect(&address.into()));
            client
        })
        .collect();
    let permit = permit(&address.to_string());
    for (attempt, connect, given_up) in [(3, 100, 3), (100, 7, 7)] {
        let mut dialer = dialer(&["127.0.0.0/8"], &[], &[]);
        (dialer.limits.attempt_timeout_s, dialer.limits.connect_timeout_s) = (attempt, connect);
        let targets = dialer.find(&permit).await.unwrap();
        let began = Instant::now();
        let fault = dialer.tcp(permit.authority(), targets).await.unwrap_err();
        assert_eq!(
            (fault.code, fault.stage),
            (FaultCode::ConnectTimeout, Stage::Dial),
            "{fault}"
        );
        assert_eq!(
            began.elapsed().as_secs(),
            given_up,
            "{attempt} s each, {connect} s in all"
        );
    }
}

/// Waits for an answer as long as it may.
struct Silent;

impl Resolve for Silent {
    fn resolve<'a>(&'a self, _host: &'a Host, _asker: &'a SubjectId, until: Instant) -> Answer<'a> {
        Box::pin(async move {
            tokio::time::sleep_until(until).await;
            Err(Fault::new(
                Blame::House,
                Stage::Resolve,
                FaultCode::ResolveFailed,
                "late",
            ))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_that_nobody_answers_for_is_given_up() {
    for seconds in [2, 9] {
        let settings = Settings {
            resolve_timeout_s: seconds,
            ..Settings::default()
        };
        let dialer = Dialer::new(&settings).unwrap().asking(Box::new(Silent));
        let began = Instant::now();
        let Err(fault) = dialer.find(&permit("x.com:443")).await else {
            panic!("nobody answered")
        };
        assert_eq!(
            (fault.code, fault.stage),
            (FaultCode::ResolveFailed, Stage::Resolve),
            "{fault}"
        );
        assert_eq!(began.elapsed().as_secs(), seconds);
    }
}

#[tokio::test]
async fn an_address_is_dialled_by_itself_only_if_the_guard_lets_it() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let to = Authority::parse("x.com:443", None).unwrap();
    // what the name resolves to by now does not matter
    let open = dialer(&["127.0.0.0/8"], &[], &["192.0.2.1"]);
    let stream = open.at(&to, address).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), address);
    let closed = dialer(&[], &[], &["8.8.8.8"]);
    assert_eq!(
        closed.at(&to, address).await.unwrap_err().code,
        FaultCode::AddressGuarded
    );
}
