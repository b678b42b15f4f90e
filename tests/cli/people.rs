//! `user`: the accounts.

use super::desk::{Desk, Terminal};

#[test]
fn accounts_are_added_listed_changed_and_removed() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave user list"), @"
    exit 0
    --- stderr
    no users in `state/users.toml`; add one with `wayleave user add NAME`
    ");
    insta::assert_snapshot!(desk.types("echo 'correct horse battery' | wayleave user add ada"), @"
    exit 0
    --- stderr
    added user `ada` to `state/users.toml`
    ");
    desk.write("secret", "another long one\n");
    insta::assert_snapshot!(desk.types("wayleave user add ben --password-file secret"), @"
    exit 0
    --- stderr
    added user `ben` to `state/users.toml`
    ");
    insta::assert_snapshot!(desk.types("wayleave user list"), @"
    exit 0
    --- stdout
    ada
    ben
    ");
    let accounts = desk.read("state/users.toml");
    assert_eq!(accounts.matches("$argon2id$v=19$").count(), 2, "{accounts}");
    for password in ["correct horse battery", "another long one"] {
        assert!(!accounts.contains(password), "{accounts}");
    }
    let before = accounts;
    insta::assert_snapshot!(desk.types("wayleave user passwd ada --password-file secret"), @"
    exit 0
    --- stderr
    changed the password of user `ada`
    ");
    let accounts = desk.read("state/users.toml");
    let hash_of = |accounts: &str, user: &str| accounts.lines().find(|line| line.contains(user)).unwrap().to_owned();
    assert_ne!(hash_of(&accounts, "ada"), hash_of(&before, "ada"));
    assert_eq!(hash_of(&accounts, "ben"), hash_of(&before, "ben"));
    insta::assert_snapshot!(desk.types("wayleave user remove ben"), @"
    exit 0
    --- stderr
    removed user `ben`
    ");
    insta::assert_snapshot!(desk.types("wayleave user list"), @"
    exit 0
    --- stdout
    ada
    ");
}

#[test]
fn what_cannot_be_done_to_an_account_is_explained() {
    let desk = Desk::empty();
    desk.types("echo 'correct horse battery' | wayleave user add ada");
    insta::assert_snapshot!(desk.types("wayleave user add ada"), @"
    exit 1
    --- stderr
    error: there is already a user `ada`; use `wayleave user passwd ada` to change the password
    ");
    insta::assert_snapshot!(desk.types("wayleave user passwd adaa"), @"
    exit 1
    --- stderr
    error: there is no user `adaa`; did you mean `ada`?
    ");
    insta::assert_snapshot!(desk.types("wayleave user remove bob"), @"
    exit 1
    --- stderr
    error: there is no user `bob`; `wayleave user list` shows the users there are
    ");
    insta::assert_snapshot!(desk.types("echo short | wayleave user add bob"), @"
    exit 1
    --- stderr
    warning: the directory does not list `bob`: everything is refused until a file in `policies/people` does
    error: the password is too short: use at least 10 characters
    ");
    insta::assert_snapshot!(desk.types("wayleave user add bob --password-file nowhere"), @"
    exit 1
    --- stderr
    warning: the directory does not list `bob`: everything is refused until a file in `policies/people` does
    error: cannot read the password from `nowhere`: No such file or directory (os error 2)
    ");
    insta::assert_snapshot!(desk.types("wayleave user add bob"), @"
    exit 1
    --- stderr
    warning: the directory does not list `bob`: everything is refused until a file in `policies/people` does
    error: the password is too short: use at least 10 characters
    ");
    insta::assert_snapshot!(desk.types("echo 'correct horse battery' | wayleave user add a:b"), @"
    exit 1
    --- stderr
    error: `a:b` is not a user name: use 1 to 128 visible characters without `:` and spaces
    ");
}

#[test]
fn a_password_is_asked_for_twice_and_never_seen_on_the_terminal() {
    let desk = Desk::empty();
    let mut terminal = Terminal::open(&desk, "wayleave user add bob");
    terminal.answers("Password for bob: ", "correct horse");
    terminal.answers("Again: ", "correct horse");
    let (screen, code) = terminal.leaves();
    insta::assert_snapshot!(screen, @"
    warning: the directory does not list `bob`: everything is refused until a file in `policies/people` does
    Password for bob:
    Again:
    added user `bob` to `state/users.toml`
    ");
    assert_eq!(code, 0);
    let mut terminal = Terminal::open(&desk, "wayleave user passwd bob");
    terminal.answers("Password for bob: ", "correct horse");
    terminal.answers("Again: ", "wrong horse!");
    let (screen, code) = terminal.leaves();
    insta::assert_snapshot!(screen, @"
    Password for bob:
    Again:
    error: the two passwords differ; try again
    ");
    assert_eq!(code, 1);
}

#[test]
fn an_account_for_somebody_whom_the_directory_does_not_list_is_warned_of() {
    let desk = Desk::with_policies();
    insta::assert_snapshot!(desk.types("echo 'correct horse battery' | wayleave user add zed"), @"
    exit 0
    --- stderr
    warning: the directory does not list `zed`: everything is refused until a file in `policies/people` does
    added user `zed` to `state/users.toml`
    ");
    insta::assert_snapshot!(desk.types("wayleave ca client zed"), @"
    exit 0
    --- stdout
    certificate  certs/clients/zed.pem
    key          certs/clients/zed.key
    valid until  [time]
    --- stderr
    warning: the directory does not list `zed`: everything is refused until a file in `policies/people` does

    curl:     --proxy-cert certs/clients/zed.pem --proxy-key certs/clients/zed.key
    browsers: openssl pkcs12 -export -in certs/clients/zed.pem -inkey certs/clients/zed.key -out zed.p12
    hand both over, then remove the key here
    ");
    let listed = desk.types("echo 'correct horse battery' | wayleave user add ada");
    assert!(!listed.contains("warning"), "{listed}");
}
