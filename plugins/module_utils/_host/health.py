# Copyright: (c) 2026, The bw.selfhost maintainers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the server answers at its public URL.

Source: bitwarden/server src/*/Controllers/{Info,Config}Controller.cs.
"""

from __future__ import annotations

import http.client
import json
import ssl
import typing as t
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from ansible_collections.bw.selfhost.plugins.module_utils._model.errors import SelfhostError

# Path, the service it proves, and whether the answer is JSON.
Check = tuple[str, str, bool]
CHECKS: tuple[Check, ...] = (
    ("/alive", "nginx", False),
    ("/api/alive", "api", True),
    ("/identity/.well-known/openid-configuration", "identity", True),
    ("/api/config", "api", True),
)
_TIMEOUT = 15
_MOST = 1 << 20


class Probe:
    """Asks one server; proxies come from the environment."""

    def __init__(self, url: str, validate_certs: bool, ca_path: str | None) -> None:
        self.url = url.rstrip("/")
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=_tls(validate_certs, ca_path)), _SameHost()
        )

    def problem(self, path: str, is_json: bool) -> str | None:
        """Return what is wrong with the answer to GET C(path), or C(None)."""
        try:
            with self._opener.open(self.url + path, timeout=_TIMEOUT) as answer:
                body = answer.read(_MOST)
            if is_json:
                json.loads(body)
        except urllib.error.HTTPError as error:
            error.close()
            return f"HTTP status {error.code}"
        except ValueError:
            return "the answer is not JSON"
        except (OSError, http.client.HTTPException) as error:  # URLError, timeouts, TLS faults, torn answers
            return str(getattr(error, "reason", error))
        return None


class _SameHost(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: urllib.request.Request, *args: t.Any) -> urllib.request.Request | None:
        target = args[-1]
        if urlsplit(target).hostname != urlsplit(req.full_url).hostname:
            raise urllib.error.URLError(f"redirect to another host ({urlsplit(target).hostname}) refused")
        return super().redirect_request(req, *args)


def _tls(validate_certs: bool, ca_path: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=ca_path)
    except OSError as error:
        remedy = "Name a file with CA certificates in PEM form."
        raise SelfhostError(f"{ca_path} is not one: {error}.", field="ca_path", remedy=remedy) from error
    if not validate_certs:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
