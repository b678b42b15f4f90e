//! What is wrong with a file is said with its place, all at once, and with a way to fix it.

use super::*;

const BASE: &str = r#"
id = "one"
name = "One"
category = "social"
"#;

/// The problems of the shipped lists with these files beside them.
fn problems(others: &[(&str, &str)]) -> Vec<String> {
    let mut files = vec![file("catalog/categories.toml"), file("catalog/activities.toml")];
    files.extend(
        others
            .iter()
            .map(|(name, text)| SourceText::new(format!("catalog/{name}.toml"), *text)),
    );
    let problems = Catalog::parse(&files).whole().err().unwrap_or_default();
    assert!(
        problems
            .iter()
            .all(|problem| problem.help.is_some() && problem.line > 0)
    );
    problems.iter().map(ToString::to_string).collect()
}

fn expect(text: &str, parts: &[&str]) {
    let found = problems(&[("one", &format!("{BASE}{text}"))]);
    assert_eq!(found.len(), parts.len(), "{text}: {found:#?}");
    for (problem, part) in found.iter().zip(parts) {
        assert!(problem.contains(part), "{problem:?} does not say {part:?}");
    }
}

#[test]
fn misspelt_words_are_answered_with_what_was_probably_meant() {
    expect(
        "contrl = \"request\"",
        &["`contrl` is not known here (did you mean `control`?)"],
    );
    expect("control = \"requst\"", &["did you mean `request`?"]);
    expect(
        "domains = [{ host = \"one.example\", roles = [\"sit\"] }]",
        &["did you mean `site`?"],
    );
    expect(
        "domains = [{ host = \"one.example\", rols = [] }]",
        &["did you mean `roles`?"],
    );
    let signature = |field: &str| {
        format!(
            "[[signature]]\nid = \"s\"\nactivity = \"post\"\nmethods = [\"POST\"]\nhosts = [\"one.example\"]\npath = \"/\"\n{field}"
        )
    };
    expect(&signature("undoo = true"), &["did you mean `undo`?"]);
    expect(&signature("").replace("\"post\"", "\"pst\""), &["did you mean `post`?"]);
    expect(
        &signature("").replace("\"POST\"", "\"PSOT\""),
        &["did you mean `POST`?"],
    );
    expect(&signature("encoding = [\"jsn\"]"), &["did you mean `json`?"]);
    let other = problems(&[("two", &BASE.replace("one", "two").replace("social", "soscial"))]);
    assert!(other[0].contains("did you mean `social`?"), "{other:?}");
    let local = problems(&[
        ("one", BASE),
        ("local", "[[host]]\nhost = \"a.example\"\nplatform = \"onne\""),
    ]);
    assert!(local[0].contains("did you mean `one`?"), "{local:?}");
}

#[test]
fn every_problem_of_every_file_is_reported_at_once() {
    let found = problems(&[
        (
            "one",
            &format!("{BASE}x = 1\ncontrol = 7\ndomains = [{{ host = \"https://one.example\" }}]"),
        ),
        ("two", "name = \"Two\"\nid = "),
        ("three", &BASE.replace("\"one\"", "\"four\"")),
    ]);
    let text = found.join("\n");
    for part in [
        "catalog/one.toml:5:1: `x` is not known here",
        "`control` is an integer (write a text in quotes)",
        "`https://one.example` is not a host name",
        "catalog/two.toml:2:6: ",
        "`four` stands in a file that is named `three`",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_host_belongs_to_one_platform() {
    let with = |id: &str, name: &str, cover: &str| {
        format!(
            "{}domains = [{{ host = \"{name}\", match = \"{cover}\" }}]",
            BASE.replace("\"one\"", &format!("\"{id}\""))
        )
    };
    let one = with("one", "a.example", "suffix");
    let both = problems(&[("one", &one), ("two", &with("two", "a.example", "exact"))]);
    assert!(
        both[0].contains("`a.example` is a domain of `two` and of `one`"),
        "{both:?}"
    );
    let below = problems(&[("one", &one), ("two", &with("two", "b.a.example", "suffix"))]);
    assert!(below.is_empty(), "{below:?}");
    let twice = "domains = [{ host = \"a.example\" }, { host = \"a.example\" }]";
    expect(twice, &["`a.example` is listed twice"]);
}

#[test]
fn patterns_that_do_not_parse_and_ids_that_repeat_are_refused() {
    let signature = "[[signature]]\nid = \"s\"\nactivity = \"post\"\nmethods = [\"POST\"]\nhosts = [\"*.one.example\"]\npath = \"/\"\n";
    expect(
        &signature.replace("\"/\"", "\"/a**\""),
        &["`/a**` is not a path glob (`**` stands alone"],
    );
    expect(&signature.replace("*.one", "up-*.one"), &[]);
    expect(&signature.replace("*.one.example", "*"), &["`*` is not a host name"]);
    expect(
        &signature.replace("*.one.example", "@web"),
        &["`web` is not a known host set"],
    );
    let operation = "operation = { where = [\"query\"], key = \"q\", value = \"(\", match = \"regex\" }";
    expect(&format!("{signature}{operation}"), &["`(` is not a regular expression"]);
    let place = operation.replace("query", "cookie").replace("\"(\"", "\"x\"");
    expect(&format!("{signature}{place}"), &["`cookie` is not a known place"]);
    expect(&format!("{signature}{signature}"), &["`s` is listed twice"]);
    expect(
        &signature.replace("hosts", "hots"),
        &["did you mean `hosts`?", "`hosts` is missing"],
    );
}

#[test]
fn a_signature_that_calls_a_write_a_read_must_say_why() {
    let read = "[[signature]]\nid = \"s\"\nactivity = \"browse\"\nmethods = [\"POST\"]\nhosts = [\"one.example\"]\npath = \"/\"\n";
    expect(read, &["`s` calls a request a read that could write"]);
    expect(&read.replace("POST", "GET"), &[]);
    expect(&format!("{read}reads = \"endpoint\""), &[]);
    expect(&format!("{read}reads = \"label\""), &[]);
    let label = format!("{read}reads = \"label\"\nencoding = [\"websocket\"]").replace("POST", "GET");
    expect(&label, &["`s` believes a label on a socket"]);
    let socket = format!("{read}encoding = [\"websocket\"]").replace("POST", "GET");
    expect(&socket, &["`s` calls a request a read that could write"]);
    let write = format!("{read}reads = \"endpoint\"").replace("browse", "post");
    expect(&write, &["`s` is a write and says how far its reads are believed"]);
}

#[test]
fn the_lists_are_needed_and_checked() {
    let nothing: Vec<String> = Catalog::parse(&[])
        .whole()
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert!(nothing[0].contains("catalog/categories.toml") && nothing[1].contains("catalog/activities.toml"));
    let files = [
        SourceText::new(
            "catalog/categories.toml",
            "[[category]]\nid = \"a\"\nparent = \"b\"\n[[category]]\nid = \"a\"",
        ),
        SourceText::new("catalog/activities.toml", "[[activity]]\nid = \"browse\"\nrank = 1"),
    ];
    let text: Vec<String> = Catalog::parse(&files)
        .whole()
        .unwrap_err()
        .iter()
        .map(ToString::to_string)
        .collect();
    let text = text.join("\n");
    for part in [
        "`a` is listed twice",
        "`b` is not a known category",
        "needs a `rank` and a `kind`",
        "the activity `unknown-write` is missing",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

/// The problems of the shipped lists with these categories beside them.
fn of_categories(more: &str) -> Vec<String> {
    let shipped = file("catalog/categories.toml");
    let categories = SourceText::new(shipped.name, format!("{}{more}", shipped.text));
    let files = [categories, file("catalog/activities.toml")];
    let problems = Catalog::parse(&files).whole().err().unwrap_or_default();
    problems.iter().map(ToString::to_string).collect()
}

#[test]
fn a_circle_of_categories_is_said_once_and_where_it_stands() {
    let category =
        |id: &str, parent: &str| format!("\n[[category]]\nid = \"{id}\"\nparent = \"{parent}\"\ntitle = \"T\"\n");
    let line = file("catalog/categories.toml").text.lines().count() + 4;
    let circle = [
        category("a", "b"),
        category("b", "c"),
        category("c", "a"),
        category("d", "a"),
    ]
    .concat();
    for (more, at) in [(circle, line), (category("a", "a"), line)] {
        let found = of_categories(&more);
        assert_eq!(found.len(), 1, "{found:?}");
        let said = format!("catalog/categories.toml:{at}:");
        assert!(
            found[0].contains(&said) && found[0].contains("`a` would be part of itself"),
            "{found:?}"
        );
    }
}

#[test]
fn categories_nested_without_end_are_refused_and_cost_no_more_than_others() {
    let chain = |length: usize| -> String {
        let link = |n: usize| {
            format!(
                "\n[[category]]\nid = \"n{n}\"\nparent = \"n{}\"\ntitle = \"T\"\n",
                n + 1
            )
        };
        let last = format!("\n[[category]]\nid = \"n{length}\"\ntitle = \"T\"\n");
        (0..length).map(link).chain([last]).collect()
    };
    assert_eq!(of_categories(&chain(16)), Vec::<String>::new());
    let found = of_categories(&chain(17));
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("`n0` has more than 16 categories above it"),
        "{found:?}"
    );
    assert_eq!(of_categories(&chain(20_000)).len(), 1);
}

#[test]
fn a_copy_of_a_platform_is_told_once_with_the_file_that_it_is_a_copy_of() {
    let whole = format!(
        "{BASE}domains = [{{ host = \"a.example\" }}, {{ host = \"b.example\" }}, {{ host = \"c.example\" }}]\n\
         [[signature]]\nid = \"one.post\"\nactivity = \"post\"\nmethods = [\"POST\"]\nhosts = [\"a.example\"]\npath = \"/\"\n"
    );
    // whichever is read first
    for copy in ["another", "zero"] {
        let told = problems(&[("one", &whole), (copy, &whole)]);
        let [told] = &told[..] else { panic!("{told:#?}") };
        let said = format!(
            "catalog/{copy}.toml:2:6: `{copy}.toml` declares the platform `one`, which is declared in `catalog/one.toml` already"
        );
        assert!(told.starts_with(&said), "{told}");
    }
    // a copy with a name of its own takes the other's hosts, and what follows from that goes with it
    let told = problems(&[("one", &whole), ("two", &whole.replace("\"one\"", "\"two\""))]);
    let [told] = &told[..] else { panic!("{told:#?}") };
    let said = "`a.example` is a domain of `two` and of `one`, as are 2 more of its hosts";
    assert!(told.contains(said), "{told}");
    // of two others it takes hosts of each, and both are told
    let hosts =
        |id: &str, hosts: &str| format!("{}domains = [{hosts}]\n", BASE.replace("\"one\"", &format!("\"{id}\"")));
    let told = problems(&[
        ("one", &hosts("one", "{ host = \"a.example\" }")),
        ("two", &hosts("two", "{ host = \"b.example\" }")),
        (
            "zero",
            &hosts("zero", "{ host = \"a.example\" }, { host = \"b.example\" }"),
        ),
    ]);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].contains("of `zero` and of `one`") && told[1].contains("of `zero` and of `two`"));
}

#[test]
fn platforms_that_took_each_others_id_stand_in_the_wrong_file_and_nothing_else() {
    let other = BASE.replace("\"one\"", "\"two\"");
    let told = problems(&[("one", &other), ("two", BASE)]);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(
        told[0].contains("`two` stands in a file that is named `one`"),
        "{told:#?}"
    );
    assert!(
        told[1].contains("`one` stands in a file that is named `two`"),
        "{told:#?}"
    );
}

#[test]
fn a_misspelt_activity_is_told_whatever_is_wrong_with_another_one() {
    let activities = file("catalog/activities.toml")
        .text
        .replacen("kind = \"read\"", "kind = \"raed\"", 1);
    let one = format!(
        "{BASE}[[signature]]\nid = \"one.post\"\nactivity = \"posst\"\nmethods = [\"POST\"]\nhosts = [\"a.example\"]\npath = \"/\"\n"
    );
    let files = [
        file("catalog/categories.toml"),
        SourceText::new("catalog/activities.toml", activities),
        SourceText::new("catalog/one.toml", one),
    ];
    let found = Catalog::parse(&files).whole().unwrap_err();
    let unknown: Vec<String> = found
        .iter()
        .filter(|problem| problem.code.ends_with("unknown-activity"))
        .map(ToString::to_string)
        .collect();
    let [unknown] = &unknown[..] else { panic!("{found:#?}") };
    assert!(
        unknown.contains("posst") && unknown.contains("did you mean `post`?"),
        "{unknown}"
    );
}

#[test]
fn a_name_is_no_mistake_where_the_list_of_such_names_cannot_be_read() {
    let one = BASE.replace("social", "soscial");
    assert_eq!(problems(&[("one", &one)]).len(), 1);
    let mut files = vec![
        SourceText::new("catalog/categories.toml", "[[category]\nid = \"social\"\n"),
        file("catalog/activities.toml"),
        SourceText::new("catalog/one.toml", one),
    ];
    let told = |files: &[SourceText]| -> Vec<String> {
        let found = Catalog::parse(files).whole().err().unwrap_or_default();
        found
            .iter()
            .map(|problem| format!("{} {}", problem.code, problem.file))
            .collect()
    };
    assert_eq!(told(&files), ["wayleave::catalog::syntax catalog/categories.toml"]);
    files.remove(0);
    assert_eq!(
        told(&files),
        ["wayleave::catalog::missing-file catalog/categories.toml"]
    );
}

#[test]
fn a_mark_says_one_thing() {
    let mark = |keys: &str| format!("marks = [{{ hosts = [\"one.example\"], {keys} }}]");
    for good in [
        "key = \"variables\", member = \"input\"",
        "key = \"variables\", within = [\"input\"]",
        "key = \"variables\", only = [\"count\", \"with*\"], paths = [\"/graphql\"]",
        "key = \"features\", is = \"flags\"",
        "fields = [\"variables\"]",
    ] {
        expect(&mark(good), &[]);
    }
    let one_of = "a mark needs one of `member`, `within`, `only`, `is` and `contains`, or `fields`";
    expect(&mark("key = \"variables\""), &[one_of]);
    expect(&mark("key = \"variables\", member = \"a\", is = \"flags\""), &[one_of]);
    let no_single_one = "a mark that lists all `fields` of a read is about no single one";
    expect(&mark("fields = [\"a\"], key = \"variables\""), &[no_single_one]);
    expect(
        &mark("key = \"features\", is = \"flag\""),
        &["did you mean `flags`?", one_of],
    );
    expect(&mark("fields = [\"\"]"), &["a mark lists a name that is empty"]);
    expect(
        &mark("fields = [\"a\", \"**\"]"),
        &["a mark lists every field there can be"],
    );
    let shared =
        |cover: &str| format!("domains = [{{ host = \"a.example\", match = \"{cover}\", paths = [\"/a/**\"] }}]");
    expect(&shared("suffix"), &["a host that is shared is no pattern"]);
    expect(&shared("exact"), &[]);
    expect(
        &mark("fields = [\"a\"], paths = [\"graphql\"]"),
        &["`graphql` is not a path glob"],
    );
    expect(&mark("member = \"input\""), &["`key` is missing"]);
}
