"""What people look at: the overview, a report with its files, the parking lot."""

from playlog_cli.stacks.stack import Stack
from playwright.sync_api import Page, expect

from tests.browser.driving import Site


def test_the_overview_says_whether_it_runs_and_can_be_paused(site: Site, page: Page) -> None:
    page.goto(f"{site.home}/")
    expect(page.locator("#running")).to_contain_text("Last runs", timeout=30_000)
    expect(page.locator("#alarms")).to_contain_text("alarms")
    expect(page.locator("#backlog")).to_contain_text("dead letters")
    expect(page.locator("#failures")).to_contain_text("INVALID_SOURCE", timeout=30_000)
    expect(page.locator("#plays")).to_contain_text("moonwave", timeout=30_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#refreshing")).to_have_text("Paused.")


def test_a_report_is_made_seen_and_downloaded(site: Site, page: Page) -> None:
    page.goto(f"{site.home}/reports")
    page.get_by_label("From").fill("2026-03-01")
    page.get_by_label("To, the").fill("2026-04-01")
    page.get_by_role("button", name="Make the report").click()
    expect(page.frame_locator("iframe").locator("h1")).to_contain_text("Plays", timeout=60_000)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    header, *lines = download.value.path().read_text(encoding="utf-8").splitlines()
    assert header.startswith("from,to,time_zone,station,plays")
    assert any("moonwave" in line for line in lines)


def test_parked_letters_are_seen_and_sent_back(stack: Stack, site: Site, page: Page) -> None:
    stack.sqs.send_message(QueueUrl=stack.parking_lot_queue_url, MessageBody="<b>no letter</b>")
    page.goto(f"{site.home}/parking-lot")
    page.get_by_role("button", name="Look at the letters").click()
    expect(page.get_by_role("table")).to_contain_text("not a valid dead letter")
    page.get_by_role("button", name="Send all back").click()
    expect(page.get_by_role("status")).to_contain_text("sent back")
