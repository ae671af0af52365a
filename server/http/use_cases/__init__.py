"""What can be asked over HTTP (用例): one file for each thing, named by what is asked.

Invariant: every ``handle(request, front, actor)`` here stands in ``server.http.routes`` and runs
behind its door (``guard.admitted``); none of them answers a refusal itself, they raise it.
"""
