"""Decryption (解密): the host halves found, the forms opened at once, the large envelopes behind
them.

Pure computing on bytes in a small thread pool; the rooms hand in `server.domain.due` work and
journal the reports.
"""
