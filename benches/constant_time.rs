//! Whether comparing two secrets tells by its time where they differ: `cargo bench --bench constant_time`. Two kinds of
//! inputs are timed in random order and compared by Welch's t-test, once of all times and once of the faster nine tenths,
//! as dudect does (Reparaz, Balasch, Verbauwhede 2017). Beyond 4.5 the times differ; the last row shows that such a
//! difference is seen here. (K04)
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that cannot go on has failed")]

use std::hint::black_box;
use std::time::Instant;

use cognate::crypto::{Random, same};

const SAMPLES: usize = 200_000;
/// Calls a sample, so that it outlasts the clock's grain.
const CALLS: usize = 16;
const DIFFERENT: f64 = 4.5;

/// Two kinds of inputs, each compared with `right`.
struct Case {
    name: &'static str,
    right: Vec<u8>,
    kinds: [Vec<u8>; 2],
    compare: fn(&[u8], &[u8]) -> bool,
}

/// `right` with another byte at `place`.
fn wrong(right: &[u8], place: usize) -> Vec<u8> {
    let mut wrong = right.to_owned();
    if let Some(byte) = wrong.get_mut(place) {
        *byte ^= 1;
    }
    wrong
}

impl Case {
    fn new(name: &'static str, length: usize, compare: fn(&[u8], &[u8]) -> bool) -> Self {
        let right = vec![7; length];
        let kinds = [wrong(&right, 0), wrong(&right, length - 1)];
        Self { name, right, kinds, compare }
    }

    fn against_the_right_one(mut self) -> Self {
        self.kinds = [self.right.clone(), wrong(&self.right, 0)];
        self
    }

    fn measure(&self) -> [Vec<f64>; 2] {
        let mut times = [Vec::new(), Vec::new()];
        let order: Vec<u8> = (0..SAMPLES / 32).flat_map(|_| Random::default().bytes::<32>().unwrap()).collect();
        // Both kinds at one address: where a value lies costs time, too.
        let mut given = self.right.clone();
        for turn in order {
            let kind = usize::from(turn & 1);
            given.copy_from_slice(&self.kinds[kind]);
            let began = Instant::now();
            for _ in 0..CALLS {
                black_box((self.compare)(black_box(&self.right), black_box(&given)));
            }
            times[kind].push(began.elapsed().as_secs_f64() * 1e9);
        }
        times
    }
}

/// Welch's t of two samples.
fn welch(times: &[Vec<f64>; 2]) -> f64 {
    let [one, other] = times.each_ref().map(|times| {
        let count = times.len() as f64;
        let mean = times.iter().sum::<f64>() / count;
        let variance = times.iter().map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        (mean, variance / count)
    });
    (one.0 - other.0) / (one.1 + other.1).sqrt()
}

/// Without what interrupts added.
fn cropped(times: &[Vec<f64>; 2]) -> [Vec<f64>; 2] {
    let mut all: Vec<f64> = times.iter().flatten().copied().collect();
    all.sort_by(f64::total_cmp);
    let longest = all[all.len() * 9 / 10];
    times.each_ref().map(|times| times.iter().copied().filter(|time| *time < longest).collect())
}

fn main() {
    let cases = [
        Case::new("32 bytes, first or last byte differs", 32, same),
        Case::new("32 bytes, equal or not", 32, same).against_the_right_one(),
        Case::new("4096 bytes, first or last byte differs", 4096, same),
        Case::new("the same with ==, for comparison", 4096, |one, other| one == other),
    ];
    println!("{:<42} {:>9} {:>9}", "", "t of all", "t of 90 %");
    for case in cases {
        let times = case.measure();
        let (all, most) = (welch(&times), welch(&cropped(&times)));
        let seen = if all.abs().max(most.abs()) > DIFFERENT { "the times differ" } else { "no difference" };
        println!("{:<42} {all:>9.2} {most:>9.2}  {seen}", case.name);
    }
}
