//! Draws of one scalar quantity: several chains of equal length.

use thiserror::Error as ThisError;

/// What the caller must mend before draws can be judged.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum DiagnosticsError {
    /// No chain was given.
    #[error("no chains were given")]
    NoChains,

    /// The chains are empty.
    #[error("the chains have no draws")]
    NoDraws,

    /// Two chains differ in length.
    #[error("chain {chain} has {found} draws, but chain 0 has {expected}; all chains must have one length")]
    ChainLength {
        /// The first chain that differs, counted from 0.
        chain: usize,
        /// Its length.
        found: usize,
        /// The length of chain 0.
        expected: usize,
    },

    /// The quantities of a summary come from different runs.
    #[error(
        "quantity `{name}` has {} chains of {} draws, but `{first}` has {} of {}; a summary is of one run",
        .found[0], .found[1], .expected[0], .expected[1]
    )]
    Run {
        /// The quantity that differs.
        name: String,
        /// The first quantity.
        first: String,
        /// Chains and draws of the one that differs.
        found: [usize; 2],
        /// Chains and draws of the first.
        expected: [usize; 2],
    },

    /// A probability mass outside (0, 1].
    #[error("an interval of probability {0} was asked for; it must be above 0 and at most 1")]
    Probability(f64),

    /// The log-likelihoods are not as many as was said.
    #[error(
        "{found} log-likelihoods were given, but {chains} chains × {draws} draws × {observations} observations must be a positive number, and that number"
    )]
    LogLikelihoods {
        /// How many were given.
        found: usize,
        /// The number of chains.
        chains: usize,
        /// The number of draws of each chain.
        draws: usize,
        /// The number of observations.
        observations: usize,
    },

    /// A relative efficiency that is none.
    #[error("the relative efficiency is {0}, but it must be positive and finite; 1 stands for independent draws")]
    RelativeEfficiency(f64),
}

/// Draws of one scalar quantity: chains of equal length, at least one, with at least one draw each.
#[derive(Clone, Debug, PartialEq)]
pub struct Chains<'a> {
    chains: Vec<&'a [f64]>,
}

impl<'a> Chains<'a> {
    /// Chains, each in the order in which it was drawn, without warm-up.
    ///
    /// # Errors
    /// If there is no chain or no draw, or if two chains differ in length: it names the chain.
    pub fn new(chains: &[&'a [f64]]) -> Result<Self, DiagnosticsError> {
        let expected = chains.first().ok_or(DiagnosticsError::NoChains)?.len();
        if let Some(chain) = chains.iter().position(|chain| chain.len() != expected) {
            return Err(DiagnosticsError::ChainLength { chain, found: chains[chain].len(), expected });
        }
        if expected == 0 {
            return Err(DiagnosticsError::NoDraws);
        }
        Ok(Chains { chains: chains.to_vec() })
    }

    /// The number of chains.
    pub fn num_chains(&self) -> usize {
        self.chains.len()
    }

    /// The number of draws of each chain.
    pub fn num_draws(&self) -> usize {
        self.chains[0].len()
    }

    /// The chains.
    pub fn iter(&self) -> impl Iterator<Item = &'a [f64]> + '_ {
        self.chains.iter().copied()
    }

    /// All draws, chain after chain, if each is finite.
    pub(super) fn finite(&self) -> Option<Draws> {
        let values = self.chains.concat();
        values.iter().all(|x| x.is_finite()).then(|| Draws { values, len: self.num_draws() })
    }

    /// All draws if there are enough of them to split chains: each finite, four a chain.
    pub(super) fn splittable(&self) -> Option<Draws> {
        (self.num_draws() >= 4).then(|| self.finite()).flatten()
    }
}

/// Numbers of several chains, chain after chain.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Draws {
    pub(super) values: Vec<f64>,
    /// The length of a chain.
    pub(super) len: usize,
}

impl Draws {
    pub(super) fn chains(&self) -> impl ExactSizeIterator<Item = &[f64]> {
        self.values.chunks_exact(self.len)
    }

    /// The same chains with another number for each draw.
    pub(super) fn map(&self, f: impl Fn(f64) -> f64) -> Draws {
        Draws { values: self.values.iter().map(|&x| f(x)).collect(), len: self.len }
    }

    /// The first and the second half of each chain as chains; a middle draw is left out.
    pub(super) fn split(&self) -> Draws {
        let half = self.len / 2;
        let halves = self.chains().flat_map(|chain| [&chain[..half], &chain[self.len - half..]]);
        Draws { values: halves.flatten().copied().collect(), len: half }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_must_be_there_and_of_one_length() {
        assert_eq!(Chains::new(&[]), Err(DiagnosticsError::NoChains));
        assert_eq!(Chains::new(&[&[], &[]]), Err(DiagnosticsError::NoDraws));
        let error = Chains::new(&[&[1.0, 2.0], &[1.0, 2.0], &[1.0]]).unwrap_err();
        assert_eq!(error, DiagnosticsError::ChainLength { chain: 2, found: 1, expected: 2 });
        assert_eq!(error.to_string(), "chain 2 has 1 draws, but chain 0 has 2; all chains must have one length");
    }

    #[test]
    fn a_middle_draw_belongs_to_no_half() {
        let chains = Chains::new(&[&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]]).unwrap();
        let halves = chains.finite().unwrap().split();
        assert_eq!(halves, Draws { values: vec![1.0, 2.0, 4.0, 5.0, 6.0, 7.0, 9.0, 10.0], len: 2 });
    }
}
