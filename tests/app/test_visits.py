"""What gradio keeps of a visit: the visitor's own, and no drawing of the page."""

import gradio as gr
import gradio_client
import pytest
from gradio import routes
from gradio.state_holder import SessionState

from app.visits import Visit, light_visits

FRUIT = ["苹果", "梨"]


def counting():
    """Return a page that counts what each visitor asked, and lets one more word in."""
    with gr.Blocks() as page:
        asked = gr.State(0)
        times, word, said = gr.Number(), gr.Dropdown(FRUIT), gr.Textbox()
        gr.Button().click(
            lambda so_far: (so_far + 1, so_far + 1), asked, [asked, times], api_name="a"
        )
        gr.Button().click(
            lambda: gr.Dropdown([*FRUIT, "桃"]), None, word, api_name="more"
        )
        gr.Button().click(lambda chosen: chosen, word, said, api_name="choose")
    return page


@pytest.fixture(scope="module", name="address")
def fixture_address():
    page = counting()
    with light_visits():
        _, address, _ = page.launch(
            prevent_thread_lock=True, quiet=True, ssr_mode=False
        )
    yield address
    page.close(verbose=False)


def visitor(address):
    return gradio_client.Client(address, verbose=False)


def test_gradio_alone_describes_the_whole_page_for_every_visit():
    page = counting()
    assert set(SessionState(page).config_values) == set(page.blocks)


def test_a_visit_begins_with_nothing_described_and_with_the_pages_components():
    page = counting()
    visit = Visit(page)
    assert list(visit.components) == []
    assert visit.blocks_config.blocks == page.blocks


def test_each_visitor_keeps_what_is_theirs(address):
    one, other = visitor(address), visitor(address)
    assert [one.predict(api_name="/a") for _ in range(3)] == [1, 2, 3]
    assert other.predict(api_name="/a") == 1
    assert one.predict(api_name="/a") == 4


def test_a_component_that_changed_has_changed_for_its_visitor_alone(address):
    one, other = visitor(address), visitor(address)
    one.predict(api_name="/more")
    assert one.predict("桃", api_name="/choose") == "桃"
    with pytest.raises(gradio_client.exceptions.AppError):
        other.predict("桃", api_name="/choose")


def test_pages_that_are_launched_afterwards_are_gradios_own():
    usual = routes.StateHolder
    with light_visits():
        assert routes.StateHolder is not usual
    assert routes.StateHolder is usual
