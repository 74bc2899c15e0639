//! What compiles and what does not: one mistake a file, named after it, with its message beside it.

// Cases that compile are modules of this test, so that they cost no build of their own.
#[path = "ui/guide/pass/observed_and_auxiliary.rs"]
mod guide_observed_and_auxiliary;
#[path = "ui/model/pass/attributes_visibility_and_patterns.rs"]
mod model_attributes_visibility_and_patterns;
#[path = "ui/module/pass/derived_for_generic_structs.rs"]
mod module_derived_for_generic_structs;
#[path = "ui/param/pass/closures_and_constraints.rs"]
mod param_closures_and_constraints;
#[path = "ui/plate/pass/both_forms.rs"]
mod plate_both_forms;
#[path = "ui/sample/pass/exclusive_branches_share_a_name.rs"]
mod sample_exclusive_branches_share_a_name;
#[path = "ui/submodel/pass/called_by_path_and_by_expression.rs"]
mod submodel_called_by_path_and_by_expression;

#[test]
fn what_compiles_runs() {
    model_attributes_visibility_and_patterns::main();
    guide_observed_and_auxiliary::main();
    sample_exclusive_branches_share_a_name::main();
    param_closures_and_constraints::main();
    plate_both_forms::main();
    submodel_called_by_path_and_by_expression::main();
    module_derived_for_generic_structs::main();
}

#[test]
fn what_does_not_compile_says_why() {
    trybuild::TestCases::new().compile_fail("tests/ui/*/fail/*.rs");
}
