"""Mechanism: the selective forwarding unit. Knows no tender. So far its place in the layers."""
