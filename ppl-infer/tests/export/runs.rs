//! Draws to write: of several variables and chains, with numbers that are hard to write.

use ppl_infer::draws::{ChainDraws, Draws, Role, SampleStats, Variable, layout};
use rand::{Rng, SeedableRng, rngs::StdRng};

/// A number, a vector, a matrix, a deterministic array and one without numbers.
pub(crate) fn variables() -> Vec<Variable> {
    let of = |name: &str, dims: &[usize], role| (name.to_owned(), dims.to_vec(), role);
    layout([
        of("mu", &[], Role::Latent),
        of("theta", &[3], Role::Latent),
        of("school/w", &[2, 3], Role::Latent),
        of("none", &[2, 0], Role::Latent),
        of("t", &[2, 1, 2], Role::Deterministic),
    ])
}

/// What happened at a draw, anything of it.
pub(crate) fn stats(rng: &mut impl Rng) -> SampleStats {
    SampleStats {
        log_density: rng.gen_range(-1e3..1e3),
        accept_probability: rng.r#gen(),
        step_size: rng.gen_range(1e-9..2.0),
        energy: rng.gen_range(-1e3..1e3),
        depth: rng.gen_range(0..11),
        depth_saturated: rng.r#gen(),
        evaluations: rng.gen_range(1..1024),
        diverging: rng.r#gen(),
    }
}

/// Chains of these lengths.
pub(crate) fn run(variables: Vec<Variable>, lengths: &[usize]) -> Draws {
    let mut rng = StdRng::seed_from_u64(17);
    let width = variables.last().map_or(0, |last| last.range.end);
    let mut chain = |&length: &usize| {
        let mut chain = ChainDraws::new(width);
        for _ in 0..length {
            let row: Vec<f64> = (0..width).map(|_| rng.gen_range(-5.0..5.0)).collect();
            chain.push(&row, stats(&mut rng));
        }
        chain
    };
    let chains = lengths.iter().map(&mut chain).collect();
    Draws::new(variables, chains)
}
