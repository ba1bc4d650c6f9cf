"""Writes the configuration of one server, in the shape in which FreePBX writes its own.

`write(pbx, server)` fills `server.etc` with Asterisk's files, makes the TLS certificate, and puts
FreePBX's entries (AMPUSER, DEVICE, DND, CF, CW) into the AstDB file before Asterisk opens it.
"""

import array
import math
import sqlite3
import subprocess
import wave

from .dialplan import extensions_conf
from .model import AMI_USERS

# Modules that would open ports, look for hardware or wait for databases.
UNWANTED = """app_voicemail_imap app_voicemail_odbc cdr_csv cdr_pgsql cdr_odbc cdr_radius cdr_tds cdr_adaptive_odbc
cel_pgsql cel_odbc cel_radius cel_tds chan_alsa chan_console chan_dahdi chan_mgcp chan_mobile chan_motif
chan_oss chan_phone chan_rtp chan_skinny chan_unistim chan_vpb codec_dahdi pbx_dundi pbx_lua pbx_ael res_ari
res_config_ldap res_config_odbc res_config_pgsql res_config_mysql res_odbc res_hep res_http_websocket_client
res_phoneprov res_snmp res_xmpp res_calendar res_corosync res_timing_dahdi res_pjsip_phoneprov_provider
res_prometheus res_geolocation"""


def write(pbx, server):
    """Writes everything that the server needs before it starts."""
    for folder in (server.etc, server.run, server.log, server.data, server.spool, server.moh):
        folder.mkdir(parents=True, exist_ok=True)
    files = {
        "asterisk.conf": asterisk_conf(server),
        "modules.conf": "[modules]\nautoload=yes\n"
        + "".join(f"noload={name}.so\n" for name in UNWANTED.split()),
        "logger.conf": "[general]\n[logfiles]\nmessages => notice,warning,error\n",
        "manager.conf": manager_conf(server),
        "rtp.conf": f"[general]\nrtpstart={server.rtp[0]}\nrtpend={server.rtp[1]}\n",
        "pjsip.conf": pjsip_conf(pbx, server),
        "iax.conf": iax_conf(pbx, server),
        "queues.conf": queues_conf(pbx),
        "musiconhold.conf": f"[default]\nmode=files\ndirectory={server.inside(server.moh)}\n",
        "res_parking.conf": "[general]\nparkeddynamic=no\n[default]\nparkext=70\nparkpos=71-78\ncontext=parkedcalls\n"
        "parkinghints=yes\nparkingtime=86400\nfindslot=next\n",
        "confbridge.conf": "[general]\n[default_user]\ntype=user\nquiet=yes\nmusic_on_hold_when_empty=yes\n"
        "[default_bridge]\ntype=bridge\n",
        "extensions.conf": extensions_conf(pbx),
        "voicemail.conf": voicemail_conf(pbx),
        "http.conf": "[general]\nenabled=no\n",
        "cdr.conf": "[general]\nenable=yes\n",
        "features.conf": "[general]\n[featuremap]\n",
        "indications.conf": "[general]\ncountry=us\n[us]\nringcadence=2000,4000\ndial=350+440\nbusy=480+620/500,0/500\n"
        "ring=440+480/2000,0/4000\ncongestion=480+620/250,0/250\n",
    }
    if server.version < 21:
        files["sip.conf"] = sip_conf(pbx, server)
    for name, text in files.items():
        (server.etc / name).write_text(text, encoding="utf-8")
    write_certificate(server)
    write_music(server.moh / "tone.wav")
    write_astdb(pbx, server)


def asterisk_conf(server):
    folders = {
        "astetcdir": server.etc,
        "astmoddir": server.modules,
        "astvarlibdir": server.data,
        "astdbdir": server.data,
        "astkeydir": server.data,
        "astspooldir": server.spool,
        "astrundir": server.run,
        "astlogdir": server.log,
    }
    lines = [f"{name} => {server.inside(path)}" for name, path in folders.items()]
    return (
        "[directories]\n"
        + "\n".join(lines)
        + "\nastdatadir => /usr/share/asterisk\nastagidir => /usr/share/asterisk/agi-bin\n"
        f"[options]\nsystemname = pbx{server.version}\ndocumentation_language = en_US\nverbose = 0\nnocolor = yes\n"
    )


def manager_conf(server):
    text = (
        f"[general]\nenabled=yes\nport={server.ami_port}\nbindaddr=127.0.0.1\ndisplayconnects=no\n"
        f"tlsenable=yes\ntlsbindaddr=127.0.0.1:{server.tls_port}\ntlscertfile={server.inside(server.etc / 'ami.pem')}\n"
        f"tlsprivatekey={server.inside(server.etc / 'ami.pem')}\n"
    )
    for user, (secret, classes) in AMI_USERS.items():
        text += (
            f"\n[{user}]\nsecret={secret}\ndeny=0.0.0.0/0.0.0.0\npermit=127.0.0.1/255.255.255.255\nread=\n"
            f"write={classes}\nwritetimeout=5000\nallowmultiplelogin=yes\n"
        )
    return text


def escape(text):
    """A semicolon begins a comment in Asterisk's files."""
    return text.replace(";", "\\;")


def pjsip_conf(pbx, server):
    transport = "127.0.0.1-udp"
    sections = [
        ("global", "type=global", f"user_agent=FPBX-Lab({server.version})", "keep_alive_interval=90"),
        # Quick timers: a provider that is silent is known as such after 6 seconds instead of 32.
        ("system", "type=system", "timer_t1=100", "timer_b=6400"),
        (
            transport,
            "type=transport",
            "protocol=udp",
            f"bind=127.0.0.1:{server.pjsip_port}",
            "allow_reload=yes",
        ),
    ]
    common = [
        "type=endpoint", "disallow=all", "allow=ulaw,alaw", "direct_media=no", "rtp_symmetric=yes", "rewrite_contact=yes",
        "force_rport=yes", "dtmf_mode=rfc4733", "language=en", "media_address=127.0.0.1", "bind_rtp_to_media_address=yes",
        f"transport={transport}",
    ]  # fmt: skip
    for extension, phone in pbx.phones:
        if phone.tech != "pjsip":
            continue
        device = phone.device
        endpoint = [*common, f"aors={device}", f"auth={device}-auth", "context=from-internal", f"callerid={escape(extension.name)} <{extension.number}>",
                    "trust_id_inbound=yes", "send_connected_line=yes", "device_state_busy_at=0"]  # fmt: skip
        if phone.webrtc:
            endpoint += ["webrtc=yes", "dtls_auto_generate_cert=yes"]
        sections += [
            (device, *endpoint),
            (
                device,
                "type=aor",
                f"max_contacts={max(phone.contacts, 1) + (phone.contacts > 1)}",
                "remove_existing=yes" if phone.contacts < 2 else "remove_existing=no",
                f"qualify_frequency={phone.qualify}",
            ),
            (
                f"{device}-auth",
                "type=auth",
                "auth_type=userpass",
                f"username={device}",
                f"password={phone.secret}",
            ),
        ]
        if phone.contacts and not phone.shared:
            sections.append(
                (
                    f"{device}-identify",
                    "type=identify",
                    f"endpoint={device}",
                    f"match=127.0.0.1:{server.phone_port(pbx, phone)}",
                )
            )
    for trunk in pbx.trunks:
        if trunk.tech != "pjsip":
            continue
        name = trunk.name
        provider = f"sip:127.0.0.1:{trunk.port}"
        endpoint = [*common, f"aors={name}", "context=from-pstn", "send_pai=yes"]
        auth = ("type=auth", "auth_type=userpass", f"username={trunk.user}", f"password={trunk.secret}")
        if trunk.registers:
            sections.append((
                name, "type=registration", f"transport={transport}", f"outbound_auth={name}", "auth_rejection_permanent=no",
                f"server_uri={provider}", f"client_uri=sip:{trunk.user}@127.0.0.1:{trunk.port}", "retry_interval=60",
                "forbidden_retry_interval=10", "fatal_retry_interval=30", f"max_retries={trunk.max_retries}", "expiration=3600",
            ))  # fmt: skip
        if trunk.receives:
            auth = ("type=auth", "auth_type=userpass", f"username={name}", f"password={trunk.secret}")
            sections += [
                (name, *endpoint, f"auth={name}"),
                (name, *auth),
                (
                    name,
                    "type=aor",
                    "max_contacts=1",
                    "remove_existing=yes",
                    f"qualify_frequency={trunk.qualify}",
                ),
            ]
            continue
        if trunk.registers:
            endpoint.append(f"outbound_auth={name}")
            sections.append((name, *auth))
        contact = f"sip:{trunk.user}@127.0.0.1:{trunk.port}" if trunk.registers else provider
        sections += [
            (name, *endpoint),
            (name, "type=aor", f"contact={contact}", f"qualify_frequency={trunk.qualify}"),
            (name, "type=identify", f"endpoint={name}", f"match=127.0.0.1:{trunk.port}"),
        ]
    return "".join(f"[{name}]\n" + "\n".join(lines) + "\n\n" for name, *lines in sections)


def sip_conf(pbx, server):
    text = (
        f"[general]\nudpbindaddr=127.0.0.1:{server.sip_port}\ntcpenable=no\ncontext=from-sip-external\nallowguest=no\n"
        "alwaysauthreject=yes\ncallcounter=yes\ndirectmedia=no\nregistertimeout=10\nregisterattempts=0\nminexpiry=30\n"
    )
    for trunk in pbx.trunks:
        if trunk.tech == "sip" and trunk.registers:
            text += f"register=>{trunk.user}:{trunk.secret}@127.0.0.1:{trunk.port}/4930100200\n"
    for extension, phone in pbx.phones:
        if phone.tech == "sip":
            qualify = {0: "no", 60: "yes"}.get(phone.qualify, phone.qualify)
            text += (
                f"\n[{phone.device}]\ntype=friend\nhost=dynamic\nsecret={phone.secret}\ncontext=from-internal\nqualify={qualify}\n"
                f"qualifyfreq=10\ncallerid={escape(extension.name)} <{extension.number}>\ndisallow=all\nallow=ulaw,alaw\nnat=force_rport,comedia\n"
            )
    for trunk in pbx.trunks:
        if trunk.tech == "sip":
            text += (
                f"\n[{trunk.name}]\ntype=peer\nhost=127.0.0.1\nport={trunk.port}\ndefaultuser={trunk.user}\nremotesecret={trunk.secret}\n"
                f"insecure=port,invite\nqualify=yes\nqualifyfreq=10\ncontext=from-trunk-sip-{trunk.name}\ndisallow=all\nallow=ulaw,alaw\n"
            )
    return text


def iax_conf(pbx, server):
    text = f"[general]\nbindport={server.iax_port}\nbindaddr=127.0.0.1\ncalltokenoptional=0.0.0.0/0.0.0.0\nminregexpire=60\n"
    for trunk in pbx.trunks:
        if trunk.tech == "iax2" and trunk.registers:
            text += f"register=>{trunk.user}:{trunk.secret}@127.0.0.1:{trunk.port}\n"
    for _, phone in pbx.phones:
        if phone.tech == "iax2":
            text += f"\n[{phone.device}]\ntype=friend\nhost=dynamic\nsecret={phone.secret}\ncontext=from-internal\nqualify=yes\nrequirecalltoken=no\n"
    for trunk in pbx.trunks:
        if trunk.tech != "iax2":
            continue
        if trunk.receives:
            text += f"\n[{trunk.name}]\ntype=friend\nhost=dynamic\nsecret={trunk.secret}\ncontext=from-trunk-iax2-{trunk.name}\nqualify=no\nrequirecalltoken=no\n"
            continue
        text += (
            f"\n[{trunk.name}]\ntype=peer\nhost=127.0.0.1\nport={trunk.port}\nusername={trunk.user}\nsecret={trunk.secret}\n"
            f"qualify=yes\nqualifyfreqok=10000\nqualifyfreqnotok=5000\ncontext=from-trunk-iax2-{trunk.name}\nrequirecalltoken=no\n"
        )
    return text


def queues_conf(pbx):
    text = "[general]\npersistentmembers=no\nautofill=yes\nmonitor-type=MixMonitor\nshared_lastcall=yes\n"
    for queue in pbx.queues:
        text += (
            f"\n[{queue.name}]\nstrategy={queue.strategy}\ntimeout=86400\nretry=5\nwrapuptime=0\nringinuse=no\njoinempty=yes\n"
            "leavewhenempty=no\nservicelevel=60\nweight=0\nmusicclass=default\nannounce-frequency=0\nmaxlen=0\n"
        )
        for member in queue.members:
            if not member.dynamic:
                interface, state = member_interface(member)
                text += (
                    f"member={interface},{member.penalty},{member.name}"
                    + (f",{state}" if state else "")
                    + "\n"
                )
    return text


def member_interface(member):
    """(interface, state interface) as FreePBX names them."""
    if member.interface:
        return member.interface, ""
    return f"Local/{member.extension}@from-queue/n", f"hint:{member.extension}@ext-local"


def voicemail_conf(pbx):
    """Mailboxes of the first two extensions (Asterisk 16 of Debian has no app_voicemail and reads none)."""
    boxes = [f"{e.number} => 4711,{e.name},{e.number}@example.test" for e in pbx.extensions[:2]]
    return "[general]\nformat=wav\n[default]\n" + "\n".join(boxes) + "\n"


def astdb_entries(pbx):
    for extension in pbx.extensions:
        number = extension.number
        yield f"/AMPUSER/{number}/cidname", extension.name
        yield f"/AMPUSER/{number}/cidnum", number
        yield f"/AMPUSER/{number}/device", "&".join(phone.device for phone in extension.phones)
        yield f"/AMPUSER/{number}/voicemail", "novm"
        yield f"/AMPUSER/{number}/ringtimer", "0"
        if extension.call_waiting:
            yield f"/CW/{number}", "ENABLED"
        if extension.dnd:
            yield f"/DND/{number}", "YES"
        for family, target in extension.forward.items():
            yield f"/{family}/{number}", target
        for phone in extension.phones:
            yield f"/DEVICE/{phone.device}/default_user", number
            yield f"/DEVICE/{phone.device}/dial", phone.dial
            yield f"/DEVICE/{phone.device}/tech", phone.tech
            yield f"/DEVICE/{phone.device}/type", "fixed"
            yield f"/DEVICE/{phone.device}/user", number


def write_astdb(pbx, server):
    path = server.data / "astdb.sqlite3"
    path.unlink(missing_ok=True)
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE astdb(key VARCHAR(256), value VARCHAR(256), PRIMARY KEY(key))")
        database.executemany("INSERT INTO astdb VALUES(?, ?)", astdb_entries(pbx))
    database.close()


def write_certificate(server):
    """A self-signed certificate for AMI over TLS, key and certificate in one file."""
    key, certificate = server.etc / "ami.key", server.certificate
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=pbx.example.test", "-addext",
         "subjectAltName=DNS:pbx.example.test,IP:127.0.0.1", "-keyout", str(key), "-out", str(certificate)],
        check=True, capture_output=True,
    )  # fmt: skip
    (server.etc / "ami.pem").write_text(certificate.read_text() + key.read_text())
    key.unlink()


def write_music(path):
    """Two seconds of a quiet tone, so that music on hold has something to play."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(array.array("h", (int(900 * math.sin(i * 0.34)) for i in range(16000))).tobytes())
