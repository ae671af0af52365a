"""What outlives the process: the journal (事件日志), the site log (存证日志), blobs and snapshots.

Invariant: nothing here decides anything. Callers bring rows, entries and bytes that are already
right; this package makes them durable in order, and gives them back unchanged or not at all.
Start reading at ``journal``.
"""
