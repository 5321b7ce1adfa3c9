from prometheus_client.parser import text_string_to_metric_families

from app.metrics import Metrics
from model_core.interfaces import ModelState

STATES = (
    ModelState("embedded", "内置", "ready"),
    ModelState('we"ird\n', "x", "downloading", 3, 10),
)


def families(metrics, states=STATES, queue=3):
    text = metrics.text(states, queue).decode()
    return {family.name: family for family in text_string_to_metric_families(text)}


def test_the_text_parses_and_names_everything_promised():
    assert families(Metrics()).keys() >= {
        "maskplay_requests",
        "maskplay_turned_away",
        "maskplay_running",
        "maskplay_queue",
        "maskplay_generated_tokens",
        "maskplay_first_text_seconds",
        "maskplay_model_state",
    }


def test_each_model_is_in_exactly_one_state():
    samples = families(Metrics())["maskplay_model_state"].samples
    on = {(s.labels["model"], s.labels["state"]) for s in samples if s.value == 1}
    assert on == {("embedded", "ready"), ('we"ird\n', "downloading")}


def test_a_model_that_left_the_shelf_leaves_the_text():
    metrics = Metrics()
    families(metrics)
    assert families(metrics, states=())["maskplay_model_state"].samples == []


def test_the_queue_and_the_refusals_are_told():
    metrics = Metrics()
    metrics.turned_away("rate")
    found = families(metrics)
    assert found["maskplay_queue"].samples[0].value == 3
    (counted,) = [
        s for s in found["maskplay_turned_away"].samples if s.name.endswith("_total")
    ]
    assert (counted.labels, counted.value) == ({"reason": "rate"}, 1)
