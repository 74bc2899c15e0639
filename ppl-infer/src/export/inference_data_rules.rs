//! What named arrays in groups must keep to, so that ArviZ opens them as they are meant.

use indexmap::IndexMap;

use super::error::ExportError;
use super::inference_data::{Group, InferenceData, Labels, NamedArray};

/// # Errors
/// The first thing that ArviZ would refuse or misread.
pub(super) fn check(data: &InferenceData) -> Result<(), ExportError> {
    data.groups.iter().try_for_each(|(&group, arrays)| check_group(data, group, arrays))
}

fn check_group(data: &InferenceData, group: Group, arrays: &IndexMap<String, NamedArray>) -> Result<(), ExportError> {
    let mut sizes: IndexMap<String, usize> = IndexMap::new();
    for (name, array) in arrays {
        let wrong = |problem| ExportError::Variable { group: group.name(), variable: name.clone(), problem };
        check_sizes(group, array).map_err(wrong)?;
        for (dim, size) in axes(data, group, name, array).map_err(wrong)? {
            let labels = data.labels.get(&dim).map_or(size, Labels::len);
            if labels != size {
                return Err(wrong(format!("axis `{dim}` has size {size}, but {labels} labels")));
            }
            if arrays.contains_key(&dim) {
                return Err(wrong(format!("its axis `{dim}` has the name of a variable")));
            }
            if let Some(before) = sizes.insert(dim.clone(), size).filter(|&before| before != size) {
                return Err(wrong(format!("axis `{dim}` has size {size} here, but {before} in another variable")));
            }
        }
    }
    Ok(())
}

fn check_sizes(group: Group, array: &NamedArray) -> Result<(), String> {
    let size = array.sizes.iter().try_fold(1_usize, |product, &size| product.checked_mul(size));
    if size != Some(array.numbers.len()) {
        return Err(format!("it has {} numbers, but sizes {:?}", array.numbers.len(), array.sizes));
    }
    match array.sizes[..] {
        _ if !group.is_sampled() => Ok(()),
        [chains, draws, ..] if chains > 0 && draws > 0 => Ok(()),
        [0, _, ..] => Err("there are no chains".to_owned()),
        [_, _, ..] => Err("there are no draws".to_owned()),
        _ => Err(format!("sizes {:?} have no axes of chains and draws", array.sizes)),
    }
}

/// An array's axes by name, those of chains and draws first.
fn axes(data: &InferenceData, group: Group, name: &str, array: &NamedArray) -> Result<Vec<(String, usize)>, String> {
    let sampled = if group.is_sampled() { 2 } else { 0 };
    let own = array.sizes[sampled..].iter().copied();
    let named = data.dims.get(name);
    let may_have_fewer = group == Group::LogLikelihood;
    if let Some(named) = named.filter(|named| named.len() != own.len() && !(may_have_fewer && named.len() > own.len()))
    {
        return Err(format!("{} axes are named {named:?}, but it has {}", named.len(), own.len()));
    }
    let mut axes: Vec<(String, usize)> =
        ["chain", "draw"].into_iter().zip(&array.sizes[..sampled]).map(|(n, &size)| (n.to_owned(), size)).collect();
    for (number, size) in own.enumerate() {
        let dim = named.map_or_else(|| format!("{name}_dim_{number}"), |named| named[number].clone());
        if axes.iter().any(|(other, _)| *other == dim) || dim == "chain" || dim == "draw" {
            return Err(format!("two of its axes are called `{dim}`, or one as that of chains or draws"));
        }
        axes.push((dim, size));
    }
    Ok(axes)
}
