"""Which services keep their memory full on purpose."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayplan.model.service import Service

_CACHES = frozenset(
    {
        "redis",
        "redis-stack",
        "redis-stack-server",
        "redis-cluster",
        "redict",
        "valkey",
        "valkey-bundle",
        "valkey-cluster",
    }
    | {"keydb", "memcached", "dragonfly", "garnet", "varnish"}
)
_NAMED = re.compile(r"(^|[-_.])cache$")
"""Names of services and images that say it themselves; a cache-warmer is none."""


def image_name(image: str) -> str:
    """Return the bare name of an image: `redis` for `registry.lan:5000/library/redis:7@sha256:…`."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[0].lower()


def is_cache(service: Service) -> bool:
    """Whether a service fills its memory and then forgets: a cache, or what is tuned as one."""
    recipe = service.tuning.recipe if service.tuning else ""
    names = (image_name(service.image), service.name.name)
    return recipe == "redis" or names[0] in _CACHES or any(_NAMED.search(name) for name in names)
