"""How triples are pointed at, in words and in two small drawings.

Changes when the explanation changes.
"""

from collections.abc import Mapping

from app import views
from app.views import escape

TEXT = "鲁迅著有呐喊"
SUBJECT, OBJECT = (4, 5), (0, 1)  # first and last character of 呐喊 and 鲁迅
POINTERS: Mapping[str, int] = {
    "主语开头 subject start": SUBJECT[0],
    "主语结尾 subject end": SUBJECT[1],
    "作者·宾语开头 object start": OBJECT[0],
    "作者·宾语结尾 object end": OBJECT[1],
}
HALF_POINTER = """
**半指针**（kexue.fm/archives/7161）先问每个字：你是不是某个主语的开头？是不是结尾？
从可能的主语里取一个，把它头尾两个字的向量接在一起，经**条件层归一化**（Conditional
LayerNorm，条件为零时与原来的网络一样）送回最后一次归一化，再问每个字、每种关系：你是不是
这个主语在这种关系下的宾语的开头、结尾？所以一句话里可以有任意多个三元组，互相重叠也不要紧。

The **half pointer** asks every character whether a subject starts or ends there. A
subject's first and last vectors then condition the last normalization, and every
character is asked again, once per relation, whether an object starts or ends there.
"""
GPLINKER = """
**GPLinker**（kexue.fm/archives/8888）用打分的矩阵：行是开头，列是结尾。一个矩阵认实体，
每种关系另有两个矩阵，一个连两个开头，一个连两个结尾；三处都点亮，就是一个三元组。
一次算完，不必先选主语。

**GPLinker** scores pairs: rows are first characters, columns last ones. One matrix
finds the names, two more per relation join first with first and last with last; where
all three agree there is a triple, all at once.

**两种合看**：各列各的，同一个三元组的对数几率按六比四平均；只有一种列出的，另一种算作它
列得出的最小概率。“自动”用它：两种犯的错不同，合看比哪一种都准。

**Both weighed**: each lists its own; the log-odds of a triple are averaged, six parts
GPLinker to four. They err differently, so both together are right more often; *auto*
takes it.

长文按句子切成几段来读，相邻两段共有一句，位置都换算回原文。 A long text is read in
windows that end where sentences do and share one sentence; offsets point into the text.
"""
OTHERS = """
**UIE**（arXiv 2203.12277）不认固定的关系：把要找的写成提示放在文字前面，网络标出答案的
开头与结尾。先问“人物”，得到鲁迅；再问“鲁迅的出生地”。所以要由你写出抽哪些，没学过的
关系也能问。
**mREBEL**（arXiv 2306.09802）不标位置，而是把三元组一条条**写**出来：
`<triplet> 鲁迅 <per> 绍兴 <loc> place of birth`。关系的名称由它自己起；写出的名字在
原文里找不到的，就不算这段文字的三元组。概率是各词元概率的几何平均。

**UIE** is told what to look for: “person” first, then “birthplace of X”, so any
relation can be asked. **mREBEL** writes triples out and names relations itself; a name
that is not in the text is dropped, and a triple's probability is the geometric mean of
its tokens'.
"""
CAPTION = "哪一段是名称：行是开头，列是结尾 · names: row = first, column = last"


def pointer_table() -> str:
    """Draw the four questions of the half pointer and their answers."""
    head = "".join(f"<th>{escape(char)}</th>" for char in TEXT)
    rows = "".join(
        f"<tr><th>{escape(name)}</th>"
        + "".join(f"<td>{'●' if n == place else '·'}</td>" for n in range(len(TEXT)))
        + "</tr>"
        for name, place in POINTERS.items()
    )
    return (
        '<div class="mp-pointers mp-scroll"><table><thead><tr><th></th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def span_matrix() -> str:
    """Draw the matrix that finds names."""
    names = (SUBJECT, OBJECT)
    places = range(len(TEXT))
    cells = [[(first, last) in names for last in places] for first in places]
    return views.mask_drawing(cells, TEXT, CAPTION)
