"""Downloads from a server that does everything wrong: the whole file or nothing, and the reason in words."""

import datetime
import errno
import hashlib
import http.server
import ipaddress
import multiprocessing
import os
import re
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnnlab.zoo import downloads
from cnnlab.zoo.downloads import download

CONTENT = bytes(range(256)) * 4000  # a megabyte
SHA256 = hashlib.sha256(CONTENT).hexdigest()
LOGIN = b"<!DOCTYPE html><html><body>Please log in to use this network</body></html>"
PATIENCE = 0.75  # seconds
ENDED = threading.Event()  # of the tests: no server waits longer
Answer = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers a request as the function in `ANSWERS` with the path's name does."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        ANSWERS[self.path.split("/")[1]](self)

    def head(self, code: int = 200, length: object = len(CONTENT), **headers: str) -> None:
        self.send_response(code)
        for name, value in (headers | ({} if length is None else {"Content-Length": f"{length}"})).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def whole(handler: Handler) -> None:
    handler.head()
    handler.wfile.write(CONTENT)


def hangs(handler: Handler) -> None:
    ENDED.wait(30)


def hangs_in_the_middle(handler: Handler) -> None:
    handler.head()
    handler.wfile.write(CONTENT[:1000])
    handler.wfile.flush()
    ENDED.wait(30)


def cuts_off(handler: Handler) -> None:
    handler.head()
    handler.wfile.write(CONTENT[:1000])


def cuts_off_a_chunk(handler: Handler) -> None:
    handler.head(length=None, Transfer_Encoding="chunked")
    handler.wfile.write(b"ffff\r\n" + CONTENT[:1000])


def claims_more(handler: Handler) -> None:
    handler.head(length=len(CONTENT) + 5)
    handler.wfile.write(CONTENT)


def claims_a_petabyte(handler: Handler) -> None:
    handler.head(length=10**15)
    handler.wfile.write(CONTENT)


def claims_less(handler: Handler) -> None:
    handler.head(length=len(CONTENT) - 5)
    handler.wfile.write(CONTENT)


def claims_nonsense(handler: Handler) -> None:
    handler.head(length="-3")
    handler.wfile.write(CONTENT)


def names_no_length(handler: Handler) -> None:
    handler.head(length=None)
    handler.wfile.write(CONTENT)


def in_chunks(handler: Handler) -> None:
    handler.head(length=None, Transfer_Encoding="chunked")
    handler.wfile.write(b"%x\r\n" % len(CONTENT) + CONTENT + b"\r\n0\r\n\r\n")


def login_page(handler: Handler) -> None:
    handler.head(length=len(LOGIN), Content_Type="text/html")
    handler.wfile.write(LOGIN)


def empty(handler: Handler) -> None:
    handler.head(length=0)


def altered(handler: Handler) -> None:
    handler.head()
    handler.wfile.write(CONTENT[:-1] + b"!")


def drips(handler: Handler) -> None:
    handler.head()
    for start in range(0, len(CONTENT), len(CONTENT) // 8):
        handler.wfile.write(CONTENT[start : start + len(CONTENT) // 8])
        handler.wfile.flush()
        time.sleep(0.1)


def interrupts(handler: Handler) -> None:
    handler.head()
    handler.wfile.write(CONTENT[:1000])
    handler.wfile.flush()
    time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGINT)  # as Ctrl-C does
    ENDED.wait(30)


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"\x00\x01\x02 220 mail server\r\n\r\n")


def moved(to: str) -> Answer:
    return lambda handler: handler.head(302, 0, Location=to)


def fails(code: int) -> Answer:
    return lambda handler: handler.head(code, 0)


ANSWERS: dict[str, Answer] = {
    answer.__name__: answer
    for answer in (
        whole, hangs, hangs_in_the_middle, cuts_off, cuts_off_a_chunk, claims_more, claims_a_petabyte, claims_less,
        claims_nonsense, names_no_length, in_chunks, login_page, empty, altered, drips, interrupts, no_http,
    )
} | {
    "moved": moved("/whole/w.pth"),
    "in_a_circle": moved("/in_a_circle/w.pth"),
    "to_a_file": moved("file:///etc/passwd"),
    "to_nowhere": moved("http://127.0.0.1:9/w.pth"),
    "to_words": moved("http://[not an address/"),
    "403": fails(403), "404": fails(404), "500": fails(500), "503": fails(503),
}  # fmt: skip


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    ENDED.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", PATIENCE)


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    "answer",
    [
        "whole", "moved", "names_no_length", "in_chunks", "claims_nonsense", "claims_more", "claims_a_petabyte",
        "drips",
    ],
)  # fmt: skip
def test_a_whole_file_arrives_with_a_progress_bar(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture, answer: str
) -> None:
    file = tmp_path / "new folder" / "w.pth"
    download(f"{address}/{answer}/w.pth", file, SHA256[:8])
    assert file.read_bytes() == CONTENT
    assert left_in(tmp_path) == ["w.pth"]
    shown = capsys.readouterr().err
    assert "w.pth: " in shown
    assert re.search(r"0.98M|1.00M|1.02M|1000k", shown)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("hangs", "nothing came for 0.75 seconds"),
        ("hangs_in_the_middle", "nothing came for 0.75 seconds"),
        ("cuts_off", "(it ended after 1,000 of 1,024,000 bytes|IncompleteRead)"),
        ("cuts_off_a_chunk", "IncompleteRead"),
        ("claims_less", "its hash is another one"),
        ("altered", "its hash is another one"),
        ("empty", "its hash is another one"),
        ("login_page", "a page came instead of the file; does your network ask for a login?"),
        ("no_http", "220 mail server"),
        ("in_a_circle", "HTTP Error 302: .* infinite loop"),
        ("to_a_file", "HTTP Error 302: .* not allowed"),
        ("to_nowhere", os.strerror(errno.ECONNREFUSED)),
        ("to_words", "Invalid IPv6 URL"),
        ("403", "HTTP Error 403: Forbidden"),
        ("404", "HTTP Error 404: Not Found"),
        ("500", "HTTP Error 500: Internal Server Error"),
        ("503", "HTTP Error 503: Service Unavailable"),
    ],
)
def test_a_download_that_fails_says_why_and_leaves_nothing(
    address: str, tmp_path: Path, answer: str, reason: str
) -> None:
    started = time.monotonic()
    with pytest.raises(RuntimeError, match=f"{address}/{answer}/w.pth could not be downloaded .*{reason}") as error:
        download(f"{address}/{answer}/w.pth", tmp_path / "w.pth", SHA256[:8])
    assert time.monotonic() - started < 10
    assert not left_in(tmp_path)
    assert "\n" not in f"{error.value}"
    assert not re.search(r"0x[0-9a-f]{6}|tmp\w{8}\.", f"{error.value}")


def test_an_older_file_stays_until_the_new_one_is_whole(address: str, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"older")
    with pytest.raises(RuntimeError):
        download(f"{address}/cuts_off/w.pth", tmp_path / "w.pth", SHA256[:8])
    assert (tmp_path / "w.pth").read_bytes() == b"older"
    download(f"{address}/whole/w.pth", tmp_path / "w.pth", SHA256[:8])
    assert (tmp_path / "w.pth").read_bytes() == CONTENT
    assert left_in(tmp_path) == ["w.pth"]


def test_no_server_and_no_such_host_are_said(tmp_path: Path) -> None:
    for url in ("http://127.0.0.1:9/w.pth", "http://no-such-host.invalid/w.pth", "no address"):
        with pytest.raises(RuntimeError, match=f"{url} could not be downloaded [(].+[)]"):
            download(url, tmp_path / "w.pth", SHA256[:8])
    assert not left_in(tmp_path)


def test_a_download_that_is_stopped_leaves_nothing(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "PATIENCE", 20.0)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would ignore Ctrl-C
    try:
        with pytest.raises(KeyboardInterrupt):
            download(f"{address}/interrupts/w.pth", tmp_path / "w.pth", SHA256[:8])
    finally:
        signal.signal(signal.SIGINT, before)
    assert not left_in(tmp_path)


def test_a_folder_that_is_a_file_or_takes_nothing_is_said(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    reasons = "|".join(map(os.strerror, (errno.EEXIST, errno.ENOTDIR)))  # in this machine's language
    with pytest.raises(RuntimeError, match=f"could not be downloaded .*({reasons})"):
        download(f"{address}/whole/w.pth", tmp_path / "file" / "w.pth", SHA256[:8])

    def closed(*args: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "tmp"))

    monkeypatch.setattr("tempfile.mkstemp", closed)
    with pytest.raises(RuntimeError, match="could not be downloaded .*Permission denied"):
        download(f"{address}/whole/w.pth", tmp_path / "w.pth", SHA256[:8])
    assert left_in(tmp_path) == ["file"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_full_disk_is_said(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = downloads._save
    monkeypatch.setattr(downloads, "_save", lambda answer, temporary, *rest: save(answer, "/dev/full", *rest))
    with pytest.raises(RuntimeError, match=f"could not be downloaded .*{os.strerror(errno.ENOSPC)}"):
        download(f"{address}/whole/w.pth", tmp_path / "w.pth", SHA256[:8])
    assert not left_in(tmp_path)


def fetch(url: str, file: Path) -> None:
    download(url, file, SHA256[:8])
    assert file.read_bytes() == CONTENT


@pytest.mark.slow
def test_several_kernels_may_download_the_same_file_at_once(address: str, tmp_path: Path) -> None:
    file = tmp_path / "w.pth"
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=fetch, args=(f"{address}/drips/w.pth", file)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert file.read_bytes() == CONTENT
    assert left_in(tmp_path) == ["w.pth"]


def test_several_threads_may_download_the_same_file_at_once(address: str, tmp_path: Path) -> None:
    file, failures = tmp_path / "w.pth", []

    def fetched() -> None:
        try:
            fetch(f"{address}/drips/w.pth", file)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=fetched) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert left_in(tmp_path) == ["w.pth"]


def write_certificate(file: Path) -> None:
    """A key and a certificate for 127.0.0.1 that signs itself."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    day = datetime.timedelta(days=1)
    certificate = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - day, now + day
    ).add_extension(names, critical=False)
    certificate = certificate.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("certificate") / "server.pem"
    write_certificate(file)
    return file


@pytest.fixture(scope="module")
def encrypted(certificate: Path) -> Iterator[str]:
    """A server that speaks TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_an_unknown_certificate_is_refused(encrypted: str, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"could not be downloaded .*CERTIFICATE_VERIFY_FAILED"):
        download(f"{encrypted}/whole/w.pth", tmp_path / "w.pth", SHA256[:8])
    assert not left_in(tmp_path)


def test_an_encrypted_download_never_ends_at_an_address_that_is_not(
    address: str, encrypted: str, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setitem(ANSWERS, "to_plain", moved(f"{address}/whole/w.pth"))
    for answer in ("whole", "moved"):
        download(f"{encrypted}/{answer}/w.pth", tmp_path / "w.pth", SHA256[:8])
        assert (tmp_path / "w.pth").read_bytes() == CONTENT
        (tmp_path / "w.pth").unlink()
    with pytest.raises(RuntimeError, match=f"it leads to {address}/whole/w.pth, which is not encrypted"):
        download(f"{encrypted}/to_plain/w.pth", tmp_path / "w.pth", SHA256[:8])
    assert not left_in(tmp_path)
