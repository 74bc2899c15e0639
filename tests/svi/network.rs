//! A small variational autoencoder with a switch, in both dtypes: large enough for several threads,
//! with a pathwise site, a scored one and a network.

macro_rules! network {
    ($name:ident, $prelude:ident, $E:ident) => {
        pub(crate) mod $name {
            use ppl::nn::Linear;
            use ppl::$prelude::*;

            use crate::coin::Coin;

            pub(crate) const ROWS: usize = 64;
            pub(crate) const WIDTH: usize = 300;
            const LATENT: usize = 4;

            pub(crate) type Images = Tensor<Rank2<ROWS, WIDTH>>;
            type Codes = Tensor<Rank2<ROWS, LATENT>>;

            #[model]
            pub(crate) fn network(x: &Images) {
                let decoder = module!("decoder", Linear::<Const<LATENT>, Const<WIDTH>, $E>::build);
                let bright: Tensor<()> = sample!("bright", Coin(Tensor::scalar(0.4)));
                plate!("rows", ROWS, |_| {
                    let z: Codes = sample!("z", Normal::standard());
                    sample!("x", Normal::new(decoder.forward(&z) + bright, 0.5), obs = x);
                });
            }

            #[guide(network)]
            pub(crate) fn network_guide(x: &Images) {
                let encoder = module!("encoder", Linear::<Const<WIDTH>, Const<LATENT>, $E>::build);
                let scale: Tensor<()> = param!("scale", Tensor::scalar(0.6), constraint = Positive);
                let logit: Tensor<()> = param!("logit", Tensor::scalar(0.0));
                sample!("bright", Coin(logit));
                plate!("rows", ROWS, |_| {
                    sample!("z", Normal::new(encoder.forward(x), scale));
                });
            }

            /// Waves of different lengths.
            pub(crate) fn images() -> Images {
                let pixel = |i: usize| ((i % WIDTH) as $E * 0.02 * (1 + i / WIDTH) as $E).sin();
                Tensor::from_vec((0..ROWS * WIDTH).map(pixel).collect(), Default::default())
            }

            /// All parameters, by name.
            pub(crate) fn values(params: &ParamStore<$E, Cpu>) -> Vec<(String, Vec<$E>)> {
                let mut all = Vec::new();
                params.each_tensor(|name, tensor| all.push((name.to_owned(), tensor.to_vec())));
                all
            }
        }
    };
}

network!(narrow, prelude, f32);
network!(wide, prelude64, f64);
