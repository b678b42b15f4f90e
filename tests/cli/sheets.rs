//! `wayleave matrix`.

use super::desk::Desk;

#[test]
fn who_may_do_what_is_printed_for_people() {
    insta::assert_snapshot!(Desk::empty().types("wayleave matrix --who ada --who eve --platform linkedin --platform x --platform tinder --platform slack --at 2026-11-24T09:30:00Z"), @"
    exit 0
    --- stdout
    ada (hr-staff, recruiter, staff)
      on tinder
        never: everything: it cannot be reached
      on slack
        without a purpose: everything: it passes unread
      on linkedin
        without a purpose: embed, telemetry
        for competitor-research: browse, download, login, logout, message-read, realtime, search, view-media
        for market-research: browse, download, login, logout, message-read, realtime, search, view-media
        for personal-break: login, logout, realtime
        for press-monitoring: browse, download, login, logout, message-read, realtime, search, view-media
        for recruiting: browse, comment, download, follow, login, logout, message, message-read, post, react, realtime, report, save, search, upload, view-media
        for social-listening: browse, download, login, logout, message-read, realtime, search, view-media
        for training-delivery: browse, download, login, logout, message-read, realtime, search, view-media
        never: advertise, call, delete, edit, games, manage-page, moderate, oauth, profile-edit, sell, share, unknown-write
      on x
        without a purpose: embed, telemetry
        for competitor-research: browse, download, login, logout, message-read, realtime, search, view-media
        for market-research: browse, download, login, logout, message-read, realtime, search, view-media
        for personal-break: login, logout, realtime
        for press-monitoring: browse, download, login, logout, message-read, realtime, search, view-media
        for social-listening: browse, download, login, logout, message-read, realtime, search, view-media
        for training-delivery: browse, download, login, logout, message-read, realtime, search, view-media
        never: advertise, call, comment, delete, edit, follow, games, manage-page, message, moderate, oauth, post, profile-edit, react, report, save, sell, share, unknown-write, upload

    eve (marketer, staff)
      on tinder
        never: everything: it cannot be reached
      on slack
        without a purpose: everything: it passes unread
      on linkedin
        without a purpose: embed, telemetry
        for competitor-research: browse, download, login, logout, message-read, realtime, search, view-media
        for market-research: browse, download, login, logout, message-read, realtime, search, view-media
        for partner-relations: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for personal-break: login, logout, realtime
        for press-monitoring: browse, download, login, logout, message-read, realtime, search, view-media
        for social-listening: browse, download, login, logout, message-read, realtime, search, view-media
        for advertising-campaign, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for brand-publishing, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for community-management, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for event-coverage, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        never: advertise, call, comment, delete, edit, games, manage-page, message, moderate, oauth, post, profile-edit, sell, share, unknown-write, upload
      on x
        without a purpose: embed, telemetry
        for competitor-research: browse, download, login, logout, message-read, realtime, search, view-media
        for market-research: browse, download, login, logout, message-read, realtime, search, view-media
        for personal-break: login, logout, realtime
        for press-monitoring: browse, download, login, logout, message-read, realtime, search, view-media
        for social-listening: browse, download, login, logout, message-read, realtime, search, view-media
        for advertising-campaign, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for brand-publishing, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for community-management, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for event-coverage, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        for influencer-outreach, once approved: browse, download, follow, login, logout, message-read, react, realtime, report, save, search, view-media
        never: advertise, call, comment, delete, edit, games, manage-page, message, moderate, oauth, post, profile-edit, sell, share, unknown-write, upload

    at [time] from `office`, by [rulebook]
    ");
}

#[test]
fn who_may_do_what_is_printed_for_roles() {
    insta::assert_snapshot!(Desk::empty().types("wayleave matrix --roles --role marketer --role visitor --platform x --activity browse --activity post --at 2026-11-24T09:30:00Z"), @"
    exit 0
    --- stdout
    marketer (ben, eve, mia, olga)
      on x
        for competitor-research: browse
        for market-research: browse
        for press-monitoring: browse
        for social-listening: browse
        for community-management, once approved: browse
        for event-coverage, once approved: browse
        for influencer-outreach, once approved: browse
        never: post

    visitor (vic)
      on x
        never: everything: it cannot be reached

    at [time] from `office`, by [rulebook]
    ");
}

#[test]
fn spreadsheets_get_a_line_for_each_answer() {
    insta::assert_snapshot!(Desk::empty().types("wayleave matrix --who ben --platform x --platform slack --activity post --activity telemetry --format csv --at 2026-11-24T09:30:00Z"), @"
    exit 0
    --- stdout
    who,platform,activity,purpose,answer
    ben,slack,*,,allow-unread
    ben,x,post,,deny
    ben,x,post,advertising-campaign,allow-once-approved
    ben,x,post,brand-publishing,allow-once-approved
    ben,x,post,event-coverage,allow-once-approved
    ben,x,telemetry,,allow
    ");
    insta::assert_snapshot!(Desk::empty().types("wayleave matrix --who ben --platform x --activity post --purpose brand-publishing --network guest --format csv --at 2026-11-24T09:30:00Z"), @"
    exit 0
    --- stdout
    who,platform,activity,purpose,answer
    ben,x,post,,deny
    ");
}

#[test]
fn managers_get_a_page_that_needs_nothing_else() {
    insta::assert_snapshot!(Desk::empty().types("wayleave matrix --who ada --who ben --platform x --activity browse --activity post --format html --at 2026-11-24T09:30:00Z"), @r##"
    exit 0
    --- stdout
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Who may do what</title>
    <style>:root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}table{border-collapse:collapse;width:100%;margin:0 0 2rem}caption{text-align:left;font-weight:600;padding:.4rem 0}th,td{border:1px solid #767676;padding:.4rem .6rem;text-align:left;vertical-align:top}th[scope=rowgroup]{width:30%;font-weight:400}th[scope=row]{width:25%;font-weight:600}.scroll{overflow-x:auto}nav ul{columns:14rem;padding-left:1.2rem}@media print{nav{display:none}table{break-inside:avoid}}</style>
    </head>
    <body>
    <main>
    <h1>Who may do what</h1>
    <p>As judged for <time datetime="[time]">[time]</time> from the network <code>office</code>, by the rules <code>[rulebook]</code>.</p>
    <nav aria-label="Contents">
    <ul>
    <li><a href="#s0">Ada Mertens</a></li>
    <li><a href="#s1">Ben Okafor</a></li>
    </ul>
    </nav>
    <section aria-labelledby="s0">
    <h2 id="s0">Ada Mertens</h2>
    <p>hr-staff, recruiter, staff</p>
    <div class="scroll" role="region" aria-labelledby="c0" tabindex="0">
    <table>
    <caption id="c0">What Ada Mertens may do, by platform</caption>
    <thead><tr><th scope="col">Platforms</th><th scope="col">How</th><th scope="col">What</th></tr></thead>
    <tbody>
    <tr><th scope="rowgroup" rowspan="6">x</th><th scope="row">for competitor-research</th><td>browse</td></tr>
    <tr><th scope="row">for market-research</th><td>browse</td></tr>
    <tr><th scope="row">for press-monitoring</th><td>browse</td></tr>
    <tr><th scope="row">for social-listening</th><td>browse</td></tr>
    <tr><th scope="row">for training-delivery</th><td>browse</td></tr>
    <tr><th scope="row">never</th><td>post</td></tr>
    </tbody>
    </table>
    </div>
    </section>
    <section aria-labelledby="s1">
    <h2 id="s1">Ben Okafor</h2>
    <p>marketer, staff</p>
    <div class="scroll" role="region" aria-labelledby="c1" tabindex="0">
    <table>
    <caption id="c1">What Ben Okafor may do, by platform</caption>
    <thead><tr><th scope="col">Platforms</th><th scope="col">How</th><th scope="col">What</th></tr></thead>
    <tbody>
    <tr><th scope="rowgroup" rowspan="9">x</th><th scope="row">for competitor-research</th><td>browse</td></tr>
    <tr><th scope="row">for market-research</th><td>browse</td></tr>
    <tr><th scope="row">for press-monitoring</th><td>browse</td></tr>
    <tr><th scope="row">for social-listening</th><td>browse</td></tr>
    <tr><th scope="row">for advertising-campaign, once approved</th><td>browse, post</td></tr>
    <tr><th scope="row">for brand-publishing, once approved</th><td>browse, post</td></tr>
    <tr><th scope="row">for community-management, once approved</th><td>browse</td></tr>
    <tr><th scope="row">for event-coverage, once approved</th><td>browse, post</td></tr>
    <tr><th scope="row">for influencer-outreach, once approved</th><td>browse</td></tr>
    </tbody>
    </table>
    </div>
    </section>
    </main>
    </body>
    </html>
    "##);
}

#[test]
fn names_that_nobody_knows_are_not_understood() {
    let desk = Desk::empty();
    insta::assert_snapshot!(desk.types("wayleave matrix --who adda"), @"
    exit 2
    --- stderr
    error: there is no person `adda`: did you mean `ada`?
    ");
    insta::assert_snapshot!(desk.types("wayleave matrix --platform linkdin"), @"
    exit 2
    --- stderr
    error: there is no platform `linkdin`: did you mean `linkedin`?
    ");
    insta::assert_snapshot!(desk.types("wayleave matrix --activity qqqq"), @"
    exit 2
    --- stderr
    error: there is no activity `qqqq`
    ");
    insta::assert_snapshot!(desk.types("wayleave matrix nowhere"), @"
    exit 2
    --- stderr
    wayleave::sources::unreadable

      × `nowhere` cannot be read: No such file or directory (os error 2)
      help: name the folder that holds `wayleave.cedarschema` and `rules/`
    ");
    let desk = Desk::with_policies();
    desk.write("policies/rules/50-bad.cedar", "permit (principal, action);\n");
    let told = desk.types("wayleave matrix");
    assert!(
        told.starts_with("exit 1") && told.contains("error: the rules have problems, so they say nothing"),
        "{told}"
    );
}

#[test]
fn what_a_rule_only_coaches_bears_a_mark_of_its_own() {
    let desk = Desk::with_policies();
    desk.write(
        "policies/rules/90-test.cedar",
        "@id(\"test\") @title(\"T\") @reason(\"R.\") @owner(\"IT\") @mode(\"coach\")\n\
         forbid (principal, action in [Action::\"post\", Action::\"telemetry\"], resource in Platform::\"linkedin\");\n",
    );
    let sheet = |format: &str| {
        desk.types(&format!(
            "wayleave matrix --who ada --platform linkedin --activity post --activity telemetry --activity call \
             --format {format} --at 2026-11-24T09:30:00Z"
        ))
    };
    insta::assert_snapshot!(sheet("table"), @"
    exit 0
    --- stdout
    ada (hr-staff, recruiter, staff)
      on linkedin
        without a purpose, coached: telemetry
        for recruiting, coached: post
        never: call

    coached: refused with the reason, and open to whoever continues all the same
    at [time] from `office`, by [rulebook]
    ");
    insta::assert_snapshot!(sheet("csv"), @"
    exit 0
    --- stdout
    who,platform,activity,purpose,answer
    ada,linkedin,call,,deny
    ada,linkedin,post,,deny
    ada,linkedin,post,recruiting,coach
    ada,linkedin,telemetry,,coach
    ");
    let page = sheet("html");
    let lines = page
        .lines()
        .filter(|line| line.contains("coached") || line.contains("never"));
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r#"
    <p>coached: refused with the reason, and open to whoever continues all the same</p>
    <tr><th scope="rowgroup" rowspan="3">linkedin</th><th scope="row">without a purpose, coached</th><td>telemetry</td></tr>
    <tr><th scope="row">for recruiting, coached</th><td>post</td></tr>
    <tr><th scope="row">never</th><td>call</td></tr>
    "#);
}
