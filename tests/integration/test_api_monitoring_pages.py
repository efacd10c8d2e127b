"""The monitoring page and the chart that stands alone: light, complete, and with no script but ours."""

import base64
import gzip
import hashlib
import json
import re
from datetime import timedelta

from common.reasons import Reason
from tests.api_world import NOON

TWO_HOURS = "from=2024-05-31T12:00:00Z&to=2024-05-31T14:00:00Z"
DAY = "from=2024-05-31T12:00:00Z&to=2024-06-01T12:00:00Z"
FIGURE = re.compile(r'<script type="application/json" id="figure">(.*?)</script>', re.DOTALL)
SCRIPT = '<script(?: id="[0-9a-f]+")?>'


def figure(page):
    return json.loads(FIGURE.search(page)[1])


def test_the_page_carries_the_figure_of_the_same_figures_and_no_inline_script(client, world):
    world.settled_task({"success": 3, "duplicate": 2, "error": 1})
    page = client.get(f"/monitoring?{TWO_HOURS}").text
    bars = figure(page)["data"]
    assert {bar["name"]: sum(bar["y"]) for bar in bars} == {"success": 3, "duplicate": 2, "error": 1}
    assert all(len(bar["y"]) == 120 and bar["x0"] == "2024-05-31 12:00" and bar["dx"] == 60_000 for bar in bars)
    assert re.findall(r"<script(?! src=| type=\"application/json\")", page) == []
    assert "2024-05-31 12:00" in page


def test_by_reason_the_parts_of_a_bar_are_its_errors(client, world):
    task_id = world.task(["https://a.example/"] * 40)
    for line, reason in enumerate([*Reason, Reason.DNS, Reason.DNS], start=1):
        world.end(task_id, line, "error", reason=reason)
    bars = figure(client.get(f"/monitoring?{TWO_HOURS}&by=reason").text)["data"]
    names = [bar["name"] for bar in bars]
    assert (names[0], names[-1], len(names)) == ("dns", "others", 8)
    assert sum(bar["y"][0] for bar in bars) == len(Reason) + 2


def test_every_row_of_the_table_leads_on_until_each_is_a_minute(client, world):
    world.settled_task({"success": 200})
    path = f"/monitoring?{DAY}"
    for _ in range(4):
        page = client.get(path).text
        row = re.search(r'<th scope="row"><a href="([^"]+)">2024-05-31 12:0\d</a></th><td class="right">(\d+)', page)
        path = row[1].replace("&amp;", "&")
        if path.startswith("/monitoring/items"):
            break
    assert row[2] == "59"  # from the first second to the 59th
    assert len(client.get(f"{path}&limit=100").json["items"]) == 59


def test_a_page_of_a_full_day_weighs_less_than_100_kilobytes(client, world):
    """Every minute of the day has ends, for every reason there is; plotly.js is not counted, the other files are."""
    task_id = world.task([f"https://{line}.example/" for line in range(2 * 1_440)], created_at=NOON)
    reasons = list(Reason)
    for line in range(1_440):
        at = NOON + timedelta(minutes=line)
        world.end(task_id, 2 * line + 1, "success", at=at)
        world.end(task_id, 2 * line + 2, "error", at=at, reason=reasons[line % len(reasons)])
    for by in ("outcome", "reason"):
        page = client.get(f"/monitoring?{DAY}&by={by}").text
        files = [path for path in re.findall(r'(?:src|href)="(/static/[^"]+)"', page) if not path.endswith("svg")]
        assert len(files) >= 4
        assert len(page) + sum(len(client.get(path, buffered=True).data) for path in files) < 100_000


def test_the_pages_policy_allows_no_script_but_ours(client):
    policy = client.get("/monitoring").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert "unsafe" not in client.get("/monitoring/items").headers["Content-Security-Policy"]


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_chart_alone_is_one_file_that_runs_two_scripts_named_by_their_digests(client, world):
    world.settled_task({"success": 3, "duplicate": 2, "error": 1})
    answer = client.get(f"/testmonitoring?{TWO_HOURS}")
    text = answer.text
    assert answer.headers["Content-Disposition"].startswith("inline")
    assert not re.search(r'\b(src|href)="', re.sub(f"{SCRIPT}.*?</script>", "", text, flags=re.DOTALL))
    assert {bar["name"]: sum(bar["y"]) for bar in figure(text)["data"]} == {"success": 3, "duplicate": 2, "error": 1}
    scripts = re.findall(f"{SCRIPT}(.*?)</script>", text, re.DOTALL)
    digests = set(map(digest, scripts))
    policy = answer.headers["Content-Security-Policy"]
    assert len(scripts) == 2
    assert set(re.search(r"script-src ([^;]+)", policy)[1].split()) == digests
    assert "default-src 'none'" in policy
    assert f"style-src {digest(re.search('<style[^>]*>(.*?)</style>', text, re.DOTALL)[1])};" in policy
    kept = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[1].replace("&#39;", "'")
    assert policy.startswith(kept)


def test_plotly_is_served_by_us_for_ever_and_compressed_for_who_accepts_it(client):
    address = re.search(r'src="(/plotly/[^"]+)"', client.get("/monitoring").text)[1]
    plain = client.get(address)
    gzipped = client.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert gzip.decompress(gzipped.data) == plain.data
    assert len(gzipped.data) < len(plain.data) / 3
    assert gzipped.headers["Content-Encoding"] == "gzip"
    assert "immutable" in plain.headers["Cache-Control"]
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert plain.headers["ETag"] != gzipped.headers["ETag"]
    assert client.get(address, headers={"Accept-Encoding": "gzip;q=0"}).data == plain.data
    assert client.get("/plotly/0.0.1/plotly.min.js").status_code == 404
