"""The hosts' file: what it may say, and how its faults are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from worker.errors import Misconfigured
from worker.settings import HostOverride, Settings, host_rules

if TYPE_CHECKING:
    from pathlib import Path

GOOD = """
# The desk has an agreement with these.
["Example.com"]
spacing_s = 5
slots = 1

["localhost:8080"]
delay_factor = 0
"""


def rules(folder: Path, text: str, **settings: Any) -> dict[str, HostOverride]:
    file = folder / "hosts.toml"
    file.write_text(text)
    return host_rules(Settings(hosts_file=file, **settings))


def faults(folder: Path, text: str, **settings: Any) -> list[str]:
    with pytest.raises(Misconfigured) as raised:
        rules(folder, text, **settings)
    return [fault.replace(f"{folder}/", "") for fault in raised.value.faults]


def test_tables_are_hosts(tmp_path: Path) -> None:
    """Each table is a host, under its key as politeness counts it."""
    assert rules(tmp_path, GOOD) == {
        "example.com": HostOverride(spacing_s=5, slots=1),
        "localhost:8080": HostOverride(delay_factor=0),
    }
    assert rules(tmp_path, '["a.example.:81"]\n') == {"a.example:81": HostOverride()}


def test_no_file_is_no_rules() -> None:
    """Without the setting there is nothing to read."""
    assert host_rules(Settings()) == {}


def test_the_environment_wins_value_by_value(tmp_path: Path) -> None:
    """What INGEST_HOST_OVERRIDES says goes before the file; what it does not say, the file says."""
    overrides = {"example.com": HostOverride(spacing_s=9), "b.example": HostOverride(slots=2)}
    merged = rules(tmp_path, GOOD, host_overrides=overrides)
    assert merged["example.com"] == HostOverride(spacing_s=9, slots=1)
    assert merged["b.example"] == HostOverride(slots=2)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            '["a.example"]\nspacing = 5\n',
            "hosts.toml, line 1, 'a.example': there is no spacing; did you mean",
        ),
        (
            '\n\n["a.example"]\nslots = 0\n',
            "hosts.toml, line 3, 'a.example': slots is 0: it should be greater than or equal to 1",
        ),
        ("[www.example.com]\nslots = 1\n", "hosts.toml, line 1, 'www': a name with dots needs quotes"),
        ("spacing_s = 5\n", "hosts.toml, line 1, 'spacing_s': values belong under a host"),
        ('["http://a.example/"]\n', "hosts.toml, line 1, 'http://a.example/': 'http://a.example/' should be"),
        ('["a.example"]\nspacing_s = \n', "hosts.toml is not TOML: Invalid value (at line 2, column 13)"),
        ('["a.example"]\n["A.example"]\n', "hosts.toml, line 2, 'A.example': it is a.example once more"),
        ('["a.example"]\nspacing_s = "5 s"\n', "hosts.toml, line 1, 'a.example': spacing_s is '5 s'"),
        ('["a.example"]\nspacing_s = inf\n', "hosts.toml, line 1, 'a.example': spacing_s is inf"),
        (
            '["a.example"]\nspacing_s = 1e300\n',
            "hosts.toml, line 1, 'a.example': spacing_s is 1e+300: it should be less than or equal to 86400",
        ),
        ('["a.example"]\nslots = 10001\n', "hosts.toml, line 1, 'a.example': slots is 10001"),
        ('["*"]\nslots = 2\n', "hosts.toml, line 1, '*': '*' should be one host: what holds for all is"),
        ('["*.a.example"]\nslots = 2\n', "hosts.toml, line 1, '*.a.example': '*.a.example' should be one"),
        ('["a.example"]\n["a.example."]\n', "hosts.toml, line 2, 'a.example.': it is a.example once more"),
        ("a = " + "[" * 20_000, "hosts.toml nests too deep"),
        ('["a.example"]\nslots' + ".a" * 5_000 + " = 1\n", "hosts.toml nests too deep"),
    ],
)
def test_a_fault_names_its_place_and_remedy(tmp_path: Path, text: str, fault: str) -> None:
    """File, line, table, what is wrong."""
    (told,) = faults(tmp_path, text)
    assert told.startswith(fault)


def test_all_faults_at_once(tmp_path: Path) -> None:
    """Whoever mends a file hears of everything in it."""
    assert len(faults(tmp_path, '["a.example"]\nslots = 0\nslot = 1\n["b example"]\n')) == 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file names the setting and the remedy."""
    with pytest.raises(Misconfigured, match=r"INGEST_HOSTS_FILE .*No such file.*create the file, or unset"):
        host_rules(Settings(hosts_file=tmp_path / "none.toml"))


def test_rules_for_half_a_group_are_refused(tmp_path: Path) -> None:
    """By domain, a rule for a subdomain would never be looked up: it is refused, and says what to write."""
    (told,) = faults(tmp_path, '["news.example.co.uk"]\nslots = 2\n', host_grouping="domain")
    assert told.endswith("write example.co.uk instead")
    assert "example.co.uk" in rules(tmp_path, '["example.co.uk"]\nslots = 2\n', host_grouping="domain")
