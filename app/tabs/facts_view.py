"""Draw facts found in a base, and bases on their way, as HTML. Pure.

Changes when the part of the tab that asks a base looks different.
"""

from app import views
from app.facts_bases import MAX_BASES, Building
from app.tabs.qa_view import bar
from app.views import escape
from demos.qa.facts import BaseFacts, FactsResult, MatchedFact
from demos.qa.facts_file import COLUMNS, KINDS, MAX_BYTES, MAX_TRIPLES
from demos.qa.facts_held import SAMPLE_NAME
from demos.qa.facts_record import to_record
from demos.tables import table_of

SHOWN_OBJECTS = 12
DOWNLOAD = "maskplay-facts"
UPLOAD = "mp-facts-upload"  # the component that takes a base
TOO_LARGE = ("请拆成几个，或删去用不到的行。", "split it, or drop lines.")
ARROW = '<span class="mp-arrow" aria-hidden="true">→</span>'
EMPTY = views.notice(
    "问谁的什么，点“查”。 Ask about a subject and one of its facts, then press Look up."
)
WAITING = views.waiting("查")
NOTHING = views.notice(
    "库里没有找到相近的事实；换个问法，或换个库。 "
    "Nothing in the base comes close: ask in other words, or use another base."
)


def stream(result: FactsResult | None) -> str:
    """Draw the facts found, without what one can do with them."""
    return WAITING if result is None else _cards(result)


def settle(result: FactsResult | None) -> str:
    """Draw the facts found at the end of a run, with the downloads."""
    if result is None:
        return EMPTY
    actions = (
        '<div class="mp-actions">'
        f"{views.json_button(f'{DOWNLOAD}.json')}"
        f"{views.csv_button(f'{DOWNLOAD}.csv', csv_of(result))}</div>"
    )
    return views.result(to_record(result), _cards(result) + actions)


def csv_of(result: FactsResult) -> str:
    """Return every triple found as a table."""
    rows = (
        (match.subject, match.key.predicate, found, match.probability)
        for match in result.matches
        for found in match.objects
    )
    return table_of((*COLUMNS, "probability"), rows)


def _cards(result: FactsResult) -> str:
    if not result.matches:
        return NOTHING + _facts(result)
    best, *others = result.matches
    rows = "".join(
        f"<li>{_path(match)}{bar(match.probability)}</li>" for match in others
    )
    candidates = (
        '<section class="mp-part"><h3>其他可能 <span>Candidates</span></h3>'
        f'<ol class="mp-others mp-candidates">{rows}</ol></section>'
    )
    return (
        f'<div class="mp-qa">{_best(best)}{candidates if others else ""}'
        f"{_facts(result)}</div>"
    )


def _best(match: MatchedFact) -> str:
    answers = "、".join(match.objects[:SHOWN_OBJECTS])
    return (
        '<article class="mp-card mp-qa-answer" role="status" '
        f'data-mp-text="{escape("、".join(match.objects))}"><header>'
        f'<span class="mp-rank">答 Answer</span>'
        f"{views.button('copy', '复制 Copy')}</header>"
        f'<p class="mp-text"><bdi class="mp-said">{escape(answers)}</bdi>'
        f"{_more(match)}</p>{_path(match)}"
        f"<footer>{bar(match.probability)}"
        f"{views.badge('出自知识库 stands in the base', 'done')}</footer></article>"
    )


def _path(match: MatchedFact) -> str:
    """Draw the way through the tree: subject, predicate, objects."""
    meaning = f"<small>{escape(match.key.meaning)}</small>" if match.key.meaning else ""
    objects = "".join(
        f'<bdi class="mp-node mp-object">{escape(found)}</bdi>'
        for found in match.objects[:SHOWN_OBJECTS]
    )
    return (
        '<div class="mp-path">'
        f'<bdi class="mp-node mp-subject">{escape(match.key.subject)}{meaning}</bdi>'
        f'{ARROW}<bdi class="mp-node mp-predicate">{escape(match.key.predicate)}</bdi>'
        f'{ARROW}<span class="mp-objects">{objects}{_more(match)}</span></div>'
    )


def _more(match: MatchedFact) -> str:
    if len(match.objects) <= SHOWN_OBJECTS:
        return ""
    return f' <small class="mp-quiet">共 {len(match.objects)} 个 in all</small>'


def _facts(result: FactsResult) -> str:
    """Return one line: which weights answered from which base, how long it took."""
    return views.facts(
        (
            ("权重 weights", to_record(result)["weights"]),
            ("知识库 base", result.base.name),
            ("用时 time", f"{result.elapsed_seconds * 1000:.0f} ms"),
        )
    )


def base_card(facts: BaseFacts | None) -> str:
    """Draw what the base in use weighs; None is the sample, not yet built."""
    if facts is None:
        body = (
            '<p class="mp-quiet">第一次提问时建，几毫秒。 '
            "Built at the first question, in milliseconds.</p>"
        )
        return _base(SAMPLE_NAME, body)
    weight = facts.base_bytes + facts.tree_bytes
    pairs: list[tuple[str, object]] = [
        ("三元组 triples", f"{facts.num_triples:,}"),
        ("键 keys", f"{facts.num_keys:,}"),
        ("树节点 nodes", f"{facts.num_nodes:,}"),
        (
            "内存 memory",
            f"{views.size(weight)}（树 tree {views.size(facts.tree_bytes)}）",
        ),
        ("建库 built in", f"{facts.build_seconds:.2f} s"),
    ]
    if facts.num_duplicates:
        pairs.append(("重复略去 duplicates dropped", f"{facts.num_duplicates:,}"))
    return _base(facts.name, views.facts(pairs))


def _base(name: str, body: str) -> str:
    return (
        '<div class="mp-base"><strong>在用 In use：'
        f"<bdi>{escape(name)}</bdi></strong>{body}</div>"
    )


def rules() -> str:
    """Draw what a file of facts must be, and what is said of one that is too large."""
    kinds, columns, megabytes = " ".join(KINDS), "、".join(COLUMNS), MAX_BYTES >> 20
    return (
        f'<div class="mp-rules"><p>{kinds}，UTF-8 或 GBK；三列 {columns}，'
        f"列名可有可无；最大 {megabytes} MB、{MAX_TRIPLES:,} 个三元组。"
        "同名的主语在后面用括号写明所指，如“红楼梦（小说）”。"
        f"服务器同时留 {MAX_BASES} 个自带的库，最久没用的先走。 <span>UTF-8 or GBK, "
        f"three columns, with or without their names, up to {megabytes} MB and "
        f"{MAX_TRIPLES:,} triples; brackets tell subjects of one name apart, such as "
        f"红楼梦（小说）. {MAX_BASES} bases of visitors are kept, the one not asked "
        "for longest goes first.</span></p>"
        f"{views.too_large(UPLOAD, MAX_BYTES, *TOO_LARGE)}</div>"
    )


def build_stream(building: Building | None) -> str:
    """Draw a base on its way."""
    if building is None:
        return WAITING
    return f'<p class="mp-notice mp-waiting mp-building">{_stage(building)}</p>'


def build_settle(building: Building | None) -> str:
    """Draw how the building ended."""
    if building is None:
        return ""
    if building.stage != "ready":
        return views.notice(
            "没有建成，在用的库没有变。 Not built: the base in use is the same."
        )
    return (
        f'<p class="mp-quiet" role="status">建好了，可以问了。 Ready to be asked. '
        f"接口里写 <code>base={escape(building.base_id)}</code></p>"
    )


def _stage(building: Building) -> str:
    name = f"<bdi>{escape(building.name)}</bdi> "
    if building.stage == "tree":
        return f"{name}在建前缀树…… Building the prefix tree…"
    return f"{name}读了 {building.num_lines:,} 行…… lines read…"
