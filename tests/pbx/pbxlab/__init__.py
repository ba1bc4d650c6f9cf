"""The lab's code: what a scenario's PBX has, how that becomes Asterisk's configuration, and who calls whom."""
