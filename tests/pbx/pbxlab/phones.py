"""The phones and providers of one server, in one process: `python3 -m pbxlab.phones PLAN.json`.

The plan is `{"control": PORT, "lines": {NAME: plan of sip.Line, ...}}`.  On the control port one JSON
line is an order and one JSON line its answer:

    {"op": "status"}                                          registered, not registered, calls per line
    {"op": "call", "line": "100", "number": "101"}            place a call, without waiting for an answer
    {"op": "hold", "line": "105"}                             and wait until it is done
    {"op": "transfer", "line": "108", "number": "70"}

The process ends when it is told to (SIGTERM); all its sockets are on 127.0.0.1.
"""

import asyncio
import json
import sys

from .sip import HOST, Line


class Phones:
    def __init__(self, plan):
        self.plan = plan
        self.lines = {name: Line(line) for name, line in plan["lines"].items()}

    async def run(self):
        for line in self.lines.values():
            await line.start()
        server = await asyncio.start_server(self.serve, HOST, self.plan["control"])
        async with server:
            await server.serve_forever()

    async def serve(self, reader, writer):
        while order := await reader.readline():
            try:
                answer = await self.obey(json.loads(order))
            except Exception as error:  # the lab shows it; the phones go on
                answer = {"error": f"{type(error).__name__}: {error}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def obey(self, order):
        if order["op"] == "status":
            lines = [(name, line) for name, line in self.lines.items() if line.plan.get("register")]
            wanted = [(name, user) for name, line in lines for user in line.users]
            missing = [user for name, user in wanted if user not in self.lines[name].registered]
            calls = {name: len(line.calls) for name, line in self.lines.items() if line.calls}
            return {"registered": len(wanted) - len(missing), "missing": missing, "calls": calls}
        line = self.lines[order["line"]]
        if order["op"] == "call":
            line.spawn(line.call(order["number"], order.get("caller"), order.get("name")))
            return {"ok": True}
        if order["op"] == "hold":
            return {"ok": await line.hold()}
        if order["op"] == "transfer":
            return {"ok": await line.transfer(order["number"])}
        raise ValueError("unknown op " + order["op"])


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        asyncio.run(Phones(json.load(file)).run())
