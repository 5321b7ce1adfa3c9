"""Ready-made plays: a sentence, labels with their words, texts worth a try.

Changes when a better sentence or another play is found. The texts were written for
this project; the patterns follow kexue.fm/archives/7764 and PET as used on FewCLUE, and
are those that the recipes train with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from demos.fewshot.task import FewshotRequest
from demos.limits import Label

TOPICS = (
    "故事",
    "文化",
    "娱乐",
    "体育",
    "财经",
    "房产",
    "汽车",
    "教育",
    "科技",
    "军事",
    "旅游",
    "国际",
    "股票",
    "农业",
    "电竞",
)


@dataclass(frozen=True, slots=True)
class Preset:
    """One play.

    Attributes:
        name: Unique.
        title: For people.
        pattern: The sentence with a blank.
        labels: Each label's word.
        texts: Texts to try, each with its second text or "".
        lesson: Name of a sample file with labelled lines to learn from.
    """

    name: str
    title: Label
    pattern: str
    labels: Mapping[str, str]
    texts: tuple[tuple[str, str], ...]
    lesson: str

    @property
    def requests(self) -> tuple[FewshotRequest, ...]:
        """The texts as requests."""
        return tuple(
            FewshotRequest(text, dict(self.labels), self.pattern, text_b)
            for text, text_b in self.texts
        )


PRESETS = (
    Preset(
        "sentiment",
        Label("情感", "Sentiment"),
        "____满意。{text}",
        {"好评": "很", "差评": "不"},
        (
            ("房间很干净，前台小哥帮我把行李提上楼，早餐的豆浆也好喝。", ""),
            ("等了一个半小时才送到，面都坨了，打电话也没人接。", ""),
            ("音质对得起这个价钱，就是线短了一点。", ""),
            ("说明书写着能用三天，充满电半天就关机，客服让我自己想办法。", ""),
        ),
        "fewshot/sentiment.tsv",
    ),
    Preset(
        "topics",
        Label("新闻主题", "News topics"),
        "下面报道一则____新闻。{text}",
        {topic: topic for topic in TOPICS},
        (
            ("新款电动轿车公布续航里程，后排空间比上一代更大", ""),
            ("今年小麦长势良好，农技人员下田指导春季施肥", ""),
            ("央行下调存款准备金率，专家解读对贷款利率的影响", ""),
            ("主队在加时赛最后三秒投进三分，晋级半决赛", ""),
        ),
        "fewshot/topics.tsv",
    ),
    Preset(
        "entailment",
        Label("蕴含", "Entailment"),
        "{text}？____，{text_b}",
        {"蕴含": "是的", "中立": "也许", "矛盾": "不是"},
        (
            ("他每天早上跑五公里", "他有跑步的习惯"),
            ("商店门口排着长队", "商店今天在打折"),
            ("会议室里一个人也没有", "会议室里坐满了人"),
            ("妹妹昨天坐火车回了老家", "妹妹昨天回了老家"),
        ),
        "fewshot/entailment.tsv",
    ),
    Preset(
        "similarity",
        Label("句子相似", "Similarity"),
        "“{text}”和“{text_b}”说的是____的事。",
        {"同义": "相同", "不同": "不同"},
        (
            ("帮我订一张去上海的车票", "上海有哪些好玩的地方"),
            ("明天会下雨吗", "明天有雨吗"),
            ("怎么把手机的字体调大", "手机上的字太小了怎么办"),
            ("唱一首儿歌给我听", "今天是星期几"),
        ),
        "fewshot/similarity.tsv",
    ),
)
