"""Which services keep their memory full on purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bayplan.model.service import Service

_CACHES = frozenset({"redis", "valkey", "keydb", "memcached", "dragonfly", "varnish"})


def image_name(image: str) -> str:
    """Return the bare name of an image: `redis` for `registry.lan:5000/library/redis:7@sha256:…`."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[0].lower()


def is_cache(service: Service) -> bool:
    """Whether a service fills its memory and then forgets: a cache, or what is tuned as one."""
    recipe = service.tuning.recipe if service.tuning else ""
    return recipe == "redis" or image_name(service.image) in _CACHES
