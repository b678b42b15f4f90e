//! How rules are laid out, so that a change of a rule is all that a review shows. Pure.

use std::collections::BTreeMap;

use cedar_policy_formatter::{Config, policies_str_to_pretty};

use super::{depth, rule};
use crate::facts::{Problem, SourceText};

/// Wide enough for a scope on one line.
const LINE_WIDTH: usize = 120;
const INDENT: isize = 2;

/// The text of a file of rules as `wayleave fmt` writes it: the same rules, annotations and comments. Laying it out again
/// changes nothing. All its lines end as the first one does.
pub fn laid_out(source: &SourceText) -> Result<String, Vec<Problem>> {
    let is_of_windows = source.text.split('\n').next().is_some_and(|line| line.ends_with('\r'));
    let plain = SourceText::new(source.name.as_str(), source.text.replace("\r\n", "\n"));
    let text = depth::with_room(&plain, || lay_out(&plain)).unwrap_or_else(|problem| Err(vec![problem]))?;
    Ok(if is_of_windows {
        text.replace('\n', "\r\n")
    } else {
        text
    })
}

fn lay_out(source: &SourceText) -> Result<String, Vec<Problem>> {
    let rules = rule::read(source)?.into_iter().map(|rule| depth::check(source, rule));
    let rules: Vec<_> = rules.collect::<Result<_, _>>().map_err(|problem| vec![problem])?;
    if rules.is_empty() {
        return Ok(source.text.to_string());
    }
    let (head, rules) = beheaded(&source.text);
    let config = Config {
        line_width: LINE_WIDTH,
        indent_width: INDENT,
    };
    let refused = |why: String| {
        let message = format!("these rules cannot be laid out: {why}");
        let help = "leave the file as it is, or move the comments of its rules to lines of their own";
        vec![Problem::of_file("wayleave::policy::layout", &source.name, message).with_help(help)]
    };
    let rules = policies_str_to_pretty(rules, &config).map_err(|error| refused(error.to_string()))?;
    let text = format!("{head}{rules}");
    if comments(&text) == comments(&source.text) {
        Ok(text)
    } else {
        Err(refused("a comment would be lost".to_owned()))
    }
}

/// The comments at the head of a file that belong to no rule, up to the last empty line before the first one, and the
/// rest.
fn beheaded(text: &str) -> (&str, &str) {
    let mut end = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let is_empty = line.trim().is_empty();
        if !is_empty && !line.trim_start().starts_with("//") {
            break;
        }
        at += line.len();
        if is_empty {
            end = at;
        }
    }
    text.split_at_checked(end).unwrap_or(("", text))
}

/// How often each comment stands in a text.
fn comments(text: &str) -> BTreeMap<String, usize> {
    let code = rule::without_comments(text);
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for (line, code) in text.lines().zip(code.lines()) {
        if let Some((_, comment)) = line.split_at_checked(code.trim_end().len())
            && !comment.trim().is_empty()
        {
            *found.entry(comment.trim().to_owned()).or_default() += 1;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formatted(text: &str) -> String {
        laid_out(&SourceText::new("rules/a.cedar", text)).unwrap()
    }

    #[test]
    fn comments_and_annotations_survive_and_laying_out_twice_is_once() {
        let text = "// What this file is for.\n//\n// More of it.\n\n// of the rule\n@id(\"a\") @reason(\"R // no comment\")\n\
                    permit(principal,action,resource) // who\nwhen{ context has purpose // why\n};\n// the end\n";
        let once = formatted(text);
        insta::assert_snapshot!(once, @r#"
        // What this file is for.
        //
        // More of it.

        // of the rule
        @id("a")
        @reason("R // no comment")
        permit (principal, action, resource) // who
        when
        {
          context
          has
          purpose // why
        };
        // the end
        "#);
        assert_eq!(formatted(&once), once);
    }

    #[test]
    fn a_file_keeps_its_kind_of_line_endings_and_has_one_kind() {
        let text = "// head\n\n@id(\"a\")\n@reason(\"R.\")\npermit(principal, action, resource); // end\n";
        let laid_out = formatted(text);
        assert_eq!(formatted(&text.replace('\n', "\r\n")), laid_out.replace('\n', "\r\n"));
        assert_eq!(
            formatted(&text.replacen('\n', "\r\n", 1)),
            laid_out.replace('\n', "\r\n")
        );
        assert_eq!(formatted(&format!("{text}\r\n")), laid_out);
    }

    #[test]
    fn a_file_that_does_not_parse_or_holds_no_rule_is_left_alone() {
        let bad = laid_out(&SourceText::new("rules/a.cedar", "permit (principal, action);"));
        assert_eq!(bad.unwrap_err()[0].code, "wayleave::policy::syntax");
        assert_eq!(formatted("// nothing yet\n\n\n"), "// nothing yet\n\n\n");
    }
}
