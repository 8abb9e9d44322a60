"""The simulation of a start order: conditions, health, time, refusals."""

import pytest


@pytest.fixture(scope="module")
def order():
    import compose_order

    return compose_order


TWO = """\
services:
  db:
    image: postgres:18.4-bookworm
    healthcheck: {{test: [CMD, pg_isready, -h, localhost], interval: 2s, retries: {retries}, start_period: {period}}}
  app:
    image: app:1.0
    depends_on: {{db: {{condition: {condition}}}}}
"""


def fates(order, ready=10, condition="service_healthy", retries=3, period="0s"):
    services = order.read(TWO.format(condition=condition, retries=retries, period=period))
    return order.simulate(services, {"db": order.Role(ready=ready), "app": order.Role(wants={"db": "ready"})})


def test_a_condition_decides_when_it_starts(order):
    assert (
        fates(order, condition="service_started")["app"].why
        == "app started at second 0, and db was not ready"
    )
    assert fates(order, period="60s")["app"].started == 10
    assert fates(order, retries=10)["app"].started == 10


def test_an_unhealthy_service_ends_the_wait(order):
    gone = fates(order, ready=30)
    assert gone["app"].started is None
    assert gone["app"].why == "db was called unhealthy"
    assert fates(order, ready=30, period="29s")["app"].started == 30


def test_a_job_is_waited_for_by_its_end(order):
    text = "services: {job: {image: j:1.0}, app: {image: a:1.0, depends_on: {job: {condition: service_completed_successfully}}}}"
    services = order.read(text)
    assert order.simulate(services, {"job": order.Role(ready=7, job=True)})["app"].started == 7
    failed = order.simulate(services, {"job": order.Role(ready=7, job=True, status=3)})["app"]
    assert (failed.started, failed.why) == (None, "job ended with status 3")


@pytest.mark.parametrize(
    ("test", "kind", "said"),
    [
        (["CMD", "pg_isready"], "database", "socket"),
        (["CMD", "pg_isready", "-h", "127.0.0.1"], "database", "tcp"),
        (["CMD-SHELL", "pg_isready --host=db -U x || exit 1"], "database", "tcp"),
        ("psql -h localhost -c 'select 1'", "database", "tcp"),
        (["CMD-SHELL", "pg_isready -h db || true"], "database", "always"),
        (["CMD", "true"], "database", "always"),
        (["CMD", "curl", "-f", "http://localhost:8000/health"], "api", "never"),
        (["CMD", "python", "-c", "urllib.request.urlopen('http://localhost:8000/health')"], "api", "http"),
        (["CMD", "python", "-c", "urllib.request.urlopen('http://localhost:9/health')"], "api", "never"),
        (["CMD", "pg_isready"], "api", "never"),
        (["NONE"], "api", "none"),
        (["CMD", "rustc"], "api", "unknown"),
        (7, "api", "unknown"),
    ],
)
def test_what_a_check_asks(order, test, kind, said):
    assert order.asks(test, kind) == said


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "empty"),
        ("a: [", "not YAML"),
        ("services: {}", "no services"),
        ("services: {a: {depends_on: [b]}}", "no such service"),
        ("services: {a: {depends_on: [b]}, b: {depends_on: [a]}}", "circle"),
        ("services: {a: {depends_on: {b: {condition: well}}}, b: {}}", "condition"),
        ("services: {a: {healthcheck: {interval: 5}}}", "no test"),
        ("services: {a: {healthcheck: {test: x, interval: 5}}}", "no duration"),
        ("services: {a: }", "says nothing"),
    ],
)
def test_what_compose_would_refuse(order, text, word):
    with pytest.raises(order.ComposeError, match=word):
        order.read(text)


def test_a_bomb_is_no_problem(order):
    bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )
    with pytest.raises(order.ComposeError):
        order.read(bomb + "services: {a: {x: *a8}}\n")


def test_variables(order):
    text = "services: {a: {image: 'x:${V:-1.2}', command: '$$HOME ${W:?no} $U'}}"
    raw = order.read(text, {"W": "w"})["a"].raw
    assert raw == {"image": "x:1.2", "command": "$HOME w "}


def test_the_teams_own_file_holds_in_every_scenario(order):
    from flightschool.paths import LABS

    services = order.read((LABS / "05_docker/images/compose.yaml").read_text(), {"DB_PASSWORD": "x"})
    roles = {
        "db": order.Role(ready=45, socket=2),
        "etl": order.Role(ready=9, job=True, wants={"db": "ready"}),
        "api": order.Role(ready=2, wants={"etl": "done"}),
    }
    assert [fate.started for fate in order.simulate(services, roles).values()] == [0, 45, 54]
