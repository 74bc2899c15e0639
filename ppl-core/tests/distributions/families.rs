//! The tables of families over numbers and categories: how each is made from rows of parameters,
//! behind one face.
//!
//! A family is a row of a table in `families/<group>.rs`; every check of this folder then runs on it.

use std::sync::Arc;

use ppl_core::backend::Backend;
use ppl_core::distribution::{Distribution, Expand, ParameterError};
use ppl_core::ops::stack;
use ppl_core::rng::Rng;
use ppl_core::{Axes2, Axis, Dtype, Shape, Tensor};

// What a parameter must be, in words and as a test.
pub(crate) mod domain;
// The tables, one a group; `scripts/references/<group>.py` has the reference values.
mod categories;
mod counts;
mod gamma_like;
mod location_scale;
mod normal_like;
// The tables of families over vectors and matrices, behind a face of their own.
pub(crate) mod matrices;
pub(crate) mod vectors;

use domain::Domain;

/// A tensor of one axis whose length is known at run time.
pub(crate) type Row<E, D> = Tensor<(usize,), E, D>;

/// A distribution of one axis of independent elements; categories stand as floats.
pub(crate) trait Univariate<E: Dtype, D: Backend<E>> {
    fn log_prob(&self, value: &Row<E, D>) -> Row<E, D>;
    fn log_prob_sum(&self, value: &Row<E, D>) -> Tensor<(), E, D>;
    fn draw(&self, rng: &mut Rng) -> Row<E, D>;
    fn has_rsample(&self) -> bool;
    /// The first element that lies outside the support.
    fn outside(&self, value: &Row<E, D>) -> Option<usize>;
    fn has_discrete_support(&self) -> bool;
    fn mean(&self) -> Option<Row<E, D>>;
    fn variance(&self) -> Option<Row<E, D>>;
    fn entropy(&self) -> Option<Row<E, D>>;
    fn cdf(&self, value: &Row<E, D>) -> Option<Row<E, D>>;
    fn survival(&self, value: &Row<E, D>) -> Option<Row<E, D>>;
    fn log_cdf(&self, value: &Row<E, D>) -> Option<Row<E, D>>;
    fn log_survival(&self, value: &Row<E, D>) -> Option<Row<E, D>>;
    fn icdf(&self, probability: &Row<E, D>) -> Option<Row<E, D>>;
    fn enumerate_support(&self) -> Option<Vec<Row<E, D>>>;
    fn check_parameters(&self) -> Result<(), ParameterError>;
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)>;
    /// The log-density under a mask.
    fn masked_log_prob(&self, mask: Arc<[bool]>, value: &Row<E, D>) -> Row<E, D>;
    /// The log-density of two rows, the batch repeated for each: of each element, and of each row as one
    /// event, where the mask is true. Then the latter again of the masked event that is repeated.
    fn expanded_log_prob(&self, mask: Arc<[bool]>, value: [&Row<E, D>; 2]) -> [Row<E, D>; 3];
    /// The log-density of all elements as one event, where the mask is true.
    fn event_log_prob(&self, mask: Arc<[bool]>, value: &Row<E, D>) -> Tensor<(), E, D>;
}

/// A distribution, with the maps between its values and rows of floats.
struct Face<P, V, E: Dtype, D: Backend<E>> {
    distribution: P,
    from_row: fn(&Row<E, D>) -> V,
    to_row: fn(V) -> Row<E, D>,
    repeated_log_prob: Box<Repeated<P, E, D>>,
}

/// What [`Univariate::expanded_log_prob`] is of a distribution.
type Repeated<P, E, D> = dyn Fn(&P, Arc<[bool]>, [&Row<E, D>; 2]) -> [Row<E, D>; 3];

impl<P, V, E: Dtype, D: Backend<E>> Univariate<E, D> for Face<P, V, E, D>
where
    P: Distribution<E, D, Value = V, Batch = (usize,)>,
{
    fn log_prob(&self, value: &Row<E, D>) -> Row<E, D> {
        self.distribution.log_prob(&(self.from_row)(value))
    }
    fn log_prob_sum(&self, value: &Row<E, D>) -> Tensor<(), E, D> {
        self.distribution.log_prob_sum(&(self.from_row)(value))
    }
    fn draw(&self, rng: &mut Rng) -> Row<E, D> {
        (self.to_row)(self.distribution.draw(rng))
    }
    fn has_rsample(&self) -> bool {
        self.distribution.has_rsample()
    }
    fn outside(&self, value: &Row<E, D>) -> Option<usize> {
        self.distribution.support().violation(&value.to_vec(), &value.dims())
    }
    fn has_discrete_support(&self) -> bool {
        self.distribution.support().is_discrete()
    }
    fn mean(&self) -> Option<Row<E, D>> {
        self.distribution.mean().map(self.to_row)
    }
    fn variance(&self) -> Option<Row<E, D>> {
        self.distribution.variance().map(self.to_row)
    }
    fn entropy(&self) -> Option<Row<E, D>> {
        self.distribution.entropy()
    }
    fn cdf(&self, value: &Row<E, D>) -> Option<Row<E, D>> {
        self.distribution.cdf(&(self.from_row)(value))
    }
    fn survival(&self, value: &Row<E, D>) -> Option<Row<E, D>> {
        self.distribution.survival(&(self.from_row)(value))
    }
    fn log_cdf(&self, value: &Row<E, D>) -> Option<Row<E, D>> {
        self.distribution.log_cdf(&(self.from_row)(value))
    }
    fn log_survival(&self, value: &Row<E, D>) -> Option<Row<E, D>> {
        self.distribution.log_survival(&(self.from_row)(value))
    }
    fn icdf(&self, probability: &Row<E, D>) -> Option<Row<E, D>> {
        self.distribution.icdf(probability).map(self.to_row)
    }
    fn enumerate_support(&self) -> Option<Vec<Row<E, D>>> {
        Some(self.distribution.enumerate_support()?.into_iter().map(self.to_row).collect())
    }
    fn check_parameters(&self) -> Result<(), ParameterError> {
        self.distribution.check_parameters()
    }
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
        self.distribution.parameters_at(element)
    }
    fn masked_log_prob(&self, mask: Arc<[bool]>, value: &Row<E, D>) -> Row<E, D> {
        self.distribution.clone().mask(mask).log_prob(&(self.from_row)(value))
    }
    fn expanded_log_prob(&self, mask: Arc<[bool]>, value: [&Row<E, D>; 2]) -> [Row<E, D>; 3] {
        (self.repeated_log_prob)(&self.distribution, mask, value)
    }
    fn event_log_prob(&self, mask: Arc<[bool]>, value: &Row<E, D>) -> Tensor<(), E, D> {
        self.distribution.clone().mask(mask).to_event::<Axis<0>>().log_prob(&(self.from_row)(value))
    }
}

pub(crate) type Boxed<E, D> = Box<dyn Univariate<E, D>>;

/// What [`Univariate::expanded_log_prob`] is of a distribution repeated to the shape of two rows.
fn of_rows<P, R: Shape, W, E: Dtype, D: Backend<E>>(one: &P, two: R, mask: Arc<[bool]>, value: &W) -> [Row<E, D>; 3]
where
    P: Distribution<E, D, Batch = (usize,)> + Expand<R, ExpandedBatch = (usize, usize)>,
    P::Expanded: Distribution<E, D, Value = W, Batch = (usize, usize)>,
{
    let masked = one.expand(two).mask([&*mask, &*mask].concat());
    let each = masked.log_prob(value);
    let len = each.dims().iter().product();
    let wrapped_first = one.clone().mask(mask).to_event::<Axis<0>>().expand(two);
    [each.reshape_like(&(len,)), masked.to_event::<Axis<1>>().log_prob(value), wrapped_first.log_prob(value)]
}

/// Two rows of floats.
fn two_rows<E: Dtype, D: Backend<E>>([first, second]: [&Row<E, D>; 2]) -> Tensor<(usize, usize), E, D> {
    stack(&[first.clone(), second.clone()])
}

/// A row of floats as one of categories.
fn indices<S: Shape, E: Dtype, D: Backend<E>>(floats: &Tensor<S, E, D>) -> Tensor<S, usize, D> {
    Tensor::from_vec(floats.to_vec().into_iter().map(|v| v.wide() as usize).collect(), floats.shape())
}

/// A distribution over numbers.
pub(crate) fn numbers<P, E: Dtype, D: Backend<E>>(distribution: P) -> Boxed<E, D>
where
    P: Distribution<E, D, Value = Row<E, D>, Batch = (usize,)>,
    P: Expand<(usize, usize), ExpandedBatch = (usize, usize)>,
    P::Expanded: Distribution<E, D, Value = Tensor<(usize, usize), E, D>, Batch = (usize, usize)>,
{
    let repeated_log_prob =
        |p: &P, mask: Arc<[bool]>, rows: [&Row<E, D>; 2]| of_rows(p, (2, mask.len()), mask, &two_rows(rows));
    let repeated_log_prob = Box::new(repeated_log_prob);
    Box::new(Face { distribution, from_row: Row::clone, to_row: |row| row, repeated_log_prob })
}

/// A distribution over categories, which stand as floats, and the shape that repeats it to two rows.
pub(crate) fn categories<P, R: Shape, E: Dtype, D: Backend<E>>(distribution: P, two: R) -> Boxed<E, D>
where
    P: Distribution<E, D, Value = Tensor<(usize,), usize, D>, Batch = (usize,)>,
    P: Expand<R, ExpandedBatch = (usize, usize)>,
    P::Expanded: Distribution<E, D, Value = Tensor<(usize, usize), usize, D>, Batch = (usize, usize)>,
{
    Box::new(Face {
        distribution,
        from_row: indices,
        to_row: |indices| Row::vector(indices.to_vec().into_iter().map(|k| E::of(k as f64)).collect()),
        repeated_log_prob: Box::new(move |p, mask, rows| of_rows(p, two, mask, &indices(&two_rows(rows)))),
    })
}

/// Rows of one parameter an entry, as a row of entries an element.
pub(crate) fn by_element<E: Dtype, D: Backend<E>>(parameters: &[Row<E, D>]) -> Tensor<(usize, usize), E, D> {
    stack::<_, (usize, usize), _, _>(parameters).permute::<(usize, usize), Axes2<1, 0>>()
}

/// What a family's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Real numbers with a density.
    Continuous,
    /// Whole numbers as floats.
    Discrete,
    /// Whole numbers as `usize`.
    Categories,
}

/// A family of distributions. Made by [`Family::continuous`] and its like; the methods after it say
/// what more there is to know.
pub(crate) struct Family<E: Dtype, D: Backend<E>> {
    /// Its name in the table of reference values.
    pub(crate) name: &'static str,
    /// What its values are.
    pub(crate) kind: Kind,
    /// The distribution of rows of parameters.
    pub(crate) build: fn(&[Row<E, D>]) -> Boxed<E, D>,
    /// Names and domains of the parameters.
    pub(crate) parameters: &'static [(&'static str, Domain)],
    /// A condition on the parameters together, and the parameter that is named where it fails.
    pub(crate) joint: Option<(&'static str, fn(&[f64]) -> bool)>,
    /// Parameters of ordinary size, away from the edges of their domain.
    pub(crate) typical: &'static [&'static [f64]],
    /// Values beyond the support of the first typical set.
    pub(crate) beyond: &'static [f64],
    /// Values between whole numbers at which a discrete family has a slope along its values.
    pub(crate) between: &'static [f64],
    /// Names of parameters without gradients.
    pub(crate) fixed: &'static [&'static str],
    /// One period of a density on the circle, at the parameters.
    pub(crate) period: Option<fn(&[f64]) -> (f64, f64)>,
    /// Where the density has kinks or jumps, at the parameters.
    pub(crate) kinks: fn(&[f64]) -> Vec<f64>,
    /// Whether a draw's gradient is −(∂F/∂θ)/f at that draw.
    pub(crate) monotone_draws: bool,
}

impl<E: Dtype, D: Backend<E>> Clone for Family<E, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E: Dtype, D: Backend<E>> Copy for Family<E, D> {}

impl<E: Dtype, D: Backend<E>> Family<E, D> {
    fn of(kind: Kind, name: &'static str, build: fn(&[Row<E, D>]) -> Boxed<E, D>) -> Self {
        Family {
            name,
            kind,
            build,
            parameters: &[],
            joint: None,
            typical: &[],
            beyond: &[],
            between: &[],
            fixed: &[],
            period: None,
            kinks: |_| Vec::new(),
            monotone_draws: true,
        }
    }

    /// Real numbers with a density: `|p| numbers(Normal::new(&p[0], &p[1]))`.
    pub(crate) fn continuous(name: &'static str, build: fn(&[Row<E, D>]) -> Boxed<E, D>) -> Self {
        Self::of(Kind::Continuous, name, build)
    }

    /// Whole numbers as floats.
    pub(crate) fn discrete(name: &'static str, build: fn(&[Row<E, D>]) -> Boxed<E, D>) -> Self {
        Self::of(Kind::Discrete, name, build)
    }

    /// Whole numbers as `usize`: `|p| categories(Categorical::new(by_element(p)))`.
    pub(crate) fn categories(name: &'static str, build: fn(&[Row<E, D>]) -> Boxed<E, D>) -> Self {
        Self::of(Kind::Categories, name, build)
    }

    /// The parameters in order: their names and what each must be. `"probs[2]"` is entry 2 of the
    /// last axis of a parameter `probs`.
    pub(crate) fn parameters(self, parameters: &'static [(&'static str, Domain)]) -> Self {
        Family { parameters, ..self }
    }

    /// A condition on all parameters together; an error names `parameter` where only it fails.
    pub(crate) fn joint(self, parameter: &'static str, holds: fn(&[f64]) -> bool) -> Self {
        Family { joint: Some((parameter, holds)), ..self }
    }

    /// Sets of parameters of ordinary size, away from the edges of their domain.
    pub(crate) fn typical(self, typical: &'static [&'static [f64]]) -> Self {
        Family { typical, ..self }
    }

    /// Two values or more beyond the support of the first typical set.
    pub(crate) fn beyond(self, beyond: &'static [f64]) -> Self {
        Family { beyond, ..self }
    }

    /// Four values between whole numbers at which a discrete family has a slope along its values.
    pub(crate) fn between(self, between: &'static [f64]) -> Self {
        Family { between, ..self }
    }

    /// Parameters that are whole numbers, or along which there are no gradients.
    pub(crate) fn fixed(self, fixed: &'static [&'static str]) -> Self {
        Family { fixed, ..self }
    }

    /// A density on the circle, and the ends of one period of it. Gradients of draws are then those of
    /// the expectation of functions with that period.
    pub(crate) fn period(self, period: fn(&[f64]) -> (f64, f64)) -> Self {
        Family { period: Some(period), ..self }
    }

    /// Kinks and jumps of the density that move with the parameters: finite differences of the cdf do not
    /// hold beside them.
    pub(crate) fn kinks(self, kinks: fn(&[f64]) -> Vec<f64>) -> Self {
        Family { kinks, ..self }
    }

    /// Draws made of several random numbers (a ratio, a mixture), whose gradients are right in
    /// expectation but not −(∂F/∂θ)/f at each draw.
    pub(crate) fn composite_draws(self) -> Self {
        Family { monotone_draws: false, ..self }
    }

    /// Whether a parameter, by its place, has no gradients.
    pub(crate) fn is_fixed(&self, which: usize) -> bool {
        self.fixed.contains(&self.parameters[which].0)
    }

    /// Whether values are whole numbers.
    pub(crate) fn is_discrete(&self) -> bool {
        self.kind != Kind::Continuous
    }

    /// `n` elements with the same parameters.
    pub(crate) fn filled(&self, parameters: &[f64], n: usize) -> Boxed<E, D> {
        let rows: Vec<Row<E, D>> = parameters.iter().map(|&p| row(&vec![p; n])).collect();
        (self.build)(&rows)
    }

    /// Four ordinary values, exact in both precisions: quantiles where there are, or draws.
    pub(crate) fn ordinary_values(&self, parameters: &[f64]) -> Vec<f64> {
        let distribution = self.filled(parameters, 4);
        let quantiles = distribution.icdf(&row(&[0.05, 0.3, 0.6, 0.95]));
        let values = wide(&quantiles.unwrap_or_else(|| distribution.draw(&mut Rng::seed(8))));
        values.into_iter().map(|v| f64::from(v as f32)).collect()
    }
}

/// A row of the nearest numbers.
pub(crate) fn row<E: Dtype, D: Backend<E>>(values: &[f64]) -> Row<E, D> {
    Row::vector(values.iter().map(|&v| E::of(v)).collect())
}

/// A row's numbers.
pub(crate) fn wide<E: Dtype, D: Backend<E>>(row: &Row<E, D>) -> Vec<f64> {
    row.to_vec().into_iter().map(E::wide).collect()
}

/// The family of a name.
pub(crate) fn family<E: Dtype, D: Backend<E>>(name: &str) -> Family<E, D> {
    families().into_iter().find(|family| family.name == name).unwrap_or_else(|| panic!("no family {name}"))
}

/// All families.
pub(crate) fn families<E: Dtype, D: Backend<E>>() -> Vec<Family<E, D>> {
    [
        normal_like::families(),
        gamma_like::families(),
        location_scale::families(),
        counts::families(),
        categories::families(),
    ]
    .concat()
}
