"""What a service asks of GPUs, in each form that Compose and the NVIDIA runtime know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bayplan.compose.forms import word
from bayplan.model.service import GpuAsk

if TYPE_CHECKING:
    from bayplan.source import Node

ALL = -1
"""The number of cards that means every one."""

_KINDS = frozenset({"gpu", "nvidia"})
_NONE = frozenset({"", "none", "void"})
_VARIABLES = ("NVIDIA_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")
_NVIDIA = "nvidia"


def gpu_of(node: Node) -> GpuAsk | None:
    """Return the access that a canonical service asks for, or None.

    A device request counts before the variables, and the variables before `runtime: nvidia` alone. How much video
    memory it needs none of them says.
    """
    asked = _requests(node)
    if asked is not None:
        return asked
    runtime = node.get("runtime")
    with_runtime = runtime is not None and word(runtime) == _NVIDIA
    by_variable, switched_off = _variables(node)
    if by_variable is not None:
        return by_variable
    if with_runtime and not switched_off and runtime is not None:
        return GpuAsk(access=ALL, place=runtime.place)
    return None


def _requests(node: Node) -> GpuAsk | None:
    deploy = node.get("deploy")
    resources = deploy.get("resources") if deploy is not None else None
    reservations = resources.get("reservations") if resources is not None else None
    devices = reservations.get("devices") if reservations is not None else None
    found = [one for one in devices or () if _is_gpu(one)]
    if not found:
        return None
    ids: list[str] = []
    count = 0
    for one in found:
        named = [word(item) for item in one.get("device_ids") or ()]
        ids.extend(item for item in named if item not in ids)
        count = ALL if ALL in {count, _count(one)} else count + (0 if named else _count(one))
    return GpuAsk(access=count if count == ALL else count + len(ids), device_ids=tuple(ids), place=found[0].place)


def _is_gpu(request: Node) -> bool:
    capabilities = {word(item) for item in request.get("capabilities") or ()}
    driver = request.get("driver")
    return bool(capabilities & _KINDS) or (driver is not None and word(driver) == _NVIDIA)


def _count(request: Node) -> int:
    count = request.get("count")
    if request.get("device_ids"):
        return 0
    text = word(count) if count is not None else "all"
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("100000") else ALL


def _variables(node: Node) -> tuple[GpuAsk | None, bool]:
    """Return what the variables ask for, and whether they switch GPUs off."""
    environment = node.get("environment")
    switched_off = False
    for name in _VARIABLES:
        value = environment.get(name) if environment is not None else None
        if value is None or value.value is None:
            continue
        text = word(value).strip()
        if text.lower() in _NONE or text == "-1":
            switched_off = True
        elif "$" in text or text.lower() == "all":
            return GpuAsk(access=ALL, place=value.place), False
        else:
            ids = tuple(part.strip() for part in text.split(",") if part.strip())
            return GpuAsk(access=len(ids), device_ids=ids, place=value.place), False
    return None, switched_off
