"""The dialplan: contexts and macros named and nested as FreePBX nests them, written from scratch.

What matters for a snapshot is where channels stand: a call to an extension waits in `macro-dial-one`
at exten `s`, an outbound one in `macro-dialout-trunk`, a queue caller in `ext-queues` at the queue's
number, an agent's Local leg in `macro-dial-one` too, a caller of the menu in `ivr-1`.  Asterisk 16 gets
`Macro(name,...)`, Asterisk 22 (which has no app_macro) the same contexts through `Gosub`.
"""

import re

FIXED = """
[from-internal]
include => from-internal-xfer
include => bad-number

[from-internal-xfer]
include => ext-local
include => ext-group
include => ext-queues
include => ext-meetme
include => app-echo-test
include => app-vmmain
include => parkedcalls
include => outbound-allroutes

[bad-number]
exten => _[*0-9].,1,Congestion(10)

[from-trunk]
include => from-pstn

[from-pstn]
include => ext-did

[from-did-direct]
include => ext-local

[from-queue]
exten => _X.,1,Set(__FROMQ=true)
 same => n,Goto(from-internal,${EXTEN},1)

[ivr-1]
exten => s,1,Set(IVR_CONTEXT=ivr-1)
 same => n,Answer()
 same => n(start),WaitExten(86400)
exten => 1,1,Goto(ext-queues,400,1)
exten => t,1,Hangup()

[app-echo-test]
exten => *43,1,Answer()
 same => n,CALL(user-callerid)
 same => n,Echo()

[app-vmmain]
exten => *97,1,Answer()
 same => n,CALL(user-callerid)
 same => n,WaitExten(86400)

[outbound-allroutes]
include => outrt-1
include => outrt-2
include => outrt-3

[outrt-1]
exten => _9X.,1,CALL(user-callerid)
 same => n,Set(OUTCID=+4930100100)
 same => n,CALL(dialout-trunk,1,${EXTEN:1},,off)
 same => n,Hangup()

[outrt-2]
exten => _8X.,1,CALL(user-callerid)
 same => n,CALL(dialout-trunk,2,${EXTEN:1},,off)
 same => n,Hangup()

; A trunk on which FreePBX's "display dialled number" is off: the callee's number is only in Dial's arguments.
[outrt-3]
exten => _7X.,1,CALL(user-callerid)
 same => n,Set(KEEPLINE=yes)
 same => n,CALL(dialout-trunk,3,${EXTEN:1},,off)
 same => n,Hangup()

[macro-user-callerid]
exten => s,1,Set(AMPUSER=${DB(DEVICE/${CALLERID(num)}/user)})
 same => n,GotoIf($["${AMPUSER}" = ""]?done)
 same => n,Set(CALLERID(num)=${AMPUSER})
 same => n,Set(CALLERID(name)=${DB(AMPUSER/${AMPUSER}/cidname)})
 same => n(done),RETURN

[macro-exten-vm]
exten => s,1,CALL(user-callerid)
 same => n,Set(EXTTOCALL=${ARG2})
 same => n,Set(DIALED=${ARG2})
 same => n,CALL(dial-one,,HhTtr,${EXTTOCALL})
 same => n,RETURN

; Rings every device of one user.
[macro-dial-one]
exten => s,1,Set(DEXTEN=${ARG3})
 same => n,Set(DSTRING=)
 same => n,GotoIf($["${DB(DND/${DEXTEN})}" = "YES"]?nodial)
 same => n,GotoIf($["${DB(CF/${DEXTEN})}" != ""]?forward)
 same => n,Set(DEVICES=${DB(AMPUSER/${DEXTEN}/device)})
 same => n,Set(ITER=1)
 same => n(begin),Set(THISDIAL=${DB(DEVICE/${CUT(DEVICES,&,${ITER})}/dial)})
 same => n,ExecIf($["${THISDIAL:0:5}" = "PJSIP"]?Set(THISDIAL=${PJSIP_DIAL_CONTACTS(${THISDIAL:6})}))
 same => n,ExecIf($["${THISDIAL}" != ""]?Set(DSTRING=${DSTRING}&${THISDIAL}))
 same => n,Set(ITER=$[${ITER} + 1])
 same => n,GotoIf($[${ITER} <= ${FIELDQTY(DEVICES,&)}]?begin)
 same => n,GotoIf($["${DSTRING}" = ""]?nodial)
 same => n,Dial(${DSTRING:1},${ARG1},${ARG2})
 same => n(nodial),RETURN
 same => n(forward),Dial(Local/${DB(CF/${DEXTEN})}@from-internal/n,${ARG1},${ARG2})
 same => n,RETURN

; Rings every device of several users (101-102-103): the ring groups.
[macro-dial]
exten => s,1,Set(DSTRING=)
 same => n,Set(ITER=1)
 same => n(begin),Set(THISDIAL=${PJSIP_DIAL_CONTACTS(${CUT(ARG3,-,${ITER})})})
 same => n,ExecIf($["${THISDIAL}" != ""]?Set(DSTRING=${DSTRING}&${THISDIAL}))
 same => n,Set(ITER=$[${ITER} + 1])
 same => n,GotoIf($[${ITER} <= ${FIELDQTY(ARG3,-)}]?begin)
 same => n,Dial(${DSTRING:1},${ARG1},${ARG2})
 same => n,RETURN

; As in FreePBX the route's caller ID replaces the extension's on the caller's own channel.
[macro-outbound-callerid]
exten => s,1,GotoIf($["${OUTCID}" = ""]?done)
 same => n,Set(CALLERID(num)=${OUTCID})
 same => n,Set(CALLERID(name)=)
 same => n(done),RETURN

[macro-dialout-trunk]
exten => s,1,Set(DIAL_TRUNK=${ARG1})
 same => n,Set(OUTNUM=${ARG2})
 same => n,CALL(outbound-callerid,${DIAL_TRUNK})
 same => n,GotoIf($["${KEEPLINE}" = "yes"]?dial)
 same => n,Set(CONNECTEDLINE(num,i)=${OUTNUM})
 same => n,Set(CONNECTEDLINE(name,i)=CID:${CALLERID(num)})
 same => n(dial),Set(OUT=${OUT_${DIAL_TRUNK}})
 same => n,GotoIf($["${OUT:0:5}" = "PJSIP"]?pjsip)
 same => n,Dial(${OUT}/${OUTNUM},300,T)
 same => n,RETURN
 same => n(pjsip),Dial(PJSIP/${OUTNUM}@${OUT:6},300,T)
 same => n,RETURN
"""


def extensions_conf(pbx):
    """extensions.conf of a PBX."""
    parts = ["[general]\nstatic=yes\nwriteprotect=yes\nautofallthrough=yes\n\n[globals]"]
    parts += [
        f"OUT_{trunk.outbound}={trunk.tech.upper()}/{trunk.name}" for trunk in pbx.trunks if trunk.outbound
    ]
    parts.append(FIXED)
    parts.append("[ext-local]")
    for extension in pbx.extensions:
        number = extension.number
        devices = "&".join([phone.dial for phone in extension.phones] + [f"Custom:DND{number}"])
        parts.append(f"exten => {number},1,CALL(exten-vm,novm,{number},0,0,0)\n same => n,Hangup()")
        parts.append(f"exten => {number},hint,{devices},CustomPresence:{number}")
    # Hints of feature codes, which are not extensions.
    parts.append("\n[ext-dnd-hints]")
    parts += [f"exten => *76{e.number},hint,Custom:DEVDND{e.number}" for e in pbx.extensions[:5]]
    parts.append("\n[ext-group]")
    for number, members in pbx.ring_groups.items():
        parts.append(
            f"exten => {number},1,CALL(user-callerid)\n same => n,Set(RingGroupMethod=ringall)\n"
            f" same => n,CALL(dial,,HhTtr,{'-'.join(members)})\n same => n,Hangup()"
        )
    parts.append("\n[ext-queues]")
    for queue in pbx.queues:
        parts.append(
            f"exten => {queue.name},1,CALL(user-callerid)\n same => n,Answer()\n same => n,Set(__NODEST={queue.name})\n"
            f" same => n,Queue({queue.name},t,,)\n same => n,Hangup()"
        )
    parts.append("\n[ext-meetme]")
    for room in pbx.conferences:
        parts.append(
            f"exten => {room},1,CALL(user-callerid)\n same => n,Set(MEETME_ROOMNUM={room})\n"
            f" same => n,Answer()\n same => n,Goto(STARTMEETME,1)"
        )
    parts.append("exten => STARTMEETME,1,ConfBridge(${MEETME_ROOMNUM},,,)\n same => n,Hangup()")
    parts.append("\n[ext-did]")
    for did, target in pbx.inbound.items():
        parts.append(f"exten => {did},1,Set(__FROM_DID=${{EXTEN}})\n same => n,Goto({target})")
    for trunk in pbx.trunks:
        if trunk.tech != "pjsip":
            parts.append(f"\n[from-trunk-{trunk.tech}-{trunk.name}]\ninclude => from-trunk")
    parts.append(pbx.extra_dialplan)
    return _for_version("\n".join(parts) + "\n", pbx.version)


def _for_version(text, version):
    """Writes CALL(name,args) and RETURN as this version's Macro or Gosub."""
    if version < 21:
        return re.sub(r"\bCALL\(", "Macro(", text).replace(",RETURN\n", ",MacroExit()\n")
    lines = []
    for line in text.split("\n"):
        found = re.search(r",CALL\(([a-z-]+),?(.*)\)$", line)
        if found:
            line = line[: found.start()] + f",Gosub(macro-{found[1]},s,1({found[2]}))"
        lines.append(re.sub(r",RETURN$", ",Return()", line))
    return "\n".join(lines)
