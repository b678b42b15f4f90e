//! The little of DER and PEM that we write ourselves. Pure.
//!
//! The certificate library keeps a distinguished name as a map, so `DC=corp, DC=example, DC=com` would lose two of its
//! parts and no client would find the issuer of our leaves. So the issuer's name is put in byte for byte.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One element: its header and content, and its content alone.
struct Element<'a> {
    whole: &'a [u8],
    content: &'a [u8],
}

/// Takes the first element off; `None` if the bytes are not DER.
fn take(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&first, after) = bytes.get(1..)?.split_first()?;
    let (length, content) = if first < 0x80 {
        (usize::from(first), after)
    } else {
        let digits = after.get(..usize::from(first & 0x7f))?;
        let long = digits.iter().try_fold(0_usize, |sum, digit| {
            sum.checked_mul(256)?.checked_add(usize::from(*digit))
        })?;
        (long, after.get(digits.len()..)?)
    };
    let header = bytes.len().checked_sub(content.len())?;
    let (whole, rest) = bytes.split_at_checked(header.checked_add(length)?)?;
    let element = Element {
        whole,
        content: whole.get(header..)?,
    };
    Some((element, rest))
}

/// A SEQUENCE of the parts.
fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.iter().copied().skip_while(|digit| *digit == 0).collect();
    let mut out = vec![0x30];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(_) | Err(_) => {
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(0));
            out.extend_from_slice(&digits);
        }
    }
    out.extend_from_slice(&content);
    out
}

/// A `TBSCertificate` with another issuer (RFC 5280 §4.1: version, serial, algorithm, issuer, …).
pub(super) fn with_issuer(tbs: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let (tbs, _) = take(tbs)?;
    let (version, rest) = take(tbs.content)?;
    let (serial, rest) = take(rest)?;
    let (algorithm, rest) = take(rest)?;
    let (_, rest) = take(rest)?;
    Some(sequence(&[version.whole, serial.whole, algorithm.whole, issuer, rest]))
}

/// A certificate with another issuer; its signature must have been made over that.
pub(super) fn certificate_with_issuer(certificate: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let (certificate, _) = take(certificate)?;
    let (tbs, rest) = take(certificate.content)?;
    Some(sequence(&[&with_issuer(tbs.whole, issuer)?, rest]))
}

/// A PEM block (RFC 7468).
pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = format!("-----BEGIN {label}-----\n");
    let mut rest = text.as_str();
    while let Some((line, more)) = rest.split_at_checked(64) {
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    if !rest.is_empty() {
        out.push_str(rest);
        out.push('\n');
    }
    out.push_str("-----END ");
    out.push_str(label);
    out.push_str("-----\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sequence_is_read_back_whatever_its_length() {
        for size in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7_u8; size];
            let bytes = [sequence(&[&content]), vec![9]].concat();
            let (element, rest) = take(&bytes).unwrap();
            assert_eq!(element.content, content);
            assert_eq!(rest, [9]);
        }
    }

    #[test]
    fn the_issuer_is_replaced_and_nothing_else() {
        let tbs = sequence(&[&[0xa0, 1, 2], &[2, 1, 5], &[0x30, 0], &[0x30, 1, 8], &[4, 1, 6]]);
        let other = sequence(&[&[0xa0, 1, 2], &[2, 1, 5], &[0x30, 0], &[0x30, 2, 1, 1], &[4, 1, 6]]);
        assert_eq!(with_issuer(&tbs, &[0x30, 2, 1, 1]).unwrap(), other);
    }

    #[test]
    fn pem_lines_are_64_characters_long() {
        assert_eq!(pem("X", &[0; 48]).lines().nth(1).unwrap().len(), 64);
        assert_eq!(pem("X", &[0; 48]).lines().count(), 3);
        assert_eq!(pem("X", b"a"), "-----BEGIN X-----\nYQ==\n-----END X-----\n");
    }

    proptest::proptest! {
        #[test]
        fn garbage_never_panics(bytes: Vec<u8>) {
            drop(certificate_with_issuer(&bytes, &bytes));
        }
    }
}
