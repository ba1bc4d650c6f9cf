"""All actions of a file with panoramisk, their answers as JSON.

Usage: panoramisk_client.py PORT USER SECRET-FILE ACTIONS JSON
"""

import asyncio
import json
import pathlib
import sys

from panoramisk import Manager

port, user, secret, actions, target = sys.argv[1:]


def asked():
    for block in pathlib.Path(actions).read_text(encoding="utf-8").split("\n\n"):
        headers = dict(line.split(": ", 1) for line in block.splitlines() if line)
        if headers and headers["Action"] != "Logoff":
            headers.pop("ActionID", None)
            yield headers


async def main():
    manager = Manager(
        host="127.0.0.1", port=int(port), username=user, events="off",
        secret=pathlib.Path(secret).read_text(encoding="utf-8").strip(),
    )
    await manager.connect()
    while not manager.authenticated:
        await asyncio.sleep(0)
    answers = await asyncio.gather(*(manager.send_action(headers) for headers in asked()))
    rows = [[dict(row) for row in (answer if isinstance(answer, list) else [answer])] for answer in answers]
    pathlib.Path(target).write_text(json.dumps(rows), encoding="utf-8")
    manager.close()


asyncio.run(asyncio.wait_for(main(), 60))
