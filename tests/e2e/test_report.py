"""The provider's report, as a browser shows it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

from tests.e2e.browser import Browser, Serving, program

ROOT = Path(__file__).resolve().parents[2]
EVIL = 'alpha & Co <script>document.title="owned"</script>'
FORMULA = '=HYPERLINK("http://elsewhere.example")'
PROVIDER = {
    "name": "Example <b>MSP</b>",
    "type": "msp",
    "enabled": True,
    "suspension": None,
    "plans": [
        {"name": "Teams (Monthly)", "minimum": 10, "purchased": 0, "assigned": 4, "free": 6},
        {"name": "Enterprise (Monthly)", "minimum": 20, "purchased": 14, "assigned": 34, "free": 0},
    ],
}
COLUMNS = ["Client", "Plan", "Assigned", "Used", "Remaining", "Owner", "License expires", "Last sync"]
ROWS = "[...page.querySelectorAll('tbody tr')].map(row => [...row.children].map(cell => cell.innerText.trim()))"

pytestmark = pytest.mark.browser


def client(name: str, seats: int | None, used: int, owner: tuple[str, str] | None, **more: t.Any) -> dict[str, t.Any]:
    """A client as the module C(client_organization_info) returns it."""
    found = {"email": owner[0], "status": owner[1]} if owner else None
    left = None if seats is None else seats - used
    numbers = {"seats": seats, "occupied_seats": used, "remaining_seats": left, "confirmed_members": 0}
    plan = {"plan": "enterprise", "cadence": "monthly", "organization_id": f"id of {name}", "enabled": True}
    return {"name": name, **plan, **numbers, "owner": found, **more}


CLIENTS = [
    client("Zeta GmbH", 25, 12, ("owner@zeta.example", "confirmed")),
    client(EVIL, 9, 11, ("a-very-long-address.of.somebody@department.alpha.example", "accepted")),
    client(FORMULA, 4, 1, ("owner@formula.example", "invited"), plan="teams", enabled=False),
    client("Söhne & Co", None, 0, None, plan=None, cadence=None),
]
SERVERS = [
    {
        "item": "Zeta GmbH",
        "license": {"expires": "2099-10-20T00:00:00Z"},
        "billing_sync": {"last_license_sync": "2026-08-20T04:10:00Z"},
    },
    {"item": EVIL, "license": {"expires": "2026-01-20T00:00:00Z"}, "billing_sync": {"last_license_sync": None}},
    {"item": "Söhne & Co", "msg": "it did not answer"},
]


def write_report(folder: Path, clients: list[dict[str, t.Any]], **provider: t.Any) -> None:
    """Let the role write a report of what its modules could have found."""
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {
            "provider_report_path": str(folder / "report"),
            "provider__info": {"provider": {**PROVIDER, **provider}, "clients": clients},
            "provider__servers": {"results": SERVERS if clients else []},
        },
        "tasks": [
            {"ansible.builtin.include_role": {"name": "bw.selfhost.provider", "tasks_from": "report_files", "public": True}}
        ],
    }
    file = folder / "play.yml"
    file.write_text(yaml.safe_dump([play]))
    environment = {**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_HOME": str(folder / "ansible")}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), str(file)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the report in all formats."""
    folder = tmp_path_factory.mktemp("report")
    write_report(folder, CLIENTS)
    return folder


@pytest.fixture
def browser(reported: Path) -> t.Iterator[Browser]:
    found = program()
    if found is None:
        pytest.skip("no Chromium is installed")
    with Serving(found, reported) as browser:
        yield browser


def test_the_page_shows_every_number_and_nothing_leaves_it(browser: Browser) -> None:
    shown = json.loads(browser.look("report.html", f"return {{rows: {ROWS}, title: page.title, text: page.body.innerText}}"))
    assert shown["title"] == f"{PROVIDER['name']}: clients"
    for text in ("Clients\n4", "Seats assigned\n38", "Seats used\n24", "Seats remaining\n14", "UTC"):
        assert text in shown["text"]
    assert "Pool of 20 seats: 34 assigned, 0 free, 14 bought beyond it" in shown["text"]
    assert shown["rows"] == [
        [f"{FORMULA} disabled", "Teams\nmonthly", "4", "1", "3", "invited\nowner@formula.example", "–", "–"],
        [EVIL, "Enterprise\nmonthly", "9", "11", "-2", f"accepted\n{CLIENTS[1]['owner']['email']}", "2026-01-20", "–"],
        ["Söhne & Co", "–", "–", "0", "–", "no owner", "–", "–"],
        ["Zeta GmbH", "Enterprise\nmonthly", "25", "12", "13", "confirmed\nowner@zeta.example", "2099-10-20", "2026-08-20"],
    ]
    base = f"http://127.0.0.1:{browser.port}"
    assert set(browser.requested) == {f"{base}/frame.html", f"{base}/report.html"}


SORTED = {
    "Client": ["Zeta GmbH", "Söhne & Co", EVIL, FORMULA],  # descending, as it comes ascending
    "Used": ["Söhne & Co", FORMULA, EVIL, "Zeta GmbH"],
    "Remaining": [EVIL, "Söhne & Co", FORMULA, "Zeta GmbH"],
    "License expires": ["Söhne & Co", FORMULA, EVIL, "Zeta GmbH"],  # equal ones stay in the order of the last sort
}


def test_a_click_sorts(browser: Browser) -> None:
    look = f"""return {[COLUMNS.index(column) for column in SORTED]}.map(column => {{
        page.querySelectorAll('thead button')[column].click();
        const heads = [...page.querySelectorAll('[aria-sort]')];
        return [heads.map(head => head.innerText.trim() + ' ' + head.getAttribute('aria-sort')), {ROWS}.map(row => row[0])];
      }})"""
    for (heads, names), (column, order) in zip(json.loads(browser.look("report.html", look)), SORTED.items(), strict=True):
        assert heads == [f"{column} {'descending' if column == 'Client' else 'ascending'}"]
        assert [name.removesuffix(" disabled") for name in names] == order


def test_it_fits_a_phone(browser: Browser, tmp_path: Path) -> None:
    """Nothing is wider than the screen, and each number stands beside its column's name."""
    look = """const wide = [...page.querySelectorAll('main *')].filter(one => one.getBoundingClientRect().right > 390);
      const cell = page.querySelector('tbody td');
      return {wide: wide.length, scroll: page.documentElement.scrollWidth,
              label: event.target.contentWindow.getComputedStyle(cell, '::before').content}"""
    assert json.loads(browser.look("report.html", look, 390)) == {"wide": 0, "scroll": 390, "label": '"Plan"'}
    for width, height in ((1280, 800), (390, 1900)):
        assert browser.shoot("report.html", tmp_path / f"{width}.png", width, height).stat().st_size > 20_000


@pytest.mark.parametrize(
    ("provider", "says"),
    [
        ({"suspension": {"date": "2026-09-20T00:00:00Z"}}, "A payment is due: the provider will be suspended on 2026-09-20."),
        ({"enabled": False}, "The provider is suspended, and its clients are disabled."),
    ],
)
def test_a_provider_in_trouble_and_without_clients(tmp_path: Path, provider: dict[str, t.Any], says: str) -> None:
    write_report(tmp_path, [], **provider)
    page = (tmp_path / "report.html").read_text()
    assert "No client organizations yet." in page
    assert says in page
    assert "<script" not in page


def test_the_same_as_data(reported: Path) -> None:
    report = json.loads((reported / "report.json").read_text())
    assert report["totals"] == {"clients": 4, "assigned": 38, "used": 24, "remaining": 14}
    assert [entry["name"] for entry in report["clients"]] == [FORMULA, EVIL, "Söhne & Co", "Zeta GmbH"]
    assert report["clients"][3]["last_sync"] == "2026-08-20T04:10:00Z"

    with (reported / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Client"] for row in rows] == [f"'{FORMULA}", EVIL, "Söhne & Co", "Zeta GmbH"]
    assert [row["Remaining"] for row in rows] == ["3", "-2", "", "13"]
    assert (rows[0]["Enabled"], rows[2]["Owner state"], rows[2]["Used"]) == ("false", "none", "0")
