//! What is told of the viewers of each kind.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::ages::Ages;
use super::run::Measured;
use super::tally::{Kind, Tally};
use super::viewer::Viewer;

/// A figure, and how many digits it has behind the point. There is none of what has not happened.
type Figure = (&'static str, Option<f64>, usize);

/// The viewers of one kind in figures.
#[derive(Debug)]
pub(super) struct Report {
    kind: Kind,
    figures: Vec<Figure>,
}

/// The reports of all kinds that there are.
pub(super) fn reports(measured: &Measured, paint: bool) -> Vec<Report> {
    let of_kind = |kind| {
        let viewers: Vec<_> = measured.viewers.iter().filter(|viewer| viewer.kind == kind).collect();
        (!viewers.is_empty()).then(|| Report::new(kind, &viewers, measured.time.as_secs_f64(), paint))
    };
    Kind::ALL.into_iter().filter_map(of_kind).collect()
}

impl Report {
    fn new(kind: Kind, viewers: &[&Rc<Viewer>], seconds: f64, paint: bool) -> Self {
        let tallies: Vec<_> = viewers.iter().map(|viewer| viewer.tally.borrow()).collect();
        let count = viewers.len() as f64;
        let sum = |of: fn(&Tally) -> u64| tallies.iter().map(|tally| of(tally)).sum::<u64>() as f64;
        let sorted = |of: &dyn Fn(&Tally) -> Option<f64>| {
            let mut list: Vec<f64> = tallies.iter().filter_map(|tally| of(tally)).collect();
            list.sort_by(f64::total_cmp);
            list
        };
        let rates = sorted(&|tally| Some(tally.frames as f64 / seconds));
        let firsts = sorted(&|tally| tally.first_ms);
        let gap = tallies.iter().filter_map(|tally| tally.gap).max();
        let (mut stale, mut shown) = (Ages::default(), Ages::default());
        for tally in &tallies {
            stale.extend(&tally.stale);
            shown.extend(&tally.shown);
        }
        let median = |list: &[f64]| list.get(list.len() / 2).copied();
        let mut figures = vec![
            ("viewers", Some(count), 0),
            ("dead", Some(sum(|tally| tally.dead)), 0),
            ("fps_min", rates.first().copied(), 1),
            ("fps_median", median(&rates), 1),
            ("kB_per_s_each", Some(sum(|tally| tally.bytes) / 1e3 / seconds / count), 1),
            ("images", Some(sum(|tally| tally.images)), 0),
            ("first_ms_median", median(&firsts), 0),
            ("first_ms_max", firsts.last().copied(), 0),
        ];
        figures.extend(ages(["stale_p50_ms", "stale_p99_ms", "stale_max_ms"], &stale));
        figures.push(("gap_max_ms", gap.map(|gap| gap.as_secs_f64() * 1e3), 0));
        figures.extend(ages(["shown_p50_ms", "shown_p99_ms", "shown_max_ms"], &shown));
        figures.push(("unread", Some(sum(|tally| tally.unread)), 0));
        if kind == Kind::Flapping {
            figures.push(("visits", Some(sum(|tally| tally.visits)), 0));
        }
        if paint {
            figures.push(("pictures", Some(pictures(viewers) as f64), 0));
        }
        Self { kind, figures }
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        let mut line = format!("{{\"kind\":\"{}\"", self.kind.name());
        for figure in &self.figures {
            line += &format!(",\"{}\":{}", figure.0, said(figure).as_deref().unwrap_or("null"));
        }
        line + "}"
    }
}

/// A table with a column for each kind.
pub(super) fn table(reports: &[Report]) -> String {
    let mut rows = vec![vec![String::new()]];
    for report in reports {
        for row in &report.figures {
            if !rows.iter().any(|known| known.first().is_some_and(|name| name == row.0)) {
                rows.push(vec![row.0.to_owned()]);
            }
        }
    }
    for report in reports {
        for row in &mut rows {
            let figure =
                report.figures.iter().find(|figure| row.first().is_some_and(|name| name == figure.0));
            row.push(match (row.first().is_some_and(String::is_empty), figure) {
                (true, _) => report.kind.name().to_owned(),
                (false, figure) => figure.and_then(said).unwrap_or_else(|| "-".to_owned()),
            });
        }
    }
    let widths: Vec<usize> = (0..=reports.len())
        .map(|at| rows.iter().filter_map(|row| row.get(at)).map(String::len).max().unwrap_or(0))
        .collect();
    let mut table = String::new();
    for row in &rows {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            table += &if at == 0 { format!("{cell:width$}") } else { format!("  {cell:>width$}") };
        }
        table.push('\n');
    }
    table
}

fn said((_, figure, digits): &Figure) -> Option<String> {
    figure.map(|figure| format!("{figure:.digits$}"))
}

fn ages(names: [&'static str; 3], ages: &Ages) -> [Figure; 3] {
    let [p50, p99, max] = [50, 99, 100].map(|percent| ages.percentile(percent).map(f64::from));
    let [first, second, third] = names;
    [(first, p50, 0), (second, p99, 0), (third, max, 0)]
}

/// How many different pictures are on the screens of those that are painted.
fn pictures(viewers: &[&Rc<Viewer>]) -> usize {
    let pictures = viewers.iter().filter_map(|viewer| viewer.screen.borrow().as_ref()?.picture());
    pictures.collect::<BTreeSet<_>>().len()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn measured() -> Measured {
        let fast = Rc::new(Viewer::new(Kind::Fast));
        let mut tally = fast.tally.borrow_mut();
        (tally.frames, tally.bytes, tally.first_ms) = (301, 20_000, Some(33.3));
        (0..100).for_each(|age| tally.stale.add(age));
        drop(tally);
        let viewers = vec![fast, Rc::new(Viewer::new(Kind::Stalled)), Rc::new(Viewer::new(Kind::Fast))];
        Measured { viewers, time: Duration::from_secs(10) }
    }

    #[test]
    fn a_line_for_each_kind_has_all_figures_and_null_for_what_has_not_happened() {
        let reports = reports(&measured(), false);
        let lines: Vec<_> = reports.iter().map(Report::json).collect();
        assert_eq!(
            lines,
            [
                "{\"kind\":\"fast\",\"viewers\":2,\"dead\":0,\"fps_min\":0.0,\"fps_median\":30.1,\
                 \"kB_per_s_each\":1.0,\"images\":0,\"first_ms_median\":33,\"first_ms_max\":33,\
                 \"stale_p50_ms\":50,\"stale_p99_ms\":99,\"stale_max_ms\":99,\"gap_max_ms\":null,\
                 \"shown_p50_ms\":null,\"shown_p99_ms\":null,\"shown_max_ms\":null,\"unread\":0}",
                "{\"kind\":\"stalled\",\"viewers\":1,\"dead\":0,\"fps_min\":0.0,\"fps_median\":0.0,\
                 \"kB_per_s_each\":0.0,\"images\":0,\"first_ms_median\":null,\"first_ms_max\":null,\
                 \"stale_p50_ms\":null,\"stale_p99_ms\":null,\"stale_max_ms\":null,\"gap_max_ms\":null,\
                 \"shown_p50_ms\":null,\"shown_p99_ms\":null,\"shown_max_ms\":null,\"unread\":0}",
            ]
        );
    }

    #[test]
    fn the_table_has_aligned_columns() {
        let table = table(&reports(&measured(), true));
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines.first(), Some(&"                 fast  stalled"));
        assert_eq!(lines.get(1), Some(&"viewers             2        1"));
        assert_eq!(lines.last(), Some(&"pictures            0        0"));
        assert!(lines.iter().all(|line| line.len() == lines[0].len()));
    }
}
