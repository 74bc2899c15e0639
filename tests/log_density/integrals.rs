//! The density of a model without data integrates to one over all unconstrained numbers: a Jacobian that is missing, wrong, or
//! counted twice would show.

use ppl::infer::{LogDensity, ModelDensity};
use ppl::prelude64::*;

type Scalar = Tensor<()>;

/// The sum over a grid of equal steps, which is exact for smooth densities that vanish at its ends.
fn integral(log_density: &mut dyn FnMut(&[f64]) -> f64, dim: usize, (low, high): (f64, f64), points: usize) -> f64 {
    let step = (high - low) / points as f64;
    let mut total = 0.0;
    for index in 0..points.pow(dim as u32) {
        let position: Vec<f64> =
            (0..dim as u32).map(|i| low + step * (0.5 + (index / points.pow(i) % points) as f64)).collect();
        total += log_density(&position).exp();
    }
    total * step.powi(dim as i32)
}

macro_rules! integrates_to_one {
    ($($name:ident: $T:ty, $distribution:expr, $range:expr, $points:expr;)*) => {$(
        #[test]
        fn $name() {
            #[model]
            fn of() {
                let _: $T = sample!("x", $distribution);
            }
            let mut density = ModelDensity::new(of, ()).unwrap();
            let dim = density.dim();
            let total = integral(&mut |x| density.log_density(x).unwrap(), dim, $range, $points);
            assert!((total - 1.0).abs() < 1e-6, "{total}");
        }
    )*};
}

integrates_to_one! {
    normal: Scalar, Normal::new(1.0, 2.0), (-30.0, 30.0), 2000;
    gamma: Scalar, Gamma::new(2.5, 0.7), (-40.0, 12.0), 4000;
    half_normal: Scalar, HalfNormal::new(3.0), (-40.0, 10.0), 4000;
    log_normal: Scalar, LogNormal::new(0.3, 0.8), (-12.0, 12.0), 2000;
    exponential: Scalar, Exponential::new(0.4), (-40.0, 10.0), 4000;
    pareto: Scalar, Pareto::new(2.0, 3.0), (-40.0, 40.0), 4000;
    beta: Scalar, Beta::new(2.0, 0.7), (-40.0, 40.0), 4000;
    uniform: Scalar, Uniform::new(-3.0, 5.0), (-40.0, 40.0), 4000;
    truncated_normal: Scalar, TruncatedNormal::new(0.5, 1.0, -1.0, 2.0), (-40.0, 40.0), 4000;
    proportions: Tensor<Rank1<3>>, Dirichlet::new(Tensor::from([1.5, 2.0, 3.0])), (-20.0, 20.0), 800;
    correlation: Tensor<(usize, usize)>, LKJCholesky::new(2, 1.5), (-20.0, 20.0), 4000;
}
