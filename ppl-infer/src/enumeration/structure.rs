//! What the runs of a model show of its dependences: which variables a statement can see, and how few runs are enough.
//!
//! A statement sees the enumerated variables that came before it, but for those in a plate (or a round of a loop over a plate)
//! that it does not stand in, and those of a Markov chain that are more than the chain's history older. Variables that no
//! statement sees together have one colour, and take their values in the same runs.

use std::collections::HashMap;

use ppl_core::Error;
use ppl_core::plate::{Frame, Frames, Steps};

use super::record::Place;

/// The most runs of a model in one enumeration.
const MOST_RUNS: usize = 1 << 20;

/// A statement that some run came to.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) name: String,
    pub(super) place: Place,
    /// How many values it has; `None` of one that is not enumerated.
    pub(super) cardinality: Option<usize>,
    /// The enumerated statements that it sees, ascending, itself among them.
    pub(super) sees: Vec<usize>,
    /// Its colour, of an enumerated one.
    pub(super) colour: usize,
}

/// The statements of a model, in an order that agrees with every run.
#[derive(Clone, Debug, Default)]
pub(super) struct Structure {
    pub(super) known: Vec<Known>,
    by_name: HashMap<String, usize>,
    /// How many values each colour has.
    pub(super) colours: Vec<usize>,
}

impl Structure {
    /// How many runs there are.
    pub(super) fn runs(&self) -> usize {
        self.colours.iter().product()
    }

    /// The value of each colour in a run.
    pub(super) fn digits(&self, run: usize) -> Vec<usize> {
        let mut rest = run;
        let digit = |&radix: &usize| {
            let digit = rest % radix;
            rest /= radix;
            digit
        };
        self.colours.iter().map(digit).collect()
    }

    /// Takes in what a run came to, in its order; whether anything was new.
    ///
    /// # Errors
    /// Statements in another order, plates or chain than in an earlier run; too many runs.
    pub(super) fn merge<'r>(
        &mut self,
        run: impl Iterator<Item = (&'r str, &'r Place, Option<usize>)>,
    ) -> Result<bool, Error> {
        let (mut next, mut new) = (0, false);
        for (name, place, cardinality) in run {
            let Some(at) = self.by_name.get(name).copied() else {
                let known =
                    Known { name: name.to_owned(), place: place.clone(), cardinality, sees: Vec::new(), colour: 0 };
                self.insert(next, known);
                (next, new) = (next + 1, true);
                continue;
            };
            let known = &mut self.known[at];
            if at < next || known.place != *place || known.cardinality.is_some() != cardinality.is_some() {
                let problem = "with other values of enumerated sites it comes in another order, plate or chain; give it another name there";
                return Err(Error::Site { site: name.to_owned(), problem: problem.into() });
            }
            if cardinality > known.cardinality {
                (known.cardinality, new) = (cardinality, true);
            }
            next = at + 1;
        }
        if new {
            self.see();
            self.colour()?;
        }
        Ok(new)
    }

    fn insert(&mut self, at: usize, known: Known) {
        if at < self.known.len() {
            self.by_name.values_mut().filter(|number| **number >= at).for_each(|number| *number += 1);
        }
        self.by_name.insert(known.name.clone(), at);
        self.known.insert(at, known);
    }

    /// Finds what each statement sees.
    fn see(&mut self) {
        // In order: variables that can still be seen, those in loops apart.
        let mut open: Vec<usize> = Vec::new();
        let mut in_loops: HashMap<(String, usize), Vec<usize>> = HashMap::new();
        let mut reached: HashMap<usize, usize> = HashMap::new();
        for at in 0..self.known.len() {
            let place = &self.known[at].place;
            place.steps.iter().for_each(|step| {
                reached.insert(step.chain, step.at);
            });
            // After a chain, what comes is as one step more.
            let now = |chain: usize| match place.steps.iter().find(|step| step.chain == chain) {
                Some(step) => step.at,
                None => reached[&chain] + 1,
            };
            let recent = |of: &Steps| of.iter().all(|step| now(step.chain) <= step.at + step.history);
            open.retain(|&variable| recent(&self.known[variable].place.steps));
            let mut sees: Vec<usize> = open.clone();
            for frame in loops(&place.frames) {
                if let Some(variables) = in_loops.get_mut(&key(frame)) {
                    variables.retain(|&variable| recent(&self.known[variable].place.steps));
                    sees.extend(variables.iter());
                }
            }
            sees.retain(|&variable| self.known[variable].place.is_seen_from(place));
            if self.known[at].cardinality.is_some() {
                sees.push(at);
                match loops(&place.frames).last() {
                    Some(frame) => in_loops.entry(key(frame)).or_default().push(at),
                    None => open.push(at),
                }
            }
            sees.sort_unstable();
            self.known[at].sees = sees;
        }
    }

    /// Gives variables that are seen together different colours.
    fn colour(&mut self) -> Result<(), Error> {
        let mut beside: HashMap<usize, Vec<usize>> = HashMap::new();
        for known in &self.known {
            for (i, &one) in known.sees.iter().enumerate() {
                known.sees[..i].iter().for_each(|&other| beside.entry(one).or_default().push(other));
            }
        }
        self.colours.clear();
        for at in 0..self.known.len() {
            let Some(cardinality) = self.known[at].cardinality else { continue };
            let taken: Vec<usize> =
                beside.get(&at).into_iter().flatten().map(|&other| self.known[other].colour).collect();
            let colour = (0..).find(|colour| !taken.contains(colour)).expect("there is always another number");
            self.known[at].colour = colour;
            match self.colours.get_mut(colour) {
                Some(radix) => *radix = cardinality.max(*radix),
                None => self.colours.push(cardinality),
            }
        }
        let runs = self.colours.iter().fold(1_usize, |all, &radix| all.saturating_mul(radix));
        if runs <= MOST_RUNS {
            return Ok(());
        }
        let most = self.known.iter().max_by_key(|known| known.sees.len()).expect("there are colours");
        let names: Vec<&str> = most.sees.iter().map(|&at| self.known[at].name.as_str()).collect();
        let problem = format!(
            "it may depend on all of {} together, which are too many combinations to enumerate; put what is independent into \
             plates, and a chain's steps into a loop over `markov!`",
            shown(&names)
        );
        Err(Error::Site { site: most.name.clone(), problem })
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
