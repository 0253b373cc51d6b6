"""The registry of a lab: its own container on its own network, with a shelf of images that all labs share."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import images
from .network import LABEL
from .process import wait_for

if TYPE_CHECKING:
    from .engine import Engine

PORT = 5000


@dataclass(frozen=True)
class Registry:
    """The registry of one lab."""

    engine: Engine
    lab: str
    host: str

    @property
    def address(self) -> str:
        """What nodes write before an image's name."""
        return f"{self.host}:{PORT}"

    @property
    def container(self) -> str:
        """The name of the registry as a container of the outer engine."""
        return f"{self.lab}-registry"

    def start(self) -> None:
        """Start the registry; `push` waits for it."""
        self.engine(
            "run", "--detach", "--name", self.container, "--label", f"{LABEL}={self.lab}",
            "--network", self.lab, "--ip", self.host, "--publish", f"127.0.0.1::{PORT}",
            "--volume", f"{images.shelf()}:/var/lib/registry", images.tag("registry"),
        )  # fmt: skip

    def push(self, *names: str) -> None:
        """Bring images onto the shelf: the lab's own by their name, others by theirs in the outer engine.

        The shelf is shared, so an image of your own needs a name of its own.
        """
        wait_for("the registry answers", lambda: self._status("/v2/") == http.HTTPStatus.OK)
        for name in names:
            repository, _, tag = name.partition(":")
            if name in images.SERVICES and self._status(f"/v2/{repository}/manifests/{tag}") == http.HTTPStatus.OK:
                continue
            self._push(images.tag(name) if name in images.SERVICES else name, name)

    def _push(self, image: str, name: str) -> None:
        # By the loopback: an engine trusts that without a certificate, whoever configured it.
        target = f"{self.engine('port', self.container, str(PORT)).stdout.split()[0]}/{name}"
        self.engine("tag", image, target)
        try:
            self.engine("push", "--quiet", target)
        finally:
            self.engine("image", "rm", target)

    def _status(self, path: str) -> int:
        connection = http.client.HTTPConnection(self.host, PORT, timeout=5)
        try:
            accept = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
            connection.request("GET", path, headers={"Accept": accept})
            return connection.getresponse().status
        except OSError:
            return 0
        finally:
            connection.close()
