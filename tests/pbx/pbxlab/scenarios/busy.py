"""Scenario `busy`: a small company at a bad moment; every kind of phone, trunk, queue and call at once.

Names are taken from what breaks parsers: quotes, colons, commas, semicolons, UTF-8, AMI header text.
To add an extension, trunk, queue or call, add a line here; phones, configuration, AstDB, checks and the
expectations in lab.json follow from it.
"""

import re

from ..ami import Ami
from ..config import member_interface
from ..model import AMI_USERS, Call, Extension, Member, Pbx, Phone, Queue, Trunk
from ..server import wait_for


def extensions(version):
    def pjsip(number, name, **more):
        own = {key: more.pop(key) for key in ("dnd", "forward", "call_waiting") if key in more}
        return Extension(number, name, [Phone(number, **more)], **own)

    def sip(number, name, **more):
        return Extension(number, name, [Phone(number, "sip", **more)])

    found = [
        Extension("100", "Alice Example", [Phone("100"), Phone("99100", webrtc=True)]),
        pjsip("101", "Bob Builder"),
        pjsip("102", "Zoë Müller-Łódź 東京", invite="ring"),
        pjsip("103", "Conan O'Brien"),
        pjsip("104", 'Dana "Dee" Quoted'),
        pjsip("105", "Kim, Comma; Semi: Colon"),
        pjsip("106", "Event: Newchannel"),
        pjsip("107", "--END COMMAND--"),
        pjsip("108", "Paul Parker"),
        pjsip("109", "Iris Conference"),
        pjsip("110", "Agent One"),
        pjsip("111", "Oscar Offline", contacts=0),
        pjsip("112", "Agent: Two", invite="ring"),
        pjsip("113", "Paula Paused"),
        pjsip("114", "Two Phones", contacts=2, invite="ring"),
        pjsip("115", "Una Unqualified", qualify=0, invite="ring"),
        pjsip("116", "Response: Error"),
        pjsip("117", "Dora Deaf", options="ignore"),
        pjsip("118", "Dan Disturb", dnd=True),
        pjsip("119", "Fay Forward", forward={"CF": "94930555004", "CFB": "101", "CFU": "103"}),
        pjsip("120", "Ned Never", contacts=0, call_waiting=False),
        pjsip("121", "Eve Echo"),
        pjsip("122", "Vic Voicemail"),
        pjsip("123", "Ina Inbound"),
        pjsip("124", "Walt Waiting"),
        pjsip("125", "Gus Group"),
        pjsip("127", "Ulf Upstream"),
        pjsip("128", "Clara Click"),
        pjsip("129", "Otto Originated"),
        pjsip("126", "Both Technologies"),
        Extension("300", "Ivo Iax", [Phone("300", "iax2", contacts=0)]),
    ]
    if version < 21:
        found[-2].phones.append(Phone("9126", "sip"))
        found += [
            sip("200", "Sip Alice"),
            sip("201", "Sip O'Bob"),
            sip("202", "Sip Outbound"),
            sip("203", "Sip Lagged", qualify=200, options=290),
            sip("204", "Sip Unreachable", options="ignore"),
            sip("205", "Sip Never", contacts=0),
            sip("206", "Sip Unmonitored", qualify=0),
            sip("207", "Sip Inbound"),
            sip("208", "Sip Ringing Caller"),
            sip("209", "Sip Ünïcode", invite="ring"),
        ]
    return found


def trunks(server):
    port = server.provider_port
    found = [
        Trunk("trunk-main", port, outbound=1),
        Trunk("trunk-badpw", port + 1, registrar="forbid"),
        Trunk("trunk-dead", port + 2, registrar="ignore", options="ignore"),
        Trunk("SIP_Trunk_IP", port + 3, registers=False, outbound=3),
        Trunk("ip-static-dead", port + 4, registers=False, listens=False),
        Trunk("ip-unmonitored", port + 5, registers=False, qualify=0),
        Trunk("trunk-stopped", port + 6, unregister=True),
        Trunk("trunk-receive", port + 7, registers=False, receives=True),
        # The server is its own IAX2 provider: iax-main registers as iax-receive.
        Trunk("iax-main", server.iax_port, "iax2", account="iax-receive"),
        Trunk("iax-receive", 0, "iax2", registers=False, receives=True, qualify=0),
        Trunk("iax-dead", port + 8, "iax2", listens=False),
    ]
    if server.version < 21:
        found += [
            Trunk("sip-trunk", port + 10, "sip", outbound=2),
            Trunk("sip-trunk-dead", port + 11, "sip", registrar="ignore", options="ignore"),
        ]
    return found


QUEUES = [
    Queue("400", "ringall", [
        Member("110", "Agent One"),
        Member("100", "Alice Example", penalty=2),
        Member("111", "Oscar Offline"),
        Member("113", "Paula Paused", dynamic=True, paused="Lunch: back at 13:00"),
        Member("105", "Kim, Comma; Semi: Colon", dynamic=True),
        Member("104", "Dana Direct", interface="PJSIP/104", penalty=5),
    ]),
    Queue("401", "rrmemory"),
    Queue("402", "leastrecent", [Member("112", "Agent: Two")]),
    Queue("403", "fewestcalls", [Member("120", "Ned Never"), Member("113", "Paula Paused", dynamic=True, paused="Event: Pause")]),
]  # fmt: skip


def calls(version):
    """In the order in which the lab places them: agents must be busy before queue 400 gets its callers."""
    main = {"line": "trunk-main", "direction": "inbound", "trunk": "trunk-main"}
    found = [
        Call("100", "101", "Up", "internal", "100", ["101"]),
        Call("103", "102", "Ringing", "internal", "103", ["102"]),
        Call("125", "610", "Ringing", "internal", "125", ["114", "115"], channels=4),
        Call("104", "94930555001", "Up", "outbound", "104", ["4930555001"], trunk="trunk-main"),
        Call("127", "74930555003", "Up", "outbound", "127", ["4930555003"], trunk="SIP_Trunk_IP"),
        Call("105", "106", "On hold", "internal", "105", ["106"]),
        # 119 forwards to the outside, so this leaves by the trunk.
        Call("126", "119", "Up", "outbound", "126", ["4930555004"], trunk="trunk-main", channels=4),
        Call("128", "129", "Up", "internal", "128", ["129"], click=True),
        Call("107", "108", "Parked", "internal", "107", channels=1),
        Call("108", "600", "Conference", "internal", "108", channels=1),
        Call("109", "600", "Conference", "internal", "109", channels=1),
        Call("116", "600", "Conference", "internal", "116", channels=1),
        Call("121", "*43", "Up", "internal", "121", channels=1),
        Call("122", "*97", "Up", "internal", "122", channels=1),
        Call(**main, dial="4930100123", state="Up", source="+4930555010", to=["123"], caller="+4930555010", name="Inbound: Caller"),
        Call(**main, dial="4930100001", state="Up", source="+4930555011", caller="+4930555011", name="Menu, Listener", channels=1),
        Call(**main, dial="4930100400", state="Up", source="+4930555012", to=["110"], caller="+4930555012", name="Answered Customer", queue="400", channels=4),
        Call(**main, dial="4930100400", state="Queued", source="+4930555013", caller="+4930555013", name="Zoë Wartende", queue="400", channels=1),
        Call("124", "400", "Queued", "internal", "124", queue="400", channels=1),
        Call(**main, dial="4930100402", state="Queued", source="+4930555014", to=["112"], caller="+4930555014", name="Ringing Customer", queue="402", channels=4),
        Call(**main, dial="4930100403", state="Queued", source="+4930555015", caller="+4930555015", name="Lost Customer", queue="403", channels=1),
        Call(**main, dial="4930100403", state="Queued", source="anonymous", caller="anonymous", queue="403", channels=1),
    ]  # fmt: skip
    if version < 21:
        found += [
            Call("200", "201", "Up", "internal", "200", ["201"]),
            Call("208", "209", "Ringing", "internal", "208", ["209"]),
            Call("202", "84930555002", "Up", "outbound", "202", ["4930555002"], trunk="sip-trunk"),
            Call(
                "sip-trunk",
                "4930100207",
                "Up",
                "inbound",
                "+4930555020",
                ["207"],
                caller="+4930555020",
                name="Sip Inbound",
                trunk="sip-trunk",
            ),
        ]
    return found


def build(server):
    return Pbx(
        server.version,
        extensions=extensions(server.version),
        trunks=trunks(server),
        queues=QUEUES,
        ring_groups={"610": ["114", "115"]},
        conferences=["600"],
        inbound={
            "4930100123": "from-did-direct,123,1",
            "4930100207": "from-did-direct,207,1",
            "4930100001": "ivr-1,s,1",
            "4930100400": "ext-queues,400,1",
            "4930100402": "ext-queues,402,1",
            "4930100403": "ext-queues,403,1",
        },
        calls=calls(server.version),
    )


def arrange(pbx, server):
    for trunk in pbx.trunks:
        if trunk.unregister:
            server.cli(f"pjsip send unregister {trunk.name}")
    for _, phone in pbx.phones:
        if phone.tech == "pjsip" and phone.contacts and phone.qualify:
            server.cli(f"pjsip qualify {phone.device}")
    for trunk in pbx.trunks:
        if trunk.tech == "pjsip" and trunk.qualify:
            server.cli(f"pjsip qualify {trunk.name}")
    for extension in pbx.extensions:
        if extension.dnd:
            server.cli(f"devstate change Custom:DND{extension.number} BUSY")
    for queue in pbx.queues:
        for member in queue.members:
            interface, state = member_interface(member)
            if member.dynamic:
                extra = f" state_interface {state}" if state else ""
                server.cli(
                    f'queue add member {interface} to {queue.name} penalty {member.penalty} as "{member.name}"{extra}'
                )
            if member.paused:
                server.cli(f'queue pause member {interface} queue {queue.name} reason "{member.paused}"')
    place_calls(pbx, server)


def place_calls(pbx, server):
    """Places every call, one after the other, and waits for each to stand."""
    standing = 0
    for call in pbx.calls:
        if call.click:
            originate(server, call)
        elif call.caller:
            server.order(op="call", line=call.line, number=call.dial, caller=call.caller, name=call.name)
        else:
            server.order(op="call", line=call.line, number=call.dial)
        if call.state == "Parked":  # the one who answered transfers the caller to the parking lot
            wait_for_channels(server, standing + 2)
            tell_phone(server, "202 Accepted", op="transfer", line=call.dial, number="70")
        standing += call.channels
        wait_for_channels(server, standing)
        if call.state == "On hold":
            tell_phone(server, "200 OK", op="hold", line=call.line)


def wait_for_channels(server, wanted):
    def missing():
        found = len(channels(server))
        return "" if found == wanted else f"{found} channels instead of {wanted}"

    # A message that was lost is sent again for 32 s (RFC 3261, 64 times T1).
    wait_for(f"the calls on Asterisk {server.version}", 40, missing)


def tell_phone(server, success, **order):
    """Orders something inside a call, until Asterisk agrees (the call may not be answered yet)."""
    wait_for(f"{order} on Asterisk {server.version}", 5, lambda: "" if success in server.order(**order)["ok"] else "refused")


def originate(server, call):
    ami = Ami(server.ami_port, "lab", AMI_USERS["lab"][0])
    channel, number = f"Channel: PJSIP/{call.line}", f"Exten: {call.dial}"
    ami.send(("Action: Originate", channel, "Context: from-internal", number, "Priority: 1", "Async: true"))


def channels(server):
    """The CLI's rows without the conference's own announcer channels, which AMI does not list either."""
    rows = (line.split("!") for line in server.cli("core show channels concise").splitlines() if "!" in line)
    return [row for row in rows if not row[0].startswith(("CBAnn/", "CBRec/"))]


def problem(pbx, server):
    """Everything that has to be true before the picture counts as settled."""
    pjsip_trunks = [trunk for trunk in pbx.trunks if trunk.tech == "pjsip"]
    pjsip_phones = [phone for _, phone in pbx.phones if phone.tech == "pjsip"]

    wanted = sum(call.channels for call in pbx.calls)
    if len(rows := channels(server)) != wanted:
        return f"{len(rows)} channels instead of {wanted}"
    if missing := server.order(op="status")["missing"]:
        return f"not registered: {missing}"

    shown = re.findall(r"^(\d+) has (\d+) calls", server.cli("queue show"), re.M)
    waiting = {name: int(count) for name, count in shown}
    queued = [call.queue for call in pbx.calls if call.state == "Queued"]
    if waiting != (wanted := {queue.name: queued.count(queue.name) for queue in pbx.queues}):
        return f"queue callers {waiting} instead of {wanted}"

    shown = re.findall(r"^ ([\w-]+)/sip:\S+ +\S+ +(\w+)", server.cli("pjsip show registrations"), re.M)
    if dict(shown) != (wanted := {t.name: registration_state(t) for t in pjsip_trunks if t.registers}):
        return f"registrations {dict(shown)} instead of {wanted}"

    contacts = server.cli("pjsip show contacts")
    if " Unknown " in contacts or " Created " in contacts:
        return "contacts not yet qualified"
    shown = re.findall(r"^ Endpoint:  ([^\s/]+)(?:/\S+)? .*Unavailable", server.cli("pjsip show endpoints"), re.M)
    wanted = {p.device for p in pjsip_phones if not p.contacts or p.options == "ignore"}
    wanted |= {t.name for t in pjsip_trunks if not t.listens or t.options == "ignore"}
    if set(shown) != wanted:
        return f"unavailable endpoints {sorted(shown)} instead of {sorted(wanted)}"

    ringing = {row[0].split("-")[0].split("/")[1] for row in rows if row[4] == "Ringing" and row[0][:6] != "Local/"}
    wanted = {number for call in pbx.calls if call.state in ("Ringing", "Queued") for number in call.to}
    if ringing != wanted:
        return f"ringing {sorted(ringing)} instead of {sorted(wanted)}"
    # Asterisk calls the one who was put on hold "on hold", not the one who pressed the key.
    if not re.search(r"^106@ext-local.*State:Hold", server.cli("core show hints"), re.M):
        return "106 is not on hold"

    if server.version < 21:
        peers = server.cli("sip show peers")
        states = {"200/": "OK", "203/": "LAGGED", "204/": "UNREACHABLE", "206/": "Unmonitored", "sip-trunk/": "OK", "sip-trunk-dead/": "UNREACHABLE"}  # fmt: skip
        for name, state in states.items():
            if not re.search(rf"^{name}.* {state}", peers, re.M):
                return f"SIP peer {name} is not {state}"
    if not re.search(r"^iax-main.* OK ", server.cli("iax2 show peers"), re.M):
        return "iax-main is not OK"
    return ""


def registration_state(trunk):
    if trunk.unregister:
        return "Unregistered"
    return "Registered" if trunk.registrar == "accept" else "Rejected"
