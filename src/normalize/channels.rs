//! CoreShowChannels to channels: each row as Asterisk gives it, typed.
//!
//! Which channels belong together is not judged here; see [`calls`](super::calls).

use std::{borrow::Cow, collections::BTreeMap};

use hashbrown::HashMap;

use crate::{
    ami::{ReadAction, Row, unescape},
    collect::Answers,
    normalize::fields::{bounded, clock_seconds, known},
    snapshot::{Channel, natural},
};

/// The channels in the natural order of their names; `None` where CoreShowChannels was not
/// answered. `call_id` is left for [`calls`](super::calls::calls) to fill in.
#[must_use]
pub(crate) fn channels(answers: &Answers) -> Option<Vec<Channel>> {
    let answer = answers.answer(ReadAction::CoreShowChannels)?;
    let mut channels: Vec<Channel> = answer.rows().filter_map(channel).collect();
    let order = |a: &Channel, b: &Channel| {
        natural(&a.channel, &b.channel).then_with(|| natural(&a.uniqueid, &b.uniqueid))
    };
    channels.sort_by(order);
    channels.dedup_by(|a, b| a.channel == b.channel && a.uniqueid == b.uniqueid);
    Some(channels)
}

/// One row; `None` for a row that names no channel.
fn channel(row: Row<'_>) -> Option<Channel> {
    // In the order of Asterisk 22; `Extension` is what `Exten` was up to 11.
    let [
        name,
        state,
        state_desc,
        caller_id_num,
        caller_id_name,
        connected_line_num,
        connected_line_name,
        language,
        account_code,
        context,
        exten,
        priority,
        uniqueid,
        linkedid,
        tenant_id,
        application,
        data,
        duration,
        bridge_id,
        extension,
    ] = row.columns([
        "Channel",
        "ChannelState",
        "ChannelStateDesc",
        "CallerIDNum",
        "CallerIDName",
        "ConnectedLineNum",
        "ConnectedLineName",
        "Language",
        "AccountCode",
        "Context",
        "Exten",
        "Priority",
        "Uniqueid",
        "Linkedid",
        "Tenantid",
        "Application",
        "ApplicationData",
        "Duration",
        "BridgeId",
        "Extension",
    ]);
    let text = |value: Option<&str>| value.and_then(known).map(bounded);
    let escaped = |value: Option<&str>| escaped(value?, linkedid.is_some());
    let name = text(name)?;
    let application = text(application);
    let data = data.and_then(known);
    let data = data.map(|data| bounded(&without_secrets(application.as_deref(), data)));
    Some(Channel {
        device: device(&name).to_owned(),
        channel: name,
        call_id: None,
        channel_state: state.and_then(|state| state.parse().ok()),
        channel_state_desc: text(state_desc),
        caller_id_num: text(caller_id_num),
        caller_id_name: escaped(caller_id_name),
        connected_line_num: text(connected_line_num),
        connected_line_name: escaped(connected_line_name),
        language: text(language),
        account_code: text(account_code),
        context: text(context),
        exten: text(exten).or_else(|| text(extension)),
        priority: priority.and_then(|priority| priority.parse().ok()),
        uniqueid: text(uniqueid).unwrap_or_default(),
        linkedid: text(linkedid),
        bridge_id: text(bridge_id),
        application,
        application_data: data,
        duration_seconds: duration.and_then(clock_seconds),
        tenant_id: text(tenant_id),
        variables: variables(row),
    })
}

/// A header of a channel block that Asterisk C-escapes since 13.5.
///
/// Rows without `Linkedid` come from Asterisk 11 or earlier, which escape nothing.
pub(crate) fn escaped_text(row: Row<'_>, key: &str) -> Option<String> {
    let is_escaped = row.get("Linkedid").or_else(|| row.get("ParkeeLinkedid")).is_some();
    escaped(row.get(key)?, is_escaped)
}

fn escaped(value: &str, is_escaped: bool) -> Option<String> {
    let value = known(value)?;
    let value = if is_escaped { unescape(value) } else { Cow::Borrowed(value) };
    known(&value).map(bounded)
}

/// The variables that `channelvars` in manager.conf shows. Their values may hold `=` themselves.
fn variables(row: Row<'_>) -> BTreeMap<String, String> {
    let shown = row.all("ChanVariable").chain(row.all("Variable"));
    let split = shown.filter_map(|variable| variable.split_once('='));
    split.map(|(name, value)| (bounded(name.trim()), bounded(&unescape(value)))).collect()
}

/// Application data without the secrets that dialplans write into it.
///
/// `Dial(IAX2/user:secret@host/number)` is how FreePBX's custom trunks are written, and a few
/// applications take a PIN or a password as an argument.
fn without_secrets<'a>(application: Option<&str>, data: &'a str) -> Cow<'a, str> {
    const SECRET: [&str; 4] = ["Authenticate", "VMAuthenticate", "DISA", "MYSQL"];
    if application.is_some_and(|name| SECRET.iter().any(|s| s.eq_ignore_ascii_case(name))) {
        return Cow::Borrowed("[redacted]");
    }
    if !data.contains('@') {
        return Cow::Borrowed(data);
    }
    Cow::Owned(data.split_inclusive(['&', ',']).map(without_password).collect())
}

/// A dialled target or URL with its `user:password@` cut down to the user.
fn without_password(target: &str) -> Cow<'_, str> {
    let Some((head, host)) = target.rsplit_once('@') else { return Cow::Borrowed(target) };
    let starts = ["sip:", "sips:", "://"].map(|mark| head.rfind(mark).map(|at| at + mark.len()));
    let start = starts.into_iter().flatten().max().or_else(|| head.find('/'));
    let (before, credentials) = head.split_at(start.unwrap_or(0));
    match credentials.split_once(':') {
        Some((user, _)) => Cow::Owned(format!("{before}{user}:[redacted]@{host}")),
        None => Cow::Borrowed(target),
    }
}

/// The device of a channel: its name without the last `-<hex>`, so that `PJSIP/trunk-a-0000002a`
/// is `PJSIP/trunk-a` and `Local/100@from-queue-00000001;2` is `Local/100@from-queue`.
#[must_use]
pub(crate) fn device(channel: &str) -> &str {
    let name = channel.strip_suffix("<ZOMBIE>").or_else(|| channel.strip_suffix("<MASQ>"));
    let name = name.unwrap_or(channel);
    let name = name.strip_suffix(";1").or_else(|| name.strip_suffix(";2")).unwrap_or(name);
    match name.rsplit_once('-') {
        Some((device, suffix))
            if !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_hexdigit()) =>
        {
            device
        }
        _ => name,
    }
}

/// Finds the call of a channel that another list names.
///
/// Every list is an instant of its own: a channel of one may be missing from the other.
#[derive(Debug, Default)]
pub(crate) struct CallIds<'a> {
    by_uniqueid: HashMap<&'a str, &'a str>,
    by_channel: HashMap<&'a str, &'a str>,
}

impl<'a> CallIds<'a> {
    /// The calls of channels whose `call_id` was filled in.
    #[must_use]
    pub(crate) fn of(channels: &'a [Channel]) -> Self {
        let mut ids = Self::default();
        for channel in channels {
            let Some(call) = channel.call_id.as_deref() else { continue };
            ids.by_uniqueid.insert(&channel.uniqueid, call);
            ids.by_channel.insert(&channel.channel, call);
        }
        ids.by_uniqueid.remove("");
        ids
    }

    /// The call of a row that names its channel by these two headers, the unique id first.
    #[must_use]
    pub(crate) fn find(
        &self,
        row: Row<'_>,
        uniqueid_key: &str,
        channel_key: &str,
    ) -> Option<String> {
        let by_uniqueid = row.get(uniqueid_key).and_then(|id| self.by_uniqueid.get(id));
        let found =
            by_uniqueid.or_else(|| row.get(channel_key).and_then(|c| self.by_channel.get(c)));
        found.map(|call| (*call).to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::Action,
        normalize::testing::{answers, recorded},
    };

    fn read(rows: &str) -> Vec<Channel> {
        channels(&answers(&[(Action::new(ReadAction::CoreShowChannels), rows)])).unwrap()
    }

    #[test]
    fn an_unanswered_list_is_not_an_empty_one() {
        assert_eq!(channels(&Answers::default()), None);
        assert_eq!(read(""), []);
        assert_eq!(channels(&recorded("22.10.1/idle")), Some(Vec::new()));
    }

    #[test]
    fn a_recorded_row_is_read_whole() {
        let channels = channels(&recorded("22.10.1/busy")).unwrap();
        assert_eq!(channels.len(), 40);
        let quoted = channels.iter().find(|c| c.channel == "PJSIP/105-00000006").unwrap();
        assert_eq!(quoted.device, "PJSIP/105");
        assert_eq!(quoted.caller_id_name.as_deref(), Some("Quote \"Q\" O'Brien"));
        assert_eq!(quoted.connected_line_name.as_deref(), Some("Colon: Sales: East"));
        assert_eq!((quoted.channel_state, quoted.duration_seconds), (Some(6), Some(74)));
        assert_eq!(quoted.linkedid.as_deref(), Some("pbx22-1795245676.6"));
        assert_eq!(quoted.bridge_id.as_deref(), Some("706f2325-5cab-4b2c-a807-206905ada17a"));
        assert_eq!((quoted.priority, quoted.exten.as_deref()), (Some(2), Some("106")));
        assert_eq!(quoted.account_code, None);
        let ringing = channels.iter().find(|c| c.channel == "PJSIP/109-0000000b").unwrap();
        assert_eq!((&ringing.caller_id_name, &ringing.connected_line_num), (&None, &None));
        assert_eq!(ringing.bridge_id, None);
    }

    #[test]
    fn channels_are_in_natural_order_and_listed_once() {
        let rows = "Event: CoreShowChannel\nChannel: SIP/10-1\nUniqueid: 1.2\n\n\
                    Event: CoreShowChannel\nChannel: SIP/9-1\nUniqueid: 1.1\n\n\
                    Event: CoreShowChannel\nChannel: SIP/10-1\nUniqueid: 1.2\n\n\
                    Event: CoreShowChannel\nChannel: SIP/10-1\nUniqueid: 1.4\n\n\
                    Event: CoreShowChannel\nUniqueid: 1.3\n";
        let ids: Vec<_> = read(rows).into_iter().map(|c| c.uniqueid).collect();
        assert_eq!(ids, ["1.1", "1.2", "1.4"], "a name alone may be used again");
    }

    #[test]
    fn rows_of_asterisk_11_are_read_without_unescaping() {
        let rows = "Event: CoreShowChannel\nChannel: SIP/100-0a\nUniqueID: 5.1\nExtension: 200\n\
                    CallerIDnum: 100\nCallerIDname: a\\'b\nDuration: \n";
        let old = &read(rows)[0];
        assert_eq!((old.uniqueid.as_str(), old.exten.as_deref()), ("5.1", Some("200")));
        assert_eq!(old.caller_id_name.as_deref(), Some("a\\'b"));
        assert_eq!((&old.linkedid, old.duration_seconds), (&None, None));
    }

    #[test]
    fn variables_keep_their_equals_signs_and_lose_their_escapes() {
        let rows = "Event: CoreShowChannel\nChannel: SIP/1-1\nLinkedid: 1.1\n\
                    ChanVariable: A=b=c\nChanVariable: Q=Who\\?\nChanVariable: none\n";
        let variables = &read(rows)[0].variables;
        assert_eq!(variables.get("A").map(String::as_str), Some("b=c"));
        assert_eq!(variables.get("Q").map(String::as_str), Some("Who?"));
        assert_eq!(variables.len(), 2);
    }

    #[test]
    fn a_device_is_the_name_up_to_the_last_suffix() {
        for (channel, expected) in [
            ("PJSIP/trunk-main-00000005", "PJSIP/trunk-main"),
            ("Local/112@from-queue-00000001;1", "Local/112@from-queue"),
            ("IAX2/iax16-14559", "IAX2/iax16"),
            ("PJSIP/101-0000000a<ZOMBIE>", "PJSIP/101"),
            ("DAHDI/1-1", "DAHDI/1"),
            ("SIP/odd-name", "SIP/odd-name"),
            ("SIP/odd-", "SIP/odd-"),
        ] {
            assert_eq!(device(channel), expected);
        }
    }

    #[test]
    fn a_call_is_found_by_unique_id_and_else_by_channel() {
        let mut channels = read(
            "Event: CoreShowChannel\nChannel: SIP/1-1\nUniqueid: 1.1\n\n\
             Event: CoreShowChannel\nChannel: SIP/2-2\n\n\
             Event: CoreShowChannel\nChannel: SIP/3-3\nUniqueid: 1.3\n",
        );
        channels[0].call_id = Some("first".to_owned());
        channels[1].call_id = Some("second".to_owned());
        let calls = CallIds::of(&channels);
        let find = |text| calls.find(Row::new(text), "Uniqueid", "Channel");
        assert_eq!(find("Uniqueid: 1.1\nChannel: SIP/2-2\n").as_deref(), Some("first"));
        assert_eq!(find("Uniqueid: \nChannel: SIP/2-2\n").as_deref(), Some("second"));
        assert_eq!(find("Uniqueid: 9.9\nChannel: SIP/3-3\n"), None);
    }

    #[test]
    fn secrets_in_application_data_never_leave() {
        let clean = |data| without_secrets(Some("Dial"), data).into_owned();
        assert_eq!(
            clean("IAX2/user:hunter2@host/5551234,300,T"),
            "IAX2/user:[redacted]@host/5551234,300,T"
        );
        assert_eq!(clean("SIP/a&SIP/u:p@h"), "SIP/a&SIP/u:[redacted]@h");
        assert_eq!(clean("IAX2/user:a/b:c@host"), "IAX2/user:[redacted]@host");
        assert_eq!(clean("PJSIP/t/sip:1:p@h"), "PJSIP/t/sip:1:[redacted]@h");
        assert_eq!(clean("x=http://u:p@h/a,1"), "x=http://u:[redacted]@h/a,1");
        for plain in ["PJSIP/110/sip:110@127.0.0.1:23011&PJSIP/5551234@trunk-main", "Local/1@a/n"] {
            assert_eq!(clean(plain), plain);
        }
        assert_eq!(without_secrets(Some("authenticate"), "1234"), "[redacted]");
    }
}
