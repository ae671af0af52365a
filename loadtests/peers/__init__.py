"""Other servers that send one frame to many sockets (同行): what `fanout` is compared with.

Each is the plainest honest use of its library, with the same frames, pace and sockets as ours.
A peer that is not installed is reported as absent.
"""
