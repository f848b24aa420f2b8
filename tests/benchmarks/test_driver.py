"""The benchmark driver parses, compares and reports its measurements; nothing is timed here."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import body, report, serving, throughput, wrk
from benchmarks.constant_rate import request_at
from benchmarks.contestants import ASGI, NGINX, OURS_FULL, Contestant, alone, contestants
from benchmarks.latency import Tail
from benchmarks.makers import bundled_schema, make, makers, worth
from benchmarks.processes import WrongResponseError
from benchmarks.samples import Sample, interleaved, ratio
from benchmarks.serving import Report
from benchmarks.tables import MET, MISSED, UNKNOWN, Target
from deadringer.contracts import is_valid
from tests.machine import give_up
from tests.project import ROOT

PRINTED = """Running 3s test @ http://127.0.0.1:7200/x
  Latency Distribution
     50%    1.30ms
     99%   19.23ms
  62279 requests in 3.02s, 144.56MB read
Requests/sec:  20640.62
"""
STANDS_STILL_S = 1.0
ABSENT = Contestant("one that is not here", lambda _folder, _port: [], ("no-such-program",))


def entrants(*names: str) -> list[Contestant]:
    return [one for one in contestants() if one.name in names and one.missing() is None]


def test_what_wrk_prints_is_read() -> None:
    load = wrk.parse(PRINTED)

    assert (load.per_second, load.refused) == (20640.62, 0)
    assert (load.p50_s, load.p99_s) == pytest.approx((0.0013, 0.01923))


def test_refused_answers_and_broken_connections_are_counted() -> None:
    errors = "  Socket errors: connect 1, read 2, write 3, timeout 4\n"
    refused = "  Non-2xx or 3xx responses: 5\n"

    assert wrk.parse(PRINTED + errors + refused).refused == 15


def test_output_without_a_rate_is_no_measurement() -> None:
    with pytest.raises(WrongResponseError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1")


def test_rounds_are_interleaved_and_give_medians() -> None:
    order: list[str] = []
    values = iter((1.0, 10.0, 3.0, 30.0, 2.0, 20.0))

    def once(name: str) -> float:
        order.append(name)
        return next(values)

    taken = interleaved({"a": lambda: once("a"), "b": lambda: once("b")}, rounds=3)

    assert order == ["a", "b"] * 3
    assert ratio(taken["b"], taken["a"]) == 10
    assert taken["a"].shown() == "2 (1 to 3)"


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("speed", 5.0, 5), MET),
        (Target("speed", 4.9, 5), MISSED),
        (Target("memory", 0.5, 0.5, is_at_least=False), MET),
        (Target("memory", 0.6, 0.5, is_at_least=False), MISSED),
        (Target("speed", None, 5), UNKNOWN),
    ],
)
def test_a_target_is_judged(target: Target, verdict: str) -> None:
    assert target.verdict == verdict
    assert target.row()[-1] == verdict


def tail(name: str, rate: float, p50: float, p99: float) -> Tail:
    return Tail(name, rate, Sample((p50,)), Sample((p99,)), Sample((0.0,)), Sample((0.0,)), 1.0)


def test_a_tail_is_judged_at_a_rate_that_the_driver_could_keep() -> None:
    within_target = [tail(NGINX, 20_000, 0.0001, 0.001), tail(OURS_FULL, 20_000, 0.0001, 0.002)]
    behind = [tail(NGINX, 35_000, 0.9, 1.0), tail(OURS_FULL, 35_000, 0.9, 1.0)]

    target = serving.tail_target(20_000, [*behind, *within_target])

    assert target.measured == 2
    assert target.what.startswith("p99 at 20,000 requests/s")
    assert serving.tail_target(35_000, [*behind, *within_target]).verdict == UNKNOWN
    assert serving.tail_target(20_000, behind).verdict == UNKNOWN


def test_the_documentation_has_a_place_for_the_verdicts(tmp_path: Path) -> None:
    summary = tmp_path / "benchmarks.md"
    summary.write_text(report.SUMMARY.read_text("utf-8"), "utf-8")

    report.write_summary([Report(targets=[Target("our speed", 2.0, 1)])], summary)
    report.write_summary([Report(targets=[Target("another", 3.0, 1)])], summary)

    text = summary.read_text("utf-8")
    assert "| another | at least 1 | 3 | met |" in text
    assert "our speed" not in text
    assert "## Repeat it" in text


def test_the_bundled_schema_judges_alone() -> None:
    assert "step.json" not in str(bundled_schema())
    assert is_valid(body.typical_response().document["data"], "execution")


def test_our_maker_makes_what_keeps_every_rule() -> None:
    made = make(makers()[0], seconds=0.05, keep=20)

    assert made.per_second > 0
    assert worth(made.documents).without_warning == 1
    assert worth([{}]).rules == 0


@pytest.mark.slow
def test_servers_give_the_same_answer_and_bear_a_load() -> None:
    if not shutil.which("wrk"):
        give_up("needs the load generator wrk")
    response = body.typical_response()
    wanted = [*entrants(NGINX, ASGI, OURS_FULL), ABSENT]

    with throughput.everyone(response, wanted) as ready:
        rates = throughput.requests_per_second(ready, seconds=1, rounds=1, warm_up_s=1)
        course = request_at(ready.running[OURS_FULL].url, 200, 0.2, [body.KEY_HEADER])
        memory_mb = ready.running[OURS_FULL].memory_mb()

    assert ready.absent == {ABSENT.name: "no-such-program is not installed"}
    assert {ASGI, OURS_FULL} <= rates.keys()
    assert len(course.latencies) == 40
    assert (course.wrong, course.unserved) == (0, 0)
    assert memory_mb > 1


@pytest.mark.slow
@pytest.mark.parametrize("is_driver", [True, False])
def test_only_a_server_that_stands_still_is_charged_for_it(tmp_path: Path, is_driver: bool) -> None:
    (bare,) = entrants(ASGI)
    response = body.typical_response()
    body.write_files(tmp_path, response)
    command = (sys.executable, "-m", "benchmarks.constant_rate")
    with alone(bare, tmp_path, response) as server:
        driver = subprocess.Popen(
            [*command, server.url, "200", "5"], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        time.sleep(2.5)  # it has started and runs for a while
        stopped = driver.pid if is_driver else server.process.pid
        os.kill(stopped, signal.SIGSTOP)
        time.sleep(STANDS_STILL_S)
        os.kill(stopped, signal.SIGCONT)
        message = json.loads(driver.communicate(timeout=30)[0])

    assert message["served"] == 1000
    if is_driver:
        assert message["stopped"] > STANDS_STILL_S / 2
        assert message["p99"] < STANDS_STILL_S / 2
    else:  # less if other tests take the driver's core
        assert message["p99"] > STANDS_STILL_S / 10


def test_a_server_with_another_answer_is_left_out() -> None:
    (bare,) = entrants(ASGI)

    def command(folder: Path, port: int) -> list[str]:
        wrong = folder / "wrong" / "html" / "body.json"
        wrong.parent.mkdir(parents=True)
        wrong.write_text('{"success": false}')
        return bare.command(folder / "wrong", port)

    with throughput.everyone(body.typical_response(), [Contestant("other", command)]) as ready:
        assert ready.absent == {"other": "It returned another body."}
        assert not ready.running


def test_a_sample_of_one_has_no_range() -> None:
    assert Sample((2.5,)).shown(1) == "2.5"
