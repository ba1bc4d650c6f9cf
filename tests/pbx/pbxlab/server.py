"""One Asterisk of one scenario: its folders and ports, starting, asking and stopping it.

The server runs in the folder that `setup.sh` made (chroot), with a configuration, AstDB, log and
control socket of its own below `/lab/SCENARIO`, so one installation serves several scenarios at once.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

stopping = threading.Event()  # set by a signal: whatever waits gives up
OFFSET = {"busy": 0, "empty": 100, "large": 200}  # of every port


class Server:
    def __init__(self, folder, scenario, version):
        self.folder, self.scenario, self.version = Path(folder), scenario, version
        self.root = self.folder / str(version)
        self.home = self.root / "lab" / scenario
        self.etc, self.run, self.log = self.home / "etc", self.home / "run", self.home / "log"
        self.data, self.spool, self.moh = self.home / "data", self.home / "spool", self.home / "moh"
        self.state = self.home / "started.json"  # process ids
        self.certificate = self.etc / "ami.crt"
        base = {16: 15000, 22: 25000}[version] + OFFSET[scenario]
        self.ami_port, self.tls_port = base + 38, base + 39
        self.pjsip_port, self.sip_port, self.iax_port = base + 60, base + 61, base + 69
        self.control_port = base + 99
        self.provider_port = base + 70  # and the 28 after it
        self.first_phone_port = base + 1000
        self.rtp = {16: (17000, 19998), 22: (27000, 29998)}[version]

    @property
    def modules(self):
        return next(iter(sorted(self.root.glob("usr/lib/**/asterisk/modules"))))

    def inside(self, path):
        """A path as the server sees it."""
        return "/" + str(Path(path).relative_to(self.root))

    def phone_port(self, pbx, phone):
        """Where a phone listens.  A second contact of the same device is 50 higher."""
        return self.first_phone_port + [other.device for _, other in pbx.phones].index(phone.device)

    # Processes --------------------------------------------------------------------------------

    @property
    def cli_argv(self):
        """A command line that runs the CLI command appended to it."""
        return [
            "chroot",
            str(self.root),
            "/usr/sbin/asterisk",
            "-C",
            self.inside(self.etc / "asterisk.conf"),
            "-rx",
        ]

    def cli(self, command):
        done = subprocess.run([*self.cli_argv, command], capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise RuntimeError(
                f"Asterisk {self.version} does not answer `{command}`: {done.stderr.strip() or done.stdout.strip()}"
            )
        return done.stdout

    def start(self, name, argv, **more):
        """Starts a process of the lab and writes down its id, with the start time that proves it is ours."""
        with open(self.home / f"{name}.out", "wb") as out:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **more
            )
        known = self.started()
        known[name] = {"pid": process.pid, "born": born(process.pid)}
        self.state.write_text(json.dumps(known))
        return process

    def started(self):
        """The lab's processes of this server that still run."""
        try:
            known = json.loads(self.state.read_text())
        except FileNotFoundError:
            return {}
        return {name: entry for name, entry in known.items() if born(entry["pid"]) == entry["born"]}

    def start_asterisk(self):
        argv = [
            "chroot",
            str(self.root),
            "/usr/sbin/asterisk",
            "-f",
            "-C",
            self.inside(self.etc / "asterisk.conf"),
        ]
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        }
        process = self.start("asterisk", argv, env=environment)
        deadline = time.monotonic() + 90
        while True:
            if process.poll() is not None:
                raise RuntimeError(
                    f"Asterisk {self.version} ended at once; see {self.home}/asterisk.out and {self.log}/messages"
                )
            try:
                if "fully booted" in self.cli("core waitfullybooted"):
                    return
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
            if stopping.is_set():
                raise RuntimeError("interrupted")
            time.sleep(0.2)

    def start_phones(self, lines):
        plan = self.home / "phones.json"
        plan.write_text(json.dumps({"control": self.control_port, "lines": lines}))
        here = Path(__file__).resolve().parent.parent
        self.start(
            "phones",
            [sys.executable, "-m", "pbxlab.phones", str(plan)],
            cwd=here,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
        wait_for(
            f"the phones of Asterisk {self.version}",
            20,
            lambda: None if self.order(op="status") else "no answer",
        )

    def order(self, **order):
        """Gives the phones an order and returns their answer."""
        with socket.create_connection(("127.0.0.1", self.control_port), timeout=20) as connection:
            connection.sendall(json.dumps(order).encode() + b"\n")
            answer = json.loads(connection.makefile().readline())
        if "error" in answer:
            raise RuntimeError(f"phones of Asterisk {self.version}: {order}: {answer['error']}")
        return answer

    def stop(self):
        """Stops what `start` started, politely first, and only that."""
        running = self.started()
        for entry in running.values():
            _signal(entry, signal.SIGTERM)
        deadline = time.monotonic() + 10
        while self.started() and time.monotonic() < deadline:
            time.sleep(0.1)
        for entry in self.started().values():
            _signal(entry, signal.SIGKILL)
        self.state.unlink(missing_ok=True)
        return sorted(running)


def _signal(entry, number):
    try:
        os.kill(entry["pid"], number)
    except ProcessLookupError:
        pass


def born(pid):
    """The kernel's start time of a process; None when there is none (or only its zombie)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def wait_for(what, seconds, missing):
    """Polls until `missing()` returns nothing; its last words are the error message."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            problem = missing()
        except (OSError, RuntimeError) as error:
            problem = str(error)
        if not problem:
            return
        if stopping.is_set():
            raise RuntimeError("interrupted")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not settled after {seconds} s: {problem}")
        time.sleep(0.3)
