use std::collections::{BTreeMap, HashMap};
#[derive(Clone, Debug, PartialEq, PartialOrd)]
struct Point { x: f64, y: f64 }
trait Shape { fn area(&self) -> f64; fn name(&self) -> String; }
impl Shape for Point { fn area(&self) -> f64 { self.x * self.y } fn name(&self) -> String { format!("{:?}", self) } }
fn main() {
    let n = std::env::args().count() * 1000;
    let mut map: HashMap<String, Point> = HashMap::new();
    let mut tree: BTreeMap<u64, Vec<Point>> = BTreeMap::new();
    for i in 0..n { let p = Point { x: i as f64, y: 2.0 }; map.insert(p.name(), p.clone()); tree.entry(i as u64 % 17).or_default().push(p); }
    let mut all: Vec<&Point> = map.values().collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    let s: f64 = tree.values().flat_map(|v| v.iter()).map(|p| p.area()).sum();
    println!("{} {}", s, all.len());
}
