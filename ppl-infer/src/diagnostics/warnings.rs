//! What is wrong with a run, in words, and what to try.

use std::fmt;

use super::summary::{Summary, SummaryRow};

/// R-hat above this says that the chains disagree (Vehtari et al. 2021).
const MAX_R_HAT: f64 = 1.01;
/// Effective draws that each chain must give, so that R-hat and the errors can be trusted (ibid.).
const MIN_ESS_PER_CHAIN: f64 = 100.0;
/// E-BFMI below this says that the energy moves too slowly (Stan).
const MIN_BFMI: f64 = 0.3;
/// How many names a sentence holds.
const NAMES: usize = 8;

/// What a sampler counted after warm-up, over all chains. What it does not have (a divergence in random-walk
/// Metropolis) stays at its default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SamplerFigures {
    /// Transitions that diverged.
    pub divergences: usize,
    /// Transitions that ended at the greatest depth of the tree.
    pub max_depth_reached: usize,
    /// [`bfmi`](super::bfmi()) of each chain.
    pub bfmi: Vec<f64>,
}

/// Something wrong with a run; printed, it says what to try.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Warning {
    /// Quantities with a draw that is NaN or infinite.
    NotFinite {
        /// Their names.
        names: Vec<String>,
    },
    /// Quantities that are equal in all draws.
    Constant {
        /// Their names.
        names: Vec<String>,
    },
    /// Fewer than four draws a chain.
    FewDraws {
        /// The number of draws of each chain.
        draws: usize,
    },
    /// One chain, which nothing can be compared with.
    SingleChain,
    /// R-hat is above 1.01.
    RHat {
        /// Names and values, the worst first.
        worst: Vec<(String, f64)>,
    },
    /// The effective sample size in the bulk is below 100 a chain.
    EssBulk {
        /// Names and values, the worst first.
        worst: Vec<(String, f64)>,
        /// What it should be at least.
        least: f64,
    },
    /// The effective sample size in the tails is below 100 a chain.
    EssTail {
        /// Names and values, the worst first.
        worst: Vec<(String, f64)>,
        /// What it should be at least.
        least: f64,
    },
    /// Transitions diverged.
    Divergences {
        /// How many.
        count: usize,
        /// Of how many.
        transitions: usize,
    },
    /// Transitions ended at the greatest depth of the tree.
    MaxDepth {
        /// How many.
        count: usize,
        /// Of how many.
        transitions: usize,
    },
    /// E-BFMI is below 0.3.
    Bfmi {
        /// Chains, counted from 0, and values, the worst first.
        worst: Vec<(usize, f64)>,
    },
}

impl Summary {
    /// What is wrong with the run, the gravest first; nothing is a good sign, not a proof.
    pub fn warnings(&self, figures: &SamplerFigures) -> Vec<Warning> {
        [self.of_draws(), self.of_sampler(figures), self.of_mixing()].concat()
    }

    /// What makes figures NaN.
    fn of_draws(&self) -> Vec<Warning> {
        let names = |wrong: fn(&SummaryRow) -> bool| -> Option<Vec<String>> {
            let names: Vec<String> = self.rows.iter().filter(|row| wrong(row)).map(|row| row.name.clone()).collect();
            (!names.is_empty()).then_some(names)
        };
        let not_finite = names(|row| row.mean.is_nan()).map(|names| Warning::NotFinite { names });
        let constant = names(|row| row.sd == 0.0).map(|names| Warning::Constant { names });
        let few = (1..4).contains(&self.num_draws).then_some(Warning::FewDraws { draws: self.num_draws });
        let single = (self.num_chains == 1).then_some(Warning::SingleChain);
        [not_finite, constant, few, single].into_iter().flatten().collect()
    }

    fn of_sampler(&self, figures: &SamplerFigures) -> Vec<Warning> {
        let transitions = self.num_chains * self.num_draws;
        let SamplerFigures { divergences, max_depth_reached, ref bfmi } = *figures;
        let diverged = (divergences > 0).then_some(Warning::Divergences { count: divergences, transitions });
        let deep = (max_depth_reached > 0).then_some(Warning::MaxDepth { count: max_depth_reached, transitions });
        let slow = bfmi.iter().copied().enumerate().filter(|(_, bfmi)| *bfmi < MIN_BFMI);
        let slow = worst_first(slow, |bfmi| bfmi).map(|worst| Warning::Bfmi { worst });
        [diverged, slow, deep].into_iter().flatten().collect()
    }

    fn of_mixing(&self) -> Vec<Warning> {
        let least = MIN_ESS_PER_CHAIN * self.num_chains as f64;
        let column = |of: fn(&SummaryRow) -> f64| self.rows.iter().map(move |row| (row.name.clone(), of(row)));
        let apart = column(|row| row.r_hat).filter(|(_, r_hat)| *r_hat > MAX_R_HAT);
        let bulk = column(|row| row.ess_bulk).filter(|(_, ess)| *ess < least);
        let tail = column(|row| row.ess_tail).filter(|(_, ess)| *ess < least);
        [
            worst_first(apart, |r_hat| -r_hat).map(|worst| Warning::RHat { worst }),
            worst_first(bulk, |ess| ess).map(|worst| Warning::EssBulk { worst, least }),
            worst_first(tail, |ess| ess).map(|worst| Warning::EssTail { worst, least }),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// What there is, the least of `goodness` first; nothing of nothing.
fn worst_first<T>(found: impl Iterator<Item = (T, f64)>, goodness: fn(f64) -> f64) -> Option<Vec<(T, f64)>> {
    let mut found: Vec<(T, f64)> = found.collect();
    found.sort_by(|(_, a), (_, b)| goodness(*a).total_cmp(&goodness(*b)));
    (!found.is_empty()).then_some(found)
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Warning::NotFinite { names } => write!(
                f,
                "There are NaN or infinite draws of {}, of which nothing else can be said. Look for a logarithm or a quotient \
                 that leaves its domain, or for a posterior that is improper.",
                list(names.iter().cloned())
            ),
            Warning::Constant { names } => write!(
                f,
                "All draws are equal for {}. If the model does not fix that, the sampler has never moved: try other \
                 initial values, or a smaller step size.",
                list(names.iter().cloned())
            ),
            Warning::FewDraws { draws } => {
                write!(f, "There are {draws} draws a chain; errors, effective sample sizes and R-hat take at least 4.")
            }
            Warning::SingleChain => {
                write!(
                    f,
                    "There is one chain, so that R-hat cannot be had: run at least 4, from different initial values."
                )
            }
            Warning::RHat { worst } => write!(
                f,
                "R-hat is above {MAX_R_HAT} for {}: the chains disagree. Warm up and draw longer; if it stays, look for \
                 several modes, parameters that cannot be told apart, or priors that are too wide, and reparameterise.",
                list(worst.iter().map(|(name, r_hat)| format!("{name} ({r_hat:.3})")))
            ),
            Warning::EssBulk { worst, least } => ess(f, "bulk", "means and medians", worst, *least),
            Warning::EssTail { worst, least } => ess(f, "tail", "intervals and standard deviations", worst, *least),
            Warning::Divergences { count, transitions } => write!(
                f,
                "{} diverged: the draws miss a part of the posterior that is too curved for the step size, and more \
                 draws do not help. Raise the target acceptance probability (0.95, 0.99); if any is left, reparameterise \
                 (effects with an unknown scale: non-centred).",
                transitions_of(*count, *transitions)
            ),
            Warning::MaxDepth { count, transitions } => write!(
                f,
                "{} ended at the greatest depth of the tree: sampling is slower than it could be. Raise the depth, or \
                 make the parameters' scales more alike and less correlated (a dense mass matrix, a \
                 reparameterisation).",
                transitions_of(*count, *transitions)
            ),
            Warning::Bfmi { worst } => write!(
                f,
                "E-BFMI is below {MIN_BFMI} in {}: the energy moves too slowly to reach heavy tails. Warm up longer, or \
                 reparameterise what has them.",
                list(worst.iter().map(|(chain, bfmi)| format!("chain {chain} ({bfmi:.2})")))
            ),
        }
    }
}

fn ess(f: &mut fmt::Formatter<'_>, which: &str, what: &str, worst: &[(String, f64)], least: f64) -> fmt::Result {
    let names = list(worst.iter().map(|(name, ess)| format!("{name} ({ess:.0})")));
    write!(
        f,
        "The {which} effective sample size is below {least:.0} ({MIN_ESS_PER_CHAIN} a chain) for {names}: {what} are \
         unreliable. Draw longer; if it grows slower than the draws, reparameterise."
    )
}

fn transitions_of(count: usize, transitions: usize) -> String {
    let share = 100.0 * count as f64 / transitions.max(1) as f64;
    format!("{count} of {transitions} transitions ({share:.1} %)")
}

/// The first names of a list, and how many more there are.
fn list(names: impl ExactSizeIterator<Item = String>) -> String {
    let more = names.len().saturating_sub(NAMES);
    let first: Vec<String> = names.take(NAMES).collect();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    first.join(", ") + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, [mean, sd, ess_bulk, ess_tail, r_hat]: [f64; 5]) -> SummaryRow {
        SummaryRow {
            name: name.to_owned(),
            mean,
            sd,
            hdi: [0.0; 2],
            mcse_mean: 0.0,
            mcse_sd: 0.0,
            ess_bulk,
            ess_tail,
            r_hat,
        }
    }

    fn run(rows: Vec<SummaryRow>) -> Summary {
        Summary { rows, hdi_prob: 0.94, num_chains: 4, num_draws: 250 }
    }

    const GOOD: [f64; 5] = [0.0, 1.0, 400.0, 400.0, 1.01];
    const NAN: f64 = f64::NAN;

    #[test]
    fn a_good_run_has_none() {
        let figures = SamplerFigures { bfmi: vec![0.3, 0.9, f64::NAN], ..SamplerFigures::default() };
        assert!(run(vec![row("mu", GOOD)]).warnings(&figures).is_empty());
        assert!(Summary::new::<&str>(&[]).unwrap().warnings(&SamplerFigures::default()).is_empty());
    }

    #[test]
    fn each_figure_has_its_warning_with_the_worst_first() {
        let rows = vec![
            row("a", [0.0, 1.0, 399.0, 400.0, 1.011]),
            row("b", [0.0, 1.0, 12.0, 399.9, f64::INFINITY]),
            row("c", GOOD),
            row("d", [NAN; 5]),
            row("e", [2.0, 0.0, 1000.0, 1000.0, NAN]),
        ];
        let figures = SamplerFigures { divergences: 5, max_depth_reached: 1000, bfmi: vec![0.29, 0.5, 0.01, 0.3] };
        let name = |name: &str, value| (name.to_owned(), value);
        let expected = [
            Warning::NotFinite { names: vec!["d".to_owned()] },
            Warning::Constant { names: vec!["e".to_owned()] },
            Warning::Divergences { count: 5, transitions: 1000 },
            Warning::Bfmi { worst: vec![(2, 0.01), (0, 0.29)] },
            Warning::MaxDepth { count: 1000, transitions: 1000 },
            Warning::RHat { worst: vec![name("b", f64::INFINITY), name("a", 1.011)] },
            Warning::EssBulk { worst: vec![name("b", 12.0), name("a", 399.0)], least: 400.0 },
            Warning::EssTail { worst: vec![name("b", 399.9)], least: 400.0 },
        ];
        assert_eq!(run(rows).warnings(&figures), expected);
    }

    #[test]
    fn short_and_lonely_chains_are_told() {
        let short = Summary { num_chains: 1, num_draws: 3, ..run(vec![]) };
        let found = short.warnings(&SamplerFigures::default());
        assert_eq!(found, [Warning::FewDraws { draws: 3 }, Warning::SingleChain]);
    }

    #[test]
    fn sentences_name_the_quantities_and_what_to_try() {
        let worst: Vec<(String, f64)> = (0..10).map(|i| (format!("theta[{i}]"), 1.5)).collect();
        let text = Warning::RHat { worst: worst.clone() }.to_string();
        assert!(text.starts_with("R-hat is above 1.01 for theta[0] (1.500), theta[1] (1.500)"), "{text}");
        assert!(text.contains("theta[7] (1.500) and 2 more: the chains disagree. Warm up and draw longer"), "{text}");
        let text = Warning::EssTail { worst: worst[..1].to_vec(), least: 400.0 }.to_string();
        assert!(
            text.starts_with("The tail effective sample size is below 400 (100 a chain) for theta[0] (2):"),
            "{text}"
        );
        let text = Warning::Divergences { count: 5, transitions: 1000 }.to_string();
        assert!(text.starts_with("5 of 1000 transitions (0.5 %) diverged") && text.contains("non-centred"), "{text}");
        assert!(Warning::Bfmi { worst: vec![(2, 0.011)] }.to_string().contains("in chain 2 (0.01): the energy"));
    }
}
