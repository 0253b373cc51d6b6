"""A test fleet of real nodes on one machine: containers with systemd, sshd and a Docker engine of their own.

with Lab("name", nodes=["thanos", "oracle1"], sizes={"thanos": Size(memory=2 << 30, cpus=1)}) as lab:
    lab.node("thanos").run("docker info")
"""

from .fleet import Lab
from .node import Node, Size
from .process import CommandError, LabError

__all__ = ["CommandError", "Lab", "LabError", "Node", "Size"]
