//! Names and columns as CmdStan writes them: what happened at a draw under names that end in `__`, then the numbers of
//! each variable with their indices, counted from 1, the first index moving fastest.
//!
//! CmdStan's format has no quotes. In a name, whatever is not a letter, a digit, or one of `_ - / :` is written as
//! `%` and two digits a byte, as in addresses of the web, and so is a last `_` behind another.

use std::fmt::Write;

use crate::draws::{SampleStats, Variable};

/// The columns before those of variables: CmdStan's seven, and whether the tree was as deep as allowed.
pub(super) const STATS: [&str; 8] = [
    "lp__",
    "accept_stat__",
    "stepsize__",
    "treedepth__",
    "n_leapfrog__",
    "divergent__",
    "energy__",
    "reached_max_treedepth__",
];

/// Appends what [`STATS`] name.
pub(super) fn write_stats(line: &mut String, stats: &SampleStats) {
    let flag = |is: bool| if is { "1" } else { "0" };
    write_number(line, stats.log_density);
    line.push(',');
    write_number(line, stats.accept_probability);
    line.push(',');
    write_number(line, stats.step_size);
    // A string takes all text.
    let _ = write!(line, ",{},{},{},", stats.depth, stats.evaluations, flag(stats.diverging));
    write_number(line, stats.energy);
    line.push(',');
    line.push_str(flag(stats.depth_saturated));
}

/// Appends the shortest decimal that reads back as the same number; `inf`, `-inf` and `nan` as C++ prints them.
pub(super) fn write_number(line: &mut String, x: f64) {
    let _ = if x.is_nan() { line.write_str("nan") } else { write!(line, "{x:?}") };
}

/// The columns of variables: each one's name, and the place of its number in a row.
pub(super) fn columns(variables: &[Variable]) -> Vec<(String, usize)> {
    let of = |variable: &Variable| {
        let (name, start) = (escape(&variable.name), variable.range.start);
        let column = move |(at, indices): (usize, Vec<usize>)| {
            let mut column = name.clone();
            for index in indices {
                let _ = write!(column, ".{}", index + 1);
            }
            (column, start + at)
        };
        column_major(&variable.dims).map(column).collect::<Vec<_>>()
    };
    variables.iter().flat_map(of).collect()
}

/// The numbers of an array, the first index moving fastest: each one's place in row-major order, and its indices.
pub(super) fn column_major(dims: &[usize]) -> impl Iterator<Item = (usize, Vec<usize>)> + '_ {
    (0..dims.iter().product()).map(move |number| {
        let mut rest = number;
        let split = |&size: &usize| {
            let index = rest % size;
            rest /= size;
            index
        };
        let indices: Vec<usize> = dims.iter().map(split).collect();
        let at = indices.iter().zip(dims).fold(0, |at, (index, size)| at * size + index);
        (at, indices)
    })
}

/// A name without whatever has a meaning in a header or a comment; different names stay different. The empty name is
/// `%`.
pub(super) fn escape(name: &str) -> String {
    if name.is_empty() {
        return "%".to_owned();
    }
    let mut escaped = String::with_capacity(name.len());
    let ends_like_a_stat = name.ends_with("__");
    for (at, c) in name.char_indices() {
        let is_last = at + c.len_utf8() == name.len();
        if (c.is_alphanumeric() || "_-/:".contains(c)) && !(is_last && ends_like_a_stat) {
            escaped.push(c);
        } else {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(escaped, "%{byte:02X}");
            }
        }
    }
    escaped
}

/// The name that was [escaped](escape); a `%` that stands for nothing stays.
pub(super) fn unescape(escaped: &str) -> String {
    if escaped == "%" {
        return String::new();
    }
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let Some((&first, behind)) = rest.split_first() {
        match (first, hex_byte(behind)) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| escaped.to_owned())
}

/// The byte that two hexadecimal digits at the front stand for.
fn hex_byte(digits: &[u8]) -> Option<u8> {
    let digits = digits.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::{Role, layout};

    #[test]
    fn columns_of_a_matrix_are_column_major_and_counted_from_1() {
        let of = |name: &str, dims: &[usize]| (name.to_owned(), dims.to_vec(), Role::Latent);
        let variables = layout([of("mu", &[]), of("w", &[2, 3]), of("none", &[3, 0]), of("a,b.c", &[2])]);
        let expected = [
            ("mu", 0),
            ("w.1.1", 1),
            ("w.2.1", 4),
            ("w.1.2", 2),
            ("w.2.2", 5),
            ("w.1.3", 3),
            ("w.2.3", 6),
            ("a%2Cb%2Ec.1", 7),
            ("a%2Cb%2Ec.2", 8),
        ];
        assert_eq!(columns(&variables), expected.map(|(name, at)| (name.to_owned(), at)));
    }

    #[test]
    fn escaped_names_have_nothing_that_means_something() {
        let hostile = ["", "%", "a,b", "\"q\"", "lp__", "x_", "__", "#c", "θ/ß", "a\nb", " a ", "%2C", "💥", "t:1"];
        for name in hostile {
            let escaped = escape(name);
            assert!(!escaped.contains(|c: char| c.is_whitespace() || ",.\"#=".contains(c)), "{escaped}");
            assert!(!escaped.ends_with("__") && !escaped.is_empty(), "{escaped}");
            assert_eq!(unescape(&escaped), name);
        }
        assert_eq!(escape("scope/théta_1"), "scope/théta_1");
        assert_eq!(unescape("50%"), "50%");
        assert_eq!(unescape("%C3%28"), "%C3%28", "bytes that are no text stay as they are");
    }
}
