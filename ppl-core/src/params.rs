//! Parameters: structs of tensors, the statement that asks for one, and the store that owns them.

// Structs of tensors, walked by name.
mod module;
// The statement on its way through the handlers.
mod site;
// What owns parameters.
mod store;
// Random initial values.
mod init;

pub use init::Init;
pub(crate) use module::shaped;
pub use module::{ErasedModule, Module, ParamTensor, Visitor, VisitorMut};
pub use site::{Initial, ParamSite, TypedParam};
pub use store::{ParamEntry, ParamStore};
