use std::sync::Arc;

use proptest::prelude::*;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::*;

/// `openssl s_client -servername www.reddit.com -alpn h2,http/1.1`, OpenSSL 3.0.
const OPENSSL: &str = "160301014d010001490303ed5ba6035ee7a290033af561ff7cb44bb410a39fb57f4e59c34daa584f553ac2209c11db25\
    fc4fe0ec65f8da3aaf23cbd2254e4bcca9f2adbb901675ea8d72cc56003e130213031301c02cc030009fcca9cca8ccaac02bc02f009ec024c02\
    8006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff010000c200000013001100000e7777772e726564646974\
    2e636f6d000b000403000102000a00160014001d0017001e0019001801000101010201030104002300000010000e000c02683208687474702f3\
    12e310016000000170000000d002a0028040305030603080708080809080a080b08040805080604010501060103030301030204020502060200\
    2b0009080304030303020301002d00020101003300260024001d0020a5060bdb5489af16c5e2a8ac447f7da772ef8f535f3708f700761e75eda\
    4e514";
/// `openssl s_client -noservername -tls1_2`, OpenSSL 3.0.
const OPENSSL_OLD: &str = "16030100b7010000b3030375cdce52dac75357ec09edad5c2192c776a7e6e4929a35af7534703a0a3e730b000038c0\
    2cc030009fcca9cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f00ff01000\
    052000b000403000102000a000c000a001d0017001e00190018002300000016000000170000000d002a0028040305030603080708080809080a\
    080b080408050806040105010601030303010302040205020602";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// What our own TLS library says first, post-quantum key share included.
fn rustls(name: &str, alpn: &[&str]) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut bytes = Vec::new();
    client.write_tls(&mut bytes).unwrap();
    bytes
}

/// The message inside one record, cut into records of at most `size` bytes.
fn cut(hello: &[u8], size: usize) -> Vec<u8> {
    let cut = |piece: &[u8]| {
        let length = u16::try_from(piece.len()).unwrap().to_be_bytes();
        [&[22, 3, 1], length.as_slice(), piece].concat()
    };
    hello[5..].chunks(size).flat_map(cut).collect()
}

fn expect(sni: Option<&str>) -> Parsed {
    Parsed::Hello(ClientHello {
        sni: sni.map(ToOwned::to_owned),
    })
}

#[test]
fn real_hellos_are_read() {
    assert_eq!(parse(&hex(OPENSSL)), expect(Some("www.reddit.com")));
    assert_eq!(parse(&hex(OPENSSL_OLD)), expect(None));
    assert_eq!(
        parse(&rustls("www.linkedin.com", &["h2", "http/1.1"])),
        expect(Some("www.linkedin.com"))
    );
    assert_eq!(parse(&rustls("192.0.2.1", &[])), expect(None));
}

#[test]
fn a_post_quantum_hello_is_larger_than_a_segment_and_is_read_from_many_records() {
    let hello = rustls("www.linkedin.com", &["h2"]);
    assert!(hello.len() > 1400, "{}", hello.len());
    for size in [25, 100, 700, 1460] {
        assert_eq!(parse(&cut(&hello, size)), expect(Some("www.linkedin.com")), "{size}");
    }
    assert_eq!(
        parse(&cut(&hello, 10)),
        Parsed::Malformed("the client hello is cut into too many records")
    );
}

#[test]
fn every_prefix_of_a_real_hello_needs_more() {
    for hello in [
        hex(OPENSSL),
        hex(OPENSSL_OLD),
        cut(&rustls("www.linkedin.com", &["h2"]), 100),
    ] {
        for length in 0..hello.len() {
            assert_eq!(parse(&hello[..length]), Parsed::NeedMore, "{length}");
        }
    }
}

/// A hello with these extensions, raw, in one record.
fn with_extensions(extensions: &[(u16, &[u8])]) -> Vec<u8> {
    let mut list = Vec::new();
    for (kind, data) in extensions {
        list.extend(kind.to_be_bytes());
        list.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        list.extend(*data);
    }
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend(u16::try_from(list.len()).unwrap().to_be_bytes());
    body.extend(list);
    record(&message_of(&body))
}

fn message_of(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[1], &length[1..], body].concat()
}

fn record(content: &[u8]) -> Vec<u8> {
    [
        &[22, 3, 1],
        u16::try_from(content.len()).unwrap().to_be_bytes().as_slice(),
        content,
    ]
    .concat()
}

#[test]
fn what_two_readers_could_read_differently_is_malformed() {
    let name = |name: &[u8]| {
        let length = u8::try_from(name.len()).unwrap();
        [&[0, length + 3, 0, 0, length], name].concat()
    };
    let two_names = [&[0, 10, 0, 0, 2], b"a.".as_slice(), &[0, 0, 2], b"b."].concat();
    for (extensions, why) in [
        (
            vec![(0, name(b"a.com")), (0, name(b"b.com"))],
            "an extension comes twice",
        ),
        (vec![(0, two_names)], "the server name extension is malformed"),
        (vec![(0, name(b""))], "the server name extension is malformed"),
        (vec![(0, name(b"a\0b"))], "the server name extension is malformed"),
        (
            vec![(0, name("b\u{fc}cher".as_bytes()))],
            "the server name extension is malformed",
        ),
        (vec![(0, vec![])], "the server name extension is malformed"),
    ] {
        let borrowed: Vec<(u16, &[u8])> = extensions.iter().map(|(kind, data)| (*kind, data.as_slice())).collect();
        assert_eq!(
            parse(&with_extensions(&borrowed)),
            Parsed::Malformed(why),
            "{extensions:?}"
        );
    }
}

#[test]
fn what_is_no_hello_is_malformed_as_soon_as_it_shows() {
    let whole = hex(OPENSSL);
    for (bytes, why) in [
        (vec![23], "a record is not of type handshake"),
        (vec![22, 2], "a record is not of TLS 1.x"),
        (vec![22, 3, 1, 0, 0], "a handshake record is empty"),
        (vec![22, 3, 1, 0x40, 1], "a record is longer than 16 KiB"),
        (record(&[2]), "the first handshake message is not a client hello"),
        (record(&[1, 0, 0x40, 1]), "the client hello is longer than 16 KiB"),
        (record(&message_of(&[3, 3])), "the client hello ends early"),
        (
            record(&[&whole[5..], &[0]].concat()),
            "something follows the client hello in its record",
        ),
        (
            [&cut(&whole, 100)[..105], &[23]].concat(),
            "a record is not of type handshake",
        ),
    ] {
        assert_eq!(parse(&bytes), Parsed::Malformed(why));
    }
}

#[test]
fn a_hello_of_sixteen_kibibytes_is_read() {
    let padding = vec![0; 16_000];
    let hello = with_extensions(&[(21, &padding)]);
    assert_eq!(parse(&hello), expect(None));
    assert_eq!(parse(&cut(&hello, 1400)), expect(None));
}

proptest! {
    #[test]
    fn it_never_panics_and_an_answer_once_given_stands(
        change in proptest::option::of((0..338_usize, any::<u8>())),
        size in 8..400_usize,
        tail in proptest::collection::vec(any::<u8>(), 0..20),
    ) {
        let mut bytes = cut(&hex(OPENSSL), size);
        if let Some((at, value)) = change {
            bytes[at] = value;
        }
        bytes.extend(tail);
        let whole = parse(&bytes);
        let first = (0..=bytes.len()).map(|n| parse(&bytes[..n])).find(|answer| *answer != Parsed::NeedMore);
        prop_assert_eq!(first.unwrap_or(Parsed::NeedMore), whole);
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        let _ = parse(&record(&message_of(&bytes)));
        let _ = parse(&with_extensions(&[(0, &bytes), (16, &bytes)]));
    }
}
