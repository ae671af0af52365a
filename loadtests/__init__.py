"""Load tests (压力测试): simulated bidders and viewers against the real server, on loopback only.

Each `python -m loadtests.<name> [--json] [--small]` starts the real server as a process of its own,
drives it from other processes over real sockets, and measures bare loops and peers in the same run
on the same data. Everything is bounded and stops by itself. Figures of different runs are not
comparable on a shared machine; ratios within one run are. What each one says: docs/performance.md.
"""
