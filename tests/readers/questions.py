"""The four questions, asked in four ways, have one answer each: of a terminal (`show`), of jq (the
README's own recipes), of an assistant (`mcp`, through the official SDK), and of Prometheus (a real
server that scrapes what `export prometheus` prints).

Usage: questions.py PROGRAM SNAPSHOT...     Ends with 0 when they agree.
"""

import asyncio
import collections
import http.server
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import urllib.request

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

PROJECT = pathlib.Path(__file__).resolve().parents[2]


def output(*command):
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"{command}: {ended.stderr}"
    return ended.stdout


def by_show(program, snapshot):
    def rows(*words):
        return json.loads(output(program, "show", *words, "--json", "--file", snapshot))

    return {
        "busy": sorted(f"{e['extension']} {e['name']}: {e['status']}" for e in rows("extensions", "--busy")),
        "calls": sorted(c["description"] for c in rows("calls")),
        "trunks": sorted(f"{t['name']}: {t['state']}" for t in rows("trunks")),
        "waiting": sorted(
            f"{q['name']}: {q['calls']} waiting, longest {q['longest_wait_seconds']} s, {q['available']} free"
            for q in rows("queues", "--busy")
        ),
        "call_counts": collections.Counter((c["direction"], c["state"].lower().replace(" ", "_")) for c in rows("calls")),
    }


def by_jq(snapshot):
    recipes = re.findall(r"^\$ jq -r '([^']+)' cache/freepbx\.json$", (PROJECT / "README.md").read_text(encoding="utf-8"), re.M)
    assert len(recipes) == 4, recipes
    answers = [sorted(output("jq", "-r", recipe, snapshot).splitlines()) for recipe in recipes]
    return dict(zip(("busy", "calls", "trunks", "waiting"), answers))


async def by_assistant(program, snapshot):
    server = StdioServerParameters(command=program, args=["mcp", "--file", snapshot])
    async with stdio_client(server) as (reader, writer), ClientSession(reader, writer) as session:
        await session.initialize()

        async def items(tool, **arguments):
            found, more = [], {}
            while True:
                result = await session.call_tool(tool, arguments | more)
                answer = getattr(result, "structured_content", None) or result.structuredContent
                assert not answer["about"]["is_stale"]
                found += answer["items"]
                if not answer["next_cursor"]:
                    return found
                more = {"cursor": answer["next_cursor"]}

        return {
            "busy": sorted(f"{e['extension']} {e['name']}: {e['status']}" for e in await items("list_extensions", busy=True)),
            "calls": sorted(c["description"] for c in await items("list_calls")),
            "trunks": sorted(f"{t['name']}: {t['state']}" for t in await items("list_trunks")),
            "waiting": sorted(
                f"{q['name']}: {q['calls']} waiting, longest {q['longest_wait_seconds']} s, {q['available']} free"
                for q in await items("list_queues", with_callers=True)
            ),
        }


class Prometheus:
    """A server on loopback that scrapes one text every second, and nothing else."""

    def __init__(self, metrics):
        class Exporter(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(metrics.encode())

            def log_message(self, *_):
                pass

        self.exporter = http.server.HTTPServer(("127.0.0.1", 0), Exporter)
        threading.Thread(target=self.exporter.serve_forever, daemon=True).start()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory()
        config = pathlib.Path(self.folder.name) / "prometheus.yml"
        target = f"127.0.0.1:{self.exporter.server_port}"
        config.write_text(
            "global: {scrape_interval: 1s}\nscrape_configs:\n"
            f"  - {{job_name: freepbx, static_configs: [{{targets: ['{target}']}}]}}\n",
            encoding="utf-8",
        )
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+", encoding="utf-8")
        self.server = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder.name}/data",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log,
        )

    def __enter__(self):
        deadline = time.monotonic() + 60
        while not self.scraped():
            if self.server.poll() is not None or time.monotonic() > deadline:
                self.log.seek(0)
                raise RuntimeError(f"Prometheus does not scrape: {self.log.read()[-2000:]}")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(timeout=30)
        self.exporter.shutdown()
        self.log.close()
        self.folder.cleanup()

    def scraped(self):
        try:
            return self.ask("freepbx_snapshot_timestamp_seconds")
        except OSError:
            return []

    def ask(self, query):
        """Label sets and values that a query gives."""
        url = f"http://127.0.0.1:{self.port}/api/v1/query?" + urllib.parse.urlencode({"query": query})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(url, timeout=10) as answer:
            return [(r["metric"], float(r["value"][1])) for r in json.load(answer)["data"]["result"]]


def by_prometheus(program, snapshot):
    with Prometheus(output(program, "export", "prometheus", "--file", snapshot)) as prometheus:
        ask = prometheus.ask
        return {
            "busy": sorted(labels["extension"] for labels, _ in ask("freepbx_extension_busy == 1")),
            "trunks": sorted(f"{t['trunk']}: {t['state']}" for t, _ in ask("freepbx_trunk_info")),
            "waiting": sorted(f"{q['queue']}: {int(n)}" for q, n in ask("freepbx_queue_callers > 0")),
            "call_counts": collections.Counter(
                {(c["direction"], c["state"]): int(n) for c, n in ask("freepbx_calls > 0")}
            ),
        }


def compare(program, snapshot):
    show = by_show(program, snapshot)
    assert all(show.values()), f"{snapshot}: a question without an answer proves nothing: {show}"
    jq = by_jq(snapshot)
    assistant = asyncio.run(by_assistant(program, snapshot))
    for question in ("busy", "calls", "trunks", "waiting"):
        for who, answer in (("jq", jq), ("an assistant", assistant)):
            assert answer[question] == show[question], (
                f"{question}: {who} says {answer[question]}, show says {show[question]}"
            )
    # Metrics hold no callers and no free text: numbers of extensions, names, states and counts.
    metrics = by_prometheus(program, snapshot)
    assert metrics["busy"] == sorted(line.split(" ")[0] for line in show["busy"]), metrics["busy"]
    assert metrics["trunks"] == sorted(
        f"{name}: {state.lower().replace(' ', '_')}"
        for name, state in (line.rsplit(": ", 1) for line in show["trunks"])
    ), metrics["trunks"]
    assert metrics["waiting"] == sorted(line.split(" waiting")[0] for line in show["waiting"]), metrics["waiting"]
    assert metrics["call_counts"] == show["call_counts"], metrics["call_counts"]
    counts = ", ".join(f"{len(show[question])} {question}" for question in ("busy", "calls", "trunks", "waiting"))
    print(f"ok    show, jq, an assistant and Prometheus agree: {counts}")


for name in sys.argv[2:]:
    compare(sys.argv[1], name)
