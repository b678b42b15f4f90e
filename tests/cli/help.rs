//! The help of every command.

use super::desk::Desk;

#[test]
fn the_table_of_commands() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave --help"), @"
    exit 0
    --- stdout
    A forward proxy that lets people reach social media for a stated purpose.

    It intercepts traffic to social sites, works out who it is, where they go and what for, asks Cedar
    policies whether that may pass, does what they say, and writes down every decision.

    Usage: wayleave <COMMAND>

    Commands:
      run          Run the gateway with the settings of a file
      demo         Try the whole product on this machine, without the internet
      check        Check policies: schema, rules, catalogue, purposes, people, and how they fit together
      fmt          Format rules
      test         Run the policy cases, and say what they leave out
      prove        Prove what must hold of every possible request
      diff         Compare two folders of policies, or two git revisions, by what they answer
      explain      Say what the rules make of a described request, or made of a recorded one, and why
      matrix       Print who may do what, where, and what for
      replay       Judge what was recorded again, under other rules, and say what would change
      owners       Print the CODEOWNERS file of a folder of policies
      schema       Print the JSON Schema of a TOML file, for editors
      declare      State a purpose
      grants       List the grants you hold, renew or end one; or list what waits for your approval, or
                   you could revoke
      approve      Approve what somebody asked for
      decline      Decline what somebody asked for
      delegate     Let somebody approve and decline in your place, or take that back
      break-glass  Take a purpose at once, in an emergency
      review       Review what somebody took in an emergency
      revoke       Take back what others hold or asked for
      token        Make, list and revoke tokens for your tools
      value        Print how much purposes are used, and what comes of them
      user         Keep the accounts that sign in with a password
      ca           Keep the certificate authority that speaks for intercepted sites
      pac          Print the PAC file
      records      Read and verify the records
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit code: 0 done; 1 no, or it could not be done; 2 what was asked makes no sense
    ");
}

#[test]
fn the_gate_and_its_demo() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave run --help"), @"
    exit 0
    --- stdout
    Run the gateway with the settings of a file

    Usage: wayleave run [OPTIONS]

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --port-base <PORT>  Move all three ports: the plain door to PORT, the TLS door to PORT+1, the
                              admin listener to PORT+2; 0 takes any that are free
      -h, --help              Print help
      -V, --version           Print version

    Exit code: 0 an orderly stop; 1 the gate cannot open; 2 the settings make no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave demo --help"), @"
    exit 0
    --- stdout
    Try the whole product on this machine, without the internet

    Usage: wayleave demo [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of policies, whose changes are followed; without it the built-in policies

    Options:
          --json              Print one line of JSON when everything is ready, and nothing else
          --real              Reach the real sites instead of stand-ins: real name resolution, real
                              certificates
          --port-base <PORT>  Move all ports: the plain door to PORT, the TLS door to PORT+1, the admin
                              listener to PORT+2; 0 takes any that are free
          --at <TIME>         Let the clock stand still at this moment, e.g. `2026-11-24T12:30:00+01:00`
          --policies <DIR>    The same as `[DIR]`
      -h, --help              Print help
      -V, --version           Print version

    Exit code: 0 an orderly stop; 1 the demo cannot open; 2 the command line makes no sense
    ");
}

#[test]
fn the_rules() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave check --help"), @"
    exit 0
    --- stdout
    Check policies: schema, rules, catalogue, purposes, people, and how they fit together

    Usage: wayleave check [OPTIONS] [DIR]

    Arguments:
      [DIR]
              The folder of policies; without it `policies/` here if there is one, else the built-in
              policies

    Options:
          --format <FORMAT>
              How to print what is found

              Possible values:
              - human:  For people
              - json:   For programs: one JSON document
              - sarif:  For code hosts and editors: SARIF 2.1.0, with paths as seen from the repository
              - github: For GitHub: workflow commands, which it shows at the lines of a pull request

              [default: human]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    A rule that can never have an effect is warned of as far as scopes, names and places tell;
    conditions that contradict each other by numbers or texts take a solver: `wayleave prove` finds them

    Exit code, the same in every format: 0 sound, there may be warnings; 1 errors; 2 the folder cannot
    be read
    ");
    insta::assert_snapshot!(desk.types("wayleave test --help"), @"
    exit 0
    --- stdout
    Run the policy cases, and say what they leave out

    Usage: wayleave test [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of policies; without it `policies/` here if there is one, else the built-in
             policies

    Options:
          --coverage            List the conditions that no case has seen hold, or none has seen fail
          --junit <FILE>        Also write the results for CI, in XML as `JUnit` writes it
          --mutate              Change the rules one by one (leave one out, drop or turn round a
                                condition, widen a scope, take one group for another), and list the
                                changes that no case notices, nor any property. Properties need the
                                solver of `wayleave prove`; without it cases are asked alone
          --at-least <PERCENT>  How many of a hundred changes must be noticed [default: 95]
      -h, --help                Print help
      -V, --version             Print version

    Exit code: 0 all cases pass, and notice enough; 1 a case fails, something has problems, or too much
    goes unnoticed; 2 no folder to read
    ");
    insta::assert_snapshot!(desk.types("wayleave prove --help"), @"
    exit 0
    --- stdout
    Prove what must hold of every possible request

    Usage: wayleave prove [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of policies; without it `policies/` here if there is one, else the built-in
             policies

    Options:
          --only <NAME>      Prove only what is said of this property or rule, by its name or id; may be
                             repeated
          --limit <SECONDS>  Seconds for each property, and for each thing that is to be proved of a
                             rule [default: 60]
          --total <SECONDS>  Seconds for all of it together, from the start: what is left then stays
                             undecided [default: 900]
          --no-cache         Prove again what was proved before
          --out <FILE>       Write into this file what was found of each property: a gateway whose
                             `policies.proofs` names it shows people what was proved of the rules in
                             force
          --by <NAME>        Who found it, as that file says: a person, or what runs on their behalf
      -h, --help             Print help
      -V, --version          Print version

    It needs the solver cvc5: `apt-get install cvc5`, `brew install cvc5`, or CVC5=/path/to/cvc5

    Exit code: 0 all proved; 1 something does not hold, or the rules or properties have problems; 2 the
    folder or what was asked is not understood, or the file of `--out` cannot be written; 3 there is no
    solver; 4 nothing fails that was found, but something stays undecided, as where the time was up
    ");
    insta::assert_snapshot!(desk.types("wayleave diff --help"), @"
    exit 0
    --- stdout
    Compare two folders of policies, or two git revisions, by what they answer

    Usage: wayleave diff [OPTIONS] <OLD> [NEW]

    Arguments:
      <OLD>  A folder, a git revision, or two revisions: `main..HEAD`, or `main...HEAD` for what HEAD
             alone changed since it left main, as code hosts compare
      [NEW]  Another folder or revision

    Options:
          --folder <DIR>     The folder of policies in a revision [default: policies]
          --limit <SECONDS>  Seconds for each kind of request and rule that makes a difference [default:
                             60]
          --total <SECONDS>  Seconds for all of it together: what is left then stays undecided [default:
                             900]
      -h, --help             Print help
      -V, --version          Print version

    Exit code: 0 the same; 1 different; 2 one of them cannot be read, or has problems; 4 nothing differs
    that was found, but not everything could be compared, as where the time was up
    ");
    insta::assert_snapshot!(desk.types("wayleave fmt --help"), @"
    exit 0
    --- stdout
    Format rules

    Usage: wayleave fmt [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of policies; without it `policies/` here

    Options:
          --check    Change nothing; list the files that would change
      -h, --help     Print help
      -V, --version  Print version

    Exit code: 0 every file is laid out; 1 some are not (with `--check`), or cannot be; 2 the folder
    cannot be read, or has no rules
    ");
    insta::assert_snapshot!(desk.types("wayleave matrix --help"), @"
    exit 0
    --- stdout
    Print who may do what, where, and what for

    Usage: wayleave matrix [OPTIONS] [DIR]

    Arguments:
      [DIR]
              The folder of policies; without it `policies/` here if there is one, else the built-in
              policies

    Options:
          --who <PERSON>
              Only this person; may be repeated

          --role <ROLE>
              Only people who hold this role; may be repeated

          --roles
              Instead of each person, roles: what everybody who holds one may do

          --platform <PLATFORM>
              Only this platform; may be repeated

          --activity <ACTIVITY>
              Only this activity; may be repeated

          --purpose <PURPOSE>
              Only what this purpose opens, or is open without one; may be repeated

          --at <TIME>
              When, e.g. `[time]`; now if it is not said

          --network <NETWORK>
              The named network that people are in: one of `ingress.networks` in the settings

              [default: office]

          --format <FORMAT>
              How to print it

              Possible values:
              - table: For people: platforms that are alike together
              - csv:   For spreadsheets: one line for each person or role, platform, activity and
                purpose
              - html:  For managers: one page that needs nothing else

              [default: table]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit code: 0 printed; 1 the rules have problems; 2 no folder, or no such person, role, platform,
    activity or purpose
    ");
    insta::assert_snapshot!(desk.types("wayleave replay --help"), @"
    exit 0
    --- stdout
    Judge what was recorded again, under other rules, and say what would change

    Usage: wayleave replay [OPTIONS] --records <DIR> [DIR]

    Arguments:
      [DIR]
              The folder of policies to try; without it `policies/` here if there is one, else the
              built-in policies

    Options:
          --records <DIR>
              The folder of the records

          --policies <DIR>
              The same as `[DIR]`

          --since <WHEN>
              Only what was recorded then or later: a moment, a day, or how long ago (30d, 12h)

          --examples <N>
              How many examples to show

              [default: 10]

          --format <FORMAT>
              How to print what would change

              Possible values:
              - human: For people
              - json:  For programs: one JSON document

              [default: human]

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit code: 0 nothing changes; 1 something does, the rules have problems, or the records cannot be
    read; 2 no folder of rules; 4 that cannot be told: no decision was judged again, or the records do
    not hold enough
    ");
    insta::assert_snapshot!(desk.types("wayleave owners --help"), @"
    exit 0
    --- stdout
    Print the CODEOWNERS file of a folder of policies

    Usage: wayleave owners [OPTIONS] [DIR]

    Arguments:
      [DIR]  The folder of policies; without it `policies/` here if there is one, else the built-in
             policies

    Options:
          --team <OWNER=TEAM>  Who an owner is, e.g. `HR=@acme/hr`; `*` is everybody who is not named.
                               Repeat for more
      -h, --help               Print help
      -V, --version            Print version

    Exit code: 0 printed; 1 an owner has no team, or the rules have problems; 2 the folder cannot be
    read
    ");
    insta::assert_snapshot!(desk.types("wayleave schema --help"), @"
    exit 0
    --- stdout
    Print the JSON Schema of a TOML file, for editors

    Usage: wayleave schema <NAME>

    Arguments:
      <NAME>
              Of which file

              Possible values:
              - purposes:   `purposes.toml`
              - people:     `people/*.toml`: people, roles and departments
              - platform:   `catalog/*.toml` of a platform
              - categories: `catalog/categories.toml`
              - activities: `catalog/activities.toml`
              - hosts:      `catalog/local.toml`: hosts of this installation
              - cases:      `cases/*.toml`
              - properties: `properties/*.toml`
              - owners:     `owners.toml`
              - settings:   The settings of the gateway, `deploy/wayleave.toml`

    Options:
      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit code: 0 printed
    ");
    insta::assert_snapshot!(desk.types("wayleave explain --help"), @"
    exit 0
    --- stdout
    Say what the rules make of a described request, or made of a recorded one, and why

    Usage: wayleave explain [OPTIONS] [RECORD-ID] [DIR]

    Arguments:
      [RECORD-ID]
              A record, by its id: as a refusal page or `wayleave records list` shows it

      [DIR]
              The folder of policies; without it `policies/` here if there is one, else the built-in
              policies; for a record, the rules of its day

    Options:
      -c, --config <FILE>
              The settings; without it `deploy/wayleave.toml` here if there is one, else the defaults

              [env: WAYLEAVE_CONFIG]

          --set <NAME=VALUE>
              One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more

          --as <PERSON>
              Who asks: a person of `people/`

          --to <URL>
              Where to: a URL for a request, `host` or `host:port` for a tunnel

          --method <METHOD>
              The method

          --header <FIELD>
              A header field of the request, e.g. `Sec-Fetch-Mode: navigate`; may be repeated

          --body <BODY>
              The body of the request

          --purpose <PURPOSE>
              A purpose to suppose declared, with all that it covers; may be repeated

          --approved-by <PERSON>
              Who approved that purpose

          --emergency
              That the purpose was taken by break-glass

          --at <TIME>
              When, e.g. `[time]`; now if it is not said

          --network <NETWORK>
              The named network that the person is in: one of `ingress.networks` in the settings

              [default: office]

          --format <FORMAT>
              How to print the explanation

              Possible values:
              - human: For people
              - json:  For programs: one JSON document

              [default: human]

          --policies <DIR>
              The same as `[DIR]`

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version

    Exit code: 0 explained, whatever the outcome; 1 the rules have problems, or the record or its rules
    are not there; 2 not understood
    ");
}

#[test]
fn the_counter() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave declare --help"), @"
    exit 0
    --- stdout
    State a purpose

    Usage: wayleave declare [OPTIONS] --on <PLATFORM> --statement <TEXT> --ca <FILE> <PURPOSE>

    Arguments:
      <PURPOSE>  The purpose, e.g. `recruiting`

    Options:
          --on <PLATFORM>         The platforms, e.g. `linkedin`; repeat or separate with commas
          --covers <GROUP>        What it is to cover: `read`, `engage`, `publish`, `administer`; all
                                  that the purpose covers if left out
          --statement <TEXT>      What you need it for, in a sentence
          --ticket <TICKET>       A ticket, where the purpose asks for one
          --for <DURATION>        For how long, e.g. `4h` or `PT30M`; the purpose's default if left out
          --json                  Print the grant as JSON
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    Exit code: 0 granted; 1 not granted; 2 the command line or the proxy's URL makes no sense; 4 asked
    for: it waits for an approval
    ");
    insta::assert_snapshot!(desk.types("wayleave grants --help"), @"
    exit 0
    --- stdout
    List the grants you hold, renew or end one; or list what waits for your approval, or you could
    revoke

    Usage: wayleave grants [OPTIONS] --ca <FILE>

    Options:
          --end <ID>              End the grant with this id
          --renew <ID>            Renew the grant with this id, which is in force or was until a while
                                  ago: the same once more, from now on
          --to-approve            List what waits for your approval instead: `wayleave approve` and
                                  `wayleave decline` answer it
          --to-review             List what was taken in an emergency and waits for your review:
                                  `wayleave review` does it
          --outcome <ID>          Say what came of the grant with this id, which is over: with
                                  `--amount`, `--text` or both, or `--skip`
          --amount <NUMBER>       How much, in what the value of its purpose is counted in: a whole
                                  number
          --text <TEXT>           What, in your own words
          --skip                  There is nothing to say
          --of <NAME>             List what this person holds or asked for, as far as you could revoke
                                  it
          --purpose <PURPOSE>     List what is held for this purpose
          --platform <PLATFORM>   List what is held for this platform
          --everybody             List what anybody holds
          --json                  Print JSON
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    Exit code: 0 done; 1 not done; 2 the command line or the proxy's URL makes no sense; 4 a renewal is
    asked for: it waits for an approval
    ");
    insta::assert_snapshot!(desk.types("wayleave approve --help"), @"
    exit 0
    --- stdout
    Approve what somebody asked for

    Usage: wayleave approve [OPTIONS] --ca <FILE> <ID>

    Arguments:
      <ID>  The request

    Options:
          --note <TEXT>           What you want to say to it
          --json                  Print the grant as JSON
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    It takes your password, also where a certificate brings you to the proxy: from `--password-file`,
    WAYLEAVE_PASSWORD, or the terminal.

    Exit code: 0 approved, and open; 1 not approved; 2 the command line or the proxy's URL makes no
    sense; 4 approved, and others must approve it as well
    ");
    insta::assert_snapshot!(desk.types("wayleave decline --help"), @"
    exit 0
    --- stdout
    Decline what somebody asked for

    Usage: wayleave decline [OPTIONS] --reason <TEXT> --ca <FILE> <ID>

    Arguments:
      <ID>  The request

    Options:
          --reason <TEXT>         Why, for whoever asked
          --json                  Print the grant as JSON
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    It takes your password, also where a certificate brings you to the proxy: from `--password-file`,
    WAYLEAVE_PASSWORD, or the terminal.

    Exit code: 0 declined; 1 not declined; 2 the command line or the proxy's URL makes no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave break-glass --help"), @"
    exit 0
    --- stdout
    Take a purpose at once, in an emergency

    Usage: wayleave break-glass [OPTIONS] --platform <PLATFORM> --statement <TEXT> --ticket <TICKET> --ca <FILE> <PURPOSE>

    Arguments:
      <PURPOSE>  The purpose, e.g. `crisis-response`

    Options:
          --platform <PLATFORM>   The platforms, e.g. `x`; repeat or separate with commas
          --covers <GROUP>        What it is to cover: `read`, `engage`, `publish`, `administer`; all
                                  that the purpose covers if left out
          --statement <TEXT>      What has happened, in a sentence
          --ticket <TICKET>       The ticket of the emergency
          --for <DURATION>        For how long, e.g. `20m`; an hour at most, which it is if left out and
                                  the purpose lets it
          --json                  Print the grant as JSON
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    Exit code: 0 granted; 1 not granted; 2 the command line or the proxy's URL makes no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave review --help"), @"
    exit 0
    --- stdout
    Review what somebody took in an emergency

    Usage: wayleave review [OPTIONS] --note <TEXT> --ca <FILE> <--accepted|--not-accepted> <ID>

    Arguments:
      <ID>  The grant

    Options:
          --accepted              It was an emergency
          --not-accepted          It was none
          --note <TEXT>           What you found, for whoever broke the glass
          --json                  Print the grant as JSON
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    It takes your password, also where a certificate brings you to the proxy: from `--password-file`,
    WAYLEAVE_PASSWORD, or the terminal.

    Exit code: 0 reviewed; 1 not reviewed; 2 the command line or the proxy's URL makes no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave revoke --help"), @"
    exit 0
    --- stdout
    Take back what others hold or asked for

    Usage: wayleave revoke [OPTIONS] --ca <FILE> <ID|--of <NAME>|--purpose <PURPOSE>|--platform <PLATFORM>|--token <ID>|--delegation <ID>|--all>

    Arguments:
      [ID]...  These grants

    Options:
          --of <NAME>             All that this person holds, with the tokens of their tools, and who
                                  answers for them or for whom they do
          --purpose <PURPOSE>     All that is held for this purpose
          --platform <PLATFORM>   All that is held for this platform, also where it is for others, too
          --token <ID>            This token for tools, by its id as `wayleave token list --of NAME`
                                  shows it
          --delegation <ID>       That somebody answers for somebody else, by its id as `wayleave
                                  delegate --list --of NAME` shows it
          --all                   Everything: all grants, tokens and delegations
          --reason <TEXT>         Why, for whoever holds it
          --dry-run               List what would be revoked, and do nothing
          --json                  Print JSON: an answer a line
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    It takes your password, also where a certificate brings you to the proxy: from `--password-file`,
    WAYLEAVE_PASSWORD, or the terminal.

    Exit code: 0 revoked; 1 not revoked, or not all of it; 2 the command line or the proxy's URL makes
    no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave value --help"), @"
    exit 0
    --- stdout
    Print how much purposes are used, and what comes of them

    Usage: wayleave value [OPTIONS] --ca <FILE>

    Options:
          --purpose <PURPOSE>     Only this purpose
          --weeks <WEEKS>         So many weeks, up to the last that is over [default: 13]
          --format <FORMAT>       How to print it: a table with a line for each purpose, each figure, or
                                  as the weekly digest says it [default: table] [possible values: table,
                                  csv, json, digest]
          --proxy <URL>           The proxy: `http://NAME@HOST:PORT`, or `https://…` for the TLS door;
                                  `HTTPS_PROXY` or `https_proxy` if not given
          --ca <FILE>             The root certificate of the gateway, in PEM (`wayleave ca show --pem`)
                                  [env: WAYLEAVE_CA]
          --user <NAME>           The user name, if it does not stand in the proxy's URL
          --password-file <FILE>  Read the password from the first line of a file, `-` is standard
                                  input; else it is taken from the proxy's URL, from
                                  `WAYLEAVE_PASSWORD`, or asked for
          --cert <FILE>           A client certificate for the TLS door, in PEM (`wayleave ca client`),
                                  in the place of a password
          --key <FILE>            The key of the client certificate, in PEM
          --portal <HOST>         The portal's reserved name [default: wayleave.internal]
      -h, --help                  Print help
      -V, --version               Print version

    A week is told once it is over, and what came of it a week later. A table has what is told of each
    purpose taken together; csv and json have each week, and platforms and departments; digest is the
    text of the weekly digest, of the last week of which all is told.

    Exit code: 0 printed; 1 not printed, or there is no such purpose that you may see; 2 the command
    line or the proxy's URL makes no sense
    ");
}

#[test]
fn the_accounts() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave user --help"), @"
    exit 0
    --- stdout
    Keep the accounts that sign in with a password

    Usage: wayleave user [OPTIONS] <COMMAND>

    Commands:
      add     Add a user; asks for the password, or reads one line from standard input
      passwd  Change a user's password; asks for it, or reads one line from standard input
      remove  Remove a user, who is signed out within a second
      list    List the user names, one a line
      help    Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
      -h, --help              Print help
      -V, --version           Print version

    Exit code: 0 done; 1 not done; 2 the command line or the settings make no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave user add --help"), @"
    exit 0
    --- stdout
    Add a user; asks for the password, or reads one line from standard input

    Usage: wayleave user add [OPTIONS] <NAME>

    Arguments:
      <NAME>  The user name, as the directory in `policies/people/` spells it

    Options:
      -c, --config <FILE>         The settings; without it `deploy/wayleave.toml` here if there is one,
                                  else the defaults [env: WAYLEAVE_CONFIG]
          --password-file <FILE>  Read the password from the first line of a file; `-` is standard input
          --set <NAME=VALUE>      One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
      -h, --help                  Print help
      -V, --version               Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave user passwd --help"), @"
    exit 0
    --- stdout
    Change a user's password; asks for it, or reads one line from standard input

    Usage: wayleave user passwd [OPTIONS] <NAME>

    Arguments:
      <NAME>  The user name

    Options:
      -c, --config <FILE>         The settings; without it `deploy/wayleave.toml` here if there is one,
                                  else the defaults [env: WAYLEAVE_CONFIG]
          --password-file <FILE>  Read the password from the first line of a file; `-` is standard input
          --set <NAME=VALUE>      One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
      -h, --help                  Print help
      -V, --version               Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave user remove --help"), @"
    exit 0
    --- stdout
    Remove a user, who is signed out within a second

    Usage: wayleave user remove [OPTIONS] <NAME>

    Arguments:
      <NAME>  The user name

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
      -h, --help              Print help
      -V, --version           Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave user list --help"), @"
    exit 0
    --- stdout
    List the user names, one a line

    Usage: wayleave user list [OPTIONS]

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
      -h, --help              Print help
      -V, --version           Print version
    ");
}

#[test]
fn the_authority() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave ca --help"), @"
    exit 0
    --- stdout
    Keep the certificate authority that speaks for intercepted sites

    Usage: wayleave ca [OPTIONS] <COMMAND>

    Commands:
      init          Make a root and an issuing intermediate, for the catalogue's domains only
      renew         Sign a new issuing intermediate with the same root: machines need nothing new
      import        Bring an intermediate that your company signed
      show          Show the authority: names, fingerprints, validity, constraints
      client        Make a client certificate for the TLS port
      install-help  Say how machines and tools come to trust the root
      help          Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>      The folder of the authority; `tls.folder` of the settings if not given
      -h, --help              Print help
      -V, --version           Print version

    Exit code: 0 done; 1 not done; 2 the command line or the settings make no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave ca init --help"), @"
    exit 0
    --- stdout
    Make a root and an issuing intermediate, for the catalogue's domains only

    Usage: wayleave ca init [OPTIONS]

    Options:
      -c, --config <FILE>        The settings; without it `deploy/wayleave.toml` here if there is one,
                                 else the defaults [env: WAYLEAVE_CONFIG]
          --organisation <NAME>  Whose authority it is, as people read it in certificates [default:
                                 Wayleave]
          --any-host             Let it speak for any host: needed where rules inspect hosts outside the
                                 catalogue
          --set <NAME=VALUE>     One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --also <HOST>          One more domain or address that it may speak for
          --folder <DIR>         The folder of the authority; `tls.folder` of the settings if not given
          --force                Replace the authority that is there; every machine must then be given
                                 the new root
      -h, --help                 Print help
      -V, --version              Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave ca renew --help"), @"
    exit 0
    --- stdout
    Sign a new issuing intermediate with the same root: machines need nothing new

    It may speak for whomever the present one may, for the catalogue as it is now, and for the names of
    the TLS door.

    Usage: wayleave ca renew [OPTIONS]

    Options:
          --any-host
              Let it speak for any host: needed where rules inspect hosts outside the catalogue

      -c, --config <FILE>
              The settings; without it `deploy/wayleave.toml` here if there is one, else the defaults

              [env: WAYLEAVE_CONFIG]

          --also <HOST>
              One more domain or address that it may speak for

          --set <NAME=VALUE>
              One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more

          --afresh
              Forget whom the present one may speak for: only the catalogue's domains, and what `--also`
              names

          --folder <DIR>
              The folder of the authority; `tls.folder` of the settings if not given

          --root-key <FILE>
              The root's key, where it is kept; `root.key` in the folder if not given

      -h, --help
              Print help (see a summary with '-h')

      -V, --version
              Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave ca import --help"), @"
    exit 0
    --- stdout
    Bring an intermediate that your company signed

    Usage: wayleave ca import [OPTIONS] --certificate <FILE> --key <FILE>

    Options:
      -c, --config <FILE>       The settings; without it `deploy/wayleave.toml` here if there is one,
                                else the defaults [env: WAYLEAVE_CONFIG]
          --certificate <FILE>  The intermediate and what leads to its root, PEM, in any order
          --key <FILE>          Its private key, PEM: PKCS#8, SEC1 or PKCS#1, not encrypted
          --set <NAME=VALUE>    One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>        The folder of the authority; `tls.folder` of the settings if not given
          --force               Replace the authority that is there
      -h, --help                Print help
      -V, --version             Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave ca show --help"), @"
    exit 0
    --- stdout
    Show the authority: names, fingerprints, validity, constraints

    Usage: wayleave ca show [OPTIONS]

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --pem               Print only the root, in PEM
          --names             Print only the names and addresses that it may speak for, one a line
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>      The folder of the authority; `tls.folder` of the settings if not given
      -h, --help              Print help
      -V, --version           Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave ca client --help"), @"
    exit 0
    --- stdout
    Make a client certificate for the TLS port

    Usage: wayleave ca client [OPTIONS] <NAME>

    Arguments:
      <NAME>  The user name, as in the directory

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --days <DAYS>       Days that it is valid [default: 365]
          --force             Replace the one that is there
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>      The folder of the authority; `tls.folder` of the settings if not given
      -h, --help              Print help
      -V, --version           Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave ca install-help --help"), @"
    exit 0
    --- stdout
    Say how machines and tools come to trust the root

    Usage: wayleave ca install-help [OPTIONS]

    Options:
      -c, --config <FILE>        The settings; without it `deploy/wayleave.toml` here if there is one,
                                 else the defaults [env: WAYLEAVE_CONFIG]
          --platform <PLATFORM>  Only for this platform or tool; may be given several times [possible
                                 values: debian, rhel, windows, macos, firefox, chrome-linux, ios,
                                 android, curl, git, node, npm, python, pip, java, docker, cargo, go]
          --set <NAME=VALUE>     One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>         The folder of the authority; `tls.folder` of the settings if not given
      -h, --help                 Print help
      -V, --version              Print version
    ");
}

#[test]
fn the_pac_file() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave pac --help"), @"
    exit 0
    --- stdout
    Print the PAC file

    Usage: wayleave pac [OPTIONS]

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --proxy <WAY>       Where browsers reach the proxy, best first, e.g. `HTTPS proxy.corp:3129`;
                              instead of the settings
          --managed           Send only the managed platforms through the proxy; instead of the settings
          --all               Send everything through the proxy; instead of the settings
      -h, --help              Print help
      -V, --version           Print version

    Exit code: 0 printed; 1 not printed; 2 the command line or the settings make no sense
    ");
}

#[test]
fn the_book() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave records --help"), @"
    exit 0
    --- stdout
    Read and verify the records

    Usage: wayleave records [OPTIONS] <COMMAND>

    Commands:
      verify  Prove the hash chain and the seals, or name the first line that breaks them
      list    Show all records, oldest first
      show    Show all that is recorded under one id
      tail    Show the newest records
      help    Print this message or the help of the given subcommand(s)

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>      Folder of the records; without it `audit.folder` of the settings
          --format <FORMAT>   One line for people, or the exact line of the book [default: human]
                              [possible values: human, json]
      -h, --help              Print help
      -V, --version           Print version

    Exit code: 0 done; 1 the book does not hold, or lacks what was asked for; 2 not understood
    ");
    insta::assert_snapshot!(desk.types("wayleave records verify --help"), @"
    exit 0
    --- stdout
    Prove the hash chain and the seals, or name the first line that breaks them

    Usage: wayleave records verify [OPTIONS]

    Options:
      -c, --config <FILE>       The settings; without it `deploy/wayleave.toml` here if there is one,
                                else the defaults [env: WAYLEAVE_CONFIG]
          --key <FILE>          The seals must be by the key in this file: your own copy of `seal.pub`
          --head <NUMBER:HASH>  This line must be there, as an earlier `verify` printed it
          --set <NAME=VALUE>    One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>        Folder of the records; without it `audit.folder` of the settings
          --format <FORMAT>     One line for people, or the exact line of the book [default: human]
                                [possible values: human, json]
      -h, --help                Print help
      -V, --version             Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave records list --help"), @"
    exit 0
    --- stdout
    Show all records, oldest first

    Usage: wayleave records list [OPTIONS]

    Options:
      -c, --config <FILE>        The settings; without it `deploy/wayleave.toml` here if there is one,
                                 else the defaults [env: WAYLEAVE_CONFIG]
          --kind <KIND>          Only what is about this: flows, grants (break-glass among them),
                                 break-glass, continued, delegations, tokens, access or gateway
                                 [default: all]
          --set <NAME=VALUE>     One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --user <NAME>          Only records of this user: theirs, about them, or of whoever looked for
                                 them
          --folder <DIR>         Folder of the records; without it `audit.folder` of the settings
          --outcome <OUTCOME>    Only flows with this outcome: allow, declare, request or deny
          --format <FORMAT>      One line for people, or the exact line of the book [default: human]
                                 [possible values: human, json]
          --platform <ID>        Only this platform, e.g. linkedin
          --since <WHEN>         Only what began then or later: a moment ([time]), a day
                                 (2026-11-22, UTC), or how long ago (2h, 7d)
          --until <WHEN>         Only what began before then, said the same way
          --activity <ACTIVITY>  Only flows that do this, e.g. post
          --purpose <ID>         Only flows that passed under this purpose, and its grants
          --host <HOST>          Only what went to this host, or to one below it
          --client <ADDRESS>     Only what came from this address, or network, e.g. 192.0.2.0/24
          --policy <ID>          Only what this rule decided, or would have, where it is in mode
                                 `observe`
          --grant <ID>           Only what passed under this grant, and what became of it
          --let-pass <HOW>       Only what passed although it would have been denied: any, observe or
                                 coach
      -h, --help                 Print help
      -V, --version              Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave records show --help"), @"
    exit 0
    --- stdout
    Show all that is recorded under one id

    Usage: wayleave records show [OPTIONS] <ID>

    Arguments:
      <ID>  The id, as a refusal page or `list` shows it

    Options:
      -c, --config <FILE>     The settings; without it `deploy/wayleave.toml` here if there is one, else
                              the defaults [env: WAYLEAVE_CONFIG]
          --set <NAME=VALUE>  One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --folder <DIR>      Folder of the records; without it `audit.folder` of the settings
          --format <FORMAT>   One line for people, or the exact line of the book [default: human]
                              [possible values: human, json]
      -h, --help              Print help
      -V, --version           Print version
    ");
    insta::assert_snapshot!(desk.types("wayleave records tail --help"), @"
    exit 0
    --- stdout
    Show the newest records

    Usage: wayleave records tail [OPTIONS]

    Options:
      -c, --config <FILE>        The settings; without it `deploy/wayleave.toml` here if there is one,
                                 else the defaults [env: WAYLEAVE_CONFIG]
          --kind <KIND>          Only what is about this: flows, grants (break-glass among them),
                                 break-glass, continued, delegations, tokens, access or gateway
                                 [default: all]
          --set <NAME=VALUE>     One setting, e.g. `--set ingress.plain=0.0.0.0:3128`; repeat for more
          --user <NAME>          Only records of this user: theirs, about them, or of whoever looked for
                                 them
          --folder <DIR>         Folder of the records; without it `audit.folder` of the settings
          --outcome <OUTCOME>    Only flows with this outcome: allow, declare, request or deny
          --format <FORMAT>      One line for people, or the exact line of the book [default: human]
                                 [possible values: human, json]
          --platform <ID>        Only this platform, e.g. linkedin
          --since <WHEN>         Only what began then or later: a moment ([time]), a day
                                 (2026-11-22, UTC), or how long ago (2h, 7d)
          --until <WHEN>         Only what began before then, said the same way
          --activity <ACTIVITY>  Only flows that do this, e.g. post
          --purpose <ID>         Only flows that passed under this purpose, and its grants
          --host <HOST>          Only what went to this host, or to one below it
          --client <ADDRESS>     Only what came from this address, or network, e.g. 192.0.2.0/24
          --policy <ID>          Only what this rule decided, or would have, where it is in mode
                                 `observe`
          --grant <ID>           Only what passed under this grant, and what became of it
          --let-pass <HOW>       Only what passed although it would have been denied: any, observe or
                                 coach
      -n, --lines <N>            How many to begin with [default: 20]
      -f, --follow               Go on showing new ones as they are written
      -h, --help                 Print help
      -V, --version              Print version
    ");
}

#[test]
fn no_help_depends_on_the_environment() {
    let desk = Desk::empty();
    for words in ["", "run", "declare", "grants", "user", "ca"] {
        let line = format!("WAYLEAVE_CONFIG=secret WAYLEAVE_CA=secret HTTPS_PROXY=secret wayleave {words} --help");
        assert!(!desk.types(&line).contains("secret"), "{words}");
    }
}

#[test]
fn what_no_command_is_called_is_refused() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave runn"), @"
    exit 2
    --- stderr
    error: unrecognized subcommand 'runn'

      tip: a similar subcommand exists: 'run'

    Usage: wayleave <COMMAND>

    For more information, try '--help'.
    ");
    insta::assert_snapshot!(desk.types("wayleave"), @"
    exit 2
    --- stderr
    A forward proxy that lets people reach social media for a stated purpose

    Usage: wayleave <COMMAND>

    Commands:
      run          Run the gateway with the settings of a file
      demo         Try the whole product on this machine, without the internet
      check        Check policies: schema, rules, catalogue, purposes, people, and how they fit together
      fmt          Format rules
      test         Run the policy cases, and say what they leave out
      prove        Prove what must hold of every possible request
      diff         Compare two folders of policies, or two git revisions, by what they answer
      explain      Say what the rules make of a described request, or made of a recorded one, and why
      matrix       Print who may do what, where, and what for
      replay       Judge what was recorded again, under other rules, and say what would change
      owners       Print the CODEOWNERS file of a folder of policies
      schema       Print the JSON Schema of a TOML file, for editors
      declare      State a purpose
      grants       List the grants you hold, renew or end one; or list what waits for your approval, or
                   you could revoke
      approve      Approve what somebody asked for
      decline      Decline what somebody asked for
      delegate     Let somebody approve and decline in your place, or take that back
      break-glass  Take a purpose at once, in an emergency
      review       Review what somebody took in an emergency
      revoke       Take back what others hold or asked for
      token        Make, list and revoke tokens for your tools
      value        Print how much purposes are used, and what comes of them
      user         Keep the accounts that sign in with a password
      ca           Keep the certificate authority that speaks for intercepted sites
      pac          Print the PAC file
      records      Read and verify the records
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help (see more with '--help')
      -V, --version  Print version

    Exit code: 0 done; 1 no, or it could not be done; 2 what was asked makes no sense
    ");
    insta::assert_snapshot!(desk.types("wayleave check --quick"), @"
    exit 2
    --- stderr
    error: unexpected argument '--quick' found

      tip: to pass '--quick' as a value, use '-- --quick'

    Usage: wayleave check [OPTIONS] [DIR]

    For more information, try '--help'.
    ");
}

#[test]
fn a_command_ends_as_it_should_though_nobody_hears_what_it_says() {
    let desk = Desk::empty();
    assert_eq!(desk.types("wayleave check nowhere 2> /dev/full"), "exit 2\n");
}
