"""Settings from the environment, and everything that can be wrong with them."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from worker.errors import Misconfigured
from worker.settings import HostOverride, Settings, load_settings, settings_table
from worker.settings.load import masked


def faults(environ: dict[str, str], **overrides: Any) -> list[str]:
    with pytest.raises(Misconfigured) as refusal:
        load_settings(environ, **overrides)
    return refusal.value.faults


def test_an_empty_environment_gives_the_defaults() -> None:
    """Nothing must be set, and what is set to nothing is not set."""
    settings = load_settings({})
    assert settings == Settings() == load_settings({"INGEST_LEASE_S": "", "PATH": "/bin"})
    assert settings.redis_url == "redis://127.0.0.1:6379/0"
    assert (settings.concurrency, settings.lease_s, settings.max_attempts) == (64, 60, 5)
    assert settings.extract_processes >= 1
    assert settings.data_dir == Path(".ingest")
    assert settings.user_agent.startswith("ingest/")


def test_every_kind_of_value() -> None:
    """Text becomes numbers, switches, networks, names and objects."""
    settings = load_settings(
        {
            "INGEST_REDIS_URL": "rediss://user:secret@redis.example:6380/2",
            "INGEST_HOST_SPACING_S": "0.25",
            "INGEST_OBEY_ROBOTS": "no",
            "INGEST_ALLOW_NETWORKS": "10.0.0.0/8, fd00::/8,127.0.0.1",
            "INGEST_MASK_QUERY": "Token, sid",
            "INGEST_HOST_OVERRIDES": '{"Example.COM": {"spacing_s": 5}, "h:8080": {"slots": 2}}',
            "INGEST_LOG_LEVEL": "DEBUG",
            "INGEST_USER_AGENT": "news-bot/2 (+https://example.com/bot)",
        }
    )
    assert settings.redis_url.endswith("@redis.example:6380/2")
    assert settings.host_spacing_s == 0.25
    assert settings.obey_robots is False
    assert settings.allow_networks == tuple(map(ip_network, ("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")))
    assert settings.mask_query == {"token", "sid"}
    assert settings.host_overrides == {
        "example.com": HostOverride(spacing_s=5),
        "h:8080": HostOverride(slots=2),
    }
    assert settings.log_level == "debug"


def test_overrides_win_and_none_is_no_override() -> None:
    """The command line stands above the environment where it says something."""
    environ = {"INGEST_CONCURRENCY": "8", "INGEST_NAMESPACE": "news"}
    settings = load_settings(environ, concurrency=4, namespace=None)
    assert (settings.concurrency, settings.namespace) == (4, "news")


def test_the_processes_own_environment_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the mapping handed in counts."""
    monkeypatch.setenv("INGEST_CONCURRENCY", "7")
    assert load_settings({}).concurrency == Settings().concurrency == 64
    monkeypatch.delenv("INGEST_CONCURRENCY")


def test_settings_are_frozen_and_show_no_password() -> None:
    """A setting cannot change under way, and a printed one gives nothing away."""
    settings = load_settings({"INGEST_REDIS_URL": "redis://:hunter2@h/0"})
    with pytest.raises(ValidationError, match="frozen"):
        settings.concurrency = 3
    assert "hunter2" not in repr(settings)


def test_a_default_follows_the_setting_that_bounds_it() -> None:
    """Who lowers only one of two hears no complaint about the other."""
    settings = load_settings(
        {"INGEST_TOTAL_TIMEOUT_S": "2", "INGEST_RETRY_MAX_S": "1", "INGEST_LEASE_S": "3"}
    )
    assert (settings.connect_timeout_s, settings.stall_timeout_s) == (2, 2)
    assert settings.retry_base_s == 1
    assert settings.redis_timeout_s == 1


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("INGEST_CONCURRENCY", "0", "greater than or equal to 1"),
        ("INGEST_CONCURRENCY", "many", "valid integer"),
        ("INGEST_LEASE_S", "nan", "finite number"),
        ("INGEST_LEASE_S", "inf", "finite number"),
        ("INGEST_OBEY_ROBOTS", "maybe", "valid boolean"),
        ("INGEST_NAMESPACE", "a:b", "without braces, colons and spaces"),
        ("INGEST_USER_AGENT", "x\r\nHost: y", "printable ASCII"),
        ("INGEST_USER_AGENT", "1bot", "a name of letters"),
        ("INGEST_LOG_FORMAT", "xml", "'json', 'console' or 'auto'"),
        ("INGEST_ALLOW_NETWORKS", "10.0.0.1/8", "host bits set"),
        ("INGEST_ALLOW_NETWORKS", "home", "IPv4 or IPv6"),
        ("INGEST_REDIS_URL", "http://h/", "redis://host:6379/0"),
        ("INGEST_REDIS_URL", "redis://", "redis://host:6379/0"),
        ("INGEST_REDIS_URL", "redis://h:70000", "redis://host:6379/0"),
        ("INGEST_REDIS_URL", "redis://[::1", "redis://host:6379/0"),
        ("INGEST_REDIS_URL", "unix://", "unix:///path"),
        ("INGEST_HOST_OVERRIDES", "{", "JSON such as"),
        ("INGEST_HOST_OVERRIDES", "[]", "valid dictionary"),
        ("INGEST_HOST_OVERRIDES", '{"h": {"slot": 1}}', "at h.slot, there is no such name"),
        ("INGEST_HOST_OVERRIDES", '{"h": {"slots": 0}}', "at h.slots, it should be greater"),
        ("INGEST_HOST_OVERRIDES", '{"http://h/": {}}', "'http://h/' should be a host"),
        ("INGEST_HOST_OVERRIDES", '{"a b": {}}', "'a b' should be a host"),
        ("INGEST_HOST_OVERRIDES", '{".": {}}', "'.' should be a host"),
        (
            "INGEST_HOST_OVERRIDES",
            '{"*": {}}',
            "'*' should be one host: what holds for all is INGEST_HOST_SP",
        ),
        ("INGEST_HOST_OVERRIDES", '{"h": {"spacing_s": 1e300}}', "at h.spacing_s, it should be less than"),
        ("INGEST_HOST_SLOTS", "10001", "less than or equal to 10000"),
        *(
            (f"INGEST_{name}", "86401", "less than or equal to 86400")
            for name in ("HOST_SPACING_S", "HOST_DELAY_MAX_S", "HOST_PENALTY_S", "HOST_PENALTY_MAX_S")
        ),
        ("INGEST_BREAKER_S", "86401", "less than or equal to 86400"),
        ("INGEST_BREAKER_MAX_S", "86401", "less than or equal to 86400"),
    ],
)
def test_a_wrong_value_is_named_quoted_and_put_right(name: str, value: str, expected: str) -> None:
    """A fault names the variable, quotes the value and says what is expected."""
    [fault] = faults({name: value})
    assert fault.startswith(f"{name} is {value!r}: ")
    assert expected in fault


def test_all_faults_come_at_once() -> None:
    """Values, names and contradictions are reported together, also when some values cannot be read at all."""
    said = faults(
        {
            "INGEST_CONCURENCY": "8",
            "INGEST_ZZZZ": "1",
            "ingest_lease_s": "5",
            "INGEST_PARTITIONS": "0",
            "INGEST_TOTAL_TIMEOUT_S": "soon",
            "INGEST_CONNECT_TIMEOUT_S": "99",
            "INGEST_RETRY_BASE_S": "20",
            "INGEST_RETRY_MAX_S": "10",
        },
        lease_s=6,
        redis_timeout_s=3,
        colour="red",
    )
    assert said == [
        "INGEST_CONCURENCY is not a setting; did you mean INGEST_CONCURRENCY?",
        "INGEST_ZZZZ is not a setting",
        "ingest_lease_s is not a setting; did you mean INGEST_LEASE_S?",
        "INGEST_PARTITIONS is '0': it should be greater than or equal to 1",
        "INGEST_TOTAL_TIMEOUT_S is 'soon': it should be a valid number, unable to parse string as a number",
        "colour is not a setting",
        "INGEST_RETRY_BASE_S is 20, over INGEST_RETRY_MAX_S (10): the first delay cannot pass the longest",
        "INGEST_REDIS_TIMEOUT_S is 3, over 1/3 of INGEST_LEASE_S (6): a slow reply would lose leases",
    ]


def test_a_contradiction_with_a_default_says_so() -> None:
    """Whoever set only one of the two learns where the other comes from."""
    [fault] = faults({"INGEST_STALL_TIMEOUT_S": "40"})
    assert "over INGEST_TOTAL_TIMEOUT_S (30, its default)" in fault


@pytest.mark.parametrize(
    "name",
    [
        "INGEST_SHARED",
        "INGEST_SERVICE_HOST",
        "INGEST_PORT",
        "INGEST_PORT_9464_TCP_ADDR",
        "INGEST_REDIS_SERVICE_PORT_MAIN",
    ],
)
def test_names_that_others_set_are_left_alone(name: str) -> None:
    """Reserved names, and those that Kubernetes sets beside a Service of our name, do not stop a worker."""
    assert load_settings({name: "tcp://10.0.0.1:9464"}) == Settings()


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("redis://user:pa@ss/word@h:6379/0", "redis://***@h:6379/0"),
        ("redis://:secret@h", "redis://***@h"),
        ("http://u:secret@h/", "http://***@h/"),
        ("redis://user:secret", "redis://user:***"),
        ("redis://h:6379/?password=secret&x=1", "redis://h:6379/?password=***&x=1"),
        ("redis://h:99999/0", "redis://h:99999/0"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
    ],
)
def test_passwords_are_masked(value: str, shown: str) -> None:
    """A fault, or the line of a worker's start, shows an address without its password."""
    assert masked(value) == shown


def test_a_long_value_is_cut() -> None:
    """A fault stays a sentence."""
    [fault] = faults({"INGEST_LEASE_S": "x" * 5000})
    assert len(fault) < 200


@given(st.sampled_from(sorted(Settings.model_fields)), st.text(max_size=20))
def test_any_value_is_a_setting_or_a_fault(field: str, value: str) -> None:
    """Whatever stands in the environment, nothing but Misconfigured is raised."""
    name = f"INGEST_{field.upper()}"
    try:
        load_settings({name: value})
    except Misconfigured as refusal:
        said = refusal.faults
    else:
        said = []
    assert all(name in fault for fault in said)


def test_the_table_lists_every_setting() -> None:
    """Each setting has a row with its default and a description, and a unit where it needs one."""
    rows = settings_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [f"INGEST_{name.upper()}" for name in Settings.model_fields]
    assert all(field.description for field in Settings.model_fields.values())
    assert all(row.count("|") == 4 for row in rows)
    assert "| `INGEST_LEASE_S` | `60` |" in settings_table()
    assert "| `INGEST_ALLOW_NETWORKS` | none |" in settings_table()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        (
            "INGEST_DENY_HOSTS",
            "Evil.example, *.ads.example b\u00f6se.example",
            {"evil.example", "ads.example", "xn--bse-sna.example"},
        ),
        ("INGEST_ALLOW_PORTS", "80,443", {80, 443}),
        ("INGEST_ALLOW_SCHEMES", "HTTPS", {"https"}),
        ("INGEST_PROXY", "socks5h://u:p@proxy:1080", "socks5h://u:p@proxy:1080"),
        (
            "INGEST_PROXIES",
            '{"News.example": "http://p:3128", "a.example": "direct"}',
            {"news.example": "http://p:3128", "a.example": "direct"},
        ),
    ],
)
def test_where_requests_may_go_and_how(name: str, text: str, value: object) -> None:
    """Hosts are in the form that URLs have, and lists are separated by commas or spaces."""
    assert getattr(load_settings({name: text}), name.removeprefix("INGEST_").lower()) == value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("INGEST_DENY_HOSTS", "http://a.example/", "should be a host such as example.com"),
        ("INGEST_ALLOW_PORTS", "0", "greater than or equal to 1"),
        ("INGEST_ALLOW_SCHEMES", "ftp", "'http' or 'https'"),
        ("INGEST_PROXY", "socks4://u:secret@h:1", "it should look like http://user:password@host:3128"),
        ("INGEST_PROXY", "http://u:secret@:3128", "it should look like http://user:password@host:3128"),
        (
            "INGEST_PROXIES",
            '{"a.example": "ftp://u:secret@h"}',
            "it should look like http://user:password@host",
        ),
        ("INGEST_PROXIES", '{"a.example": "http://u:secret@h"', "it should be JSON such as"),
        ("INGEST_CA_FILE", "/nowhere/ca.pem", "it should be a PEM file of certificates: No such file"),
        ("INGEST_CA_FILE", __file__, "it should be a PEM file of certificates"),
    ],
)
def test_wrong_ways_are_named_without_passwords(name: str, text: str, expected: str) -> None:
    """The fault says what is expected, and a password in the value stays out of it."""
    with pytest.raises(Misconfigured) as caught:
        load_settings({name: text})
    (fault,) = caught.value.faults
    assert fault.startswith(f"{name} is ")
    assert expected in fault
    assert "secret" not in fault


def test_passwords_of_proxies_stay_out_of_reprs() -> None:
    """Settings may be logged or shown in a traceback."""
    given = {"INGEST_PROXY": "http://u:hunter2@h", "INGEST_PROXIES": '{"a.example": "http://u:hunter2@h"}'}
    assert "hunter2" not in repr(load_settings(given))
