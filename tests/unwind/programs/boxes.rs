// SPDX-License-Identifier: GPL-2.0
// Rust that is stopped at random: closures, generics, panics that are caught, sorting.
use std::collections::{BTreeMap, HashMap};
use std::panic;

trait Shape {
    fn area(&self, depth: u32) -> f64;
}

struct Square(f64);
struct Group(Vec<Box<dyn Shape>>);

impl Shape for Square {
    fn area(&self, depth: u32) -> f64 {
        let text = format!("{:?} {:.3}", depth, self.0);
        self.0 * self.0 + text.len() as f64
    }
}

impl Shape for Group {
    fn area(&self, depth: u32) -> f64 {
        self.0.iter().map(|shape| shape.area(depth + 1)).sum()
    }
}

fn make(depth: u32) -> Box<dyn Shape> {
    if depth == 0 {
        return Box::new(Square(1.5));
    }
    Box::new(Group((0..3).map(|_| make(depth - 1)).collect()))
}

fn fold<T: Ord + Clone>(values: &mut Vec<T>) -> BTreeMap<T, usize> {
    values.sort_by(|a, b| b.cmp(a));
    let mut map = BTreeMap::new();
    for value in values.iter() {
        *map.entry(value.clone()).or_insert(0) += 1;
    }
    map
}

fn main() {
    panic::set_hook(Box::new(|_| {}));
    let shape = make(6);
    let mut sum = 0.0;
    for round in 0u64.. {
        sum += shape.area(0);
        let mut words: Vec<String> = (0..2000).map(|n| format!("{}", n * 7919 % 101)).collect();
        sum += fold(&mut words).len() as f64;
        let counts: HashMap<u64, u64> = (0..2000).map(|n| (n % 97, n ^ round)).collect();
        let caught = panic::catch_unwind(|| {
            if counts.len() == 97 {
                panic!("{}", counts.len());
            }
        });
        sum += caught.is_err() as u8 as f64;
        std::hint::black_box(sum);
    }
}
