"""Writes down the actions that the collector sends to a server, for the other clients to send too.

Usage: record.py PROGRAM CONFIG PORT ACTIONS      Runs PROGRAM once, through a relay on loopback.

The login is left out, since each client has its own; a Logoff ends the file.
"""

import pathlib
import socket
import subprocess
import sys
import tempfile
import threading

program, config, port, actions = sys.argv[1:]


def relay(reader, writer, kept):
    while chunk := reader.recv(1 << 16):
        if kept is not None:
            kept.append(chunk)
        writer.sendall(chunk)
    writer.shutdown(socket.SHUT_WR)


def serve(listener, kept):
    client, _ = listener.accept()
    server = socket.create_connection(("127.0.0.1", int(port)))
    back = threading.Thread(target=relay, args=(server, client, None))
    back.start()
    try:
        relay(client, server, kept)
    except OSError:
        pass
    back.join()


with socket.create_server(("127.0.0.1", 0)) as listener, tempfile.TemporaryDirectory() as folder:
    kept = []
    thread = threading.Thread(target=serve, args=(listener, kept), daemon=True)
    thread.start()
    text = pathlib.Path(config).read_text(encoding="utf-8")
    relayed = pathlib.Path(folder) / "config.yaml"
    relayed.touch(mode=0o600)
    relayed.write_text(text.replace(f"ami_port: {port}", f"ami_port: {listener.getsockname()[1]}"), encoding="utf-8")
    subprocess.run([program, "collect", "--stdout", "--config", relayed], stdout=subprocess.DEVNULL, check=True)
    thread.join(timeout=10)

blocks = b"".join(kept).decode().split("\r\n\r\n")
session = ("challenge", "login", "logoff")
asked = [b for b in blocks if b and b.split("\r\n")[0].split(": ")[1].lower() not in session]
assert asked, "the collector asked nothing"
asked.append("Action: Logoff")
pathlib.Path(actions).write_bytes("".join(f"{block}\r\n\r\n" for block in asked).encode())
print(f"{len(asked) - 1} actions")
