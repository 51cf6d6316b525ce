//! How long calls took, and tables of it.

use std::time::{Duration, Instant};

/// The times of some calls.
#[derive(Default, Clone)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Makes a call and keeps how long it took.
    pub async fn time<T>(&mut self, call: impl Future<Output = T>) -> T {
        let began = Instant::now();
        let made = call.await;
        self.0.push(began.elapsed());
        made
    }

    /// Takes the times of another over.
    pub fn add(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// How many there are.
    pub fn count(&self) -> f64 {
        f64::from(u32::try_from(self.0.len()).unwrap())
    }

    /// Microseconds that this many of a hundred calls did not exceed.
    pub fn percentile(&self, percent: usize) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort();
        let place = sorted.len().saturating_sub(1) * percent / 100;
        sorted.get(place).copied().unwrap_or_default().as_secs_f64() * 1e6
    }
}

/// The head of a table with a column for each size.
pub fn head(title: &str, sizes: impl Iterator<Item = usize>) {
    let sizes: Vec<String> = sizes.map(|size| size.to_string()).collect();
    println!("\n| {title} | {} | last : first |", sizes.join(" | "));
    println!("|---|{}", "---|".repeat(sizes.len() + 1));
}

/// A row of figures, and how much the last is of the first.
pub fn row(what: &str, figures: &[f64]) {
    let places = if figures.iter().all(|figure| *figure >= 100.0) { 0 } else { 1 };
    let cells: Vec<String> = figures.iter().map(|figure| format!("{figure:.places$}")).collect();
    let ratio = figures.last().zip(figures.first()).map_or(0.0, |(last, first)| last / first);
    println!("| {what} | {} | {ratio:.2} |", cells.join(" | "));
}

/// Medians and 99th percentiles in microseconds, a row each.
pub fn rows(what: &str, times: &[Times]) {
    for (percent, name) in [(50, "p50"), (99, "p99")] {
        let figures: Vec<f64> = times.iter().map(|times| times.percentile(percent)).collect();
        row(&format!("{what}, {name} µs"), &figures);
    }
}
