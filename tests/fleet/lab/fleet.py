"""A lab: a fleet of nodes on a network of its own, with a registry, side by side with other labs."""

from __future__ import annotations

import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Self

from . import engine as engines
from . import images, network, ssh
from .node import Node, Size
from .process import LabError, alone, timed
from .registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from ipaddress import IPv4Network
    from types import TracebackType

    from .engine import Engine

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}[a-z0-9]")


class Lab:
    """A fleet of nodes. Used with `with`, it is up in the block and gone after it."""

    images = images.SERVICES

    def __init__(self, name: str, nodes: Iterable[str] = (), sizes: Mapping[str, Size] | None = None) -> None:
        self.name = name
        self._wanted = list(nodes)
        self._sizes = dict(sizes or {})
        self._nodes: dict[str, Node] = {}
        self._engine: Engine | None = None
        self._network: IPv4Network | None = None
        for one in [name, *self._wanted]:
            if not NAME.fullmatch(one) or one == "registry":
                raise LabError(f"{one!r} is no name for a lab or node: small letters, digits and `-`; not `registry`.")
        unknown = sorted(set(self._sizes) - set(self._wanted))
        if unknown:
            raise LabError(f"There is a size for {', '.join(unknown)}, but no such node.")

    @classmethod
    def open(cls, name: str) -> Lab:
        """Return a lab that is up, whoever started it."""
        lab = cls(name)
        lab._engine = engines.ensure()
        lab._network = network.find(lab._engine, name)
        if lab._network is None:
            raise LabError(f"No lab {name} is up; there are: {', '.join(network.labs(lab._engine)) or 'none'}.")
        template = f'{{{{.Label "{network.LABEL}.node"}}}} {{{{.Label "{network.LABEL}.address"}}}}'
        mine = ("ps", "--all", "--filter", f"label={network.LABEL}={name}", "--format", template)
        for node, address in sorted(line.split() for line in lab._engine.lines(*mine) if line.strip()):
            lab._nodes[node] = lab._node(node, address)
        return lab

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def up(self) -> None:
        """Start the engine if need be, the network, the registry and the nodes; return when all answer."""
        self._engine = engines.ensure()
        images.ensure(self._engine, engines.work() / "images.lock")
        with timed(f"{self.name}: {len(self._wanted)} nodes and a registry"):
            with alone(engines.work() / "network.lock"):
                if network.find(self._engine, self.name):
                    raise LabError(f"A lab {self.name} is up already: take another name, or `down` it first.")
                self._network = network.create(self._engine, self.name)
            try:
                self._start()
            except BaseException:
                self.close()
                raise

    def _start(self) -> None:
        self._registry.start()
        with ThreadPoolExecutor(8) as pool:
            shelved = pool.submit(self._shelve)
            nodes = [self._place(name) for name in self._wanted]
            list(pool.map(lambda node: node.start(self._size(node.name), images.tag("node")), nodes))
            list(pool.map(lambda node: node.wait(), nodes))
            shelved.result()

    def close(self) -> None:
        """Remove all of the lab, and nothing of any other."""
        if self._engine is None or self._network is None:  # not ours, or not any more
            return
        for node in self._nodes.values():
            ssh.hang_up(self.ssh_config, node.name)
        mine = f"label={network.LABEL}={self.name}"
        containers = self._engine.lines("ps", "--all", "--quiet", "--filter", mine)
        if containers:
            self._engine("rm", "--force", "--volumes", *containers)
        volumes = self._engine.lines("volume", "ls", "--quiet", "--filter", mine)
        if volumes:
            self._engine("volume", "rm", "--force", *volumes)
        self._engine("network", "rm", self.name, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)
        self._nodes.clear()
        self._network = None

    def add(self, name: str, size: Size | None = None) -> Node:
        """Start one node more and return it when it answers."""
        if not NAME.fullmatch(name) or name in self._nodes:
            raise LabError(f"{name!r} is no name for another node of lab {self.name}.")
        if size:
            self._sizes[name] = size
        node = self._place(name)
        node.start(self._size(name), images.tag("node"))
        node.wait()
        return node

    def remove(self, name: str) -> None:
        """Remove a node, its disk too."""
        self.node(name).remove()
        del self._nodes[name]
        self._write_config()

    def node(self, name: str) -> Node:
        """Return a node by its name."""
        if name not in self._nodes:
            raise LabError(f"Lab {self.name} has no node {name}; there are: {', '.join(self._nodes)}.")
        return self._nodes[name]

    @property
    def nodes(self) -> list[Node]:
        """All nodes of the lab."""
        return list(self._nodes.values())

    @property
    def folder(self) -> Path:
        """Where the files of this lab are; gone with it."""
        return engines.work() / "labs" / self.name

    @property
    def ssh_config(self) -> Path:
        """The ssh configuration that knows the nodes by name."""
        return self.folder / "ssh_config"

    @property
    def ssh_key(self) -> Path:
        """The private key of the user `deploy`."""
        return ssh.key()

    @property
    def registry(self) -> str:
        """What nodes write before an image's name: `172.31.5.2:5000`."""
        return self._registry.address

    def push(self, *names: str) -> None:
        """Bring images of the outer engine into the registry. The lab's own `images` are there from the start."""
        self._registry.push(*names)

    def inventory(self, path: Path | str) -> Path:
        """Write a static Ansible inventory of the nodes and return its path."""
        Path(path).write_text(ssh.inventory(self.ssh_config, self.name, self._reached()), encoding="utf-8")
        return Path(path)

    @property
    def engine(self) -> Engine:
        """The outer engine."""
        if self._engine is None:
            raise LabError(f"Lab {self.name} is not up.")
        return self._engine

    @property
    def _registry(self) -> Registry:
        return Registry(self.engine, self.name, str(self._addresses()[network.REGISTRY]))

    def _shelve(self) -> None:
        with alone(engines.work() / "shelf.lock"):
            self._registry.push(*images.SERVICES)

    def _addresses(self) -> IPv4Network:
        if self._network is None:
            raise LabError(f"Lab {self.name} is not up.")
        return self._network

    def _size(self, name: str) -> Size:
        return self._sizes.get(name, Size())

    def _place(self, name: str) -> Node:
        """Give a new node the first free address."""
        network_, taken = self._addresses(), {node.address for node in self._nodes.values()}
        free = (str(network_[number]) for number in range(network.FIRST, 255))
        node = self._node(name, next(address for address in free if address not in taken))
        self._nodes[name] = node
        self._write_config()
        return node

    def _node(self, name: str, address: str) -> Node:
        return Node(self.engine, self.name, name, address, self.ssh_config)

    def _write_config(self) -> None:
        ssh.write_config(self.ssh_config, self.name, self._reached())

    def _reached(self) -> dict[str, str]:
        return {node.name: node.address for node in self._nodes.values()}
