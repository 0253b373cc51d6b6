"""What a service becomes on its node: each derived value with its reason, and no tie to what stands elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Render

NODES = """
nodes:
  a: {address: 192.0.2.7, cpus: 8, memory: 64GiB}
  b: {address: b.lan, cpus: 8, memory: 64GiB}
sources:
  shop: {compose: c/shop.yml, node: a}
"""
SHOP = """
services:
  db:
    image: postgres:17
    ports: ["5432:5432"]
    networks: {net: {ipv4_address: 172.20.0.5}}
    volumes: [data:/data, ./conf:/conf:ro]
    deploy: {resources: {limits: {memory: 8G, cpus: "4", pids: 100}, reservations: {memory: 1G, cpus: "0.5"}}}
  web:
    image: nginx:1
    depends_on: {db: {condition: service_healthy}, cache: {condition: service_started}}
    networks: [net, unused-elsewhere]
    secrets: [token]
    configs: [{source: site, target: /etc/site}]
  cache:
    image: redis:7
    networks: {net: {aliases: [kv]}}
networks: {net: , unused-elsewhere: {internal: true}, nobody: }
volumes: {data: , nobody: }
secrets: {token: {environment: TOKEN}, nobody: {environment: NOBODY}}
configs: {site: {file: ./site.conf}, nobody: {file: ./x}}
"""
ALL_ON_A = {"shop/db": "a", "shop/web": "a", "shop/cache": "a"}
WEB_ON_B = ALL_ON_A | {"shop/web": "b"}


def policy(*more: str, shop: str = SHOP) -> dict[str, str]:
    return {"policy.yml": NODES + "\n".join(more), "c/shop.yml": shop}


def test_what_stays_is_as_it_was_written(render: Render, compose_accepts: Callable[[str], None]) -> None:
    made = render(policy(), ALL_ON_A)
    assert list(made.texts) == ["a/shop/compose.yaml"]
    assert made.service("a/shop/web") == {
        "image": "nginx:1",
        "depends_on": {"cache": {"condition": "service_started"}, "db": {"condition": "service_healthy"}},
        "networks": {"net": {}, "unused-elsewhere": {}},
        "secrets": [{"source": "token"}],
        "configs": [{"source": "site", "target": "/etc/site"}],
    }
    assert made.service("a/shop/db")["deploy"] == {
        "resources": {"limits": {"memory": "8g", "cpus": "4", "pids": 100}, "reservations": {"memory": "1g"}}
    }
    assert made.comments("a/shop") == ["cpu_shares: 512  # 0.5 CPU requested: reservations.cpus, which Compose ignores"]
    compose_accepts(made.text("a/shop"))


def test_only_what_is_used_is_declared(render: Render, compose_accepts: Callable[[str], None]) -> None:
    made = render(policy(), WEB_ON_B)
    a, b = made.data("a/shop"), made.data("b/shop")
    assert (sorted(a["services"]), sorted(b["services"])) == (["cache", "db"], ["web"])
    assert (sorted(a["networks"]), sorted(b["networks"])) == (["net"], ["net", "unused-elsewhere"])
    assert (sorted(a["volumes"]), "volumes" in b) == (["data"], False)
    assert ("secrets" in a, sorted(b["secrets"])) == (False, ["token"])
    assert ("configs" in a, sorted(b["configs"])) == (False, ["site"])
    assert a["name"] == b["name"] == "shop"
    for where in ("a/shop", "b/shop"):
        compose_accepts(made.text(where))


def test_a_neighbour_elsewhere_is_reached_by_its_name(render: Render) -> None:
    moved = render(policy(), WEB_ON_B)
    web = moved.service("b/shop/web")
    assert "depends_on" not in web
    assert web["extra_hosts"] == ["cache:192.0.2.7", "db:192.0.2.7"]
    assert '- "db:192.0.2.7"  # db stands on a' in moved.comments("b/shop")
    stayed = render(policy(), ALL_ON_A | {"shop/db": "b"}).service("a/shop/web")
    assert stayed["depends_on"] == {"cache": {"condition": "service_started"}}
    assert stayed["extra_hosts"] == ["db:${BAYPLAN_ADDRESS_B:?the IP address of b}"]


def test_a_host_that_the_file_names_stays(render: Render) -> None:
    shop = SHOP.replace("image: nginx:1", "image: nginx:1\n    extra_hosts: [db=10.0.0.9, other=10.0.0.8]")
    assert render(policy(shop=shop), WEB_ON_B).service("b/shop/web")["extra_hosts"] == [
        "db:10.0.0.9", "other:10.0.0.8", "cache:192.0.2.7",
    ]  # fmt: skip


def test_links_end_at_the_node(render: Render, compose_accepts: Callable[[str], None]) -> None:
    shop = SHOP.replace("image: nginx:1", "image: nginx:1\n    links: [db:base, cache]")
    made = render(policy(shop=shop), ALL_ON_A | {"shop/db": "b"})
    web = made.service("a/shop/web")
    assert web["links"] == ["cache"]
    assert web["extra_hosts"] == [
        "base:${BAYPLAN_ADDRESS_B:?the IP address of b}", "db:${BAYPLAN_ADDRESS_B:?the IP address of b}",
    ]  # fmt: skip
    compose_accepts(made.text("a/shop"))


def test_who_shares_a_network_has_its_names(render: Render, compose_accepts: Callable[[str], None]) -> None:
    shop = """
services:
  vpn: {image: "vpn:1"}
  torrent: {image: "torrent:1", network_mode: "service:vpn", depends_on: [db]}
  db: {image: "postgres:17", ports: ["5432:5432"]}
"""
    made = render(policy(shop=shop), {"shop/vpn": "a", "shop/torrent": "a", "shop/db": "b"})
    assert made.service("a/shop/vpn")["extra_hosts"] == ["db:${BAYPLAN_ADDRESS_B:?the IP address of b}"]
    assert "extra_hosts" not in made.service("a/shop/torrent")
    compose_accepts(made.text("a/shop"))


def test_an_address_is_given_up_when_moved_only(render: Render) -> None:
    said = "networks: {shop/net: {static_addresses: drop-when-moved}}"
    stays = render(policy(said), ALL_ON_A).service("a/shop/db")["networks"]
    moved = render(policy(said), ALL_ON_A | {"shop/db": "b"}).service("b/shop/db")["networks"]
    assert (stays, moved) == ({"net": {"ipv4_address": "172.20.0.5"}}, {"net": None})
    dropped = render(policy("networks: {shop/net: {static_addresses: drop}}"), ALL_ON_A)
    assert dropped.service("a/shop/db")["networks"] == {"net": None}
    assert dropped.service("a/shop/cache")["networks"] == {"net": {"aliases": ["kv"]}}


def test_every_number_says_where_it_comes_from(render: Render) -> None:
    made = render(
        policy(
            "defaults: {requests: {cpus: 100m}}",
            "tiers: {data: {qos: guaranteed, services: [shop/db]}}",
            "services:",
            "  shop/db: {limits: {memory: 4GiB, cpus: 2, pids: 200, swap: 1GiB}, remap_ports: {5432: 15432},"
            " why: it never used more}",
        ),
        ALL_ON_A,
    )
    assert made.comments("a/shop") == [
        "cpu_shares: 102  # 0.1 CPU requested: defaults",
        'published: "15432"  # remap_ports, was 5432: it never used more',
        'cpus: "2"  # services.shop/db, was 4: it never used more',
        'memory: "4g"  # services.shop/db, was 8 GiB: it never used more',
        "pids: 200  # services.shop/db, was 100: it never used more",
        'memory: "4g"  # qos guaranteed, was 1 GiB',
        "cpu_shares: 512  # 0.5 CPU requested: reservations.cpus, which Compose ignores",
        'memswap_limit: "5g"  # services.shop/db: it never used more',
        "cpu_shares: 102  # 0.1 CPU requested: defaults",
    ]


def test_no_comment_speaks_of_another_service(render: Render) -> None:
    """A number of one service in the comment of another would ripple through a diff."""
    one = render(policy("services: {shop/db: {limits: {memory: 4GiB}}}"), WEB_ON_B)
    two = render(policy("services: {shop/db: {limits: {memory: 5GiB}}}"), WEB_ON_B)
    lines = list(zip(one.text("a/shop").splitlines(), two.text("a/shop").splitlines(), strict=True))
    assert [pair for pair in lines if pair[0] != pair[1]] == [
        (
            '          memory: "4g"  # services.shop/db, was 8 GiB',
            '          memory: "5g"  # services.shop/db, was 8 GiB',
        )
    ]
    assert one.text("b/shop") == two.text("b/shop")


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("cpu_shares: 300", {"cpu_shares": 300}),
        ("mem_limit: 2g\n    memswap_limit: -1", {"memswap_limit": "-1"}),
        ("mem_limit: 2g\n    memswap_limit: 3g", {"memswap_limit": "3g"}),
        ("scale: 1", {"scale": None, "replicas": None}),
        ("profiles: [jobs]", {"profiles": None}),
    ],
)
def test_what_compose_says_about_sizes(render: Render, body: str, wanted: dict[str, Any]) -> None:
    shop = f"services:\n  db:\n    image: x:1\n    {body}\n"
    said = policy("defaults: {requests: {cpus: 100m}}", shop=shop)
    said["policy.yml"] = said["policy.yml"].replace("node: a}", "node: a, profiles: [jobs]}")
    made = render(said, {"shop/db": "a"}).service("a/shop/db")
    assert {key: None if made.get(key) is None else type(value)(made[key]) for key, value in wanted.items()
            if value is not None} == {key: value for key, value in wanted.items() if value is not None}  # fmt: skip
    assert not [key for key, value in wanted.items() if value is None and key in made]


GPUS = """
nodes:
  g: {cpus: 8, memory: 64GiB, gpus: {count: 3, model: B, memory: 48GiB}}
services:
  llm: {compose: {image: "llm:1"}, gpu: 2, replicas: 1}
  ocr: {compose: {image: "ocr:1"}, gpu: 6GiB, replicas: 3}
  front: {compose: {image: "front:1", depends_on: [ocr]}}
  taken: {compose: {image: "x:1"}}
"""


def devices(service: Any) -> list[str]:
    return service["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]


def test_cards_are_given_by_number(render: Render) -> None:
    seats = {"shop/llm": "g 1,2", "shop/ocr": "g 0", "shop/ocr#2": "g 0", "shop/ocr#3": "g 0", "shop/front": "g"}
    made = render(GPUS, seats)
    assert devices(made.service("g/shop/llm")) == ["1", "2"]
    assert devices(made.service("g/shop/ocr")) == ["0"]
    assert made.service("g/shop/ocr")["deploy"]["replicas"] == 3
    assert made.service("g/shop/front")["depends_on"] == {"ocr": {"condition": "service_started"}}
    assert [line for line in made.comments("g/shop") if "gpu" in line] == [
        '- "1"  # gpu: 2 whole', '- "2"  # gpu: 2 whole', '- "0"  # gpu: 6 GiB',
    ]  # fmt: skip


def test_copies_with_cards_of_their_own(render: Render, compose_accepts: Callable[[str], None]) -> None:
    """They are Compose services of their own that answer to one name, and who waits for one waits for all."""
    seats = {"shop/ocr": "g 0", "shop/ocr#2": "g 1", "shop/ocr#3": "g 1", "shop/front": "g", "shop/taken": "g"}
    made = render(GPUS, seats)
    services = made.data("g/shop")["services"]
    assert sorted(services) == ["front", "ocr-1", "ocr-2", "taken"]
    assert (devices(services["ocr-1"]), devices(services["ocr-2"])) == (["0"], ["1"])
    assert services["ocr-2"]["deploy"]["replicas"] == 2
    assert services["ocr-1"]["networks"] == {"default": {"aliases": ["ocr"]}}
    assert sorted(services["front"]["depends_on"]) == ["ocr-1", "ocr-2"]
    compose_accepts(made.text("g/shop"))
    renamed = {copy.replace("taken", "ocr-2"): node for copy, node in seats.items()}
    clash = render(GPUS.replace("taken:", "ocr-2:"), renamed)
    assert sorted(clash.data("g/shop")["services"]) == ["front", "ocr-2", "ocr-copy-1", "ocr-copy-2"]


def test_copies_on_several_nodes(render: Render) -> None:
    texts = policy("services: {web: {replicas: 3}}")
    made = render(texts, ALL_ON_A | {"shop/web#2": "b", "shop/web#3": "b"})
    assert "replicas" not in made.service("a/shop/web").get("deploy", {})
    assert made.service("b/shop/web")["deploy"]["replicas"] == 2
    assert made.service("b/shop/web")["extra_hosts"] == ["cache:192.0.2.7", "db:192.0.2.7"]
    assert "extra_hosts" not in made.service("a/shop/web")


def test_cores_by_name_and_by_number(render: Render) -> None:
    texts = """
nodes: {a: {cpus: 16, memory: 64GiB, core_map: {db: "2-4,8"}}}
services:
  x: {compose: {image: "x:1"}, cores: db}
  y: {compose: {image: "y:1"}, cores: "5-6"}
  z: {compose: {image: "z:1"}}
"""
    made = render(texts, {"shop/x": "a", "shop/y": "a", "shop/z": "a"})
    assert made.comments("a/shop") == ['cpuset: "2-4,8"  # cores: db']
    assert [made.service(f"a/shop/{name}").get("cpuset") for name in "xyz"] == ["2-4,8", "5-6", None]


def test_a_changed_default_network_is_kept(render: Render) -> None:
    shop = "services: {x: {image: x:1}}\nnetworks: {default: {name: proxy, external: true}}\n".replace("x:1", '"x:1"')
    made = render(policy(shop=shop), {"shop/x": "a"})
    assert made.data("a/shop")["networks"] == {"default": {"name": "proxy", "external": True}}
    plain = render(policy(shop='services: {x: {image: "x:1"}}\n'), {"shop/x": "a"})
    assert "networks" not in plain.data("a/shop")


def test_what_a_build_uses_is_declared(render: Render) -> None:
    shop = """
services: {x: {build: {context: ., secrets: [npm]}}}
secrets: {npm: {file: ./npmrc}, nobody: {file: ./x}}
"""
    made = render(policy(shop=shop), {"shop/x": "a"})
    assert made.data("a/shop")["secrets"] == {"npm": {"file": "./npmrc"}}


def test_an_external_network_may_be_made_here(render: Render) -> None:
    shop = SHOP.replace("net: ,", "net: {external: true, name: edge},")
    made = render(policy("networks: {shop/net: {external: false, why: nobody else joined it}}", shop=shop), ALL_ON_A)
    assert made.data("a/shop")["networks"]["net"] == {"name": "edge", "external": True}
    assert "external: true  # made on each node: nobody else joined it" in made.comments("a/shop")


def test_an_odd_reason_stays_one_comment(render: Render) -> None:
    why = '"two\\nlines # and: \\a {"'
    made = render(policy(f"services: {{shop/db: {{limits: {{memory: 4GiB}}, why: {why}}}}}"), ALL_ON_A)
    assert made.service("a/shop/db")["deploy"]["resources"]["limits"]["memory"] == "4g"
    assert any(line.endswith("was 8 GiB: two lines # and: \ufffd {") for line in made.comments("a/shop"))


def test_the_head_says_what_made_it(render: Render) -> None:
    first, second, *_ = render(policy(), ALL_ON_A).text("a/shop").splitlines()
    assert (
        first == "# Made by `bayplan compile policies/shop` from the policy `policies/shop`; edit that, not this file."
    )
    assert second == "# A comment behind a value says where the value comes from."


def test_keys_stand_in_one_order(render: Render) -> None:
    """In that of people first, the others by name; services by name; whatever order they were written in."""
    shop = """
services:
  b: {working_dir: /x, restart: always, image: "b:1", ports: ["1:1"], annotations: {z: "1", a: "2"}, command: [z, a]}
  a: {deploy: {resources: {limits: {pids: 5, memory: 1g, cpus: "1"}}}, build: {dockerfile: D, context: c}, image: "a:1"}
"""
    text = render(policy(shop=shop), {"shop/a": "a", "shop/b": "a"}).text("a/shop")
    keys = re.findall(r"^ +(?:- )?(\w+):", text, re.MULTILINE)
    assert keys == [
        *("a", "image", "build", "context", "dockerfile", "deploy", "resources", "limits", "cpus", "memory", "pids"),
        *("b", "image", "command", "ports", "target", "published", "protocol", "restart"),
        *("annotations", "a", "z", "working_dir"),
    ]
