//! The matrix as one page that needs nothing else: no script, no font, no network. Tables have captions and scoped
//! headings, so that screen readers tell what a cell belongs to, and every answer is a word, never a colour alone. Pure.

use std::fmt::Write as _;

use super::{Matrix, Sheet, alike, legend, opened};

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1rem/1.5 system-ui,sans-serif;max-width:75rem;margin:2rem auto;padding:0 1rem}\
table{border-collapse:collapse;width:100%;margin:0 0 2rem}\
caption{text-align:left;font-weight:600;padding:.4rem 0}\
th,td{border:1px solid #767676;padding:.4rem .6rem;text-align:left;vertical-align:top}\
th[scope=rowgroup]{width:30%;font-weight:400}th[scope=row]{width:25%;font-weight:600}\
.scroll{overflow-x:auto}nav ul{columns:14rem;padding-left:1.2rem}\
@media print{nav{display:none}table{break-inside:avoid}}";

pub(super) fn text(matrix: &Matrix) -> String {
    let mut text = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>Who may do what</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>Who may do what</h1>\n"
    );
    let _ = writeln!(
        text,
        "<p>As judged for <time datetime=\"{at}\">{at}</time> from the network <code>{}</code>, by the rules \
         <code>{}</code>.</p>",
        escaped(&matrix.network),
        escaped(matrix.rulebook.as_str()),
        at = matrix.at,
    );
    if let Some(legend) = legend(matrix) {
        let _ = writeln!(text, "<p>{}</p>", escaped(legend));
    }
    if matrix.sheets.len() > 1 {
        text.push_str("<nav aria-label=\"Contents\">\n<ul>\n");
        for (number, sheet) in matrix.sheets.iter().enumerate() {
            let _ = writeln!(text, "<li><a href=\"#s{number}\">{}</a></li>", escaped(&sheet.name));
        }
        text.push_str("</ul>\n</nav>\n");
    }
    for (number, sheet) in matrix.sheets.iter().enumerate() {
        section(&mut text, number, sheet);
    }
    text.push_str("</main>\n</body>\n</html>\n");
    text
}

fn section(text: &mut String, number: usize, sheet: &Sheet) {
    let name = escaped(&sheet.name);
    let _ = writeln!(
        text,
        "<section aria-labelledby=\"s{number}\">\n<h2 id=\"s{number}\">{name}</h2>\n<p>{}</p>\n\
         <div class=\"scroll\" role=\"region\" aria-labelledby=\"c{number}\" tabindex=\"0\">\n<table>\n\
         <caption id=\"c{number}\">What {name} may do, by platform</caption>\n\
         <thead><tr><th scope=\"col\">Platforms</th><th scope=\"col\">How</th><th scope=\"col\">What</th></tr></thead>",
        escaped(&sheet.about.join(", "))
    );
    for (access, platforms) in alike(sheet) {
        let ways = opened(access);
        let mut first = format!(
            "<th scope=\"rowgroup\" rowspan=\"{}\">{}</th>",
            ways.len(),
            escaped(&platforms.join(", "))
        );
        text.push_str("<tbody>\n");
        for (way, activities) in ways {
            let (way, activities) = (escaped(&way), escaped(&activities));
            let _ = writeln!(
                text,
                "<tr>{first}<th scope=\"row\">{way}</th><td>{activities}</td></tr>"
            );
            first.clear();
        }
        text.push_str("</tbody>\n");
    }
    text.push_str("</table>\n</div>\n</section>\n");
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
