"""Similar sentences: limits of the request, frames, records, what is printed."""

import pytest

from demos.errors import InvalidRequestError
from demos.rephrasing.examples import EXAMPLES
from demos.rephrasing.record import ADDED_FIELDS, render_text, to_record
from demos.rephrasing.rephrasing import (
    MAX_CHARS,
    SAMPLES_FOR_EACH,
    RephrasingRequest,
    rephrase,
)
from tests.fake_sentences import FakeSentenceRephraser


def frames(text="去哪儿", model=None, **given):
    request = RephrasingRequest(text, **given)
    return list(rephrase(request, model or FakeSentenceRephraser()))


def test_only_the_last_frame_is_finished_and_ranked():
    *growing, last = frames()
    assert growing
    assert not any(one.finished for one in growing)
    assert {one.cosine for frame in growing for one in frame.rephrasings} == {None}
    cosines = [one.cosine for one in last.rephrasings]
    assert last.finished
    assert cosines == sorted(cosines, reverse=True)


def test_more_are_written_than_are_returned():
    model = FakeSentenceRephraser()
    *_, last = frames(model=model, num_return=2, top_k=3, top_p=0.5, seed=9)
    ((text, options),) = model.asked
    assert (text, len(last.rephrasings)) == ("去哪儿", 2)
    assert (options.num_return, options.num_samples) == (2, 2 * SAMPLES_FOR_EACH)
    assert (options.top_k, options.top_p, options.seed) == (3, 0.5, 9)


def test_a_result_can_be_asked_for_again():
    *_, last = frames()
    assert last.request.seed is None
    assert last.again == RephrasingRequest("去哪儿", seed=last.frame.seed)


def test_what_was_left_out_is_known():
    assert frames()[-1].read_whole
    assert not frames(model=FakeSentenceRephraser(window=2))[-1].read_whole


def test_a_record_has_its_fields_and_the_text_only_its_ranking():
    *growing, last = frames()
    record = to_record(last)
    assert record.keys() == {"text", *ADDED_FIELDS}
    assert record["rephrasings"][0]["cosine"] == 0.95
    assert to_record(growing[0])["rephrasings"][0]["cosine"] is None
    assert {render_text(one) for one in growing} == {""}
    assert render_text(last).splitlines()[0] == "0.9500  去哪儿吗"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"text": " "}, "all blank"),
        ({"text": "长" * (MAX_CHARS + 1)}, f"1 to {MAX_CHARS} characters"),
        ({"text": "好", "num_return": 11}, "between 1 and 10"),
        ({"text": "好", "top_p": 0.0}, "between 0.05 and 1"),
        ({"text": "好", "top_k": -1}, "between 0 and 100"),
        ({"text": "好", "seed": -1}, "“Seed”"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(given, said):
    with pytest.raises(InvalidRequestError, match=said):
        RephrasingRequest(**given)


def test_leaving_stops_the_model():
    model = FakeSentenceRephraser()
    running = rephrase(RephrasingRequest("去哪儿"), model)
    next(running)
    running.close()
    assert model.closed == 1


def test_examples_differ():
    assert len({example.text for example in EXAMPLES}) == len(EXAMPLES)
