"""A failed match is found, corrected and retried by a person with a browser."""

from urllib.parse import quote

from playlog_cli.stacks.stack import Stack
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WRONG_SOURCES
from tests.browser.driving import Site, let_in


def match(stack: Stack, match_id: str) -> dict[str, object]:
    answer = stack.dynamodb.get_item(TableName=stack.match_cache_table, Key={"match_id": {"S": match_id}})
    return dict(answer["Item"])


def open_match(page: Page, site: Site, match_id: str) -> None:
    page.goto(f"{site.home}/failures/match?id={quote(match_id)}")


def test_one_match_is_corrected_and_retried_in_one_step(stack: Stack, site: Site, page: Page) -> None:
    page.goto(f"{site.home}/failures?reason=INVALID_SOURCE")
    page.get_by_label("Text").fill("wrong-299")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="wrong-299").click()
    page.wait_for_load_state("load")  # a script answers what is typed
    expect(page.get_by_text("It would fail again")).to_be_visible()

    page.get_by_label("source").fill("Radio")
    expect(page.get_by_text("Valid then.")).to_be_visible()
    page.get_by_role("button", name="Save and retry").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("waiting")
    corrections = page.get_by_role("region", name="Who corrected what")
    expect(corrections.get_by_role("row", name="source radio Radio")).to_be_visible()
    found = match(stack, "wrong-299")
    assert found["source"] == {"S": "Radio"}
    assert "failed_reason" not in found
    assert "unprocessed_shard" in found


def test_the_verdict_says_what_is_still_wrong_while_one_types(site: Site, page: Page) -> None:
    open_match(page, site, "wrong-298")

    page.get_by_label("source").fill("Radios")

    expect(page.locator("#verdict")).to_contain_text("Radios")
    expect(page.locator("#verdict")).to_contain_text("It would fail again")


def test_two_people_who_correct_the_same_match_do_not_overwrite_each_other(
    stack: Stack, site: Site, browser: Browser, page: Page
) -> None:
    open_match(page, site, "wrong-297")
    with let_in(site, browser) as other:
        open_match(other, site, "wrong-297")
        other.get_by_label("source").fill("Streaming")
        other.get_by_role("button", name="Save only").click()
        expect(other.get_by_role("status")).to_be_visible()

    page.get_by_label("source").fill("Radio")
    page.get_by_role("button", name="Save and retry").click()

    expect(page.get_by_role("alert")).to_be_visible()
    assert match(stack, "wrong-297")["source"] == {"S": "Streaming"}


def test_a_match_is_corrected_by_the_keyboard_alone(stack: Stack, site: Site, page: Page) -> None:
    open_match(page, site, "wrong-296")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "source":
            break
    page.keyboard.press("Control+A")
    page.keyboard.type("Radio")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("waiting")
    assert match(stack, "wrong-296")["source"] == {"S": "Radio"}


def test_hundreds_of_matches_are_corrected_and_retried_in_one_go(stack: Stack, site: Site, page: Page) -> None:
    page.goto(f"{site.home}/failures?reason=INVALID_SOURCE&station=fm-9")
    page.get_by_label("Attribute").select_option("source")
    page.get_by_label("New value").fill("Radio")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("Nothing has been changed yet.")).to_be_visible()
    expect(page.get_by_text("All of them are valid then.")).to_be_visible()
    assert match(stack, "wrong-000")["source"] == {"S": "radio"}

    page.get_by_role("button", name="Correct and retry").click()

    expect(page.get_by_text("Done.")).to_be_visible(timeout=60_000)
    items = [match(stack, f"wrong-{number:03}") for number in range(WRONG_SOURCES)]
    corrected = [item for item in items if item["source"] == {"S": "Radio"} and "unprocessed_shard" in item]
    assert len(corrected) >= WRONG_SOURCES - 4  # those that other tests correct
