"""Scenario `large`: a big installation, to see whether a collector keeps up.

2,000 PJSIP extensions of which 500 are registered, 50 queues with 5 members each, 30 waiting callers,
and exactly 700 channels: 100 calls between telephones, 220 Local pairs in Echo, Wait and music on hold.
"""

import re

from ..ami import Ami
from ..model import AMI_USERS, Extension, Member, Pbx, Phone, Queue
from ..server import wait_for

REGISTERED, CALLS, LOCAL_PAIRS, QUEUES, WAITING = 500, 100, 220, 50, 30
FIRST = 1000
CHANNELS = 2 * (CALLS + LOCAL_PAIRS + WAITING)

LOAD = """
[large-load]
exten => echo,1,Answer()
 same => n,Echo()
exten => wait,1,Answer()
 same => n,Wait(86400)
exten => music,1,Answer()
 same => n,MusicOnHold(default)
"""


def build(server):
    extensions = [
        Extension(
            str(number),
            f"Üser {number}, Dept. {number % 40}",
            [Phone(str(number), contacts=int(number < FIRST + REGISTERED), shared=True)],
        )
        for number in range(FIRST, FIRST + 2000)
    ]
    queues = []
    for index in range(QUEUES):
        # Callers wait where everybody is offline; elsewhere somebody could answer.
        first = 2600 if index < WAITING else 1300
        members = [str(first + 5 * (index % 30) + i) for i in range(5)]
        queues.append(
            Queue(str(4000 + index), "rrmemory", [Member(number, f"Üser {number}") for number in members])
        )
    return Pbx(server.version, extensions=extensions, queues=queues, extra_dialplan=LOAD)


def lines(pbx, server):
    """All registered telephones on one socket."""
    phones = [phone for _, phone in pbx.phones if phone.contacts]
    return {
        "phones": {
            "user": phones[0].device, "secret": phones[0].secret, "also": {phone.device: phone.secret for phone in phones[1:]},
            "server": server.pjsip_port, "port": server.first_phone_port, "register": True, "expires": 1800,
        }
    }  # fmt: skip


def arrange(pbx, server):
    place_calls(pbx, server)


def place_calls(pbx, server):
    ami = Ami(server.ami_port, "lab", AMI_USERS["lab"][0])
    ami.send(
        *(("Action: PJSIPQualify", f"Endpoint: {phone.device}") for _, phone in pbx.phones if phone.contacts)
    )
    for index in range(CALLS):
        server.order(op="call", line="phones", number=str(FIRST + CALLS + index), caller=str(FIRST + index))
        if index % 20 == 19:
            wait_for("the calls", 30, lambda: "" if count(server) == 2 * (index + 1) else "calls are missing")
    apps = ["echo"] * 5 + ["wait"] * 5 + ["music"]
    ami.send(
        *(originate(f"Local/{apps[index % len(apps)]}@large-load/n", index) for index in range(LOCAL_PAIRS))
    )
    ami.send(*(originate(f"Local/{4000 + index}@from-internal/n", index) for index in range(WAITING)))


def originate(channel, index):
    return (
        "Action: Originate",
        f"Channel: {channel}",
        "Application: Wait",
        "Data: 86400",
        f"CallerID: Load {index} <5{index:04}>",
        "Async: true",
        "Timeout: 30000",
    )


def count(server):
    return int(re.search(r"(\d+) active channel", server.cli("core show channels count"))[1])


def problem(pbx, server):
    if count(server) != CHANNELS:
        return f"{count(server)} channels instead of {CHANNELS}"
    waiting = sum(int(calls) for calls in re.findall(r"^\d+ has (\d+) calls", server.cli("queue show"), re.M))
    if waiting != WAITING:
        return f"{waiting} callers wait instead of {WAITING}"
    reachable = server.cli("pjsip show contacts").count(" Avail ")
    return "" if reachable == REGISTERED else f"{reachable} telephones reachable instead of {REGISTERED}"
