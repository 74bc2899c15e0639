//! Queries in models: rational speech acts, against numbers by hand.

use ppl::infer::Executions;
use ppl::prelude64::*;

type Category = Tensor<(), usize>;

/// What is said of three apples, any number of which are red.
const UTTERANCES: [fn(usize) -> bool; 3] = [|red| red == 0, |red| red > 0, |red| red == 3];
const SOME: usize = 1;

#[model]
fn literal(utterance: usize) -> usize {
    let red: Category = sample!("red", Categorical::new(Tensor::from([1.0; 4])));
    let red = red.to_vec()[0];
    factor!("truth", Tensor::<()>::scalar(if UTTERANCES[utterance](red) { 0.0 } else { f64::NEG_INFINITY }));
    red
}

#[model]
fn speaker(red: usize, rationality: f64) -> usize {
    let utterance: Category = sample!("utterance", Categorical::new(Tensor::from([1.0; 3])));
    let utterance = utterance.to_vec()[0];
    let heard = Executions::of(literal, (utterance,)).explore().expect("each utterance is true of some number");
    factor!("informative", Tensor::<()>::scalar(rationality * heard.log_probability(&red)));
    utterance
}

#[model]
fn listener(utterance: usize, rationality: f64) -> usize {
    let red: Category = sample!("red", Categorical::new(Tensor::from([1.0; 4])));
    let red = red.to_vec()[0];
    let said = Executions::of(speaker, (red, rationality)).explore().expect("something is true of each number");
    let logits = [0, 1, 2].map(|utterance| said.log_probability(&utterance));
    sample!("said", Categorical::from_logits(Tensor::from(logits)), obs = Category::from_vec(vec![utterance], ()));
    red
}

#[test]
fn some_is_heard_as_not_all() {
    for rationality in [1.0_f64, 4.0] {
        // Of three, a speaker says "some" with the probability 3^-r / (1 + 3^-r), else "all"; of one and two always.
        let some_of_three = 3.0_f64.powf(-rationality) / (1.0 + 3.0_f64.powf(-rationality));
        let said = Executions::of(speaker, (3, rationality)).explore().unwrap();
        assert!((said.probability(&SOME) - some_of_three).abs() < 1e-12);
        let heard = Executions::of(listener, (SOME, rationality)).explore().unwrap();
        let expected = [0.0, 1.0, 1.0, some_of_three].map(|p| p / (2.0 + some_of_three));
        for (red, expected) in expected.into_iter().enumerate() {
            assert!((heard.probability(&red) - expected).abs() < 1e-12, "{red}: {heard:?}");
        }
    }
    // The numbers of the paper's kind: 4/9, 4/9 and 1/9.
    let heard = Executions::of(listener, (SOME, 1.0)).explore().unwrap();
    assert!((heard.probability(&3) - 1.0 / 9.0).abs() < 1e-12);
    let literally = Executions::of(literal, (SOME,)).explore().unwrap();
    assert!((literally.probability(&3) - 1.0 / 3.0).abs() < 1e-12);
}
