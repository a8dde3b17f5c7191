"""A fleet of simulated agents, for trying, testing and measuring a server. It knows the wire and nothing of `core`.

`fleet.Fleet` runs what `options.Options` describe; `command.simulate` is the command. Nothing is imported here, so
that the command's help comes quickly.
"""
