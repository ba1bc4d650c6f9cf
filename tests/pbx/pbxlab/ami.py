"""A tiny AMI client, to order calls and to write down an action's raw answer.

It reads an answer up to the response of a Ping sent behind it, so it needs no knowledge of any action.
"""

import socket

# What a snapshot collector asks; `capture` writes one file per line.
READ_ACTIONS = {
    name: (name,)
    for name in """CoreSettings CoreStatus ListCommands SIPpeers PJSIPShowEndpoints PJSIPShowContacts
    PJSIPShowRegistrationInboundContactStatuses IAXpeerlist SIPshowregistry PJSIPShowRegistrationsOutbound IAXregistry
    CoreShowChannels BridgeList QueueSummary QueueStatus DeviceStateList ExtensionStateList ParkedCalls Parkinglots
    ConfbridgeListRooms VoicemailUsersList""".split()
} | {
    "ConfbridgeList-600": ("ConfbridgeList", "Conference: 600"),
    **{f"DBGetTree-{family}": ("DBGetTree", f"Family: {family}") for family in ("AMPUSER", "DEVICE", "DND", "CF", "CFB", "CFU", "CW")},
}  # fmt: skip


class Ami:
    def __init__(self, port, user, secret):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.buffer = b""
        while b"\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        self.buffer = self.buffer.split(b"\r\n", 1)[1]
        answer = self.ask("Login", f"Username: {user}", f"Secret: {secret}", "Events: off")
        if b"Success" not in answer:
            raise RuntimeError(f"AMI login of {user} refused")

    def ask(self, action, *headers):
        """The raw bytes of everything that the server sent for one action."""
        lines = [
            f"Action: {action}",
            f"ActionID: {action.lower()}-1",
            *headers,
            "",
            "Action: Ping",
            "ActionID: lab-end",
            "",
            "",
        ]
        self.socket.sendall("\r\n".join(lines).encode())
        mark = b"Response: Success\r\nActionID: lab-end\r\n"
        while mark not in self.buffer or not self.buffer.endswith(b"\r\n\r\n"):
            data = self.socket.recv(65536)
            if not data:
                raise RuntimeError(f"AMI closed the connection during {action}")
            self.buffer += data
        answer, _, _ = self.buffer.partition(mark)
        self.buffer = b""
        return answer

    def send(self, *actions):
        """Sends many actions at once and waits until all of them are answered."""
        text = "".join("\r\n".join(action) + "\r\n\r\n" for action in actions)
        self.socket.sendall(text.encode())
        self.ask("Ping")


def capture(port, user, secret, folder):
    """Writes `<Action>.ami` for every read action of a snapshot; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    client = Ami(port, user, secret)
    for name, request in READ_ACTIONS.items():
        (folder / f"{name}.ami").write_bytes(client.ask(*request))
    return len(READ_ACTIONS)
