//! The table of families: how each is made from rows of parameters, behind one face.

use ppl_core::backend::Backend;
use ppl_core::constraint::Support;
use ppl_core::distribution::{Distribution, ParameterError};
use ppl_core::distributions::{
    Bernoulli, Categorical, Exponential, HalfCauchy, HalfNormal, LogNormal, Normal, Uniform,
};
use ppl_core::ops::stack;
use ppl_core::rng::Rng;
use ppl_core::{Axes2, Dtype, Tensor};

/// A tensor of one axis whose length is known at run time.
pub(crate) type Row<E, D> = Tensor<(usize,), E, D>;

/// A distribution of one axis of independent elements; categories stand as floats.
pub(crate) trait Univariate<E: Dtype, D: Backend<E>> {
    fn log_prob(&self, value: &Row<E, D>) -> Row<E, D>;
    fn log_prob_sum(&self, value: &Row<E, D>) -> Tensor<(), E, D>;
    fn draw(&self, rng: &mut Rng) -> Row<E, D>;
    fn has_rsample(&self) -> bool;
    fn support(&self) -> Support<E, D>;
    fn mean(&self) -> Option<Row<E, D>>;
    fn variance(&self) -> Option<Row<E, D>>;
    fn entropy(&self) -> Option<Row<E, D>>;
    fn cdf(&self, value: &Row<E, D>) -> Option<Row<E, D>>;
    fn icdf(&self, probability: &Row<E, D>) -> Option<Row<E, D>>;
    fn enumerate_support(&self) -> Option<Vec<Row<E, D>>>;
    fn check_parameters(&self) -> Result<(), ParameterError>;
    fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)>;
}

/// A distribution, with the maps between its values and rows of floats.
struct Face<P, V, E: Dtype, D: Backend<E>> {
    distribution: P,
    from_row: fn(&Row<E, D>) -> V,
    to_row: fn(V) -> Row<E, D>,
}

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
    fn support(&self) -> Support<E, D> {
        self.distribution.support()
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
}

type Boxed<E, D> = Box<dyn Univariate<E, D>>;

fn numbers<P, E: Dtype, D: Backend<E>>(distribution: P) -> Boxed<E, D>
where
    P: Distribution<E, D, Value = Row<E, D>, Batch = (usize,)>,
{
    Box::new(Face { distribution, from_row: Row::clone, to_row: |row| row })
}

fn categories<E: Dtype, D: Backend<E>>(distribution: Categorical<(usize, usize), E, D>) -> Boxed<E, D> {
    Box::new(Face {
        distribution,
        from_row: |row| {
            let indices: Vec<usize> = wide(row).into_iter().map(|v| v as usize).collect();
            let n = indices.len();
            Tensor::from_vec(indices, (n,))
        },
        to_row: |indices| Row::vector(indices.to_vec().into_iter().map(|k| E::of(k as f64)).collect()),
    })
}

/// Rows of one parameter a category, as a row of categories an element.
fn by_element<E: Dtype, D: Backend<E>>(parameters: &[Row<E, D>]) -> Tensor<(usize, usize), E, D> {
    stack::<_, (usize, usize), _, _>(parameters).permute::<(usize, usize), Axes2<1, 0>>()
}

/// A family of distributions.
#[derive(Clone, Copy)]
pub(crate) struct Family<E: Dtype, D: Backend<E>> {
    /// Its name in the table of reference values.
    pub(crate) name: &'static str,
    /// The distribution of rows of parameters.
    pub(crate) build: fn(&[Row<E, D>]) -> Boxed<E, D>,
    /// Parameters of ordinary size, away from the edges of their domain.
    pub(crate) typical: &'static [&'static [f64]],
}

impl<E: Dtype, D: Backend<E>> Family<E, D> {
    /// `n` elements with the same parameters.
    pub(crate) fn filled(&self, parameters: &[f64], n: usize) -> Boxed<E, D> {
        let rows: Vec<Row<E, D>> = parameters.iter().map(|&p| row(&vec![p; n])).collect();
        (self.build)(&rows)
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
    families().into_iter().find(|family| family.name == name).expect("a family of the table")
}

/// All families.
pub(crate) fn families<E: Dtype, D: Backend<E>>() -> [Family<E, D>; 10] {
    [
        Family {
            name: "Normal",
            build: |p| numbers(Normal::new(&p[0], &p[1])),
            typical: &[&[0.0, 1.0], &[-1.5, 0.5], &[2.0, 3.0]],
        },
        Family {
            name: "LogNormal",
            build: |p| numbers(LogNormal::new(&p[0], &p[1])),
            typical: &[&[0.0, 1.0], &[-1.5, 0.5], &[1.0, 2.0]],
        },
        Family { name: "HalfNormal", build: |p| numbers(HalfNormal::new(&p[0])), typical: &[&[1.0], &[0.25], &[3.0]] },
        Family { name: "HalfCauchy", build: |p| numbers(HalfCauchy::new(&p[0])), typical: &[&[1.0], &[0.25], &[5.0]] },
        Family {
            name: "Uniform",
            build: |p| numbers(Uniform::new(&p[0], &p[1])),
            typical: &[&[0.0, 1.0], &[-2.0, 0.5], &[3.0, 10.0]],
        },
        Family {
            name: "Exponential",
            build: |p| numbers(Exponential::new(&p[0])),
            typical: &[&[1.0], &[0.25], &[3.5]],
        },
        Family { name: "Bernoulli", build: |p| numbers(Bernoulli::new(&p[0])), typical: &[&[0.5], &[0.125], &[0.875]] },
        Family {
            name: "Bernoulli (logits)",
            build: |p| numbers(Bernoulli::from_logits(&p[0])),
            typical: &[&[0.5], &[-1.5], &[3.0]],
        },
        Family {
            name: "Categorical",
            build: |p| categories(Categorical::new(by_element(p))),
            typical: &[&[0.25, 0.5, 0.25], &[2.0, 1.0, 5.0]],
        },
        Family {
            name: "Categorical (logits)",
            build: |p| categories(Categorical::from_logits(by_element(p))),
            typical: &[&[0.0, 1.0, -0.5], &[-1.0, 2.0, 1.5]],
        },
    ]
}
