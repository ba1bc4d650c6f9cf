//! The order in which arrays are sorted: numbers inside names count as numbers.

use std::cmp::Ordering;

/// Compares names the way people do: `9` before `10`, `trunk-2` before `trunk-10`.
///
/// Runs of ASCII digits compare by their number, however long; everything else byte by byte.
/// Names that differ only in leading zeros are told apart by their bytes, so that the order is
/// total and two snapshots of the same state are the same file.
#[must_use]
pub fn natural(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a.as_bytes(), b.as_bytes());
    while let (Some(l), Some(r)) = (left.first(), right.first()) {
        if l.is_ascii_digit() && r.is_ascii_digit() {
            let (ln, lrest) = digits(left);
            let (rn, rrest) = digits(right);
            match ln.len().cmp(&rn.len()).then_with(|| ln.cmp(rn)) {
                Ordering::Equal => (left, right) = (lrest, rrest),
                unequal => return unequal,
            }
        } else {
            match l.cmp(r) {
                Ordering::Equal => {
                    left = left.get(1..).unwrap_or_default();
                    right = right.get(1..).unwrap_or_default();
                }
                unequal => return unequal,
            }
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// Splits the leading run of digits, without its leading zeros, from what follows.
fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    let (number, rest) = bytes.split_at(end);
    let zeros = number.iter().position(|b| *b != b'0').unwrap_or(number.len());
    (number.get(zeros..).unwrap_or_default(), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_as_numbers_and_names_as_names() {
        let mut names = ["trunk-10", "101", "9", "trunk-2", "10", "09", "99999999999999999999", ""];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["", "09", "9", "10", "101", "99999999999999999999", "trunk-2", "trunk-10"]
        );
    }
}
