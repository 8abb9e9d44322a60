"""A compose file, and in which order its services start: simulated second by second, without an engine.

Read as Compose 2 reads it, as far as start order goes: `depends_on` with its three conditions, health checks with interval, timeout,
retries, start period and start interval, `restart`, variables with their defaults. What a health check's command would say is known for the
usual ones (pg_isready, psql, a request by Python, true); others are named as unknown. (https://docs.docker.com/compose/how-tos/startup-order/)
"""

from __future__ import annotations

import getopt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml
from shell_steps import Command, commands

LONGEST = 32_000
MOST = 5_000
"""Values that are looked at."""
END = 400
"""Seconds that are simulated."""
STARTED, HEALTHY, COMPLETED = "service_started", "service_healthy", "service_completed_successfully"
CONDITIONS = (STARTED, HEALTHY, COMPLETED)
_UNIT = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
CLIENTS: dict[str, tuple[str, list[str], int]] = {
    "pg_isready": (
        "d:h:p:qt:U:V?",
        ["dbname=", "host=", "port=", "quiet", "timeout=", "username=", "version", "help"],
        0,
    ),
    "psql": (
        "aAbc:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:VwWxXz01?",
        [
            "command=",
            "dbname=",
            "file=",
            "host=",
            "port=",
            "username=",
            "no-password",
            "no-psqlrc",
            "quiet",
            "set=",
            "tuples-only",
        ],
        2,
    ),
}
"""PostgreSQL's clients: their options (a colon or `=` where a value follows), and how many words may stand beside them."""


class ComposeError(ValueError):
    """A compose file that `docker compose` would refuse; the message is one sentence."""


@dataclass(frozen=True)
class Check:
    """A health check: what its command asks, and how often."""

    asks: str
    """`tcp`: a real connection. `socket`: only the local socket. `http`: the service's own /health. `always`, `never`, `unknown`."""
    interval: float = 30
    retries: int = 3
    start_period: float = 0
    start_interval: float = 5


@dataclass(frozen=True)
class Service:
    """A service, as far as its start goes; `raw` is all that the file says of it, with variables put in."""

    name: str
    needs: Mapping[str, str]
    check: Check | None
    restart: str
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Role:
    """What a service does in a scenario, whatever the compose file says.

    `socket` and `ready`: seconds after its start at which it answers locally, and in earnest. A job ends after `ready` seconds with `status`.
    `wants`: what must be so when it starts, or it fails at once. `check`: the health check of its image.
    """

    ready: float = 1
    socket: float = 1
    job: bool = False
    status: int = 0
    wants: Mapping[str, str] = field(default_factory=dict)
    check: Check | None = None


@dataclass
class Fate:
    """What became of a service: seconds after `up`; None for what never came."""

    started: float | None = None
    ready: float | None = None
    healthy: float | None = None
    ended: float | None = None
    status: int | None = None
    why: str = ""
    restarts: int = 0


def read(text: Any, variables: Mapping[str, str] | None = None) -> dict[str, Service]:
    """The services of a compose file. Raises ComposeError."""
    if not isinstance(text, str) or not text.strip():
        raise ComposeError("The compose file is empty.")
    if len(text) > LONGEST or text.count("*") > 200:
        raise ComposeError("The compose file is too long to be read.")
    try:
        whole = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = "" if line is None else f" at line {line + 1}"
        raise ComposeError(f"This is not YAML{where}: look at the indentation there.") from None
    if not isinstance(whole, dict) or not isinstance(whole.get("services"), dict) or not whole["services"]:
        raise ComposeError("There are no services.")
    found, left = {}, [MOST]
    for name, raw in whole["services"].items():
        if not isinstance(raw, dict):
            raise ComposeError(f"The service {name} says nothing.")
        try:
            found[str(name)] = _service(str(name), _filled(raw, variables or {}, left))
        except RecursionError:
            raise ComposeError(f"The service {name} refers to itself.") from None
    _refuse_unfinished(found, whole)
    for service in found.values():
        for other in service.needs:
            if other not in found:
                raise ComposeError(f"{service.name} depends on {other}, and there is no such service.")
    _refuse_circles(found)
    return found


def simulate(services: Mapping[str, Service], roles: Mapping[str, Role]) -> dict[str, Fate]:
    """`docker compose up` in one scenario: the fate of each service."""
    fates = {name: Fate() for name in services}
    checks = {name: service.check or roles.get(name, Role()).check for name, service in services.items()}
    failures = dict.fromkeys(services, 0)
    probe_at: dict[str, float] = {}
    given_up = ""
    for second in range(END):
        for name, service in services.items():
            fate, role = fates[name], roles.get(name, Role())
            if fate.started is None and not given_up and not fate.why:
                waits = [
                    (other, wanted)
                    for other, wanted in service.needs.items()
                    if not _met(fates[other], wanted)
                ]
                if not waits:
                    _start(name, fates, roles, second)
                    if (check := checks[name]) is not None:
                        probe_at[name] = second + (
                            check.start_interval if check.start_period > 0 else check.interval
                        )
                else:
                    given_up = next(
                        (
                            _refusal(other, fates[other], wanted)
                            for other, wanted in waits
                            if _hopeless(fates[other], services[other], wanted)
                        ),
                        "",
                    )
            if fate.started is not None and fate.ended is None:
                _live(fate, role, service, second)
            if name in probe_at and fate.ended is None and second >= probe_at[name]:
                check = checks[name]
                assert check is not None
                _probe(fate, check, role, failures, name, second)
                early = (
                    fate.started is not None
                    and fate.healthy is None
                    and second - fate.started < check.start_period
                )
                probe_at[name] = second + (check.start_interval if early else check.interval)
        if given_up:
            for fate in fates.values():
                if fate.started is None and not fate.why:
                    fate.why = given_up
            break
    for name, service in services.items():
        if fates[name].started is None and not fates[name].why:
            left = [other for other, wanted in service.needs.items() if not _met(fates[other], wanted)]
            fates[name].why = f"it still waits for {', '.join(left)}"
    return fates


def asks(test: Any, kind: str, port: int = 8000) -> str:
    """What a health check's command asks of a service of that kind (`database`, `api`, or another one)."""
    if isinstance(test, str):
        steps = commands(test)
    elif isinstance(test, list) and test and all(isinstance(word, (str, int)) for word in test):
        words = [str(word) for word in test]
        if words[0] == "NONE":
            return "none"
        if words[0] == "CMD-SHELL":
            steps = commands(" ".join(words[1:]))
        elif words[0] == "CMD" and len(words) > 1:
            steps = [Command(tuple(words[1:]))]
            if words[1].rpartition("/")[2] in ("sh", "bash") and len(words) > 3:
                steps = commands(words[-1])
        else:
            return "unknown"
    else:
        return "unknown"
    said = [_command_asks(step, kind, port) for step in steps if step.program not in ("exit", "test", "[")]
    swallowed = isinstance(test, (str, list)) and re.search(r"\|\|\s*(true|exit 0|:)", str(test))
    if swallowed:
        return "always"
    return next((one for one in said if one != "always"), "always")


def _command_asks(step: Command, kind: str, port: int) -> str:
    program, line = step.program, " ".join(step.words)
    if program in ("true", "echo", ":", "sleep", "ls", "cat", "pgrep", "ps"):
        return "always"
    if program == "false":
        return "never"
    if program in ("pg_isready", "psql"):
        if kind != "database":
            return "never"  # the program is not in that image
        short, long, most = CLIENTS[program]
        try:
            options, beside = getopt.gnu_getopt(list(step.words[1:]), short, long)
        except getopt.GetoptError:
            return "never"  # it prints its usage, and fails
        if len(beside) > most:
            return "never"
        host = _given(options, "-h", "--host") or dict(step.settings).get("PGHOST")
        if program == "psql" and not _given(options, "-c", "--command"):
            return "unknown"
        return "tcp" if host and not host.startswith("/") else "socket"
    if program in ("curl", "wget", "nc", "netcat"):
        return "never"  # slim images have none of them
    if program.startswith("python"):
        if kind == "database":
            return "never"
        if "http" not in line and "socket" not in line and "urllib" not in line:
            return "always"
        if not step.option("-c"):
            return "never"  # the code is taken for the name of a file
        return "http" if re.search(rf"(localhost|127\.0\.0\.1):{port}/health\b", line) else "never"
    return "unknown"


def _given(options: list[tuple[str, str]], *names: str) -> str:
    return next((value for name, value in options if name in names), "")


def seconds(value: Any, default: float) -> float:
    """A duration of compose (`1m30s`, `500ms`); a bare number is refused by Compose. Raises ComposeError."""
    if value is None:
        return default
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", str(value))
    if not parts or "".join(a + b for a, b in parts) != str(value):
        raise ComposeError(f"{value} is no duration: write 10s or 1m30s.")
    return sum(float(number) * _UNIT[unit] for number, unit in parts)


def _service(name: str, raw: Mapping[str, Any]) -> Service:
    needs = raw.get("depends_on") or {}
    if isinstance(needs, list):
        needs = {str(other): {"condition": STARTED} for other in needs}
    if not isinstance(needs, dict):
        raise ComposeError(f"depends_on of {name} is a list of names, or a mapping with conditions.")
    wanted = {}
    for other, how in needs.items():
        condition = how.get("condition") if isinstance(how, dict) else None
        if condition not in CONDITIONS:
            raise ComposeError(
                f"{name} depends on {other} under a condition that Compose does not know; it knows {', '.join(CONDITIONS)}."
            )
        wanted[str(other)] = str(condition)
    return Service(name, wanted, _check(name, raw), str(raw.get("restart", "no")), raw)


def kind_of(name: str, raw: Mapping[str, Any]) -> str:
    """What sort of server a service is, by its image or name."""
    image = str(raw.get("image", ""))
    return "database" if "postgres" in image or name == "db" else "api"


def _check(name: str, raw: Mapping[str, Any]) -> Check | None:
    said = raw.get("healthcheck")
    if said is None:
        return None
    if not isinstance(said, dict):
        raise ComposeError(f"healthcheck of {name} is a mapping with a test.")
    if said.get("disable") is True:
        return Check("none")
    if "test" not in said:
        raise ComposeError(f"healthcheck of {name} has no test.")
    retries = said.get("retries", 3)
    if not isinstance(retries, int) or retries < 1:
        raise ComposeError(f"retries of {name} must be a whole number.")
    period = seconds(said.get("start_period"), 0)
    return Check(
        asks(said["test"], kind_of(name, raw)),
        max(1, seconds(said.get("interval"), 30)),
        retries,
        period,
        max(1, seconds(said.get("start_interval"), 5)),
    )


def _refuse_unfinished(services: Mapping[str, Service], whole: Mapping[str, Any]) -> None:
    """What Compose wants to be said in full: secrets, and the long forms of volumes and ports."""
    secrets = whole.get("secrets") if isinstance(whole.get("secrets"), dict) else {}
    assert isinstance(secrets, dict)
    for name, secret in secrets.items():
        if not isinstance(secret, dict) or not {"file", "environment", "external"} & set(secret):
            raise ComposeError(f"The secret {name} does not say where it comes from: a file, or environment.")
    for service in services.values():
        for name in listed(service.raw, "secrets"):
            source = name.get("source") if isinstance(name, dict) else name
            if source not in secrets:
                raise ComposeError(
                    f"{service.name} refers to the secret {source}, and the file declares none of that name."
                )
        for kind, needed in (("volumes", "type"), ("ports", "target")):
            for one in listed(service.raw, kind):
                if isinstance(one, dict) and needed not in one:
                    raise ComposeError(f"The long form of {kind} of {service.name} lacks its {needed}.")


def listed(raw: Mapping[str, Any], name: str) -> list[Any]:
    """A list of a service; empty where it says none."""
    value = raw.get(name)
    return value if isinstance(value, list) else []


def published(port: Any) -> tuple[str, str, str]:
    """Address, port of this machine and port of the container of an entry of `ports`; empty where it says none."""
    if isinstance(port, dict):
        return tuple(str(port.get(name, "")) for name in ("host_ip", "published", "target"))  # type: ignore[return-value]
    outside, _colon, inside = str(port).partition("/")[0].rpartition(":")
    address, _colon, number = outside.rpartition(":")
    return address, number, inside


def _start(name: str, fates: Mapping[str, Fate], roles: Mapping[str, Role], second: float) -> None:
    fate, role = fates[name], roles.get(name, Role())
    fate.started = second
    for other, wanted in role.wants.items():
        there = fates.get(other, Fate())
        ready = there.ready is not None and there.ready <= second
        done = there.ended is not None and there.status == 0
        if not (done if wanted == "done" else ready):
            fate.ended, fate.status = second, 1
            fate.why = f"{name} started at second {second:.0f}, and {other} was not {'done' if wanted == 'done' else 'ready'}"


def _live(fate: Fate, role: Role, service: Service, second: float) -> None:
    assert fate.started is not None
    age = second - fate.started
    if role.job and age >= role.ready:
        fate.ended, fate.status = second, role.status
        if service.restart in ("always", "unless-stopped") and fate.status == 0:
            fate.ended, fate.status, fate.started = None, None, second
            fate.restarts += 1
    elif not role.job and fate.ready is None and age >= role.ready:
        fate.ready = second


def _probe(fate: Fate, check: Check, role: Role, failures: dict[str, int], name: str, second: float) -> None:
    assert fate.started is not None
    age = second - fate.started
    well = {
        "tcp": fate.ready is not None,
        "http": fate.ready is not None,
        "socket": age >= role.socket,
        "always": True,
    }.get(check.asks, False)
    if well:
        failures[name] = 0
        fate.healthy = fate.healthy if fate.healthy is not None else second
    elif age >= check.start_period and fate.healthy is None:
        failures[name] += 1
        if failures[name] >= check.retries:
            fate.why = "unhealthy"


def _met(fate: Fate, wanted: str) -> bool:
    if wanted == HEALTHY:
        return fate.healthy is not None
    if wanted == COMPLETED:
        return fate.ended is not None and fate.status == 0
    return fate.started is not None


def _hopeless(fate: Fate, service: Service, wanted: str) -> bool:
    if fate.why == "unhealthy":
        return wanted == HEALTHY
    if (
        wanted == HEALTHY
        and fate.started is not None
        and (service.check is not None and service.check.asks == "none")
    ):
        return True
    return wanted in (HEALTHY, COMPLETED) and fate.ended is not None and fate.status != 0


def _refusal(other: str, fate: Fate, wanted: str) -> str:
    if fate.why == "unhealthy":
        return f"{other} was called unhealthy"
    if wanted == HEALTHY and fate.ended is None:
        return f"{other} has no health check"
    return f"{other} ended with status {fate.status}"


def _refuse_circles(services: Mapping[str, Service]) -> None:
    done: set[str] = set()
    for name in services:
        way: list[str] = []

        def walk(one: str, way: list[str] = way) -> None:
            if one in way:
                raise ComposeError(
                    f"The services wait for each other in a circle: {' → '.join([*way, one])}."
                )
            if one not in done:
                way.append(one)
                for other in services[one].needs:
                    walk(other)
                way.pop()
                done.add(one)

        walk(name)


def _filled(value: Any, variables: Mapping[str, str], left: list[int]) -> Any:
    """A value with its variables put in. `left` counts down: what refers to itself again and again is refused."""
    left[0] -= 1
    if left[0] < 0:
        raise ComposeError("The compose file says too much: is something repeated by references?")
    if isinstance(value, dict):
        return {str(key): _filled(item, variables, left) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, variables, left) for item in value]
    if not isinstance(value, str):
        return value

    def put(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name = match[1] or match[2]
        return variables.get(name, match[4] if match[3] in (":-", "-") else "")

    return re.sub(r"\$\$|\$(?:(\w+)|\{(\w+)(?:(:?[-?+])([^}]*))?\})", put, value)
