//! What can go wrong in building or running a model, in words that name the thing.

use thiserror::Error as ThisError;

/// An error of a model's run. The first one of a run is kept by its context and returned by
/// whoever ran the model; none of them panics inside a model.
#[derive(Clone, Debug, ThisError, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// Two shapes that should agree do not.
    #[error(transparent)]
    Shape(#[from] ShapeError),

    /// The device failed, for example for want of memory.
    #[error("the device failed: {0}")]
    Device(String),

    /// A value given to a site has another type than the site's distribution produces.
    #[error("site `{site}`: {action} a value of type {found}, but its distribution has values of type {expected}")]
    ValueType {
        /// The site's full name.
        site: String,
        /// What was done with the value: "replay", "condition", ….
        action: &'static str,
        /// The type that was given.
        found: &'static str,
        /// The type that the distribution produces.
        expected: &'static str,
    },

    /// A value given to a site has another shape than the site's distribution.
    #[error(
        "site `{site}`: a value of shape {found:?} was given ({action}), but its distribution has shape {expected:?}; nothing is broadcast silently"
    )]
    ValueShape {
        /// The site's full name.
        site: String,
        /// What was done with the value.
        action: &'static str,
        /// The shape that was given.
        found: Vec<usize>,
        /// The distribution's shape.
        expected: Vec<usize>,
    },

    /// A distribution's parameter lies outside its domain.
    #[error(
        "site `{site}`: {distribution} has {parameter} = {value}{}{}, but {parameter} must be {constraint}",
        at_element(.element),
        at_step(.step)
    )]
    Parameter {
        /// The site's full name.
        site: String,
        /// The distribution's name.
        distribution: &'static str,
        /// The parameter's name.
        parameter: &'static str,
        /// The first offending value.
        value: f64,
        /// Its index.
        element: Vec<usize>,
        /// What it must be.
        constraint: String,
        /// The optimiser's step, where there is one.
        step: Option<u64>,
    },

    /// Two distribution parameters have shapes that do not fit.
    #[error(
        "{distribution}: {first} has shape {first_shape:?} and {second} has shape {second_shape:?}; they must be equal, or one of them a scalar"
    )]
    ParameterShapes {
        /// The distribution's name.
        distribution: &'static str,
        /// One parameter's name.
        first: &'static str,
        /// Its shape.
        first_shape: Vec<usize>,
        /// The other parameter's name.
        second: &'static str,
        /// Its shape.
        second_shape: Vec<usize>,
    },

    /// A log-density is NaN or infinite where it must not be.
    #[error("site `{site}`: log-density of {distribution} is {log_prob}{}{}; parameters there: {parameters}", at_element(.element), at_step(.step))]
    NonFinite {
        /// The site's full name.
        site: String,
        /// The distribution's name.
        distribution: &'static str,
        /// The offending log-density.
        log_prob: f64,
        /// The index of the first offending element, and the value there.
        element: Vec<usize>,
        /// The parameters' values (and the site's value) at that element.
        parameters: String,
        /// The optimiser's step, where there is one.
        step: Option<u64>,
    },

    /// A gradient is NaN or infinite.
    #[error("parameter `{param}`: its gradient is {gradient} at element {element}{}; such elements were left as they were", at_step(.step))]
    NonFiniteGradient {
        /// The parameter's full name.
        param: String,
        /// The first offending value.
        gradient: f64,
        /// Its flat index.
        element: usize,
        /// The optimiser's step, where there is one.
        step: Option<u64>,
    },

    /// The same site was sampled twice in one run.
    #[error("site `{0}` was sampled twice in one run; give each its own name or index")]
    DuplicateSite(String),

    /// Two parameter statements of one name disagree.
    #[error("parameter `{param}`: {problem}")]
    Param {
        /// The parameter's full name.
        param: String,
        /// What is wrong and what to do.
        problem: String,
    },

    /// A site's shape does not fit the plates around it.
    #[error(
        "site `{site}` in plate `{plate}`: its shape is {shape:?}, but axis {axis} must have the plate's {size} elements"
    )]
    PlateShape {
        /// The site's full name.
        site: String,
        /// The plate whose axis is wrong.
        plate: String,
        /// The site's batch shape.
        shape: Vec<usize>,
        /// The axis that belongs to the plate.
        axis: usize,
        /// The plate's size in this run (its subsample's).
        size: usize,
    },

    /// A plate was asked for what it cannot give, or two uses of it disagree.
    #[error("plate `{plate}`: {problem}")]
    Plate {
        /// The plate's full name.
        plate: String,
        /// What is wrong.
        problem: String,
    },

    /// A model as a whole lacks what is asked of it.
    #[error("model `{model}`: {problem}")]
    Model {
        /// The model's name.
        model: String,
        /// What is wrong and what to do.
        problem: String,
    },

    /// Model and guide (or a trace and its typed form) do not fit.
    #[error("site `{site}`: {problem}")]
    Site {
        /// The site's full name.
        site: String,
        /// What is wrong and what to do.
        problem: String,
    },
}

fn at_element(element: &[usize]) -> String {
    if element.is_empty() { String::new() } else { format!(" at element {element:?}") }
}

fn at_step(step: &Option<u64>) -> String {
    step.map_or_else(String::new, |step| format!(" at step {step}"))
}

impl Error {
    /// The same error with the optimiser's step filled in, where it has a place for one.
    #[must_use]
    pub fn at(mut self, at: u64) -> Self {
        if let Self::Parameter { step, .. } | Self::NonFinite { step, .. } | Self::NonFiniteGradient { step, .. } =
            &mut self
        {
            *step = Some(at);
        }
        self
    }
}

/// Two shapes that should agree and do not.
#[derive(Clone, Debug, ThisError, PartialEq, Eq)]
#[error("{operation}: {problem} (shapes {left:?} and {right:?})")]
pub struct ShapeError {
    /// The operation that was asked for.
    pub operation: &'static str,
    /// What does not fit.
    pub problem: &'static str,
    /// One shape.
    pub left: Vec<usize>,
    /// The other.
    pub right: Vec<usize>,
}
