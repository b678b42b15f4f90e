//! `wayleave value`: how much purposes are used, and what comes of them.

use std::collections::BTreeMap;
use std::process::ExitCode;

use clap::ValueEnum;
use http::Method;
use serde_json::Value;

use super::counter::problem;
use super::printer;
use super::records::plain;
use super::stop::Stop;
use super::way::Way;
use crate::facts::{PurposeId, csv_cell};
use crate::ledger::{Brought, Figure, Measure, Part, Sums, Week};
use crate::notices::{Called, preview};

/// Prints how much the purposes that you may see are used, and what comes of them: of groups of five people and more.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A week is told once it is over, and what came of it a week later. A table has what is told of each purpose taken \
                  together; csv and json have each week, and platforms and departments; digest is the text of the weekly \
                  digest, of the last week of which all is told.\n\nExit code: 0 printed; 1 not printed, or \
                  there is no such purpose that you may see; 2 the command line or the proxy's URL makes no sense"
)]
pub struct Args {
    /// Only this purpose.
    #[arg(long)]
    purpose: Option<String>,
    /// So many weeks, up to the last that is over.
    #[arg(long, default_value_t = 13)]
    weeks: u16,
    /// How to print it: a table with a line for each purpose, each figure, or as the weekly digest says it.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    way: Way,
}

/// How figures are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Csv,
    Json,
    Digest,
}

/// The week before the last one is settled, and told with the one before it.
const OF_DIGEST: u16 = 3;

/// Runs the command: 0 when printed, 1 when not, 2 when the proxy's URL cannot be understood.
pub async fn run(args: Args) -> Result<ExitCode, Stop> {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let weeks = match args.format {
        Format::Digest => OF_DIGEST,
        Format::Table | Format::Csv | Format::Json => args.weeks,
    };
    query.append_pair("weeks", &weeks.to_string());
    query.extend_pairs(args.purpose.iter().map(|purpose| ("purpose", purpose)));
    let path = format!("/v1/value?{}", query.finish());
    let said = args.way.ask(Method::GET, &path, None).await?;
    if !said.status.is_success() {
        printer::talk(problem(&said));
        return Ok(ExitCode::FAILURE);
    }
    match args.format {
        Format::Json => printer::data(&said.json),
        Format::Csv => printer::data(csv(&said.json)),
        Format::Table => table(&said.json).iter().for_each(printer::data),
        Format::Digest => match digest(&said.json, &format!("https://{}", args.way.portal)) {
            Some(text) => printer::data(text.trim_end()),
            None => printer::talk("nothing is told of the last week that is settled: no digest is sent"),
        },
    }
    Ok(ExitCode::SUCCESS)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn word<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or("")
}

fn number(value: &Value, key: &str) -> Option<u64> {
    value.get(key).and_then(Value::as_u64)
}

/// What is told of each purpose, taken together; a dash where nothing is.
fn table(said: &Value) -> Vec<String> {
    let lines = list(said, "purposes").iter().map(|purpose| {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for figure in list(purpose, "figures")
            .iter()
            .filter(|figure| word(figure, "part") == "all")
        {
            let more = number(figure, "count").unwrap_or(0);
            let sum = sums.entry(word(figure, "measure")).or_default();
            *sum = sum.saturating_add(more);
        }
        let sum = |measure: &str| sums.get(measure).map_or_else(|| "-".to_owned(), u64::to_string);
        let (grants, flows, id) = (sum("grants"), sum("flows"), word(purpose, "id"));
        let value = match purpose.get("metric").and_then(Value::as_str) {
            Some(metric) => format!("{}  {}", sum("value"), plain(metric)),
            None => String::new(),
        };
        format!("{id:<24}  grants {grants:>7}  flows {flows:>9}  {value}")
            .trim_end()
            .to_owned()
    });
    lines.collect()
}

fn csv(said: &Value) -> String {
    let mut lines = vec!["week,purpose,measure,part,name,people,count,bytes_up,bytes_down,seconds".to_owned()];
    for purpose in list(said, "purposes") {
        for figure in list(purpose, "figures") {
            let number = |key| number(figure, key).map(|number| number.to_string()).unwrap_or_default();
            let cells = [
                word(figure, "week").to_owned(),
                word(purpose, "id").to_owned(),
                word(figure, "measure").to_owned(),
                word(figure, "part").to_owned(),
                word(figure, "name").to_owned(),
                number("people"),
                number("count"),
                number("bytes_up"),
                number("bytes_down"),
                number("seconds"),
            ];
            lines.push(cells.map(|cell| csv_cell(&cell)).join(","));
        }
    }
    lines.join("\n")
}

/// The text of the weekly digest; none where nothing is told.
fn digest(said: &Value, origin: &str) -> Option<String> {
    let week = |text: &str| {
        let midnight = format!("{text}T00:00:00Z").parse().ok()?;
        Some(Week::of(midnight))
    };
    let purposes = list(said, "purposes").iter().map(|purpose| {
        let metric = purpose.get("metric").and_then(Value::as_str).map(plain);
        (
            PurposeId::new(word(purpose, "id")),
            plain(word(purpose, "title")),
            metric,
            purpose,
        )
    });
    let purposes: Vec<_> = purposes.collect();
    let mut figures = Vec::new();
    for (id, _, _, purpose) in &purposes {
        let wholes = list(purpose, "figures").iter().filter(|one| word(one, "part") == "all");
        figures.extend(wholes.filter_map(|one| {
            Some(Figure {
                purpose: id.clone(),
                week: week(word(one, "week"))?,
                measure: Measure::ALL
                    .into_iter()
                    .find(|measure| measure.as_str() == word(one, "measure"))?,
                part: Part::Whole,
                people: number(one, "people"),
                sums: Sums {
                    count: number(one, "count")?,
                    ..Sums::default()
                },
            })
        }));
    }
    let brought = Brought {
        week: week(word(said, "to"))?.before(1),
        figures,
    };
    let called = purposes.iter().map(|(id, title, metric, _)| Called {
        id,
        title,
        metric: metric.as_deref(),
    });
    preview(&brought, called, origin)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said() -> Value {
        let figure = |measure: &str, part: &str, count: u64| json!({"week": "2026-11-16", "measure": measure, "part": part, "count": count});
        json!({"purposes": [
            {"id": "recruiting", "metric": "Candidates contacted", "figures": [
                figure("grants", "all", 7), figure("grants", "all", 8), figure("value", "all", 31),
                {"week": "2026-11-16", "measure": "flows", "part": "department", "name": "=hr", "people": 6, "count": 9, "bytes_up": 1, "bytes_down": 2, "seconds": 3},
            ]},
            {"id": "personal-break", "metric": null, "figures": []},
        ]})
    }

    #[test]
    fn a_table_has_a_line_for_each_purpose_and_a_dash_where_nothing_is_told() {
        insta::assert_snapshot!(table(&said()).join("\n"), @r"
        recruiting                grants      15  flows         -  31  Candidates contacted
        personal-break            grants       -  flows         -
        ");
    }

    #[test]
    fn a_digest_is_of_the_last_week_that_is_settled_and_of_nothing_else() {
        let figure = |week: &str, measure: &str, count: u64| json!({"week": week, "measure": measure, "part": "all", "people": 6, "count": count});
        let figures = json!([
            figure("2026-11-02", "value", 28),
            figure("2026-11-09", "grants", 7),
            figure("2026-11-09", "value", 31),
            figure("2026-11-16", "grants", 99),
        ]);
        let purposes = |figures: &Value| {
            json!({"to": "2026-11-16", "purposes": [
                {"id": "recruiting", "title": "Recruiting", "metric": "Candidates contacted", "figures": figures},
                {"id": "personal-break", "title": "Break", "metric": null, "figures": []},
            ]})
        };
        let text = digest(&purposes(&figures), "https://wayleave.internal").unwrap();
        insta::assert_snapshot!(text, @"
        What social media brought in the week of 9 Nov 2026

        Recruiting: Candidates contacted: 31 (28), said by 6 people; Grants: 7 (not shown); People: 6 (6)

        See it as charts, with the weeks before: https://wayleave.internal/value

        -- 
        In brackets: the week before. Only groups of 5 people or more are told, and nobody by name. Wayleave sends this by itself; nobody reads replies. Reference: 2026-11-09
        ");
        assert_eq!(digest(&purposes(&json!([])), ""), None);
    }

    #[test]
    fn csv_has_a_line_for_each_figure_and_no_formula() {
        insta::assert_snapshot!(csv(&said()), @r"
        week,purpose,measure,part,name,people,count,bytes_up,bytes_down,seconds
        2026-11-16,recruiting,grants,all,,,7,,,
        2026-11-16,recruiting,grants,all,,,8,,,
        2026-11-16,recruiting,value,all,,,31,,,
        2026-11-16,recruiting,flows,department,'=hr,6,9,1,2,3
        ");
    }
}
