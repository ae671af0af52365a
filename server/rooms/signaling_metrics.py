"""What signaling allows to be seen (信令指标), for Prometheus; the same in every process."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from signaling.server import SignalingServer


def signaling_families(signaling: SignalingServer) -> Iterator[Metric]:
    """What signaling allows to be seen at any time; a name may carry one label."""
    families: dict[str, GaugeMetricFamily] = {}
    for name, value in signaling.metrics.exported().items():
        base, _, rest = name.partition("{")
        label, _, said = rest.rstrip("}").partition("=")
        family = families.setdefault(
            base,
            GaugeMetricFamily(f"kaibiao_{base}", "signaling", labels=[label] if label else []),
        )
        family.add_metric([said.strip('"')] if label else [], value)
    yield from families.values()
