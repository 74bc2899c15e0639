//! The macro that declares the public type of a family given by `probs` or by `logits`.

/// Declares `pub struct Name` over `Law<Probs>` and `Law<Logits>` of the same file: `new`,
/// `from_logits`, `filled`, `probs`, `logits`, accessors of the parameters before them, and
/// `Distribution`.
///
/// ```ignore
/// two_forms! {
///     /// Docs of the type.
///     Binomial, 2, 3;
///     /// The number of trials.
///     total_count,
/// }
/// ```
macro_rules! two_forms {
    ($(#[$doc:meta])* $Name:ident, $k:literal, $n:literal; $($(#[$parameter_doc:meta])* $parameter:ident,)*) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Name<S: dfdx::shapes::Shape, E: $crate::Dtype, D: $crate::backend::Backend<E>> {
            pub(super) front: super::univariate::TwoForms<
                Law<super::counting::Probs>, Law<super::counting::Logits>, S, E, D, $k, $n,
            >,
        }

        impl<S: dfdx::shapes::Shape, E: $crate::Dtype, D: $crate::backend::Backend<E>> $Name<S, E, D> {
            /// By probabilities. Tensors of the batch's shape, or numbers that are the same
            /// everywhere; at least one is a tensor unless the batch is a single number.
            ///
            /// # Panics
            /// If sizes known only at run time differ, or the batch has axes and all parameters
            /// are numbers.
            #[track_caller]
            pub fn new(
                $($parameter: impl $crate::tensor::IntoTensor<S, E, D>,)*
                probs: impl $crate::tensor::IntoTensor<S, E, D>,
            ) -> Self {
                let parameters = [$($parameter.into_operand(),)* probs.into_operand()];
                $Name { front: super::univariate::TwoForms::Probs(super::univariate::Front::new(parameters)) }
            }

            /// By the log-odds ln(p / (1 − p)), which keep their digits near both ends.
            ///
            /// # Panics
            /// If sizes known only at run time differ, or the batch has axes and all parameters
            /// are numbers.
            #[track_caller]
            pub fn from_logits(
                $($parameter: impl $crate::tensor::IntoTensor<S, E, D>,)*
                logits: impl $crate::tensor::IntoTensor<S, E, D>,
            ) -> Self {
                let parameters = [$($parameter.into_operand(),)* logits.into_operand()];
                $Name { front: super::univariate::TwoForms::Logits(super::univariate::Front::new(parameters)) }
            }

            /// With the same numbers everywhere, in the shape given.
            pub fn filled(shape: S, $($parameter: f64,)* probs: f64) -> Self {
                let front = super::univariate::Front::filled(shape, [$($parameter,)* probs]);
                $Name { front: super::univariate::TwoForms::Probs(front) }
            }

            /// The probability.
            pub fn probs(&self) -> $crate::Tensor<S, E, D> {
                match &self.front {
                    super::univariate::TwoForms::Probs(front) => front.parameter("probs"),
                    super::univariate::TwoForms::Logits(front) => front.parameter("logits").sigmoid(),
                }
            }

            /// The log-odds.
            pub fn logits(&self) -> $crate::Tensor<S, E, D> {
                match &self.front {
                    super::univariate::TwoForms::Probs(front) => {
                        let probs = front.parameter("probs");
                        probs.ln() - (-probs).log1p()
                    }
                    super::univariate::TwoForms::Logits(front) => front.parameter("logits"),
                }
            }

            $(
                $(#[$parameter_doc])*
                pub fn $parameter(&self) -> $crate::Tensor<S, E, D> {
                    self.front.parameter(stringify!($parameter))
                }
            )*
        }

        /// The family, in one of the forms of its probability.
        #[derive(Clone, Copy)]
        pub(super) struct Law<O = super::counting::Probs>(std::marker::PhantomData<O>);

        impl super::univariate::Named<$k> for Law<super::counting::Probs> {
            const NAME: &'static str = stringify!($Name);
            const PARAMETERS: [&'static str; $k] = [$(stringify!($parameter),)* "probs"];
        }

        impl super::univariate::Named<$k> for Law<super::counting::Logits> {
            const NAME: &'static str = stringify!($Name);
            const PARAMETERS: [&'static str; $k] = [$(stringify!($parameter),)* "logits"];
        }

        impl<S, R, E, D> $crate::distribution::Expand<R> for $Name<S, E, D>
        where
            S: dfdx::shapes::Shape,
            R: dfdx::shapes::Shape,
            E: $crate::Dtype,
            D: $crate::backend::Backend<E>,
        {
            type Expanded = $Name<R, E, D>;
            type ExpandedBatch = R;

            #[track_caller]
            fn expand(&self, shape: R) -> $Name<R, E, D> {
                $Name { front: self.front.expand(shape) }
            }
        }

        impl<S, E, D> $crate::distribution::Distribution<E, D> for $Name<S, E, D>
        where
            S: dfdx::shapes::Shape,
            E: $crate::Dtype,
            D: $crate::backend::Backend<E>,
        {
            super::univariate::forward_to_front!();
        }
    };
}

pub(in crate::distributions) use two_forms;
