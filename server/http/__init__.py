"""The hall's HTTP side (网络接口): one route table, tus uploads, sessions, static pages, health.

Invariant: aiohttp is imported here and nowhere else in the server, and nothing here decides what is
lawful: a request is checked for shape, size, origin and person, handed to the ``Hall``
(``ports``), and the answer or the refusal is written down. Start reading at ``routes``.
"""
