"""What images are, what amounts and tags mean, and which options a line gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bayplan.model.names import Name
from bayplan.model.quantity import MEMORY, Quantity
from bayplan.model.service import Service, Tuning
from bayplan.model.units import GIB, MIB
from bayplan.tuning import sizes
from bayplan.tuning.following import followed
from bayplan.tuning.given import given as options
from bayplan.tuning.images import image_of
from bayplan.tuning.models import models_in
from bayplan.tuning.reading import application


@pytest.mark.parametrize(
    ("reference", "repository", "tag", "application_"),
    [
        ("postgres", "postgres", "", "postgres"),
        ("postgres:17.2-alpine", "postgres", "17.2-alpine", "postgres"),
        ("docker.io/library/redis:7@sha256:0a", "redis", "7", "redis"),
        ("mirror.lan:5000/docker/library/mysql:8.4", "mysql", "8.4", "mysql"),
        ("localhost/valkey/valkey:8", "valkey/valkey", "8", "valkey"),
        (
            "docker.elastic.co/elasticsearch/elasticsearch:8.15.0",
            "elasticsearch/elasticsearch",
            "8.15.0",
            "elasticsearch",
        ),
        ("bitnami/redis:7", "bitnami/redis", "7", ""),
        ("shop/postgres:1", "shop/postgres", "1", ""),
        ("", "", "", ""),
    ],
)
def test_an_image_is_its_repository(reference: str, repository: str, tag: str, application_: str) -> None:
    image = image_of(reference)
    assert (image.repository, image.tag, image.application) == (repository, tag, application_)


@pytest.mark.parametrize(
    ("tag", "version", "older"),
    [
        ("3.8", (3, 9), True),
        ("3.13-management", (3, 9), False),
        ("latest", (3, 9), False),
        ("4.4", (5,), True),
        ("", (5,), False),
    ],
)
def test_a_tag_without_a_number_is_the_newest(tag: str, version: tuple[int, ...], older: bool) -> None:  # noqa: FBT001
    assert image_of(f"rabbitmq:{tag}" if tag else "rabbitmq").before(*version) is older


@pytest.mark.parametrize(
    ("read", "text", "amount"),
    [
        (sizes.jvm, "2g", 2 * GIB),
        (sizes.jvm, "512M", 512 * MIB),
        (sizes.jvm, "1073741824", GIB),
        (sizes.jvm, "2gb", None),
        (sizes.jvm, "two", None),
        (sizes.redis, "1gb", GIB),
        (sizes.redis, "1G", 10**9),
        (sizes.redis, "100", 100),
        (sizes.redis, "1.5gb", GIB * 3 // 2),
        (sizes.neo4j, "2.5G", GIB * 5 // 2),
        (sizes.neo4j, "512mb", 512 * MIB),
        (sizes.erlang, "2GB", 2 * 10**9),
        (sizes.erlang, "2GiB", 2 * GIB),
        (sizes.erlang, "40%", None),
    ],
)
def test_the_same_letters_mean_different_things(read: Any, text: str, amount: int | None) -> None:
    assert read(text) == amount


@pytest.mark.parametrize(
    ("text", "block", "amount"),
    [("2GB", 1024, 2 * GIB), ("16384", 8192, 128 * MIB), ("4096", 1024, 4 * MIB), ("1g", 1024, None)],
)
def test_postgres_counts_blocks(text: str, block: int, amount: int | None) -> None:
    assert sizes.postgres(text, block) == amount


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"command": ["postgres", "-c", "work_mem=4MB", "-cwork_mem=8MB", "--work-mem=16MB"]},
         [("4MB", 2), ("8MB", 3), ("16MB", 4)]),
        ({"command": "postgres -c work_mem=4MB -c 'work_mem = 8MB'"}, [("4MB", 2), ("8MB", 4)]),
        ({"command": ["sh", "-c", "exec postgres -c work_mem='4MB'; echo work_mem=1"]}, [("4MB", 2)]),
        ({"entrypoint": ["sh", "-c"], "command": ["postgres -c work_mem=4MB"]}, [("4MB", 0)]),
        ({"entrypoint": ["postgres", "-c", "work_mem=4MB"], "command": ["-c", "work_mem=8MB"]}, [("4MB", 2), ("8MB", 1)]),
        ({"command": ["postgres", "-c", "work_mem=${X}", "-c"]}, []),
        ({"command": None, "entrypoint": []}, []),
        ({}, []),
    ],
)  # fmt: skip
def test_options_are_found_in_every_form(body: dict[str, Any], found: list[tuple[str, int]]) -> None:
    assert [(one.value, one.index) for one in options(body, ("work_mem",), "-c")] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("llama3:70b", {"llama3:70b": 35 * 10**9}),
        ("MODEL=hf.co/x/qwen2.5:14b,", {"hf.co/x/qwen2.5:14b": 7 * 10**9}),
        (
            "x/qwen2.5:14b-instruct-q8_0, phi3:3.8b",
            {"x/qwen2.5:14b-instruct-q8_0": 14 * 10**9, "phi3:3.8b": 19 * 10**8},
        ),
        ("mistral:7b-instruct-fp16", {"mistral:7b-instruct-fp16": 14 * 10**9}),
        ("mixtral:8x7b http://host:8080b/ app:12beta redis:7", {}),
    ],
)
def test_a_tag_says_how_large_a_model_is(text: str, found: dict[str, int]) -> None:
    assert models_in(text) == found


def service(memory: int, **body: Any) -> Service:
    """Return a service with a limit, from a Compose mapping without places."""
    return Service(Name("p", "x"), image="tool:1.0", limits={MEMORY: Quantity(memory)} if memory else {}, body=body)


@given(st.integers(16, 4096), st.integers(1, 8192))
@settings(derandomize=True, deadline=None, max_examples=100)
def test_what_follows_the_limit_fits_it(limit: int, heap: int) -> None:
    """Whatever stood there: half of the limit for a heap, three quarters for a cache."""
    text = f"-Xms{heap}m -Xmx{heap}m --maxmemory {heap}mb"
    made = application(
        Service(
            Name("p", "x"),
            image="tool:1.0",
            limits={MEMORY: Quantity(limit * MIB)},
            body={"environment": {"JAVA_OPTS": text}},
            tuning=Tuning(environment={"JAVA_OPTS": followed(text)}),
        )
    )
    assert made is not None
    assert [one.amount for one in made.heaps] == [limit // 2 * MIB]


@given(st.text(max_size=60))
@settings(derandomize=True, deadline=None, max_examples=200)
def test_no_text_stops_the_reading(text: str) -> None:
    for body in (
        {"command": text},
        {"command": [text, text]},
        {"environment": {"JAVA_OPTS": text, "REDIS_ARGS": text}},
    ):
        known = application(service(GIB, **body, image="redis:7"))
        assert known is None or all(one.amount >= 0 for one in known.settings)
