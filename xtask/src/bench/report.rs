//! Ratios with their limits, as a table and as JSON.

use serde_json::{Value, json};

/// What a ratio must keep.
#[derive(Clone, Copy)]
pub(super) enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

/// A ratio of two things that were measured in one run.
pub(super) struct Ratio {
    pub(super) name: &'static str,
    /// What is divided, and by what, in this unit.
    pub(super) unit: &'static str,
    pub(super) of: f64,
    pub(super) by: f64,
    pub(super) limit: Limit,
}

impl Ratio {
    pub(super) fn value(&self) -> f64 {
        self.of / self.by
    }

    /// Whether the limit is kept.
    pub(super) fn holds(&self) -> bool {
        match self.limit {
            Limit::AtLeast(least) => self.value() >= least,
            Limit::AtMost(most) => self.value() <= most,
        }
    }
}

impl Limit {
    fn show(self) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {least}"),
            Self::AtMost(most) => format!("<= {most}"),
        }
    }
}

/// The middle one of some measurements, the lower of two.
pub(super) fn median(measured: &[f64]) -> f64 {
    let mut sorted = measured.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len().saturating_sub(1) / 2;
    sorted.get(middle).copied().unwrap_or(f64::NAN)
}

/// Prints the ratios as a table.
pub(super) fn print(ratios: &[Ratio]) {
    println!();
    println!(
        "{:<34} {:>12} {:>12} {:<10} {:>8}  limit",
        "ratio", "of", "by", "", "value"
    );
    for ratio in ratios {
        println!(
            "{:<34} {:>12.1} {:>12.1} {:<10} {:>8.3}  {} {}",
            ratio.name,
            ratio.of,
            ratio.by,
            ratio.unit,
            ratio.value(),
            ratio.limit.show(),
            if ratio.holds() { "" } else { "MISSED" },
        );
    }
}

/// The ratios as JSON.
pub(super) fn json(ratios: &[Ratio]) -> Value {
    ratios
        .iter()
        .map(|ratio| {
            json!({
                "name": ratio.name,
                "unit": ratio.unit,
                "of": ratio.of,
                "by": ratio.by,
                "value": ratio.value(),
                "limit": ratio.limit.show(),
                "holds": ratio.holds(),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(of: f64, by: f64, limit: Limit) -> Ratio {
        Ratio {
            name: "rows",
            unit: "rows/s",
            of,
            by,
            limit,
        }
    }

    #[test]
    fn a_limit_is_kept_from_its_own_side() {
        for (of, by, limit, holds) in [
            (1.0, 2.0, Limit::AtLeast(0.5), true),
            (0.9, 2.0, Limit::AtLeast(0.5), false),
            (1.0, 2.0, Limit::AtMost(0.5), true),
            (1.1, 2.0, Limit::AtMost(0.5), false),
            (1.0, 0.0, Limit::AtMost(0.5), false),
            (0.0, 0.0, Limit::AtLeast(0.5), false),
        ] {
            assert_eq!(ratio(of, by, limit).holds(), holds, "{of} by {by}");
        }
    }

    #[test]
    fn the_median_is_the_lower_of_the_two_in_the_middle() {
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < f64::EPSILON);
        assert!((median(&[4.0, 1.0]) - 1.0).abs() < f64::EPSILON);
        assert!(median(&[]).is_nan());
    }
}
