"""Bytes in, bytes out: sealing, identities, log, draws. No I/O but the randomness of keys."""
