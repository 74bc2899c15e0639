//! New chorales, drawn from the model.

use std::error::Error;
use std::path::Path;

use ppl::autodiff::no_grad;
use ppl::handler::Handler;
use ppl::handlers::{Params, Prior, Tracer};
use ppl::prelude::*;
use ppl::rng::Rng;

use super::batch::Batch;
use super::chorales::{KEYS, Sequence};
use super::midi::write_midi;
use super::model::dmm;
use super::network::Sizes;
use super::piano_roll::piano_roll;

/// How many chorales are generated.
const CHORALES: usize = 4;
/// The quarter notes of each.
const STEPS: usize = 64;

/// Writes generated chorales and, to compare them with, a real one: each as a picture and as a MIDI file.
///
/// # Errors
/// A run of the model that fails, files that cannot be written.
pub fn write_chorales(
    folder: &Path,
    params: &ParamStore<f32, Cpu>,
    sizes: Sizes,
    seed: u64,
    real: &Sequence,
) -> Result<(), Box<dyn Error>> {
    let chorales = generate(params, sizes, CHORALES, STEPS, seed)?;
    let generated = (1..).map(|number| format!("generated_{number}")).zip(&chorales);
    for (name, chorale) in generated.chain([("test_chorale".to_owned(), real)]) {
        piano_roll(folder.join(format!("{name}.png")), chorale)?;
        write_midi(folder.join(format!("{name}.mid")), chorale)?;
    }
    Ok(())
}

/// Chorales of `steps` steps: the model's run with the parameters given, its observations forgotten, so that the keys
/// are drawn too.
///
/// # Errors
/// The first error of the run.
pub fn generate(
    params: &ParamStore<f32, Cpu>,
    sizes: Sizes,
    chorales: usize,
    steps: usize,
    seed: u64,
) -> Result<Vec<Sequence>, ppl::Error> {
    let silence = vec![vec![]; steps];
    let batch = Batch::new(&vec![&silence; chorales]);
    let (mut params, mut prior) = (params.clone(), Prior::new(Rng::named(seed, "generated chorales")));
    let mut params = Params::new(&mut params, &mut prior);
    let mut tracer = Tracer::new(&mut params);
    no_grad(|| dmm.uncondition().run(&mut tracer, (&batch, sizes, 1.0)));
    let trace = tracer.into_trace();
    params.context().finish(())?;

    let mut generated = vec![Vec::with_capacity(steps); chorales];
    for t in 0..steps {
        let keys: &Tensor<(usize, Const<KEYS>)> = trace.value(&format!("x_{t}")).expect("the model's keys");
        for (chorale, keys) in generated.iter_mut().zip(keys.to_vec().chunks(KEYS)) {
            chorale.push((0..KEYS as u8).filter(|&note| keys[usize::from(note)] == 1.0).collect());
        }
    }
    Ok(generated)
}

#[cfg(test)]
mod tests {
    use ppl::params::ParamEntry;

    use super::super::network::{GatedTransition, emitter};
    use super::*;

    const SIZES: Sizes = Sizes { latent: 1, emission: 1, transition: 1, recurrent: 1, flows: 0, flow: 1 };

    /// Parameters of the model that are all 0, but for those given by name.
    fn store(given: &[(&str, &[f32])]) -> ParamStore<f32, Cpu> {
        let (mut store, mut init) = (ParamStore::new(0), Init::new(Rng::seed(0)));
        store.insert("emitter", ParamEntry::new(Box::new(emitter(&mut init, SIZES)), None));
        store.insert("transition", ParamEntry::new(Box::new(GatedTransition::new(&mut init, SIZES)), None));
        store.insert("z_0", ParamEntry::new(Box::new(Tensor::<(usize,)>::full_like(0.0, (1,))), None));
        let mut set = 0;
        store.each_tensor_mut(|name, tensor| {
            let values = given.iter().find(|(given, _)| *given == name).map(|(_, values)| values.to_vec());
            set += usize::from(values.is_some());
            tensor.set(&values.unwrap_or_else(|| vec![0.0; tensor.to_vec().len()])).unwrap();
        });
        assert_eq!(set, given.len(), "a name that no parameter has");
        store
    }

    #[test]
    fn keys_sound_as_often_as_the_emitter_says() {
        let mut logits = [-20.0_f32; KEYS];
        (logits[40], logits[50]) = (20.0, 3.0_f32.ln());
        let generated = generate(&store(&[("emitter.layers.2.bias", &logits)]), SIZES, 4, 250, 1).unwrap();
        assert_eq!((generated.len(), generated[0].len()), (4, 250));
        let count = |key: u8| generated.iter().flatten().filter(|notes| notes.contains(&key)).count();
        // Each of the 87,000 others sounds with probability 2e-9, or is silent: 1.8e-4 for any of them.
        assert_eq!((0..KEYS as u8).filter(|&key| key != 50).map(count).sum::<usize>(), 1000);
        assert_eq!(count(40), 1000);
        // 1000 draws of 3/4: 4.5 standard deviations of 13.7, two-sided 7e-6.
        assert!(count(50).abs_diff(750) < 62, "{}", count(50));
        assert_eq!(generated, generate(&store(&[("emitter.layers.2.bias", &logits)]), SIZES, 4, 250, 1).unwrap());
        assert_ne!(generated, generate(&store(&[("emitter.layers.2.bias", &logits)]), SIZES, 4, 250, 2).unwrap());
    }

    #[test]
    fn the_transition_leads_from_the_first_latent_to_the_keys() {
        // The gate is half open, so that z becomes -z; its sign shows on key 7.
        let mut weights = [0.0_f32; KEYS];
        weights[7] = 40.0;
        let store = store(&[
            ("z_0", &[1.0]),
            ("transition.linear.weight", &[-2.0]),
            ("transition.scale.bias", &[-20.0]),
            ("emitter.layers.0.weight", &[1.0]),
            ("emitter.layers.1.weight", &[1.0]),
            ("emitter.layers.2.weight", &weights),
            ("emitter.layers.2.bias", &[-20.0; KEYS]),
        ]);
        // Each of 4,224 keys is otherwise with probability 2e-9: 1e-5 for any of them.
        for chorale in generate(&store, SIZES, 6, 8, 0).unwrap() {
            let expected: Sequence = (0..8).map(|t| if t % 2 == 1 { vec![7] } else { vec![] }).collect();
            assert_eq!(chorale, expected);
        }
    }
}
