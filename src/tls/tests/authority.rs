//! Making, keeping and renewing an authority.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::facts::SubjectId;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn key_files_and_folder_are_their_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let certs = folder.path().join("deep/certs");
    constrained(&certs, &["linkedin.com"]);
    founding::client(&certs, &SubjectId::parse("ada").unwrap(), 30, false, noon()).unwrap();
    for key in ["root.key", "issuing.key", "clients.key", "clients/ada.key"] {
        assert_eq!(mode(&certs.join(key)), 0o600, "{key}");
    }
    assert_eq!(mode(&certs), 0o700);
    assert_eq!(mode(&certs.join("clients")), 0o700);
    assert_eq!(mode(&certs.join("root.pem")), 0o644);
}

#[test]
fn a_checked_out_folder_is_closed_and_a_foreign_one_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for (name, extra, expected) in [("certs", "README.md", 0o700), ("etc", "hosts", 0o755)] {
        let certs = folder.path().join(name);
        fs::create_dir(&certs).unwrap();
        fs::set_permissions(&certs, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(certs.join(extra), "").unwrap();
        constrained(&certs, &["linkedin.com"]);
        assert_eq!(mode(&certs), expected, "{name}");
        assert_eq!(mode(&certs.join("issuing.key")), 0o600);
    }
}

#[test]
fn nothing_is_overwritten_without_force() {
    let folder = tempfile::tempdir().unwrap();
    let first = constrained(folder.path(), &["linkedin.com"]);
    let key = fs::read_to_string(folder.path().join("root.key")).unwrap();
    let mut wanted = Founding {
        organisation: "Other",
        only: None,
        force: false,
    };
    let refused = founding::init(folder.path(), &wanted, noon()).err().unwrap();
    assert!(refused.to_string().contains("`--force`"), "{refused}");
    assert_eq!(fs::read_to_string(folder.path().join("root.key")).unwrap(), key);
    assert_eq!(Issuer::load(folder.path()).unwrap().root(), first.root());

    wanted.force = true;
    let second = founding::init(folder.path(), &wanted, noon()).unwrap();
    assert_ne!(second.root(), first.root());
    assert_eq!(mode(&folder.path().join("root.key")), 0o600);
    let left: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 6, "{left:?}");
}

#[test]
fn even_one_file_that_is_there_stops_everything() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("root.pem"), "mine").unwrap();
    let wanted = Founding {
        organisation: "Test",
        only: None,
        force: false,
    };
    assert!(founding::init(folder.path(), &wanted, noon()).is_err());
    assert!(!folder.path().join("root.key").exists());
    assert_eq!(fs::read_to_string(folder.path().join("root.pem")).unwrap(), "mine");
}

#[test]
fn the_root_key_can_go_off_line_and_come_back_to_renew() {
    let (folder, safe) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = constrained(folder.path(), &["linkedin.com"]);
    let away = safe.path().join("root.key");
    fs::rename(folder.path().join("root.key"), &away).unwrap();
    assert!(Issuer::load(folder.path()).is_ok());

    let later = noon().plus(DAY * 350);
    let missing = founding::renew(folder.path(), None, None, later).err().unwrap();
    assert!(missing.to_string().contains("--root-key"), "{missing}");
    let wrong = folder.path().join("issuing.key");
    let mismatch = founding::renew(folder.path(), Some(&wrong), None, later).err().unwrap();
    assert!(matches!(mismatch, TlsProblem::KeyMismatch { .. }), "{mismatch}");

    let renewed = founding::renew(folder.path(), Some(&away), Some(&[host("x.com")]), later).unwrap();
    assert_eq!(renewed.root(), first.root());
    assert!(first.issuing().validity.until < renewed.issuing().validity.until);
    assert!(renewed.permits(&host("www.x.com")) && !renewed.permits(&host("linkedin.com")));
    assert!(
        renewed.issuing().subject.contains("Ünit"),
        "{}",
        renewed.issuing().subject
    );
}

#[test]
fn the_intermediate_never_outlives_the_root() {
    let folder = tempfile::tempdir().unwrap();
    let first = constrained(folder.path(), &["linkedin.com"]);
    let renewed = founding::renew(folder.path(), None, None, noon().plus(DAY * 3600)).unwrap();
    assert_eq!(renewed.issuing().validity.until, first.root().validity.until);
    let over = founding::renew(folder.path(), None, None, noon().plus(DAY * 3651))
        .err()
        .unwrap();
    assert!(matches!(over, TlsProblem::NotValidNow { .. }), "{over}");
}

#[test]
fn an_authority_for_no_name_is_refused_rather_than_made_for_all() {
    let folder = tempfile::tempdir().unwrap();
    for only in [vec![], vec![host("10.0.0.1")]] {
        let wanted = Founding {
            organisation: "Test",
            only: Some(&only),
            force: false,
        };
        let refused = founding::init(folder.path(), &wanted, noon()).err().unwrap();
        assert!(matches!(refused, TlsProblem::NothingToSpeakFor), "{refused}");
    }
}

#[test]
fn a_missing_authority_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Issuer::load(folder.path()).err().unwrap();
    assert!(missing.to_string().contains("wayleave ca init"), "{missing}");
}

#[test]
fn a_name_that_is_no_file_name_stays_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let made = founding::client(folder.path(), &SubjectId::parse("../é").unwrap(), 30, false, noon()).unwrap();
    assert_eq!(made.certificate, folder.path().join("clients/%2E%2E%2F%C3%A9.pem"));
    let long = SubjectId::parse(&"a".repeat(65)).unwrap();
    assert!(founding::client(folder.path(), &long, 30, false, noon()).is_err());
}
