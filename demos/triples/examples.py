"""Ready-made requests worth a click: a film, a song, a firm; many at once come last.

Changes when a better text is found. The texts were written for this project; longer
ones lie in assets/samples under the names of SAMPLES.
"""

from demos.triples.task import TripleRequest

SAMPLES = {"triples/historians.txt": "长文 · 写史书的人"}

EXAMPLES = (
    TripleRequest(
        "电影《霸王别姬》由陈凯歌执导，张国荣、张丰毅、巩俐主演，1993年上映。"
    ),
    TripleRequest(
        "《晴天》是周杰伦演唱的歌曲，由周杰伦作词、作曲，收录在专辑《叶惠美》中。"
    ),
    TripleRequest("腾讯公司成立于1998年11月11日，总部位于广东深圳，创始人是马化腾。"),
    TripleRequest("李时珍，明代医药学家，湖北蕲春人，《本草纲目》的作者。"),
    TripleRequest(
        "钱学森，毕业于国立交通大学，祖籍浙江杭州，妻子是声乐家蒋英。",
        schema=(("人物", "毕业院校", "学校"), ("人物", "祖籍", "地点")),
    ),
    TripleRequest(
        "苏轼，号东坡居士，北宋文学家。他的父亲是苏洵，母亲是程夫人，弟弟是苏辙，"
        "妻子是王弗。苏洵、苏轼、苏辙合称“三苏”，都列入唐宋八大家。"
    ),
    TripleRequest(
        "《红楼梦》的作者是清代作家曹雪芹，主角是贾宝玉；《西游记》的作者是明代的吴承恩，"
        "主角是孙悟空。《三国演义》的作者罗贯中与《水浒传》的作者施耐庵都生活在元末明初。"
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
)

CAPTION_CHARS = 14


def caption(request: TripleRequest) -> str:
    """Return a short name for a button: how the text begins, on one line."""
    opening = " ".join(request.text.split())
    return opening if len(opening) <= CAPTION_CHARS else f"{opening[:CAPTION_CHARS]}…"
