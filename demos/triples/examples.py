"""Ready-made requests worth a click: books, people, places, films, prizes.

Changes when a better text is found. The texts were written for this project; longer
ones lie in assets/samples under the names of SAMPLES.
"""

from demos.triples.task import TripleRequest

SAMPLES = {"triples/historians.txt": "长文 · 写史书的人"}

EXAMPLES = (
    TripleRequest(
        "《红楼梦》的作者是清代作家曹雪芹，主角是贾宝玉；《西游记》的作者是明代的吴承恩，"
        "主角是孙悟空。《三国演义》的作者罗贯中与《水浒传》的作者施耐庵都生活在元末明初。"
    ),
    TripleRequest(
        "苏轼，号东坡居士，北宋文学家。他的父亲是苏洵，母亲是程夫人，弟弟是苏辙，"
        "妻子是王弗。苏洵、苏轼、苏辙合称“三苏”，都列入唐宋八大家。"
    ),
    TripleRequest(
        "李清照号易安居士，宋代女词人，父亲是李格非，丈夫是赵明诚。"
        "赵明诚是金石学家，《金石录》的作者。"
    ),
    TripleRequest(
        "钱学森祖籍浙江杭州，1934年毕业于国立交通大学，妻子是声乐家蒋英。"
        "蒋英的父亲是军事学家蒋百里。"
    ),
    TripleRequest(
        "1986年播出的电视剧《西游记》由杨洁导演，六小龄童饰演孙悟空，马德华饰演猪八戒。"
        "1987年播出的电视剧《红楼梦》由王扶林导演，欧阳奋强饰演贾宝玉，"
        "陈晓旭饰演林黛玉。"
    ),
    TripleRequest(
        "2012年，莫言获得诺贝尔文学奖。路遥凭长篇小说《平凡的世界》获得第三届茅盾文学奖，"
        "陈忠实凭《白鹿原》获得第四届茅盾文学奖。"
        "2015年，屠呦呦获得诺贝尔生理学或医学奖。"
    ),
    TripleRequest(
        "泰山位于山东省泰安市，主峰玉皇顶海拔1532.7米；黄山位于安徽省黄山市，"
        "主峰莲花峰海拔1864.8米。故宫位于北京市，占地面积约72万平方米。"
        "法国的首都是巴黎，官方语言是法语；埃及的首都是开罗，官方语言是阿拉伯语。"
    ),
    TripleRequest(
        "北京大学简称北大，成立于1898年，蔡元培曾任北京大学校长。"
        "清华大学简称清华，成立于1911年，梅贻琦曾任清华大学校长。",
        schema=(
            ("学校", "校长", "人物"),
            ("机构", "简称", ""),
            ("机构", "成立日期", ""),
        ),
    ),
)

CAPTION_CHARS = 14


def caption(request: TripleRequest) -> str:
    """Return a short name for a button: how the text begins, on one line."""
    opening = " ".join(request.text.split())
    return opening if len(opening) <= CAPTION_CHARS else f"{opening[:CAPTION_CHARS]}…"
