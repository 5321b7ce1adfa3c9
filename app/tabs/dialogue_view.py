"""Draw a conversation as HTML. Pure: a conversation in, HTML out.

Changes when the conversation looks different.
"""

from collections.abc import Sequence
from itertools import zip_longest

from app import views
from app.views import escape
from demos.dialogue.conversation import Conversation, Exchange
from demos.dialogue.record import SILENCE, WHO, as_jsonl, as_text
from demos.dialogue.task import has_words
from demos.dialogue.turns import MODEL, PERSON
from model_core.interfaces import Candidate
from model_core.interfaces.dialogue import Speaker

RANKS = ("其一 1st", "其二 2nd", "其三 3rd", "其四 4th")
FINISH = {ending: views.badge(*views.FINISH[ending]) for ending in ("length", "")}
EMPTY = views.notice(
    "说点什么，按回车或“发送”。 Say something, then press Enter or Send."
)
PARTNER = "thu-coai/CDial-GPT_LCCC-base"
GUIDE = (
    f"请打开页面上方的“模型 Models”面板，填入会对话的权重，例如 {PARTNER}"
    "（训练数据 LCCC 仅限研究用途），点“载入 Load”，等它就绪再说。",
    "Open the Models panel at the top of the page, type weights that can chat, such as "
    f"{PARTNER} (its training data, LCCC, is for research only), press Load, and wait "
    "until they are ready.",
)
NOBODY = (
    "已载入的权重都不会对话；内置小模型会续写，但不会聊天。",
    "None of the weights that are loaded can chat; the embedded model continues texts "
    "but holds no conversation.",
)
SAVES = (
    ("txt", "text/plain", "下载 Download txt", as_text),
    ("jsonl", "application/x-ndjson", "下载 Download jsonl", as_jsonl),
)
DOTS = (
    '<span class="mp-talk-dots" role="img" aria-label="正在想 thinking">'
    "<i></i><i></i><i></i></span>"
)
STRIP = (  # what the network reads: a mark, or a turn and whose it is
    ("[CLS]", ""),
    ("你好", PERSON),
    ("[SEP]", PERSON),
    ("你也好", MODEL),
    ("[SEP]", MODEL),
    ("在忙吗", PERSON),
    ("[SEP]", PERSON),
    ("没…", MODEL),
)


def nobody_here() -> str:
    """Draw what is said while no weights that are ready can chat."""
    return views.note(f"{NOBODY[0]}{GUIDE[0]}", f"{NOBODY[1]} {GUIDE[1]}")


def past(exchanges: Sequence[Exchange], num_turns_unread: int = 0) -> str:
    """Draw the exchanges before the latest.

    Args:
        exchanges: Oldest first.
        num_turns_unread: How many of their oldest turns the latest reply was made
            without; a line is drawn below them.
    """
    drawn, num_turns = [], 0
    for exchange in exchanges:
        # an exchange without a reply has no turns, but its two bubbles
        for turn, bubble in zip_longest(exchange.turns, _said(exchange)):
            drawn.append(bubble)
            num_turns += turn is not None
            if turn is not None and num_turns == num_turns_unread:
                drawn.append(_unread_line(num_turns))
    return _lines("".join(drawn))


def growing(conversation: Conversation) -> str:
    """Draw the latest exchange while it grows; light, as it is drawn often."""
    if conversation.pending:
        asked = _bubble(PERSON, escape(conversation.pending))
        return _lines(f"{asked}{_bubble(MODEL, DOTS)}", busy=True)
    last = conversation.last
    if last is None:
        return ""
    several = len(last.replies) > 1
    replies = [
        _bubble(
            MODEL, f"{escape(one.text)}{'' if one.finish else DOTS}", _rank(n, several)
        )
        for n, one in enumerate(last.replies)
    ]
    return _lines(
        _bubble(PERSON, escape(last.message)) + _side_by_side(replies), busy=True
    )


def settled(conversation: Conversation) -> str:
    """Draw the latest exchange at the end of its run, with all one can do with it."""
    last = conversation.last
    if last is None:
        return EMPTY
    replies = [_settled_reply(last, rank) for rank in range(len(last.replies))]
    bubbles = _bubble(PERSON, escape(last.message)) + _side_by_side(replies)
    return _lines(f"{_cut_note(last)}{bubbles}") + _facts(last)


def tools(conversation: Conversation) -> str:
    """Draw the buttons that copy and save the conversation, without the server."""
    if not conversation.exchanges:
        return ""
    saves = "".join(
        f'<button type="button" class="mp-button" data-mp-type="{kind}" '
        f'data-mp-name="maskplay-chat.{ending}" '
        f'data-mp-talk="{escape(written(conversation))}">{label}</button>'
        for ending, kind, label, written in SAVES
    )
    return (
        f'<div class="mp-actions mp-talk-tools" '
        f'data-mp-text="{escape(as_text(conversation))}">'
        f"{views.button('copy', '复制整段 Copy all')}{saves}</div>"
    )


def choices(conversation: Conversation) -> list[tuple[str, int]]:
    """Return the latest replies to choose from; none where there is one only."""
    last = conversation.last
    if last is None or not last.replies[1:]:
        return []
    return [(RANKS[n], n) for n in range(len(last.replies))]


def strip() -> str:
    """Draw the row that the network reads, every turn in its speaker's colour."""
    cells = "".join(
        f'<span class="mp-talk-cell mp-talk-{whose or "mark"}">{escape(text)}</span>'
        for text, whose in STRIP
    )
    return f'<div class="mp-talk-strip">{cells}</div>'


def _lines(bubbles: str, *, busy: bool = False) -> str:
    if not bubbles:
        return ""
    state = f'aria-live="polite" aria-busy="{"true" if busy else "false"}"'
    return f'<div class="mp-talk" {state}>{bubbles}</div>'


def _bubble(speaker: Speaker, content: str, head: str = "", kind: str = "") -> str:
    """Return one turn.

    Args:
        speaker: Whose.
        content: HTML of what was said.
        head: HTML beside the speaker's name.
        kind: A further class.
    """
    return (
        f'<div class="mp-talk-turn mp-talk-{speaker}{kind and " " + kind}">'
        f'<span class="mp-talk-who">{WHO[speaker]}{head}</span>'
        f'<p class="mp-talk-text">{content}</p></div>'
    )


def _said(exchange: Exchange) -> tuple[str, str]:
    """Return both bubbles of an exchange that is over."""
    reply = exchange.reply
    asked = _bubble(PERSON, escape(exchange.message))
    return asked, _bubble(MODEL, _text(reply), _unsent(reply))


def _settled_reply(exchange: Exchange, rank: int) -> str:
    reply, several = exchange.replies[rank], len(exchange.replies) > 1
    chosen = several and rank == exchange.chosen
    badges = f"{FINISH.get(reply.finish, '')}{_unsent(reply)}"
    if chosen:
        badges += views.badge("用这句 chosen", "done")
    copy = views.button("copy", "复制 Copy") if has_words(reply) else ""
    bubble = _bubble(
        MODEL,
        _text(reply),
        f"{_rank(rank, several)}{badges}{copy}",
        _kind(several, chosen),
    )
    return (
        f'<div class="mp-talk-reply" data-mp-text="{escape(reply.text)}">{bubble}</div>'
    )


def _kind(several: bool, chosen: bool) -> str:  # noqa: FBT001 - both are named above
    return "mp-talk-chosen" if chosen else "mp-talk-other" if several else ""


def _side_by_side(replies: Sequence[str]) -> str:
    if len(replies) == 1:
        return replies[0]
    return f'<div class="mp-talk-replies">{"".join(replies)}</div>'


def _rank(rank: int, several: bool) -> str:  # noqa: FBT001 - read as a sentence
    return f'<b class="mp-rank">{RANKS[rank]}</b>' if several else ""


def _text(reply: Candidate) -> str:
    return escape(reply.text) if has_words(reply) else escape(SILENCE)


def _unsent(reply: Candidate) -> str:
    if has_words(reply):
        return ""
    return views.badge("这一轮不会带给模型 not sent on", "warn")


def _unread_line(num_turns: int) -> str:
    return (
        f'<p class="mp-talk-unread" role="note">以上 {num_turns} 句放不下，没有读到 '
        f"<span>the {num_turns} turns above did not fit and were not read</span></p>"
    )


def _cut_note(exchange: Exchange) -> str:
    dropped = exchange.num_message_chars_dropped
    if not dropped:
        return ""
    return views.note(
        f"这条消息太长，开头 {dropped} 个字符没有读进去；请缩短，或把“回复最长”调小。",
        f"This message did not fit: its first {dropped} characters were not read. "
        "Shorten it, or lower “Max new tokens”.",
    )


def _facts(exchange: Exchange) -> str:
    """Return one line: which weights answered, how fast, with which seed."""
    seconds = exchange.elapsed_seconds
    speed = exchange.num_new_tokens / seconds if seconds > 0 else 0.0
    facts: list[tuple[str, object]] = [
        ("权重 weights", exchange.weights),
        ("种子 seed", exchange.seed),
        ("词元 tokens", exchange.num_new_tokens),
        ("词元/秒 tokens/s", f"{speed:.1f}"),
        ("用时 time", f"{seconds:.1f} s"),
    ]
    if exchange.num_turns_unread:
        facts.append(("没读到 not read", f"{exchange.num_turns_unread} 句 turns"))
    return views.facts(facts)
