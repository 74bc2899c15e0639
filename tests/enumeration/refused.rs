//! What cannot be enumerated, by name.

use ppl::infer::autoguide::{Blocks, PerSite};
use ppl::infer::{AutoGuideList, ModelDensity};
use ppl::prelude64::*;

use crate::brute_force::enumerated;

type Scalar = Tensor<()>;
type Vector = Tensor<(usize,)>;

#[track_caller]
fn refused<M: Model<(), E = f64, D = Cpu>>(model: M, words: &[&str]) {
    let error =
        enumerated(&model, &(), &mut ParamStore::new(0)).and_then(|all| all.log_evidence()).unwrap_err().to_string();
    assert!(words.iter().all(|word| error.contains(word)), "{error}");
}

#[test]
fn a_continuous_site() {
    #[model]
    fn continuous() {
        let _: Scalar = sample!("x", Normal::new(0.0, 1.0), enumerate);
    }
    refused(continuous, &["`x`", "Normal", "no finite list"]);
}

#[test]
fn an_unbounded_site() {
    #[model]
    fn unbounded() {
        let _: Scalar = sample!("n", Poisson::new(3.0), enumerate);
    }
    refused(unbounded, &["`n`", "Poisson", "no finite list"]);
}

#[test]
fn a_batch_without_a_plate() {
    #[model]
    fn batch() {
        let _: Vector = sample!("x", Bernoulli::new(Vector::vector(vec![0.5; 3])), enumerate);
    }
    refused(batch, &["`x`", "3 elements", "plate"]);
}

#[test]
fn plates_that_cross() {
    #[model]
    fn crossing() {
        let a: Vector = plate!("rows", 2, |_| sample!("a", Bernoulli::new(Vector::vector(vec![0.5; 2])), enumerate));
        let b: Vector = plate!("columns", 3, |_| sample!("b", Bernoulli::new(Vector::vector(vec![0.5; 3])), enumerate));
        plate!("rows", 2, |_| {
            plate!("columns", 3, |_| {
                let mean = a.broadcast_like::<(usize, usize), Axis<1>>(&(2, 3))
                    + b.broadcast_like::<(usize, usize), Axis<0>>(&(2, 3));
                sample!("y", Normal::new(mean, 1.0), obs = Tensor::<(usize, usize)>::from_vec(vec![0.5; 6], (2, 3)));
            });
        });
    }
    refused(crossing, &["`a`", "`b`", "`rows`", "`columns`"]);
}

#[test]
fn data_that_are_impossible() {
    #[model]
    fn impossible() {
        let z: Scalar = sample!("z", Bernoulli::new(0.5), enumerate);
        sample!("y", Uniform::new(&z, &z + 1.0), obs = Tensor::scalar(3.0));
    }
    refused(impossible, &["`y`", "impossible"]);
}

#[test]
fn a_dependence_that_leaves_its_plate() {
    #[model]
    fn outside() {
        let z: Vector = plate!("rows", 4, |_| sample!("z", Bernoulli::new(Vector::vector(vec![0.5; 4])), enumerate));
        sample!("y", Normal::new(z.sum_all(), 1.0), obs = Tensor::scalar(2.0));
    }
    refused(outside, &["`y`", "no enumerated site", "plate"]);
}

#[test]
fn a_dependence_beyond_the_history() {
    #[model]
    fn long_memory() {
        let mut sum = 0.0;
        for t in markov!(0..6) {
            let x: Scalar = sample!("x_{t}", Bernoulli::new(0.3 + 0.1 * sum), enumerate);
            sum += x.item();
        }
    }
    refused(long_memory, &["`x_", "history"]);
}

#[test]
fn a_support_that_depends_on_what_is_summed_over() {
    #[model]
    fn wide() {
        let _: Scalar = sample!("free", Normal::new(0.0, 1.0));
        let z: Scalar = sample!("z", Bernoulli::new(0.5), enumerate);
        let _: Scalar = sample!("x", Uniform::new(0.0, &z + 1.0));
    }
    let error = ModelDensity::new(wide, ()).unwrap().log_density(&[0.1, 0.3]).unwrap_err().to_string();
    assert!(error.contains("`x`") && error.contains("summed over"), "{error}");
}

#[test]
fn results_of_blocks_without_values_of_summed_sites() {
    #[model]
    fn half() {
        let x: Scalar = sample!("x", Normal::new(0.0, 1.0));
        let _: Scalar = sample!("z", Bernoulli::from_logits(x), enumerate);
    }
    let guide = AutoGuideList::of(half, Blocks::new().rest(PerSite::default()), ()).unwrap();
    let params = ParamStore::<f64, Cpu>::new(0);
    for error in [guide.median(&params, ()).unwrap_err(), guide.draws(&params, (), 1, 0).unwrap_err()] {
        assert!(error.to_string().contains("`z`") && error.to_string().contains("InferDiscrete"), "{error}");
    }
}
