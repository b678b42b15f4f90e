//! `run` and `demo` with settings that do not work.

use super::desk::{Desk, Running};

#[test]
fn a_setting_that_does_not_exist_is_named_with_what_was_meant() {
    let desk = Desk::empty();
    desk.write(
        "deploy/wayleave.toml",
        "[ingress]\nplian = \"127.0.0.1:1\"\nbacklog = \"many\"\n",
    );
    insta::assert_snapshot!(desk.types("wayleave run"), @r#"
    exit 2
    --- stderr
    error: the settings cannot be used

    wayleave::config::unknown

      × there is no setting `plian` in `[ingress]`
       ╭─[deploy/wayleave.toml:2:1]
     1 │ [ingress]
     2 │ plian = "127.0.0.1:1"
       · ──┬──
       ·   ╰── here
     3 │ backlog = "many"
       ╰────
      help: did you mean `plain`?

    wayleave::config::value

      × `ingress.backlog` must be a whole number from 0 up, not string `many`
       ╭─[deploy/wayleave.toml:3:11]
     2 │ plian = "127.0.0.1:1"
     3 │ backlog = "many"
       ·           ───┬──
       ·              ╰── here
       ╰────
    "#);
    insta::assert_snapshot!(desk.types("wayleave user list"), @r#"
    exit 2
    --- stderr
    error: the settings cannot be used

    wayleave::config::unknown

      × there is no setting `plian` in `[ingress]`
       ╭─[deploy/wayleave.toml:2:1]
     1 │ [ingress]
     2 │ plian = "127.0.0.1:1"
       · ──┬──
       ·   ╰── here
     3 │ backlog = "many"
       ╰────
      help: did you mean `plain`?

    wayleave::config::value

      × `ingress.backlog` must be a whole number from 0 up, not string `many`
       ╭─[deploy/wayleave.toml:3:11]
     2 │ plian = "127.0.0.1:1"
     3 │ backlog = "many"
       ·           ───┬──
       ·              ╰── here
       ╰────
    "#);
    insta::assert_snapshot!(desk.types("wayleave run --config nowhere.toml"), @"
    exit 2
    --- stderr
    error: the settings cannot be used

    wayleave::config::file

      × cannot read the settings `nowhere.toml`: No such file or directory (os error 2)
      help: check the path, or start from `deploy/wayleave.toml`
    ");
    insta::assert_snapshot!(desk.types("wayleave run --config /dev/null --set ingress.plian=1"), @"
    exit 2
    --- stderr
    error: the settings cannot be used

    wayleave::config::unknown

      × ingress.plian:1:1: there is no setting `plian` in `[ingress]`
      help: did you mean `plain`?
    ");
    insta::assert_snapshot!(desk.types("WAYLEAVE__INGRES__PLAIN=1 wayleave run --config /dev/null"), @"
    exit 2
    --- stderr
    error: the settings cannot be used

    wayleave::config::unknown

      × WAYLEAVE__INGRES__PLAIN:1:1: there is no section or setting `ingres`
      help: did you mean `ingress`?
    ");
    insta::assert_snapshot!(desk.types("wayleave run --set plain"), @"
    exit 2
    --- stderr
    error: invalid value 'plain' for '--set <NAME=VALUE>': write NAME=VALUE, e.g. `ingress.plain=0.0.0.0:3128`

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave run --config /dev/null --port-base 65535"), @"
    exit 2
    --- stderr
    error: there is no port 65535+1
      help: use one below 65534
    ");
    insta::assert_snapshot!(desk.types("wayleave demo --port-base 65535"), @"
    exit 2
    --- stderr
    error: there is no port 65535+1
      help: use one below 65534
    ");
}

#[test]
fn without_policies_or_an_authority_the_gate_stays_closed() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave run"), @"
    exit 1
    --- stderr
    error: there is no certificate authority in `certs`: make one with `wayleave ca init`, or bring your company's with `wayleave ca import`
    ");
    desk.types("wayleave ca init");
    insta::assert_snapshot!(desk.types("wayleave run"), @"
    exit 1
    --- stderr
    error: the policies may not rule

    wayleave::sources::unreadable

      × `policies` cannot be read: No such file or directory (os error 2)
      help: name the folder that holds `wayleave.cedarschema` and `rules/`
    ");
}

#[test]
fn a_portal_with_the_name_of_a_managed_site_keeps_the_gate_closed() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    let run = "timeout 60 wayleave run --port-base 0 --set portal.host=www.linkedin.com";
    insta::assert_snapshot!(desk.types(run), @"
    exit 1
    --- stderr
    error: the policies may not rule

    wayleave::catalog::portal

      × catalog: `www.linkedin.com` is a host of `linkedin`, and the portal's (`portal.host`)
      help: set `portal.host` to a name that no server has, e.g. `wayleave.internal`, or take that
            host out of the catalogue
    ");
}

#[test]
fn policies_with_a_mistake_keep_the_gate_closed() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    desk.edit(
        "policies/purposes.toml",
        "title = { en = \"Recruiting\", fr = \"Recrutement\" }",
        "titel = { en = \"Recruiting\", fr = \"Recrutement\" }",
    );
    insta::assert_snapshot!(desk.types("wayleave run"), @r#"
    exit 1
    --- stderr
    error: the policies may not rule

    wayleave::purposes::missing-key

      × `title` is missing
         ╭─[purposes.toml:273:1]
     272 │
     273 │ [[purpose]]
         · ─────┬─────
         ·      ╰── here
     274 │ id = "recruiting"
         ╰────
      help: add `title = "…"`

    wayleave::purposes::unknown-key

      × `titel` is not known here
         ╭─[purposes.toml:275:1]
     274 │ id = "recruiting"
     275 │ titel = { en = "Recruiting", fr = "Recrutement" }
         · ──┬──
         ·   ╰── here
     276 │ description = { en = "Find candidates, write to them, post jobs.", fr = "Trouver des candidats, leur écrire, publier des offres d’emploi." }
         ╰────
      help: did you mean `title`?
    "#);
}

#[test]
fn a_taken_port_names_who_holds_it() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let line = format!(
        "wayleave run --set ingress.plain={taken} --set ingress.tls=127.0.0.1:0 --set admin.listen=127.0.0.1:0"
    );
    insta::assert_snapshot!(desk.types(&line), @"
    exit 1
    --- stderr
    error: `127.0.0.1:[port]` is taken by `[program]` (process [number]): stop it, or choose other ports with `--port-base`
    ");
}

#[test]
fn a_gateway_takes_its_settings_from_the_file_from_the_environment_before_it_and_from_the_command_line_before_both() {
    let desk = Desk::with_policies();
    desk.types("wayleave ca init");
    desk.write(
        "deploy/wayleave.toml",
        "home = \"..\"\n[portal]\nhost = \"file.corp.example\"\n[pac]\ncovers = \"managed\"\n[ingress]\nplain = \"127.0.0.1:1\"\n",
    );
    let script = |environment: &str| {
        let gate = Running::start_in(&desk, environment);
        let script = desk.types(&format!("curl -sS http://{}/proxy.pac", gate.admin));
        assert_eq!(gate.stop(), 0);
        // what is not covered goes nowhere near the proxy: also this stands in the file alone
        assert!(script.contains("return \"DIRECT\";\n}"), "{script}");
        script
    };
    assert!(script("").contains("var PORTAL = \"file.corp.example\""));
    let script = script("WAYLEAVE__PORTAL__HOST=environment.corp.example WAYLEAVE__INGRESS__PLAIN=127.0.0.1:2");
    assert!(script.contains("var PORTAL = \"environment.corp.example\""), "{script}");
}
