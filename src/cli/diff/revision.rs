//! A folder of policies as it was in a git revision.
#![expect(clippy::disallowed_methods, reason = "door: asks git for files of a revision")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::facts::{Problem, SourceText};
use crate::rulebook::is_source;

/// Every text of the folder that rules are made of.
pub(super) fn read(revision: &str, folder: &str) -> Result<Vec<SourceText>, Vec<Problem>> {
    let folder = folder.trim_end_matches('/');
    let failed = |why: String| {
        let message = format!("`{revision}` is neither a folder nor a git revision with `{folder}/` in it: {why}");
        let problem = Problem::of_file("wayleave::diff::unreadable", "", message);
        vec![problem.with_help("name two folders of policies, or two revisions as in `main..HEAD`")]
    };
    if revision.starts_with('-') {
        return Err(failed("revisions do not begin with `-`".to_owned()));
    }
    let prefix = git(&["rev-parse", "--show-prefix"], "").map_err(failed)?;
    let prefix = String::from_utf8_lossy(&prefix);
    // seen from here, or from the top of the repository
    let paths = [joined(prefix.trim_end(), folder), joined("", folder)];
    let paths: Vec<&String> = paths.iter().flatten().collect();
    if paths.is_empty() {
        return Err(failed("it is outside of the repository".to_owned()));
    }
    for path in paths {
        let names = listed(revision, path).map_err(failed)?;
        if names.is_empty() {
            continue;
        }
        if let Some(odd) = names.iter().find(|name| name.contains('\n')) {
            let message = format!("`{revision}` has a file whose name has a line break: {odd:?}");
            let problem = Problem::of_file("wayleave::diff::unreadable", "", message);
            return Err(vec![problem.with_help("give it a name of one line")]);
        }
        let asked: String = names.iter().map(|name| format!("{revision}:{path}{name}\n")).collect();
        let told = git(&["cat-file", "--batch"], &asked).map_err(failed)?;
        return texts(&names, &told).ok_or_else(|| failed("git said something else than the files".to_owned()));
    }
    Err(failed("it has no such files".to_owned()))
}

/// The commit at which `new` left `old`, by its short name.
pub(super) fn fork(old: &str, new: &str) -> Result<String, String> {
    if [old, new].iter().any(|name| name.starts_with('-')) {
        return Err("revisions do not begin with `-`".to_owned());
    }
    let apart = |why: String| match why.as_str() {
        "" => format!("`{old}` and `{new}` have no commit in common"),
        why => format!("`{old}` and `{new}` are not two git revisions: {why}"),
    };
    let one_line = |told: Vec<u8>| String::from_utf8_lossy(&told).trim().to_owned();
    let commit = git(&["merge-base", old, new], "").map(one_line).map_err(apart)?;
    git(&["rev-parse", "--short", &commit], "").map(one_line).map_err(apart)
}

/// `folder`, seen from `prefix`, as seen from the top of the repository: with a `/` at its end, and empty for the top; none
/// for what is above that.
fn joined(prefix: &str, folder: &str) -> Option<String> {
    let mut parts = Vec::new();
    for part in prefix.split('/').chain(folder.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.iter().map(|part| format!("{part}/")).collect())
}

/// What rules are made of in a folder of a revision, by its path below that folder.
fn listed(revision: &str, path: &str) -> Result<Vec<String>, String> {
    let mut args = vec!["ls-tree", "-r", "-z", "--name-only", "--full-tree", revision];
    if !path.is_empty() {
        args.extend(["--", path]);
    }
    let listed = git(&args, "")?;
    let listed = String::from_utf8_lossy(&listed);
    let names = listed.split('\0').filter_map(|name| name.strip_prefix(path));
    let is_source = |name: &&str| is_source(name) && !name.split('/').any(|part| part.starts_with('.'));
    Ok(names.filter(is_source).map(str::to_owned).collect())
}

/// `<object> blob <length>`, the text, and an end of line, for each.
fn texts(names: &[String], mut told: &[u8]) -> Option<Vec<SourceText>> {
    let mut files = Vec::new();
    for name in names {
        let end = told.iter().position(|byte| *byte == b'\n')?;
        let (head, rest) = told.split_at(end);
        let length: usize = str::from_utf8(head).ok()?.rsplit(' ').next()?.parse().ok()?;
        let text = rest.get(1..=length)?;
        told = rest.get(length + 2..)?;
        files.push(SourceText::new(name.as_str(), str::from_utf8(text).ok()?));
    }
    Some(files)
}

fn git(args: &[&str], input: &str) -> Result<Vec<u8>, String> {
    let mut child = Command::new("git")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("git cannot be started: {error}"))?;
    let mut stdin = child.stdin.take();
    let output = std::thread::scope(|scope| {
        // git answers while it is asked: whoever only wrote would wait for it, and it for them
        scope.spawn(move || stdin.as_mut().map(|stdin| stdin.write_all(input.as_bytes())));
        child.wait_with_output()
    });
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_tells_is_taken_apart_by_length() {
        let told = b"abc blob 4\na\nb\n\ndef blob 0\n\n";
        let files = texts(&["rules/a.cedar".to_owned(), "rules/b.cedar".to_owned()], told).unwrap();
        assert_eq!((&*files[0].text, &*files[1].text), ("a\nb\n", ""));
        assert!(texts(&["a".to_owned()], b"main:a missing\n").is_none());
        assert!(texts(&["a".to_owned()], b"abc blob 9\nshort\n").is_none());
    }

    #[test]
    fn a_folder_is_named_from_the_top_of_the_repository() {
        for (prefix, folder, path) in [
            ("", "policies", Some("policies/")),
            ("", "./policies/", Some("policies/")),
            ("", ".", Some("")),
            ("policies/rules/", "..", Some("policies/")),
            ("policies/", ".", Some("policies/")),
            ("policies/", "../..", None),
        ] {
            assert_eq!(joined(prefix, folder).as_deref(), path, "{prefix} {folder}");
        }
    }
}
