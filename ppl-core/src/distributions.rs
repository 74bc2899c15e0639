//! The distributions, one a file.

// Shapes and elements of their parameters.
mod shapes;
// Numbers.
mod normal;
// Point masses and log-weights.
mod delta;
mod unit;
// Distributions made of others.
mod independent;
mod masked;

pub use delta::Delta;
pub use independent::Independent;
pub use masked::Masked;
pub use normal::Normal;
pub use unit::Unit;
