from recipes import told
from recipes.showing import Shown
from recipes.told import Told


def test_what_was_told_is_read_as_it_was_written(tmp_path):
    first = Told(
        heads=("language_model",),
        shares={"title": 0.5},
        options={"hide": 0.1},
        examples={"qa": (Shown("谁？", "甲", "乙", 0.5),)},
        machine="two_cores",
    )
    told.write(first, tmp_path)
    assert told.read(tmp_path) == first


def test_a_folder_without_it_tells_nothing(tmp_path):
    assert told.read(tmp_path) == Told()
