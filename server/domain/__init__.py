"""Every rule of the procedure (程序规则), one noun per file. Pure.

No clock, no randomness, no waiting.

`tender` until its deadline, `opening` after it, `registry` for who is who; `commands` and
`events` are what goes in and comes out, `roles` who may ask, `log_entries` what the site log is
told, `due` what a state waits for.
"""
