"""What can be planted into claims and thresholds; the families that use them are in plants.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ground import Patch

if TYPE_CHECKING:
    import random

    from ground import Ground, Where

    from bayplan.model.names import Name

_BANDS = (("bands", "memory"), "70%..85%")


def claim(ground: Ground, rule: str, value: dict[str, Any]) -> Patch:
    """Return a claim at the end of those that there are."""
    said = ground.tree.get("expect")
    return Patch(rule, ("expect", len(said.value) if said is not None else 0), value)


def wrong_sum(rng: random.Random, ground: Ground) -> Patch:
    """A figure that is not so, in one of the forms that claims have."""
    node = f"node/{rng.choice(sorted(ground.policy.to_be.nodes))}"
    forms: list[dict[str, Any]] = [
        {"of": node, "memory": f"{rng.randint(90, 900)}TiB"},
        {"of": node, "memory": f"{rng.randint(300, 900)}%"},
        {"of": node, "cpus": f"{rng.randint(7000, 8000)}..{rng.randint(8000, 9000)}"},
        {"of": node, "reserve.memory": f"{rng.randint(90, 900)}TiB"},
        {"of": "fleet", "capacity.gpus": rng.randint(7000, 9000)},
        {"of": "services", "gpus": f">= {rng.randint(7000, 9000)}"},
        {"of": "services", "scale": "max", "copies": rng.randint(700_000, 900_000)},
        {"of": "services", "memory": {"measured": f"{rng.randint(90, 900)}TiB of 7 services"}},
        {"of": "services", "qos": rng.choice([["besteffort"], "besteffort"])},
        {"of": node, "saves": {"memory": f"{rng.randint(90, 900)}TiB"}},
    ]
    limited = [one for one in ground.policy.to_be.active() if "memory" in one.limits]
    if limited:
        forms.append({"of": f"service/{rng.choice(limited).name}", "headroom.memory": f"{rng.randint(40, 50)}..99"})
    return claim(ground, "claims/wrong", rng.choice(forms))


def nobody(rng: random.Random, ground: Ground) -> Patch:
    """A claim about somebody, or an environment, that is not there."""
    kind = rng.choice(["node", "tier", "pool", "service", "env"])
    name = f"zz{rng.randint(100, 999)}"
    about = {"of": "services", "env": name} if kind == "env" else {"of": f"{kind}/{name}"}
    return claim(ground, "claims/who", {**about, "memory": "1GiB"})


def never(rng: random.Random, ground: Ground) -> Patch:
    """A claim about a stage that never comes."""
    return claim(ground, "claims/when", {"at": f"stage-{rng.randint(100, 999)}", "of": "services", "memory": "1GiB"})


def two_readings(rng: random.Random, ground: Ground) -> Patch:
    """An amount that can be read in two ways, or in none."""
    value = rng.choice([f"{rng.randint(1, 99)}G", f"{rng.randint(1, 99)}GB", "lots", "<= 7 apples"])
    return claim(ground, "claims/unreadable", {"of": "services", "limits.memory": value})


def in_words(rng: random.Random, ground: Ground) -> Patch:
    """A promise that nothing proves."""
    what = rng.choice(["faster", "more stable", "cheaper", "happier"])
    return claim(ground, "claims/not-computable", {"of": "fleet", "claims": f"{rng.randint(10, 90)} % {what}"})


def total_of_parts(rng: random.Random, ground: Ground) -> Patch | None:
    """A saving of a node that is not what is claimed of the one service under it."""
    before, after = ground.policy.as_is, ground.policy.to_be
    standing = {copy.service: node for copy, node in before.standing.items()}
    cut: list[tuple[Name, int]] = []
    for service in after.active():
        old = before.services.get(service.name)
        was, now = old and old.limits.get("memory"), service.limits.get("memory")
        plain = not (service.placement.node or service.gpu) and service.replicas.count == 1
        if old and was and now and plain and old.replicas.count == 1 and service.name in standing:
            cut.append((service.name, was.amount - now.amount))
    cut = [(name, less) for name, less in cut if less > 0 and not less % 2**20]
    if not cut:
        return None
    name, less = rng.choice(cut)
    total = {"of": f"node/{standing[name]}", "saves": {"memory": f"{rng.randint(90, 900)}TiB"}}
    part = {"of": f"service/{name}", "saves": {"memory": f"{less // 2**20}MiB"}}
    said = ground.tree.get("expect")
    last = len(said.value) if said is not None else 0
    stage = _stage(ground)
    return Patch("savings/parts", ("expect", last + (stage is None)), total, ((stage or ("expect", last), part),))


def _stage(ground: Ground) -> Where | None:
    """Return where a claim of the first stage that changes limits is appended, if there are stages."""
    rollout = ground.tree.get("rollout")
    stages = rollout.get("stages") if rollout is not None else None
    for number, stage in enumerate(stages or ()):
        if {"resize", "recreate"} & {one.string for one in stage.value["changes"]}:
            said = stage.get("expect")
            return ("rollout", "stages", number, "expect", len(said.value) if said is not None else 0)
    return None


def never_fires(rng: random.Random, _: Ground) -> Patch:
    """A line above all there is."""
    path: Where = ("alerts", rng.choice(["node.memory", "node.cpus", "service.memory"]), "warning")
    return Patch("thresholds/never-fires", path[:2], {"warning": f"{rng.randint(101, 300)}%"})


def inside_band(rng: random.Random, _: Ground) -> Patch:
    """An alert inside of what is wished for."""
    path: Where = ("alerts", "node.memory")
    value = {"warning": f"{rng.randint(20, 84)}%", "critical": f"{rng.randint(93, 99)}%"}
    return Patch("thresholds/inside-band", path, value, (_BANDS,))


def band_reversed(rng: random.Random, _: Ground) -> Patch:
    """A band from its end to its beginning."""
    value = f"{rng.randint(60, 99)}%..{rng.randint(10, 59)}%"
    return Patch("thresholds/band-reversed", ("bands", rng.choice(["gpu", "disk"])), value)


def too_long(rng: random.Random, _: Ground) -> Patch:
    """A rate that has to last longer than it is counted over."""
    value = {"warning": f"{rng.randint(1, 9)}/hour", "for": f"{rng.randint(2, 9)}h"}
    return Patch("thresholds/for-too-long", ("alerts", "service.restarts"), value)


def nothing_foreseen(rng: random.Random, _: Ground) -> Patch:
    """A forecast of nothing."""
    value = {"series": f"zz{rng.randint(100, 999)}"}
    return Patch("thresholds/no-series", ("forecasts", "zz"), value)


def too_quick(rng: random.Random, _: Ground) -> Patch:
    """A forecast that looks every second."""
    value = {"series": "zz", "every": f"{rng.randint(1, 9)}s"}
    more = ((("metrics", "zz"), {"query": "up"}),)
    return Patch("thresholds/outside-advice", ("forecasts", "zz"), value, more)


BELIEVED = (wrong_sum, nobody, never, two_readings, in_words)
TOTALS = (total_of_parts,)
WATCHED = (never_fires, inside_band, band_reversed, too_long, nothing_foreseen, too_quick)
