"""Variables filled in where the model needs them, and kept as written where only the container reads them.

Passwords come as variables of `environment`, `command` and the like. They are not looked up, so that no value of a
secret reaches an output; the emitted file says `${X}` as the original did.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bayplan.compose import template
from bayplan.compose.forms import scalar
from bayplan.finding import Finding, error, warning
from bayplan.source import every

if TYPE_CHECKING:
    from bayplan.source import Node

MAX_LETTERS = 2**23
"""What variables may bring into one file."""

_KEEP = "keep"
_BOOL = "bool"
_HOOKS = {"*": {"command": _KEEP, "environment": _KEEP}}
_LABELS = {"*": {"labels": _KEEP, "driver_opts": _KEEP}}
_TABLE: Mapping[str, Any] = {
    "services": {
        "*": {
            "annotations": _KEEP,
            "attach": _BOOL,
            "build": {"args": _KEEP, "labels": _KEEP, "no_cache": _BOOL, "privileged": _BOOL, "pull": _BOOL},
            "command": _KEEP,
            "depends_on": {"*": {"required": _BOOL, "restart": _BOOL}},
            "deploy": {"labels": _KEEP},
            "entrypoint": _KEEP,
            "env_file": {"*": {"required": _BOOL}},
            "environment": _KEEP,
            "healthcheck": {"test": _KEEP, "disable": _BOOL},
            "init": _BOOL,
            "labels": _KEEP,
            "logging": {"options": _KEEP},
            "oom_kill_disable": _BOOL,
            "post_start": _HOOKS,
            "pre_start": _HOOKS,
            "pre_stop": _HOOKS,
            "privileged": _BOOL,
            "provider": {"options": _KEEP},
            "read_only": _BOOL,
            "stdin_open": _BOOL,
            "tty": _BOOL,
            "use_api_socket": _BOOL,
            "volumes": {"*": {"read_only": _BOOL, "bind": {"create_host_path": _BOOL}, "volume": {"nocopy": _BOOL}}},
        },
    },
    "configs": {"*": {"content": _KEEP, "external": _BOOL, "labels": _KEEP}},
    "networks": {
        "*": {
            **_LABELS["*"],
            "external": _BOOL,
            "internal": _BOOL,
            "attachable": _BOOL,
            "enable_ipv4": _BOOL,
            "enable_ipv6": _BOOL,
        },
    },
    "secrets": {"*": {**_LABELS["*"], "external": _BOOL}},
    "volumes": {"*": {**_LABELS["*"], "external": _BOOL}},
}
"""Key path → what happens there. `keep`: text stays as written; `bool`: words such as "yes" mean true or false."""

_TRUE = frozenset({"true", "1", "t", "y", "yes", "on"})
_FALSE = frozenset({"false", "0", "f", "n", "no", "off"})


@dataclass(slots=True)
class Interpolation:
    """One pass over a document.

    Attributes:
        env: the variables there are.
        everything: fill in also what is kept otherwise.
        used: the variables that were filled in, with their values.
        findings: what was missing or could not be read.
        left: how many letters variables may still bring in.
    """

    env: Mapping[str, str]
    everything: bool = False
    used: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    left: int = MAX_LETTERS

    def document(self, node: Node) -> Node:
        """Return a Compose document with its variables filled in; keys and `x-` extensions stay."""
        return self._walk(node, _TABLE, "")

    def service(self, node: Node, subject: str = "") -> Node:
        """Return one service with its variables filled in."""
        return self._walk(node, _TABLE["services"]["*"], subject)

    def _walk(self, node: Node, rule: Any, path: str) -> Node:
        if rule == _KEEP and not self.everything:
            return self._kept(node, path)
        if node.is_map:
            table = rule if isinstance(rule, Mapping) else {}
            return node.with_value({key: self._child(key, child, table, path) for key, child in node.items()})
        if node.is_list:
            inner = rule.get("*") if isinstance(rule, Mapping) else rule
            return node.with_value(tuple(self._walk(child, inner, f"{path}[{i}]") for i, child in enumerate(node)))
        if isinstance(node.value, str):
            node = self._filled(node, path)
            return self._boolean(node, path) if rule == _BOOL else node
        return node

    def _child(self, key: str, child: Node, table: Mapping[str, Any], path: str) -> Node:
        rule = table.get(key, table.get("*"))
        if key.startswith("x-") or (not isinstance(rule, Mapping) and rule != _BOOL and not _refers(child)):
            return child
        return self._walk(child, rule, f"{path}.{key}" if path else key)

    def _kept(self, node: Node, path: str) -> Node:
        if node.is_map:
            return node.with_value({key: self._kept(child, f"{path}.{key}") for key, child in node.items()})
        if node.is_list:
            return node.with_value(tuple(self._kept(child, path) for child in node))
        if not isinstance(node.value, str) or "$" not in node.value:
            return node
        if (
            "$" in node.value.partition("=")[0]
            and "=" in node.value
            and path.endswith(("environment", "labels", "args"))
        ):
            return self._filled(node, path)  # `- ${NAME}=x`: which variable it sets must be known
        try:
            template.check(node.value)
        except template.TemplateError as fault:
            self._unreadable(node, path, fault)
            return scalar(node, template.literal(node.value))
        return node

    def _filled(self, node: Node, path: str) -> Node:
        if "$" not in node.value or self.left < 0:
            return node
        try:
            filled = template.fill(node.value, self.env)
            self._afford(filled.letters)
        except template.TemplateError as fault:
            self._unreadable(node, path, fault)
            return scalar(node, template.literal(node.value))
        self.used.update(filled.used)
        for name in dict.fromkeys(filled.missing):
            remedy = f"set {name} in the env file, or write ${{{name}:-...}}"
            self.findings.append(
                warning("compose/unset-variable", node.place, path, f"{name} is not set and reads as empty", remedy)
            )
        for name, message in dict.fromkeys(filled.required):
            words = f"{name} is required and has no value" + (f": {message}" if message else "")
            self.findings.append(
                error("compose/required-variable", node.place, path, words, f"set {name} in the env file")
            )
        return scalar(node, filled.text)

    def _afford(self, letters: int) -> None:
        self.left -= letters
        if self.left < 0:
            raise template.TemplateError(
                f"is one too many: variables grow the file by more than {MAX_LETTERS:,} letters"
            )

    def _boolean(self, node: Node, path: str) -> Node:
        word = node.value.lower()
        if word in _TRUE or word in _FALSE:
            return scalar(node, word in _TRUE)
        message = f"'{node.value}' is neither true nor false"
        self.findings.append(error("compose/type", node.place, path, message, "write true or false"))
        return scalar(node, value=False)

    def _unreadable(self, node: Node, path: str, fault: Exception) -> None:
        remedy = "write $$ where a dollar is meant"
        self.findings.append(error("compose/interpolation", node.place, path, str(fault), remedy))


def _refers(node: Node) -> bool:
    """Whether a tree has a dollar in any of its values."""
    return any(isinstance(one.value, str) and "$" in one.value for one in every(node))
