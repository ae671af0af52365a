"""Mechanism: who is connected, in which order, with nothing lost. Knows no tender (see ARCHITECTURE.md)."""
