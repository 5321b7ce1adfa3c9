import json
import lzma

import pytest

from recipes import tasks_data as data
from recipes.task_files import evenly_spaced, load_task_data


def write(path, *records):
    text = "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records)
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = path.suffix == ".xz"
    path.write_bytes(lzma.compress(text.encode()) if packed else text.encode())
    return path


TITLE = {"text": "春天来了。", "title": "春天", "source": "lcsts"}


def test_plain_and_packed_lines_read_the_same(tmp_path):
    plain = write(tmp_path / "a.jsonl", TITLE, TITLE)
    packed = write(tmp_path / "a.jsonl.xz", TITLE, TITLE)
    read = data.read(plain, data.title_example)
    assert read == data.read(packed, data.title_example)
    assert read == (data.TitleExample("春天来了。", "春天", "lcsts"),) * 2


def test_an_empty_line_is_none_and_a_broken_one_is_named(tmp_path):
    path = write(tmp_path / "a.jsonl", TITLE)
    path.write_text(path.read_text(encoding="utf8") + "\n\n", encoding="utf8")
    assert len(data.read(path, data.title_example)) == 1
    for broken in ('{"text": "无题"}', "[1]", "{"):
        path.write_text(json.dumps(TITLE) + "\n" + broken + "\n", encoding="utf8")
        with pytest.raises(ValueError, match=r"line 2 of .*a\.jsonl, received") as told:
            data.read(path, data.title_example)
        assert broken in str(told.value)


@pytest.mark.parametrize(
    ("answers", "yes_no", "kind"),
    [
        ([{"text": "秋", "start": 3}], None, "span"),
        ([], "YES", "yes_no"),
        ([], None, "unanswerable"),
    ],
)
def test_a_question_is_of_one_of_three_kinds(answers, yes_no, kind):
    record = {"passage": "春夏秋", "question": "？", "answers": answers}
    example = data.qa_example(record | {"yes_no": yes_no, "source": "cjrc"})
    assert (example.kind, example.yes_no) == (kind, yes_no or "")
    assert [a.start for a in example.answers] == [a["start"] for a in answers]


@pytest.mark.parametrize(
    ("name", "subject", "meaning"),
    [
        ("刘晓华（广东工业大学教授）", "刘晓华", "广东工业大学教授"),
        ("仪表盘（商业智能（BI））", "仪表盘", "商业智能（BI）"),
        ("巫山县", "巫山县", ""),
        ("（无名）", "（无名）", ""),
    ],
)
def test_a_subject_is_told_from_its_meaning(name, subject, meaning):
    fact = data.kg_fact({"subject": name, "predicate": "职称", "object": "教授"})
    assert (fact.subject, fact.meaning) == (subject, meaning)


def test_a_kg_question_knows_whether_it_names_the_predicate():
    record = {"subject": "李白", "predicate": "朝代", "object": "唐"}
    named = data.kg_example(record | {"question": "李白是哪个朝代的？"})
    other = data.kg_example(record | {"question": "李白活在什么时候？"})
    assert (named.source, other.source) == ("named", "paraphrased")


def test_the_other_records():
    triple = dict.fromkeys(("subject", "predicate", "object"), "甲")
    typed = triple | {"subject_type": "人", "object_type": "人"}
    example = data.triples_example({"text": "甲甲", "triples": [typed]})
    assert example.triples == (data.Triple("甲", "甲", "甲", "人", "人"),)
    vcsum = {"text": "长", "summary": "短", "sentences": ["长"], "highlights": [1]}
    assert data.summary_example(vcsum).highlights == (1,)
    assert data.summary_example({"text": "长", "summary": "短"}).sentences == ()


@pytest.mark.parametrize(
    ("extra", "text_b"),
    [
        ({}, ""),
        ({"text_b": "又"}, "又"),
        ({"keyword": ["环境", "侵权"]}, "环境、侵权"),
        ({"target": {"span1_text": "舌头", "span2_text": "它"}}, "它指的是舌头"),
    ],
)
def test_the_second_text_of_a_few_shot_line(extra, text_b):
    example = data.fewshot_example({"text": "一", "label": 1} | extra)
    assert (example.label, example.text_b) == ("1", text_b)


def test_a_task_finds_what_stands_beside_it(tmp_path):
    folder = tmp_path / "eprstmt"
    line = {"text": "好", "label": "Positive"}
    write(folder / "dev_3.jsonl", line)
    write(folder / "train_3.jsonl", line, line)
    write(folder / "train_0.jsonl", line)
    labels = [{"label": "Positive", "zh": "好评"}]
    (folder / "labels.json").write_text(json.dumps(labels), encoding="utf8")
    loaded = load_task_data("fewshot", folder / "dev_3.jsonl")
    assert (len(loaded.examples), len(loaded.train)) == (1, 2)
    assert loaded.labels == (data.LabelWord("Positive", "好评"),)
    assert loaded.folder == "eprstmt"
    given = load_task_data(
        "fewshot", folder / "dev_3.jsonl", train=folder / "train_0.jsonl"
    )
    assert len(given.train) == 1


def test_a_file_that_is_no_dev_file_teaches_nobody(tmp_path):
    for name in ("test.jsonl", "reviews-dev.jsonl"):
        path = write(tmp_path / name, TITLE)
        write(tmp_path / name.replace("dev", "train"), TITLE)
        assert load_task_data("title", path).train == ()
    with pytest.raises(ValueError, match="another train file than the examples"):
        load_task_data("title", path, train=path)


def test_questions_without_their_base_are_refused(tmp_path):
    fact = {"subject": "李白", "predicate": "朝代", "object": "唐"}
    path = write(tmp_path / "dev.jsonl", fact | {"question": "？"})
    with pytest.raises(FileNotFoundError, match=r"expected triples\.jsonl or"):
        load_task_data("kgqa", path)


def test_the_base_of_kg_questions_is_read_packed_or_not(tmp_path):
    fact = {"subject": "李白", "predicate": "朝代", "object": "唐"}
    path = write(tmp_path / "dev.jsonl", fact | {"question": "？"})
    write(tmp_path / "triples.jsonl.xz", fact)
    loaded = load_task_data("kgqa", path)
    assert loaded.facts == (data.KgFact("李白", "朝代", "唐"),)
    assert loaded.train == ()


def test_a_limit_spreads_over_the_file():
    assert evenly_spaced("abcdefgh", 4) == ("a", "c", "e", "g")
    assert evenly_spaced("abc", 9) == evenly_spaced("abc", None) == ("a", "b", "c")
    with pytest.raises(ValueError, match="at least 1, received 0"):
        evenly_spaced("abc", 0)


def test_a_file_without_examples_and_a_strange_task_are_refused(tmp_path):
    empty = write(tmp_path / "dev.jsonl")
    with pytest.raises(ValueError, match="received none"):
        load_task_data("title", empty)
    with pytest.raises(ValueError, match=r"a task of title, .* 'poem'"):
        load_task_data("poem", empty)
