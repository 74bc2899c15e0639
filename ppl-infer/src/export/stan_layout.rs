//! Variables from the names of columns, where no comment describes them: `mu`, `w.1.1`, `w.2.1`, ….

use indexmap::IndexMap;

use crate::draws::{Role, Variable, layout};

use super::stan_columns::{column_major, unescape};

/// The variables whose columns these are.
///
/// # Errors
/// If two columns have one name, or those of an array are not all of it in CmdStan's order.
pub(super) fn infer<'a>(columns: impl Iterator<Item = &'a str>) -> Result<Vec<Variable>, String> {
    let mut arrays: IndexMap<&str, Vec<Vec<usize>>> = IndexMap::new();
    let mut last = None;
    for column in columns {
        let (name, indices) = split(column);
        if arrays.contains_key(name) && last != Some(name) {
            return Err(format!("column `{column}` stands apart from the others of `{name}`"));
        }
        last = Some(name);
        arrays.entry(name).or_default().push(indices);
    }
    let variables: Result<Vec<_>, String> =
        arrays.into_iter().map(|(name, indices)| Ok((unescape(name), sizes(name, &indices)?, Role::Latent))).collect();
    Ok(layout(variables?))
}

/// A column's variable and indices, counted from 0; what has no indices is a number.
fn split(column: &str) -> (&str, Vec<usize>) {
    let mut parts = column.split('.');
    let name = parts.next().unwrap_or_default();
    let indices: Option<Vec<usize>> = parts.map(|index| index.parse::<usize>().ok()?.checked_sub(1)).collect();
    indices.map_or((column, Vec::new()), |indices| (name, indices))
}

/// The sizes of an array that has these numbers, in this order.
fn sizes(name: &str, numbers: &[Vec<usize>]) -> Result<Vec<usize>, String> {
    let problem = || format!("the columns of `{name}` are not those of an array, each once, the first index fastest");
    // The last number of an array has all of its highest indices.
    let last = numbers.last().ok_or_else(problem)?;
    let dims: Vec<usize> = last.iter().map(|index| index.saturating_add(1)).collect();
    let size = dims.iter().try_fold(1_usize, |size, &dim| size.checked_mul(dim));
    let is_whole =
        size == Some(numbers.len()) && column_major(&dims).map(|(_, indices)| indices).eq(numbers.iter().cloned());
    is_whole.then_some(dims).ok_or_else(problem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn infer_all(columns: &str) -> Result<Vec<(String, Vec<usize>)>, String> {
        Ok(infer(columns.split(','))?.into_iter().map(|v| (v.name, v.dims)).collect())
    }

    #[test]
    fn arrays_are_found_by_their_indices() {
        let found = infer_all("mu,theta.1,theta.2,w.1.1,w.2.1,w.1.2,w.2.2,w.1.3,w.2.3,t:1,odd.x").unwrap();
        let of = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec());
        assert_eq!(found, [of("mu", &[]), of("theta", &[2]), of("w", &[2, 3]), of("t:1", &[]), of("odd.x", &[])]);
    }

    #[test]
    fn what_is_not_an_array_is_refused() {
        for columns in ["w.1.1,w.1.2,w.2.1,w.2.2", "a.1,a.3", "a.2,a.1", "a.1,a.1", "a,a", "a.1,a.1.2", "a.4294967295"]
        {
            let error = infer_all(columns).unwrap_err();
            assert!(error.contains("`a`") || error.contains("`w`"), "{columns}: {error}");
        }
        assert_eq!(infer_all("a.1,b,a.2").unwrap_err(), "column `a.2` stands apart from the others of `a`");
    }
}
