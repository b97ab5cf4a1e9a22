"""A page in headless Chromium, without any network but one recording server."""

from __future__ import annotations

import functools
import http.server
import shutil
import subprocess
import tempfile
import threading
import typing as t
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-default-apps"),
    "--disable-features=NetworkTimeServiceQuerying",
]
# Shows a page in a frame as wide as a screen, so that it can be clicked and measured from outside its own policy.
FRAME = """<!DOCTYPE html><link rel="icon" href="data:,"><body style="margin:0">
<iframe src="{page}" style="border:0;width:{width}px;height:{height}px"></iframe>
<pre hidden></pre><script>
document.querySelector('iframe').addEventListener('load', event => {{
  const page = event.target.contentDocument, look = () => {{ {look} }};
  document.querySelector('pre').textContent = JSON.stringify(look());
}});
</script>
"""


def program() -> str | None:
    """The browser's path, None when there is none."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Browser:
    """Headless Chromium before a folder of pages; every request it makes, to whomever, comes to the recording server."""

    program: str
    folder: Path
    port: int
    requested: list[str]

    def look(self, page: str, script: str, width: int = 1280, height: int = 900) -> str:
        """Return as JSON what a script, the body of a function with C(page), returns once the page is loaded."""
        (self.folder / "frame.html").write_text(FRAME.format(page=page, width=width, height=height, look=script))
        shown = self._run("--dump-dom", self._url("frame.html")).partition("<pre")[2].partition(">")[2].partition("</pre>")[0]
        return shown.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")

    def shoot(self, page: str, picture: Path, width: int, height: int) -> Path:
        """Make a picture of a page on a screen of that size."""
        (self.folder / "frame.html").write_text(FRAME.format(page=page, width=width, height=height, look=""))
        # The window cannot be narrower than 500 pixels; the frame is.
        self._run(f"--window-size={max(width, 500)},{height}", f"--screenshot={picture}", self._url("frame.html"))
        return picture

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.port}/{name}"

    def _run(self, *arguments: str) -> str:
        with tempfile.TemporaryDirectory(prefix="bw-browser-") as profile:
            everything_here = [f"--proxy-server=127.0.0.1:{self.port}", "--proxy-bypass-list=<-loopback>"]
            command = [self.program, *QUIET, *everything_here, f"--user-data-dir={profile}", *arguments]
            return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


class Serving:
    """The recording server, and the browser before it; a context manager."""

    def __init__(self, program: str, folder: Path) -> None:
        requested: list[str] = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def send_head(self) -> t.Any:
                requested.append(self.path)
                self.path = "/" + self.path.removeprefix(f"http://127.0.0.1:{self.server.server_address[1]}").lstrip("/")
                return super().send_head()

            def log_message(self, *_unused: object) -> None:
                pass

        handler = functools.partial(Handler, directory=str(folder))
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.browser = Browser(program, folder, self._server.server_address[1], requested)

    def __enter__(self) -> Browser:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self.browser

    def __exit__(self, *_unused: object) -> None:
        self._server.shutdown()
        self._server.server_close()
