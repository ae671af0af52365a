"""Mechanism: who is connected, in which order, with nothing lost (信令). Knows no tender."""
