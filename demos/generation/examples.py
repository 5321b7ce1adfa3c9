"""Ready-made requests worth a click: regular verse, ci and qu, prose, novels.

Changes when a better opening is found. The openings were written for this project.
"""

from demos.generation.task import GenerationRequest


def _prose(style: str, prompt: str, max_new_tokens: int = 160) -> GenerationRequest:
    return GenerationRequest(
        prompt,
        style=style,
        max_new_tokens=max_new_tokens,
        temperature=0.8,
    )


def _verse(style: str, prompt: str, num_return: int = 1) -> GenerationRequest:
    return GenerationRequest(
        prompt,
        style=style,
        max_new_tokens=96,
        temperature=0.9,
        repetition_penalty=1.2,
        num_return=num_return,
    )


EXAMPLES = (
    _verse("五言绝句", "春风", num_return=4),
    _verse("五言绝句", "《夜坐》\n"),
    _verse("七言绝句", "《江上送友人》\n"),
    _verse("七言绝句", "明月", num_return=2),
    _verse("五言律诗", "秋山"),
    _verse("七言律诗", "万里"),
    _verse("词·浣溪沙", "小院"),
    _verse("词·水调歌头", "明月"),
    _verse("曲", "天净沙\n"),
    _prose("短文", "这家酒店离车站不远，房间", 80),
    _prose("短文", "这本书我一口气读完了，", 80),
    _prose("散文", "雨停以后，巷子里飘着桂花的香气，"),
    _prose("散文", "外婆家的老院子里有一口井，每到夏天，"),
    _prose("散文", "火车开过大桥的时候，天刚刚亮，"),
    _prose("小说", "话说那书生连夜赶路，行至一座破庙前，"),
    _prose("小说", "却说众将听罢，尽皆失色，只有一人大笑道："),
)


def caption(request: GenerationRequest) -> str:
    """Return a short name for a button: the style and the opening."""
    opening = request.prompt.strip().replace("\n", " ")
    return f"{request.style} · {opening}" if request.style else opening
