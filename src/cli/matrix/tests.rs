//! What is common to everybody in a role, and what a page needs.

use super::*;

fn purposes(names: &[&str]) -> BTreeSet<PurposeId> {
    names.iter().map(|name| PurposeId::new(*name)).collect()
}

fn ways(declared: &[&str], approved: &[&str]) -> Ways {
    Ways {
        free: false,
        declared: purposes(declared),
        approved: purposes(approved),
    }
}

fn cell(declared: &[&str], approved: &[&str]) -> Cell {
    Cell {
        open: ways(declared, approved),
        coached: Ways::default(),
    }
}

#[test]
fn a_role_may_do_what_everybody_in_it_may() {
    let free = Ways {
        free: true,
        ..Ways::default()
    };
    let free = Cell {
        open: free,
        ..Cell::default()
    };
    assert_eq!(in_common(&free, &free), free);
    assert_eq!(in_common(&free, &cell(&["a"], &[])), cell(&["a"], &[]));
    assert_eq!(
        in_common(&cell(&["a", "b"], &[]), &cell(&["b", "c"], &[])),
        cell(&["b"], &[])
    );
    // who needs an approval keeps it
    assert_eq!(in_common(&cell(&["a"], &[]), &cell(&[], &["a"])), cell(&[], &["a"]));
    let read = Access::Read(BTreeMap::from([(Activity::new("post"), cell(&["a"], &[]))]));
    assert_eq!(common(&read, &Access::Unread(free)), read);
    assert_eq!(common(&read, &Access::Closed), Access::Closed);
    let unread = |purposes: &[&str]| Access::Unread(cell(purposes, &[]));
    assert_eq!(common(&unread(&["a", "b"]), &unread(&["b"])), unread(&["b"]));
}

#[test]
fn what_is_coached_for_one_is_coached_for_the_role() {
    let coached = |ways: Ways| Cell {
        open: Ways::default(),
        coached: ways,
    };
    let open = cell(&["a", "b"], &[]);
    let some = Cell {
        open: ways(&["b"], &[]),
        coached: ways(&["a"], &[]),
    };
    assert_eq!(in_common(&open, &some), some);
    assert_eq!(
        in_common(&open, &coached(ways(&["a"], &[]))),
        coached(ways(&["a"], &[]))
    );
    assert_eq!(in_common(&open, &Cell::default()), Cell::default());
    let read = Access::Read(BTreeMap::from([(Activity::new("post"), open)]));
    let both = Access::Read(BTreeMap::from([(
        Activity::new("post"),
        coached(ways(&["a", "b"], &[])),
    )]));
    let free = || Ways {
        free: true,
        ..Ways::default()
    };
    let (unread, continued) = (
        Cell {
            open: free(),
            ..Cell::default()
        },
        coached(free()),
    );
    assert_eq!(common(&Access::Unread(continued.clone()), &read), both);
    assert_eq!(
        common(&Access::Unread(continued.clone()), &Access::Unread(unread)),
        Access::Unread(continued)
    );
}

#[test]
fn a_page_escapes_names_and_holds_no_script_and_nothing_from_elsewhere() {
    let sheet = Sheet {
        id: "x".to_owned(),
        name: "<script>\"&".to_owned(),
        about: vec!["<b>".to_owned()],
        platforms: BTreeMap::from([(PlatformId::new("<p>"), Access::Closed)]),
    };
    let page = html::text(&Matrix {
        rulebook: RulebookId::new("sha256:0"),
        at: Timestamp::from_millis(0),
        network: "<n>".to_owned(),
        sheets: vec![sheet],
    });
    assert!(page.contains("&lt;script&gt;&quot;&amp;"), "{page}");
    for foreign in [
        "<script", "<b>", "<p>\"", "<n>", "http:", "https:", "src=", "url(", "@import",
    ] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    for needed in [
        "lang=\"en\"",
        "<caption",
        "scope=\"col\"",
        "scope=\"row\"",
        "<main>",
        "name=\"viewport\"",
    ] {
        assert!(page.contains(needed), "{needed}");
    }
}
