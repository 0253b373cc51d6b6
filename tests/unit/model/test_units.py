"""Amounts as text: each border reads its own meaning, and what is written is read back exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.model import units
from bayplan.model.units import GIB, KIB, MIB, UnitError

CASES = Path(__file__).parents[2] / "cases" / "model"
DOCKER: dict[str, int | None] = yaml.safe_load((CASES / "docker-memory.yml").read_text(encoding="utf-8"))
AMOUNTS = st.integers(0, 10**15 - 1)
often = settings(derandomize=True, deadline=None, max_examples=150)


class TestPolicyMemory:
    """`GiB` and `MiB`, nothing that can be read twice."""

    @pytest.mark.parametrize(
        ("text", "amount"),
        [
            ("1GiB", 1_073_741_824),
            ("1Gi", 1_073_741_824),
            ("1.5GiB", 1_610_612_736),
            ("108.75GiB", 116_769_423_360),
            ("512MiB", 536_870_912),
            ("512 MiB", 536_870_912),
            ("64Ki", 65_536),
            ("1TiB", 1_099_511_627_776),
            (".5GiB", 536_870_912),
            ("0.1GiB", 107_374_183),  # 107,374,182.4: rounded up, a byte too much is safe
            ("0GiB", 0),
        ],
    )
    def test_amounts(self, text: str, amount: int) -> None:
        assert units.policy_memory(text) == amount

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "8G",
                "'8G' can be read twice (8GiB = 8,589,934,592 bytes, or 8,000,000,000 bytes); write 8GiB",
            ),
            (
                "8GB",
                "'8GB' can be read twice (8GiB = 8,589,934,592 bytes, or 8,000,000,000 bytes); write 8GiB",
            ),
            (
                "500m",
                "'500m' can be read twice (500MiB = 524,288,000 bytes, or 500,000,000 bytes); write 500MiB",
            ),
            (
                "1.5gb",
                "'1.5gb' can be read twice (1.5GiB = 1,610,612,736 bytes, or 1,500,000,000 bytes); write 1.5GiB",
            ),
            ("64k", "'64k' can be read twice (64KiB = 65,536 bytes, or 64,000 bytes); write 64KiB"),
            ("8", "'8' has no unit; write 8GiB or 8MiB"),
            ("0.5", "'0.5' has no unit; write 0.5GiB or 0.5MiB"),
            ("8gib", "'8gib' is not an amount of memory; write it in GiB or MiB"),
            ("8PiB", "'8PiB' is not an amount of memory; write it in GiB or MiB"),
            ("GiB", "'GiB' is not an amount"),
            ("-1GiB", "'-1GiB' is not an amount"),
            ("1e3MiB", "'1e3MiB' is not an amount"),
            ("1,5GiB", "'1,5GiB' is not an amount"),
            ("", "'' is not an amount"),
            ("8GiB of it", "'8GiB of it' is not an amount"),
        ],
    )
    def test_what_is_refused_and_the_words_for_it(self, text: str, message: str) -> None:
        with pytest.raises(UnitError) as refused:
            units.policy_memory(text)
        assert str(refused.value) == message

    @pytest.mark.parametrize("value", [8, 8.5, 0, True, None, float("inf")])
    def test_a_number_is_refused_too(self, value: object) -> None:
        with pytest.raises(UnitError):
            units.policy_memory(value)


class TestDocker:
    """Memory in Compose files means what Compose means."""

    @pytest.mark.parametrize(("text", "amount"), DOCKER.items(), ids=[repr(text) for text in DOCKER])
    def test_amounts(self, text: str, amount: int | None) -> None:
        if amount is None:
            with pytest.raises(UnitError):
                units.docker_memory(text)
        else:
            assert units.docker_memory(text) == amount

    def test_the_table_is_what_the_real_compose_reads(self, tmp_path: Path) -> None:
        read = {text: amount for text, amount in DOCKER.items() if amount is not None}
        services = {f"s{n}": {"image": "x", "mem_limit": text} for n, text in enumerate(read)}
        (tmp_path / "compose.yml").write_text(json.dumps({"services": services}), encoding="utf-8")
        compose = str(Path(sys.executable).with_name("docker-compose"))
        command = [compose, "--project-name", "shop", "config", "--format", "json"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)["services"]
        assert {text: int(found[f"s{n}"]["mem_limit"]) for n, text in enumerate(read)} == read

    @given(AMOUNTS.filter(bool))
    @often
    def test_what_is_written_is_read_back(self, amount: int) -> None:
        assert units.docker_memory(units.compose_bytes(amount)) == amount

    @pytest.mark.parametrize(
        ("amount", "text"),
        [(3 * GIB, "3g"), (1280 * MIB, "1280m"), (KIB, "1k"), (1000, "1000b"), (GIB + 1, "1073741825b"), (0, "0b")],
    )
    def test_the_largest_exact_unit_is_written(self, amount: int, text: str) -> None:
        assert units.compose_bytes(amount) == text


class TestDisk:
    """Disks are labelled in powers of ten; both are read, since both are unambiguous here."""

    @pytest.mark.parametrize(
        ("text", "amount"),
        [
            ("40GB", 40_000_000_000),
            ("7.6TB", 7_600_000_000_000),
            ("40GiB", 42_949_672_960),
            ("1TiB", 1_099_511_627_776),
        ],
    )
    def test_amounts(self, text: str, amount: int) -> None:
        assert units.policy_disk(text) == amount

    @pytest.mark.parametrize("text", ["40", "40G", "40gb", "1T", "", "40 of it"])
    def test_what_is_refused(self, text: str) -> None:
        with pytest.raises(UnitError):
            units.policy_disk(text)


class TestCpus:
    """Thousandths of a logical CPU."""

    @pytest.mark.parametrize(
        ("value", "amount"),
        [
            ("0.5", 500), (0.5, 500), (".5", 500), (2, 2000), ("2", 2000), ("500m", 500), ("0.04", 40), (0.04, 40),
            ("0.0001", 1), ("0.5m", 1), (0.1, 100), (0.3, 300), ("1.0015", 1002), (0, 0),
        ],
        ids=repr,
    )  # fmt: skip
    def test_amounts(self, value: object, amount: int) -> None:
        assert units.cpus(value) == amount

    @pytest.mark.parametrize(
        "value", ["2 cores", "50%", "-1", -1, "", True, None, "1.5M", "1k", float("nan")], ids=repr
    )
    def test_what_is_refused(self, value: object) -> None:
        with pytest.raises(UnitError):
            units.cpus(value)

    @given(st.integers(0, 5_000_000))
    @often
    def test_what_is_written_is_read_back(self, amount: int) -> None:
        assert units.cpus(units.compose_cpus(amount)) == amount
        assert units.cpus(f"{amount}m") == amount

    @given(st.decimals(min_value=0, max_value=10_000, places=5))
    @often
    def test_nothing_is_rounded_down(self, number: object) -> None:
        exact = Fraction(str(number)) * 1000
        assert exact <= units.cpus(str(number)) < exact + 1


class TestShares:
    """Percentages between nothing and all."""

    @pytest.mark.parametrize(
        ("text", "share"),
        [
            ("85%", Fraction(17, 20)),
            ("87.5%", Fraction(7, 8)),
            ("0%", Fraction(0)),
            ("100%", Fraction(1)),
            (" 5 % ", Fraction(1, 20)),
        ],
    )
    def test_shares_are_exact(self, text: str, share: Fraction) -> None:
        assert units.share(text) == share

    @pytest.mark.parametrize(
        "value", ["101%", "100.000001%", "-1%", "0.85", 0.85, 85, "85", "85 percent", "%", ""], ids=repr
    )
    def test_what_is_refused(self, value: object) -> None:
        with pytest.raises(UnitError):
            units.share(value)


class TestShown:
    """Amounts as people read them."""

    @pytest.mark.parametrize(
        ("resource", "amount", "text"),
        [
            ("memory", 116_769_423_360, "108.75 GiB"),
            ("memory", 22_305_308_672, "20.77 GiB"),  # 20.7734375
            ("memory", 512 * MIB, "512 MiB"),
            ("memory", 1023, "1023 B"),
            ("memory", 0, "0"),
            ("memory", -GIB, "-1 GiB"),
            ("swap", 3 * GIB // 2, "1.5 GiB"),
            ("gpu_memory", 24 * GIB, "24 GiB"),
            ("disk:ssd", 2**40, "1 TiB"),
            ("cpus", 45_500, "45.5 CPU"),
            ("cpus", 40, "0.04 CPU"),
            ("cpus", -1500, "-1.5 CPU"),
            ("agents", 9, "9 agents"),
        ],
    )
    def test_each_resource_in_its_own_words(self, resource: str, amount: int, text: str) -> None:
        assert units.show(resource, amount) == text

    def test_shares_and_what_has_no_whole(self) -> None:
        assert units.show_share(2598, 1000) == "259.8 %"
        assert units.show_share(1, 0) == "-"

    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            (3 * GIB, "3GiB"),
            (1280 * MIB, "1.25GiB"),
            (512 * MIB, "512MiB"),
            (1536 * KIB, "1.5MiB"),
            (1, "0.000976562KiB"),
            (1_000_000_001, "976562.500976562KiB"),
        ],
    )
    def test_the_form_of_the_policy(self, amount: int, text: str) -> None:
        assert units.policy_bytes(amount) == text

    @given(AMOUNTS)
    @often
    def test_the_form_of_the_policy_is_read_back(self, amount: int) -> None:
        assert units.policy_memory(units.policy_bytes(amount)) == amount

    @given(st.integers(0, 2**23).map(lambda many: many * MIB))
    @often
    def test_whole_mebibytes_too(self, amount: int) -> None:
        assert units.policy_memory(units.policy_bytes(amount)) == amount


class TestTimes:
    @pytest.mark.parametrize(
        ("text", "amount"),
        [("30s", 30_000), ("1m30s", 90_000), ("500ms", 500), ("0.5s", 500), ("7d", 604_800_000), ("1h", 3_600_000)],
    )
    def test_times(self, text: str, amount: int) -> None:
        assert units.milliseconds(text) == amount

    @pytest.mark.parametrize("text", ["", "30", "s", "30 s", "1m30", "30S", "five minutes"])
    def test_what_is_no_time(self, text: str) -> None:
        with pytest.raises(units.UnitError, match="is not a time; write it as 30s or 5m"):
            units.milliseconds(text)
