"""NVIDIA's library for Python, brought along for one look: nodes need nothing but the driver."""

from __future__ import annotations

import importlib.util
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible.plugins.action import ActionBase


@contextmanager
def carried(action: ActionBase) -> Iterator[str]:
    """Give the path that the library has on the node while the block runs; empty if this machine has no such library.

    Args:
        action: who asks the node.
    """
    spec = importlib.util.find_spec("pynvml")
    if spec is None or not spec.origin:
        yield ""
        return
    shell = action._connection._shell  # noqa: SLF001 - the way that Ansible gives to action plugins
    if shell.tmpdir is None:
        action._make_tmp_path()  # noqa: SLF001
    path = shell.join_path(shell.tmpdir, "pynvml.py")
    try:
        action._transfer_file(spec.origin, path)  # noqa: SLF001
        action._fixup_perms2((shell.tmpdir, path))  # noqa: SLF001
        yield path
    finally:
        action._remove_tmp_path(shell.tmpdir)  # noqa: SLF001
