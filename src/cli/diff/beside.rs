//! What changed beside the rules: the entries of schema, catalogue, people and purposes, one by one. No proof speaks of
//! them: rules are asked about what they make of a host or a person. Pure.

use std::collections::BTreeMap;

use cedar_policy::SchemaFragment;
use toml::{Table, Value};

use crate::facts::SourceText;
use crate::rulebook::Sources;

/// How many changes are told; whoever changed more knows.
const MOST: usize = 60;

/// The changes, a line each; none where both say the same, however they are laid out.
pub(super) fn changes(old: &Sources, new: &Sources) -> Vec<String> {
    let mut lines = Vec::new();
    for (kind, old, new) in [
        ("schema", schema(&old.schema), schema(&new.schema)),
        ("catalogue", tree(&old.catalog), tree(&new.catalog)),
        ("people", tree(&old.people), tree(&new.people)),
        (
            "purposes",
            tree(std::slice::from_ref(&old.purposes)),
            tree(std::slice::from_ref(&new.purposes)),
        ),
    ] {
        let mut found = Vec::new();
        tables(&[], &old, &new, &mut found);
        lines.extend(found.into_iter().map(|line| format!("{kind}: {line}")));
    }
    let more = lines.len().saturating_sub(MOST);
    lines.truncate(MOST);
    if more > 0 {
        lines.push(format!("and {more} more changes"));
    }
    lines
}

/// What files of one kind say, whichever of them says it; a file about one thing stands under its name.
fn tree(files: &[SourceText]) -> Table {
    let mut tree = Table::new();
    for file in files {
        let Ok(table) = file.text.parse::<Table>() else {
            tree.insert(file.name.clone(), Value::from(&*file.text));
            continue;
        };
        if let Some(id) = table.get("id").and_then(Value::as_str) {
            tree.insert(format!("platform `{id}`"), Value::Table(table));
            continue;
        }
        for (key, value) in table {
            match (tree.get_mut(&key), value) {
                (Some(Value::Array(known)), Value::Array(more)) => known.extend(more),
                (_, value) => {
                    tree.insert(key, value);
                }
            }
        }
    }
    tree
}

/// What a schema says, without its comments.
fn schema(file: &SourceText) -> Table {
    let read = || {
        let (fragment, _) = SchemaFragment::from_cedarschema_str(&file.text).ok()?;
        let mut whole = fragment.to_json_value().ok()?;
        without_annotations(&mut whole);
        // what stands in no namespace
        let plain = whole.as_object_mut()?.remove("").unwrap_or_default();
        let mut table = Table::try_from(plain).ok()?;
        table.extend(Table::try_from(whole).ok()?);
        Some(table)
    };
    read().unwrap_or_else(|| Table::from_iter([(file.name.clone(), Value::from(&*file.text))]))
}

fn without_annotations(value: &mut serde_json::Value) {
    if let Some(object) = value.as_object_mut() {
        object.remove("annotations");
        object.values_mut().for_each(without_annotations);
    }
}

fn tables(path: &[String], old: &Table, new: &Table, lines: &mut Vec<String>) {
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for key in old.keys().chain(added) {
        values(path, key, old.get(key), new.get(key), lines);
    }
}

fn values(path: &[String], key: &str, old: Option<&Value>, new: Option<&Value>, lines: &mut Vec<String>) {
    let here = [path, &[key.to_owned()]].concat();
    let mut say = |what: String| lines.push(format!("{}: {what}", here.join(", ")));
    match (old, new) {
        (Some(old), Some(new)) if old == new => {}
        (Some(Value::Table(old)), Some(Value::Table(new))) => tables(&here, old, new, lines),
        (Some(Value::Array(old)), Some(Value::Array(new))) => match (named(key, old), named(key, new)) {
            (Some(before), Some(after)) => {
                tables(path, &before, &after, lines);
                let kept = |one: &Table, other: &Table, list: &[Value]| -> Vec<String> {
                    let names = list.iter().filter_map(|value| name(key, value));
                    names
                        .filter(|name| one.contains_key(name) && other.contains_key(name))
                        .collect()
                };
                if kept(&before, &after, old) != kept(&before, &after, new) {
                    lines.push(format!("{}: in another order", here.join(", ")));
                }
            }
            _ => say(listed(old, new)),
        },
        (Some(old), Some(new)) => say(format!("{} became {}", shown(old), shown(new))),
        (None, Some(value)) => match entries(key, value) {
            Some(after) => tables(path, &Table::new(), &after, lines),
            None => say(format!("added{}", its_value(value))),
        },
        (Some(value), None) => match entries(key, value) {
            Some(before) => tables(path, &before, &Table::new(), lines),
            None => say(format!("removed{}", its_value(value))),
        },
        (None, None) => {}
    }
}

/// The entries of a list that the other side does not have at all.
fn entries(key: &str, value: &Value) -> Option<Table> {
    let list = value.as_array().filter(|list| !list.is_empty())?;
    named(key, list)
}

/// The entries of a list of tables by their names; none where they have none, or share one.
fn named(key: &str, list: &[Value]) -> Option<Table> {
    let mut table = Table::new();
    for value in list {
        if table.insert(name(key, value)?, value.clone()).is_some() {
            return None;
        }
    }
    Some(table)
}

/// What an entry is called: "signature `x.post`", "host `x.com`".
fn name(key: &str, value: &Value) -> Option<String> {
    let table = value.as_table()?;
    let name = ["id", "host"].iter().find_map(|name| table.get(*name)?.as_str())?;
    let kind = if key == "domains" {
        "host"
    } else {
        key.trim_end_matches('s')
    };
    Some(format!("{kind} `{name}`"))
}

/// What came to a list of values, and what went; or that their order changed.
fn listed(old: &[Value], new: &[Value]) -> String {
    let without = |list: &[Value], other: &[Value]| -> Vec<String> {
        let mut left: BTreeMap<String, usize> = BTreeMap::new();
        for value in other {
            *left.entry(shown(value)).or_default() += 1;
        }
        let mut more = list.iter().map(shown).collect::<Vec<_>>();
        more.retain(|value| match left.get_mut(value) {
            Some(many) if *many > 0 => {
                *many -= 1;
                false
            }
            _ => true,
        });
        more
    };
    let said = [("with", without(new, old)), ("without", without(old, new))];
    let said = said.iter().filter(|(_, values)| !values.is_empty());
    let said: Vec<String> = said
        .map(|(word, values)| format!("{word} {}", values.join(", ")))
        .collect();
    if said.is_empty() {
        "in another order".to_owned()
    } else {
        said.join("; ")
    }
}

fn its_value(value: &Value) -> String {
    let is_entry = |value: &Value| value.as_table().is_some_and(|table| table.len() > 4);
    if is_entry(value) || value.as_array().is_some_and(|list| list.iter().any(Value::is_table)) {
        return String::new();
    }
    format!(", {}", shown(value))
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        Value::Table(table) => {
            let pairs: Vec<String> = table
                .iter()
                .map(|(key, value)| format!("{key} = {}", shown(value)))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => format!("`{value}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let file = |text: &str| [SourceText::new("catalog/a.toml", text)];
        let mut lines = Vec::new();
        tables(&[], &tree(&file(old)), &tree(&file(new)), &mut lines);
        lines
    }

    #[test]
    fn comments_and_the_order_of_keys_say_nothing() {
        assert_eq!(told("a = 1\nb = 2\n", "# more\nb = 2\na = 1\n"), Vec::<String>::new());
    }

    #[test]
    fn each_entry_and_each_value_that_changed_is_a_line() {
        let old = "id = \"p\"\ndomains = [{ host = \"p.com\", roles = [\"site\"] }, { host = \"p.at\", roles = [\"site\"] }]\n\
                   [[signature]]\nid = \"one\"\nactivity = \"post\"\n[[signature]]\nid = \"two\"\nactivity = \"read\"\n";
        let new = "id = \"p\"\ndomains = [{ host = \"p.com\", roles = [\"site\", \"api\"] }]\n\
                   [[signature]]\nid = \"two\"\nactivity = \"read\"\n[[signature]]\nid = \"one\"\nactivity = \"react\"\n";
        assert_eq!(
            told(old, new),
            [
                "platform `p`, host `p.at`: removed, { host = `p.at`, roles = [`site`] }",
                "platform `p`, host `p.com`, roles: with `api`",
                "platform `p`, signature `one`, activity: `post` became `react`",
                "platform `p`, signature: in another order",
            ]
        );
    }

    #[test]
    fn entries_without_names_or_of_one_name_are_compared_whole() {
        let same = "[[host]]\nhost = \"a\"\nmatch = \"exact\"\n[[host]]\nhost = \"a\"\nmatch = \"suffix\"\n";
        let less = "[[host]]\nhost = \"a\"\nmatch = \"exact\"\n";
        assert_eq!(told(same, less), ["host: without { host = `a`, match = `suffix` }"]);
        assert_eq!(told("a = [1, 2]\n", "a = [2, 1]\n"), ["a: in another order"]);
        assert_eq!(told("a = [1, 1]\n", "a = [1]\n"), ["a: without `1`"]);
    }

    #[test]
    fn the_first_and_the_last_entry_of_a_list_are_named_as_well() {
        let hosts = "[[host]]\nhost = \"a\"\nmatch = \"exact\"\n[[host]]\nhost = \"b\"\nmatch = \"exact\"\n";
        let told_of = |what: &str| {
            ["a", "b"].map(|host| format!("host `{host}`: {what}, {{ host = `{host}`, match = `exact` }}"))
        };
        assert_eq!(told("", hosts), told_of("added"));
        assert_eq!(told(hosts, ""), told_of("removed"));
    }

    #[test]
    fn an_entry_may_move_to_another_file() {
        let files = |one: &str, other: &str| {
            [
                SourceText::new("people/a.toml", one),
                SourceText::new("people/b.toml", other),
            ]
        };
        let (ada, ben) = ("[[person]]\nid = \"ada\"\n", "[[person]]\nid = \"ben\"\n");
        let both = format!("{ada}{ben}");
        assert_eq!(tree(&files(ada, ben)), tree(&files("", &both)));
    }
}
