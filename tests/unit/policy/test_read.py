"""What read_policy refuses, chooses, and knows of what runs."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from bayplan.errors import PolicyError, UsageError
from bayplan.finding import Place
from bayplan.model.names import Instance, Name
from bayplan.policy.fleet import read_machines, read_policy
from bayplan.policy.observed import read_observed, too_old
from bayplan.policy.patterns import expand_range, is_pattern, matching

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bayplan.policy.fleet import Policy

TOWER = "nodes: {tower: {cpus: 8, memory: 16GiB}, nas: {cpus: 4, memory: 8GiB}}\n"


@pytest.mark.parametrize(
    "pattern",
    [
        "web", "p/web", "w*", "*", "**", "p/*", "*/web", "we?", "we[abc]", "we[a-c]", "{web,api}", "{w*,api}",
        "{job, web}", "[pq]/{web,api}",
    ],
)  # fmt: skip
def test_patterns_that_cover_a_name(pattern: str) -> None:
    assert matching(pattern, [Name("p", "web")]) == (Name("p", "web"),)


@pytest.mark.parametrize(
    "pattern",
    ["webs", "we", "q/web", "web?", "we[cd]", "{job,api}", "w.b", "WEB", "we[b", "we{b", "p/*/web", "p*", "", "/web"],
)
def test_patterns_that_do_not(pattern: str) -> None:
    assert matching(pattern, [Name("p", "web")]) == ()


def test_a_pattern_without_a_slash_covers_every_project() -> None:
    names = [Name("b", "redis"), Name("a", "redis-arm"), Name("a", "web")]
    assert matching("redis*", names) == (Name("a", "redis-arm"), Name("b", "redis"))
    assert matching("b/redis*", names) == (Name("b", "redis"),)


@pytest.mark.parametrize("text", ["*", "a?", "[ab]", "{a,b}"])
def test_what_is_a_pattern(text: str) -> None:
    assert is_pattern(text)
    assert not is_pattern("kafka-1.x_2/web")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("gpu", ["gpu"]),
        ("gpu[1:3]", ["gpu1", "gpu2", "gpu3"]),
        ("gpu[08:11]", ["gpu08", "gpu09", "gpu10", "gpu11"]),
        ("gpu[8:11]", ["gpu8", "gpu9", "gpu10", "gpu11"]),
        ("r[1:2]-[1:2]x", ["r1-1x", "r1-2x", "r2-1x", "r2-2x"]),
        ("gpu[5:5]", ["gpu5"]),
        ("gpu[ab]", ["gpu[ab]"]),
    ],
)
def test_ranges(text: str, names: list[str]) -> None:
    assert list(expand_range(text)) == names


@pytest.mark.parametrize("text", ["gpu[2:1]", "gpu[0:4096]", "gpu[0:999999]"])
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="runs backwards or is longer than 4096"):
        expand_range(text)


@pytest.mark.parametrize("name", ["{{ x }}", "$(id)", "a b", "-rf", "a\nb", ".hidden", "größe", "a" * 101])
def test_a_folder_whose_name_is_none_of_a_fleet(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "policy.yml").write_text(TOWER)
    (finding,) = read_policy(tmp_path / name).findings
    assert (finding.rule, finding.place.line) == ("policy/name", 0)


def test_nobody_is_asked_at_an_address_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text("nodes: {good: good.lan, bad: '-oProxyCommand=id'}\n")
    with pytest.raises(PolicyError, match="nobody was asked") as refused:
        read_machines(tmp_path)
    assert [(one.rule, one.place.line, one.place.column) for one in refused.value.findings] == [
        ("nodes/address", 1, 30)
    ]


class TestNothingToRead:
    """A path without a policy is one sentence that says what to do."""

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(PolicyError, match=r"does not exist; a policy is a folder of \.yml files"):
            read_policy(tmp_path / "nothing")

    def test_a_folder_without_a_policy(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").write_text("nodes:")
        with pytest.raises(PolicyError, match=r"holds no \.yml file"):
            read_policy(tmp_path)


def test_one_file_is_a_policy_named_after_its_folder(folder: Callable[..., Path]) -> None:
    root = folder({"policy.yml": TOWER, "other.yml": "nodes: {x: {cpus: 1, memory: 1GiB}}"})
    policy = read_policy(root / "policy.yml")
    assert (policy.name, sorted(policy.to_be.nodes)) == ("shop", ["nas", "tower"])


class TestEnvironments:
    """Which environment is meant."""

    def test_without_any_there_is_one_called_default(self, read: Callable[..., Policy]) -> None:
        assert read(TOWER).environment == "default"
        assert read(TOWER, env="default").environment == "default"

    def test_the_only_one_need_not_be_named(self, read: Callable[..., Policy]) -> None:
        assert read(TOWER + "environments: {live: {}}").environment == "live"

    def test_among_several_default_is_the_default(self, read: Callable[..., Policy]) -> None:
        assert read(TOWER + "environments: {live: {}, default: {}}").environment == "default"

    def test_several_must_be_chosen_from(self, read: Callable[..., Policy]) -> None:
        with pytest.raises(UsageError, match=r"the policy has 2 environments; choose one with --env: dev, live"):
            read(TOWER + "environments: {live: {}, dev: {}}")

    @pytest.mark.parametrize("text", ["", "environments: {live: {}, dev: {}}"])
    def test_one_that_does_not_exist(self, read: Callable[..., Policy], text: str) -> None:
        known = "dev, live" if text else "default"
        with pytest.raises(UsageError, match=f"there is no environment 'prod'; the policy has: {known}"):
            read(TOWER + text, env="prod")


class TestRemedies:
    """What a finding says to do."""

    @pytest.mark.parametrize(
        ("services", "remedy"),
        [
            ("postgress: {replicas: 1}", "did you mean 'postgres'?"),
            ("shop/postgres: {replicas: 1}", "did you mean 'p/postgres'?"),
            ("qqqqqq: {replicas: 1}", "remove it, or name a service that exists"),
            ("web: {replicas: 1}", "write one of them, such as p/web"),
            ("postgres: {tier: dta}", "use one of: data, standard"),
            ("postgres: {placement: towr}", "use one of: nas, tower"),
        ],
    )
    def test_of_a_service(self, read: Callable[..., Policy], services: str, remedy: str) -> None:
        policy = read(
            {
                "policy.yml": f"{TOWER}services: {{{services}}}\ntiers: {{data: {{services: [postgres]}}}}\n",
                "sources.yml": "sources: {p: c/p.yml, q: c/q.yml}",
                "c/p.yml": "services: {postgres: {image: a}, web: {image: a}}",
                "c/q.yml": "services: {web: {image: a}}",
            }
        )
        assert [one.remedy for one in policy.findings] == [remedy]

    def test_an_unknown_size_names_both_cures(self, read: Callable[..., Policy]) -> None:
        (finding,) = read("nodes: {tower: tower.lan}").findings
        assert finding.remedy == "write cpus: 8, memory: 16GiB, or look what it has: bayplan observe POLICY"

    @pytest.mark.parametrize(
        ("texts", "place", "also"),
        [
            ({"a.yml": TOWER, "b.yml": TOWER}, "b.yml:1:9", ["a.yml:1:9"]),
            (
                {
                    "a.yml": TOWER + "sources: {p: c/p.yml}\nservices: {w*: {replicas: 2}}",
                    "b.yml": "services: {'*b': {replicas: 3}}",
                    "c/p.yml": "services: {web: {image: a}}",
                },
                "b.yml:1:19",
                ["a.yml:3:17"],
            ),
        ],
        ids=["names", "patterns"],
    )
    def test_a_conflict_knows_its_other_half(
        self, read: Callable[..., Policy], texts: dict[str, str], place: str, also: list[str]
    ) -> None:
        finding = read(texts).findings[0]
        assert (str(finding.place), [str(one) for one in finding.also]) == (place, also)


class TestWhatRuns:
    """AS-IS: on the node that the source names, unless it was observed elsewhere."""

    FACTS = """
schema_version: 1
node: {node}
taken: "2026-11-01T00:00:00+00:00"
cpus: 8
memory: 17179869184
services: [{services}]
"""

    def policy(self, read: Callable[..., Policy], observed: str) -> Policy:
        texts = {
            "policy.yml": TOWER + "sources: {p: {compose: c/p.yml, node: tower}}",
            "c/p.yml": "services: {web: {image: a, scale: 2}, api: {image: a}, off: {image: a, profiles: [x]}}",
        }
        if observed:
            texts["observed/nas.yml"] = self.FACTS.replace("{node}", "nas").replace("{services}", observed)
        return read(texts)

    def test_where_the_source_says(self, read: Callable[..., Policy]) -> None:
        policy = self.policy(read, "")
        assert {str(copy): node for copy, node in policy.as_is.standing.items()} == {
            "p/api": "tower",
            "p/web": "tower",
            "p/web#2": "tower",
        }

    def test_where_it_was_seen(self, read: Callable[..., Policy]) -> None:
        policy = self.policy(read, "{project: p, service: web, number: 2}")
        assert policy.as_is.standing[Instance(Name("p", "web"), 2)] == "nas"
        assert policy.as_is.standing[Instance(Name("p", "web"), 1)] == "tower"

    def test_nowhere_if_the_source_names_no_node_or_none_that_exists(self, read: Callable[..., Policy]) -> None:
        sources = "sources: {p: {compose: c/p.yml, node: towr}, q: {compose: c/p.yml}}"
        policy = read({"policy.yml": TOWER + sources, "c/p.yml": "services: {web: {image: a}}"})
        assert [one.rule for one in policy.findings] == ["nodes/unknown"]
        assert dict(policy.as_is.standing) == {}

    def test_what_no_file_has_is_a_note(self, read: Callable[..., Policy]) -> None:
        policy = self.policy(read, "{project: p, service: ghost}")
        assert [
            (str(one.severity), one.rule, one.subject) for one in policy.findings if one.rule != "inventory/differs"
        ] == [("note", "inventory/orphan", "p/ghost")]

    def test_what_runs_is_as_the_files_say_it_not_as_the_policy_would(self, read: Callable[..., Policy]) -> None:
        policy = read(
            {
                "policy.yml": TOWER + "sources: {p: {compose: c/p.yml, node: tower}}\n"
                "services: {web: {replicas: 5, limits: {memory: 2GiB}, compose: {image: b}}}",
                "c/p.yml": "services: {web: {image: a}}",
            }
        )
        before, after = (fleet.services[Name("p", "web")] for fleet in (policy.as_is, policy.to_be))
        assert (before.image, before.replicas.count, dict(before.limits)) == ("a", 1, {})
        assert (after.image, after.replicas.count, after.limits["memory"].amount) == ("b", 5, 2**31)


class TestOldFacts:
    """Facts have an age."""

    NOW = datetime(2026, 11, 22, tzinfo=UTC)

    def facts(self, folder: Callable[..., Path], taken: str) -> tuple[str, ...]:
        texts = {"observed/tower.yml": f"{{schema_version: 1, node: tower, cpus: 1, memory: 1{taken}}}"}
        with contextlib.chdir(folder(texts)):
            observed, findings = read_observed(folder(texts) / "observed")
        assert findings == ()
        return tuple(one.message for one in too_old(observed, timedelta(days=7), self.NOW))

    @pytest.mark.parametrize(
        ("taken", "messages"),
        [
            ("", ()),
            (', taken: "2026-11-15T00:00:00+00:00"', ()),
            (', taken: "2026-11-15"', ()),
            (
                ', taken: "2026-11-14T23:59:59+00:00"',
                ("was observed 7 days ago (2026-11-14); 7 days were asked for",),
            ),
            (', taken: "2026-10-01T00:00:00Z"', ("was observed 52 days ago (2026-10-01); 7 days were asked for",)),
        ],
    )
    def test_those_that_are_too_old_are_named(
        self, folder: Callable[..., Path], taken: str, messages: tuple[str, ...]
    ) -> None:
        assert self.facts(folder, taken) == messages

    def test_a_fleet_that_was_never_observed_has_none(self, tmp_path: Path) -> None:
        assert read_observed(tmp_path / "observed") == ({}, ())


def test_a_quantity_remembers_the_layers_it_replaced(read: Callable[..., Policy]) -> None:
    policy = read(
        {
            "policy.yml": TOWER + "sources: {p: c/p.yml}\ndefaults: {limits: {cpus: 3}}\n"
            "services: {w*: {limits: {memory: 2GiB}}, web: {limits: {memory: 3GiB, cpus: 2}}}\n"
            "environments: {dev: {multiply: {memory: 2}}}",
            "c/p.yml": "services:\n  web: {image: a, mem_limit: 1g}",
        }
    )
    limits = policy.to_be.services[Name("p", "web")].limits
    assert [(one.amount // 2**30, one.source, str(one.place)) for one in limits["memory"].layers] == [
        (6, "environment dev x 2", "policy.yml:4:65"),
        (3, "services.web", "policy.yml:4:65"),
        (1, "compose", "c/p.yml:2:30"),
    ]
    assert limits["cpus"].layers[-1].place == Place("policy.yml", 3, 27)


def test_a_placement_rule_knows_where_each_of_its_keys_stands(read: Callable[..., Policy]) -> None:
    text = """\
services:
  web:
    compose: {image: "web:1"}
    placement:
      tolerations: [gpu]
      require:
        disk: ssd
      nodes: [tower]
      anti_affinity: {node: [db]}
  db:
    compose: {image: "db:1"}
    placement: nas
"""
    services = read({"policy.yml": f"{TOWER}{text}"}).to_be.services
    web, db = (services[Name("shop", name)].placement for name in ("web", "db"))
    places = {"tolerations": (6, 7), "require": (8, 9), "nodes": (9, 7), "anti_affinity": (10, 23)}
    assert {key: (place.line, place.column) for key, place in web.places.items()} == places
    assert web.place == web.at("nodes") == web.at("spread")
    assert (web.only, db.only, (db.place.line, db.place.column)) == ("tower", "nas", (13, 5))
