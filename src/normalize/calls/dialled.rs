//! What was dialled: numbers in `Exten`, `Dial` data and names of Local channels.

/// A number or feature code that a person could have dialled: `600`, `*43`, `+15551234`.
///
/// FreePBX's dialplan also runs at extensions that nobody dialled: `s` (macros and subroutines,
/// where most calls are while `Dial` runs), `h`, `i`, `t`, `~~s~~`, `STARTMEETME`, `FMPR-100`.
pub(super) fn number(text: &str) -> Option<&str> {
    let text = text.trim();
    let dialable = |b: u8| b.is_ascii_digit() || matches!(b, b'*' | b'#' | b'+');
    let fits = text.len() <= 40 && text.bytes().all(dialable);
    (fits && text.bytes().any(|b| b.is_ascii_digit())).then_some(text)
}

/// A number that a channel shows, unless it is a word of the dialplan.
///
/// `s` really is shown as a called party's number where subroutines dial (FreePBX 17). Words of
/// the network, such as `anonymous`, stay.
pub(super) fn shown(text: &str) -> Option<&str> {
    const WORDS: [&str; 8] = ["s", "h", "i", "t", "o", "e", "~~s~~", "STARTMEETME"];
    (!text.is_empty() && !WORDS.contains(&text)).then_some(text)
}

/// The extension number that a Local channel or queue member such as `Local/100@from-queue/n`
/// stands for.
///
/// Follow-me rings `Local/FMPR-<extension>@...` and `Local/FMGL-<number>#@...`.
pub(crate) fn local(device: &str) -> Option<&str> {
    let (exten, _) = device.strip_prefix("Local/")?.split_once('@')?;
    match exten.strip_prefix("FMPR-").or_else(|| exten.strip_prefix("FMGL-")) {
        Some(followed) => number(followed.trim_end_matches('#')),
        None => number(exten),
    }
}

/// One target of `Dial`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Device, such as `PJSIP/trunk-main`; for a Local target the whole of it.
    pub(super) device: String,
    /// Number sent to the device, where the target says one.
    pub(super) number: Option<&'a str>,
}

/// The targets of `Dial(a&b&c,timeout,options)`.
///
/// The forms are `PJSIP/number@trunk`, `PJSIP/101/sip:101@host`, `SIP/trunk/number`,
/// `DAHDI/g0/number`, `PJSIP/101` and `Local/101@from-internal/n`.
pub(super) fn targets(data: &str) -> impl Iterator<Item = Target<'_>> {
    let list = data.split(',').next().unwrap_or_default();
    list.split('&').filter_map(|target| {
        let (technology, rest) = target.trim().split_once('/')?;
        if technology == "Local" {
            return Some(Target { device: target.trim().to_owned(), number: local(target.trim()) });
        }
        let (name, sent) = match rest.split_once('/') {
            Some((name, sent)) if !name.contains('@') => (name, Some(sent)),
            _ => match rest.split_once('@') {
                Some((sent, name)) => (name.split('/').next().unwrap_or(name), Some(sent)),
                None => (rest, None),
            },
        };
        let sent = sent.map(|sent| match sent.split_once(':') {
            Some(("sip" | "sips", address)) => address.split('@').next().unwrap_or(address),
            _ => sent,
        });
        Some(Target { device: format!("{technology}/{name}"), number: sent.and_then(number) })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_the_dialplan_are_nobodys_number() {
        for dialled in ["600", "*43", "+15551234", "**101", "4000#"] {
            assert_eq!(number(dialled), Some(dialled));
        }
        for word in ["s", "h", "i", "t", "", "~~s~~", "STARTMEETME", "FMPR-100", "*", "a1"] {
            assert_eq!(number(word), None, "{word}");
        }
        assert_eq!((shown("anonymous"), shown("s"), shown("")), (Some("anonymous"), None, None));
    }

    #[test]
    fn local_channels_stand_for_an_extension() {
        assert_eq!(local("Local/100@from-queue/n"), Some("100"));
        assert_eq!(local("Local/FMPR-101@from-internal"), Some("101"));
        assert_eq!(local("Local/FMGL-5551234#@from-internal/n"), Some("5551234"));
        assert_eq!(local("Local/s@macro-x"), None);
        assert_eq!(local("PJSIP/100"), None);
    }

    #[test]
    fn every_form_of_target_names_its_device_and_number() {
        let data = "PJSIP/5551@trunk-main&PJSIP/110/sip:110@127.0.0.1:20011&SIP/trunk/5552&\
                    SIP/201&Local/103@from-internal/n&IAX2/u:[redacted]@h/5553,300,T&x";
        let found: Vec<_> = targets(data).map(|t| (t.device, t.number)).collect();
        let expected = [
            ("PJSIP/trunk-main", Some("5551")),
            ("PJSIP/110", Some("110")),
            ("SIP/trunk", Some("5552")),
            ("SIP/201", None),
            ("Local/103@from-internal/n", Some("103")),
            ("IAX2/h", None),
        ];
        let expected: Vec<_> = expected.map(|(d, n)| (d.to_owned(), n)).into();
        assert_eq!(found, expected);
    }
}
