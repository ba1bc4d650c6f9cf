"""Scenario `empty`: a PBX on which nothing has been set up yet."""

from ..model import Pbx


def build(server):
    return Pbx(server.version)


def arrange(pbx, server):
    pass


def place_calls(pbx, server):
    pass


def problem(pbx, server):
    return "" if "0 active channels" in server.cli("core show channels count") else "channels"
