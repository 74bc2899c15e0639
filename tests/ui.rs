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

/// Every text of the macros is shown by a case: its longest run without placeholders stands in some `.stderr`.
#[test]
fn every_message_is_hit_by_a_case() {
    let source = include_str!("../ppl-macros/src/messages.rs").replace("\\\n", "").replace("\\\"", "'");
    let shown = all_messages_shown();
    let missing: Vec<&str> = texts(&source).filter(|text| !shown.contains(&dense(text))).collect();
    assert!(missing.is_empty() && texts(&source).count() > 40, "{missing:#?}");
}

/// The longest piece of each string literal that is long enough to be a sentence.
fn texts(source: &str) -> impl Iterator<Item = &str> {
    let literals = source.split('"').skip(1).step_by(2);
    literals.filter_map(|text| text.split(['{', '}']).max_by_key(|piece| piece.len())).filter(|text| text.len() > 15)
}

fn all_messages_shown() -> String {
    let pattern = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ui");
    let folders = std::fs::read_dir(pattern).unwrap().map(|folder| folder.unwrap().path().join("fail"));
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path());
    let shown = files.filter(|file| file.extension().is_some_and(|ending| ending == "stderr"));
    shown.map(|file| dense(&std::fs::read_to_string(file).unwrap().replace('"', "'"))).collect()
}

fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

#[test]
fn what_does_not_compile_says_why() {
    trybuild::TestCases::new().compile_fail("tests/ui/*/fail/*.rs");
}
