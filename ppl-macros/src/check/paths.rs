//! Which calls run always, on some paths, or again and again; and that no path samples one name twice.

use std::collections::BTreeMap;

use syn::Lifetime;

use crate::ast::{Flow, Verb};
use crate::checked::Action;
use crate::messages;
use crate::mistakes::Mistakes;

/// How often a call runs in one run of the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placement {
    Always,
    Sometimes,
    Repeated,
}

/// The placement of each call; `None` when it never runs.
pub(crate) fn place(flow: &Flow, actions: &[Option<Action>], mistakes: &mut Mistakes) -> Vec<Option<Placement>> {
    let mut walk =
        Walk { actions, mistakes, placements: vec![None; actions.len()], exits: Vec::new(), branches: 0, loops: 0 };
    let start = Some(Sampled::new());
    walk.inside(Target::Function, flow, start);
    walk.placements
}

/// The names that some path to this point has sampled; `None` when no path leads here.
type Reached = Option<Sampled>;
type Sampled = BTreeMap<String, Verb>;

fn join(left: Reached, right: Reached) -> Reached {
    match (left, right) {
        (Some(mut left), Some(right)) => {
            left.extend(right);
            Some(left)
        }
        (left, right) => left.or(right),
    }
}

/// What a jump can leave.
enum Target {
    Function,
    Loop(Option<Lifetime>),
    Block(Lifetime),
}

/// A construct that is being walked, and what the jumps out of it have sampled.
struct Exit {
    target: Target,
    jumped: bool,
    reached: Reached,
}

struct Walk<'a> {
    actions: &'a [Option<Action>],
    mistakes: &'a mut Mistakes,
    placements: Vec<Option<Placement>>,
    exits: Vec<Exit>,
    branches: usize,
    loops: usize,
}

impl Walk<'_> {
    /// Walks `flow` from a state to the state after it.
    fn walk(&mut self, flow: &Flow, from: Reached) -> Reached {
        match flow {
            Flow::Call(id) => self.call(*id, from),
            Flow::Seq(steps) => steps.iter().fold(from, |state, step| self.walk(step, state)),
            Flow::Branch(arms) => self.branch(arms, from),
            Flow::Loop { label, endless, body } => {
                let around = if *endless { None } else { from.clone() };
                self.loops += 1;
                let after = self.inside(Target::Loop(label.clone()), body, from);
                self.loops -= 1;
                // Jumps leave an endless loop, its end does not; an approximation either way that only permits more.
                join(around, after)
            }
            Flow::Block { label, body } => self.inside(Target::Block(label.clone()), body, from),
            Flow::Closure(body) => {
                self.loops += 1;
                let after = self.inside(Target::Function, body, from.clone());
                self.loops -= 1;
                join(from, after)
            }
            Flow::PlateBody(body) => self.inside(Target::Function, body, from),
            Flow::Return => self.jump(from, |target| matches!(target, Target::Function)),
            Flow::Leave(None) => self.jump(from, |target| matches!(target, Target::Loop(_))),
            Flow::Leave(Some(to)) => self.jump(from, |target| match target {
                Target::Loop(label) => label.as_ref() == Some(to),
                Target::Block(label) => label == to,
                Target::Function => false,
            }),
            Flow::Panic => None,
        }
    }

    fn branch(&mut self, arms: &[Flow], from: Reached) -> Reached {
        self.branches += 1;
        let after = arms.iter().map(|arm| self.walk(arm, from.clone())).fold(None, join);
        self.branches -= 1;
        after
    }

    fn inside(&mut self, target: Target, body: &Flow, from: Reached) -> Reached {
        self.exits.push(Exit { target, jumped: false, reached: None });
        let end = self.walk(body, from);
        let exit = self.exits.pop().expect("pushed above");
        join(end, exit.reached)
    }

    fn jump(&mut self, from: Reached, leaves: impl Fn(&Target) -> bool) -> Reached {
        if let Some(exit) = self.exits.iter_mut().rev().find(|exit| leaves(&exit.target)) {
            exit.jumped = true;
            exit.reached = join(exit.reached.take(), from);
        }
        None
    }

    fn call(&mut self, id: usize, from: Reached) -> Reached {
        let placement = if self.loops > 0 {
            Placement::Repeated
        } else if self.branches > 0 || self.exits.iter().any(|exit| exit.jumped) {
            Placement::Sometimes
        } else {
            Placement::Always
        };
        self.placements[id] = Some(placement);
        let (Some(action), Some(mut sampled)) = (&self.actions[id], from.clone()) else { return from };
        if !action.verb().is_site() || action.name.is_family() {
            return from;
        }
        self.check_name(action, placement, &sampled);
        sampled.insert(action.name.pattern.clone(), action.verb());
        Some(sampled)
    }

    fn check_name(&mut self, action: &Action, placement: Placement, sampled: &Sampled) {
        let Action { name, .. } = action;
        if placement == Placement::Repeated {
            self.mistakes.at(name.span, messages::plain_name_repeated(action.verb(), &name.pattern, "i"));
        } else if sampled.contains_key(&name.pattern) {
            self.mistakes.at(name.span, messages::sampled_twice(&name.pattern));
        }
    }
}
