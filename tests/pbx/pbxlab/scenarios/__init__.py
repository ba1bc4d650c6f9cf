"""The scenarios: a module each, with

build(server)              the `Pbx`
arrange(pbx, server)       sets states and places the calls, once phones and providers are registered
place_calls(pbx, server)   places the calls (again, after `lab hangup`)
lines(pbx, server)         optional: what the phone process plays, if not what the `Pbx` says by itself
problem(pbx, server)       what is not yet as it should be, in words; empty when all is settled
"""
