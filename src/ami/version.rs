//! Which Asterisk speaks a version of AMI.

/// The versions of Asterisk whose banner tells that version of AMI, such as `16` for `5.0.4`;
/// `None` for one that this client does not know.
///
/// As `AMI_VERSION` in `include/asterisk/manager.h` says for 1.8, 11, 13, 16, 18 and 20 to 23; the
/// branches between count on. `2` was that of 12 and 13 alike. A sign and no proof: the number is one
/// that anybody can build in.
#[must_use]
pub fn asterisk_version(ami_version: &str) -> Option<&'static str> {
    let mut numbers = ami_version.split('.');
    let version = match (numbers.next()?, numbers.next()?) {
        ("1", "0") => "1.4",
        ("1", "1") => "1.6 or 1.8",
        ("1", "2") => "10",
        ("1", "3") => "11",
        ("2", _) => "12 or 13",
        ("3", _) => "14",
        ("4", _) => "15",
        ("5", _) => "16",
        ("6", _) => "17",
        ("7", _) => "18",
        ("8", _) => "19",
        ("9", _) => "20",
        ("10", _) => "21",
        ("11", _) => "22",
        ("12", _) => "23",
        _ => return None,
    };
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_number_tells_the_branch() {
        assert_eq!(asterisk_version("5.0.4"), Some("16"));
        assert_eq!(asterisk_version("11.0.0"), Some("22"));
        assert_eq!(asterisk_version("1.1"), Some("1.6 or 1.8"));
        assert_eq!(asterisk_version("2.10.6"), Some("12 or 13"));
        for unknown in ["", "5", "99.0.0", "x.y", "1.9"] {
            assert_eq!(asterisk_version(unknown), None);
        }
    }
}
