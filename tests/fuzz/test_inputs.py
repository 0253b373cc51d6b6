"""Twenty thousand broken policies and Compose files: findings with a place, in little time and memory; no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ASKED = Path(__file__).parent / "asked.py"
BATCHES = range(20)
INPUTS = 200 if os.environ.get("BAYPLAN_FLEET") == "off" else 1000
"""Fewer where the run is one of several on the same machine, on another Python."""
ROUGHLY_WHOLE = 0.2
"""The least share of inputs that must still be whole, so that the rules see broken ones too; and of refused ones."""


@pytest.mark.parametrize("batch", BATCHES)
def test_broken_inputs_are_borne(batch: int) -> None:
    asked = subprocess.run(
        [sys.executable, str(ASKED), str(batch), str(INPUTS)],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert asked.returncode == 0, asked.stderr[-3000:]
    *bad, counts = [json.loads(line) for line in asked.stdout.splitlines()]
    assert bad == []
    assert counts["asked"] == INPUTS
    assert INPUTS * ROUGHLY_WHOLE < counts["refused"] < INPUTS * (1 - ROUGHLY_WHOLE), counts
