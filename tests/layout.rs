//! The rules of the tree, as tests: what every source file looks like, what may import what, and
//! that the documents speak of files that are there.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// The longest a source file may be, in lines.
const LONGEST_FILE: usize = 400;

/// The longest that ARCHITECTURE.md may be, in lines.
const LONGEST_ARCHITECTURE: usize = 150;

/// Modules of `ppl-core` that are one layer: a tensor carries the tape's flag, the tape's gradients
/// are read as tensors, operators are element functions, and a device's kernels take all of these.
/// Nothing else may form a circle.
const LOWEST_LAYER: [&str; 5] = ["autodiff", "tensor", "functions", "backend", "ops"];

/// Where dfdx's tensor may be named; all other code sees ours.
const NAMES_DFDX_TENSOR: [&str; 4] = ["tensor", "autodiff", "backend", "nn/dfdx_module.rs"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every source file below a folder, relative to the root; what does not compile on purpose is left
/// out.
fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("an entry of a folder").path();
            let relative = path.strip_prefix(root()).expect("below the root").to_owned();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() {
                let skipped = name.starts_with('.') || name == "target" || relative == Path::new("tests/ui");
                folders.extend((!skipped).then_some(path.clone()));
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(relative);
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no sources below {folder}");
    found
}

/// The lines of a file that are not comments, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Fails with all that is wrong, one line each.
#[track_caller]
fn nothing_wrong(rule: &str, wrong: &[String]) {
    let mut list = String::new();
    wrong.iter().for_each(|line| writeln!(list, "  {line}").expect("a string takes all text"));
    assert!(wrong.is_empty(), "{rule}:\n{list}");
}

#[test]
fn every_file_opens_with_what_it_is_for() {
    let opens = |path: &PathBuf| read(path).starts_with("//! ");
    let wrong: Vec<String> = sources("").iter().filter(|p| !opens(p)).map(|p| p.display().to_string()).collect();
    nothing_wrong("a file opens with one or two sentences of `//!`", &wrong);
}

#[test]
fn no_file_is_a_heap() {
    let lines = |path: &PathBuf| read(path).lines().count();
    let long = sources("").into_iter().map(|path| (lines(&path), path)).filter(|(lines, _)| *lines > LONGEST_FILE);
    let wrong: Vec<String> = long.map(|(lines, path)| format!("{}: {lines} lines", path.display())).collect();
    nothing_wrong("a file has at most 400 lines: split it by concept", &wrong);
}

#[test]
fn files_carry_the_names_of_concepts() {
    let heaps = ["util", "utils", "helper", "helpers", "common", "misc"];
    let is_heap = |path: &Path| path.with_extension("").iter().any(|part| heaps.iter().any(|heap| part == *heap));
    let wrong: Vec<String> =
        sources("").iter().filter(|path| is_heap(path)).map(|path| path.display().to_string()).collect();
    nothing_wrong("a file is named by the concept that is in it", &wrong);
}

#[test]
fn nothing_is_left_to_be_done() {
    let mut wrong = Vec::new();
    for path in sources("") {
        let text = read(&path);
        for (line, code) in code(&text) {
            if let Some(word) = ["todo", "dbg", "unimplemented"].iter().find(|word| calls(code, word)) {
                wrong.push(format!("{}:{line}: {word}!", path.display()));
            }
        }
    }
    nothing_wrong("what is merged is done", &wrong);
}

/// Whether a line calls the macro of that name.
fn calls(line: &str, name: &str) -> bool {
    let call = format!("{name}!");
    line.match_indices(&call).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The modules that a crate's `lib.rs` lists, in order, with the text of the line before each.
fn modules(krate: &str) -> Vec<(String, String)> {
    let text = read(format!("{krate}/src/lib.rs"));
    let lines: Vec<&str> = text.lines().collect();
    let declared = lines.iter().enumerate().filter_map(|(i, line)| {
        let name = line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';')?;
        Some((name.to_owned(), i.checked_sub(1).map_or("", |before| lines[before]).to_owned()))
    });
    declared.collect()
}

#[test]
fn each_module_is_listed_with_what_it_adds() {
    let crates = [".", "ppl-core", "ppl-infer", "ppl-macros"];
    let listed = crates.iter().flat_map(|krate| modules(krate).into_iter().map(move |module| (krate, module)));
    let wrong: Vec<String> = listed
        .filter(|(_, (_, before))| !before.starts_with("// ") && !before.starts_with("/// "))
        .map(|(krate, (name, _))| format!("{krate}: {name}"))
        .collect();
    nothing_wrong("a module in lib.rs has a comment that says what it adds", &wrong);
}

/// What the text imports from the crate itself: the first name of each path that begins with
/// `crate::`, groups taken apart.
fn imported(line: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (at, prefix) in line.match_indices("crate::") {
        let rest = &line[at + prefix.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            names.push(first_name(rest));
            continue;
        };
        let mut depth = 0;
        let parts = group.split(|c: char| {
            depth += i32::from(c == '{') - i32::from(c == '}');
            c == ',' && depth == 0
        });
        names.extend(parts.map(|part| first_name(part.trim())));
    }
    names.retain(|name| !name.is_empty());
    names
}

fn first_name(path: &str) -> String {
    path.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The module that a name at the root of a crate stands for: itself, or the one it is re-exported
/// from; `None` where it comes from another crate.
fn module_of(name: &str, listed: &[String], lib: &str) -> Option<usize> {
    let place = |name: &str| listed.iter().position(|module| module == name);
    place(name).or_else(|| {
        let exported = lib.lines().filter_map(|line| line.strip_prefix("pub use ")).find_map(|path| {
            let (module, names) = path.trim_end_matches(';').split_once("::")?;
            let names = names.trim_matches(['{', '}']);
            names.split(", ").any(|exported| exported == name).then_some(module)
        });
        exported.and_then(place)
    })
}

/// A file without its unit tests, which may use the whole crate.
fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// The imports of a crate that go upwards, as `importer:line: imported`.
fn upward_imports(krate: &str, one_layer: &[&str]) -> Vec<String> {
    let listed: Vec<String> = modules(krate).into_iter().map(|(name, _)| name).collect();
    let lib = read(format!("{krate}/src/lib.rs"));
    let source = format!("{krate}/src");
    let mut wrong = Vec::new();
    for path in sources(&source) {
        let inside = path.strip_prefix(&source).expect("a source of the crate").with_extension("");
        let module = inside.iter().next().unwrap_or_default().to_string_lossy().into_owned();
        let Some(importer) = listed.iter().position(|listed| *listed == module) else {
            assert_eq!(module, "lib", "{} belongs to no module of lib.rs", path.display());
            continue;
        };
        let text = without_tests(&read(&path));
        let hidden = code(&text).find(|(_, line)| line.trim_end().ends_with("crate::{"));
        assert_eq!(hidden, None, "{}: import modules one by one, so that a line says which", path.display());
        for (line, name) in code(&text).flat_map(|(i, line)| imported(line).into_iter().map(move |name| (i, name))) {
            let Some(target) = module_of(&name, &listed, &lib) else { continue };
            let together = [importer, target].iter().all(|&at| one_layer.contains(&listed[at].as_str()));
            if target > importer && !together {
                wrong.push(format!("{}:{line}: {name}, which {krate}/src/lib.rs lists below", path.display()));
            }
        }
    }
    wrong
}

#[test]
fn imports_go_downwards_only() {
    nothing_wrong("a module uses only those above it", &upward_imports("ppl-core", &LOWEST_LAYER));
    nothing_wrong("a module uses only those above it", &upward_imports("ppl-infer", &[]));
}

#[test]
fn the_reader_of_imports_sees_what_it_should() {
    let names = imported("use crate::{Dtype, Tensor, backend::{A, B}, error::Error};");
    assert_eq!(names, ["Dtype", "Tensor", "backend", "error"]);
    assert_eq!(imported("    crate::autodiff::record(crate::tensor::flat(x))"), ["autodiff", "tensor"]);
    let listed = ["dtype", "tensor"].map(str::to_owned);
    let lib = "pub use dtype::{Dtype, Kind};\npub use dfdx::tensor::Cpu;\n";
    let places = ["tensor", "Kind", "Cpu", "Kin"].map(|name| module_of(name, &listed, lib));
    assert_eq!(places, [Some(1), Some(0), None, None]);
    assert!(calls("    stop!(x);", "stop") && !calls("nonstop!(x)", "stop"));
}

#[test]
fn crates_depend_downwards_only() {
    let ours = ["ppl-macros", "ppl-core", "ppl-infer", "ppl-lang"];
    let allowed: [(&str, &[&str]); 3] = [("ppl-macros", &[]), ("ppl-core", &[]), ("ppl-infer", &["ppl-core"])];
    for (krate, allowed) in allowed {
        let manifest = read(format!("{krate}/Cargo.toml"));
        let has = |start: String| manifest.lines().any(|line| line.starts_with(&start));
        let depends = |other: &&str| has(format!("{other}.")) || has(format!("{other} ="));
        let found: Vec<&str> = ours.into_iter().filter(depends).collect();
        assert_eq!(found, allowed, "what {krate} depends on");
    }
}

#[test]
fn only_the_lowest_layer_names_dfdx_tensors() {
    let mut wrong = Vec::new();
    for krate in ["ppl-core/src", "ppl-infer/src"] {
        for path in sources(krate) {
            let inside = path.strip_prefix(krate).expect("a source of the crate");
            let allowed = |place: &&str| inside.starts_with(place) || inside == Path::new(&format!("{place}.rs"));
            if krate == "ppl-core/src" && NAMES_DFDX_TENSOR.iter().any(allowed) {
                continue;
            }
            let text = read(&path);
            let names = |line: &str| line.contains("dfdx::tensor::Tensor") || line.contains("dfdx::prelude");
            wrong.extend(code(&text).filter(|(_, l)| names(l)).map(|(i, _)| format!("{}:{i}", path.display())));
        }
    }
    nothing_wrong("only tensor, autodiff, backend and nn/dfdx_module name dfdx's tensor", &wrong);
}

#[test]
fn handlers_know_nothing_of_inference() {
    let foreign = ["autodiff", "nn", "functions", "primitives"];
    let mut wrong = Vec::new();
    for path in sources("ppl-core/src/handlers") {
        let text = read(&path);
        let names = code(&text).flat_map(|(i, line)| imported(line).into_iter().map(move |name| (i, name)));
        let found = names.filter(|(_, name)| foreign.contains(&name.as_str()));
        wrong.extend(found.map(|(line, name)| format!("{}:{line}: {name}", path.display())));
    }
    nothing_wrong("a handler names no gradient, layer or kernel", &wrong);
}

#[test]
fn unsafe_code_stands_in_two_places() {
    let block = ["unsafe", " {"].concat();
    let is_unsafe = |path: &PathBuf| code(&read(path)).any(|(_, line)| line.contains(&block));
    let found: Vec<PathBuf> = sources("").into_iter().filter(is_unsafe).collect();
    let known = ["ppl-core/src/backend/cpu/matrix.rs", "src/memory.rs"];
    assert_eq!(found, known.map(PathBuf::from), "ARCHITECTURE.md lists them");
}

#[test]
fn the_first_model_of_the_readme_is_the_one_that_is_tested() {
    let readme = read("README.md");
    let block = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a block of Rust");
    let file = read("tests/first_model.rs");
    let program: String = file.split_inclusive('\n').skip_while(|line| line.starts_with("//!")).collect();
    assert_eq!(block.trim(), program.trim(), "README.md and tests/first_model.rs differ");
}

#[test]
fn the_architecture_is_short_and_says_what_holds() {
    let text = read("ARCHITECTURE.md");
    assert!(text.lines().count() <= LONGEST_ARCHITECTURE, "ARCHITECTURE.md has {} lines", text.lines().count());
    assert!(text.matches("**Invariant").count() >= 10, "ARCHITECTURE.md has fewer than ten invariants");
}

#[test]
fn documents_name_files_that_are_there() {
    let ends = [".rs", ".md", ".toml", ".py", ".mjs", ".json", "/"];
    let is_path = |text: &&str| {
        ends.iter().any(|end| text.ends_with(end))
            && !text.contains(['<', '*', '{', ' ', '…'])
            && !text.starts_with('-')
    };
    let places = ["", "ppl-core/src", "ppl-infer/src", "ppl-macros/src"];
    let mut wrong = Vec::new();
    for document in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        let text = read(document);
        let outside_blocks: String = text.split("```").step_by(2).collect();
        let quoted = outside_blocks.split('`').skip(1).step_by(2);
        let is_there = |path: &&str| places.iter().any(|place| root().join(place).join(path).exists());
        let missing = quoted.filter(is_path).filter(|path| !is_there(path));
        wrong.extend(missing.map(|path| format!("{document}: {path}")));
    }
    nothing_wrong("a document names files by their path from the root, or from a crate's sources", &wrong);
}
