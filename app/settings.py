"""Settings: what flags and environment variables may say. Flags win.

Changes when an operator may decide something new. Starts nothing, opens nothing.
"""

import argparse
import ipaddress
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PREFIX = "MASKPLAY_"
ON = frozenset({"1", "true", "yes", "on"})
OFF = frozenset({"0", "false", "no", "off"})
REMOTE_RATE_LIMIT = 30.0  # requests a minute and client, where not on loopback
TEN_AND_TWO_FILES = 12  # slots: people at once, and what app.batch leaves to files
SPACE = "SPACE_ID"  # set by Hugging Face Spaces, whose gateway alone reaches a program
PRIVATE_NETWORKS = (  # where such a gateway stands: RFC 1918, 6598 and 4193
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "fc00::/7",
)


@dataclass(frozen=True, slots=True)
class Settings:
    """How to start.

    Attributes:
        host: Address to bind.
        port: Port to bind; 0 takes a free one.
        share: Also ask Gradio for a public link.
        weights: ``auto``, ``embedded``, ``hub`` or a name that the shelf knows.
        engine: ``auto`` or an engine's name.
        dtype: ``auto`` or how numbers are kept where Keras computes.
        offline: Never reach for the hub.
        cache_dir: Where downloads are kept; None follows the hub client's rules.
        memory_gb: How much memory downloaded models may take together; None for half
            of the machine's.
        queue_size: Requests that may wait.
        deadline_seconds: Longest time one request may compute.
        slots: Requests computing at once, files among them; others queue. Of the
            readers in ``app.lines`` a third as many, beside them.
        rate_limit: Requests a minute and client, 0 for none; None decides by host.
        trusted_proxies: Networks of gateways, which are believed when they say for
            whom they ask (X-Forwarded-For); nobody else is.
    """

    host: str = "127.0.0.1"
    port: int = 7860
    share: bool = False
    weights: str = "auto"
    engine: str = "auto"
    dtype: str = "auto"
    offline: bool = False
    cache_dir: Path | None = None
    memory_gb: float | None = None
    queue_size: int = 32
    deadline_seconds: float = 120.0
    slots: int = TEN_AND_TWO_FILES
    rate_limit: float | None = None
    trusted_proxies: tuple[str, ...] = ()

    @property
    def requests_per_minute(self) -> float:
        """The rate limit in force: off on loopback, on where others can reach it."""
        if self.rate_limit is not None:
            return self.rate_limit
        let_in = self.share or bool(self.trusted_proxies)
        return 0.0 if is_loopback(self.host) and not let_in else REMOTE_RATE_LIMIT


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Number:
    """Reads a finite number within bounds."""

    low: float
    high: float
    whole: bool = True

    def __call__(self, text: str) -> float:
        """Return the number, an int where whole ones are asked for."""
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            value = math.nan
        if not self.low <= value <= self.high:
            raise self._refusal(text)
        return value

    def _refusal(self, text: str) -> argparse.ArgumentTypeError:
        zh, en = ("整数", "a whole number") if self.whole else ("数", "a number")
        return argparse.ArgumentTypeError(
            f"须为 {self.low:g} 到 {self.high:g} 的{zh}，收到 {text!r} / "
            f"must be {en} from {self.low:g} to {self.high:g}, got {text!r}"
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """Reads one of a few words."""

    words: tuple[str, ...]

    def __call__(self, text: str) -> str:
        """Return the word."""
        word = text.strip().lower()
        if word not in self.words:
            known = ", ".join(self.words)
            raise argparse.ArgumentTypeError(
                f"须为 {known} 之一，收到 {text!r} / "
                f"must be one of {known}, got {text!r}"
            )
        return word


def read_switch(text: str) -> bool:
    """Read a switch from an environment variable."""
    word = text.strip().lower()
    if word not in ON | OFF:
        raise argparse.ArgumentTypeError(
            f"须为 1 或 0，收到 {text!r} / must be 1 or 0, got {text!r}"
        )
    return word in ON


def read_name(text: str) -> str:
    """Read a name: any text that is not blank."""
    if not text.strip():
        raise argparse.ArgumentTypeError(
            "不能为空，默认 auto / must not be empty; the default is auto"
        )
    return text.strip()


def read_networks(text: str) -> tuple[str, ...]:
    """Read addresses and networks with commas between; none is fine."""
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"须为地址或网段，例如 10.0.0.0/8，几个之间用逗号，收到 {text!r} / must be "
            f"addresses or networks with commas between, such as 10.0.0.0/8, got "
            f"{text!r}"
        ) from None


@dataclass(frozen=True, slots=True)
class Option:
    """One flag and the environment variables of the same meaning, in order."""

    name: str
    read: Callable[[str], Any]
    metavar: str
    help: str
    also: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        """The flag, e.g. ``--cache-dir``."""
        return "--" + self.name.replace("_", "-")

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables, the project's own first."""
        return (PREFIX + self.name.upper(), *self.also)


OPTIONS = (
    Option(
        "host",
        read_name,
        "ADDRESS",
        "绑定的地址 / address to bind (127.0.0.1; 0.0.0.0 = every interface)",
        ("GRADIO_SERVER_NAME",),  # set by Hugging Face Spaces
    ),
    Option(
        "port",
        Number(0, 65535),
        "N",
        "端口，0 为任选 / port, 0 takes a free one (7860)",
        ("GRADIO_SERVER_PORT",),
    ),
    Option("share", read_switch, "", "另要一个公网链接 / also ask for a public link"),
    Option(
        "weights",
        read_name,
        "NAME",
        "auto, embedded, hub 或权重名 / or a name (auto)",
    ),
    Option("engine", read_name, "NAME", "auto 或引擎名 / or an engine (auto)"),
    Option(
        "dtype",
        Choice(("auto", "float32", "bfloat16")),
        "TYPE",
        "auto, float32 或 bfloat16：数的类型 / how numbers are kept (auto: bfloat16 on "
        "a graphics card, else float32)",
    ),
    Option("offline", read_switch, "", "从不联网 / never reach for the hub"),
    Option(
        "cache_dir",
        Path,
        "DIR",
        "下载存放处 / where downloads are kept (the hub client's own folder)",
        (PREFIX + "CACHE",),
    ),
    Option(
        "memory_gb",
        Number(0.1, 100_000, whole=False),
        "GB",
        "下载的模型一共最多占多少内存 / memory that downloaded models may take "
        "together (half of the machine's)",
    ),
    Option(
        "queue_size",
        Number(1, 10_000),
        "N",
        "最多排队几个请求 / requests that may wait (32)",
    ),
    Option(
        "deadline_seconds",
        Number(1, 86_400, whole=False),
        "S",
        "一个请求最多算几秒 / longest time one request may compute (120)",
    ),
    Option(
        "slots",
        Number(1, 64),
        "N",
        "同时算几个请求，其余排队；读全文的另排一队，三分之一 / requests computing at "
        "once, others queue; those that read whole texts apart, a third as many (12)",
    ),
    Option(
        "rate_limit",
        Number(0, 1_000_000, whole=False),
        "N",
        "每位访客每分钟几个请求，0 为不限 / requests a minute and client, 0 = no limit "
        "(0 on loopback, 30 with another host)",
    ),
    Option(
        "trusted_proxies",
        read_networks,
        "NETWORKS",
        "前面的网关：只信它们说的访客地址（X-Forwarded-For），10.0.0.0/8,… / gateways "
        "in front, alone believed when they say who a visitor is (none; a Space's own)",
    ),
)


def read_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Return the settings; flags win over the environment.

    Args:
        arguments: As in ``sys.argv[1:]``.
        environ: As ``os.environ``.

    Raises:
        SystemExit: Status 2 with a sentence on standard error; status 0 after --help.
    """
    parser = _parser()
    flags = vars(parser.parse_args(arguments))
    values = {
        option.name: _choose(option, flags, environ, parser) for option in OPTIONS
    }
    if environ.get(SPACE) and values["trusted_proxies"] is None:
        values["trusted_proxies"] = PRIVATE_NETWORKS
    return Settings(
        **{name: value for name, value in values.items() if value is not None}
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="MaskPlay · 如戏",
        epilog=f"环境变量同义 / same as environment variables: {PREFIX}PORT=8000",
        allow_abbrev=False,
    )
    for option in OPTIONS:
        if option.read is read_switch:
            shape: dict[str, Any] = {"action": argparse.BooleanOptionalAction}
        else:
            shape = {"type": option.read, "metavar": option.metavar}
        parser.add_argument(option.flag, default=None, help=option.help, **shape)
    return parser


def _choose(
    option: Option,
    flags: Mapping[str, Any],
    environ: Mapping[str, str],
    parser: argparse.ArgumentParser,
) -> Any:
    """Return the flag's value, else the first variable's, else None."""
    if flags[option.name] is not None:
        return flags[option.name]
    for variable in option.variables:
        if environ.get(variable):
            try:
                return option.read(environ[variable])
            except argparse.ArgumentTypeError as error:
                parser.error(f"{variable}: {error}")
    return None
