//! What a hint in `ext-local` tells of an extension.

use crate::snapshot::ExtensionStatus;

/// State of a hint in `ext-local`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hint<'a> {
    /// The state of the extension.
    pub status: ExtensionStatus,
    /// Asterisk's own word for it.
    pub word: Option<&'a str>,
    /// Whether a phone is there.
    pub online: Option<bool>,
}

impl<'a> Hint<'a> {
    /// Reads the bits of an extension's state: 1 in use, 2 busy, 4 unavailable, 8 ringing, 16 hold.
    ///
    /// FreePBX's hints watch `Custom:DND<ext>` too. Do not disturb makes them busy, and a switch
    /// that is off makes them idle though no phone is there, so that neither tells of the phone.
    pub(super) fn new(devices: &str, status: &str, word: Option<&'a str>) -> Self {
        let mixed = devices.contains("Custom:");
        let (status, online) = match status.parse::<i64>() {
            Ok(0) => (ExtensionStatus::Available, (!mixed).then_some(true)),
            Ok(2) => (ExtensionStatus::Busy, (!mixed).then_some(true)),
            Ok(4) => (ExtensionStatus::Unavailable, Some(false)),
            Ok(8) => (ExtensionStatus::Ringing, Some(true)),
            Ok(1 | 9 | 17) => (ExtensionStatus::InUse, Some(true)),
            Ok(16) => (ExtensionStatus::OnHold, Some(true)),
            _ => (ExtensionStatus::Unknown, None),
        };
        Self { status, word, online }
    }
}
