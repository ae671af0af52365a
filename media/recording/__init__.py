"""Recording (录像): an RTP journal first, a playable file made from it second.

Invariant: nothing here decodes, and nothing here knows a role; who is recorded is decided above.
"""
