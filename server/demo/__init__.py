"""The demo (演示): a seeded tender, real bid files, and people who behave like people.

`world` is the cast and its tenders, `files` makes bid documents, `people` are clients of the
real protocol, `bidder_process` is one bidder in its own process, `auto` plays a whole opening
headless, `live` is `make run`.
"""
