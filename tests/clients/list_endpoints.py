"""Lists the endpoints of a PBX with panoramisk, one a line.

Usage: list_endpoints.py PORT USER PASSWORD; ends with 1 where something is not as Asterisk does it.
"""

import asyncio
import sys

from panoramisk import Manager


async def main(port, user, password):
    booted = asyncio.Event()
    manager = Manager(host="127.0.0.1", port=int(port), username=user, secret=password, events="on")
    manager.register_event("FullyBooted", lambda manager, event: booted.set())
    await manager.connect()
    await asyncio.wait_for(booted.wait(), 10)
    assert manager.authenticated

    async def ask(action, as_list=None):
        return await asyncio.wait_for(manager.send_action({"Action": action}, as_list=as_list), 10)

    pong = await ask("Ping")
    assert pong.success and pong.ping == "Pong", pong
    unknown = await ask("NoSuchAction")
    assert not unknown.success and "Invalid/unknown command" in unknown.message, unknown
    queues = await ask("QueueStatus", as_list=True)
    assert any(row.event == "QueueMember" for row in queues), queues
    for row in await ask("PJSIPShowEndpoints", as_list=True):
        if row.event == "EndpointList":
            print(row.objectname)
    manager.close()


try:
    asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 30))
except (AssertionError, asyncio.TimeoutError) as error:
    sys.exit(f"{type(error).__name__}: {error}")
