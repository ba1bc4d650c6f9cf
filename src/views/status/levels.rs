//! Thresholds in the syntax of the Monitoring Plugins Development Guidelines.

use std::{fmt, str::FromStr};

use wildmatch::WildMatch;

use super::{Metric, Verdict};

/// A range of values; a check alerts outside it, or with `@` inside it.
///
/// | text | alerts when the value is |
/// | --- | --- |
/// | `10` | below 0 or above 10 |
/// | `10:` | below 10 |
/// | `~:10` | above 10 |
/// | `10:20` | below 10 or above 20 |
/// | `@10:20` | from 10 to 20 |
#[derive(Debug, Clone, PartialEq)]
pub struct Range {
    start: f64,
    end: f64,
    alerts_inside: bool,
    text: String,
}

impl Range {
    /// True where that value is worth an alert.
    #[must_use]
    pub fn alerts(&self, value: f64) -> bool {
        (self.start..=self.end).contains(&value) == self.alerts_inside
    }
}

impl FromStr for Range {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "is no range such as 10, 10:, ~:10, 10:20 or @10:20".to_owned();
        let number = |text: &str| match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(wrong()),
        };
        let (alerts_inside, bounds) = match text.strip_prefix('@') {
            Some(bounds) => (true, bounds),
            None => (false, text),
        };
        let (start, end) = match bounds.split_once(':') {
            None => (0.0, number(bounds)?),
            Some((start, end)) => (
                match start {
                    "" => 0.0,
                    "~" => f64::NEG_INFINITY,
                    start => number(start)?,
                },
                if end.is_empty() { f64::INFINITY } else { number(end)? },
            ),
        };
        if start > end {
            return Err("begins above its end".to_owned());
        }
        Ok(Self { start, end, alerts_inside, text: text.to_owned() })
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// When a value is worth a warning, and when it is critical: `WARN,CRIT`, where either may be
/// missing (`10`, `10,`, `,20`), or `off`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Levels {
    /// Beyond this: warning.
    pub warning: Option<Range>,
    /// Beyond this: critical.
    pub critical: Option<Range>,
}

impl Levels {
    /// What a value is worth, and the range that says so.
    #[must_use]
    pub fn judge(&self, value: f64) -> (Verdict, Option<&Range>) {
        let alerting = |range: &Option<Range>| range.as_ref().is_some_and(|it| it.alerts(value));
        if alerting(&self.critical) {
            (Verdict::Critical, self.critical.as_ref())
        } else if alerting(&self.warning) {
            (Verdict::Warning, self.warning.as_ref())
        } else {
            (Verdict::Ok, None)
        }
    }

    /// True where nothing is ever worth an alert.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.warning.is_none() && self.critical.is_none()
    }
}

impl FromStr for Levels {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim() == "off" {
            return Ok(Self::default());
        }
        let (warning, critical) = text.split_once(',').unwrap_or((text, ""));
        let range = |text: &str| match text.trim() {
            "" => Ok(None),
            text => text.parse().map(Some),
        };
        let levels = Self { warning: range(warning)?, critical: range(critical)? };
        if levels.is_off() {
            return Err("holds no range (to switch a check off: off)".to_owned());
        }
        Ok(levels)
    }
}

/// A threshold as it is configured: `[NAME=]WARN,CRIT`. With a name it is for the trunk, queue or
/// extension of that name alone; `*` and `?` in it stand for any text and any character.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    name: Option<WildMatch>,
    pub(super) levels: Levels,
}

impl Rule {
    /// Understands the text of a rule.
    ///
    /// # Errors
    ///
    /// What is wrong with it, such as "is no range".
    pub fn parse(metric: Metric, text: &str) -> Result<Self, String> {
        // A range has no `=`, a name may have one.
        let (name, levels) = match text.rsplit_once('=') {
            Some((name, levels)) => (Some(name.trim()), levels),
            None => (None, text),
        };
        if name.is_some() && metric.item().is_none() {
            return Err("takes no name, because it has one value for the whole PBX".to_owned());
        }
        if name == Some("") {
            return Err("has an empty name before the =".to_owned());
        }
        Ok(Self { name: name.map(WildMatch::new), levels: levels.parse()? })
    }

    /// True for a rule that holds for whatever has no rule of its own.
    #[must_use]
    pub fn is_general(&self) -> bool {
        self.name.is_none()
    }

    /// True for a rule that names this item.
    pub(super) fn names(&self, item: &str) -> bool {
        self.name.as_ref().is_some_and(|name| name.matches(item))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alerts(range: &str, value: f64) -> bool {
        range.parse::<Range>().unwrap().alerts(value)
    }

    /// The table of the Monitoring Plugins Development Guidelines.
    #[test]
    fn ranges_are_those_of_the_guidelines() {
        for (range, good, bad) in [
            ("10", vec![0.0, 10.0], vec![-1.0, 10.5]),
            ("10:", vec![10.0, 1e9], vec![9.9, -1.0]),
            ("~:10", vec![-1e9, 10.0], vec![10.1]),
            ("10:20", vec![10.0, 20.0], vec![9.0, 21.0]),
            ("@10:20", vec![9.0, 21.0], vec![10.0, 20.0]),
            (":10", vec![0.0, 10.0], vec![-1.0, 11.0]),
            ("@~:5", vec![6.0], vec![-3.0, 5.0]),
            ("0.5", vec![0.5], vec![0.6]),
        ] {
            assert!(good.into_iter().all(|value| !alerts(range, value)), "{range}");
            assert!(bad.into_iter().all(|value| alerts(range, value)), "{range}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for bad in ["", "@", "x", "10:5", "1:2:3", "~", "10:~", "inf", "NaN", "1,2", "5s"] {
            assert!(bad.parse::<Range>().is_err(), "{bad}");
        }
    }

    #[test]
    fn levels_may_lack_one_side_and_critical_wins() {
        let levels = |text: &str| text.parse::<Levels>().unwrap();
        assert_eq!(levels("10,20").judge(15.0).0, Verdict::Warning);
        assert_eq!(levels("10,20").judge(25.0).0, Verdict::Critical);
        assert_eq!(levels("10").judge(25.0).0, Verdict::Warning);
        assert_eq!(levels(",20").judge(25.0).0, Verdict::Critical);
        assert_eq!(levels("off").judge(25.0).0, Verdict::Ok);
        for bad in ["", ",", "1,2,3", "on"] {
            assert!(bad.parse::<Levels>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_rule_may_name_what_it_is_for() {
        let rule = Rule::parse(Metric::TrunkDown, "user=x@host=0,").unwrap();
        assert!(rule.names("user=x@host") && !rule.names("other") && !rule.is_general());
        assert!(Rule::parse(Metric::QueueWait, "4*=off").unwrap().names("400"));
        assert!(Rule::parse(Metric::Calls, "x=1").is_err());
        assert!(Rule::parse(Metric::QueueWait, "=1").is_err());
    }
}
