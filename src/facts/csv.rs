//! How tables are written for spreadsheets.

/// What begins a formula.
const BEGINS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// A cell that no spreadsheet takes for a formula, and no comma ends (RFC 4180 §2): nor one whose cells end with semicolons or
/// tabs, as they do where a comma is what decimals begin with.
pub fn csv_cell(cell: &str) -> String {
    let mut guarded = String::with_capacity(cell.len() + 1);
    if cell.starts_with(['\t', '\r', '\n']) {
        guarded.push('\'');
    }
    let mut begins = true;
    for one in cell.chars() {
        if begins && BEGINS.contains(&one) {
            guarded.push('\'');
        }
        // quotes within a cell are none to whoever splits it elsewhere
        begins = [';', '\t', '\r', '\n'].contains(&one) || (begins && (one.is_whitespace() || one == '"'));
        guarded.push(one);
    }
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_breaks_its_line() {
        for (cell, written) in [
            ("ada", "ada"),
            ("=1+1", "'=1+1"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("\n=1", "\"'\n'=1\""),
            ("a; =1+1", "a; '=1+1"),
            ("a;=1;\t@x;b-c", "a;'=1;\t'@x;b-c"),
            ("a\t-1", "a\t'-1"),
            (";\"=1", "\";\"\"'=1\""),
            ("one: two = three; four", "one: two = three; four"),
            ("＝1+1", "'＝1+1"),
            ("@x", "'@x"),
            ("a,b", "\"a,b\""),
            ("say \"x\"", "\"say \"\"x\"\"\""),
            ("=a,b", "\"'=a,b\""),
        ] {
            assert_eq!(csv_cell(cell), written);
        }
    }
}
