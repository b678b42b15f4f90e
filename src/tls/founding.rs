//! Making an authority: a root that can go off line, an intermediate that signs, and one more for client certificates.
//!
//! The authority of client certificates stands alone, under no root: machines that trust the root for sites need not
//! know it, only the TLS port does, and it works the same beside an imported intermediate.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair,
    KeyUsagePurpose, NameConstraints, SanType,
};
use zeroize::Zeroizing;

use super::DAY;
use super::authority::{Issuer, Signer, before, blank};
use super::certificate::{Certificate, Validity};
use super::files::{self, Batch};
use super::problem::TlsProblem;
use crate::clock::Timestamp;
use crate::facts::{Host, SubjectId};

/// Days that roots are valid: ten years.
const ROOT_DAYS: u32 = 3650;
/// Days that the issuing intermediate is valid.
const ISSUING_DAYS: u32 = 365;
/// Clients' clocks may be a day behind when a new authority is given to them.
const BACKDATED: Duration = DAY;
/// Common names end at 64 characters (RFC 5280, `ub-common-name`); ours add a few to the organisation's.
const LONGEST_ORGANISATION: usize = 40;
const LONGEST_COMMON_NAME: usize = 64;

/// What to make.
#[derive(Clone, Debug)]
pub struct Founding<'a> {
    /// Whose authority it is, as people will read it in certificates.
    pub organisation: &'a str,
    /// The hosts that it may speak for, with what is below them; `None` for any.
    pub only: Option<&'a [Host]>,
    /// Replace an authority that is there.
    pub force: bool,
}

/// A client certificate that was made.
#[derive(Clone, Debug)]
pub struct ClientFiles {
    /// The certificate, with its authority's after it.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// Until when it is valid.
    pub until: Timestamp,
}

/// A certificate and its key.
struct Made {
    certificate: Certificate,
    key: KeyPair,
}

/// Makes an authority in `folder`: root, issuing intermediate, and the authority of client certificates if there is
/// none yet, each with its key.
pub fn init(folder: &Path, founding: &Founding<'_>, now: Timestamp) -> Result<Issuer, TlsProblem> {
    let root = Made::root("root", founding.organisation, now)?;
    let (root_pem, root_key) = (root.certificate.pem(), root.key_pem());
    let issuing = root.sign_issuing(founding.organisation, founding.only, now)?;
    let (issuing_pem, issuing_key) = (issuing.certificate.pem(), issuing.key_pem());
    files::private_folder(folder)?;
    Batch {
        force: founding.force,
        files: vec![
            (folder.join(files::ROOT_KEY), &root_key, true),
            (folder.join(files::ISSUING_KEY), &issuing_key, true),
            (folder.join(files::ISSUING), &issuing_pem, false),
            (folder.join(files::ROOT), &root_pem, false),
        ],
    }
    .write()?;
    if !files::exists(&folder.join(files::CLIENTS)) {
        make_clients(folder, founding.organisation, now)?;
    }
    Issuer::load(folder)
}

/// Signs a new issuing intermediate with the root that is there; machines that trust the root need nothing new.
pub fn renew(
    folder: &Path,
    root_key: Option<&Path>,
    only: Option<&[Host]>,
    now: Timestamp,
) -> Result<Issuer, TlsProblem> {
    let path = folder.join(files::ROOT);
    if !files::exists(&path) {
        return Err(TlsProblem::NoAuthority {
            folder: folder.to_owned(),
        });
    }
    let root = first(files::certificates(&path)?, &path)?;
    let key_path = root_key.map_or_else(|| folder.join(files::ROOT_KEY), Path::to_owned);
    if !files::exists(&key_path) {
        return Err(TlsProblem::RootKeyAway { path: key_path });
    }
    let (key, _) = files::key(&key_path)?;
    if root.public_key != key.public_key_raw() {
        return Err(TlsProblem::KeyMismatch {
            certificate: path,
            key: key_path,
        });
    }
    if !root.validity.holds(now) {
        return Err(TlsProblem::NotValidNow {
            subject: root.subject,
            from: root.validity.from,
            until: root.validity.until,
            help: "make a new authority with `wayleave ca init --force`",
        });
    }
    let organisation = root.organisation.clone().unwrap_or_else(|| "Wayleave".to_owned());
    let root = Made { certificate: root, key };
    let issuing = root.sign_issuing(&organisation, only, now)?;
    Batch {
        force: true,
        files: vec![
            (folder.join(files::ISSUING_KEY), &issuing.key_pem(), true),
            (folder.join(files::ISSUING), &issuing.certificate.pem(), false),
        ],
    }
    .write()?;
    Issuer::load(folder)
}

/// An authority in memory only.
pub(super) fn temporary(now: Timestamp, only: Option<&[Host]>) -> Result<Issuer, TlsProblem> {
    let root = Made::root("temporary root", "Wayleave", now)?;
    let anchor = root.certificate.clone();
    let issuing = root.sign_issuing("Wayleave", only, now)?;
    Issuer::assemble(vec![issuing.certificate], Some(anchor), issuing.key)
}

/// Makes a client certificate for `name`, good for `days`: the common name is the user name, and so is the end of the
/// alternative name `wayleave:user:NAME`.
pub fn client(
    folder: &Path,
    name: &SubjectId,
    days: u16,
    force: bool,
    now: Timestamp,
) -> Result<ClientFiles, TlsProblem> {
    let too_long = || TlsProblem::NameTooLong(name.to_string(), LONGEST_COMMON_NAME);
    if LONGEST_COMMON_NAME < name.as_str().chars().count() {
        return Err(too_long());
    }
    files::private_folder(folder)?;
    let authority = folder.join(files::CLIENTS);
    if !files::exists(&authority) {
        make_clients(folder, "Wayleave", now)?;
    }
    let certificate = first(files::certificates(&authority)?, &authority)?;
    let (key, _) = files::key(&folder.join(files::CLIENTS_KEY))?;
    let authority_pem = certificate.pem();
    let time = lasting(now, u32::from(days)).narrowed(&certificate.validity);

    let mut wanted = blank(time)?;
    wanted.distinguished_name.push(DnType::CommonName, name.as_str());
    let uri = format!("wayleave:user:{}", utf8_percent_encode(name.as_str(), ESCAPED));
    wanted.subject_alt_names = vec![SanType::URI(uri.as_str().try_into().map_err(|_| too_long())?)];
    wanted.is_ca = IsCa::ExplicitNoCa;
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let made = Made::signed_by(&Signer::new(&certificate, key), wanted)?;

    let shelf = folder.join(files::CLIENTS_MADE);
    files::private_folder(&shelf)?;
    let stem = utf8_percent_encode(name.as_str(), ESCAPED).to_string();
    let (certificate, key) = (shelf.join(format!("{stem}.pem")), shelf.join(format!("{stem}.key")));
    Batch {
        force,
        files: vec![
            (key.clone(), &made.key_pem(), true),
            (certificate.clone(), &(made.certificate.pem() + &authority_pem), false),
        ],
    }
    .write()?;
    Ok(ClientFiles {
        certificate,
        key,
        until: made.certificate.validity.until,
    })
}

/// The issuing certificate that is there, if one is.
pub fn issuing(folder: &Path) -> Result<Option<Certificate>, TlsProblem> {
    at_hand(&folder.join(files::ISSUING))
}

/// Where the certificate lies that every machine is given.
pub fn root_file(folder: &Path) -> PathBuf {
    folder.join(files::ROOT)
}

/// Whether it lies there.
pub fn has_root(folder: &Path) -> bool {
    files::exists(&root_file(folder))
}

/// Whether the root's key still lies on this machine, where it need not be.
pub fn root_key_is_here(folder: &Path) -> bool {
    files::exists(&folder.join(files::ROOT_KEY))
}

/// The authority of client certificates, if there is one.
pub fn clients(folder: &Path) -> Result<Option<Certificate>, TlsProblem> {
    at_hand(&folder.join(files::CLIENTS))
}

fn at_hand(path: &Path) -> Result<Option<Certificate>, TlsProblem> {
    if !files::exists(path) {
        return Ok(None);
    }
    first(files::certificates(path)?, path).map(Some)
}

/// What a user name may not be in a URI or a file name; a dot could make a name hidden, or a way up.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'@');

fn make_clients(folder: &Path, organisation: &str, now: Timestamp) -> Result<(), TlsProblem> {
    let clients = Made::root("client certificates", organisation, now)?;
    Batch {
        force: false,
        files: vec![
            (folder.join(files::CLIENTS_KEY), &clients.key_pem(), true),
            (folder.join(files::CLIENTS), &clients.certificate.pem(), false),
        ],
    }
    .write()
}

impl Made {
    /// A self-signed authority. Its name ends in a few random digits: two authorities with one name and different
    /// keys confuse browsers.
    fn root(role: &str, organisation: &str, now: Timestamp) -> Result<Self, TlsProblem> {
        let mut wanted = named(role, organisation, lasting(now, ROOT_DAYS))?;
        wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(1));
        let key = KeyPair::generate()?;
        let signed = wanted.self_signed(&key)?;
        Self::read(signed.der(), key)
    }

    /// The intermediate that signs leaves: no further authority below it, for servers only, for `only` these hosts.
    fn sign_issuing(self, organisation: &str, only: Option<&[Host]>, now: Timestamp) -> Result<Self, TlsProblem> {
        let time = lasting(now, ISSUING_DAYS).narrowed(&self.certificate.validity);
        let mut wanted = named("issuing", organisation, time)?;
        wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        wanted.name_constraints = only.map(constraints).transpose()?;
        Self::signed_by(&Signer::new(&self.certificate, self.key), wanted)
    }

    fn signed_by(signer: &Signer, wanted: CertificateParams) -> Result<Self, TlsProblem> {
        let key = KeyPair::generate()?;
        Self::read(&signer.certify(wanted, &key)?, key)
    }

    fn read(der: &rustls::pki_types::CertificateDer<'static>, key: KeyPair) -> Result<Self, TlsProblem> {
        let certificate = Certificate::read(der).map_err(TlsProblem::Crypto)?;
        Ok(Self { certificate, key })
    }

    fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.key.serialize_pem())
    }
}

/// An authority's certificate to fill in.
fn named(role: &str, organisation: &str, time: Validity) -> Result<CertificateParams, TlsProblem> {
    if organisation.is_empty() || LONGEST_ORGANISATION < organisation.chars().count() {
        return Err(TlsProblem::NameTooLong(organisation.to_owned(), LONGEST_ORGANISATION));
    }
    let mut wanted = blank(time)?;
    let serial = wanted
        .serial_number
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let digits: String = serial.chars().filter(char::is_ascii_hexdigit).take(6).collect();
    wanted.distinguished_name.push(DnType::OrganizationName, organisation);
    wanted
        .distinguished_name
        .push(DnType::CommonName, format!("{organisation} {role} {digits}"));
    wanted.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(wanted)
}

/// Names permit themselves and what is below them; addresses only themselves, and none unless one is named, since a
/// constraint on names says nothing about addresses (RFC 5280 §4.2.1.10).
fn constraints(only: &[Host]) -> Result<NameConstraints, TlsProblem> {
    let subtree = |host: &Host| match host.as_ip() {
        Some(address) => GeneralSubtree::IpAddress(just(address)),
        None => GeneralSubtree::DnsName(host.as_str().to_owned()),
    };
    if !only.iter().any(|host| host.as_ip().is_none()) {
        return Err(TlsProblem::NothingToSpeakFor);
    }
    let every_address = [
        GeneralSubtree::IpAddress(CidrSubnet::V4([0; 4], [0; 4])),
        GeneralSubtree::IpAddress(CidrSubnet::V6([0; 16], [0; 16])),
    ];
    let some_address = only.iter().any(|host| host.as_ip().is_some());
    Ok(NameConstraints {
        permitted_subtrees: only.iter().map(subtree).collect(),
        excluded_subtrees: if some_address {
            Vec::new()
        } else {
            every_address.to_vec()
        },
    })
}

fn just(address: IpAddr) -> CidrSubnet {
    match address {
        IpAddr::V4(address) => CidrSubnet::V4(address.octets(), [255; 4]),
        IpAddr::V6(address) => CidrSubnet::V6(address.octets(), [255; 16]),
    }
}

/// From a day ago until `days` from now.
fn lasting(now: Timestamp, days: u32) -> Validity {
    Validity {
        from: before(now, BACKDATED),
        until: now.plus(DAY * days),
    }
}

fn first(certificates: Vec<Certificate>, path: &Path) -> Result<Certificate, TlsProblem> {
    certificates
        .into_iter()
        .next()
        .ok_or_else(|| TlsProblem::NoCertificate { path: path.to_owned() })
}
