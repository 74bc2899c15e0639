//! The exponential and ln(1 + x) without branches or calls, so that the compiler turns loops over
//! them into vector code: networks and log-densities spend their element-wise time here. A call of
//! the system's `expf` for each of the 100,000 pixels of a batch takes as long as a matrix product.

// In `f32`.
pub(super) mod single;
// In `f64`.
pub(super) mod double;
