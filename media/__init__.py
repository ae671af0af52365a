"""Mechanism: the selective forwarding unit. Knows no tender. So far only its place in the layers."""
