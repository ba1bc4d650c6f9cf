//! Lists inside header values: devices of a hint, contacts of an endpoint, names of objects.

/// Technology and name of a device such as `PJSIP/101`; `None` for what is no device
/// (`Custom:DND101`, `park:71@parkedcalls`, `Queue:400_pause_PJSIP/104`, a bare name).
#[must_use]
pub(crate) fn split_device(device: &str) -> Option<(&str, &str)> {
    let (tech, name) = device.split_once('/')?;
    let is_tech = !tech.is_empty() && tech.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_tech && !name.is_empty()).then_some((tech, name))
}

/// Technology and name of the devices that a hint watches.
///
/// FreePBX writes `PJSIP/101&PJSIP/99101&Custom:DND101,CustomPresence:101`: devices joined with
/// `&`, then a comma and the source of the presence state. `Local` is a way to dial, not a device.
pub(crate) fn hint_devices(hint: &str) -> impl Iterator<Item = (&str, &str)> {
    let devices = hint.split(',').next().unwrap_or_default();
    devices
        .split('&')
        .filter_map(|device| split_device(device.trim()))
        .filter(|(t, _)| *t != "Local")
}

/// AOR and URI of the contacts in one `Contacts` header of `EndpointList` or `AorDetail`.
///
/// Asterisk writes `aor/uri,` per contact, so that a comma trails, and one header per AOR. A URI
/// may itself contain commas; only a comma before the same AOR separates.
pub(crate) fn endpoint_contacts(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let (aor, mut rest) = value.split_once('/').unwrap_or_default();
    let next_contact = move |rest: &str| {
        let tail = rest.strip_prefix(',')?;
        tail.strip_prefix(aor)?.strip_prefix('/').map(str::len)
    };
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let found =
            rest.match_indices(',').find_map(|(at, _)| Some((at, next_contact(rest.get(at..)?)?)));
        let (uri, left) = match found {
            Some((at, left)) => (rest.get(..at)?, rest.get(rest.len() - left..)?),
            None => (rest.strip_suffix(',').unwrap_or(rest), ""),
        };
        rest = left;
        Some((aor, uri))
    })
    .filter(|(_, uri)| !uri.is_empty())
}

/// Names in a comma list such as `Aor`, `Auths`, `OutboundAuths`.
pub(crate) fn names(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_gives_its_devices_and_nothing_else() {
        let hint = "PJSIP/101&PJSIP/99101&Custom:DND101&Local/1@x,CustomPresence:SIP/9";
        assert_eq!(hint_devices(hint).collect::<Vec<_>>(), [("PJSIP", "101"), ("PJSIP", "99101")]);
        for none in
            ["", "None", "Custom:DND1", "park:71@parkedcalls", "Queue:400_pause_SIP/1", "SIP/"]
        {
            assert_eq!(hint_devices(none).count(), 0, "{none}");
        }
    }

    #[test]
    fn contacts_are_split_only_before_their_own_aor() {
        let split = |value| endpoint_contacts(value).collect::<Vec<_>>();
        let two = [("110", "sip:110@192.0.2.1:5"), ("110", "sip:110@192.0.2.1:6")];
        assert_eq!(split("110/sip:110@192.0.2.1:5,110/sip:110@192.0.2.1:6,"), two);
        assert_eq!(split("110/sip:110@192.0.2.1:5,110/sip:110@192.0.2.1:6"), two);
        assert_eq!(
            split("a/sip:x;m=\"A,B\"@h,a/sip:y,"),
            [("a", "sip:x;m=\"A,B\"@h"), ("a", "sip:y")]
        );
        assert_eq!(split("a/sip:x/y@h,"), [("a", "sip:x/y@h")]);
        for nothing in ["", ",", "no slash", "a/", "a/,"] {
            assert_eq!(split(nothing), [], "{nothing}");
        }
    }
}
