from model_core.training.lineage import lineage, lineage_of, total
from model_core.training.snapshot import load_facts, save_snapshot

CORE = {
    "step": 10,
    "tokens": 100,
    "seconds": 5.0,
    "curve": [[10, 100, 5.0, 3.2]],
    "device": ["tensorflow", "tensorflow"],
}


def test_an_older_snapshot_without_ancestors_is_a_line_of_its_own():
    assert lineage(CORE) == [
        {"step": 10, "tokens": 100, "seconds": 5.0, "device": ["tensorflow"]}
    ]


def test_ancestors_come_first_through_any_number_of_runs():
    second = {**CORE, "step": 3, "device": ["jax"], "before": lineage(CORE)}
    third = {**CORE, "step": 7, "before": lineage(second), "settings": {}}
    assert [run["step"] for run in lineage(third)] == [10, 3, 7]


def test_the_total_counts_every_run_and_names_each_device_once():
    second = {**CORE, "step": 3, "device": ["jax"], "before": lineage(CORE)}
    assert total(lineage(second)) == {
        "step": 13,
        "tokens": 200,
        "seconds": 10.0,
        "device": ["tensorflow", "jax"],
    }


def test_facts_are_read_without_the_arrays_and_from_what_a_stop_has_left(tmp_path):
    save_snapshot(tmp_path / "run", {}, CORE)
    assert load_facts(tmp_path / "run") == CORE
    (tmp_path / "run").rename(tmp_path / "run.old")
    assert load_facts(tmp_path / "run") == CORE


def test_a_part_s_weights_went_through_the_shared_runs_unless_they_stand_apart():
    first, second, third = ({"step": n, "tokens": n} for n in (1, 2, 3))
    training = {
        "runs": [first],
        "own_weights": {"title": [second], "words": [second, third]},
        "apart": ["words"],
    }
    assert lineage_of(training, "title") == [first, second]
    assert lineage_of(training, "words") == [second, third]
    assert lineage_of(training, "summary") == [first]
    assert lineage_of({}, "words") == []
