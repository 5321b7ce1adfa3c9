"""The sentences around the tables of docs/speed.md.

Changes when they do.
"""

from collections.abc import Mapping

HEAD = """\
<!-- 由命令生成，请勿手改 · written by a command, not by hand:
     python -m benchmarks table -->
# 速度 · Speed

同一份随机权重（transformers 写出，各家自行转换），同样的输入，同一台机器。
每次测量都是全新的进程，各家轮流，每隔一轮倒序；数字是各轮的中位数，括号里是最小与最大。
测量前先热身，导出与转换不计时。“相同”是贪心（或束搜索）写出的词元中与
transformers float32 一致的个数：float32 的引擎都应全部一致，int8 的一旦有一处不同，
其后写的就是另一篇。“极限”是这一精度的权重字节数，除以同一次运行里 numpy 用所有核读
400 MB 量得的带宽，没有程序能更快；编码器另列 float32 乘法的极限。
各行不一定同一天量：“轮”是各行量了几轮；领先几倍只看两者都跑了的那几轮，没有就写明。

The same random weights for all (written by transformers, converted by each with its own
tools), the same inputs, the same machine. Every measurement is a fresh process; the
contenders take turns, backwards in every second round. Figures are medians over the
rounds, least and most in brackets, after warming up; exports and conversions are not
timed. *Same tokens* counts the greedy (or beam) tokens that equal those of transformers
in float32: every float32 engine should have all of them; behind its first other token
an int8 engine continues another text. *Limit* is the bytes of the weights in that
precision over the bandwidth that numpy measured in the same run by reading 400 MB
with every core: no program can be faster. Encoders have a limit by float32 products
beside it. Not all rows are of one day: *rounds* says how many each is of, and a lead
counts only those that both ran in, or says that there are none.
"""

APART = "（两者不在同一轮里量 · not in the same rounds）"
FOOT = """\
## 自己测 · Measure it yourself

```bash
python3.11 -m venv PEERS && PEERS/bin/pip install -r benchmarks/requirements-peers.txt
python -m benchmarks speed --python PEERS/bin/python --room ROOM --prepare-only
python -m benchmarks speed --python PEERS/bin/python --room ROOM
python -m benchmarks table
```

各家的版本与本项目的互不相容，所以它们有自己的解释器；`ROOM` 里存权重与导出的文件
（约 5 GB），不给 `--room` 就用完即删。`--parts decode encoder beams streams` 选测什么，
`--engines`、`--peers` 选测谁，`--rounds` 选几轮；分几次测的并进同一份
`docs/speed.json`（机器变了就从头来）。

The peers' versions do not agree with this project's, so they have an interpreter of
their own; `ROOM` keeps weights and exports (about 5 GB) and is a folder that vanishes
where none is given. `--parts` chooses what is measured, `--engines` and `--peers` who,
`--rounds` how often; what is measured bit by bit is joined in one `docs/speed.json`
(which starts anew on another machine).
"""

TITLES: Mapping[str, str] = {
    "decode": "逐词生成 · Decoding, GPT2-{scale}, {case}, "
    "{sizes.prompt_tokens} + {sizes.new_tokens}",
    "encoder": "编码 · Encoder, BERT-{scale}, {case}",
    "beams": "束搜索 · Beam search, BART-{scale}, {case}, "
    "{sizes.source_tokens} + {sizes.target_tokens}",
    "streams": "十人同时 · {case} at once, the embedded core",
}
