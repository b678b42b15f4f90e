//! `prove`.

use super::desk::Desk;

#[test]
fn a_property_that_holds_is_proved_and_one_that_does_not_is_shown_by_a_request() {
    let desk = Desk::with_policies();
    let line = "wayleave prove --property interns-never-publish";
    let proved = desk.types(line);
    assert!(proved.starts_with("exit 0\n"), "{proved}");
    desk.edit(
        "policies/rules/30-guardrails.cedar",
        "when { principal.employment == Employment::\"intern\" };",
        "when { principal.employment == Employment::\"intern\" && context.client.network == \"office\" };",
    );
    let failed = desk.types(line);
    assert!(failed.starts_with("exit 1\n"), "{failed}");
    for said in [
        "FAILED     interns-never-publish",
        "somebody engaged as intern",
        "the property: denied",
        "the engine: allowed by",
    ] {
        assert!(failed.contains(said), "{said}: {failed}");
    }
}

#[test]
fn without_a_solver_nothing_is_proved_and_what_to_install_is_said() {
    let desk = Desk::with_policies();
    let told = desk.types("CVC5=/nowhere/cvc5 wayleave prove --property dating-stays-closed");
    assert!(told.starts_with("exit 3\n"), "{told}");
    assert!(told.contains("apt-get install cvc5"), "{told}");
}

#[test]
fn a_property_with_a_mistake_is_told_before_anything_is_proved() {
    let desk = Desk::with_policies();
    desk.edit(
        "policies/properties/places.toml",
        "Category::\"dating\"",
        "Category::\"datin\"",
    );
    let told = desk.types("wayleave prove");
    assert!(told.starts_with("exit 1\n"), "{told}");
    assert!(told.contains("did you mean `dating`?"), "{told}");
}
