//! One model, annotated and expanded by hand: the same trace, so the annotation is sugar.
#![allow(non_camel_case_types)]

use ppl::prelude::*;

/// What is written.
#[model]
fn annotated(data: &Tensor<Rank1<3>>, steps: usize) -> Tensor<()> {
    let w: Tensor<()> = param!("w", Tensor::<()>::scalar(0.5));
    let z: Tensor<()> = sample!("z", Normal::new(w, 1.0));
    for t in 0..steps {
        sample!("h_{t}": Tensor<()>, Normal::new(&z, 2.0));
    }
    plate!("data", 3, |_rows| {
        sample!("x", Normal::new(z.broadcast::<Rank1<3>, Axis<0>>(), 1.0), obs = data);
    });
    factor!("f", -z.square());
    z
}

/// What it becomes.
mod by_hand {
    use std::collections::BTreeMap;

    use ppl::__private::{
        Address, Error, Handler, IntoValueMap, Model, PlateRows, Program, Site, SiteIndex, TraceReader, TypedTrace,
        ValueMap, factor, observe, param, plate, sample,
    };
    use ppl::prelude::{Axis, Cpu, Normal, Rank1, Tensor};

    #[derive(Clone, Copy, Debug)]
    pub(super) struct expanded;

    impl Program for expanded {
        type Base = Self;
        const NAME: &'static str = "annotated";
    }

    impl<'a> Model<(&'a Tensor<Rank1<3>>, usize)> for expanded {
        type E = f32;
        type D = Cpu;
        type Output = Tensor<()>;
        type Trace = ExpandedTrace;

        fn run(&self, h: &mut dyn Handler<f32, Cpu>, (data, steps): (&'a Tensor<Rank1<3>>, usize)) -> Tensor<()> {
            let w: Tensor<()> = param(&mut *h, Address::fixed("w"), |_| Tensor::<()>::scalar(0.5));
            let z: Tensor<()> = sample(&mut *h, Address::fixed("z"), Normal::new(w, 1.0));
            for t in 0..steps {
                let _: Tensor<()> = sample(&mut *h, Address::indexed("h_{}", &[t.to_index()]), Normal::new(&z, 2.0));
            }
            plate(&mut *h, Address::fixed("data"), 3, PlateRows::All, |h, _rows| {
                let loc = z.broadcast::<Rank1<3>, Axis<0>>();
                observe(&mut *h, Address::fixed("x"), Normal::new(loc, 1.0), data);
            });
            factor(&mut *h, Address::fixed("f"), -z.square());
            z
        }
    }

    #[derive(Clone, Debug)]
    pub(super) struct ExpandedTrace {
        pub(super) z: Site<Tensor<()>>,
        pub(super) h: BTreeMap<usize, Site<Tensor<()>>>,
        pub(super) x: Site<Tensor<Rank1<3>>>,
    }

    impl TypedTrace for ExpandedTrace {
        type Values = ExpandedValues;

        fn read(reader: &TraceReader<'_>) -> Result<Self, Error> {
            Ok(ExpandedTrace { z: reader.site("z")?, h: reader.family("h_{}")?, x: reader.site("x")? })
        }
    }

    #[derive(Clone, Debug, Default)]
    pub(super) struct ExpandedValues {
        pub(super) z: Option<Tensor<()>>,
    }

    impl IntoValueMap for ExpandedValues {
        fn into_value_map(self) -> ValueMap {
            let mut map = ValueMap::new();
            map.put("z", self.z);
            map
        }
    }
}

#[test]
fn the_annotation_is_sugar() {
    let data = Tensor::from([0.1, 0.2, 0.3]);
    for seed in 0..5 {
        let (output, written) = trace(&annotated, (&data, 3), seed).unwrap();
        let (by_hand_output, by_hand) = trace(&by_hand::expanded, (&data, 3), seed).unwrap();
        assert_eq!(output, by_hand_output);
        assert_eq!(describe(&written), describe(&by_hand));
        let typed: AnnotatedTrace = written.typed().unwrap();
        let other: by_hand::ExpandedTrace = by_hand.typed().unwrap();
        assert_eq!((typed.z, typed.h, typed.x), (other.z, other.h, other.x));
    }
}

/// Everything that a trace says of each site.
fn describe(trace: &Trace<f32, Cpu>) -> Vec<String> {
    let site = |site: &ppl::trace::SiteRecord<f32, Cpu>| {
        let (address, value) = (&site.address, &site.value);
        format!("{address:?} {:?} {value:?} {} {:?} {:?}", site.kind, site.observed, site.log_prob.item(), site.frames)
    };
    trace.sites().map(site).chain([format!("{:?}", trace.plate("data"))]).collect()
}
