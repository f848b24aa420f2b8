"""`deadringer coverage HAR|URL...`: what a client has met of the API, and what is missing."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from . import completion
from .grouped import Command, section
from .terminal import write_out

if TYPE_CHECKING:
    from deadringer.contracts import Json
    from deadringer.contracts.coverage import CoverageReport, CoverageTally
    from deadringer.contracts.documents import HarRecording

STANDARD_INPUT = "-"
TIMEOUT_S = 30.0
FORMATS = ("text", "json")

mock, output = map(section, ("Mock", "Output"))


class _InputError(Exception):
    """An input cannot be counted, or a report cannot be written; the message states the fix."""


@click.command("coverage", cls=Command)
@click.argument("inputs", nargs=-1, required=True, metavar="HAR|JSON|URL|-...",
                shell_complete=completion.files)  # fmt: skip
@mock("--session", metavar="NAME",
      help="Only this session of the mock, since its reset. Otherwise every session since the "
      "server started.")  # fmt: skip
@mock("--control-token", envvar="DEADRINGER_CONTROL_TOKEN", metavar="TOKEN",
      help="The token of a mock that was started with --control-token.")  # fmt: skip
@mock("--ca-file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
      help="Trust these certificates (PEM) instead of SSL_CERT_FILE.")  # fmt: skip
@mock("--insecure", is_flag=True, help="Trust every certificate.")
@output("--fail-under", "limits", multiple=True, metavar="[SECTION=]PERCENT",
        help="Fail below this share of all items, or of one section: operations, statuses, codes "
        "or situations; repeatable.")  # fmt: skip
@output("--report", "reports", multiple=True, metavar="FORMAT=PATH",
        help=f"Also write a report; repeatable. Formats: {', '.join(FORMATS)}.")  # fmt: skip
@output("--verbose", "-v", is_flag=True,
        help="Also list missing operations, statuses and codes, and what was met.")  # fmt: skip
def command(inputs: tuple[str, ...], **parameters: Any) -> None:
    """Report what a client met, from HAR recordings and running mocks or proxies, together.

    Reports that this command wrote with --report json=PATH can be passed again; all inputs are
    added up.

    Exit code: 0 reported, 1 below --fail-under, 2 unreadable input.
    """
    from deadringer.contracts import escaped
    from deadringer.contracts.coverage import ThresholdError, parse_threshold, render_coverage

    try:
        limits = tuple(map(parse_threshold, parameters["limits"]))
        targets = [_target(one) for one in parameters["reports"]]
        report = _report(inputs, parameters)
        for form, path in targets:
            _write(form, path, report)
        write_out(escaped(render_coverage(report, verbose=parameters["verbose"]), keep="\n"))
    except (_InputError, ThresholdError) as problem:
        click.echo(escaped(f"deadringer coverage: {problem}", keep="\n"), err=True)
        sys.exit(2)
    failures = report.failures(limits)
    for line in failures:
        click.echo(f"deadringer coverage: {line}", err=True)
    sys.exit(1 if failures else 0)


def _report(inputs: tuple[str, ...], parameters: dict[str, Any]) -> "CoverageReport":
    """Return the report of all inputs; its lines go to the mock, if there is just one."""
    from deadringer.contracts import load_specification
    from deadringer.contracts.coverage import Address, CoverageReport, CoverageTally
    from deadringer.mockserver.config import DEMO_KEY

    tally = CoverageTally()
    for place in inputs:
        tally.merge(_fetched(place, parameters) if _is_url(place) else _read(place))
    urls = {_base_url(place) for place in inputs if _is_url(place)}
    session, token = parameters["session"], parameters["control_token"]
    address = Address(
        urls.pop() if len(urls) == 1 else load_specification()["servers"][0]["url"],
        DEMO_KEY,
        headers={"X-Mock-Session": session} if session else {},
        control_headers={"X-Mock-Token": "YOUR_TOKEN"} if token else {},
    )
    return CoverageReport(tally, address)


def _is_url(place: str) -> bool:
    return place.lower().startswith(("http://", "https://"))


def _base_url(place: str) -> str:
    """Return the address of a mock from that of any of its pages."""
    return place.partition("?")[0].partition("/__mock")[0].rstrip("/")


def _fetched(place: str, parameters: dict[str, Any]) -> "CoverageTally":
    import httpx

    session, token = parameters["session"], parameters["control_token"]
    url = f"{_base_url(place)}/__mock/coverage" + ("" if session else "?all=true")
    headers = {"X-Mock-Session": session} if session else {}
    if token:
        headers["X-Mock-Token"] = token
    try:
        with httpx.Client(verify=_trust(parameters), timeout=TIMEOUT_S) as client:
            response = client.get(url, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        reason = str(error) or type(error).__name__
        fix = "Start it with `deadringer serve`, or correct the URL."
        raise _InputError(f"{place}: cannot be reached: {reason}. {fix}") from error
    if response.status_code != httpx.codes.OK:
        raise _InputError(f"{place}: returned {response.status_code}. {_fix(response)}")
    return _counted(place, _parsed(place, response.content))


def _trust(parameters: dict[str, Any]) -> Any:
    """Return what httpx verifies certificates with."""
    if parameters["insecure"]:
        return False
    from deadringer.contracts.check import Access, AccessError, ssl_context_of

    try:
        return ssl_context_of(Access(ca_file=parameters["ca_file"]))
    except AccessError as error:
        raise _InputError(str(error)) from error


def _fix(response: Any) -> str:
    try:
        return str(response.json()["error"]["suggestion"])
    except (ValueError, KeyError, TypeError):
        return "Pass the address of a running mock or proxy, with its control API on."


def _read(place: str) -> "CoverageTally":
    return _counted(place, _parsed(place, _content(place)))


def _content(place: str) -> bytes:
    from deadringer.contracts.input_files import LARGEST_DOCUMENT, InputFileError
    from deadringer.fixtures.output import opened, reading_errors

    fix = "Name a HAR file, a coverage report, a URL, or - for standard input."
    try:
        if place == STANDARD_INPUT:
            content = sys.stdin.buffer.read(LARGEST_DOCUMENT + 1)
        else:
            with opened(Path(place)) as stream:
                content = stream.read(LARGEST_DOCUMENT + 1)
    except InputFileError as error:
        raise _InputError(f"{place}: {error}. {fix}") from error
    except reading_errors() as error:
        reason = getattr(error, "strerror", None) or error
        raise _InputError(f"{place}: {reason}. {fix}") from error
    if len(content) > LARGEST_DOCUMENT:
        raise _InputError(f"{place}: more than {LARGEST_DOCUMENT:,} bytes. Split the recording.")
    return content


def _parsed(place: str, content: bytes) -> "Json":
    from deadringer.contracts import JsonError, parse_json
    from deadringer.contracts.input_files import InputFileError, decoded

    try:
        return parse_json(decoded(content)).value
    except JsonError as error:
        where = f"{place}:{error.line}:{error.column}" if error.line else place
        raise _InputError(f"{where}: not JSON: {error.reason}.") from error
    except InputFileError as error:
        raise _InputError(f"{place}: {error}.") from error


def _counted(place: str, document: "Json") -> "CoverageTally":
    """Return the tally of a HAR recording or of the JSON form of coverage."""
    from deadringer.contracts import escaped
    from deadringer.contracts.coverage import CoverageFormatError, CoverageTally, is_coverage
    from deadringer.contracts.documents import HarRecording, is_har

    if is_coverage(document):
        try:
            return CoverageTally.from_json(document)
        except CoverageFormatError as error:
            raise _InputError(f"{place}: {error}.") from error
    if not is_har(document):
        raise _InputError(f"{place}: neither a HAR recording nor a coverage report.")
    tally, recording = CoverageTally(), HarRecording(document)
    for one in recording:
        tally.observe(one.exchange)
    counts = _entries(recording)
    if not tally.requests:
        raise _InputError(
            f"{place}: the recording contains no request of the API with a response ({counts}). "
            "Record again while your client calls the API, and save all requests."
        )
    click.echo(escaped(f"{place}: {counts}"), err=True)
    return tally


def _entries(recording: "HarRecording") -> str:
    """Return how many entries of a recording are exchanges of the API, and why not all are."""
    skipped = recording.skipped
    reasons = ", ".join(f"{skipped[one]} {one.words}" for one in sorted(skipped))
    counts = f"{recording.entries} entries, {skipped.total()} skipped"
    return counts + (f": {reasons}" if reasons else "")


def _target(text: str) -> tuple[str, Path]:
    from deadringer.contracts.check import ReportError, require_writable

    form, separator, path = text.partition("=")
    if form not in FORMATS or not separator or not path:
        formats = ", ".join(FORMATS)
        raise _InputError(f"--report {text!r} is not FORMAT=PATH. Formats: {formats}.")
    try:
        require_writable(Path(path))
    except ReportError as error:
        raise _InputError(str(error)) from error
    return form, Path(path)


def _write(form: str, path: Path, report: "CoverageReport") -> None:
    from deadringer.contracts import escaped, json_bytes
    from deadringer.contracts.check import ReportError, write_atomically
    from deadringer.contracts.coverage import render_coverage

    if form == "json":
        text = json_bytes(report.to_json(), compact=False).decode() + "\n"
    else:
        text = escaped(render_coverage(report, verbose=True), keep="\n")
    try:
        write_atomically(path, text)
    except ReportError as error:
        raise _InputError(str(error)) from error
