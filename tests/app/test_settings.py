from pathlib import Path

import pytest

from app.settings import (
    OPTIONS,
    PRIVATE_NETWORKS,
    Settings,
    is_loopback,
    read_settings,
)

EVERYWHERE = "0.0.0.0"  # noqa: S104  nothing is bound here


def test_nothing_said_is_the_contract():
    settings = read_settings([], {})
    assert settings == Settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 7860)
    assert settings.weights == settings.engine == "auto"


def test_every_field_of_the_settings_has_one_option():
    assert [option.name for option in OPTIONS] == list(Settings.__slots__)


def test_every_flag_has_an_environment_variable_of_the_same_meaning():
    flags = [
        *("--host", EVERYWHERE, "--port", "8000", "--share", "--weights", "embedded"),
        *(
            "--dtype",
            "bfloat16",
            "--engine",
            "x",
            "--offline",
            "--cache-dir",
            "/a",
            "--queue-size",
            "3",
        ),
        *("--deadline-seconds", "9.5", "--slots", "4", "--rate-limit", "12"),
        *("--trusted-proxies", "10.0.0.0/8,::1"),
    ]
    environ = {
        "MASKPLAY_HOST": EVERYWHERE,
        "MASKPLAY_PORT": "8000",
        "MASKPLAY_SHARE": "1",
        "MASKPLAY_WEIGHTS": "embedded",
        "MASKPLAY_ENGINE": "x",
        "MASKPLAY_DTYPE": "BFLOAT16",
        "MASKPLAY_OFFLINE": "yes",
        "MASKPLAY_CACHE_DIR": "/a",
        "MASKPLAY_QUEUE_SIZE": "3",
        "MASKPLAY_DEADLINE_SECONDS": "9.5",
        "MASKPLAY_SLOTS": "4",
        "MASKPLAY_RATE_LIMIT": "12",
        "MASKPLAY_TRUSTED_PROXIES": "10.0.0.0/8, ::1",
    }
    assert read_settings(flags, {}) == read_settings([], environ)
    assert read_settings(flags, {}).cache_dir == Path("/a")


def test_flags_win_over_the_environment():
    environ = {"MASKPLAY_PORT": "8000", "MASKPLAY_OFFLINE": "1", "MASKPLAY_CACHE": "/e"}
    settings = read_settings(
        ["--port", "8001", "--no-offline", "--cache-dir", "/f"], environ
    )
    assert (settings.port, settings.offline) == (8001, False)
    assert settings.cache_dir == Path("/f")


def test_the_contracts_name_of_the_cache_and_a_spaces_names_of_the_address_count_too():
    environ = {
        "MASKPLAY_CACHE": "/e",
        "GRADIO_SERVER_NAME": EVERYWHERE,
        "GRADIO_SERVER_PORT": "7861",
    }
    settings = read_settings([], environ)
    assert settings.cache_dir == Path("/e")
    assert (settings.host, settings.port) == (EVERYWHERE, 7861)
    own = {**environ, "MASKPLAY_HOST": "127.0.0.1", "MASKPLAY_CACHE_DIR": "/d"}
    assert read_settings([], own).host == "127.0.0.1"
    assert read_settings([], own).cache_dir == Path("/d")


@pytest.mark.parametrize(
    ("flags", "environ", "sentence"),
    [
        (
            ["--port", "x"],
            {},
            "--port: 须为 0 到 65535 的整数，收到 'x' / must be a wh",
        ),
        (["--port", "70000"], {}, "a whole number from 0 to 65535, got '70000'"),
        ([], {"MASKPLAY_PORT": "8o"}, "MASKPLAY_PORT: 须为 0 到 65535 的整数"),
        ([], {"MASKPLAY_OFFLINE": "maybe"}, "must be 1 or 0, got 'maybe'"),
        (["--deadline-seconds", "nan"], {}, "a number from 1 to 86400, got 'nan'"),
        (["--slots", "0"], {}, "a whole number from 1 to 64, got '0'"),
        (["--weights", " "], {}, "must not be empty; the default is auto"),
        (["--trusted-proxies", "*"], {}, "such as 10.0.0.0/8, got '*'"),
        ([], {"MASKPLAY_TRUSTED_PROXIES": "10.0.0.1,gate"}, "网段，例如 10.0.0.0/8"),
        (["--prot", "1"], {}, "unrecognized arguments: --prot 1"),
    ],
)
def test_what_cannot_be_read_ends_with_status_2_and_a_sentence(
    flags, environ, sentence, capsys
):
    with pytest.raises(SystemExit) as caught:
        read_settings(flags, environ)
    assert caught.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "on_loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        (EVERYWHERE, False),
        ("192.168.0.2", False),
        ("example.org", False),
    ],
)
def test_the_rate_limit_is_off_on_loopback_and_on_elsewhere(host, on_loopback):
    assert is_loopback(host) is on_loopback
    assert (Settings(host=host).requests_per_minute == 0) is on_loopback


def test_a_rate_limit_that_was_chosen_holds_everywhere():
    assert Settings(host=EVERYWHERE, rate_limit=0.0).requests_per_minute == 0
    assert Settings(rate_limit=7.0).requests_per_minute == 7


def test_a_shared_link_is_not_loopback():
    assert Settings(share=True).requests_per_minute > 0


def test_a_gateway_is_trusted_only_where_it_is_named_or_on_a_space():
    assert read_settings([], {}).trusted_proxies == ()
    named = read_settings(["--trusted-proxies", "10.1.2.3/8,fd00::1"], {})
    assert named.trusted_proxies == ("10.0.0.0/8", "fd00::1/128")
    space = {"SPACE_ID": "owner/name"}
    assert read_settings([], space).trusted_proxies == PRIVATE_NETWORKS
    assert read_settings(["--trusted-proxies", ""], space).trusted_proxies == ()


def test_visitors_behind_a_gateway_have_a_rate_limit():
    assert Settings(trusted_proxies=("127.0.0.1/32",)).requests_per_minute > 0


def test_a_type_of_numbers_that_is_not_known_is_refused_with_the_known_ones(capsys):
    with pytest.raises(SystemExit):
        read_settings([], {"MASKPLAY_DTYPE": "int4"})
    told = capsys.readouterr().err
    assert "must be one of auto, float32, bfloat16, got 'int4'" in told
