"""The model panel in the page's head: what is loaded, and load or unload by name.

Changes when the panel shows or does something new. Knows no task; a name is checked by
the shelf, which refuses paths and addresses.
"""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from gradio.blocks import Block
from gradio.components import Component

from app import views
from app.catalogue_view import Labels, card_html, facts_line, matching
from app.language import language_of
from app.shelf import Shelf, ready_of
from app.views import escape
from app.wiring import told
from demos.errors import InvalidRequestError
from model_core.interfaces import (
    Language,
    ModelError,
    ModelFacts,
    ModelState,
    WeightsInfo,
)

TICK_SECONDS = 1.0  # between two looks while something moves
IDLE_SECONDS = 30.0  # and otherwise: others load and unload too
MAX_QUERY_CHARS = 100
PANEL_QUEUE = "panel"
PANEL_SLOTS = 4
MOVING = frozenset({"waiting", "downloading", "loading"})
STATUS = {
    "absent": "未载入 absent",
    "waiting": "等待 waiting",
    "downloading": "下载中 downloading",
    "loading": "载入中 loading",
    "ready": "就绪 ready",
    "failed": "失败 failed",
}


UNREACHED = "没连上 not reached"


@dataclass(frozen=True, slots=True)
class Panel:
    """What the tabs join.

    Attributes:
        ready: Names of the models that answer, never seen; a change of them is heard.
    """

    ready: gr.Textbox

    def follow(
        self,
        name: str,
        update: Callable[..., Any],
        inputs: Sequence[Component],
        output: Component | Sequence[Block],
    ) -> None:
        """Draw a component anew whenever other models answer than before.

        Args:
            name: Of the listener.
            update: From the inputs' values, unchecked, to the component's update.
            inputs: What it depends on besides the models.
            output: The component, or several and as many updates; left alone otherwise,
                as its list may be open.
        """
        self.ready.change(
            update,
            list(inputs),
            output,
            preprocess=False,  # a choice may have left its list meanwhile
            queue=False,
            show_progress="hidden",
            api_visibility="private",
            api_name=name,
        )


def build_panel(
    page: gr.Blocks, shelf: Shelf, labels: Labels, summary: gr.HTML
) -> Panel:
    """Lay out the panel and join it to the shelf.

    Args:
        page: The page that it belongs to.
        shelf: The models.
        labels: The tabs, whose parts of the catalogue can be loaded.
        summary: Where one line says which models answer, folded or not.
    """
    with gr.Accordion("模型 Models", open=False, elem_id="mp-models"):
        with gr.Row(elem_classes="mp-row mp-lined"):
            name = gr.Dropdown(
                catalogue(shelf, labels),
                value=None,
                label="权重 Weights",
                info="从目录选，或填 hub 编号 · from the catalogue, or a hub id: "
                "owner/name",
                allow_custom_value=True,
                scale=4,
            )
            load = gr.Button("载入 Load", variant="primary", scale=1, min_width=96)
            unload = gr.Button("卸下 Unload", scale=1, min_width=96)
        card = gr.HTML(elem_id="mp-model-card")
        search = gr.Textbox(
            label="搜索 Search",
            placeholder="名称、家族、用途、许可 · name, family, tab, licence",
            max_lines=1,
            max_length=MAX_QUERY_CHARS,
            elem_id="mp-model-search",
        )
        table = gr.HTML(drawn_table(shelf, labels, ""))
    timer = gr.Timer(IDLE_SECONDS)
    # a State is not heard
    ready = gr.Textbox(max_lines=1, visible="hidden", elem_id="mp-ready")
    outputs = [summary, table, timer, ready]

    def refresh(query: object) -> list[Any]:
        states = shelf.states()
        moving = any(state.status in MOVING for state in states)
        names = "\n".join(state.name for state in ready_of(states))
        drawn = [summary_html(states), drawn_table(shelf, labels, query)]
        return [*drawn, gr.Timer(TICK_SECONDS if moving else IDLE_SECONDS), names]

    private = {"show_progress": "hidden", "api_visibility": "private"}
    gr.on(
        [page.load, timer.tick],
        refresh,
        search,
        outputs,
        preprocess=False,
        queue=False,
        api_name="refresh",
        **private,
    )
    search.change(
        lambda query: drawn_table(shelf, labels, query),
        search,
        table,
        preprocess=False,
        queue=False,
        api_name="search",
        **private,
    )
    name.change(
        _describing(shelf, labels),
        name,
        card,
        preprocess=False,
        concurrency_id=PANEL_QUEUE,
        concurrency_limit=PANEL_SLOTS,
        api_name="describe",
        **private,
    )
    for button, act, api_name in (
        (load, shelf.load, "load"),
        (unload, shelf.unload, "unload"),
    ):
        button.click(
            _acting(act, refresh),
            [name, search],
            outputs,
            preprocess=False,
            concurrency_id=PANEL_QUEUE,  # only a queued listener's error is a toast
            concurrency_limit=PANEL_SLOTS,
            api_name=api_name,
            **private,
        )
    return Panel(ready)


def catalogue(shelf: Shelf, tasks: Iterable[str]) -> list[tuple[str, str]]:
    """Return title and name of what can be loaded, each once."""
    cards = {card.name: card.title for task in tasks for card in shelf.cards(task)}
    return [(title, name) for name, title in cards.items()]


def _describing(shelf: Shelf, labels: Labels) -> Callable[..., str]:
    def respond(request: gr.Request, name: Any) -> str:
        language = language_of(request.headers.get("accept-language"))
        with told(language, html.escape):
            return described(shelf, labels, name, language)

    return respond


def described(shelf: Shelf, labels: Labels, name: object, language: Language) -> str:
    """Draw what is known of the weights that somebody named, before they come.

    Args:
        shelf: The models.
        labels: The tabs.
        name: Straight from the visitor.
        language: Of the sentence where nothing can be told.
    """
    if not isinstance(name, str) or not name.strip():
        return ""
    try:
        return card_html(shelf.describe(name.strip()), labels)
    except ModelError as error:
        return f'<p class="mp-failure">{escape(error.text(language))}</p>'


def drawn_table(shelf: Shelf, labels: Labels, query: object) -> str:
    """Draw the models that a search finds, each with what is known of it.

    Args:
        shelf: The models.
        labels: The tabs.
        query: Straight from the visitor.
    """
    wanted = query[:MAX_QUERY_CHARS] if isinstance(query, str) else ""
    facts = {row.name: row for row in shelf.catalogue()}
    found = matching(shelf.states(), facts, labels, wanted)
    if not found:
        return views.notice(
            "没有找到；试试别的词，或在上面直接填 hub 编号。 Nothing found: try other "
            "words, or type a hub id above."
        )
    return table_html(found, facts, labels)


def _acting(
    act: Callable[[str], None], refresh: Callable[[object], list[Any]]
) -> Callable[..., list[Any]]:
    def respond(request: gr.Request, name: Any, query: Any) -> list[Any]:
        with told(language_of(request.headers.get("accept-language")), html.escape):
            if not isinstance(name, str) or not name.strip():
                raise InvalidRequestError(
                    "请先选一个模型，或填写 hub 编号 owner/name。",
                    "Choose a model first, or type a hub id, owner/name.",
                )
            act(name.strip())
        return refresh(query)

    return respond


def summary_html(states: Iterable[ModelState]) -> str:
    """Draw one line: which models answer, and what is on its way."""
    shown = [state for state in states if not _unremarkable(state)]
    chips = "".join(
        f'<span class="mp-chip mp-{_mood(state)}"><i></i>{escape(state.title)}'
        f"<small>{escape(_brief(state))}</small></span>"
        for state in shown
    )
    return f'<div class="mp-chips" role="status">{chips}</div>'


def _unremarkable(state: ModelState) -> bool:
    """Whether nothing happens there, or nothing could: no network is no alarm."""
    offline = state.failure is not None and state.failure.kind == "offline"
    return state.status == "absent" or offline


def table_html(
    states: Iterable[ModelState],
    facts: Mapping[str, ModelFacts] | None = None,
    labels: Labels | None = None,
) -> str:
    """Draw models with their state and facts.

    Args:
        states: In display order.
        facts: What the catalogue knows of them, by name.
        labels: The tabs.
    """
    lines = (
        _state_html(state, (facts or {}).get(state.name), labels or {})
        for state in states
    )
    return f'<ul class="mp-states">{"".join(lines)}</ul>'


def _is_unreached(state: ModelState) -> bool:
    """Whether the hub was not there: nothing of ours is broken."""
    return state.failure is not None and state.failure.kind == "network"


def _mood(state: ModelState) -> str:
    return "absent" if _is_unreached(state) else state.status


def _brief(state: ModelState) -> str:
    if _is_unreached(state):
        return UNREACHED
    if state.status == "downloading" and state.total_bytes:
        return f"{100 * state.downloaded_bytes // state.total_bytes} %"
    return STATUS[state.status]


def _state_html(state: ModelState, facts: ModelFacts | None, labels: Labels) -> str:
    detail = _detail(state)
    if facts is not None and state.info is None:
        detail = facts_line(facts, labels) + detail
    return (
        f'<li class="mp-state mp-{state.status}"><div class="mp-state-head"><i></i>'
        f"<strong>{escape(state.title)}</strong><code>{escape(state.name)}</code>"
        f"{views.badge(STATUS[state.status], state.status)}</div>{detail}</li>"
    )


def _detail(state: ModelState) -> str:
    if state.failure is not None:
        sentence = f"{state.failure.zh} {state.failure.en}"
        return f'<p class="mp-failure">{escape(sentence)}</p>'
    if state.status == "downloading":
        return _progress(state)
    return _facts(state.info) if state.info is not None else ""


def _progress(state: ModelState) -> str:
    done = views.size(state.downloaded_bytes)
    if not state.total_bytes:
        return f'<p class="mp-quiet">{done}</p>'
    return (
        f'<progress max="{state.total_bytes}" value="{state.downloaded_bytes}">'
        f'</progress><p class="mp-quiet">{done} / {views.size(state.total_bytes)}</p>'
    )


def _facts(info: WeightsInfo) -> str:
    facts = (
        ("家族 family", info.family),
        ("参数 parameters", views.count(info.num_parameters)),
        ("内存 memory", views.size(info.size_bytes)),
        ("精度 dtype", info.dtype),
        ("引擎 engine", info.engine),
        ("设备 device", info.device),
        ("版本 commit", info.commit[:12]),
    )
    return views.facts((name, value) for name, value in facts if value)
