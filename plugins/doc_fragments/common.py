"""What all modules of the collection take."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that every module has."""

    DOCUMENTATION = r"""
options:
  fleet:
    description: Name of the fleet. What bayplan keeps on the node is in a folder of that name.
    type: str
    required: true
  root:
    description: Folder below which bayplan keeps what it needs on the node.
    type: path
    default: /var/lib/bayplan
  release_plan:
    description: Digest of the plan that is carried out.
    type: str
    default: ""
  run:
    description: Name of the run. While a lease is on the node, only the run that holds it may act.
    type: str
    default: ""
  plan:
    description:
      - Folder of the plan on the control node. The action plugin of the same name reads the arguments from there.
      - Without it, the module takes them directly.
    type: str
  wave:
    description: Number of a wave in the plan; C(0) is none.
    type: int
    default: 0
"""
