//! Checkpoints: every kind of broken or foreign file is refused with the entry's name and leaves the
//! run as it was; writes are atomic; parameters not met yet wait.

#[path = "checkpoints/atomic.rs"]
mod atomic;
#[path = "checkpoints/broken.rs"]
mod broken;
#[path = "checkpoints/foreign.rs"]
mod foreign;
#[path = "checkpoints/pending.rs"]
mod pending;
#[path = "checkpoints/switch.rs"]
mod switch;
