//! Everything that belongs to a run as named arrays in groups, as ArviZ's `InferenceData` has them.

use std::path::Path;

use indexmap::IndexMap;

use crate::atomic_file::{Failed, replace};
use crate::draws::{Draws, SampleStats, Variable};

use super::error::ExportError;
use super::inference_data_rules::check;
use super::json::write_json;

/// A group of arrays. Those of the first eight have an axis of chains and one of draws before their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// Draws from the posterior.
    Posterior,
    /// What happened at each of them.
    SampleStats,
    /// The log-likelihood of each observation under each of them.
    LogLikelihood,
    /// Data drawn from the posterior predictive distribution.
    PosteriorPredictive,
    /// The same for other covariates than those observed.
    Predictions,
    /// Draws from the prior.
    Prior,
    /// What happened at each of them.
    SampleStatsPrior,
    /// Data drawn from the prior predictive distribution.
    PriorPredictive,
    /// The data.
    ObservedData,
    /// What else the model was given.
    ConstantData,
    /// What else predictions were given.
    PredictionsConstantData,
}

impl Group {
    /// Its name in ArviZ.
    pub fn name(self) -> &'static str {
        match self {
            Group::Posterior => "posterior",
            Group::SampleStats => "sample_stats",
            Group::LogLikelihood => "log_likelihood",
            Group::PosteriorPredictive => "posterior_predictive",
            Group::Predictions => "predictions",
            Group::Prior => "prior",
            Group::SampleStatsPrior => "sample_stats_prior",
            Group::PriorPredictive => "prior_predictive",
            Group::ObservedData => "observed_data",
            Group::ConstantData => "constant_data",
            Group::PredictionsConstantData => "predictions_constant_data",
        }
    }

    /// Whether its arrays have axes of chains and draws.
    pub fn is_sampled(self) -> bool {
        !matches!(self, Group::ObservedData | Group::ConstantData | Group::PredictionsConstantData)
    }
}

/// The numbers of an array.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Real numbers; NaN and infinities too.
    Float(Vec<f64>),
    /// Integers.
    Integer(Vec<i64>),
    /// True or false.
    Flag(Vec<bool>),
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Numbers::Float(x) => x.len(),
            Numbers::Integer(x) => x.len(),
            Numbers::Flag(x) => x.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// An array: its sizes, and its numbers in row-major order.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedArray {
    /// The size of each axis; in a sampled group first the number of chains, then that of draws.
    pub sizes: Vec<usize>,
    /// The numbers; as many as the sizes multiply to.
    pub numbers: Numbers,
}

/// Names of the places along an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Labels {
    /// Words, such as names of schools.
    Text(Vec<String>),
    /// Integers, such as years.
    Integers(Vec<i64>),
}

impl Labels {
    pub(super) fn len(&self) -> usize {
        match self {
            Labels::Text(labels) => labels.len(),
            Labels::Integers(labels) => labels.len(),
        }
    }
}

/// Named arrays in groups, with names of axes and of places along them: what ArviZ calls `InferenceData`.
///
/// ```
/// use ppl_infer::draws::{ChainDraws, Draws, Role, SampleStats, layout};
/// use ppl_infer::export::{Group, InferenceData, Labels, NamedArray, Numbers};
///
/// let mut chain = ChainDraws::new(2);
/// chain.push(&[0.5, 1.5], SampleStats::default());
/// let draws = Draws::new(layout([("effect".into(), vec![2], Role::Latent)]), vec![chain]);
///
/// let mut data = InferenceData::from_draws(&draws);
/// data.insert(Group::ObservedData, "y", NamedArray { sizes: vec![2], numbers: Numbers::Float(vec![28.0, 8.0]) });
/// for variable in ["effect", "y"] {
///     data.set_dims(variable, ["school"]);
/// }
/// data.set_labels("school", Labels::Text(vec!["Choate".into(), "Deerfield".into()]));
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("run.json");
/// data.write_json(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InferenceData {
    pub(super) groups: IndexMap<Group, IndexMap<String, NamedArray>>,
    /// Names of axes by variable, those of chains and draws left out.
    pub(super) dims: IndexMap<String, Vec<String>>,
    /// Labels by the name of an axis.
    pub(super) labels: IndexMap<String, Labels>,
    pub(super) attributes: IndexMap<String, String>,
}

impl InferenceData {
    /// The posterior's draws and what happened at each, with the attributes `inference_library` and
    /// `inference_library_version`. Of chains of different length, each is as long as the shortest.
    ///
    /// The names of what happened are ArviZ's: `lp`, `acceptance_rate`, `step_size`, `tree_depth`, `n_steps`,
    /// `diverging`, `energy`, `reached_max_treedepth`.
    pub fn from_draws(draws: &Draws) -> Self {
        let mut data = InferenceData::default();
        data.insert_draws(Group::Posterior, draws);
        data.insert_stats(Group::SampleStats, draws);
        data.set_attribute("inference_library", "ppl");
        data.set_attribute("inference_library_version", env!("CARGO_PKG_VERSION"));
        data
    }

    /// Puts the variables of draws, such as those from a prior or a predictive distribution, into a sampled group.
    pub fn insert_draws(&mut self, group: Group, draws: &Draws) {
        for variable in draws.variables() {
            self.insert(group, &variable.name, array_of(draws, variable));
        }
    }

    fn insert_stats(&mut self, group: Group, draws: &Draws) {
        let sizes = vec![draws.num_chains(), draws.num_draws()];
        let all = || draws.chains().iter().flat_map(|chain| &chain.stats()[..draws.num_draws()]);
        let float = |of: fn(&SampleStats) -> f64| Numbers::Float(all().map(of).collect());
        let integer = |of: fn(&SampleStats) -> u32| Numbers::Integer(all().map(|s| of(s).into()).collect());
        let flag = |of: fn(&SampleStats) -> bool| Numbers::Flag(all().map(of).collect());
        for (name, numbers) in [
            ("lp", float(|s| s.log_density)),
            ("acceptance_rate", float(|s| s.accept_probability)),
            ("step_size", float(|s| s.step_size)),
            ("tree_depth", integer(|s| s.depth)),
            ("n_steps", integer(|s| s.evaluations)),
            ("diverging", flag(|s| s.diverging)),
            ("energy", float(|s| s.energy)),
            ("reached_max_treedepth", flag(|s| s.depth_saturated)),
        ] {
            self.insert(group, name, NamedArray { sizes: sizes.clone(), numbers });
        }
    }

    /// Puts an array into a group, in the place of one of that name.
    pub fn insert(&mut self, group: Group, name: impl Into<String>, array: NamedArray) {
        self.groups.entry(group).or_default().insert(name.into(), array);
    }

    /// Names the axes of all variables of that name, those of chains and draws left out. (A log-likelihood may have
    /// fewer axes than the data it is of.) Axes without a name are called `<variable>_dim_0`, ….
    pub fn set_dims<S: Into<String>>(&mut self, variable: impl Into<String>, dims: impl IntoIterator<Item = S>) {
        self.dims.insert(variable.into(), dims.into_iter().map(Into::into).collect());
    }

    /// Names the places along the axes of that name, which are counted from 0 otherwise.
    pub fn set_labels(&mut self, dim: impl Into<String>, labels: Labels) {
        self.labels.insert(dim.into(), labels);
    }

    /// Notes something on all of it: `created_at`, `model`, `sampling_time`, ….
    pub fn set_attribute(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.attributes.insert(name.into(), value.into());
    }

    /// An array of a group.
    pub fn get(&self, group: Group, name: &str) -> Option<&NamedArray> {
        self.groups.get(&group)?.get(name)
    }

    /// Writes the JSON that ArviZ opens with `az.from_json`, atomically. Numbers are the shortest decimals that read
    /// back as the same; NaN and infinities are `NaN`, `Infinity` and `-Infinity`, as Python's own writer has them. An
    /// array with an axis of size 0 keeps its sizes up to there.
    ///
    /// # Errors
    /// If the file cannot be written (one that was there is then untouched), or ArviZ could not open it: a sampled
    /// group has no draws or two numbers of them, an array's numbers are not as many as its sizes multiply to, or names
    /// and labels of axes do not fit; the error names group and variable.
    pub fn write_json(&self, path: impl AsRef<Path>) -> Result<(), ExportError> {
        let path = path.as_ref();
        check(self)?;
        replace(path, |writer| write_json(self, writer)).map_err(|Failed { action, source }| ExportError::Io {
            path: path.to_owned(),
            action,
            source,
        })
    }
}

fn array_of(draws: &Draws, variable: &Variable) -> NamedArray {
    let (chains, length) = (draws.num_chains(), draws.num_draws());
    let mut numbers = Vec::with_capacity(chains * length * variable.range.len());
    for row in draws.chains().iter().flat_map(|chain| chain.rows().take(length)) {
        numbers.extend_from_slice(&row[variable.range.clone()]);
    }
    let sizes = [&[chains, length], variable.dims.as_slice()].concat();
    NamedArray { sizes, numbers: Numbers::Float(numbers) }
}
