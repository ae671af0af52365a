"""The verifier's own package (验证程序): standard library only, nothing of the project.

Start with `verification`: it calls every step in order, one noun a file. `cli` is the command,
`words` and `texts_*` the report in words, `primitives` the cryptography in plain Python.
"""
