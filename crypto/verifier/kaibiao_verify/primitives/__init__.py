"""The cryptography of a bundle in plain Python (密码原语), one primitive per file.

Nothing here knows a tender or a file format, and nothing here handles a secret that still matters:
every key in a bundle is public by the time it is checked, so plain integers without constant-time
care are in order. Each file is checked against the vectors of its own standard.
"""
