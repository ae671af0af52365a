"""Mechanism: the selective forwarding unit. Knows no tender. Nothing stands here yet but its place in the layers."""
