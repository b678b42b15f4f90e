//! Key and certificate files: read with reasons, written so that no secret is ever readable by others.
#![expect(
    clippy::disallowed_methods,
    reason = "door: reads and writes the files of the certificate authority"
)]

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use zeroize::Zeroizing;

use super::certificate::Certificate;
use super::der;
use super::problem::TlsProblem;

/// The root, as given to every machine.
pub(super) const ROOT: &str = "root.pem";
/// The root's key; belongs off line.
pub(super) const ROOT_KEY: &str = "root.key";
/// The issuing intermediate, then what leads to the root.
pub(super) const ISSUING: &str = "issuing.pem";
/// The issuing intermediate's key.
pub(super) const ISSUING_KEY: &str = "issuing.key";
/// The authority of client certificates.
pub(super) const CLIENTS: &str = "clients.pem";
/// Its key.
pub(super) const CLIENTS_KEY: &str = "clients.key";
/// The folder of the client certificates that were made.
pub(super) const CLIENTS_MADE: &str = "clients";

/// No PEM file of keys or certificates is larger; a device has no end.
const LARGEST: u64 = 1 << 20;

fn read(path: &Path) -> Result<Vec<u8>, TlsProblem> {
    let unread = |source| read_problem(path, source);
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(unread)?;
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(unread)?;
    if bytes.len() as u64 > LARGEST {
        return Err(unread(io::Error::other(format!("it is larger than {LARGEST} bytes"))));
    }
    Ok(bytes)
}

/// Every certificate of a PEM file, at least one.
pub(super) fn certificates(path: &Path) -> Result<Vec<Certificate>, TlsProblem> {
    let text = read(path)?;
    let bad = |why: String| TlsProblem::BadCertificate {
        path: path.to_owned(),
        why,
    };
    let found = CertificateDer::pem_slice_iter(&text)
        .map(|der| {
            let der = der.map_err(|why| bad(why.to_string()))?;
            Certificate::read(&der).map_err(bad)
        })
        .collect::<Result<Vec<_>, _>>()?;
    if found.is_empty() {
        return Err(TlsProblem::NoCertificate { path: path.to_owned() });
    }
    Ok(found)
}

/// The private key of a PEM file: PKCS#8, SEC1 or PKCS#1, whatever else the file holds.
pub(super) fn key(path: &Path) -> Result<(KeyPair, PrivateKeyDer<'static>), TlsProblem> {
    let text = Zeroizing::new(String::from_utf8(read(path)?).map_err(|why| {
        drop(Zeroizing::new(why.into_bytes()));
        read_problem(path, io::Error::other("it is no text, as PEM is"))
    })?);
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(TlsProblem::EncryptedKey { path: path.to_owned() });
    }
    let bad = |why: String| TlsProblem::BadKey {
        path: path.to_owned(),
        why,
    };
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|why| bad(why.to_string()))?;
    let pair = KeyPair::try_from(&der).map_err(|why| bad(why.to_string()))?;
    warn_if_shared(path);
    Ok((pair, der))
}

/// A private key in PEM, under the label of its form.
pub(super) fn key_pem(key: &PrivateKeyDer<'_>) -> Zeroizing<String> {
    let label = match key {
        PrivateKeyDer::Pkcs1(_) => "RSA PRIVATE KEY",
        PrivateKeyDer::Sec1(_) => "EC PRIVATE KEY",
        PrivateKeyDer::Pkcs8(_) | _ => "PRIVATE KEY",
    };
    Zeroizing::new(der::pem(label, key.secret_der()))
}

/// Keys should be their owner's alone; a mounted secret may have other ways to be safe, so it is only said.
fn warn_if_shared(path: &Path) {
    if let Ok(about) = fs::metadata(path) {
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            tracing::warn!(file = %path.display(), mode = %format!("{mode:o}"), "others may read this private key: chmod 600 it");
        }
    }
}

/// Whether there is something at `path`, a broken link included.
pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// Makes the folder, for its owner alone; one that already holds other things keeps its mode.
pub(super) fn private_folder(path: &Path) -> Result<(), TlsProblem> {
    let failed = |source| write_problem(path, source);
    if !exists(path) {
        return fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(failed);
    }
    let ours = [
        ROOT,
        ROOT_KEY,
        ISSUING,
        ISSUING_KEY,
        CLIENTS,
        CLIENTS_KEY,
        CLIENTS_MADE,
        "README.md",
        ".gitignore",
    ];
    let names = fs::read_dir(path)
        .and_then(Iterator::collect::<io::Result<Vec<_>>>)
        .map_err(failed)?;
    if names
        .iter()
        .all(|entry| ours.iter().any(|name| entry.file_name() == *name))
    {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(failed)?;
    }
    Ok(())
}

/// Files that are written together: first all of them are checked, then all are written.
pub(super) struct Batch<'a> {
    /// Replace what is there.
    pub(super) force: bool,
    /// Path, text, and whether the text is secret.
    pub(super) files: Vec<(PathBuf, &'a str, bool)>,
}

impl Batch<'_> {
    /// Writes them all, each under another name first, so that no reader ever sees half a file.
    pub(super) fn write(&self) -> Result<(), TlsProblem> {
        let taken = self.files.iter().find(|(path, ..)| exists(path));
        if let Some((path, ..)) = taken.filter(|_| !self.force) {
            return Err(TlsProblem::Exists { path: path.clone() });
        }
        self.files
            .iter()
            .try_for_each(|(path, text, secret)| write(path, text, *secret, self.force))
    }
}

fn write(path: &Path, text: &str, secret: bool, force: bool) -> Result<(), TlsProblem> {
    let target = if force { fresh_name(path) } else { path.to_owned() };
    let written = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(if secret { 0o600 } else { 0o644 })
        .open(&target)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| if force { fs::rename(&target, path) } else { Ok(()) });
    written.map_err(|source| {
        if source.kind() == io::ErrorKind::AlreadyExists {
            TlsProblem::Exists { path: target }
        } else {
            write_problem(&target, source)
        }
    })
}

/// Where the new version waits until it is whole.
fn fresh_name(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".new-{}", uuid::Uuid::now_v7().simple()));
    PathBuf::from(name)
}

fn read_problem(path: &Path, source: io::Error) -> TlsProblem {
    TlsProblem::Read {
        path: path.to_owned(),
        source,
    }
}

fn write_problem(path: &Path, source: io::Error) -> TlsProblem {
    TlsProblem::Write {
        path: path.to_owned(),
        source,
    }
}
