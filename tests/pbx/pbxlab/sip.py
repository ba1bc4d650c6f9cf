"""A small SIP user agent over UDP: one `Line` is one phone (or one provider account).

It registers with digest authentication and keeps the registration, answers OPTIONS, answers or lets
ring what is called, places calls, puts them on hold and transfers them.  There is no audio: Asterisk
needs none to keep a call up.  Every answer is remembered, so that a repeated request gets the same
answer again.
"""

import asyncio
import hashlib
import itertools
import secrets

HOST = "127.0.0.1"
_numbers = itertools.count(1)


class Message:
    """A request or a response: first line, headers in order, body."""

    def __init__(self, start, headers=(), body=""):
        self.start, self.headers, self.body = start, list(headers), body

    @classmethod
    def parse(cls, data):
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        headers = [tuple(part.strip() for part in line.partition(":")[::2]) for line in lines if line]
        return cls(start, headers, body)

    def encode(self):
        body = self.body.encode()
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=""):
        return next(iter(self.all(name)), default)

    @property
    def is_request(self):
        return not self.start.startswith("SIP/2.0 ")

    @property
    def method(self):
        return self.start.split(" ", 1)[0] if self.is_request else self.get("CSeq").split()[-1]

    @property
    def code(self):
        return int(self.start.split(" ", 2)[1])


def parameter(value, name):
    """The value of `;name=...` in a header such as From, Via or Contact."""
    for part in value.split(";")[1:]:
        key, _, text = part.partition("=")
        if key.strip().lower() == name:
            return text.strip()
    return ""


def uri_of(value):
    """`sip:...` out of `"Name" <sip:...>;tag=...`."""
    if "<" in value:
        return value[value.rindex("<") + 1 : value.rindex(">")]
    return value.split(";")[0].strip()


def user_of(value):
    """The user part of the URI in a header or request line."""
    uri = uri_of(value)
    return uri.split(":", 1)[1].split("@")[0] if "@" in uri else ""


def _md5(text):
    return hashlib.md5(text.encode()).hexdigest()


def digest(challenge, user, secret, method, uri):
    """The Authorization value that answers a Digest challenge (MD5, with or without qop)."""
    fields = {}
    for part in challenge.split(" ", 1)[1].split(","):
        key, _, text = part.strip().partition("=")
        fields[key.lower()] = text.strip('"')
    ha1 = _md5(f"{user}:{fields['realm']}:{secret}")
    ha2 = _md5(f"{method}:{uri}")
    answer = f'Digest username="{user}", realm="{fields["realm"]}", nonce="{fields["nonce"]}", uri="{uri}"'
    if "qop" in fields:
        cnonce = secrets.token_hex(8)
        response = _md5(f"{ha1}:{fields['nonce']}:00000001:{cnonce}:auth:{ha2}")
        answer += f', qop=auth, nc=00000001, cnonce="{cnonce}"'
    else:
        response = _md5(f"{ha1}:{fields['nonce']}:{ha2}")
    if "opaque" in fields:
        answer += f', opaque="{fields["opaque"]}"'
    return answer + f', response="{response}", algorithm=MD5'


def md5_challenge(message):
    """The MD5 challenge of a 401 or 407, as (header to answer with, challenge)."""
    for asked, answered in (
        ("WWW-Authenticate", "Authorization"),
        ("Proxy-Authenticate", "Proxy-Authorization"),
    ):
        for challenge in message.all(asked):
            if "algorithm" not in challenge.lower() or "md5" in challenge.lower():
                return answered, challenge
    raise ValueError("no MD5 challenge in " + message.start)


class Call:
    """One dialog: who it is, and what a further request inside it needs."""

    def __init__(self, call_id, local, remote, target, cseq=1):
        self.call_id, self.local, self.remote, self.target, self.cseq = call_id, local, remote, target, cseq
        self.number = ""  # what was dialled, for the control channel
        self.up = False


class Line(asyncio.DatagramProtocol):
    """One phone or provider account with a socket of its own.  `plan` is a dict of plain values:

    user, secret, port        who it is and where it listens
    server                    port of the SIP server
    register                  true: REGISTER and refresh
    also                      further users on the same socket, with their secrets
    options                   "answer", "ignore", or a number of milliseconds to wait before answering
    invite                    "answer" or "ring"
    registrar                 what a REGISTER to us gets: "accept", "forbid", "ignore"
    transport_name, display   cosmetics: User-Agent and caller name
    """

    def __init__(self, plan):
        self.plan = plan
        self.user, self.secret = plan["user"], plan.get("secret", "")
        self.server = (HOST, plan["server"])
        self.users = [self.user, *plan.get("also", {})]
        self.agent = plan.get("agent", "LabPhone/1.0")
        self.calls = {}  # call id -> Call
        self.waiting = {}  # branch -> Future of the final response
        self.answered = {}  # (branch, method) -> bytes already sent
        self.acked = set()  # call ids whose ACK came
        self.registered = set()
        self.socket = None
        self.tasks = set()

    # Plumbing ---------------------------------------------------------------------------------

    async def start(self):
        loop = asyncio.get_running_loop()
        self.socket, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(HOST, self.plan.get("port", 0))
        )
        self.port = self.socket.get_extra_info("sockname")[1]
        if self.plan.get("register"):
            self.spawn(self.keep_registered())

    def spawn(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def credentials(self, user):
        return user, self.plan.get("also", {}).get(user, self.secret)

    def contact(self, user=None):
        return f"<sip:{user or self.user}@{HOST}:{self.port}>"

    def send(self, message, address=None):
        self.socket.sendto(message.encode(), address or self.server)

    async def request(self, method, uri, headers, body="", timeout=8.0, credentials=None):
        """Sends a request until a final response comes; answers one digest challenge on the way.

        Returns the final response.  The CSeq is the first element of `headers`' third item; it is
        raised for the second attempt, as the standard wants.
        """
        headers = list(headers)
        for attempt in range(2):
            branch = "z9hG4bK" + secrets.token_hex(8)
            via = ("Via", f"SIP/2.0/UDP {HOST}:{self.port};branch={branch};rport")
            message = Message(f"{method} {uri} SIP/2.0", [via, ("Max-Forwards", "70"), *headers], body)
            future = asyncio.get_running_loop().create_future()
            future.provisional = False
            self.waiting[branch] = future
            try:
                response = await self._until_answered(message, future, timeout)
            finally:
                self.waiting.pop(branch, None)
            if method == "INVITE" and response.code >= 300:
                self.acknowledge(uri, headers, response, via)
            if response.code not in (401, 407) or attempt:
                return response
            name, challenge = md5_challenge(response)
            user, secret = credentials or (self.user, self.secret)
            headers.append((name, digest(challenge, user, secret, method, uri)))
            cseq = next(i for i, (key, _) in enumerate(headers) if key == "CSeq")
            number = int(headers[cseq][1].split()[0]) + 1
            headers[cseq] = ("CSeq", f"{number} {method}")
        raise AssertionError("unreachable")

    async def _until_answered(self, message, future, timeout):
        wait = 0.5
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            if not future.provisional:
                self.send(message)
            try:
                return await asyncio.wait_for(asyncio.shield(future), wait)
            except TimeoutError:
                wait = min(wait * 2, 4)
                # A ringing call may ring for ever; anything else ends.
                if not future.provisional and asyncio.get_running_loop().time() > deadline:
                    raise

    def acknowledge(self, uri, headers, response, via):
        """ACK of an INVITE's final response (own branch for a 200, the INVITE's for a refusal)."""
        if response.code < 300:
            via = ("Via", f"SIP/2.0/UDP {HOST}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport")
        number = response.get("CSeq").split()[0]
        keep = [(k, v) for k, v in headers if k in ("From", "Call-ID")]
        self.send(
            Message(
                f"ACK {uri} SIP/2.0",
                [via, ("Max-Forwards", "70"), *keep, ("To", response.get("To")), ("CSeq", f"{number} ACK")],
            )
        )

    def datagram_received(self, data, address):
        if len(data) < 12:
            return  # keep-alive
        message = Message.parse(data)
        if not message.is_request:
            future = self.waiting.get(parameter(message.get("Via"), "branch"))
            if future and not future.done():
                if message.code < 200:
                    future.provisional = True
                else:
                    future.set_result(message)
            elif (
                message.method == "INVITE"
                and 200 <= message.code < 300
                and message.get("Call-ID") in self.calls
            ):
                call = self.calls[message.get("Call-ID")]  # our ACK was lost
                self.acknowledge(
                    call.target, [("From", call.local), ("Call-ID", call.call_id)], message, None
                )
            return
        key = (parameter(message.get("Via"), "branch"), message.method)
        if key in self.answered:
            for answer in self.answered[key]:
                self.socket.sendto(answer, address)
            return
        if message.method == "ACK":
            self.acked.add(message.get("Call-ID"))
            return
        getattr(self, "on_" + message.method.lower(), self.on_other)(message, address)

    def error_received(self, error):
        pass  # a port nobody listens on: the lab wants some of those

    def answer(self, request, code, reason, extra=(), body="", address=None, tag=None):
        """Sends a response and remembers it for repeated requests."""
        to = request.get("To")
        if "tag=" not in to and code > 100:
            to += f";tag={tag or 'lab' + secrets.token_hex(4)}"
        headers = [("Via", via) for via in request.all("Via")]
        headers += [
            ("From", request.get("From")),
            ("To", to),
            ("Call-ID", request.get("Call-ID")),
            ("CSeq", request.get("CSeq")),
            ("User-Agent", self.agent),
            *extra,
        ]
        data = Message(f"SIP/2.0 {code} {reason}", headers, body).encode()
        self.answered.setdefault((parameter(request.get("Via"), "branch"), request.method), []).append(data)
        while len(self.answered) > 200:
            self.answered.pop(next(iter(self.answered)))
        self.socket.sendto(data, address or self.server)
        return to

    def sdp(self, direction="sendrecv"):
        return "\r\n".join(
            [
                "v=0",
                f"o=lab {next(_numbers)} {next(_numbers)} IN IP4 {HOST}",
                "s=lab",
                f"c=IN IP4 {HOST}",
                "t=0 0",
                f"m=audio {self.plan.get('rtp', 39998)} RTP/AVP 0 8",
                "a=rtpmap:0 PCMU/8000",
                "a=rtpmap:8 PCMA/8000",
                f"a={direction}",
                "",
            ]
        )

    # Registering ------------------------------------------------------------------------------

    async def keep_registered(self):
        expires = self.plan.get("expires", 600)
        while True:
            for user in self.users:
                await self.register_once(user, expires)
            await asyncio.sleep(expires / 3 if len(self.registered) == len(self.users) else 2)

    async def register_once(self, user, expires):
        headers = [
            ("From", f"<sip:{user}@{HOST}>;tag={secrets.token_hex(4)}"),
            ("To", f"<sip:{user}@{HOST}>"),
            ("Call-ID", f"reg-{user}-{self.port}@lab"),
            ("CSeq", f"{next(_numbers) * 2} REGISTER"),
            ("Contact", self.contact(user)),
            ("Expires", str(expires)),
            ("User-Agent", self.agent),
        ]
        try:
            response = await self.request(
                "REGISTER", f"sip:{HOST}:{self.server[1]}", headers, credentials=self.credentials(user)
            )
        except TimeoutError:
            self.registered.discard(user)
            return
        (self.registered.add if response.code == 200 else self.registered.discard)(user)

    # Calling ----------------------------------------------------------------------------------

    async def call(self, number, caller=None, name=None):
        """Places a call; returns when it is answered or has failed (a call may ring for ever)."""
        user = caller or self.user
        display = f'"{name}" ' if name else ""
        uri = f"sip:{number}@{HOST}:{self.server[1]}"
        call = Call(
            secrets.token_hex(8) + "@lab",
            f"{display}<sip:{user}@{HOST}:{self.port}>;tag={secrets.token_hex(4)}",
            f"<{uri}>",
            uri,
            cseq=10,
        )
        call.number = number
        self.calls[call.call_id] = call
        headers = [
            ("From", call.local),
            ("To", call.remote),
            ("Call-ID", call.call_id),
            ("CSeq", f"{call.cseq} INVITE"),
            ("Contact", self.contact()),
            ("User-Agent", self.agent),
            ("Allow", "INVITE, ACK, CANCEL, BYE, OPTIONS, REFER, NOTIFY, UPDATE"),
            ("Content-Type", "application/sdp"),
        ]
        try:
            response = await self.request(
                "INVITE", uri, headers, self.sdp(), credentials=self.credentials(user)
            )
        except TimeoutError:
            self.calls.pop(call.call_id, None)
            return None
        if response.code >= 300:
            self.calls.pop(call.call_id, None)
            return response.start
        call.cseq += 2
        call.remote, call.up = response.get("To"), True
        call.target = uri_of(response.get("Contact")) or uri
        self.acknowledge(call.target, headers, response, None)
        return response.start

    def within(self, call, method):
        """The headers of a new request inside the dialog."""
        call.cseq += 1
        return [
            ("From", call.local),
            ("To", call.remote),
            ("Call-ID", call.call_id),
            ("CSeq", f"{call.cseq} {method}"),
            ("Contact", self.contact()),
            ("User-Agent", self.agent),
        ]

    def the_call(self):
        for call in self.calls.values():
            if call.up:
                return call
        raise RuntimeError(f"{self.user} is in no call")

    async def hold(self):
        """Puts the line's call on hold: a re-INVITE that only sends."""
        call = self.the_call()
        headers = self.within(call, "INVITE") + [("Content-Type", "application/sdp")]
        response = await self.request("INVITE", call.target, headers, self.sdp("sendonly"))
        call.cseq += 1
        self.acknowledge(call.target, headers, response, None)
        return response.start

    async def transfer(self, number):
        """Transfers the line's call blindly, as the transfer key of a phone does."""
        call = self.the_call()
        headers = self.within(call, "REFER") + [
            ("Refer-To", f"<sip:{number}@{HOST}:{self.server[1]}>"),
            ("Referred-By", self.contact()),
        ]
        response = await self.request("REFER", call.target, headers)
        return response.start

    def on_notify(self, request, address):
        """The news of a transfer: when it has worked, the phone leaves the call."""
        self.answer(request, 200, "OK", address=address)
        call = self.calls.get(request.get("Call-ID"))
        if call and "SIP/2.0 200" in request.body:
            self.calls.pop(call.call_id)
            self.spawn(self.request("BYE", call.target, self.within(call, "BYE")))

    # Being called -----------------------------------------------------------------------------

    def on_options(self, request, address):
        rule = self.plan.get("options", "answer")
        if rule == "ignore":
            return
        delay = rule / 1000 if isinstance(rule, int) else 0
        later = asyncio.get_running_loop().call_later
        later(
            delay, lambda: self.answer(request, 200, "OK", [("Accept", "application/sdp")], address=address)
        )

    def on_register(self, request, address):
        rule = self.plan.get("registrar", "forbid")
        if rule == "ignore":
            return
        if rule == "forbid":
            self.answer(request, 403, "Forbidden", address=address)
        elif not request.get("Authorization"):
            nonce = secrets.token_hex(8)
            self.answer(
                request,
                401,
                "Unauthorized",
                [
                    (
                        "WWW-Authenticate",
                        f'Digest realm="provider.example.test", nonce="{nonce}", algorithm=MD5',
                    )
                ],
                address=address,
            )
        else:
            contact = request.get("Contact")
            expires = parameter(contact, "expires") or request.get("Expires", "3600")
            extra = [("Contact", f"<{uri_of(contact)}>;expires={expires}")] if contact else []
            self.answer(request, 200, "OK", [*extra, ("Expires", expires)], address=address)

    def on_invite(self, request, address):
        call_id = request.get("Call-ID")
        answer = [("Contact", self.contact()), ("Content-Type", "application/sdp")]
        if call_id in self.calls:  # a re-INVITE: whatever Asterisk wants
            call = self.calls[call_id]
            call.target = uri_of(request.get("Contact")) or call.target
            self.answer(request, 200, "OK", answer, self.sdp(), address)
            return
        if self.plan.get("invite") == "ignore":
            return
        tag = "lab" + secrets.token_hex(4)
        self.answer(request, 100, "Trying", address=address)
        to = self.answer(request, 180, "Ringing", [("Contact", self.contact())], address=address, tag=tag)
        call = Call(call_id, to, request.get("From"), uri_of(request.get("Contact")), cseq=100)
        call.number = user_of(request.start.split(" ")[1])
        call.invite = request
        self.calls[call_id] = call
        if self.plan.get("invite", "answer") == "answer":
            call.up = True
            self.answer(request, 200, "OK", answer, self.sdp(), address, tag=tag)
            self.spawn(self.repeat_until_acked(request, address))

    async def repeat_until_acked(self, request, address):
        key = (parameter(request.get("Via"), "branch"), "INVITE")
        for _ in range(10):
            await asyncio.sleep(0.5)
            if request.get("Call-ID") in self.acked:
                return
            self.socket.sendto(self.answered[key][-1], address)

    def on_cancel(self, request, address):
        self.answer(request, 200, "OK", address=address)
        call = self.calls.pop(request.get("Call-ID"), None)
        if call and not call.up:
            tag = parameter(call.local, "tag")
            self.answer(call.invite, 487, "Request Terminated", address=address, tag=tag)

    def on_bye(self, request, address):
        self.calls.pop(request.get("Call-ID"), None)
        self.answer(request, 200, "OK", address=address)

    def on_update(self, request, address):
        body = self.sdp() if request.body else ""
        extra = [("Content-Type", "application/sdp")] if body else []
        self.answer(request, 200, "OK", [("Contact", self.contact()), *extra], body, address)

    def on_other(self, request, address):
        self.answer(request, 200, "OK", address=address)
