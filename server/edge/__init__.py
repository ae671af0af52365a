"""Edges (边缘进程): further processes that serve viewers, and what the rooms' own process does for
them.

`app` is a whole edge; `gateway` and `feed` are its answers to signaling; `positions` is what it
knows of the owner. `owner_side` runs beside the rooms. Invariant: an edge holds nothing that
cannot be asked again, takes no command, and hears of public channels only.
"""
