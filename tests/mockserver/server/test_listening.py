"""Where the server listens: both address families, Unix sockets, inherited sockets, TLS."""

import os
import signal
import socket
import ssl
import subprocess
import time
from urllib.parse import urlsplit

import httpx
import pytest

from tests.mockserver.conftest import DEMO, KNOWN, clean_environment, serve_command


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["localhost", "::"])
def test_a_host_with_two_families_is_reached_by_both(start_server, host):
    port = urlsplit(start_server("--log-format", "off", "--host", host).url).port

    for address in ("127.0.0.1", "[::1]", "localhost"):
        url = f"http://{address}:{port}/__mock/state"
        assert httpx.get(url).status_code == 200


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_an_address_of_ipv6_may_stand_in_brackets(start_server, host):
    server = start_server("--log-format", "off", "--host", host)

    assert server.url.startswith("http://[::1]:")
    assert httpx.get(server.url + KNOWN, headers=DEMO).status_code == 200
    assert "other machines" not in server.log


def test_a_port_that_is_taken_on_one_family_is_refused(refused_start):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        message = refused_start("--host", "localhost", "--port", str(taken.getsockname()[1]))

    assert message.returncode == 2
    assert "Cannot listen on localhost port" in message.stderr


def test_a_unix_socket_is_served_and_removed(start_server, tmp_path):
    path = tmp_path / "mock.sock"
    for _ in range(2):  # the second one replaces a socket that was left behind
        server = start_server("--uds", str(path))
        assert f"curl --unix-socket '{path}' " in server.banner
        transport = httpx.HTTPTransport(uds=str(path))
        with httpx.Client(transport=transport, base_url="http://localhost") as client:
            assert client.get(KNOWN, headers=DEMO).status_code == 200
            assert client.get("/__mock/state").status_code == 200
        server.process.send_signal(signal.SIGKILL)
        server.process.wait(20)
    server = start_server("--uds", str(path))
    assert server.stop() == 0
    assert not path.exists()


def test_a_unix_socket_that_is_served_is_not_taken_away(start_server, refused_start, tmp_path):
    path = tmp_path / "mock.sock"
    start_server("--uds", str(path))
    message = refused_start("--uds", str(path))

    assert message.returncode == 2
    assert "another process does" in message.stderr
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        assert client.get(KNOWN, headers=DEMO).status_code == 200


def test_a_file_that_is_no_socket_stays_when_the_start_is_refused(refused_start, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    message = refused_start("--uds", str(path))

    assert message.returncode == 2
    assert f"Cannot listen on {path}" in message.stderr
    assert path.read_text() == "mine"


def test_a_server_that_stops_leaves_the_socket_of_another(start_server, tmp_path):
    path = tmp_path / "mock.sock"
    first = start_server("--uds", str(path))
    path.unlink()
    start_server("--uds", str(path))
    assert first.stop() == 0

    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport, base_url="http://localhost") as client:
        assert client.get(KNOWN, headers=DEMO).status_code == 200


def test_an_inherited_socket_is_served(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = subprocess.Popen(
            serve_command("--fd", str(listener.fileno()), "--log-format", "off"),
            cwd=tmp_path,
            env=clean_environment(),
            pass_fds=[listener.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        )
    with process:
        banner = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        response = httpx.get(f"http://127.0.0.1:{port}{KNOWN}", headers=DEMO)
        process.terminate()

        assert process.wait(20) == 0
    assert response.status_code == 200
    assert f"serves on http://127.0.0.1:{port}" in banner


def test_https_with_a_certificate_of_its_own(start_server):
    server = start_server("--tls")
    trusted = server.log.split("--cacert ")[1].split()[0]
    context = ssl.create_default_context(cafile=trusted)
    with httpx.Client(base_url=server.url, verify=context, headers=DEMO) as client:
        responses = [client.get(KNOWN) for _ in range(3)]
        posted = client.post("/v1/workflows/wf_abc123/test", json={})

    assert server.url.startswith("https://127.0.0.1:")
    assert os.listdir(os.path.dirname(trusted)) == ["ca.pem"]  # noqa: PTH120, PTH208 (a text)
    assert [one.status_code for one in (*responses, posted)] == [200] * 4
    assert responses[0].content == responses[2].content
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)
    assert server.stop() == 0
    assert not os.path.exists(trusted)  # noqa: PTH110 (a text of the log)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--ssl-certfile", "none.pem"), "No such file"),
        (("--ssl-certfile", __file__), "Cannot use the certificate"),
        (("--ssl-keyfile", "key.pem"), "there is no certificate"),
        (("--tls", "--ssl-certfile", "a.pem"), "Leave one out"),
        (("--uds", "a.sock", "--fd", "3"), "Leave one out"),
        (("--fd", "999"), "no socket to listen on"),
        (("--limit", "body_bytes=many"), "a whole number above 0"),
        (("--limit", "bodies=1"), "is not one of head_bytes, "),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(refused_start, options, expected):
    message = refused_start("--port", "0", *options)

    assert message.returncode == 2
    assert expected in message.stderr


def test_tls_without_its_package_names_what_to_install(refused_start, tmp_path):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "trustme.py").write_text("raise ImportError('hidden')")
    message = refused_start("--port", "0", "--tls", PYTHONPATH=str(tmp_path / "hidden"))

    assert message.returncode == 2
    assert "pip install trustme" in message.stderr


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root may do that")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_process_1_of_a_container_stops_at_once(tmp_path, number):
    box = ["unshare", "-p", "-f", "--kill-child", "--mount-proc"]
    if subprocess.run([*box, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this machine grants no process namespace")
    process = subprocess.Popen(
        [*box, *serve_command("--port", "0", "--log-format", "off")],
        cwd=tmp_path,
        env=clean_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        with open(children) as file:  # noqa: PTH123 (of the system)
            inner = int(file.read().split()[0])
        began = time.monotonic()
        os.kill(inner, number)

        assert process.wait(20) == 0
        assert time.monotonic() - began < 8


def test_it_serves_and_stops_with_standard_input_closed(tmp_path):
    command = " ".join(serve_command("--port", "0", "--log-format", "off"))
    process = subprocess.Popen(
        ["sh", "-c", f"exec {command} <&-"],
        cwd=tmp_path,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        banner = "".join(iter(process.stdout.readline, "Stop with Ctrl-C.\n"))
        url = banner.split("serves on ")[1].split()[0]
        assert httpx.get(url + KNOWN, headers=DEMO).status_code == 200
        process.terminate()

        assert process.wait(20) == 0
