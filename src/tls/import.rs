//! Bringing a company's own intermediate: read, doubted, tried, and only then kept.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::KeyPair;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use super::authority::Issuer;
use super::certificate::{Certificate, Validity};
use super::files::{self, Batch};
use super::problem::TlsProblem;
use super::{DAY, provider};
use crate::clock::Timestamp;
use crate::facts::Host;

/// An authority that was brought, and what its owner should know about it.
pub struct Imported {
    /// The authority.
    pub issuer: Issuer,
    /// What works, but not well.
    pub warnings: Vec<String>,
}

/// Puts the certificate whose key is in `key` into `folder`, with what leads to its root. `certificate` is a PEM file
/// with the whole chain, in any order; the root may be left out.
pub fn import(
    folder: &Path,
    certificate: &Path,
    key: &Path,
    force: bool,
    now: Timestamp,
) -> Result<Imported, TlsProblem> {
    let (pair, key_der) = files::key(key)?;
    let mut given = files::certificates(certificate)?;
    let own = given.iter().position(|one| one.public_key == pair.public_key_raw());
    let Some(own) = own else {
        return Err(TlsProblem::KeyMismatch {
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        });
    };
    let mut line = vec![given.swap_remove(own)];
    climb(&mut line, &mut given);
    for (below, one) in line.iter().enumerate() {
        check(one, below, now)?;
    }
    let mut warnings = warnings(&line, &given, &pair, now);
    let root = match line.last() {
        Some(last) if last.is_self_issued() => last.clone(),
        Some(last) => {
            warnings.push(format!(
                "the root is not in `{}`: machines must trust it already; `{}` is the highest certificate known here",
                certificate.display(),
                last.subject
            ));
            last.clone()
        }
        None => {
            return Err(TlsProblem::NoCertificate {
                path: certificate.to_owned(),
            });
        }
    };
    if 1 < line.len() && root.is_self_issued() {
        line.pop();
    }
    let chain_pem: String = line.iter().map(Certificate::pem).collect();
    let issuer = Issuer::assemble(line, Some(root.clone()), pair)?;
    try_out(&issuer, now)?;

    files::private_folder(folder)?;
    Batch {
        force,
        files: vec![
            (folder.join(files::ISSUING_KEY), &files::key_pem(&key_der), true),
            (folder.join(files::ISSUING), &chain_pem, false),
            (folder.join(files::ROOT), &root.pem(), false),
        ],
    }
    .write()?;
    Ok(Imported { issuer, warnings })
}

/// Moves what leads from the last certificate of `line` to its root over from `given`.
fn climb(line: &mut Vec<Certificate>, given: &mut Vec<Certificate>) {
    while let Some(last) = line.last() {
        if last.is_self_issued() {
            return;
        }
        let above = given.iter().position(|one| one.subject_der == last.issuer_der);
        match above {
            Some(above) => line.push(given.swap_remove(above)),
            None => return,
        }
    }
}

/// Whether a certificate with `below` authorities under it may be where it is.
fn check(one: &Certificate, below: usize, now: Timestamp) -> Result<(), TlsProblem> {
    let refused = |why: String| TlsProblem::NotAnAuthority {
        subject: one.subject.clone(),
        why,
    };
    one.may_sign.clone().map_err(refused)?;
    // Our verifier does not ask this of roots; browsers do.
    if let Some(most) = one
        .path_length
        .filter(|most| usize::try_from(*most).is_ok_and(|most| most < below))
    {
        return Err(refused(format!(
            "its path length is {most}, and {below} authorities stand below it"
        )));
    }
    if !one.validity.holds(now) {
        return Err(TlsProblem::NotValidNow {
            subject: one.subject.clone(),
            from: one.validity.from,
            until: one.validity.until,
            help: "ask who signed it for a new one, or check this machine's clock",
        });
    }
    Ok(())
}

fn warnings(line: &[Certificate], left: &[Certificate], pair: &KeyPair, now: Timestamp) -> Vec<String> {
    let mut warnings = Vec::new();
    if line.first().is_some_and(|one| one.is_rsa) {
        warnings.push(
            "the key is RSA: each new host costs about a millisecond of a core; an intermediate with a P-256 key is \
             thirty times faster"
                .to_owned(),
        );
    }
    if let Some(own) = line.first().filter(|one| one.is_self_issued()) {
        warnings.push(format!(
            "`{}` is a root: whoever gets its key from here can speak for any host for as long as machines trust it; \
             import an intermediate that it signed, and keep the root's key off line",
            own.subject
        ));
    } else if line.iter().all(|one| one.constraints.is_none()) {
        warnings.push(
            "no name constraints: whoever gets the key from here can speak for any host; ask for an intermediate that is \
             constrained to the hosts you inspect"
                .to_owned(),
        );
    }
    if pair.is_compatible(&rcgen::PKCS_ED25519) {
        warnings.push("the key is Ed25519: browsers do not accept its signatures; use P-256".to_owned());
    }
    for one in line.iter().filter(|one| one.validity.until < now.plus(DAY * 30)) {
        warnings.push(format!("`{}` expires soon: {}", one.subject, one.validity.until));
    }
    for one in left {
        warnings.push(format!("`{}` is not part of the chain and was left out", one.subject));
    }
    warnings
}

/// Signs a leaf and verifies it as a browser would: signatures, path lengths, constraints and usages of the whole
/// chain. An authority that may speak for no host that we can guess is not tried.
fn try_out(issuer: &Issuer, now: Timestamp) -> Result<(), TlsProblem> {
    let below = |name: &String| format!("www.{}", name.trim_start_matches('.'));
    let constraints = issuer.issuing().constraints.iter();
    let names = constraints.flat_map(|constraints| constraints.permitted_names().iter().map(below));
    let candidates = ["www.example.com".to_owned()].into_iter().chain(names);
    let host = candidates
        .filter_map(|name| Host::parse(&name).ok())
        .find(|host| issuer.permits(host));
    let Some(host) = host else {
        return Ok(());
    };
    let refused = |why: String| TlsProblem::NotAnAuthority {
        subject: issuer.issuing().subject.clone(),
        why,
    };
    let time = Validity {
        from: now,
        until: now.plus(DAY),
    };
    let leaf = issuer
        .sign(std::slice::from_ref(&host), &KeyPair::generate()?, time)
        .map_err(|why| refused(why.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add(issuer.root().der.clone())?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider())
        .build()
        .map_err(|why| TlsProblem::Crypto(why.to_string()))?;
    let name = ServerName::try_from(host.as_str().to_owned()).map_err(|why| TlsProblem::Crypto(why.to_string()))?;
    let chain: Vec<CertificateDer<'static>> = issuer.sent_chain().collect();
    let at = UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0)));
    verifier
        .verify_server_cert(&leaf, &chain, &name, &[], at)
        .map(drop)
        .map_err(|why| refused(format!("a trial certificate for `{host}` did not verify ({why})")))
}
