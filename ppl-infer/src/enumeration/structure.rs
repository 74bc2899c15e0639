//! What the runs of a model show of its dependences: which variables a statement can see, and how few runs are enough.
//!
//! A statement sees the enumerated variables that came before it, but for those in a plate (or a round of a loop over a plate)
//! that it does not stand in, and those of a Markov chain that are more than the chain's history older. Variables that no
//! statement sees together have one colour, and take their values in the same runs.

use std::collections::HashMap;

use ppl_core::backend::Backend;
use ppl_core::plate::{Frame, Frames};
use ppl_core::{Dtype, Error};

use super::record::{Place, Record, Side};

/// The most runs of a model in one enumeration.
const MOST_RUNS: usize = 1 << 20;

/// An enumerated variable.
#[derive(Clone, Debug)]
pub(super) struct Discrete {
    pub(super) name: String,
    pub(super) cardinality: usize,
    pub(super) colour: usize,
    /// Where it is enumerated: there, and not only in the model at the guide's value.
    pub(super) side: Side,
}

/// A statement that some run came to.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) side: Side,
    pub(super) name: String,
    pub(super) place: Place,
    /// The variable whose statement it is.
    pub(super) variable: Option<usize>,
    /// The variables that it sees, ascending.
    pub(super) sees: Vec<usize>,
}

/// The statements of a guide and a model, in an order that agrees with every run.
#[derive(Clone, Debug, Default)]
pub(super) struct Structure {
    pub(super) known: Vec<Known>,
    pub(super) variables: Vec<Discrete>,
    by_name: HashMap<(Side, String), usize>,
    /// How many values each colour has.
    colours: Vec<usize>,
}

impl Structure {
    /// The number of a statement.
    pub(super) fn statement(&self, side: Side, name: &str) -> Option<usize> {
        self.by_name.get(&(side, name.to_owned())).copied()
    }

    /// How many runs there are.
    pub(super) fn runs(&self) -> usize {
        self.colours.iter().product()
    }

    /// The value of each variable in a run; it may be one that the variable does not have.
    pub(super) fn digits(&self, run: usize) -> Vec<usize> {
        let mut rest = run;
        let digit = |&radix: &usize| {
            let digit = rest % radix;
            rest /= radix;
            digit
        };
        let digits: Vec<usize> = self.colours.iter().map(digit).collect();
        self.variables.iter().map(|variable| digits[variable.colour]).collect()
    }

    /// Whether the guide has variables.
    pub(super) fn guide_enumerates(&self) -> bool {
        self.variables.iter().any(|variable| variable.side == Side::Guide)
    }

    /// Takes in what a run came to, in its order; whether anything was new.
    ///
    /// # Errors
    /// Statements in another order, plates or chain than in an earlier run; too many runs.
    pub(super) fn merge<E: Dtype, D: Backend<E>>(&mut self, run: &[Record<E, D>]) -> Result<bool, Error> {
        let (mut next, mut new) = (0, false);
        for record in run {
            let key = (record.side, record.name.clone());
            let Some(&at) = self.by_name.get(&key) else {
                let variable = self.enter(record);
                let (name, place) = (record.name.clone(), record.place.clone());
                self.insert(next, Known { side: record.side, name, place, variable, sees: Vec::new() });
                (next, new) = (next + 1, true);
                continue;
            };
            let known = &self.known[at];
            let own = known.variable.is_some_and(|variable| self.variables[variable].side == record.side);
            if at < next || known.place != record.place || own != record.cardinality.is_some() {
                let problem = "with other values of enumerated sites it comes in another order, plate or chain; give it another name there";
                return Err(Error::Site { site: record.name.clone(), problem: problem.into() });
            }
            if let (Some(variable), Some(cardinality)) = (known.variable, record.cardinality)
                && cardinality > self.variables[variable].cardinality
            {
                (self.variables[variable].cardinality, new) = (cardinality, true);
            }
            next = at + 1;
        }
        if new {
            self.see();
            self.colour()?;
        }
        Ok(new)
    }

    /// The variable of a statement that is new: its own, or that of the guide's statement of the same name.
    fn enter<E: Dtype, D: Backend<E>>(&mut self, record: &Record<E, D>) -> Option<usize> {
        let known = self.by_name.get(&(Side::Guide, record.name.clone()));
        let of_guide = known.and_then(|&at| self.known[at].variable).filter(|_| record.latent);
        let cardinality = record.cardinality;
        of_guide.or_else(|| {
            let (name, side) = (record.name.clone(), record.side);
            self.variables.push(Discrete { name, cardinality: cardinality?, colour: 0, side });
            Some(self.variables.len() - 1)
        })
    }

    fn insert(&mut self, at: usize, known: Known) {
        if at < self.known.len() {
            self.by_name.values_mut().filter(|number| **number >= at).for_each(|number| *number += 1);
        }
        self.by_name.insert((known.side, known.name.clone()), at);
        self.known.insert(at, known);
    }

    /// Finds what each statement sees.
    fn see(&mut self) {
        let mut views = [View::default(), View::default()];
        for at in 0..self.known.len() {
            let view = &mut views[self.known[at].side as usize];
            self.known[at].sees = view.of(&self.known, at);
        }
    }

    /// Gives variables that are seen together different colours.
    fn colour(&mut self) -> Result<(), Error> {
        let mut beside: Vec<Vec<usize>> = vec![Vec::new(); self.variables.len()];
        for known in &self.known {
            for (i, &one) in known.sees.iter().enumerate() {
                beside[one].extend(&known.sees[..i]);
                known.sees[..i].iter().for_each(|&other| beside[other].push(one));
            }
        }
        self.colours.clear();
        let mut coloured = vec![false; self.variables.len()];
        for at in 0..self.known.len() {
            let Some(variable) = self.known[at].variable.filter(|&variable| !coloured[variable]) else { continue };
            let neighbours = beside[variable].iter().filter(|&&other| coloured[other]);
            let taken: Vec<usize> = neighbours.map(|&other| self.variables[other].colour).collect();
            let colour = (0..).find(|colour| !taken.contains(colour)).expect("there is always another number");
            coloured[variable] = true;
            let discrete = &mut self.variables[variable];
            discrete.colour = colour;
            match self.colours.get_mut(colour) {
                Some(radix) => *radix = discrete.cardinality.max(*radix),
                None => self.colours.push(discrete.cardinality),
            }
        }
        let runs = self.colours.iter().fold(1_usize, |all, &radix| all.saturating_mul(radix));
        if runs <= MOST_RUNS {
            return Ok(());
        }
        let most = self.known.iter().max_by_key(|known| known.sees.len()).expect("there are colours");
        let names: Vec<&str> = most.sees.iter().map(|&at| self.variables[at].name.as_str()).collect();
        let problem = format!(
            "it may depend on all of {} together, which are too many combinations to enumerate; put what is independent into \
             plates, and a chain's steps into a loop over `markov!`",
            shown(&names)
        );
        Err(Error::Site { site: most.name.clone(), problem })
    }
}

/// The statements of variables that can still be seen, while one goes through a program in order.
#[derive(Default)]
struct View {
    open: Vec<usize>,
    /// Those in loops over plates, by the innermost one's round.
    in_loops: HashMap<(String, usize), Vec<usize>>,
    /// The last step of each chain.
    reached: HashMap<usize, usize>,
}

impl View {
    /// The variables that the next statement sees, ascending.
    fn of(&mut self, known: &[Known], at: usize) -> Vec<usize> {
        let place = &known[at].place;
        place.steps.iter().for_each(|step| {
            self.reached.insert(step.chain, step.at);
        });
        // After a chain, what comes is as one step more.
        let now = |chain: usize| match place.steps.iter().find(|step| step.chain == chain) {
            Some(step) => step.at,
            None => self.reached[&chain] + 1,
        };
        let recent =
            |&other: &usize| known[other].place.steps.iter().all(|step| now(step.chain) <= step.at + step.history);
        self.open.retain(recent);
        let mut seen = self.open.clone();
        for frame in loops(&place.frames) {
            if let Some(others) = self.in_loops.get_mut(&key(frame)) {
                others.retain(recent);
                seen.extend(others.iter());
            }
        }
        seen.retain(|&other| known[other].place.is_seen_from(place));
        if known[at].variable.is_some() {
            seen.push(at);
            match loops(&place.frames).last() {
                Some(frame) => self.in_loops.entry(key(frame)).or_default().push(at),
                None => self.open.push(at),
            }
        }
        let mut sees: Vec<usize> = seen.into_iter().filter_map(|other| known[other].variable).collect();
        sees.sort_unstable();
        sees
    }
}

/// The first names of many.
fn shown(names: &[&str]) -> String {
    let first: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    let more = if names.len() > 5 { format!(" and {} more", names.len() - 5) } else { String::new() };
    first.join(", ") + &more
}

fn loops(frames: &Frames) -> impl Iterator<Item = &Frame> {
    frames.iter().filter(|frame| frame.is_loop)
}

fn key(frame: &Frame) -> (String, usize) {
    (frame.name.to_string(), frame.at)
}
