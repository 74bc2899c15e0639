//! Chains on models written in the language: what their draws hold, and where they begin.

// What a draw of a model holds.
mod draws;
// Where chains begin, and what is said where they cannot.
mod beginnings;
