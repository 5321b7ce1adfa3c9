"""The page: head, model panel, one tab per registered demo. Starts nothing.

Changes when the frame around the tabs changes.
"""

from pathlib import Path

import gradio as gr

from app.panel import build_panel, summary_html
from app.shelf import Shelf
from app.tabs import TABS, files
from app.wiring import Desk

ASSETS = Path(__file__).resolve().parents[1] / "assets"
STYLES = (ASSETS / "style.css", *sorted((ASSETS / "tabs").glob("*.css")))
SCRIPTS = (ASSETS / "page.js", *sorted((ASSETS / "tabs").glob("*.js")))
LOGO = ASSETS / "logo.svg"
TITLE = "MaskPlay · 如戏"
DELETE_UPLOADS = (600, 3600)  # seconds: look so often, delete what is older
SANS = (  # fonts that systems have: the page asks no other host for any
    "system-ui",
    "-apple-system",
    "Segoe UI",
    "PingFang SC",
    "Microsoft YaHei",
    "Noto Sans SC",
    "Noto Sans CJK SC",
    "sans-serif",
)
MONO = ("ui-monospace", "SFMono-Regular", "Consolas", "Noto Sans Mono", "monospace")


def build_page(shelf: Shelf, desk: Desk) -> gr.Blocks:
    """Return the page without starting a server."""
    page = gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=DELETE_UPLOADS)
    with page:
        with gr.Row(elem_classes="mp-top"):
            gr.HTML(head_html())
            summary = gr.HTML(summary_html(shelf.states()), elem_id="mp-summary")
        labels = {task: tab.label for tab in TABS for task in (tab.task, *tab.more)}
        panel = build_panel(page, shelf, labels, summary)
        with gr.Tabs(overflow_behavior="wrap"):  # a phone scrolls them
            for tab in TABS:
                with gr.Tab(tab.label, id=tab.task):
                    tab.build(shelf, desk, panel)
            with gr.Tab(files.LABEL, id=files.NAME):
                files.build(shelf, desk, panel)
    return page


def head_html() -> str:
    """Draw the page's head."""
    return (
        f'<header class="mp-head">{LOGO.read_text("utf-8")}<div>'
        "<h1>如戏 <span>MaskPlay</span></h1>"
        "<p>一个网络，遮罩定角色。<span>One small core, many plays: "
        "the mask decides which.</span></p></div></header>"
    )


def theme() -> gr.themes.Base:
    """Return the theme: paper, ink and cinnabar; colours are in the style sheet."""
    return gr.themes.Base(
        primary_hue=gr.themes.colors.red,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        font=SANS,
        font_mono=MONO,
    )


def script() -> str:
    """Return the page's own scripts, as elements of its head."""
    return "".join(f"<script>{path.read_text('utf-8')}</script>" for path in SCRIPTS)
