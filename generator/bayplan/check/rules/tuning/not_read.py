"""Variables that an image does not read: what they say holds nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bayplan.check.mending import in_policy
from bayplan.check.over_limit import limit_of
from bayplan.check.paste import RESET
from bayplan.check.rule import Rule
from bayplan.finding import Severity
from bayplan.tuning.command import words_of
from bayplan.tuning.following import tunings
from bayplan.tuning.images import MARIADB, MEMCACHED, MYSQL, POSTGRES, RECIPES, REDIS, VALKEY
from bayplan.tuning.reading import under
from bayplan.tuning.settings import Setting
from bayplan.tuning.unread import REFUSED, unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bayplan.check.survey import Survey
    from bayplan.finding import Finding
    from bayplan.model.service import Tuning
    from bayplan.tuning.settings import Application
    from bayplan.tuning.unread import Unread

RULE = Rule("tuning/not-read", Severity.WARNING)
_PROGRAMS = {
    POSTGRES: "postgres",
    REDIS: "redis-server",
    VALKEY: "valkey-server",
    MYSQL: "mysqld",
    MARIADB: "mariadbd",
    MEMCACHED: "memcached",
}


def check(survey: Survey) -> Iterator[Finding]:
    """Yield a finding for each service with variables that its image does not read, all of them in one."""
    for known in survey.applications:
        some = tuple(unread(known))
        if not some:
            continue
        places = [known.place_of(one.variable) for one in some]
        paste = _paste(survey, known, some)
        yield RULE.finding(
            places[0],
            known.service.name,
            f"sets {_listed([one.variable for one in some])}, which {known.image.repository} does not read"
            f"{_takes(some)}",
            arithmetic="; ".join(
                f"{one.setting}: {one.value} is said, {one.default} holds" for one in some if one.default
            ),
            remedy="" if paste else f"take {_listed([one.variable for one in some])} away{_takes(some, away=True)}",
            paste=paste,
            also=tuple(places[1:]),
        )


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def _takes(some: tuple[Unread, ...], *, away: bool = False) -> str:
    first = some[0]
    if first.setting == "num_thread":
        return ": num_thread belongs to the model or the request"
    if first.setting == REFUSED:
        return "" if away else ", and refuses to start with"
    if first.instead.isupper() or first.instead.startswith("NEO4J_"):
        return f": it reads {_listed([one.instead for one in some])}"
    return ": it takes options on its command line, or a file"


def _paste(survey: Survey, known: Application, some: tuple[Unread, ...]) -> str:
    """Return the recipe if it says all of it, else the same values where the image reads them."""
    service, first = known.service, some[0]
    path = survey.path_of(service)
    compose: dict[str, Any] = {}
    if first.instead.startswith("NEO4J_"):
        compose = {"environment": {one.variable: RESET for one in some} | {one.instead: one.value for one in some}}
    elif first.setting == REFUSED:
        compose = {"environment": {first.variable: RESET}}
    elif recipe := _recipe(known):
        return survey.paste((*path, "tuning"), in_policy(recipe))
    elif first.instead.isupper():
        compose = {"environment": {first.instead: first.value}}
    elif known.image.application in _PROGRAMS:
        compose = {"command": [*_line(known), *_options(known, some)]}
    says_it = service.tuning and set(service.tuning.environment) & {one.variable for one in some}
    fixed = RESET in (compose.get("environment") or {}).values() and any(known.is_in_file(one.variable) for one in some)
    return survey.paste((*path, "compose"), compose) if compose and not says_it and not fixed else ""


def _recipe(known: Application) -> Tuning | None:
    """Return the tuning by a recipe under which nothing is left unread."""
    if known.image.application not in RECIPES or not limit_of(known):
        return None
    nothing = Setting("", "", 0, "", known.service.place)
    for tuning in tunings(known, nothing):
        other = under(known, tuning)
        if other is not None and not any(unread(other)):
            return tuning
    return None


def _line(known: Application) -> tuple[str, ...]:
    return words_of(known.service.body.get("command")) or (_PROGRAMS[known.image.application],)


def _options(known: Application, some: tuple[Unread, ...]) -> list[str]:
    if known.image.application == POSTGRES:
        return [word for one in some for word in ("-c", f"{one.instead}={one.value}")]
    return [word for one in some for word in (f"--{one.instead.replace('_', '-')}", one.value)]
