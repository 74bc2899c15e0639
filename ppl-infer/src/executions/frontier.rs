//! What is still to be explored: beginnings of executions, the most probable or the newest first.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::rc::Rc;

use ppl_core::values::AnyValue;

/// A choice, and those before it.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) before: Path,
    pub(super) site: Rc<str>,
    pub(super) value: Box<dyn AnyValue>,
}

/// The choices of an execution's beginning, the last one first.
pub(super) type Path = Option<Rc<Choice>>;

/// The choices in the order of the run.
pub(super) fn in_order(path: &Path) -> Vec<Rc<Choice>> {
    let mut choices: Vec<_> = std::iter::successors(path.clone(), |choice| choice.before.clone()).collect();
    choices.reverse();
    choices
}

/// All executions with the same beginning.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) path: Path,
    /// How many choices the path has.
    pub(super) length: usize,
    /// ln of the path's prior probability.
    pub(super) mass: f64,
    /// ln of the joint density up to the path's last choice.
    pub(super) weight: f64,
    /// From which count on the next site is to be explored, where its values are counts.
    pub(super) from: Option<usize>,
    /// The probability of these counts.
    pub(super) left: f64,
}

impl Node {
    /// All executions.
    pub(super) fn root() -> Self {
        Node { path: None, length: 0, mass: 0.0, weight: 0.0, from: None, left: 1.0 }
    }

    /// The prior probability of its executions.
    pub(super) fn probability(&self) -> f64 {
        self.mass.exp() * self.left
    }
}

struct Queued {
    priority: f64,
    number: u64,
    node: Node,
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.total_cmp(&other.priority).then(self.number.cmp(&other.number))
    }
}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Queued {}

/// The queue.
pub(super) struct Frontier {
    queue: BinaryHeap<Queued>,
    best_first: bool,
    /// How many nodes were put so far.
    put: u64,
    /// The prior probability in the queue, but for rounding.
    mass: f64,
    /// The prior probability of counts so far out that they are not followed.
    lost: f64,
}

impl Frontier {
    /// The queue with all executions in it.
    pub(super) fn new(best_first: bool) -> Self {
        let mut frontier = Frontier { queue: BinaryHeap::new(), best_first, put: 0, mass: 0.0, lost: 0.0 };
        frontier.put(Node::root(), 0.0);
        frontier
    }

    /// The number of the next node.
    pub(super) fn mark(&self) -> u64 {
        self.put
    }

    /// Adds a node; `priority` is ln of the joint density of what is known of it.
    pub(super) fn put(&mut self, node: Node, priority: f64) {
        let priority = if self.best_first { priority } else { 0.0 };
        self.mass += node.probability();
        self.queue.push(Queued { priority, number: self.put, node });
        self.put += 1;
    }

    /// Leaves a node out.
    pub(super) fn lose(&mut self, node: &Node) {
        self.lost += node.probability();
    }

    /// The next node.
    pub(super) fn take(&mut self) -> Option<Node> {
        self.take_since(0)
    }

    /// The next node, if it was put since the mark.
    pub(super) fn take_since(&mut self, mark: u64) -> Option<Node> {
        if self.queue.peek()?.number < mark {
            return None;
        }
        let node = self.queue.pop()?.node;
        self.mass -= node.probability();
        Some(node)
    }

    /// The prior probability in the queue and of what was left out, but for rounding.
    pub(super) fn mass(&self) -> f64 {
        self.mass + self.lost
    }

    /// The prior probability in the queue and of what was left out.
    pub(super) fn exact_mass(&self) -> f64 {
        self.lost + self.queue.iter().map(|queued| queued.node.probability()).sum::<f64>()
    }
}
