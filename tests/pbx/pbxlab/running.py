"""Brings scenarios up and down, and writes `lab.json`, the only file that a test needs to read."""

import importlib
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from . import config
from .model import AMI_USERS, PHONE_SECRET, TRUNK_SECRET
from .server import Server, wait_for

SCENARIOS = ("busy", "empty", "large")
VERSIONS = (16, 22)


def scenario(name):
    return importlib.import_module(f".scenarios.{name}", __package__)


def up(folder, name, versions, say):
    """Starts a scenario on every version at once; returns when all are settled."""
    if os.geteuid():
        raise RuntimeError("the servers run in a chroot, which only root can enter")
    servers = [Server(folder, name, version) for version in versions]
    for server in servers:
        if server.started():
            raise RuntimeError(
                f"{name} on Asterisk {server.version} is up already; `lab down {name}` stops it"
            )
    with ThreadPoolExecutor() as pool:
        described = list(pool.map(lambda server: bring_up(server, say), servers))
    target = folder / name / "lab.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(target.read_text(encoding="utf-8"))["servers"] if target.exists() else {}
    known |= {str(server.version): one for server, one in zip(servers, described, strict=True)}
    target.write_text(
        json.dumps({"scenario": name, "servers": known}, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    say(f"{target} describes it")


def is_up(folder, name):
    """Whether a scenario runs on every version and is described."""
    servers = [Server(folder, name, version) for version in VERSIONS]
    return all(server.started() for server in servers) and (folder / name / "lab.json").exists()


def bring_up(server, say):
    begun = time.monotonic()
    plan = scenario(server.scenario)
    pbx = plan.build(server)
    config.write(pbx, server)
    server.start_asterisk()
    lines = plan.lines(pbx, server) if hasattr(plan, "lines") else telephones(pbx, server)
    if lines:
        server.start_phones(lines)
        wait_for(f"the phones of Asterisk {server.version}", 30, lambda: server.order(op="status")["missing"])
    plan.arrange(pbx, server)
    wait_for(f"{server.scenario} on Asterisk {server.version}", 60, lambda: plan.problem(pbx, server))
    say(
        f"{server.scenario} on Asterisk {server.version}: AMI 127.0.0.1:{server.ami_port} (TLS {server.tls_port}), {time.monotonic() - begun:.0f} s"
    )
    return describe(pbx, server)


def telephones(pbx, server):
    """What the phone process plays: every telephone that registers, every provider that listens."""
    lines = {}
    ports = {"pjsip": server.pjsip_port, "sip": server.sip_port}
    for _, phone in pbx.phones:
        for contact in range(phone.contacts if phone.tech in ports else 0):
            lines[phone.device + "'" * contact] = {
                "user": phone.device, "secret": phone.secret, "server": ports[phone.tech], "register": True, "options": phone.options,
                "invite": phone.invite, "port": server.phone_port(pbx, phone) + 50 * contact, "agent": f"LabPhone/1.{contact} ({phone.tech}: desk)",
            }  # fmt: skip
    for trunk in pbx.trunks:
        if trunk.listens and trunk.tech in ports:
            lines[trunk.name] = {
                "user": trunk.name if trunk.receives else trunk.user, "secret": trunk.secret, "server": ports[trunk.tech], "register": trunk.receives,
                "options": trunk.options, "registrar": trunk.registrar, "port": trunk.port, "agent": "LabProvider/1.0",
            }  # fmt: skip
    return lines


def describe(pbx, server):
    lab = [sys.executable, str(Path(__file__).resolve().parent.parent / "lab")]
    return {
        "version": server.cli("core show version").split()[1],
        "host": "127.0.0.1",
        "port": server.ami_port,
        "tls_port": server.tls_port,
        "certificate": str(server.certificate),
        "users": {
            name: {"secret": secret, "classes": classes} for name, (secret, classes) in AMI_USERS.items()
        },
        "secrets": [secret for secret, _ in AMI_USERS.values()] + [PHONE_SECRET, TRUNK_SECRET],
        "cli": server.cli_argv,  # plus the command
        "orders": {name: [*lab, name, str(server.version), "--scenario", server.scenario] for name in ("hangup", "calls")},  # fmt: skip
        "extensions": [asdict(extension) for extension in pbx.extensions],
        "trunks": [asdict(trunk) for trunk in pbx.trunks],
        "calls": [asdict(call) for call in pbx.calls],
    }


def call_again(server):
    """Places a scenario's calls again, after all were hung up."""
    plan = scenario(server.scenario)
    pbx = plan.build(server)
    hang_up(server)
    plan.place_calls(pbx, server)
    wait_for(f"{server.scenario} on Asterisk {server.version}", 60, lambda: plan.problem(pbx, server))


def hang_up(server):
    server.cli("channel request hangup all")
    wait_for(
        "the calls to end",
        20,
        lambda: "" if "0 active channels" in server.cli("core show channels count") else "channels",
    )


def down(folder, names, say):
    """Stops whatever of these scenarios runs."""
    servers = [
        server
        for name in names
        for server in (Server(folder, name, version) for version in VERSIONS)
        if server.started()
    ]
    with ThreadPoolExecutor() as pool:
        for server, stopped in zip(servers, pool.map(Server.stop, servers), strict=True):
            say(f"{server.scenario} on Asterisk {server.version}: stopped {', '.join(stopped)}")
    for name in names:
        (folder / name / "lab.json").unlink(missing_ok=True)
