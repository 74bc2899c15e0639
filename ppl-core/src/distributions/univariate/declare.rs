//! The macro that declares the public type of a family: constructors, parameters, `Distribution`.

/// Declares `pub struct Name` over the family `Law` of the same file, with the given parameters:
///
/// ```ignore
/// univariate! {
///     /// Docs of the type: density, support, shapes, example, reference.
///     Gamma, 2, 3;
///     /// Docs of `new`: what the parameters are.
///     /// The concentration.
///     concentration,
///     /// The rate.
///     rate,
/// }
/// ```
///
/// The numbers are those of parameters, and of parameters and value.
macro_rules! univariate {
    ($(#[$doc:meta])* $Name:ident, $k:literal, $n:literal; $($(#[$parameter_doc:meta])* $parameter:ident),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $Name<S: dfdx::shapes::Shape, E: $crate::Dtype, D: $crate::backend::Backend<E>> {
            pub(super) front: super::univariate::Front<Law, S, E, D, $k, $n>,
        }

        impl<S: dfdx::shapes::Shape, E: $crate::Dtype, D: $crate::backend::Backend<E>> $Name<S, E, D> {
            /// From the parameters: tensors of the batch's shape, or numbers that are the same
            /// everywhere; at least one is a tensor unless the batch is a single number.
            ///
            /// # Panics
            /// If sizes known only at run time differ, or the batch has axes and all parameters
            /// are numbers.
            #[track_caller]
            pub fn new($($parameter: impl $crate::tensor::IntoTensor<S, E, D>),+) -> Self {
                $Name { front: super::univariate::Front::new([$($parameter.into_operand()),+]) }
            }

            /// With the same numbers everywhere, in the shape given.
            pub fn filled(shape: S, $($parameter: f64),+) -> Self {
                $Name { front: super::univariate::Front::filled(shape, [$($parameter),+]) }
            }

            $(
                $(#[$parameter_doc])*
                pub fn $parameter(&self) -> $crate::Tensor<S, E, D> {
                    self.front.parameter(stringify!($parameter))
                }
            )+
        }

        impl super::univariate::Named<$k> for Law {
            const NAME: &'static str = stringify!($Name);
            const PARAMETERS: [&'static str; $k] = [$(stringify!($parameter)),+];
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

            fn with_base<T: $crate::distribution::TakeBase<E, D, S>>(
                &self,
                form: $crate::distribution::BaseForm,
                take: T,
            ) -> Option<T::Output> {
                match form {
                    $crate::distribution::BaseForm::LocScale { centered } => {
                        let (front, map) = self.front.recentred(centered)?;
                        Some(take.take($Name { front }, map))
                    }
                    $crate::distribution::BaseForm::Transform => match self.front.unstretched() {
                        Some((front, map)) => Some(take.take($Name { front }, map)),
                        None => self.front.with_base(take),
                    },
                }
            }
        }
    };
}

/// The methods of `Distribution` of a type whose field `front` does them.
macro_rules! forward_to_front {
    () => {
        type Value = $crate::Tensor<S, E, D>;
        type Batch = S;

        fn name(&self) -> &'static str {
            <Law as super::univariate::Named<_>>::NAME
        }
        fn batch_shape(&self) -> S {
            self.front.shape()
        }
        fn draw(&self, rng: &mut $crate::rng::Rng) -> $crate::Tensor<S, E, D> {
            self.front.draw(rng)
        }
        fn has_rsample(&self) -> bool {
            self.front.has_rsample()
        }
        fn log_prob(&self, value: &$crate::Tensor<S, E, D>) -> $crate::Tensor<S, E, D> {
            self.front.log_prob(value)
        }
        fn log_prob_sum(&self, value: &$crate::Tensor<S, E, D>) -> $crate::Tensor<(), E, D> {
            self.front.log_prob_sum(value)
        }
        fn support(&self) -> $crate::constraint::Support<E, D> {
            self.front.support()
        }
        fn mean(&self) -> Option<$crate::Tensor<S, E, D>> {
            self.front.mean()
        }
        fn variance(&self) -> Option<$crate::Tensor<S, E, D>> {
            self.front.variance()
        }
        fn entropy(&self) -> Option<$crate::Tensor<S, E, D>> {
            self.front.entropy()
        }
        fn cdf(&self, value: &$crate::Tensor<S, E, D>) -> Option<$crate::Tensor<S, E, D>> {
            self.front.cdf(value)
        }
        fn has_cdf(&self) -> bool {
            <Law as super::univariate::Univariate<_>>::CDF.is_some()
        }
        fn survival(&self, value: &$crate::Tensor<S, E, D>) -> Option<$crate::Tensor<S, E, D>> {
            self.front.survival(value)
        }
        fn log_cdf(&self, value: &$crate::Tensor<S, E, D>) -> Option<$crate::Tensor<S, E, D>> {
            self.front.log_cdf(value)
        }
        fn log_survival(&self, value: &$crate::Tensor<S, E, D>) -> Option<$crate::Tensor<S, E, D>> {
            self.front.log_survival(value)
        }
        fn icdf(&self, probability: &$crate::Tensor<S, E, D>) -> Option<$crate::Tensor<S, E, D>> {
            self.front.icdf(probability)
        }
        fn enumerate_support(&self) -> Option<Vec<$crate::Tensor<S, E, D>>> {
            self.front.enumerate_support()
        }
        fn family(&self) -> Option<$crate::distribution::Family<E, D>> {
            Some(self.front.family())
        }
        fn check_parameters(&self) -> Result<(), $crate::distribution::ParameterError> {
            self.front.check_parameters()
        }
        fn parameters_at(&self, element: usize) -> Vec<(&'static str, f64)> {
            self.front.parameters_at(element)
        }
    };
}

pub(in crate::distributions) use {forward_to_front, univariate};
