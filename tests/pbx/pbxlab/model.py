"""What a scenario's PBX has, in FreePBX's words: extensions, trunks, queues, calls.

A scenario builds one `Pbx` per Asterisk version; `config` and `dialplan` turn it into files, `server`
starts it.  All secrets of the lab are made here and begin with `lab-`, so that a test can search for them.
"""

from dataclasses import dataclass, field

PHONE_SECRET = "lab-sip-secret-4Vx"  # + "-" + device
TRUNK_SECRET = "lab-trunk-secret-9Kq"  # + "-" + trunk

# Name -> (secret, write classes).  `lab` is the lab's own and may do everything.
AMI_USERS = {
    "snapshot": ("lab-ami-secret-7Q", "system,call,reporting"),
    "reporting": ("lab-ami-secret-8R", "reporting"),
    "sysreporting": ("lab-ami-secret-9S", "system,reporting"),
    "noclass": ("lab-ami-secret-0T", "none"),
    "lab": ("lab-ami-secret-1U", "all"),
}


@dataclass
class Phone:
    """A device of a user: what Asterisk knows as endpoint or peer, and how the telephone behaves."""

    device: str
    tech: str = "pjsip"  # pjsip, sip or iax2
    contacts: int = 1  # how many telephones register; 0: never
    options: object = "answer"  # or "ignore", or milliseconds of delay
    invite: str = "answer"  # or "ring": never picks up
    qualify: int = 60  # seconds (SIP: milliseconds allowed for the answer); 0: off
    webrtc: bool = False
    shared: bool = False  # registers from a socket that other telephones use too

    @property
    def secret(self):
        return f"{PHONE_SECRET}-{self.device}"

    @property
    def dial(self):
        return {"pjsip": "PJSIP", "sip": "SIP", "iax2": "IAX2"}[self.tech] + "/" + self.device


@dataclass
class Extension:
    number: str
    name: str
    phones: list = field(default_factory=list)
    dnd: bool = False
    forward: dict = field(default_factory=dict)  # CF, CFB, CFU -> number
    call_waiting: bool = True


@dataclass
class Trunk:
    """An outside line.  `port` is where its provider listens on 127.0.0.1 (0: unknown)."""

    name: str
    port: int = 0
    tech: str = "pjsip"  # pjsip, sip or iax2
    registers: bool = True  # we register with the provider
    receives: bool = False  # the provider registers with us
    registrar: str = "accept"  # or "forbid", "ignore"
    options: object = "answer"
    qualify: int = 60
    listens: bool = True  # false: nothing listens on the port
    unregister: bool = False  # the lab unregisters it after the start
    max_retries: int = 10000
    account: str = ""  # the user name at the provider, if not derived from the name
    outbound: int = 0  # the outbound route that uses it: numbers dialled with prefix 9, 8 or 7 for 1, 2, 3

    @property
    def secret(self):
        return f"{TRUNK_SECRET}-{self.account or self.name}"

    @property
    def user(self):
        return self.account or f"acct-{self.name.lower()}"


@dataclass
class Member:
    """A queue member.  `interface` empty: FreePBX's `Local/<extension>@from-queue/n`."""

    extension: str
    name: str
    dynamic: bool = False
    penalty: int = 0
    interface: str = ""
    paused: str = ""  # the reason


@dataclass
class Queue:
    name: str
    strategy: str = "ringall"
    members: list = field(default_factory=list)


@dataclass
class Call:
    """Who calls whom, for the lab to place and for the tests to find again.

    `line` dials `dial` (as `caller` "name" when it comes from a provider).  The rest is what a person
    would say about it afterwards: state, direction, the two parties and what is in between.
    """

    line: str
    dial: str
    state: str
    direction: str
    source: str  # extension, or the number of an outside caller
    to: list = field(default_factory=list)  # extensions or numbers at the other end
    caller: str = ""
    name: str = ""
    queue: str = ""
    trunk: str = ""
    channels: int = 2
    click: bool = False  # the PBX rings `line` first (AMI Originate), then dials: click-to-call


@dataclass
class Pbx:
    version: int
    extensions: list = field(default_factory=list)
    trunks: list = field(default_factory=list)
    queues: list = field(default_factory=list)
    ring_groups: dict = field(default_factory=dict)  # number -> extensions
    conferences: list = field(default_factory=list)
    inbound: dict = field(default_factory=dict)  # DID -> context,exten,priority
    calls: list = field(default_factory=list)
    extra_dialplan: str = ""

    @property
    def phones(self):
        return [(extension, phone) for extension in self.extensions for phone in extension.phones]
