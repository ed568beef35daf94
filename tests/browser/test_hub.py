"""A class in small: JupyterHub as in deploy/, two students at once, each in a copy of the course of their own."""

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, SCREENSHOTS
from playwright.sync_api import Browser, Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.skipif(sys.platform != "linux", reason="deploy/ is for a Linux server")]
PROXY = ROOT / "build" / "hub" / "node_modules" / ".bin" / "configurable-http-proxy"
STUDENTS = ("ada", "bo")
# What a test must not have: accounts of the machine, the ports and the folder of a real class.
CHANGES = """\
import os

load_subconfig({config!r})
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = os.environ["HUB_TEST_PASSWORD"]
c.Authenticator.allowed_users = {{*{students!r}}}
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = {home!r}
c.Spawner.args = [*c.Spawner.args, *["--allow-root"] * (os.geteuid() == 0)]  # in a container, say
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_port = {ports[1]}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.JupyterHub.db_url = "sqlite:///{state}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = "{state}/cookie_secret"
c.ConfigurableHTTPProxy.pid_file = "{state}/proxy.pid"
"""
# A message that is longer than tornado's own limit, as an uploaded photograph makes it; what becomes of it.
LONG_MESSAGE = """async base => {
    const part = document.cookie.split("; ").filter(one => one.startsWith("_xsrf="));
    const lists = await Promise.all(part.map(one => fetch(base + "api/kernels?" + one).then(got => got.json())));
    const path = "api/kernels/" + lists.find(Array.isArray)[0].id + "/channels?session_id=long";
    const socket = new WebSocket(location.origin.replace("http", "ws") + base + path);
    return await new Promise(resolve => {
        socket.onclose = event => resolve("closed: " + event.code);
        socket.onmessage = event => String(event.data).includes("execute_reply") && resolve("answered");
        socket.onopen = () => socket.send(JSON.stringify({
            header: {msg_id: "1", msg_type: "execute_request", session: "long", username: "", version: "5.3"},
            parent_header: {}, metadata: {}, channel: "shell",
            content: {code: "#" + "x".repeat(20e6), silent: true, user_expressions: {}, allow_stdin: false},
        }));
    });
}"""


@dataclass
class Hub:
    """A running JupyterHub: its address, the password of its students, its process, the folder of their homes."""

    url: str
    password: str
    process: psutil.Process
    homes: Path


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    if not PROXY.exists() and not (shutil.which("npm") and shutil.which("make")):
        stop = pytest.fail if os.environ.get("CI") else pytest.skip
        stop("the hub needs npm's configurable-http-proxy: install Node.js 18 or later, and make")
    subprocess.run(["make", "build/hub/.installed"], cwd=ROOT, check=True)
    ports, password = free_ports(3), secrets.token_urlsafe(16)
    text = CHANGES.format(
        config=str(ROOT / "deploy" / "jupyterhub_config.py"), students=STUDENTS, ports=ports,
        state=tmp_path, home=str(tmp_path / "{username}"),
    )  # fmt: skip
    (tmp_path / "config.py").write_text(text)
    command = [sys.executable, "-m", "jupyterhub", "-f", tmp_path / "config.py"]
    own = {"HUB_TEST_PASSWORD": password, "PYTHONPATH": str(ROOT)}
    with (tmp_path / "hub.log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, env=os.environ | own, stdout=log, stderr=subprocess.STDOUT)
    url = f"http://127.0.0.1:{ports[0]}/"
    try:
        deadline = time.monotonic() + 180
        while True:
            try:
                urllib.request.urlopen(url + "hub/health", timeout=5).close()
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.fail("JupyterHub did not start:\n" + (tmp_path / "hub.log").read_text()[-3000:])
                time.sleep(0.3)
        yield Hub(url, password, psutil.Process(server.pid), tmp_path)
    finally:
        everything = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(60)
        finally:
            for process in psutil.wait_procs(everything, 10)[1]:
                process.kill()


def log_in(page: Page, hub: Hub, name: str, password: str) -> None:
    page.goto(f"{hub.url}hub/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def menu(page: Page, *names: str) -> None:
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile(f"^{names[0]}$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{names[1]}$")).click()


def fetched(page: Page, path: str) -> tuple[int, str]:
    """What the page's own user gets for an address of the hub: status and text."""
    answer = page.request.get(path)
    return answer.status, answer.text()


def test_two_students_work_at_once(browser: Browser, hub: Hub) -> None:
    pages = {name: browser.new_context(viewport={"width": 1280, "height": 900}).new_page() for name in STUDENTS}
    for name, page in pages.items():
        page.set_default_timeout(60_000)
        log_in(page, hub, name, "a guess")
        expect(page.get_by_text("Invalid username or password")).to_be_visible()
        if name == "ada":
            SCREENSHOTS.mkdir(parents=True, exist_ok=True)
            page.goto(f"{hub.url}hub/login")
            page.screenshot(path=SCREENSHOTS / "hub_login.png")
    for name, page in pages.items():
        log_in(page, hub, name, hub.password)
    for name, page in pages.items():
        page.wait_for_url(re.compile(f"/user/{name}/lab/tree/00_start_here.ipynb"), timeout=240_000)
        expect(page.locator("#jp-main-statusbar")).to_contain_text(re.compile(r"\| Idle"), timeout=240_000)
        menu(page, "Edit", "Clear Outputs of All Cells")
        expect(page.locator(".jp-OutputArea-output img")).to_have_count(0)
    for page in pages.values():
        page.locator(".jp-Cell").first.click()
        for _ in range(4):  # the title, the imports, a text, and the cell with the first picture
            page.keyboard.press("Shift+Enter")
    for name, page in pages.items():
        expect(page.locator(".jp-OutputArea-output img").first).to_be_visible(timeout=240_000)
        page.locator(".jp-OutputArea-output img").first.scroll_into_view_if_needed()
        page.screenshot(path=SCREENSHOTS / f"hub_{name}.png")
    assert pages["ada"].evaluate(LONG_MESSAGE, "/user/ada/") == "answered"

    # Each has a course of their own, and does not see the other's.
    ada, bo = pages.values()
    (hub.homes / "ada" / "cnnlab-course" / "mine.txt").write_text("only mine")
    assert fetched(ada, f"{hub.url}user/ada/files/mine.txt") == (200, "only mine")
    assert fetched(bo, f"{hub.url}user/bo/files/mine.txt")[0] == 404
    assert fetched(bo, f"{hub.url}user/ada/files/mine.txt")[0] in (403, 404)
    assert "only mine" not in fetched(bo, f"{hub.url}user/ada/api/contents/mine.txt")[1]

    # One thread and a limit for each kernel; all of them end with the hub.
    kernels = [p for p in hub.process.children(recursive=True) if any("ipykernel" in word for word in p.cmdline())]
    assert len(kernels) == 2
    for kernel in kernels:
        assert kernel.environ()["OMP_NUM_THREADS"] == "1"
        assert kernel.rlimit(psutil.RLIMIT_DATA)[0] == 3 * 2**30
    for page in pages.values():
        page.context.close()
    everything = hub.process.children(recursive=True)
    hub.process.terminate()
    assert psutil.wait_procs(everything, 60)[1] == []  # none is alive
