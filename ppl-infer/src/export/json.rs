//! The JSON that ArviZ opens with `az.from_json`: the arguments of `az.from_dict`, arrays as nested lists.

use std::io::{self, Write};

use indexmap::IndexMap;

use super::inference_data::{Group, InferenceData, Labels, NamedArray, Numbers};

/// Writes all of it; [`check`](super::inference_data_rules::check) was called before.
pub(super) fn write_json(data: &InferenceData, writer: &mut impl Write) -> io::Result<()> {
    writer.write_all(b"{")?;
    for (group, arrays) in &data.groups {
        write!(writer, "\"{}\":{{", group.name())?;
        for (number, (name, array)) in arrays.iter().enumerate() {
            writer.write_all(if number == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *writer, name)?;
            writer.write_all(b":")?;
            write_array(array, writer)?;
        }
        writer.write_all(b"},\n")?;
        // ArviZ takes attributes of the groups of data from those of all.
        if group.is_sampled() {
            write!(writer, "\"{}_attrs\":", group.name())?;
            serde_json::to_writer(&mut *writer, &data.attributes)?;
            writer.write_all(b",\n")?;
        }
    }
    writer.write_all(b"\"coords\":{")?;
    for (number, (dim, labels)) in data.labels.iter().enumerate() {
        writer.write_all(if number == 0 { b"" } else { b"," })?;
        serde_json::to_writer(&mut *writer, dim)?;
        writer.write_all(b":")?;
        match labels {
            Labels::Text(labels) => serde_json::to_writer(&mut *writer, labels)?,
            Labels::Integers(labels) => serde_json::to_writer(&mut *writer, labels)?,
        }
    }
    writer.write_all(b"},\n\"dims\":")?;
    serde_json::to_writer(&mut *writer, &readable_dims(data))?;
    writer.write_all(b",\n\"attrs\":")?;
    serde_json::to_writer(&mut *writer, &data.attributes)?;
    writer.write_all(b"}\n")
}

/// The names of axes that ArviZ will find: an axis of size 0 hides those behind it.
fn readable_dims(data: &InferenceData) -> IndexMap<&str, &[String]> {
    let readable = |(name, dims): (&'_ String, &'_ Vec<String>)| {
        let own = |(group, arrays): (&Group, &IndexMap<String, NamedArray>)| {
            let sizes = &arrays.get(name)?.sizes[if group.is_sampled() { 2 } else { 0 }..];
            Some(sizes.iter().position(|&size| size == 0).map_or(sizes.len(), |hidden| hidden + 1))
        };
        // A log-likelihood may have fewer axes than its data.
        data.groups.iter().filter_map(own).max().unwrap_or(dims.len()).min(dims.len())
    };
    data.dims.iter().map(|(name, dims)| (name.as_str(), &dims[..readable((name, dims))])).collect()
}

fn write_array(array: &NamedArray, writer: &mut impl Write) -> io::Result<()> {
    match &array.numbers {
        Numbers::Float(x) => nested(&array.sizes, x, writer, &|x, writer| write_float(*x, writer)),
        Numbers::Integer(x) => nested(&array.sizes, x, writer, &|x, writer| write!(writer, "{x}")),
        Numbers::Flag(x) => nested(&array.sizes, x, writer, &|x, writer| write!(writer, "{x}")),
    }
}

fn write_float(x: f64, writer: &mut impl Write) -> io::Result<()> {
    match x {
        x if x.is_nan() => writer.write_all(b"NaN"),
        f64::INFINITY => writer.write_all(b"Infinity"),
        f64::NEG_INFINITY => writer.write_all(b"-Infinity"),
        x => write!(writer, "{x:?}"),
    }
}

/// Row-major numbers as lists of lists.
fn nested<T, W: Write>(
    sizes: &[usize],
    numbers: &[T],
    writer: &mut W,
    write: &dyn Fn(&T, &mut W) -> io::Result<()>,
) -> io::Result<()> {
    let Some((&size, inner)) = sizes.split_first() else {
        return numbers.first().map_or(Ok(()), |x| write(x, writer));
    };
    writer.write_all(b"[")?;
    let each = numbers.len() / size.max(1);
    for i in 0..size {
        writer.write_all(if i == 0 { b"" } else { b"," })?;
        nested(inner, &numbers[i * each..(i + 1) * each], writer, write)?;
    }
    writer.write_all(b"]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(sizes: &[usize], numbers: Numbers) -> String {
        let mut written = Vec::new();
        write_array(&NamedArray { sizes: sizes.to_vec(), numbers }, &mut written).unwrap();
        String::from_utf8(written).unwrap()
    }

    #[test]
    fn arrays_are_nested_lists() {
        assert_eq!(text(&[], Numbers::Integer(vec![3])), "3");
        assert_eq!(text(&[2, 2], Numbers::Flag(vec![true, false, false, true])), "[[true,false],[false,true]]");
        assert_eq!(text(&[1, 2, 0], Numbers::Float(vec![])), "[[[],[]]]");
        let hard = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 1e300, 5e-324];
        assert_eq!(text(&[6], Numbers::Float(hard)), "[NaN,Infinity,-Infinity,-0.0,1e300,5e-324]");
    }
}
