//! What a file has of its own.
#![expect(clippy::disallowed_methods, reason = "looks at the ledger's files, and damages them")]

use std::path::PathBuf;

use super::*;
use crate::facts::{NoticeEvent, Scope, Token, TokenHash, TokenId};
use crate::ledger::Looked;
use crate::ledger::sqlite::Sqlite;
use crate::ledger::store::Store as _;

pub(super) struct Folder(tempfile::TempDir);

impl Folder {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("state/ledger.db")
    }
}

impl Home for Folder {
    fn open(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(&self.file())
    }

    fn change(&self, change: &mut (dyn FnMut(&mut dyn Change) + Send)) {
        let mut store = Sqlite::open(&self.file()).unwrap();
        let mut transaction = store.begin().unwrap();
        change(&mut transaction);
        transaction.commit().unwrap();
    }

    fn runs(&self, statement: &str) {
        let file = rusqlite::Connection::open(self.file()).unwrap();
        file.execute_batch(statement).unwrap();
    }
}

#[tokio::test]
async fn what_is_given_is_on_disk_before_the_answer() {
    let folder = Folder::new();
    let ledger = folder.open().unwrap();
    ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    // What a kill at this moment would leave behind: the files as they are, without an orderly end.
    let copy = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(folder.file().parent().unwrap()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    let after = Ledger::open(&copy.path().join("ledger.db")).unwrap();
    assert_eq!(after.standing(&ada(), moment(1_000)).grants().len(), 1);
    drop(ledger);
}

#[tokio::test]
async fn nothing_is_given_where_a_file_was_removed_and_that_is_told_without_asking() {
    for removed in ["ledger.db", "ledger.db-wal"] {
        let folder = Folder::new();
        let ledger = folder.open().unwrap();
        let given = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
        assert_eq!(ledger.healthy(), Ok(()));
        std::fs::remove_file(folder.file().with_file_name(removed)).unwrap();
        let told = ledger.healthy().unwrap_err();
        assert!(told.contains(removed) && told.contains("removed"), "{told}");
        let terms = terms("ada", "press", 1_000, 9_000);
        let promised = ledger.promise(terms.clone(), 1).await.map(|_| ());
        assert!(matches!(promised, Err(LedgerError::Unavailable(_))), "{promised:?}");
        let put = ledger.give(terms).await;
        assert!(matches!(put, Err(LedgerError::Unavailable(_))), "{put:?}");
        let ended = ledger.revoke(&given.id, moment(2_000), |_| ()).await;
        assert!(matches!(ended, Err(LedgerError::Unavailable(_))), "{ended:?}");
        assert_eq!(ledger.standing(&ada(), moment(2_000)).grants(), [given]);
    }
}

#[test]
fn a_ledger_of_before_approvals_keeps_its_grants() {
    let folder = Folder::new();
    drop(folder.open().unwrap());
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    let older = [
        include_str!("../sqlite/migrations/001_grants.sql"),
        include_str!("../sqlite/migrations/004_continued.sql"),
    ];
    file.execute_batch(&format!(
        "DROP TABLE grants; DROP TABLE untold; DROP TABLE notices; DROP TABLE counted; DROP TABLE figures; DROP TABLE told_through; DROP TABLE done; DROP TABLE tokens; DROP TABLE accounts; DROP TABLE digests; {} DELETE FROM schema_version WHERE version >= 5; ALTER TABLE promises DROP COLUMN state; ALTER TABLE promises DROP COLUMN answers; INSERT INTO grants VALUES ('g', 'ada', \
         'recruiting', '[\"xing\"]', '[\"read\"]', 'why', NULL, 'portal', 1, 2, 9000, NULL, 'active', NULL, NULL);",
        older.concat()
    ))
    .unwrap();
    drop(file);
    let ledger = folder.open().unwrap();
    let standing = ledger.standing(&ada(), moment(5));
    let [grant] = standing.grants() else {
        panic!("{standing:?}")
    };
    assert_eq!(
        (grant.statement.as_str(), &grant.answers, grant.answer_by),
        ("why", &Vec::new(), None)
    );
}

#[tokio::test]
async fn what_an_older_gateway_ended_and_did_not_tell_is_told() {
    let folder = Folder::new();
    let ended = Ended {
        by: who("sol"),
        why: "an incident".to_owned(),
    };
    let revoked = {
        let ledger = folder.open().unwrap();
        let given = ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
        let these = vec![(given.id, on_record(GrantAct::Revoked))];
        let revoked = ledger.revoke_all(these, (ended, moment(2_000)), |_, _| ());
        revoked.await.unwrap()
    };
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    file.execute_batch(&format!(
        "DROP TABLE untold; {} DELETE FROM schema_version WHERE version = 13; INSERT INTO endings VALUES ('{}', 7, 'these');",
        include_str!("../sqlite/migrations/012_endings.sql"),
        revoked[0].id
    ))
    .unwrap();
    drop(file);
    let untold = folder.open().unwrap().untold().to_vec();
    let expected = Untold {
        grant: revoked[0].clone(),
        on_record: OnRecord {
            policies: BTreeSet::new(),
            ..on_record(GrantAct::Revoked)
        },
    };
    assert_eq!(untold, [expected]);
}

#[tokio::test]
async fn a_second_gateway_on_the_same_file_is_told_so() {
    let folder = Folder::new();
    let first = folder.open().unwrap();
    let second = folder.open().err().unwrap();
    assert_eq!(second, LedgerError::InUse(folder.file()));
    drop(first);
}

#[tokio::test]
async fn a_damaged_file_is_named_with_what_to_do() {
    let folder = Folder::new();
    let ledger = folder.open().unwrap();
    for _ in 0..20 {
        ledger.give(terms("ada", "recruiting", 1_000, 9_000)).await.unwrap();
    }
    drop(ledger);
    let mut bytes = std::fs::read(folder.file()).unwrap();
    let middle = bytes.len() / 2;
    bytes[100..middle].fill(0x5a);
    std::fs::write(folder.file(), &bytes).unwrap();
    let damaged = folder.open().err().unwrap();
    assert!(matches!(damaged, LedgerError::Damaged { .. }), "{damaged:?}");
    std::fs::write(folder.file(), "this is a shopping list, not a database").unwrap();
    let words = folder.open().err().unwrap().to_string();
    assert!(
        words.contains("is damaged: file is not a database; restore it from a backup"),
        "{words}"
    );
}

#[tokio::test]
async fn only_the_gateways_own_user_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let _ledger = folder.open().unwrap();
    for file in std::fs::read_dir(folder.file().parent().unwrap()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[test]
fn a_grant_that_cannot_be_read_keeps_nobody_from_being_told_of_another() {
    let mut store = Sqlite::in_memory().unwrap();
    let ids = ["odd", "fine"].map(GrantId::new);
    let mut change = store.begin().unwrap();
    for id in &ids {
        change
            .write(&terms("ada", "recruiting", 1_000, 9_000).named(id.clone()))
            .unwrap();
        change.owe_each(&[(id, NoticeEvent::Waits, moment(1_000))]).unwrap();
    }
    change.commit().unwrap();
    let spoils = "UPDATE grants SET channel = 'pigeon' WHERE id = 'odd'";
    store.connection.execute_batch(spoils).unwrap();
    let mut change = store.begin().unwrap();
    let told = change.claim(&outbox::claim(1_000)).unwrap();
    assert_eq!(
        told.iter().map(|notice| notice.about.to_string()).collect::<Vec<_>>(),
        ["fine"]
    );
}

#[tokio::test]
async fn a_token_that_cannot_be_read_opens_nothing_and_keeps_no_other_from_being_good() {
    let folder = Folder::new();
    let (one, other) = ([1; 32], [2; 32]);
    {
        let ledger = folder.open().unwrap();
        for (id, digest) in [("one", one), ("other", other)] {
            let token = Token {
                id: TokenId::new(id),
                subject: ada(),
                name: String::new(),
                scope: [Scope::Read].into(),
                made_at: moment(0),
                expires: moment(9_000),
                revoked_at: None,
                revoked_for: None,
            };
            ledger.make_token(token, TokenHash::new(digest), || true).await.unwrap();
        }
        assert_eq!(ledger.unreadable_tokens(), 0);
    }
    let file = rusqlite::Connection::open(folder.file()).unwrap();
    file.execute_batch("UPDATE tokens SET scope = 'everything' WHERE id = 'one'")
        .unwrap();
    drop(file);
    let ledger = folder.open().unwrap();
    assert_eq!(ledger.unreadable_tokens(), 1);
    let good = |digest| matches!(ledger.shown_token(&TokenHash::new(digest), moment(1)), Looked::Good(_));
    assert_eq!([one, other].map(good), [false, true]);
}
